package step

import (
	"cmp"
	"context"
	"strings"

	"rolecall/aws"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/vendorapi"
)

// ExternalID makes the external ID of a part known before anything is built
// on it: read from the vendor first, minted only if there is none, or pasted.
// A second one is never minted while a role may carry the first.
type ExternalID struct {
	purpose string
	Stage   externalIDStage
	field   string // what is wrong with the pasted one
	before  string // the session's, when the vendor holds another now
	problem *screen.Problem
}

type externalIDStage int

// The stages; a step goes on once the external ID is known.
const (
	ExternalIDKnown   externalIDStage = iota
	externalIDReading                 // from the vendor
	externalIDAsked                   // of the person
	externalIDFailed                  // the vendor gave none
)

const fieldExternalID = "external-id"

// LabelExternalID is what the external ID is called wherever it is shown.
const LabelExternalID = "External ID"

type (
	externalIDRead struct {
		id     string
		minted bool
		err    error

		requestID string
	}
	externalIDMissing struct{}
)

// needsExternalID reports whether a role of this purpose carries one.
func (s *Session) needsExternalID(purpose string) bool {
	return s.Request().Role(purpose).NeedsExternalID()
}

// closed reports whether the role is made closed, so that nothing is asked for
// its trust policy yet.
func (s *Session) closed(purpose string) bool { return s.Request().Closed(purpose) }

// AsksExternalID is the flag that an unattended run needs for it, if any.
func (s *Session) AsksExternalID(purpose string) []Need {
	if s.ByAPI() || !s.needs(purpose) || !s.needsExternalID(purpose) || s.closed(purpose) || s.Part(purpose).ExternalID != "" {
		return nil
	}
	return []Need{{Flag: "--external-id", Why: s.Vendor.ExternalID.Find}}
}

// Begin returns what has to be done first; known is true when nothing has.
func (e *ExternalID) Begin(s *Session, purpose string) (known bool, effects []screen.Effect) {
	*e = ExternalID{purpose: purpose}
	switch {
	case !s.needsExternalID(purpose) || s.closed(purpose):
		return true, nil
	case s.ByAPI():
		e.Stage = externalIDReading
		return false, []screen.Effect{e.read(s)}
	case s.Part(purpose).ExternalID == "":
		e.Stage = externalIDAsked
		return false, nil
	}
	return true, nil
}

func (e *ExternalID) read(s *Session) screen.Effect {
	api, account := s.API(), s.VendorAccount
	return screen.Call{Name: "read external ID", Do: func(ctx context.Context) screen.Msg {
		id, err := api.ExternalID(ctx, account)
		if err == nil && id == "" {
			return externalIDMissing{}
		}
		return externalIDRead{id: id, err: err}
	}}
}

func (e *ExternalID) mint(s *Session) screen.Effect {
	api, account := s.API(), s.VendorAccount
	return screen.Call{Name: "mint external ID for " + account, Writes: true, Do: func(ctx context.Context) screen.Msg {
		traced, requestID := vendorapi.Traced(ctx)
		id, err := api.MintExternalID(traced, account)
		if Unsure(err) {
			look, cancel := screen.LookUp(ctx)
			defer cancel()
			if found, lookErr := api.ExternalID(look, account); lookErr == nil && found != "" {
				id, err = found, nil
			}
		}
		return externalIDRead{id: id, minted: true, err: err, requestID: requestID()}
	}}
}

// Update takes a message while the external ID is not known; known is true
// once it is.
func (e *ExternalID) Update(s *Session, msg screen.Msg) (known bool, effects []screen.Effect) {
	switch msg := msg.(type) {
	case externalIDMissing:
		return false, []screen.Effect{e.mint(s)}
	case externalIDRead:
		return e.have(s, msg), nil
	case screen.Broke:
		e.Stage, e.problem = externalIDFailed, screen.BrokenProblem(msg)
	case screen.Changed:
		e.field = ""
	case screen.Entered:
		return e.pasted(s, msg.Text), nil
	case screen.Chose:
		if msg.ID == "by-hand" {
			e.Stage, e.problem = externalIDAsked, nil
			return false, nil
		}
		if msg.ID == "again" {
			return e.Begin(s, e.purpose)
		}
	}
	return false, nil
}

