package ui_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/assets"
	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps"
	"rolecall/steps/access"
	"rolecall/steps/describe"

	awsrehearsal "rolecall/aws/rehearsal"
)

// vendorCase is one shipped description with a sample of everything that only a
// customer knows.
type vendorCase struct {
	*describe.Vendor
	access  string
	flags   []string // that say so to policy show and to connect
	request access.Request
}

func vendorCases(t *testing.T, kind string) []vendorCase {
	t.Helper()
	var cases []vendorCase
	for _, name := range assets.Vendors() {
		v, err := steps.Library().Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(v.RolesFor(nil, kind)) > 0 {
			cases = append(cases, newVendorCase(v, kind))
		}
	}
	return cases
}

func newVendorCase(v *describe.Vendor, kind string) vendorCase {
	c := vendorCase{Vendor: v, access: kind, flags: []string{"--vendor", v.Name}}
	c.request = access.Request{Vendor: v, Access: kind, Partition: describe.Commercial, AccountID: motoAccount,
		Selection: access.Selection{Parameters: map[string]string{}}, Names: map[string]access.Names{}}
	externalID := false
	for _, role := range v.RolesFor(nil, kind) {
		for name, p := range role.Parameters {
			c.request.Parameters[name] = p.Sample()
		}
		if kind == describe.AccessRole && role.NeedsExternalID() {
			externalID = true
			c.request.Names[role.Purpose] = access.Names{ExternalID: v.ExternalID.Example}
		}
		if c.request.UnknownAccount(role.Purpose) != nil {
			c.request.TrustedAccount = describe.SamplePrincipal(v.Partitions[describe.Commercial].Ask, describe.Commercial)
			c.flags = append(c.flags, "--trusted-account", c.request.TrustedAccount)
		}
	}
	for _, name := range c.request.Parameterised() {
		p, _ := v.Parameter(name)
		c.flags = append(c.flags, p.Flag, p.Sample())
	}
	if externalID {
		c.flags = append(c.flags, "--external-id", v.ExternalID.Example)
	}
	return c
}

// verifyFlags are those of the flags that verify takes too.
func (c vendorCase) verifyFlags() []string {
	return append([]string{"verify"}, c.flags...)
}

// buckets are the parameters that are S3 buckets of the account.
func (c vendorCase) buckets() []string {
	var names []string
	for _, name := range c.request.Parameterised() {
		if p, _ := c.Parameter(name); p.IsBucket() {
			names = append(names, c.request.Parameters[name])
		}
	}
	return names
}

// makeBucket makes an S3 bucket.
func (w *motoWorld) makeBucket(name string) {
	w.t.Helper()
	_, err := w.raw.ask(http.MethodPut, "/"+name, "s3", "")
	w.ok(err)
}

func (c vendorCase) grants(w *motoWorld) []access.Grant {
	w.t.Helper()
	grants, err := c.request.Grants()
	w.ok(err)
	return grants
}

// TestEveryVendorOnMoto connects, by every method of every vendor that comes with
// the program, in an IAM that is not this project's own, up to verify passing: by
// one method each, unless ROLECALL_TESTS is "all". What moto cannot do for each is
// in finishStack; it lets everybody in, so that no trust is tried there. Spot, whose own API takes part, is in TestMethodsOnMoto.
func TestEveryVendorOnMoto(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("moto_server takes seconds to start")
	}
	world := motoWorlds(t)
	for _, kind := range []string{describe.AccessRole, describe.AccessUser} {
		for i, c := range vendorCases(t, kind) {
			methods := c.methodsFor(kind)
			if !everything() {
				methods = methods[i%len(methods):][:1]
			}
			for _, method := range methods {
				if c.API == "" {
					t.Run(c.Name+" "+method+" "+kind, func(t *testing.T) { world(t, c).walks(c, method) })
				}
			}
		}
	}
}

// everything tells whether what takes minutes is tried too.
func everything() bool { return os.Getenv("ROLECALL_TESTS") == "all" }

