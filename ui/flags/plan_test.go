package flags_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"rolecall/steps/plan"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/flags"
)

// prepare takes a command line as connect does.
func prepare(t *testing.T, args ...string) (*flags.Prepared, error) {
	t.Helper()
	a := &cli.App{Env: cli.Env{Now: func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }}}
	f := &flags.Flags{}
	cmd := &cobra.Command{Use: "connect"}
	f.Bind(cmd, flags.Connecting)
	cmd.Flags().StringVar(&a.Account, "aws-account", "", "")
	flags.AddParameters(a, cmd, args)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	return flags.Prepare(a, f)
}

// everything is a command line that says all that a plan can hold.
func everything() []string {
	return []string{
		"--vendor=spot",
		"--method=automatic",
		"--access=role",
		"--partition=aws",
		"--account=act-12ab12ab",
		"--products=elastigroup,cloud-analyzer",
		"--regions=eu-west-1,us-east-1",
		"--restrict-tag=team=platform",
		"--external-id=spotinst:aws:extid:0123456789abcdef",
		"--role-name=My-Role",
		"--policy-name=My-Policy",
		"--stack-name=my-stack",
		"--path=/team/",
		"--permissions-boundary=arn:aws:iam::123456789012:policy/Bound",
		"--session-duration=2h",
		"--tag=team=platform",
		"--tag=cost=42",
		"--report-bucket=my-reports",
		"--aws-account=123456789012",
	}
}

// planned writes the approved plan of a command line.
func planned(t *testing.T, args ...string) (file string, text []byte) {
	t.Helper()
	p, err := prepare(t, append(args, "--yes")...)
	if err != nil {
		t.Fatal(err)
	}
	a := &p.Answers
	a.Partition = "aws"
	made, err := plan.Make(
		a.Request(p.Vendor),
		plan.Head{Tool: "rolecall test", Vendor: a.Vendor, Method: a.Method, VendorAccount: a.VendorAccount, StackName: a.Stack.Name},
		time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC),
	)
	if err != nil {
		t.Fatal(err)
	}
	made.Approve("reviewer", made.Created)
	text, err = made.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return save(t, text), text
}

