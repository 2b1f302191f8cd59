package steps_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/steps"
	"rolecall/steps/plan"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

const stackStep record.StepID = "stack"

// automatic makes the session one of the automatic method, with a receipt on
// disk.
func (w *world) automatic() *world {
	w.t.Helper()
	w.direct()
	w.session.Method = "automatic"
	w.walk = steps.NewWalk(w.session)
	return w
}

// toStack walks with the defaults to the stack step and past the names.
func (w *world) toStack() *world {
	w.t.Helper()
	w.start().at("vendor").enter().sees("prod").enter()
	w.arrives("partition").enter().at("login").until("the profiles", w.enterWorks).enter().sees("Is this the account").enter()
	w.at("permissions").enter()
	if w.walk.Step().ID() == "permissions" {
		w.presses("use")
	}
	return w.analysed().at(stackStep).sees("Stack name> spot-access")
}

// toReady goes on to the acknowledgement, with rolecall creating the stack.
func (w *world) toReady() *world {
	w.t.Helper()
	return w.toStack().enter().sees(
		"You, in the AWS console",
		"Template",
	).enter().sees("acknowledge that AWS CloudFormation might create IAM resources")
}

// code finds a document on the screen by its label.
func (w *world) code(label string) screen.Code {
	w.t.Helper()
	for _, b := range w.walk.Screen().Blocks {
		if c, ok := b.(screen.Code); ok && c.Label == label {
			return c
		}
	}
	w.t.Fatalf("no document %q:\n%s", label, w.text())
	return screen.Code{}
}

func (w *world) problem() screen.Problem {
	w.t.Helper()
	return block[screen.Problem](w)
}

func (w *world) stacks() []aws.Stack {
	w.t.Helper()
	all, err := w.hands().Stacks(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func TestTheAutomaticMethodGoesThroughAChangeSet(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.automatic().toReady()
		w.sees("You are allowed to do all of it")
		if tasks := w.tasks(); !strings.Contains(tasks, "ahead: policy Spot-Policy, 6,097 characters") ||
			!strings.Contains(tasks, "ahead: role Spot-Role, trusts 922761411349") {
			t.Fatal(tasks)
		}
		confirm := w.walk.Screen().Actions[0].Confirm
		if confirm == nil || confirm.Flag != "--acknowledge-iam-capabilities" || confirm.Given ||
			!strings.Contains(confirm.Question, "might create IAM resources") {
			t.Fatalf("%+v", confirm)
		}
		if len(w.stacks()) != 0 {
			t.Fatal("something was made before the acknowledgement")
		}
		w.enter().sees("Nothing was made yet", "Add: policy Spot-Policy", "Add: role Spot-Role")
		if w.requests("iam:CreateRole") != 0 || w.requests("cloudformation:CreateStack") != 0 || w.stacks()[0].Status != aws.StackReview {
			t.Fatalf("%+v", w.stacks())
		}
		w.enter().sees("waiting for CloudFormation to make the stack")
		w.until("the policy", func() bool { return strings.Contains(w.tasks(), "running: policy Spot-Policy") })
		w.until("the role", func() bool {
			return strings.Contains(w.tasks(), "finished: policy Spot-Policy") && strings.Contains(w.tasks(), "running: role Spot-Role")
		})
		w.sees(
			"complete, and what it made is right",
			"pass trust-external-id",
			"pass policy-matches",
		).enter().at("connect").enter().sees("accepted the role")
		result := w.session.Result()
		if !result.Submitted || len(result.Stacks) != 1 || result.Stacks[0].Name != "spot-access" || !strings.HasPrefix(result.Stacks[0].ID,
			"arn:aws:cloudformation:") ||
			result.Roles[0].ARN != spotRole || result.Roles[0].ID == "" ||
			result.Policies[0].ARN != spotPolicy ||
			result.Policies[0].Characters != 6097 {
			t.Fatalf("%+v", result)
		}
		if items := w.receipt().Items; len(items) != 1 || items[0].Kind != record.ItemStack || items[0].State != record.ItemMade ||
			items[0].ID != result.Stacks[0].ID {
			t.Fatalf("%+v", items)
		}
	})
}

