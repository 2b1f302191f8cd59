package vendors

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"rolecall/policy"
	"rolecall/policy/review"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/flags"
)

func vendorsSchemaCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a vendor's description",
		Args:  a.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := steps.Library().Schema()
			if err != nil {
				return err
			}
			a.Print("%s", text)
			return nil
		},
	}
}

func vendorsCheckCommand(a *cli.App) *cobra.Command {
	failOn := ""
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Find every mistake in a vendor's description, and review its policies",
		Long: "check reads a description as the wizard does and reports every mistake with its line and column. Then it reviews the policies " +
			"in it as policy review does. Exit 3: a mistake, or a finding as bad as --fail-on or worse. A file that cannot be read: exit 2.",
		Example: "  rolecall vendors check ./acme.yaml --fail-on high",
		Args:    cli.ExactlyOne,
		RunE:    func(_ *cobra.Command, args []string) error { return checkVendor(a, args[0], failOn) },
	}
	cmd.Flags().StringVar(&failOn, "fail-on", "", "exit 3 from this severity on: note, low, medium or high")
	return cmd
}

// checkJSON is what vendors check prints with --json.
type checkJSON struct {
	File     string            `json:"file"`
	OK       bool              `json:"ok"`
	Vendor   string            `json:"vendor,omitempty"`
	Mistakes []mistakeJSON     `json:"mistakes"`
	Policies []policyCheckJSON `json:"policies"`
	// Managed are AWS managed policies, which are not reviewed.
	Managed []managedCheckJSON `json:"managed_policies,omitempty"`
	Error   *cli.ErrorJSON     `json:"error,omitempty"`
}

type mistakeJSON struct {
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	What     string `json:"what"`
	Expected string `json:"expected"`
	Next     string `json:"next"`
}

type policyCheckJSON struct {
	Role string `json:"role"` // purpose
	review.Report
}

// managedCheckJSON is an AWS managed policy of a role, and what it grants where
// that is nearly everything.
type managedCheckJSON struct {
	Role   string `json:"role"` // purpose
	Name   string `json:"name"`
	Grants string `json:"grants,omitempty"`
}

func checkVendor(a *cli.App, name, failOn string) error {
	worst, err := cli.Severity(failOn)
	if err != nil {
		return err
	}
	text, err := describe.ReadText(name)
	if errors.Is(err, describe.ErrInterrupted) {
		return err
	}
	if err != nil {
		return cli.Usage(draw.Clean(name)+" cannot be read.", "the path of a YAML file", "Check the path: rolecall vendors check ./acme.yaml.")
	}
	checked := checkJSON{File: name, Mistakes: []mistakeJSON{}, Policies: []policyCheckJSON{}}
	v, err := flags.Library().ReadForeign(text, filepath.Base(name))
	for _, m := range describe.MistakesOf(err) {
		checked.Mistakes = append(checked.Mistakes, mistakeJSON{m.Line, m.Column, m.What, m.Expected, m.Next})
		if !a.JSON {
			a.Print("%s", draw.Clean(m.Error()))
		}
	}
	if err != nil {
		return checkFailed(checked, fmt.Sprintf("%s: %s.", draw.Clean(name), screen.Counted(len(checked.Mistakes), "mistake")), "a description without mistakes",
			"Correct the first one and check again. The keys: rolecall vendors schema.")
	}
	checked.Vendor, checked.OK = v.Name, true
	failed := ""
	for i := range v.Roles {
		role := &v.Roles[i]
		for _, name := range role.ManagedPolicies {
			grants := describe.Sweeping(name)
			checked.Managed = append(checked.Managed, managedCheckJSON{role.Purpose, name, grants})
			if worst != "" && grants != "" {
				failed = role.Purpose
			}
		}
		if role.Policy == "" {
			continue // AWS managed policies alone: their text is AWS's
		}
		result := review.Review([]byte(role.Policy), review.Options{Kind: policy.Identity, Limit: role.Limit(), Now: a.Env.Now()})
		checked.Policies = append(checked.Policies, policyCheckJSON{role.Purpose, result})
		if worst != "" && result.Fails(worst) {
			failed = role.Purpose
		}
	}
	if failed != "" {
		checked.OK = false
	}
	printCheck(a, v, checked)
	if failed != "" {
		return checkFailed(checked, "The policy of "+failed+" has a finding as bad as "+failOn+" or worse.", "no such finding",
			"Look at it: rolecall policy review --details.")
	}
	if a.JSON {
		a.WriteJSON(checked)
	}
	return nil
}

func checkFailed(checked checkJSON, what, expected, next string) error {
	return &cli.Failure{
		Err:      &screen.Fault{Problem: screen.Problem{What: what, Expected: expected, Next: next, Kind: screen.NotAsNeeded}},
		Document: func(e *cli.ErrorJSON) any { checked.Error = e; return checked },
	}
}

// printCheck says in text what was found in a description without mistakes.
func printCheck(a *cli.App, v *describe.Vendor, checked checkJSON) {
	if a.JSON {
		return
	}
	a.Print("%s: no mistakes. %s, %s, %s.", draw.Clean(checked.File), draw.Clean(v.Title),
		screen.Counted(len(v.Roles), "role"), screen.Counted(len(v.Methods), "method"))
	for _, p := range checked.Policies {
		a.Print("\n%s: %s of %s characters, %s", p.Role, screen.Thousands(p.Policy.Characters), screen.Thousands(p.Policy.Limit), screen.Counted(len(p.Findings), "finding"))
		for _, f := range p.Findings {
			a.Print("  %-7s %s (line %d of the policy)", f.Severity, draw.Clean(f.Title), f.Line)
		}
	}
	for _, m := range checked.Managed {
		a.Print("\n%s: AWS managed policy %s, not reviewed: AWS has its text, and can change it", m.Role, draw.Clean(m.Name))
		if m.Grants != "" {
			a.Print("  %-7s Can do %s", review.High, m.Grants)
		}
	}
	if v.HandOver.URL != "" {
		a.Print("\nHands over by a request to %s", draw.Clean(v.HandOver.URL))
	}
}
