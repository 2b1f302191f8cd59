package terminal

import (
	"slices"
	"strings"
)

// Standing is what is known of a route before it is taken.
type Standing int

// The standings.
const (
	Good     Standing = iota // it was tried, or nothing speaks against it
	Doubtful                 // it is off unless somebody switched it on
	Off                      // it does not work here
)

// program is one that lies between rolecall and the person's eyes, and what it
// does with text that a program asks it to put on the clipboard (OSC 52).
type program struct {
	name     string
	kind     kind
	standing Standing
	why      string // for what is not Good, and what to know of what is
	fix      string // what switches it on
	limit    int    // bytes of the whole sequence that it passes on; 0: as many as there are
}

type kind int

const (
	aTerminal kind = iota
	isScreen
	isTmux
	isMosh
)

// moshLimit is how much base64 mosh keeps; it cuts the rest off without a word
// (MAXIMUM_CLIPBOARD_SIZE in terminalfunctions.cc).
const moshLimit = 16 * 1024

// The programs that do not simply take the text. Sources: XTerm's manual
// (allowWindowOps, disallowedWindowOps), vteseq.cc, iTerm2's
// iTermPreferences.m, tmux's manual (set-clipboard), mosh's
// terminalfunctions.cc, rxvt-unicode's manual (52-osc), PuTTY's terminal.c.
func xterm() program {
	return program{name: "xterm", standing: Doubtful, why: "xterm drops text from programs as it comes",
		fix: "XTerm*disallowedWindowOps: 20,21,SetXprop in ~/.Xresources lets it through"}
}

func vte() program {
	return program{name: "VTE", standing: Off, why: "GNOME Terminal and every other VTE terminal takes no text from programs"}
}

func appleTerminal() program {
	return program{name: "Terminal.app", standing: Off, why: "Apple's Terminal takes no text from programs"}
}

func iterm() program {
	return program{name: "iTerm2", standing: Doubtful, why: "iTerm2 drops text from programs until it is allowed",
		fix: "Settings › General › Selection › Applications in terminal may access clipboard lets it through"}
}

func tmuxBeyond() program {
	return program{name: "tmux", kind: isTmux, standing: Doubtful, why: "the tmux on the way drops text from programs as it comes",
		fix: "tmux set -s set-clipboard on, in that tmux, lets it through"}
}

func gnuScreen() program { return program{name: "GNU screen", kind: isScreen} }

func mosh() program {
	return program{name: "mosh", kind: isMosh, limit: moshLimit, why: "mosh passes it on from version 1.4"}
}

func urxvt() program {
	return program{name: "rxvt-unicode", standing: Doubtful, why: "rxvt-unicode drops text from programs as it comes",
		fix: "its extension 52-osc lets it through"}
}

func putty() program {
	return program{name: "PuTTY", standing: Off, why: "PuTTY takes no text from programs"}
}

func bareTerminal(term string) program {
	if term == "" {
		return program{name: "no terminal", standing: Off, why: "TERM is not set: nothing says that there is a terminal"}
	}
	return program{name: term, standing: Off, why: "a terminal of TERM=" + firstLine(term) + " has no clipboard"}
}

// Reply is what a terminal said of itself: its name and version (XTVERSION) and
// its secondary device attributes. Both may be missing.
type Reply struct {
	Version   string
	Secondary []int
}

// read tells which program answered. An answer without a known sign is that of a
// terminal of which nothing bad is known.
func (r Reply) read() program {
	version, first := r.Version, -1
	if len(r.Secondary) > 0 {
		first = r.Secondary[0]
	}
	switch {
	case strings.HasPrefix(version, "tmux") || first == 'T':
		return tmuxBeyond()
	case first == 'S':
		return gnuScreen()
	case first == 'U':
		return urxvt()
	case strings.HasPrefix(version, "XTerm") || version == "" && first == 41:
		return xterm()
	case strings.HasPrefix(version, "VTE") || version == "" && (first == 61 || first == 65):
		return vte()
	case strings.HasPrefix(version, "iTerm2"):
		return iterm()
	case version == "" && slices.Equal(r.Secondary, []int{1, 95, 0}):
		return appleTerminal()
	case version == "" && slices.Equal(r.Secondary, []int{1, 10, 0}):
		return mosh()
	case version == "" && slices.Equal(r.Secondary, []int{0, 136, 0}):
		return putty()
	case version != "":
		return program{name: firstLine(version)}
	}
	return program{name: "the terminal"}
}

// byEnvironment tells from an environment which terminal it was made for. sure is
// false where nothing in it names one.
func byEnvironment(getenv func(string) string, goos string) (p program, sure bool) {
	name := getenv("TERM")
	switch {
	case goos == "windows":
		return program{name: "the console"}, true
	case name == "" || name == "dumb" || name == "linux":
		return bareTerminal(name), true
	case getenv("TERM_PROGRAM") == "Apple_Terminal":
		return appleTerminal(), true
	case getenv("TERM_PROGRAM") == "iTerm.app" || getenv("LC_TERMINAL") == "iTerm2":
		return iterm(), true
	case strings.HasPrefix(name, "tmux"):
		return tmuxBeyond(), true
	case strings.HasPrefix(name, "screen"):
		return screenOrTmux(), false
	case strings.HasPrefix(name, "rxvt-unicode"):
		return urxvt(), true
	case getenv("KITTY_WINDOW_ID") != "" || getenv("WT_SESSION") != "" || getenv("ALACRITTY_WINDOW_ID") != "":
		return program{name: "the terminal"}, true
	case getenv("XTERM_VERSION") != "":
		return xterm(), true
	case getenv("VTE_VERSION") != "":
		return vte(), true
	}
	return program{name: "the terminal"}, false
}

// screenOrTmux is what calls itself TERM=screen without saying more: both do.
func screenOrTmux() program {
	p := tmuxBeyond()
	p.kind = isScreen // GNU screen would fill the window with what is not wrapped; tmux drops it
	p.name, p.why = "tmux or GNU screen", "TERM says that a tmux or a GNU screen is on the way, and a tmux drops text from programs as it "+
		"comes"
	return p
}
