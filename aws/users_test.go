package aws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/policy"
)

const userName = "sprinters-user"

// makeUser makes a policy and a user that it is attached to.
func makeUser(t *testing.T, a *aws.Account) (aws.Policy, aws.User) {
	t.Helper()
	p := must[aws.Policy](t)(a.CreatePolicy(t.Context(), aws.NewPolicy{Name: "sprinters-policy", Document: somePolicy(t)}))
	u := must[aws.User](t)(a.CreateUser(t.Context(), aws.NewUser{Name: userName}))
	ok(t, a.AttachUserPolicy(t.Context(), u.Name, p.ARN))
	return p, u
}

func makeKey(t *testing.T, a *aws.Account) (aws.AccessKey, aws.SecretKey) {
	t.Helper()
	k, secret, err := a.CreateAccessKey(t.Context(), userName)
	ok(t, err)
	return k, secret
}

// userContract is the part of the contract suite about users and their keys.
func userContract() map[string]func(*testing.T, place, *aws.Account) {
	return map[string]func(*testing.T, place, *aws.Account){
		"user": func(t *testing.T, p place, a *aws.Account) {
			ctx := t.Context()
			made := must[aws.User](
				t,
			)(
				a.CreateUser(ctx, aws.NewUser{Name: userName, Path: "/vendors/", Tags: []aws.Tag{{Key: "made-by", Value: "rolecall"}}}),
			)
			doc := must[aws.Policy](t)(a.CreatePolicy(ctx, aws.NewPolicy{Name: "sprinters-policy", Document: somePolicy(t)}))
			ok(t, a.AttachUserPolicy(ctx, userName, doc.ARN))
			ok(t, a.AttachUserPolicy(ctx, userName, doc.ARN)) // again is none the worse
			u := must[aws.User](t)(a.User(ctx, userName))
			if u.ARN != "arn:aws:iam::123456789012:user/vendors/"+userName || u.ID != made.ID || len(u.Attached) != 1 ||
				u.Attached[0].ARN != doc.ARN ||
				len(u.Inline) != 0 || len(u.Groups) != 0 || len(u.Tags) != 1 ||
				u.Created.IsZero() {
				t.Errorf("user %+v", u)
			}
			_, err := a.CreateUser(ctx, aws.NewUser{Name: userName})
			kindIs(t, err, aws.Exists)
			if p.strict { // moto tells cases apart
				_, err = a.CreateUser(ctx, aws.NewUser{Name: strings.ToUpper(userName)})
				kindIs(t, err, aws.Exists)
			}
			kindIs(t, a.DeleteUser(ctx, userName), aws.Conflict)
			ok(t, a.DetachUserPolicy(ctx, userName, doc.ARN))
			ok(t, a.DeleteUser(ctx, userName))
			_, err = a.User(ctx, userName)
			kindIs(t, err, aws.NotFound)
			kindIs(t, a.AttachUserPolicy(ctx, userName, doc.ARN), aws.NotFound)
		},
		"access keys": func(t *testing.T, p place, a *aws.Account) {
			ctx := t.Context()
			makeUser(t, a)
			first, secret := makeKey(t, a)
			if first.User != userName || !first.Active || first.Created.IsZero() || aws.CheckSecretKey(secret) != nil {
				t.Errorf("key %+v", first)
			}
			makeKey(t, a)
			_, _, err := a.CreateAccessKey(ctx, userName)
			kindIs(t, err, aws.Limit)
			keys := must[[]aws.AccessKey](t)(a.AccessKeys(ctx, userName))
			if len(keys) != 2 || keys[0].Created.IsZero() || keys[0].ID == keys[1].ID {
				t.Errorf("keys %+v", keys)
			}
			if p.strict { // moto deletes a user with its keys
				kindIs(t, a.DeleteUser(ctx, userName), aws.Conflict)
			}
			for _, k := range keys {
				ok(t, a.DeleteAccessKey(ctx, userName, k.ID))
			}
			kindIs(t, a.DeleteAccessKey(ctx, userName, first.ID), aws.NotFound)
			if keys := must[[]aws.AccessKey](t)(a.AccessKeys(ctx, userName)); len(keys) != 0 {
				t.Errorf("keys %+v", keys)
			}
		},
		"a key tells whose it is": func(t *testing.T, p place, a *aws.Account) {
			ctx := t.Context()
			_, u := makeUser(t, a)
			k, secret := makeKey(t, a)
			id := must[aws.Identity](t)(a.TryKey(ctx, k.ID, secret))
			if id.ARN != u.ARN || id.AccountID != account || id.Kind != aws.IsUser || id.Name != userName {
				t.Errorf("identity %+v", id)
			}
			ok(t, id.CheckOwner(u.Ref(), account))
			if !p.strict {
				return // moto takes any secret
			}
			_, err := a.TryKey(ctx, k.ID, "0123456789012345678901234567890123456789")
			kindIs(t, err, aws.Malformed)
			must[aws.Identity](t)(a.TryKey(ctx, k.ID, secret)) // nothing of the wrong one is remembered
			_, err = a.TryKey(ctx, "AKIAIOSFODNN7EXAMPLE", secret)
			kindIs(t, err, aws.NotSignedIn)
			keys := must[[]aws.AccessKey](t)(a.AccessKeys(ctx, userName))
			if keys[0].LastUsed.IsZero() || keys[0].Service != "sts" {
				t.Errorf("last use %+v", keys[0])
			}
		},
		"verify a user": func(t *testing.T, _ place, a *aws.Account) {
			ctx := t.Context()
			want := aws.WantUser{Name: userName, Policies: []*policy.Document{somePolicy(t)}, Key: true}
			if r := must[aws.UserReport](t)(a.VerifyUser(ctx, want)); r.OK || r.User != nil || statusOf(r, "user-exists") != aws.Fail {
				t.Errorf("report of nobody %+v", r)
			}
			makeUser(t, a)
			if r := must[aws.UserReport](t)(a.VerifyUser(ctx, want)); r.OK || statusOf(r, "user-policy-matches") != aws.Pass ||
				statusOf(r, "user-keys") != aws.Fail {
				t.Errorf("report without a key %+v", r)
			}
			makeKey(t, a)
			if r := must[aws.UserReport](t)(a.VerifyUser(ctx, want)); !r.OK || r.User.Name != userName || statusOf(r, "user-keys") != aws.Pass {
				t.Errorf("report %+v", r)
			}
			makeKey(t, a)
			if r := must[aws.UserReport](t)(a.VerifyUser(ctx, want)); !r.OK || statusOf(r, "user-keys") != aws.Warn {
				t.Errorf("report with two keys %+v", r)
			}
		},
		"user and key watches": func(t *testing.T, _ place, a *aws.Account) {
			ctx := t.Context()
			p := must[aws.Policy](t)(a.CreatePolicy(ctx, aws.NewPolicy{Name: "sprinters-policy", Document: somePolicy(t)}))
			users := a.WatchUser(aws.WantUser{Name: userName, Policies: []*policy.Document{somePolicy(t)}, PolicyARNs: []string{p.ARN}})
			if next, done, err := users.Fetch(ctx); done || err != nil || next <= 0 {
				t.Fatalf("users in an empty account: %v %v %v", next, done, err)
			}
			must[aws.User](t)(a.CreateUser(ctx, aws.NewUser{Name: "called-otherwise"}))
			must[aws.User](t)(a.CreateUser(ctx, aws.NewUser{Name: userName}))
			if _, done, err := users.Fetch(ctx); done || err != nil {
				t.Fatalf("user without its policy: %v %v", done, err)
			}
			if s := users.Sightings(); len(s) != 1 || s[0].User.Name != userName || s[0].Report.OK {
				t.Errorf("sightings %+v", s)
			}
			ok(t, a.AttachUserPolicy(ctx, "called-otherwise", p.ARN))
			if _, done, err := users.Fetch(ctx); !done || err != nil {
				t.Fatalf("user of another name: %v %v %+v", done, err, users.Sightings())
			}
			if s := users.Sightings(); len(s) != 2 || s[0].User.Name != "called-otherwise" || !s[0].Report.OK {
				t.Errorf("sightings %+v", s)
			}
			makeKey(t, a)
			keys := a.WatchKeys(userName)
			if _, done, err := keys.Fetch(ctx); done || err != nil || len(keys.Keys()) != 1 {
				t.Fatalf("an old key is new: %v %v", done, err)
			}
			k, _ := makeKey(t, a)
			if _, done, err := keys.Fetch(ctx); !done || err != nil || len(keys.New()) != 1 || keys.New()[0].ID != k.ID {
				t.Errorf("new key: %v %v %+v", done, err, keys.New())
			}
		},
	}
}

