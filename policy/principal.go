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
	c.refuse(n.at, Refusal{
		ID:       "trust-action",
		Category: "missing-element",
		What:     what,
		Expected: "sts:AssumeRole, sts:AssumeRoleWithSAML, sts:AssumeRoleWithWebIdentity or sts:TagSession",
		AWS:      awsTrustOnly,
		order:    orderTrust,
	})
}

func (c *checker) trustPrincipal(n *node, what, expected, aws string) {
	c.refuse(n.at, Refusal{ID: "principal", Category: "missing-element", What: what, Expected: expected, AWS: aws, order: orderTrust})
}

func (c *checker) trustPrincipals(s *Statement, n *node) {
	if n == nil {
		return
	}
	if n.kind == nodeObject && len(n.members) > 0 && !slices.ContainsFunc(n.members, hasValues) {
		c.trustPrincipal(n, "an empty list of principals", "at least one principal", awsNoPrinc)
	}
	if n.kind == nodeString && n.text == "*" && s.Effect != Deny {
		c.refuse(n.at, Refusal{ID: "trust-anyone", Category: "trust-wildcard-principal", What: `the principal "*", which is everybody`,
			Expected: `the account that may assume the role, such as {"AWS": "111122223333"}`,
			AWS:      `AssumeRolepolicy contained an invalid principal: "STAR":"*".`, order: orderTrust})
	}
	for _, kind := range n.members {
		for _, item := range kind.value.strings() {
			if !ValidPrincipal(kind.key, item.text) {
				c.trustPrincipal(item, wrongPrincipal(kind.key, item.text), principalForm(kind.key),
					fmt.Sprintf("Invalid principal in policy: %q:%q", strings.ToUpper(kind.key), item.text))
			}
		}
	}
}

// hasValues reports whether a type of principal has anything, right or wrong.
func hasValues(m member) bool { return m.value.kind != nodeList || len(m.value.items) > 0 }

// wrongPrincipal names what is wrong with a principal.
func wrongPrincipal(kind, value string) string {
	parts := strings.SplitN(value, ":", 6)
	number := value
	if len(parts) == 6 {
		number = parts[4]
	}
	switch {
	case kind != "AWS":
	case isDigits(number) && len(number) != 12:
		return fmt.Sprintf("the principal %q, whose account number has %d digits", value, len(number))
	case len(parts) == 6 && strings.HasPrefix(parts[5], "group/"):
		return fmt.Sprintf("the group %q: a group is no principal", value)
	case len(parts) == 6 && strings.HasSuffix(parts[5][:strings.Index(parts[5]+"/", "/")], "-provider"):
		return fmt.Sprintf("the identity provider %q among the AWS principals", value)
	}
	return fmt.Sprintf("the principal %q", value)
}

func isDigits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

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

// ValidPrincipal judges the form of a principal, not whether it exists: IAM
// refuses a missing one too, but that cannot be known here.
func ValidPrincipal(kind, value string) bool {
	switch kind {
	case "Service":
		return strings.Contains(value, ".") && !strings.ContainsAny(value, " :/*")
	case "Federated":
		return strings.Contains(value, ".") || strings.HasPrefix(value, "arn:")
	case "CanonicalUser":
		return value != ""
	}
	if value == "*" || isAccountID(value) || IsUniqueID(value) {
		return true
	}
	parts := strings.SplitN(value, ":", 6)
	return len(parts) == 6 && parts[0] == "arn" && slices.Contains(Partitions(), parts[1]) && parts[3] == "" &&
		parts[4] != "" && (len(parts[4]) == 12 || !isDigits(parts[4])) && somebody(parts[2], parts[5]) &&
		!strings.ContainsAny(value, "*?") && strings.TrimSpace(value) == value
}

// somebody reports whether the last part of an ARN of IAM or STS is one that
// can call: not a group, a policy or an identity provider. Source:
// docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html.
func somebody(service, resource string) bool {
	kind, name, _ := strings.Cut(resource, "/")
	switch {
	case service == "iam" && resource == "root":
		return true
	case service == "iam":
		return (kind == "user" || kind == "role") && name != ""
	case service == "sts":
		return (kind == "assumed-role" || kind == "federated-user") && name != ""
	}
	return false
}

func isAccountID(value string) bool { return len(value) == 12 && isDigits(value) }

// IsUniqueID accepts what looks like the ID that IAM leaves behind when a
// principal is deleted (AROA…, AIDA…), and the capitals that AWS's own pages
// use as placeholders: both are for a review to point at.
func IsUniqueID(value string) bool {
	return len(value) >= 10 && value[0] >= 'A' && value[0] <= 'Z' &&
		strings.Trim(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}

// mismatched refuses an Allow whose only action fits none of its principals.
func (c *checker) mismatched(s *Statement, actions *node) {
	if s.Effect != Allow || s.Principal.Anyone() || len(s.Principal.all()) == 0 {
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
