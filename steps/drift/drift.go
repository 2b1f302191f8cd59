// Package drift compares what a receipt says that rolecall made with what is
// there now: a policy that was edited by hand, a role that was made anew under the
// same name, somebody new in a trust policy. It changes nothing.
package drift

import (
	"context"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/aws/audit"
	"rolecall/steps/record"
)

// Check is one thing that the receipt tells, with the item that it is of.
type Check struct {
	aws.Check
	Item string `json:"item"` // "role Spot-Role"
}

// Report is what was compared. OK is as in aws.Report.
type Report struct {
	OK     bool          `json:"ok"`
	Roles  []aws.RoleRef `json:"roles"` // as they are now
	Checks []Check       `json:"checks"`
}

// Comparison is one run.
type Comparison struct {
	Source  aws.Source
	Receipt record.Receipt
	Known   audit.Known // whose accounts are known; its Want is not asked

	report Report
	roles  map[string]*aws.Seen // by their names in lower case
	users  map[string]*aws.SeenUser
	gone   map[string]bool // roles and users whose loss was told
}

// Compare looks at everything that the receipt lists and that was not removed.
// What AWS refuses to show is an error.
func (c *Comparison) Compare(ctx context.Context) (Report, error) {
	c.report, c.gone = Report{}, map[string]bool{}
	c.roles, c.users = map[string]*aws.Seen{}, map[string]*aws.SeenUser{}
	for _, item := range c.items() {
		if err := c.item(ctx, item); err != nil {
			return Report{}, err
		}
	}
	c.report.OK = len(c.report.Checks) > 0 // a receipt of nothing proves nothing
	for _, check := range c.report.Checks {
		if check.Status == aws.Fail || check.Status == aws.Unknown {
			c.report.OK = false
		}
	}
	return c.report, nil
}

// items are those that have to be there, roles and users first.
func (c *Comparison) items() []record.Item {
	order := []record.ItemKind{record.ItemStack, record.ItemRole, record.ItemUser}
	var all []record.Item
	for _, i := range c.Receipt.Items {
		if i.State != record.ItemRemoved && i.State != record.ItemNotMade {
			all = append(all, i)
		}
	}
	slices.SortStableFunc(all, func(a, b record.Item) int { return rank(order, a.Kind) - rank(order, b.Kind) })
	return all
}

func rank(order []record.ItemKind, kind record.ItemKind) int {
	if i := slices.Index(order, kind); i >= 0 {
		return i
	}
	return len(order)
}

func (c *Comparison) item(ctx context.Context, item record.Item) error {
	if item.Kind.Decides() {
		return nil // what was answered once does not drift
	}
	if item.Unproven() {
		c.add(item, aws.Check{ID: "receipt", Status: aws.Unknown, Want: "an answer of AWS to the request", Got: "none was seen",
			Why: "rolecall asked for it and does not know what was done.", Fix: "Settle it: rolecall resume " + c.Receipt.Session + "."})
		return nil
	}
	switch item.Kind {
	case record.ItemStack:
		return c.stack(ctx, item)
	case record.ItemRole:
		return c.role(ctx, item)
	case record.ItemAttachment:
		return c.attachment(ctx, item)
	case record.ItemInline:
		return c.inline(ctx, item)
	case record.ItemPolicy:
		return c.policy(ctx, item)
	case record.ItemUser, record.ItemUserAttachment, record.ItemKey:
		return c.user(ctx, item)
	case record.ItemProvider:
		return c.provider(ctx, item)
	}
	// What is not compared is not as it was made: nobody looked.
	c.add(item, aws.Check{ID: "receipt", Status: aws.Unknown, Want: "as rolecall made it", Got: "it is not compared here",
		Why: "A receipt is compared with what is in its account alone.", Fix: "Look at it with the command that made it."})
	return nil
}

func (c *Comparison) add(item record.Item, check aws.Check) {
	name := string(item.Kind) + " " + item.Name
	if owner := item.Role + item.User; owner != "" && !strings.EqualFold(owner, item.Name) {
		name += " of " + owner
	}
	check.Want, check.Got, check.Fix = aws.CleanText(check.Want), aws.CleanText(check.Got), aws.CleanText(check.Fix)
	if check.Status == aws.Pass {
		check.Fix = ""
	}
	c.report.Checks = append(c.report.Checks, Check{check, aws.CleanText(name)})
}

// see looks at a role once.
func (c *Comparison) see(ctx context.Context, name string) (*aws.Seen, error) {
	if seen, ok := c.roles[strings.ToLower(name)]; ok {
		return seen, nil
	}
	seen, err := c.Source.See(ctx, aws.Want{RoleName: name, AccountID: c.Receipt.AccountID, Partition: c.Receipt.Partition})
	if err == nil && seen.Refusal != nil {
		err = seen.Refusal
	}
	if err != nil {
		return nil, err
	}
	c.roles[strings.ToLower(name)] = &seen
	return &seen, nil
}

// lacking is the check of what evidence does not show; false where it shows all.
func lacking(id string, missing []aws.Missing, parts ...aws.Part) (aws.Check, bool) {
	check := aws.Check{ID: id, Status: aws.Unknown, Got: aws.NotInEvidence, Fix: "Add the output of the command."}
	for _, m := range missing {
		if slices.Contains(parts, m.Part) && !slices.Contains(check.Missing, m.Command) {
			check.Missing = append(check.Missing, m.Command)
		}
	}
	return check, len(check.Missing) > 0
}

// Words that several checks say.
const (
	readmit = "If it was not meant, put it back: rolecall connect for a new role, or rolecall update for a policy. " +
		"If it was, connect again, so that a new receipt records it."
	asMade = "as rolecall made it"
)
