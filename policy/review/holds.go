package review

import (
	"net/netip"
	"slices"
	"strings"

	"rolecall/policy"
)

// A condition guards by its value, not by its key. What is said here about a
// condition decides both what is granted and what is told: a grant whose
// condition cannot hold is no risk, and a condition that holds whatever comes
// makes no risk smaller.

// matchesNone reports whether none of a condition's values can match, so that it
// holds for nobody, whatever the action.
func (m *model) matchesNone(st *statement, c *policy.Condition) bool {
	operator, set, ifExists := c.Base()
	if c.Negated() || ifExists || set == "ForAllValues" || len(c.Values) == 0 {
		return false // it holds where the key is missing, or where nothing matches
	}
	kind, known := m.keyKind(st, strings.ToLower(c.Key))
	if !known {
		return len(st.Principal) == 0 && !asksForMissing(operator, c)
	}
	return !slices.ContainsFunc(c.Values, func(v string) bool { return m.badValue(c, kind, v) == nil })
}

func asksForMissing(operator string, c *policy.Condition) bool {
	return operator == "Null" && slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, "true") })
}

// wantsKey reports whether a condition cannot hold where its key is missing.
func wantsKey(c *policy.Condition) bool {
	operator, set, ifExists := c.Base()
	return !c.Negated() && !ifExists && set != "ForAllValues" && len(c.Values) > 0 && !asksForMissing(operator, c)
}

// absent reports whether an action's requests never carry a condition key.
func (m *model) absent(key, action string) bool {
	a, ok := m.cat.Action(action)
	if !ok {
		// Of an action that is not known, the keys of other services are not set.
		service, _, _ := strings.Cut(action, ":")
		owner, _, _ := strings.Cut(key, ":")
		return owner != "aws" && owner != service
	}
	question := action + " " + key
	answer, ok := m.sets[question]
	if !ok {
		answer = knowsKey(a, key)
		if m.sets == nil {
			m.sets = map[string]bool{}
		}
		m.sets[question] = answer
	}
	return !answer
}

// keyKind is the type of a condition key; "" with true where nothing is known
// of the key, and false where there is no such key.
func (m *model) keyKind(st *statement, key string) (string, bool) {
	service, _, ok := strings.Cut(key, ":")
	if !ok || strings.Contains(key, "${") {
		return "", true
	}
	if kind := m.tables.key(key); kind != "" {
		return kind, true
	}
	if service == "aws" {
		return "", false
	}
	s, ok := m.cat.Service(service)
	if !ok {
		return "", federated(service) || len(st.Principal) > 0
	}
	kind, ok := m.kinds[key]
	if !ok {
		kind = serviceKey(s, key)
		m.kinds[key] = kind
	}
	if kind != "" {
		return kind, true
	}
	return "", service == "sts" || service == "saml" || m.setsKeyAnywhere(st, key)
}

// setsKeyAnywhere reports whether some action of the statement sets a key that
// its own service does not list: services borrow each other's.
func (m *model) setsKeyAnywhere(st *statement, key string) bool {
	return slices.ContainsFunc(st.entries, func(e entry) bool { return e.service != "" && !allActions(e.folded) && m.setsKey(e.folded, key) })
}

// maxConditions is how many of a statement's conditions are looked at; beyond,
// they are believed to hold.
const maxConditions = 16

// dead reports whether a statement can never apply to an action (folded; "" for
// any).
func (m *model) dead(st *statement, action string) bool {
	if st.void != "" || st.guard.never {
		return true
	}
	if len(st.Condition) == 0 {
		return false
	}
	if !st.judged {
		m.judgeConditions(st)
	}
	if st.never || action == "" {
		return st.never
	}
	return slices.ContainsFunc(st.wants, func(key string) bool { return m.absent(key, action) })
}

// judgeConditions looks at a statement's conditions once: what does not depend
// on the action, and which keys have to be asked for each action.
func (m *model) judgeConditions(st *statement) {
	st.judged = true
	for i := range st.Condition[:min(len(st.Condition), maxConditions)] {
		c := &st.Condition[i]
		key := strings.ToLower(c.Key)
		st.never = st.never || m.matchesNone(st, c)
		kind, known := m.keyKind(st, key)
		global := m.tables.key(key) != "" && !aboutTags(key)
		if known && kind != "" && !global && wantsKey(c) && len(st.Principal) == 0 {
			st.wants = append(st.wants, key)
		}
	}
}

// valueProblem is why a value of a condition can match nothing.
type valueProblem struct{ id, title, why string }

