package ui_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The link of the first step: what c copies there.
const signUp = "https://console.spotinst.com/spt/auth/signUp"

// The questions that the wizard asks before its first copy, and not before.
const (
	whoAreYou = "\x1b[>q\x1b[>c\x1b[c"
	aKitty    = "\x1bP>|kitty(0.42)\x1b\\\x1b[>1;4000;42c\x1b[?62c"
	anXTerm   = "\x1bP>|XTerm(379)\x1b\\\x1b[>41;379;0c\x1b[?64;1c"
	aVTE      = "\x1bP>|VTE(7600)\x1b\\\x1b[>61;7600;1c\x1b[?65;1c"
)

func osc52(text string) string {
	return "\x1b]52;c;" + base64.StdEncoding.EncodeToString([]byte(text)) + "\x07"
}

// seesAgain waits until something was drawn a second time.
func (term *terminal) seesAgain(text string) {
	term.t.Helper()
	for range 1000 {
		if strings.Count(term.text(), text) > 1 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	term.t.Fatalf("drew %q only once", text)
}

func TestCopyInATerminal(t *testing.T) {
	t.Parallel()
	binary := builtProgram(t)
	begin := func(t *testing.T, args ...string) *terminal {
		t.Helper()
		term := inTerminal(t, t.TempDir(), append([]string{binary, "rehearse", "--vendor", "spot", "--method", "manual"}, args...)...)
		term.sees("Step 1 of ")
		return term
	}
	t.Run("a terminal that takes text", func(t *testing.T) {
		term := begin(t)
		if strings.Contains(term.text(), whoAreYou) {
			t.Error("the terminal was asked before anything was copied")
		}
		term.types("c")
		term.sees(whoAreYou)
		term.types(aKitty)
		term.sees(osc52(signUp))
		term.types("=")
		term.sees("compares it")
		term.types("\x1b[200~" + signUp + "\x1b[201~")
		term.sees("arrived whole")
		term.types("=")
		term.types("\x1b[200~" + signUp[:20] + "\x1b[201~")
		term.sees("cut off after byte 20 of 44")
	})
	t.Run("a terminal that pastes key by key", func(t *testing.T) {
		term := begin(t)
		term.types("c")
		term.sees(whoAreYou)
		term.types(aKitty)
		term.sees(osc52(signUp))
		term.types("=")
		term.sees("compares it")
		term.types(signUp)
		term.sees("arrived whole")
	})
	t.Run("xterm", func(t *testing.T) {
		term := begin(t)
		term.types("c")
		term.sees(whoAreYou)
		term.types(anXTerm)
		term.sees("disallowedWindowOps")
	})
	t.Run("VTE, and the value is printed plain", func(t *testing.T) {
		term := begin(t)
		term.types("c")
		term.sees(whoAreYou)
		term.types(aVTE)
		term.sees("was not copied")
		if strings.Contains(term.text(), "\x1b]52;") {
			t.Error("text was sent to a terminal that drops it")
		}
		term.types("p")
		term.sees("\r\n" + signUp + "\r\n")
		text := term.text()
		if strings.LastIndex(text, altScreenOff) < strings.LastIndex(text, altScreenOn) {
			t.Error("the value was printed over the wizard")
		}
		term.types("\r")
		term.seesAgain(altScreenOn)
		term.types("\x03")
		if code := term.exits(); code != 130 {
			t.Errorf("exit code %d, want 130", code)
		}
	})
	t.Run("line by line", func(t *testing.T) {
		term := begin(t, "--plain")
		term.enterTo("Policy document:")
		term.types("c\r")
		term.sees(whoAreYou)
		term.types(aKitty)
		term.sees("Policy document sent")
		body := term.text()[strings.Index(term.text(), "\x1b]52;c;")+len("\x1b]52;c;"):]
		body, _, _ = strings.Cut(body, "\x07")
		document, err := base64.StdEncoding.DecodeString(body)
		if err != nil || len(document) < 8000 {
			t.Errorf("%d bytes were sent, %v", len(document), err)
		}
	})
}

func TestSettingsNameTheCopyRoute(t *testing.T) {
	t.Parallel()
	binary, state := builtProgram(t), t.TempDir()
	folder := filepath.Join(state, ".config", "rolecall")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	board := filepath.Join(state, "board")
	if err := os.WriteFile(filepath.Join(folder, "settings.json"), []byte(`{"clipboard": "cat > `+board+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	term := inTerminal(t, state, binary, "rehearse", "--vendor", "spot", "--method", "manual")
	term.sees("Step 1 of ")
	term.types("c")
	term.sees(whoAreYou)
	term.types(aKitty)
	term.sees("Sign up copied")
	if got, err := os.ReadFile(board); err != nil || string(got) != signUp {
		t.Errorf("the command got %q, %v", got, err)
	}
}
