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
	where, name := "--theme", a.Theme
	if name == "" {
		where, name = "ROLECALL_THEME", a.Env.Getenv("ROLECALL_THEME")
	}
	if name == "" {
		settings, err := record.ReadPreferences(a.Env.Getenv)
		if err != nil {
			return "", err
		}
		where, name = "settings.json: theme", settings.Theme
	}
	if _, ok := (draw.Look{}).Themed(name); !ok {
		return "", Usage(where+": there is no theme "+draw.Clean(name)+".", "one of: "+strings.Join(draw.Themes(), ", "), "Correct "+where+", or leave it out.")
	}
	return name, nil
}

// ThemeForOutput is how standard output is coloured line by line; nil: not at
// all, as where it is no terminal unless CLICOLOR_FORCE is set, and where
// NO_COLOR is. Source: bixense.com/clicolors and no-color.org.
func (a *App) ThemeForOutput() (*draw.Theme, error) {
	name, err := a.ThemeName()
	if err != nil {
		return nil, err
	}
	look, _ := draw.LookOf(a.Env.Getenv).Themed(name)
	forced := cmp.Or(a.Env.Getenv("CLICOLOR_FORCE"), "0") != "0"
	plain := !a.Env.StdoutTTY || a.LineByLine() || a.Env.Getenv("CLICOLOR") == "0"
	if look.NoColor || plain && !forced {
		return nil, nil //nolint:nilnil // No theme is what it says.
	}
	look.Depth = draw.DepthOf(colorprofile.Env(a.Env.Environ))
	return draw.NewTheme(look), nil
}
