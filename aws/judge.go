package aws

import (
	"slices"
	"strings"
	"time"

	"rolecall/policy"
)

// Status is the outcome of one Check.
type Status string

// The outcomes, as the interface spells them.
const (
	Pass    Status = "pass"
	Fail    Status = "fail"
	Warn    Status = "warn"
	Unknown Status = "unknown"
)

// Check is one thing that was looked at: what is wanted, what was found, why
// it matters and how to put it right. All texts are safe to draw.
type Check struct {
	ID     string `json:"id"`
	Status Status `json:"status"`
	Want   string `json:"want"`
	Got    string `json:"got"`
	Why    string `json:"why"`
	Fix    string `json:"fix"`
	// Denied are the IAM actions that were refused, where that is why the status
	// is unknown.
	Denied []string `json:"denied,omitempty"`
	// Missing are the commands of the AWS CLI whose outputs the evidence lacks,
	// where that is why the status is unknown. Each is in one check of a report;
	// the others refer to it.
	Missing []string `json:"missing,omitempty"`
	// Refusal is the first of those refusals as AWS worded it; nil for evidence
	// that somebody pasted.
	Refusal *Error `json:"-"`
}

// Report is the verdict on one role. OK is false when a check failed or when
// one that the verdict needs is unknown; a warning leaves it true.
type Report struct {
	OK     bool     `json:"ok"`
	Role   *RoleRef `json:"role"` // nil when no role was found
	Checks []Check  `json:"checks"`
}

// Check finds a check by its id; false when it was not made.
func (r Report) Check(id string) (Check, bool) {
	for _, c := range r.Checks {
		if c.ID == id {
			return c, true
		}
	}
	return Check{}, false
}

// Want describes the role that a vendor needs.
type Want struct {
	Partition, AccountID string   // where the role has to be; empty: not checked
	Principals           []string // the vendor's account IDs, and ARNs of its users and roles; all of them have to be trusted
	// Web is whom the role trusts by web identity, instead of Principals; nil: nobody.
	Web          *policy.WebIdentity
	ExternalID   string             // empty: unknown, so that check stays unknown
	NoExternalID bool               // the vendor uses none
	Policies     []*policy.Document // what the role has to grant, all together
	// Existing are those of PolicyARNs that were there before: what they grant is
	// their owner's to say, and is not compared. AWS's own always are.
	Existing          []string
	PolicyARNs        []string // managed policies to be attached, by ARN; AWS's own grant beside Policies
	RoleName, RoleARN string   // to look for; both may be empty for a watch
	Path              string
	PathGiven         bool   // Path has to be the role's; else any will do
	Boundary          string // ARN
	BoundaryGiven     bool   // Boundary has to be the role's ("" means none); else a boundary warns
	// Organization and Members are those of the role's account, as in a
	// policy.Inquiry: a member is no stranger.
	Organization string
	Members      []string
	// Approved are the digests of the documents that may exist, and the ARNs of
	// AWS managed policies that may be attached; nil: no plan binds.
	Approved []string
}

// Seen is what was observed, by whatever means: from IAM or from evidence that
// somebody pasted.
type Seen struct {
	Role   *Role    // nil: not found
	Denied []string // IAM actions that were refused, so that parts of Role are missing
	// Refusal is the first of those refusals as AWS worded it; nil where nobody
	// knows.
	Refusal *Error
	// PoliciesUnknown and InlineUnknown say that the role's attached or inline
	// policies could not be listed, BoundaryUnknown that nobody said whether it
	// has a permissions boundary.
	PoliciesUnknown, InlineUnknown, BoundaryUnknown bool
	// Provider is the OIDC provider that is wanted. Nil with ProviderKnown: the account
	// has none.
	Provider      *OIDCProvider
	ProviderKnown bool
	// Missing are the outputs that evidence lacks, in the order in which to get
	// them; a live account lacks none. With some missing, a Role may be known in
	// part: an empty ARN, Path or TrustText is then one that nobody told.
	Missing []Missing
	Now     time.Time // when; a trust policy may go by the date. Zero: not known
}

// Missing is one output of the AWS CLI that evidence lacks.
type Missing struct {
	Part    Part
	Command string // whole and safe to paste into a shell: "aws iam get-role --role-name Spot-Role --output json"
}

// NotInEvidence is what a Check got where an output is missing.
const NotInEvidence = "not in the evidence"

// Part is what of a role or a user an output shows.
type Part int

// The parts, in the order in which they are seen.
const (
	PartHolder    Part = iota // the role or the user itself, with trust policy and boundary
	PartPolicies              // the lists of its policies
	PartDocuments             // what the policies say
	PartGroups                // the groups of a user
	PartKeys                  // the keys of a user
	PartProvider              // the OIDC provider that a role trusts
)

// CheckIDs are the ids of a role's checks in the order of a Report. A role that
// trusts web identities has oidc-provider, trust-audience and trust-subject too.
func CheckIDs() []string {
	return []string{"role-exists", "role-account", "role-partition", "role-path", "trust-principal", "trust-action", "trust-external-id",
		"trust-extra-principals", "policy-attached", "policy-matches", "permissions-boundary"}
}

