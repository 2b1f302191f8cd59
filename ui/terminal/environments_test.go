package terminal

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// Every environment is a real one: real multiplexers with their settings as they
// come, a real sshd on this machine, and around them a pseudo-terminal that
// answers and takes text as one of the known terminals does. In it runs this
// test binary, which copies as the fronts do, and says what it told the person.

// persona is a terminal as it comes.
type persona struct {
	name, version string
	secondary     string // its secondary device attributes
	takes         bool   // it puts on the clipboard what OSC 52 sends
	env           []string
}

func kitty() persona {
	return persona{name: "kitty, Alacritty, Ghostty, Windows Terminal, …", version: "kitty(0.42.1)", secondary: "1;4000;42", takes: true}
}

func asXTerm() persona {
	return persona{name: "xterm", version: "XTerm(379)", secondary: "41;379;0", env: []string{"XTERM_VERSION=XTerm(379)"}}
}

func asVTE() persona {
	return persona{name: "GNOME Terminal and other VTE", version: "VTE(7600)", secondary: "61;7600;1", env: []string{"VTE_VERSION=7600"}}
}

func asApple() persona {
	return persona{name: "Apple Terminal", secondary: "1;95;0", env: []string{"TERM_PROGRAM=Apple_Terminal"}}
}

// mute answers nothing at all.
func mute() persona { return persona{name: "Linux console", env: []string{"TERM=linux"}} }

// environment is one line of the table: what lies between rolecall and the
// terminal, from the inside out.
type environment struct {
	name    string
	around  persona
	layers  []layerFunc
	env     []string // of rolecall itself
	xserver bool
	arrives bool
	says    string // where it does not: a word of what the person is told
}

// layerFunc makes the script of a layer that runs another script inside.
type layerFunc func(s *stage, inner string) (script string)

func environments() []environment {
	known := map[string]layerFunc{"tmux": inATmux, "screen": inAScreen, "ssh": overAnSSH, "mosh": overAMosh}
	layers := func(inOut string) []layerFunc {
		var all []layerFunc
		for name := range strings.FieldsSeq(inOut) {
			all = append(all, known[name])
		}
		return all
	}
	return []environment{
		{name: "a terminal that takes text", around: kitty(), arrives: true},
		{name: "X with xclip", around: asVTE(), xserver: true, arrives: true},
		{name: "GNU screen", around: kitty(), layers: layers("screen"), arrives: true},
		{name: "screen in screen", around: kitty(), layers: layers("screen screen"), says: "may lose a part"},
		{name: "tmux", around: kitty(), layers: layers("tmux"), arrives: true},
		{name: "tmux in tmux", around: kitty(), layers: layers("tmux tmux"), arrives: true},
		{name: "tmux in screen", around: kitty(), layers: layers("tmux screen"), arrives: true},
		{name: "screen in tmux", around: kitty(), layers: layers("screen tmux"), arrives: true},
		{name: "SSH", around: kitty(), layers: layers("ssh"), arrives: true},
		{name: "tmux over SSH", around: kitty(), layers: layers("tmux ssh"), arrives: true},
		{name: "SSH out of screen", around: kitty(), layers: layers("ssh screen"), arrives: true},
		{name: "tmux over SSH out of screen", around: kitty(), layers: layers("tmux ssh screen"), arrives: true},
		{name: "screen over SSH out of tmux", around: kitty(), layers: layers("screen ssh tmux"), says: "set-clipboard on"},
		{name: "tmux in tmux in tmux", around: kitty(), layers: layers("tmux tmux tmux"), arrives: true},
		{name: "tmux in screen in tmux", around: kitty(), layers: layers("tmux screen tmux"), arrives: true},
		{name: "screen in tmux in screen", around: kitty(), layers: layers("screen tmux screen"), arrives: true},
		{name: "SSH out of tmux", around: kitty(), layers: layers("ssh tmux"), says: "set-clipboard on"},
		{name: "tmux over SSH out of tmux", around: kitty(), layers: layers("tmux ssh tmux"), says: "set-clipboard on"},
		{name: "mosh", around: kitty(), layers: layers("mosh"), arrives: true},
		{name: "tmux over mosh", around: kitty(), layers: layers("tmux mosh"), arrives: true},
		{name: "a TMUX left over from elsewhere", around: kitty(), env: []string{"TMUX=/nowhere/default,1,0"}, arrives: true},
		{name: "xterm", around: asXTerm(), says: "disallowedWindowOps"},
		{name: "xterm over SSH", around: asXTerm(), layers: layers("ssh"), says: "disallowedWindowOps"},
		{name: "tmux, xterm", around: asXTerm(), layers: layers("tmux"), says: "disallowedWindowOps"},
		{name: "GNU screen, GNOME Terminal", around: asVTE(), layers: layers("screen"), says: "VTE"},
		{name: "tmux in screen, GNOME Terminal", around: asVTE(), layers: layers("tmux screen"), says: "VTE"},
		{name: "tmux in tmux, GNOME Terminal", around: asVTE(), layers: layers("tmux tmux"), says: "VTE"},
		{name: "tmux, X with xclip", around: asVTE(), layers: layers("tmux"), xserver: true, arrives: true},
		{name: "SSH out of screen, GNOME Terminal", around: asVTE(), layers: layers("ssh screen"), says: "VTE"},
		{name: "GNOME Terminal, no display", around: asVTE(), says: "VTE"},
		{name: "GNOME Terminal over SSH", around: asVTE(), layers: layers("ssh"), says: "VTE"},
		{name: "tmux over SSH, GNOME Terminal", around: asVTE(), layers: layers("tmux ssh"), says: "VTE"},
		{name: "Apple Terminal over SSH", around: asApple(), layers: layers("ssh"), says: "Apple"},
		{name: "Linux console", around: mute(), says: "TERM=linux"},
	}
}

