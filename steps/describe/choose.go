package describe

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"rolecall/policy"
)

// Commercial is the partition that vendors publish their policies for.
const Commercial = "aws"

// Accesses are the kinds of access that a vendor can get.
const (
	AccessRole = "role"
	AccessUser = "user"
)

// A method says by its ID who does the AWS part. The IDs are fixed, since scripts
// name them; which of them a vendor has, and what is done in each, its
// description says.
const (
	Manual    = "manual"    // the person, in the console
	Automatic = "automatic" // CloudFormation
	Direct    = "direct"    // rolecall, through the IAM API
)

// What is handed over of a role, by copy.
const (
	HandOverRole    = "role"
	HandOverAccount = "account"
)

// Whose is the vendor's name in the possessive: "Spot's", "Sprinters'".
func (v *Vendor) Whose() string {
	if strings.HasSuffix(v.Title, "s") {
		return v.Title + "'"
	}
	return v.Title + "'s"
}

// Method finds the way to connect with this ID ("manual") and access ("role").
// An empty access finds the first with that ID.
func (v *Vendor) Method(id, access string) (*Method, bool) {
	for i := range v.Methods {
		m := &v.Methods[i]
		if m.ID == id && (access == "" || m.Access == access) {
			return m, true
		}
	}
	return nil, false
}

// Step finds a step by its ID and, for those walked once for each role, by the
// role's purpose. An empty role finds the first with that ID.
func (m *Method) Step(id, role string) (*Step, bool) {
	for i := range m.Steps {
		s := &m.Steps[i]
		if s.ID == id && (role == "" || s.Role == role) {
			return s, true
		}
	}
	return nil, false
}

// Role finds a role by its purpose: "SpotinstRoleArn".
func (v *Vendor) Role(purpose string) (*Role, bool) {
	for i := range v.Roles {
		if v.Roles[i].Purpose == purpose {
			return &v.Roles[i], true
		}
	}
	return nil, false
}

// RolesFor are the roles (or users) that an expanded selection needs for this
// access, in the file's order. A nil selection means the default one.
func (v *Vendor) RolesFor(bundles []string, access string) []*Role {
	var needed []*Role
	for i := range v.Roles {
		role := &v.Roles[i]
		if role.Access == access && v.needed(role, bundles) {
			needed = append(needed, role)
		}
	}
	return needed
}

// needed tells whether a selection needs anything of a role: a statement, or
// AWS managed policies for one of its products.
func (v *Vendor) needed(role *Role, bundles []string) bool {
	return len(v.sids(role, bundles)) > 0 || len(role.ManagedPolicies) > 0 && v.selects(role, bundles)
}

// selects tells whether a selection has a product of the role. A vendor
// without products has all its roles selected.
func (v *Vendor) selects(role *Role, bundles []string) bool {
	if bundles == nil {
		bundles = v.DefaultBundles()
	}
	return len(v.Products) == 0 || slices.ContainsFunc(bundles, func(id string) bool {
		product, _, _ := strings.Cut(id, "/")
		owner := v.product(product)
		return owner != nil && owner.Role == role.Purpose
	})
}

// DefaultBundles is the expanded selection that the vendor suggests: its
// default products with all their integrations. It is empty for a vendor
// without products, whose policy is granted whole.
func (v *Vendor) DefaultBundles() []string {
	var bundles []string
	for i := range v.Products {
		if v.Products[i].Default {
			bundles = append(bundles, v.Products[i].bundles()...)
		}
	}
	return bundles
}

// IsDefault tells whether an expanded selection is the one that the vendor
// suggests.
func (v *Vendor) IsDefault(bundles []string) bool {
	return bundles == nil || slices.Equal(bundles, v.DefaultBundles())
}

// AllBundles are all products and integrations, expanded, in the file's order.
func (v *Vendor) AllBundles() []string {
	var bundles []string
	for i := range v.Products {
		bundles = append(bundles, v.Products[i].bundles()...)
	}
	return bundles
}

func (p *Product) bundles() []string {
	bundles := []string{p.ID}
	for _, in := range p.Integrations {
		bundles = append(bundles, p.ID+"/"+in.ID)
	}
	return bundles
}

