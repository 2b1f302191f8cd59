package flags

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/step"
	"rolecall/ui/cli"
)

// The headings in --help.
const (
	groupWhat   = "What to connect"
	groupGrants = "What the policy grants"
	groupMade   = "What is made, and whom it trusts"
	groupRun    = "How it runs"
)

const everywhere = Connecting | Checking | Updating | Showing | Organising

// table is every flag that says what is wanted, in the order in which they are
// taken: what comes later may rest on what came before. A setting of what is
// made is one row here, and one field of access.Settings.
func table() []row {
	return slices.Concat(whatRows(), grantRows(), madeRows(), runRows())
}

// grouped puts rows under a heading.
func grouped(heading string, rows []row) []row {
	for i := range rows {
		rows[i].group = heading
	}
	return rows
}

func whatRows() []row {
	return grouped(groupWhat, []row{
		{name: "vendor", of: everywhere, usage: "vendor to connect: a name, or a file such as ./acme.yaml",
			bound: true, field: vendorName{text{at: func(a *record.Answers) *string { return &a.Vendor }}}},
		{name: "method", of: Connecting | Resuming, usage: "who does the AWS part: manual, automatic or direct", bound: true,
			field: text{at: func(a *record.Answers) *string { return &a.Method }}},
		{name: "access", of: Connecting | Showing | Resuming, usage: "what the vendor gets: role or user", bound: true,
			field: text{at: func(a *record.Answers) *string { return &a.Access }}},
		{name: "partition", of: everywhere, usage: "partition: aws, aws-cn or aws-us-gov", bound: true, single: true,
			fits: fitsPartition, field: text{at: func(a *record.Answers) *string { return &a.Partition }}},
		{name: "account", of: Connecting | Resuming, usage: "the vendor's account to connect: act-…", bound: true, open: true,
			single: true, fits: fitsAccount,
			field: accountID()},
		{name: "account-name", of: Connecting | Resuming, usage: "name of the vendor's account: existing, or to create",
			bound: true, open: true, single: true, fits: fitsAccount,
			field: accountName()},
	})
}

func grantRows() []row {
	return grouped(groupGrants, []row{
		{name: "products", kind: listed, of: everywhere, usage: "products and integrations: a,b/c", bound: true,
			single: true, recalled: Checking | Updating,
			moot: func(v *describe.Vendor, _ string) bool { return len(v.Products) == 0 }, fits: fitsProducts,
			field: bundles{}},
		{name: "regions", kind: listed, of: everywhere, usage: "regions that the policy is limited to: r1,r2",
			bound: true, single: true, recalled: Checking | Updating, fits: fitsRegions,
			field: texts{at: func(a *record.Answers) *[]string { return &a.Regions }}},
		{name: "restrict-tag", of: everywhere, usage: "tag that the policy is limited to: k=v", bound: true,
			single: true, recalled: Checking | Updating, shape: checkRestrictTag,
			field: text{at: func(a *record.Answers) *string { return &a.RestrictTag }}},
	})
}

func madeRows() []row {
	return grouped(groupMade, []row{
		{name: "trusted-account", of: everywhere | Resuming, usage: "the vendor's AWS account, where rolecall does not know it",
			bound: true, single: true, recalled: Checking | Updating,
			moot:  func(v *describe.Vendor, partition string) bool { return trustedIn(v, partition) != "" },
			fits:  fitsTrustedAccount,
			field: trustedAccount()},
		{name: "external-id", of: Connecting | Checking | Showing | Resuming | Organising, usage: "external ID from the vendor's console",
			bound: true, open: true, single: true, recalled: Checking, shape: aws.CheckExternalID,
			moot: func(v *describe.Vendor, _ string) bool { return v.ExternalID.Pattern == "" }, fits: fitsExternalID,
			field: externalID()},
		{name: "role-name", of: Connecting | Showing | Resuming | Organising, usage: "name of the role", bound: true, single: true,
			shape: aws.CheckRoleName,
			field: roleName()},
		{name: "policy-name", of: Connecting | Updating | Showing | Resuming | Organising, usage: "name of the policy", bound: true,
			single: true, recalled: Updating, shape: aws.CheckPolicyName,
			field: ofPart{at: func(p *record.Part) *string { return &p.PolicyName }}},
		{name: "user-name", of: Connecting | Resuming, usage: "name of the IAM user", bound: true,
			owner: byAccess(describe.AccessUser), shape: aws.CheckUserName,
			field: userName()},
		{name: "stack-name", of: Connecting | Resuming, usage: "name of the CloudFormation stack", bound: true,
			owner: byMethod("automatic"), shape: aws.CheckStackName,
			field: text{at: func(a *record.Answers) *string { return &a.Stack.Name }}},
		{name: "path", of: everywhere, usage: "path of role and policy: /team/", bound: true, single: true,
			recalled: Checking, shape: aws.CheckPolicyPath,
			field: text{at: func(a *record.Answers) *string { return &a.Path }}},
		{name: "permissions-boundary", of: everywhere, usage: "the role's permissions boundary, by its ARN",
			bound: true, single: true, recalled: Checking, shape: cli.CheckPolicyARN,
			field: text{at: func(a *record.Answers) *string { return &a.Boundary }}},
		{name: "session-duration", kind: length, of: everywhere, usage: "longest session of the role, 1h to 12h",
			bound: true, owner: byMethod("automatic", "direct"), recalled: Checking, unseen: true,
			shape: checkSessionDuration,
			field: span{at: func(a *record.Answers) *time.Duration { return &a.SessionFor }}},
		{name: "tag", kind: repeated, of: everywhere, usage: "tag of what is created: k=v (may be repeated)",
			bound: true, owner: byMethod("automatic", "direct"), recalled: Checking, unseen: true, field: tags{}},
	})
}

