package upkeep

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rolecall/ui/flags"
)

// Usage writes how a command is used: its examples, its commands, and its flags
// under their headings.
func Usage(cmd *cobra.Command) error {
	var b strings.Builder
	b.WriteString("Usage:\n")
	if cmd.Runnable() {
		b.WriteString("  " + cmd.UseLine() + "\n")
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("  " + cmd.CommandPath() + " [command]\n")
	}
	if cmd.HasExample() {
		b.WriteString("\nExamples:\n" + cmd.Example + "\n")
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nCommands:\n")
		for _, below := range cmd.Commands() {
			if below.IsAvailableCommand() || below.Name() == "help" {
				fmt.Fprintf(&b, "  %-*s %s\n", below.NamePadding(), below.Name(), below.Short)
			}
		}
	}
	for _, group := range groupsOf(cmd) {
		fmt.Fprintf(&b, "\n%s:\n%s", group.Name(), group.FlagUsages())
	}
	if cmd.HasAvailableInheritedFlags() {
		b.WriteString("\nFlags of every command:\n" + cmd.InheritedFlags().FlagUsages())
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\nMore about a command: %s [command] --help\n", cmd.CommandPath())
	}
	_, err := fmt.Fprint(cmd.OutOrStderr(), b.String())
	return err
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
