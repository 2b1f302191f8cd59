package upkeep

import (
	"context"
	"fmt"
	"strings"

	"charm.land/fang/v2"

	"rolecall/ui/cli"

	mango "github.com/muesli/mango-cobra"
	"github.com/muesli/roff"
	"github.com/spf13/cobra"
)

// Help prints a command's help: styled by fang on a terminal, as plain text
// elsewhere. fang asks the terminal for its background, which a dumb terminal
// or a pipe must not be asked; so it runs only here, on a command tree of its
// own, and never at start or for errors.
func Help(a *cli.App, tree func(*cli.App) *cobra.Command, cmd *cobra.Command) {
	if a.Env.StdoutTTY && !a.Dumb() && !a.Plain {
		fresh := tree(a)
		fresh.SetArgs(append(strings.Fields(cmd.CommandPath())[1:], "--help"))
		if fang.Execute(context.Background(), fresh, fang.WithoutManpage(), fang.WithoutVersion()) == nil {
			return
		}
	}
	about := cmd.Long
	if about == "" {
		about = cmd.Short
	}
	fmt.Fprintf(a.Env.Stdout, "%s\n\n%s", about, cmd.UsageString())
}

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
