package draw

import (
	"charm.land/lipgloss/v2"

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
	for i, row := range wrap(t.plain(f.Question), f.Width-4) {
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
	rows := wrap(sign+t.plain(f.Status.Text), f.Width-2)
	rows = rows[:min(len(rows), 4)]
	for i := range rows {
		rows[i] = " " + style.Render(rows[i])
	}
	return rows
}

// footer is the keys that work here, in as many lines as they need, at most
// three. Enter is shown when it is off too, with the reason: it is what people
// look for.
func (t *Theme) footer(f *Frame) []string {
	var lines []string
	row, gap := "", "   "
	if f.Width < narrowBelow {
		gap = "  "
	}
	for _, key := range f.Keys {
		if key.Hidden || key.Disabled != "" && key.Name != "enter" {
			continue
		}
		if f.Width < narrowBelow && key.Obvious {
			key.Label = ""
		}
		entry := t.entry(key, f.Width-2)
		if row != "" && width(row)+len(gap)+width(entry) > f.Width-2 {
			lines, row = append(lines, row), ""
		}
		if row != "" {
			row += gap
		}
		row += entry
	}
	lines = append(lines, row)
	lines = lines[:min(len(lines), 3)]
	for i := range lines {
		lines[i] = " " + lines[i]
	}
	return lines
}

func (t *Theme) entry(key Key, room int) string {
	label := t.plain(key.Label)
	if key.Disabled != "" {
		return t.dim.Render(t.cut(t.keyName(key)+" "+label+": "+t.plain(key.Disabled), room))
	}
	if label == "" {
		return t.bold.Render(t.keyName(key))
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

func (t *Theme) help(f *Frame, width int) *page {
	p := t.newPage(f, width, 0)
	p.paragraph(t.bold, "", "Keys that work here", 0)
	p.blank()
	for _, key := range f.Help {
		text := key.Help
		if text == "" {
			text = key.Label
		}
		style := lipgloss.NewStyle()
		if key.Disabled != "" {
			style, text = t.dim, text+" (off: "+key.Disabled+")"
		}
		p.paragraph(style, t.bold.Render(t.keyName(key)), text, 12)
	}
	p.blank()
	p.paragraph(t.dim, "", "Values are copied byte for byte. \"sent\" means that a terminal was asked and cannot confirm. Everything you answer is saved at once; ctrl+c leaves and rolecall resume goes on.", 0)
	return p
}
