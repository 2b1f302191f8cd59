package steps_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/policy"
	"rolecall/steps"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

const createStep record.StepID = "create"

const (
	spotPolicy = "arn:aws:iam::123456789012:policy/Spot-Policy"
	spotRole   = "arn:aws:iam::123456789012:role/Spot-Role"
)

// direct makes the session one of the direct method, with a receipt on disk.
func (w *world) direct() *world {
	w.t.Helper()
	w.session.Method = "direct"
	w.session.ID, w.session.Partition = "260131-7k2m", "aws"
	w.session.Ledger = record.OpenStore(w.t.TempDir()).Ledger(w.session.ID)
	w.walk = steps.NewWalk(w.session)
	return w
}

// toCreate walks with the defaults to the create step.
func (w *world) toCreate() *world {
	w.t.Helper()
	w.start().at("vendor").enter().sees("prod").enter()
	w.arrives("partition").enter().at("login").until("the profiles", w.enterWorks).enter().sees("Is this the account").enter()
	w.at("permissions").enter()
	if w.walk.Step().ID() == "permissions" {
		w.presses("use")
	}
	return w.analysed().at(createStep)
}

// tasks are the tasks on the screen: "finished: role Spot-Role, adopted".
func (w *world) tasks() string {
	w.t.Helper()
	var lines []string
	for _, b := range w.walk.Screen().Blocks {
		if tasks, ok := b.(screen.Tasks); ok {
			for _, task := range tasks {
				lines = append(lines, string(task.State)+": "+task.Name+", "+task.Detail)
			}
		}
	}
	return strings.Join(lines, "\n")
}

// writes counts the requests of an action.
func (w *world) requests(action string) int {
	n := 0
	for _, call := range w.aws.Calls() {
		if call.Action == action {
			n++
		}
	}
	return n
}

func (w *world) receipt() record.Receipt {
	w.t.Helper()
	r, err := w.session.Ledger.Receipt()
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// states are the receipt's entries: "policy Spot-Policy made".
func states(r record.Receipt) []string {
	var all []string
	for _, i := range r.Items {
		all = append(all, string(i.Kind)+" "+i.Name+" "+string(i.State))
	}
	slices.Sort(all)
	return all
}

var madeAll = []string{"attachment Spot-Policy made", "policy Spot-Policy made", "role Spot-Role made"}

// existsOnce checks that exactly one policy and one role exist, rightly
// attached, and that the receipt knows them by their IDs.
func (w *world) existsOnce() {
	w.t.Helper()
	hands := w.hands()
	p, err := hands.Policy(w.t.Context(), spotPolicy)
	if err != nil || !p.Document.Equal(w.wantedPolicy()) || p.Attachments != 1 {
		w.t.Fatalf("%+v %v", p, err)
	}
	r, err := hands.Role(w.t.Context(), "Spot-Role")
	if err != nil || !r.Trust.Equal(w.grant("SpotinstRoleArn").Trust) || len(r.Attached) != 1 {
		w.t.Fatalf("%+v %v", r, err)
	}
	receipt := w.receipt()
	if got := states(receipt); !slices.Equal(got, madeAll) {
		w.t.Fatalf("the receipt says %v", got)
	}
	for _, i := range receipt.Items {
		if i.ID != p.ID && i.ID != r.ID && i.RoleID != r.ID {
			w.t.Fatalf("the receipt has %+v, AWS has policy %s and role %s", i, p.ID, r.ID)
		}
	}
	q, err := hands.Quotas(w.t.Context())
	if err != nil || q.Policies != 1 || q.Roles != 1 {
		w.t.Fatalf("%d policies, %d roles: %v", q.Policies, q.Roles, err)
	}
}

func TestTheDirectMethodMakesPolicyAndRoleAndHandsTheRoleOver(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.direct().toCreate().sees(
			"create policy Spot-Policy",
			"create role Spot-Role",
			"attach Spot-Policy to Spot-Role",
			"policy simulator says so",
		)
		if n := w.requests("iam:CreatePolicy") + w.requests("iam:CreateRole"); n > 0 {
			t.Fatal("something was made before the plan was agreed to")
		}
		w.enter().sees("seen to be right")
		w.existsOnce()
		w.enter().at("connect").enter().sees("accepted the role")
		result := w.session.Result()
		if !result.Submitted || len(result.Roles) != 1 || result.Roles[0].ARN != spotRole || !strings.HasPrefix(result.Roles[0].ID, "AROA") {
			t.Fatalf("%+v", result)
		}
		if len(result.Policies) != 1 || result.Policies[0].ARN != spotPolicy || result.Policies[0].Characters != 6097 {
			t.Fatalf("%+v", result.Policies)
		}
		if got := w.spot.Accounts()[0]; got.Role != spotRole || got.ExternalID != result.ExternalID {
			t.Fatalf("Spot holds %+v", got)
		}
	})
}

