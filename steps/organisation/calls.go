package organisation

import (
	"context"
	"time"

	"rolecall/steps/screen"
	"rolecall/steps/vendorapi"
)

// mostCalls is how many calls to the vendor are under way at the same time. How
// fast they follow each other is the gate's: it keeps to the vendor's rate, and a
// wait that one answer asks for holds for all.
const mostCalls = 6

// answer is what came of one step at the vendor.
type answer struct {
	w     *work
	err   error
	broke any // what it panicked with; nil: it did not
}

// caused is an error that is one account's alone, in words.
type caused struct{ problem *screen.Problem }

func (c *caused) Error() string { return c.problem.What }

// step is one step at the vendor for one account. It runs beside the loop, and
// changes nothing but the ledger. known are the vendor's accounts by name.
type step func(ctx context.Context, w *work, known map[string][]vendorapi.Account) error

// call begins a step.
func (r *run) call(ctx context.Context, w *work, do step) {
	r.vendor.taken(r.Now(), r.paced(vendorPace, hurriedPace))
	w.busy = true
	r.flying++
	known := r.known
	r.flights.Go(func() {
		out := answer{w: w}
		defer func() {
			out.broke = recover()
			r.answers <- out
		}()
		out.err = do(vendorapi.Once(ctx), w, known)
	})
}

// arrived takes in the answers that have come.
func (r *run) arrived() error {
	for {
		select {
		case a := <-r.answers:
			if err := r.answered(a); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// answered takes in one answer. A panic goes on where the run is, once nothing is
// under way any more.
func (r *run) answered(a answer) error {
	r.flying--
	a.w.busy, r.moved = false, true
	switch {
	case a.broke != nil:
		r.flights.Wait()
		panic(a.broke) //nolint:forbidigo // it is one that came, handed on to where the run is
	case a.err != nil:
		return r.vendorSaid(a.w, a.err)
	}
	r.vendor.passed(r.Now(), 0)
	return nil
}

// land waits for the calls that are still under way: what they did is in the
// ledger before anybody else looks.
func (r *run) land() error {
	r.flights.Wait()
	return r.arrived()
}

// rest waits for an answer, or until something can be done again. Where nothing
// can be begun before an answer comes, it waits for that alone.
func (r *run) rest(ctx context.Context) error {
	if r.flying > 0 && (r.flying == mostCalls || !r.calls) {
		return r.answered(<-r.answers)
	}
	if r.over() {
		return TimeUp()
	}
	d := max(50*time.Millisecond, r.next().Sub(r.Now()))
	if !r.Until.IsZero() {
		d = min(d, r.Until.Sub(r.Now()))
	}
	select {
	case a := <-r.answers:
		return r.answered(a)
	case <-r.After(d):
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
