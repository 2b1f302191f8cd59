package draw

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"rolecall/steps/screen"
)

func (p *page) tasks(tasks screen.Tasks) {
	for _, task := range tasks {
		sign, style, right := p.task(task)
		name := p.t.plain(task.Name)
		hang := width(sign) + 1
		start := len(p.lines)
		left := style.Render(sign) + " " + name
		detail := p.t.plain(task.Detail)
		if detail != "" && width(left)+2+width(detail)+2+width(right) <= p.room() {
			p.put(p.sides(left+"  "+p.t.dim.Render(detail), right))
		} else {
			p.taskName(style.Render(sign)+" ", name, hang, right)
			if detail != "" {
				p.paragraph(p.t.dim, "", detail, hang)
			}
		}
		if task.State == screen.Running {
			p.focusLast(len(p.lines)-start, underWay)
		}
	}
}

// taskName is the name of a task, whole: people agree to it.
func (p *page) taskName(first, name string, hang int, right string) {
	if hang+width(name) <= p.room() {
		p.put(p.sides(first+name, right))
		return
	}
	for i, part := range wrap(name, p.room()-hang) {
		if i > 0 {
			first = strings.Repeat(" ", hang)
		}
		p.put(first + part)
	}
}

func (p *page) task(task screen.Task) (sign string, style lipgloss.Style, right string) {
	g := p.t.glyph
	switch task.State {
	case screen.Finished:
		return g.ok, p.t.ok, p.t.dim.Render("done")
	case screen.Stopped:
		return g.fail, p.t.fail, p.t.fail.Render("failed")
	case screen.Running:
		return p.turning(), p.t.accent, p.t.dim.Render(p.since(task.Since))
	default:
		return g.pending, p.t.dim, ""
	}
}

// turning is the spinner, or its resting sign before anything took long.
func (p *page) turning() string {
	if p.f.Turn < 0 {
		return p.t.glyph.wait
	}
	return p.t.glyph.spin[p.f.Turn%len(p.t.glyph.spin)]
}

func (p *page) since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return screen.Clock(p.f.Now.Sub(t))
}

// waiting says for what, since when, until when, and when rolecall looks again.
func (p *page) waiting(b screen.Waiting) {
	text := "Waiting for " + b.For
	if !b.Since.IsZero() {
		text += p.t.glyph.dot + p.since(b.Since)
		if !b.Until.IsZero() {
			text += " of " + screen.Clock(b.Until.Sub(b.Since))
		}
	}
	if !b.Next.IsZero() {
		next := nextLook(b.Next.Sub(p.f.Now))
		if width(p.t.plain(text))+3+width(next) > p.room()-2 {
			next = strings.Replace(next, "next look", "next", 1)
		}
		text += p.t.glyph.dot + next
	}
	p.paragraph(lipgloss.NewStyle(), p.t.accent.Render(p.turning())+" ", text, 2)
}

func nextLook(in time.Duration) string {
	if in <= 0 {
		return "looking now"
	}
	return fmt.Sprintf("next look in %d s", int64((in+time.Second-1)/time.Second))
}
