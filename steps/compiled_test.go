package steps_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rolecall/assets"
	"rolecall/steps"
	"rolecall/steps/describe"
)

var update = flag.Bool("update", false, "write the compiled descriptions anew")

// TestCompiledDescriptions holds what the program loads to the YAML, which is
// the source.
func TestCompiledDescriptions(t *testing.T) {
	t.Parallel()
	folder := filepath.Join("..", "assets", "vendors", "compiled")
	for _, name := range assets.Vendors() {
		text, err := assets.Vendor(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := steps.Library().Read(text, name+".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			compiled, err := describe.Compile(want)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, name+".json"), compiled, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if _, err := assets.CompiledVendor(name); err != nil {
			t.Errorf("%s has no compiled form: go generate ./steps/describe", name)
			continue
		}
		got, err := steps.Library().Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("the compiled form of %s is stale: go generate ./steps/describe\n%s", name, diff)
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) != len(assets.Vendors()) {
		t.Errorf("%d compiled forms of %d descriptions, %v", len(files), len(assets.Vendors()), err)
	}
}