// policySize is about what the policy document has, laid out.
const policySize = 8694

func theText() string {
	line := "{\"Action\": [\"ec2:Describe*\", \"ü\"], \"Resource\": \"*\"},\n"
	return strings.Repeat(line, policySize/len(line)+1)[:policySize-1] + "\n"
}

// told is what rolecall said of the copy.
type told struct {
	Route, Word, Doubt, Err string
	Ways                    []string // with the reason of each
}

func (o told) text() string { return o.Doubt + o.Err }

// TestCopyHere is rolecall in an environment. It does nothing in a usual run.
func TestCopyHere(t *testing.T) {
	folder := os.Getenv("ROLECALL_TEST_STAGE")
	if folder == "" {
		return
	}
	waitForFile(filepath.Join(folder, "go"))
	d := New()
	d.AskOn(os.Stdin, os.Stdout)
	copied, err := d.Copy(t.Context(), theText())
	_, _ = os.Stdout.WriteString(copied.Escape)
	o := told{Route: string(copied.Route), Word: copied.Word(), Doubt: copied.Doubt}
	if err != nil {
		o.Err = err.Error()
	}
	for _, way := range d.Ways(t.Context()) {
		o.Ways = append(o.Ways, fmt.Sprintf("%s: %s", way.Route, way.Why))
	}
	text, _ := json.Marshal(o)
	if err := os.WriteFile(filepath.Join(folder, "told.new"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(folder, "told.new"), filepath.Join(folder, "told")); err != nil {
		t.Fatal(err)
	}
	waitForFile(filepath.Join(folder, "stop"))
}

const (
	lookEvery = 20 * time.Millisecond
	looks     = 500
)

func waitForFile(path string) bool {
	for range looks {
		if _, err := os.Stat(path); err == nil {
			return true
		}
		time.Sleep(lookEvery)
	}
	return false
}

// stage is one environment, built up.
type stage struct {
	t      *testing.T
	folder string
	count  int
	env    []string
}

// script writes a shell script that the next layer runs.
func (s *stage) script(body string) string {
	s.count++
	path := filepath.Join(s.folder, "run"+strconv.Itoa(s.count))
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s *stage) needs(program string) string {
	s.t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		if _, err := os.Stat("/usr/sbin/" + program); err != nil {
			s.t.Skipf("skipped: %s is not installed", program)
		}
		path = "/usr/sbin/" + program
	}
	return path
}

