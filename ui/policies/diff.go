package policies

import (
	"context"
	"fmt"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/spf13/cobra"

	"rolecall/policy"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

func policyDiffCommand(a *cli.App) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say what a policy grants that another did not, and the reverse",
		Long: "diff compares two policies by what they grant, not by their text: order, spelling and the split into statements do " +
			"not matter. Each is a file, - for standard input, vendor:NAME, or the ARN of a managed policy; with --kind trust, two trust " +
			"policies. Exit 3: they differ.",
		Example: "  rolecall policy diff old.json new.json\n  rolecall policy diff vendor:spot arn:aws:iam::123456789012:policy/Spot-Policy",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				return nil
			}
			return cli.Usage("policy diff needs two policies.", cmd.UseLine(), "Name the old one and the new one.")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			kind, err := kindOf(name)
			if err != nil {
				return err
			}
			return diffPolicies(cmd.Context(), a, kind, args[0], args[1])
		},
	}
	cmd.Flags().StringVar(&name, "kind", "identity", "identity or trust")
	return cmd
}

// kindOf reads --kind.
func kindOf(name string) (policy.Kind, error) {
	switch name {
	case "identity":
		return policy.Identity, nil
	case "trust":
		return policy.Trust, nil
	}
	return 0, cli.Usage(fmt.Sprintf("--kind: there is no %q.", draw.Clean(name)), "identity or trust", "Correct --kind.")
}

// DiffJSON is what diff prints with --json.
type DiffJSON struct {
	Equal   bool         `json:"equal"`
	Added   []string     `json:"added"`
	Removed []string     `json:"removed"`
	Changed []changeJSON `json:"changed"`
	// Bounded says that the documents were too much to be compared in full: what
	// is listed is a part of what differs.
	Bounded bool           `json:"bounded,omitempty"`
	Error   *cli.ErrorJSON `json:"error,omitempty"`
}

type changeJSON struct {
	Statement string   `json:"statement"`
	Index     int      `json:"index"`
	In        string   `json:"in"` // the document that the statement is of: "old" or "new"
	What      string   `json:"what"`
	Actions   []string `json:"actions"`
	Detail    string   `json:"detail"`
}

func diffPolicies(ctx context.Context, a *cli.App, kind policy.Kind, oldName, newName string) error {
	if oldName == "-" && newName == "-" {
		return cli.Usage("Both policies are to come from standard input.", "one of them at most", "Name a file.")
	}
	before, after, err := readBoth(ctx, a, kind, oldName, newName)
	if err != nil {
		return err
	}
	difference := policy.Compare(before, after)
	document := DiffOf(difference)
	if !a.JSON {
		if err := page(a, DiffText(document, before, after, oldName, newName)); err != nil {
			return err
		}
	}
	if difference.Equal {
		if a.JSON {
			a.WriteJSON(document)
		}
		return nil
	}
	return &cli.Failure{
		Err: &screen.Fault{Problem: screen.Problem{What: "The policies do not grant the same.", Expected: "two policies that grant the same",
			Next: "Look at what is gained and lost.", Kind: screen.NotAsNeeded}},
		Document: func(e *cli.ErrorJSON) any {
			document.Error = e
			return document
		},
	}
}

func readBoth(ctx context.Context, a *cli.App, kind policy.Kind, oldName, newName string) (before, after *policy.Document, err error) {
	for _, side := range []struct {
		name string
		doc  **policy.Document
	}{{oldName, &before}, {newName, &after}} {
		src, err := readSource(ctx, a, side.name)
		if err != nil {
			return nil, nil, err
		}
		if *side.doc, err = parseSource(src, kind); err != nil {
			return nil, nil, err
		}
	}
	return before, after, nil
}

// DiffOf is a difference as it is printed with --json.
func DiffOf(d policy.Difference) *DiffJSON {
	out := &DiffJSON{Equal: d.Equal, Added: cli.OrEmpty(d.Added), Removed: cli.OrEmpty(d.Removed), Changed: []changeJSON{}, Bounded: d.Bounded}
	for _, c := range d.Changed {
		in := "old"
		if c.New {
			in = "new"
		}
		out.Changed = append(
			out.Changed,
			changeJSON{Statement: c.Statement, Index: c.Index, In: in, What: c.What, Actions: cli.OrEmpty(c.Actions), Detail: c.Detail},
		)
	}
	return out
}

// DiffText says what is gained and lost, then how the texts differ.
func DiffText(d *DiffJSON, before, after *policy.Document, oldName, newName string) string {
	var b strings.Builder
	if d.Equal {
		b.WriteString("Both grant the same.\n")
	}
	for _, part := range []struct {
		mark, title string
		list        []string
	}{{"+", "more", d.Added}, {"-", "less", d.Removed}} {
		if len(part.list) > 0 {
			b.WriteString("The new one grants " + screen.Counted(len(part.list), "action") + " " + part.title + ":\n")
		}
		for _, action := range part.list {
			b.WriteString("  " + part.mark + " " + draw.Clean(action) + "\n")
		}
	}
	if len(d.Changed) > 0 {
		b.WriteString("Granted by both, differently:\n")
	}
	for _, c := range d.Changed {
		b.WriteString("  ~ " + draw.Clean(statementName(c)) + ", " + c.What + ": " + draw.Clean(c.Detail) + "\n")
	}
	if text := unified(draw.Clean(oldName), draw.Clean(newName), before.Pretty(), after.Pretty()); text != "" {
		b.WriteString("\nThe texts:\n" + text)
	}
	return b.String()
}

// unified is the textual difference. The library numbers the new lines of later
// hunks wrongly (seen in v0.4.1), so they are counted here.
func unified(oldName, newName, before, after string) string {
	d, err := udiff.ToUnifiedDiff(oldName, newName, before, udiff.Lines(before, after), udiff.DefaultContextLines)
	if err != nil {
		return udiff.Unified(oldName, newName, before, after)
	}
	longer := 0
	for _, hunk := range d.Hunks {
		hunk.ToLine = hunk.FromLine + longer
		for _, line := range hunk.Lines {
			switch line.Kind {
			case udiff.Insert:
				longer++
			case udiff.Delete:
				longer--
			}
		}
	}
	return d.String()
}

func statementName(c changeJSON) string {
	if c.Statement != "" {
		return c.Statement + " (" + c.In + ")"
	}
	return "statement of the " + c.In + " one"
}
