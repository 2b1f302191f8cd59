package terminal

import (
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// fake is a terminal with an environment of its own, a PATH of its own and no
// native clipboard.
func fake(t *testing.T, env ...string) (*Terminal, string) {
	t.Helper()
	bin := t.TempDir()
	vars := map[string]string{"TERM": "xterm-256color"}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		vars[name] = value
	}
	look := func(file string) (string, error) {
		path := filepath.Join(bin, file)
		if _, err := os.Stat(path); err != nil {
			return "", exec.ErrNotFound
		}
		return path, nil
	}
	return &Terminal{
		Getenv:   func(name string) string { return vars[name] },
		LookPath: look,
		Command: func(ctx context.Context, name string, args ...string) *exec.Cmd {
			path, err := look(name)
			if err != nil {
				path = filepath.Join(bin, "absent")
			}
			return exec.CommandContext(ctx, path, args...)
		},
		GOOS: "linux",
		Dir:  t.TempDir(),
	}, bin
}

func script(t *testing.T, path, body string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
		t.Fatal(err)
	}
}

// xclip is a clipboard tool that keeps its text in a file, and knows one display.
func xclip(t *testing.T, bin string) (board string) {
	t.Helper()
	board = filepath.Join(bin, "board")
	script(t, filepath.Join(bin, "xclip"), `[ "$DISPLAY" = dead ] && { echo "Error: Can't open display: dead" >&2; exit 1; }
case "$*" in *TARGETS*) exit 1;; *-in*) exec /bin/cat >`+board+`;; *) exec /bin/cat `+board+`;; esac
`)
	return board
}

func TestWays(t *testing.T) {
	const good, doubtful, off = Good, Doubtful, Off
	type ways map[Route]Standing
	for name, c := range map[string]struct {
		env   []string
		reply *Reply
		first Route
		want  ways
	}{
		"X":                           {[]string{"DISPLAY=:0"}, nil, Tool, ways{Tool: good, OSC52: good}},
		"a tool without a display":    {nil, nil, OSC52, ways{Tool: off, OSC52: good}},
		"a display that is gone":      {[]string{"DISPLAY=dead"}, nil, OSC52, ways{Tool: off, OSC52: good}},
		"over SSH":                    {[]string{"SSH_TTY=y", "DISPLAY=:0"}, nil, OSC52, ways{Tool: off, OSC52: good}},
		"over SSH with X forwarded":   {[]string{"SSH_TTY=y", "DISPLAY=localhost:10.0"}, nil, Tool, ways{Tool: good, OSC52: good}},
		"VTE with a tool":             {[]string{"VTE_VERSION=7600", "DISPLAY=:0"}, nil, Tool, ways{Tool: good, OSC52: off}},
		"VTE over SSH says so itself": {[]string{"SSH_TTY=y"}, &Reply{Version: "VTE(7600)"}, Tool, ways{Tool: off, OSC52: off}},
		"an old VTE over SSH":         {[]string{"SSH_TTY=y"}, &Reply{Secondary: []int{65, 5804, 1}}, Tool, ways{Tool: off, OSC52: off}},
		"Terminal.app over SSH":       {[]string{"SSH_TTY=y"}, &Reply{Secondary: []int{1, 95, 0}}, Tool, ways{Tool: off, OSC52: off}},
		"kitty started from a VTE": {[]string{"VTE_VERSION=7600"}, &Reply{Version: "kitty(0.42)", Secondary: []int{1, 4000, 42}}, OSC52,
			ways{Tool: off, OSC52: good}},
		"xterm as it comes": {[]string{"XTERM_VERSION=XTerm(379)"}, &Reply{Version: "XTerm(379)", Secondary: []int{41, 379, 0}},
			OSC52, ways{Tool: off, OSC52: doubtful}},
		"tmux on the person's machine": {[]string{"SSH_TTY=y", "TERM=screen"}, &Reply{Version: "tmux 3.3a", Secondary: []int{84, 0, 0}},
			OSC52, ways{Tool: off, OSC52: doubtful}},
		"screen on the person's machine": {[]string{"SSH_TTY=y", "TERM=screen"}, &Reply{Secondary: []int{83, 40900, 0}}, OSC52,
			ways{Tool: off, OSC52: good}},
		"one of both, which does not say": {[]string{"SSH_TTY=y", "TERM=screen-256color"}, nil, OSC52, ways{Tool: off, OSC52: doubtful}},
		"the Linux console":               {[]string{"TERM=linux"}, nil, Tool, ways{Tool: off, OSC52: off}},
		"a stale TMUX":                    {[]string{"TMUX=/gone,1,0"}, nil, OSC52, ways{Tool: off, Tmux: off, OSC52: good}},
	} {
		t.Run(name, func(t *testing.T) {
			d, bin := fake(t, c.env...)
			t.Setenv("DISPLAY", d.Getenv("DISPLAY"))
			xclip(t, bin)
			script(t, filepath.Join(bin, "tmux"), "echo no server >&2; exit 1")
			if c.reply != nil {
				d.Answer(*c.reply, true)
			}
			got, list := ways{}, d.Ways(t.Context())
			for _, w := range list {
				got[w.Route] = w.Standing
				if w.Why == "" {
					t.Errorf("%s has no reason", w.Route)
				}
			}
			if !maps.Equal(got, c.want) || list[0].Route != c.first {
				t.Errorf("ways %v, first %s; want %v, first %s", got, list[0].Route, c.want, c.first)
			}
		})
	}
}

