package organisation

import (
	"cmp"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/aws/organisation"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// State is how an account stands.
type State string

// The states of an account.
const (
	Connected State = "connected"
	Failed    State = "failed"
	Waiting   State = "waiting"
	Excluded  State = "excluded"
)

// Report is how an organisation stands, as org apply and org status print it.
type Report struct {
	Session      string   `json:"session"`
	Rehearsal    bool     `json:"rehearsal,omitempty"`
	Organisation string   `json:"organization,omitempty"`
	Vendor       string   `json:"vendor,omitempty"`
	StackSet     StackSet `json:"stack_set"`
	Totals       Totals   `json:"totals"`
	Accounts     []Row    `json:"accounts"`
	// Submitted is false where a person hands the roles over.
	Submitted bool   `json:"submitted"`
	Next      string `json:"next,omitempty"`
	// Others are the accounts whose stacks org remove left, since they were not
	// meant; the StackSet stays with them.
	Others []string `json:"stacks_left,omitempty"`
}

// StackSet is the one that deploys.
type StackSet struct {
	Name      string `json:"name"`
	ID        string `json:"id"`
	Digest    string `json:"digest,omitempty"` // of its template
	Automatic bool   `json:"automatic_deployment"`
}

// Totals count the accounts that are not excluded, and those that are.
type Totals struct {
	Accounts  int `json:"accounts"`
	Connected int `json:"connected"`
	Failed    int `json:"failed"`
	Waiting   int `json:"waiting"`
	Excluded  int `json:"excluded"`
}

// Row is one account.
type Row struct {
	AccountID     string `json:"account_id"`
	Name          string `json:"name"`
	OU            string `json:"ou"` // path
	State         State  `json:"state"`
	RoleARN       string `json:"role_arn,omitempty"`
	VendorAccount string `json:"vendor_account,omitempty"`
	ExternalID    string `json:"external_id,omitempty"`
	// Gap is what is not as it should be: "new", "not handed over", "role gone",
	// "drifted", "another external ID", "another template".
	Gap   string `json:"gap,omitempty"`
	Drift string `json:"drift,omitempty"`
	Stack string `json:"stack,omitempty"`
	Cause *Cause `json:"cause,omitempty"`
	// Checks are those of org verify.
	Checks []aws.Check `json:"checks,omitempty"`
	OK     *bool       `json:"ok,omitempty"` // of org verify
}

// Cause says why an account is not connected.
type Cause struct {
	What string `json:"what"`
	Next string `json:"next"`
	Said string `json:"said,omitempty"`
}

func causeOf(p *screen.Problem) *Cause {
	if p == nil {
		return nil
	}
	return &Cause{What: p.What, Next: p.Next, Said: p.Quoted}
}

// count sums up the rows.
func (r *Report) count() *Report {
	r.Totals = Totals{}
	for _, row := range r.Accounts {
		switch row.State {
		case Excluded:
			r.Totals.Excluded++
			continue
		case Connected:
			r.Totals.Connected++
		case Failed:
			r.Totals.Failed++
		case Waiting:
			r.Totals.Waiting++
		}
		r.Totals.Accounts++
	}
	return r
}

// Worst says whether some failed, or some wait; nil: all are connected.
func (r *Report) Worst() error {
	t := r.Totals
	switch {
	case t.Failed > 0:
		return &screen.Fault{Problem: screen.Problem{What: screen.Thousands(t.Failed) + " of " + count(t.Accounts, "account") + " failed.",
			Expected: "every account connected", Next: "Mend what each cause names, then run rolecall org apply again: it tries those " +
				"alone.", Kind: screen.NotAsNeeded}}
	case t.Waiting > 0:
		return &screen.Fault{Problem: screen.Problem{What: screen.Thousands(t.Waiting) + " of " + count(t.Accounts, "account") +
			" are not connected yet.",
			Expected: "every account connected", Next: "Run rolecall org apply.", Kind: screen.NotAsNeeded}}
	}
	return nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return screen.Thousands(n) + " " + what + "s"
}

// report is how each account of a run stands.
func (r *run) report() *Report {
	out := &Report{Session: r.Kept.ID, Vendor: r.Wanted.Request.Vendor.Name, Rehearsal: r.Head.Rehearsal,
		Submitted: !r.Wanted.ByHand() || r.posts(),
		Next:      r.Wanted.HandOver(),
		StackSet:  StackSet{Name: cmp.Or(r.set.Name, r.Wanted.SetName()), ID: r.set.ID, Digest: r.Wanted.Digest, Automatic: r.set.Automatic}}
	if r.posts() {
		out.Next = ""
	}
	for _, w := range r.all {
		m := r.Kept.Members.Get(w.ID)
		row := rowOf(w.Chosen, m, w.instance)
		switch {
		case w.Excluded != nil:
			row.State, row.Cause = Excluded, causeOf(w.Excluded)
		case r.done(w, m):
			row.State = Connected
		case w.cause != nil:
			row.State, row.Cause = Failed, causeOf(w.cause)
		default:
			row.State, row.Cause = Waiting, &Cause{What: waitingFor(r.Wanted, w, m), Next: "Run rolecall org apply again."}
		}
		if row.State == Connected {
			row.ExternalID = cmp.Or(r.Wanted.Shared, row.ExternalID) // changed with the StackSet
		}
		if row.State == Connected || m.Offered != "" {
			row.RoleARN = r.Wanted.RoleARN(w.ID)
		}
		out.Accounts = append(out.Accounts, row)
	}
	return out.count()
}

func rowOf(c Chosen, m record.Member, i *organisation.Instance) Row {
	row := Row{AccountID: c.ID, Name: c.Name, OU: c.Path, VendorAccount: m.VendorAccount, ExternalID: m.ExternalID}
	if i != nil {
		row.Stack, row.Drift = i.Stack, i.Drift
	}
	return row
}

func waitingFor(want *Wanted, w *work, m record.Member) string {
	switch {
	case want.Minted() && m.ExternalID == "":
		return "It has no external ID yet."
	case w.ready.IsZero() && w.sent:
		return "AWS is still making its stack."
	case w.ready.IsZero():
		return "Its stack was not begun yet."
	}
	return "Its role was not handed over yet."
}

// tell reports how far a run is: at once where there is something to say, else
// once a second.
func (r *run) tell(note string) {
	now := r.Now()
	if r.Tell == nil || note == "" && now.Sub(r.lastReport) < firstPause {
		return
	}
	r.lastReport = now
	p := Progress{Note: note, Since: r.began, Phase: "deploying", Already: r.already, Report: r.report}
	for _, w := range r.all {
		if w.Excluded != nil {
			continue
		}
		p.Accounts++
		m := r.Kept.Members.Get(w.ID)
		switch {
		case r.done(w, m):
			p.Connected++
		case w.cause != nil:
			p.Failed++
		default:
			p.Waiting++
		}
		if m.ExternalID != "" {
			p.Minted++
		}
		if !w.ready.IsZero() || m.Connected {
			p.Deployed++
		}
	}
	r.Tell(p)
}

// explainInstance says why a stack failed, from the sentence that StackSets has
// of it: "ResourceLogicalId:X, ResourceType:Y, ResourceStatusReason:Z."
func explainInstance(i organisation.Instance) *screen.Problem {
	if i.Detailed == "SKIPPED_SUSPENDED_ACCOUNT" {
		return &screen.Problem{What: "AWS skipped the account, since it is suspended.", Next: "Have AWS reinstate it, or leave it out."}
	}
	if i.Detailed == "CANCELLED" {
		return &screen.Problem{What: "AWS did not begin it: too many other accounts had failed.", Quoted: i.Reason,
			Next: "Mend the others, then run rolecall org apply again."}
	}
	e := aws.StackEvent{Status: "CREATE_FAILED", Reason: i.Reason}
	for part := range strings.SplitSeq(i.Reason, ", ") {
		key, value, _ := strings.Cut(part, ":")
		switch key {
		case "ResourceLogicalId":
			e.LogicalID = value
		case "ResourceType":
			e.Type = value
		}
	}
	if _, reason, ok := strings.Cut(i.Reason, "ResourceStatusReason:"); ok {
		e.Reason = reason
	}
	x := aws.ExplainStack(e)
	switch x.Kind { // what stands in an account is StackSets', and not the person's who is signed in
	case aws.Denied:
		x.What = "StackSets is not allowed " + cmp.Or(x.Action, "an action") + " in this account."
	case aws.Throttled:
		x.Next = "Run rolecall org apply again: it tries this account once more."
	}
	return &screen.Problem{What: x.What, Expected: x.Expected, Next: cmp.Or(x.Next, "Look at the stack in the account, then run rolecall "+
		"org apply again."), Quoted: i.Reason}
}

// Failures are the rows that failed, by their cause, the most frequent first.
func (r *Report) Failures() [][]Row {
	by := map[string][]Row{}
	var order []string
	for _, row := range r.Accounts {
		if row.State != Failed || row.Cause == nil {
			continue
		}
		if by[row.Cause.What] == nil {
			order = append(order, row.Cause.What)
		}
		by[row.Cause.What] = append(by[row.Cause.What], row)
	}
	var all [][]Row
	for _, what := range order {
		all = append(all, by[what])
	}
	slices.SortStableFunc(all, func(a, b []Row) int { return len(b) - len(a) })
	return all
}
