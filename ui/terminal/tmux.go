package terminal

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// client is the terminal that shows a tmux session.
type client struct {
	tty      string // "/dev/pts/3"; empty when nobody is attached
	term     string // its TERM
	version  string // what it said of itself to tmux
	pid      string
	features string
}

const clientFormat = "#{client_tty}\t#{client_termname}\t#{client_termtype}\t#{client_pid}\t#{client_termfeatures}"

// tmux runs a command of a tmux server; an empty socket is that of TMUX.
func (t *Terminal) tmux(ctx context.Context, socket, stdin string, args ...string) (string, error) {
	if socket != "" {
		args = append([]string{"-S", socket}, args...)
	}
	return t.run(ctx, stdin, "tmux", args...)
}

func (t *Terminal) tmuxClient(ctx context.Context, socket string) (client, error) {
	out, err := t.tmux(ctx, socket, "", "display-message", "-p", clientFormat)
	if err != nil {
		return client{}, err
	}
	fields := strings.Split(strings.TrimRight(out, "\n"), "\t")
	if len(fields) != 5 {
		return client{}, errors.New("run tmux: it is older than 3.2")
	}
	return client{fields[0], fields[1], fields[2], fields[3], fields[4]}, nil
}

// tmuxRoute is the way through a tmux server to the screen of the person: by
// tmux itself where its terminal is one, and past it where something lies around
// it that tmux cannot talk to. level counts the tmux that lie in one another.
func (t *Terminal) tmuxRoute(ctx context.Context, socket string, level int) Way {
	way := Way{Route: Tmux}
	if !t.has("tmux") {
		return off(way, "TMUX is set, but there is no tmux here")
	}
	c, err := t.tmuxClient(ctx, socket)
	if err != nil {
		return off(way, "TMUX is set, but no tmux answers there")
	}
	if c.tty == "" {
		way.Standing, way.Why = Doubtful, "nobody is attached to this tmux: the text gets no further than its buffer"
		way.send = t.byBuffer(socket)
		return way
	}
	if outer := t.tmuxAround(ctx, c.tty, socket); outer != "" && level < deepest {
		return t.throughBoth(socket, t.tmuxRoute(ctx, outer, level+1))
	}
	beyond := t.beyond(c)
	if outer := t.tmuxAroundScreen(c, beyond); outer != "" && outer != socket && level < deepest {
		if around := t.tmuxRoute(ctx, outer, level+1); around.Standing != Off {
			return t.throughBoth(socket, around)
		}
	}
	way.Standing, way.Why, way.Fix = beyond.standing, beyond.why, beyond.fix
	switch {
	case beyond.standing == Off:
		way.Standing, way.Why = Doubtful, beyond.why+": it gets no further than tmux"
		way.Fix = "prefix ] pastes it inside tmux"
		way.send = t.byBuffer(socket)
	case beyond.kind == aTerminal && strings.Contains(c.features, "clipboard"):
		way.send = t.byBuffer(socket, "-w")
		way.Why = describe(way.Why, "tmux passes it on to its terminal")
	default:
		way.send = t.past(socket, c, beyond)
		way.Why = describe(way.Why, "tmux lies in "+beyond.name+", which passes it on")
	}
	return way
}

func describe(why, otherwise string) string {
	if why != "" {
		return why
	}
	return otherwise
}

func off(way Way, why string) Way {
	way.Standing, way.Why = Off, why
	return way
}

// beyond is the program that shows a tmux client.
func (t *Terminal) beyond(c client) program {
	getenv := t.envOf(c.pid)
	switch {
	case c.version != "":
		return Reply{Version: c.version}.read()
	case t.underMosh(c.pid):
		return mosh()
	case getenv("STY") != "", strings.HasPrefix(c.term, "screen"):
		return t.screenAround(getenv) // a tmux of the last years would have named itself
	}
	p, _ := byEnvironment(func(name string) string {
		if name == "TERM" {
			return c.term
		}
		return getenv(name)
	}, t.GOOS)
	return p
}

// screenAround is the GNU screen that a process runs in, and as far as its own
// environment tells, what the terminal around it does.
func (t *Terminal) screenAround(getenv func(string) string) program {
	screen := gnuScreen()
	server := t.screenServer(getenv)
	if server("TERM") == "" {
		return screen
	}
	if p, _ := byEnvironment(server, t.GOOS); p.kind == aTerminal {
		screen.standing, screen.why, screen.fix = p.standing, p.why, p.fix
	}
	return screen
}

// screenServer is the environment in which the GNU screen around a process began.
func (t *Terminal) screenServer(getenv func(string) string) func(string) string {
	pid, _, _ := strings.Cut(getenv("STY"), ".")
	return t.envOf(pid)
}

// tmuxAroundScreen is the socket of the tmux in which the GNU screen around a
// client began; empty where there is none.
func (t *Terminal) tmuxAroundScreen(c client, beyond program) string {
	if beyond.kind != isScreen {
		return ""
	}
	socket, _, _ := strings.Cut(t.screenServer(t.envOf(c.pid))("TMUX"), ",")
	return socket
}

