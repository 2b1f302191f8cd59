// Package organisation connects every account of an AWS organisation: what is
// wanted becomes one StackSet that AWS deploys, each account gets its own
// external ID, and each role is handed to the vendor as it becomes ready. It does
// not loop over accounts with credentials of its own. It stands on record, in
// whose ledger every step is before it is taken, so that it can be taken up at
// any moment.
package organisation

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/aws/organisation"
	"rolecall/steps/screen"
)

// Tree is an organisation as it was read.
type Tree struct {
	ID         string // "o-…"
	Management string // account number
	Units      []Unit // parents before their children, the root first
	Accounts   []Account
}

// Unit is the root or an organisational unit.
type Unit struct {
	ID, Parent, Name string
	Path             string // "/prod/eu"; "/" for the root
}

// Account is one account of the tree.
type Account struct {
	ID, Name, Status string
	Unit             string // ID
	Path             string // of its unit
}

// Clock is the time that everything here goes by.
type Clock struct {
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
	Until time.Time // when it is up; zero: never
}

// TimeUp is the error of a run whose time was up.
func TimeUp() error {
	return &screen.Fault{Problem: screen.Problem{What: "The time was up before everything was done.", Expected: "an end within the time",
		Next: "Go on: rolecall org apply. Nothing is done twice.", Kind: screen.TimedOut}}
}

// over tells whether the time is up.
func (c Clock) over() bool { return !c.Until.IsZero() && !c.Now().Before(c.Until) }

// pause waits, no longer than until the time is up.
func (c Clock) pause(ctx context.Context, d time.Duration) error {
	if c.over() {
		return TimeUp()
	}
	if !c.Until.IsZero() {
		d = min(d, c.Until.Sub(c.Now()))
	}
	select {
	case <-c.After(d):
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// The pauses after an answer that may be another one later.
const (
	firstPause   = time.Second
	longestPause = 30 * time.Second
	mostTries    = 12
)

// patiently asks again while AWS says that it is asked too often, or does not
// answer: what is asked reads, or has a token that makes it harmless.
func (c Clock) patiently(ctx context.Context, ask func() error) error {
	for try, wait := 1, firstPause; ; try++ {
		err := ask()
		passes := slices.Contains([]aws.ErrorKind{aws.Throttled, aws.Network, aws.Unavailable}, aws.KindOf(err))
		if err == nil || !passes || try == mostTries || ctx.Err() != nil {
			return err
		}
		if err := c.pause(ctx, wait); err != nil {
			return err
		}
		wait = min(2*wait, longestPause)
	}
}

// is tells whether an error is of a kind of AWS's.
func is(err error, kind aws.ErrorKind) bool { return err != nil && aws.KindOf(err) == kind }

// pages asks for one page after the other.
func pages[T any](ctx context.Context, c Clock, ask func(token string) ([]T, string, error)) ([]T, error) {
	var all []T
	err := aws.EveryPage("what the organization has", func(at *string) (*string, error) {
		var page []T
		var next, token string
		if at != nil {
			token = *at
		}
		err := c.patiently(ctx, func() (err error) {
			page, next, err = ask(token)
			return err
		})
		all = append(all, page...)
		return &next, err
	})
	return all, err
}

// Discover reads the tree: a page of units and a page of accounts at a time.
func Discover(ctx context.Context, cloud *organisation.Client, c Clock) (*Tree, error) {
	var about organisation.Description
	err := c.patiently(ctx, func() (err error) {
		about, err = cloud.Describe(ctx)
		return err
	})
	if is(err, aws.NotFound) {
		return nil, &screen.Fault{Err: err, Problem: screen.Problem{What: "The account is in no organization.",
			Expected: "the management account of an organization",
			Next:     "Sign in to the management account, or connect this account alone: rolecall connect.", Kind: screen.NotAsNeeded}}
	}
	if err != nil {
		return nil, err
	}
	t := &Tree{ID: about.ID, Management: about.Management}
	var roots []organisation.Unit
	err = c.patiently(ctx, func() (err error) {
		roots, err = cloud.Roots(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, r := range roots {
		t.Units = append(t.Units, Unit{ID: r.ID, Name: r.Name, Path: "/"})
	}
	for at := 0; at < len(t.Units); { // it grows while it is read
		if err := t.below(ctx, cloud, c, t.Units[at]); err != nil {
			return nil, err
		}
		at++
	}
	slices.SortStableFunc(t.Accounts, func(a, b Account) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Name, b.Name)) })
	return t, nil
}

// below reads what is right below a unit.
func (t *Tree) below(ctx context.Context, cloud *organisation.Client, c Clock, u Unit) error {
	units, err := pages(ctx, c, func(token string) ([]organisation.Unit, string, error) { return cloud.Units(ctx, u.ID, token) })
	if err != nil {
		return err
	}
	for _, one := range units {
		t.Units = append(t.Units, Unit{ID: one.ID, Parent: u.ID, Name: one.Name, Path: strings.TrimSuffix(u.Path, "/") + "/" + one.Name})
	}
	accounts, err := pages(ctx, c, func(token string) ([]organisation.Account, string, error) { return cloud.AccountsOf(ctx, u.ID, token) })
	for _, one := range accounts {
		t.Accounts = append(t.Accounts, Account{ID: one.ID, Name: one.Name, Status: one.Status, Unit: u.ID, Path: u.Path})
	}
	return err
}

// Account finds an account by its number.
func (t *Tree) Account(id string) (Account, bool) {
	i := slices.IndexFunc(t.Accounts, func(a Account) bool { return a.ID == id })
	if i < 0 {
		return Account{}, false
	}
	return t.Accounts[i], true
}

// Unit finds a unit by its ID, or by its path. A path that two units have, since a
// name may hold a slash, is refused.
func (t *Tree) Unit(name string) (Unit, error) {
	var found []Unit
	for _, u := range t.Units {
		if u.ID == name {
			return u, nil
		}
		if u.Path == name {
			found = append(found, u)
		}
	}
	switch len(found) {
	case 0:
		return Unit{}, notThere("organizational unit "+screen.CleanLine(name), "--ou with the ID or the path of one: "+t.someUnits())
	case 1:
		return found[0], nil
	}
	var ids []string
	for _, u := range found {
		ids = append(ids, u.ID)
	}
	return Unit{}, &screen.Fault{Problem: screen.Problem{What: "The organization has " + count(len(found), "organizational unit") +
		" with the path " + screen.CleanLine(name) + ".",
		Expected: "one", Next: "Say which by its ID: --ou " + strings.Join(ids, " or --ou ") + ".", Kind: screen.Usage}}
}
