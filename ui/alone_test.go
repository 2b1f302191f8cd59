package ui

import (
	"strings"
	"testing"
	"time"

	"rolecall/ui/cli"
)

// TestACommandIsTheSameAlone: a command that is made without the others helps and
// refuses as it does among them, and each is found by its own name.
func TestACommandIsTheSameAlone(t *testing.T) {
	run := func(args ...string) string {
		var out strings.Builder
		Main(t.Context(), args, cli.Env{Stdout: &out, Stderr: &out, Now: time.Now})
		return out.String()
	}
	alone := 0
	for _, one := range commands() {
		a := &cli.App{Env: cli.Env{Now: time.Now}}
		if got := one.build(a).Name(); got != one.name {
			t.Errorf("%s is made by the name of %s", got, one.name)
		}
		if len(rootFor(a, []string{one.name}).Commands()) == 1 {
			alone++
		}
		for _, args := range [][]string{{one.name, "--help"}, {one.name, "--nonsense"}, {one.name, "--json", "--nonsense"}} {
			among := append([]string{"--plain=false"}, args...) // a flag in front says nothing of the command
			if got, want := run(args...), run(among...); got != want || got == "" {
				t.Errorf("%s: alone\n%s\namong the others\n%s", args, got, want)
			}
		}
	}
	if alone < len(commands())-1 {
		t.Errorf("%d of %d commands are made alone", alone, len(commands()))
	}
}
