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
	"rolecall/steps/record"
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

// walkthrough leads through the real steps by hand. Each stop is one golden
// file: to have another screen drawn, add a stop and run with -update. A text
// of more than one letter that names no key is pasted.
var walkthrough = []struct {
	name  string
	at    record.StepID // enter leads there
	keys  []string      // what is pressed there, before it is drawn
	leave []string      // what is pressed afterwards, where enter alone does not lead on
}{
	{"vendor", record.StepVendor, nil, nil},
	{"vendor-token", record.StepVendor, []string{"down", "enter"}, []string{"esc"}},
	{"partition", record.StepPartition, nil, nil},
	{"login-profiles", record.StepLogin, nil, nil},
	{"login-account", record.StepLogin, []string{"down", "down", "down", "enter"}, []string{"111122223333", "enter"}},
	{"permissions", record.StepPermissions, nil, nil},
	{"permissions-tree", record.StepPermissions, []string{"down", "enter"}, nil},
	{"permissions-details", record.StepPermissions, []string{"down", "down", "right"}, nil},
	{"policy", record.StepPolicy, nil, nil},
	{"policy-document", record.StepPolicy, []string{"v"}, nil},
	{"policy-copied", record.StepPolicy, []string{"esc", "c"}, nil},
	{"role-external-id", record.StepRole, nil, nil},
	{"role-external-id-wrong", record.StepRole, []string{"has spaces in it", "enter"}, nil},
	{"role", record.StepRole, []string{"clear", "spotinst:aws:extid:0123456789abcdef", "enter"}, nil},
	{
		"role-wrong-arn",
		record.StepRole,
		[]string{"arn:aws:iam::111122223333:policy/Spot-Policy", "enter"},
		[]string{"clear", "arn:aws:iam::111122223333:role/Spot-Role", "enter"},
	},
	{"connect", record.StepConnect, nil, nil},
}

// TestScreens draws the real steps in their states. A golden file of a stop
// holds what is its own; headers and footers have one file each, so that a word
// of theirs changes one file.
func TestScreens(t *testing.T) {
	all, drawn := &album{}, true
	drawn = t.Run("guided", func(t *testing.T) { synctest.Test(t, all.guided) }) && drawn
	for _, m := range methodGoldens() {
		drawn = t.Run(m.name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { all.method(t, m) }) }) && drawn
	}
	if !drawn || all.stops < len(walkthrough) || all.methods < len(methodGoldens()) {
		return // a part of them was run
	}
	golden(t, "headers", all.headers.String())
	golden(t, "footers", all.footers.String())
}

// album collects what all stops have around their own.
type album struct {
	headers, footers strings.Builder
	stops, methods   int
}

func (a *album) guided(t *testing.T) {
	w := begin(
		t,
		WizardOptions{Session: guided(t), Terminal: testTerminal(t, "SSH_CONNECTION=1", "TERM=xterm"), Getenv: func(string) string { return "" }},
	)
	for _, stop := range walkthrough {
		w.reach(stop.at)
		w.stroke(stop.keys...)
		a.take(t, "step-"+stop.name, w.everySize())
		w.stroke(stop.leave...)
	}
	a.stops += len(walkthrough)
}

// take compares what is a stop's own, and keeps the rest.
func (a *album) take(t *testing.T, name string, d drawing) {
	t.Helper()
	golden(t, name, d.body)
	fmt.Fprintf(&a.headers, "##### %s\n%s", name, d.header)
	fmt.Fprintf(&a.footers, "##### %s\n%s", name, d.footer)
}

func (w *fluent) stroke(keys ...string) {
	for _, key := range keys {
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
}

// drawing is one stop in every size and look.
type drawing struct{ header, body, footer string }

// everySize draws what is on the screen in every size and look.
func (w *fluent) everySize() drawing {
	var header, body, footer strings.Builder
	for _, size := range [][2]int{{100, 30}, {80, 24}, {44, 20}} {
		w.Send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		for _, look := range []struct {
			name string
			look draw.Look
		}{{"dark", draw.Look{Links: true}}, {"light", draw.Look{Light: true, Links: true}}, {"no colour", draw.Look{NoColor: true}}} {
			above, step, below := w.parts(look.look)
			title := fmt.Sprintf("=== %dx%d %s\n", size[0], size[1], look.name)
			header.WriteString(title + above)
			body.WriteString(title + step)
			footer.WriteString(title + below)
		}
	}
	w.Send(tea.WindowSizeMsg{Width: 80, Height: 24})
	return drawing{header.String(), body.String(), footer.String()}
}

// parts draws the frame in a look, and takes it apart. The step is drawn over an
// empty footer: how many lines that one needs is no matter of the step's file.
func (w *fluent) parts(look draw.Look) (header, body, footer string) {
	w.watched.mu.Lock()
	defer w.watched.mu.Unlock()
	w.wizard.restyle(func(l *draw.Look) { *l = look })
	w.wizard.refresh()
	frame := w.wizard.frame()
	whole := w.wizard.paint(frame)
	frame.Keys, frame.Status, frame.Question = nil, draw.Status{}, ""
	alone := w.wizard.paint(frame)
	lines, own := strings.Split(whole.Content, "\n"), strings.Split(alone.Content, "\n")
	if len(lines) > frame.Height {
		w.t.Errorf("%d lines on a screen of %d", len(lines), frame.Height)
	}
	return visible(lines[:whole.Head]), visible(own[alone.Head : len(own)-alone.Foot]), visible(lines[len(lines)-whole.Foot:])
}

// visible makes lines readable in a file; the empty ones at their end say nothing.
func visible(lines []string) string {
	text := strings.TrimRight(strings.Join(lines, "\n"), "\n ")
	return strings.ReplaceAll(text, "\x1b", "␛") + "\n"
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
