package organisation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rolecall/aws"
	"rolecall/aws/organisation"
	"rolecall/steps/explain"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/vendorapi"
)

// loop does a few calls to the vendor and one to AWS at a time, whichever account
// it is for, until nothing is left to do: an account that fails stands in nobody's
// way.
func (r *run) loop(ctx context.Context) error {
	defer r.flights.Wait() // also where something panics: nothing is left that still writes
	for {
		if r.over() {
			return TimeUp()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.moved = false
		more, err := r.turn(ctx)
		if err != nil {
			return err
		}
		r.tell("")
		if !more {
			return nil
		}
		if !r.moved {
			if err := r.rest(ctx); err != nil {
				return err
			}
		}
	}
}

// turn takes one step on each side; more is false when there is none left.
func (r *run) turn(ctx context.Context) (more bool, err error) {
	left := r.wanted()
	if err := r.arrived(); err != nil {
		return true, err
	}
	var mint, send, hand *work
	r.waits = false
	now := r.Now()
	for _, w := range left {
		m := r.Kept.Members.Get(w.ID)
		switch {
		case w.busy:
		case w.cause != nil, r.done(w, m):
			continue
		case r.Wanted.Minted() && m.ExternalID == "":
			mint = first(mint, w)
		case w.sent:
			r.waits = true
		case w.ready.IsZero():
			send = first(send, w)
		case !now.Before(w.notBefore):
			hand = first(hand, w)
		}
		more = true
	}
	if r.waits && !now.Before(r.look) {
		r.moved = true
		if err := r.lookAtStacks(ctx); err != nil {
			return more, err
		}
	}
	r.calls = mint != nil || hand != nil
	if err := r.atVendor(ctx, mint, hand); err != nil {
		return more, err
	}
	return more, r.atCloud(ctx, send)
}

// done tells that nothing is left to do for an account.
func (r *run) done(w *work, m record.Member) bool {
	return m.Connected && w.instance != nil && (w.instance.Good() || !w.ready.IsZero())
}

func first(have, w *work) *work {
	if have != nil {
		return have
	}
	return w
}

// next is when something can be done again.
func (r *run) next() time.Time {
	at := r.Now().Add(lookPace)
	if r.waits {
		at = r.look
	}
	for _, g := range []gate{r.vendor, r.cloud} {
		if g.open.After(r.Now()) && g.open.Before(at) {
			at = g.open
		}
	}
	for _, w := range r.all {
		if !w.ready.IsZero() && w.cause == nil && w.notBefore.After(r.Now()) && w.notBefore.Before(at) {
			at = w.notBefore
		}
	}
	return at
}

// atVendor makes one step at the vendor. A role that is ready goes first.
func (r *run) atVendor(ctx context.Context, mint, hand *work) error {
	if hand != nil {
		if done, err := r.without(ctx, hand); done || err != nil {
			return err
		}
	}
	if r.vendor.closed(r.Now()) || hand == nil && mint == nil || r.flying == mostCalls {
		return nil
	}
	r.moved = true
	w, step := mint, r.mint
	switch {
	case hand != nil && r.posts():
		w, step = hand, r.post
	case hand != nil:
		w, step = hand, r.handOver
	case r.known == nil && r.Kept.Members.Get(w.ID).VendorAccount == "":
		err := r.listVendor(ctx)
		r.vendor.taken(r.Now(), r.paced(vendorPace, hurriedPace))
		if err != nil {
			return r.vendorSaid(w, err)
		}
		return nil
	}
	r.call(ctx, w, step)
	return nil
}

// without settles what no call to the vendor is needed for.
func (r *run) without(ctx context.Context, w *work) (done bool, err error) {
	if err := r.readBack(ctx); err != nil {
		return true, err
	}
	if r.Vendor != nil && !r.Wanted.ByHand() || r.posts() {
		return false, nil
	}
	m := r.Kept.Members.Get(w.ID)
	m.Connected, m.Made, m.Offered = true, true, r.Wanted.RoleARN(w.ID)
	r.moved = true
	return true, r.note(w, m)
}

// vendorSaid takes in an error of the vendor: it slows all down, ends all, or is
// this account's alone.
func (r *run) vendorSaid(w *work, err error) error {
	var e *vendorapi.Error
	var own *caused
	switch now := r.Now(); {
	case errors.As(err, &own):
		w.cause = own.problem
		return nil
	case !errors.As(err, &e):
		return err
	case e.Unsure:
		r.known = nil // what was asked for may be there: the list tells
		fallthrough
	default:
		return r.vendorError(w, e, err, now)
	}
}

func (r *run) vendorError(w *work, e *vendorapi.Error, err error, now time.Time) error {
	switch {
	case e.Denied(), e.Unsent():
		return err
	case e.Passing():
		r.vendor.slow(now, e.RetryAfter)
		w.handing++
		if w.handing <= 3*mostHandings {
			return nil
		}
	case e.Refused() && w.handing < mostHandings:
		// The stack is whole, so the role is right: it is only too young.
		w.handing++
		w.notBefore = now.Add(min(longestHandng, handingPause<<min(w.handing-1, 5)))
		r.vendor.passed(now, r.paced(vendorPace, hurriedPace))
		return nil
	}
	w.cause = explain.Problem(err)
	r.tell(w.ID + " " + w.Name + ": " + w.cause.What)
	return nil
}

// mint gives an account an account at the vendor, and that an external ID. Each
// call is one step.
func (r *run) mint(ctx context.Context, w *work, known map[string][]vendorapi.Account) error {
	m := r.Kept.Members.Get(w.ID)
	if m.VendorAccount == "" {
		return r.vendorAccount(ctx, w, m, known)
	}
	id, err := r.Vendor.ExternalID(ctx, m.VendorAccount)
	if err == nil && id == "" {
		err = r.write(ctx, "mint an external ID for "+m.VendorAccount, func(ctx context.Context) (err error) {
			id, err = r.Vendor.MintExternalID(ctx, m.VendorAccount)
			return err
		})
	}
	if err != nil {
		return err
	}
	m.ExternalID = id
	return r.note(w, m)
}

func (r *run) listVendor(ctx context.Context) error {
	all, err := r.Vendor.Accounts(ctx)
	if err != nil {
		return err
	}
	r.known = map[string][]vendorapi.Account{}
	for _, a := range all {
		r.known[a.Name] = append(r.known[a.Name], a)
	}
	return nil
}

// vendorAccount finds the account at the vendor that was asked for under this
// very name, else has one made.
func (r *run) vendorAccount(ctx context.Context, w *work, m record.Member, known map[string][]vendorapi.Account) error {
	name := vendorName(w.Account)
	if m.Asked != "" {
		name = m.Asked
	}
	switch have := known[name]; len(have) {
	case 0:
	case 1:
		return r.adopt(ctx, w, m, have[0])
	default:
		return &caused{&screen.Problem{
			What:     fmt.Sprintf("%s has %d accounts that are called %q.", r.Wanted.Request.Vendor.Title, len(have), name),
			Expected: "one", Next: "Remove or rename those that are not used, then apply again."}}
	}
	m.Asked = name
	if err := r.note(w, m); err != nil {
		return err
	}
	var made vendorapi.Account
	err := r.write(ctx, "create vendor account "+name, func(ctx context.Context) (err error) {
		made, err = r.Vendor.CreateAccount(ctx, name)
		return err
	})
	if err != nil {
		return err
	}
	m.VendorAccount = made.ID
	return r.note(w, m)
}

// adopt takes an account that the vendor has under this name: an earlier run's
// whose answer got lost, or one that nobody here asked for. The latter's role is
// not taken from it.
func (r *run) adopt(ctx context.Context, w *work, m record.Member, have vendorapi.Account) error {
	if m.Asked == "" {
		role, err := r.Vendor.Role(ctx, have.ID)
		if err != nil {
			return err
		}
		if role != "" && role != r.Wanted.RoleARN(w.ID) {
			return &caused{&screen.Problem{What: r.Wanted.Request.Vendor.Title + " holds another role for " + have.ID + " already: " + role + ".",
				Next: "Connect this account by itself, with --replace-role: rolecall connect --account " + have.ID + " --aws-account " + w.ID + "."}}
		}
	}
	m.VendorAccount, m.Asked = have.ID, have.Name
	return r.note(w, m)
}

// write sends one request that changes something, with a line of the journal
// before it and one after it. It has until the time of all is up, and a little
// after a signal: what was done is not known without its answer.
func (h *Host) write(ctx context.Context, call string, send func(context.Context) error) error {
	writing, done := screen.Writing(ctx)
	defer done()
	return h.Kept.Journal.Do(writing, call, send)
}

// vendorName is what an account is called at the vendor: by it, it is found
// again.
func vendorName(a Account) string {
	name := a.Name
	if runes := []rune(name); len(runes) > 60 {
		name = string(runes[:60])
	}
	return screen.CleanLine("AWS " + a.ID + " " + name)
}

// note writes down what is known of an account.
func (r *run) note(w *work, m record.Member) error {
	m.Name, m.Unit, m.Path, m.At, m.By = w.Name, w.Unit, w.Path, r.Now(), r.By
	return r.Kept.Members.Put(m)
}

// readBack compares the StackSet's template with the one that was agreed to,
// before the first role is handed over.
func (r *run) readBack(ctx context.Context) error {
	if r.checked {
		return nil
	}
	var set organisation.Set
	err := r.patiently(ctx, func() (err error) {
		set, err = r.Cloud.Set(ctx, r.set.ID)
		return err
	})
	if err != nil {
		return err
	}
	if !aws.SameTemplate(set.Template, r.Wanted.Template) {
		return &screen.Fault{Problem: screen.Problem{What: "The StackSet's template is not the one that was agreed to: somebody changed it. " +
			"No role was handed over.",
			Wanted: r.Wanted.Digest, Found: aws.TemplateDigest(set.Template), Expected: "the template as it was planned",
			Next: "Find out who changed it (CloudTrail, UpdateStackSet), then apply again: rolecall puts it right.", Kind: screen.NotAsNeeded}}
	}
	r.checked = true
	return nil
}

// handOver hands one role over. Where an earlier answer may have got lost, the
// vendor is asked first what it has.
func (r *run) handOver(ctx context.Context, w *work, _ map[string][]vendorapi.Account) error {
	m, arn := r.Kept.Members.Get(w.ID), r.Wanted.RoleARN(w.ID)
	if m.Offered == arn && w.handing == 0 {
		has, err := r.Vendor.Role(ctx, m.VendorAccount)
		if err != nil {
			return err
		}
		if has == arn {
			m.Connected = true
			return r.note(w, m)
		}
	}
	if m.Offered != arn {
		m.Offered, m.Made = arn, true
		if err := r.note(w, m); err != nil {
			return err
		}
	}
	err := r.write(ctx, "hand "+arn+" over to "+m.VendorAccount,
		func(ctx context.Context) error { return r.Vendor.SubmitRole(ctx, m.VendorAccount, arn) })
	if err != nil {
		return err
	}
	m.Connected = true
	return r.note(w, m)
}

// atCloud begins one operation on the stack of an account, or on those of all
// accounts that need no parameters of their own.
func (r *run) atCloud(ctx context.Context, w *work) error {
	if w == nil || r.cloud.closed(r.Now()) {
		return nil
	}
	batch := []*work{w}
	if !r.Wanted.Minted() {
		batch = r.together(w)
	}
	under := 0
	for _, one := range r.all {
		if one.sent {
			under++
		}
	}
	all := len(r.wanted())
	if r.failed > r.Options.Tolerance.of(all) {
		r.stop()
		return nil
	}
	if r.Wanted.Minted() && under >= max(1, r.Options.Concurrent.of(all)) {
		return nil
	}
	r.moved = true
	return r.deploy(ctx, batch)
}

// together are the accounts that can go with this one: all to be made, or all to
// be changed.
func (r *run) together(w *work) []*work {
	var all []*work
	for _, one := range r.wanted() {
		if one.cause == nil && !one.sent && one.ready.IsZero() && (one.instance == nil) == (w.instance == nil) {
			all = append(all, one)
		}
	}
	return all
}

// stop leaves out what was not begun, since too many have failed.
func (r *run) stop() {
	for _, w := range r.wanted() {
		if w.cause == nil && w.ready.IsZero() && !w.sent {
			r.moved = true
			w.cause = &screen.Problem{What: fmt.Sprintf("It was not begun: %d accounts had failed, and --failure-tolerance is %s.", r.failed,
				r.Options.Tolerance),
				Next: "Look at the causes of the others, then apply again."}
		}
	}
}

// deploy begins the operation. Its token is on the disk before it is sent.
func (r *run) deploy(ctx context.Context, batch []*work) error {
	w := batch[0]
	m := r.Kept.Members.Get(w.ID)
	token := m.Operation
	begun, ended, err := r.begun(ctx, w, token)
	switch {
	case err != nil:
		return err
	case begun && !ended:
		return r.cloudSaid(batch[:1], nil) // an earlier run began it
	case begun, token == "":
		token = fmt.Sprintf("rolecall-%s-%s-%d", r.Kept.ID, w.ID, m.Tries+1)
	}
	units := map[string]bool{}
	d := organisation.Deployment{Set: r.set.ID, Region: r.Region, Overrides: r.Wanted.overrides(m.ExternalID), Token: token,
		Preferences: r.preferences(len(batch))}
	for _, one := range batch {
		if !units[one.Unit] {
			units[one.Unit] = true
			d.Units = append(d.Units, one.Unit)
		}
		d.Accounts = append(d.Accounts, one.ID)
		own := r.Kept.Members.Get(one.ID)
		own.Tries, own.Operation, own.Ours, own.Removed, own.Made, own.Connected = own.Tries+1, token, true, false, false, false
		if r.Wanted.Shared != "" {
			own.ExternalID = r.Wanted.Shared
		}
		if err := r.note(one, own); err != nil {
			return err
		}
	}
	call, do := "create", r.Cloud.CreateStacks
	if w.instance != nil {
		call, do = "update", r.Cloud.UpdateStacks
	}
	err = r.write(ctx, fmt.Sprintf("%s stacks: operation %s", call, token),
		func(ctx context.Context) error { return do(ctx, d) })
	return r.cloudSaid(batch, err)
}

// begun tells whether the operation that the ledger names was ever begun, and
// whether it has ended: what a stack shows as its newest needs no request.
func (r *run) begun(ctx context.Context, w *work, token string) (begun, ended bool, err error) {
	if token == "" {
		return false, false, nil
	}
	if w.instance != nil && w.instance.Operation == token {
		return true, !w.instance.Moving(), nil
	}
	var op organisation.Operation
	err = r.patiently(ctx, func() (err error) {
		op, err = r.Cloud.Operation(ctx, r.set.ID, token)
		return err
	})
	if is(err, aws.NotFound) {
		return false, false, nil
	}
	return err == nil, op.Ended(), err
}

// cloudSaid takes in how the beginning of an operation was answered.
func (r *run) cloudSaid(batch []*work, err error) error {
	now := r.Now()
	switch kind := aws.KindOf(err); {
	case err == nil, kind == aws.Exists:
		r.cloud.passed(now, r.paced(cloudPace, hurriedPace))
		for _, w := range batch {
			w.sent, w.notBefore = true, now.Add(longestPause)
			w.begun++
		}
		if r.look.Before(now) {
			r.look = now.Add(r.paced(lookPace, hurriedLook))
		}
		return nil
	case kind == aws.Throttled, kind == aws.Conflict, kind == aws.Network, kind == aws.Unavailable:
		r.cloud.slow(now, 0) // it is begun later, with a token of its own
		return nil
	case kind == aws.Malformed, kind == aws.NotFound, kind == aws.Limit:
		for _, w := range batch {
			w.cause = explain.Problem(err)
			r.failed++
		}
		return nil
	}
	return err
}
