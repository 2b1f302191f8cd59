// Package upkeep holds the commands about rolecall itself: doctor, version, the
// manual page and help.
package upkeep

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/aws"
	"rolecall/steps"
	"rolecall/steps/record"
	"rolecall/steps/vendorapi"
	"rolecall/ui/cli"
	"rolecall/ui/desk"
	"rolecall/ui/draw"
)

// finding is one thing that doctor looked at.
type finding struct {
	ID     string `json:"id"`
	Status string `json:"status"` // pass, warn or fail
	Found  string `json:"found"`
	Next   string `json:"next,omitempty"`
}

// doctorWait bounds what doctor asks of AWS.
const doctorWait = 10 * time.Second

// DoctorCommand is rolecall doctor.
func DoctorCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Look at what the wizard will find here: terminal, clipboard, AWS, vendor",
		Long: "doctor looks at the terminal, the clipboard, the sessions' folder, the AWS credentials and the vendor's token, and " +
			"says what to do about what is missing. It asks AWS who you are and changes nothing.",
		Args: a.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return doctor(cmd.Context(), a) },
	}
}

func doctor(ctx context.Context, a *cli.App) error {
	if err := a.CheckCommon(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, doctorWait)
	defer cancel()
	findings := []finding{
		{ID: "version", Status: "pass", Found: "rolecall " + cli.Version()},
		findTerminal(a), findClipboard(), findStore(a), findProfiles(a), findIdentity(ctx, a),
	}
	for _, api := range steps.APIs() {
		findings = append(findings, findToken(a, api))
	}
	if a.JSON {
		a.WriteJSON(struct {
			Findings []finding `json:"findings"`
		}{findings})
	} else {
		for _, f := range findings {
			a.Print("%s %-4s  %-10s %s", map[string]string{"pass": "✓", "warn": "!", "fail": "✗"}[f.Status], f.Status, f.ID, draw.Clean(f.Found))
			if f.Next != "" {
				a.Print("                    %s", draw.Clean(f.Next))
			}
		}
	}
	return nil
}

func findTerminal(a *cli.App) finding {
	f := finding{ID: "terminal", Status: "pass", Found: "TERM=" + a.Env.Getenv("TERM")}
	switch {
	case !a.Env.StdinTTY || !a.Env.StdoutTTY:
		f.Status, f.Found, f.Next = "warn", "stdin or stdout is no terminal", "The wizard needs one; --plain and --yes do not."
	case a.Dumb():
		f.Status, f.Next = "warn", "The wizard goes line by line here."
	}
	return f
}

func findClipboard() finding {
	ways := desk.New().Ways()
	if len(ways) == 0 {
		return finding{ID: "clipboard", Status: "warn", Found: "no way to copy from here", Next: "Save documents to a file instead: s."}
	}
	words := make([]string, len(ways))
	for i, way := range ways {
		words[i] = string(way)
	}
	return finding{ID: "clipboard", Status: "pass", Found: strings.Join(words, ", then ")}
}

func findStore(a *cli.App) finding {
	f := finding{ID: "sessions", Status: "fail"}
	folder, err := record.StateFolder(a.Env.Getenv)
	if err != nil {
		p := cli.ProblemOf(err)
		f.Found, f.Next = p.What, p.Next
		return f
	}
	all, err := record.OpenStore(folder).List()
	if err != nil {
		p := cli.ProblemOf(err)
		f.Found, f.Next = p.What, p.Next
		return f
	}
	damaged := 0
	for _, one := range all {
		if one.Err != nil {
			damaged++
		}
	}
	f.Status, f.Found = "pass", fmt.Sprintf("%d in %s", len(all), folder)
	if damaged > 0 {
		f.Status, f.Found, f.Next = "warn", fmt.Sprintf("%s, %d damaged", f.Found, damaged), "See them: rolecall sessions list."
	}
	return f
}

func findProfiles(a *cli.App) finding {
	profiles, err := aws.Profiles(a.Env.Getenv)
	if err != nil {
		p := cli.ProblemOf(err)
		return finding{ID: "profiles", Status: "warn", Found: p.What, Next: p.Next}
	}
	if len(profiles) == 0 {
		return finding{ID: "profiles", Status: "warn", Found: "no AWS profiles", Next: "The environment's credentials are used, if there are any."}
	}
	f := finding{ID: "profiles", Status: "pass"}
	names := make([]string, len(profiles))
	for i, p := range profiles {
		names[i] = p.Name
	}
	f.Found = strings.Join(names, ", ")
	for _, p := range profiles {
		if p.Problem != nil { // as --profile would tell it
			known := cli.ProblemOf(p.Problem)
			f.Status, f.Found, f.Next = "warn", strings.TrimSuffix(f.Found, ".")+". "+known.What, cmp.Or(f.Next, known.Next)
		}
	}
	return f
}

func findIdentity(ctx context.Context, a *cli.App) finding {
	account, err := aws.Open(ctx, a.AWSOptions(a.Profile, "", cli.OneCode("")))
	if err != nil {
		return identityProblem(err)
	}
	id, err := account.Identity(ctx)
	if err != nil {
		return identityProblem(err)
	}
	found := id.ARN
	if endpoint := account.Endpoint(); endpoint != "" {
		found += " at " + endpoint
	}
	return finding{ID: "aws", Status: "pass", Found: found}
}

func identityProblem(err error) finding {
	p := cli.ProblemOf(err)
	return finding{ID: "aws", Status: "fail", Found: p.What, Next: p.Next}
}

// findToken looks for the token of a vendor's API. It is not tried.
func findToken(a *cli.App, api vendorapi.API) finding {
	f := finding{ID: api.Name + "-token", Status: "warn"}
	opened, err := api.Open(a.VendorEnvironment(), "")
	switch {
	case err != nil:
		p := cli.ProblemOf(err)
		f.Status, f.Found, f.Next = "fail", p.What, p.Next
	case opened.Client == nil:
		f.Found, f.Next = "no token", "Set "+api.TokenName+", paste one when the wizard asks, or go on by hand."
	default:
		f.Status, f.Found = "pass", "from "+opened.Source+", for "+opened.Host
	}
	return f
}