// Judge compares what was seen with what is wanted. It is pure: the same
// evidence gives the same verdict, wherever it came from.
func Judge(want Want, seen Seen) Report {
	j := judging{holder: "role", want: want, seen: seen, role: seen.Role}
	j.roleChecks()
	if want.Web != nil {
		j.webChecks()
	} else {
		j.trustChecks()
	}
	j.policyChecks()
	j.boundary()
	j.approved()
	r := Report{OK: true, Checks: j.checks}
	if j.role != nil && j.role.ARN != "" {
		ref := j.role.Ref()
		r.Role = &ref
	}
	for _, c := range r.Checks {
		if c.Status == Fail || c.Status == Unknown {
			r.OK = false
		}
	}
	return r
}

// judging is one run of Judge, or of JudgeUser with the user in the place of
// the role.
type judging struct {
	holder string // "role" or "user"
	want   Want
	seen   Seen
	role   *Role // nil: not seen
	checks []Check
	told   map[string]string // the check that told to add an output, by its command
}

// verdict is what a check found; texts about the check itself come from words.
type verdict struct {
	status         Status
	want, got, fix string
	request        string // the very request that was let in or kept out, as a sentence
	denied         []string
	missing        []Missing // outputs that evidence lacks
}

// notAllowed is the verdict of a check for which permissions are missing.
func (v verdict) notAllowed(actions []string) verdict {
	v.status, v.denied = Unknown, actions
	v.got = "not visible: " + strings.Join(actions, ", ") + " is not allowed"
	v.fix = askFor(actions)
	return v
}

// missing is the verdict of a check for which evidence lacks an output about
// one of the parts; false where it lacks none.
func (j *judging) missing(v verdict, parts ...Part) (verdict, bool) {
	for _, m := range j.seen.Missing {
		if slices.Contains(parts, m.Part) {
			v.missing = append(v.missing, m)
		}
	}
	if len(v.missing) == 0 {
		return v, false
	}
	v.status, v.got = Unknown, NotInEvidence
	return v, true
}

// addOutput says which outputs to add. A command is told once: the checks that
// need the same one refer to the first.
func (j *judging) addOutput(id string, missing []Missing) (fix string, commands []string) {
	var before []string
	for _, m := range missing {
		if first := j.told[m.Command]; first != "" {
			before = append(before, first)
			continue
		}
		if j.told == nil {
			j.told = map[string]string{}
		}
		j.told[m.Command] = id
		commands = append(commands, m.Command)
	}
	var outputs []string
	if slices.Sort(before); len(before) > 0 {
		outputs = append(outputs, "what "+strings.Join(slices.Compact(before), " and ")+" asks for")
	}
	for _, command := range commands {
		outputs = append(outputs, "the output of "+command)
	}
	return "Add " + strings.Join(outputs, " and ") + ".", commands
}

func (j *judging) add(id string, v verdict) {
	c := Check{ID: id, Status: v.status, Want: cleanAll(v.want), Got: cleanAll(v.got), Why: why(id)}
	if len(v.missing) > 0 {
		v.fix, c.Missing = j.addOutput(id, v.missing)
	}
	if v.status != Pass {
		c.Fix = cleanAll(v.fix)
		c.Why = strings.TrimSpace(c.Why + " " + cleanAll(v.request))
	}
	if v.status == Unknown && len(v.denied) > 0 {
		c.Denied, c.Refusal = v.denied, j.seen.Refusal
	}
	j.checks = append(j.checks, c)
}

// why says what a check is for.
func why(id string) string {
	switch id {
	case "role-exists":
		return "The vendor works in your account through this role."
	case "role-account":
		return "The vendor would be connected to another account than you mean."
	case "role-partition":
		return "Accounts of one partition cannot be reached from another."
	case "role-path":
		return "The path is part of the role's ARN, and policies of your organization may depend on it."
	case "trust-principal":
		return "Only accounts named in the trust policy can assume the role."
	case "trust-action":
		return "The vendor assumes the role with sts:AssumeRole and nothing else."
	case "trust-external-id":
		return "The external ID keeps other customers of the vendor from reaching your account through it."
	case "oidc-provider":
		return "AWS takes tokens of providers alone that the account knows, for the audiences that it knows."
	case "trust-audience":
		return "The audience says what a token is for: one that was made for another service must not open this role."
	case "trust-subject":
		return "All customers of the vendor get tokens of one provider. The subject alone says whose token it is."
	case "trust-extra-principals":
		return "Everyone named in the trust policy can do what the vendor can do."
	case "plan-approved":
		return "Only what was reviewed and approved may reach the vendor."
	case "policy-attached":
		return "Without a policy the role may do nothing."
	case "user-exists":
		return "The vendor works in your account as this user."
	case "user-policy-attached":
		return "Without a policy the user may do nothing."
	case "user-keys":
		return "The vendor signs in with the user's access key. Each further key is one more that can leak."
	case "policy-matches", "user-policy-matches":
		return "With less the vendor's product fails in places; more is more than it needs."
	}
	return "A permissions boundary cuts off what the policies grant."
}
