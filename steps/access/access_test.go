package access_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rolecall/policy"
	"rolecall/steps"
	"rolecall/steps/access"
)

const (
	mainRole = "SpotinstRoleArn"
	finOps   = "SpotFinOpsRoleArn"
)

func spot(t *testing.T) access.Request {
	t.Helper()
	v, err := steps.Library().Load("spot")
	if err != nil {
		t.Fatal(err)
	}
	return access.Request{Vendor: v, Partition: "aws", AccountID: "123456789012"}
}

func TestTheTrustOfAGrant(t *testing.T) {
	const id = "spotinst:aws:extid:0123456789abcdef"
	r := spot(t)
	r.Names = map[string]access.Names{mainRole: {ExternalID: id}}
	g, err := r.Grant(mainRole)
	if err != nil || g.Trust.Digest() != policy.NewTrust("aws", []string{"922761411349"}, id).Digest() {
		t.Errorf("%v: %s", err, g.Trust.Compact())
	}
	g, _ = r.Grant(finOps) // its bucket is not known, which is no matter of trust
	if text := g.Trust.Compact(); !strings.Contains(text, "884866656237") || !strings.Contains(text, "627743545735") ||
		strings.Contains(text, "Condition") {
		t.Errorf("Cloud Analyzer: %s", text)
	}
	if _, err := policy.Parse([]byte(g.Trust.Pretty()), policy.Trust); err != nil {
		t.Errorf("Cloud Analyzer's trust policy does not read back: %v", err)
	}
	r.Partition = "aws-us-gov"
	if g, _ = r.Grant(mainRole); g.Trust != nil || r.UnknownAccount(mainRole) == nil {
		t.Errorf("trust policy without an account: %s", g.Trust.Compact())
	}
	r.TrustedAccount = "111122223333"
	if g, _ = r.Grant(mainRole); !strings.Contains(g.Trust.Compact(), "arn:aws-us-gov:iam::111122223333:root") {
		t.Errorf("GovCloud: %s", g.Trust.Compact())
	}
}

func TestAGrantIsWholeWithEverySetting(t *testing.T) {
	r := spot(t)
	r.Bundles, _ = r.Vendor.Bundles([]string{"elastigroup", "ocean"})
	r.RestrictTag, r.Regions = "team=platform", []string{"eu-west-1"}
	r.Path, r.Boundary = "/team/", "arn:aws:iam::123456789012:policy/Bound"
	g, err := r.Grant(mainRole)
	if err != nil {
		t.Fatal(err)
	}
	text := g.Whole.Compact()
	if !strings.Contains(text, "aws:ResourceTag/team") || !strings.Contains(text, "aws:RequestedRegion") {
		t.Error("the restrictions are not in the policy")
	}
	var parts []*policy.Document
	for i, d := range g.Documents {
		parts = append(parts, d.Document)
		if n := d.Document.Characters(); n > g.Role.Limit() || !strings.HasPrefix(d.ARN, "arn:aws:iam::123456789012:policy/team/Spot-Policy") {
			t.Errorf("document %d: %d characters, %s", i, n, d.ARN)
		}
	}
	if len(parts) < 2 || !policy.Compare(g.Whole, policy.Merge(parts...)).Equal {
		t.Errorf("%d parts do not grant the whole", len(parts))
	}
	want := g.Want()
	if !want.PathGiven || !want.BoundaryGiven || want.Policies[0].Digest() != g.Whole.Digest() ||
		g.ARN() != "arn:aws:iam::123456789012:role/team/Spot-Role" {
		t.Errorf("%+v", want)
	}
	by := map[string]int{}
	for _, kept := range g.Kept {
		by[kept.By]++
	}
	if by["region"] == 0 || by["tag"] == 0 || len(by) != 2 {
		t.Errorf("kept %v", by)
	}
	r.Minify = true
	short, err := r.Grant(mainRole)
	if err != nil || short.Whole.Characters() >= g.Whole.Characters() || !policy.Compare(g.Whole, short.Whole).Equal {
		t.Errorf("%v: %d characters after, %d before", err, short.Whole.Characters(), g.Whole.Characters())
	}
}

func TestWhatIsAskedForAParameter(t *testing.T) {
	r := spot(t)
	r.Bundles, _ = r.Vendor.Bundles([]string{"cloud-analyzer"})
	if _, err := r.Grants(); err == nil || !strings.Contains(err.Error(), "Report bucket is missing") {
		t.Errorf("%v", err)
	}
	if open := r.Open(finOps); open == nil || !strings.Contains(open.Compact(), "REPORT_BUCKET") {
		t.Error("the open document lost its placeholder")
	}
	r.Parameters = map[string]string{"REPORT_BUCKET": "my-reports"}
	grants, err := r.Grants()
	if err != nil || len(grants) != 1 || strings.Contains(grants[0].Whole.Compact(), "REPORT_BUCKET") {
		t.Errorf("%v", err)
	}
	if r.OwnPolicy(mainRole) || !r.OwnPolicy(finOps) {
		t.Error("Cloud Analyzer needs another role's policy")
	}
}

// TestNothingElseComposes holds the boundary: outside of this package nobody
// composes, fills, restricts or splits a policy, so that there is one answer to
// what is wanted.
func TestNothingElseComposes(t *testing.T) {
	here := []string{"steps/access/", "steps/describe/", "policy/", "aws/rehearsal/"}
	root := filepath.Join("..", "..")
	files := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		for _, own := range here {
			if strings.HasPrefix(name, own) {
				return nil
			}
		}
		files++
		composers(t, path)
		return nil
	})
	if err != nil || files < 100 {
		t.Fatalf("%d files were read: %v", files, err)
	}
}

func composers(t *testing.T, path string) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if of, ok := method.X.(*ast.Ident); ok && slices.Contains([]string{"strings", "bytes", "filepath", "path"}, of.Name) {
			return true
		}
		switch method.Sel.Name {
		case "Compose", "Fill", "RestrictRegions", "RestrictTag", "Split", "InPartition":
			t.Errorf("%s: %s is for steps/access alone: ask access.Request", set.Position(call.Pos()), method.Sel.Name)
		}
		return true
	})
}
