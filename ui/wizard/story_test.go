package wizard

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/assets"
	"rolecall/aws"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/vendorapi"
	"rolecall/ui/draw"
	"rolecall/ui/rehearse"
)

// story is one walk from the first screen to the last, as a person walks it who
// reads, does what is said, and presses enter.
type story struct {
	vendor, method, access string
	guideOnly              bool // without credentials and without a token
}

func (s story) name() string {
	name := strings.Join([]string{"story", s.vendor, s.method, s.access}, "-")
	if s.guideOnly {
		name += "-guide-only"
	}
	return name
}

// stories are all vendors and methods that the program ships, and those again
// that work without credentials.
func stories(t *testing.T) []story {
	t.Helper()
	var all []story
	for _, name := range assets.Vendors() {
		v, err := steps.Library().Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range v.Methods {
			all = append(all, story{vendor: name, method: m.ID, access: m.Access})
			if m.ID != describe.Direct {
				all = append(all, story{vendor: name, method: m.ID, access: m.Access, guideOnly: true})
			}
		}
	}
	return all
}

// TestStories records each story as a film: whole screens in order, and between
// them what was pressed. Whoever changes a screen sees in these files where it
// stands, and what comes before and after it.
func TestStories(t *testing.T) {
	for _, s := range stories(t) {
		for _, size := range [][2]int{{80, 24}, {44, 20}} {
			name := fmt.Sprintf("%s-%dx%d", s.name(), size[0], size[1])
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := &film{fluent: begin(t, WizardOptions{Session: s.session(t), Desk: testDesk(t, "TERM=xterm"),
						Getenv: func(string) string { return "" }}), story: s}
					f.size(size[0], size[1])
					f.Wait(pace)
					golden(t, name, f.walk())
				})
			})
		}
	}
}

// session is one of a rehearsal, or one with nothing to sign in with.
func (s story) session(t *testing.T) *step.Session {
	t.Helper()
	p := picturedMethod(t, s.vendor, s.method, s.access)
	if !s.guideOnly {
		rehearse.Answers(p.session)
		return p.session
	}
	p.session.AccountID, p.session.AccountPinned, p.session.VendorAccount = "", false, ""
	p.session.Profiles = func() ([]aws.Profile, error) { return []aws.Profile{}, nil }
	p.session.OpenAPI = func(string, screen.Secret) (vendorapi.Client, error) {
		return nil, nil //nolint:nilnil // no token, no client
	}
	return p.session
}

// film is a story while it is recorded.
type film struct {
	*fluent
	story  story
	text   strings.Builder
	scenes int
}

// mostScenes is more than any story has.
const mostScenes = 120

// walk goes to the end and returns what was seen.
func (f *film) walk() string {
	f.t.Helper()
	for range mostScenes {
		f.settle()
		f.scene()
		connected := f.connected()
		f.goOn()
		if connected {
			f.Ends()
			return f.text.String()
		}
		f.Wait(time.Second)
		if !f.settled() {
			f.scene()
		}
	}
	f.t.Fatalf("no end after %d screens:\n%s", f.scenes, f.Screen())
	return ""
}

// scene records the screen. The mark of the terminal's cursor is not in it.
func (f *film) scene() {
	f.scenes++
	lines := strings.Split(f.Screen(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	fmt.Fprintf(&f.text, "#%d %s\n%s\n", f.scenes, strings.Repeat("─", f.wizard.width-1-len(fmt.Sprint(f.scenes))-1), strings.Join(lines, "\n"))
}

// settle waits until there is something for the person to do.
func (f *film) settle() {
	f.t.Helper()
	for range 600 {
		if f.settled() {
			return
		}
		f.Wait(time.Second)
	}
	f.t.Fatalf("nothing to do for ten minutes:\n%s", f.Screen())
}

func (f *film) settled() bool {
	enter, ok := f.enterKey()
	return ok && enter.Disabled == ""
}

func (f *film) connected() bool {
	f.watched.mu.Lock()
	defer f.watched.mu.Unlock()
	return f.wizard.screen.Heading == "Connected"
}

// goOn does what the screen asks for, and writes down what was pressed.
func (f *film) goOn() {
	f.t.Helper()
	f.watched.mu.Lock()
	item, _ := f.wizard.item()
	guide := slices.IndexFunc(f.wizard.items, func(i draw.Item) bool { return i.Kind == draw.Option && i.ID == "guide-only" })
	at := f.wizard.at()
	f.watched.mu.Unlock()
	switch {
	case item.Kind == draw.Field && item.Value == "":
		answer := f.answer(item.ID)
		f.Press().Paste(answer)
		f.pressed("paste " + answer + ", enter")
	case f.story.guideOnly && guide > at:
		for range guide - at {
			f.Press("down")
		}
		f.pressed("↓ to Guide me only, enter")
	default:
		f.pressed("enter: " + f.enterLabel())
	}
	f.Enter()
}

// enterLabel is what the footer says that enter does.
func (f *film) enterLabel() string {
	enter, _ := f.enterKey()
	return enter.Label
}

func (f *film) enterKey() (key binding, ok bool) {
	f.watched.mu.Lock()
	defer f.watched.mu.Unlock()
	i := slices.IndexFunc(f.wizard.bindings, func(b binding) bool { return slices.Contains(b.strokes, "enter") })
	if _, busy := f.wizard.calls.Writing(); busy || i < 0 {
		return binding{}, false
	}
	return f.wizard.bindings[i], true
}

func (f *film) pressed(what string) { fmt.Fprintf(&f.text, "» %s\n\n", what) }

// answer is what a person finds in a console and pastes here.
func (f *film) answer(field string) string {
	f.t.Helper()
	s := f.wizard.session
	switch {
	case field == "account-id":
		return rehearse.Account
	case field == "external-id":
		return s.Vendor.ExternalID.Example
	case field == "access-key-id":
		return "AKIAIOSFODNN7EXAMPLE"
	case field == "role-arn", strings.HasPrefix(field, "output"):
		part := s.Part(s.Request().Needed()[0].Purpose)
		return "arn:aws:iam::" + rehearse.Account + ":role/" + part.RoleName
	}
	f.t.Fatalf("no answer to %q:\n%s", field, f.Screen())
	return ""
}