func TestASecondRunChangesNothingAndSaysSo(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.direct().toCreate().sees("create these").enter().sees("seen to be right")
		writes := w.requests("iam:CreatePolicy") + w.requests("iam:CreateRole") + w.requests("iam:AttachRolePolicy")

		w.session, w.pending = w.newSession(), nil
		w.direct().toCreate().sees("there already")
		if !strings.Contains(w.tasks(), "finished: role Spot-Role, exists and is right: adopted") {
			t.Fatal(w.tasks())
		}
		if again := w.requests("iam:CreatePolicy") + w.requests("iam:CreateRole") + w.requests("iam:AttachRolePolicy"); again != writes {
			t.Fatalf("%d requests that write, then %d", writes, again)
		}
		want := []string{"attachment Spot-Policy adopted", "policy Spot-Policy adopted", "role Spot-Role adopted"}
		if got := states(w.receipt()); !slices.Equal(got, want) {
			t.Fatalf("the receipt says %v", got)
		}
		w.enter().at("connect").enter().sees("accepted the role")
	})
}

func TestHalfOfItIsAdoptedAndTheRestMade(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.direct()
		w.createPolicy("Spot-Policy", w.wantedPolicy())
		w.toCreate().sees("policy Spot-Policy", "create role Spot-Role").seesNot("create policy").enter().sees("seen to be right")
		want := []string{"attachment Spot-Policy made", "policy Spot-Policy adopted", "role Spot-Role made"}
		if got := states(w.receipt()); !slices.Equal(got, want) {
			t.Fatalf("the receipt says %v", got)
		}
	})
}

func TestARoleThatIsRightUnderOtherPolicyNamesIsAdopted(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.direct()
		id, err := w.api.MintExternalID(t.Context(), "act-12ab12ab")
		if err != nil {
			t.Fatal(err)
		}
		w.createPolicy("made-by-hand", w.wantedPolicy())
		w.createRole("Spot-Role", id, "arn:aws:iam::123456789012:policy/made-by-hand")
		w.toCreate().sees("there already")
		if got := w.session.Result().Policies[0].ARN; got != "arn:aws:iam::123456789012:policy/made-by-hand" {
			t.Fatal(got)
		}
		if w.requests("iam:AttachRolePolicy") != 1 { // of the hands
			t.Fatal("attached again")
		}
	})
}

func TestADifferentPolicyIsAskedAboutAndCanBeUpdated(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.direct()
		full := w.wantedPolicy()
		w.createPolicy("Spot-Policy", policy.NewDocument(full.Statements[:5]...))
		w.toCreate().sees("Spot-Policy exists and differs", "it lacks", "Use another name", "Update it", "Stop")
		if p := block[screen.Problem](w); p.Kind != screen.NotAsNeeded || p.Passing {
			t.Fatalf("%+v", p)
		}
		if c := block[screen.Choices](w); c.Picked != "" {
			t.Fatalf("--yes would pick %q", c.Picked)
		}
		w.chooses("difference", "update").sees("update policy Spot-Policy", "create role").enter().sees("seen to be right")
		p, err := w.hands().Policy(t.Context(), spotPolicy)
		if err != nil || !p.Document.Equal(full) || p.VersionID != "v2" {
			t.Fatalf("%+v %v", p, err)
		}
		want := []string{"attachment Spot-Policy made", "policy Spot-Policy updated", "role Spot-Role made"}
		if got := states(w.receipt()); !slices.Equal(got, want) {
			t.Fatalf("the receipt says %v", got)
		}
	})
}

func TestAnUpdateDeletesNoVersionThatRolecallCannotProveItMade(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.direct()
		full := w.wantedPolicy()
		w.createPolicy("Spot-Policy", policy.NewDocument(full.Statements[:5]...))
		for n := 6; n < 10; n++ {
			if _, err := w.hands().CreatePolicyVersion(t.Context(), spotPolicy, policy.NewDocument(full.Statements[:n]...)); err != nil {
				t.Fatal(err)
			}
		}
		w.toCreate().sees("exists and differs").chooses("difference", "update").sees("update policy").enter().
			sees("five versions", "delete-policy-version", "--version-id v1")
		versions, err := w.hands().PolicyVersions(t.Context(), spotPolicy)
		if err != nil || len(versions) != 5 || !slices.ContainsFunc(versions, func(v aws.PolicyVersion) bool { return v.ID == "v1" }) {
			t.Fatalf("%+v %v", versions, err)
		}
	})
}

