package upkeep

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rolecall/ui/cli"
	"rolecall/ui/flags"
)

// Help prints what a command is for and how it is used.
func Help(a *cli.App, cmd *cobra.Command) {
	about := cmd.Long
	if about == "" {
		about = cmd.Short
	}
	page := a.Out().Page()
	page.Line(about)
	page.Line("")
	usage(page, cmd)
	if !cmd.HasParent() {
		page.Line("")
		page.Heading("The manual, with rolecall help TOPIC:")
		topicTable(page)
	}
}

// Usage writes how a command is used.
func Usage(a *cli.App) func(*cobra.Command) error {
	return func(cmd *cobra.Command) error {
		usage(a.Talk().Page(), cmd)
		return nil
	}
}

// usage writes a command's lines of use, its examples, its commands, and its
// flags under their headings.
func usage(page cli.Paper, cmd *cobra.Command) {
	page.Heading("Usage:")
	if cmd.Runnable() {
		page.Line("  " + cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		page.Line("  " + cmd.CommandPath() + " [command]")
	}
	if cmd.HasExample() {
		page.Line("")
		page.Heading("Examples:")
		for line := range strings.SplitSeq(cmd.Example, "\n") {
			page.Line(line)
		}
	}
	commands(page, cmd)
	for _, group := range groupsOf(cmd) {
		flagList(page, group.Name(), group)
	}
	if cmd.HasAvailableInheritedFlags() {
		flagList(page, "Flags of every command", cmd.InheritedFlags())
	}
	if cmd.HasAvailableSubCommands() {
		page.Line("")
		page.Line("More about a command: " + cmd.CommandPath() + " [command] --help")
	}
}

func commands(page cli.Paper, cmd *cobra.Command) {
	var rows [][]string
	for _, below := range cmd.Commands() {
		if below.IsAvailableCommand() || below.Name() == "help" {
			rows = append(rows, []string{"  " + below.Name(), below.Short})
		}
	}
	if len(rows) > 0 {
		page.Line("")
		page.Heading("Commands:")
		page.Table(false, rows)
	}
}

// flagList writes flags under their heading.
func flagList(page cli.Paper, heading string, set *pflag.FlagSet) {
	var rows [][]string
	set.VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden {
			rows = append(rows, flagRow(flag))
		}
	})
	page.Line("")
	page.Heading(heading + ":")
	page.Table(false, rows)
}

// flagRow is a flag as it is written, and what it says, with its default where
// that is not nothing.
func flagRow(flag *pflag.Flag) []string {
	written := "      --" + flag.Name
	if flag.Shorthand != "" {
		written = "  -" + flag.Shorthand + ", --" + flag.Name
	}
	value, about := pflag.UnquoteUsage(flag)
	if value != "" {
		written += " " + value
	}
	if !slices.Contains([]string{"", "false", "[]", "0", "0s"}, flag.DefValue) {
		about += " (default " + flag.DefValue + ")"
	}
	return []string{written, about}
}

// groupsOf divides a command's own flags by their headings, each a set of that
// name, in the order in which they are first met. Those without one are last.
func groupsOf(cmd *cobra.Command) []*pflag.FlagSet {
	var groups []*pflag.FlagSet
	rest := pflag.NewFlagSet("Flags", pflag.ContinueOnError)
	rest.SortFlags = false
	byName := map[string]*pflag.FlagSet{}
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		headings := flag.Annotations[flags.Group]
		if len(headings) == 0 {
			rest.AddFlag(flag)
			return
		}
		group := byName[headings[0]]
		if group == nil {
			group = pflag.NewFlagSet(headings[0], pflag.ContinueOnError)
			group.SortFlags = false
			byName[headings[0]], groups = group, append(groups, group)
		}
		group.AddFlag(flag)
	})
	if rest.HasAvailableFlags() {
		groups = append(groups, rest)
	}
	return groups
}
