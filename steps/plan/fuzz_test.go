package plan

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"rolecall/steps/screen"
)

// FuzzPlan reads a plan from any bytes: it is one that reads back as it was
// written, or a refusal that says what to do and can be drawn.
func FuzzPlan(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"kind":"rolecall-plan"}`, "{\"kind\":\"\x1b[2J\"}", `{"kind":"a","kind":"b"}`, `[`, `{} {}`,
		`{"kind":"rolecall plan","format":1,"roles":[{"purpose":"P","role_name":"R"}],"documents":[{"purpose":"P","kind":"permissions","name":"\u001b"}]}`,
		strings.Repeat(`{"documents":[`, 2000),
	} {
		f.Add([]byte(seed))
	}
	f.Add([]byte(`{"kind":"` + FileKind + `","format":1,"vendor":"spot","roles":[{"purpose":"SpotinstRoleArn","role_name":"Spot-Role"}],` +
		`"documents":[{"purpose":"SpotinstRoleArn","kind":"` + Permissions +
		`","name":"Spot-Policy","digest":"sha256:00","document":{"Version":"2012-10-17"}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Read(text)
		var fault *screen.Fault
		switch {
		case err == nil:
			again, err := p.JSON()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Read(again); err != nil {
				t.Errorf("what was read is refused when it is written again: %v", err)
			}
		case !errors.As(err, &fault):
			t.Errorf("%T %v", err, err)
		case fault.Problem.What == "" || fault.Problem.Next == "" || strings.ContainsFunc(fault.Problem.What, unicode.IsControl):
			t.Errorf("%q", fault.Problem.What)
		}
	})
}
