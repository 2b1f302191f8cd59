package flags

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"rolecall/steps/describe"
	"rolecall/steps/plan"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// binding is an approved plan, and what it answers.
type binding struct {
	plan    *plan.Plan
	answers record.Answers
}

// readPlan reads the plan that --plan names, nil without one, and refuses one
// that was not approved as it is now, another way to connect than the plan's,
// and another account.
func (f *Flags) readPlan(a *cli.App) (*binding, error) {
	name := f.Text("plan")
	if name == "" {
		return nil, nil
	}
	text, err := cli.ReadFile(name)
	if err != nil {
		return nil, err
	}
	planned, err := plan.Read(text)
	if err != nil {
		return nil, err
	}
	if planned.Delegation != nil {
		return nil, cli.Usage(
			draw.Clean(filepath.Base(name))+" is the plan of a delegation request, and connects nothing.",
			"a file written by rolecall plan",
			"Accept what it approves: rolecall delegation accept "+draw.Clean(planned.Delegation.ID)+" --plan "+draw.Clean(name)+".",
		)
	}
	if (planned.Template != "") != (f.use == Organising) {
		kind := map[bool]string{true: "one made by rolecall org plan -o FILE", false: "one made by rolecall plan -o FILE"}[f.use == Organising]
		return nil, &screen.Fault{Problem: screen.Problem{What: draw.Clean(filepath.Base(name)) + " is a plan of another command.",
			Expected: kind, Next: planAnew, Kind: screen.NotAsNeeded}}
	}
	if err := Approved(name, planned); err != nil {
		return nil, err
	}
	b := &binding{planned, answersOf(planned)}
	for _, r := range f.rows(nil) {
		if isWay(r.name) && f.Given(r.name) {
			if err := b.same(f, r, &Prepared{Answers: b.answers}); err != nil {
				return nil, err
			}
		}
	}
	if planned.AccountID != "" && a.Account != "" && a.Account != planned.AccountID {
		return nil, otherThanPlanned("aws-account", a.Account, planned.AccountID)
	}
	a.Account = cmp.Or(a.Account, planned.AccountID)
	return b, nil
}

// Approved refuses a plan that no approval covers as it is now.
func Approved(name string, planned *plan.Plan) error {
	if len(planned.Approvals) > 0 && !planned.SettingsApproved() {
		return &screen.Fault{Problem: screen.Problem{
			What:     draw.Clean(filepath.Base(name)) + ": names or settings were changed after the approval.",
			Expected: "names and settings as they were approved", Next: planAnew, Kind: screen.NotAsNeeded}}
	}
	open := planned.Unapproved()
	if len(open) == 0 {
		return nil
	}
	return &screen.Fault{Problem: screen.Problem{
		What: fmt.Sprintf("%s is not approved: %d of its %d documents are in no approval.",
			draw.Clean(filepath.Base(name)), len(open), len(planned.Documents)),
		Expected: "an approval of every document", Kind: screen.NotAsNeeded,
		Next: "Have it reviewed, then: rolecall approve " + draw.Clean(name) + "."}}
}

const planAnew = "Plan with the same flags, have the plan approved (rolecall approve FILE), and give it with --plan."

// answersOf are the answers that a plan gives.
func answersOf(p *plan.Plan) record.Answers {
	a := record.Answers{
		Vendor: p.Vendor, Method: p.Method, Access: p.Access, Partition: p.Partition, VendorAccount: p.VendorAccount,
		AccountID: p.AccountID, Selection: p.Selection, Settings: p.Settings, Stack: record.Stack{Name: p.StackName},
		Parts: map[string]record.Part{}, Plan: p.Binding(),
	}
	for _, role := range p.Roles {
		part := record.Part{
			RoleName: role.RoleName, NameGiven: role.RoleName != "", UserName: role.UserName, UserNameGiven: role.UserName != "",
			PolicyName: role.PolicyName, ExternalID: role.ExternalID,
		}
		if part.ExternalID == plan.UnknownExternalID {
			part.ExternalID = ""
		}
		a.Parts[role.Purpose] = part
	}
	return a
}

// keep refuses a plan that would not be made as it was approved, and every flag
// that says otherwise. A nil binding keeps to nothing.
func (b *binding) keep(f *Flags, p *Prepared, now time.Time) error {
	if b == nil {
		return nil
	}
	if p.Vendor == nil || p.Open() {
		return cli.Usage("The plan leaves open what it is for.", "a plan for one vendor, method and access", planAnew)
	}
	p.Answers.TrustedAccount = b.trusted(p.Vendor)
	b.answers = p.Answers
	head := plan.Head{Tool: b.plan.Tool, Vendor: b.plan.Vendor, Method: b.plan.Method,
		VendorAccount: b.plan.VendorAccount, StackName: b.plan.StackName}
	anew, err := plan.Make(b.answers.Request(p.Vendor), head, now)
	if err != nil {
		return err
	}
	if differs := b.plan.Differs(anew); differs != nil {
		return &screen.Fault{Problem: *differs}
	}
	for _, r := range f.rows(p.Vendor) {
		if r.bound && !isWay(r.name) && f.Given(r.name) {
			if err := b.same(f, r, &Prepared{Answers: b.answers, Vendor: p.Vendor}); err != nil {
				return err
			}
		}
	}
	return nil
}

// trusted is the vendor's account that the plan names, where the description
// names none.
func (b *binding) trusted(v *describe.Vendor) string {
	for _, planned := range b.plan.Roles {
		role, ok := v.Role(planned.Purpose)
		if ok && len(v.TrustedAccounts(role, b.plan.Partition)) == 0 && len(planned.Trusts) == 1 {
			return planned.Trusts[0]
		}
	}
	return ""
}

// same refuses a flag that says something else than the plan. What the plan
// leaves open may be said.
func (b *binding) same(f *Flags, r row, said *Prepared) error {
	purpose := ""
	if said.Vendor != nil {
		purpose = firstPurpose(said)
	}
	planned := r.field.said(&b.answers, said.Vendor, purpose)
	if err := r.field.put(f, r.name, said, purpose); err != nil {
		return err
	}
	flag := r.field.said(&said.Answers, said.Vendor, purpose)
	if flag == planned || r.open && planned == "" {
		return nil
	}
	return otherThanPlanned(r.name, flag, planned)
}

func otherThanPlanned(name, flag, planned string) error {
	flag, planned = none(draw.Clean(flag)), none(draw.Clean(planned))
	return &screen.Fault{Problem: screen.Problem{
		What:     "--" + name + " is " + flag + ", and the plan says " + planned + ".",
		Expected: "what was approved: " + planned, Wanted: planned, Found: flag, Kind: screen.NotAsNeeded,
		Next: "Leave out --" + name + ". Or plan with it, have that approved (rolecall approve FILE), and give it with --plan."}}
}

// WritePlan writes a plan for its owner only. One that carries approvals is
// not overwritten.
func WritePlan(name string, text []byte) error {
	old, err := os.ReadFile(name)
	if err == nil {
		planned, err := plan.Read(old)
		if err != nil || len(planned.Approvals) > 0 {
			return cli.Usage(
				draw.Clean(name)+" exists, and is not a plan that nobody approved yet.",
				"a new file",
				"Give another name with -o, or remove the file first.",
			)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return cli.CannotRead(name, err)
	}
	if err := record.WriteAtomic(name, text); err != nil {
		return cli.Usage(
			draw.Clean(name)+" cannot be written: "+draw.Clean(err.Error())+".",
			"a folder that you may write to",
			"Give another name with -o.",
		)
	}
	return nil
}
