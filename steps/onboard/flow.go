// Package onboard holds the steps that connect an organisation: which accounts,
// how AWS deploys to them, the plan, and the work itself. It stands on
// organisation, which does the work, and on choose for what every connection asks.
package onboard

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"rolecall/aws"
	"rolecall/steps/access"
	"rolecall/steps/describe"
	"rolecall/steps/organisation"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/vendorapi"
)

// The steps of an organisation, beside those that every connection has.
const (
	stepExternal   record.StepID = "external"
	stepAccounts   record.StepID = "accounts"
	stepDeployment record.StepID = "deployment"
	stepReview     record.StepID = "review"
	stepApply      record.StepID = "apply"
	stepConnected  record.StepID = "connected"
)

// Backend is who does for the steps what needs the network or the disk. Its
// functions run beside the steps, and end soon after their context.
type Backend struct {
	// Discover reads the organization, and what an earlier run kept of it.
	Discover func(context.Context, Asked) (*Found, error)
	// Preflight names the policies of the organization that stand in the way.
	Preflight func(context.Context, *Found, []organisation.Chosen) ([]organisation.Obstacle, error)
	// Apply connects the accounts, and tells how far it is. Ended by its context, it
	// goes on later where it stopped.
	Apply func(context.Context, *Found, Order, func(Live)) (*organisation.Report, error)
}

// Asked is what a discovery starts from.
type Asked struct {
	Account    *aws.Account
	Identity   aws.Identity
	Vendor     string
	Request    access.Request
	ExternalID string // of all accounts; empty: none was given
	Tags       []string
}

// Found is an organization as it was found.
type Found struct {
	Tree      *organisation.Tree
	Want      *organisation.Wanted
	Trusted   bool            // StackSets may work in it
	Connected map[string]bool // by an earlier run, by account number
	Tagged    map[string]bool // the accounts with the tags asked for; nil: none was asked for
}

// Order is what is to be done.
type Order struct {
	Chosen  []organisation.Chosen
	Options organisation.Options
	API     vendorapi.Client // nil: a person hands the roles over
	Send    bool             // the vendor's declared request was agreed to
}

// Live is how far it is.
type Live struct {
	organisation.Progress

	Report *organisation.Report
}

// Flow is what the steps of one walk share.
type Flow struct {
	Backend Backend
	// Choice are the accounts that flags named.
	Choice organisation.Choice
	// Asking are the steps that ask for the partition, the login and the
	// permissions.
	Asking func(*step.Session) []step.Step

	found    *Found
	everyone []organisation.Chosen // of the organization
	reach    int                   // how many of them a StackSet reaches
	ticked   map[string]bool       // by account number
	send     bool                  // the declared request of the vendor is sent for each account
	agreed   string                // the plan that was agreed to
	report   *organisation.Report
	finished bool

	mu   sync.Mutex
	live Live
}

// Steps are the steps in their order.
func (f *Flow) Steps(s *step.Session) []step.Step {
	all := []step.Step{&Vendor{flow: f}}
	if s.Vendor != nil {
		all = append(all, f.Asking(s)...)
	}
	if asksExternalID(s) {
		all = append(all, &External{flow: f})
	}
	return append(all, &Accounts{flow: f}, &Deployment{flow: f}, &Review{flow: f}, &Apply{flow: f}, &End{flow: f})
}

// Report is how it ended; nil where nothing was applied.
func (f *Flow) Report() *organisation.Report {
	if f.report != nil {
		return f.report
	}
	return f.seen().Report
}

// Found is the organization; nil before it was found.
func (f *Flow) Found() *Found { return f.found }

func (f *Flow) tell(l Live) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l.Report == nil {
		l.Report = f.live.Report
	}
	f.live = l
}

func (f *Flow) seen() Live {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.live
}

// across is what the session chose for its organization; it is there from the
// first step on.
func across(s *step.Session) *record.Across {
	if s.Across == nil {
		s.Across = &record.Across{}
	}
	return s.Across
}

// meant are the accounts that are ticked, with those that are left out.
func (f *Flow) meant() []organisation.Chosen {
	if f.found == nil {
		return nil
	}
	var all []organisation.Chosen
	everything := len(f.ticked) == f.reach
	for _, c := range f.everyone {
		if f.ticked[c.ID] || everything && c.Excluded != nil {
			all = append(all, c)
		}
	}
	return all
}

// take takes an organization as it was found. What was ticked and is gone, or
// reached no more, is not ticked any longer.
func (f *Flow) take(found *Found) {
	f.found, f.everyone, f.reach = found, found.Tree.Everyone(), 0
	there := map[string]bool{}
	for _, one := range f.everyone {
		if one.Excluded == nil {
			f.reach++
			there[one.ID] = true
		}
	}
	maps.DeleteFunc(f.ticked, func(id string, _ bool) bool { return !there[id] })
}

// wanted is how many are ticked: only what can be reached is.
func (f *Flow) wanted() int {
	return len(f.ticked)
}

// heading is a screen of a step.
func heading(title, about string) screen.Screen { return screen.Screen{Heading: title, About: about} }

// mints tells whether the vendor's API gives each account an external ID.
func mints(v *describe.Vendor) bool { return v != nil && v.API != "" }

// asksExternalID tells whether the vendor gives its customer one external ID for
// all accounts, which a person has to look up.
func asksExternalID(s *step.Session) bool {
	if s.Vendor == nil || mints(s.Vendor) {
		return false
	}
	grants, err := s.Request().Grants()
	return err == nil && slices.ContainsFunc(grants, func(g access.Grant) bool { return g.NeedsExternalID() })
}

// asking is a call that reads.
func asking(name string, after time.Duration, do func(context.Context) screen.Msg) []screen.Effect {
	return []screen.Effect{screen.Call{Name: name, After: after, Do: do}}
}
