package upkeep

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/terminal"
)

// findClipboard names the ways to copy in the order in which they are tried, with
// the reason for each. It copies nothing.
func findClipboard(ctx context.Context, a *cli.App) line {
	t := a.Terminal()
	a.AskTerminal(t)
	ways := t.Ways(ctx)
	words, fix := make([]string, len(ways)), ""
	for i, way := range ways {
		words[i] = wayWords(i, way)
		if fix == "" && way.Fix != "" {
			fix = strings.ToUpper(way.Fix[:1]) + way.Fix[1:] + "."
		}
	}
	l := line{Name: "clipboard", Status: pass, Detail: strings.Join(words, "; ")}
	switch ways[0].Standing {
	case terminal.Good:
	case terminal.Doubtful:
		l.Status, l.Fix = warn, fix
	case terminal.Off:
		l.Status, l.Fix = warn, strings.TrimSpace(fix+" Save documents to a file instead.")
	}
	return l
}

// wayWords are one way in words: "first osc52 (kitty takes it)".
func wayWords(i int, way terminal.Way) string {
	order := "then "
	switch {
	case way.Standing == terminal.Off:
		order = "not "
		if way.Route == terminal.None {
			return way.Why
		}
	case i == 0:
		order = "first "
	}
	doubt := ""
	if way.Standing == terminal.Doubtful {
		doubt = "doubtful: "
	}
	return order + string(way.Route) + " (" + doubt + way.Why + ")"
}

// testCopy copies a text that means nothing and has it pasted back, way after
// way, until it arrives.
func testCopy(ctx context.Context, a *cli.App) error {
	if !a.Env.StdinTTY || !a.Env.StdoutTTY || a.JSON {
		return cli.Usage("doctor --copy was not asked at a terminal.", "a person at a terminal who pastes", "Run it there, without --json.")
	}
	t, in := a.Terminal(), bufio.NewReader(a.Env.Stdin)
	a.AskTerminal(t)
	ways := t.Ways(ctx)
	for _, way := range ways {
		if way.Standing == terminal.Off {
			continue
		}
		arrived, err := tryCopy(ctx, a, t, in)
		if err != nil || arrived {
			return err
		}
	}
	return noWay(ways)
}

// tryCopy copies by the best way left, and reports whether the text arrived.
func tryCopy(ctx context.Context, a *cli.App, t *terminal.Terminal, in *bufio.Reader) (arrived bool, err error) {
	text := "rolecall " + rand.Text()
	copied, err := t.Copy(ctx, text)
	if errors.Is(err, terminal.ErrNoClipboard) {
		return false, nil
	}
	if err == nil && copied.Escape != "" {
		_, err = io.WriteString(a.Env.Stdout, copied.Escape)
	}
	if err != nil {
		return false, err
	}
	fmt.Fprintf(
		a.Env.Stdout,
		"A test text was %s by %s. Paste it here and press enter (enter alone: nothing came): ",
		copied.Word(),
		copied.Route,
	)
	pasted, err := in.ReadString('\n')
	if err != nil || ctx.Err() != nil {
		return false, cli.ErrCancelled
	}
	wrong := terminal.Compare(text, strings.TrimRight(pasted, "\r\n"))
	if wrong == "" {
		a.Print("✓ It arrived by %s. rolecall goes this way first in this terminal.", copied.Route)
	} else {
		a.Print("✗ It did not arrive by %s: %s.", copied.Route, wrong)
	}
	return wrong == "", t.Found(copied.Route, wrong == "")
}

func noWay(ways []terminal.Way) error {
	next := "Save documents to a file instead (s)."
	for _, way := range ways {
		if way.Fix != "" {
			next = strings.ToUpper(way.Fix[:1]) + way.Fix[1:] + ", or save documents to a file (s)."
			break
		}
	}
	return &screen.Fault{
		Problem: screen.Problem{What: "No way to copy arrives in this terminal.", Expected: "the test text to be pasted back", Next: next},
	}
}
