package draw_test

import (
	"fmt"
	"strings"
	"testing"

	"rolecall/steps/screen"
	"rolecall/ui/draw"
)

// tall is a step with a tree of many accounts in one unit.
func tall(n int) screen.Screen {
	unit := screen.Node{ID: "u", Label: "prod", Tick: screen.Partly}
	for i := range n {
		unit.Children = append(unit.Children, screen.Node{ID: fmt.Sprint(i), Label: fmt.Sprintf("account-%04d", i), Tick: screen.On,
			Detail: "1111-2222-3333"})
	}
	return screen.Screen{Heading: "Accounts", Blocks: []screen.Block{
		screen.Input{ID: "filter", Label: "Filter", Filter: true}, screen.Tree{ID: "t", Nodes: []screen.Node{unit}}}}
}

func TestATreeOfThousandsIsDrawnWhereItIsSeen(t *testing.T) {
	theme := draw.NewTheme(draw.Look{})
	d := theme.Draw(draw.Frame{Width: 80, Height: 24, Screen: tall(5000), Marked: "node/t/2500", Moved: true, Follow: true})
	if !strings.Contains(d.Content, "account-2500") || !strings.Contains(d.Content, "2,") && d.Lines != 5003 {
		t.Errorf("%d lines:\n%s", d.Lines, d.Content)
	}
	// Whoever scrolled keeps the rows that are read.
	e := theme.Draw(draw.Frame{Width: 80, Height: 24, Screen: tall(5000), Top: d.Top, Held: d.Shown})
	if e.Top != d.Top {
		t.Errorf("it went from %d to %d", d.Top, e.Top)
	}
}

func BenchmarkTreeOfThousands(b *testing.B) {
	theme, view := draw.NewTheme(draw.Look{}), tall(5000)
	for b.Loop() {
		theme.Draw(draw.Frame{Width: 80, Height: 24, Screen: view, Marked: "node/t/2500", Moved: true, Follow: true})
	}
}