func TestADifferentRoleCanBeLeftForAnotherName(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.direct()
		w.createRole("Spot-Role", "spotinst:aws:extid:0000000000000000")
		w.toCreate().sees("Spot-Role exists and differs", "it trusts otherwise").chooses("difference", "another-name")
		w.enter().sees("Type another name: Spot-Role is taken.")
		w.types("role-name SpotinstRoleArn", "spot-role").enter().sees("spot-role is taken. Type another name.")
		w.types("role-name SpotinstRoleArn", "has space").sees("a space")
		w.types("role-name SpotinstRoleArn", "Spot-Role-2").sees("create role Spot-Role-2").enter().sees("seen to be right", "role/Spot-Role-2")
		old, err := w.hands().Role(t.Context(), "Spot-Role")
		if err != nil || len(old.Attached) != 0 {
			t.Fatalf("the other role was touched: %+v %v", old, err)
		}
	})
}

func TestADifferentRoleCanBeUpdated(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.direct()
		w.session.Tags, w.session.SessionFor = map[string]string{"team": "platform"}, 2*time.Hour
		w.createRole("Spot-Role", "spotinst:aws:extid:0000000000000000")
		w.toCreate().sees("it trusts otherwise", "its longest session is 1h", "it lacks the tags team=platform")
		w.chooses("difference", "update").sees("update the trust policy of Spot-Role").enter().sees("seen to be right")
		r, err := w.hands().Role(t.Context(), "Spot-Role")
		if err != nil || !r.Trust.Equal(w.grant("SpotinstRoleArn").Trust) || r.MaxSession != 2*time.Hour ||
			!slices.Equal(r.Tags, []aws.Tag{{Key: "team", Value: "platform"}}) {
			t.Fatalf("%+v %v", r, err)
		}
	})
}

func TestARoleThatHasMoreIsNeverAdoptedNorStripped(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.direct()
		id, err := w.api.MintExternalID(t.Context(), "act-12ab12ab")
		if err != nil {
			t.Fatal(err)
		}
		w.createRole("Spot-Role", id, "arn:aws:iam::aws:policy/AdministratorAccess")
		w.toCreate().sees("it also has AdministratorAccess")
		for _, o := range block[screen.Choices](w).Options {
			if o.ID == "update" && o.Disabled == "" {
				t.Fatal("offers to update a role with a policy that is not rolecall's")
			}
		}
		w.chooses("difference", "update").sees("it also has AdministratorAccess")
		w.chooses("difference", "stop").sees("Nothing was changed")
	})
}

func TestPathTagsBoundaryAndSessionAreHonoured(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.direct()
		boundary := w.createPolicy(
			"boundary",
			policy.NewDocument(policy.Statement{Effect: policy.Allow, Action: []string{"*"}, Resource: []string{"*"}}),
		)
		w.session.Path, w.session.Boundary = "/vendors/", boundary.ARN
		w.session.Tags, w.session.SessionFor = map[string]string{"team": "platform", "cost": "42"}, 4*time.Hour
		w.toCreate().sees("/vendors/", boundary.ARN, "4h", "cost=42, team=platform").enter().sees("seen to be right")
		tags := []aws.Tag{{Key: "cost", Value: "42"}, {Key: "team", Value: "platform"}}
		p, err := w.hands().Policy(t.Context(), "arn:aws:iam::123456789012:policy/vendors/Spot-Policy")
		if err != nil || !slices.Equal(p.Tags, tags) {
			t.Fatalf("%+v %v", p, err)
		}
		r, err := w.hands().Role(t.Context(), "Spot-Role")
		if err != nil || r.ARN != "arn:aws:iam::123456789012:role/vendors/Spot-Role" || r.Boundary != boundary.ARN ||
			r.MaxSession != 4*time.Hour ||
			!slices.Equal(r.Tags, tags) {
			t.Fatalf("%+v %v", r, err)
		}
	})
}

func TestATakenPolicyNameAtAnotherPathIsFound(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.direct()
		if _, err := w.hands().CreatePolicy(
			t.Context(),
			aws.NewPolicy{Name: "spot-policy", Path: "/old/", Document: w.wantedPolicy()},
		); err != nil {
			t.Fatal(err)
		}
		w.session.Path = "/vendors/"
		w.toCreate().sees("create these").enter().sees("spot-policy exists under the path /old/", "a path cannot be changed")
	})
}

