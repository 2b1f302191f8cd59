package drift

import (
	"context"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/aws/audit"
	"rolecall/policy"
	"rolecall/steps/record"
)

// role compares a role, its trust policy and what it has beside.
func (c *Comparison) role(ctx context.Context, item record.Item) error {
	seen, err := c.see(ctx, item.Name)
	if err != nil {
		return err
	}
	check := aws.Check{
		ID:     "role-exists",
		Status: aws.Pass,
		Want:   item.ARN,
		Got:    item.ARN,
		Why:    "The vendor works in your account through this role.",
	}
	if seen.Role == nil {
		if unknown, ok := lacking("role-exists", seen.Missing, aws.PartHolder); ok {
			c.add(item, unknown)
			return nil
		}
		check.Status, check.Got, check.Fix = aws.Fail, "there is no such role", "Make it anew: rolecall connect."
		c.add(item, check)
		c.gone["role "+strings.ToLower(item.Name)] = true
		return nil
	}
	role := *seen.Role
	c.report.Roles = append(c.report.Roles, role.Ref())
	if role.ARN != "" && role.ARN != item.ARN && item.ARN != "" {
		check.Status, check.Got, check.Fix = aws.Fail, role.ARN, readmit
	}
	c.add(item, check)
	c.same(item, role.ID, "role", role.Created, seen.Missing)
	c.trust(item, seen)
	if item.State == record.ItemMade {
		c.extras(item, seen)
		c.boundary(item, role.Boundary, seen.BoundaryUnknown, seen.Missing)
	}
	return nil
}

// same compares the immutable ID, which another role or user of that name never
// has.
func (c *Comparison) same(item record.Item, id, what string, created time.Time, missing []aws.Missing) {
	check := aws.Check{ID: what + "-same", Status: aws.Pass, Want: item.ID, Got: id,
		Why: "A " + what + " that is deleted and made anew under its name has another ID: it is another one, with what its maker gave it."}
	unknown, lacks := lacking(check.ID, missing, aws.PartHolder)
	switch {
	case item.ID == "" || id == "" && !lacks:
		return // nobody recorded it, or told
	case id == "":
		check = unknown
	case id != item.ID:
		check.Status, check.Got, check.Fix = aws.Fail, id+", made anew under the same name", readmit
		if !created.IsZero() {
			check.Got += " " + created.UTC().Format(time.DateTime) + " UTC"
		}
	}
	c.add(item, check)
}

// trust compares the trust policy, and names who gets in by one that changed.
func (c *Comparison) trust(item record.Item, seen *aws.Seen) {
	role := seen.Role
	check := aws.Check{
		ID:     "trust-unchanged",
		Status: aws.Pass,
		Want:   "the trust policy " + asMade,
		Got:    "the same",
		Why:    "It says who gets into the role.",
	}
	if role.Trust == nil {
		if unknown, ok := lacking(check.ID, seen.Missing, aws.PartHolder); ok && role.TrustText == "" {
			c.add(item, unknown)
			return
		}
		check.Status, check.Got, check.Fix = aws.Unknown, "a trust policy that rolecall cannot read", "Open the role's page, Trust "+
			"relationships, and look at it there."
		c.add(item, check)
		return
	}
	if item.Digest != "" && item.Writes(role.Trust.Digest()) {
		c.add(item, check)
		return
	}
	if item.Digest != "" {
		check.Status, check.Got, check.Fix = aws.Fail, "edited since", readmit
		c.add(item, check)
	}
	c.strangers(item, seen)
}