func statusOf(r aws.UserReport, id string) aws.Status {
	c, _ := r.Check(id)
	return c.Status
}

// TestUserContract runs as TestContract does.
func TestUserContract(t *testing.T) {
	for _, p := range []place{rehearsalPlace(), motoPlace(t)} {
		t.Run(p.name, func(t *testing.T) {
			if p.open == nil {
				t.Skip("moto_server is not installed: the contract ran against aws/rehearsal only")
			}
			t.Logf("the contract runs against %s", p.name)
			for name, test := range userContract() {
				t.Run(name, func(t *testing.T) { test(t, p, p.open(t)) })
			}
		})
	}
}

func TestASecretKeyIsNeverPrinted(t *testing.T) {
	const secret = aws.SecretKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
	for _, format := range []string{"%v", "%s", "%q", "%x", "%X", "%#v", "%+v", "%d"} {
		if text := fmt.Sprintf(format, secret); strings.Contains(text, "wJalr") || strings.Contains(strings.ToLower(text), "774a616c72") {
			t.Errorf("%s prints %s", format, text)
		}
		if text := fmt.Sprintf(format, struct{ Key aws.SecretKey }{secret}); strings.Contains(text, "wJalr") ||
			strings.Contains(strings.ToLower(text), "774a616c72") {
			t.Errorf("%s prints %s", format, text)
		}
	}
	if text, err := json.Marshal(struct{ Key aws.SecretKey }{secret}); err == nil {
		t.Errorf("marshalled: %s", text)
	}
}