func TestBothRolesAreMade(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.direct()
		w.session.Bundles = w.session.Vendor.AllBundles()
		w.session.Parameters = map[string]string{"REPORT_BUCKET": "reports"}
		w.session.Prepare()
		w.toCreate().sees("create role Spot-Role", "create role SpotByNetApp_Finops_ReadOnly").enter().sees("seen to be right")
		result := w.session.Result()
		if len(result.Roles) != 2 || len(result.Checks) != 2*len(aws.CheckIDs()) {
			t.Fatalf("%+v", result)
		}
	})
}

func TestMissingPermissionsAreNamedBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.aws.Deny("iam:CreateRole", "iam:AttachRolePolicy")
		w.direct().toCreate().sees("You are not allowed iam:AttachRolePolicy, iam:CreateRole. Nothing was made.", "Smallest policy")
		if n := w.requests("iam:CreatePolicy"); n > 0 {
			t.Fatal("made something")
		}
		if p := block[screen.Problem](w); p.Kind != screen.AWSRefused {
			t.Fatalf("%+v", p)
		}
		code := block[screen.Code](w)
		doc, err := policy.Parse([]byte(code.Body), policy.Identity)
		if err != nil {
			t.Fatal(err)
		}
		for _, action := range []string{"iam:CreatePolicy", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:CreateRole", "iam:GetRole",
			"iam:AttachRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"} {
			if !strings.Contains(doc.Compact(), `"`+action+`"`) {
				t.Errorf("the smallest policy lacks %s", action)
			}
		}
		if strings.Contains(doc.Compact(), `"Resource":["*"]`) || !strings.Contains(doc.Compact(), spotPolicy) {
			t.Errorf("not the smallest: %s", doc.Compact())
		}
		w.aws.ClearFaults()
		w.presses("again").sees("create these").enter().sees("seen to be right")
	})
}

func TestWithoutTheSimulatorTheFirstRefusedCallNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.aws.Deny("iam:SimulatePrincipalPolicy", "iam:CreateRole")
		w.direct().toCreate().sees("cannot be asked here").enter()
		w.sees("You are not allowed iam:CreateRole", "This session made, and it exists", spotPolicy, "Smallest policy")
		if got := states(w.receipt()); !slices.Contains(got, "policy Spot-Policy made") {
			t.Fatalf("the receipt says %v", got)
		}
	})
}

func TestAFailureHalfWayOffersToRemoveExactlyWhatWasMade(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		other := w.createPolicy(
			"other",
			policy.NewDocument(policy.Statement{Effect: policy.Allow, Action: []string{"s3:ListBucket"}, Resource: []string{"*"}}),
		)
		w.aws.Deny("iam:SimulatePrincipalPolicy", "iam:AttachRolePolicy")
		w.direct().toCreate().sees("create these").enter().sees("You are not allowed iam:AttachRolePolicy", "role Spot-Role")
		w.presses("remove").sees("What this session made is removed")
		q, err := w.hands().Quotas(t.Context())
		if err != nil || q.Policies != 1 || q.Roles != 0 {
			t.Fatalf("%d policies, %d roles: %v", q.Policies, q.Roles, err)
		}
		if _, err := w.hands().Policy(t.Context(), other.ARN); err != nil {
			t.Fatal("removed what it did not make")
		}
		w.aws.ClearFaults()
		w.presses("again").sees("create these").enter().sees("seen to be right")
	})
}

// TestFaults puts every fault before and after every request that writes: in
// the end everything exists once.
func TestFaultsThatPassLeadToOneOfEach(t *testing.T) {
	t.Parallel()
	kinds := map[string]rehearsal.FaultKind{"throttled": rehearsal.Throttled, "500": rehearsal.Broken, "503": rehearsal.Away,
		"dropped before": rehearsal.DropBefore, "dropped after": rehearsal.DropAfter}
	for name, kind := range kinds {
		for _, action := range []string{"iam:CreatePolicy", "iam:CreateRole", "iam:AttachRolePolicy", "iam:GetRole", "iam:GetPolicy"} {
			t.Run(name+" "+action, func(t *testing.T) {
				rehearse(t, func(t *testing.T, w *world) {
					w.direct().toCreate().sees("create these")
					w.aws.Inject(rehearsal.Fault{Kind: kind, Actions: []string{action}, Times: 4})
					w.enter().sees("seen to be right")
					w.aws.ClearFaults()
					w.existsOnce()
				})
			})
		}
	}
}

