package trial_test

import (
	"slices"
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

// TestEveryChoiceIsWalked has a way for each value that a parameter can have, by
// each method.
func TestEveryChoiceIsWalked(t *testing.T) {
	t.Parallel()
	v, err := steps.Library().Load("datadog")
	if err != nil {
		t.Fatal(err)
	}
	walks, left := trial.Walks(v)
	for _, role := range v.Roles {
		for name, p := range role.Parameters {
			for _, value := range p.Values() {
				for _, m := range v.Methods {
					if !slices.ContainsFunc(walks, func(w trial.Walk) bool {
						return w.Method == m.ID && (w.Choices[name] == value || len(w.Choices) == 0 && p.Sample() == value)
					}) {
						t.Errorf("%s %s is walked by no %s", name, value, m.ID)
					}
				}
			}
		}
	}
	if left > 0 {
		t.Errorf("%d ways are left out", left)
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
