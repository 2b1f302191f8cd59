// Package describe knows the descriptions of vendors: which account to trust,
// what to grant and why, and the vendor's own numbered steps in words. A new
// vendor is a file, not code. The built-in ones live in assets, and the package
// check under it reads them. It imports policy and assets alone.
package describe

import "rolecall/policy"

// Vendor is one vendor's description, checked whole: every reference in it
// resolves and every policy in it parses.
type Vendor struct {
	Name   string `yaml:"name"`   // "spot": what --vendor takes
	Title  string `yaml:"title"`  // "Spot"
	About  string `yaml:"about"`  // one or two sentences for the first screen
	Wizard string `yaml:"wizard"` // what the vendor's own wizard is called: "Spot wizard"
	API    string `yaml:"api"`    // the client that talks to it ("spot"); empty: hand-over by copy
	Links  Links  `yaml:"links"`  // the vendor's pages
	// HandOver is the one request that gives the vendor its role; without it the
	// person copies.
	HandOver Request `yaml:"hand_over"`
	Account  Term    `yaml:"account"` // the vendor's own account ("Spot account", act-…); empty Label: it has none
	Needs    []Text  `yaml:"needs"`   // what the person needs before they start
	Source   []Text  `yaml:"sources"` // where the facts come from
	Read     string  `yaml:"read"`    // the day on which the sources were read: "2026-11-25"

	NoAccess []Text `yaml:"no_access"` // what the vendor does not get, where it says so

	Partitions map[string]Partition `yaml:"partitions"` // by partition: aws, aws-cn, aws-us-gov
	ExternalID ExternalID           `yaml:"external_id"`
	Roles      []Role               `yaml:"roles"`
	Products   []Product            `yaml:"products"`
	Methods    []Method             `yaml:"methods"`
	Next       []Link               `yaml:"next"` // what to do after connecting

	// File is the base name of the file that the description was read from; empty
	// for one that came with the program. Every screen names it.
	File string `yaml:"-" json:"-"`
}

// Text is one sentence or paragraph of a description.
type Text = string

// Links are the vendor's pages.
type Links struct {
	Console string `yaml:"console"` // where its wizard lives
	SignUp  string `yaml:"sign_up"`
	Connect string `yaml:"connect"` // where the ARN is pasted by hand
	Remove  string `yaml:"remove"`  // where its account is removed
	Docs    string `yaml:"docs"`
}

// Link is a page with its name.
type Link struct {
	Label string `yaml:"label"`
	URL   string `yaml:"url"`
}

// Request is one https POST of JSON. Nothing else is sent, no redirect is
// followed, and the person confirms the address first.
type Request struct {
	URL   string `yaml:"url"`
	Body  string `yaml:"body"`  // JSON with {role_arn}, {external_id}, {account_id} in its strings
	About string `yaml:"about"` // what the vendor does with it
}

// Term is a thing of the vendor's with its name and explanation.
type Term struct {
	Label   string `yaml:"label"`   // "Spot account"
	Pattern string `yaml:"pattern"` // RE2, matched whole
	Example string `yaml:"example"`
	About   string `yaml:"about"`
}

// Partition is what differs in one AWS partition.
type Partition struct {
	Title          string `yaml:"title"`           // "AWS GovCloud (US)"
	TrustedAccount string `yaml:"trusted_account"` // a number, or a role's or user's ARN; empty: the vendor's console shows it
	Ask            string `yaml:"ask"`             // what that console shows: account (a number, also when empty) or arn
	Customise      bool   `yaml:"customise"`
	Why            string `yaml:"why"` // why it cannot be customised, or why the account is asked for
}

// ExternalID is the rule for external IDs.
type ExternalID struct {
	Pattern string `yaml:"pattern"` // RE2, matched whole
	Example string `yaml:"example"`
	About   string `yaml:"about"`   // one sentence, said in grey where it first appears
	Find    string `yaml:"find"`    // where the person finds it in the vendor's console
	Warning string `yaml:"warning"` // "guessable", where it is
}

// Role is what the vendor gets, with its permissions policy, AWS managed
// policies, or both: a role, or an IAM user where Access is "user".
type Role struct {
	Purpose     string   `yaml:"purpose"`     // stack output and JSON name: "SpotinstRoleArn"
	Access      string   `yaml:"access"`      // role or user; empty means role
	Title       string   `yaml:"title"`       // "Elastigroup and Ocean"
	RoleName    string   `yaml:"role_name"`   // suggested; empty for a user
	UserName    string   `yaml:"user_name"`   // suggested; empty for a role
	PolicyName  string   `yaml:"policy_name"` // suggested; empty without Policy
	Description string   `yaml:"description"` // of the role in AWS, Latin-1, at most 1000 characters
	Inline      bool     `yaml:"inline"`      // the policy is the role's own, not a managed one
	Principals  []string `yaml:"principals"`  // account IDs and ARNs, of the partition aws, trusted instead of its account
	// WebIdentity is whom the role trusts by an OIDC provider, instead of accounts.
	WebIdentity WebIdentity `yaml:"web_identity"`
	NoExternal  string      `yaml:"no_external"` // why the vendor's template has no external ID here; empty: it has one
	// Trust is later where the vendor tells whom to trust, or its external ID, only
	// once it has the role's ARN: the role is made closed, so that nobody of the
	// vendor gets in, and a step admit takes what the vendor shows then. Empty: it
	// is known before.
	Trust    string   `yaml:"trust"`
	Submit   bool     `yaml:"submit"`    // the vendor's API takes this ARN
	Field    string   `yaml:"field"`     // the box in the vendor's console where it goes
	HandOver string   `yaml:"hand_over"` // what the person copies there: role (the ARN) or account (the AWS account ID); empty means role
	Always   []string `yaml:"always"`    // Sids that every selection needs
	Policy   string   `yaml:"policy"`    // JSON of all statements, as published; empty where AWS managed policies are all
	// ManagedPolicies are AWS's own policies that the role has attached too, each
	// by the part of its ARN behind "policy/": "SecurityAudit",
	// "job-function/ViewOnlyAccess". "{POLICY}" is the one that a parameter names,
	// in the same way or by the ARN of a policy that the customer has.
	ManagedPolicies []string `yaml:"managed_policies"`
	// Parameters are placeholders in Policy, by their name: "REPORT_BUCKET". In
	// instructions the name stands in braces.
	Parameters map[string]Parameter `yaml:"parameters"`
	// Why says for each Sid what it is for, and what stops without it.
	Why map[string]Reason `yaml:"why"`

	Document *policy.Document `yaml:"-" json:"-"` // Policy, parsed; without statements where there is none
}

