// Package migrate changes how a connection is made, and leaves it working all the
// while: a user becomes a role, and a role goes into a CloudFormation stack or out
// of one. It stands on make and undo, and looks before each request at what an
// earlier run has done, so that a run which was killed goes on.
package migrate

import (
	"context"
	"slices"
	"time"

	"rolecall/aws"
	"rolecall/steps/explain"
	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/undo"
)

// Migration is one connection on its way to another form.
type Migration struct {
	// Session says what is wanted: its answers are those that the connection has
	// afterwards.
	Session *step.Session
	Account *aws.Account
	Ledger  *record.Ledger
	Journal *record.Journal
	Receipt record.Receipt   // as read; its head is that of the connection before
	Others  []record.Receipt // of the other sessions
	Resumes bool             // the session is still there
	By      string           // the ARN of who is signed in
	Now     func() time.Time
	// After is like time.After, on the clock of Now.
	After func(time.Duration) <-chan time.Time

	executed bool          // a change set was executed in this run
	ahead    time.Duration // how far AWS's clock is ahead of this machine's
}

// AWSNow is the time by AWS's clock, as far as it is known: a day that is named and
// the last use of a key go by that, whatever this machine's clock says.
func (m *Migration) AWSNow() time.Time { return m.Now().Add(m.ahead).UTC() }

// clock takes AWS's time from a role that was just read. An answer tells whole
// seconds alone.
func (m *Migration) clock(role aws.Role) {
	if ahead := role.AsOf.Sub(m.Now()); !role.AsOf.IsZero() && ahead.Abs() > 2*time.Second {
		m.ahead = ahead
	}
}

func (m *Migration) host() making.Host {
	return making.Host{Account: m.Account, Ledger: m.Ledger, Journal: m.Journal, Head: m.Receipt, By: m.By, Now: m.Now,
		Patience: step.RetryFor}
}

func (m *Migration) remover() *undo.Remover {
	return &undo.Remover{Account: m.Account, Ledger: m.Ledger, Journal: m.Journal, Receipt: m.Receipt, Others: m.Others, Resumes: m.Resumes,
		Now: m.Now, After: m.After, By: m.By}
}

// reread reads the receipt again after something was written into it, and keeps
// the head.
func (m *Migration) reread() error {
	now, err := m.Ledger.Receipt()
	if err == nil {
		m.Receipt.Items, m.Receipt.Created = now.Items, now.Created
	}
	return err
}

func (m *Migration) put(item record.Item) error {
	if err := m.Ledger.Put(m.Receipt, item); err != nil {
		return err
	}
	return m.reread()
}

// send carries out one operation, with a line in the journal before and after it.
func (m *Migration) send(ctx context.Context, op making.Operation) error {
	if err := m.Journal.Before(op.Name); err != nil {
		return err
	}
	writing, cancel := screen.Writing(ctx)
	defer cancel()
	item, err := m.host().Send(writing, op)
	result := screen.ResultDone
	if item.State == record.ItemMade {
		result = screen.ResultMade
	}
	_ = m.Journal.After(op.Name, step.OutcomeOf(err, result).With(item.RequestID)) // the next run looks in any case
	if readErr := m.reread(); err == nil {
		err = readErr
	}
	return err
}

// pause waits on the clock of Now.
func (m *Migration) pause(ctx context.Context, d time.Duration) error {
	select {
	case <-m.After(d):
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// drive carries out what a run of making asks for, one call after the other.
func (m *Migration) drive(ctx context.Context, run *making.Run, effects []screen.Effect) error {
	for len(effects) > 0 {
		call, ok := effects[0].(screen.Call)
		if !ok {
			return nil
		}
		if call.After > 0 {
			if err := m.pause(ctx, call.After); err != nil {
				return err
			}
		}
		msg, err := m.call(ctx, call)
		if err != nil {
			return err
		}
		effects, _ = run.Update(m.host(), msg)
	}
	if run.Stage == making.Failed || run.Stage == making.Stopped {
		if err := ctx.Err(); err != nil {
			return err
		}
		return &screen.Fault{Problem: *run.Problem}
	}
	return nil
}

func (m *Migration) call(ctx context.Context, call screen.Call) (screen.Msg, error) {
	if !call.Writes {
		return call.Do(ctx), nil
	}
	if err := m.Journal.Before(call.Name); err != nil {
		return nil, err
	}
	writing, cancel := screen.Writing(ctx)
	defer cancel()
	msg := call.Do(writing)
	if told, ok := msg.(interface{ Outcome() screen.Outcome }); ok {
		_ = m.Journal.After(call.Name, told.Outcome()) // the next run looks in any case
	}
	return msg, nil
}

// roles are the purposes of the roles that the vendor needs.
func (m *Migration) roles() []string {
	var all []string
	for _, role := range m.Session.Request().Needed() {
		all = append(all, role.Purpose)
	}
	return all
}

// Proven is a role that was looked at and found right.
type Proven struct {
	Purpose string
	Role    aws.Role
	Report  aws.Report
}

// prove looks at every role that the vendor needs, with the checks of verify. The
// error is a Fault where one is missing or not right.
func (m *Migration) prove(ctx context.Context) ([]Proven, error) {
	var all []Proven
	for _, purpose := range m.roles() {
		want := m.Session.WantedRole(purpose)
		want.RoleARN, want.Approved = "", nil
		seen, report, err := m.Account.Look(ctx, want)
		if err == nil && seen.Refusal != nil {
			err = seen.Refusal
		}
		if err != nil {
			return nil, err
		}
		if seen.Role == nil {
			return nil, notAsNeeded("There is no role "+want.RoleName+" in account "+want.AccountID+".", "the role of this connection",
				"Look what became of it: rolecall verify --role "+want.RoleName+".")
		}
		if p := explain.Unfit(seen.Role.Name, report.Checks); !report.OK && p != nil {
			return nil, &screen.Fault{Problem: *p}
		}
		m.clock(*seen.Role)
		all = append(all, Proven{purpose, *seen.Role, report})
	}
	if len(all) == 0 {
		return nil, notAsNeeded("Nothing that was chosen needs a role.", "products that a role is for",
			"Look at the session: rolecall sessions show "+
				m.Receipt.Session+".")
	}
	return all, nil
}

// same refuses roles that are not the very ones of before, or that let in others:
// no migration changes either.
func same(before, after []Proven) error {
	for _, b := range before {
		i := slices.IndexFunc(after, func(a Proven) bool { return a.Purpose == b.Purpose })
		switch {
		case i < 0 || after[i].Role.ID != b.Role.ID:
			return notAsNeeded("The role "+b.Role.Name+" is another one than before: it was made anew under its name.", "the role "+b.Role.ID,
				"Look at who did that in CloudTrail, then rolecall verify --role "+b.Role.Name+".")
		case after[i].Role.Trust == nil || b.Role.Trust == nil || after[i].Role.Trust.Digest() != b.Role.Trust.Digest():
			return notAsNeeded("The trust policy of "+b.Role.Name+" is not what it was before.", "a trust policy that nobody changed",
				"Look at it: rolecall verify --role "+b.Role.Name+".")
		}
	}
	return nil
}

func notAsNeeded(what, expected, next string) error {
	return &screen.Fault{Problem: screen.Problem{What: what, Expected: expected, Next: next, Kind: screen.NotAsNeeded}}
}
