package trial_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rolecall/assets"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/ui/trial"
)

// vendor reads a description of this folder as a stranger's, with edits.
func vendor(t *testing.T, edits ...string) (*describe.Vendor, error) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "two-roles.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer(edits...).Replace(string(text))
	if len(edits) > 0 && changed == string(text) {
		t.Fatalf("%q is not in it", edits[0])
	}
	return steps.Library().ReadForeign([]byte(changed), "two-roles.yaml")
}

// TestTwoRolesWithARequestEachAndParameters walks a vendor with two roles, a
// declared request, a choice, two fields and a placeholder in a Condition.
func TestTwoRolesWithARequestEachAndParameters(t *testing.T) {
	t.Parallel()
	v, err := vendor(t)
	if err != nil {
		t.Fatal(err)
	}
	walkAll(t, v)
}

// TestAWalkThatStopsSaysWhere walks descriptions that nothing but a walk finds
// wrong.
func TestAWalkThatStopsSaysWhere(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	for i := range 300 {
		fmt.Fprintf(&many, `, "arn:aws:s3:::a-bucket-with-a-long-name-%03d"`, i)
	}
	for name, test := range map[string]struct {
		edits []string
		says  string
	}{
		"a policy beside nine others": {[]string{`"Action": "s3:ListBucket", "Resource": "*"`,
			`"Action": "s3:ListBucket", "Resource": ["arn:aws:s3:::a"` + many.String() + `]`,
			"[SecurityAudit]", "[SecurityAudit, A, B, C, D, E, F, G, H]"}, "does not fit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := vendor(t, test.edits...)
			if err != nil {
				t.Fatal(err)
			}
			walks, _ := trial.Walks(v)
			out := trial.Run(t.Context(), v, walks[0], time.Unix(1_700_000_000, 0))
			if out.Problem == nil || !strings.Contains(out.Problem.What, test.says) || out.Step == "" {
				t.Errorf("%+v", out)
			}
		})
	}
}

// TestACheckedDescriptionIsOneThatAWalkGetsThrough breaks descriptions at random,
// hundreds of times: what reads clean then is walked, one way of those that there
// are, and no step panics or claims what AWS does not show.
func TestACheckedDescriptionIsOneThatAWalkGetsThrough(t *testing.T) {
	t.Parallel()
	roles, err := os.ReadFile(filepath.Join("testdata", "two-roles.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	users, err := assets.Vendor("sprinters")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"roles": string(roles),
		"users": strings.NewReplacer("name: sprinters", "name: mine", "title: Sprinters", "title: Mine").Replace(string(users))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random, clean := rand.New(rand.NewPCG(13, 1)), 0
			for range 400 {
				broken := breakText(random, text)
				v, err := steps.Library().ReadForeign([]byte(broken), "broken.yaml")
				if err != nil {
					continue
				}
				clean++
				walks, _ := trial.Walks(v)
				way := walks[random.IntN(len(walks))]
				if out := trial.Run(t.Context(), v, way, time.Unix(1_700_000_000, 0)); out.Problem != nil {
					t.Errorf("%s %s %v stopped at %q: %s\n%s", way.Method, way.Access, way.Products, out.Step, out.Problem.What, difference(text, broken))
				}
			}
			if clean < 15 {
				t.Errorf("%d of the broken descriptions read clean", clean)
			}
		})
	}
}

// breakText drops, doubles or moves a line, or takes a word for another's.
func breakText(random *rand.Rand, text string) string {
	lines := strings.SplitAfter(text, "\n")
	for range 1 + random.IntN(2) {
		i, j := random.IntN(len(lines)), random.IntN(len(lines))
		switch random.IntN(4) {
		case 0:
			lines[i] = ""
		case 1:
			lines[i] += lines[i]
		case 2:
			lines[i], lines[j] = lines[j], lines[i]
		case 3:
			from, to := strings.Fields(lines[i]), strings.Fields(lines[j])
			if len(from) > 0 && len(to) > 0 {
				lines[i] = strings.Replace(lines[i], from[len(from)-1], to[len(to)-1], 1)
			}
		}
	}
	return strings.Join(lines, "")
}

// difference are the lines that one text has and the other has not.
func difference(a, b string) string {
	var out []string
	for line := range strings.Lines(b) {
		if !strings.Contains(a, line) {
			out = append(out, "+ "+line)
		}
	}
	for line := range strings.Lines(a) {
		if !strings.Contains(b, line) {
			out = append(out, "- "+line)
		}
	}
	return strings.Join(out, "")
}
