package step

import (
	"cmp"
	"slices"
	"strings"

	"rolecall/steps/access"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// Described is what every step takes from the vendor's description.
type Described struct {
	Spec     describe.Step
	followed followed
}

// ID is the step's name in the description; a step that is walked once for each
// role has the role's purpose behind it, except for the vendor's first role.
func (b Described) ID() record.StepID { return IDOf(b.Spec) }

// IDOf is the ID of a step of a description.
func IDOf(d describe.Step) record.StepID {
	if d.Role == "" {
		return record.StepID(d.ID)
	}
	return record.StepID(d.ID + ":" + d.Role)
}

// Description is what the step was made from.
func (b *Described) Description() describe.Step { return b.Spec }

// Redescribe gives the step another description: another vendor's, or another
// method's, has other words.
func (b *Described) Redescribe(d describe.Step) { b.Spec = d }

// Title is the description's.
func (b Described) Title() string { return b.Spec.Title }

// NewScreen begins a screen with the step's heading and the vendor's own number.
func (b Described) NewScreen(s *Session) screen.Screen {
	screen := screen.Screen{Heading: b.Spec.Title}
	if b.Spec.Number != "" && s.Vendor != nil {
		screen.Place = s.Vendor.Wizard + " " + b.Spec.Number
	}
	return screen
}

// What can be true on a screen, beside the labels of what its page comes with.
const (
	// HasPage says that the screen has a link to where the instructions lead.
	HasPage = describe.PageOpens
	// HasNoSight says that rolecall cannot look at what the step is about, though
	// it has credentials.
	HasNoSight = describe.OnlyNoCredentials
)

// Guide is the description's instructions, with the names of this session filled
// in, and without those that do not apply; no block where there are none. has
// is what is true on this screen.
func (b Described) Guide(s *Session, has ...string) []screen.Block {
	fill, marked := b.filler(s, b.Spec.Role), b.followed.of(b.now(s))
	reach := 0 // the instruction that what was done leads to
	for mark, number := range b.Spec.Marks {
		if marked.labels[mark] {
			reach = max(reach, number)
		}
	}
	var in screen.Instructions
	number := 0
	for i, text := range b.Spec.Instructions {
		role, ofRole := b.aboutRole(i + 1)
		if ofRole && !handsOver(s, role) {
			continue // it has no number where there is no such role
		}
		number++
		if !b.applies(s, i+1, has) {
			continue
		}
		one := screen.Instruction{Number: number, Text: fill(text), Done: i+1 < reach, Page: b.page(i+1, has)}
		if ofRole {
			one.Text = b.filler(s, role)(text)
		}
		in = append(in, one)
	}
	return marked.block(in)
}

// List is instructions of the program's own. reach is how many of them were
// done, as far as rolecall knows.
func (b Described) List(s *Session, reach int, texts ...string) []screen.Block {
	return b.followed.of(b.now(s)).block(screen.Numbered(reach, texts...))
}

// filler puts the names of a part, and the values of parameters, in the place of
// what stands for them, by name.
func (b Described) filler(s *Session, purpose string) func(text string) string {
	part := s.Part(purpose)
	policies := part.PolicyName
	if len(part.Policies) > 0 {
		policies = part.Policies[0].Name
	}
	managed := access.Grant{Managed: s.Request().Managed(purpose)}
	values := s.parameterWords()
	values[describe.WordPolicy], values[describe.WordRole], values[describe.WordUser] = policies, part.RoleName, part.UserName
	values[describe.WordManaged] = managed.ManagedNames()
	return func(text string) string { return describe.FillWords(text, values) }
}

// parameterWords are the values of the vendor's parameters, by name, for a
// person to read: one that is not known yet is called by its label.
func (s *Session) parameterWords() map[string]string {
	values := map[string]string{}
	for i := range s.Vendor.Roles {
		for name, p := range s.Vendor.Roles[i].Parameters {
			values[name] = cmp.Or(s.Parameters[name], "your "+screen.LowerFirst(p.Label))
		}
	}
	return values
}

// aboutRole is the role that an instruction is about, where the description says
// so.
func (b Described) aboutRole(number int) (purpose string, ok bool) {
	for condition, numbers := range b.Spec.Only {
		known := condition == describe.OnlyNoToken || condition == describe.OnlyNoCredentials
		if !known && slices.Contains(numbers, number) {
			return condition, true
		}
	}
	return "", false
}

// handsOver reports whether a role is there that was not handed over yet.
func handsOver(s *Session, purpose string) bool {
	part := s.Part(purpose)
	return part.Needed && part.Submitted.IsZero()
}

// applies reports whether an instruction is one to follow in this session.
func (b Described) applies(s *Session, number int, has []string) bool {
	if slices.Contains(b.Spec.Only[describe.OnlyNoToken], number) && s.ByAPI() {
		return false
	}
	sees := s.AWS != nil && !slices.Contains(has, HasNoSight)
	return !sees || !slices.Contains(b.Spec.Only[describe.OnlyNoCredentials], number)
}

// page is what the screen's link spares of an instruction.
func (b Described) page(number int, has []string) screen.PageDoes {
	does := screen.PageNothing
	for what, numbers := range b.Spec.Page {
		switch {
		case !slices.Contains(numbers, number) || !slices.Contains(has, what):
		case what != HasPage:
			return screen.PageFills
		default:
			does = screen.PageOpens
		}
	}
	return does
}

// followed is what the person did: pages opened and values copied, by their
// labels, and what was ticked by hand, by the instruction's ID. It is about
// one state of the answers; in another one, nothing was done yet.
type followed struct {
	about  string
	labels map[string]bool
	ticks  map[string]bool
}

// of is what was done in this state of the answers.
func (f followed) of(about string) followed {
	if f.about != about {
		return followed{about: about}
	}
	return f
}

// block is the instructions, where there are any, with the person's own ticks.
func (f followed) block(in screen.Instructions) []screen.Block {
	if len(in) == 0 {
		return nil
	}
	for i := range in {
		if ticked, byHand := f.ticks[in[i].ID()]; byHand {
			in[i].Done = ticked
		}
	}
	return []screen.Block{in}
}

// now is what the instructions rest on: their words, and what they have the
// person copy.
func (b Described) now(s *Session) string {
	part := s.Part(b.Spec.Role)
	rests := []string{s.Answers.Vendor, s.Method, s.Access, s.Partition, part.Digests(), part.ExternalID}
	return strings.Join(append(rests, b.Spec.Instructions...), "\n")
}

// MarkDone remembers what the person did: a page that was opened, a value that
// was copied, or an instruction that was ticked.
func (b *Described) MarkDone(s *Session, msg screen.Msg) {
	label, id, done := "", "", true
	switch msg := msg.(type) {
	case screen.Opened:
		if msg.Err == nil {
			label = describe.MarkOpened
		}
	case screen.Copied:
		if msg.Err == nil {
			label = msg.Label
		}
	case screen.Followed:
		id, done = msg.ID, msg.Done
	}
	if label == "" && id == "" {
		return
	}
	f := b.followed.of(b.now(s))
	if f.labels == nil {
		f.labels, f.ticks = map[string]bool{}, map[string]bool{}
	}
	if label != "" {
		f.labels[label] = true
	} else {
		f.ticks[id] = done
	}
	b.followed = f
}
