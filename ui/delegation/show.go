package delegation

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/aws"
	"rolecall/policy/review"
	"rolecall/steps/delegate"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

func showCommand(a *cli.App) *cobra.Command {
	c := &common{}
	cmd := &cobra.Command{
		Use:   "show ID|LINK",
		Short: "Show who asks for what, for how long, and with which policy",
		Long: "show prints one request: requestor, account, how long the access would last, the policy with its template filled in, and the " +
			"permissions boundaries of roles that it may create. It changes nothing. A link into the AWS console will do for the ID.",
		Example: "  rolecall delegation show e4bdcdae-4f66-11ed-a1b2-c3d4e5f60718 --json",
		Args:    cli.ExactlyOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withRequest(cmd.Context(), a, c, args, func(_ *run, judged *delegate.Judged) error {
				if a.JSON {
					a.WriteJSON(documentOf(judged))
					return nil
				}
				printFacts(a, judged)
				printPolicy(a, judged)
				return nil
			})
		},
	}
	c.bind(cmd)
	return cmd
}

// withRequest looks at the request that was named, and does something with it.
// With --plan, one that changed is told with all that is known of it.
func withRequest(ctx context.Context, a *cli.App, c *common, args []string, do func(*run, *delegate.Judged) error) error {
	id, err := parseID(args)
	if err != nil {
		return err
	}
	r, err := begin(ctx, a, c)
	if err != nil {
		return err
	}
	judged, err := r.look(ctx, id)
	if err != nil {
		return failed(err, judged, nil)
	}
	return do(r, judged)
}

// printFacts prints what a request is, beside its policy.
func printFacts(a *cli.App, j *delegate.Judged) {
	d := j.Request
	rows := [][2]string{
		{"Request", d.ID}, {"State", stateOf(d)}, {"Requestor", requestorOf(d)}, {"Vendor", vendorOf(j)},
		{"Account", screen.Grouped(d.AccountID)}, {"Taken up by", d.Owner}, {"Accepted by", d.Approver},
		{"Wants", d.Description}, {"Says", d.Message}, {"Note", d.Notes}, {"Rejected", d.Rejection},
		{"Access lasts", lasts(d)}, {"Expires", expires(a, d)},
		{"Template", d.Template},
	}
	for _, p := range d.Parameters {
		rows = append(rows, [2]string{"  " + p.Name, strings.Join(p.Values, ", ")})
	}
	for _, b := range j.Boundaries {
		rows = append(rows, [2]string{"Roles' boundary", b.ARN + boundaryNote(b)})
	}
	rows = append(rows, [2]string{"Findings", counted(j.Findings)})
	cells := [][]string{}
	for _, row := range rows {
		if row[1] != "" {
			cells = append(cells, []string{draw.Clean(row[0]), draw.Clean(row[1])})
		}
	}
	a.Out().Table(false, cells)
	if d.OnlySendByOwner {
		a.Print("Only who took it up can release the access.")
	}
	_ = a.Out().Text("Digest\n  " + j.Plan.Digest() + "\n") // a value to copy is never wrapped
}

func lasts(d aws.Delegation) string {
	text := screen.Hours(d.Duration) + " from when it is released"
	if d.Duration > aws.LongestByRoot {
		text += "; the root user may accept only " + screen.Hours(aws.LongestByRoot) + " or less"
	}
	return text
}

func boundaryNote(b delegate.Boundary) string {
	if b.Document == nil {
		return " (cannot be read)"
	}
	return ""
}

// stateOf is the state in words, as AWS writes it beside.
func stateOf(d aws.Delegation) string {
	words := map[aws.DelegationState]string{
		aws.DelegationUnassigned: "nobody took it up yet", aws.DelegationAssigned: "waits for a decision",
		aws.DelegationPending: "was forwarded for a decision", aws.DelegationAccepted: "accepted; the requestor has no access yet",
		aws.DelegationFinalized: "accepted, and access was released", aws.DelegationRejected: "rejected", aws.DelegationExpired: "over",
	}
	if word, ok := words[d.State]; ok {
		return word + " (" + string(d.State) + ")"
	}
	return string(d.State)
}

func vendorOf(j *delegate.Judged) string {
	if j.Vendor == nil {
		return "not known to rolecall"
	}
	return j.Vendor.Title
}

func expires(a *cli.App, d aws.Delegation) string {
	if d.Expires.IsZero() {
		return ""
	}
	left := d.Expires.Sub(a.Env.Now())
	when := d.Expires.UTC().Format("2006-01-02 15:04 UTC")
	switch {
	case left <= 0:
		return when + ", which is over"
	case left < 48*time.Hour:
		return when + fmt.Sprintf(", in %s", screen.Counted(int(left.Hours()), "hour"))
	}
	return when + fmt.Sprintf(", in %s", screen.Counted(int(left.Hours()/24), "day"))
}

// counted is "2 high, 1 medium".
func counted(findings []review.Finding) string {
	var words []string
	for _, severity := range review.Severities() {
		n := 0
		for i := range findings {
			if findings[i].Severity == severity {
				n++
			}
		}
		if n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, severity))
		}
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

// printPolicy prints the policies as they are: what is too long for a policy is
// cut, and said to be.
func printPolicy(a *cli.App, j *delegate.Judged) {
	a.Print("\nThe permissions policy, its template filled in:")
	text := j.Request.Text
	if j.Request.Document != nil {
		text = j.Request.Document.Pretty()
	}
	printLines(a, text)
	for _, b := range j.Boundaries {
		if b.Document != nil {
			a.Print("\nThe permissions boundary %s:", draw.Clean(b.ARN))
			printLines(a, b.Document.Pretty())
		}
	}
}

// longestShown bounds what of a document is printed, in lines.
const longestShown = 2000

func printLines(a *cli.App, text string) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		if i == longestShown {
			a.Print("… %s more: --json has all of it.", screen.Counted(len(lines)-i, "line"))
			return
		}
		body := strings.TrimLeft(line, " \t")
		_ = a.Out().Text("  " + strings.Repeat(" ", len(line)-len(body)) + draw.Clean(body) + "\n") // Finish tells what cannot be written
	}
}
