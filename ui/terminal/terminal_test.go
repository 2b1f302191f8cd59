package terminal

import (
	"context"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
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
		GOOS:        "linux",
		Dir:         t.TempDir(),
		NativeTool:  func() bool { return false },
		NativeWrite: func(string) error { return errors.New("no display") },
		NativeRead:  func() (string, error) { return "", errors.New("no display") },
	}, bin
}

func script(t *testing.T, path, body string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestWays(t *testing.T) {
	for name, c := range map[string]struct {
		env    []string
		native bool
		want   []Way
	}{
		"local with a tool":      {nil, true, []Way{Native, OSC52}},
		"local without":          {nil, false, []Way{OSC52}},
		"over SSH never native":  {[]string{"SSH_CONNECTION=a b"}, true, []Way{OSC52}},
		"VTE without a tool":     {[]string{"VTE_VERSION=7600"}, false, nil},
		"Linux console":          {[]string{"TERM=linux"}, false, nil},
		"tmux over SSH":          {[]string{"TMUX=x", "SSH_TTY=y"}, true, []Way{Tmux}},
		"tmux here":              {[]string{"TMUX=x"}, true, []Way{Tmux, Native}},
		"screen over SSH":        {[]string{"STY=x", "SSH_TTY=y"}, false, []Way{Screen}},
		"Terminal.app over mosh": {[]string{"TERM_PROGRAM=Apple_Terminal", "SSH_CLIENT=1"}, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d, bin := fake(t, c.env...)
			script(t, filepath.Join(bin, "tmux"), "exit 0")
			d.NativeTool = func() bool { return c.native }
			if got := d.Ways(); !equal(got, c.want) {
				t.Errorf("ways %q, want %q", got, c.want)
			}
		})
	}
}

func equal(a, b []Way) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
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

func TestNativeFailureFallsBackToTheTerminal(t *testing.T) {
	d, _ := fake(t)
	d.NativeTool = func() bool { return true } // xclip without a display
	copied, err := d.Copy(t.Context(), "x")
	if err != nil || copied.Way != OSC52 || !copied.Sent {
		t.Fatal(copied, err)
	}
	d, _ = fake(t, "VTE_VERSION=1")
	d.NativeTool = func() bool { return true }
	if _, err := d.Copy(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "no display") {
		t.Fatal(err)
	}
	d, _ = fake(t, "VTE_VERSION=1")
	if _, err := d.Copy(t.Context(), "x"); !errors.Is(err, ErrNoClipboard) {
		t.Fatal(err)
	}
}

// The native clipboard library looks for its tool when the program starts, so
// the real thing needs a process with another PATH: this test binary again.
func TestNativeToolGetsTheBytes(t *testing.T) {
	if target := os.Getenv("TERMINAL_TEST_COPY"); target != "" {
		d := New()
		copied, err := d.Copy(t.Context(), target)
		if err != nil || copied.Way != Native || copied.Sent {
			t.Fatal(copied, err)
		}
		return
	}
	if New().GOOS != "linux" {
		t.Skip("skipped: the fake clipboard tool is for Linux")
	}
	bin := t.TempDir()
	out := filepath.Join(bin, "clipboard")
	script(t, filepath.Join(bin, "xclip"), "cat > "+out)
	text := "{\n\t\"a\": 1\n}\n"
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNativeToolGetsTheBytes$")
	cmd.Env = []string{"PATH=" + bin + ":/bin:/usr/bin", "TERM=xterm", "TERMINAL_TEST_COPY=" + text}
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if got, _ := os.ReadFile(out); string(got) != text {
		t.Errorf("the tool got %q", got)
	}
}

func TestClearNativeOnlyIfItStillHoldsIt(t *testing.T) {
	for held, want := range map[string]string{"secret": "", "other": "other"} {
		d, _ := fake(t)
		board := held
		d.NativeTool = func() bool { return true }
		d.NativeRead = func() (string, error) { return board, nil }
		d.NativeWrite = func(s string) error { board = s; return nil }
		if left, err := d.Clear(t.Context(), "secret"); err != nil || left != "" || board != want {
			t.Errorf("held %q: left %q, %v, now %q", held, left, err, board)
		}
	}
	d, _ := fake(t)
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
	if err != nil || copied.Way != Tmux || !copied.Sent || copied.Escape != "" {
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
