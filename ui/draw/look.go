package draw

import "strings"

// LookOf tells from the environment what the terminal can show. Colours are
// asked of the terminal later.
func LookOf(getenv func(string) string) Look {
	term := getenv("TERM")
	bare := term == "linux" || term == "dumb" || strings.HasPrefix(term, "vt")
	ascii := bare || !speaksUTF8(getenv)
	return Look{NoColor: getenv("NO_COLOR") != "", ASCII: ascii, Links: !ascii}
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