// What a person saw counts more than what is known of a terminal.
func TestWhatArrivedGoesFirst(t *testing.T) {
	d, bin := fake(t, "DISPLAY=:0")
	xclip(t, bin)
	memory := &kept{}
	d.Memory = memory
	copied := func(want Route) {
		t.Helper()
		if got, err := d.Copy(t.Context(), "x"); err != nil || got.Route != want {
			t.Fatalf("by %s, %v; want %s", got.Route, err, want)
		}
	}
	copied(Tool)
	found := func(route Route, arrived bool) {
		t.Helper()
		if err := d.Found(route, arrived); err != nil {
			t.Fatal(err)
		}
	}
	found(Tool, false)
	copied(OSC52)
	found(OSC52, true)
	again, bin := fake(t, "DISPLAY=:0")
	xclip(t, bin)
	again.Memory, d = memory, again
	copied(OSC52)
	found(OSC52, false)
	copied(Tool)
	if len(memory.routes) != 0 {
		t.Errorf("still remembered: %v", memory.routes)
	}
}

type kept struct{ routes map[string]string }

func (k *kept) Route(terminal string) string { return k.routes[terminal] }

func (k *kept) KeepRoute(terminal, route string) error {
	if k.routes == nil {
		k.routes = map[string]string{}
	}
	if k.routes[terminal] = route; route == "" {
		delete(k.routes, terminal)
	}
	return nil
}

