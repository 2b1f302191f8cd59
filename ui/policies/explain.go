package policies

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"rolecall/policy"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

func policyExplainCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:     "explain PATTERN…",
		Short:   "Say what ec2:Describe* means: the actions, with their access levels",
		Example: "  rolecall policy explain 'ec2:Describe*'\n  rolecall policy explain iam:PassRole 's3:*Acl'",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return nil
			}
			return cli.Usage("policy explain needs a pattern.", cmd.UseLine(), "Name one, in quotes: rolecall policy explain 'ec2:Describe*'.")
		},
		RunE: func(_ *cobra.Command, args []string) error { return explainPatterns(a, args) },
	}
}

// explainJSON is what explain prints with --json.
type explainJSON struct {
	Patterns  []patternJSON  `json:"patterns"`
	Granted   int            `json:"granted"` // each action once
	ByAccess  map[string]int `json:"by_access"`
	ByService map[string]int `json:"by_service"`
	Data      dataJSON       `json:"data"`
	Error     *cli.ErrorJSON `json:"error,omitempty"`
}

type dataJSON struct {
	Version string `json:"version"`
	Date    string `json:"date"`
}

type patternJSON struct {
	Pattern string       `json:"pattern"`
	Actions []actionJSON `json:"actions"`
}

type actionJSON struct {
	Name        string `json:"name"`
	Access      string `json:"access"`
	Description string `json:"description,omitempty"`
	Scopable    bool   `json:"scopable"` // can be limited to some resources
}

// maxDescribed is how many actions are listed with a line of description;
// beyond, all of AWS would be unpacked for a list that nobody reads.
const maxDescribed = 1000

func explainPatterns(a *cli.App, patterns []string) error {
	catalogue := policy.AWS()
	document := explainJSON{Patterns: []patternJSON{}, ByAccess: map[string]int{}, ByService: map[string]int{},
		Data: dataJSON{catalogue.Version(), catalogue.Date()}}
	seen := map[string]bool{}
	var unknown []string
	var found [][]policy.Action
	for _, pattern := range patterns {
		actions := catalogue.Expand(strings.TrimSpace(pattern))
		if len(actions) == 0 {
			unknown = append(unknown, pattern)
		}
		found = append(found, actions)
		for _, action := range actions {
			if !seen[action.Name] {
				seen[action.Name] = true
				document.Granted++
				document.ByAccess[action.Level.String()]++
				document.ByService[action.Service().Prefix]++
			}
		}
	}
	if a.JSON {
		for i, actions := range found {
			document.Patterns = append(document.Patterns, patternOf(patterns[i], actions))
		}
	} else if err := page(a, explainText(&document, patterns, found)); err != nil {
		return err
	}
	if len(unknown) == 0 {
		if a.JSON {
			a.WriteJSON(document)
		}
		return nil
	}
	return &cli.Failure{
		Err: &screen.Fault{Problem: unknownPattern(unknown, catalogue)},
		Document: func(e *cli.ErrorJSON) any {
			document.Error = e
			return document
		},
	}
}

func unknownPattern(unknown []string, catalogue *policy.Catalogue) screen.Problem {
	return screen.Problem{What: "No action that rolecall knows matches " + draw.Clean(strings.Join(unknown, ", ")) + ".",
		Expected: "service:Action, with * and ?, such as ec2:Describe*",
		Next:     "Check the spelling. rolecall knows the actions of " + catalogue.Date() + "."}
}

func patternOf(pattern string, actions []policy.Action) patternJSON {
	out := patternJSON{Pattern: pattern, Actions: make([]actionJSON, 0, len(actions))}
	for _, action := range actions {
		described := actionJSON{Name: action.Name, Access: action.Level.String(), Scopable: len(action.Resources()) > 0}
		if len(actions) <= maxDescribed {
			described.Description = action.Description()
		}
		out.Actions = append(out.Actions, described)
	}
	return out
}

func explainText(d *explainJSON, patterns []string, found [][]policy.Action) string {
	var b strings.Builder
	for i, actions := range found {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s  %s\n", draw.Clean(patterns[i]), screen.Counted(len(actions), "action"))
		if len(actions) > maxDescribed {
			fmt.Fprintf(&b, "  too many to list; --json names them all\n")
			continue
		}
		for _, action := range actions {
			line := fmt.Sprintf("  %-12s %-34s %s", shortLevel(action.Level), action.Name, action.Description())
			b.WriteString(strings.TrimRight(ansi.Truncate(line, 79, "…"), " ") + "\n")
		}
	}
	fmt.Fprintf(&b, "\n%s by access level, as of %s\n", screen.Counted(d.Granted, "action"), d.Data.Date)
	for _, level := range policy.AccessLevels() {
		writeBar(&b, level.String(), d.ByAccess[level.String()], d.Granted)
	}
	services := slices.SortedFunc(maps.Keys(d.ByService), func(x, y string) int {
		return cmp.Or(d.ByService[y]-d.ByService[x], strings.Compare(x, y))
	})
	if len(services) > 1 {
		b.WriteString("\nby service\n")
	}
	for i, service := range services {
		if len(services) == 1 {
			break
		}
		if i == 15 {
			fmt.Fprintf(&b, "  and %s more\n", screen.Counted(len(services)-i, "service"))
			break
		}
		writeBar(&b, service, d.ByService[service], d.ByService[services[0]])
	}
	return b.String()
}

func shortLevel(level policy.AccessLevel) string {
	if level == policy.PermissionsManagement {
		return "Permissions"
	}
	return level.String()
}

// writeBar draws a count, 30 characters wide at most.
func writeBar(b *strings.Builder, label string, n, most int) {
	if n == 0 {
		return
	}
	length := max(1, n*30/max(1, most))
	fmt.Fprintf(b, "  %-24s %6s  %s\n", label, screen.Thousands(n), strings.Repeat("█", length))
}
