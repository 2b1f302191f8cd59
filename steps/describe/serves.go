package describe

import (
	"slices"
	"strings"

	"rolecall/policy"
)

// Serves lists the bundles that a statement serves, in the file's order. A
// statement that every selection of its role needs serves that role's products.
func (v *Vendor) Serves(sid string) []string {
	var served []string
	for i := range v.Products {
		p := &v.Products[i]
		if role, ok := v.Role(p.Role); ok && slices.Contains(role.Always, sid) || slices.Contains(p.Statements, sid) {
			served = append(served, p.ID)
		}
		for _, in := range p.Integrations {
			if slices.Contains(in.Statements, sid) {
				served = append(served, p.ID+"/"+in.ID)
			}
		}
	}
	return served
}

// Need is why a vendor wants an action: what a no would cost.
type Need struct {
	Role    string   // purpose
	Sid     string   // the statement that grants it
	Pattern string   // the action as written there: "s3:*"
	Always  bool     // every product of the role needs the statement
	Bundles []string // the products and integrations that the statement serves
	For     string   // what it is for: the action's own reason, else the statement's
	Without string   // what stops without it
}

// NeedsFor tells which statements grant an action, or any action of a pattern
// such as "s3:*", and what they are for. It covers the whole description,
// whatever was selected.
func (v *Vendor) NeedsFor(action string) []Need {
	var needs []Need
	for i := range v.Roles {
		role := &v.Roles[i]
		for j := range role.Document.Statements {
			if need, ok := v.need(role, &role.Document.Statements[j], action); ok {
				needs = append(needs, need)
			}
		}
	}
	return needs
}

func (v *Vendor) need(role *Role, statement *policy.Statement, action string) (Need, bool) {
	for _, pattern := range statement.Action {
		if !policy.CoversAction(pattern, action) && !policy.CoversAction(action, pattern) {
			continue
		}
		why := role.Why[statement.Sid]
		need := Need{
			Role: role.Purpose, Sid: statement.Sid, Pattern: pattern,
			Always:  slices.Contains(role.Always, statement.Sid),
			Bundles: v.Serves(statement.Sid),
			For:     why.For, Without: why.Without,
		}
		if own := why.Actions[pattern]; own != "" {
			need.For = own
		}
		return need, true
	}
	return Need{}, false
}

// Titles are the products and integrations as people know them, each once; an
// integration says whose it is.
func (v *Vendor) Titles(bundles []string) []string {
	var titles []string
	for _, id := range bundles {
		b, ok := v.Bundle(id)
		if !ok {
			continue
		}
		title := b.Title
		if product, _, nested := strings.Cut(id, "/"); nested {
			if parent, ok := v.Bundle(product); ok && !strings.HasPrefix(title, parent.Title) {
				title = parent.Title + "'s " + b.Title
			}
		}
		if !slices.Contains(titles, title) {
			titles = append(titles, title)
		}
	}
	return titles
}