func TestAnOverrideStandsForAllOthers(t *testing.T) {
	for named, want := range map[string]Route{"osc52": OSC52, "OSC52": OSC52, "tool": Tool, "xclip": Tool, "screen": OSC52,
		"mine --flag": Command} {
		d, bin := fake(t, "ROLECALL_CLIPBOARD="+named, "VTE_VERSION=7600", "DISPLAY=:0")
		xclip(t, bin)
		script(t, filepath.Join(bin, "mine"), "exec /bin/cat >"+filepath.Join(bin, "own"))
		script(t, filepath.Join(bin, "sh"), "shift; PATH="+bin+" exec /bin/sh -c \"$@\"")
		copied, err := d.Copy(t.Context(), "text\n")
		if err != nil || copied.Route != want || copied.Doubt != "" {
			t.Errorf("%s: %+v, %v", named, copied, err)
		}
		if got, _ := os.ReadFile(filepath.Join(bin, "own")); want == Command && string(got) != "text\n" {
			t.Errorf("the person's own command got %q", got)
		}
	}
	for named, want := range map[string]string{"none": "ROLECALL_CLIPBOARD", "osc53": `no program "osc53"`} {
		d, _ := fake(t, "ROLECALL_CLIPBOARD="+named)
		if _, err := d.Copy(t.Context(), "x"); !errors.Is(err, ErrNoClipboard) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", named, err)
		}
	}
	d, _ := fake(t, "VTE_VERSION=1")
	d.Setting = func() (string, error) { return "osc52", nil }
	if copied, err := d.Copy(t.Context(), "x"); err != nil || copied.Route != OSC52 {
		t.Errorf("by the settings: %+v, %v", copied, err)
	}
	d.Setting = func() (string, error) { return "", errors.New("read settings.json: bad") }
	if _, err := d.Copy(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "settings.json") {
		t.Errorf("settings that cannot be read: %v", err)
	}
}

func TestCompare(t *testing.T) {
	for _, c := range []struct{ copied, pasted, want string }{
		{"abc\n", "abc\n", ""},
		{"a\nb\n", "a\rb\r", ""},
		{"a\r\nb", "a\nb", ""},
		{"abc", "", "nothing came"},
		{"abcdef", "abc", "it is cut off after byte 3 of 6"},
		{"äbc", "ä", "it is cut off after byte 2 of 4"},
		{"a b", "a  b", "white space was changed"},
		{"a\n\tb", "a\n    b", "white space was changed"},
		{"abc", "abcd", "more follows than was copied: 1 bytes"},
		{"abc", "axc", "another text came: it differs from byte 2 on"},
	} {
		if got := Compare(c.copied, c.pasted); got != c.want {
			t.Errorf("Compare(%q, %q) = %q, want %q", c.copied, c.pasted, got, c.want)
		}
	}
}

func TestFetchNamesTheWayBack(t *testing.T) {
	d, _ := fake(t, "SSH_CONNECTION=10.0.0.9 50000 10.0.0.1 2222", "USER=ana")
	if got, want := d.Fetch("/home/ana/it's.json"), `scp -P 2222 'ana@10.0.0.1:/home/ana/it'\''s.json' .`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	d, _ = fake(t)
	if got := d.Fetch("/x"); got != "" {
		t.Errorf("at the person's own machine: %s", got)
	}
}

func TestParseReply(t *testing.T) {
	r, ok := parseReply("x\x1bP>|XTerm(379)\x1b\\\x1b[>41;379;0c\x1b[?64;1;2c")
	if !ok || r.Version != "XTerm(379)" || !slices.Equal(r.Secondary, []int{41, 379, 0}) {
		t.Errorf("%+v %v", r, ok)
	}
	if _, ok := parseReply("\x1b[>41;379;0c\x1b[?64;1"); ok {
		t.Error("half an answer is none")
	}
}

func TestOSC52IsByteExact(t *testing.T) {
	d, _ := fake(t, "SSH_CONNECTION=1")
	text := strings.Repeat("{\"a\": \"b\"}\r\n\té", 900)
	copied, err := d.Copy(t.Context(), text)
	if err != nil || copied.Word() != "sent" {
		t.Fatal(copied, err)
	}
	body := strings.TrimSuffix(strings.TrimPrefix(copied.Escape, "\x1b]52;c;"), "\a")
	got, err := base64.StdEncoding.DecodeString(body)
	if err != nil || string(got) != text {
		t.Fatalf("%v, %d bytes of %d", err, len(got), len(text))
	}
}

