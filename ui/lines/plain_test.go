package lines

import (
	"bufio"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/steps/screen"
)

// allBlocks has one of each: a block that a front forgets shows up here.
func allBlocks() []screen.Block {
	return []screen.Block{
		screen.Text{Body: "said plainly"},
		screen.Text{Tone: screen.Warning, Body: "mind this"},
		screen.Text{Tone: screen.Good, Body: "found it"},
		screen.Numbered(1, "open", "paste", "save"),
		screen.Facts{{Label: "Account", Value: "123456789012", Note: "prod", Copy: true}},
		screen.Choices{
			ID:      "c",
			Label:   "Which?",
			Picked:  "b",
			Options: []screen.Option{{ID: "a", Label: "first", Disabled: "not here"}, {ID: "b", Label: "second", Detail: "better"}},
		},
		screen.Tree{
			ID: "t",
			Nodes: []screen.Node{
				{ID: "p", Label: "Product", Tick: screen.Partly, Children: []screen.Node{{ID: "p/i", Label: "Part", Tick: screen.On, Note: "+5"}}},
			},
		},
		screen.Input{
			ID:      "i",
			Label:   "Name",
			Value:   "x",
			Hint:    "any",
			Problem: "taken",
		},
		screen.Input{ID: "s", Label: "Token", Value: "hidden-value", Secret: true},
		screen.Meter{Label: "Size", Used: 5, Limit: 10, Unit: "characters"},
		screen.Code{Label: "Document", About: "5 characters", Body: "{}"},
		screen.Checks{
			{ID: "x", State: screen.Pass, Label: "right", Got: "so"},
			{ID: "y", State: screen.Fail, Label: "wrong", Want: "this", Got: "that", Fix: "mend"},
			{ID: "z", State: screen.Fail, Label: "said above", Told: true},
		},
		screen.Tasks{{Name: "creating", State: screen.Running, Detail: "role"}},
		screen.Waiting{For: "the role"},
		screen.Link{Label: "Console", URL: "https://example.com/"},
		screen.Problem{What: "Broken.", Expected: "whole", Next: "Mend it.", Quoted: "boo", Wanted: "abc", Found: "abd"},
		screen.Picture{Alt: "a drawing"},
	}
}

func TestEveryBlockHasItsLines(t *testing.T) {
	want := []string{
		"said plainly", "Warning: mind this", "Good: found it",
		"  1. done: open", "  2. next: paste", "  3. save",
		"  Account (prod):", "    123456789012",
		"Which?", "  1  first (not now: not here)", "  2  second (marked): better",
		"  3  Product: partly", "    4  Part: on, +5",
		"Name, now x (any)", "  ! taken", "Token (not shown while you type)",
		"Size: 5 of 10 characters",
		"Document: 5 characters (v reads it, s saves it)",
		"  pass: right: so", "  fail: wrong", "      wanted: this", "      found: that", "      mend",
		"  running: creating role",
		"Waiting for the role.",
		"Console: https://example.com/",
		"! Broken.", "    said:     boo", "    wanted:   abc", "    found:    abd", "    expected: whole", "    next:     Mend it.",
		"a drawing",
		"  e  edit (not now: later)",
	}
	got := screenLines(
		screen.Screen{
			Blocks:  allBlocks(),
			Actions: []screen.Action{{ID: "n", Default: true, Label: "next"}, {ID: "e", Key: "e", Label: "edit", Disabled: "later"}},
		},
	)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestOnlyNewsIsPrintedAgain(t *testing.T) {
	got := newLines([]string{"a", "b"}, []string{"a", "c", "b", "d"})
	if diff := cmp.Diff([]string{"c", "d"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAValueIsNotPrintedWithoutItsLabel(t *testing.T) {
	got := newLines(
		[]string{"  Role ARN:", "    arn", "  Account:", "    1"},
		[]string{"  Role (id):", "    arn", "  Account:", "    2", "  Account:", "    1"},
	)
	if diff := cmp.Diff([]string{"  Role (id):", "    arn", "  Account:", "    2"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestALineIsBounded(t *testing.T) {
	in := bufio.NewReader(strings.NewReader(strings.Repeat("x", 3<<20) + "\nnext\n"))
	long, err := readLine(in)
	if err != nil || len(long) == 0 || len(long) > longestLine+4096 {
		t.Errorf("got %d characters, %v", len(long), err)
	}
	if next, err := readLine(in); err != nil || next != "next" {
		t.Errorf("then got %q, %v", next, err)
	}
}
