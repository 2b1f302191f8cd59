package aws_test

import (
	"slices"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/policy"
)

const somePolicyARN = "arn:aws:iam::123456789012:policy/Spot-Policy"

func someNeeds() []aws.Permission {
	role := "arn:aws:iam::123456789012:role/Spot-Role"
	return []aws.Permission{
		{Action: "iam:CreateRole", Resource: role},
		{Action: "iam:CreatePolicy", Resource: somePolicyARN},
		{Action: "iam:GetRole", Resource: role},
		{Action: "iam:AttachRolePolicy", Resource: role, PolicyARN: somePolicyARN},
	}
}

func TestMissingNamesWhatTheSimulatorDenies(t *testing.T) {
	s, a := start(t, rehearsal.Options{})
	missing, known, err := a.Missing(t.Context(), someNeeds())
	if err != nil || !known || len(missing) != 0 {
		t.Fatalf("%v %v %v", missing, known, err)
	}
	s.Deny("iam:CreatePolicy")
	s.Inject(rehearsal.Fault{Kind: rehearsal.DeniedSCP, Actions: []string{"iam:AttachRolePolicy"}})
	missing, known, err = a.Missing(t.Context(), someNeeds())
	if err != nil || !known || len(missing) != 2 || missing[0].Action != "iam:CreatePolicy" || missing[1].Action != "iam:AttachRolePolicy" {
		t.Fatalf("%v %v %v", missing, known, err)
	}
}

func TestMissingIsUnknownWhereTheSimulatorMayNotBeAsked(t *testing.T) {
	s, a := start(t, rehearsal.Options{})
	s.Deny("iam:SimulatePrincipalPolicy")
	if missing, known, err := a.Missing(t.Context(), someNeeds()); err != nil || known || missing != nil {
		t.Fatalf("%v %v %v", missing, known, err)
	}
	s.ClearFaults()
	s.ExpireCredentials()
	_, _, err := a.Missing(t.Context(), someNeeds())
	kindIs(t, err, aws.Expired)
}

func TestMissingIsUnknownForTheRootOfAnAccount(t *testing.T) {
	s, a := start(t, rehearsal.Options{CallerARN: "arn:aws:iam::123456789012:root"})
	if missing, known, err := a.Missing(t.Context(), someNeeds()); err != nil || known || missing != nil {
		t.Fatalf("%v %v %v", missing, known, err)
	}
	for _, call := range s.Calls() {
		if call.Action == "iam:SimulatePrincipalPolicy" {
			t.Fatal("asked about the root, which the simulator does not know")
		}
	}
}

func TestCallerPolicyGroupsByResourceAndCondition(t *testing.T) {
	doc := aws.CallerPolicy(someNeeds())
	if _, refusals := policy.Check([]byte(doc.Compact()), policy.Identity); len(refusals) > 0 {
		t.Fatalf("%+v", refusals)
	}
	if len(doc.Statements) != 3 || !slices.Equal(doc.Statements[0].Action, []string{"iam:CreateRole", "iam:GetRole"}) {
		t.Fatalf("%s", doc.Pretty())
	}
	last := doc.Statements[2]
	if len(last.Condition) != 1 || last.Condition[0].Key != "iam:PolicyARN" || last.Condition[0].Values[0] != somePolicyARN {
		t.Fatalf("%s", doc.Pretty())
	}
}

func TestSettingsOfARoleAndPolicyChange(t *testing.T) {
	for _, p := range []place{rehearsalPlace(), motoPlace(t)} {
		t.Run(p.name, func(t *testing.T) {
			if p.open == nil {
				t.Skip("moto_server is not installed: the contract ran against aws/rehearsal only")
			}
			a, ctx := p.open(t), t.Context()
			made, r := makeRole(t, a)
			tags := []aws.Tag{{Key: "team", Value: "platform"}}
			ok(t, a.SetMaxSession(ctx, r.Name, 3*time.Hour))
			ok(t, a.TagRole(ctx, r.Name, tags))
			ok(t, a.TagPolicy(ctx, made.ARN, tags))
			ok(t, a.SetBoundary(ctx, r.Name, made.ARN))
			r = must[aws.Role](t)(a.Role(ctx, r.Name))
			if r.MaxSession != 3*time.Hour || r.Boundary != made.ARN || !slices.Equal(r.Tags, tags) {
				t.Errorf("%+v", r)
			}
			if got := must[aws.Policy](t)(a.Policy(ctx, made.ARN)); !slices.Equal(got.Tags, tags) {
				t.Errorf("%+v", got.Tags)
			}
			if found := must[aws.Policy](t)(a.FindPolicy(ctx, "spot-POLICY")); found.ARN != made.ARN {
				t.Errorf("found %s", found.ARN)
			}
			_, err := a.FindPolicy(ctx, "no-such")
			kindIs(t, err, aws.NotFound)
			kindIs(t, a.SetMaxSession(ctx, "no-such", time.Hour), aws.NotFound)
		})
	}
}