func TestUnattendedTheStackIsCreatedAtOnce(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.automatic()
		asker, ok := w.stepNamed(stackStep).(step.Asker)
		if !ok {
			t.Fatal("the stack step asks for nothing")
		}
		needs := asker.Asks(w.session)
		if len(needs) != 1 || needs[0].Flag != "--acknowledge-iam-capabilities" {
			t.Fatalf("%+v", needs)
		}
		w.session.Unattended, w.session.Stack.Acknowledged, w.session.Stack.Name = true, true, "my-stack"
		if needs := asker.Asks(w.session); len(needs) != 0 {
			t.Fatalf("%+v", needs)
		}
		w.toStackNamed("my-stack").enter().sees("You, in the AWS console").enter().sees("acknowledge").enter().sees("is right")
		if w.requests("cloudformation:CreateStack") != 1 || w.requests("cloudformation:CreateChangeSet") != 0 ||
			w.stacks()[0].Name != "my-stack" {
			t.Fatalf("%+v", w.aws.Calls())
		}
	})
}

func TestTheStackStepSaysTheCauseAndOffersToDelete(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.createRole("Spot-Role", "another")
		w.automatic().toReady().enter().sees("Nothing was made yet").enter()
		w.sees("CloudFormation takes back what it made")
		w.sees("The role Spot-Role exists already", "HandlerErrorCode: AlreadyExists", "took back what it had made", "ROLLBACK_COMPLETE")
		if p := w.problem(); p.Kind != screen.NotAsNeeded || p.Passing {
			t.Fatalf("%+v", p)
		}
		if !strings.Contains(w.tasks(), "failed: role Spot-Role") || len(w.stacks()) != 1 {
			t.Fatalf("%s %+v", w.tasks(), w.stacks())
		}
		for _, a := range w.walk.Screen().Actions {
			if a.ID == "delete" && (a.Confirm == nil || !strings.Contains(a.Confirm.Question, "Delete the stack spot-access") || a.Default) {
				t.Fatalf("%+v", a)
			}
		}
		w.enter().sees("The role Spot-Role exists already") // looking again tells the same
		w.presses("delete").sees("You, in the AWS console")
		if len(w.stacks()) != 0 {
			t.Fatalf("%+v", w.stacks())
		}
		w.enter().sees("acknowledge").presses("rename").types("role-name SpotinstRoleArn", "Spot-Role-2").sees("You, in the AWS console").
			enter().sees("acknowledge")
		w.enter().sees("Nothing was made yet", "role Spot-Role-2").enter().sees("is right")
		if arn := w.session.Part("SpotinstRoleArn").RoleARN; !strings.HasSuffix(arn, "/Spot-Role-2") {
			t.Fatal(arn)
		}
	})
}

func TestWhatARollbackLeavesIsNamed(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.automatic().toReady()
		w.aws.Deny("iam:CreateRole", "iam:DeletePolicy")
		w.enter().sees("Nothing was made yet").enter().sees("not allowed iam:CreateRole", "This is still there", spotPolicy, "Smallest policy")
		if p := w.problem(); p.Kind != screen.AWSRefused {
			t.Fatalf("%+v", p)
		}
	})
}

func TestMissingPermissionsAreSaidBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.aws.Deny("iam:CreateRole", "cloudformation:CreateChangeSet")
		w.automatic().toStack().enter().sees(
			"You, in the AWS console",
		).enter().sees("not allowed cloudformation:CreateChangeSet, iam:CreateRole", "Nothing was made")
		if p := w.problem(); p.Kind != screen.AWSRefused {
			t.Fatalf("%+v", p)
		}
		doc := w.code("Smallest policy that this takes").Body
		for _, action := range []string{"iam:CreateRole", "cloudformation:CreateStack", "iam:PolicyARN"} {
			if !strings.Contains(doc, action) {
				t.Errorf("the smallest policy lacks %s", action)
			}
		}
		w.presses("anyway").sees("acknowledge").enter().sees("not allowed cloudformation:CreateChangeSet")
		w.aws.ClearFaults()
		w.enter().sees("You, in the AWS console").enter().sees("acknowledge").enter().sees("Nothing was made yet")
	})
}

