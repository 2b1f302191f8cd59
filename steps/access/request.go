// Package access says what is wanted: a request (vendor, selection, settings,
// names) resolves to grants, one for each role or user that the vendor gets,
// with its documents and settings whole. It is the only code that composes,
// fills, restricts and splits; everything that makes, checks, plans, updates or
// exports asks it. It stands on describe, and knows no session and no disk.
package access

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
)

// Request is what somebody wants a vendor to get.
type Request struct {
	Vendor    *describe.Vendor
	Access    string // describe.AccessRole or describe.AccessUser; empty means role
	Partition string
	AccountID string // the customer's; empty while it is not known
	// TrustedAccount is the vendor's account where its description names none.
	TrustedAccount string
	Selection
	Settings
	Names map[string]Names // by purpose; what is empty is as the description suggests
	// Minify asks for the shortest documents that grant the same.
	Minify bool
}

// Selection says what the policies grant. It is written into sessions and plans.
type Selection struct {
	// Bundles are the products and integrations ("elastigroup/route53"), expanded;
	// nil means the vendor's default.
	Bundles []string `json:"products,omitempty"`
	// Parameters fill the placeholders of the vendor's policies, by name.
	Parameters  map[string]string `json:"parameters,omitempty"`
	Regions     []string          `json:"regions,omitempty"`      // what is granted is limited to them
	RestrictTag string            `json:"restrict_tag,omitempty"` // key=value; what is granted is limited to it
}

// Settings are set on what is made. They are written into sessions and plans.
type Settings struct {
	Path       string            `json:"path,omitempty"`                 // of role, user and policies: "/team/"
	Boundary   string            `json:"permissions_boundary,omitempty"` // ARN
	Tags       map[string]string `json:"tags,omitempty"`
	SessionFor time.Duration     `json:"session_duration,omitempty"` // longest session of a role; 0: AWS's hour
}

// Names are those of one role or user, and what only its vendor account tells.
type Names struct {
	Policy, Role, User string
	ExternalID         string
	// Principal is whom the vendor shows for this role once it has its ARN.
	Principal string
	// Closed is an external ID that nobody knows, of a role that is made before its
	// vendor tells whom to trust; empty where such a role cannot be made.
	Closed string
}

// Needed lists the roles that the selection needs, or the users where the
// vendor gets those.
func (r Request) Needed() []*describe.Role {
	return r.Vendor.RolesFor(r.Bundles, r.access())
}

func (r Request) access() string { return cmp.Or(r.Access, describe.AccessRole) }

