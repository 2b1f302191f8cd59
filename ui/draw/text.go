package draw

import (
	"cmp"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// width is the number of cells of drawn or plain text.
func width(s string) int {
	if printableASCII(s) {
		return len(s)
	}
	return ansi.StringWidth(s)
}

// Width is the number of cells that clean text takes.
func Width(s string) int { return width(s) }

// Wrap breaks clean text into lines of at most n cells, between words alone: a
// flag that is broken at its hyphen, or an ARN that is broken at all, cannot be
// copied. A longer word stands whole on a line of its own.
func Wrap(s string, n int) []string {
	n = max(n, 1)
	var lines []string
	for width(s) > n {
		at := breakAt(s, n)
		if at < 0 {
			break
		}
		lines = append(lines, strings.TrimRight(s[:at], " "))
		s = strings.TrimLeft(s[at:], " ")
	}
	return append(lines, strings.TrimRight(s, " "))
}

// breakAt is the space at which a text of more than n cells is broken: the last
// one that leaves at most n cells, else the first one; -1 where there is none
// behind a word. A number is parted from its unit only where nothing else can be.
func breakAt(s string, n int) int {
	at, within, cells, word := -1, -1, 0, false
	for i, r := range s {
		if r != ' ' {
			word = true
			cells += width(string(r))
			continue
		}
		switch {
		case !word:
		case cells > n:
			return cmp.Or(max(at, 0), max(within, 0), i)
		case beforeUnit(s, i):
			within = i
		default:
			at = i
		}
		cells++
	}
	if at < 0 {
		return within
	}
	return at
}

// beforeUnit reports that the space at i stands between a number and a word: a
// unit, or what is counted.
func beforeUnit(s string, i int) bool {
	number := s[strings.LastIndexByte(s[:i], ' ')+1 : i]
	return i+1 < len(s) && isLetter(s[i+1]) && number != "" &&
		strings.Trim(number, "+-~(0123456789,.:") == "" && strings.ContainsAny(number[len(number)-1:], "0123456789")
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// Least is the fewest cells that text is wrapped into.
const Least = 20

// Hang writes clean text behind what its first line begins with, and its other
// lines under it, in lines of at most n cells; n of 0 breaks nothing. Where the
// beginning leaves less than Least cells, the other lines stand further left.
func Hang(first, text string, n int) []string {
	if n <= 0 {
		return []string{strings.TrimRight(first+text, " ")}
	}
	hang := width(first)
	if n-hang < Least && width(text) > n-hang {
		hang = len(first) - len(strings.TrimLeft(first, " ")) + 4
		rows := Wrap(strings.TrimLeft(first, " ")+text, n-hang)
		return indentRows(rows, strings.Repeat(" ", hang-4), strings.Repeat(" ", hang))
	}
	return indentRows(Wrap(text, n-hang), first, strings.Repeat(" ", hang))
}

func indentRows(rows []string, first, others string) []string {
	before := first
	for i := range rows {
		rows[i] = strings.TrimRight(before+rows[i], " ")
		before = others
	}
	return rows
}

// wrap is Wrap for a screen, where nothing may stick out: words longer than a
// line are broken.
func wrap(s string, n int) []string {
	n = max(n, 1)
	var lines []string
	for _, row := range Wrap(s, n) {
		if width(row) > n {
			lines = append(lines, chunks(row, n)...)
			continue
		}
		lines = append(lines, row)
	}
	return lines
}

// chunks cuts text into pieces of n cells, at any place.
func chunks(text string, n int) []string {
	var out []string
	var b strings.Builder
	cells := 0
	for _, r := range text {
		w := width(string(r))
		if cells+w > n && b.Len() > 0 {
			out = append(out, b.String())
			b.Reset()
			cells = 0
		}
		b.WriteRune(r)
		cells += w
	}
	return append(out, b.String())
}

// pad fills drawn text with spaces up to n cells.
func pad(s string, n int) string {
	if missing := n - width(s); missing > 0 {
		return s + strings.Repeat(" ", missing)
	}
	return s
}