func save(t *testing.T, text []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// refusal is the kind of a refusal, and what it says.
func refusal(t *testing.T, err error) screen.Problem {
	t.Helper()
	var fault *screen.Fault
	if !errors.As(err, &fault) {
		t.Fatalf("not refused as it should be: %v", err)
	}
	return fault.Problem
}

func TestAPlanBindsEveryFlag(t *testing.T) {
	t.Parallel()
	file, _ := planned(t, everything()...)
	for flag, says := range map[string]string{
		"--vendor=sprinters": "spot", "--method=direct": "automatic", "--access=user": "role", "--partition=aws-cn": "aws",
		"--account=act-99ff99ff": "act-12ab12ab",
		"--account-name=prod":    "act-12ab12ab", "--products=ocean": "elastigroup,cloud-analyzer",
		"--products=elastigroup/route53,cloud-analyzer": "elastigroup,cloud-analyzer",
		"--regions=eu-west-1":                           "eu-west-1,us-east-1", "--restrict-tag=team=other": "team=platform",
		"--external-id=spotinst:aws:extid:fedcba9876543210": "spotinst:aws:extid:0123456789abcdef", "--role-name=Admin": "My-Role",
		"--policy-name=Other":  "My-Policy",
		"--user-name=somebody": "none", "--stack-name=other": "my-stack", "--path=/": "/team/",
		"--permissions-boundary=arn:aws:iam::123456789012:policy/Other": "policy/Bound",
		"--session-duration=12h": "2h", "--tag=team=platform": "cost=42, team=platform", "--tag=x=y": "cost=42, team=platform",
		"--report-bucket=other-reports": "my-reports",
		"--aws-account=111122223333":    "123456789012", "--trusted-account=111122223333": "922761411349",
	} {
		t.Run(flag, func(t *testing.T) {
			_, err := prepare(t, "--plan", file, flag, "--yes")
			p := refusal(t, err)
			name, value, _ := strings.Cut(flag, "=")
			if p.Kind != screen.NotAsNeeded || !strings.Contains(p.What, name+" is "+value+",") || !strings.Contains(p.What, "the plan says") ||
				!strings.Contains(p.What, says) {
				t.Errorf("%+v", p)
			}
		})
	}
}

func TestWhatThePlanSaysMayBeSaidAgain(t *testing.T) {
	t.Parallel()
	file, _ := planned(t, everything()...)
	alone, err := prepare(t, "--plan", file, "--yes")
	if err != nil {
		t.Fatal(err)
	}
	again, err := prepare(
		t,
		append(everything(), "--plan", file, "--trusted-account=922761411349", "--products=cloud-analyzer,elastigroup", "--yes")...)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*flags.Prepared{alone, again} {
		a := &p.Answers
		first := a.Part("SpotinstRoleArn")
		if a.Method != "automatic" || a.AccountID != "123456789012" || !a.AccountPinned || a.VendorAccount != "act-12ab12ab" ||
			a.Stack.Name != "my-stack" || a.Path != "/team/" ||
			a.SessionFor != 2*time.Hour || len(a.Tags) != 2 || a.Parameters["REPORT_BUCKET"] != "my-reports" || len(a.Regions) != 2 ||
			a.RestrictTag != "team=platform" ||
			first.RoleName != "My-Role" || !first.NameGiven || first.PolicyName != "My-Policy" ||
			first.ExternalID != "spotinst:aws:extid:0123456789abcdef" ||
			a.Plan == nil {
			t.Errorf("%+v", a)
		}
	}
}

func TestWhatThePlanLeavesOpenMayBeSaid(t *testing.T) {
	t.Parallel()
	file, _ := planned(t, "--vendor=spot", "--method=direct")
	p, err := prepare(
		t,
		"--plan",
		file,
		"--account=act-12ab12ab",
		"--aws-account=123456789012",
		"--external-id=spotinst:aws:extid:0123456789abcdef",
		"--yes",
	)
	if err != nil || p.Answers.VendorAccount != "act-12ab12ab" || p.Answers.AccountID != "123456789012" {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := prepare(t, "--plan", file, "--account-name=prod", "--yes"); err != nil {
		t.Error(err)
	}
	for _, flag := range []string{"--path=/team/", "--stack-name=x", "--tag=a=b", "--session-duration=1h",
		"--permissions-boundary=arn:aws:iam::123456789012:policy/B", "--regions=eu-west-1",
		"--restrict-tag=a=b", "--report-bucket=my-reports", "--user-name=u"} {
		if _, err := prepare(t, "--plan", file, flag, "--yes"); err == nil || refusal(t, err).Kind != screen.NotAsNeeded ||
			!strings.Contains(err.Error(), "the plan says none") {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

// neutral are the parts of a plan that decide nothing: who says what of it, and
// what is reviewed again. A Sid grants nothing, and is the description's.
func neutral(path string) bool {
	for _, free := range []string{".created", ".tool", ".data.", ".findings", ".verdict", ".characters", ".limit", ".who", ".at", ".Sid"} {
		if strings.Contains(path+".", free+".") || strings.Contains(path, free) && strings.HasSuffix(free, ".") {
			return true
		}
	}
	return false
}

// TestEveryFieldOfAPlanBinds edits an approved plan in each of its values, one
// at a time: another value, none, another kind.
func TestEveryFieldOfAPlanBinds(t *testing.T) {
	t.Parallel()
	// Restrictions make the documents long, and are edited by the other tests.
	_, text := planned(t, slices.DeleteFunc(everything(), func(arg string) bool {
		return strings.HasPrefix(arg, "--re") && !strings.HasPrefix(arg, "--report")
	})...)
	var whole any
	decode(t, text, &whole)
	edits := 0
	for i, path := range leaves(whole, "", 0) {
		inside := strings.Contains(path, ".document.") || strings.Contains(path, ".findings")
		if inside && i%199 != 0 {
			continue // a document has hundreds of values of a kind
		}
		for _, edit := range []func(any) (any, bool){another, removed, otherKind} {
			var changed any
			decode(t, text, &changed)
			changed = change(changed, strings.Split(path, "."), edit)
			out, err := json.Marshal(changed)
			if err != nil {
				t.Fatal(err)
			}
			edits++
			_, err = prepare(t, "--plan", save(t, out), "--yes")
			if err == nil && !neutral(path) {
				t.Errorf("%s was edited, and taken: %s", path, difference(text, out))
			}
		}
	}
	if edits < 200 {
		t.Errorf("only %d edits", edits)
	}
	t.Logf("%d edits", edits)
}

func TestAPlanIsReadStrictly(t *testing.T) {
	t.Parallel()
	file, text := planned(t, everything()...)
	replace := func(old, by string) []byte {
		if !bytes.Contains(text, []byte(old)) {
			t.Fatalf("the plan has no %s", old)
		}
		return bytes.Replace(text, []byte(old), []byte(by), 1)
	}
	var p plan.Plan
	decode(t, text, &p)
	written := func(change func(*plan.Plan)) []byte {
		var p plan.Plan
		decode(t, text, &p)
		change(&p)
		out, err := p.JSON()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	swapped := written(func(p *plan.Plan) {
		p.Documents[0].Purpose, p.Documents[len(p.Documents)-1].Purpose = p.Documents[len(p.Documents)-1].Purpose, p.Documents[0].Purpose
	})
	for name, test := range map[string]struct {
		text []byte
		says string
	}{
		"unknown key":             {replace(`"vendor":`, `"note": "", "vendor":`), `"note" is unknown`},
		"unknown key in a role":   {replace(`"role_name":`, `"admin": true, "role_name":`), `"admin" is unknown`},
		"doubled key":             {replace(`"path":`, `"path": "/other/", "path":`), `"path" stands twice`},
		"doubled in another case": {replace(`"path":`, `"Path": "/other/", "path":`), `"Path" is unknown`},
		"doubled by folding":      {replace(`"stack_name":`, `"ſtack_name": "x", "stack_name":`), "is unknown"},
		"doubled in a document": {replace(`"Version": "2012-10-17"`, `"Version": "2008-10-17", "Version": "2012-10-17"`),
			`"Version" stands twice`},
		"doubled tag":          {replace(`"cost": "42"`, `"cost": "1", "cost": "42"`), `"cost" stands twice`},
		"doubled whole":        {replace(`"documents":`, `"documents": [], "documents":`), `"documents" stands twice`},
		"text behind the end":  {append(slices.Clone(text), "{}"...), "text behind its end"},
		"words behind the end": {append(slices.Clone(text), "approved"...), "text behind its end"},
		"cut off":              {text[:len(text)/2], "not a plan"},
		"empty":                {nil, "not a plan"},
		"a list":               {[]byte("[]"), "not a plan"},
		"null":                 {[]byte("null"), "not a plan"},
		"nested without end":   {bytes.Repeat([]byte("["), 1<<20), "not a plan"},
		"nested in a document": {replace(`"document": {`, `"document": {"x":`+strings.Repeat("[", 1<<16)+strings.Repeat("]", 1<<16)+`,`),
			"nested too deep"},
		"another kind":             {replace(`"session_duration": 7200000000000`, `"session_duration": "2h"`), "not a plan"},
		"a number too large":       {replace(`"session_duration": 7200000000000`, `"session_duration": 1e400`), "not a plan"},
		"another format":           {replace(`"format": 1`, `"format": 2`), "not a plan"},
		"larger than a plan":       {append(bytes.Repeat([]byte(" "), 9<<20), text...), "larger than 8 MB"},
		"documents swapped":        {swapped, "is not what would be made now"},
		"a document of no role":    {written(func(p *plan.Plan) { p.Documents[0].Purpose = "Nobody" }), "is of no role"},
		"a document twice":         {written(func(p *plan.Plan) { p.Documents = append(p.Documents, p.Documents[0]) }), "stands twice"},
		"a role twice":             {written(func(p *plan.Plan) { p.Roles = append(p.Roles, p.Roles[0]) }), "stands twice"},
		"a document less":          {written(func(p *plan.Plan) { p.Documents = p.Documents[1:] }), "is not what would be made now"},
		"no approval":              {written(func(p *plan.Plan) { p.Approvals = nil }), "is not approved"},
		"another's approval":       {written(func(p *plan.Plan) { p.Approvals[0].Digests = p.Approvals[0].Digests[1:] }), "is not approved"},
		"an approval of its names": {written(func(p *plan.Plan) { p.Roles[0].RoleName = "Admin" }), "were changed after the approval"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := prepare(t, "--plan", save(t, test.text), "--yes")
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want %q", err, test.says)
			}
		})
	}
	if _, err := prepare(t, "--plan", file, "--yes"); err != nil {
		t.Errorf("the plan itself: %v", err)
	}
}

// TestAForgedApprovalMakesNothingElse approves anew what was edited: an approval
// is no signature, but what is made is still what the vendor's description and
// the plan say together.
func TestAForgedApprovalMakesNothingElse(t *testing.T) {
	t.Parallel()
	_, text := planned(t, everything()...)
	for name, edit := range map[string]func(*plan.Plan){
		"trusts another account": func(p *plan.Plan) { p.Roles[0].Trusts = []string{"111122223333"} },
		"another AWS policy": func(p *plan.Plan) {
			p.Roles[0].ManagedPolicies = []string{"arn:aws:iam::aws:policy/AdministratorAccess"}
		},
		"roles swapped": func(p *plan.Plan) { p.Roles[0], p.Roles[1] = p.Roles[1], p.Roles[0] },
		"policies swapped": func(p *plan.Plan) {
			last := len(p.Documents) - 2
			p.Documents[0].Document, p.Documents[last].Document = p.Documents[last].Document, p.Documents[0].Document
			p.Documents[0].Digest, p.Documents[last].Digest = p.Documents[last].Digest, p.Documents[0].Digest
		},
		"a role less":          func(p *plan.Plan) { p.Roles = p.Roles[:1] },
		"products behind it":   func(p *plan.Plan) { p.Bundles = []string{"ocean"} },
		"without its regions":  func(p *plan.Plan) { p.Regions = nil },
		"another external ID":  func(p *plan.Plan) { p.Roles[0].ExternalID = "spotinst:aws:extid:fedcba9876543210" },
		"another bucket":       func(p *plan.Plan) { p.Parameters["REPORT_BUCKET"] = "other" },
		"another partition":    func(p *plan.Plan) { p.Partition = "aws-cn" },
		"a user's name":        func(p *plan.Plan) { p.Roles[0].RoleName, p.Roles[0].UserName = "", "u" },
		"a document's name":    func(p *plan.Plan) { p.Documents[0].Name = "Harmless" },
		"another vendor":       func(p *plan.Plan) { p.Vendor = "sprinters" },
		"a file as the vendor": func(p *plan.Plan) { p.Vendor = "/nowhere/acme.yaml" },
	} {
		t.Run(name, func(t *testing.T) {
			var p plan.Plan
			decode(t, text, &p)
			edit(&p)
			p.Approvals = nil
			p.Approve("forger", p.Created)
			out, err := p.JSON()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := prepare(t, "--plan", save(t, out), "--yes"); err == nil {
				t.Error("taken")
			}
		})
	}
}

// TestTwoApprovalsAreNotOne joins the documents that one approval names with the
// settings of another.
func TestTwoApprovalsAreNotOne(t *testing.T) {
	t.Parallel()
	_, first := planned(t, "--vendor=spot", "--method=direct", "--role-name=First")
	_, second := planned(t, "--vendor=spot", "--method=direct", "--role-name=Second", "--products=ocean")
	var a, b plan.Plan
	decode(t, first, &a)
	decode(t, second, &b)
	a.Approvals = append(a.Approvals, b.Approvals...)
	b.Approvals = append(b.Approvals, a.Approvals...)
	a.Selection, a.Roles = b.Selection, b.Roles
	out, err := a.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := prepare(t, "--plan", save(t, out), "--yes"); err == nil || refusal(t, err).Kind != screen.NotAsNeeded {
		t.Errorf("%v", err)
	}
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// leaves are the paths of all values that hold no others.
func leaves(value any, path string, depth int) []string {
	var all []string
	switch v := value.(type) {
	case map[string]any:
		for _, key := range cli.SortedKeys(v) {
			all = append(all, leaves(v[key], path+"."+key, depth+1)...)
		}
	case []any:
		for i := range v {
			all = append(all, leaves(v[i], fmt.Sprintf("%s.%d", path, i), depth+1)...)
		}
	default:
		return []string{path}
	}
	return all
}

// change edits the value at a path, of which the first word is empty.
func change(value any, path []string, edit func(any) (any, bool)) any {
	if len(path) == 1 {
		value, _ = edit(value)
		return value
	}
	set := func(below any) (any, bool) {
		if len(path) == 2 {
			return edit(below)
		}
		return change(below, path[1:], edit), true
	}
	switch v := value.(type) {
	case map[string]any:
		if below, keep := set(v[path[1]]); keep {
			v[path[1]] = below
		} else {
			delete(v, path[1])
		}
		return v
	case []any:
		var i int
		_, _ = fmt.Sscan(path[1], &i)
		if below, keep := set(v[i]); keep {
			v[i] = below
		} else {
			return slices.Delete(v, i, i+1)
		}
		return v
	}
	return value
}

func another(value any) (any, bool) {
	switch v := value.(type) {
	case string:
		return v + "x", true
	case float64:
		return v + 1, true
	case bool:
		return !v, true
	}
	return "x", true
}

func removed(any) (any, bool) { return nil, false }

func otherKind(value any) (any, bool) {
	if _, ok := value.(string); ok {
		return 7, true
	}
	return "seven", true
}

// difference is where two texts begin to differ.
func difference(a, b []byte) string {
	var short bytes.Buffer
	_ = json.Compact(&short, a)
	return fmt.Sprintf("%d characters, %d before", len(b), short.Len())
}
