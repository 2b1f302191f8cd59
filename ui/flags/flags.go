// Package flags turns the flags of a command into answers, and refuses what
// cannot be meant, before anything is asked or sent.
package flags

import (
	"time"

	"github.com/spf13/cobra"
)

// Flags are the flags of connect and rehearse: an answer each.
type Flags struct {
	Vendor, method, Access    string
	Partition, TrustedAccount string
	Products, Regions         []string
	RestrictTag               string
	account, accountName      string
	ExternalID, RoleName      string
	PolicyName, userName      string
	stackName, Path, Boundary string
	sessionDuration           time.Duration
	tags                      []string
	ReportBucket              string
	acknowledge, replaceRole  bool
	SecretFile, plan          string
	SendTo                    string
	Wait                      time.Duration
	Yes                       bool

	Given func(flag string) bool // whether a flag stands on the command line
}

// DefaultWait is how long an unattended run waits for IAM and the vendor.
const DefaultWait = 2 * time.Minute

func (f *Flags) Bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.Given = flags.Changed
	flags.StringVar(&f.Vendor, "vendor", "", "vendor to connect: a name, or a file such as ./acme.yaml")
	flags.StringVar(&f.method, "method", "", "who does the AWS part: manual, automatic or direct")
	flags.StringVar(&f.Access, "access", "", "what the vendor gets: role or user")
	flags.StringVar(&f.Partition, "partition", "", "partition: aws, aws-cn or aws-us-gov")
	flags.StringVar(&f.TrustedAccount, "trusted-account", "", "the vendor's AWS account, where rolecall does not know it")
	flags.StringSliceVar(&f.Products, "products", nil, "products and integrations: a,b/c")
	flags.StringSliceVar(&f.Regions, "regions", nil, "regions that the policy is limited to: r1,r2")
	flags.StringVar(&f.RestrictTag, "restrict-tag", "", "tag that the policy is limited to: k=v")
	flags.StringVar(&f.account, "account", "", "the vendor's account to connect: act-…")
	flags.StringVar(&f.accountName, "account-name", "", "name of the vendor's account: existing, or to create")
	flags.StringVar(&f.ExternalID, "external-id", "", "external ID from the vendor's console")
	flags.StringVar(&f.RoleName, "role-name", "", "name of the role")
	flags.StringVar(&f.PolicyName, "policy-name", "", "name of the policy")
	flags.StringVar(&f.userName, "user-name", "", "name of the IAM user")
	flags.StringVar(&f.stackName, "stack-name", "", "name of the CloudFormation stack")
	flags.StringVar(&f.Path, "path", "", "path of role and policy: /team/")
	flags.StringVar(&f.Boundary, "permissions-boundary", "", "the role's permissions boundary, by its ARN")
	flags.DurationVar(&f.sessionDuration, "session-duration", 0, "longest session of the role, 1h to 12h")
	flags.StringArrayVar(&f.tags, "tag", nil, "tag of what is created: k=v (may be repeated)")
	flags.StringVar(&f.ReportBucket, "report-bucket", "", "bucket of the Cost and Usage Report")
	flags.BoolVar(&f.acknowledge, "acknowledge-iam-capabilities", false, "accept that CloudFormation creates IAM resources")
	flags.BoolVar(&f.replaceRole, "replace-role", false, "replace the role that the vendor's account has now")
	flags.StringVar(&f.SendTo, "send-to", "", "https address to which a vendor file's declared request may go")
	flags.StringVar(&f.SecretFile, "secret-file", "", "file for the secret access key")
	flags.StringVar(&f.plan, "plan", "", "create nothing but what this approved plan holds")
	flags.DurationVar(&f.Wait, "wait", DefaultWait, "how long to wait for IAM and the vendor when unattended")
	flags.BoolVarP(&f.Yes, "yes", "y", false, "take defaults and never ask")
}
