package step

import (
	"context"
	"maps"

	"rolecall/aws"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// makes reports whether rolecall itself makes the key.
func (s *Session) MakesKey() bool { return s.Method == "direct" }

// DropKey forgets a part's key and its secret.
func (s *Session) DropKey(purpose string) {
	s.KeepInMind(purpose, "")
	s.SetPart(purpose, func(p *record.Part) { p.KeyID, p.KeyMade = "", false })
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
	account, part, kept := s.AWS, s.Part(purpose), s.Recorder(true)
	item := record.Item{Kind: record.ItemKey, Purpose: purpose, Name: part.KeyID, ID: part.KeyID, User: part.UserName, UserID: part.UserID}
	return screen.Call{Name: "delete access key " + part.KeyID, Writes: true, Do: func(ctx context.Context) screen.Msg {
		err := account.DeleteAccessKey(ctx, part.UserName, part.KeyID)
		if err != nil && aws.KindOf(err) != aws.NotFound {
			return KeyDeleted{err}
		}
		return KeyDeleted{kept(item, record.ItemRemoved)}
	}}
}

// KeyDeleted is the answer of deleteKey.
type KeyDeleted struct{ Err error }
