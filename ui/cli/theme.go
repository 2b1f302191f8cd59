package cli

import (
	"cmp"
	"strings"

	"github.com/charmbracelet/colorprofile"

	"rolecall/steps/record"
	"rolecall/ui/draw"
)

// ThemeName is the theme that the person named: by --theme, by ROLECALL_THEME or
// in the settings, in this order; "" where the terminal is asked. A name that
// there is not is refused with where it stands.
func (a *App) ThemeName() (string, error) {
	name, err := a.namedTheme()
	if name != "" || err != nil {
		return name, err
	}
	settings, err := record.ReadPreferences(a.Env.Getenv)
	if err != nil {
		return "", err
	}
	return checkTheme("settings.json: theme", settings.Theme)
}

// namedTheme is the theme of this run alone: by --theme or ROLECALL_THEME.
func (a *App) namedTheme() (string, error) {
	if a.Theme != "" {
		return checkTheme("--theme", a.Theme)
	}
	return checkTheme("ROLECALL_THEME", a.Env.Getenv("ROLECALL_THEME"))
}

func checkTheme(where, name string) (string, error) {
	if _, ok := (draw.Look{}).Themed(name); !ok {
		return "", Usage(
			where+": there is no theme "+draw.Clean(name)+".",
			"one of: "+strings.Join(draw.Themes(), ", "),
			"Correct "+where+", or leave it out.",
		)
	}
	return name, nil
}

// ThemeForOutput is how standard output is coloured line by line; nil: not at
// all, as where it is no terminal unless CLICOLOR_FORCE is set, and where
// NO_COLOR is. Source: bixense.com/clicolors and no-color.org.
func (a *App) ThemeForOutput() (*draw.Theme, error) {
	forced := cmp.Or(a.Env.Getenv("CLICOLOR_FORCE"), "0") != "0"
	plain := !a.Env.StdoutTTY || a.LineByLine() || a.Env.Getenv("CLICOLOR") == "0"
	look := draw.LookOf(a.Env.Getenv)
	if look.NoColor || plain && !forced {
		_, err := a.namedTheme() // the settings are not read where nothing is coloured
		return nil, err
	}
	name, err := a.ThemeName()
	if err != nil {
		return nil, err
	}
	if look, _ = look.Themed(name); look.NoColor {
		return nil, nil //nolint:nilnil // No theme is what it says.
	}
	look.Depth = draw.DepthOf(colorprofile.Env(a.Env.Environ))
	return draw.NewTheme(look), nil
}
