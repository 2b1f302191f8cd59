package aws_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/policy"
)

// virtual runs a test in virtual time against a rehearsal account that is
// reached over real HTTP through memory.
func virtual(t *testing.T, o rehearsal.Options, test func(t *testing.T, s *rehearsal.Server, a *aws.Account)) {
	synctest.Test(t, func(t *testing.T) {
		s := rehearsal.New(o)
		listener, client := rehearsal.Pipe()
		go func() { _ = s.Serve(listener) }()
		synctest.Wait()
		test(t, s, open(t, s, aws.Options{HTTPClient: client}))
		client.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// fetcher is either watch.
type fetcher interface {
	Fetch(context.Context) (time.Duration, bool, error)
	Note() string
}

// poll fetches as a step does until done or until d is over.
func poll(t *testing.T, w fetcher, d time.Duration) (done bool) {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		next, done, err := w.Fetch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if next <= 0 {
			t.Fatalf("next is %v", next)
		}
		if done {
			return true
		}
		time.Sleep(next)
	}
	return false
}

func wantRole(t *testing.T) aws.Want {
	return aws.Want{Principals: []string{vendor}, ExternalID: extID, RoleName: "Spot-Role", Policies: []*policy.Document{somePolicy(t)}}
}

func do(t *testing.T, s *rehearsal.Server, action string, nameValues ...string) {
	t.Helper()
	params := map[string]string{}
	for i := 0; i < len(nameValues); i += 2 {
		params[nameValues[i]] = nameValues[i+1]
	}
	ok(t, s.Do(action, params))
}

func addRole(t *testing.T, s *rehearsal.Server, name string, trust *policy.Document) {
	t.Helper()
	do(t, s, "iam:CreateRole", "RoleName", name, "AssumeRolePolicyDocument", trust.Compact())
}

func addPolicy(t *testing.T, s *rehearsal.Server, name string, d *policy.Document) string {
	t.Helper()
	do(t, s, "iam:CreatePolicy", "PolicyName", name, "PolicyDocument", d.Compact())
	return aws.PolicyARN("aws", s.Account(), "", name)
}

func TestRoleIsFoundWhateverItIsCalled(t *testing.T) {
	virtual(t, rehearsal.Options{}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
		w := a.WatchRole(wantRole(t))
		if poll(t, w, 30*time.Second) {
			t.Fatal("found a role in an empty account")
		}
		began := time.Now()
		addRole(t, s, "My-Own-Name", someTrust())
		arn := addPolicy(t, s, "My-Policy", somePolicy(t))
		if poll(t, w, 30*time.Second) {
			t.Fatal("a role without a policy is not done")
		}
		if m := w.Matches(); len(m) != 1 || m[0].Role.Name != "My-Own-Name" {
			t.Fatalf("matches %+v", m)
		}
		do(t, s, "iam:AttachRolePolicy", "RoleName", "My-Own-Name", "PolicyArn", arn)
		if !poll(t, w, 30*time.Second) {
			t.Fatalf("not found: %+v", w.Matches())
		}
		t.Logf("found %v after it was made", time.Since(began))
		atMost20aMinute(t, s)
	})
}

// TestAttachingShowsSoon takes the worst moment to attach the policy: whenever
// it is done, it shows within a quarter of a minute, in a large account too.
func TestAttachingShowsSoon(t *testing.T) {
	for roles, offsets := range map[int]int{1: 12, 2000: 3} {
		for offset := range offsets {
			virtual(t, rehearsal.Options{Propagation: -1}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
				addRole(t, s, "My-Own-Name", someTrust())
				other := policy.NewTrust("aws", []string{stranger}, "someone-else")
				for i := range roles {
					addRole(t, s, fmt.Sprint("other-", i), other)
				}
				arn := addPolicy(t, s, "My-Policy", somePolicy(t))
				w := a.WatchRole(wantRole(t))
				delay := time.Minute + time.Duration(offset)*time.Second
				attached := time.Now().Add(delay)
				time.AfterFunc(delay, func() {
					if err := s.Do("iam:AttachRolePolicy", map[string]string{"RoleName": "My-Own-Name", "PolicyArn": arn}); err != nil {
						t.Error(err)
					}
				})
				if !poll(t, w, 3*time.Minute) {
					t.Fatal("not found")
				}
				if took := time.Since(attached); took > 15*time.Second {
					t.Errorf("among %d roles, attached at second %d: found after %v", roles, offset, took)
				}
				atMost20aMinute(t, s)
			})
		}
	}
}

