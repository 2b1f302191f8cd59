package steps

import (
	"context"
	"strings"

	"rolecall/aws"
)

// externalID makes the external ID of a part known before anything is built
// on it: read from the vendor first, minted only if there is none, or pasted.
// A second one is never minted while a role may carry the first.
type externalID struct {
	purpose string
	stage   externalIDStage
	field   string // what is wrong with the pasted one
	before  string // the session's, when the vendor holds another now
	problem *Problem
}

type externalIDStage int

const (
	externalIDKnown externalIDStage = iota
	externalIDReading
	externalIDAsked
	externalIDFailed
)

const (
	fieldExternalID = "external-id"
	labelExternalID = "External ID"
)

type (
	externalIDRead struct {
		id     string
		minted bool
		err    error
	}
	externalIDMissing struct{}
)

// byAPI reports whether the vendor's API does the vendor's side.
func (s *Session) byAPI() bool { return s.hasAPI() && !s.ByHand }

// hasAPI reports whether there is a client of this vendor's API. A rehearsal
// has one of its own before the vendor is known.
func (s *Session) hasAPI() bool { return s.API != nil && s.Vendor != nil && s.Vendor.API != "" }

// needsExternalID reports whether a role of this purpose carries one.
func (s *Session) needsExternalID(purpose string) bool { return s.role(purpose).NoExternal == "" }

// asksExternalID is the flag that an unattended run needs for it, if any.
func (s *Session) asksExternalID(purpose string) []Need {
	if s.byAPI() || !s.needs(purpose) || !s.needsExternalID(purpose) || s.Part(purpose).ExternalID != "" {
		return nil
	}
	return []Need{{Flag: "--external-id", Why: s.Vendor.ExternalID.Find}}
}

// begin returns what has to be done first; known is true when nothing has.
func (e *externalID) begin(s *Session, purpose string) (known bool, effects []Effect) {
	*e = externalID{purpose: purpose}
	switch {
	case !s.needsExternalID(purpose):
		return true, nil
	case s.byAPI():
		e.stage = externalIDReading
		return false, []Effect{e.read(s)}
	case s.Part(purpose).ExternalID == "":
		e.stage = externalIDAsked
		return false, nil
	}
	return true, nil
}

func (e *externalID) read(s *Session) Effect {
	api, account := s.API, s.VendorAccount
	return Call{Name: "read external ID", Do: func(ctx context.Context) Msg {
		id, err := api.ExternalID(ctx, account)
		if err == nil && id == "" {
			return externalIDMissing{}
		}
		return externalIDRead{id: id, err: err}
	}}
}

func (e *externalID) mint(s *Session) Effect {
	api, account := s.API, s.VendorAccount
	return Call{Name: "mint external ID for " + account, Writes: true, Do: func(ctx context.Context) Msg {
		id, err := api.MintExternalID(ctx, account)
		return externalIDRead{id: id, minted: true, err: err}
	}}
}

// update takes a message while the external ID is not known; known is true
// once it is.
func (e *externalID) update(s *Session, msg Msg) (known bool, effects []Effect) {
	switch msg := msg.(type) {
	case externalIDMissing:
		return false, []Effect{e.mint(s)}
	case externalIDRead:
		return e.have(s, msg), nil
	case Broke:
		e.stage, e.problem = externalIDFailed, brokenProblem(msg)
	case Changed:
		e.field = ""
	case Entered:
		return e.pasted(s, strings.TrimSpace(msg.Text)), nil
	case Chose:
		if msg.ID == "by-hand" {
			e.stage, e.problem = externalIDAsked, nil
			return false, nil
		}
		if msg.ID == "again" {
			return e.begin(s, e.purpose)
		}
	}
	return false, nil
}

func (e *externalID) have(s *Session, msg externalIDRead) bool {
	err := msg.err
	if err == nil {
		err = aws.CheckExternalID(msg.id)
	}
	if err != nil {
		e.stage, e.problem = externalIDFailed, problemOf(err)
		return false
	}
	before := s.Part(e.purpose).ExternalID
	if before != "" && before != msg.id {
		e.before = before
	}
	s.setPart(e.purpose, func(p *Part) { p.ExternalID, p.Minted = msg.id, p.Minted && before == msg.id || msg.minted })
	e.stage = externalIDKnown
	return true
}

func (e *externalID) pasted(s *Session, id string) bool {
	err := aws.CheckExternalID(id)
	if err == nil {
		err = s.Vendor.CheckExternalID(id)
	}
	if err != nil {
		e.field = inputProblem(err)
		return false
	}
	s.setPart(e.purpose, func(p *Part) { p.ExternalID = id })
	e.stage = externalIDKnown
	return true
}

// show fills a screen while the external ID is not known.
func (e *externalID) show(s *Session, screen Screen) Screen {
	switch e.stage {
	case externalIDReading:
		screen.Blocks = []Block{Tasks{{Name: "Asking " + s.Vendor.Title + " for the external ID", State: Running}}}
	case externalIDFailed:
		screen.Blocks = appendProblem(nil, e.problem)
		screen.Actions = []Action{{ID: "again", Label: "ask again", Default: true}, {ID: "by-hand", Key: "h", Label: "paste it by hand"}}
	case externalIDAsked:
		screen.Blocks = e.question(s)
	}
	return screen
}

func (e *externalID) question(s *Session) []Block {
	rule := s.Vendor.ExternalID
	blocks := []Block{Text{Body: "Which external ID does " + s.Vendor.Title + " show?"}, Text{Tone: Dim, Body: rule.About}}
	if rule.Find != "" {
		blocks = append(blocks, Text{Body: rule.Find})
	}
	if rule.Warning != "" {
		blocks = append(blocks, Text{Tone: Warning, Body: rule.Warning})
	}
	if s.Vendor.Links.Console != "" {
		blocks = append(blocks, Link{Label: s.Vendor.Whose() + " console", URL: s.Vendor.Links.Console})
	}
	return append(blocks, Input{ID: fieldExternalID, Label: labelExternalID, Value: s.Part(e.purpose).ExternalID,
		Hint: rule.Example, Problem: e.field, Flag: "--external-id"})
}

// changed tells that the vendor holds another external ID than the session
// began with; nil when it does not.
func (e *externalID) changed(s *Session) *Problem {
	if e.before == "" {
		return nil
	}
	return &Problem{What: s.Vendor.Title + " holds another external ID than this session began with.",
		Expected: "the role to carry the one that " + s.Vendor.Title + " holds now",
		Next:     "Use the one above. A role that carries the old one has to be changed.",
		Wanted:   s.Part(e.purpose).ExternalID, Found: e.before, Passing: true}
}
