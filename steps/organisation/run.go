package organisation

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"rolecall/aws"
	"rolecall/aws/organisation"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/vendorapi"
)

// Options say how it is gone about.
type Options struct {
	Automatic    *bool // deploy to new accounts, too; nil: as the StackSet does, a new one does not
	Acknowledged bool  // that IAM resources with names are made
	Concurrent   Share
	Tolerance    Share
	// Resend sends declared requests again whose answer got lost.
	Resend bool
	// Hurried is for a rehearsal, where nobody is asked too often.
	Hurried bool
}

// Share is a number of accounts, or a percentage of them.
type Share struct {
	N       int
	Percent bool
}

// of is the number that it is of so many accounts, rounded up.
func (s Share) of(accounts int) int {
	if s.Percent {
		return (accounts*s.N + 99) / 100
	}
	return s.N
}

// String is as the flag takes it.
func (s Share) String() string {
	if s.Percent {
		return fmt.Sprintf("%d%%", s.N)
	}
	return strconv.Itoa(s.N)
}

// ParseShare reads N or P%.
func ParseShare(text string) (Share, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || percent && n > 100 {
		return Share{}, &screen.Fault{Problem: screen.Problem{What: screen.CleanLine(text) + " is no share of accounts.",
			Expected: "a number of accounts, or a percentage up to 100%", Next: "Give a number, or one with %.", Kind: screen.Usage}}
	}
	return Share{N: n, Percent: percent}, nil
}

// Host is what a run acts on.
type Host struct {
	Clock

	Cloud  *organisation.Client
	Vendor vendorapi.Client // nil: a person hands the roles over
	// Post sends the request that the vendor's description declares; nil: nobody
	// agreed to it, or there is none.
	Post    Post
	Wanted  *Wanted
	Kept    *record.OpenOrganisation
	Head    record.Receipt
	By      string
	Region  string
	Options Options
	Tell    func(Progress) // after each change; nil: nobody looks on
}

// Progress is how far a run is.
type Progress struct {
	Phase                                string
	Accounts, Connected, Failed, Waiting int
	Minted, Deployed                     int
	Already                              int // connected when the run began
	Since                                time.Time
	Note                                 string // what has just happened, where it is worth a line

	// Report is how each account stands. It may be called while Tell runs, and not
	// later.
	Report func() *Report
}

// Line is how far a run is, with the rate and the time that is left by it, in
// less than 80 columns.
func (p Progress) Line(now time.Time) string {
	spent := now.Sub(p.Since)
	line := fmt.Sprintf("%s · %d of %d connected · %d deployed · %d failed", screen.Clock(spent), p.Connected, p.Accounts,
		p.Deployed, p.Failed)
	if p.Connected == p.Already || p.Waiting == 0 || spent <= 0 {
		return line
	}
	done := float64(p.Connected - p.Already) // of this run
	left := time.Duration(float64(spent) / done * float64(p.Waiting))
	return line + fmt.Sprintf(" · %.0f/min · %s left", done/spent.Minutes(), screen.Clock(left))
}

// work is one account of a run.
type work struct {
	Chosen

	instance  *organisation.Instance
	handing   int // how often the role was offered in this run
	notBefore time.Time
	ready     time.Time // since when its stack is whole
	cause     *screen.Problem
	sent      bool // an operation of this run is under way
	begun     int  // operations of this run on its stack
	busy      bool // a call to the vendor is under way for it
}

// run is one run of apply.
type run struct {
	*Host

	set        organisation.Set
	all        []*work
	byID       map[string]*work
	vendor     gate // to the vendor
	cloud      gate // to StackSets' operations
	look       time.Time
	failed     int                            // stacks of this run
	already    int                            // accounts that were connected when it began
	known      map[string][]vendorapi.Account // the vendor's accounts by name; nil: not listed yet
	began      time.Time
	checked    bool // the template was read back
	moved      bool
	answers    chan answer // of calls to the vendor
	flights    sync.WaitGroup
	flying     int  // how many of those are under way
	calls      bool // there is something to ask the vendor
	waits      bool // for stacks
	lastReport time.Time
}

