package organisation

import (
	"cmp"
	"context"
	"strings"
	"time"

	"rolecall/aws/organisation"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// lookAtStacks reads how all stacks stand: one request for a hundred.
func (r *run) lookAtStacks(ctx context.Context) error {
	all, err := pages(ctx, r.Clock, func(token string) ([]organisation.Instance, string, error) {
		return r.Cloud.Instances(ctx, r.set.ID, token)
	})
	if err != nil {
		return err
	}
	for _, w := range r.all {
		w.instance = nil
	}
	for i := range all {
		if w := r.byID[all[i].Account]; w != nil {
			w.instance = &all[i]
		}
	}
	r.look = r.Now().Add(r.paced(lookPace, hurriedLook) + time.Duration(len(all)/100)*lookEachPage)
	for _, w := range r.wanted() {
		if err := r.takeState(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// takeState takes in how an account's stack stands. What another operation than the
// account's own made has other parameters, until the account's own was seen.
func (r *run) takeState(ctx context.Context, w *work) error {
	m, i := r.Kept.Members.Get(w.ID), w.instance
	own := i != nil && m.Operation != "" && i.Operation == m.Operation
	made := own || m.Made
	if made && !own && i != nil && i.Good() && w.ready.IsZero() {
		var err error
		if made, err = r.untouched(ctx, w, m); err != nil {
			return err
		}
		if !made {
			m.Made, m.Connected = r.Wanted.Shared != "", false // it lets the vendor in no more
			if err := r.note(w, m); err != nil {
				return err
			}
			if r.Wanted.Shared != "" {
				w.cause, r.moved = overridden(w.ID), true
				return nil
			}
		}
	}
	switch {
	case i == nil && w.sent && !r.Now().Before(w.notBefore):
		r.missing(w)
	case i == nil:
	case i.Moving():
		w.sent = true
	case i.Good() && made:
		w.sent = false
		if w.ready.IsZero() {
			w.ready, w.notBefore, r.moved = r.Now(), time.Time{}, true
		}
	case own && w.sent: // it failed in this run
		w.sent, w.cause, r.moved = false, explainInstance(*i), true
		r.failed++
		r.tell(w.ID + " " + w.Name + ": " + w.cause.What)
	case !own && w.sent && r.Now().Before(w.notBefore): // what was begun just now is not to be seen yet
	default:
		w.sent = false
	}
	return nil
}

// overridden says of a stack that somebody gave an external ID of its own, where
// there is one for all: an update leaves that as it is, and giving it the right one
// would hide the next change of the one of all.
func overridden(account string) *screen.Problem {
	return &screen.Problem{What: "Somebody gave its stack an external ID of its own, which is not the one of all accounts.",
		Expected: "the StackSet's external ID", Next: "Make its stack anew: rolecall org remove --accounts " + account +
			", then rolecall org apply."}
}

// untouched tells whether a stack that was made before still asks for the account's
// external ID. Only an operation of somebody else can have changed that.
func (r *run) untouched(ctx context.Context, w *work, m record.Member) (bool, error) {
	if len(r.Wanted.Parameters) == 0 || strings.HasPrefix(w.instance.Operation, "rolecall-"+r.Kept.ID+"-") {
		return true, nil
	}
	var own map[string]string
	err := r.patiently(ctx, func() (err error) {
		own, err = r.Cloud.Overrides(ctx, r.set.ID, w.ID, w.instance.Region)
		return err
	})
	_, right := r.Wanted.admits(cmp.Or(r.Wanted.Shared, m.ExternalID), own, r.set.Parameters)
	return right, err
}

// missing takes in that an operation left no stack: StackSets passes over an
// account that left its unit. It is begun again a few times, since a stack may be
// late to be seen.
func (r *run) missing(w *work) {
	w.sent, r.moved = false, true
	if w.begun < mostBegun {
		return
	}
	r.failed++
	w.cause = &screen.Problem{What: "AWS made no stack for it, though it was asked to: it may have been moved to another unit meanwhile.",
		Next: "Run rolecall org apply again: it reads the organization anew."}
}
