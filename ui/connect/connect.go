// Package connect holds the commands that connect an account: connect, rehearse,
// resume, plan and approve.
package connect

import (
	"github.com/spf13/cobra"

	"rolecall/ui/cli"
	"rolecall/ui/flags"
	"rolecall/ui/front"
	"rolecall/ui/sessions"
)

// ConnectCommand is rolecall connect.
func ConnectCommand(a *cli.App) *cobra.Command {
	given := &flags.Flags{}
	cmd := &cobra.Command{
		Use:   "connect",
		Short: "Connect an AWS account to a vendor: the wizard",
		Long: "connect walks through the vendor's steps: in full screen, line by line with --plain, or unattended with --yes. " +
			"A token of the vendor comes from the environment, from its credentials file or from a hidden prompt, never from a flag.",
		Example: "  rolecall connect\n  rolecall connect --yes --json --account act-12ab12ab --aws-account 123456789012",
		Args:    a.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return Connect(a, cmd, given) },
	}
	given.Bind(cmd, flags.Connecting)
	return cmd
}

// Connect is the wizard against the real AWS and vendor.
func Connect(a *cli.App, cmd *cobra.Command, given *flags.Flags) error {
	by, err := front.For(a, given.Yes())
	if err != nil {
		return err
	}
	prepared, err := flags.Prepare(a, given)
	if err != nil {
		return err
	}
	session := prepared.Session(a)
	if err := keepSecret(a, given.SecretFile(), session); err != nil {
		return err
	}
	session.SendTo = given.SendTo()
	sessions.AttachClients(a, session)
	return begin(cmd.Context(), a, session, by, given.Wait(), "rolecall connect")
}
