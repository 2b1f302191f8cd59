package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rolecall/assets"
	"rolecall/steps"
	"rolecall/ui/cli"
	"rolecall/ui/flags"
)

// TestNoParameterTakesAFlagOfRolecall holds the list of flags that no vendor's
// parameter can have to the commands, and the built-in vendors to the list.
func TestNoParameterTakesAFlagOfRolecall(t *testing.T) {
	root := rootCommand(&cli.App{Env: cli.Env{Now: time.Now}})
	taken := flags.Taken()
	commands := 0
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		for _, below := range cmd.Commands() {
			look(below)
		}
		if cmd.Flags().Lookup("vendor") == nil && cmd.Name() != "resume" {
			return // no vendor, no parameter
		}
		commands++
		cmd.InitDefaultHelpFlag()
		cmd.InheritedFlags() // makes Flags whole
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			if !slices.Contains(taken, "--"+flag.Name) {
				t.Errorf("%s has --%s, which a vendor's parameter could take", cmd.CommandPath(), flag.Name)
			}
		})
	}
	look(root)
	if commands < 8 {
		t.Errorf("only %d commands take a vendor", commands)
	}
	for _, name := range assets.Vendors() {
		v, err := steps.Library().Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, role := range v.Roles {
			for parameter, p := range role.Parameters {
				if slices.Contains(taken, p.Flag) {
					t.Errorf("%s: %s has %s", name, parameter, p.Flag)
				}
			}
		}
	}
}

// TestAParameterIsAddedWhereItIsNeeded gives commands the flags of parameters
// only where the arguments ask for them, since that reads descriptions.
func TestAParameterIsAddedWhereItIsNeeded(t *testing.T) {
	for args, want := range map[string]bool{
		"connect --yes --vendor spot":             false,
		"connect --report-bucket x":               true,
		"connect --report-bucket=x --vendor spot": true,
		"verify --report-bucket x":                true,
		"connect --products a --nonsense":         true, // only the descriptions tell that nobody has it
		"connect --role-name --report-bucket":     false,
		"connect -- --report-bucket":              false,
		"connect --help":                          true,
		"help connect":                            true,
		"__complete connect --rep":                true,
		"sessions list --report-bucket x":         false,
		"version":                                 false,
		"":                                        false,
		"rehearse -y --wait 5s --report-bucket x --plan nope": true,
	} {
		a := &cli.App{Env: cli.Env{Now: time.Now}}
		root := rootCommand(a)
		words := strings.Fields(args)
		flags.AddParameters(a, root, words)
		has := false
		for _, cmd := range append(root.Commands(), root) {
			has = has || cmd.Flags().Lookup("report-bucket") != nil
		}
		if has != want {
			t.Errorf("%q: %v, want %v", args, has, want)
		}
	}
}