func inATmux(s *stage, inner string) string {
	tmux, name := s.needs("tmux"), "t"+strconv.Itoa(s.count)
	s.t.Cleanup(func() {
		cmd := exec.Command(tmux, "-L", name, "kill-server")
		cmd.Env = s.env
		_ = cmd.Run() // it may have ended by itself
	})
	return s.script("unset TMUX; exec " + tmux + " -L " + name + " -f /dev/null new-session " + inner)
}

func inAScreen(s *stage, inner string) string {
	screen, name := s.needs("screen"), "s"+strconv.Itoa(s.count)
	s.t.Cleanup(func() {
		cmd := exec.Command(screen, "-S", name, "-X", "quit")
		cmd.Env = s.env
		_ = cmd.Run()
	})
	return s.script("exec " + screen + " -c /dev/null -m -U -S " + name + " " + inner)
}

// overAnSSH starts an sshd of its own on the loopback address.
func overAnSSH(s *stage, inner string) string {
	sshd, ssh, keygen := s.needs("sshd"), s.needs("ssh"), s.needs("ssh-keygen")
	in := func(name string) string { return filepath.Join(s.folder, name) }
	for _, key := range []string{"host", "user"} {
		if out, err := exec.Command(keygen, "-q", "-t", "ed25519", "-N", "", "-f", in(key)).CombinedOutput(); err != nil {
			s.t.Fatalf("%v: %s", err, out)
		}
	}
	port := freePort(s.t)
	config := fmt.Sprintf(
		"ListenAddress 127.0.0.1:%d\nHostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPidFile none\n",
		port,
		in("host"),
		in("user.pub"),
	)
	if err := os.WriteFile(in("sshd_config"), []byte(config), 0o600); err != nil {
		s.t.Fatal(err)
	}
	_ = os.MkdirAll("/run/sshd", 0o755) // where it may: sshd wants the folder when it starts as root
	server := exec.Command(sshd, "-D", "-e", "-f", in("sshd_config"))
	if err := server.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	if !listens(port) {
		s.t.Skip("skipped: sshd does not start here")
	}
	remote := s.script(exports(s.env, "TERM", "VTE_VERSION", "XTERM_VERSION", "TERM_PROGRAM", "DISPLAY") + "exec " + inner)
	return s.script(
		fmt.Sprintf(
			"exec %s -q -tt -F none -i %s -p %d -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null 127.0.0.1 %s",
			ssh,
			in("user"),
			port,
			remote,
		),
	)
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

func listens(port int) bool {
	for range looks {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = conn.Close()
			return true
		}
		time.Sleep(lookEvery)
	}
	return false
}

// exports hands an environment on, without what another machine would not know.
func exports(env []string, but ...string) string {
	var b strings.Builder
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		local := false
		for _, one := range but {
			local = local || name == one
		}
		if !local {
			fmt.Fprintf(&b, "export %s='%s'\n", name, value)
		}
	}
	return b.String()
}

// overAMosh connects a mosh client to a mosh server of this machine.
func overAMosh(s *stage, inner string) string {
	server, client := s.needs("mosh-server"), s.needs("mosh-client")
	started := s.script("unset VTE_VERSION XTERM_VERSION TERM_PROGRAM; exec " + server + " new -i 127.0.0.1 -c 256 -- " + inner)
	return s.script("said=$(" + started + " 2>/dev/null)\nset -- $(echo \"$said\" | sed -n 's/^MOSH CONNECT //p' | tr -d '\\r')\n" +
		"MOSH_KEY=$2 exec " + client + " 127.0.0.1 $1")
}

