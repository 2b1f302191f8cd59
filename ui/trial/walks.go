package trial

import (
	"rolecall/steps/describe"
)

// Walk is one way through a description: who does the AWS part, what the vendor
// gets, where the account is, and what was chosen.
type Walk struct {
	Method    string   `json:"method"`
	Access    string   `json:"access"`
	Partition string   `json:"partition"`
	Products  []string `json:"products"` // as --products takes them; empty: the default
}

// MaxWalks bounds how many ways through one description are tried: a vendor with
// many products has more than anybody would wait for.
const MaxWalks = 60

// Walks are the ways through a description, and how many beyond MaxWalks are left
// out. Each method in each partition comes first, then single products, then all
// of them.
func Walks(v *describe.Vendor) (walks []Walk, left int) {
	for _, products := range selections(v) {
		for i := range v.Methods {
			m := &v.Methods[i]
			for _, partition := range v.PartitionsOf() {
				if len(products) > 0 && !v.Partitions[partition].Customise || !needs(v, m.Access, products) {
					continue
				}
				walks = append(walks, Walk{m.ID, m.Access, partition, products})
			}
		}
	}
	left = max(0, len(walks)-MaxWalks)
	return walks[:len(walks)-left], left
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