// badValue says why a value can match nothing; nil where it can.
func (m *model) badValue(c *policy.Condition, kind, v string) *valueProblem {
	operator, _, _ := c.Base()
	if p := m.badVariable(c, operator, v); p != nil {
		return p
	}
	if strings.Contains(v, "${") {
		return nil
	}
	switch {
	case strings.HasPrefix(operator, "Numeric") && !number(v):
		return &valueProblem{"condition-value", "Compares a number with text", quoted(c.Operator+" compares numbers, and %s is none.", v)}
	case operator == "Bool" && !isBool(v):
		return &valueProblem{"condition-value", "Compares yes or no with text", quoted("Bool knows true and false, and %s is neither.", v)}
	case operator == "Null" && !isBool(v):
		return &valueProblem{
			"condition-value",
			"Null takes true or false",
			quoted("Null asks whether the key is missing: true or false. %s is neither.", v),
		}
	case strings.HasPrefix(operator, "Arn") && v != "*" && strings.Count(v, ":") < 5:
		return &valueProblem{"condition-value", "Compares an ARN with something else",
			quoted(c.Operator+" compares the six parts of an ARN one by one, and %s has fewer, so it matches none.", v)}
	case operator == "BinaryEquals" && !base64Text(v):
		return &valueProblem{"condition-value", "Compares bytes with text", quoted("BinaryEquals wants base64, and %s is none.", v)}
	case strings.HasPrefix(operator, "String") || strings.HasPrefix(operator, "Arn"):
		return badText(c, operator, kind, v)
	case operator == "IpAddress" || operator == "NotIpAddress":
		if _, err := addressOf(v); err != nil {
			return &valueProblem{"condition-value", "Asks for an address that is none", quoted("%s is no address range such as 203.0.113.0/24.", v)}
		}
	}
	return nil
}

// badText is a text that the key never holds.
func badText(c *policy.Condition, operator, kind, v string) *valueProblem {
	key := strings.ToLower(c.Key)
	pattern := operator == "StringLike" || operator == "StringNotLike" || strings.HasPrefix(operator, "Arn")
	if pattern && strings.Trim(v, "*?") == "" && strings.Contains(v, "*") {
		return nil
	}
	if !pattern && strings.ContainsAny(v, "*?") && literal(operator) && !strings.Contains(v, "/") {
		return nil // a wildcard taken for a letter is told on its own
	}
	switch strings.TrimPrefix(kind, "ArrayOf") {
	case "IPAddress":
		if _, err := netip.ParsePrefix(v); err == nil {
			return &valueProblem{"condition-value", "Compares an address range as text",
				quoted("The key holds one address, and "+c.Operator+" compares %s with it letter by letter. Use IpAddress.", v)}
		}
	case "ARN":
		if p := badARN(key, pattern, v); p != nil {
			return p
		}
	}
	if want := wantedText(key); want != nil {
		if expected := want(v, pattern); expected != "" {
			return &valueProblem{"condition-value", "Asks for a value that the key never has", quoted(short(c.Key)+" is never %s: "+expected+".", v)}
		}
	}
	return nil
}

func badARN(key string, pattern bool, v string) *valueProblem {
	parts := strings.SplitN(v, ":", 6)
	if len(parts) < 6 {
		if pattern && strings.ContainsAny(v, "*") && (strings.HasPrefix(v, "*") || strings.HasPrefix(v, "arn:")) {
			return nil // as text, a wildcard reaches over colons; for ARNs, said before
		}
		return &valueProblem{
			"condition-value",
			"Compares an ARN with something else",
			quoted("The key holds an ARN of six parts, and %s is none.", v),
		}
	}
	if key == "aws:principalarn" && strings.HasPrefix(parts[5], "assumed-role/") {
		return &valueProblem{"condition-value", "Asks for a session, and the key holds the role",
			quoted("aws:PrincipalArn holds the ARN of the role, arn:aws:iam::ACCOUNT:role/NAME, also for a session. It is never %s.", v)}
	}
	if strings.ContainsAny(strings.Join(parts[:5], ":"), "?") {
		return nil
	}
	what, wanted := arnParts(parts)
	if what != "" {
		return &valueProblem{"condition-value", "Compares with an ARN that can name nothing", quoted("%s has "+what+"; "+wanted+".", v)}
	}
	return nil
}

