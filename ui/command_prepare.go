package ui

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/ui/draw"
)

// prepared is what flags decided before anything was asked or sent.
type prepared struct {
	answers record.Answers
	vendor  *describe.Vendor // nil while there is more than one offer
	offers  []step.Offer
	load    func(name string) (*describe.Vendor, error)
}

// prepare checks every flag and turns them into answers. Nothing was done when
// it refuses.
func (a *app) prepare(f *connectFlags) (*prepared, error) {
	p := &prepared{load: describe.Load}
	if err := a.checkCommon(); err != nil {
		return nil, err
	}
	plan, err := f.bindPlan()
	if err != nil {
		return nil, err
	}
	if err := p.offer(f); err != nil {
		return nil, err
	}
	if err := f.fit(p); err != nil {
		return nil, err
	}
	f.fillFromPlan(p, plan)
	p.answers.Profile, p.answers.Region = a.profile, a.region
	p.answers.AccountID, p.answers.AccountPinned = a.account, a.account != ""
	return p, nil
}

// checkCommon checks the flags that every command has.
func (a *app) checkCommon() error {
	if a.account != "" {
		if err := aws.CheckAccountID(a.account); err != nil {
			return flagRefused("--aws-account", err)
		}
	}
	if a.region != "" {
		if err := aws.CheckRegion(a.region); err != nil {
			return flagRefused("--region", err)
		}
	}
	return nil
}

// flagRefused says which flag an error is about, and that nothing was done.
func flagRefused(flag string, err error) error {
	p := problemOf(err)
	p.What, p.Kind = flag+": "+p.What, screen.Usage
	if p.Next == "" {
		p.Next = "Correct " + flag + "."
	}
	return &screen.Fault{Problem: p, Err: err}
}

// offer finds the ways to connect that the flags leave open.
func (p *prepared) offer(f *connectFlags) error {
	names := describe.List()
	if f.vendor != "" {
		names = []string{describe.Canonical(f.vendor)}
	}
	var all []step.Offer
	byName := map[string]*describe.Vendor{}
	for i, loaded := range p.loadAll(names) {
		if loaded.err != nil && f.vendor == "" && !describe.BuiltIn(names[i]) {
			continue // a file of the user's that is broken stops nothing else
		}
		if loaded.err != nil {
			return flagRefused("--vendor", loaded.err)
		}
		name, v := names[i], loaded.vendor
		byName[name] = v
		for _, m := range v.Methods {
			all = append(all, step.Offer{Vendor: name, Method: m.ID, Access: m.Access, Label: v.Title + " · " + m.Title})
		}
	}
	p.offers = slices.DeleteFunc(slices.Clone(all), func(o step.Offer) bool {
		return f.method != "" && o.Method != f.method || f.access != "" && o.Access != f.access
	})
	if len(p.offers) == 0 {
		return noOffer(f, all)
	}
	first := p.offers[0]
	if f.yes && sameAccess(p.offers) {
		p.offers = p.offers[:1]
	}
	if f.yes && len(p.offers) > 1 {
		if f.vendor != "" {
			p.answers.Vendor = first.Vendor
		}
		return nil // nothing answers which access: the first step says so
	}
	p.vendor = byName[first.Vendor]
	p.answers.Vendor, p.answers.Method, p.answers.Access = first.Vendor, first.Method, first.Access
	return nil
}

// loadedVendor is a description, or why it cannot be used.
type loadedVendor struct {
	vendor *describe.Vendor
	err    error
}

// loadAll reads descriptions side by side: reading them is most of what happens
// before the first frame.
func (p *prepared) loadAll(names []string) []loadedVendor {
	loaded := make([]loadedVendor, len(names))
	var wait sync.WaitGroup
	for i, name := range names {
		wait.Go(func() { loaded[i].vendor, loaded[i].err = p.load(name) })
	}
	wait.Wait()
	return loaded
}

// open reports whether the wizard asks which vendor and method are meant; until
// then the first offer stands for the answer.
func (p *prepared) open() bool { return len(p.offers) > 1 }

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
func noOffer(f *connectFlags, all []step.Offer) error {
	asked := strings.TrimSpace(strings.Join([]string{
		wordIf("--vendor ", f.vendor), wordIf("--method ", f.method), wordIf("--access ", f.access)}, " "))
	if len(all) == 0 {
		return usage("rolecall cannot connect "+draw.Clean(f.vendor)+" yet: its description has no method.",
			"a vendor with a method", "See which have one: rolecall vendors list.")
	}
	return usage("There is no way to connect with "+draw.Clean(strings.Join(strings.Fields(asked), " "))+".",
		"one of: "+offerList(all), "Leave the flag out, or give one of these.")
}

