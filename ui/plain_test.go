package ui

import (
	"bufio"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/steps"
)

// allBlocks has one of each: a block that a front forgets shows up here.
func allBlocks() []steps.Block {
	return []steps.Block{
		steps.Text{Body: "said plainly"}, steps.Text{Tone: steps.Warning, Body: "mind this"}, steps.Text{Tone: steps.Good, Body: "found it"},
		steps.Instructions{Items: []string{"open", "paste", "save"}, Next: 1},
		steps.Facts{{Label: "Account", Value: "123456789012", Note: "prod", Copy: true}},
		steps.Choices{ID: "c", Label: "Which?", Picked: "b", Options: []steps.Option{{ID: "a", Label: "first", Disabled: "not here"}, {ID: "b", Label: "second", Detail: "better"}}},
		steps.Tree{ID: "t", Nodes: []steps.Node{{ID: "p", Label: "Product", Tick: steps.Partly, Children: []steps.Node{{ID: "p/i", Label: "Part", Tick: steps.On, Note: "+5"}}}}},
		steps.Input{ID: "i", Label: "Name", Value: "x", Hint: "any", Problem: "taken"}, steps.Input{ID: "s", Label: "Token", Value: "hidden-value", Secret: true},
		steps.Meter{Label: "Size", Used: 5, Limit: 10, Unit: "characters"},
		steps.Code{Label: "Document", About: "5 characters", Body: "{}"},
		steps.Checks{{ID: "x", State: steps.Pass, Label: "right", Why: "unsaid"}, {ID: "y", State: steps.Fail, Label: "wrong", Why: "because", Fix: "mend"}},
		steps.Tasks{{Name: "creating", State: steps.Running, Detail: "role"}},
		steps.Waiting{For: "the role"},
		steps.Link{Label: "Console", URL: "https://example.com/"},
		steps.Problem{What: "Broken.", Expected: "whole", Next: "Mend it.", Quoted: "boo", Wanted: "abc", Found: "abd"},
		steps.Picture{Alt: "a drawing"},
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
		"Document: 5 characters (v prints it, s saves it)",
		"  pass: right", "  fail: wrong", "      because", "      mend",
		"  running: creating role",
		"Waiting for the role.",
		"Console: https://example.com/",
		"! Broken.", "    said:     boo", "    wanted:   abc", "    found:    abd", "    expected: whole", "    next:     Mend it.",
		"a drawing",
		"  e  edit (not now: later)",
	}
	got := screenLines(steps.Screen{Blocks: allBlocks(), Actions: []steps.Action{{ID: "n", Default: true, Label: "next"}, {ID: "e", Key: "e", Label: "edit", Disabled: "later"}}})
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
	got := newLines([]string{"  Role ARN:", "    arn", "  Account:", "    1"}, []string{"  Role (id):", "    arn", "  Account:", "    2", "  Account:", "    1"})
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
