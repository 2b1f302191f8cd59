package delegation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rolecall/policy"
	"rolecall/policy/review"
	"rolecall/steps/delegate"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/flags"
	"rolecall/ui/policies"
	"rolecall/ui/report"
)

type reviewFlags struct {
	common
	output, format, failOn string
	details                bool
}

func reviewCommand(a *cli.App) *cobra.Command {
	f := &reviewFlags{}
	cmd := &cobra.Command{
		Use:   "review ID|LINK",
		Short: "Say what a request lets too much, and what it asks for beyond the vendor's needs",
		Long: "review reads the request and judges its policy, and the permissions boundaries of roles that it may create, as rolecall policy " +
			"review does. It compares them with what the vendor's description says that it needs. -o FILE writes a plan of the request: " +
			"rolecall approve FILE records who approved it, and accept --plan FILE accepts nothing else. Exit 3: the policy is none that AWS " +
			"takes, " +
			"or a finding is as bad as --fail-on or worse, or with --plan, the request changed since.",
		Example: "  rolecall delegation review e4bdcdae-4f66-11ed-a1b2-c3d4e5f60718 -o request.plan.json\n  rolecall approve " +
			"request.plan.json\n" +
			"  rolecall delegation accept e4bdcdae-4f66-11ed-a1b2-c3d4e5f60718 --plan request.plan.json",
		Args: cli.ExactlyOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.JSON {
				f.format = "json"
			}
			if formats := []string{"text", "json", "markdown", "html"}; !slices.Contains(formats, f.format) {
				return cli.Usage(
					fmt.Sprintf("--format: there is no %q.", draw.Clean(f.format)),
					"one of: "+strings.Join(formats, ", "),
					"Correct --format.",
				)
			}
			if _, err := cli.Severity(f.failOn); err != nil {
				return err
			}
			return withRequest(cmd.Context(), a, &f.common, args, func(_ *run, judged *delegate.Judged) error { return f.review(a, judged) })
		},
	}
	f.bind(cmd)
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "file to write the plan of the request to, for approval")
	cmd.Flags().StringVar(&f.format, "format", "text", "text, json, markdown or html")
	cmd.Flags().StringVar(&f.failOn, "fail-on", "", "exit 3 from this severity on: note, low, medium or high")
	cmd.Flags().BoolVar(&f.details, "details", false, "in text: why, what to change, and the notes")
	return cmd
}

func (f *reviewFlags) review(a *cli.App, judged *delegate.Judged) error {
	if f.output != "" {
		if err := f.write(a, judged); err != nil {
			return err
		}
	}
	if err := f.print(a, judged); err != nil {
		return err
	}
	if err := f.verdict(judged); err != nil {
		return failed(err, judged, nil)
	}
	if f.format == "json" {
		a.WriteJSON(documentOf(judged))
	}
	return nil
}

// write writes the request as a plan. One that carries approvals is not
// overwritten.
func (f *reviewFlags) write(a *cli.App, judged *delegate.Judged) error {
	if judged.Request.Document == nil {
		return failed(
			&screen.Fault{Problem: screen.Problem{What: "The policy of the request is none that AWS takes, so that there is nothing to approve.",
				Expected: "a policy that can be read", Next: "Leave out -o to see what is wrong.", Kind: screen.NotAsNeeded}},
			judged,
			nil,
		)
	}
	judged.Plan.Tool = "rolecall " + cli.Version()
	text, err := judged.Plan.JSON()
	if err != nil {
		return err
	}
	if err := flags.WritePlan(f.output, text); err != nil {
		return err
	}
	a.Say("Planned in %s: nothing was accepted.", draw.Clean(f.output))
	return nil
}

// print writes every format but JSON, which waits for the exit code.
func (f *reviewFlags) print(a *cli.App, judged *delegate.Judged) error {
	whole := judged.Policy
	whole.Findings = judged.Findings
	opts := report.Options{Name: "delegation request " + judged.Request.ID, Details: f.details}
	switch f.format {
	case "markdown":
		return report.Markdown(a.Env.Stdout, &whole, opts)
	case "html":
		return report.HTML(a.Env.Stdout, &whole, opts)
	case "text":
		printFacts(a, judged)
		return printReview(a, judged, f.details)
	}
	return nil
}

