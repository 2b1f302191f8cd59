// Package organisation holds the commands on an AWS organisation: org plan, apply,
// status, verify and remove, and their rehearsal. It stands on steps/organisation,
// which does the work.
package organisation

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/steps/describe"
	"rolecall/steps/organisation"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/flags"
)

// command is one command on an organisation, with its flags.
type command struct {
	app   *cli.App
	given flags.Flags

	units, accounts, tags  []string
	automatic              bool
	tolerance, concurrency string
	reader, format, output string
	drift, resend, sends   bool // sends: the declared request was agreed to
	wait                   time.Duration
	rehearsed              *rehearsed // nil: the real one
	telling                *teller    // of the run under way; nil before

	changed func(flag string) bool // tells whether the command line has it
	late    func(error) error      // tells of an error that came with the end of the time
}

// longWait is how long a command may take that nobody gave a --wait: AWS makes
// the stacks of thousands of accounts in hours.
const longWait = 2 * time.Hour

// The formats of a report.
const (
	formatText = "text"
	formatJSON = "json"
	formatCSV  = "csv"
	formatHTML = "html"
)

// OrgCommand is rolecall org.
func OrgCommand(a *cli.App) *cobra.Command {
	c := &command{app: a}
	cmd := &cobra.Command{
		Use:   "org",
		Short: "Connect every account of an AWS organization",
		Long: "org connects the accounts of an organization by one CloudFormation StackSet, from its management account or from a delegated " +
			"administrator's. AWS deploys the stacks; rolecall gives each account its own external ID and hands each role over as it becomes " +
			"ready. " +
			"It never signs in to the accounts. org alone, on a terminal, is the wizard: it walks through the same as steps. What was " +
			"done is kept, so that org apply goes on where it stopped, and can run on a schedule: " +
			"exit 0, all are connected; 3, some failed; 8, the time was up.",
		Example: "  rolecall org plan --ou /prod\n  rolecall org apply --ou /prod --automatic-deployment\n  rolecall org status --format csv",
		Args:    a.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.given.Yes() || a.JSON || c.format != formatText || !a.Interactive() && !a.LineByLine() {
				return cli.Usage("There is no command behind org.", "plan, apply, status, verify or remove; or a terminal for the wizard",
					"See rolecall org --help.")
			}
			return c.walk(cmd.Context())
		},
	}
	c.bind(cmd)
	c.bindDeployment(cmd)
	hide(cmd, "yes", "acknowledge-iam-capabilities", "plan", "format", "wait")
	cmd.AddCommand(planCommand(a), applyCommand(a), statusCommand(a), verifyCommand(a), removeCommand(a))
	return cmd
}

// bind gives a command the flags that all of them have.
func (c *command) bind(cmd *cobra.Command) {
	c.given.Bind(cmd, flags.Organising)
	f := cmd.Flags()
	c.changed = f.Changed
	f.StringSliceVar(&c.units, "ou", nil, "organizational units, by ID or path: /prod,/dev/eu")
	f.StringSliceVar(&c.accounts, "accounts", nil, "account numbers, or one file with a number on each line")
	f.StringArrayVar(&c.tags, "account-tag", nil, "only accounts with this tag of Organizations: k=v; again for more, which all must be there")
	f.StringVar(&c.format, "format", formatText, "text, json, csv or html")
	f.DurationVar(&c.wait, "wait", longWait, "how long it may take")
	for _, hidden := range []string{"partition"} {
		_ = cmd.Flags().MarkHidden(hidden) // the flag exists: bind made it
	}
}

// bindDeployment adds the flags of what deploys.
func (c *command) bindDeployment(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&c.automatic, "automatic-deployment", false, "deploy to accounts that come into the units later, too")
	f.StringVar(&c.tolerance, "failure-tolerance", "10%", "begin no more when more than so many accounts failed: N or P%")
	f.StringVar(&c.concurrency, "concurrency", "50", "accounts at the same time: N or P%")
}

// hide keeps flags out of the help of a command that has no use for them.
func hide(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		_ = cmd.Flags().MarkHidden(name) // the flag exists: bind made it
	}
}

// share reads N or P%.
func share(flag, text string) (organisation.Share, error) {
	s, err := organisation.ParseShare(text)
	if err != nil {
		return s, cli.Usage("--"+flag+" is "+draw.Clean(text)+".", "a number of accounts, or a percentage up to 100%", "Correct --"+flag+".")
	}
	return s, nil
}

func (c *command) options() (organisation.Options, error) {
	o := organisation.Options{Acknowledged: true, Hurried: c.rehearsed != nil, Resend: c.resend}
	if c.given.Given("automatic-deployment") || c.automatic { // a plan may say it, too
		o.Automatic = &c.automatic
	}
	var err error
	if o.Tolerance, err = share("failure-tolerance", cmp.Or(c.tolerance, "10%")); err != nil {
		return o, err
	}
	o.Concurrent, err = share("concurrency", cmp.Or(c.concurrency, "50"))
	return o, err
}