func runRows() []row {
	return grouped(groupRun, []row{
		{name: "acknowledge-iam-capabilities", kind: toggle, of: Connecting | Updating | Resuming | Organising,
			usage: "accept that CloudFormation creates IAM resources", owner: byMethod("automatic"),
			field: switched{at: func(a *record.Answers) *bool { return &a.Stack.Acknowledged }}},
		{name: "replace-role", kind: toggle, of: Connecting | Resuming,
			usage: "replace the role that the vendor's account has now", single: true,
			field: switched{at: func(a *record.Answers) *bool { return &a.ReplaceRole }}},
		{name: "send-to", of: Connecting | Resuming | Organising, usage: "https address to which a vendor file's declared request may go"},
		{name: "secret-file", of: Connecting | Resuming, usage: "file for the secret access key",
			owner: byAccess(describe.AccessUser)},
		{name: "plan", of: Connecting | Organising, usage: "create nothing but what this approved plan holds"},
		{name: "wait", kind: length, normally: DefaultWait, of: Connecting | Resuming,
			usage: "how long to wait for IAM and the vendor when unattended", shape: checkWait},
		{name: "scenario", kind: listed, of: Rehearsing, usage: "typical mistakes or faults to rehearse: a,b, or help for the list"},
		{name: "yes", short: "y", kind: toggle, of: Connecting | Updating | Resuming | Organising, usage: "take defaults and never ask"},
	})
}

// accountID is the vendor's account by its ID, in the place of a name.
func accountID() text {
	return text{
		at:     func(a *record.Answers) *string { return &a.VendorAccount },
		clears: func(a *record.Answers) *string { return &a.NewVendorAccount },
	}
}

// accountName is the name of the vendor's account, which an ID answers too.
func accountName() text {
	return text{
		at:     func(a *record.Answers) *string { return &a.NewVendorAccount },
		clears: func(a *record.Answers) *string { return &a.VendorAccount },
		says:   func(a *record.Answers, _ *describe.Vendor) string { return cmp.Or(a.NewVendorAccount, a.VendorAccount) },
	}
}

// trustedAccount is the vendor's account, which the description answers too.
func trustedAccount() text {
	return text{
		at: func(a *record.Answers) *string { return &a.TrustedAccount },
		says: func(a *record.Answers, v *describe.Vendor) string {
			return cmp.Or(a.TrustedAccount, trustedIn(v, a.Partition))
		},
	}
}

// externalID is one that a person knows: rolecall did not have it minted.
func externalID() ofPart {
	return ofPart{
		at:  func(p *record.Part) *string { return &p.ExternalID },
		not: func(p *record.Part) *bool { return &p.Minted },
	}
}

func roleName() ofPart {
	return ofPart{
		at:    func(p *record.Part) *string { return &p.RoleName },
		given: func(p *record.Part) *bool { return &p.NameGiven },
	}
}

func userName() ofPart {
	return ofPart{
		at:    func(p *record.Part) *string { return &p.UserName },
		given: func(p *record.Part) *bool { return &p.UserNameGiven },
	}
}

func byMethod(ids ...string) owner {
	return owner{func(o step.Offer) bool { return slices.Contains(ids, o.Method) }, "--method " + strings.Join(ids, " or ")}
}

func byAccess(access string) owner {
	return owner{func(o step.Offer) bool { return o.Access == access }, "--access " + access}
}

// trustedIn is the vendor's account in a partition, where its description names
// one.
func trustedIn(v *describe.Vendor, partition string) string {
	return v.Partitions[cmp.Or(partition, describe.Commercial)].TrustedAccount
}
