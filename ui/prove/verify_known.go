package prove

import (
	"context"
	"maps"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/aws/audit"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// surroundings are whose accounts are known, so that strangers can be told.
type surroundings struct {
	app     *cli.App
	known   audit.Known
	vendors map[string]*describe.Vendor
	notes   []string // what could not be found out, in sentences
}

// load reads all descriptions of vendors, to know their accounts, and one that
// was given.
func (v *surroundings) load(given string) error {
	v.vendors = map[string]*describe.Vendor{}
	names := describe.List()
	if given != "" && !slices.Contains(names, given) {
		names = append(names, given)
	}
	for _, name := range names {
		vendor, err := steps.Library().Load(name)
		switch {
		case err != nil && name == given:
			return cli.FlagRefused("--vendor", err)
		case err != nil:
			shown := draw.Clean(name)
			v.note(
				"The description of the vendor " + shown + " cannot be read, so that its accounts count as strangers: see rolecall vendors check " +
					shown + ".",
			)
		default:
			v.vendors[vendor.Name] = vendor
		}
	}
	return nil
}

func (v *surroundings) note(sentence string) {
	if !slices.Contains(v.notes, sentence) {
		v.notes = append(v.notes, sentence)
	}
}

// readOrganization takes the accounts of the organisation for no strangers, as
// far as they can be known.
func (v *surroundings) readOrganization(ctx context.Context, account *aws.Account) error {
	o, err := account.Organization(ctx)
	if aws.KindOf(err) == aws.Denied {
		v.note(
			"Whether the account is in an organization cannot be read (organizations:DescribeOrganization): accounts of the same one count as " +
				"strangers.",
		)
		return nil
	}
	if err != nil || o.ID == "" {
		return err
	}
	v.known.Organization, v.known.Members = o.ID, []string{o.ManagementAccountID}
	members, err := account.OrganizationAccounts(ctx)
	if aws.KindOf(err) == aws.Denied {
		v.note(
			"The accounts of organization " + o.ID + " cannot be listed from here (organizations:ListAccounts): all but its management account " +
				"count as strangers.",
		)
		return nil
	}
	v.known.Members = members
	return err
}

// know tells the audit whose accounts are known, and what roles were connected
// as.
func (v *surroundings) know() {
	v.known.Vendors = nil
	for _, name := range slices.Sorted(maps.Keys(v.vendors)) {
		v.known.Vendors = append(v.known.Vendors, vendorOf(v.vendors[name], v.known.Partition))
	}
	v.known.Want = v.recall
}

func vendorOf(vendor *describe.Vendor, partition string) audit.Vendor {
	out := audit.Vendor{Name: vendor.Name, Title: vendor.Title}
	usual := vendor.Partitions[partition].TrustedAccount
	for _, role := range vendor.Roles {
		if w := role.WebIdentity; !w.None() {
			if !strings.Contains(w.Issuer, "{") {
				out.Webs = append(out.Webs, audit.Web{Issuer: w.Issuer, Audience: w.Audience, Subject: w.Subject})
			}
			continue
		}
		accounts := role.Principals
		if len(accounts) == 0 || partition != "aws" {
			accounts = []string{usual}
		}
		for _, account := range accounts {
			if account == "" || role.Access == describe.AccessUser || slices.Contains(out.Accounts, account) {
				continue
			}
			out.Accounts = append(out.Accounts, account)
			if role.NoExternal != "" {
				out.NoID = append(out.NoID, account)
			}
		}
	}
	return out
}

// recall is what the newest session that connected the role wanted it to be.
func (v *surroundings) recall(role aws.Role, vendor string) (aws.Want, bool) {
	store, err := v.app.Store()
	if err != nil {
		return aws.Want{}, false
	}
	found, err := step.Recall(store, v.known.Account, vendor, role.Name, false)
	if err != nil || found.Answers.ID == "" {
		return aws.Want{}, false
	}
	return wantOf(v.vendors[vendor], found.Answers, found.Purpose, v.app)
}

// wantOf is what a session wants of its role; false where its vendor's
// description does not tell any more.
func wantOf(vendor *describe.Vendor, answers record.Answers, purpose string, a *cli.App) (aws.Want, bool) {
	s := &step.Session{Vendor: vendor, Now: a.Env.Now}
	s.Answers = answers
	s.Prepare()
	if _, ok := vendor.Role(purpose); !ok {
		return aws.Want{}, false
	}
	g, err := s.Grant(purpose)
	if err != nil {
		return aws.Want{}, false
	}
	return g.Want(), true
}