func TestANameThatIsAnotherStacksIsNeverTouchedUnasked(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		foreign := aws.NewStack{
			Name:         "spot-access",
			Acknowledged: true,
			Template: "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      RoleName: other\n" +
				"      AssumeRolePolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: 'sts:AssumeRole', Principal: {AWS: " +
				"'arn:aws:iam::444455556666:root'}}]}\n",
		}
		id, err := w.hands().CreateStack(t.Context(), foreign)
		if err != nil {
			t.Fatal(err)
		}
		w.quiet(time.Minute)
		w.automatic().toStack().enter().sees("exists already", "another template", "it was not made for Spot")
		if p := w.problem(); p.Kind != screen.NotAsNeeded || p.Passing || block[screen.Choices](w).Picked != "" {
			t.Fatalf("%+v", p)
		}
		w.chooses("taken", "update").sees("exists already")
		w.chooses("taken", "another-name").types("stack-name", "1 bad").sees("no name for a stack")
		w.types("stack-name", "spot-two").sees("You, in the AWS console").enter().sees("acknowledge").enter().sees("Nothing was made yet").
			enter().sees("is right")
		if text, err := w.hands().Template(t.Context(), id); err != nil || text != foreign.Template {
			t.Fatal(err)
		}
	})
}

func TestASecondRunFindsTheStackAndChangesNothing(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.automatic().toReady().enter().sees("Nothing was made yet").enter().sees("is right")
		calls := w.requests("cloudformation:CreateStack") + w.requests("cloudformation:ExecuteChangeSet")
		w.session, w.pending = w.newSession(), nil
		w.automatic().toStack().enter().sees("rolecall takes it as it is")
		if now := w.requests("cloudformation:CreateStack") + w.requests("cloudformation:ExecuteChangeSet"); now != calls {
			t.Fatalf("%d requests more", now-calls)
		}
		if items := w.receipt().Items; len(items) != 1 || items[0].State != record.ItemAdopted {
			t.Fatalf("%+v", items)
		}
	})
}

func TestOtherProductsUpdateTheStackThroughAChangeSet(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.automatic().toReady().enter().sees("Nothing was made yet").enter().sees("is right")
		before := w.session.Part("SpotinstRoleArn")
		w.session, w.pending = w.newSession(), nil
		w.session.Bundles = []string{"ocean", "ocean/eks"}
		w.session.Prepare()
		w.automatic().toStack().enter().sees("another template", "Update it")
		w.chooses("taken", "update").sees("CloudFormation will change this", "acknowledge").enter().
			sees("Nothing was made yet", "Modify: policy Spot-Policy")
		w.enter().sees("is right")
		if after := w.session.Part("SpotinstRoleArn"); after.RoleID != before.RoleID || after.Policies[0].Digest == before.Policies[0].Digest {
			t.Fatalf("%+v", after)
		}
	})
}

func TestARunningStackIsFoundAgain(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.automatic().toReady().enter().sees("Nothing was made yet").enter()
		w.until("the policy", func() bool { return strings.Contains(w.tasks(), "running: policy Spot-Policy") })

		w.runAgain()
		w.at("login").getsTo(stackStep)
		w.sees("waiting for CloudFormation to make the stack").getsTo("connect")
		if n := w.requests("cloudformation:ExecuteChangeSet"); n != 1 {
			t.Fatalf("executed %d times", n)
		}
	})
}

