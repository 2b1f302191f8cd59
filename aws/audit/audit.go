// Package audit says of the roles of an account who gets in from outside: under
// which external ID, and what they may do then. It is pure: a sweep of the
// account goes in, one Role for each that lets in a vendor or a stranger comes out.
package audit

import (
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/policy/review"
)

// Vendor is somebody whose accounts are known.
type Vendor struct {
	Name     string   // "spot"
	Title    string   // "Spot"
	Accounts []string // that its roles trust in the partition
	NoID     []string // those of them that send no external ID
	Webs     []Web    // whose tokens its roles trust
}

// Known is what is known beside the roles.
type Known struct {
	Partition, Account string
	Vendors            []Vendor
	// Organization and Members are as in a policy.Inquiry. A member is no stranger.
	Organization string
	Members      []string
	Now          time.Time
	// Want describes what a role was connected as; false where nobody recorded it.
	Want func(role aws.Role, vendor string) (aws.Want, bool)

	asked map[[sha256.Size]byte]answer // by trust policy: the roles of one account often have the same
}

type answer struct {
	admits    []Admission
	federated []Federation
	others    []string
}

// Role is the verdict on one role. Its JSON is part of rolecall's interface; all
// texts are safe to draw.
type Role struct {
	ARN    string      `json:"arn"`
	ID     string      `json:"id"`
	Admits []Admission `json:"admits"`
	// Federated are the OIDC providers whose tokens get in.
	Federated []Federation `json:"federated,omitempty"`
	Others    []string     `json:"others,omitempty"` // services, and users of identity providers, that get in beside them
	Grants    Grants       `json:"grants"`
	Boundary  string       `json:"boundary,omitempty"` // ARN of the permissions boundary
	LastUsed  *time.Time   `json:"last_used"`          // nil: not within the 400 days that IAM remembers, or not told
	OK        bool         `json:"ok"`
	Checks    []aws.Check  `json:"checks"`
	Findings  []Finding    `json:"findings"` // of the review, the worst first
}

// Admission is one account that gets in.
type Admission struct {
	Account    string `json:"account"`          // its number; "*": any
	Vendor     string `json:"vendor,omitempty"` // empty: nobody knows whose it is
	ExternalID string `json:"external_id"`      // required, any or none
	// Perhaps says that it depends on a condition that nobody can answer here;
	// Key is the condition's key.
	Perhaps bool   `json:"perhaps,omitempty"`
	Key     string `json:"key,omitempty"`
	// IDs are the external IDs that let it in, where they are required.
	IDs []string `json:"external_ids,omitempty"`

	example string // an account of the kind
}

// Whether an account needs an external ID to get in.
const (
	Required = "required" // one that the trust policy names
	Any      = "any"      // whichever it likes
	None     = "none"     // it gets in without
)

// Anybody is the account of an Admission of everybody.
const Anybody = "*"

// Grants is what the role may do, in numbers.
type Grants struct {
	Actions int    `json:"actions"`
	Worst   string `json:"worst"` // severity of the worst finding in the policies
	Title   string `json:"title"` // of that finding; empty where there is none
	// Unread counts the policies that could not be read.
	Unread int `json:"unread,omitempty"`
}

// Finding is one finding of the review of a role's policies, its trust policy
// among them.
type Finding struct {
	ID       string `json:"id"`
	Severity string `json:"severity"`
	Title    string `json:"title"`
	Document string `json:"document,omitempty"` // "trust" for one in the trust policy
}

// Outside reports whether somebody from outside gets into a role, or nobody can
// tell: those are the roles that an audit shows.
func (k *Known) Outside(role aws.Role) bool {
	in := k.admissions(role)
	return role.Trust == nil || len(in.admits)+len(in.federated) > 0 || len(in.others) > 0 && k.openDoor(role)
}

// openDoor reports whether strangers get in by an identity provider: by one of
// another account, or as the review finds by the account's own, which is nobody
// else's otherwise.
func (k *Known) openDoor(role aws.Role) bool {
	own, _ := aws.SplitARN(role.ARN)
	for i := range role.Trust.Statements {
		for _, provider := range role.Trust.Statements[i].Principal["Federated"] {
			arn, ok := aws.SplitARN(provider)
			if ok && arn.AccountID != own.AccountID && !slices.Contains(k.Members, arn.AccountID) {
				return true
			}
		}
	}
	if !slices.ContainsFunc(role.Trust.Statements, func(s policy.Statement) bool {
		return s.NotPrincipal != nil || len(s.Principal["Federated"])+len(s.Principal["CanonicalUser"])+len(s.Principal["*"]) > 0
	}) {
		return false
	}
	r := review.Review([]byte(role.TrustText), k.options(policy.Trust))
	return slices.ContainsFunc(r.Findings, func(f review.Finding) bool { return f.Class == review.Risk && f.Severity == review.High })
}