// Bundles expands a selection as --products takes it: "elastigroup" means with
// all its integrations, "elastigroup/route53" with that one, and nothing at all
// the default. In what it returns every bundle stands for itself alone:
// "elastigroup" is the product without integrations, "elastigroup/route53" one
// of them; the order is the file's. Compose, RolesFor and Serves speak of these.
// The error is Mistakes, one for each unknown name.
func (v *Vendor) Bundles(selection []string) ([]string, error) {
	if len(selection) == 0 {
		return v.DefaultBundles(), nil
	}
	all := v.AllBundles()
	chosen := map[string]bool{}
	var mistakes Mistakes
	for _, word := range selection {
		word = strings.TrimSpace(word)
		product, integration, one := strings.Cut(word, "/")
		p := v.product(product)
		switch {
		case p == nil || one && !slices.Contains(all, product+"/"+integration):
			mistakes = append(mistakes, v.unknownBundle(word, all))
		case one:
			chosen[p.ID], chosen[word] = true, true
		default:
			for _, b := range p.bundles() {
				chosen[b] = true
			}
		}
	}
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	return slices.DeleteFunc(all, func(b string) bool { return !chosen[b] }), nil
}

func (v *Vendor) unknownBundle(word string, all []string) Mistake {
	m := Mistake{
		What:     fmt.Sprintf("%s has no product or integration %q.", v.Title, Clean(word)),
		Expected: strings.Join(all, ", "),
		Next:     DidYouMean(word, all) + "Name what you use, separated by commas.",
	}
	if len(all) == 0 {
		m.Expected = "no --products at all: its policy has no parts to choose"
		m.Next = "Leave out --products."
	}
	return m
}

func (v *Vendor) product(id string) *Product {
	for i := range v.Products {
		if v.Products[i].ID == id {
			return &v.Products[i]
		}
	}
	return nil
}

// Bundle finds a product ("elastigroup") or integration ("elastigroup/route53").
func (v *Vendor) Bundle(id string) (*Product, bool) {
	product, integration, one := strings.Cut(id, "/")
	p := v.product(product)
	if p == nil || !one {
		return p, p != nil
	}
	for i := range p.Integrations {
		if p.Integrations[i].ID == integration {
			return &p.Integrations[i], true
		}
	}
	return nil, false
}

// Compose is the permissions policy of a role for an expanded selection (see
// Bundles; nil means the default), its ARNs in the partition. Statements keep
// the published order and Sids; the default selection gives the published
// document. It is nil when the selection needs no statement of this role's own
// policy. Parameters stay as placeholders: see Fill.
func (v *Vendor) Compose(role *Role, bundles []string, partition string) *policy.Document {
	sids := v.sids(role, bundles)
	if len(sids) == 0 {
		return nil
	}
	return role.Document.Select(sids...).InPartition(partition)
}

// sids are the statements that a selection needs of a role.
func (v *Vendor) sids(role *Role, bundles []string) []string {
	var sids []string
	if len(v.Products) == 0 {
		for i := range role.Document.Statements {
			sids = append(sids, role.Document.Statements[i].Sid)
		}
		return sids
	}
	if bundles == nil {
		bundles = v.DefaultBundles()
	}
	for _, id := range bundles {
		product, _, _ := strings.Cut(id, "/")
		owner := v.product(product)
		if b, ok := v.Bundle(id); ok && owner.Role == role.Purpose {
			sids = append(sids, b.Statements...)
			sids = append(sids, owner.Statements...)
		}
	}
	if len(sids) > 0 || len(role.ManagedPolicies) > 0 && v.selects(role, bundles) {
		sids = append(sids, role.Always...)
	}
	slices.Sort(sids)
	return slices.Compact(sids)
}

// Matches tells whether the whole value follows the pattern. Patterns were
// compiled once when the description was read.
func Matches(pattern, value string) bool {
	re, err := regexp.Compile(`^(?:` + pattern + `)$`)
	return err == nil && re.MatchString(value)
}
