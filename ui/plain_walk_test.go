package ui_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"rolecall/ui"
)

// plainWalk is what a person hears who goes through the rehearsal of Spot line by
// line, answering as typed, on a terminal of 80 columns.
func plainWalk(t *testing.T, typed string, environ ...string) (said string, code int) {
	t.Helper()
	env := inside()
	var out, talk bytes.Buffer
	state := t.TempDir()
	env.Environ = append(
		[]string{"TERM=xterm", "LANG=C.UTF-8", "XDG_STATE_HOME=" + state, "XDG_CONFIG_HOME=" + state, "HOME=" + state},
		environ...)
	env.Stdin, env.Stdout, env.Stderr = strings.NewReader(typed), &out, &talk
	env.StdinTTY, env.StdoutTTY, env.StderrTTY = false, true, true
	env.Size = func() (int, int) { return 80, 24 }
	code = ui.Main(context.Background(), []string{"rehearse", "--plain", "--vendor", "spot", "--method", "manual"}, env)
	return out.String() + talk.String(), code
}

// TestTheREADMEShowsThePlainLook holds what the README shows of the walk, line by
// line; the other looks are a picture that the wizard's own tests take.
func TestTheREADMEShowsThePlainLook(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```text\n")
	shown, _, found := strings.Cut(rest, "```")
	if said, _ := plainWalk(t, "\n\n"); !found || !strings.Contains(said, shown) {
		t.Errorf("the README shows\n%s\nwhich is not in\n%s", shown, said)
	}
}

// TestTheWalkReadsAsText holds the whole walk to what a listener needs: nothing
// is said twice, nothing is wider than the page but values, and each question has
// a number and an answer.
func TestTheWalkReadsAsText(t *testing.T) {
	t.Parallel()
	said, code := plainWalk(t, strings.Repeat("\n", 30))
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, said)
	}
	walk, _, _ := strings.Cut(said, "Connected. Spot accepted the role.")
	value := regexp.MustCompile(`^ *(\S*[:/]\S*|[0-9]+|Spot-\S+|act-\S+|aws)$`)
	question := regexp.MustCompile(`^Question ([0-9]+): (enter: |.*, or enter for )`)
	before, number := map[string]bool{}, 0
	for line := range strings.SplitSeq(walk, "\n") {
		if strings.TrimSpace(line) == "" || value.MatchString(line) {
			continue
		}
		if ansi.StringWidth(line) > 80 {
			t.Errorf("wider than the page: %q", line)
		}
		label := strings.HasPrefix(line, "  ") && strings.HasSuffix(line, ":") // belongs to its value
		if before[line] && !label {
			t.Errorf("said twice: %q", line)
		}
		before[line] = true
		if !strings.HasPrefix(line, "Question") {
			continue
		}
		number++
		if found := question.FindStringSubmatch(line); found == nil {
			t.Errorf("question %d cannot be answered by enter: %q", number, line)
		}
	}
	if number < 8 {
		t.Errorf("%d questions were asked", number)
	}
	if strings.Contains(said, " --") {
		t.Error("a flag is named inside the wizard")
	}
}

func TestAListenerReachesTheFindings(t *testing.T) {
	t.Parallel()
	said, code := plainWalk(t, "next\n\n\n\nv\nf5\nf\nf99\nwhat\nstop\nhelp\nback\nquit\n")
	if code != 130 {
		t.Errorf("exit code %d", code)
	}
	flat := strings.Join(strings.Fields(said), " ")
	for _, want := range []string{
		"317 lines, 12 findings.", "finding 1: low: 6,097 of 6,144", "finding 5: Warning: high: Can swap an instance's start script",
		"Needed by Elastigroup, Ocean.", "finding 6: Warning: high: Can rewrite a stack", "There are 12 findings: f1 is the first.",
		"Not understood: what.", "Stopped reading.", "An IAM policy lists the actions that Spot may take.", "Next comes step 6: Create IAM role.",
		"Step 4 of 7", "Your answers are saved",
	} {
		if !strings.Contains(flat, want) {
			t.Errorf("not said: %s", want)
		}
	}
	if t.Failed() {
		t.Log(said)
	}
}

func TestWhatIsSaidInASCII(t *testing.T) {
	t.Parallel()
	said, _ := plainWalk(t, "next\n\n\n\nv\nstop\nquit\n", "LANG=C")
	for line := range strings.SplitSeq(said, "\n") {
		if at := strings.IndexFunc(line, func(r rune) bool { return r > '~' }); at >= 0 {
			t.Errorf("not ASCII: %q", line)
		}
	}
}

// TestThePlainFrontIsChosen where a screen could not be drawn, or is not wanted.
func TestThePlainFrontIsChosen(t *testing.T) {
	t.Parallel()
	for name, environ := range map[string][]string{
		"ACCESSIBLE": {"TERM=xterm", "ACCESSIBLE=1"}, "no TERM": nil, "dumb": {"TERM=dumb"}, "zero size": {"TERM=xterm"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := inside()
			var out, talk bytes.Buffer
			state := t.TempDir()
			env.Environ = slices.Concat(environ, []string{"XDG_STATE_HOME=" + state, "XDG_CONFIG_HOME=" + state})
			env.Stdin, env.Stdout, env.Stderr = strings.NewReader("quit\n"), &out, &talk
			env.StdinTTY, env.StdoutTTY, env.StderrTTY, env.ReadSecret = true, true, true, nil
			env.Size = func() (int, int) { return 80, 24 }
			if name == "zero size" {
				env.Size = func() (int, int) { return 0, 0 }
			}
			ui.Main(context.Background(), []string{"rehearse"}, env)
			if !strings.Contains(out.String(), "line by line") {
				t.Errorf("said %q and %q", out.String(), talk.String())
			}
		})
	}
}

// TestLeavingAtTheEndIsNoCancelling: nothing is left to do.
func TestLeavingAtTheEndIsNoCancelling(t *testing.T) {
	t.Parallel()
	said, code := plainWalk(t, strings.Repeat("\n", 9)+"quit\n")
	if code != 0 || !strings.Contains(said, "Connected. Spot accepted the role.") || strings.Contains(said, "Cancelled") {
		t.Errorf("exit code %d: %s", code, said)
	}
}