func TestAStackFromTheConsoleIsFoundByItsContent(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.automatic().toStack().enter().sees("You, in the AWS console").chooses("way", "console")
		w.sees(
			"waiting for a stack made from this template",
			"https://console.aws.amazon.com/cloudformation/home?region=us-east-1#/stacks/create/template",
		)
		w.seesNot("acknowledge, see the change set")
		template := w.code("Template").Body
		w.quiet(time.Minute)
		id, err := w.hands().CreateStack(
			t.Context(),
			aws.NewStack{Name: "named-by-hand", Template: strings.ReplaceAll(template, "\n", "\r\n"), Acknowledged: true},
		)
		if err != nil {
			t.Fatal(err)
		}
		w.until("following", func() bool { return strings.Contains(w.tasks(), "running: policy Spot-Policy") })
		w.sees("rolecall takes it as it is").enter().at("connect").enter().sees("accepted the role")
		if s := w.session.Result().Stacks; len(s) != 1 || s[0].ID != id || s[0].Name != "named-by-hand" {
			t.Fatalf("%+v", s)
		}
		if left := w.receipt().Outstanding(); len(left) != 0 {
			t.Fatalf("rolecall did not make it: %+v", left)
		}
	})
}

func TestAStackWithAnotherExternalIDIsNotTaken(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.automatic().toStack().enter().sees("You, in the AWS console").chooses("way", "console").sees("waiting for a stack")
		_, err := w.hands().CreateStack(t.Context(), aws.NewStack{Name: "spot-access", Template: w.code("Template").Body, Acknowledged: true,
			Parameters: map[string]string{"ExternalId": "spotinst:aws:extid:0000000000000000"}})
		if err != nil {
			t.Fatal(err)
		}
		w.sees("Spot-Role is not as needed", "spotinst:aws:extid:0000000000000000")
		if p := w.problem(); p.Kind != screen.NotAsNeeded {
			t.Fatalf("%+v", p)
		}
		w.enter().sees("with another external ID", "Update it").chooses("taken", "update").sees("acknowledge")
		w.enter().sees("Nothing was made yet", "Modify: role Spot-Role").enter().sees("is right")
	})
}

func TestAStackFromTheCommandLineIsFoundToo(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.session.Rehearsal = true
		w.automatic().toStack().types("stack-name", "by-cli").sees("You, in the AWS console").chooses("way", "cli")
		command := w.code("Command").Body
		for _, part := range []string{"aws cloudformation create-stack", "--stack-name by-cli", "--template-body file://by-cli.yaml",
			"--capabilities CAPABILITY_NAMED_IAM", "--region us-east-1"} {
			if !strings.Contains(command, part) {
				t.Errorf("the command lacks %q:\n%s", part, command)
			}
		}
		if name := w.code("Template").Name; name != "by-cli.yaml" {
			t.Error(name)
		}
		w.sees("do it in the rehearsal account").enter().sees("is right")
	})
}

func TestWithoutCredentialsTheOutputsArePasted(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.automatic()
		w.session.AWS, w.session.GuideOnly, w.session.Partition, w.session.AccountID = nil, true, "aws", account
		w.session.VendorAccount = "act-12ab12ab"
		w.take(w.walk.StartAt(stackStep))
		w.sees("Stack name").enter().sees("there are no AWS credentials").enter().sees("Upload a template file")
		w.types("output SpotinstRoleArn", "arn:aws:iam::111122223333:role/Spot-Role").sees("in account 111122223333")
		w.types("output SpotinstRoleArn", spotRole).at("connect")
		if got := w.session.Result().Roles; len(got) != 1 || got[0].ARN != spotRole {
			t.Fatalf("%+v", got)
		}
	})
}

func TestBothOfSpotsRolesComeOutOfOneStack(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.automatic()
		w.session.Bundles = append(w.session.Vendor.DefaultBundles(), "cloud-analyzer")
		w.session.Parameters = map[string]string{"REPORT_BUCKET": "example-cost-reports"}
		w.session.Prepare()
		w.toReady().enter().sees("Nothing was made yet").enter().sees("is right")
		w.enter().at("connect").enter().sees("SpotByNetApp_Finops_ReadOnly", "Cloud Analyzer RoleArn", "https://console.spotinst.com")
		w.seesNot("Elastigroup and Ocean: arn").presses("handed").sees("Connected")
		result := w.session.Result()
		if len(result.Roles) != 2 || len(result.Policies) != 2 || result.Roles[1].Purpose != "SpotFinOpsRoleArn" ||
			result.Policies[1].ARN == "" ||
			len(result.Stacks) != 1 {
			t.Fatalf("%+v", result)
		}
	})
}

