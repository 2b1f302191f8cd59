package wizard

import (
	"time"

	uv "github.com/charmbracelet/ultraviolet"

	tea "charm.land/bubbletea/v2"

	"rolecall/ui/terminal"
)

// meeting is the time in which the terminal is asked what it is, before the
// first copy.
type meeting struct {
	reply   terminal.Reply // as far as it came
	asking  bool
	number  int       // counts the questions
	waiting []tea.Cmd // what is done when it is over
}

// unansweredMsg tells that the time for a question is up.
type unansweredMsg struct{ number int }

// acquainted does something once the terminal was asked what it is. That is
// asked once, and not before it is needed.
func (w *Wizard) acquainted(then tea.Cmd) tea.Cmd {
	if !w.meeting.asking && w.terminal.Question() == "" {
		return then
	}
	w.meeting.waiting = append(w.meeting.waiting, then)
	if w.meeting.asking {
		return nil
	}
	return w.ask()
}

// ask puts the next question, or does what waited for the answers.
func (w *Wizard) ask() tea.Cmd {
	question := w.terminal.Question()
	if question == "" {
		waiting := w.meeting.waiting
		w.meeting = meeting{number: w.meeting.number}
		return tea.Batch(waiting...)
	}
	w.meeting.asking, w.meeting.reply = true, terminal.Reply{}
	w.meeting.number++
	number := w.meeting.number
	return tea.Batch(tea.Raw(question), tea.Tick(terminal.AskPatience, func(time.Time) tea.Msg { return unansweredMsg{number} }))
}

// fromOutside takes what a terminal answers, and what came of leaving the screen.
func (w *Wizard) fromOutside(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.TerminalVersionMsg:
		w.meeting.reply.Version = msg.Name
	case uv.SecondaryDeviceAttributesEvent:
		w.meeting.reply.Secondary = msg
	case uv.PrimaryDeviceAttributesEvent:
		return w.answered(true)
	case unansweredMsg:
		if msg.number == w.meeting.number {
			return w.answered(false)
		}
	case pausedMsg:
		return w.checkPaused(msg)
	case foundMsg:
		return w.found(msg)
	case plainShownMsg:
		return w.plainShown(msg)
	}
	return nil
}

func (w *Wizard) answered(ok bool) tea.Cmd {
	if !w.meeting.asking {
		return nil
	}
	w.terminal.Answer(w.meeting.reply, ok)
	return w.ask()
}
