package organisation

import (
	"fmt"
	"io"
	"strings"
	"time"

	"rolecall/steps/organisation"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// The pace at which progress is told: to a log a line now and then, on a terminal a
// table that stays in its place.
const (
	tellEvery = 5 * time.Second
	showEvery = 500 * time.Millisecond
)

// teller tells how far a run is, on standard error.
type teller struct {
	app   *cli.App
	live  bool // standard error is a terminal that can move its cursor
	lines int  // of the table that stands there
	last  time.Time
}

func (c *command) teller() *teller {
	a := c.app
	return &teller{app: a, live: a.Env.StderrTTY && !a.Dumb() && !a.LineByLine() && !a.JSON}
}

// tell takes one progress: what is worth a line at once, and the numbers now and
// then.
func (t *teller) tell(p organisation.Progress) {
	now := t.app.Env.Now()
	if p.Note != "" {
		t.end()
		t.app.Say("  %s", draw.Clean(p.Note))
		if !t.live {
			return
		}
	}
	pace := tellEvery
	if t.live {
		pace = showEvery
	}
	if now.Sub(t.last) < pace && p.Waiting > 0 && p.Note == "" {
		return
	}
	t.last = now
	if !t.live {
		t.app.Say("%s", p.Line(now))
		return
	}
	t.show(p, now)
}

// show draws the table in the place of the one before.
func (t *teller) show(p organisation.Progress, now time.Time) {
	columns, rows := 80, 24
	if t.app.Env.Size != nil {
		columns, rows = t.app.Env.Size()
	}
	lines := []string{p.Line(now)}
	if p.Report != nil {
		lines = append(lines, byUnit(p.Report(), max(rows-6, 0))...)
	}
	t.end()
	for i, line := range lines {
		lines[i] = fitting(line, columns-1)
	}
	t.lines = len(lines)
	_, _ = io.WriteString(t.app.Env.Stderr, strings.Join(lines, "\n")+"\n") // whoever looks on sees it
}

// fitting cuts a line to so many cells: one that wraps would stand in two rows.
func fitting(line string, cells int) string {
	for runes := []rune(line); draw.Width(line) > cells && len(runes) > 0; line = string(runes) {
		runes = runes[:len(runes)-1]
	}
	return line
}

// end takes the table away.
func (t *teller) end() {
	if t.lines > 0 {
		_, _ = fmt.Fprintf(t.app.Env.Stderr, "\x1b[%dA\x1b[J", t.lines) // whoever looks on sees it
		t.lines = 0
	}
}

// byUnit are the numbers of the units, up to so many lines.
func byUnit(r *organisation.Report, most int) []string {
	order, by := units(r)
	lines := []string{fmt.Sprintf("%-28s %8s %9s %6s %7s", "OU", "accounts", "connected", "failed", "waiting")}
	for i, path := range order {
		if len(lines) == most && len(order) > i+1 {
			return append(lines, fmt.Sprintf("and %d more units", len(order)-i))
		}
		n := map[organisation.State]int{}
		for _, row := range by[path] {
			n[row.State]++
		}
		lines = append(lines, fmt.Sprintf("%-28s %8d %9d %6d %7d", draw.Clean(path), len(by[path])-n[organisation.Excluded],
			n[organisation.Connected], n[organisation.Failed], n[organisation.Waiting]))
	}
	return lines
}
