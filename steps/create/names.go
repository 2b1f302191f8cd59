package create

import (
	"strings"

	"rolecall/aws"
	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// The fields of names; those of a role have its purpose behind them.
const (
	fieldStackName  = "stack-name"
	fieldPolicyName = "policy-name "
	fieldRoleName   = "role-name "
)

// names are the fields for the names of what is made.
type names struct {
	draft map[string]string // being typed, by field
	wrong map[string]string // what is wrong with them
	taken map[string]string // the name that something else has, by field: another one is asked for
}

// begin fills in the names of roles and policies as they are.
func (n *names) begin(s *step.Session) {
	n.draft, n.wrong, n.taken = map[string]string{}, map[string]string{}, map[string]string{}
	for _, role := range s.Request().Needed() {
		part := s.Part(role.Purpose)
		n.draft[fieldRoleName+role.Purpose] = part.RoleName
		if !part.NoPolicy {
			n.draft[fieldPolicyName+role.Purpose] = part.PolicyName
		}
	}
}

// ask has another name asked for than those that are taken. A field that would
// say the taken name again is empty.
func (n *names) ask(differences []making.Difference) {
	prefix := map[record.ItemKind]string{record.ItemStack: fieldStackName, record.ItemPolicy: fieldPolicyName, record.ItemRole: fieldRoleName}
	for _, d := range differences {
		for id, name := range n.draft {
			if strings.HasPrefix(id, prefix[d.Kind]) && prefix[d.Kind] != "" && strings.EqualFold(name, d.Name) {
				n.taken[id], n.draft[id] = name, ""
			}
		}
	}
}

func (n *names) typed(id, text string) {
	delete(n.wrong, id)
	if _, ok := n.draft[id]; ok {
		n.draft[id] = strings.TrimSpace(text)
	}
}

// right reports whether all of them are names.
func (n *names) right() bool {
	for id, name := range n.draft {
		check := aws.CheckStackName
		switch {
		case strings.HasPrefix(id, fieldRoleName):
			check = aws.CheckRoleName
		case strings.HasPrefix(id, fieldPolicyName):
			check = aws.CheckPolicyName
		}
		switch err := check(name); {
		case name == "" && n.taken[id] != "":
			n.wrong[id] = "Type another name: " + n.taken[id] + " is taken."
		case err != nil:
			n.wrong[id] = step.InputProblem(err)
		case strings.EqualFold(name, n.taken[id]): // IAM ignores case in names
			n.wrong[id] = name + " is taken. Type another name."
		}
	}
	return len(n.wrong) == 0
}

// take makes them the session's names.
func (n *names) take(s *step.Session) {
	for _, role := range s.Request().Needed() {
		roleName, policyName := n.draft[fieldRoleName+role.Purpose], n.draft[fieldPolicyName+role.Purpose]
		s.SetPart(role.Purpose, func(p *record.Part) {
			p.NameGiven = p.NameGiven || p.RoleName != roleName
			p.PolicyName, p.RoleName = policyName, roleName // no policy's name where none was asked for
		})
	}
}

// input is one of the fields; none where it is not asked for.
func (n *names) input(id, label, flag string) []screen.Block {
	value, asked := n.draft[id]
	if !asked {
		return nil // the role has no policy of the vendor's
	}
	in := screen.Input{ID: id, Label: label, Value: value, Problem: n.wrong[id], Flag: flag}
	if name := n.taken[id]; name != "" {
		in.Hint = "another than " + name
	}
	return []screen.Block{in}
}

func (n *names) policyInput(purpose, suffix string) []screen.Block {
	return n.input(fieldPolicyName+purpose, "Policy name"+suffix, "--policy-name")
}

func (n *names) roleInput(purpose, suffix string) []screen.Block {
	return n.input(fieldRoleName+purpose, "Role name"+suffix, "--role-name")
}
