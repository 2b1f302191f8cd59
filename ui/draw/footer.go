package draw

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"rolecall/steps"
	"rolecall/steps/screen"
)

// bottom is the status line, or the question, and the keys that work.
func (t *Theme) bottom(f *Frame) []string {
	var lines []string
	if f.Question != "" {
		lines = append(lines, t.question(f)...)
	} else {
		lines = append(lines, t.status(f)...)
	}
	return append(lines, t.footer(f)...)
}

func (t *Theme) question(f *Frame) []string {
	lines := []string{""}
	for i, row := range wrap(t.plain(f.Question), min(f.Width-4, measure)) {
		sign := "  "
		if i == 0 {
			sign = "? "
		}
		lines = append(lines, " "+t.accent.Render(sign+row))
	}
	return lines
}

// status is one line, empty when there is nothing to say, so that what is above
// does not jump. A long one takes more lines.
func (t *Theme) status(f *Frame) []string {
	if f.Status.Text == "" {
		return []string{""}
	}
	style, sign := lipgloss.NewStyle(), ""
	switch {
	case f.Status.Bad:
		style, sign = t.fail, t.glyph.fail+" "
	case f.Status.Tone == screen.Good:
		style, sign = t.ok, t.glyph.ok+" "
	case f.Status.Tone == screen.Warning:
		style, sign = t.warn, t.glyph.warn+" "
	case f.Status.Tone == screen.Dim:
		style = t.dim
	}
	rows := wrap(sign+t.plain(f.Status.Text), min(f.Width-2, measure))
	rows = rows[:min(len(rows), 4)]
	for i := range rows {
		rows[i] = " " + style.Render(rows[i])
	}
	return rows
}

// footer is the keys that work here, in as many lines as they need and may have:
// where they are more, those go that the help tells too, and never how to
// leave. Enter is shown when it is off too, with the reason: it is what people
// look for.
func (t *Theme) footer(f *Frame) []string {
	keys := slices.DeleteFunc(slices.Clone(f.Keys), func(key Key) bool {
		return key.Hidden || key.Disabled != "" && key.Name != "enter"
	})
	lines := t.footerLines(f, keys)
	for len(lines) > footerMost(f) {
		i := dispensable(keys)
		if i < 0 {
			return lines[len(lines)-footerMost(f):]
		}
		keys = slices.Delete(keys, i, i+1)
		lines = t.footerLines(f, keys)
	}
	return lines
}

// footerMost is how many lines the keys take at most: one more where the terminal
// is narrow and not low.
func footerMost(f *Frame) int {
	if f.Width < narrowBelow && f.Height >= 18 {
		return 4
	}
	return 3
}

// dispensable is the key that the footer does without first: the last one that
// says neither how to go on, to move, to get help nor to leave; -1: there is none.
func dispensable(keys []Key) int {
	for i := len(keys) - 2; i > 0; i-- {
		if !keys[i].Obvious {
			return i
		}
	}
	return -1
}

func (t *Theme) footerLines(f *Frame, keys []Key) []string {
	var lines []string
	row, gap := "", "   "
	if f.Width < narrowBelow {
		gap = "  "
	}
	for _, key := range keys {
		if f.Width < narrowBelow && key.Obvious {
			key.Label = ""
		}
		entry := t.entry(key, f.Width-2)
		if row != "" && width(row)+len(gap)+width(entry) > f.Width-2 {
			lines, row = append(lines, " "+row), ""
		}
		if row != "" {
			row += gap
		}
		row += entry
	}
	return append(lines, " "+row)
}

func (t *Theme) entry(key Key, room int) string {
	label := t.plain(key.Label)
	if key.Disabled != "" {
		return t.dim.Render(t.cut(t.keyName(key)+" "+label+": "+t.plain(key.Disabled), room))
	}
	if label == "" {
		return t.bold.Render(t.keyName(key))
	}
	if key.Name == "enter" { // what to do next
		return t.accent.Render(t.keyName(key) + " " + t.cut(label, room-width(t.keyName(key))-1))
	}
	return t.bold.Render(t.keyName(key)) + " " + t.dim.Render(t.cut(label, room-width(t.keyName(key))-1))
}

