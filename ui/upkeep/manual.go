package upkeep

import (
	"regexp"
	"strings"

	"rolecall/ui/cli"
)

// manual writes a page of the manual: the Markdown that assets.ManualPage speaks
// of, as a terminal shows it.
func manual(paper cli.Paper, text string) {
	for i, block := range blocks(text) {
		if i > 0 {
			paper.Line("")
		}
		block.write(paper)
	}
}

// block is a part of a page with blank lines around it.
type block struct{ lines []string }

// blocks divides a page at its blank lines, but not inside of a fence. A comment
// is for who works on the page.
func blocks(text string) []block {
	var all []block
	var lines []string
	fenced := false
	for line := range strings.SplitSeq(text+"\n", "\n") {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		if line != "" || fenced {
			lines = append(lines, line)
			continue
		}
		if len(lines) > 0 && !strings.HasPrefix(lines[0], "<!--") {
			all = append(all, block{lines})
		}
		lines = nil
	}
	return all
}

func (b block) write(paper cli.Paper) {
	first := b.lines[0]
	switch {
	case strings.HasPrefix(first, "#"):
		paper.Heading(strings.TrimLeft(first, "# "))
	case strings.HasPrefix(first, "```"):
		b.commands(paper)
	case strings.HasPrefix(first, "|"):
		b.table(paper)
	case item().MatchString(first):
		b.list(paper)
	default:
		paper.Line(plain(strings.Join(b.lines, " ")))
	}
}

// commands are to be copied: no line of theirs is wrapped.
func (b block) commands(paper cli.Paper) {
	for _, line := range b.lines[1:] {
		if !strings.HasPrefix(line, "```") {
			_ = paper.Text("  " + line + "\n") // what cannot be written is told at the end
		}
	}
}

// table is written in columns, without the line under its head.
func (b block) table(paper cli.Paper) {
	var rows [][]string
	for i, line := range b.lines {
		if i == 1 {
			continue
		}
		inner := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "|"), "|") // an empty cell is one too
		cells := strings.Split(inner, "|")
		for j := range cells {
			cells[j] = plain(strings.TrimSpace(cells[j]))
		}
		rows = append(rows, cells)
	}
	paper.Table(true, rows)
}

// item begins with what an item of a list begins with.
func item() *regexp.Regexp { return regexp.MustCompile(`^(- |\d+\. )`) }

// list is written with its items' lines under each other.
func (b block) list(paper cli.Paper) {
	marker, text := "", ""
	for _, line := range b.lines {
		next := item().FindString(line)
		if next == "" {
			text += " " + strings.TrimSpace(line)
			continue
		}
		if text != "" {
			paper.Hang("  "+marker, plain(text))
		}
		marker, text = next, strings.TrimPrefix(line, next)
	}
	paper.Hang("  "+marker, plain(text))
}

// plain takes the marks off that only a browser understands: emphasis goes, a
// link to a page becomes the command that shows it.
func plain(text string) string {
	text = strings.ReplaceAll(text, "**", "")
	text = regexp.MustCompile(`\[([^\]]+)\]\((?:\w+/)*([\w-]+)\.md\)`).ReplaceAllString(text, "$1 (rolecall help $2)")
	return regexp.MustCompile(`\[([^\]]+)\]\((https:[^)]+)\)`).ReplaceAllString(text, "$1 ($2)")
}
