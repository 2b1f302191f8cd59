package ui

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"rolecall/steps/record"
)

// Env is the world that a command runs in. The AWS SDK reads the environment
// and files of the process by itself, so Environ has to be the process's own.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Environ        []string // "NAME=value"
	Now            func() time.Time

	// Which of the three streams is a terminal.
	StdinTTY, StdoutTTY, StderrTTY bool
	// ReadSecret reads one line from the terminal without showing it. It is nil
	// where there is no terminal.
	ReadSecret func() (string, error)
	// Hush keeps what others write to standard error off the screen; nil where
	// nothing stands in between.
	Hush func(on bool)
}

// System is the real world.
func System() Env {
	stderr, hush := guardStderr()
	env := Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: stderr,
		Hush:      hush.hushed.Store,
		Environ:   os.Environ(),
		Now:       time.Now,
		StdinTTY:  term.IsTerminal(os.Stdin.Fd()),
		StdoutTTY: term.IsTerminal(os.Stdout.Fd()),
		StderrTTY: term.IsTerminal(stderr.Fd()),
	}
	if env.StdinTTY {
		env.ReadSecret = func() (string, error) {
			text, err := term.ReadPassword(os.Stdin.Fd())
			return string(text), err
		}
	}
	return env
}

// Getenv is the value of an environment variable, empty when it is not set.
func (e Env) Getenv(name string) string {
	for i := len(e.Environ) - 1; i >= 0; i-- {
		if key, value, _ := strings.Cut(e.Environ[i], "="); key == name {
			return value
		}
	}
	return ""
}

// The exit codes of every command, as scripts know them.
const (
	exitDone      = 0
	exitFailed    = 1
	exitUsage     = 2
	exitNotAsIs   = 3
	exitAWS       = 4
	exitVendor    = 5
	exitWaiting   = 8
	exitCancelled = 130
)

// Main runs one command line and returns its exit code. Data goes to
// env.Stdout, talk to env.Stderr. When ctx ends, the session is saved and
// writing calls are awaited before Main returns.
func Main(ctx context.Context, args []string, env Env) int {
	a := &app{env: env, json: wantsJSON(args)}
	root := a.rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	return a.finish(ctx, err)
}

// app is one run of the program: its world and what every command shares.
type app struct {
	env     Env
	json    bool // one JSON document on stdout
	plain   bool // line by line
	profile string
	region  string
	account string // the only AWS account allowed
	started bool   // flags were understood and the command began
}

// wantsJSON looks for --json before the flags are parsed, since a refusal of the
// flags has to be JSON too.
func wantsJSON(args []string) bool {
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

func (a *app) rootCommand() *cobra.Command {
	flags := &connectFlags{}
	root := &cobra.Command{
		Use:   "rolecall",
		Short: "Connect an AWS account to a vendor",
		Long: "rolecall walks you through a vendor's own steps, watches IAM until the policy and the role appear, " +
			"proves that they are right, and hands the role to the vendor.",
		Example: "  rolecall rehearse      # try it: an AWS and a vendor inside the program\n" +
			"  rolecall               # the wizard\n" +
			"  rolecall resume        # go on where it stopped",
		Args:          a.noArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return a.connect(cmd, flags) },
		PersistentPreRun: func(*cobra.Command, []string) {
			a.started = true
		},
		SuggestionsMinimumDistance: 2,
	}
	flags.bind(root)
	common := root.PersistentFlags()
	common.BoolVar(&a.json, "json", a.json, "print one JSON document on stdout")
	common.BoolVar(&a.plain, "plain", false, "line by line, without moving the cursor")
	common.StringVar(&a.profile, "profile", "", "profile of the AWS files, as in the AWS CLI")
	common.StringVar(&a.region, "region", "", "region of the requests to AWS, as in the AWS CLI")
	common.StringVar(&a.account, "aws-account", "", "refuse every AWS account but this one (twelve digits)")
	root.SetIn(a.env.Stdin)
	root.SetOut(a.env.Stdout)
	root.SetErr(a.env.Stderr)
	root.SetFlagErrorFunc(flagFault)
	root.SetHelpFunc(a.help)
	root.AddCommand(
		a.connectCommand(), a.rehearseCommand(), a.resumeCommand(), a.sessionsCommand(),
		a.planCommand(), a.approveCommand(), a.verifyCommand(), a.updateCommand(), a.disconnectCommand(), policyCommand(a), a.vendorsCommand(), a.doctorCommand(),
		a.manCommand(), a.versionCommand(),
	)
	root.InitDefaultCompletionCmd()
	return root
}

// version is the module's version as it was built, "(devel)" from a clone.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// interactive reports whether the full-screen wizard can run.
func (a *app) interactive() bool { return a.env.StdinTTY && a.env.StdoutTTY && !a.dumb() }

func (a *app) dumb() bool { return a.env.Getenv("TERM") == "dumb" }

// store opens the sessions' folder.
func (a *app) store() (*record.Store, error) {
	folder, err := record.StateFolder(a.env.Getenv)
	if err != nil {
		return nil, err
	}
	return record.OpenStore(folder), nil
}

// say writes a line of talk.
func (a *app) say(format string, args ...any) {
	fmt.Fprintf(a.env.Stderr, format+"\n", args...)
}

// print writes a line of data.
func (a *app) print(format string, args ...any) {
	fmt.Fprintf(a.env.Stdout, format+"\n", args...)
}

// noArgs refuses words behind a command that takes none.
func (a *app) noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasAvailableSubCommands() {
		next := "List the commands: " + cmd.CommandPath() + " --help."
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			next = "Did you mean " + cmd.CommandPath() + " " + near[0] + "? " + next
		}
		return usage(fmt.Sprintf("%s has no command %q.", cmd.CommandPath(), args[0]), "one of its commands", next)
	}
	return usage(fmt.Sprintf("%s takes no argument, and was given %q.", cmd.CommandPath(), args[0]),
		"flags only", "See "+cmd.CommandPath()+" --help.")
}

// upToOne refuses a second argument.
func upToOne(cmd *cobra.Command, args []string) error {
	if len(args) < 2 {
		return nil
	}
	return usage(fmt.Sprintf("%s takes one argument, and was given %d.", cmd.CommandPath(), len(args)),
		cmd.UseLine(), "Leave out the others.")
}

// exactlyOne refuses any other number of arguments.
func exactlyOne(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return usage(fmt.Sprintf("%s needs one argument, and was given %d.", cmd.CommandPath(), len(args)),
		cmd.UseLine(), "See "+cmd.CommandPath()+" --help.")
}
