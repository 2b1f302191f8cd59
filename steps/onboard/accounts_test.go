package onboard

import (
	"fmt"
	"testing"

	"rolecall/steps/organisation"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// crowded is an organization with two units of one name, and many accounts in one.
func crowded(n int) *Found {
	t := &organisation.Tree{ID: "o-1", Management: "111122223333", Units: []organisation.Unit{{ID: "r", Name: "Root", Path: "/"},
		{ID: "a", Parent: "r", Name: "prod", Path: "/prod"}, {ID: "b", Parent: "a", Name: "prod", Path: "/prod/prod"}}}
	for i := range n {
		unit, path := "a", "/prod"
		if i%2 == 1 && i < 20 {
			unit, path = "b", "/prod/prod"
		}
		t.Accounts = append(t.Accounts, organisation.Account{ID: fmt.Sprintf("%012d", 100000000000+i), Name: fmt.Sprintf("web-%d\x1b[2J", i),
			Status: "ACTIVE", Unit: unit, Path: path})
	}
	t.Accounts = append(t.Accounts, organisation.Account{ID: "111122223333", Name: "management", Status: "ACTIVE", Unit: "r", Path: "/"},
		organisation.Account{ID: "222233334444", Name: "old", Status: "SUSPENDED", Unit: "b", Path: "/prod/prod"})
	return &Found{Tree: t, Trusted: true}
}

func arrived(t testing.TB, n int) (*Accounts, *step.Session) {
	t.Helper()
	c, s := &Accounts{flow: &Flow{}}, &step.Session{Answers: record.Answers{Vendor: "spot", AccountID: "111122223333"}}
	if _, _ = c.Update(s, discovered{found: crowded(n)}); c.problem != nil || c.ticked() != n {
		t.Fatalf("%+v, %d ticked", c.problem, c.ticked())
	}
	return c, s
}

func find(nodes []screen.Node, id string) screen.Node {
	for _, n := range nodes {
		if n.ID == id {
			return n
		}
		if found := find(n.Children, id); found.ID != "" {
			return found
		}
	}
	return screen.Node{}
}

func TestAUnitTicksWhatIsShownInIt(t *testing.T) {
	c, s := arrived(t, 40)
	_, _ = c.Update(s, screen.Ticked{ID: "unit b", On: false}) // the inner one of the two that are called prod
	if c.ticked() != 30 || find(c.tree(), "unit a").Tick != screen.Partly || find(c.tree(), "unit b").Tick != screen.Off {
		t.Errorf("%d ticked", c.ticked())
	}
	_, _ = c.Update(s, screen.Changed{ID: fieldFilter, Text: "1000-0000-0001"})
	_, _ = c.Update(s, screen.Ticked{ID: "unit r", On: true})
	if c.ticked() != 31 { // 100000000001 alone matches in whole
		t.Errorf("%d ticked", c.ticked())
	}
	_, _ = c.Update(s, screen.Ticked{ID: accountNode + "222233334444", On: true})
	_, _ = c.Update(s, screen.Ticked{ID: accountNode + "999999999999", On: true})
	if c.ticked() != 31 {
		t.Error("what is suspended, or not there, was ticked")
	}
	move, _ := c.Update(s, screen.Chose{ID: "use"})
	if move != step.Next || len(s.Across.Accounts) != 31 || c.Status(s.Answers) != step.Done {
		t.Errorf("%s %+v", move, s.Across)
	}
}

func TestWhatIsTickedIsKeptInItsShortestForm(t *testing.T) {
	c, s := arrived(t, 40)
	_, _ = c.Update(s, screen.Chose{ID: "use"})
	if len(s.Across.Units)+len(s.Across.Accounts) > 0 {
		t.Errorf("all: %+v", s.Across)
	}
	_, _ = c.Update(s, screen.Ticked{ID: "unit r", On: false})
	_, _ = c.Update(s, screen.Ticked{ID: "unit b", On: true})
	_, _ = c.Update(s, screen.Chose{ID: "use"})
	if len(s.Across.Units) != 1 || s.Across.Units[0] != "b" || len(s.Across.Accounts) > 0 {
		t.Errorf("a unit: %+v", s.Across)
	}
	// Read again, what is gone is not ticked any more.
	gone := crowded(5)
	_, _ = c.Update(s, discovered{found: gone})
	if c.ticked() != 2 {
		t.Errorf("%d ticked", c.ticked())
	}
}

func BenchmarkTickingInFiveThousand(b *testing.B) {
	c, s := arrived(b, 5000)
	on := false
	for b.Loop() {
		_, _ = c.Update(s, screen.Ticked{ID: "unit a", On: on})
		c.Screen(s)
		on = !on
	}
}
