package wizard

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
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

	"github.com/charmbracelet/x/ansi"
)

// story is one walk from the first screen to the last, as a person walks it who
// reads, does what is said, and presses enter.
type story struct {
	short                  bool // it stands for its vendor alone, at one size
	vendor, method, access string
	guideOnly              bool // without credentials and without a token
	noToken                bool // with credentials, and without a token
	everything             bool // all products, not the default ones
}

func (s story) name() string {
	name := strings.Join([]string{"story", s.vendor, s.method, s.access}, "-")
	if s.guideOnly {
		name += "-guide-only"
	}
	if s.noToken {
		name += "-no-token"
	}
	if s.everything {
		name += "-everything"
	}
	return name
}

// stories are all vendors and methods that the program ships, those again without
// a token and without credentials where that makes a difference, and with all
// products where there are some. Of a vendor that has nothing which another has
// not (no API, no user), the first method alone is a film.
func stories(t *testing.T) []story {
	t.Helper()
	var all []story
	for _, name := range assets.Vendors() {
		v, err := steps.Library().Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if v.API == "" && !hasUser(v) {
			all = append(all, story{vendor: name, method: v.Methods[0].ID, access: v.Methods[0].Access, short: true})
			continue
		}
		for _, m := range v.Methods {
			for _, everything := range []bool{false, true}[:1+min(len(v.Products), 1)] {
				s := story{vendor: name, method: m.ID, access: m.Access, everything: everything}
				all = append(all, s)
				if without := s; v.API != "" {
					without.noToken = true
					all = append(all, without)
				}
				if s.guideOnly = true; m.ID != describe.Direct {
					all = append(all, s)
				}
			}
		}
	}
	return all
}

func hasUser(v *describe.Vendor) bool {
	return slices.ContainsFunc(v.Methods, func(m describe.Method) bool { return m.Access == describe.AccessUser })
}

// TestStories records each story as a film: whole screens in order, and between
// them what was pressed. Whoever changes a screen sees in these files where it
// stands, and what comes before and after it.
func TestStories(t *testing.T) {
	known := map[string]bool{}
	for _, size := range [][2]int{{80, 24}, {44, 20}} {
		read := map[string]map[string]bool{} // by vendor, method and access
		for _, s := range stories(t) {
			if s.short && size[0] < 80 {
				continue
			}
			name := fmt.Sprintf("%s-%dx%d", s.name(), size[0], size[1])
			known[name+".golden"] = true
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := &film{fluent: begin(t, WizardOptions{Session: s.session(t), Terminal: testTerminal(t, "TERM=xterm"),
						Getenv: func(string) string { return "" }}), story: s, instructions: map[string]bool{}}
					f.size(size[0], size[1])
					f.Wait(pace)
					golden(t, name, f.walk())
					of := s.vendor + " " + s.method + " " + s.access
					if read[of] == nil {
						read[of] = map[string]bool{}
					}
					maps.Copy(read[of], f.instructions)
				})
			})
		}
		if !t.Failed() {
			everyInstruction(t, size, read)
		}
	}
	noStale(t, known)
}

// noStale fails for a film of a story that is no more.
func noStale(t *testing.T, known map[string]bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "story-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !known[filepath.Base(file)] {
			t.Errorf("no story has the film %s: remove it", file)
		}
	}
}

// everyInstruction holds the vendors' files against what could be read: each of
// their instructions stands on some screen of its method.
func everyInstruction(t *testing.T, size [2]int, read map[string]map[string]bool) {
	t.Helper()
	names := regexp.MustCompile(`\\\{[A-Za-z_]+\\\}`) // {role}, {DATA_BUCKET}, as QuoteMeta writes it
	for _, vendor := range assets.Vendors() {
		v, err := steps.Library().Load(vendor)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range v.Methods {
			seen, walked := read[vendor+" "+m.ID+" "+m.Access]
			if !walked {
				continue // a part of the stories was run
			}
			for _, s := range m.Steps {
				for _, instruction := range s.Instructions {
					pattern := regexp.MustCompile("^" + names.ReplaceAllString(regexp.QuoteMeta(instruction), ".+") + "$")
					if !slices.ContainsFunc(slices.Collect(maps.Keys(seen)), pattern.MatchString) {
						t.Errorf("at %dx%d, %s %s %s never shows %q of its step %s", size[0], size[1], vendor, m.ID, m.Access, instruction, s.ID)
					}
				}
			}
		}
	}
}