func TestLostAnswersMakeOneStack(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.automatic().toReady()
		w.aws.Inject(rehearsal.Fault{Kind: rehearsal.DropAfter, Actions: []string{"cloudformation:CreateChangeSet"}, Times: 1})
		w.enter().sees("Nothing was made yet")
		w.aws.Inject(rehearsal.Fault{Kind: rehearsal.DropAfter, Actions: []string{"cloudformation:ExecuteChangeSet"}, Times: 4})
		w.enter().sees("is right")
		w.session, w.pending = w.newSession(), nil
		w.automatic()
		w.session.Unattended, w.session.Stack = true, record.Stack{Name: "second", Acknowledged: true}
		w.session.Parts["SpotinstRoleArn"] = record.Part{Needed: true, RoleName: "Second-Role", PolicyName: "Second-Policy"}
		w.toStackNamed("second").enter().sees("You, in the AWS console").enter().sees("acknowledge")
		w.aws.Inject(rehearsal.Fault{Kind: rehearsal.DropAfter, Actions: []string{"cloudformation:CreateStack"}, Times: 3})
		w.enter().sees("is right")
		if all := w.stacks(); len(all) != 2 {
			t.Fatalf("%+v", all)
		}
		if items := w.receipt().Items; len(items) != 1 || items[0].State != record.ItemMade || items[0].ID == "" {
			t.Fatalf("%+v", items)
		}
	})
}

// toStackNamed is toStack for a session whose stack has a name.
func (w *world) toStackNamed(name string) *world {
	w.t.Helper()
	w.session.VendorAccount = "act-12ab12ab"
	w.take(w.walk.StartAt("partition"))
	w.enter().at("login").until("the profiles", w.enterWorks).enter().sees("Is this the account").enter().at("permissions").enter()
	if w.walk.Step().ID() == "permissions" {
		w.presses("use")
	}
	return w.analysed().at(stackStep).sees("Stack name> " + name)
}

func TestTheFollowingSurvivesExpiredCredentials(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.automatic().toReady().enter().sees("Nothing was made yet").enter().sees("waiting for CloudFormation")
		w.aws.ExpireCredentials()
		w.sees("expired")
		if p := w.problem(); !p.Passing {
			t.Fatalf("%+v", p)
		}
		w.aws.RenewCredentials()
		w.sees("is right").seesNot("expired")
	})
}

func TestADiscardedChangeSetLeavesNothing(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.automatic().toReady().enter().sees("Nothing was made yet").presses("discard").sees("You, in the AWS console")
		if all := w.stacks(); len(all) != 0 {
			t.Fatalf("%+v", all)
		}
		if left := w.receipt().Outstanding(); len(left) != 0 {
			t.Fatalf("%+v", left)
		}
	})
}

// chinese puts the account into AWS China.
func (w *world) chinese() *world {
	w.t.Helper()
	w.aws = rehearsal.New(rehearsal.Options{Partition: "aws-cn", Alias: "prod"})
	listener, client := rehearsal.Pipe()
	w.awsHTTP = client
	w.serve(listener.Close, w.aws.Close, client, func() error { return w.aws.Serve(listener) })
	time.Sleep(time.Second)
	return w
}

