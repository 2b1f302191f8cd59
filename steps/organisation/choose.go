package organisation

import (
	"fmt"
	"strings"

	"rolecall/aws"
	"rolecall/aws/organisation"
	"rolecall/steps/screen"
)

// Choice says which accounts are meant. Empty: all of the organisation.
type Choice struct {
	Units    []string `json:"units,omitempty"`    // IDs or paths
	Accounts []string `json:"accounts,omitempty"` // numbers
	Tags     []Tag    `json:"tags,omitempty"`     // of which an account must have all; WithTags looks
}

// Chosen is one account that was meant, and why it is left out; empty: it is not.
type Chosen struct {
	Account

	Excluded *screen.Problem
}

// Choose finds the accounts that are meant. A unit or an account that is not in
// the organisation is refused.
func (t *Tree) Choose(c Choice) ([]Chosen, error) {
	units := map[string]bool{}
	for _, name := range c.Units {
		u, err := t.Unit(name)
		if err != nil {
			return nil, err
		}
		units[u.ID] = true
	}
	for _, u := range t.Units { // parents come first
		units[u.ID] = units[u.ID] || units[u.Parent]
	}
	named := map[string]bool{}
	for _, id := range c.Accounts {
		if err := aws.CheckAccountID(id); err != nil {
			return nil, &screen.Fault{Err: err, Problem: screen.Problem{What: "--accounts: " + screen.CleanLine(id) + " is no account number.",
				Expected: "numbers of twelve digits", Next: "Correct it.", Kind: screen.Usage}}
		}
		if _, ok := t.Account(id); !ok {
			return nil, notThere("account "+id, "--accounts with numbers of its accounts")
		}
		named[id] = true
	}
	var all []Chosen
	for _, a := range t.Accounts {
		everything := len(c.Units) == 0 && len(c.Accounts) == 0
		if everything || units[a.Unit] && len(named) == 0 || named[a.ID] && (len(c.Units) == 0 || units[a.Unit]) {
			all = append(all, Chosen{Account: a, Excluded: t.excluded(a)})
		}
	}
	return all, nil
}

// Everyone are all accounts of the organization, also those that a StackSet does
// not reach.
func (t *Tree) Everyone() []Chosen {
	all := make([]Chosen, len(t.Accounts))
	for i, a := range t.Accounts {
		all[i] = Chosen{Account: a, Excluded: t.excluded(a)}
	}
	return all
}

func notThere(what, expected string) error {
	return &screen.Fault{Problem: screen.Problem{What: "The organization has no " + what + ".", Expected: expected,
		Next: "See what is in it: rolecall org plan.", Kind: screen.Usage}}
}

func (t *Tree) someUnits() string {
	var names []string
	for _, u := range t.Units {
		if len(names) == 6 {
			names = append(names, "…")
			break
		}
		names = append(names, screen.CleanLine(u.Path))
	}
	return strings.Join(names, ", ")
}

// excluded says why a StackSet does not reach an account; nil where it does.
func (t *Tree) excluded(a Account) *screen.Problem {
	switch {
	case a.ID == t.Management:
		return &screen.Problem{What: "It is the management account, to which a service-managed StackSet never deploys.",
			Next: "Connect it with a stack of its own: rolecall connect --method automatic --aws-account " + a.ID + "."}
	case a.Status == "SUSPENDED":
		return &screen.Problem{What: "The account is suspended.", Next: "Have AWS reinstate it, or leave it out."}
	case a.Status == "PENDING_CLOSURE":
		return &screen.Problem{What: "The account is being closed.", Next: "Leave it out."}
	case a.Status != organisation.Active:
		return &screen.Problem{What: fmt.Sprintf("The account is in the state %s.", screen.CleanLine(a.Status)),
			Next: "Wait until it is ACTIVE, then apply again."}
	}
	return nil
}
