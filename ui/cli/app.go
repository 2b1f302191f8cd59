// Package cli is what every command shares: the environment that it runs in, its
// streams and terminals, failures in three lines, and exit codes. It stands
// under the commands and the fronts, on steps.
package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/user"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/spf13/cobra"

	"rolecall/steps/record"
	"rolecall/ui/draw"
)

// Agree asks a question that is answered by y or n; enter alone is no.
func (a *App) Agree(ctx context.Context, question string) (bool, error) {
	a.Talk().Question(question + " ")
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.Env.Stdin).ReadString('\n') // the end of the input is no
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case word := <-answer:
		return word == "y" || word == "yes", nil
	case <-ctx.Done():
		a.Say("")
		return false, ErrCancelled
	}
}

// Whoami is the user signed in here, at this host.
func (a *App) Whoami() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return draw.Clean(name)
}

// App is one run of the program: its environment and what every command shares.
type App struct {
	Env     Env
	JSON    bool   // one JSON document on stdout
	Plain   bool   // line by line
	Theme   string // --theme: dark, light or none
	Profile string
	Region  string
	Account string // the only AWS account allowed
	Started bool   // flags were understood and the command began

	stdout *stdoutWatch // nil before WatchStdout, and where stdout is a terminal
}

// WantsJSON looks for --json before the flags are parsed, since a refusal of the
// flags has to be JSON too.
func WantsJSON(args []string) bool {
	for i, arg := range args {
		switch {
		case arg == "--":
			return false
		case arg == "--json", arg == "--json=true", arg == "--format=json":
			return true
		case arg == "--format" && i+1 < len(args) && args[i+1] == "json":
			return true
		}
	}
	return false
}

// Version is the module's version as it was built, "(devel)" from a clone.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// Interactive reports whether the full-screen wizard can run.
func (a *App) Interactive() bool { return a.Env.StdinTTY && a.Env.StdoutTTY && !a.Dumb() }

// Dumb reports whether the terminal can draw no screen: it has no name, or says
// that it cannot, or that it has no size.
func (a *App) Dumb() bool {
	switch a.Env.Getenv("TERM") {
	case "dumb":
		return true
	case "":
		if runtime.GOOS != "windows" { // where terminals have no names
			return true
		}
	}
	if a.Env.Size == nil {
		return false
	}
	columns, rows := a.Env.Size()
	return columns <= 0 || rows <= 0
}

// LineByLine reports whether the wizard goes line by line: as asked for, by the
// flag or by the variable that other programs for screen readers know too, or
// since the terminal can do no more.
func (a *App) LineByLine() bool {
	if a.Plain {
		return true
	}
	switch strings.ToLower(a.Env.Getenv("ACCESSIBLE")) {
	case "", "0", "false", "no":
		return a.Dumb() && a.Env.StdinTTY
	}
	return true
}

// Store opens the sessions' folder, and tidies up what a killed rolecall left.
func (a *App) Store() (*record.Store, error) {
	folder, err := record.StateFolder(a.Env.Getenv)
	if err != nil {
		return nil, err
	}
	store := record.OpenStore(folder)
	store.Tidy(a.Env.Now())
	return store, nil
}

// Say writes a line of talk.
func (a *App) Say(format string, args ...any) { a.Talk().lines(format, args) }

// Print writes a line of data.
func (a *App) Print(format string, args ...any) { a.Out().lines(format, args) }

// NoArgs refuses words behind a command that takes none.
func (a *App) NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasAvailableSubCommands() {
		next := "List the commands: " + cmd.CommandPath() + " --help."
		if near := Nearest(args[0], commandsBelow(cmd)); near != "" {
			next = "Did you mean " + cmd.CommandPath() + " " + near + "? " + next
		}
		return Usage(fmt.Sprintf("%s has no command %q.", cmd.CommandPath(), args[0]), "one of its commands", next)
	}
	return Usage(fmt.Sprintf("%s takes no argument, and was given %q.", cmd.CommandPath(), args[0]),
		"flags only", "See "+cmd.CommandPath()+" --help.")
}

// commandsBelow are the names of a command's own commands.
func commandsBelow(cmd *cobra.Command) []string {
	var names []string
	for _, below := range cmd.Commands() {
		if below.IsAvailableCommand() {
			names = append(names, below.Name())
		}
	}
	return names
}

// Nearest is the word of a list that is written most like another; empty where
// none is like it.
func Nearest(word string, list []string) string {
	word = strings.ToLower(word)
	best, distance := "", 2+len(word)/3
	for _, one := range list {
		if d := levenshtein.Distance(word, one, nil); d < distance {
			best, distance = one, d
		}
		if best == "" && len(word) > 1 && strings.HasPrefix(one, word) {
			best = one
		}
	}
	return best
}

// UpToOne refuses a second argument.
func UpToOne(cmd *cobra.Command, args []string) error {
	if len(args) < 2 {
		return nil
	}
	return Usage(fmt.Sprintf("%s takes one argument, and was given %d.", cmd.CommandPath(), len(args)),
		cmd.UseLine(), "Leave out the others.")
}

// ExactlyOne refuses any other number of arguments.
func ExactlyOne(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return Usage(fmt.Sprintf("%s needs one argument, and was given %d.", cmd.CommandPath(), len(args)),
		cmd.UseLine(), "See "+cmd.CommandPath()+" --help.")
}
