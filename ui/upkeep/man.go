package upkeep

import (
	"fmt"

	"rolecall/ui/cli"

	mango "github.com/muesli/mango-cobra"
	"github.com/muesli/roff"
	"github.com/spf13/cobra"
)

// ManCommand prints the manual page.
func ManCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "man",
		Short: "Print the manual page",
		Long:  "man prints the manual page, for man(1): rolecall man > rolecall.1",
		Args:  a.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			page, err := mango.NewManPage(1, cmd.Root())
			if err != nil {
				return fmt.Errorf("write the manual page: %w", err)
			}
			page = page.WithSection("Exit codes", exitTable)
			fmt.Fprint(a.Env.Stdout, page.Build(roff.NewDocument()))
			return nil
		},
	}
}

const exitTable = `0 done, or as required
1 failed
2 wrong usage, a needed flag missing, or no terminal for an interactive command
3 checked and not as required
4 AWS: not signed in, or a permission is missing
5 the vendor refused
8 still waiting when the time was up
130 cancelled; the session is saved`