// strangers asks who gets in by a trust policy that is not the one of the receipt.
func (c *Comparison) strangers(item record.Item, seen *aws.Seen) {
	known := c.Known
	known.Want = nil
	r := (&audit.Auditor{Known: known}).Judge(*seen)
	stranger := aws.Check{ID: "trust-extra-principals", Status: aws.Pass, Want: "nobody but the vendor", Got: "nobody else",
		Why: "Everyone named in the trust policy can do what the vendor can do."}
	var more []string
	vendor := false
	for _, a := range r.Admits {
		if a.Vendor == c.Receipt.Vendor && a.Vendor != "" {
			vendor = true
			c.openID(item, a)
			continue
		}
		who := "account " + a.Account
		if a.Account == audit.Anybody {
			who = "any AWS account"
		}
		more = append(more, who)
	}
	if more = append(more, r.Others...); len(more) > 0 {
		stranger.Status, stranger.Got = aws.Fail, strings.Join(more, ", ")
		stranger.Fix = "On the role's page, Trust relationships, Edit trust policy: remove what was added, unless it was meant."
	}
	c.add(item, stranger)
	if !vendor && len(c.vendorAccounts()) > 0 {
		c.add(
			item,
			aws.Check{
				ID:     "trust-principal",
				Status: aws.Fail,
				Want:   "account " + strings.Join(c.vendorAccounts(), " or "),
				Got:    "the vendor does not get in any more",
				Why:    "Only accounts named in the trust policy can assume the role.",
				Fix:    "Ask why: rolecall diagnose --role " + item.Name + ".",
			},
		)
	}
}

// openID tells whether the vendor gets in without its external ID.
func (c *Comparison) openID(item record.Item, a audit.Admission) {
	check := aws.Check{
		ID:     "trust-external-id",
		Status: aws.Pass,
		Want:   "one external ID is required",
		Got:    "required: " + strings.Join(a.IDs, ", "),
		Why:    "The external ID keeps other customers of the vendor from reaching your account through it.",
	}
	none := slices.ContainsFunc(c.Known.Vendors, func(v audit.Vendor) bool { return slices.Contains(v.NoID, a.Account) })
	if a.ExternalID != audit.Required && !none {
		check.Status, check.Got = aws.Fail, map[string]string{audit.Any: "any is accepted", audit.None: "none is required"}[a.ExternalID]
		check.Fix = "On the role's page, Trust relationships, Edit trust policy: require the vendor's external ID under StringEquals."
	}
	c.add(item, check)
}

func (c *Comparison) vendorAccounts() []string {
	for _, v := range c.Known.Vendors {
		if v.Name == c.Receipt.Vendor {
			return v.Accounts
		}
	}
	return nil
}

// extras names policies that somebody gave the role since.
func (c *Comparison) extras(item record.Item, seen *aws.Seen) {
	var more []string
	for _, p := range seen.Role.Attached {
		if !c.lists(record.Item{Kind: record.ItemAttachment, Role: item.Name, ARN: p.ARN}) {
			more = append(more, p.Name)
		}
	}
	for _, p := range seen.Role.Inline {
		if !c.lists(record.Item{Kind: record.ItemInline, Role: item.Name, Name: p.Name}) {
			more = append(more, p.Name+" (inline)")
		}
	}
	c.more(item, more, seen.Missing)
}

// more is the check of policies that nobody of rolecall gave. That there is no
// other can only be said of lists that were seen.
func (c *Comparison) more(item record.Item, names []string, missing []aws.Missing) {
	check := aws.Check{ID: "policy-extra", Status: aws.Pass, Want: "the policies that rolecall gave it", Got: "no other",
		Why: "Each further policy lets the vendor do more."}
	unknown, lacks := lacking(check.ID, missing, aws.PartPolicies, aws.PartGroups)
	switch {
	case len(names) > 0:
		slices.Sort(names)
		check.Status, check.Got, check.Fix = aws.Fail, strings.Join(
			names,
			", ",
		), "Detach or delete them on its page, Permissions, unless they were meant."
	case lacks:
		check = unknown
	}
	c.add(item, check)
}

// lists tells whether the receipt has an item of that kind on that role or user.
func (c *Comparison) lists(like record.Item) bool {
	return slices.ContainsFunc(c.Receipt.Items, func(i record.Item) bool {
		return i.Kind == like.Kind && i.State != record.ItemRemoved && i.State != record.ItemNotMade && strings.EqualFold(i.Role, like.Role) &&
			strings.EqualFold(i.User, like.User) && (like.ARN == "" || i.ARN == like.ARN) && (like.Name == "" || i.Name == like.Name)
	})
}

