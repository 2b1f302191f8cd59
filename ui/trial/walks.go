package trial

import (
	"iter"
	"maps"
	"slices"

	"rolecall/steps/describe"
)

// Walk is one way through a description: who does the AWS part, what the vendor
// gets, where the account is, and what was chosen.
type Walk struct {
	Method    string   `json:"method"`
	Access    string   `json:"access"`
	Partition string   `json:"partition"`
	Products  []string `json:"products"` // as --products takes them; empty: the default
	// Choices are values of parameters of the kind choice, by name; the first
	// choice of each other.
	Choices map[string]string `json:"choices,omitempty"`
}

// MaxWalks bounds how many ways through one description are tried: a vendor with
// many products has more than anybody would wait for.
const MaxWalks = 60

// Walks are the ways through a description, and how many beyond MaxWalks are left
// out. Each method in each partition comes first, then the other choices of
// parameters, then all products and single ones.
func Walks(v *describe.Vendor) (walks []Walk, left int) {
	all := selections(v)
	walks = append(productWalks(v, all[0]), choiceWalks(v)...)
	for _, products := range all[1:] {
		walks = append(walks, productWalks(v, products)...)
	}
	left = max(0, len(walks)-MaxWalks)
	return walks[:len(walks)-left], left
}

// productWalks go by each method in each partition, with these products.
func productWalks(v *describe.Vendor, products []string) (walks []Walk) {
	for i := range v.Methods {
		m := &v.Methods[i]
		for _, partition := range v.PartitionsOf() {
			if len(products) > 0 && !v.Partitions[partition].Customise || !needs(v, m.Access, products) {
				continue
			}
			walks = append(walks, Walk{m.ID, m.Access, partition, products, nil})
		}
	}
	return walks
}

// choiceWalks take every other choice of every parameter by itself, by each
// method, with the default products in the partition in which choices can decide
// whom to trust.
func choiceWalks(v *describe.Vendor) (walks []Walk) {
	if _, ok := v.Partitions[describe.Commercial]; !ok {
		return nil
	}
	for i := range v.Methods {
		m := &v.Methods[i]
		for name, p := range choicesOf(v.RolesFor(nil, m.Access)) {
			for _, value := range p.Values()[1:] {
				walks = append(walks, Walk{m.ID, m.Access, describe.Commercial, []string{}, map[string]string{name: value}})
			}
		}
	}
	return walks
}

// choicesOf are the parameters of roles that are one of a list, each once.
func choicesOf(roles []*describe.Role) iter.Seq2[string, describe.Parameter] {
	all := map[string]describe.Parameter{}
	for _, role := range roles {
		for name, p := range role.Parameters {
			if len(p.Choices) > 0 {
				all[name] = p
			}
		}
	}
	return func(yield func(string, describe.Parameter) bool) {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if !yield(name, all[name]) {
				return
			}
		}
	}
}

// selections are the default, all, and each product and integration by itself.
func selections(v *describe.Vendor) [][]string {
	all := [][]string{{}}
	var every []string
	for i := range v.Products {
		every = append(every, v.Products[i].ID)
	}
	if len(every) > 1 {
		all = append(all, every)
	}
	for _, bundle := range v.AllBundles() {
		all = append(all, []string{bundle})
	}
	return all
}

// needs tells whether a selection needs anything that a method of this access
// makes. The default does: else the description would be refused.
func needs(v *describe.Vendor, access string, products []string) bool {
	bundles, err := v.Bundles(products)
	return err == nil && len(v.RolesFor(bundles, access)) > 0
}
