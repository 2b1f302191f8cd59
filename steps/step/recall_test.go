package step

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"rolecall/steps/record"
)

func TestRecallFindsTheNewestSessionOfTheRole(t *testing.T) {
	folder := t.TempDir()
	store := record.OpenStore(folder)
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	save := func(tag string, change func(*record.Answers)) string {
		t.Helper()
		a := record.Answers{Vendor: "spot", AccountID: "123456789012", Parts: map[string]record.Part{
			"Main": {RoleARN: "arn:aws:iam::123456789012:role/team/Spot-Role"}, "User": {UserARN: "arn:aws:iam::123456789012:user/runner"}}}
		a.RestrictTag = tag
		if change != nil {
			change(&a)
		}
		now = now.Add(time.Minute)
		open, a, err := store.Create(a, now)
		if err != nil {
			t.Fatal(err)
		}
		if err := open.Release(); err != nil {
			t.Fatal(err)
		}
		return a.ID
	}
	save("older=1", nil)
	save("newer=1", nil)
	save("not=made", func(a *record.Answers) { a.Parts = map[string]record.Part{"Main": {RoleName: "Spot-Role"}} })
	save("another=account", func(a *record.Answers) { a.AccountID = "111122223333" })
	save("a=rehearsal", func(a *record.Answers) { a.Rehearsal = true })
	save("another=role", func(a *record.Answers) {
		a.Parts = map[string]record.Part{"Main": {RoleARN: "arn:aws:iam::123456789012:role/Other-Role"}}
	})
	theirs := save("another=vendor", func(a *record.Answers) { a.Vendor = "sprinters" })
	for name, test := range map[string]struct {
		vendor, called string
		user           bool
		tag, purpose   string
	}{
		"of the vendor":      {"spot", "Spot-Role", false, "newer=1", "Main"},
		"in another case":    {"spot", "SPOT-ROLE", false, "newer=1", "Main"},
		"of any vendor":      {"", "Spot-Role", false, "another=vendor", "Main"},
		"of a user":          {"spot", "runner", true, "newer=1", "User"},
		"a user is no role":  {"spot", "runner", false, "", ""},
		"a path is no name":  {"spot", "team/Spot-Role", false, "", ""},
		"nobody's":           {"spot", "Nobody", false, "", ""},
		"of another vendor":  {"acme", "Spot-Role", false, "", ""},
		"the end of another": {"spot", "Role", false, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := Recall(store, "123456789012", test.vendor, test.called, test.user)
			if err != nil || found.Answers.RestrictTag != test.tag || found.Purpose != test.purpose || found.Damaged != nil {
				t.Errorf("%+v, %v", found, err)
			}
		})
	}
	if err := os.WriteFile(filepath.Join(folder, "sessions", theirs, "session.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := Recall(store, "123456789012", "spot", "Spot-Role", false)
	if err != nil || found.Answers.RestrictTag != "newer=1" || found.Damaged == nil || found.Damaged.ID != theirs {
		t.Errorf("%+v, %v", found, err)
	}
}
