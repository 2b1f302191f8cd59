package flags

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"rolecall/aws"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// Prepared is what flags decided before anything was asked or sent.
type Prepared struct {
	Answers record.Answers
	Vendor  *describe.Vendor // nil while there is more than one offer
	Offers  []step.Offer
	Load    func(name string) (*describe.Vendor, error)
}

// Prepare checks every flag and turns them into answers. Nothing was done when
// it refuses.
func Prepare(a *cli.App, f *Flags) (*Prepared, error) {
	p := &Prepared{Load: steps.Library().Load}
	if err := a.CheckCommon(); err != nil {
		return nil, err
	}
	plan, err := f.bindPlan()
	if err != nil {
		return nil, err
	}
	if err := p.Offer(f); err != nil {
		return nil, err
	}
	if err := f.fit(p); err != nil {
		return nil, err
	}
	f.fillFromPlan(p, plan)
	p.Answers.Profile, p.Answers.Region = a.Profile, a.Region
	p.Answers.AccountID, p.Answers.AccountPinned = a.Account, a.Account != ""
	return p, nil
}

// Offer finds the ways to connect that the flags leave open.
func (p *Prepared) Offer(f *Flags) error {
	names := describe.List()
	if f.Vendor != "" {
		names = []string{describe.Canonical(f.Vendor)}
	}
	var all []step.Offer
	byName := map[string]*describe.Vendor{}
	for i, loaded := range p.loadAll(names) {
		if loaded.err != nil && f.Vendor == "" && !describe.BuiltIn(names[i]) {
			continue // a file of the user's that is broken stops nothing else
		}
		if loaded.err != nil {
			return cli.FlagRefused("--vendor", loaded.err)
		}
		name, v := names[i], loaded.vendor
		byName[name] = v
		for _, m := range v.Methods {
			all = append(all, step.Offer{Vendor: name, Method: m.ID, Access: m.Access, Label: v.Title + " · " + m.Title})
		}
	}
	p.Offers = slices.DeleteFunc(slices.Clone(all), func(o step.Offer) bool {
		return f.method != "" && o.Method != f.method || f.Access != "" && o.Access != f.Access
	})
	if len(p.Offers) == 0 {
		return noOffer(f, all)
	}
	first := p.Offers[0]
	if f.Yes && sameAccess(p.Offers) {
		p.Offers = p.Offers[:1]
	}
	if f.Yes && len(p.Offers) > 1 {
		if f.Vendor != "" {
			p.Answers.Vendor = first.Vendor
		}
		return nil // nothing answers which access: the first step says so
	}
	p.Vendor = byName[first.Vendor]
	p.Answers.Vendor, p.Answers.Method, p.Answers.Access = first.Vendor, first.Method, first.Access
	return nil
}

// loadedVendor is a description, or why it cannot be used.
type loadedVendor struct {
	vendor *describe.Vendor
	err    error
}

// loadAll reads descriptions side by side: reading them is most of what happens
// before the first frame.
func (p *Prepared) loadAll(names []string) []loadedVendor {
	loaded := make([]loadedVendor, len(names))
	var wait sync.WaitGroup
	for i, name := range names {
		wait.Go(func() { loaded[i].vendor, loaded[i].err = p.Load(name) })
	}
	wait.Wait()
	return loaded
}

// Open reports whether the wizard asks which vendor and method are meant; until
// then the first offer stands for the answer.
func (p *Prepared) Open() bool { return len(p.Offers) > 1 }

// sameAccess reports whether the first vendor's first method has one access
// only, so that a default is no choice between a role and a user.
func sameAccess(offers []step.Offer) bool {
	for _, o := range offers {
		if o.Vendor == offers[0].Vendor && o.Access != offers[0].Access {
			return false
		}
	}
	return true
}

// noOffer says which methods there are, from the vendors' descriptions.
func noOffer(f *Flags, all []step.Offer) error {
	asked := strings.TrimSpace(strings.Join([]string{
		wordIf("--vendor ", f.Vendor), wordIf("--method ", f.method), wordIf("--access ", f.Access)}, " "))
	if len(all) == 0 {
		return cli.Usage("rolecall cannot connect "+draw.Clean(f.Vendor)+" yet: its description has no method.",
			"a vendor with a method", "See which have one: rolecall vendors list.")
	}
	return cli.Usage("There is no way to connect with "+draw.Clean(strings.Join(strings.Fields(asked), " "))+".",
		"one of: "+OfferList(all), "Leave the flag out, or give one of these.")
}

func wordIf(flag, value string) string {
	if value == "" {
		return ""
	}
	return flag + value
}

