package policies

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rolecall/assets"
	"rolecall/policy"
	"rolecall/policy/review"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/report"
)

type reviewFlags struct {
	kind, trust    string
	format, failOn string
	details        bool
	kindGiven      bool // --kind was given: every document is taken as that
}

func policyReviewCommand(a *cli.App) *cobra.Command {
	f := &reviewFlags{}
	cmd := &cobra.Command{
		Use:   "review [FILE|DIR|-|vendor:NAME|ARN]…",
		Short: "Say what a policy lets too much, what it cannot do and what AWS refuses of it",
		Long: "review reads a policy document and needs no network. The answers of aws iam get-role, get-role-policy and " +
			"get-policy-version are read too: the document in them is reviewed as what it is. Exit 3: AWS refuses it, or a finding is as bad as " +
			"--fail-on " +
			"or worse. A file that cannot be read: exit 2. Several files, a folder or a list of files on " +
			"standard input make one report; each document is then read as the kind that it is, unless --kind says one.",
		Example: "  rolecall policy review policy.json --details\n  rolecall policy review --kind trust trust.json\n" +
			"  terraform show -json plan | jq … | rolecall policy review - --format sarif --fail-on medium\n" +
			"  git ls-files '*.json' | rolecall policy review -",
		RunE: func(cmd *cobra.Command, args []string) error {
			f.kindGiven = cmd.Flags().Changed("kind")
			return reviewPolicy(cmd.Context(), a, f, args)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.kind, "kind", "identity", "identity or trust")
	flags.StringVar(&f.trust, "trust", "", "the role's trust policy, read together with an identity policy")
	flags.StringVar(&f.format, "format", "text", "text, json, markdown, html or sarif")
	flags.StringVar(&f.failOn, "fail-on", "", "exit 3 from this severity on: note, low, medium or high")
	flags.BoolVar(&f.details, "details", false, "in text: why, what to change, and the notes")
	return cmd
}

// reviewJSON is the review with the reason for the exit code beside it.
type reviewJSON struct {
	review.Report
	Error *cli.ErrorJSON `json:"error,omitempty"`
}

func reviewPolicy(ctx context.Context, a *cli.App, f *reviewFlags, args []string) error {
	if err := a.CheckFormat(&f.format, "text", "json", "markdown", "html", "sarif"); err != nil {
		return err
	}
	if _, err := f.options(); err != nil {
		return err
	}
	all, several, err := severalSources(ctx, a, args)
	if err != nil {
		return err
	}
	if several {
		return f.reviewMany(ctx, a, all)
	}
	f.kindGiven = true // one document is what it is said to be
	src, result, err := f.reviewSource(ctx, a, &all[0])
	if err != nil {
		return err
	}
	if err := writeReview(a, result, f, src.name); err != nil {
		return err
	}
	problem, failed := f.verdict(result, src.name)
	if !failed {
		if a.JSON {
			a.WriteJSON(reviewJSON{Report: *result})
		}
		return nil
	}
	return &cli.Failure{
		Err:      &screen.Fault{Problem: problem},
		Document: func(e *cli.ErrorJSON) any { return reviewJSON{Report: *result, Error: e} },
	}
}

func (f *reviewFlags) options() (*review.Options, error) {
	kind, err := kindOf(f.kind)
	if err != nil {
		return nil, err
	}
	opts := &review.Options{Kind: kind}
	if f.failOn != "" && (review.Severity(f.failOn).Rank() < 0 || f.failOn == string(review.SeverityRefused)) {
		return nil, cli.Usage(
			fmt.Sprintf("--fail-on: there is no %q.", draw.Clean(f.failOn)),
			"one of: note, low, medium, high",
			"Correct --fail-on.",
		)
	}
	if f.trust == "" {
		return opts, nil
	}
	if opts.Kind == policy.Trust {
		return nil, cli.Usage("--trust goes with an identity policy, and --kind is trust.", "one of the two", "Leave out --trust, or --kind.")
	}
	text, err := cli.ReadFile(f.trust)
	opts.Trust = text
	return opts, err
}

// know adds what the built-in vendors know: their accounts, and what needs the
// statements of a policy that is theirs.
//
// Reading a description takes longer than the review, so it is left out where
// the costs are not shown.
func (s *source) know(opts *review.Options, costs bool) error {
	v := s.vendor
	if v == nil && costs && opts.Kind == policy.Identity {
		name := vendorOf(s.text)
		if name != "" {
			loaded, err := steps.Library().Load(name)
			if err != nil {
				return err
			}
			v = loaded
		}
	}
	if v != nil {
		opts.Cost = costsOf(v)
	}
	if opts.Kind == policy.Identity && opts.Trust == nil {
		return nil
	}
	for _, name := range describe.List() {
		known, err := steps.Library().Load(name)
		if err != nil {
			return err
		}
		for _, partition := range known.PartitionsOf() {
			opts.Vendors = append(opts.Vendors, known.Calls(partition)...)
		}
	}
	return nil
}

// vendorOf names the built-in vendor whose Sids stand in the text, most of
// them. The descriptions are searched as text: reading them takes longer than
// the review.
func vendorOf(text []byte) string {
	doc, _ := policy.Check(text, policy.Identity)
	if doc == nil {
		return ""
	}
	for _, name := range assets.Vendors() {
		description, err := assets.Vendor(name)
		if err != nil {
			continue
		}
		sids, known := 0, 0
		for i := range doc.Statements {
			sid := doc.Statements[i].Sid
			if sid == "" {
				continue
			}
			sids++
			if bytes.Contains(description, []byte(sid)) {
				known++
			}
		}
		if known > 0 && known*2 > sids && known*2 > len(doc.Statements) {
			return name
		}
	}
	return ""
}

// costsOf says which products need actions of a statement and what stops
// working without them.
func costsOf(v *describe.Vendor) func(string, []string) string {
	return func(sid string, actions []string) string {
		for i := range v.Roles {
			role := &v.Roles[i]
			why, ok := role.Why[sid]
			if !ok {
				continue
			}
			// The statement is named: a finding may be of several.
			needs := v.Title + " needs " + sid
			if titles := v.Titles(v.Serves(sid)); len(titles) > 0 {
				needs += " for " + strings.Join(titles, ", ")
			}
			sentences := []string{needs + "."}
			if at := slices.IndexFunc(actions, func(action string) bool { return why.Actions[action] != "" }); at >= 0 {
				sentences = append(sentences, actions[at]+": "+why.Actions[actions[at]])
			}
			if why.Without != "" {
				sentences = append(sentences, "Without it: "+why.Without)
			}
			return strings.Join(sentences, " ")
		}
		return ""
	}
}

// writeReview writes every format but JSON, which waits for the exit code.
func writeReview(a *cli.App, r *review.Report, f *reviewFlags, name string) error {
	opts := report.Options{Name: name, Details: f.details}
	switch f.format {
	case "text":
		var b strings.Builder
		theme, err := a.ThemeForOutput()
		if err != nil {
			return err
		}
		opts.Name, opts.Theme = filepath.Base(name), theme
		if err := report.Text(&b, r, opts); err != nil {
			return err
		}
		return page(a, b.String())
	case "markdown":
		return report.Markdown(a.Env.Stdout, r, opts)
	case "html":
		return report.HTML(a.Env.Stdout, r, opts)
	case "sarif":
		return report.SARIF(a.Env.Stdout, []report.File{{Name: name, Report: r}}, cli.Version())
	}
	return nil
}

// verdict says why a review ends with exit 3.
func (f *reviewFlags) verdict(r *review.Report, name string) (screen.Problem, bool) {
	for i := range r.Findings {
		if first := &r.Findings[i]; first.Class == review.Refused {
			p := screen.Problem{What: "AWS refuses " + draw.Clean(name) + ". " + first.Why, Kind: screen.NotAsNeeded,
				Expected: "a document that AWS takes", Next: firstLine(first.Fix)}
			if first.ID == "kind" {
				p.What = draw.Clean(name) + ": " + first.Why
				p.Next = strings.ReplaceAll(p.Next, "FILE", draw.Clean(name))
			}
			return p, true
		}
	}
	if f.failOn == "" || !r.Fails(review.Severity(f.failOn)) {
		return screen.Problem{}, false
	}
	n := 0
	for i := range r.Findings {
		if r.Findings[i].Severity.Rank() >= review.Severity(f.failOn).Rank() {
			n++
		}
	}
	return screen.Problem{What: fmt.Sprintf("%s in %s: %s or worse.", screen.Counted(n, "finding"), draw.Clean(name), f.failOn),
		Expected: "none", Next: "Change the policy as the findings say, or raise --fail-on.", Kind: screen.NotAsNeeded}, true
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// notAsNeeded is a problem that ends with exit 3.
func notAsNeeded(what, expected, next string) error {
	return &screen.Fault{Problem: screen.Problem{What: what, Expected: expected, Next: next, Kind: screen.NotAsNeeded}}
}