// motoWorlds makes accounts in moto. Where a vendor needs policies of AWS's own,
// in one that has them: since that takes seconds to forget and to load them, it
// keeps what other vendors have there, unless every method of each is tried.
func motoWorlds(t *testing.T) func(*testing.T, vendorCase) *motoWorld {
	t.Helper()
	plain, stocked := startMoto(t), startMoto(t, "MOTO_IAM_LOAD_MANAGED_POLICIES=true")
	return func(t *testing.T, c vendorCase) *motoWorld {
		t.Helper()
		for _, g := range c.grants(&motoWorld{t: t}) {
			switch {
			case len(g.Managed) == 0:
			case everything():
				w := newMotoWorld(t, stocked)
				// It loads its policies at the first request, and nobody waits for that.
				_, err := w.raw.ask(http.MethodPost, "/", "iam", "Action=ListRoles&Version=2010-05-08")
				w.ok(err)
				return w
			default:
				return usedMotoWorld(t, stocked)
			}
		}
		return newMotoWorld(t, plain)
	}
}

// methodsFor are the methods by which the vendor gets this access.
func (c vendorCase) methodsFor(kind string) []string {
	var methods []string
	for _, m := range c.Methods {
		if m.Access == kind {
			methods = append(methods, m.ID)
		}
	}
	return methods
}

// walks goes one method's way with nobody there.
func (w *motoWorld) walks(c vendorCase, method string) {
	w.t.Helper()
	for _, name := range c.buckets() {
		w.makeBucket(name)
	}
	args := append([]string{"--method", method, "--access", c.access, "--wait", "5m"}, c.flags...)
	if c.access == describe.AccessUser && method == describe.Direct {
		args = append(args, "--secret-file", filepath.Join(w.t.TempDir(), "key.json"))
	}
	finished := make(chan error, 1)
	switch method {
	case describe.Manual:
		w.byHand(c)
		finished <- nil
	case describe.Automatic:
		args = append(args, "--acknowledge-iam-capabilities")
		go func() { finished <- w.finishStack(c.grants(w)) }()
	default:
		finished <- nil
	}
	doc := w.connect(0, args...)
	w.ok(<-finished)
	if doc.Error != nil || len(doc.Roles)+len(doc.Users) != len(c.grants(w)) {
		w.t.Fatalf("%s%s", doc.out, doc.talk)
	}
	w.verifiedCase(c)
}

// byHand is the person who follows the instructions of the manual method in the
// console.
func (w *motoWorld) byHand(c vendorCase) {
	w.t.Helper()
	ctx := w.t.Context()
	for _, g := range c.grants(w) {
		if g.User {
			_, err := w.hands.CreateUser(ctx, aws.NewUser{Name: g.Name})
			w.ok(err)
			for _, d := range g.Documents {
				_, err := w.raw.ask(http.MethodPost, "/", "iam", url.Values{"Action": {"PutUserPolicy"}, "Version": {"2010-05-08"},
					"UserName": {g.Name}, "PolicyName": {d.Name}, "PolicyDocument": {d.Document.Compact()}}.Encode())
				w.ok(err)
			}
			w.ear = &told{words: "waiting for a new access key", act: func() { _, _, _ = w.hands.CreateAccessKey(ctx, g.Name) }}
			continue
		}
		if g.Web != nil {
			_, err := w.hands.CreateOIDCProvider(ctx, *g.Web, nil)
			w.ok(err)
		}
		_, err := w.hands.CreateRole(ctx, aws.NewRole{Name: g.Name, Trust: g.Trust})
		w.ok(err)
		for _, d := range g.Documents {
			if g.Role.Inline {
				w.ok(w.hands.PutRolePolicy(ctx, g.Name, d.Name, d.Document))
				continue
			}
			made, err := w.hands.CreatePolicy(ctx, aws.NewPolicy{Name: d.Name, Document: d.Document})
			w.ok(err)
			w.ok(w.hands.AttachRolePolicy(ctx, g.Name, made.ARN))
		}
		for _, arn := range g.Managed {
			w.ok(w.hands.AttachRolePolicy(ctx, g.Name, arn))
		}
	}
}