func OfferList(offers []step.Offer) string {
	var words []string
	for _, o := range offers {
		words = append(words, fmt.Sprintf("--vendor %s --method %s --access %s", o.Vendor, o.Method, o.Access))
	}
	return strings.Join(words, "; ")
}

// fit checks the flags against the vendor and against each other.
func (f *Flags) fit(p *Prepared) error {
	if err := f.belong(p); err != nil {
		return err
	}
	if err := f.CheckShapes(); err != nil {
		return err
	}
	if err := f.narrow(p); err != nil || p.Vendor == nil {
		return err
	}
	for _, fill := range []func(*Prepared) error{f.FillPartition, f.fillVendorAccount, f.FillSelection, f.FillParameters, f.FillParts, f.fillSettings} {
		if err := fill(p); err != nil {
			return err
		}
	}
	if err := f.CheckRestriction(p.Answers.Partition); err != nil {
		return err
	}
	p.Answers.Regions, p.Answers.RestrictTag = f.Regions, f.RestrictTag
	p.Answers.Path, p.Answers.Boundary = f.Path, f.Boundary
	p.Answers.ReplaceRole = f.replaceRole
	p.Answers.Stack.Name, p.Answers.Stack.Acknowledged = f.stackName, f.acknowledge
	return nil
}

// narrow leaves only the offers of the default vendor where flags mean something
// to one vendor alone, and refuses them where role or user is still open.
func (f *Flags) narrow(p *Prepared) error {
	if !p.Open() {
		return nil
	}
	for _, flag := range []string{"partition", "trusted-account", "products", "account", "account-name", "external-id", "role-name",
		"policy-name", "path", "permissions-boundary", "report-bucket", "replace-role", "regions", "restrict-tag"} {
		if !f.Given(flag) {
			continue
		}
		if p.Vendor == nil || !sameAccess(p.Offers) {
			return cli.Usage("--"+flag+" needs to know the vendor and the access.", "one of: "+OfferList(p.Offers), "Give --vendor, --method and --access too.")
		}
		p.Offers = slices.DeleteFunc(p.Offers, func(o step.Offer) bool { return o.Vendor != p.Answers.Vendor })
	}
	return nil
}

// belong refuses flags of methods that nobody offers here. What is offered
// comes from the vendors' descriptions.
func (f *Flags) belong(p *Prepared) error {
	owners := []struct {
		flag string
		fits func(step.Offer) bool
		with string
	}{
		{"stack-name", byMethod("automatic"), "--method automatic"},
		{"acknowledge-iam-capabilities", byMethod("automatic"), "--method automatic"},
		{"tag", byMethod("automatic", "direct"), "--method automatic or direct"},
		{"session-duration", byMethod("automatic", "direct"), "--method automatic or direct"},
		{"user-name", byAccess(describe.AccessUser), "--access user"},
		{"secret-file", byAccess(describe.AccessUser), "--access user"},
	}
	for _, o := range owners {
		if f.Given(o.flag) && !slices.ContainsFunc(p.Offers, o.fits) {
			return cli.Usage("--"+o.flag+" goes with "+o.with+", which is not what is done here.",
				"flags of: "+OfferList(p.Offers), "Leave out --"+o.flag+".")
		}
	}
	return nil
}

func byMethod(ids ...string) func(step.Offer) bool {
	return func(o step.Offer) bool { return slices.Contains(ids, o.Method) }
}

func byAccess(access string) func(step.Offer) bool {
	return func(o step.Offer) bool { return o.Access == access }
}

// CheckShapes checks the values whose grammar is AWS's.
func (f *Flags) CheckShapes() error {
	shapes := []struct {
		flag, value string
		check       func(string) error
	}{
		{"--role-name", f.RoleName, aws.CheckRoleName},
		{"--policy-name", f.PolicyName, aws.CheckPolicyName},
		{"--user-name", f.userName, aws.CheckUserName},
		{"--path", f.Path, aws.CheckPolicyPath},
		{"--external-id", f.ExternalID, aws.CheckExternalID},
		{"--permissions-boundary", f.Boundary, cli.CheckPolicyARN},
		{"--stack-name", f.stackName, aws.CheckStackName},
	}
	for _, s := range shapes {
		if s.value == "" && !f.Given(strings.TrimPrefix(s.flag, "--")) {
			continue
		}
		if err := s.check(s.value); err != nil {
			return cli.FlagRefused(s.flag, err)
		}
	}
	if f.Wait <= 0 {
		return cli.Usage("--wait is "+f.Wait.String()+".", "a time above zero, such as 2m", "Correct --wait.")
	}
	return nil
}