func (e *ExternalID) have(s *Session, msg externalIDRead) bool {
	err := msg.err
	if err == nil {
		err = aws.CheckExternalID(msg.id)
	}
	if err != nil {
		e.Stage, e.problem = externalIDFailed, ProblemOf(err)
		return false
	}
	before := s.Part(e.purpose).ExternalID
	if before != "" && before != msg.id {
		e.before = before
	}
	s.SetPart(e.purpose, func(p *record.Part) { p.ExternalID, p.Minted = msg.id, p.Minted && before == msg.id || msg.minted })
	e.Stage = ExternalIDKnown
	return true
}

func (e *ExternalID) pasted(s *Session, text string) bool {
	id, err := s.PastedExternalID(text)
	if err != nil {
		e.field = InputProblem(err)
		return false
	}
	s.SetPart(e.purpose, func(p *record.Part) { p.ExternalID = id })
	e.Stage = ExternalIDKnown
	return true
}

// PastedExternalID judges a pasted external ID. What comes along when it is copied
// is taken away, a full stop behind it too where the vendor's IDs have none.
func (s *Session) PastedExternalID(text string) (string, error) {
	id := Pasted(text)
	err := s.checkExternalID(id)
	if bare := strings.Trim(
		id,
		"<>,.; \"'`“”‘’«»",
	); err != nil && bare != id && s.Vendor.ExternalID.Pattern != "" &&
		s.checkExternalID(bare) == nil {
		return bare, nil
	}
	return id, err
}

func (s *Session) checkExternalID(id string) error {
	if err := aws.CheckExternalID(id); err != nil {
		return err
	}
	return s.Vendor.CheckExternalID(id)
}

// ByHand reports whether the person told the external ID, and may correct it.
func (e *ExternalID) ByHand(s *Session) bool {
	return e.Stage == ExternalIDKnown && !s.ByAPI() && s.needsExternalID(e.purpose)
}

// Ask asks for another one.
func (e *ExternalID) Ask() { e.Stage, e.field = externalIDAsked, "" }

// Show fills a screen while the external ID is not known.
func (e *ExternalID) Show(s *Session, view screen.Screen) screen.Screen {
	switch e.Stage {
	case externalIDReading:
		view.Blocks = []screen.Block{screen.Tasks{{Name: "Asking " + s.Vendor.Title + " for the external ID", State: screen.Running}}}
	case externalIDFailed:
		view.Blocks = screen.ProblemFirst(nil, e.problem)
		view.Actions = []screen.Action{{ID: "again", Label: "ask again", Default: true}, {ID: "by-hand", Key: "h", Label: "paste it by hand"}}
	case externalIDAsked:
		view.Blocks = e.question(s)
	}
	return view
}

func (e *ExternalID) question(s *Session) []screen.Block {
	rule := s.Vendor.ExternalID
	blocks := []screen.Block{
		screen.Text{Body: "Which external ID does " + s.Vendor.Title + " show?"},
		screen.Text{Tone: screen.Dim, Body: rule.About},
	}
	if rule.Find != "" {
		blocks = append(blocks, screen.Text{Body: rule.Find})
	}
	if rule.Warning != "" {
		blocks = append(blocks, screen.Text{Tone: screen.Warning, Body: rule.Warning})
	}
	if s.Vendor.Links.Console != "" {
		blocks = append(blocks, screen.Link{Label: s.Vendor.Whose() + " console", URL: s.Vendor.Links.Console})
	}
	value := s.Part(e.purpose).ExternalID
	if s.Rehearsal { // there is no console to read it in: enter takes the example
		value = cmp.Or(value, rule.Example)
	}
	return append(blocks, screen.Input{ID: fieldExternalID, Label: LabelExternalID, Value: value,
		Hint: rule.Example, Problem: e.field, Flag: "--external-id"})
}

// Changed tells that the vendor holds another external ID than the session
// began with; nil when it does not.
func (e *ExternalID) Changed(s *Session) *screen.Problem {
	if e.before == "" {
		return nil
	}
	return &screen.Problem{What: s.Vendor.Title + " holds another external ID than this session began with.",
		Expected: "the role to carry the one that " + s.Vendor.Title + " holds now",
		Next:     "Use the one above. A role that carries the old one has to be changed.",
		Wanted:   s.Part(e.purpose).ExternalID, Found: e.before, Passing: true}
}

// Outcome says how the request went.
func (m externalIDRead) Outcome() screen.Outcome {
	return OutcomeOf(m.err, screen.ResultMade).With(m.requestID)
}