// watcher is the outermost terminal.
type watcher struct {
	persona
	file *os.File

	mu   sync.Mutex
	seen []byte
	done int // how much of it was looked at for questions
}

func (w *watcher) watch() {
	part := make([]byte, 64<<10)
	for {
		n, err := w.file.Read(part)
		w.mu.Lock()
		w.seen = append(w.seen, part[:n]...)
		w.answer()
		w.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// answer says what it is, to whoever asked.
func (w *watcher) answer() {
	questions := regexp.MustCompile(`\x1b\[(>0?q|>0?c|0?c)`)
	for {
		at := questions.FindSubmatchIndex(w.seen[w.done:])
		if at == nil {
			return
		}
		question := string(w.seen[w.done+at[2] : w.done+at[3]])
		w.done += at[1]
		_, _ = w.file.WriteString(w.reply(question))
	}
}

func (w *watcher) reply(question string) string {
	switch {
	case strings.HasSuffix(question, "q") && w.version != "":
		return "\x1bP>|" + w.version + "\x1b\\"
	case strings.HasPrefix(question, ">") && strings.HasSuffix(question, "c") && w.secondary != "":
		return "\x1b[>" + w.secondary + "c"
	case !strings.HasPrefix(question, ">"):
		return "\x1b[?62;22c"
	}
	return ""
}

// clipboard is what the terminal holds, byte for byte, from what reached it.
func (w *watcher) clipboard() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	held := ""
	sequence := regexp.MustCompile(`\x1b\]52;[^;\x07\x1b]*;([A-Za-z0-9+/=]*)(?:\x07|\x1b\\)`)
	for _, found := range sequence.FindAllSubmatch(w.seen, -1) {
		if text, err := base64.StdEncoding.DecodeString(string(found[1])); err == nil && w.takes {
			held = string(text)
		}
	}
	return held
}

// flood is base64 that reached the screen as text.
func (w *watcher) flood() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := regexp.MustCompile(`\x1b\]52;[^\x07\x1b]*(\x07|\x1b\\)`).ReplaceAll(w.seen, nil)
	text = regexp.MustCompile(`\x1bP[^\x1b]*\x1b\\`).ReplaceAll(text, nil)
	return string(regexp.MustCompile(`[A-Za-z0-9+/]{60,}`).Find(text))
}

// play runs one environment and tells what came of it.
func (e environment) play(t *testing.T) (o told, held, flood string) {
	t.Helper()
	folder, err := os.MkdirTemp("", "rc") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	s := &stage{t: t, folder: folder}
	s.env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "SHELL=/bin/sh", "TERM=xterm-256color",
		"TMUX_TMPDIR=" + folder, "SCREENDIR=" + folder + "/screens", "ROLECALL_TEST_STAGE=" + folder,
	}, e.around.env...)
	if err := os.Mkdir(filepath.Join(folder, "screens"), 0o700); err != nil {
		t.Fatal(err)
	}
	if e.xserver {
		s.env = append(s.env, "DISPLAY="+xServer(t, s))
	}
	run := s.script(exports(e.env) + "exec " + os.Args[0] + " -test.run='^TestCopyHere$'")
	for _, layer := range e.layers {
		run = layer(s, run)
	}
	cmd := exec.Command(run)
	cmd.Env = s.env
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if errors.Is(err, pty.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
		t.Skipf("skipped: no pseudo-terminal here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	w := &watcher{persona: e.around, file: file}
	go w.watch()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait(); _ = file.Close() })
	time.Sleep(settled)
	touch(t, filepath.Join(folder, "go"))
	if !waitForFile(filepath.Join(folder, "told")) {
		t.Fatalf("nothing was copied; the terminal saw %q", w.seen)
	}
	text, _ := os.ReadFile(filepath.Join(folder, "told"))
	if err := json.Unmarshal(text, &o); err != nil {
		t.Fatal(err)
	}
	for range arrivesWithin {
		if held = w.clipboard(); held != "" || !e.arrives {
			break
		}
		if held = s.xclip(e); held != "" {
			break
		}
		time.Sleep(lookEvery)
	}
	touch(t, filepath.Join(folder, "stop"))
	time.Sleep(lookEvery)
	return o, held, w.flood()
}

