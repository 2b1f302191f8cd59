package steps_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/steps"
	"rolecall/steps/record"
)

const githubProvider = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"

// workflows makes the session one of GitHub Actions.
func (w *world) workflows(method, repository, role string) *world {
	w.t.Helper()
	v, err := steps.Library().Load("github-actions")
	if err != nil {
		w.t.Fatal(err)
	}
	w.aws.AddManagedPolicies("ReadOnlyAccess")
	w.session.Vendor = v
	w.session.Answers = record.Answers{ID: "260131-7k2m", Vendor: v.Name, Method: method, Access: "role",
		Parts: map[string]record.Part{"GitHubActionsRoleArn": {RoleName: role}}}
	w.session.Parameters = map[string]string{"ORGANIZATION": "octo-org", "REPOSITORY": repository, "CONTEXT": "ref:refs/heads/main",
		"POLICY": "ReadOnlyAccess"}
	w.session.Ledger = record.OpenStore(w.t.TempDir()).Ledger(w.session.ID)
	w.session.Prepare()
	w.walk = steps.NewWalk(w.session)
	return w
}

// toStep walks until the step.
func (w *world) toStep(id record.StepID) *world {
	w.t.Helper()
	w.start().at("vendor").enter().at("login").until("the profiles", w.enterWorks).enter().sees("Is this the account").enter()
	return w.at("permissions").enter().at(id)
}

func TestDirectMakesTheProviderAndTakesItAway(t *testing.T) {
	rehearse(t, func(t *testing.T, w *world) {
		w.workflows("direct", "octo-repo", "GitHubActions").toStep("create")
		w.sees("create OIDC provider token.actions.githubusercontent.com", "create these").enter().sees("seen to be right")
		p, err := w.hands().OIDCProvider(t.Context(), githubProvider)
		if err != nil || !p.Takes("sts.amazonaws.com") {
			t.Fatalf("%+v %v", p, err)
		}
		removals, err := w.remover().All(t.Context())
		wantVerdicts(t, removals, err, "attachment ReadOnlyAccess removed", "role GitHubActions removed",
			"OIDC provider token.actions.githubusercontent.com removed")
		if _, err := w.hands().OIDCProvider(t.Context(), githubProvider); aws.KindOf(err) != aws.NotFound {
			t.Errorf("the provider is still there: %v", err)
		}
	})
}

func TestAProviderThatOthersTrustStays(t *testing.T) {
	for name, age := range map[string]time.Duration{"for a minute": time.Minute, "for a second": time.Second, "since now": 0} {
		t.Run(name, func(t *testing.T) { keepsATrustedProvider(t, age) })
	}
}

// keepsATrustedProvider disconnects so long after somebody made a role that trusts
// the provider: AWS does not list it at once.
func keepsATrustedProvider(t *testing.T, age time.Duration) {
	rehearse(t, func(t *testing.T, w *world) {
		w.workflows("direct", "octo-repo", "GitHubActions").toStep("create")
		w.sees("create these").enter().sees("seen to be right")
		g, err := w.session.Grant("GitHubActionsRoleArn")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.hands().CreateRole(t.Context(), aws.NewRole{Name: "Somebody", Trust: g.Trust}); err != nil {
			t.Fatal(err)
		}
		w.quiet(age)
		removals, err := w.remover().All(t.Context())
		wantVerdicts(t, removals, err, "attachment ReadOnlyAccess removed", "role GitHubActions removed",
			"OIDC provider token.actions.githubusercontent.com keep")
		if !strings.Contains(removals[2].Why, "Somebody") {
			t.Errorf("%+v", removals[2])
		}
	})
}

func TestAProviderThatWasThereIsNeverRemoved(t *testing.T) {
	rehearse(t, func(t *testing.T, w *world) {
		w.aws.AddProvider("https://token.actions.githubusercontent.com", "https://github.com/octo-org")
		w.workflows("direct", "octo-repo", "GitHubActions").toStep("create")
		w.sees("add audience sts.amazonaws.com").enter().sees("seen to be right")
		p, err := w.hands().OIDCProvider(t.Context(), githubProvider)
		if err != nil || !slices.Equal(p.ClientIDs, []string{"https://github.com/octo-org", "sts.amazonaws.com"}) {
			t.Fatalf("%+v %v", p, err)
		}
		removals, err := w.remover().All(t.Context())
		wantVerdicts(t, removals, err, "attachment ReadOnlyAccess removed", "role GitHubActions removed")
		if _, err := w.hands().OIDCProvider(t.Context(), githubProvider); err != nil {
			t.Error(err)
		}
	})
}

func TestAProviderThatGoesBetweenPlanAndMakeIsMade(t *testing.T) {
	rehearse(t, func(t *testing.T, w *world) {
		arn := w.aws.AddProvider("https://token.actions.githubusercontent.com", "sts.amazonaws.com")
		w.aws.AddProvider("https://token.actions.githubusercontent.com/other", "sts.amazonaws.com") // of the same host, and no matter
		w.workflows("direct", "octo-repo", "GitHubActions").toStep("create").sees("create these")
		w.aws.RemoveProvider(arn)
		w.enter().sees("seen to be right")
		if _, err := w.hands().OIDCProvider(t.Context(), arn); err != nil {
			t.Error(err)
		}
	})
}

func TestAPolicyThatGrantsNearlyEverythingIsSaidSo(t *testing.T) {
	rehearse(t, func(t *testing.T, w *world) {
		w.workflows("direct", "octo-repo", "GitHubActions")
		w.session.Parameters["POLICY"] = "AdministratorAccess"
		w.start().at("vendor").enter().at("login").until("the profiles", w.enterWorks).enter().sees("Is this the account").enter()
		w.at("permissions").sees("grants nearly everything").sees("repo:octo-org/octo-repo:ref:refs/heads/main")
	})
}

func TestAPolicyOfTheCustomersIsNotCalledAWSs(t *testing.T) {
	rehearse(t, func(t *testing.T, w *world) {
		const arn = "arn:aws:iam::123456789012:policy/team/Mine"
		w.workflows("direct", "octo-repo", "GitHubActions")
		w.aws.AddCustomerPolicies(arn)
		w.session.Parameters["POLICY"] = arn
		w.start().at("vendor").enter().at("login").until("the profiles", w.enterWorks).enter().sees("Is this the account").enter()
		w.at("permissions").sees("customer managed policy").enter().at("create").sees("create these").enter().sees("seen to be right")
	})
}