// within runs a command with --wait as the one deadline over everything that it
// asks of others.
func (c *command) within(run func(context.Context) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		if err := cli.CheckWait(c.wait); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), c.wait)
		defer cancel()
		c.late = func(err error) error { return late(ctx, err) }
		return c.late(run(ctx))
	}
}

// late is TimeUp in the place of an error that came since the time was up.
// Whatever else went wrong counts more.
func late(ctx context.Context, err error) error {
	cut := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, cli.ErrCancelled) || cli.ProblemOf(err).Kind == screen.Failure
	if err == nil || !cut || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return err
	}
	return organisation.TimeUp()
}

// check checks what needs no network.
func (c *command) check() error {
	if c.app.JSON {
		c.format = formatJSON
	}
	if !slices.Contains([]string{formatText, formatJSON, formatCSV, formatHTML}, c.format) {
		return cli.Usage("--format: there is no "+draw.Clean(c.format)+".", "text, json, csv or html", "Correct --format.")
	}
	if c.format == formatJSON {
		c.app.JSON = true
	}
	if err := cli.CheckWait(c.wait); err != nil {
		return err
	}
	if _, err := c.options(); err != nil {
		return err
	}
	return c.app.CheckCommon()
}

// prepare turns the flags, or a plan, into what is wanted.
func (c *command) prepare() (*flags.Prepared, error) {
	if c.given.Given("plan") {
		return flags.Prepare(c.app, &c.given)
	}
	name := cmp.Or(c.given.Text("vendor"), flags.DefaultVendor())
	return flags.Select(&c.given, name, describe.AccessRole, true)
}

// choice is which accounts the flags mean. A flag that is given and names nothing
// is refused: without one, all of the organization is meant, and an empty variable
// of a script must not say so.
func (c *command) choice() (organisation.Choice, error) {
	chosen := organisation.Choice{Units: c.units}
	if c.names("ou") && (len(c.units) == 0 || slices.Contains(c.units, "")) {
		return chosen, namesNothing("ou", "organizational units, by ID or path: --ou /prod,/dev/eu")
	}
	if c.names("account-tag") && len(c.tags) == 0 {
		return chosen, namesNothing("account-tag", "a tag as key=value")
	}
	for _, text := range c.tags {
		tag, err := organisation.ParseTag(text)
		if err != nil {
			return chosen, err
		}
		chosen.Tags = append(chosen.Tags, tag)
	}
	for _, word := range c.accounts {
		if allDigits(word) {
			chosen.Accounts = append(chosen.Accounts, word)
			continue
		}
		if strings.TrimSpace(word) == "" {
			return chosen, namesNothing("accounts", accountsExpected)
		}
		more, err := readAccounts(word)
		if err != nil {
			return chosen, err
		}
		chosen.Accounts = append(chosen.Accounts, more...)
	}
	if c.names("accounts") && len(chosen.Accounts) == 0 {
		return chosen, namesNothing("accounts", accountsExpected)
	}
	return chosen, nil
}

const accountsExpected = "account numbers, or one file with a number on each line"

// names tells whether a flag that says which accounts are meant is given.
func (c *command) names(flag string) bool { return c.changed(flag) }

func namesNothing(flag, expected string) error {
	return cli.Usage("--"+flag+" names nothing, and without it all of the organization would be meant.", expected,
		"Say which are meant, or leave out --"+flag+".")
}

func allDigits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// readAccounts reads account numbers from a file: the first word of each line, as
// in a list or a CSV, or a JSON array of texts. At least one.
func readAccounts(name string) ([]string, error) {
	if _, err := os.Stat(name); err != nil {
		return nil, cli.CannotRead(name, err)
	}
	text, err := cli.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var list []string
	if json.Unmarshal(text, &list) != nil {
		list = firstWords(string(text))
	}
	if len(list) == 0 {
		return nil, cli.Usage(draw.Clean(name)+" holds no account number.", "a number of twelve digits on each line", "Name the right file.")
	}
	return list, nil
}

// firstWords are the first words of the lines that are neither empty nor a
// comment. The heading of a table goes, which has no digit: a mistyped number is
// for whoever checks it, and not passed over.
func firstWords(text string) (list []string) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		word, _, _ := strings.Cut(strings.NewReplacer(";", ",", "\t", ",", " ", ",", `"`, "").Replace(line), ",")
		if word == "" || len(list) == 0 && !strings.ContainsAny(word, "0123456789") {
			continue
		}
		list = append(list, word)
	}
	return list
}
