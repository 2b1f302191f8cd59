package flags

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rolecall/steps/screen"
	"rolecall/ui/cli"
)

// Fault says why flags cannot be understood, with the nearest flag where one is
// unknown.
func Fault(cmd *cobra.Command, err error) error {
	fault := cli.FlagFault(cmd, err)
	var unknown *pflag.NotExistError
	var said *screen.Fault
	if !errors.As(err, &unknown) || !errors.As(fault, &said) || len(unknown.GetSpecifiedName()) < 2 {
		return fault
	}
	if near := nearest(cmd.Flags(), unknown.GetSpecifiedName()); near != "" {
		said.Problem.Next = "Did you mean --" + near + "? " + said.Problem.Next
	}
	return fault
}

// nearest is the flag that is written most like a word; empty where none is
// like it.
func nearest(set *pflag.FlagSet, word string) string {
	var names []string
	set.VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden {
			names = append(names, flag.Name)
		}
	})
	return cli.Nearest(word, names)
}
