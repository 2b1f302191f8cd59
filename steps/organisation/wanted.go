package organisation

import (
	"cmp"
	"maps"
	"slices"

	"rolecall/aws"
	"rolecall/steps/access"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
)

// Wanted is what every account gets: one template, with the external IDs as its
// parameters.
type Wanted struct {
	Request    access.Request
	Grants     []access.Grant
	Template   string
	Digest     string   // of the template
	Parameters []string // that take the external ID; none: no role asks for one
	// Shared is the one external ID of all accounts; empty: each has its own, or
	// none is asked for.
	Shared string
}

// NewWanted works out what every account gets. shared is the external ID of a
// vendor that gives its customer one for all accounts.
func NewWanted(r access.Request, shared string) (*Wanted, error) {
	if r.Partition == "aws-cn" {
		return nil, &screen.Fault{Problem: screen.Problem{What: "AWS China has no service-managed StackSets: trusted access does not exist " +
			"there.",
			Expected: "an organization of AWS or of AWS GovCloud (US)", Next: "Connect the accounts one by one: rolecall connect --partition " +
				"aws-cn.", Kind: screen.NotAsNeeded}}
	}
	if arn, ok := aws.SplitARN(r.Boundary); ok && arn.AccountID != "aws" {
		return nil, &screen.Fault{Problem: screen.Problem{What: "The permissions boundary " + screen.CleanLine(r.Boundary) +
			" is of one account.",
			Expected: "an AWS managed policy, which every account has", Next: "Leave out --permissions-boundary, or name an AWS managed " +
				"policy.", Kind: screen.Usage}}
	}
	r.AccountID = ""
	r, shared = sharing(r, shared)
	w := &Wanted{Request: r}
	var err error
	if w.Grants, err = r.Grants(); err != nil {
		return nil, err
	}
	if len(w.Grants) == 0 || slices.ContainsFunc(w.Grants, func(g access.Grant) bool { return g.User }) {
		return nil, &screen.Fault{Problem: screen.Problem{What: r.Vendor.Title + " would get no role.",
			Expected: "a vendor that gets a role in each account",
			Next:     "See rolecall vendors list.", Kind: screen.Usage}}
	}
	setup, err := r.Setup()
	if err != nil {
		return nil, err
	}
	if w.Template, err = setup.CloudFormation(); err != nil {
		return nil, err
	}
	w.Digest = aws.TemplateDigest(w.Template)
	w.Parameters = slices.Sorted(maps.Values(setup.ExternalIDParameters()))
	return w, w.share(shared)
}

// sharing puts the one external ID of all accounts where each role has its own, so
// that the template is the same wherever the external ID came from: a flag, a plan,
// a receipt or a question.
func sharing(r access.Request, shared string) (with access.Request, id string) {
	names := maps.Clone(r.Names)
	for _, role := range r.Needed() {
		shared = cmp.Or(shared, names[role.Purpose].ExternalID)
	}
	if shared == "" {
		return r, ""
	}
	if names == nil {
		names = map[string]access.Names{}
	}
	for _, role := range r.Needed() {
		if role.NeedsExternalID() {
			one := names[role.Purpose]
			one.ExternalID = shared
			names[role.Purpose] = one
		}
	}
	r.Names = names
	return r, shared
}

// share settles whether there is one external ID for all.
func (w *Wanted) share(shared string) error {
	v := w.Request.Vendor
	switch {
	case len(w.Parameters) == 0:
		return nil
	case v.API != "" && w.Submits():
		if shared != "" {
			return &screen.Fault{Problem: screen.Problem{What: "--external-id names one for all accounts, and " + v.Title +
				" gives each account its own.",
				Expected: "no --external-id", Next: "Leave out --external-id.", Kind: screen.Usage}}
		}
		return nil
	case shared == "":
		return &screen.Fault{Problem: screen.Problem{What: "The external ID of " + v.Title + " is missing: it is one for all accounts.",
			Expected: "--external-id ID", Next: v.ExternalID.Find, Kind: screen.Usage}}
	}
	if err := v.CheckExternalID(shared); err != nil {
		return err
	}
	w.Shared = shared
	return nil
}

// Submits tells whether the vendor's API takes a role.
func (w *Wanted) Submits() bool { return w.submitted() != nil }

// submitted is the grant whose role the vendor's API takes; nil: none.
func (w *Wanted) submitted() *access.Grant {
	for i := range w.Grants {
		if w.Grants[i].Role.Submit {
			return &w.Grants[i]
		}
	}
	return nil
}

// Minted tells whether the vendor gives each account an external ID of its own.
func (w *Wanted) Minted() bool { return len(w.Parameters) > 0 && w.Shared == "" }

// RoleARN is that of the role that is handed over, in one account. Its name is
// the template's, so that it is known before AWS made it.
func (w *Wanted) RoleARN(account string) string {
	g := w.submitted()
	if g == nil {
		g = &w.Grants[0]
	}
	return aws.RoleARN(g.Partition, account, g.Path, g.Name)
}

// Grant is what one account's role has to be.
func (w *Wanted) Grant(account, externalID string) ([]access.Grant, error) {
	r := w.Request
	r.AccountID, r.Names = account, map[string]access.Names{}
	for _, g := range w.Grants {
		names := w.Request.Names[g.Purpose]
		if g.NeedsExternalID() {
			names.ExternalID = externalID
		}
		r.Names[g.Purpose] = names
	}
	return r.Grants()
}

// admits tells whether a stack with these parameters asks for this external ID,
// in each of its roles. What a stack has of its own comes before the StackSet's.
func (w *Wanted) admits(externalID string, own, set map[string]string) (found string, right bool) {
	right = externalID != ""
	for _, name := range w.Parameters {
		value := cmp.Or(own[name], set[name])
		if value != externalID {
			return value, false
		}
		found = value
	}
	return found, right
}

// overrides are the parameters of one account's stack.
func (w *Wanted) overrides(externalID string) map[string]string {
	if !w.Minted() {
		return nil
	}
	return w.values(externalID)
}

func (w *Wanted) values(externalID string) map[string]string {
	values := map[string]string{}
	for _, name := range w.Parameters {
		values[name] = externalID
	}
	return values
}

// SetName is what the StackSet is called.
func (w *Wanted) SetName() string { return w.Request.StackName() + "-organization" }

// ByHand tells whether a person hands the roles over.
func (w *Wanted) ByHand() bool { return w.Request.Vendor.API == "" || !w.Submits() }

// HandOver says what a person does with the roles; empty where nobody has to do
// anything.
func (w *Wanted) HandOver() string {
	if !w.ByHand() {
		return ""
	}
	what := "the ARN of each role"
	if w.Grants[0].Role.HandOver == describe.HandOverAccount {
		what = "the number of each account"
	}
	return "Give " + what + " to " + w.Request.Vendor.Title + " yourself: rolecall org status --format csv lists them."
}
