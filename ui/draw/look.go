package draw

import (
	"strconv"
	"strings"
)

// LookOf tells from the environment what the terminal can show. How many
// colours there are, and on which background, is asked of the terminal later.
func LookOf(getenv func(string) string) Look {
	term := getenv("TERM")
	ascii := term == "linux" || term == "dumb" || decTerminal(term) || !speaksUTF8(getenv)
	bare := getenv("NO_COLOR") != "" || decTerminal(term)
	return Look{Light: lightBackground(getenv("COLORFGBG")), NoColor: bare, ASCII: ascii, Links: !ascii}
}

// decTerminal reports a terminal of DEC's, or what says that it is one: vt52,
// vt100, vt220. They have neither colours nor UTF-8. VTE ("vte-256color") is none.
func decTerminal(term string) bool {
	model, ok := strings.CutPrefix(term, "vt")
	return ok && model != "" && '0' <= model[0] && model[0] <= '9'
}

// lightBackground reads COLORFGBG, "foreground;background" in numbers of the 16
// colours, which rxvt, Konsole and others set: 7 and 15 are white, and 9 to 14
// are bright. Source: the manual of rxvt-unicode, urxvt(7).
func lightBackground(value string) bool {
	parts := strings.Split(value, ";")
	n, err := strconv.Atoi(parts[len(parts)-1])
	return err == nil && len(parts) > 1 && (n == 7 || n > 8 && n < 16)
}

// Themes are what --theme and ROLECALL_THEME take.
func Themes() []string { return []string{"dark", "light", "none"} }

// Themed is a look with the background that a person named, or without colours;
// "" changes nothing. It reports false for a name that there is not.
func (l Look) Themed(name string) (Look, bool) {
	switch name {
	case "":
		return l, true
	case "dark", "light":
		l.Light, l.Pinned = name == "light", true
		return l, true
	case "none":
		l.NoColor, l.Pinned = true, true
		return l, true
	}
	return l, false
}

// speaksUTF8 reads the locale. Where none is set, a terminal of today is
// assumed, except inside tmux, which then replaces what is not ASCII itself.
func speaksUTF8(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(getenv(name)); locale != "" {
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return getenv("TMUX") == ""
}
