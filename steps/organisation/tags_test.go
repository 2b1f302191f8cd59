package organisation_test

import (
	"strconv"
	"strings"
	"testing"

	awsrehearsal "rolecall/aws/rehearsal"
	rehearsal "rolecall/aws/rehearsal/organisation"
	"rolecall/steps/organisation"
)

// TestTagsSelectAccounts asks for the tags while Organizations asks to slow down.
func TestTagsSelectAccounts(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 30})
	o := w.open()
	w.org.Server().Inject(awsrehearsal.Fault{Kind: awsrehearsal.Throttled, Actions: []string{"organizations:ListTagsForResource"}, Times: 5})
	with, err := organisation.WithTags(t.Context(), o.host.Clock, o.host.Cloud, o.chosen, []organisation.Tag{{Key: "team", Value: "web"}})
	if err != nil || len(with) != 10 {
		t.Fatalf("%v %d", err, len(with))
	}
	none, err := organisation.WithTags(t.Context(), o.host.Clock, o.host.Cloud, o.chosen,
		[]organisation.Tag{{Key: "team", Value: "web"}, {Key: "team", Value: "core"}})
	if err != nil || len(none) != 0 {
		t.Errorf("%v %d", err, len(none))
	}
	w.org.Server().Inject(awsrehearsal.Fault{Kind: awsrehearsal.Denied, Actions: []string{"organizations:ListTagsForResource"}, Times: 1})
	if _, err := organisation.WithTags(t.Context(), o.host.Clock, o.host.Cloud, o.chosen, []organisation.Tag{{Key: "a"}}); err == nil {
		t.Error("a refused look selects")
	}
}

// TestPreflightIsAsCheapForThousands counts what it asks, with a policy on single
// accounts of which one is meant no more.
func TestPreflightIsAsCheapForThousands(t *testing.T) {
	deny := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:CreateRole","Resource":"*"}]}`
	where := []string{"100000000003", "100000000005"}
	for i := 7; i < 70; i++ {
		where = append(where, strconv.Itoa(100000000000+i))
	}
	w := newWorld(t, rehearsal.Options{Accounts: 1000, Policies: map[string]string{strings.Join(where, ","): deny, "/prod/eu": deny}})
	o := w.open()
	before := len(w.org.Server().Calls())
	all, err := organisation.Preflight(t.Context(), o.host.Clock, o.host.Cloud, o.tree, o.host.Wanted, o.chosen)
	if err != nil || len(all) != 2 || all[0].At != "/prod/eu" || all[1].Accounts != 65 || all[1].At != "100000000003 and 64 other accounts" {
		t.Errorf("%v %+v", err, all)
	}
	if calls := len(w.org.Server().Calls()) - before; calls > 10 {
		t.Errorf("%d requests for 1,000 accounts", calls)
	}
}