// gate lets calls through one after the other, and none while the other side asks
// to wait.
type gate struct {
	open time.Time
	wait time.Duration
}

func (g *gate) closed(now time.Time) bool { return now.Before(g.open) }

// slow closes the gate after an answer that asks to wait, for as long as it asks.
func (g *gate) slow(now time.Time, asked time.Duration) {
	g.wait = min(longestPause, max(firstPause, 2*g.wait))
	g.open = now.Add(max(asked, g.wait))
	if asked > 0 {
		g.open = now.Add(asked)
	}
}

// passed opens it again, unless another answer has asked to wait meanwhile.
func (g *gate) passed(now time.Time, pace time.Duration) {
	if !g.closed(now) {
		g.wait = 0
	}
	g.taken(now, pace)
}

// taken closes the gate for as long as the next call has to stand away from one
// that is sent now.
func (g *gate) taken(now time.Time, pace time.Duration) {
	if next := now.Add(pace); next.After(g.open) {
		g.open = next
	}
}

// The paces of a run.
const (
	vendorPace    = 100 * time.Millisecond // at most ten calls a second to the vendor
	hurriedPace   = time.Millisecond
	hurriedLook   = 500 * time.Millisecond
	cloudPace     = 200 * time.Millisecond // operations; StackSets takes a few a second
	lookPace      = 5 * time.Second        // looks at all stacks, of a hundred a page
	lookEachPage  = time.Second
	mostHandings  = 12
	mostBegun     = 3 // operations that leave no stack
	handingPause  = 2 * time.Second
	longestHandng = 30 * time.Second
)

// paced is a pace, or the one of a rehearsal.
func (h *Host) paced(pace, hurried time.Duration) time.Duration {
	if h.Options.Hurried {
		return hurried
	}
	return pace
}

// Apply connects the accounts that are not connected yet. It gives how each of
// them stands, also beside an error.
func (h *Host) Apply(ctx context.Context, chosen []Chosen) (*Report, error) {
	r := &run{Host: h, byID: map[string]*work{}, began: h.Now(), answers: make(chan answer, mostCalls)}
	for _, c := range chosen {
		w := &work{Chosen: c}
		r.all = append(r.all, w)
		r.byID[c.ID] = w
	}
	err := r.prepare(ctx)
	if err == nil {
		err = r.loop(ctx)
	}
	if landed := r.land(); err == nil {
		err = landed
	}
	return r.report(), err
}

// prepare makes or finds the StackSet and looks at its stacks.
func (r *run) prepare(ctx context.Context) error {
	if len(r.wanted()) == 0 {
		return nil
	}
	if err := r.findSet(ctx); err != nil {
		return err
	}
	r.tell("")
	if err := r.others(ctx); err != nil {
		return err
	}
	if err := r.lookAtStacks(ctx); err != nil {
		return err
	}
	for _, w := range r.wanted() {
		if r.done(w, r.Kept.Members.Get(w.ID)) {
			r.already++
		}
	}
	return nil
}

// wanted are the accounts that are not left out.
func (r *run) wanted() []*work {
	return slices.DeleteFunc(slices.Clone(r.all), func(w *work) bool { return w.Excluded != nil })
}

// setItem is the StackSet as the receipt has it.
func (r *run) setItem() (record.Item, error) {
	like := record.Item{Kind: record.ItemStackSet, Name: r.Wanted.SetName()}
	receipt, err := r.Kept.Ledger.Receipt()
	if err != nil {
		return like, err
	}
	known, ok := receipt.Find(like)
	if !ok {
		return like, nil
	}
	return known, nil
}

func (r *run) put(item record.Item, state record.ItemState) error {
	item.State, item.At, item.By = state, r.Now().UTC(), r.By
	return r.Kept.Ledger.Put(r.Head, item)
}