// Parameterised are the names of the parameters that what is needed has, each
// once, in the order in which they are asked for.
func (r Request) Parameterised() []string {
	var names []string
	for _, role := range r.Needed() {
		for _, name := range role.ParameterNames() {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// Sampled is the request with a sample in the place of each parameter that has no
// value yet, and what those are called: a review judges values, not placeholders.
func (r Request) Sampled(purpose string) (sampled Request, unknown []string) {
	sampled, values := r, maps.Clone(r.Parameters)
	if values == nil {
		values = map[string]string{}
	}
	role := r.Role(purpose)
	for _, name := range role.ParameterNames() {
		if p := role.Parameters[name]; p.Check(values[name]) != nil {
			values[name] = p.Sample()
			unknown = append(unknown, p.Label)
		}
	}
	sampled.Parameters = values
	return sampled, unknown
}

// Role is what the description says of the role of a purpose; an empty one with
// that purpose where it says nothing.
func (r Request) Role(purpose string) *describe.Role {
	if role, ok := r.Vendor.Role(purpose); ok {
		return role
	}
	return &describe.Role{Purpose: purpose}
}

// Trusted are whom a role of this purpose trusts: the vendor's AWS accounts, and
// its roles and users by their ARNs. It is empty where nobody is known.
func (r Request) Trusted(purpose string) []string {
	if !r.Role(purpose).WebIdentity.None() {
		return nil
	}
	if shown := r.Names[purpose].Principal; shown != "" {
		return []string{shown}
	}
	if chosen := r.Role(purpose).TrustedBy(r.Parameters, r.Partition); chosen != "" {
		return []string{chosen}
	}
	accounts := r.Vendor.TrustedAccounts(r.Role(purpose), r.Partition)
	if len(accounts) == 0 && r.TrustedAccount != "" {
		return []string{r.TrustedAccount}
	}
	return accounts
}

// Closed tells whether the role is to be closed for now: whom it has to trust, or
// under which external ID, its vendor tells only once the role exists.
func (r Request) Closed(purpose string) bool {
	return r.Role(purpose).Later() && (r.Names[purpose].ExternalID == "" || len(r.Trusted(purpose)) == 0)
}

// Managed are the ARNs of the AWS managed policies that it has to have.
func (r Request) Managed(purpose string) []string {
	return r.Role(purpose).ManagedARNs(r.Partition, r.Parameters)
}

// Grants are all that the selection needs, in the description's order. The
// error names what is missing: a parameter without a value, or a policy that
// does not fit.
func (r Request) Grants() ([]Grant, error) {
	var grants []Grant
	for _, role := range r.Needed() {
		g, err := r.Grant(role.Purpose)
		if err != nil {
			return nil, err
		}
		grants = append(grants, g)
	}
	return grants, nil
}

// Grant is what the role or user of one purpose gets. With an error everything
// but the permission documents is there.
func (r Request) Grant(purpose string) (Grant, error) {
	role, names := r.Role(purpose), r.Names[purpose]
	g := Grant{
		Purpose: purpose, Role: role, Vendor: r.Vendor.Title, User: role.Access == describe.AccessUser,
		Partition: r.Partition, AccountID: r.AccountID, Settings: r.Settings,
		PolicyName: cmp.Or(names.Policy, role.PolicyName), Managed: r.Managed(purpose),
	}
	if g.User {
		g.Name = cmp.Or(names.User, role.UserName)
	} else {
		g.Name, g.ExternalID, g.Trusted = cmp.Or(names.Role, role.RoleName), names.ExternalID, r.Trusted(purpose)
		web, err := r.web(role)
		g.Web = web
		if err != nil {
			return g, err
		}
		if role.Later() && names.Closed != "" && r.AccountID != "" {
			g.Shut = policy.NewTrust(r.Partition, []string{r.AccountID}, names.Closed)
		}
		if g.Closed = r.Closed(purpose) && g.Shut != nil; g.Closed {
			g.Trusted, g.ExternalID = []string{r.AccountID}, names.Closed
		}
		g.Trust = g.TrustUnder(g.ExternalID)
	}
	if err := r.own(role); err != nil {
		return g, err
	}
	if err := role.CheckManaged(r.Partition, r.Parameters); err != nil {
		return g, err
	}
	whole, err := r.compose(role)
	if whole == nil || err != nil {
		return g, err
	}
	g.Whole, g.Kept = r.restrict(whole)
	if r.Minify {
		g.Whole = g.Whole.Minify()
	}
	g.Documents, err = g.split()
	return g, err
}

// own refuses somebody of the customer's own account as a vendor that told later
// whom to trust.
func (r Request) own(role *describe.Role) error {
	if !role.Later() || r.AccountID == "" {
		return nil
	}
	for _, who := range r.Trusted(role.Purpose) {
		if arn, _ := aws.SplitARN(who); who != r.AccountID && arn.AccountID != r.AccountID {
			continue
		}
		return &screen.Fault{Problem: screen.Problem{
			What:     who + " is of your own account " + r.AccountID + ", and not " + r.Vendor.Title + "'s.",
			Expected: "whom " + r.Vendor.Title + " shows as its own",
			Next:     "Copy it from there.", Flag: "--trusted-account", Kind: screen.Usage}}
	}
	return nil
}

// web is whom a role trusts by web identity; nil where it trusts accounts.
func (r Request) web(role *describe.Role) (*policy.WebIdentity, error) {
	w, err := role.Web(r.Parameters)
	if w == nil || err != nil {
		return nil, err
	}
	w.Partition, w.AccountID = r.Partition, r.AccountID
	return w, nil
}

// OwnPolicy tells whether the selection needs the vendor's own policy: else AWS
// managed policies are all, or nothing is.
func (r Request) OwnPolicy(purpose string) bool {
	return r.Vendor.Compose(r.Role(purpose), r.Bundles, r.Partition) != nil
}

// Bundle is what a product ("elastigroup") or an integration
// ("elastigroup/route53") asks for by itself, as published, and the purpose of
// the role that gets it; nil where it adds no statement.
func (r Request) Bundle(id string) (purpose string, doc *policy.Document) {
	name, _, _ := strings.Cut(id, "/")
	product, known := r.Vendor.Bundle(name)
	bundle, ok := r.Vendor.Bundle(id)
	if !known || !ok || len(bundle.Statements) == 0 {
		return "", nil
	}
	return product.Role, r.Role(product.Role).Document.Select(bundle.Statements...)
}

// Cost says what needs a statement of a role's policy, and what stops without
// it, in the vendor's terms; empty where the description has no reason.
func (r Request) Cost(purpose, sid string) string {
	why, ok := r.Role(purpose).Why[sid]
	if !ok {
		return ""
	}
	serves := cmp.Or(strings.Join(r.Vendor.Titles(r.Vendor.Serves(sid)), ", "), r.Vendor.Title)
	return "Needed by " + serves + ". Without it: " + why.Without
}

// Open is the vendor's own policy for the selection, as Grant has it, as far as
// the parameters are known: before anybody was asked for the others. It is nil
// where nothing selected needs that policy.
func (r Request) Open(purpose string) *policy.Document {
	doc := r.Vendor.Compose(r.Role(purpose), r.Bundles, r.Partition)
	if doc == nil {
		return nil
	}
	doc, _ = r.restrict(r.Role(purpose).FillKnown(doc, r.Parameters))
	return doc
}

// compose is the vendor's own policy for the selection, its parameters filled
// in; nil where nothing selected needs it.
func (r Request) compose(role *describe.Role) (*policy.Document, error) {
	doc := r.Vendor.Compose(role, r.Bundles, r.Partition)
	if doc == nil {
		return nil, nil //nolint:nilnil // nothing is needed of it
	}
	filled, err := role.Fill(doc, r.Parameters)
	if err != nil {
		return nil, err
	}
	return filled, r.whole(role, filled)
}

// whole refuses a document in which a placeholder is left: it would be created as
// it stands, and grant what nobody has. A value may look like a name itself.
func (r Request) whole(role *describe.Role, doc *policy.Document) error {
	name := r.Vendor.Left(doc, r.Parameters)
	if name == "" {
		return nil
	}
	return &screen.Fault{Problem: screen.Problem{
		What:     "The policy of " + role.Title + " still holds the placeholder " + name + ".",
		Expected: "a policy in which every placeholder is filled in",
		Next:     "The description of " + r.Vendor.Title + " has a mistake: rolecall vendors check FILE.", Kind: screen.NotAsNeeded}}
}

// Kept is an entry of a policy that a restriction left as it was.
type Kept struct {
	By string // what did not reach it: "region" or "tag"
	policy.KeptEntry
}

// restrict limits a document to the regions and the tag that were asked for.
func (r Request) restrict(doc *policy.Document) (*policy.Document, []Kept) {
	var kept []Kept
	apply := func(by string, restriction policy.Restriction) {
		doc = restriction.Document
		for _, entry := range restriction.Kept {
			kept = append(kept, Kept{by, entry})
		}
	}
	if len(r.Regions) > 0 {
		apply("region", doc.RestrictRegions(r.Regions...))
	}
	if key, value, ok := strings.Cut(r.RestrictTag, "="); ok {
		apply("tag", doc.RestrictTag(key, value))
	}
	return doc, kept
}

// TagList is the tags, sorted by key.
func (s Settings) TagList() []aws.Tag {
	var tags []aws.Tag
	for key, value := range s.Tags {
		tags = append(tags, aws.Tag{Key: key, Value: value})
	}
	slices.SortFunc(tags, func(a, b aws.Tag) int { return cmp.Compare(a.Key, b.Key) })
	return tags
}

// UnknownAccount refuses where the vendor's account is known neither from its
// description nor from the request.
func (r Request) UnknownAccount(purpose string) error {
	if r.access() == describe.AccessUser || !r.Role(purpose).WebIdentity.None() || len(r.Trusted(purpose)) > 0 {
		return nil
	}
	return &screen.Fault{Problem: screen.Problem{
		What:     "The AWS account of " + r.Vendor.Title + " in " + r.Partition + " is not known.",
		Expected: "an account for the trust policy of " + r.Role(purpose).RoleName,
		Next:     strings.TrimSpace("Name it at the step that asks for the partition. " + r.Vendor.Partitions[r.Partition].Why),
		Flag:     "--trusted-account", Kind: screen.Usage}}
}

// Setup is everything for the exports: the same documents as in every other
// method. The error names what is not known.
func (r Request) Setup() (*policy.Setup, error) {
	setup := &policy.Setup{Description: "Access of " + r.Vendor.Title + " to this account, made by rolecall", Partition: r.Partition}
	for _, role := range r.Needed() {
		g, err := r.Grant(role.Purpose)
		if err != nil {
			return nil, err
		}
		if err := r.UnknownAccount(role.Purpose); err != nil && !g.Closed {
			return nil, err
		}
		setup.Roles = append(setup.Roles, g.SetupRole())
	}
	return setup, nil
}

// Document is a permissions policy that has to exist. Its name is a suggestion.
type Document struct {
	Name     string
	ARN      string // that a managed policy of this name has; empty for an inline one
	Document *policy.Document
	Limit    int // characters that a policy of its kind may have
}

// split divides what one policy cannot hold: into as few as possible.
func (g Grant) split() ([]Document, error) {
	if g.Role.Inline {
		return []Document{{Name: g.PolicyName, Document: g.Whole, Limit: g.Role.Limit()}}, nil
	}
	parts, err := g.Whole.Split(policy.MaxManaged, policy.MaxAttached-len(g.Managed))
	if err != nil {
		return nil, &screen.Fault{Err: err, Problem: screen.Problem{
			What:     "The policy does not fit: " + strings.TrimSuffix(err.Error(), ".") + ".",
			Expected: "at most ten policies of 6,144 characters, AWS's own included",
			Next:     "Choose fewer products, or leave restrictions out.", Kind: screen.NotAsNeeded}}
	}
	documents := make([]Document, len(parts))
	for i, part := range parts {
		name := g.PolicyName
		if i > 0 {
			name = fmt.Sprintf("%s-%d", name, i+1)
		}
		documents[i] = Document{Name: name, ARN: aws.PolicyARN(g.Partition, g.AccountID, g.Path, name), Document: part, Limit: g.Role.Limit()}
	}
	return documents, nil
}