// printReview prints the findings of the request and of its boundaries, and what
// goes beyond the vendor's needs.
func printReview(a *cli.App, judged *delegate.Judged, details bool) error {
	whole := judged.Policy
	whole.Findings = judged.Findings
	if err := printReport(a, &whole, "delegation request", details); err != nil {
		return err
	}
	printDifference(a, judged, judged.Beyond, "The request")
	for i := range judged.Boundaries {
		one := &judged.Boundaries[i]
		a.Print("\nWhat the roles that it creates could do at most: %s", draw.Clean(one.ARN))
		if one.Document == nil {
			a.Print("It cannot be read: %s", draw.Clean(one.Unread))
			continue
		}
		if err := printReport(a, &one.Report, "permissions boundary", details); err != nil {
			return err
		}
		printDifference(a, judged, one.Beyond, "The boundary")
	}
	return nil
}

func printReport(a *cli.App, r *review.Report, name string, details bool) error {
	var b strings.Builder
	b.WriteString("\n")
	if err := report.Text(&b, r, report.Options{Name: name, Details: details}); err != nil {
		return err
	}
	return a.Out().Text(b.String())
}

// mostActions bounds a list of actions in text; --json has them all.
const mostActions = 12

// printDifference says what a document lets beyond the vendor's needs. What it
// does not let is a number: who sets something up need not do what it does later.
func printDifference(a *cli.App, judged *delegate.Judged, d *policy.Difference, what string) {
	a.Print("")
	if judged.Vendor == nil {
		a.Print("No vendor is known whose needs it could be compared with. Name one: --vendor.")
		return
	}
	title := draw.Clean(judged.Vendor.Title)
	switch {
	case d == nil:
		a.Print("%s's description has no policy of its own that it could be compared with.", title)
		return
	case d.Equal:
		a.Print("%s asks for exactly what %s's description says that it needs.", what, title)
		return
	}
	diff := policies.DiffOf(*d)
	if n := len(diff.Added); n > 0 {
		a.Print("%s lets more than %s's description says that it needs:", what, title)
		for _, action := range diff.Added[:min(n, mostActions)] {
			a.Print("  + %s", draw.Clean(action))
		}
		if n > mostActions {
			a.Print("  … and %d more; --json has them all", n-mostActions)
		}
	}
	for _, c := range diff.Changed {
		a.Print("  ~ %s", draw.Clean(few(c.Actions)+", "+c.What+": "+c.Detail))
	}
	if n := len(diff.Removed); n > 0 {
		a.Print("It does not let %s that %s's description says that it needs for its work.", screen.Counted(n, "action"), title)
	}
}

// few names the first of a list, and how many more there are.
func few(list []string) string {
	const shown = 3
	if len(list) <= shown {
		return strings.Join(list, ", ")
	}
	return strings.Join(list[:shown], ", ") + fmt.Sprintf(" and %d more", len(list)-shown)
}

// verdict says why a review ends with exit 3.
func (f *reviewFlags) verdict(judged *delegate.Judged) error {
	for i := range judged.Policy.Findings {
		if first := &judged.Policy.Findings[i]; first.Class == review.Refused {
			return &screen.Fault{Problem: screen.Problem{What: "The request's policy is none that AWS takes. " + draw.Clean(first.Why),
				Expected: "a document that AWS takes", Next: "Do not accept it: ask the requestor for another request.", Kind: screen.NotAsNeeded}}
		}
	}
	severity, _ := cli.Severity(f.failOn) // it was checked before
	all := slices.Clone(judged.Findings)
	for _, b := range judged.Boundaries {
		all = append(all, b.Report.Findings...)
	}
	n := 0
	for i := range all {
		if severity != "" && all[i].Severity.Rank() >= severity.Rank() {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return &screen.Fault{
		Problem: screen.Problem{
			What:     fmt.Sprintf("%s in the delegation request: %s or worse.", screen.Counted(n, "finding"), f.failOn),
			Expected: "none",
			Next:     "Reject the request with what to change: rolecall delegation reject " + judged.Request.ID + " --reason …",
			Kind:     screen.NotAsNeeded,
		},
	}
}