// findSet finds the StackSet of this session, and makes or changes it as needed.
func (r *run) findSet(ctx context.Context) error {
	item, err := r.setItem()
	if err != nil {
		return err
	}
	name := cmp.Or(item.ID, r.Wanted.SetName())
	err = r.patiently(ctx, func() (err error) {
		r.set, err = r.Cloud.Set(ctx, name)
		return err
	})
	switch {
	case is(err, aws.NotFound):
		return r.makeSet(ctx, item)
	case err != nil:
		return err
	case item.ID == "" && !r.ours():
		return r.foreign()
	case item.ID == "":
		item.ID, item.ARN = r.set.ID, r.set.ID
		if err := r.put(item, record.ItemMade); err != nil {
			return err
		}
	}
	if aws.SameTemplate(r.set.Template, r.Wanted.Template) && r.set.Automatic == r.automatic() && r.asks() {
		return nil
	}
	return r.changeSet(ctx, item)
}

// asks tells whether the StackSet asks for the external ID of all accounts, where
// there is one.
func (r *run) asks() bool {
	if r.Wanted.Shared == "" {
		return true
	}
	_, right := r.Wanted.admits(r.Wanted.Shared, nil, r.set.Parameters)
	return right
}

// automatic tells whether new accounts get a stack.
func (r *run) automatic() bool {
	if r.Options.Automatic == nil {
		return r.set.Automatic
	}
	return *r.Options.Automatic
}

// description marks the StackSet as this session's.
func (r *run) description() string {
	return "Access of " + r.Wanted.Request.Vendor.Title + ", made by rolecall in session " + r.Kept.ID
}

func (r *run) ours() bool { return r.set.Description == r.description() }

func (r *run) foreign() error {
	return &screen.Fault{Problem: screen.Problem{What: "A StackSet " + r.set.Name + " exists, and this rolecall did not make it. It " +
		"says: " + cmp.Or(r.set.Description, "nothing") + ".",
		Expected: "a StackSet that a receipt here proves", Next: "Apply from the machine whose rolecall made it, with its state folder; or " +
			"delete that StackSet.", Kind: screen.NotAsNeeded}}
}

func (r *run) newSet(pending string) organisation.NewSet {
	value := cmp.Or(r.Wanted.Shared, pending)
	return organisation.NewSet{Name: r.Wanted.SetName(), Description: r.description(), Template: r.Wanted.Template,
		Parameters: r.Wanted.values(value),
		Tags:       r.Wanted.Request.TagList(), Automatic: r.automatic(), Acknowledged: r.Options.Acknowledged}
}

// makeSet makes the StackSet. Its default external ID is nobody's: a role that
// automatic deployment makes in a new account lets nobody in until the account
// has an external ID of its own.
func (r *run) makeSet(ctx context.Context, item record.Item) error {
	n := r.newSet("rolecall-pending-" + strings.ToLower(rand.Text()))
	n.Token = item.Token
	if !item.Unproven() || n.Token == "" { // the first, or one after another that was deleted
		n.Token = fmt.Sprintf("rolecall-%s-set-%d", r.Kept.ID, r.Now().Unix())
	}
	item.ID, item.ARN, item.Token, item.Digest = "", "", n.Token, r.Wanted.Digest
	if err := r.put(item, record.ItemSent); err != nil {
		return err
	}
	err := r.patiently(ctx, func() error {
		return r.write(ctx, "create StackSet "+n.Name, func(ctx context.Context) (err error) {
			item.ID, err = r.Cloud.Create(ctx, n)
			return err
		})
	})
	if err != nil {
		if slices.Contains([]aws.ErrorKind{aws.Malformed, aws.Denied, aws.Exists}, aws.KindOf(err)) {
			_ = r.put(item, record.ItemNotMade) // the error says more
		}
		return trusted(err)
	}
	item.ARN = item.ID
	if err := r.put(item, record.ItemMade); err != nil {
		return err
	}
	return r.patiently(ctx, func() (err error) {
		r.set, err = r.Cloud.Set(ctx, item.ID)
		return err
	})
}

