package vendors

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"rolecall/policy"
	"rolecall/policy/review"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/describe/check"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/flags"
	"rolecall/ui/trial"
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
		Use:   "check FILE|-",
		Short: "Find every mistake in a vendor's description, walk through it, and review its policies",
		Long: "check reads a description as the wizard does and reports every mistake with its line and column. A description without " +
			"mistakes is rehearsed with nobody there, against an AWS inside the program: by every method, " +
			"in every partition, with each product and each choice, " +
			"up to " +
			strconv.Itoa(trial.MaxWalks) + " walks; a walk that stops is a mistake. Then its policies are reviewed as policy review does. " +
			"Nothing leaves this machine. Exit 3: a mistake, or a finding as bad as --fail-on or worse. A file that cannot be read: exit 2.",
		Example: "  rolecall vendors check ./acme.yaml --fail-on high\n  make-description | rolecall vendors check -",
		Args:    cli.ExactlyOne,
		RunE:    func(cmd *cobra.Command, args []string) error { return checkVendor(cmd.Context(), a, args[0], failOn) },
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
	Warnings []mistakeJSON     `json:"warnings"`
	Walks    []walkJSON        `json:"walks"`          // none where there are mistakes
	Left     int               `json:"walks_left_out"` // ways that were too many to walk
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

// walkJSON is one rehearsed way through the description.
type walkJSON struct {
	trial.Walk
	OK      bool         `json:"ok"`
	Stopped string       `json:"stopped_at,omitempty"` // the step's heading
	Why     *mistakeJSON `json:"why,omitempty"`
}

type policyCheckJSON struct {
	Role string `json:"role"` // purpose
	// Parameters are placeholders of the policy, reviewed by an example of each:
	// what is filled in is known when somebody connects.
	Parameters []string `json:"parameters,omitempty"`
	review.Report
}

// managedCheckJSON is an AWS managed policy of a role, and what it grants where
// that is nearly everything.
type managedCheckJSON struct {
	Role   string `json:"role"` // purpose
	Name   string `json:"name"`
	Grants string `json:"grants,omitempty"`
}

// readDescription reads a description's text from a file, or from standard input
// where the name is -.
func readDescription(a *cli.App, name string) ([]byte, error) {
	if name != "-" {
		return describe.ReadText(name)
	}
	return describe.ReadAll(a.Env.Stdin, "standard input")
}

func checkVendor(ctx context.Context, a *cli.App, name, failOn string) error {
	worst, err := cli.Severity(failOn)
	if err != nil {
		return err
	}
	text, err := readDescription(a, name)
	if errors.Is(err, describe.ErrInterrupted) {
		return err
	}
	if err != nil {
		return cli.Usage(
			draw.Clean(name)+" cannot be read: "+draw.Clean(describe.WhyUnread(err))+".",
			"the path of a YAML file, or - for standard input",
			"Check the path: rolecall vendors check ./acme.yaml.",
		)
	}
	checked := checkJSON{File: name, Mistakes: []mistakeJSON{}, Warnings: []mistakeJSON{}, Walks: []walkJSON{}, Policies: []policyCheckJSON{}}
	v, err := flags.Library().ReadForeign(text, fileName(name))
	for _, m := range describe.MistakesOf(err) {
		checked.Mistakes = append(checked.Mistakes, mistakeJSON{m.Line, m.Column, m.What, m.Expected, m.Next})
		if !a.JSON {
			a.Print("%s", draw.Clean(m.Error()))
		}
	}
	if err != nil {
		return checkFailed(
			checked,
			fmt.Sprintf("%s: %s.", draw.Clean(name), screen.Counted(len(checked.Mistakes), "mistake")),
			"a description without mistakes",
			"Correct the first one and check again. The keys: rolecall vendors schema.",
		)
	}
	checked.Vendor, checked.OK = v.Name, true
	for _, m := range check.Warnings(v, a.Env.Now()) {
		checked.Warnings = append(checked.Warnings, mistakeJSON{What: m.What, Expected: m.Expected, Next: m.Next})
	}
	stopped, err := checked.rehearse(ctx, a, v)
	if err != nil {
		return err
	}
	failed := checked.review(a, v, worst)
	checked.OK = stopped == 0 && failed == ""
	printCheck(a, v, checked)
	switch {
	case stopped > 0:
		return checkFailed(
			checked,
			fmt.Sprintf("%s of %d did not get to the end.", screen.Counted(stopped, "walk"), len(checked.Walks)),
			"a description by which every walk does",
			"Correct what the first one says and check again. To see it: rolecall rehearse --vendor "+draw.Clean(name)+".",
		)
	case failed != "":
		return checkFailed(checked, "The policy of "+failed+" has a finding as bad as "+failOn+" or worse.", "no such finding",
			"Look at it: rolecall policy review --details.")
	}
	if a.JSON {
		a.WriteJSON(checked)
	}
	return nil
}

