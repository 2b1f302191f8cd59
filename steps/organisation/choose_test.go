package organisation_test

import (
	"strings"
	"testing"

	"rolecall/steps/organisation"
)

// TestTwoUnitsOfOnePath has a unit's name hold a slash.
func TestTwoUnitsOfOnePath(t *testing.T) {
	tree := &organisation.Tree{Units: []organisation.Unit{{ID: "r-1", Path: "/"}, {ID: "ou-1", Parent: "r-1", Path: "/prod"},
		{ID: "ou-2", Parent: "ou-1", Path: "/prod/eu"}, {ID: "ou-3", Parent: "r-1", Path: "/prod/eu"}},
		Accounts: []organisation.Account{{ID: "111122223333", Unit: "ou-2", Status: "ACTIVE"}, {ID: "123456789012", Unit: "ou-3", Status: "ACTIVE"}}}
	_, err := tree.Choose(organisation.Choice{Units: []string{"/prod/eu"}})
	if err == nil || !strings.Contains(err.Error(), "2 organizational units") {
		t.Errorf("one of two was taken: %v", err)
	}
	got, err := tree.Choose(organisation.Choice{Units: []string{"ou-3"}})
	if err != nil || len(got) != 1 || got[0].ID != "123456789012" {
		t.Errorf("%v %v", got, err)
	}
}