// trusted names the command where trusted access is what is missing.
func trusted(err error) error {
	if e := aws.Explain(err); e == nil || !strings.Contains(strings.ToLower(e.AWS), "organizations access") {
		return err
	}
	return Untrusted(err)
}

// Untrusted says that StackSets may not work in the organisation yet.
func Untrusted(err error) error {
	return &screen.Fault{Err: err, Problem: screen.Problem{What: "StackSets has no trusted access in this organization.",
		Expected: "trusted access, which the management account gives once",
		Next: "Run in the management account: aws cloudformation activate-organizations-access. Then apply " +
			"again.", Kind: screen.AWSRefused}}
}

// changeSet brings the StackSet with all of its stacks to the template.
func (r *run) changeSet(ctx context.Context, item record.Item) error {
	n := r.newSet("")
	if r.Wanted.Minted() {
		n.Parameters = r.set.Parameters // the default of new accounts stays
	}
	n.Token = "rolecall-" + r.Kept.ID + "-set-" + strings.TrimPrefix(r.Wanted.Digest, "sha256:")[:12] + fmt.Sprintf("-%t-%d",
		r.automatic(), r.Now().Unix())
	known := item
	known.Pending = r.Wanted.Digest
	if err := r.put(known, record.ItemMade); err != nil {
		return err
	}
	r.tell("the StackSet is changed to the new template")
	err := r.send(ctx, "update StackSet "+n.Name, func(ctx context.Context) error {
		return r.Cloud.Update(ctx, r.set.ID, n,
			r.preferences(len(r.all)))
	})
	if err != nil {
		return err
	}
	if err := r.await(ctx, n.Token); err != nil {
		return err
	}
	item.Digest, item.Pending = r.Wanted.Digest, ""
	if err := r.put(item, record.ItemMade); err != nil {
		return err
	}
	return r.patiently(ctx, func() (err error) {
		r.set, err = r.Cloud.Set(ctx, r.set.ID)
		return err
	})
}

// send begins an operation that has a token: one that was begun before is as good.
func (r *run) send(ctx context.Context, call string, do func(context.Context) error) error {
	for {
		err := r.patiently(ctx, func() error { return r.write(ctx, call, do) })
		switch {
		case is(err, aws.Exists):
			return nil
		case is(err, aws.Conflict):
			r.tell("another operation is at work on the StackSet: waiting for its end")
			if err := r.pause(ctx, lookPace); err != nil {
				return err
			}
			continue
		}
		return err
	}
}

// await waits until an operation has ended.
func (r *run) await(ctx context.Context, token string) error {
	for {
		var op organisation.Operation
		err := r.patiently(ctx, func() (err error) {
			op, err = r.Cloud.Operation(ctx, r.set.ID, token)
			return err
		})
		if err != nil || op.Ended() {
			return err
		}
		if err := r.pause(ctx, lookPace); err != nil {
			return err
		}
	}
}

func (r *run) preferences(accounts int) organisation.Preferences {
	c, t := r.Options.Concurrent, r.Options.Tolerance
	return organisation.Preferences{Concurrent: max(1, c.of(accounts)), Tolerance: t.of(accounts)}
}

// others tells of operations that somebody else has under way.
func (r *run) others(ctx context.Context) error {
	var first []organisation.Operation
	err := r.patiently(ctx, func() (err error) {
		first, _, err = r.Cloud.Operations(ctx, r.set.ID, "")
		return err
	})
	for _, op := range first {
		if !op.Ended() && !strings.HasPrefix(op.ID, "rolecall-"+r.Kept.ID) {
			r.tell("somebody else has an operation under way on this StackSet: " + op.ID)
			break
		}
	}
	return err
}
