package terminal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Route is how text reaches the person's clipboard.
type Route string

// The routes, in the order in which they are tried. ROLECALL_CLIPBOARD and the
// settings name them so.
const (
	Command Route = "command" // one of the person's own
	Tool    Route = "tool"    // a clipboard tool of this machine
	Tmux    Route = "tmux"    // tmux passes it to its terminal
	OSC52   Route = "osc52"   // the terminal is asked by an escape sequence
	None    Route = "none"    // nothing is copied
)

// Way is one route with what is known of it here.
type Way struct {
	Route    Route
	Standing Standing
	Why      string // why it stands so, in half a sentence
	Fix      string // what switches it on, where it is off or doubtful

	tool tool
	send func(ctx context.Context, text string) (Copied, error)
}

// Ways lists how text would be copied here, best first. It tries what can be
// tried without changing anything, and so runs programs. An override leaves one.
func (t *Terminal) Ways(ctx context.Context) []Way {
	if way, ok := t.override(); ok {
		return []Way{way}
	}
	return t.sorted(t.allWays(ctx))
}

// allWays are the routes in the order in which they are tried, before what a
// person found of them.
func (t *Terminal) allWays(ctx context.Context) []Way {
	if t.Getenv("TMUX") == "" {
		return []Way{t.toolRoute(ctx, t.Remote()), t.escapeRoute()}
	}
	tmux := t.tmuxRoute(ctx, "", 1)
	ways := []Way{t.toolRoute(ctx, t.away(ctx)), tmux}
	if tmux.Standing == Off {
		return append(ways, t.escapeRoute())
	}
	return append(ways, Way{Route: OSC52, Standing: Off, Why: "tmux drops it as it comes"})
}

// sorted puts what works before what is doubtful, what was seen to arrive before
// both, and what was seen not to arrive behind them.
func (t *Terminal) sorted(ways []Way) []Way {
	proven, failed := t.provenRoute(), t.knows().failed
	rank := func(w Way) int {
		switch {
		case w.Standing == Off:
			return 4
		case failed[w.Route]:
			return 3
		case w.Route == proven:
			return 0
		}
		return 1 + int(w.Standing)
	}
	for i := range ways {
		w := &ways[i]
		switch {
		case w.Standing != Off && failed[w.Route]:
			w.Standing, w.Why = Doubtful, "it did not arrive when you looked"
		case w.Standing != Off && w.Route == proven:
			w.Standing, w.Why, w.Fix = Good, "you saw it arrive in this terminal", ""
		}
	}
	slices.SortStableFunc(ways, func(a, b Way) int { return cmp.Compare(rank(a), rank(b)) })
	return ways
}

// away reports whether the person sits at another machine: over SSH, or attached
// over SSH to a tmux that began here.
func (t *Terminal) away(ctx context.Context) bool {
	c, err := t.tmuxClient(ctx, "")
	if err != nil || c.pid == "" || t.ProcessEnv == nil {
		return t.Remote()
	}
	if getenv := t.ProcessEnv(c.pid); getenv != nil {
		return overSSH(getenv) || t.underMosh(c.pid)
	}
	return t.Remote()
}

// escapeRoute asks the terminal by OSC 52, through as many layers of GNU screen
// as there are.
func (t *Terminal) escapeRoute() Way {
	return escapeThrough(t.around())
}

func escapeThrough(screens int, last program) Way {
	way := Way{Route: OSC52, Standing: last.standing, Why: last.why, Fix: last.fix}
	if way.Why == "" {
		way.Why = last.name + " takes it, as far as is known"
	}
	way.send = func(_ context.Context, text string) (Copied, error) {
		sequence, err := sequenceOf(text, last.limit)
		copied := Copied{Route: OSC52, Sent: true, Escape: wrap(screens, sequence)}
		if screens > 1 && len(sequence) > sureInScreens {
			copied.Doubt = "GNU screen in GNU screen may lose a part of a text as long as this"
		}
		return copied, err
	}
	return way
}

// sureInScreens is the length up to which a sequence was never seen to lose one
// of its parts between two GNU screens in one another.
const sureInScreens = 2 * screenLimit

// around is what lies between rolecall and the person's screen: how many layers
// of GNU screen, and what is behind them. What was answered counts more than
// what the environment says, which may be that of another terminal.
func (t *Terminal) around() (screens int, last program) {
	byEnv, sure := byEnvironment(t.Getenv, t.GOOS)
	for _, layer := range t.knows().layers {
		if layer.kind != isScreen {
			return screens, layer
		}
		screens++
	}
	if t.Getenv("STY") != "" {
		screens = max(screens, 1)
	}
	switch {
	case screens > 0 && byEnv.kind == isScreen, screens > 0 && byEnv.kind == isTmux:
		return screens, program{name: "what is around GNU screen"}
	case byEnv.kind == isScreen:
		return 1, byEnv
	case t.underMosh(strconv.Itoa(os.Getppid())) && !sure:
		return screens, mosh()
	}
	return screens, byEnv
}

