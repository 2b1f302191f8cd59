package ui_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"rolecall/ui"
)

// TestMain makes the test binary the program too, where it is called rolecall:
// scripts and tests run it as a process of its own, with an environment of its
// own.
func TestMain(m *testing.M) {
	testscript.Main(suite{m}, map[string]func(){
		"rolecall":    func() { os.Exit(ui.Main(context.Background(), os.Args[1:], quick())) },
		"aws-by-hand": func() { os.Exit(handsMain(os.Args[1:])) },
	})
}

// suite runs the tests of this package side by side, more of them than there
// are processors: they wait more than they compute.
type suite struct{ *testing.M }

func (s suite) Run() int {
	startOfClock()
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
	if !asked {
		if err := flag.Set("test.parallel", "8"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	folder, err := os.MkdirTemp("", "rolecall-built")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	buildProgram = sync.OnceValues(func() (string, error) { return build(folder) })
	return s.M.Run()
}

// buildProgram builds the program as a user gets it, once for all tests.
var buildProgram func() (string, error)

func build(folder string) (string, error) {
	binary := filepath.Join(folder, "rolecall")
	if out, err := exec.Command("go", "build", "-o", binary, "rolecall").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return binary, nil
}

func builtProgram(t *testing.T) string {
	t.Helper()
	hearSignals(t)
	binary, err := buildProgram()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// command runs one command line in a world of its own: at home in a folder, with
// the environment of the tests and what is added to it ("NAME=value").
func command(t *testing.T, home string, added []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return commandHeard(t, home, added, nil, args...)
}

// commandHeard is command where somebody else hears what is said as it is said.
func commandHeard(t *testing.T, home string, added []string, ear io.Writer, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "rolecall", args...)
	cmd.Env = append(
		os.Environ(),
		"HOME="+home,
		"XDG_CONFIG_HOME="+filepath.Join(home, "config"),
		"XDG_STATE_HOME="+filepath.Join(home, "state"),
	)
	cmd.Env = append(cmd.Env, added...)
	var out, talk bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(""), &out, &talk
	if ear != nil {
		cmd.Stderr = io.MultiWriter(&talk, ear)
	}
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), talk.String()
}
