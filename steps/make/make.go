// Package making is how what is wanted is made: look, plan, agree, make, prove.
// Planners for a role, a user and a stack say what has to be done, as
// operations; Run carries them out for a step; Send is the one way in which a
// request that makes something goes out, with the receipt written before and
// after it. It stands on access, which says what is wanted, and on record, which
// keeps what was made; it knows no step and no session.
//
// The folder is called make, and the package making, because make is a word of
// Go.
package making

import (
	"context"
	"time"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/explain"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// Host is what making needs of the session that it works for.
type Host struct {
	Account *aws.Account
	Ledger  *record.Ledger
	Journal *record.Journal // of a request that is sent beside the one of a call; nil: none is kept
	Head    record.Receipt  // whose receipt it is
	By      string          // the ARN of who is signed in
	Now     func() time.Time
	// Patience is how long something that just happened may take until AWS shows
	// it everywhere.
	Patience time.Duration
	// Until is when the time is up, for requests that write too; zero: never.
	Until time.Time
}

// Operation is one request that writes.
type Operation struct {
	Name   string // a verb phrase, for the journal and the screen: "create policy Spot-Policy"
	Detail string
	Item   record.Item // what the receipt says of it, without a state
	Makes  bool        // it makes what did not exist; else it changes what does
	// Once says that the SDK sends the request once, so that a refusal means that
	// nothing was made. Others it repeats, and the first try may have been done.
	Once bool
	// Removes says that it deletes what the item names.
	Removes bool
	// Rewrites says that it replaces a document, so that the digest shows whether it
	// was done.
	Rewrites bool
	// Follow says that the request only begins something, which whoever asked for
	// it follows to its end.
	Follow bool
	// OnlyAnswer says that the answer tells what no look tells: the secret of an
	// access key.
	OnlyAnswer bool
	Needs      []aws.Permission
	// Do sends it, and fills in the ID and ARN of what was made.
	Do func(context.Context, *aws.Account, *record.Item) error
	// Look reads what exists of what is wanted; nil: whoever follows it looks.
	Look func(context.Context, *aws.Account) ([]Found, error)
}

// Found is a thing that exists, as the receipt would list it.
type Found struct {
	record.Item
	Created time.Time // zero where AWS does not tell
	Alike   bool      // it has the settings that are wanted, beside its document
}

// Difference is one thing that exists and is not as wanted.
type Difference struct {
	Key     string // names the thing and its ID, so that another one is asked about anew
	Kind    record.ItemKind
	Name    string
	Problem screen.Problem
	Whole   *screen.Code // of a policy: everything that differs, to be read
	Fixed   string       // why rolecall cannot update it; empty when it can
	Update  []Operation  // what updating it takes
}

// Plan is what has to be done, given what exists.
type Plan struct {
	Operations  []Operation
	Adopted     []record.Item // what exists and is right
	Differences []Difference
	Follow      bool // something is under way already that has to end first
}

// add takes a difference in: to be asked about, or to be updated.
func (p *Plan) add(d *Difference, update map[string]bool) {
	if update[d.Key] {
		p.Operations = append(p.Operations, d.Update...)
		return
	}
	p.Differences = append(p.Differences, *d)
}

// Planner is one role, user or stack that is wanted.
type Planner interface {
	// Look reads what exists. deep looks for a taken policy name at every path.
	Look(ctx context.Context, account *aws.Account, deep bool) (Sight, error)
	// Plan is pure: it compares what was seen with what is wanted. The zero Sight
	// is an empty account; update holds the keys of the differences that the
	// person wants updated.
	Plan(x Sight, update map[string]bool) Plan
	// Needs are the permissions that looking takes.
	Needs() []aws.Permission
}

// Sight is what one look showed.
type Sight struct {
	Policies []*aws.Policy     // one for each wanted document; nil: none of that name
	Provider *aws.OIDCProvider // of a role that trusts web identities; nil: none
	Role     *aws.Role         // nil: none of that name, or none is wanted
	User     *aws.User         // likewise
	Stack    *aws.Stack        // likewise
	// Roles and Reports are the roles and the verdicts on them, by purpose.
	Roles   map[string]*aws.Role
	Reports map[string]aws.Report
	// UserReport is the verdict on a user.
	UserReport aws.UserReport
	Found      []Found

	// Makes says for each OIDC provider of a stack's template whether the stack makes
	// it, "true" or "false", by the parameter's name.
	Makes     map[string]string
	audiences []policy.WebIdentity // of OIDC providers of a stack's roles that lack the audience
	same      bool                 // of a stack: made from the wanted template with the wanted parameters
	missing   *screen.Problem      // what a stack does not have, to be proven
}

// Right reports whether what exists was seen to be as needed.
func (x Sight) Right() bool {
	for _, report := range x.Reports {
		if !report.OK {
			return false
		}
	}
	return len(x.Reports) > 0 && x.missing == nil || x.UserReport.OK
}

// Policy is the policy of the name of the i-th wanted document, nil when there
// is none.
func (x Sight) Policy(i int) *aws.Policy {
	if i >= len(x.Policies) {
		return nil
	}
	return x.Policies[i]
}

// unproven says what is still not right; nil when nothing was seen to be wrong.
func (x Sight) unproven() *screen.Problem {
	if x.missing != nil {
		return x.missing
	}
	for _, report := range x.Reports {
		name := "The role"
		if report.Role != nil {
			name = report.Role.Name
		}
		if p := explain.Unfit(name, report.Checks); p != nil {
			return p
		}
	}
	return explain.Unfit("The user", x.UserReport.Checks)
}

// Needs are the permissions that looking and these operations take.
func Needs(planners []Planner, operations []Operation) []aws.Permission {
	var needs []aws.Permission
	for _, p := range planners {
		needs = append(needs, p.Needs()...)
	}
	for _, op := range operations {
		needs = append(needs, op.Needs...)
	}
	return needs
}

// on are permissions for several actions on one resource.
func on(resource string, actions ...string) []aws.Permission {
	var all []aws.Permission
	for _, action := range actions {
		all = append(all, aws.Permission{Action: action, Resource: resource})
	}
	return all
}

// onlyWith are permissions that tagging at creation takes beside (IAM API
// reference, CreateRole and CreatePolicy).
func onlyWith(tags []aws.Tag, resource, action string) []aws.Permission {
	if len(tags) == 0 {
		return nil
	}
	return on(resource, action)
}