func (t *Theme) keyName(key Key) string {
	if t.look.ASCII && key.Name == Arrows {
		return t.glyph.arrows
	}
	return key.Name
}

// over is what lies over the step: the help, or a link shown whole; nil when
// nothing does.
func (t *Theme) over(f *Frame, width int) *page {
	switch {
	case f.Shown != nil:
		return t.shownLink(f, width)
	case len(f.Help) > 0:
		return t.help(f, width)
	}
	return nil
}

func (t *Theme) shownLink(f *Frame, width int) *page {
	p := t.newPage(f, width, 0)
	p.paragraph(t.bold, "", f.Shown.Label, 0)
	p.paragraph(t.dim, "", "Open this address in the browser where you are signed in. c copies it.", 0)
	p.blank()
	url := t.plain(f.Shown.URL)
	for _, row := range chunks(url, width) {
		p.bare(t.link(f.Shown.URL, t.accent.Render(row)))
	}
	return p
}

// help says what the step is for and what comes next, then which keys work.
// While something is looked for, it shows what holds it.
func (t *Theme) help(f *Frame, width int) *page {
	p := t.newPage(f, width, 0)
	sought := strings.ToLower(f.Sought)
	found := func(text string) bool { return strings.Contains(strings.ToLower(text), sought) }
	p.found(lipgloss.NewStyle(), aboutOf(f), found)
	keys := slices.DeleteFunc(slices.Clone(f.Help), func(key Key) bool {
		return key.Name == "" || !found(t.keyName(key)+" "+keyHelp(key))
	})
	if len(keys) > 0 {
		p.blank()
		p.paragraph(t.bold, "", "Keys that work here", 0)
		p.blank()
	}
	for _, key := range keys {
		style := lipgloss.NewStyle()
		if key.Disabled != "" {
			style = t.dim
		}
		p.paragraph(style, t.bold.Render(t.keyName(key)), keyHelp(key), 12)
	}
	p.blank()
	p.found(t.dim, []string{
		"Values are copied byte for byte. \"sent\" means that a terminal was asked and cannot confirm.",
		"Everything you answer is saved at once; ctrl+c leaves and rolecall resume goes on.",
	}, found)
	if len(p.lines) == 0 {
		p.paragraph(lipgloss.NewStyle(), "", "Nothing here has "+f.Sought+" in it. esc shows everything again.", 0)
	}
	return p
}

// found puts those of the texts that hold what is looked for.
func (p *page) found(style lipgloss.Style, texts []string, found func(string) bool) {
	for _, text := range texts {
		if found(text) {
			p.paragraph(style, "", text, 0)
		}
	}
}

// keyHelp says in the help what a key does, and why it is off.
func keyHelp(key Key) string {
	text := key.Help
	if text == "" {
		text = key.Label
	}
	if key.Disabled != "" {
		text += " (off: " + key.Disabled + ")"
	}
	return text
}

// aboutOf is what the step is for, what enter does now, and which step is next.
func aboutOf(f *Frame) []string {
	var texts []string
	if f.Screen.About != "" {
		texts = append(texts, f.Screen.About)
	}
	if next := Next(f.Rail); next != "" {
		texts = append(texts, next)
	}
	return texts
}

// sentence ends a title as a sentence.
func sentence(title string) string {
	if strings.HasSuffix(title, "?") || strings.HasSuffix(title, ".") {
		return title
	}
	return title + "."
}

// Next says which step comes after this one; empty where the rail does not.
func Next(rail []steps.RailItem) string {
	for i, item := range rail {
		switch {
		case !item.Here:
		case i+1 < len(rail):
			return fmt.Sprintf("Next comes step %d: %s", rail[i+1].Number, sentence(Clean(rail[i+1].Title)))
		default:
			return "This is the last step."
		}
	}
	return ""
}
