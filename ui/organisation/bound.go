package organisation

import (
	"slices"
	"strconv"
	"strings"

	"rolecall/steps/organisation"
	"rolecall/steps/screen"
	"rolecall/ui/draw"
)

// What a plan says of the accounts that are meant: each target is one of these
// words, a colon, and an ID, a number or a tag.
const (
	targetOrganisation = "organization"
	targetUnit         = "ou"
	targetAccount      = "account"
	targetTag          = "tag"
)

// targets are what a plan says of a choice. A unit is there by its ID, with its
// path for whoever reviews it: another unit may come to have the path.
func (s *scene) targets(choice organisation.Choice) ([]string, error) {
	var all []string
	for _, name := range choice.Units {
		u, err := s.tree.Unit(name)
		if err != nil {
			return nil, err
		}
		all = append(all, targetUnit+":"+u.ID+" "+u.Path)
	}
	for _, a := range choice.Accounts {
		all = append(all, targetAccount+":"+a)
	}
	for _, t := range choice.Tags {
		all = append(all, targetTag+":"+t.String())
	}
	slices.Sort(all)
	return append([]string{targetOrganisation + ":" + s.tree.ID}, all...), nil
}

// bound takes the accounts from the plan, and refuses flags that say otherwise.
func (s *scene) bound() error {
	planned := organisation.Choice{}
	for _, target := range s.plan.Targets {
		kind, value, _ := strings.Cut(target, ":")
		switch kind {
		case targetOrganisation:
			if value != s.tree.ID {
				return otherwise("organization", value, s.tree.ID)
			}
		case targetUnit:
			id, _, _ := strings.Cut(value, " ")
			planned.Units = append(planned.Units, id)
		case targetAccount:
			planned.Accounts = append(planned.Accounts, value)
		case targetTag:
			tag, err := organisation.ParseTag(value)
			if err != nil {
				return err
			}
			planned.Tags = append(planned.Tags, tag)
		default:
			return otherwise("plan's target "+draw.Clean(target), "organization:, ou:, account: or tag:", target)
		}
	}
	was, err := s.targets(planned)
	if err != nil {
		return err
	}
	given, err := s.targets(s.choice)
	if err != nil {
		return err
	}
	if len(given) > 1 && !slices.Equal(was, given) {
		return otherwise("--ou, --accounts or --account-tag", strings.Join(was[1:], ", "), strings.Join(given[1:], ", "))
	}
	s.choice = planned
	return nil
}

// planned takes from the plan whether accounts that come later get the role too.
func (c *command) planned(s *scene) error {
	switch {
	case s.plan == nil:
		return nil
	case c.given.Given("automatic-deployment") && c.automatic != s.plan.Automatic:
		return otherwise("--automatic-deployment", strconv.FormatBool(s.plan.Automatic), strconv.FormatBool(c.automatic))
	}
	c.automatic = s.plan.Automatic
	return nil
}

func otherwise(what, planned, found string) error {
	return &screen.Fault{Problem: screen.Problem{What: "The " + what + " is another than the plan's.", Wanted: draw.Clean(planned),
		Found:    draw.Clean(found),
		Expected: "what was approved", Next: "Leave the flag out, or plan anew and have that approved.", Kind: screen.NotAsNeeded}}
}