const (
	settled       = 700 * time.Millisecond // multiplexers ask their terminal when they start
	arrivesWithin = 150                    // looks
)

func (s *stage) xclip(e environment) string {
	if !e.xserver {
		return ""
	}
	cmd := exec.Command("xclip", "-out", "-selection", "clipboard")
	cmd.Env = s.env
	out, _ := cmd.Output() // nothing there yet
	return string(out)
}

// xServer starts an X server without a screen.
func xServer(t *testing.T, s *stage) string {
	t.Helper()
	s.needs("xclip")
	server := exec.Command(s.needs("Xvfb"), "-displayfd", "3", "-noreset", "-nolisten", "tcp", "-screen", "0", "64x64x8")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	server.ExtraFiles = []*os.File{write}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	_ = write.Close()
	number := make([]byte, 16)
	n, err := read.Read(number)
	if err != nil {
		t.Skipf("skipped: no X server starts here: %v", err)
	}
	return ":" + strings.TrimSpace(string(number[:n]))
}

func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// update writes the manual's table of environments.
var update = flag.Bool("update", false, "write the table of environments into the manual")

// TestTableOfEnvironments keeps the manual's table as TestEnvironments proves it:
// a line either arrives, or the person is told.
func TestTableOfEnvironments(t *testing.T) {
	const path, begin, end = "../../assets/manual/clipboard.md", "<!-- Environments: go test ./ui/terminal -update -->\n", "<!-- End of " +
		"the environments. -->"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, ends := strings.Cut(rest, end)
	if !found || !ends {
		t.Fatal("the manual has no table of environments")
	}
	want := before + begin + table() + end + after
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatal("the manual's table of environments is old: go test ./ui/terminal -run TestTableOfEnvironments -update")
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func table() string {
	var b strings.Builder
	b.WriteString("\n| where rolecall runs | text that is copied |\n| --- | --- |\n")
	for _, e := range environments() {
		fmt.Fprintf(&b, "| %s | %s |\n", e.name, e.outcome())
	}
	return b.String() + "\n"
}

func (e environment) outcome() string {
	switch {
	case e.arrives:
		return "arrives"
	case strings.Contains(e.says, "set-") || strings.Contains(e.says, "Ops"):
		return "says that it can't, and what would let it through: `" + e.says + "`"
	case e.around.takes:
		return "says that it " + e.says
	}
	return "says that it can't"
}

// TestEnvironments copies a document of a policy's size in every environment that
// can be set up here. It either arrives, byte for byte, or the person is told
// that it may not; nothing floods the screen.
func TestEnvironments(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: real multiplexers take seconds")
	}
	for _, e := range environments() {
		t.Run(e.name, func(t *testing.T) {
			if !e.xserver {
				t.Parallel() // two X servers that start at once take one number
			}
			o, held, flood := e.play(t)
			t.Logf("%+v, %d bytes held", o, len(held))
			switch {
			case flood != "" && o.text() == "":
				t.Errorf("the screen is flooded: %s…", flood)
			case e.arrives && held != theText():
				t.Errorf("%d bytes of %d arrived; told %+v", len(held), len(theText()), o)
			case e.arrives && o.text() != "":
				t.Errorf("it arrived, and rolecall says: %s", o.text())
			case !e.arrives && !strings.Contains(o.text(), e.says):
				t.Errorf("it cannot arrive, and rolecall says only %+v", o)
			}
		})
	}
}