func TestCheckKeys(t *testing.T) {
	const id, secret = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	ok(t, aws.CheckAccessKeyID(id))
	ok(t, aws.CheckSecretKey(secret))
	for bad, word := range map[string]string{"": "missing", "ASIAIOSFODNN7EXAMPLE": "temporary", secret: "looks like the secret",
		"AKIA": "not an access key"} {
		err := aws.CheckAccessKeyID(bad)
		if err == nil || !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "wJalr") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for bad, word := range map[string]string{"": "missing", id: "not the secret", secret[1:]: "39 characters", secret + " ": "41 characters"} {
		err := aws.CheckSecretKey(aws.SecretKey(bad))
		if err == nil || !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "JalrX") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestCheckOwner(t *testing.T) {
	user := aws.UserRef{Name: userName, ARN: "arn:aws:iam::123456789012:user/" + userName}
	right := aws.Identity{AccountID: account, ARN: user.ARN, Kind: aws.IsUser, Name: userName}
	ok(t, right.CheckOwner(user, account))
	other, root, strange, path := right, right, right, right
	other.Name, other.ARN = "somebody", "arn:aws:iam::123456789012:user/somebody"
	root.Kind = aws.IsRoot
	strange.AccountID = "111122223333"
	path.ARN = "arn:aws:iam::123456789012:user/vendors/" + userName
	for word, id := range map[string]aws.Identity{"the user somebody": other, "root": root, "111122223333": strange, "user " +
		userName: path} {
		if err := id.CheckOwner(user, account); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", word, err)
		}
	}
}