func (c *Comparison) boundary(item record.Item, now string, unknown bool, missing []aws.Missing) {
	if item.Settings == nil {
		return
	}
	check := aws.Check{ID: "permissions-boundary", Status: aws.Pass, Want: orNone(item.Settings.Boundary), Got: orNone(now),
		Why: "A permissions boundary cuts off what the policies grant."}
	if lacks, ok := lacking(check.ID, missing, aws.PartHolder); ok && unknown {
		check = lacks
	} else if now != item.Settings.Boundary {
		check.Status, check.Fix = aws.Fail, readmit
	}
	c.add(item, check)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// attachment tells whether a managed policy is still attached.
func (c *Comparison) attachment(ctx context.Context, item record.Item) error {
	if c.gone["role "+strings.ToLower(item.Role)] {
		return nil
	}
	seen, err := c.see(ctx, item.Role)
	if err != nil || seen.Role == nil {
		return err
	}
	attached := slices.ContainsFunc(seen.Role.Attached, func(p aws.AttachedPolicy) bool { return p.ARN == item.ARN })
	c.attached(item, attached, seen.PoliciesUnknown, seen.Missing)
	return nil
}

func (c *Comparison) attached(item record.Item, attached, unknown bool, missing []aws.Missing) {
	check := aws.Check{
		ID:     "policy-attached",
		Status: aws.Pass,
		Want:   item.ARN,
		Got:    "attached",
		Why:    "Without it the vendor's product fails in places.",
	}
	lacks, ok := lacking(check.ID, missing, aws.PartPolicies)
	switch {
	case attached:
	case ok && unknown:
		check = lacks
	default:
		check.Status, check.Got, check.Fix = aws.Fail, "detached since", "Attach it again on the page of "+item.Role+item.User+", Permissions."
	}
	c.add(item, check)
}

// inline compares an inline policy of a role.
func (c *Comparison) inline(ctx context.Context, item record.Item) error {
	if c.gone["role "+strings.ToLower(item.Role)] {
		return nil
	}
	seen, err := c.see(ctx, item.Role)
	if err != nil || seen.Role == nil {
		return err
	}
	i := slices.IndexFunc(seen.Role.Inline, func(p aws.InlinePolicy) bool { return p.Name == item.Name })
	if i < 0 {
		check, ok := lacking("policy-unchanged", seen.Missing, aws.PartPolicies, aws.PartDocuments)
		if !ok || !seen.InlineUnknown {
			check = aws.Check{
				ID:     "policy-unchanged",
				Status: aws.Fail,
				Want:   "the policy " + asMade,
				Got:    "deleted since",
				Why:    whyPolicy,
				Fix:    readmit,
			}
		}
		c.add(item, check)
		return nil
	}
	c.document(item, seen.Role.Inline[i].Document, seen.Missing)
	return nil
}

const whyPolicy = "It says what the vendor may do in your account."

// document compares what a policy says with what was written.
func (c *Comparison) document(item record.Item, now *policy.Document, missing []aws.Missing) {
	check := aws.Check{ID: "policy-unchanged", Status: aws.Pass, Want: "the policy " + asMade, Got: "the same", Why: whyPolicy}
	switch {
	case item.Digest == "":
		return
	case now == nil:
		unknown, ok := lacking(check.ID, missing, aws.PartDocuments)
		if !ok {
			unknown = check
			unknown.Status, unknown.Got, unknown.Fix = aws.Unknown, "a policy that rolecall cannot read", "Open the policy in the AWS console "+
				"and look at it there."
		}
		check = unknown
	case !item.Writes(now.Digest()):
		check.Status, check.Got, check.Fix = aws.Fail, "edited since", readmit+" See what it grants now: rolecall policy diff vendor:"+
			c.Receipt.Vendor+" "+item.ARN+"."
	}
	c.add(item, check)
}

// policy compares a managed policy as a role or user of the receipt has it; one
// that none has any more grants nothing.
func (c *Comparison) policy(_ context.Context, item record.Item) error {
	compared := false
	compare := func(attached []aws.AttachedPolicy, missing []aws.Missing) {
		for _, p := range attached {
			if p.ARN == item.ARN && !compared {
				c.document(item, p.Document, missing)
				compared = true
			}
		}
	}
	for _, seen := range c.roles {
		if seen.Role != nil {
			compare(seen.Role.Attached, seen.Missing)
		}
	}
	for _, seen := range c.users {
		if seen.User != nil {
			compare(seen.User.Attached, seen.Missing)
		}
	}
	return nil
}