func wordIf(flag, value string) string {
	if value == "" {
		return ""
	}
	return flag + value
}

func offerList(offers []step.Offer) string {
	var words []string
	for _, o := range offers {
		words = append(words, fmt.Sprintf("--vendor %s --method %s --access %s", o.Vendor, o.Method, o.Access))
	}
	return strings.Join(words, "; ")
}

// fit checks the flags against the vendor and against each other.
func (f *connectFlags) fit(p *prepared) error {
	if err := f.belong(p); err != nil {
		return err
	}
	if err := f.checkShapes(); err != nil {
		return err
	}
	if err := f.narrow(p); err != nil || p.vendor == nil {
		return err
	}
	for _, fill := range []func(*prepared) error{f.fillPartition, f.fillVendorAccount, f.fillSelection, f.fillParameters, f.fillParts, f.fillSettings} {
		if err := fill(p); err != nil {
			return err
		}
	}
	if err := f.checkRestriction(p.answers.Partition); err != nil {
		return err
	}
	p.answers.Regions, p.answers.RestrictTag = f.regions, f.restrictTag
	p.answers.Path, p.answers.Boundary = f.path, f.boundary
	p.answers.ReplaceRole = f.replaceRole
	p.answers.Stack.Name, p.answers.Stack.Acknowledged = f.stackName, f.acknowledge
	return nil
}

// narrow leaves only the offers of the default vendor where flags mean something
// to one vendor alone, and refuses them where role or user is still open.
func (f *connectFlags) narrow(p *prepared) error {
	if !p.open() {
		return nil
	}
	for _, flag := range []string{"partition", "trusted-account", "products", "account", "account-name", "external-id", "role-name",
		"policy-name", "path", "permissions-boundary", "report-bucket", "replace-role", "regions", "restrict-tag"} {
		if !f.given(flag) {
			continue
		}
		if p.vendor == nil || !sameAccess(p.offers) {
			return usage("--"+flag+" needs to know the vendor and the access.", "one of: "+offerList(p.offers), "Give --vendor, --method and --access too.")
		}
		p.offers = slices.DeleteFunc(p.offers, func(o step.Offer) bool { return o.Vendor != p.answers.Vendor })
	}
	return nil
}

