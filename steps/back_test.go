package steps_test

import (
	"testing"

	"rolecall/steps/screen"
)

// TestBackLeadsToWhereOneCameFrom: after a jump back goes to where it began, and
// from there to the step before, not through the round again.
func TestBackLeadsToWhereOneCameFrom(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.toPolicy()
		w.take(w.walk.Tell(screen.Chose{ID: "login"}))
		w.at("login")
		w.take(w.walk.Back())
		w.at(policyStep)
		w.take(w.walk.Back())
		w.at("permissions")
		w.take(w.walk.Back())
		w.at("login")
		w.take(w.walk.Back())
		w.at("partition")
	})
	rehearse(t, func(t *testing.T, w *world) {
		w.toPolicy()
		w.take(w.walk.Tell(screen.Chose{ID: "login"}))
		w.at("login").until("the profiles", w.enterWorks).enter().sees("Is this the account").enter().at("permissions").enter().at(policyStep)
		w.take(w.walk.Back())
		w.at("permissions")
	})
}