// override is the route that ROLECALL_CLIPBOARD or the settings name, which
// stands for all others.
func (t *Terminal) override() (Way, bool) {
	named, from := t.Getenv("ROLECALL_CLIPBOARD"), "ROLECALL_CLIPBOARD"
	if named == "" && t.Setting != nil {
		setting, err := t.Setting()
		if err != nil {
			return broken(err), true
		}
		named, from = setting, "the settings"
	}
	named = strings.TrimSpace(named)
	if named == "" || named == "auto" {
		return Way{}, false
	}
	way := t.named(named)
	why := from + " says so"
	if way.Why != "" {
		why += "; " + way.Why
	}
	way.Why = why
	return way, true
}

func broken(err error) Way { return Way{Route: None, Standing: Off, Why: firstLine(err.Error())} }

// named is the route of that name, of that tool, or else the command that the
// name is.
func (t *Terminal) named(name string) Way {
	ctx := context.Background()
	switch Route(strings.ToLower(name)) {
	case OSC52:
		way := t.escapeRoute()
		way.Standing, way.Fix = Good, ""
		return way
	case Tmux:
		return t.tmuxRoute(ctx, "", 1)
	case Tool:
		return t.toolRoute(ctx, false)
	case None:
		return Way{Route: None, Standing: Off}
	case Command:
	}
	if name == "screen" { // OSC 52, wrapped for GNU screen
		return escapeThrough(1, program{name: "what is around GNU screen"})
	}
	for _, c := range t.tools() {
		if c.name == name && t.has(name) {
			return Way{Route: Tool, send: t.byTool(c), tool: c}
		}
	}
	return t.ownCommand(name)
}

// ownCommand is a command of the person's own, which gets the text on its input.
func (t *Terminal) ownCommand(line string) Way {
	way := Way{Route: Command}
	program, _, _ := strings.Cut(line, " ")
	if !t.has(program) {
		return Way{Route: Command, Standing: Off, Why: fmt.Sprintf("there is no program %q here", firstLine(program)),
			Fix: "name auto, tool, tmux, osc52, none, or a command that reads the text from its input"}
	}
	shell, flag := "sh", "-c"
	if t.GOOS == "windows" {
		shell, flag = "cmd", "/c"
	}
	way.send = func(ctx context.Context, text string) (Copied, error) {
		_, err := t.run(ctx, text, shell, flag, line)
		return Copied{Route: Command}, err
	}
	return way
}

func (t *Terminal) byTool(c tool) func(context.Context, string) (Copied, error) {
	return func(ctx context.Context, text string) (Copied, error) {
		return Copied{Route: Tool}, t.write(ctx, c, text)
	}
}

// Found notes what the person saw: whether text that went by a route arrived. It
// is kept for this terminal.
func (t *Terminal) Found(route Route, arrived bool) error {
	t.learn(func(k *knowledge) {
		if k.failed == nil {
			k.failed = map[Route]bool{}
		}
		k.failed[route] = !arrived
		switch {
		case arrived:
			k.proven = route
		case k.proven == route:
			k.proven = ""
		}
	})
	switch {
	case t.Memory == nil:
		return nil
	case arrived:
		return t.Memory.KeepRoute(t.fingerprint(), string(route))
	case t.Memory.Route(t.fingerprint()) == string(route):
		return t.Memory.KeepRoute(t.fingerprint(), "")
	}
	return nil
}

// provenRoute is the one that was seen to arrive in this terminal.
func (t *Terminal) provenRoute() Route {
	k := t.knows()
	if k.proven != "" || t.Memory == nil {
		return k.proven
	}
	route := Route(t.Memory.Route(t.fingerprint()))
	if k.failed[route] {
		return ""
	}
	return route
}

// fingerprint tells one terminal from another: what it answered, how rolecall is
// reached, and what its environment says. It names no host and no person.
func (t *Terminal) fingerprint() string {
	parts := []string{"TERM=" + t.Getenv("TERM")}
	for _, layer := range t.knows().layers {
		parts = append(parts, layer.name)
	}
	for _, name := range []string{"TMUX", "STY", "SSH_CONNECTION"} {
		if t.Getenv(name) != "" {
			parts = append(parts, name)
		}
	}
	for _, name := range []string{"TERM_PROGRAM", "LC_TERMINAL", "VTE_VERSION", "XTERM_VERSION"} {
		if value := t.Getenv(name); value != "" {
			parts = append(parts, name+"="+value)
		}
	}
	return firstLine(strings.Join(parts, " "))
}

// ErrNoClipboard says that nothing here takes text.
var ErrNoClipboard = errors.New("this terminal takes no text from programs; save it to a file instead (s)")