// belong refuses flags of methods that nobody offers here. What is offered
// comes from the vendors' descriptions.
func (f *connectFlags) belong(p *prepared) error {
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
		if f.given(o.flag) && !slices.ContainsFunc(p.offers, o.fits) {
			return usage("--"+o.flag+" goes with "+o.with+", which is not what is done here.",
				"flags of: "+offerList(p.offers), "Leave out --"+o.flag+".")
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

// checkShapes checks the values whose grammar is AWS's.
func (f *connectFlags) checkShapes() error {
	shapes := []struct {
		flag, value string
		check       func(string) error
	}{
		{"--role-name", f.roleName, aws.CheckRoleName},
		{"--policy-name", f.policyName, aws.CheckPolicyName},
		{"--user-name", f.userName, aws.CheckUserName},
		{"--path", f.path, aws.CheckPolicyPath},
		{"--external-id", f.externalID, aws.CheckExternalID},
		{"--permissions-boundary", f.boundary, checkPolicyARN},
		{"--stack-name", f.stackName, aws.CheckStackName},
	}
	for _, s := range shapes {
		if s.value == "" && !f.given(strings.TrimPrefix(s.flag, "--")) {
			continue
		}
		if err := s.check(s.value); err != nil {
			return flagRefused(s.flag, err)
		}
	}
	if f.wait <= 0 {
		return usage("--wait is "+f.wait.String()+".", "a time above zero, such as 2m", "Correct --wait.")
	}
	return nil
}

func checkPolicyARN(s string) error {
	arn, ok := aws.SplitARN(s)
	if ok && arn.Service == "iam" && strings.HasPrefix(arn.Resource, "policy/") {
		return nil
	}
	return usage(fmt.Sprintf("%q is not the ARN of a policy.", draw.Clean(s)),
		"arn:aws:iam::123456789012:policy/NAME", "Copy the ARN from the policy's page in the console.")
}

func (f *connectFlags) fillPartition(p *prepared) error {
	v := p.vendor
	if f.partition == "" && f.trustedAccount == "" {
		return nil
	}
	partition := f.partition
	if partition == "" {
		partition = describe.Commercial
	}
	if _, ok := v.Partitions[partition]; !ok {
		return usage(fmt.Sprintf("--partition: %s has no %q.", v.Title, draw.Clean(partition)),
			"one of: "+strings.Join(v.PartitionsOf(), ", "), "Correct --partition.")
	}
	p.answers.Partition = partition
	if f.trustedAccount == "" {
		return nil
	}
	if err := v.CheckTrustedAccount(partition, f.trustedAccount); err != nil {
		return flagRefused("--trusted-account", err)
	}
	p.answers.TrustedAccount = f.trustedAccount
	return nil
}

func (f *connectFlags) fillVendorAccount(p *prepared) error {
	term := p.vendor.Account
	switch {
	case f.account == "" && f.accountName == "":
		return nil
	case term.Label == "":
		return usage("--account and --account-name are of no use: "+p.vendor.Title+" has no accounts of its own.", "neither", "Leave them out.")
	case f.accountName != "" && !strings.ContainsFunc(f.accountName, unicode.IsLetter):
		return usage("--account-name needs at least one letter.", "a name such as prod", "Correct --account-name.")
	case f.account != "" && f.accountName != "":
		return usage("--account and --account-name say two things.", "one of them", "Give the ID, or the name.")
	}
	if f.account != "" {
		if pattern, err := regexp.Compile("^(?:" + term.Pattern + ")$"); err == nil && term.Pattern != "" && !pattern.MatchString(f.account) {
			return usage(fmt.Sprintf("--account: %q is not the ID of a %s.", draw.Clean(f.account), term.Label),
				"such as "+term.Example, "Copy it from "+p.vendor.Title+"'s console.")
		}
	}
	p.answers.VendorAccount, p.answers.NewVendorAccount = f.account, f.accountName
	return nil
}

func (f *connectFlags) fillSelection(p *prepared) error {
	if len(f.products) == 0 {
		return nil
	}
	bundles, err := p.vendor.Bundles(f.products)
	if err != nil {
		return flagRefused("--products", err)
	}
	if where, ok := p.vendor.Partitions[p.answers.Partition]; ok && !where.Customise {
		return usage("--products: the policy cannot be customised in "+where.Title+". "+where.Why, "no --products there", "Leave out --products.")
	}
	p.answers.Bundles = bundles
	return nil
}

// fillParameters takes the values that a policy's placeholders need.
func (f *connectFlags) fillParameters(p *prepared) error {
	if f.reportBucket == "" {
		return nil
	}
	for i := range p.vendor.Roles {
		for name, parameter := range p.vendor.Roles[i].Parameters {
			if parameter.Flag != "--report-bucket" {
				continue
			}
			if err := parameter.Check(f.reportBucket); err != nil {
				return flagRefused(parameter.Flag, err)
			}
			p.answers.Parameters = map[string]string{name: f.reportBucket}
			return nil
		}
	}
	return usage("--report-bucket is of no use: no policy of "+p.vendor.Title+" has a bucket.", "no --report-bucket", "Leave it out.")
}

// fillParts gives names and external ID to the first role that is needed: the
// others keep what the description suggests.
func (f *connectFlags) fillParts(p *prepared) error {
	if f.externalID == "" && f.roleName == "" && f.policyName == "" && f.userName == "" {
		return nil
	}
	roles := p.vendor.RolesFor(p.answers.Bundles, p.answers.Access)
	if len(roles) == 0 {
		return nil
	}
	if f.externalID != "" {
		if err := p.vendor.CheckExternalID(f.externalID); err != nil {
			return flagRefused("--external-id", err)
		}
	}
	p.answers.Parts = map[string]record.Part{roles[0].Purpose: {
		PolicyName: f.policyName, RoleName: f.roleName, NameGiven: f.roleName != "", ExternalID: f.externalID,
		UserName: f.userName, UserNameGiven: f.userName != "",
	}}
	return nil
}

// session makes the session that the flags describe; its worlds come later.
func (p *prepared) session(a *app) *step.Session {
	s := &step.Session{Answers: p.answers, Vendor: p.vendor, Offers: p.offers, LoadVendor: p.load, Now: a.env.Now}
	if s.Vendor != nil {
		s.Prepare()
	}
	return s
}
