package review

import (
	"slices"
	"strings"
	"sync"

	"rolecall/policy"
)

// reach is how much of what an action works on a resource pattern covers.
type reach struct {
	applies bool // the action works on something that the pattern matches
	drop    int  // 0 everything of a kind, 1 some of it, 2 named resources
	self    bool // the caller's own user, by a policy variable
}

// reach compares a resource pattern with the kinds of resource of an action.
func (m *model) reach(action, resource string) reach {
	if policy.EveryResource(resource) {
		return reach{applies: true}
	}
	parts := strings.SplitN(resource, ":", 6)
	service, _, _ := strings.Cut(action, ":")
	if len(parts) > 2 && len(resource) < maxARN && foreign(service, strings.ToLower(parts[2])) {
		return reach{}
	}
	if len(resource) >= maxARN {
		return looseReach(service, parts, resource)
	}
	a, ok := m.cat.Action(action)
	if !ok || len(parts) < 6 {
		return looseReach(service, parts, resource)
	}
	var best reach
	for _, r := range a.Resources() {
		got := m.reachOf(r.Type.ARN, resource, parts)
		if got.applies && (!best.applies || got.drop < best.drop) {
			best = got
		}
	}
	return best
}

// reachOf keeps answers: the actions of a service share their kinds of
// resource.
func (m *model) reachOf(template, resource string, parts []string) reach {
	question := [2]string{template, resource}
	answer, ok := m.reached[question]
	if !ok {
		answer = reachOf(template, parts)
		if m.reached == nil {
			m.reached = map[[2]string]reach{}
		}
		m.reached[question] = answer
	}
	return answer
}

// maxARN is the length of the longest ARN that AWS makes.
const maxARN = 2048

// borrowers are services some of whose resources carry another service's name.
// A test finds them in the catalogue.
const borrowers = " apprunner backup codestar cognito-idp connect ebs ec2 ec2-instance-connect es events greengrass kinesis" +
	" payment-cryptography rds-data redshift-data route53 s3 servicecatalog ssm sts wafv2 "

// borrowing is the set of borrowers: it is asked for each action and resource.
var borrowing = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for service := range strings.FieldsSeq(borrowers) {
		set[service] = true
	}
	return set
})

// foreign reports, without unpacking anything, that an ARN is of another
// service.
func foreign(service, named string) bool {
	return named != service && !borrowing()[service] && !strings.ContainsAny(named, "*?$")
}

// looseReach is for actions that the catalogue lacks and for ARNs cut short.
func looseReach(service string, parts []string, resource string) reach {
	if len(parts) > 2 && !policy.Matches(strings.ToLower(parts[2]), service) {
		return reach{}
	}
	if strings.ContainsAny(resource, "*?") {
		return reach{applies: true, drop: 1}
	}
	return reach{applies: true, drop: 2}
}

// reachOf compares an ARN with the template of one kind of resource, such as
// arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}.
func reachOf(template string, parts []string) reach {
	t := strings.SplitN(template, ":", 6)
	if len(t) < 6 {
		return reach{applies: template == "*"}
	}
	if !fits(t[2], parts[2]) || !fits(t[3], parts[3]) || !fits(t[4], parts[4]) || !fits(t[5], parts[5]) {
		return reach{}
	}
	if parts[4] == "aws" && strings.HasPrefix(t[5], "policy/") {
		return reach{} // AWS's own policies can be changed by nobody.
	}
	out := reach{applies: true, drop: narrowed(t[5], parts[5])}
	if out.drop == 0 && strings.Contains(t[3], "${") && !strings.Contains(parts[3], "*") {
		out.drop = 1 // one region
	}
	if strings.Contains(parts[5], "${aws:username}") && strings.HasPrefix(t[5], "user/") {
		out.self, out.drop = true, 0
	}
	return out
}

// fits reports whether a part of an ARN can be one that the template makes.
func fits(template, part string) bool {
	switch {
	case policy.EveryResource(part) || template == part:
		return true
	case template == "${BucketName}" && strings.Contains(part, "/"):
		return false // a bucket's name has no slash: this is about objects
	}
	return policy.Overlaps(pattern(template, "?*"), pattern(part, "*"))
}

// pattern turns ${…} into a wildcard.
func pattern(text, wildcard string) string {
	if !strings.Contains(text, "${") {
		return text
	}
	var b strings.Builder
	for {
		start := strings.Index(text, "${")
		if start < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:start])
		b.WriteString(wildcard)
		end := strings.IndexByte(text[start:], '}')
		if end < 0 {
			return b.String()
		}
		text = text[start+end+1:]
	}
}

// narrowed measures the last part of an ARN against its template.
func narrowed(template, part string) int {
	part = pattern(part, "*")
	if strings.HasPrefix(template, "secret:") {
		part = strings.TrimSuffix(part, "-??????") // what Secrets Manager adds to a name
	}
	wild := strings.IndexAny(part, "*?")
	if wild < 0 {
		return 2
	}
	if policy.EveryResource(part) || coversTemplate(part, template) {
		return 0
	}
	// Where the first name is complete, the wildcard stands for what lies in
	// that resource: arn:aws:s3:::bucket/*.
	first, rest, _ := strings.Cut(template, "${")
	_, rest, _ = strings.Cut(rest, "}")
	separator, _, _ := strings.Cut(rest, "${")
	named := strings.TrimPrefix(part[:wild], first)
	if separator != "" && len(named) < len(part) && strings.Index(named, separator) > 0 {
		return 2
	}
	return 1
}

// coversTemplate reports whether a pattern matches all that a template makes.
func coversTemplate(part, template string) bool {
	return policy.Covers(part, pattern(template, "*"))
}

// scoped writes an ARN for a kind of resource with names to fill in, such as
// arn:aws:iam::*:role/ROLE-NAME.
func scoped(template, partition, account string) string {
	if partition == "" {
		partition = "aws"
	}
	if account == "" {
		account = "*"
	}
	var b strings.Builder
	for {
		start := strings.Index(template, "${")
		if start < 0 {
			b.WriteString(template)
			return b.String()
		}
		end := start + strings.IndexByte(template[start:], '}')
		if end < start {
			return b.String()
		}
		b.WriteString(template[:start])
		switch name := template[start+2 : end]; name {
		case "Partition":
			b.WriteString(partition)
		case "Region":
			b.WriteString("*")
		case "Account":
			b.WriteString(account)
		case "ObjectName":
			b.WriteString("*")
		default:
			b.WriteString(placeholder(name))
		}
		template = template[end+1:]
	}
}

// placeholder turns RoleNameWithPath into ROLE-NAME.
func placeholder(name string) string {
	name = strings.TrimSuffix(name, "WithPath")
	var b strings.Builder
	for i, r := range name {
		if i > 0 && upper(name[i]) && !upper(name[i-1]) {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}

// sortedCopy is for lists that are shown.
func sortedCopy(list []string) []string {
	out := slices.Clone(list)
	slices.Sort(out)
	return slices.Compact(out)
}
