// Package ui is the program as the command line sees it: the root command with
// all others under it, and the exit code. It stands on the rooms of the commands.
package ui

import (
	"context"

	"github.com/spf13/cobra"

	"rolecall/ui/change"
	"rolecall/ui/cli"
	"rolecall/ui/connect"
	"rolecall/ui/delegation"
	"rolecall/ui/flags"
	"rolecall/ui/organisation"
	"rolecall/ui/policies"
	"rolecall/ui/prove"
	"rolecall/ui/sessions"
	"rolecall/ui/upkeep"
	"rolecall/ui/vendors"
)

// Main runs one command line and returns its exit code. Data goes to
// env.Stdout, talk to env.Stderr. When ctx ends, the session is saved and
// writing calls are awaited before Main returns.
func Main(ctx context.Context, args []string, env cli.Env) int {
	a := &cli.App{Env: env, JSON: cli.WantsJSON(args)}
	a.WatchStdout()
	root := rootFor(a, args)
	root.SetArgs(args)
	flags.AddParameters(a, root, args)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { upkeep.Help(a, cmd) })
	err := root.ExecuteContext(ctx)
	return a.Finish(ctx, err)
}

// rootFor is the root command as far as these arguments can reach: nobody reads the
// flags of the other commands, and making those of all takes a third of a start.
func rootFor(a *cli.App, args []string) *cobra.Command {
	if len(args) == 0 {
		root := bareRoot(a)
		connecting(a, root)
		return root
	}
	for _, one := range commands() {
		if one.name == args[0] && one.alone {
			root := bareRoot(a)
			root.AddCommand(one.build(a))
			root.CompletionOptions.DisableDefaultCmd = true // no word here asks for it
			return root
		}
	}
	return rootCommand(a)
}

// rootCommand is the root command with all others under it.
func rootCommand(a *cli.App) *cobra.Command {
	root := bareRoot(a)
	connecting(a, root)
	for _, one := range commands() {
		root.AddCommand(one.build(a))
	}
	root.SetHelpCommand(upkeep.HelpCommand(a))
	root.InitDefaultCompletionCmd()
	return root
}

// command is one below the root.
type command struct {
	name  string
	build func(*cli.App) *cobra.Command
	alone bool // it looks at no other command
}

// commands are in the order in which they were written down; help sorts them.
func commands() []command {
	return []command{
		{"connect", connect.ConnectCommand, true},
		{"rehearse", rehearseCommand, true},
		{"resume", connect.ResumeCommand, true},
		{"sessions", sessions.SessionsCommand, true},
		{"plan", connect.PlanCommand, true},
		{"approve", connect.ApproveCommand, true},
		{"verify", prove.VerifyCommand, true},
		{"diagnose", prove.DiagnoseCommand, true},
		{"update", change.UpdateCommand, true},
		{"disconnect", change.DisconnectCommand, true},
		{"migrate", change.MigrateCommand, true},
		{"delegation", delegation.Command, true},
		{"org", organisation.OrgCommand, true},
		{"policy", policies.PolicyCommand, true},
		{"vendors", vendors.VendorsCommand, true},
		{"doctor", upkeep.DoctorCommand, true},
		{"man", upkeep.ManCommand, false},
		{"version", upkeep.VersionCommand, true},
	}
}

func rehearseCommand(a *cli.App) *cobra.Command {
	cmd := connect.RehearseCommand(a)
	cmd.AddCommand(organisation.RehearseCommand(a))
	return cmd
}

// connecting has the root command do what connect does.
func connecting(a *cli.App, root *cobra.Command) {
	given := &flags.Flags{}
	given.Bind(root, flags.Connecting)
	root.RunE = func(cmd *cobra.Command, _ []string) error { return connect.Connect(a, cmd, given) }
}

// bareRoot is the root command without any below it.
func bareRoot(a *cli.App) *cobra.Command {
	root := &cobra.Command{
		Use:   "rolecall",
		Short: "Connect an AWS account to a vendor",
		Long: "rolecall walks you through a vendor's own steps, watches IAM until the policy and the role appear, " +
			"proves that they are right, and hands the role to the vendor.",
		Example: "  rolecall rehearse      # try it: an AWS and a vendor inside the program\n" +
			"  rolecall               # the wizard\n" +
			"  rolecall resume        # go on where it stopped",
		Args:          a.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRun: func(*cobra.Command, []string) {
			a.Started = true
		},
		SuggestionsMinimumDistance: 2,
	}
	common := root.PersistentFlags()
	common.BoolVar(&a.JSON, "json", a.JSON, "print one JSON document on stdout")
	common.BoolVar(&a.Plain, "plain", false, "line by line, without moving the cursor")
	common.StringVar(&a.Theme, "theme", "", "colours for a dark or a light background, or none: dark, light or none")
	common.StringVar(&a.Profile, "profile", "", "profile of the AWS files, as in the AWS CLI")
	common.StringVar(&a.Region, "region", "", "region of the requests to AWS, as in the AWS CLI")
	common.StringVar(&a.Account, "aws-account", "", "refuse every AWS account but this one (twelve digits)")
	root.SetIn(a.Env.Stdin)
	root.SetOut(a.Env.Stdout)
	root.SetErr(a.Env.Stderr)
	root.SetFlagErrorFunc(flags.Fault)
	root.SetUsageFunc(upkeep.Usage(a))
	return root
}