// atMost20aMinute counts the IAM requests of every minute.
func atMost20aMinute(t *testing.T, s *rehearsal.Server) {
	t.Helper()
	var sent []time.Time
	for _, c := range s.Calls() {
		if strings.HasPrefix(c.Action, "iam:") {
			sent = append(sent, c.At)
		}
	}
	if len(sent) == 0 {
		t.Fatal("no IAM request at all")
	}
	for i, at := range sent {
		n := 0
		for _, other := range sent[i:] {
			if other.Sub(at) < time.Minute {
				n++
			}
		}
		if n > 20 {
			t.Fatalf("%d requests within a minute", n)
		}
	}
}

func TestBothWatchesStayWithinTheBudget(t *testing.T) {
	virtual(t, rehearsal.Options{}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
		for i := range 5 {
			addRole(t, s, fmt.Sprint("half-done-", i), someTrust())
		}
		roles := a.WatchRole(wantRole(t))
		policies := a.WatchPolicy(aws.WantPolicy{Document: somePolicy(t), SuggestedName: "Spot-Policy"})
		finished := make(chan bool)
		go func() { finished <- poll(t, policies, 10*time.Minute) }()
		poll(t, roles, 10*time.Minute)
		<-finished
		atMost20aMinute(t, s)
	})
}

func TestFiveThousandRoles(t *testing.T) {
	virtual(t, rehearsal.Options{Propagation: -1}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
		other := policy.NewTrust("aws", []string{"444455556666"}, "someone-else")
		for i := range 5000 {
			addRole(t, s, fmt.Sprintf("role-%04d", i), other)
		}
		w := a.WatchRole(wantRole(t))
		for round := range 3 {
			before := len(s.Calls())
			next, _, err := w.Fetch(t.Context())
			ok(t, err)
			if n := listCalls(s, before); n != 5 || w.Note() != "" {
				t.Errorf("round %d: %d list calls, note %q", round, n, w.Note())
			}
			time.Sleep(next)
		}
		// One of them goes, so that the new one fits into five pages.
		do(t, s, "iam:DeleteRole", "RoleName", "role-0000")
		addRole(t, s, "zz-the-last", someTrust())
		before := len(s.Calls())
		_, _, err := w.Fetch(t.Context())
		ok(t, err)
		if n := listCalls(s, before); n > 5 || len(w.Matches()) != 1 {
			t.Errorf("%d list calls, matches %+v", n, w.Matches())
		}
		atMost20aMinute(t, s)
	})
}

// TestSmallPages has an IAM that gives fewer entries than asked for: a round
// still ends after five pages, and the next goes on there.
func TestSmallPages(t *testing.T) {
	virtual(t, rehearsal.Options{Propagation: -1, LargestPage: 50}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
		other := policy.NewTrust("aws", []string{stranger}, "someone-else")
		for i := range 600 {
			addRole(t, s, fmt.Sprint("role-", i), other)
			addPolicy(t, s, fmt.Sprint("policy-", i), somePolicy(t))
		}
		addRole(t, s, "zz-the-last", someTrust())
		roles := a.WatchRole(wantRole(t))
		policies := a.WatchPolicy(aws.WantPolicy{Document: somePolicy(t)})
		for round := range 3 {
			before := len(s.Calls())
			next, _, err := roles.Fetch(t.Context())
			ok(t, err)
			if n := listCalls(s, before); n > 5 || (roles.Note() == "") != (round == 2) {
				t.Errorf("round %d: %d list calls, note %q", round, n, roles.Note())
			}
			time.Sleep(next)
			next, _, err = policies.Fetch(t.Context())
			ok(t, err)
			time.Sleep(next)
		}
		if len(roles.Matches()) != 1 || len(policies.Matches()) != 600 {
			t.Errorf("%d roles and %d policies match", len(roles.Matches()), len(policies.Matches()))
		}
		atMost20aMinute(t, s)
	})
}

func listCalls(s *rehearsal.Server, after int) (n int) {
	for _, c := range s.Calls()[after:] {
		if c.Action == "iam:ListRoles" || c.Action == "iam:GetAccountAuthorizationDetails" {
			n++
		}
	}
	return n
}