// WebIdentity is who gets in without an AWS account: who holds a token of an
// OpenID Connect provider. Each of its texts can have parameters in braces.
type WebIdentity struct {
	Issuer   string `yaml:"issuer"`   // "https://token.actions.githubusercontent.com", or a parameter in braces
	Audience string `yaml:"audience"` // the token's aud, whole: "sts.amazonaws.com"
	// Subject is the token's sub, "repo:{ORGANIZATION}/{REPOSITORY}:{CONTEXT}". With a
	// * at its end, behind the part that names the customer, all that begin so.
	Subject string `yaml:"subject"`
}

// Limit is how many characters one policy of the role may have.
func (r *Role) Limit() int {
	if r.Inline {
		return policy.MaxRoleInline
	}
	return policy.MaxManaged
}

// Parameter is a value that a policy or an instruction needs and that only the
// person knows: any text by a rule, or one of a list.
type Parameter struct {
	Flag    string   `yaml:"flag"`    // "--report-bucket"
	Label   string   `yaml:"label"`   // "Report bucket"
	Pattern string   `yaml:"pattern"` // RE2, matched whole; empty for a choice
	Example string   `yaml:"example"` // empty for a choice
	About   string   `yaml:"about"`   // what it is, and where to find it
	Kind    string   `yaml:"kind"`    // bucket: an S3 bucket looked for in the account; reports: one with cost reports; choice: one of choices; empty: any text
	Choices []Choice `yaml:"choices"` // of the kind choice, in the order in which they are shown

	In WordIn `yaml:"-" json:",omitempty"` // where in a web identity it stands; empty: nowhere
}

// Choice is one value that a parameter can have: a region, a data centre, a plan.
type Choice struct {
	Value string `yaml:"value"` // what is filled in, and what the flag takes: "eu1"
	Title string `yaml:"title"` // "Europe (Frankfurt)"
	// TrustedAccount is trusted where this was chosen, instead of the
	// partition's: a number, or the ARN of a role or user. It is of the partition
	// aws.
	TrustedAccount string `yaml:"trusted_account"`
}

// The kinds of a Parameter.
const (
	ParameterBucket  = "bucket"
	ParameterReports = "reports" // a bucket whose cost reports cover what the account does in its organisation
	ParameterChoice  = "choice"
)

// Reason is why a statement is needed.
type Reason struct {
	For     string            `yaml:"for"`     // "Swap an instance and keep its disks and addresses."
	Without string            `yaml:"without"` // "Stateful groups lose their disks when an instance is replaced."
	Actions map[string]string `yaml:"actions"` // what single actions are for, where the vendor says so
}

// Product is something that the vendor sells and that needs permissions.
type Product struct {
	ID           string    `yaml:"id"` // "elastigroup"; an integration is "route53" inside it
	Title        string    `yaml:"title"`
	About        string    `yaml:"about"` // a few words
	Default      bool      `yaml:"default"`
	Role         string    `yaml:"role"`       // purpose of the role that serves it
	Statements   []string  `yaml:"statements"` // Sids
	Integrations []Product `yaml:"integrations"`
}

// Method is one way to connect: manual, automatic or direct, for one access.
type Method struct {
	ID     string `yaml:"id"`
	Access string `yaml:"access"` // role or user
	Title  string `yaml:"title"`
	About  string `yaml:"about"`
	Steps  []Step `yaml:"steps"`
}

// Step is one step of a method, in the order in which it is walked.
type Step struct {
	ID           string   `yaml:"id"`   // which step of the program: "policy"
	Role         string   `yaml:"role"` // purpose, for steps that are walked once for each role
	Number       string   `yaml:"number"`
	Title        string   `yaml:"title"`
	About        string   `yaml:"about"`
	Instructions []string `yaml:"instructions"`
	// Marks say which instruction, from 1, comes next once something was done
	// here: "opened" the console's page, or copied the value with this label.
	Marks map[string]int `yaml:"marks"`
	// Only says which instructions, from 1, are to be followed in some sessions
	// alone: "no-token" where the vendor's side goes by hand, "no-credentials"
	// where rolecall cannot look into the account, or the purpose of a role that
	// is needed and not handed over yet.
	Only map[string][]int `yaml:"only"`
	// Page says which instructions, from 1, the console's page spares that the
	// step opens: "opens" where it is the page that they lead to, or the label of
	// a value that the page comes with.
	Page  map[string][]int `yaml:"page"`
	Links []Link           `yaml:"links"`
}

// Conditions of instructions, beside the purposes of roles.
const (
	OnlyNoToken       = "no-token"
	OnlyNoCredentials = "no-credentials"
)

// PageOpens says that a page is where an instruction leads.
const PageOpens = "opens"

// MarkOpened is the mark for a page that was opened.
const MarkOpened = "opened"