func TestJudgeUserKnowsWhatItCannotSee(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	user := &aws.User{ARN: "arn:aws:iam::123456789012:user/" + userName, Name: userName,
		Attached: []aws.AttachedPolicy{{ARN: "arn:aws:iam::123456789012:policy/p", Name: "p", Document: somePolicy(t)}}}
	want := aws.WantUser{Partition: "aws", AccountID: account, Name: userName, Policies: []*policy.Document{somePolicy(t)}, Key: true}
	key := aws.AccessKey{ID: "AKIAIOSFODNN7EXAMPLE", Active: true, Created: now.Add(-time.Hour)}
	old := key
	old.Created = now.AddDate(-1, 0, 0)
	grouped, less, elsewhere := *user, *user, *user
	grouped.Groups = []string{"admins"}
	less.Groups, less.Attached = []string{"admins"}, []aws.AttachedPolicy{{ARN: "x", Name: "p", Document: parse(t,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*"}]}`, policy.Identity)}}
	elsewhere.ARN = "arn:aws:iam::111122223333:user/" + userName
	bounded := *user
	bounded.Boundary = "arn:aws:iam::123456789012:policy/nothing"
	for name, c := range map[string]struct {
		seen   aws.SeenUser
		id     string
		status aws.Status
		word   string
		ok     bool
	}{
		"right":   {aws.SeenUser{User: user, Keys: []aws.AccessKey{key}}, "user-keys", aws.Pass, "never used", true},
		"old key": {aws.SeenUser{User: user, Keys: []aws.AccessKey{old}}, "user-keys", aws.Warn, "1 year ago", true},
		"bounded": {aws.SeenUser{User: &bounded, Keys: []aws.AccessKey{key}}, "permissions-boundary", aws.Warn, "policy/nothing", true},
		"no keys": {aws.SeenUser{User: user}, "user-keys", aws.Fail, "none", false},
		"keys hid": {aws.SeenUser{User: user, KeysUnknown: true, Denied: []string{"iam:ListAccessKeys"}}, "user-keys", aws.Unknown,
			"iam:ListAccessKeys", false},
		"user hid":   {aws.SeenUser{Denied: []string{"iam:GetUser"}}, "user-exists", aws.Unknown, "iam:GetUser", false},
		"groups":     {aws.SeenUser{User: &grouped, Keys: []aws.AccessKey{key}}, "user-policy-matches", aws.Warn, "admins", true},
		"in a group": {aws.SeenUser{User: &less, Keys: []aws.AccessKey{key}}, "user-policy-matches", aws.Unknown, "admins", false},
		"elsewhere":  {aws.SeenUser{User: &elsewhere, Keys: []aws.AccessKey{key}}, "user-exists", aws.Fail, "111122223333", false},
	} {
		c.seen.Now = now
		r := aws.JudgeUser(want, c.seen)
		check, found := r.Check(c.id)
		if !found || check.Status != c.status || !strings.Contains(check.Got, c.word) || r.OK != c.ok {
			t.Errorf("%s: OK %v, %+v", name, r.OK, check)
		}
		if check.Status != aws.Pass && (check.Fix == "" || check.Why == "") {
			t.Errorf("%s says too little: %+v", name, check)
		}
	}
}

// served waits for a server that was closed.
func served(t *testing.T, done <-chan error) {
	t.Helper()
	if err := <-done; err != nil && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

func TestAUserIsFoundByNameWhereListingIsDenied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rehearsal.New(rehearsal.Options{})
		listener, client := rehearsal.Pipe()
		done := make(chan error, 1)
		go func() { done <- s.Serve(listener) }()
		t.Cleanup(func() { client.CloseIdleConnections(); _ = s.Close(); _ = listener.Close(); served(t, done) })
		synctest.Wait()
		a := open(t, s, aws.Options{HTTPClient: client})
		p, _ := makeUser(t, a)
		s.Deny("iam:ListEntitiesForPolicy")
		w := a.WatchUser(aws.WantUser{Name: userName, Policies: []*policy.Document{somePolicy(t)}, PolicyARNs: []string{p.ARN}})
		if _, found, err := w.Fetch(t.Context()); !found || err != nil {
			t.Fatalf("%v %v %+v", found, err, w.Sightings())
		}
		if _, _, err := w.Fetch(t.Context()); err != nil || !strings.Contains(w.Note(), "iam:ListEntitiesForPolicy") {
			t.Errorf("note %q, %v", w.Note(), err)
		}
		k, secret := makeKey(t, a)
		_, err := a.TryKey(t.Context(), k.ID, secret)
		kindIs(t, err, aws.NotSignedIn) // not yet known everywhere
		time.Sleep(5 * time.Second)
		must[aws.Identity](t)(a.TryKey(t.Context(), k.ID, secret))
	})
}

// TestJudgeUserWantsItsBoundary holds that a user who lost the permissions boundary
// that was asked for is not right.
func TestJudgeUserWantsItsBoundary(t *testing.T) {
	const boundary = "arn:aws:iam::123456789012:policy/limit"
	want := aws.WantUser{Partition: "aws", AccountID: account, Name: userName, Boundary: boundary, BoundaryGiven: true}
	seen := aws.SeenUser{User: &aws.User{ARN: "arn:aws:iam::123456789012:user/" + userName, Name: userName}}
	r := aws.JudgeUser(want, seen)
	if c, _ := r.Check("permissions-boundary"); c.Status != aws.Fail || r.OK {
		t.Errorf("%+v", r)
	}
	seen.User.Boundary = boundary
	if r = aws.JudgeUser(want, seen); !r.OK {
		t.Errorf("%+v", r)
	}
}
