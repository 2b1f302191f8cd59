package aws

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// UserSighting is a user that carries a wanted policy or the wanted name, with
// its verdict.
type UserSighting struct {
	User   User
	Report UserReport
}

// UserWatch finds users as they appear: those that a wanted policy is attached
// to, whatever they are called, and the one of the wanted name. Its methods
// are not safe for concurrent use: a step has one Fetch running at a time.
type UserWatch struct {
	watch
	want     WantUser
	observer observer
	known    map[string]SeenUser // by name
}

// WatchUser begins to look for a user that want.PolicyARNs are attached to. It
// sends nothing before the first Fetch.
func (a *Account) WatchUser(want WantUser) *UserWatch {
	w := &UserWatch{watch: watch{account: a}, want: want, known: map[string]SeenUser{}}
	w.observer = observer{account: a, opts: []func(*iam.Options){w.watched}}
	return w
}

// Fetch does one round. It returns as PolicyWatch.Fetch does; done means that
// a user is there whose report is OK.
func (w *UserWatch) Fetch(ctx context.Context) (next time.Duration, done bool, err error) {
	w.spent, w.note = 0, ""
	next, err = w.finish(w.round(ctx))
	done = slices.ContainsFunc(w.Sightings(), func(s UserSighting) bool { return s.Report.OK })
	return next, done, err
}

// Note says in a sentence what is limited just now, empty when nothing is.
func (w *UserWatch) Note() string { return w.note }

// usersPerRound bounds how many users one round reads in full.
const usersPerRound = 3

func (w *UserWatch) round(ctx context.Context) error {
	names, err := w.holders(ctx)
	if err != nil {
		return err
	}
	if w.want.Name != "" && !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, w.want.Name) }) {
		names = append([]string{w.want.Name}, names...)
	}
	for name := range w.known {
		if !slices.Contains(names, name) {
			delete(w.known, name)
		}
	}
	for _, name := range w.urgent(names) {
		seen, err := w.observer.observeUser(ctx, name)
		if err != nil {
			return err
		}
		if seen.User == nil && seen.Refusal != nil {
			return seen.Refusal // no user can be seen
		}
		if seen.User == nil {
			delete(w.known, name)
			continue
		}
		w.known[name] = seen
	}
	return nil
}

// urgent are the names to read in this round: those not right yet, the wanted
// name first, then those never read.
func (w *UserWatch) urgent(names []string) []string {
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool {
		seen, ok := w.known[n]
		return ok && JudgeUser(w.want, seen).OK
	})
	rank := func(n string) int {
		if strings.EqualFold(n, w.want.Name) {
			return 0
		}
		if _, read := w.known[n]; !read {
			return 1
		}
		return 2
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	return names[:min(len(names), usersPerRound)]
}

// holders are the users that a wanted policy is attached to.
func (w *UserWatch) holders(ctx context.Context) ([]string, error) {
	const action = "iam:ListEntitiesForPolicy"
	if len(w.want.PolicyARNs) == 0 {
		return nil, nil
	}
	if !w.may(action) {
		w.note = limited(action, "rolecall looks only for a user of the suggested name")
		return nil, nil
	}
	var names []string
	in := &iam.ListEntitiesForPolicyInput{
		PolicyArn:    &w.want.PolicyARNs[0],
		EntityFilter: types.EntityTypeUser,
		MaxItems:     awssdk.Int32(pageSize),
	}
	for range listCalls {
		out, err := w.account.iam().ListEntitiesForPolicy(ctx, in, w.watched)
		if err != nil {
			err = w.account.fail(err, action, "list the users of policy %s", cleanText(w.want.PolicyARNs[0]))
			if KindOf(err) == NotFound {
				return names, nil // the policy is new and not visible everywhere
			}
			return names, w.deny(action, err)
		}
		for _, u := range out.PolicyUsers {
			names = append(names, cleanText(awssdk.ToString(u.UserName)))
		}
		if in.Marker = nextMarker(out.IsTruncated, out.Marker); in.Marker == nil {
			break
		}
	}
	return names, nil
}

// Sightings are the users found, each with its checks: those that are right
// first, then the wanted name, then the newest.
func (w *UserWatch) Sightings() []UserSighting {
	var all []UserSighting
	for _, seen := range w.known {
		all = append(all, UserSighting{User: *seen.User, Report: JudgeUser(w.want, seen)})
	}
	slices.SortFunc(all, func(a, b UserSighting) int {
		return cmp.Or(-compareBool(a.Report.OK, b.Report.OK),
			-compareBool(strings.EqualFold(a.User.Name, w.want.Name), strings.EqualFold(b.User.Name, w.want.Name)),
			b.User.Created.Compare(a.User.Created), strings.Compare(a.User.ARN, b.User.ARN))
	})
	return all
}

// KeyWatch sees access keys of one user as they appear. Its methods are not
// safe for concurrent use.
type KeyWatch struct {
	watch
	user   string
	before map[string]bool // IDs that the first look showed
	keys   []AccessKey
}

// WatchKeys begins to look at a user's access keys. It sends nothing before
// the first Fetch.
func (a *Account) WatchKeys(userName string) *KeyWatch {
	return &KeyWatch{watch: watch{account: a}, user: userName}
}

// Fetch does one round: one request, and at the first time one more for each
// key's last use. It returns as PolicyWatch.Fetch does; done means that a key
// was made since the first look.
func (w *KeyWatch) Fetch(ctx context.Context) (next time.Duration, done bool, err error) {
	w.spent, w.note = 0, ""
	next, err = w.finish(w.round(ctx))
	return next, len(w.New()) > 0, err
}

func (w *KeyWatch) round(ctx context.Context) error {
	keys, err := w.account.keys(ctx, w.user, w.watched)
	if err != nil {
		return err
	}
	if w.before == nil {
		w.before = map[string]bool{}
		for i := range keys {
			w.before[keys[i].ID] = true
			_ = w.account.lastUse(ctx, &keys[i]) // only for the person to read
		}
	}
	for i := range keys {
		for _, old := range w.keys {
			if old.ID == keys[i].ID && keys[i].LastUsed.IsZero() {
				keys[i].LastUsed, keys[i].Service, keys[i].Region = old.LastUsed, old.Service, old.Region
			}
		}
	}
	w.keys = keys
	return nil
}

// Note says in a sentence what is limited just now, empty when nothing is.
func (w *KeyWatch) Note() string { return w.note }

// Keys are all keys of the user, the oldest first.
func (w *KeyWatch) Keys() []AccessKey { return w.keys }

// New are the active keys that were not there at the first look.
func (w *KeyWatch) New() []AccessKey {
	var all []AccessKey
	for _, k := range w.keys {
		if !w.before[k.ID] && k.Active {
			all = append(all, k)
		}
	}
	return all
}
