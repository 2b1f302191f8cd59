package wizard

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/steps/step"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"

	"rolecall/aws"
	"rolecall/steps/vendorapi"
	"rolecall/ui/draw"
)

var rewrite = flag.Bool("update", false, "write the golden files anew")

// guided is a session without credentials on either side: all of the wizard's
// screens that no request leads to.
func guided(t *testing.T) *step.Session {
	t.Helper()
	v, err := steps.Library().Load("spot")
	if err != nil {
		t.Fatal(err)
	}
	s := &step.Session{Vendor: v, Now: time.Now, LoadVendor: steps.Library().Load}
	s.Answers.Vendor, s.Method, s.Access, s.Partition = "spot", "manual", describe.AccessRole, "aws"
	s.Offers = []step.Offer{{Vendor: "spot", Method: "manual", Access: describe.AccessRole, Label: v.Title}}
	s.Profiles = func() ([]aws.Profile, error) { return []aws.Profile{{Name: "prod"}, {Name: "sandbox"}}, nil }
	s.OpenAPI = func(_ string, token screen.Secret) (vendorapi.Client, error) {
		if token == "" {
			return nil, nil //nolint:nilnil // no token, no client
		}
		return nil, &vendorapi.Error{}
	}
	s.Prepare()
	return s
}

// walkthrough leads through the real steps by keys. Each stop is one golden
// file: to have another screen drawn, add a stop and run with -update.
var walkthrough = []struct {
	name string
	keys []string // since the stop before; a text of more than one letter that names no key is pasted
}{
	{"vendor", nil},
	{"vendor-token", []string{"down", "enter"}},
	{"partition", []string{"esc", "enter"}},
	{"login-profiles", []string{"enter"}},
	{"login-account", []string{"down", "down", "down", "enter"}},
	{"permissions", []string{"111122223333", "enter"}},
	{"permissions-tree", []string{"down", "enter"}},
	{"permissions-details", []string{"down", "down", "right"}},
	{"policy", []string{"enter"}},
	{"policy-document", []string{"v"}},
	{"policy-copied", []string{"esc", "c"}},
	{"role-external-id", []string{"enter"}},
	{"role-external-id-wrong", []string{"has spaces in it", "enter"}},
	{"role", []string{"clear", "spotinst:aws:extid:0123456789abcdef", "enter"}},
	{"role-wrong-arn", []string{"arn:aws:iam::111122223333:policy/Spot-Policy", "enter"}},
	{"connect", []string{"clear", "arn:aws:iam::111122223333:role/Spot-Role", "enter"}},
}

func TestRealSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := guided(t)
		w := begin(t, WizardOptions{Session: s, Desk: testDesk(t, "SSH_CONNECTION=1", "TERM=xterm"), Getenv: func(string) string { return "" }})
		for _, stop := range walkthrough {
			for _, key := range stop.keys {
				w.stroke(key)
			}
			golden(t, "step-"+stop.name, w.everySize())
		}
	})
}

func (w *fluent) stroke(key string) {
	_, named := namedKeys[key]
	switch {
	case key == "clear":
		w.Send(tea.KeyPressMsg{Code: 'u', Mod: tea.ModCtrl})
	case named || len(key) == 1:
		w.Press(key)
	default:
		w.Paste(key)
	}
}

// everySize draws what is on the screen in every size and look.
func (w *fluent) everySize() string {
	var b strings.Builder
	for _, size := range [][2]int{{100, 30}, {80, 24}, {44, 20}} {
		w.Send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		for _, look := range []struct {
			name string
			look draw.Look
		}{{"dark", draw.Look{Links: true}}, {"light", draw.Look{Light: true, Links: true}}, {"no colour", draw.Look{NoColor: true}}} {
			w.watched.mu.Lock()
			w.wizard.restyle(func(l *draw.Look) { *l = look.look })
			w.wizard.refresh()
			w.watched.mu.Unlock()
			fmt.Fprintf(&b, "=== %dx%d %s\n%s\n", size[0], size[1], look.name, strings.ReplaceAll(w.wizard.View().Content, "\x1b", "␛"))
		}
	}
	w.Send(tea.WindowSizeMsg{Width: 80, Height: 24})
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *rewrite {
		if err := os.MkdirAll("testdata", 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update to write it)", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s differs (-want +got; -update rewrites it):\n%s", path, diff)
	}
}