func TestTroubleIsALaterNextNotAnError(t *testing.T) {
	for name, kind := range map[string]rehearsal.FaultKind{
		"throttled": rehearsal.Throttled, "dropped before": rehearsal.DropBefore, "dropped after": rehearsal.DropAfter,
		"500": rehearsal.Broken, "503": rehearsal.Away} {
		t.Run(name, func(t *testing.T) {
			virtual(t, rehearsal.Options{}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
				w := a.WatchRole(wantRole(t))
				_, _, err := w.Fetch(t.Context())
				ok(t, err)
				s.Inject(rehearsal.Fault{Kind: kind, Actions: []string{"iam:ListRoles"}, Times: 4})
				var last time.Duration
				for range 4 {
					next, _, err := w.Fetch(t.Context())
					ok(t, err)
					if next <= last && next < time.Minute || w.Note() == "" {
						t.Errorf("next %v after %v, note %q", next, last, w.Note())
					}
					last = next
					time.Sleep(next)
				}
				next, _, err := w.Fetch(t.Context())
				ok(t, err)
				if next >= last || w.Note() != "" {
					t.Errorf("recovered: next %v, note %q", next, w.Note())
				}
			})
		})
	}
}

func TestExpiredCredentialsAreRenewedMidWay(t *testing.T) {
	virtual(t, rehearsal.Options{}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
		w := a.WatchRole(wantRole(t))
		_, _, err := w.Fetch(t.Context())
		ok(t, err)
		s.ExpireCredentials()
		next, _, err := w.Fetch(t.Context())
		kindIs(t, err, aws.Expired)
		if e := aws.Explain(err); e.Next == "" || next <= 0 {
			t.Errorf("next %v, error %+v", next, e)
		}
		s.RenewCredentials()
		ok(t, a.Renew(t.Context()))
		addRole(t, s, "Spot-Role", someTrust())
		time.Sleep(5 * time.Second)
		_, _, err = w.Fetch(t.Context())
		ok(t, err)
		if len(w.Matches()) != 1 {
			t.Errorf("matches %+v", w.Matches())
		}
	})
}

func TestDeniedActionsAreNamedAndWorkedAround(t *testing.T) {
	virtual(t, rehearsal.Options{}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
		addRole(t, s, "Other-Name", someTrust())
		addRole(t, s, "Spot-Role", someTrust())
		time.Sleep(5 * time.Second)
		s.Deny("iam:GetAccountAuthorizationDetails")
		w := a.WatchRole(wantRole(t))
		_, _, err := w.Fetch(t.Context())
		ok(t, err)
		if n := len(w.Matches()); n != 2 || w.Matches()[0].Role.Name != "Spot-Role" {
			t.Errorf("by list: %d matches", n)
		}
		s.Deny("iam:ListRoles")
		w = a.WatchRole(wantRole(t))
		_, _, err = w.Fetch(t.Context())
		ok(t, err)
		if n := len(w.Matches()); n != 1 || !strings.Contains(w.Note(), "iam:ListRoles") {
			t.Errorf("by name: %d matches, note %q", n, w.Note())
		}
		s.Deny("iam:GetRole")
		w = a.WatchRole(wantRole(t))
		next, _, err := w.Fetch(t.Context())
		kindIs(t, err, aws.Denied)
		if e := aws.Explain(err); e.Action != "iam:GetRole" || next <= 0 {
			t.Errorf("next %v, error %+v", next, e)
		}
		s.ClearFaults()
		time.Sleep(3 * time.Minute)
		_, _, err = w.Fetch(t.Context())
		ok(t, err)
		if n := len(w.Matches()); n != 2 || w.Note() != "" {
			t.Errorf("granted meanwhile: %d matches, note %q", n, w.Note())
		}
	})
}

func TestNearMissAndNameTaken(t *testing.T) {
	virtual(t, rehearsal.Options{Propagation: -1}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
		addRole(t, s, "Close", policy.NewTrust("aws", []string{vendor}, "spotinst:aws:extid:0000000000000000"))
		addRole(t, s, "Spot-Role", policy.NewTrust("aws", []string{"444455556666"}, ""))
		w := a.WatchRole(wantRole(t))
		for range 2 { // on arrival, and by the list
			_, done, err := w.Fetch(t.Context())
			ok(t, err)
			near, named := w.NearMiss(), w.Named()
			if done || near == nil || near.Role.Name != "Close" || near.ExternalIDs[0] != "spotinst:aws:extid:0000000000000000" {
				t.Fatalf("near miss %+v", near)
			}
			if c, _ := near.Report.Check("trust-external-id"); c.Status != aws.Fail || c.Want != extID {
				t.Errorf("check %+v", c)
			}
			if named == nil || named.Role.Name != "Spot-Role" {
				t.Errorf("named %+v", named)
			}
		}
		// Corrected in place: the list shows a changed trust policy.
		do(t, s, "iam:UpdateAssumeRolePolicy", "RoleName", "Close", "PolicyDocument", someTrust().Compact())
		_, _, err := w.Fetch(t.Context())
		ok(t, err)
		if len(w.Matches()) != 1 || w.NearMiss() != nil {
			t.Errorf("after the correction: %+v, %+v", w.Matches(), w.NearMiss())
		}
		do(t, s, "iam:DeleteRole", "RoleName", "Close")
		_, _, err = w.Fetch(t.Context())
		ok(t, err)
		if len(w.Matches()) != 0 {
			t.Errorf("after the deletion: %+v", w.Matches())
		}
	})
}

