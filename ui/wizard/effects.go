package wizard

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"rolecall/steps/screen"

	tea "charm.land/bubbletea/v2"

	"rolecall/ui/draw"
	"rolecall/ui/terminal"
)

// terminalMsg is what came of copying, opening or saving. It goes to the step that
// was there when it was asked for.
type terminalMsg struct {
	visit  int
	msg    screen.Msg
	key    string // of the item that was copied or saved; empty: none
	word   string // what happened to it
	status draw.Status
	escape string // for the terminal, as it is
	copied *copiedText
	path   string // where it was saved
	link   *screen.Link
	secret string // on the clipboard now, until clearAt
	after  time.Duration
}

// clearedMsg tells how taking a secret off the clipboard went.
type clearedMsg struct {
	tone screen.Tone
	text string
}

// effects turns effects into commands. Calls of a visit that is over are
// dropped by Calls, unless they write.
func (w *Wizard) effects(visit int, effects []screen.Effect) []tea.Cmd {
	var cmds []tea.Cmd
	for _, e := range effects {
		cmds = append(cmds, w.effect(visit, e))
	}
	return cmds
}

func (w *Wizard) effect(visit int, effect screen.Effect) tea.Cmd {
	switch e := effect.(type) {
	case screen.Call:
		run := w.calls.Prepare(visit, e)
		return func() tea.Msg { return run() }
	case screen.Copy:
		return w.copy("", e)
	case screen.Open:
		return w.open(screen.Link(e))
	case screen.Save:
		return w.saveFile("", e)
	case screen.Show:
		w.view(e.Document)
	}
	return nil
}

// copy puts text on the clipboard, once the terminal has said what it is.
func (w *Wizard) copy(key string, e screen.Copy) tea.Cmd {
	return w.acquainted(w.copyNow(key, e))
}

// copyNow copies off the loop: a tool may take its time.
func (w *Wizard) copyNow(key string, e screen.Copy) tea.Cmd {
	visit, d := w.walk.Visit(), w.terminal
	return func() tea.Msg {
		copied, err := d.Copy(context.Background(), e.Text)
		m := terminalMsg{visit: visit, key: key, escape: copied.Escape,
			msg: screen.Copied{Label: e.Label, Sent: copied.Sent, Err: err}}
		label := cmp.Or(e.Label, "The text")
		if err != nil {
			m.status = draw.Status{Bad: true, Text: fmt.Sprintf("%s was not copied: %v.", label, err)}
			return m
		}
		m.word = copied.Word()
		m.status = copyStatus(label, copied, len(e.Text))
		m.copied = &copiedText{label: label, text: e.Text, route: copied.Route}
		if e.ClearAfter > 0 {
			m.secret, m.after = e.Text, e.ClearAfter
		}
		return m
	}
}

func copyStatus(label string, copied terminal.Copied, bytes int) draw.Status {
	good := draw.Status{Tone: screen.Good}
	switch {
	case copied.Doubt != "":
		return draw.Status{Tone: screen.Warning, Text: fmt.Sprintf("%s sent (%s), and may not arrive: %s. p shows it, s saves it.",
			label, size(bytes), copied.Doubt)}
	case !copied.Sent:
		good.Text = fmt.Sprintf("%s copied (%s).", label, size(bytes))
	case copied.Route == terminal.Tmux:
		good.Text = fmt.Sprintf("%s sent to tmux (%s); prefix ] pastes it there.", label, size(bytes))
	default:
		good.Text = fmt.Sprintf("%s sent (%s). Nothing to paste? p shows it, s saves it.", label, size(bytes))
	}
	return good
}

func size(bytes int) string {
	if bytes == 1 {
		return "1 byte"
	}
	if bytes < 1000 {
		return fmt.Sprintf("%d bytes", bytes)
	}
	return fmt.Sprintf("%d,%03d bytes", bytes/1000, bytes%1000)
}

func (w *Wizard) open(link screen.Link) tea.Cmd {
	visit, d := w.walk.Visit(), w.terminal
	return func() tea.Msg {
		shown, err := d.Open(link.URL)
		m := terminalMsg{visit: visit, msg: screen.Opened{URL: link.URL, Shown: shown, Err: err}}
		switch {
		case err != nil:
			m.status = draw.Status{Bad: true, Text: fmt.Sprintf("The page was not opened: %v.", err)}
		case shown:
			m.link = &link
		default:
			m.status = draw.Status{Tone: screen.Good, Text: "Opened in the browser: " + cmp.Or(link.Label, link.URL) + "."}
		}
		return m
	}
}

func (w *Wizard) saveFile(key string, e screen.Save) tea.Cmd {
	visit, d := w.walk.Visit(), w.terminal
	return func() tea.Msg {
		path, same, err := d.Save(e.Name, e.Text)
		m := terminalMsg{visit: visit, key: key, msg: screen.Saved{Label: e.Label, Path: path, Err: err}}
		switch {
		case err != nil:
			m.status = draw.Status{Bad: true, Text: fmt.Sprintf("%s was not saved: %v.", cmp.Or(e.Label, e.Name), err)}
			return m
		case same:
			m.status = draw.Status{Tone: screen.Good, Text: path + " holds exactly this already."}
		default:
			m.status = draw.Status{Tone: screen.Good, Text: fmt.Sprintf("Saved to %s (%s).", path, size(len(e.Text)))}
		}
		m.word, m.path = "saved", path
		return m
	}
}

// fromTerminal takes what came of copying, opening or saving.
func (w *Wizard) fromTerminal(m terminalMsg) tea.Cmd {
	var cmds []tea.Cmd
	if m.escape != "" {
		cmds = append(cmds, tea.Raw(m.escape))
	}
	if m.secret != "" {
		cmds = append(cmds, w.clearLater(m.secret, m.after))
	}
	w.status = m.status
	if m.copied != nil {
		w.last = m.copied
	}
	if m.visit != w.walk.Visit() {
		return tea.Batch(cmds...)
	}
	if m.link != nil {
		w.shown, w.top = m.link, 0
	}
	if m.word != "" && m.key != "" {
		w.sent[m.key] = m.word
		if m.path != "" {
			w.files[m.key] = m.path
		}
		w.markNextToCopy(m.key, m.word)
	}
	return tea.Batch(append(cmds, w.tell(m.msg))...)
}

// clearLater takes a secret off the clipboard when its time is up.
func (w *Wizard) clearLater(text string, after time.Duration) tea.Cmd {
	w.secrets[text] = w.session.Now().Add(after)
	return tea.Tick(after, func(time.Time) tea.Msg { return clearMsg{text} })
}

// clear takes one secret off, unless it was copied again meanwhile.
func (w *Wizard) clear(text string) tea.Cmd {
	until, ok := w.secrets[text]
	if !ok || w.session.Now().Before(until) {
		return nil
	}
	delete(w.secrets, text)
	d := w.terminal
	return func() tea.Msg {
		left, err := d.Clear(context.Background(), text)
		switch {
		case err != nil:
			return clearedMsg{screen.Warning, fmt.Sprintf("The secret may still be on the clipboard: %v.", err)}
		case left != "":
			return clearedMsg{screen.Warning, strings.ToUpper(left[:1]) + left[1:] + ": copy something else over the secret."}
		}
		return clearedMsg{screen.Dim, "The secret is off the clipboard again."}
	}
}

// clearSecrets empties the clipboard at the end, whatever time was left.
func (w *Wizard) clearSecrets(ctx context.Context) {
	for text := range w.secrets {
		_, _ = w.terminal.Clear(ctx, text) // nobody is there to be told
	}
	clear(w.secrets)
}