// envOf is the environment of another process; where the system does not show
// it, that of a process of which nothing is known.
func (t *Terminal) envOf(pid string) func(string) string {
	if t.ProcessEnv != nil && pid != "" {
		if getenv := t.ProcessEnv(pid); getenv != nil {
			return getenv
		}
	}
	return func(string) string { return "" }
}

// byBuffer loads the text into a buffer of tmux; with -w tmux passes it on.
func (t *Terminal) byBuffer(socket string, flags ...string) func(context.Context, string) (Copied, error) {
	return func(ctx context.Context, text string) (Copied, error) {
		_, err := t.tmux(ctx, socket, text, append(append([]string{"load-buffer"}, flags...), "-")...)
		return Copied{Route: Tmux, Sent: true}, err
	}
}

// past loads the text into a buffer of tmux, and writes the sequence to the
// terminal of its client, since tmux itself would send what is not understood
// there: GNU screen needs it wrapped, and mosh with another selection.
func (t *Terminal) past(socket string, c client, beyond program) func(context.Context, string) (Copied, error) {
	screens := 0
	if beyond.kind == isScreen {
		screens = 1
	}
	load := t.byBuffer(socket)
	return func(ctx context.Context, text string) (Copied, error) {
		sequence, err := sequenceOf(text, beyond.limit)
		if err != nil {
			return Copied{}, err
		}
		copied, err := load(ctx, text)
		if err != nil {
			return copied, err
		}
		return copied, writeTo(c.tty, wrap(screens, sequence))
	}
}

// sequenceOf is the sequence that asks a terminal to take the text.
func sequenceOf(text string, limit int) (string, error) {
	sequence := ansi.SetSystemClipboard(text)
	if limit > 0 && len(sequence) > limit {
		return "", errors.New("it is longer than what mosh passes on (12,000 bytes)")
	}
	return sequence, nil
}

// writeTo writes to a terminal in one piece. It gives up on one that nobody
// reads from.
func writeTo(tty, sequence string) error {
	done := make(chan error, 1)
	go func() {
		file, err := os.OpenFile(tty, os.O_WRONLY, 0)
		if err != nil {
			done <- err
			return
		}
		_, err = file.WriteString(sequence)
		done <- errors.Join(err, file.Close())
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		return errors.New("write to " + tty + ": nobody takes it")
	}
}

// throughBoth hands the text to the inner tmux, for its own buffer, and to what
// lies around it.
func (t *Terminal) throughBoth(socket string, outer Way) Way {
	way := outer
	load, send := t.byBuffer(socket), outer.send
	if send == nil {
		return way
	}
	way.Why = describe(outer.Why, "") + ", by way of the tmux around this one"
	way.send = func(ctx context.Context, text string) (Copied, error) {
		if copied, err := load(ctx, text); err != nil {
			return copied, err
		}
		return send(ctx, text)
	}
	return way
}

// tmuxAround is the socket of the tmux server that has a pane at this terminal;
// empty when none of this user has.
func (t *Terminal) tmuxAround(ctx context.Context, tty, socket string) string {
	own := socket
	if own == "" {
		own, _, _ = strings.Cut(t.Getenv("TMUX"), ",")
	}
	for _, path := range t.sockets(own) {
		panes, err := t.tmux(ctx, path, "", "list-panes", "-a", "-F", "#{pane_tty}")
		if err == nil && strings.Contains("\n"+panes, "\n"+tty+"\n") {
			return path
		}
	}
	return ""
}

// sockets are those of the other tmux servers of this user: beside the one that
// is known, and where tmux puts them.
func (t *Terminal) sockets(own string) []string {
	usual := filepath.Join(cmp.Or(t.Getenv("TMUX_TMPDIR"), "/tmp"), "tmux-"+strconv.Itoa(os.Getuid()))
	folders := []string{filepath.Dir(own)}
	if usual != folders[0] {
		folders = append(folders, usual)
	}
	var found []string
	for _, folder := range folders {
		entries, _ := os.ReadDir(folder) // one that is not there has none
		for _, entry := range entries {
			path := filepath.Join(folder, entry.Name())
			if entry.Type()&os.ModeSocket != 0 && path != own {
				found = append(found, path)
			}
		}
	}
	return found
}

// clearTmux takes the text out of the buffers of a server that hold just it.
func (t *Terminal) clearTmux(ctx context.Context, socket, text string) error {
	list, err := t.tmux(ctx, socket, "", "list-buffers", "-F", "#{buffer_name}")
	if err != nil {
		return err
	}
	for _, name := range strings.Fields(list) {
		held, err := t.tmux(ctx, socket, "", "show-buffer", "-b", name)
		if err != nil || held != text {
			continue // gone meanwhile, or another one's
		}
		if _, err := t.tmux(ctx, socket, "", "delete-buffer", "-b", name); err != nil {
			return err
		}
	}
	return nil
}