// wantedText is what the values of some keys look like: a function that says
// what was expected, "" where a value fits. Source:
// docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html.
func wantedText(key string) func(v string, pattern bool) string {
	switch key {
	case "iam:passedtoservice", "iam:awsservicename", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:principalservicename",
		"aws:principalservicenameslist", "kms:viaservice":
		return wantService
	case "aws:sourcevpc", "aws:ec2instancesourcevpc", "ec2:vpcid":
		return wantPrefix("vpc-", "a VPC is vpc- and an ID; a VPC endpoint (vpce-) stands in aws:SourceVpce")
	case "aws:sourcevpce":
		return wantPrefix("vpce-", "a VPC endpoint is vpce- and an ID; a VPC (vpc-) stands in aws:SourceVpc")
	case "aws:principalorgid", "aws:resourceorgid", "aws:sourceorgid", "aws:vpceorgid":
		return wantPrefix("o-", "an organization is o- and an ID")
	case "aws:principalorgpaths", "aws:resourceorgpaths", "aws:sourceorgpaths", "aws:vpceorgpaths":
		return wantPath
	case "aws:principalaccount", "aws:resourceaccount", "aws:sourceaccount", "aws:vpceaccount", "s3:resourceaccount", "kms:calleraccount":
		return func(v string, pattern bool) string {
			if len(v) == 12 && strings.Trim(v, "0123456789") == "" || pattern && strings.ContainsAny(v, "*?") {
				return ""
			}
			return "an account is 12 digits"
		}
	case "aws:requestedregion":
		return func(v string, pattern bool) string {
			if regionLike(v) && v != "" || pattern && strings.ContainsAny(v, "*?") {
				return ""
			}
			return "a region is a name such as eu-west-1"
		}
	case "aws:principaltype":
		return func(v string, _ bool) string {
			if slices.Contains([]string{"Account", "User", "FederatedUser", "AssumedRole", "Anonymous"}, v) || strings.ContainsAny(v, "*?") {
				return ""
			}
			return "it is Account, User, FederatedUser, AssumedRole or Anonymous"
		}
	case "aws:username":
		return func(v string, _ bool) string {
			if strings.ContainsAny(v, ":/") {
				return "it is the name of a user alone, without ARN or path"
			}
			return ""
		}
	}
	return nil
}

func wantService(v string, pattern bool) string {
	if strings.Contains(v, ".amazonaws.com") || strings.Contains(v, ".amazon.com") || strings.Contains(v, ".aws.internal") ||
		pattern && strings.ContainsAny(v, "*?") {
		return ""
	}
	return "a service is named by its principal, such as " + serviceOrExample(v) + ".amazonaws.com"
}

// serviceOrExample completes what looks like a service's name.
func serviceOrExample(v string) string {
	if v != "" && strings.Trim(strings.ToLower(v), "abcdefghijklmnopqrstuvwxyz0123456789-") == "" {
		return strings.ToLower(v)
	}
	return "ec2"
}

func wantPrefix(prefix, expected string) func(string, bool) string {
	return func(v string, pattern bool) string {
		if strings.HasPrefix(v, prefix) || pattern && policy.Overlaps(v, prefix+"*") {
			return ""
		}
		return expected
	}
}

// wantPath wants the path of an organisational unit, which ends in a slash.
func wantPath(v string, pattern bool) string {
	if !strings.HasPrefix(v, "o-") && (!pattern || !policy.Overlaps(v, "o-*")) {
		return "a path begins with the organization, o-…/r-…/ou-…/"
	}
	if !strings.HasSuffix(v, "/") && (!pattern || !strings.HasSuffix(v, "*")) {
		return "a path ends in a slash, or in * for what lies below"
	}
	return ""
}

func isBool(v string) bool { return strings.EqualFold(v, "true") || strings.EqualFold(v, "false") }

func addressOf(v string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(v); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	return netip.ParsePrefix(v)
}

// wideValue reports whether a value of a condition keeps next to nobody out:
// all that the key can hold, or what gives everything.
func wideValue(c *policy.Condition, v string) bool {
	operator, _, _ := c.Base()
	pattern := operator == "StringLike" || strings.HasPrefix(operator, "Arn")
	if !pattern && operator != "StringEquals" && operator != "StringEqualsIgnoreCase" {
		return false
	}
	if policy.EveryResource(v) {
		return true
	}
	switch key := strings.ToLower(c.Key); key {
	case "iam:policyarn", "iam:permissionsboundary":
		return slices.ContainsFunc(fullPolicies(), func(arn string) bool {
			return v == arn || pattern && policy.Matches(v, arn)
		})
	case "aws:principalarn", "aws:sourcearn", "iam:associatedresourcearn", "lambda:functionarn", "cloudformation:rolearn":
		return pattern && wideARN(key, v)
	case "iam:passedtoservice", "iam:awsservicename", "kms:viaservice", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast":
		return pattern && policy.Matches(v, "ec2.amazonaws.com") && policy.Matches(v, "lambda.amazonaws.com")
	case "sts:externalid", "sts:rolesessionname", "s3:prefix":
		return v == "" && key == "s3:prefix"
	}
	return false
}

// fullPolicies are policies of AWS that give everything, or the way to it.
func fullPolicies() []string {
	return []string{
		"arn:aws:iam::aws:policy/AdministratorAccess",
		"arn:aws:iam::aws:policy/IAMFullAccess",
		"arn:aws:iam::aws:policy/PowerUserAccess",
		"arn:aws-cn:iam::aws:policy/AdministratorAccess",
		"arn:aws-us-gov:iam::aws:policy/AdministratorAccess",
	}
}

// wideARN reports whether an ARN's pattern names every role, every user or all.
func wideARN(key, v string) bool {
	parts := strings.SplitN(v, ":", 6)
	if len(parts) < 6 {
		return false
	}
	if key == "aws:sourcearn" {
		return policy.EveryResource(parts[5]) && policy.EveryResource(parts[4])
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	return policy.EveryResource(parts[5]) || policy.EveryResource(name) && (kind == "role" || kind == "user" || policy.EveryResource(kind))
}