func TestADroppedCreationIsFoundToBeOurs(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.direct().toCreate().sees("create these")
		w.aws.Inject(rehearsal.Fault{Kind: rehearsal.DropAfter, Actions: []string{"iam:CreateRole"}, Times: 1})
		w.enter().sees("role Spot-Role", "seen to be right")
		w.existsOnce()
		if n := w.requests("iam:CreateRole"); n != 1 {
			t.Fatalf("%d CreateRole requests", n)
		}
	})
}

func TestFaultsThatStayAreSaidWithWhatExists(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.direct().toCreate().sees("create these")
		w.aws.Inject(rehearsal.Fault{Kind: rehearsal.Throttled, Actions: []string{"iam:CreateRole"}})
		w.enter().sees("This session made, and it exists", spotPolicy, "slow down")
		if p := block[screen.Problem](w); p.Passing {
			t.Fatalf("%+v", p)
		}
		w.aws.ClearFaults()
		w.presses("again").sees("seen to be right")
		w.existsOnce()
	})
}

func TestCredentialsThatExpireBetweenTwoCallsAreSaidAndItGoesOn(t *testing.T) {
	t.Parallel()
	for writes := range 3 {
		rehearse(t, func(t *testing.T, w *world) {
			w.direct().toCreate().sees("create these").enter()
			for range writes {
				w.one()
			}
			w.aws.ExpireCredentials()
			w.sees("have expired")
			if p := block[screen.Problem](w); p.Kind != screen.AWSRefused || p.Passing {
				t.Fatalf("%+v", p)
			}
			w.aws.RenewCredentials()
			w.presses("again").until("the end", func() bool {
				if strings.Contains(w.text(), "[create these] ") {
					w.enter()
				}
				return strings.Contains(w.text(), "right") && strings.Contains(w.text(), "[next]")
			})
			w.existsOnce()
		})
	}
}

// TestKilled drops the walk after each request that writes, with its answer
// lost or only not saved, and begins anew from what was saved before it.
func TestKilledBetweenAnyTwoCallsAndResumed(t *testing.T) {
	t.Parallel()
	for _, lost := range []string{"nothing", "the answer", "the answer and its record"} {
		for kill := range 4 {
			rehearse(t, func(t *testing.T, w *world) {
				w.direct().toCreate().sees("create these").enter()
				ledger := w.session.Ledger
				for range kill {
					w.one()
				}
				saved := w.session.Answers
				if lost == "the answer and its record" {
					w.aws.Inject(rehearsal.Fault{Kind: rehearsal.DropAfter, Times: 1,
						Actions: []string{"iam:CreatePolicy", "iam:CreateRole", "iam:AttachRolePolicy"}})
				}
				if lost != "nothing" && len(w.pending) > 0 {
					w.pending[0].call.Do(t.Context()) // done, and nobody hears of it
				}
				w.aws.ClearFaults()
				w.session, w.pending = w.newSession(), nil
				saved.Seen = record.Seen{}
				w.session.Answers, w.session.Resuming, w.session.Ledger = saved, true, ledger
				w.walk = steps.NewWalk(w.session)
				w.start().at("login").until("the end", func() bool {
					if strings.Contains(w.text(), "[create these] ") {
						w.enter()
					}
					return w.walk.Step().ID() == "connect" || strings.Contains(w.text(), "[next] ")
				})
				w.existsOnce()
			})
		}
	}
}

func TestTheReceiptIsPrivateAndReadable(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		folder := t.TempDir()
		w.direct()
		w.session.Ledger = record.OpenStore(folder).Ledger(w.session.ID)
		w.toCreate().sees("create these").enter().sees("seen to be right")
		for _, ext := range []string{"json", "md"} {
			path := filepath.Join(folder, "receipts", w.session.ID+"."+ext)
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Fatalf("%v %v", info, err)
			}
			text, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(text), spotRole) || !strings.Contains(string(text), "AROA") ||
				!strings.Contains(string(text), "user/rehearsal") {
				t.Fatalf("%s %v", text, err)
			}
		}
		if info, err := os.Stat(filepath.Join(folder, "receipts")); err != nil || info.Mode().Perm() != 0o700 {
			t.Fatalf("%v %v", info, err)
		}
	})
}

func TestBackFromTheNamesLeadsToThePlan(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.direct().toCreate().sees("create these").presses("rename").sees("Choose the names")
		w.take(w.walk.Tell(screen.Changed{ID: "role-name SpotinstRoleArn", Text: "Other"}))
		w.back().at(createStep).sees("create role Spot-Role", "create these")
		w.backTo("permissions")
	})
}