// fileName is what mistakes call the file.
func fileName(name string) string {
	if name == "-" {
		return "standard input"
	}
	return filepath.Base(name)
}

// rehearse walks every way through the description and counts those that
// stopped.
func (c *checkJSON) rehearse(ctx context.Context, a *cli.App, v *describe.Vendor) (stopped int, err error) {
	walks, left := trial.Walks(v)
	c.Left = left
	for _, way := range walks {
		out := trial.Run(ctx, v, way, a.Env.Now())
		if ctx.Err() != nil {
			return 0, cli.ErrCancelled
		}
		walk := walkJSON{Walk: way, OK: out.Problem == nil}
		if p := out.Problem; p != nil {
			stopped++
			walk.Stopped, walk.Why = out.Step, &mistakeJSON{What: p.What, Expected: p.Expected, Next: p.Next}
		}
		c.Walks = append(c.Walks, walk)
	}
	return stopped, nil
}

// review reviews the policies, and names the last role whose policy has a finding
// as bad as worst.
func (c *checkJSON) review(a *cli.App, v *describe.Vendor, worst review.Severity) (failed string) {
	for i := range v.Roles {
		role := &v.Roles[i]
		for _, name := range role.ManagedPolicies {
			grants := describe.Sweeping(name)
			c.Managed = append(c.Managed, managedCheckJSON{role.Purpose, name, grants})
			if worst != "" && grants != "" {
				failed = role.Purpose
			}
		}
		if role.Policy == "" {
			continue // AWS managed policies alone: their text is AWS's
		}
		result := review.Review([]byte(role.Sampled()), review.Options{Kind: policy.Identity, Limit: role.Limit(), Now: a.Env.Now()})
		c.Policies = append(c.Policies, policyCheckJSON{role.Purpose, role.ParameterNames(), result})
		if worst != "" && result.Fails(worst) {
			failed = role.Purpose
		}
	}
	return failed
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
	for _, w := range checked.Warnings {
		a.Print("Warning: %s Expected: %s. %s", draw.Clean(w.What), draw.Clean(w.Expected), draw.Clean(w.Next))
	}
	printWalks(a, checked)
	for _, p := range checked.Policies {
		a.Print(
			"\n%s: %s of %s characters, %s",
			p.Role,
			screen.Thousands(p.Policy.Characters),
			screen.Thousands(p.Policy.Limit),
			screen.Counted(len(p.Findings), "finding"),
		)
		for _, name := range p.Parameters {
			a.Print("  parameter %s: not known here, reviewed by an example", draw.Clean(name))
		}
		for _, f := range p.Findings {
			a.Print("  %-7s %s (line %d of the policy)", f.Severity, draw.Clean(f.Title), f.Line)
		}
	}
	for _, m := range checked.Managed {
		a.Print("\n%s: %s, not reviewed: its owner can change it", m.Role, draw.Clean(managedWords(m.Name)))
		if m.Grants != "" {
			a.Print("  %-7s Can do %s", review.High, m.Grants)
		}
	}
	if v.HandOver.URL != "" {
		a.Print("\nHands over by a request to %s", draw.Clean(v.HandOver.URL))
	}
}

// printWalks says how the rehearsal went: in one line where every walk got to the
// end.
func printWalks(a *cli.App, checked checkJSON) {
	good := 0
	for _, w := range checked.Walks {
		if w.OK {
			good++
			continue
		}
		a.Print("Stopped: %s at %q. %s Expected: %s. %s", draw.Clean(wayWords(w.Walk)), draw.Clean(w.Stopped),
			draw.Clean(w.Why.What), draw.Clean(strings.TrimSuffix(w.Why.Expected, ".")), draw.Clean(w.Why.Next))
	}
	left := ""
	if checked.Left > 0 {
		left = fmt.Sprintf(" %s were left out.", screen.Counted(checked.Left, "further walk"))
	}
	a.Print("Rehearsed %s: %d got to the end.%s", screen.Counted(len(checked.Walks), "walk"), good, left)
}

func wayWords(w trial.Walk) string {
	words := w.Method + " for a " + w.Access + " in " + w.Partition
	if len(w.Products) > 0 {
		words += " with " + strings.Join(w.Products, ", ")
	}
	choices := make([]string, 0, len(w.Choices))
	for _, name := range cli.SortedKeys(w.Choices) {
		choices = append(choices, " where "+name+" is "+w.Choices[name])
	}
	return words + strings.Join(choices, "")
}