func TestScreenGetsChunksThatItPassesOn(t *testing.T) {
	d, _ := fake(t, "STY=1")
	copied, err := d.Copy(t.Context(), strings.Repeat("x", 8000))
	if err != nil {
		t.Fatal(err)
	}
	var whole strings.Builder
	for chunk := range strings.SplitSeq(copied.Escape, "\x1b\\") {
		if len(chunk)+2 > 768 {
			t.Errorf("a chunk of %d bytes", len(chunk)+2)
		}
		whole.WriteString(strings.TrimPrefix(chunk, "\x1bP"))
	}
	want := "\x1b]52;c;" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 8000))) + "\a"
	if whole.String() != want {
		t.Error("the chunks do not make the sequence")
	}
}

func TestAFailureIsToldWithItsReasons(t *testing.T) {
	d, bin := fake(t, "VTE_VERSION=1", "DISPLAY=dead")
	t.Setenv("DISPLAY", "dead")
	xclip(t, bin)
	_, err := d.Copy(t.Context(), "x")
	if !errors.Is(err, ErrNoClipboard) || !strings.Contains(err.Error(), "Can't open display") || !strings.Contains(err.Error(), "VTE") {
		t.Error(err)
	}
}

func TestMoshGetsNoMoreThanItPassesOn(t *testing.T) {
	d, _ := fake(t, "SSH_TTY=x")
	d.Answer(Reply{Secondary: []int{1, 10, 0}}, true)
	if _, err := d.Copy(t.Context(), strings.Repeat("x", 12000)); err != nil {
		t.Error(err)
	}
	if _, err := d.Copy(t.Context(), strings.Repeat("x", 13000)); err == nil || !strings.Contains(err.Error(), "mosh") {
		t.Error("mosh would cut it off, and nothing says so:", err)
	}
}

func TestClearOnlyWhatStillHoldsIt(t *testing.T) {
	for held, want := range map[string]string{"secret": "", "other": "other"} {
		d, bin := fake(t, "DISPLAY=:0")
		board := xclip(t, bin)
		if _, err := d.Copy(t.Context(), "secret"); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(board, []byte(held), 0o600); err != nil {
			t.Fatal(err)
		}
		left, err := d.Clear(t.Context(), "secret")
		if got, _ := os.ReadFile(board); err != nil || left != "" || string(got) != want {
			t.Errorf("held %q: left %q, %v, now %q", held, left, err, got)
		}
	}
	d, _ := fake(t)
	if _, err := d.Copy(t.Context(), "secret"); err != nil {
		t.Fatal(err)
	}
	if left, _ := d.Clear(t.Context(), "secret"); left == "" {
		t.Error("OSC 52 cannot clear, and nothing says so")
	}
}

