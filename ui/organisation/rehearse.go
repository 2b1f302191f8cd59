package organisation

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/aws"
	rehearsal "rolecall/aws/rehearsal/organisation"
	"rolecall/steps"
	"rolecall/steps/vendorapi"
	"rolecall/ui/cli"
)

// rehearsed is an organisation and a vendor inside the program.
type rehearsed struct {
	org     *rehearsal.Organisation
	running *vendorapi.Rehearsed
	session string
}

// The size of a rehearsal, where nobody says it.
const (
	rehearsedAccounts = 24
	mostRehearsed     = 5000
	rehearsedStack    = 2 * time.Second
)

// RehearseCommand is rolecall rehearse org.
func RehearseCommand(a *cli.App) *cobra.Command {
	c := &command{app: a}
	fail := ""
	cmd := &cobra.Command{
		Use:   "org",
		Short: "Connect an organization inside the program",
		Long: "rehearse org is the same as org, against an organization and a vendor that run inside the program. It reads no environment " +
			"of AWS or of a " +
			"vendor and reaches nothing outside this machine. --fail has so many of the accounts refuse the stack: half of them once, so that " +
			"applying " +
			"again connects them.",
		Example: "  rolecall rehearse org\n  rolecall rehearse org --accounts 200 --fail 5% --json",
		Args:    a.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.rehearse(cmd.Context(), fail)
		},
	}
	c.bind(cmd)
	c.bindDeployment(cmd)
	cmd.Flags().StringVar(&fail, "fail", "", "how many of them refuse the stack: P% (default: two accounts)")
	hide(cmd, "yes", "acknowledge-iam-capabilities", "plan")
	return cmd
}

func (c *command) rehearse(ctx context.Context, fail string) error {
	accounts, given := rehearsedAccounts, c.changed
	// --accounts says how many there are, or which of them are meant.
	if len(c.accounts) == 1 && allDigits(c.accounts[0]) && len(c.accounts[0]) < 12 {
		accounts, _ = strconv.Atoi(c.accounts[0]) // digits, and few
		c.accounts = nil
		c.changed = func(flag string) bool { return flag != "accounts" && given(flag) }
	}
	if accounts < 1 || accounts > mostRehearsed {
		return cli.Usage("A rehearsal has no "+strconv.Itoa(accounts)+" accounts.", "1 to 5000", "Correct --accounts.")
	}
	percent := 200 / float64(accounts)
	if fail != "" {
		p, err := strconv.ParseFloat(strings.TrimSuffix(fail, "%"), 64)
		if err != nil || p < 0 || p > 100 {
			return cli.Usage("--fail is no percentage.", "0% to 100%", "Correct --fail.")
		}
		percent = p
	}
	suspended := 0
	if accounts >= rehearsedAccounts {
		suspended = 1
	}
	c.rehearsed = &rehearsed{org: rehearsal.New(rehearsal.Options{Accounts: accounts, Suspended: suspended, FailPercent: percent,
		StackTime:   rehearsedStack,
		Propagation: rehearsedStack / 4, Now: c.app.Env.Now, ReaderRole: c.reader})}
	server := c.rehearsed.org.Server()
	if err := server.Start(); err != nil {
		return err
	}
	defer c.rehearsed.close()
	asPerson := !c.given.Yes() && !c.app.JSON && c.format == formatText
	if asPerson && (c.app.Plain || c.app.Interactive()) {
		return c.walk(ctx)
	}
	c.app.Say("REHEARSAL: this organization and this vendor are inside the program. Nothing of it is real.")
	c.late = func(err error) error { return err }
	return c.runApply(ctx)
}

func (r *rehearsed) signIn(ctx context.Context, a *cli.App) (*aws.Account, error) {
	target := aws.RehearsalTarget(r.org.Server().Target())
	return aws.Open(ctx, aws.Options{Rehearsal: &target, UserAgent: "rolecall/" + cli.Version(), Now: a.Env.Now, After: a.Env.After})
}

// vendor starts the vendor, which tries the roles of the organisation; nil where
// the program has none.
func (r *rehearsed) vendor(name string) (vendorapi.Client, error) {
	api, ok := steps.APIs().Find(name)
	if !ok || api.Rehearse == nil {
		return nil, nil //nolint:nilnil // nil is "by hand"
	}
	if r.running != nil {
		return r.running.Client, nil
	}
	running, err := api.Rehearse(vendorapi.Rehearsal{Accounts: []vendorapi.Account{}, Assume: r.org.AssumeRole})
	if err != nil {
		return nil, err
	}
	r.running = &running
	return running.Client, nil
}

func (r *rehearsed) close() {
	_ = r.org.Server().Close() // the program ends, and with it the listener
	if r.running != nil {
		_ = r.running.Close()
	}
}
