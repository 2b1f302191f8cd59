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
	"rolecall/steps/screen"
	"rolecall/steps/vendorapi"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// line is one thing that doctor looked at.
type line struct {
	Name   string `json:"name"`
	Status status `json:"status"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
	// Missing are the IAM actions that a command would lack.
	Missing []string `json:"missing,omitempty"`

	problem screen.Problem // of one that failed
}

// status is how a line stands.
type status string

const (
	pass    status = "pass"
	warn    status = "warn"
	fail    status = "fail"
	unknown status = "unknown" // nobody could find out
)

func (s status) mark() string {
	return map[status]string{pass: "✓", warn: "!", fail: "✗", unknown: "?"}[s]
}

// failed is the line of an error.
func failed(name string, err error) line {
	p := cli.ProblemOf(err)
	return line{Name: name, Status: fail, Detail: p.What, Fix: p.Next, problem: p}
}

// The names of the lines that lead to an exit code of their own.
const (
	nameAWS = "aws"
	nameIAM = "endpoint-iam"
)

// ofAWS reports whether a line is about what nothing works without.
func ofAWS(name string) bool { return name == nameAWS || name == nameIAM }

// doctorWait bounds what doctor asks of AWS, and of each vendor.
const doctorWait = 10 * time.Second

// DoctorCommand is rolecall doctor.
func DoctorCommand(a *cli.App) *cobra.Command {
	copying := false
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look at what the wizard will find here: terminal, clipboard, AWS, vendor",
		Long: "doctor looks at the terminal, the clipboard, the sessions' folder, the AWS credentials and the vendor's token, and " +
			"says what to do about what is missing. It names which permission each command would lack, as IAM's policy simulator sees it, " +
			"how far the clock is off, which of AWS's services answer, and how old rolecall's data is. For the clipboard it names every way to " +
			"copy, in the order in which rolecall tries them; " +
			"--copy tries them with a test text, which takes the place of what is on the clipboard. Otherwise doctor asks AWS who you are and " +
			"the vendor which accounts the token sees, and changes nothing. " +
			"Exit 0: nothing failed; 4: AWS failed; 5: the vendor refused the token; 1: something else failed.",
		Args: a.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if copying {
				return testCopy(cmd.Context(), a)
			}
			return doctor(cmd.Context(), a)
		},
	}
	cmd.Flags().BoolVar(&copying, "copy", false, "copy a test text, have it pasted back, and remember what worked in this terminal")
	return cmd
}

// doctorJSON is what doctor prints with --json.
type doctorJSON struct {
	Lines []line         `json:"lines"`
	Error *cli.ErrorJSON `json:"error,omitempty"`
}

func doctor(ctx context.Context, a *cli.App) error {
	if err := a.CheckCommon(); err != nil {
		return err
	}
	lines := []line{
		{Name: "version", Status: pass, Detail: "rolecall " + cli.Version()}, findData(a),
		findTerminal(a), findClipboard(ctx, a), findStore(a), findProfiles(a),
	}
	lines = append(lines, findAWS(ctx, a)...)
	for _, api := range steps.APIs() {
		lines = append(lines, findToken(ctx, a, api))
	}
	for i := range lines {
		lines[i].Detail, lines[i].Fix = draw.Clean(lines[i].Detail), draw.Clean(lines[i].Fix)
	}
	if !a.JSON {
		printLines(a, lines)
	}
	if ctx.Err() != nil {
		return cli.ErrCancelled
	}
	if p := verdict(lines); p != nil {
		return &cli.Failure{Err: &screen.Fault{Problem: *p}, Document: func(e *cli.ErrorJSON) any { return doctorJSON{lines, e} }}
	}
	if a.JSON {
		a.WriteJSON(doctorJSON{Lines: lines})
	}
	return nil
}

func printLines(a *cli.App, lines []line) {
	out := a.Out()
	for _, l := range lines {
		out.Hang(fmt.Sprintf("%s %-7s  %-10s ", l.Status.mark(), l.Status, l.Name), l.Detail)
		if l.Fix != "" {
			out.Hang(strings.Repeat(" ", 22), l.Fix)
		}
	}
}

// verdict is the failure that decides the exit code: AWS's before any other, since
// nothing works without it. It is nil where nothing failed.
func verdict(lines []line) *screen.Problem {
	var worst *line
	for i := range lines {
		if lines[i].Status == fail && (worst == nil || ofAWS(lines[i].Name) && !ofAWS(worst.Name)) {
			worst = &lines[i]
		}
	}
	if worst == nil {
		return nil
	}
	p := worst.problem
	p.What = worst.Name + ": " + p.What
	switch {
	case ofAWS(worst.Name) && p.Kind != screen.NotAsNeeded:
		p.Kind = screen.AWSRefused
	case p.Kind == screen.Usage:
		p.Kind = screen.Failure // nothing is wrong with the command line
	}
	return &p
}

func findTerminal(a *cli.App) line {
	f := line{Name: "terminal", Status: pass, Detail: "TERM=" + a.Env.Getenv("TERM")}
	switch {
	case !a.Env.StdinTTY || !a.Env.StdoutTTY:
		f.Status, f.Detail, f.Fix = warn, "stdin or stdout is no terminal", "The wizard needs one; --plain and --yes do not."
	case a.Dumb():
		f.Status, f.Fix = warn, "It cannot draw a screen: the wizard goes line by line here."
	case a.LineByLine():
		f.Fix = "The wizard goes line by line, as asked for."
	}
	return f
}

func findStore(a *cli.App) line {
	f := line{Name: "sessions"}
	folder, err := record.StateFolder(a.Env.Getenv)
	if err != nil {
		return failed("sessions", err)
	}
	store := record.OpenStore(folder)
	sessions, err := store.List()
	if err != nil {
		return failed("sessions", err)
	}
	receipts, err := store.ListReceipts()
	if err != nil {
		return failed("sessions", err)
	}
	f.Status, f.Detail = pass, fmt.Sprintf("%d in %s", len(sessions), folder)
	damaged := count(sessions, func(one record.Listed) bool { return one.Err != nil })
	if damaged > 0 {
		f.Detail += fmt.Sprintf(", %d damaged", damaged)
	}
	lost := count(receipts, func(one record.ListedReceipt) bool { return one.Err != nil })
	if lost > 0 {
		f.Detail += fmt.Sprintf(", and %s damaged", screen.Counted(lost, "receipt"))
	}
	what, fix := tryFolder(folder)
	if what != "" {
		f.Status, f.Detail, f.Fix = warn, f.Detail+"; "+what, fix
	}
	if damaged+lost > 0 {
		f.Status, f.Fix = warn, strings.TrimSpace("See them, and what to do: rolecall sessions list. "+fix)
	}
	return f
}

func count[T any](all []T, which func(T) bool) int {
	n := 0
	for _, one := range all {
		if which(one) {
			n++
		}
	}
	return n
}

func findProfiles(a *cli.App) line {
	profiles, err := aws.Profiles(a.Env.Getenv)
	if err != nil {
		p := cli.ProblemOf(err)
		return line{Name: "profiles", Status: warn, Detail: p.What, Fix: p.Next}
	}
	if len(profiles) == 0 {
		return line{Name: "profiles", Status: warn, Detail: "no AWS profiles", Fix: "The environment's credentials are used, if there are any."}
	}
	f := line{Name: "profiles", Status: pass}
	names := make([]string, len(profiles))
	for i, p := range profiles {
		names[i] = p.Name
	}
	f.Detail = strings.Join(names, ", ")
	for _, p := range profiles {
		if p.Problem != nil { // as --profile would tell it
			known := cli.ProblemOf(p.Problem)
			f.Status, f.Detail, f.Fix = warn, strings.TrimSuffix(f.Detail, ".")+". "+known.What, cmp.Or(f.Fix, known.Next)
		}
	}
	return f
}

// findAWS asks who is signed in, and then what that says of the clock, of the way
// to AWS and of what each command may do.
func findAWS(ctx context.Context, a *cli.App) []line {
	ctx, cancel := context.WithTimeout(ctx, doctorWait)
	defer cancel()
	account, err := aws.Open(ctx, a.AWSOptions(a.Profile, "", cli.OneCode("")))
	if err != nil {
		lines := append([]line{failed(nameAWS, err), findClock(nil, err)}, findEndpoints(ctx, nil, err)...)
		return append(lines, findPermissions(ctx, nil, aws.Identity{})...)
	}
	id, err := account.Identity(ctx)
	lines := []line{findIdentity(account, id, err), findClock(account, err)}
	lines = append(lines, findEndpoints(ctx, account, err)...)
	if err != nil {
		return append(lines, findPermissions(ctx, nil, id)...)
	}
	return append(lines, findPermissions(ctx, account, id)...)
}

// findIdentity says who is signed in.
func findIdentity(account *aws.Account, id aws.Identity, err error) line {
	if err != nil {
		return failed(nameAWS, err)
	}
	found := id.ARN
	if endpoint := account.Endpoint(); endpoint != "" {
		found += " at " + endpoint
	}
	return line{Name: nameAWS, Status: pass, Detail: found}
}

// findToken looks for the token of a vendor's API, and tries it: by reading which
// accounts it sees. Where nobody answers as the vendor does, nobody knows.
func findToken(ctx context.Context, a *cli.App, api vendorapi.API) line {
	name := api.Name + "-token"
	opened, err := api.Open(a.VendorEnvironment(), "")
	if err != nil {
		return failed(name, err)
	}
	if opened.Client == nil {
		return line{
			Name:   name,
			Status: warn,
			Detail: "no token",
			Fix:    "Set " + api.TokenName + ", paste one when the wizard asks, or go on by hand.",
		}
	}
	where := "from " + opened.Source + ", for " + opened.Host
	ctx, cancel := context.WithTimeout(ctx, doctorWait)
	defer cancel()
	accounts, err := opened.Client.Accounts(ctx)
	if err == nil {
		return line{Name: name, Status: pass, Detail: where + "; it sees " + screen.Counted(len(accounts), "account")}
	}
	p := cli.ProblemOf(err)
	l := line{Name: name, Status: fail, Detail: where + ": " + p.What, Fix: p.Next, problem: p}
	if p.Kind != screen.VendorRefuse {
		l.Status = unknown
	}
	return l
}
