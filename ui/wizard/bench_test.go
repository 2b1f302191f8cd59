package wizard

import (
	"io"
	"testing"
	"time"

	"rolecall/steps/screen"
	"rolecall/steps/step"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"rolecall/ui/terminal"
)

// counter counts what a terminal would be sent.
type counter struct{ n int }

func (c *counter) Write(p []byte) (int, error) { c.n += len(p); return len(p), nil }

func benchSteps() []step.Step {
	facts := screen.Facts{}
	for _, label := range []string{"Account ID", "External ID", "Role name", "Policy"} {
		facts = append(facts, screen.Fact{Label: label, Value: "spotinst:aws:extid:0123456789abcdef", Copy: true})
	}
	items := []string{
		"Roles › Create role",
		"AWS account › Another AWS account",
		"Paste the account ID",
		"Tick Require external ID",
		"Next",
		"Create role",
	}
	return []step.Step{still("Role", screen.Text{Body: "Create the role in the console."}, screen.Numbered(2, items...), facts)}
}

func benchOptions() WizardOptions {
	session := &step.Session{Now: time.Now}
	return WizardOptions{
		Session:  session,
		Terminal: terminal.New(),
		Getenv:   func(string) string { return "" },
		walk:     &testWalk{session: session, all: benchSteps()},
	}
}

// BenchmarkKey is one key from the update to the finished frame.
func BenchmarkKey(b *testing.B) {
	w := NewWizard(benchOptions())
	w.Init()
	w.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	keys := []tea.KeyPressMsg{{Code: tea.KeyDown}, {Code: tea.KeyUp}}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		w.Update(keys[i%2])
		_ = w.View()
		i++
	}
}

// BenchmarkKeyBytes is how many bytes one key costs on the wire, with the real
// program and its renderer.
func BenchmarkKeyBytes(b *testing.B) {
	out := &counter{}
	w := NewWizard(benchOptions())
	p := tea.NewProgram(w, tea.WithInput(nil), tea.WithOutput(out), tea.WithoutSignalHandler(), tea.WithWindowSize(80, 24),
		tea.WithColorProfile(colorprofile.ANSI256), tea.WithEnvironment([]string{"TERM=xterm-256color"}))
	done := make(chan struct{})
	go func() { defer close(done); _, _ = p.Run() }()
	frame := func() { time.Sleep(time.Second / 30) }
	frame()
	frame()
	first, keys := out.n, 0
	for b.Loop() {
		p.Send(tea.KeyPressMsg{Code: []rune{tea.KeyDown, tea.KeyUp}[keys%2]})
		frame()
		keys++
	}
	p.Kill()
	<-done
	b.ReportMetric(float64(out.n-first)/float64(keys), "B/key")
	b.ReportMetric(float64(first), "B/first-frame")
}

var _ io.Writer = (*counter)(nil)
