package wizard

import (
	"fmt"
	"strings"
	"testing"

	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// findings is a document of 60 lines with findings on lines 10, 30 (two) and 50;
// the last is the worst.
func findings() screen.Code {
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, "line-%02d\n", i+1)
	}
	return screen.Code{Label: "Policy", Name: "p.json", Body: b.String(), Notes: []screen.Note{
		{Line: 30, Tone: screen.Warning, Rank: 2, Text: "second"}, {Line: 10, Tone: screen.Dim, Rank: 1, Text: "first"},
		{Line: 30, Tone: screen.Warning, Rank: 2, Text: "third"}, {Line: 50, Tone: screen.Warning, Rank: 3, Text: "the worst"}}}
}

func TestTheViewerBeginsAtTheWorstFinding(t *testing.T) {
	drive(t, []step.Step{still("Policy", findings())}, nil, func(w *fluent) {
		w.Press("v").Sees("›50 line-50", "! the worst", "line 50 of 60, finding 4 of 4").SeesNot("line-10")
	})
	byHand(t, func(w *fluent, _ *pictured) {
		w.reach(record.StepPolicy).Sees("4 high", "v shows them.").Press("v").Sees("! high: ", "line 99 of 317, finding ")
	})
}

func TestFromFindingToFinding(t *testing.T) {
	drive(t, []step.Step{still("Policy", findings())}, nil, func(w *fluent) {
		w.Press("v", "g").Sees("  1  line-01", "line 1 of 60, 4 findings").Press("]").Sees("›10 line-10", "line 10 of 60, finding 1 of 4")
		w.Press("]").Sees("›30 line-30", "line 30 of 60, findings 2 to 3 of 4").Press("]").Sees("line 50 of 60, finding 4 of 4")
		w.Press("]").Sees("There is no finding behind this.", "finding 4 of 4").Press("[").Sees("findings 2 to 3 of 4").Press("[", "[").
			Sees("There is no finding before this.")
	})
}

func TestFindGoesOnBothWays(t *testing.T) {
	drive(t, []step.Step{still("Policy", findings())}, nil, func(w *fluent) {
		w.Press("v", "g", "n").Sees("Nothing is looked for yet").Press("/").Type("LINE-2").Enter().Sees("›20 line-20")
		w.Press("n").Sees("›21 line-21").Press("N", "N").Sees("From the end again.", "›29 line-29").Press("n").
			Sees("From the beginning again.", "›20 line-20")
		w.Press("/").Type("third").Enter().Sees("›30 line-30")
	})
}

func TestHalfPagesAndEnds(t *testing.T) {
	plain := findings()
	plain.Notes = nil
	drive(t, []step.Step{still("Policy", plain)}, nil, func(w *fluent) {
		w.Press("v").Sees("line 1 of 60").SeesNot("finding").Press("d").Sees("line 11 of 60").Press("d", "u").Sees("line 11 of 60").Press("G").
			Sees("line-60", ", end").Press("g").Sees("line-01")
	})
}

func TestLongLinesWrapOrScrollSideways(t *testing.T) {
	long := screen.Code{Label: "Policy", Name: "p.txt", Body: "short\n" + strings.Repeat("abcdefghij", 20) + "Z\nlast\n"}
	drive(t, []step.Step{still("Policy", long)}, nil, func(w *fluent) {
		w.Press("v").Sees("hijZ", "w cut lines").SeesNot("sideways")
		if w.rowOf("last") != w.rowOf("short")+4 {
			t.Errorf("the long line is not wrapped:\n%s", w.Screen())
		}
		w.Press("w").SeesNot("Z").Sees("…", "w wrap lines", "← → sideways")
		if w.rowOf("last") != w.rowOf("short")+2 {
			t.Errorf("the long line is not cut:\n%s", w.Screen())
		}
		for range 12 {
			w.Press("right")
		}
		w.Sees("hijZ", "from column ").Press("0").SeesNot("Z", "from column").Press("w").Sees("hijZ")
	})
	drive(t, []step.Step{still("Policy", findings())}, nil, func(w *fluent) { w.Press("v").SeesNot("cut lines") })
}

// TestTheViewerStaysWhereItWas when the window changes.
func TestTheViewerStaysWhereItWas(t *testing.T) {
	drive(t, []step.Step{still("Policy", findings())}, nil, func(w *fluent) {
		w.Press("v", "g", "]", "]").size(44, 20).Sees("›30 line-30", "line 30 of 60").size(120, 40).Sees("›30 line-30")
	})
}
