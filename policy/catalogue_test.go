package policy

import (
	"os"
	"path/filepath"
	"testing"

	"rolecall/assets"
)

// shared reads material that lies beside the repository for its authors, and
// skips the test where it is not.
func shared(t testing.TB, name ...string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", "..", "shared", "domain"}, name...)...))
	if err != nil {
		t.Skip("the shared domain material is not beside this repository")
	}
	return text
}

func parsed(t testing.TB, text []byte, kind Kind) *Document {
	t.Helper()
	d, err := Parse(text, kind)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestCatalogueKnowsEveryAction(t *testing.T) {
	c := AWS()
	if c.Version() != "0.21.202609261" || c.Date() != "2026-09-26" {
		t.Errorf("version %q, date %q", c.Version(), c.Date())
	}
	levels := map[AccessLevel]int{}
	all := c.Expand("*")
	for _, a := range all {
		levels[a.Level]++
		if found, ok := c.Action(a.Name); !ok || found.Name != a.Name {
			t.Fatalf("%s is not found by its name", a.Name)
		}
	}
	// Counted in the package's own JSON files.
	want := map[AccessLevel]int{List: 3719, Read: 5871, Write: 11357, Tagging: 719, PermissionsManagement: 425}
	for level, n := range want {
		if levels[level] != n {
			t.Errorf("%s: %d actions, want %d", level, levels[level], n)
		}
	}
	if len(c.Services()) != 456 || len(all) != 22091 {
		t.Errorf("%d services, %d actions", len(c.Services()), len(all))
	}
}

func TestCatalogueDecodesEveryService(t *testing.T) {
	for _, s := range AWS().Services() {
		actions := s.Actions()
		if len(actions) != s.Count || len(s.ResourceTypes()) != len(s.types) {
			t.Errorf("%s: %d actions, want %d", s.Prefix, len(actions), s.Count)
		}
		for _, a := range actions {
			if a.Description() == "" {
				t.Errorf("%s has no description", a.Name)
			}
		}
		if n := len(s.descriptions); n != s.Count+1 {
			t.Errorf("%s: %d descriptions, want %d", s.Prefix, n-1, s.Count)
		}
	}
}

func TestCatalogueDetails(t *testing.T) {
	run, ok := AWS().Action("EC2:runinstances")
	if !ok {
		t.Fatal("ec2:RunInstances is unknown")
	}
	if run.Name != "ec2:RunInstances" || run.Level != Write || run.Description() != "launch one or more instances" {
		t.Errorf("%+v: %q", run, run.Description())
	}
	if run.Service().Name != "Amazon EC2" || len(run.ConditionKeys()) != 1 || run.ConditionKeys()[0] != "ec2:Region" {
		t.Errorf("service %q, keys %q", run.Service().Name, run.ConditionKeys())
	}
	for _, r := range run.Resources() {
		if r.Type.Name != "image" {
			continue
		}
		if !r.Required || r.Type.ARN != "arn:${Partition}:ec2:${Region}::image/${ImageId}" || len(r.Keys) != 9 {
			t.Errorf("image: %+v", r)
		}
		return
	}
	t.Error("ec2:RunInstances has no resource type image")
}

func TestExpand(t *testing.T) {
	for pattern, want := range map[string]int{
		"ec2:Describe*": 194, "EC2:describe*": 194, "s3:*": 180, "autoscaling:*": 68, "elasticmapreduce:*": 88,
		"iam:PassRole": 1, "ec2:RunInstance?": 1, "savingsplans:List*": 1, "elasticloadbalancing:Register*": 2,
		"nosuch:*": 0, "ec2:NoSuch": 0, "ec2": 0, "": 0, "*:*": 22091, "e?2:DescribeInstances": 1,
	} {
		if got := len(AWS().Expand(pattern)); got != want {
			t.Errorf("%q expands to %d actions, want %d", pattern, got, want)
		}
	}
}

func BenchmarkExpandEverything(b *testing.B) {
	for b.Loop() {
		c, err := readCatalogue(assets.Catalogue())
		if err != nil {
			b.Fatal(err)
		}
		if len(c.Expand("*")) == 0 {
			b.Fatal("nothing")
		}
	}
}

func BenchmarkExpandDescribe(b *testing.B) {
	for b.Loop() {
		if len(AWS().Expand("ec2:Describe*")) == 0 {
			b.Fatal("nothing")
		}
	}
}

func BenchmarkOpenCatalogue(b *testing.B) {
	for b.Loop() {
		if _, err := readCatalogue(assets.Catalogue()); err != nil {
			b.Fatal(err)
		}
	}
}
