package migrate_test

import (
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/steps/undo"
)

// TestNothingIsTakenOutOfAStackThatStays has somebody update the stack that a role
// went into: what cannot be proven any more stays, with what it holds.
func TestNothingIsTakenOutOfAStackThatStays(t *testing.T) {
	for _, vendor := range []string{"spot", "sprinters"} {
		bubble(t, func(w *world) {
			w.makesRole(vendor)
			w.ok(intoStack(w))
			text, err := w.hands.Template(w.t.Context(), "vendor-access")
			w.ok(err)
			theirs := strings.Replace(text, "rolecall: stays", "rolecall: still stays", 1)
			set, err := w.hands.CreateChangeSet(w.t.Context(), aws.NewChangeSet{ChangeSet: "theirs", Update: true,
				NewStack: aws.NewStack{Name: "vendor-access", Template: theirs, Acknowledged: true,
					Parameters: map[string]string{"ExternalId": "octo-org"}}})
			w.ok(err)
			time.Sleep(10 * time.Minute)
			w.ok(w.hands.ExecuteChangeSet(w.t.Context(), set.ID, "theirs"))
			time.Sleep(10 * time.Minute)
			_, err = w.hands.Stacks(w.t.Context()) // what is under way goes on with a request
			w.ok(err)
			things := strings.Join(w.aws.Snapshot().Things(), "\n")
			receipt, err := w.store.Receipt(id)
			w.ok(err)
			removals, err := (&undo.Remover{Account: w.hands, Ledger: w.store.Ledger(id), Receipt: receipt, Now: time.Now}).All(w.t.Context())
			w.ok(err)
			for _, one := range removals {
				if one.Verdict != undo.Stays {
					t.Errorf("%s: %s %s: %s", vendor, one.Kind, one.Label(), one.Verdict)
				}
			}
			if now := strings.Join(w.aws.Snapshot().Things(), "\n"); now != things {
				t.Errorf("before:\n%s\nafter:\n%s", things, now)
			}
		})
	}
}
