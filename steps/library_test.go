package steps_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// everyVendor is each description that comes with the program or its tests.
func everyVendor(t *testing.T) []*describe.Vendor {
	t.Helper()
	names := describe.List()
	files, err := filepath.Glob(filepath.Join("describe", "check", "testdata", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	names = append(names, files...)
	vendors := []*describe.Vendor{acme(t)}
	for _, name := range names {
		v, err := steps.Library().Load(name)
		if err != nil {
			t.Fatal(err)
		}
		vendors = append(vendors, v)
	}
	return vendors
}

// TestEveryStepIsRegistered holds the names that steps go to against the table,
// and that each step of the table is met in the flow of some vendor.
func TestEveryStepIsRegistered(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("record", "step.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			name, _ := strconv.Unquote(lit.Value)
			named = append(named, name)
		}
		return true
	})
	registered := steps.Library().StepIDs()
	for _, name := range named {
		if !slices.Contains(registered, name) {
			t.Errorf("steps go to %s, and the table has %v", name, registered)
		}
	}
	met := map[string]bool{}
	for _, v := range everyVendor(t) {
		for _, method := range v.Methods {
			flow := steps.Flow(&step.Session{Vendor: v, Answers: record.Answers{Method: method.ID, Access: method.Access}})
			if len(flow) != len(method.Steps) {
				t.Errorf("%s %s %s: %d of %d steps", v.Name, method.ID, method.Access, len(flow), len(method.Steps))
			}
			for i, one := range flow {
				if one.ID() != step.IDOf(method.Steps[i]) || one.Title() != method.Steps[i].Title {
					t.Errorf("%s %s: step %s %q", v.Name, method.ID, one.ID(), one.Title())
				}
				met[method.Steps[i].ID] = true
			}
		}
	}
	for _, id := range registered {
		if !met[id] {
			t.Errorf("no vendor's flow has the step %s", id)
		}
	}
}

// TestMarksAreWhatTheStepsHave walks every flow in the rehearsal and holds what
// can be copied or opened beside instructions against the marks that
// descriptions can name.
func TestMarksAreWhatTheStepsHave(t *testing.T) {
	t.Parallel()
	seen := map[string]map[string]bool{} // by step and access
	for _, v := range everyVendor(t) {
		for _, method := range v.Methods {
			rehearse(t, func(t *testing.T, w *world) {
				w.wholeVendor(v, method)
				w.walkThrough(func(id string, label string) {
					key := id + " " + method.Access
					if seen[key] == nil {
						seen[key] = map[string]bool{}
					}
					seen[key][label] = true
				})
			})
		}
	}
	for _, kind := range steps.Library().Steps {
		for access, marks := range map[string][]string{describe.AccessRole: kind.Marks, describe.AccessUser: slices.Concat(kind.Marks,
			kind.UserMarks)} {
			met, ok := seen[kind.ID+" "+access]
			if !ok || len(marks) == 0 {
				continue
			}
			for label := range met {
				if !slices.Contains(marks, label) {
					t.Errorf("%s for a %s has %q, which no description can mark", kind.ID, access, label)
				}
			}
		}
		met := maps.Clone(seen[kind.ID+" "+describe.AccessRole])
		if met == nil {
			met = map[string]bool{}
		}
		maps.Copy(met, seen[kind.ID+" "+describe.AccessUser])
		for _, mark := range slices.Concat(kind.Marks, kind.UserMarks) {
			number, numbered := strings.CutPrefix(mark, "Account ID ")
			if !met[mark] && (!numbered || number == "2") {
				t.Errorf("descriptions can mark %q of %s, which the step does not have: %v", mark, kind.ID, slices.Sorted(maps.Keys(met)))
			}
		}
	}
}

