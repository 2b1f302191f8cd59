package prove

import (
	"cmp"
	"context"
	"fmt"

	"rolecall/aws"
	"rolecall/aws/evidence"
	"rolecall/steps/drift"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// driftJSON is what verify --receipt prints with --json: the contract's fields,
// each check with the item of the receipt that it is of.
type driftJSON struct {
	OK       bool           `json:"ok"`
	Role     *aws.RoleRef   `json:"role"`
	Roles    []aws.RoleRef  `json:"roles"`
	Checks   []drift.Check  `json:"checks"`
	Receipt  receiptRefJSON `json:"receipt"`
	Evidence *evidenceJSON  `json:"evidence,omitempty"`
	Error    *cli.ErrorJSON `json:"error,omitempty"`
}

type receiptRefJSON struct {
	Session   string `json:"session"`
	Vendor    string `json:"vendor"`
	AccountID string `json:"account_id"`
}

// verifyReceipt compares the account with what a receipt records.
func verifyReceipt(ctx context.Context, a *cli.App, f *verifyFlags) error {
	until := a.Env.Now().Add(f.wait)
	receipt, err := f.readReceipt(ctx, a)
	if err != nil {
		return err
	}
	if err := a.CheckCommon(); err != nil {
		return err
	}
	if err := f.checkEvidence(a); err != nil {
		return err
	}
	v := &surroundings{app: a}
	if err := v.load(f.Connect.Text("vendor")); err != nil {
		return err
	}
	v.known.Partition, v.known.Account, v.known.Now = receipt.Partition, receipt.AccountID, a.Env.Now()
	v.know()
	source, err := f.receiptSource(ctx, v, receipt)
	if err != nil {
		return err
	}
	for _, note := range v.notes {
		a.Say("%s", note)
	}
	report, err := lookUntil(ctx, a.Env, until, func() (drift.Report, bool, error) {
		c := drift.Comparison{Source: source, Receipt: receipt, Known: v.known}
		r, err := c.Compare(ctx)
		return r, r.OK, err
	})
	if err != nil {
		return f.contradicted(err)
	}
	return printDrift(a, receipt, report, source)
}

// readReceipt reads the file, and refuses what cannot be meant together with it.
func (f *verifyFlags) readReceipt(ctx context.Context, a *cli.App) (record.Receipt, error) {
	for _, one := range []struct {
		flag  string
		given bool
	}{{"--role", f.Role != ""}, {"--user", f.user != ""}, {"--external-id", f.Connect.Given("external-id")}, {"--products",
		f.Connect.Given("products")}} {
		if one.given {
			return record.Receipt{}, cli.Usage(
				one.flag+" goes not with --receipt: the receipt says what has to be there.",
				"--receipt alone",
				"Leave out one of them.",
			)
		}
	}
	text, err := cli.Await(ctx, func() ([]byte, error) { return cli.ReadFile(f.receipt) })
	if err != nil {
		return record.Receipt{}, err
	}
	receipt, err := record.ReadReceipt(text)
	name := draw.Clean(f.receipt)
	switch {
	case err != nil:
		return receipt, cli.Usage(
			name+" is no receipt that rolecall wrote: "+draw.Clean(err.Error())+".",
			"a file from the folder receipts of rolecall's state, unchanged",
			"Copy it again: rolecall sessions show tells where it is.",
		)
	case receipt.Rehearsal:
		return receipt, cli.Usage(
			name+" is the receipt of a rehearsal, of which nothing is left.",
			"the receipt of a session in an AWS account",
			"Name another file.",
		)
	case a.Account != "" && a.Account != receipt.AccountID:
		return receipt, cli.Usage(
			name+" is of account "+receipt.AccountID+", and --aws-account is "+a.Account+".",
			"one account",
			"Correct one of them.",
		)
	}
	return receipt, nil
}

// receiptSource is where what the receipt lists is looked at: in its own account
// alone.
func (f *verifyFlags) receiptSource(ctx context.Context, v *surroundings, receipt record.Receipt) (aws.Source, error) {
	a := v.app
	if f.evidence != "" {
		view, err := f.readEvidence(ctx, a, evidence.Ask{AccountID: receipt.AccountID, Partition: receipt.Partition, Now: a.Env.Now()})
		if err != nil {
			return nil, err
		}
		sayEvidence(a, view)
		return view, nil
	}
	options := a.AWSOptions(a.Profile, receipt.Partition, a.AskCode())
	options.PinAccount = receipt.AccountID
	options.Region = cmp.Or(options.Region, receipt.Region)
	account, err := aws.Open(ctx, options)
	if err != nil {
		return nil, err
	}
	if _, err := account.Identity(ctx); err != nil {
		return nil, err
	}
	return account, v.readOrganization(ctx, account)
}

// printDrift writes what was compared, item by item.
func printDrift(a *cli.App, receipt record.Receipt, r drift.Report, source aws.Source) error {
	document := driftJSON{
		OK:       r.OK,
		Roles:    append([]aws.RoleRef{}, r.Roles...),
		Checks:   append([]drift.Check{}, r.Checks...),
		Evidence: evidenceOf(source, nil),
		Receipt:  receiptRefJSON{Session: receipt.Session, Vendor: receipt.Vendor, AccountID: receipt.AccountID},
	}
	if len(r.Roles) > 0 {
		document.Role = &r.Roles[0]
	}
	if !a.JSON {
		last := ""
		for _, c := range r.Checks {
			if c.Item != last {
				a.Print("%s", c.Item)
			}
			last = c.Item
			reportText(a, aws.Report{Checks: []aws.Check{c.Check}})
		}
	}
	if r.OK {
		a.Say("All is as session %s made it.", receipt.Session)
		if a.JSON {
			a.WriteJSON(document)
		}
		return nil
	}
	return &cli.Failure{Err: &screen.Fault{Problem: drifted(receipt, r)}, Document: func(e *cli.ErrorJSON) any {
		document.Error = e
		return document
	}}
}

// drifted names what was changed first, else what cannot be told.
func drifted(receipt record.Receipt, r drift.Report) screen.Problem {
	for _, status := range []aws.Status{aws.Fail, aws.Unknown} {
		var first *drift.Check
		n := 0
		for i := range r.Checks {
			if r.Checks[i].Status == status {
				n++
				if first == nil {
					first = &r.Checks[i]
				}
			}
		}
		if first == nil {
			continue
		}
		what := fmt.Sprintf(
			"It is not as session %s made it, by %s. The first, %s, %s: %s.",
			receipt.Session,
			screen.Counted(n, "check"),
			first.Item,
			first.ID,
			first.Got,
		)
		if status == aws.Unknown {
			what = fmt.Sprintf(
				"rolecall cannot tell whether all is as session %s made it. %s, %s: %s.",
				receipt.Session,
				first.Item,
				first.ID,
				first.Got,
			)
		}
		return screen.Problem{What: what, Expected: first.Want, Next: first.Fix, Kind: screen.NotAsNeeded}
	}
	return screen.Problem{
		What:     "The receipt lists nothing that was made.",
		Expected: "a receipt with something in it",
		Next:     "Name another file.",
		Kind:     screen.NotAsNeeded,
	}
}