// told does something once, as soon as it is told these words.
type told struct {
	words, heard string
	act          func()
}

func (h *told) Write(p []byte) (int, error) {
	h.heard += string(p)
	if h.act != nil && strings.Contains(h.heard, h.words) {
		h.act()
		h.act = nil
	}
	return len(p), nil
}

// finishStack does what moto's CloudFormation leaves out: it attaches no
// ManagedPolicyArns, puts no inline policies, and makes no OIDC provider.
func (w *motoWorld) finishStack(grants []access.Grant) error {
	for _, g := range grants {
		if err := w.finishRole(g); err != nil {
			return err
		}
	}
	return nil
}

func (w *motoWorld) finishRole(g access.Grant) error {
	ctx, arns := w.t.Context(), slices.Clone(g.Managed)
	var err error
	for range 300 {
		if _, err = w.hands.Role(ctx, g.Name); aws.KindOf(err) != aws.NotFound {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	for _, d := range g.Documents {
		if err == nil && g.Role.Inline {
			err = w.hands.PutRolePolicy(ctx, g.Name, d.Name, d.Document)
		} else if !g.Role.Inline {
			arns = append(arns, "arn:aws:iam::"+motoAccount+":policy/"+d.Name)
		}
	}
	if err == nil && g.Web != nil {
		if _, err = w.hands.OIDCProvider(ctx, g.Web.Provider()); aws.KindOf(err) == aws.NotFound {
			_, err = w.hands.CreateOIDCProvider(ctx, *g.Web, nil)
		}
	}
	for _, arn := range arns {
		if err == nil {
			err = w.hands.AttachRolePolicy(ctx, g.Name, arn)
		}
	}
	return err
}

// verifiedCase wants rolecall verify to agree.
func (w *motoWorld) verifiedCase(c vendorCase) {
	w.t.Helper()
	for _, g := range c.grants(w) {
		args := append(c.verifyFlags(), "--role", g.Name)
		if g.User {
			args = append(c.verifyFlags(), "--user", g.Name)
		}
		doc := w.rolecall(0, args...)
		if !doc.OK {
			w.t.Fatal(doc.out)
		}
	}
}

// TestEveryVendorExported makes what every description asks for with each of the
// exports, has verify agree, and disagree as soon as one thing is another. On
// moto where ROLECALL_TESTS is "all".
func TestEveryVendorExported(t *testing.T) {
	t.Parallel()
	t.Run("rehearsal", func(t *testing.T) {
		exportAll(t, newRehearsalWorld)
	})
	t.Run("moto", func(t *testing.T) {
		if !everything() {
			t.Skip("it takes minutes: ROLECALL_TESTS=all")
		}
		exportAll(t, motoWorlds(t))
	})
}

func exportAll(t *testing.T, world func(*testing.T, vendorCase) *motoWorld) {
	for _, c := range vendorCases(t, describe.AccessRole) {
		for format, apply := range map[string]func(*motoWorld, vendorCase, string){
			"cli": (*motoWorld).runScript, "cloudformation": (*motoWorld).makeStack, "terraform": (*motoWorld).applyTerraform,
		} {
			t.Run(c.Name+" "+format, func(t *testing.T) {
				w := world(t, c)
				code, out, talk := command(t, w.home, w.env, append([]string{"policy", "show", "--format", format}, c.flags...)...)
				if code != 0 {
					t.Fatalf("policy show: exit %d\n%s%s", code, out, talk)
				}
				apply(w, c, out)
				w.verifiedCase(c)
				for _, g := range c.grants(w) {
					w.changesShow(g)
				}
			})
		}
	}
}

// newRehearsalWorld is an account of the rehearsal that nobody has used yet.
func newRehearsalWorld(t *testing.T, c vendorCase) *motoWorld {
	t.Helper()
	server := awsrehearsal.New(awsrehearsal.Options{Propagation: -1, Account: motoAccount})
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	for i := range c.Roles {
		server.AddManagedPolicies(c.Roles[i].ManagedNames(c.request.Parameters)...)
	}
	return newWorld(t, aws.RehearsalTarget(server.Target()))
}

// runScript runs the exported script with an aws in its path that sends what the
// AWS CLI would.
func (w *motoWorld) runScript(_ vendorCase, script string) {
	w.t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		w.t.Skip("there is no POSIX shell")
	}
	by, err := exec.LookPath("aws-by-hand")
	w.ok(err)
	folder := w.t.TempDir()
	w.ok(os.Symlink(by, filepath.Join(folder, "aws-by-hand")))
	w.ok(os.WriteFile(filepath.Join(folder, "aws"), []byte("#!/bin/sh\nexec aws-by-hand \"$@\"\n"), 0o700))
	cmd := exec.CommandContext(w.t.Context(), sh)
	cmd.Stdin = strings.NewReader(script)
	cmd.Env = append(append(os.Environ(), w.env...), "PATH="+folder+":/usr/bin:/bin")
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("%v\n%s\n%s", err, out, script)
	}
}

