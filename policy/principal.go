package policy

import (
	"fmt"
	"slices"
	"strings"
)

func (c *checker) readPrincipals(s *Statement, m member) Principals {
	if m.value.kind == nodeString && m.value.text == "*" {
		s.form.scalar[m.key] = true
		return Principals{"*": {"*"}}
	}
	if m.value.kind != nodeObject {
		c.syntax(m.value.at, "principal", fmt.Sprintf("%s as %s", m.value.kind, m.key), `"*" or an object such as {"AWS": "111122223333"}`)
		return nil
	}
	p := Principals{}
	for _, kind := range m.value.members {
		if !slices.Contains(principalOrder(), kind.key) {
			c.syntax(kind.at, "principal", fmt.Sprintf("the unknown type of principal %q", kind.key), "one of "+strings.Join(principalOrder(), ", "))
			continue
		}
		name := m.key + "." + kind.key
		s.form.at[name] = append(s.form.at[name], c.pos(kind.at))
		inner := member{key: name, at: kind.at, value: kind.value}
		p[kind.key] = c.readList(s, inner)
	}
	return p
}

// trust judges a statement of a role's trust policy.
func (c *checker) trust(s *Statement, has map[string]*node) {
	for _, element := range [...]string{"Resource", "NotResource"} {
		if has[element] != nil {
			c.refuse(has[element].at, Refusal{ID: "element", Category: "missing-element", What: element + " in a trust policy",
				Expected: "no " + element + ": the role itself is the resource", AWS: awsTrustField, order: orderTrust})
		}
	}
	if n := has["NotPrincipal"]; n != nil {
		c.trustPrincipal(n, "NotPrincipal in a trust policy", "Principal", awsNoPrinc)
	}
	if n := has["NotAction"]; n != nil {
		c.trustAction(n, "NotAction in a trust policy")
	}
	for _, n := range has["Action"].strings() {
		if !trustAction(n.text) {
			c.trustAction(n, fmt.Sprintf("the action %q in a trust policy", n.text))
		}
	}
	c.trustPrincipals(s, has["Principal"])
	c.mismatched(s, has["Action"])
}

// trustAction reports whether an action may stand in a trust policy: the
// AssumeRole calls, what goes with them, or a wildcard that matches one.
func trustAction(action string) bool {
	action = strings.ToLower(action)
	for _, allowed := range [...]string{"assumerole", "assumerolewithsaml", "assumerolewithwebidentity", "assumeroot",
		"tagsession", "setsourceidentity", "setcontext", "getcalleridentity", "getsessiontoken", "getfederationtoken",
		"getaccesskeyinfo", "getservicebearertoken", "decodeauthorizationmessage"} {
		if Matches(action, "sts:"+allowed) {
			return true
		}
	}
	return false
}

func (c *checker) trustAction(n *node, what string) {
	c.refuse(n.at, Refusal{ID: "trust-action", Category: "missing-element", What: what,
		Expected: "sts:AssumeRole, sts:AssumeRoleWithSAML, sts:AssumeRoleWithWebIdentity or sts:TagSession", AWS: awsTrustOnly, order: orderTrust})
}

func (c *checker) trustPrincipal(n *node, what, expected, aws string) {
	c.refuse(n.at, Refusal{ID: "principal", Category: "missing-element", What: what, Expected: expected, AWS: aws, order: orderTrust})
}

func (c *checker) trustPrincipals(s *Statement, n *node) {
	if n == nil {
		return
	}
	if n.kind == nodeString && n.text == "*" && s.Effect != Deny {
		c.refuse(n.at, Refusal{ID: "trust-anyone", Category: "trust-wildcard-principal", What: `the principal "*", which is everybody`,
			Expected: `the account that may assume the role, such as {"AWS": "111122223333"}`,
			AWS:      `Invalid principal in policy: "*"`, order: orderTrust})
	}
	for _, kind := range n.members {
		for _, item := range kind.value.strings() {
			if !validPrincipal(kind.key, item.text) {
				c.trustPrincipal(item, fmt.Sprintf("the principal %q", item.text), principalForm(kind.key),
					fmt.Sprintf("Invalid principal in policy: %q:%q", strings.ToUpper(kind.key), item.text))
			}
		}
	}
}

func principalForm(kind string) string {
	switch kind {
	case "Service":
		return "a service such as ec2.amazonaws.com"
	case "Federated":
		return "a provider's ARN, or its domain"
	case "CanonicalUser":
		return "a canonical user ID of 64 hexadecimal digits"
	}
	return "an account ID of 12 digits, or an ARN of IAM or STS without wildcards"
}

// validPrincipal judges the form of a principal, not whether it exists: IAM
// refuses a missing one too, but that cannot be known here.
func validPrincipal(kind, value string) bool {
	switch kind {
	case "Service":
		return strings.Contains(value, ".") && !strings.ContainsAny(value, " :/*")
	case "Federated":
		return strings.Contains(value, ".") || strings.HasPrefix(value, "arn:")
	case "CanonicalUser":
		return value != ""
	}
	if value == "*" || isAccountID(value) || isUniqueID(value) {
		return true
	}
	parts := strings.SplitN(value, ":", 6)
	return len(parts) == 6 && parts[0] == "arn" && slices.Contains(Partitions(), parts[1]) &&
		(parts[2] == "iam" || parts[2] == "sts") && parts[3] == "" && parts[4] != "" && parts[5] != "" &&
		!strings.ContainsAny(value, "*?") && strings.TrimSpace(value) == value
}

func isAccountID(value string) bool {
	return len(value) == 12 && strings.Trim(value, "0123456789") == ""
}

// isUniqueID accepts what looks like the ID that IAM leaves behind when a
// principal is deleted (AROA…, AIDA…), and the capitals that AWS's own pages
// use as placeholders: both are for a review to point at.
func isUniqueID(value string) bool {
	return len(value) >= 10 && value[0] >= 'A' && value[0] <= 'Z' &&
		strings.Trim(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}

// mismatched refuses an Allow whose only action fits none of its principals.
func (c *checker) mismatched(s *Statement, actions *node) {
	if s.Effect != Allow || s.Principal.Anyone() || len(s.Principal) == 0 {
		return
	}
	federated := len(s.Principal["Federated"]) == len(s.Principal.all())
	plain := len(s.Principal["Federated"]) == 0
	for _, n := range actions.strings() {
		switch action := strings.ToLower(n.text); {
		case action == "sts:assumerole" && federated:
		case (action == "sts:assumerolewithsaml" || action == "sts:assumerolewithwebidentity") && plain:
		default:
			continue
		}
		c.trustAction(n, fmt.Sprintf("the action %q, which none of the principals can call", n.text))
	}
}

// all lists every value.
func (p Principals) all() []string {
	var out []string
	for _, kind := range p.types() {
		out = append(out, p[kind]...)
	}
	return append(out, p["*"]...)
}