// inTmux starts a real tmux server on a private socket.
func inTmux(t *testing.T) (*Terminal, func(args ...string) string) {
	t.Helper()
	path, err := exec.LookPath("tmux")
	if err != nil {
		t.Skip("skipped: tmux is not installed")
	}
	dir, err := os.MkdirTemp("", "rolecall") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	tmux := func(args ...string) string {
		out, err := exec.Command(path, append([]string{"-S", socket, "-f", "/dev/null"}, args...)...).CombinedOutput()
		if err != nil {
			t.Errorf("tmux %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	t.Cleanup(func() { tmux("kill-server"); _ = os.RemoveAll(dir) })
	tmux("new-session", "-d", "-x", "80", "-y", "24", "sleep 60")
	d, bin := fake(t, "TMUX="+socket+",1,0", "SSH_TTY=x")
	script(t, filepath.Join(bin, "tmux"), "exec "+path+" -S "+socket+" \"$@\"\n")
	return d, tmux
}

func TestTmuxHoldsExactlyTheBytes(t *testing.T) {
	d, tmux := inTmux(t)
	text := strings.Repeat("{\"Sid\": \"ü\"}\n", 700)
	copied, err := d.Copy(t.Context(), text)
	if err != nil || copied.Route != Tmux || !copied.Sent || copied.Escape != "" {
		t.Fatal(copied, err)
	}
	if got := tmux("show-buffer"); got != text {
		t.Errorf("tmux holds %d bytes, want %d", len(got), len(text))
	}
}

func TestTmuxForgetsTheSecretAndNothingElse(t *testing.T) {
	d, tmux := inTmux(t)
	for _, text := range []string{"before", "secret", "after"} {
		if _, err := d.Copy(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	left, err := d.Clear(t.Context(), "secret")
	if err != nil || left == "" {
		t.Fatal(left, err)
	}
	list := tmux("list-buffers", "-F", "#{buffer_sample}")
	if list != "after\nbefore\n" {
		t.Errorf("buffers %q", list)
	}
}

func TestOpen(t *testing.T) {
	const link = "https://console.aws.amazon.com/iam/home#/roles/create?a=b&c=d"
	d, bin := fake(t, "DISPLAY=:0")
	if shown, err := d.Open(link); err != nil || !shown {
		t.Fatal("no browser, and the link is not shown:", err)
	}
	out := filepath.Join(bin, "opened")
	script(t, filepath.Join(bin, "xdg-open"), "printf %s \"$1\" > "+out+".part; mv "+out+".part "+out+"\n")
	if shown, err := d.Open(link); err != nil || shown {
		t.Fatal(shown, err)
	}
	if got := eventually(t, out); got != link {
		t.Errorf("opened %q", got)
	}
	d, bin = fake(t, "SSH_CONNECTION=1", "DISPLAY=:0")
	script(t, filepath.Join(bin, "xdg-open"), "exit 1")
	if shown, err := d.Open(link); err != nil || !shown {
		t.Fatal("over SSH the link is shown:", shown, err)
	}
}

func eventually(t *testing.T, path string) string {
	t.Helper()
	for range 500 {
		if got, err := os.ReadFile(path); err == nil {
			return string(got)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("nothing was started")
	return ""
}

func TestOnlyWebPagesAreOpened(t *testing.T) {
	d, _ := fake(t)
	for link, ok := range map[string]bool{
		"https://example.com/a":       true,
		"http://127.0.0.1:8080/x":     true,
		"http://[::1]/x":              true,
		"http://localhost:1":          true,
		"http://example.com":          false,
		"http://127.0.0.1.evil.com":   false,
		"file:///etc/passwd":          false,
		"javascript:alert(1)":         false,
		"-e":                          false,
		"":                            false,
		"https://":                    false,
		"https://aws@evil.example":    false,
		"https://a.example/\x1b]52;x": false,
	} {
		if _, err := d.Open(link); (err == nil) != ok {
			t.Errorf("%q: %v", link, err)
		}
	}
}

func TestSaveNeverOverwrites(t *testing.T) {
	d, _ := fake(t)
	save := func(name, text, want string, wantSame bool) {
		t.Helper()
		path, same, err := d.Save(name, text)
		if err != nil || filepath.Base(path) != want || same != wantSame {
			t.Fatalf("%q %v %v, want %q", path, same, err, want)
		}
		got, _ := os.ReadFile(path)
		info, _ := os.Stat(path)
		if string(got) != text || info.Mode().Perm() != 0o600 {
			t.Errorf("%s holds %q, mode %v", path, got, info.Mode())
		}
	}
	save("Spot-Policy.json", "one", "Spot-Policy.json", false)
	save("Spot-Policy.json", "one", "Spot-Policy.json", true)
	save("Spot-Policy.json", "two", "Spot-Policy-2.json", false)
	save("Spot-Policy.json", "two", "Spot-Policy-2.json", true)
	save("Spot-Policy.json", "one", "Spot-Policy.json", true)
	save("../../etc/passwd", "x", "etc-passwd", false)
	save("\x1b[31m", "x", "[31m", false)
	save("..", "x", "document.txt", false)
	if entries, _ := os.ReadDir(d.Dir); len(entries) != 5 {
		t.Errorf("left behind: %v", entries)
	}
	d.Dir = filepath.Join(d.Dir, "absent")
	if _, _, err := d.Save("a", "b"); err == nil {
		t.Error("saved into a folder that does not exist")
	}
}
