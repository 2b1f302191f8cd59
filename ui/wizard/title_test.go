package wizard

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"rolecall/steps/screen"
	"rolecall/steps/step"

	tea "charm.land/bubbletea/v2"
)

// titleOf is the title that a terminal with a stack of titles has in the end, of
// what was written to it.
func titleOf(written string) string {
	title, kept := "the shell's", []string{}
	for written != "" {
		switch {
		case strings.HasPrefix(written, keepTitle):
			kept = append(kept, title)
		case strings.HasPrefix(written, putTitleBack) && len(kept) > 0:
			title, kept = kept[len(kept)-1], kept[:len(kept)-1]
		case strings.HasPrefix(written, setTitle):
			title, _, _ = strings.Cut(written[len(setTitle):], "\a")
		}
		written = written[1:]
	}
	return title
}

func TestTheTitleIsPutBack(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]tea.Msg{"left": leaveMsg{}, "panicked": panicMsg{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			session := &step.Session{Now: time.Now}
			w := NewWizard(WizardOptions{Session: session, Getenv: func(string) string { return "" },
				walk: &testWalk{session: session, all: []step.Step{still("Role", screen.Text{Body: "Create the role."})}}})
			model := &panicky{Wizard: w, end: end}
			program := tea.NewProgram(model, tea.WithInput(nil), tea.WithOutput(keepingTitle(&out)), tea.WithoutSignalHandler(),
				tea.WithWindowSize(80, 24), tea.WithEnvironment([]string{"TERM=xterm-256color"}))
			_, err := program.Run()
			if panicked := name == "panicked"; panicked != (err != nil) {
				t.Errorf("ended with %v", err)
			}
			written := out.String()
			if got := titleOf(written); got != "the shell's" || !strings.Contains(written, setTitle+"rolecall: Role") {
				t.Errorf("the title is %q in the end of %q", got, written)
			}
			if strings.LastIndex(written, "\x1b[?1049l") < strings.LastIndex(written, "\x1b[?1049h") {
				t.Errorf("left on the alternate screen: %q", written)
			}
		})
	}
}

// panicky is a wizard that ends as it is told to once it was drawn.
type panicky struct {
	*Wizard
	end  tea.Msg
	sent bool
}

type panicMsg struct{}

func (p *panicky) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if _, ok := msg.(panicMsg); ok {
		panic("a mistake in a step")
	}
	_, cmd := p.Wizard.Update(msg)
	if p.sent || p.width == 0 {
		return p, cmd
	}
	p.sent = true
	drawn := tea.Tick(2*time.Second/framesPerSecond*4, func(time.Time) tea.Msg { return p.end })
	return p, tea.Batch(cmd, drawn)
}
