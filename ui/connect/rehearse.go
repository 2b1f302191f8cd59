package connect

import (
	"github.com/spf13/cobra"

	"rolecall/ui/cli"
	"rolecall/ui/flags"
	"rolecall/ui/rehearse"
)

// RehearseCommand is rolecall rehearse.
func RehearseCommand(a *cli.App) *cobra.Command {
	given := &flags.Flags{}
	cmd := &cobra.Command{
		Use:   "rehearse",
		Short: "The same against an AWS and a vendor inside the program",
		Long: "rehearse is the whole wizard against an AWS and a vendor that run inside the program. It reads no AWS or vendor " +
			"environment and reaches nothing outside this machine. With the defaults, enter alone leads to the end. " +
			"Its sessions are saved like others and marked; what was made in it is gone when it ends, so resuming one " +
			"begins with the same answers in a new, empty account.",
		Example: "  rolecall rehearse\n  rolecall rehearse --yes --json",
		Args:    a.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runRehearse(a, cmd, given) },
	}
	given.Bind(cmd, flags.Connecting)
	return cmd
}

func runRehearse(a *cli.App, cmd *cobra.Command, given *flags.Flags) error {
	front, err := frontFor(a, given.Yes())
	if err != nil {
		return err
	}
	prepared, err := flags.Prepare(a, given)
	if err != nil {
		return err
	}
	if a.Account == "" {
		a.Account = rehearse.Account
		prepared.Answers.AccountID, prepared.Answers.AccountPinned = a.Account, true
	}
	s := prepared.Session(a)
	if err := keepSecret(a, given.SecretFile(), s); err != nil {
		return err
	}
	s.SendTo = given.SendTo()
	rehearse.Answers(s)
	rehearsal := rehearse.Start(a, s)
	defer rehearsal.Close()
	return begin(cmd.Context(), a, s, front, given.Wait(), "rolecall rehearse")
}