func (k *Known) options(kind policy.Kind) review.Options {
	o := review.Options{Kind: kind, Account: k.Account, Partition: k.Partition, Now: k.Now}
	for _, v := range k.Vendors {
		o.Vendors = append(o.Vendors, v.Accounts...)
	}
	return o
}

func (k *Known) inquiry() policy.Inquiry {
	return policy.Inquiry{Partition: k.Partition, Account: k.Account, Organization: k.Organization, Members: k.Members, Now: k.Now}
}

// admissions asks who gets in: accounts that are not of the organisation, tokens
// of OIDC providers, and others that have no account.
func (k *Known) admissions(role aws.Role) answer {
	if role.Trust == nil {
		return answer{}
	}
	key := sha256.Sum256([]byte(role.TrustText))
	known, ok := k.asked[key]
	if !ok {
		known = k.ask(role.Trust)
		if k.asked == nil {
			k.asked = map[[sha256.Size]byte]answer{}
		}
		k.asked[key] = known
	}
	return answer{slices.Clone(known.admits), slices.Clone(known.federated), slices.Clone(known.others)}
}

// ask puts the questions to the evaluator.
func (k *Known) ask(trust *policy.Document) answer {
	verdict := trust.Inquire(k.inquiry())
	federated := k.federations(trust)
	var admits []Admission
	var others []string
	for _, a := range verdict.Strangers {
		if a.Request != nil && slices.ContainsFunc(federated, func(f Federation) bool {
			return f.Provider == aws.CleanText(a.Request.Caller.Provider)
		}) {
			continue
		}
		if a.Request != nil && a.Request.Caller.ARN == "" {
			others = append(others, aws.CleanText(a.Request.Caller.String()))
			continue
		}
		one := admissionOf(a)
		if one.Account == "" {
			others = append(others, aws.CleanText(a.Who))
			continue
		}
		admits = merge(admits, one)
	}
	for i := range admits {
		admits[i].Vendor = k.vendorOf(admits[i].Account)
		k.askID(trust, &admits[i])
	}
	slices.SortFunc(admits, func(a, b Admission) int { return strings.Compare(a.Account, b.Account) })
	slices.Sort(others)
	return answer{admits, federated, slices.Compact(others)}
}

// admissionOf is whom somebody who gets in stands for: the account that the
// trust policy names, or anybody.
func admissionOf(a policy.Admission) Admission {
	one := Admission{Account: policy.ParsePrincipal(a.Who).AccountID, Perhaps: a.Request == nil, Key: aws.CleanText(a.Key)}
	if a.Request != nil {
		one.example = a.Request.Caller.AccountID()
	}
	if one.Account == "" && (a.Who == Anybody || one.example != "" || a.Key == "aws:PrincipalArn") {
		one.Account = Anybody
	}
	if one.example == "" {
		one.example = one.Account
	}
	return one
}

// merge adds an account once: its principals are one to the audit, and what is
// certain of one of them is certain of the account.
func merge(all []Admission, one Admission) []Admission {
	i := slices.IndexFunc(all, func(a Admission) bool { return a.Account == one.Account })
	switch {
	case i < 0:
		return append(all, one)
	case all[i].Perhaps && !one.Perhaps:
		all[i] = one
	}
	return all
}

func (k *Known) vendorOf(account string) string {
	for _, v := range k.Vendors {
		if slices.Contains(v.Accounts, account) {
			return v.Name
		}
	}
	return ""
}

// askID asks with which external IDs an account gets in. What nobody can tell
// counts as let in: an audit that is wrong must not be so on that side.
func (k *Known) askID(trust *policy.Document, a *Admission) {
	a.ExternalID = None
	if a.example == "" || a.example == Anybody {
		return
	}
	q := k.inquiry()
	q.Vendor = []string{a.example}
	v := trust.Inquire(q)
	switch {
	case v.Without != nil:
	case v.Loose != nil:
		a.ExternalID = Any
	default:
		a.ExternalID = Required
		for _, id := range v.OtherIDs {
			a.IDs = append(a.IDs, aws.CleanText(id))
		}
	}
}