func (f *Flags) FillPartition(p *Prepared) error {
	v := p.Vendor
	if f.Partition == "" && f.TrustedAccount == "" {
		return nil
	}
	partition := f.Partition
	if partition == "" {
		partition = describe.Commercial
	}
	if _, ok := v.Partitions[partition]; !ok {
		return cli.Usage(fmt.Sprintf("--partition: %s has no %q.", v.Title, draw.Clean(partition)),
			"one of: "+strings.Join(v.PartitionsOf(), ", "), "Correct --partition.")
	}
	p.Answers.Partition = partition
	if f.TrustedAccount == "" {
		return nil
	}
	if err := v.CheckTrustedAccount(partition, f.TrustedAccount); err != nil {
		return cli.FlagRefused("--trusted-account", err)
	}
	p.Answers.TrustedAccount = f.TrustedAccount
	return nil
}

func (f *Flags) fillVendorAccount(p *Prepared) error {
	term := p.Vendor.Account
	switch {
	case f.account == "" && f.accountName == "":
		return nil
	case term.Label == "":
		return cli.Usage("--account and --account-name are of no use: "+p.Vendor.Title+" has no accounts of its own.", "neither", "Leave them out.")
	case f.accountName != "" && !strings.ContainsFunc(f.accountName, unicode.IsLetter):
		return cli.Usage("--account-name needs at least one letter.", "a name such as prod", "Correct --account-name.")
	case f.account != "" && f.accountName != "":
		return cli.Usage("--account and --account-name say two things.", "one of them", "Give the ID, or the name.")
	}
	if f.account != "" {
		if pattern, err := regexp.Compile("^(?:" + term.Pattern + ")$"); err == nil && term.Pattern != "" && !pattern.MatchString(f.account) {
			return cli.Usage(fmt.Sprintf("--account: %q is not the ID of a %s.", draw.Clean(f.account), term.Label),
				"such as "+term.Example, "Copy it from "+p.Vendor.Title+"'s console.")
		}
	}
	p.Answers.VendorAccount, p.Answers.NewVendorAccount = f.account, f.accountName
	return nil
}

func (f *Flags) FillSelection(p *Prepared) error {
	if len(f.Products) == 0 {
		return nil
	}
	bundles, err := p.Vendor.Bundles(f.Products)
	if err != nil {
		return cli.FlagRefused("--products", err)
	}
	if where, ok := p.Vendor.Partitions[p.Answers.Partition]; ok && !where.Customise {
		return cli.Usage("--products: the policy cannot be customised in "+where.Title+". "+where.Why, "no --products there", "Leave out --products.")
	}
	p.Answers.Bundles = bundles
	return nil
}

// FillParameters takes the values that a policy's placeholders need.
func (f *Flags) FillParameters(p *Prepared) error {
	if f.ReportBucket == "" {
		return nil
	}
	for i := range p.Vendor.Roles {
		for name, parameter := range p.Vendor.Roles[i].Parameters {
			if parameter.Flag != "--report-bucket" {
				continue
			}
			if err := parameter.Check(f.ReportBucket); err != nil {
				return cli.FlagRefused(parameter.Flag, err)
			}
			p.Answers.Parameters = map[string]string{name: f.ReportBucket}
			return nil
		}
	}
	return cli.Usage("--report-bucket is of no use: no policy of "+p.Vendor.Title+" has a bucket.", "no --report-bucket", "Leave it out.")
}

// FillParts gives names and external ID to the first role that is needed: the
// others keep what the description suggests.
func (f *Flags) FillParts(p *Prepared) error {
	if f.ExternalID == "" && f.RoleName == "" && f.PolicyName == "" && f.userName == "" {
		return nil
	}
	roles := p.Vendor.RolesFor(p.Answers.Bundles, p.Answers.Access)
	if len(roles) == 0 {
		return nil
	}
	if f.ExternalID != "" {
		if err := p.Vendor.CheckExternalID(f.ExternalID); err != nil {
			return cli.FlagRefused("--external-id", err)
		}
	}
	p.Answers.Parts = map[string]record.Part{roles[0].Purpose: {
		PolicyName: f.PolicyName, RoleName: f.RoleName, NameGiven: f.RoleName != "", ExternalID: f.ExternalID,
		UserName: f.userName, UserNameGiven: f.userName != "",
	}}
	return nil
}

// Session makes the session that the flags describe; its worlds come later.
func (p *Prepared) Session(a *cli.App) *step.Session {
	s := &step.Session{Answers: p.Answers, Vendor: p.Vendor, Offers: p.Offers, LoadVendor: p.Load, Now: a.Env.Now}
	if s.Vendor != nil {
		s.Prepare()
	}
	return s
}

// DefaultVendor is the first built-in vendor that can be connected.
func DefaultVendor() string {
	names := describe.List()
	for _, name := range names {
		if v, err := steps.Library().Load(name); err == nil && len(v.Methods) > 0 {
			return name
		}
	}
	return names[0]
}
