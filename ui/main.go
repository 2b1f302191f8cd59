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
	root := rootCommand(a)
	root.SetArgs(args)
	flags.AddParameters(a, root, args)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { upkeep.Help(a, cmd) })
	err := root.ExecuteContext(ctx)
	return a.Finish(ctx, err)
}

func rootCommand(a *cli.App) *cobra.Command {
	given := &flags.Flags{}
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
		RunE:          func(cmd *cobra.Command, _ []string) error { return connect.Connect(a, cmd, given) },
		PersistentPreRun: func(*cobra.Command, []string) {
			a.Started = true
		},
		SuggestionsMinimumDistance: 2,
	}
	given.Bind(root, flags.Connecting)
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
	rehearse := connect.RehearseCommand(a)
	rehearse.AddCommand(organisation.RehearseCommand(a))
	root.AddCommand(
		connect.ConnectCommand(a),
		rehearse,
		connect.ResumeCommand(a),
		sessions.SessionsCommand(a),
		connect.PlanCommand(
			a,
		),
		connect.ApproveCommand(a),
		prove.VerifyCommand(a),
		prove.DiagnoseCommand(a),
		change.UpdateCommand(a),
		change.DisconnectCommand(a),
		change.MigrateCommand(a),
		delegation.Command(
			a,
		),
		organisation.OrgCommand(a),
		policies.PolicyCommand(a),
		vendors.VendorsCommand(a),
		upkeep.DoctorCommand(a),
		upkeep.ManCommand(a),
		upkeep.VersionCommand(a),
	)
	root.SetHelpCommand(upkeep.HelpCommand(a))
	root.InitDefaultCompletionCmd()
	return root
}
