// Command bare is what a key costs at least: a list of options in Bubble Tea, drawn
// by hand, or with the argument "form" as a form of huh looks.
package main

import (
	"fmt"
	"os"
	"strings"

	"charm.land/bubbles/v2/help"
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
)

func main() {
	model := tea.Model(bare{})
	if len(os.Args) > 1 && os.Args[1] == "form" {
		model = newForm()
	}
	if _, err := tea.NewProgram(model).Run(); err != nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
		os.Exit(1)
	}
}

// options are as many and as long as those that rolecall asks among.
func options() []string {
	return []string{"AWS", "AWS GovCloud (US)", "AWS China", "AWS European Sovereign Cloud"}
}

// bare marks one of the options.
type bare struct{ at int }

func (b bare) Init() tea.Cmd { return nil }

func (b bare) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if key, ok := msg.(tea.KeyPressMsg); ok {
		switch key.String() {
		case "down":
			b.at = min(b.at+1, len(options())-1)
		case "up":
			b.at = max(b.at-1, 0)
		case "ctrl+c":
			return b, tea.Quit
		}
	}
	return b, nil
}

func (b bare) View() tea.View {
	lines := []string{"Which account?", ""}
	for i, option := range options() {
		mark := "  "
		if i == b.at {
			mark = "> "
		}
		lines = append(lines, mark+option)
	}
	view := tea.NewView(strings.Join(lines, "\n"))
	view.AltScreen = true
	return view
}

// form draws the list as a huh form does: a thick border at the left, the marked
// option in a colour, and the keys below. It is written here, since a dependency
// that only measures would not be worth its weight.
type form struct {
	bare
	help help.Model
}

func newForm() form { return form{help: help.New()} }

func (f form) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	next, cmd := f.bare.Update(msg)
	if to, ok := next.(bare); ok {
		f.bare = to
	}
	return f, cmd
}

func (f form) View() tea.View {
	indigo, fuchsia, green := lipgloss.Color("#7571F9"), lipgloss.Color("#F780E2"), lipgloss.Color("#02BF87")
	lines := []string{lipgloss.NewStyle().Foreground(indigo).Bold(true).Render("Which account?")}
	for i, option := range options() {
		if i == f.at {
			lines = append(lines, lipgloss.NewStyle().Foreground(fuchsia).Render("> ")+lipgloss.NewStyle().Foreground(green).Render(option))
			continue
		}
		lines = append(lines, "  "+option)
	}
	box := lipgloss.NewStyle().Border(lipgloss.ThickBorder(), false, false, false, true).PaddingLeft(1).Render(strings.Join(lines, "\n"))
	keys := []key.Binding{
		key.NewBinding(key.WithKeys("up"), key.WithHelp("↑", "up")),
		key.NewBinding(key.WithKeys("down"), key.WithHelp("↓", "down")),
		key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "submit")),
	}
	view := tea.NewView(box + "\n\n" + f.help.ShortHelpView(keys))
	view.AltScreen = true
	return view
}
