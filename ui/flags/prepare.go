package flags

import (
	"fmt"
	"slices"
	"strings"
	"sync"

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

// Way is a way to connect, as far as flags or a plan say it.
type Way struct {
	Vendor, Method, Access string
	Yes                    bool // defaults are taken
}

// Prepare checks every flag and turns them into answers. Nothing was done when
// it refuses.
func Prepare(a *cli.App, f *Flags) (*Prepared, error) {
	p := &Prepared{Load: Library().Load}
	if err := a.CheckCommon(); err != nil {
		return nil, err
	}
	b, err := f.readPlan(a)
	if err != nil {
		return nil, err
	}
	way := Way{Vendor: f.Text("vendor"), Method: f.Text("method"), Access: f.Text("access"), Yes: f.Yes()}
	if b != nil {
		p.Answers = b.answers
		way = Way{Vendor: p.Answers.Vendor, Method: p.Answers.Method, Access: p.Answers.Access, Yes: f.Yes()}
	}
	if err := p.Offer(way); err != nil {
		return nil, err
	}
	if err := b.keep(f, p, a.Env.Now()); err != nil {
		return nil, err
	}
	if err := f.fit(p); err != nil {
		return nil, err
	}
	p.Answers.Profile, p.Answers.Region = a.Profile, a.Region
	p.Answers.AccountID, p.Answers.AccountPinned = a.Account, a.Account != ""
	return p, nil
}

// Select takes the flags that say what is wanted of a vendor, for commands that
// follow no method. The access is role or user; empty: a role, where the
// vendor's selection needs one. The partition stays open unless it is settled:
// then it is the vendor's default.
func Select(f *Flags, vendor, access string, settled bool) (*Prepared, error) {
	v, err := Library().Load(vendor)
	if err != nil {
		return nil, cli.FlagRefused("--vendor", err)
	}
	p := &Prepared{Vendor: v, Load: Library().Load}
	p.Answers.Vendor, p.Answers.Access = describe.Canonical(vendor), access
	if settled {
		p.Answers.Partition = v.DefaultPartition()
	}
	if err := f.checkShapes(v); err != nil {
		return nil, err
	}
	if access == "" {
		p.Answers.Access = describe.AccessRole
		if err := (bundles{}).put(f, "products", p, ""); err != nil {
			return nil, err
		}
		if len(v.RolesFor(p.Answers.Bundles, describe.AccessRole)) == 0 {
			p.Answers.Access = describe.AccessUser
		}
	}
	return p, f.take(p)
}

// Offer finds the ways to connect that are left open.
func (p *Prepared) Offer(way Way) error {
	names := describe.List()
	if way.Vendor != "" {
		names = []string{describe.Canonical(way.Vendor)}
	}
	var all []step.Offer
	byName := map[string]*describe.Vendor{}
	for i, loaded := range p.loadAll(names) {
		if loaded.err != nil && way.Vendor == "" && !describe.BuiltIn(names[i]) {
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
		return way.Method != "" && o.Method != way.Method || way.Access != "" && o.Access != way.Access
	})
	if len(p.Offers) == 0 {
		return noOffer(way, all)
	}
	first := p.Offers[0]
	if way.Yes && sameAccess(p.Offers) {
		p.Offers = p.Offers[:1]
	}
	if way.Yes && len(p.Offers) > 1 {
		if way.Vendor != "" {
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
func noOffer(way Way, all []step.Offer) error {
	if len(all) == 0 {
		return cli.Usage("rolecall cannot connect "+draw.Clean(way.Vendor)+" yet: its description has no method.",
			"a vendor with a method", "See which have one: rolecall vendors list.")
	}
	var asked []string
	for _, word := range [][2]string{{"--vendor", way.Vendor}, {"--method", way.Method}, {"--access", way.Access}} {
		if word[1] != "" {
			asked = append(asked, word[0]+" "+word[1])
		}
	}
	return cli.Usage("There is no way to connect with "+draw.Clean(strings.Join(asked, " "))+".",
		"one of: "+OfferList(all), meant(way, all)+"Leave the flag out, or give one of these.")
}

// meant asks whether a method or an access was mistyped; empty where none was.
func meant(way Way, all []step.Offer) string {
	var methods, accesses []string
	for _, o := range all {
		methods, accesses = append(methods, o.Method), append(accesses, o.Access)
	}
	for _, one := range []struct {
		flag, word string
		known      []string
	}{{"--method", way.Method, methods}, {"--access", way.Access, accesses}} {
		near := cli.Nearest(one.word, one.known)
		if one.word != "" && near != "" && !slices.Contains(one.known, one.word) {
			return "Did you mean " + one.flag + " " + near + "? "
		}
	}
	return ""
}

// OfferList says in flags which ways there are.
func OfferList(offers []step.Offer) string {
	var words []string
	for _, o := range offers {
		words = append(words, fmt.Sprintf("--vendor %s --method %s --access %s", o.Vendor, o.Method, o.Access))
	}
	return strings.Join(words, "; ")
}

// fit checks the flags against the vendor and against each other, and takes
// them.
func (f *Flags) fit(p *Prepared) error {
	if err := f.belong(p); err != nil {
		return err
	}
	if err := f.checkShapes(p.Vendor); err != nil {
		return err
	}
	if err := f.narrow(p); err != nil || p.Vendor == nil {
		return err
	}
	return f.take(p)
}

// belong refuses flags of methods that nobody offers here. What is offered
// comes from the vendors' descriptions.
func (f *Flags) belong(p *Prepared) error {
	for _, r := range f.rows(nil) {
		if r.owner.fits != nil && f.Given(r.name) && !slices.ContainsFunc(p.Offers, r.owner.fits) {
			return cli.Usage("--"+r.name+" goes with "+r.owner.with+", which is not what is done here.",
				"flags of: "+OfferList(p.Offers), "Leave out --"+r.name+".")
		}
	}
	return nil
}

// narrow leaves only the offers of the default vendor where flags mean something
// to one vendor alone, and refuses them where role or user is still open.
func (f *Flags) narrow(p *Prepared) error {
	if !p.Open() {
		return nil
	}
	for _, name := range f.singles() {
		if p.Vendor == nil || !sameAccess(p.Offers) {
			return cli.Usage("--"+name+" needs to know the vendor and the access.", "one of: "+OfferList(p.Offers),
				"Give --vendor, --method and --access too.")
		}
		p.Offers = slices.DeleteFunc(p.Offers, func(o step.Offer) bool { return o.Vendor != p.Answers.Vendor })
	}
	return nil
}

// singles are the given flags that mean something to one vendor alone.
func (f *Flags) singles() []string {
	names := f.givenParameters()
	for _, r := range f.rows(nil) {
		if r.single && f.Given(r.name) {
			names = append(names, r.name)
		}
	}
	return names
}

// checkShapes checks the values that have a grammar of their own. An empty one
// is refused, except where it says that nothing is taken from a session.
func (f *Flags) checkShapes(v *describe.Vendor) error {
	for _, r := range f.rows(v) {
		given := f.Given(r.name)
		if !given && r.name != "wait" {
			continue
		}
		if f.empty(r) && r.recalled&f.use != 0 {
			continue
		}
		if r.kind == listed && f.empty(r) {
			return cli.Usage("--"+r.name+" is empty.", "at least one", "Correct --"+r.name+", or leave it out.")
		}
		if r.shape == nil {
			continue
		}
		if err := r.shape(f.Text(r.name)); err != nil {
			return cli.FlagRefused("--"+r.name, err)
		}
	}
	return nil
}

// empty tells whether a flag has nothing for a value.
func (f *Flags) empty(r row) bool {
	switch r.kind {
	case listed:
		return len(f.list(r.name)) == 0
	case word:
		return f.Text(r.name) == ""
	case repeated, length, toggle:
	}
	return false
}

// take makes answers of the given flags, each checked against the vendor and
// what was answered before it.
func (f *Flags) take(p *Prepared) error {
	for _, r := range f.rows(p.Vendor) {
		if r.field == nil || !f.Given(r.name) || r.group == groupWhat && isWay(r.name) {
			continue
		}
		if err := r.field.put(f, r.name, p, firstPurpose(p)); err != nil {
			return err
		}
		if r.fits == nil || f.empty(r) {
			continue
		}
		if err := r.fits(f, p); err != nil {
			return err
		}
	}
	return f.strangers(p.Vendor)
}

// isWay tells whether a flag says the way to connect, which was taken already.
func isWay(name string) bool { return name == "vendor" || name == "method" || name == "access" }

// firstPurpose is that of the first role or user that the selection needs,
// which names and external ID are of: the others keep what the description
// suggests.
func firstPurpose(p *Prepared) string {
	if needed := p.Answers.Request(p.Vendor).Needed(); len(needed) > 0 {
		return needed[0].Purpose
	}
	return ""
}

// Session makes the session that the flags describe; its worlds come later.
func (p *Prepared) Session(a *cli.App) *step.Session {
	s := &step.Session{Answers: p.Answers, Vendor: p.Vendor, Offers: p.Offers, LoadVendor: p.Load, Now: a.Env.Now}
	if s.Vendor != nil {
		s.Prepare()
	}
	return s
}

// DefaultVendor is the first of the vendors that can be connected: assets say
// which stands first.
func DefaultVendor() string {
	names := describe.List()
	for _, name := range names {
		if v, err := steps.Library().Load(name); err == nil && len(v.Methods) > 0 {
			return name
		}
	}
	return names[0]
}
