package steps_test

import (
	"testing"

	"rolecall/steps/screen"
)

// withLooseKey walks until rolecall made a key that nobody has.
func withLooseKey(t *testing.T, do func(t *testing.T, w *world)) {
	t.Helper()
	sprinters(t, "direct", "user", func(t *testing.T, w *world) {
		w.toPermissions().enter().at("create").sees("create these").enter().sees("is right").enter().sees("make the key").presses("create").sees("It works")
		do(t, w)
	})
}

// leave asks to leave, and reports whether there is a question.
func (w *world) leave() bool {
	turn, asks := w.walk.Leave()
	w.take(turn)
	return asks
}

func (w *world) keys() int {
	w.t.Helper()
	keys, err := w.hands().AccessKeys(w.t.Context(), "sprinters-user")
	w.do(err)
	return len(keys)
}

func TestLeavingWithAKeyThatNobodyHasIsAsked(t *testing.T) {
	t.Parallel()
	withLooseKey(t, func(t *testing.T, w *world) {
		secret := string(w.session.Secrets["SprintersUser"])
		if !w.leave() {
			t.Fatal("one leaves unasked")
		}
		w.sees("Sprinters does not have it yet", w.part().KeyID).seesNot(secret)
		if w.leave() {
			t.Fatal("whoever leaves again is kept")
		}
		w.take(w.walk.Back())
		w.sees("is made")
		if !w.leave() {
			t.Fatal("the question was not answered, and is not asked again")
		}
		w.enter().sees("is made") // enter stays
		if w.keys() != 1 || w.part().KeyID == "" {
			t.Fatal("the key went without a word")
		}
		w.leave()
		w.presses("part-delete").until("the key is gone", func() bool { return w.part().KeyID == "" })
		if w.keys() != 0 || len(w.session.Secrets) != 0 {
			t.Error("the key is left, or its secret")
		}
	})
}

func TestAKeyMayStayWhenOneLeaves(t *testing.T) {
	t.Parallel()
	withLooseKey(t, func(t *testing.T, w *world) {
		w.leave()
		if turn := w.walk.Tell(screen.Chose{ID: "part-keep"}); !turn.Left {
			t.Fatalf("%+v", turn)
		}
		if w.keys() != 1 || !w.part().KeyMade {
			t.Error("the key that stays is not known any more")
		}
	})
}

func TestAnotherWayIsTakenOnceTheKeyIsGone(t *testing.T) {
	t.Parallel()
	withLooseKey(t, func(t *testing.T, w *world) {
		w.presses("use-role").sees("does not have it yet")
		w.presses("part-delete").until("the role's way", func() bool { return w.session.Access == "role" })
		if w.keys() != 0 {
			t.Error("the key is left")
		}
	})
	withLooseKey(t, func(t *testing.T, w *world) {
		w.presses("use-role").presses("part-keep")
		if w.session.Access != "role" || w.keys() != 1 {
			t.Errorf("access %s, %d keys", w.session.Access, w.keys())
		}
	})
}

func TestNothingIsAskedOfAKeyThatWasHandedOver(t *testing.T) {
	t.Parallel()
	withLooseKey(t, func(t *testing.T, w *world) {
		w.enter().at("connect").enter().sees("Handed over by you")
		if w.leave() {
			t.Error("a key that the vendor has is asked about")
		}
	})
}

func TestAKeyThatCannotBeDeletedIsSaidAndStays(t *testing.T) {
	t.Parallel()
	withLooseKey(t, func(t *testing.T, w *world) {
		w.aws.Deny("iam:DeleteAccessKey")
		w.leave()
		w.presses("part-delete").sees("iam:DeleteAccessKey", "does not have it yet")
		if w.keys() != 1 || w.part().KeyID == "" {
			t.Error("the key is forgotten")
		}
	})
}