func TestSeveralRolesAndNoExternalIDKnown(t *testing.T) {
	virtual(t, rehearsal.Options{Partition: "aws-cn", Propagation: -1}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
		for i, id := range []string{"first-id", "second-id"} {
			addRole(t, s, fmt.Sprint("role-", i), policy.NewTrust("aws-cn", []string{vendor}, id))
			do(t, s, "iam:PutRolePolicy", "RoleName", fmt.Sprint("role-", i), "PolicyName", "inline", "PolicyDocument", somePolicy(t).Compact())
		}
		addRole(t, s, "of-another-partition", policy.NewTrust("aws", []string{vendor}, "first-id"))
		want := wantRole(t)
		want.ExternalID, want.RoleName = "", "role-1"
		w := a.WatchRole(want)
		_, done, err := w.Fetch(t.Context())
		ok(t, err)
		m := w.Matches()
		if done || len(m) != 2 || m[0].Role.Name != "role-1" || m[0].ExternalIDs[0] != "second-id" || len(w.NearMisses()) != 0 {
			t.Fatalf("done %v, matches %+v", done, m)
		}
		for _, c := range m[0].Report.Checks {
			if wanted := map[bool]aws.Status{true: aws.Unknown, false: aws.Pass}[c.ID == "trust-external-id"]; c.Status != wanted {
				t.Errorf("%+v", c)
			}
		}
	})
}

func TestPolicyIsFoundByWhatItGrants(t *testing.T) {
	virtual(t, rehearsal.Options{Propagation: -1}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
		less := parse(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}}`, policy.Identity)
		more := parse(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, policy.Identity)
		addPolicy(t, s, "Everything", more)
		addPolicy(t, s, "Spot-Policy", less)
		w := a.WatchPolicy(aws.WantPolicy{Document: somePolicy(t), SuggestedName: "spot-policy"})
		_, done, err := w.Fetch(t.Context())
		ok(t, err)
		if m := w.Matches(); done || len(m) != 1 || m[0].Exact || m[0].Policy.Name != "Everything" {
			t.Errorf("done %v, matches %+v", done, m)
		}
		if n := w.Named(); n == nil || !n.Difference.Less() || len(n.Difference.Removed) == 0 {
			t.Errorf("named %+v", n)
		}
		arn := aws.PolicyARN("aws", s.Account(), "", "Spot-Policy")
		do(t, s, "iam:CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", somePolicy(t).Compact(), "SetAsDefault", "true")
		before := len(s.Calls())
		_, done, err = w.Fetch(t.Context())
		ok(t, err)
		if m := w.Matches(); !done || len(m) != 2 || !m[0].Exact || m[0].Policy.VersionID != "v2" || w.Named() != nil {
			t.Errorf("done %v, matches %+v", done, m)
		}
		if n := len(s.Calls()) - before; n != 2 {
			t.Errorf("%d requests for one changed version", n)
		}
	})
}

func TestPolicyWithoutListing(t *testing.T) {
	virtual(t, rehearsal.Options{Propagation: -1}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
		s.Deny("iam:GetAccountAuthorizationDetails", "iam:ListPolicies")
		w := a.WatchPolicy(aws.WantPolicy{Document: somePolicy(t), SuggestedName: "Spot-Policy"})
		_, done, err := w.Fetch(t.Context())
		ok(t, err)
		if done || !strings.Contains(w.Note(), "iam:ListPolicies") {
			t.Errorf("done %v, note %q", done, w.Note())
		}
		addPolicy(t, s, "Spot-Policy", somePolicy(t))
		if !poll(t, w, time.Minute) {
			t.Error("not found by its name")
		}
	})
}

func TestFetchStopsWhenTheStepIsLeft(t *testing.T) {
	virtual(t, rehearsal.Options{}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
		s.SetLatency(time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, _, err := a.WatchRole(wantRole(t)).Fetch(ctx)
		if err == nil || time.Since(began) > 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
