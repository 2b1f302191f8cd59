package check_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/steps"
	"rolecall/steps/describe"
)

func load(t testing.TB, name string) *describe.Vendor {
	t.Helper()
	v, err := steps.Library().Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestLoadBuiltIn(t *testing.T) {
	names := describe.List()
	if names[0] != "spot" || !slices.Contains(names, "sprinters") || !slices.IsSorted(names[1:]) {
		t.Errorf("the default is not first, or the others are not sorted: %v", names)
	}
	for _, name := range describe.List() {
		if v := load(t, name); v.Name != name || len(v.Source) == 0 {
			t.Errorf("%s: name %q, sources %v", name, v.Name, v.Source)
		}
	}
}

func TestLoadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "acme.yaml")
	if err := os.WriteFile(path, []byte(acme), 0o600); err != nil {
		t.Fatal(err)
	}
	if v := load(t, path); v.Title != "Acme" {
		t.Errorf("read %q", v.Title)
	}
	_, err := steps.Library().Load(filepath.Join(t.TempDir(), "none.yaml"))
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), strings.Join(describe.List(), ", ")) {
		t.Errorf("missing file: %v", err)
	}
	_, err = steps.Library().Load("sport")
	if len(describe.MistakesOf(err)) != 1 || !strings.Contains(err.Error(), "Did you mean spot?") {
		t.Errorf("misspelt name: %v", err)
	}
}

// TestManualMethodOfSpot holds the order and the numbers of Spot's own wizard.
func TestManualMethodOfSpot(t *testing.T) {
	v := load(t, "spot")
	m, ok := v.Method("manual", describe.AccessRole)
	if !ok {
		t.Fatal("no manual method")
	}
	type step struct {
		id, number, role string
		instructions     int
	}
	var got []step
	for _, s := range m.Steps {
		if s.Role == "SpotFinOpsRoleArn" {
			continue
		}
		got = append(got, step{s.ID, s.Number, s.Role, len(s.Instructions)})
	}
	want := []step{
		{"vendor", "1.1", "", 2},
		{"partition", "1.2", "", 1},
		{"login", "3.4", "", 2},
		{"permissions", "1.4", "", 1},
		{"policy", "3.5", "SpotinstRoleArn", 8},
		{"role", "3.6", "SpotinstRoleArn", 9},
		{"connect", "", "", 3},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(step{})); diff != "" {
		t.Error(diff)
	}
	for _, id := range []string{"policy", "role"} {
		if s, ok := m.Step(id, "SpotFinOpsRoleArn"); !ok || s.Number != "" {
			t.Errorf("step %s of Cloud Analyzer: %+v", id, s)
		}
	}
	if _, ok := m.Step("stack", ""); ok {
		t.Error("found a step that is not there")
	}
}

func BenchmarkLoadSpot(b *testing.B) {
	for b.Loop() {
		load(b, "spot")
	}
}