// makeStack has CloudFormation make the exported template, and does what moto's
// leaves out.
func (w *motoWorld) makeStack(c vendorCase, template string) {
	w.t.Helper()
	id, err := w.hands.CreateStack(w.t.Context(), aws.NewStack{Name: "exported", Template: template, Acknowledged: true})
	w.ok(err)
	for range 300 {
		stack, err := w.hands.Stack(w.t.Context(), id)
		w.ok(err)
		if stack.Status == "CREATE_COMPLETE" {
			w.ok(w.finishStack(c.grants(w)))
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.t.Fatal("the stack was not made")
}

// changesShow changes one thing after the other in the account, and wants the
// checks to tell each, and to be content again once it is undone.
func (w *motoWorld) changesShow(g access.Grant) {
	w.t.Helper()
	role, err := w.hands.Role(w.t.Context(), g.Name)
	w.ok(err)
	w.trustChangesShow(g, role.Trust)
	w.grantChangesShow(g)
	if report := w.judged(g); !report.OK {
		w.t.Errorf("it is as it was, and not right: %+v", report.Checks)
	}
}

func (w *motoWorld) judged(g access.Grant) aws.Report {
	w.t.Helper()
	report, err := w.hands.Verify(w.t.Context(), g.Want())
	w.ok(err)
	return report
}

// shows wants a check to be failed or warned of.
func (w *motoWorld) shows(g access.Grant, what string, status aws.Status, check string) {
	w.t.Helper()
	report := w.judged(g)
	if report.OK != (status != aws.Fail) {
		w.t.Errorf("%s: ok is %v", what, report.OK)
	}
	if !slices.ContainsFunc(report.Checks, func(c aws.Check) bool { return c.Status == status && c.ID == check }) {
		w.t.Errorf("%s: %s is not %s: %+v", what, check, status, report.Checks)
	}
}

func (w *motoWorld) trustChangesShow(g access.Grant, trust *policy.Document) {
	w.t.Helper()
	changes := map[string][3]string{} // the old text, the new one, the check
	for _, trusted := range g.Trusted {
		changes["another principal than "+trusted] = [3]string{trusted, stranger(trusted), "trust-principal"}
	}
	if g.ExternalID != "" {
		changes["another external ID"] = [3]string{g.ExternalID, g.ExternalID + "1", "trust-external-id"}
	}
	if g.Web != nil {
		changes["another subject"] = [3]string{g.Web.Subject, "a" + g.Web.Subject, "trust-subject"}
		changes["another audience"] = [3]string{`"` + g.Web.Audience, `"a` + g.Web.Audience, "trust-audience"}
	}
	if len(changes) == 0 {
		w.t.Errorf("%s: whom it trusts cannot be changed", g.Name)
	}
	for what, change := range changes {
		text := trust.Compact()
		changed := strings.ReplaceAll(text, change[0], change[1])
		document, err := policy.Parse([]byte(changed), policy.Trust)
		if err != nil || changed == text {
			w.t.Fatalf("%s: %v: %s", what, err, changed)
		}
		w.ok(w.hands.UpdateTrust(w.t.Context(), g.Name, document))
		w.shows(g, what, aws.Fail, change[2])
	}
	w.ok(w.hands.UpdateTrust(w.t.Context(), g.Name, trust))
}

// stranger is somebody else of the same kind as a principal.
func stranger(principal string) string {
	if strings.HasPrefix(principal, "arn:") {
		return principal + "-2"
	}
	return "999988887777"
}

func (w *motoWorld) grantChangesShow(g access.Grant) {
	w.t.Helper()
	for _, arn := range g.Managed {
		w.ok(w.hands.DetachRolePolicy(w.t.Context(), g.Name, arn))
		w.shows(g, "without "+arn, aws.Fail, "policy-attached")
		w.ok(w.hands.AttachRolePolicy(w.t.Context(), g.Name, arn))
	}
	for _, d := range g.Documents {
		w.putPolicy(g, d.Name, oneLess(w.t, d.Document))
		w.shows(g, "one action less in "+d.Name, aws.Fail, "policy-matches")
		w.putPolicy(g, d.Name, d.Document)
		w.putPolicy(g, d.Name, oneMore(w.t, d.Document))
		w.shows(g, "one action more in "+d.Name, aws.Warn, "policy-matches")
		w.putPolicy(g, d.Name, d.Document)
	}
}

// putPolicy gives a policy another text, as a person would who edits it.
func (w *motoWorld) putPolicy(g access.Grant, name string, document *policy.Document) {
	w.t.Helper()
	if g.Role.Inline {
		w.ok(w.hands.PutRolePolicy(w.t.Context(), g.Name, name, document))
		return
	}
	arn := "arn:aws:iam::" + motoAccount + ":policy/" + name
	versions, err := w.hands.PolicyVersions(w.t.Context(), arn)
	w.ok(err)
	for _, v := range versions {
		if !v.IsDefault {
			w.ok(w.hands.DeletePolicyVersion(w.t.Context(), arn, v.ID))
		}
	}
	_, err = w.hands.CreatePolicyVersion(w.t.Context(), arn, document)
	w.ok(err)
}

// oneLess is the document without the first action of its first statement that
// has several, or without that statement's actions but another.
func oneLess(t *testing.T, d *policy.Document) *policy.Document {
	t.Helper()
	return edited(t, d, func(actions []any) []any {
		if len(actions) == 1 {
			return []any{"iam:GetAccountSummary"}
		}
		return actions[1:]
	})
}

// oneMore is the document with an action that no vendor asks for.
func oneMore(t *testing.T, d *policy.Document) *policy.Document {
	t.Helper()
	return edited(t, d, func(actions []any) []any { return append(slices.Clone(actions), "iam:DeleteAccountAlias") })
}

func edited(t *testing.T, d *policy.Document, edit func([]any) []any) *policy.Document {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal([]byte(d.Compact()), &doc); err != nil {
		t.Fatal(err)
	}
	for _, one := range listOf(doc["Statement"]) {
		statement := one.(map[string]any)
		if statement["Action"] == nil || statement["Effect"] != "Allow" {
			continue
		}
		statement["Action"] = edit(listOf(statement["Action"]))
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		out, err := policy.Parse(text, policy.Identity)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	t.Fatal(fmt.Sprint("no statement allows an action: ", d.Compact()))
	return nil
}

func listOf(value any) []any {
	if list, ok := value.([]any); ok {
		return list
	}
	return []any{value}
}