// wholeVendor makes the session one that needs all that the vendor has, with the
// person's part done by the rehearsal.
func (w *world) wholeVendor(v *describe.Vendor, method describe.Method) {
	w.t.Helper()
	s := w.session
	s.Vendor, s.Rehearsal, s.Offers = v, true, nil
	s.Answers = record.Answers{ID: "test", Rehearsal: true, Vendor: v.Name, Method: method.ID, Access: method.Access,
		TrustedAccount: describe.SamplePrincipal(v.Partitions[v.DefaultPartition()].Ask, v.DefaultPartition())}
	s.VendorAccount, s.Stack.Acknowledged = v.Account.Example, true
	s.Bundles, s.Parameters = v.AllBundles(), map[string]string{}
	for i := range v.Roles {
		w.aws.AddManagedPolicies(v.Roles[i].ManagedPolicies...)
		for name, parameter := range v.Roles[i].Parameters {
			s.Parameters[name] = parameter.Example
		}
	}
	s.Prepare()
	for i := range v.Roles {
		if w.token == "" && v.Roles[i].NoExternal == "" {
			s.SetPart(v.Roles[i].Purpose, func(p *record.Part) { p.ExternalID = v.ExternalID.Example })
		}
	}
	w.walk = steps.NewWalk(s)
}

// walkThrough presses what enter presses until the walk ends. It tells each
// label that can be copied, and each link, on a screen with instructions.
func (w *world) walkThrough(tell func(step, label string)) {
	w.t.Helper()
	w.walkThroughScreens(func() {
		if w.instructions() == nil {
			return
		}
		id, _, _ := strings.Cut(string(w.walk.Step().ID()), ":")
		for _, label := range w.copyable(w.walk.Screen()) {
			tell(id, label)
		}
	})
}

// walkThroughScreens presses what enter presses until the walk ends, and looks
// at each screen on the way.
func (w *world) walkThroughScreens(look func()) {
	w.t.Helper()
	w.start()
	for range 2000 {
		if w.walk.Ended() {
			return
		}
		look()
		view := w.walk.Screen()
		if strings.Count(view.About, ". ") != 1 || strings.Contains(view.About, "{") {
			w.t.Errorf("%s is explained by %q, want two sentences", w.walk.Step().ID(), view.About)
		}
		if msg := view.Enter(); msg != nil {
			w.take(w.walk.Tell(msg))
			continue
		}
		if len(w.pending) == 0 {
			w.t.Fatalf("%s %s %s stops here:\n%s", w.session.Vendor.Name, w.session.Method, w.session.Access, w.text())
		}
		w.one()
	}
	w.t.Fatalf("%s does not end:\n%s", w.session.Vendor.Name, w.text())
}

// copyable are the marks that the screen gives: the labels of what can be
// copied there, and "opened" where a page can be.
func (w *world) copyable(view screen.Screen) []string {
	var labels []string
	for _, b := range view.Blocks {
		switch b := b.(type) {
		case screen.Facts:
			for _, f := range b {
				if f.Copy {
					labels = append(labels, f.Label)
				}
			}
		case screen.Code:
			labels = append(labels, b.Label)
		case screen.Link:
			labels = append(labels, describe.MarkOpened)
		default: // nothing to copy
		}
	}
	for _, a := range view.Actions {
		if strings.HasPrefix(a.ID, "copy-") {
			before := len(w.copied)
			w.presses(a.ID)
			for _, c := range w.copied[before:] {
				labels = append(labels, c.Label)
			}
		}
	}
	return labels
}

// TestTheDocumentedMarksAreTheKnownOnes holds the page for vendors against the
// table.
func TestTheDocumentedMarksAreTheKnownOnes(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "assets", "vendors", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range steps.Library().Steps {
		for _, mark := range slices.Concat(kind.Marks, kind.UserMarks) {
			if !strings.Contains(string(page), "`"+mark+"`") && !strings.HasPrefix(mark, "Account ID ") {
				t.Errorf("the page does not name the mark %q", mark)
			}
		}
	}
}
