package trial_test

import (
	"strings"
	"testing"
	"time"

	"rolecall/assets"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/ui/trial"
)

// TestEveryShippedDescriptionIsWalked walks every way through every description
// that comes with the program.
func TestEveryShippedDescriptionIsWalked(t *testing.T) {
	t.Parallel()
	for _, name := range assets.Vendors() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := steps.Library().Load(name)
			if err != nil {
				t.Fatal(err)
			}
			walkAll(t, v)
		})
	}
}

func walkAll(t *testing.T, v *describe.Vendor) {
	t.Helper()
	walks, _ := trial.Walks(v)
	if len(walks) == 0 {
		t.Fatal("no way through it")
	}
	for _, way := range walks {
		if out := trial.Run(t.Context(), v, way, time.Unix(1_700_000_000, 0)); out.Problem != nil {
			t.Errorf(
				"%s %s %s %s stopped at %q: %+v",
				way.Method,
				way.Access,
				way.Partition,
				strings.Join(way.Products, ","),
				out.Step,
				*out.Problem,
			)
		}
	}
}
