package step

import (
	"context"
	"maps"

	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// HasStep reports whether the chosen method has a step of this name: what is
// done in a method is what its description lists.
func (s *Session) HasStep(id record.StepID) bool {
	if s.Vendor == nil {
		return false
	}
	method, ok := s.Vendor.Method(s.Method, s.Access)
	if ok {
		_, ok = method.Step(string(id), "")
	}
	return ok
}

// MakesKey reports whether rolecall itself makes the user's key: where it makes
// the user.
func (s *Session) MakesKey() bool { return s.HasStep(record.StepCreate) }

// LooseKey is the part whose access key rolecall made and nobody has: its secret is
// in memory alone, or lost, and it was not handed over.
func (s *Session) LooseKey() (purpose string, ok bool) {
	if s.AWS == nil {
		return "", false
	}
	for _, purpose := range record.SortedPurposes(s.Parts) {
		part := s.Part(purpose)
		if part.KeyMade && part.KeyID != "" && !part.KeyKept && !part.HandedOver {
			return purpose, true
		}
	}
	return "", false
}

// DropKey forgets a part's key and its secret.
func (s *Session) DropKey(purpose string) {
	s.KeepInMind(purpose, "")
	s.SetPart(purpose, func(p *record.Part) { p.KeyID, p.KeyMade, p.KeyKept = "", false, false })
	s.SetSeen(purpose, func(p *record.SeenPart) { p.Key = false })
}

// KeepInMind keeps a secret in memory; an empty one is forgotten.
func (s *Session) KeepInMind(purpose string, secret screen.Secret) {
	secrets := maps.Clone(s.Secrets)
	if secrets == nil {
		secrets = map[string]screen.Secret{}
	}
	delete(secrets, purpose)
	if secret != "" {
		secrets[purpose] = secret
	}
	s.Secrets = secrets
}

// DeleteKey deletes a part's key and records it.
func (s *Session) DeleteKey(purpose string) screen.Effect {
	host, part := s.Host(), s.Part(purpose)
	item := record.Item{Kind: record.ItemKey, Purpose: purpose, Name: part.KeyID, ID: part.KeyID, User: part.UserName, UserID: part.UserID}
	return screen.Call{Name: "delete access key " + part.KeyID, Writes: true, Do: func(ctx context.Context) screen.Msg {
		done, err := host.DeleteKey(ctx, item)
		return KeyDeleted{err, done.RequestID}
	}}
}

// KeyDeleted is the answer of deleteKey.
type KeyDeleted struct {
	Err       error
	requestID string
}

// Outcome says how the request went.
func (m KeyDeleted) Outcome() screen.Outcome {
	return OutcomeOf(m.Err, screen.ResultDone).With(m.requestID)
}