func TestTheStackInAWSChina(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.chinese().automatic()
		w.session.Partition, w.session.TrustedAccount, w.session.ByHand = "aws-cn", "444455556666", true
		w.session.Parts["SpotinstRoleArn"] = record.Part{
			Needed:     true,
			RoleName:   "Spot-Role",
			PolicyName: "Spot-Policy",
			ExternalID: "spotinst:aws:extid:0123456789abcdef",
		}
		w.take(w.walk.StartAt("login"))
		w.until("the profiles", w.enterWorks).enter().sees("Is this the account").enter().at("permissions").enter()
		if w.walk.Step().ID() == "permissions" {
			w.presses("use")
		}
		w.at(stackStep).enter().sees("You, in the AWS console").enter().sees("acknowledge")
		if template := w.code("Template").Body; strings.Contains(template, "arn:aws:") || strings.Contains(template, "arn:aws-cn:") {
			t.Error("the template is of one partition")
		}
		w.enter().sees("Nothing was made yet").enter().sees("console.amazonaws.cn/cloudformation").sees("is right")
		if arn := w.session.Part("SpotinstRoleArn").RoleARN; arn != "arn:aws-cn:iam::123456789012:role/Spot-Role" {
			t.Fatal(arn)
		}
	})
}

func TestSettingsReachTheRole(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.automatic()
		boundary := w.createPolicy("boundary", w.wantedPolicy())
		w.session.Path, w.session.Boundary, w.session.SessionFor = "/vendors/", boundary.ARN, 2*time.Hour
		w.session.Tags = map[string]string{"team": "platform", "cost": "42"}
		w.toReady().sees("/vendors/", "boundary", "2h0m0s", "team=platform").enter().sees("Nothing was made yet").enter().sees("is right")
		role, err := w.hands().Role(t.Context(), "Spot-Role")
		if err != nil || role.Path != "/vendors/" || role.Boundary != boundary.ARN || role.MaxSession != 2*time.Hour {
			t.Fatalf("%+v %v", role, err)
		}
		for _, want := range []aws.Tag{{Key: "team", Value: "platform"}, {Key: "cost", Value: "42"}} {
			if !slices.Contains(role.Tags, want) {
				t.Errorf("no tag %v among %v", want, role.Tags)
			}
		}
	})
}

// TestTheShownCommandMakesTheStack runs it with the real AWS CLI.
func TestTheShownCommandMakesTheStack(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the AWS CLI is not installed: the command was not run")
	}
	var template, command string
	rehearse(t, func(_ *testing.T, w *world) {
		w.automatic().toStack().enter().sees("You, with the AWS CLI").chooses("way", "cli")
		template, command = w.code("Template").Body, w.code("Command").Body
	})
	server := rehearsal.New(rehearsal.Options{Propagation: -1})
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	folder, target := t.TempDir(), server.Target()
	if err := os.WriteFile(filepath.Join(folder, "spot-access.yaml"), []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = folder
	cmd.Env = append(
		os.Environ(),
		"AWS_ENDPOINT_URL="+target.Endpoint,
		"AWS_ACCESS_KEY_ID="+target.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY="+target.SecretAccessKey,
		"AWS_CONFIG_FILE="+os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
		"AWS_PAGER=",
	)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	reached := aws.RehearsalTarget(target)
	account, err := aws.Open(t.Context(), aws.Options{Rehearsal: &reached})
	if err != nil {
		t.Fatal(err)
	}
	stack, err := account.Stack(t.Context(), "spot-access")
	if err != nil || stack.Status != aws.StackCreated || stack.Outputs["SpotinstRoleArn"] != spotRole {
		t.Fatalf("%+v %v", stack, err)
	}
	if made, err := account.Template(t.Context(), stack.ID); err != nil || !aws.SameTemplate(made, template) {
		t.Fatalf("the CLI sent another template: %v", err)
	}
}

// drive goes through the whole walk with the defaults. With killAfter it ends
// once so many requests that write were sent, and drops the last answer, as a
// kill would.
func (w *world) drive(killAfter int) (killed bool) {
	w.t.Helper()
	for writes, limit := 0, time.Now().Add(time.Hour); !w.walk.Ended(); {
		if time.Now().After(limit) {
			w.t.Fatalf("no end:\n%s", w.text())
		}
		if len(w.pending) == 0 {
			w.enter()
			continue
		}
		slices.SortStableFunc(w.pending, func(a, b due) int { return a.at.Compare(b.at) })
		next := w.pending[0]
		w.pending = w.pending[1:]
		time.Sleep(time.Until(next.at))
		msg := next.call.Do(w.t.Context())
		if next.call.Writes {
			if writes++; writes == killAfter {
				return true
			}
		}
		w.take(w.walk.Tell(msg))
	}
	return false
}