// session is one of a rehearsal, or one with nothing to sign in with.
func (s story) session(t *testing.T) *step.Session {
	t.Helper()
	p := picturedMethod(t, s.vendor, s.method, s.access)
	if s.everything {
		p.everything()
	}
	if s.guideOnly || s.noToken {
		p.session.OpenAPI = func(string, screen.Secret) (vendorapi.Client, error) {
			return nil, nil //nolint:nilnil // no token, no client
		}
	}
	if !s.guideOnly {
		rehearse.Answers(p.session, false)
		return p.session
	}
	p.session.AccountID, p.session.AccountPinned, p.session.VendorAccount = "", false, ""
	p.session.Profiles = func() ([]aws.Profile, error) { return []aws.Profile{}, nil }
	return p.session
}

// everything selects all products, with the examples of what they ask for.
func (p *pictured) everything() {
	s := p.session
	s.Bundles, s.Parameters = s.Vendor.AllBundles(), map[string]string{}
	for i := range s.Vendor.Roles {
		for name, parameter := range s.Vendor.Roles[i].Parameters {
			s.Parameters[name] = parameter.Sample()
		}
	}
	s.Prepare()
}

// film is a story while it is recorded.
type film struct {
	*fluent
	story  story
	text   strings.Builder
	scenes int
	each   func() // on each screen where there is something to do; nil: nothing
	// instructions are those that could be read, as they were shown.
	instructions map[string]bool
}

// mostScenes is more than any story has.
const mostScenes = 120

// walk goes to the end and returns what was seen.
func (f *film) walk() string {
	f.t.Helper()
	for range mostScenes {
		f.rest()
		f.scene()
		f.read()
		if f.each != nil {
			f.each()
		}
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
	title := fmt.Sprintf("#%d ", f.scenes)
	fmt.Fprintf(&f.text, "%s%s\n%s\n", title, strings.Repeat("─", f.wizard.width-len(title)), strings.Join(lines, "\n"))
}

// rest waits until there is something for the person to do.
func (f *film) rest() {
	f.t.Helper()
	for range 600 {
		if f.settled() {
			return
		}
		f.Wait(time.Second)
	}
	f.t.Fatalf("nothing to do for ten minutes:\n%s", f.Screen())
}

// read notes which instructions can be read here, wherever the mark has to go
// for it, and leaves the screen as it was.
func (f *film) read() {
	f.watched.mu.Lock()
	defer f.watched.mu.Unlock()
	w := f.wizard
	marked, moved, top, follow := w.marked, w.moved, w.top, w.follow
	for i, item := range w.items {
		if item.Kind != draw.ToDo {
			continue
		}
		w.mark(i)
		w.draw()
		if strings.Contains(squeezed(unnoted(ansi.Strip(w.drawn.Content))), squeezed(item.Label)) {
			f.instructions[item.Label] = true
		} else {
			f.t.Errorf("no key reveals %q:\n%s", item.Label, ansi.Strip(w.drawn.Content))
		}
	}
	w.marked, w.moved, w.top, w.follow = marked, moved, top, follow
	w.draw()
}

// squeezed makes text comparable wherever it was broken, inside a name too.
func squeezed(s string) string { return strings.Join(strings.Fields(s), "") }

// unnoted is a screen without what stands at the right end of its lines.
func unnoted(text string) string {
	return regexp.MustCompile(`(?m)  +(o (opens|fills))?( · )?(\d+ more \S+)?\s*$`).ReplaceAllString(text, "")
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
	switch field {
	case "trusted-account":
		return describe.SamplePrincipal(s.Vendor.Partitions[s.Partition].Ask, s.Partition)
	case "account-id":
		return rehearse.Account
	case "external-id":
		return s.Vendor.ExternalID.Example
	case "access-key-id":
		return "AKIAIOSFODNN7EXAMPLE"
	}
	if name, ok := strings.CutPrefix(field, "parameter:"); ok {
		parameter, _ := s.Vendor.Parameter(name)
		return parameter.Sample()
	}
	_, purpose, _ := strings.Cut(string(f.step()), ":")
	if of, ok := strings.CutPrefix(field, "output "); ok {
		purpose = of
	}
	if field == "role-arn" || purpose != "" {
		return "arn:aws:iam::" + rehearse.Account + ":role/" + s.Part(purpose).RoleName
	}
	f.t.Fatalf("no answer to %q:\n%s", field, f.Screen())
	return ""
}
