package review

import (
	"fmt"
	"strings"
	"sync"

	"github.com/agext/levenshtein"

	"rolecall/assets"
	"rolecall/policy"
)

// serviceNames are the known service principals, without their domain.
var serviceNames = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	eachLine(assets.ReviewServices, func(fields []string) {
		for name := range strings.FieldsSeq(fields[0]) {
			out[name] = true
		}
	})
	return out
})

// refusedService tells a name that people take for a service principal, and that
// AWS is known to refuse in public reports. The lists of names are never complete,
// so that what is merely not in them may exist. Source:
// github.com/hashicorp/terraform/issues/35086.
func refusedService(name string) bool { return name == "tagging" }

// serviceDomains are the ends of a service principal.
func serviceDomains() []string {
	return []string{
		".amazonaws.com",
		".amazonaws.com.cn",
		".amazonaws.eu",
		".amazon.com",
		".aws.internal",
		".c2s.ic.gov",
		".sc2s.sgov.gov",
		".cloud.adc-e.uk",
		".csp.hci.ic.gov",
	}
}

// computeServices act for one role at a time, so that a source is no help.
const computeServices = " ec2.amazonaws.com lambda.amazonaws.com ecs-tasks.amazonaws.com "

// services judges the services that may assume the role.
func (m *model) services(st *statement) []Finding {
	var out []Finding
	for i, service := range st.Principal["Service"] {
		f, wrong := m.unknownServicePrincipal(service)
		if !wrong {
			f = Finding{ID: "trust-service", Category: "trust-principal", Severity: Note,
				Title: "Does not say on whose behalf " + short(service) + " acts",
				Why: "A condition on aws:SourceArn or aws:SourceAccount keeps the service from using the role for somebody else. " +
					"Not every service sends them.",
				Fix: `Add "Condition": {"StringEquals": {"aws:SourceAccount": "YOUR-ACCOUNT-ID"}}.`}
			foreign := policy.ServiceRequest(service, m.opts.Now).Among("aws:SourceAccount", nil, []string{"999999999999"}).
				Among("aws:SourceArn", nil, []string{"arn:aws:sns:us-east-1:999999999999:zz"}).
				Among("aws:SourceOrgID", nil, []string{"o-zzzzzzzzzz"}).Among("aws:SourceOwner", nil, []string{"999999999999"})
			open := m.doc.Grant(st.index, "Service", service).Ask(foreign).Possible()
			if strings.Contains(computeServices, " "+service+" ") || !open {
				continue
			}
		}
		out = append(out, m.trustFinding(st, "Principal.Service", i, f))
	}
	return out
}

// unknownServicePrincipal is a service that AWS does not have, as far as is
// known. What is one letter from a known one is taken for a mistake, as AWS
// takes it.
func (m *model) unknownServicePrincipal(value string) (Finding, bool) {
	folded := strings.ToLower(value)
	f := Finding{ID: "service-principal", Class: Refused, Category: "trust-principal", Severity: SeverityRefused,
		Title: fmt.Sprintf("AWS refuses it: the service principal %q", short(value))}
	sentence := fmt.Sprintf("Invalid principal in policy: %q:%q", "SERVICE", short(value))
	name, domain := splitService(folded)
	near := nearService(folded, name)
	switch {
	case !strings.Contains(value, ".") || strings.ContainsAny(value, " :/*"):
		return f, false // its form is refused already
	case domain == "":
		f.Why = fmt.Sprintf("%q is no service principal: those end in .amazonaws.com. AWS answers: %s.", short(value), sentence)
	case m.knownService(name):
		return f, false
	case refusedService(name):
		f.Why = fmt.Sprintf("AWS has no service principal %q. It answers: %s.", short(value), sentence)
	case near != "":
		f.Why = fmt.Sprintf("No service principal %q is known. AWS answers: %s.", short(value), sentence)
	default:
		f.Class, f.Severity, f.Title = NoEffect, Medium, "Trusts a service that is not known"
		f.Why = fmt.Sprintf("No service principal %q is known. Where there is none, AWS refuses the policy: %s.", short(value), sentence)
	}
	f.Fix = "Look up the service's principal on its own page on roles."
	if near != "" {
		f.Why += " Did you mean " + near + "?"
		f.Fix = "Write " + near + "."
	}
	return f, true
}

// splitService cuts a service principal into name and domain; the region that
// some carry is left off.
func splitService(folded string) (name, domain string) {
	for _, end := range serviceDomains() {
		if rest, ok := strings.CutSuffix(folded, end); ok && len(end) > len(domain) {
			name, domain = rest, end
		}
	}
	parts := strings.Split(name, ".")
	last := parts[len(parts)-1]
	if len(parts) > 1 && strings.Count(last, "-") >= 2 && strings.Trim(last[len(last)-1:], "0123456789") == "" {
		name = strings.Join(parts[:len(parts)-1], ".")
	}
	return name, domain
}

// knownService reports whether a service is known as a principal, or at least
// as the prefix of actions.
func (m *model) knownService(name string) bool {
	if serviceNames()[name] {
		return true
	}
	_, ok := m.cat.Service(name)
	return ok
}

// nearService is the known principal that a misspelt one means, "" for none.
func nearService(folded, name string) string {
	var best string
	least := 2
	for known := range serviceNames() {
		whole := known + ".amazonaws.com"
		d := levenshtein.Distance(folded, whole, nil)
		if name != "" {
			d = levenshtein.Distance(name, known, nil)
		}
		if abs(len(folded)-len(whole)) < 3 && swapped(name, known) {
			d = 1
		}
		if d < least || d == least && best != "" && whole < best {
			best, least = whole, d
		}
	}
	if name == "" && best == "" {
		best = otherDomain(folded)
	}
	if len(name) > 0 && len(name) < 3 {
		return "" // of two letters, one that differs is another name
	}
	return best
}

// otherDomain is a known service under a domain that is none.
func otherDomain(folded string) string {
	name, _, _ := strings.Cut(folded, ".")
	if serviceNames()[name] {
		return name + ".amazonaws.com"
	}
	return ""
}

// swapped reports whether two neighbours changed places.
func swapped(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	at := 0
	for at < len(a) && a[at] == b[at] {
		at++
	}
	return at+1 < len(a) && a[at] == b[at+1] && a[at+1] == b[at] && a[at+2:] == b[at+2:]
}