// runAgain begins a new run of the session from what was saved.
func (w *world) runAgain() {
	w.t.Helper()
	saved, err := json.Marshal(w.session.Answers)
	if err != nil {
		w.t.Fatal(err)
	}
	old := w.session
	w.session, w.pending = w.newSession(), nil
	w.session.Answers = record.Answers{}
	if err := json.Unmarshal(saved, &w.session.Answers); err != nil {
		w.t.Fatal(err)
	}
	w.session.Ledger, w.session.Unattended, w.session.Resuming = old.Ledger, old.Unattended, true
	w.walk = steps.NewWalk(w.session)
	w.start()
}

func TestAKillAfterAnyRequestLeavesOneStack(t *testing.T) {
	t.Parallel()
	for _, unattended := range []bool{false, true} {
		for kill, again := 1, true; again; kill++ {
			rehearse(t, func(t *testing.T, w *world) {
				w.automatic()
				w.session.Unattended = unattended
				w.session.VendorAccount = "act-12ab12ab"
				w.start()
				if again = w.drive(kill); !again {
					return
				}
				w.runAgain()
				if w.drive(0) {
					t.Fatal("killed again")
				}
				all := w.stacks()
				if len(all) != 1 || !all[0].Status.Good() {
					t.Fatalf("kill %d, unattended %v: %+v", kill, unattended, all)
				}
				items := w.receipt().Items
				if len(items) != 1 || items[0].State != record.ItemMade || items[0].ID != all[0].ID {
					t.Fatalf("kill %d, unattended %v: %+v", kill, unattended, items)
				}
				if result := w.session.Result(); !result.Submitted || w.spot.Accounts()[0].Role != spotRole {
					t.Fatalf("kill %d, unattended %v: %+v", kill, unattended, result)
				}
			})
			if kill > 10 {
				t.Fatal("too many requests that write")
			}
		}
	}
}

func TestWhatWasNotApprovedIsNotMade(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.automatic()
		w.session.Plan = &plan.Plan{}
		w.toStack().enter().sees("approval does not name the policy Spot-Policy")
		if p := w.problem(); p.Kind != screen.NotAsNeeded || p.Passing || len(w.stacks()) != 0 {
			t.Fatalf("%+v", p)
		}
	})
}

// TestTheTemplateHoldsWhatPeopleRead checks the template as text: the reasons
// are in it, a token and a Lambda are not, and cfn-lint has nothing to say.
func TestTheTemplateHoldsWhatPeopleRead(t *testing.T) {
	t.Parallel()
	var template string
	rehearse(t, func(t *testing.T, w *world) {
		w.automatic()
		w.session.Bundles = append(w.session.Vendor.DefaultBundles(), "cloud-analyzer")
		w.session.Parameters = map[string]string{"REPORT_BUCKET": "example-cost-reports"}
		w.session.Prepare()
		w.toStack().enter().sees("You, in the AWS console")
		template = w.code("Template").Body
	})
	for _, part := range []string{"# Read the clusters and node groups of Amazon EKS.", "SpotinstRoleArn:", "SpotFinOpsRoleArn:",
		"arn:${AWS::Partition}:iam::922761411349:root", "arn:${AWS::Partition}:s3:::example-cost-reports"} {
		if !strings.Contains(template, part) {
			t.Errorf("the template lacks %q", part)
		}
	}
	for _, part := range []string{"AWS::Lambda", "Token", "arn:aws:"} {
		if strings.Contains(template, part) {
			t.Errorf("the template holds %q", part)
		}
	}
	lint, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Skip("cfn-lint is not installed: the template was not linted")
	}
	path := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(path, []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(lint, "--regions", "us-east-1", "cn-north-1", "us-gov-west-1", "--", path).CombinedOutput(); err != nil {
		t.Errorf("cfn-lint: %v\n%s", err, out)
	}
}
