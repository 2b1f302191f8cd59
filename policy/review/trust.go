package review

import (
	"fmt"
	"slices"
	"strings"

	"rolecall/policy"
)

// trusts are the findings of a trust policy: who may assume the role.
func (m *model) trusts() []Finding {
	var out []Finding
	for _, grant := range m.doc.Trusts() {
		out = append(out, m.trustedAccounts(grant)...)
	}
	for _, st := range m.statements {
		if st.Effect != policy.Allow {
			continue
		}
		out = append(out, m.federations(st)...)
		out = append(out, m.services(st)...)
		out = append(out, m.deletedPrincipals(st)...)
	}
	return append(out, m.trustTwice()...)
}

func (m *model) trustFinding(st *statement, element string, index int, f Finding) Finding {
	f.Class = Risk
	if f.Actions == nil {
		f.Actions = slices.Clone(st.Action)
	}
	f.at(st, st.Position(element, index))
	return f
}

// trustedAccounts judges the AWS principals of one grant.
func (m *model) trustedAccounts(g policy.TrustGrant) []Finding {
	st := m.statements[g.Statement]
	limited := trustLimit(g.Conditions)
	var out []Finding
	for _, p := range g.Principals {
		if len(st.Principal["*"]) > 0 {
			break // refused by AWS, or a Deny
		}
		at := slices.Index(st.Principal["AWS"], p.Value)
		switch {
		case p.Anyone:
			out = append(out, m.trustFinding(st, "Principal.AWS", at, anyone(g, limited)))
		case !g.ExternalID.Required && p.AccountID != "":
			if f, ok := m.noExternalID(p, limited); ok {
				out = append(out, m.trustFinding(st, "Principal.AWS", at, f))
			}
		}
	}
	out = append(out, m.weakExternalID(st, g)...)
	return append(out, m.wholeAccounts(st, g)...)
}

// trustLimit says which other condition narrows who gets in.
func trustLimit(conditions []policy.Condition) string {
	for i := range conditions {
		c := &conditions[i]
		key := strings.ToLower(c.Key)
		_, set, ifExists := c.Base()
		if c.Negated() || ifExists || set == "ForAllValues" || everything(c.Values) {
			continue
		}
		switch {
		case strings.HasPrefix(key, "aws:principal"), key == "aws:sourcearn", key == "aws:sourceaccount", key == "aws:sourceip",
			key == "aws:sourcevpce", key == "aws:sourcevpc", key == "aws:userid", key == "aws:sourceorgid":
			return c.Key
		}
	}
	return ""
}

func anyone(g policy.TrustGrant, limited string) Finding {
	f := Finding{ID: "trust-anyone", Category: "trust-wildcard-principal", Severity: High,
		Title: "Everybody with an AWS account can assume the role",
		Why:   `The principal {"AWS": "*"} is every user and role of every AWS account.`,
		Fix:   `Name the account: "Principal": {"AWS": "arn:aws:iam::111122223333:root"}.`}
	switch {
	case limited != "":
		f.Severity = Medium
		f.Title = "Anybody who meets a condition can assume the role"
		f.Why += " Only the condition on " + limited + " keeps the rest out."
	case g.ExternalID.Required:
		f.Title = "Whoever knows the external ID can assume the role"
		f.Why += " An external ID is no secret."
	}
	return f
}

func (m *model) noExternalID(p policy.Principal, limited string) (Finding, bool) {
	if p.AccountID == m.opts.Account && p.AccountID != "" {
		return Finding{}, false
	}
	f := Finding{ID: "trust-external-id", Category: "trust-no-external-id", Severity: Medium,
		Title: "Account " + p.AccountID + " gets in without an external ID",
		Why: "If this account serves several customers, one of them can have it act in your account by naming your role. " +
			"An external ID that only you and the vendor use prevents that.",
		Fix: "Add to the statement:\n" + `"Condition": {"StringEquals": {"sts:ExternalId": "THE-ID-THE-VENDOR-GAVE-YOU"}}`}
	if slices.Contains(m.opts.Vendors, p.AccountID) {
		f.Severity = High
		f.Title = "The vendor's account " + p.AccountID + " needs no external ID"
	}
	steps := btoi(limited != "")
	if !p.Whole {
		steps++
		f.Why += " One principal of the account is named, so fewer can."
	}
	if limited != "" {
		f.Why += " The condition on " + limited + " limits it."
	}
	var ok bool
	f.Severity, ok = f.Severity.down(steps)
	return f, ok
}

// weakExternalID is a condition on sts:ExternalId that asks for little.
func (m *model) weakExternalID(st *statement, g policy.TrustGrant) []Finding {
	var out []Finding
	for i := range g.ExternalID.Conditions {
		c := &g.ExternalID.Conditions[i]
		why := weakID(c)
		if why == "" {
			continue
		}
		f := Finding{ID: "trust-external-id", Class: Risk, Category: "trust-no-external-id", Severity: Medium, Actions: slices.Clone(st.Action),
			Title: "The external ID is not really asked for", Why: why,
			Fix: `Write the one ID: {"StringEquals": {"sts:ExternalId": "THE-ID-THE-VENDOR-GAVE-YOU"}}.`}
		f.at(st, c.Pos)
		out = append(out, f)
	}
	return out
}

func weakID(c *policy.Condition) string {
	operator, set, ifExists := c.Base()
	for _, v := range c.Values {
		switch {
		case strings.ContainsAny(v, "*?") && operator == "StringLike":
			return fmt.Sprintf("StringLike with %q lets in more than one ID.", short(v))
		case len(v) < 2 || len(v) > 1224:
			return fmt.Sprintf("%q has %d characters; AWS takes external IDs of 2 to 1,224.", short(v), len(v))
		}
	}
	switch {
	case ifExists:
		return c.Operator + " also holds for a caller who gives no external ID."
	case set == "ForAllValues":
		return "ForAllValues also holds for a caller who gives no external ID."
	case c.Negated():
		return c.Operator + " lets in every external ID but the ones named."
	case operator == "Null" && slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, "true") }):
		return "The condition asks that there is no external ID."
	}
	return ""
}

// wholeAccounts notes that an account as a whole is trusted, as vendors ask.
func (m *model) wholeAccounts(st *statement, g policy.TrustGrant) []Finding {
	var out []Finding
	for _, p := range g.Principals {
		if !p.Whole || p.AccountID == m.opts.Account || !g.ExternalID.Required {
			continue
		}
		f := Finding{ID: "trust-root", Category: "trust-principal", Severity: Note,
			Title: "Trusts account " + p.AccountID + " as a whole",
			Why:   "Every user and role there that its own administrators let may assume the role. Vendors ask for it; naming one role would be narrower."}
		out = append(out, m.trustFinding(st, "Principal.AWS", slices.Index(st.Principal["AWS"], p.Value), f))
	}
	return out
}

// federations judges identity providers: who of their users gets in.
func (m *model) federations(st *statement) []Finding {
	var out []Finding
	for i, provider := range st.Principal["Federated"] {
		if f, ok := federation(st, provider); ok {
			out = append(out, m.trustFinding(st, "Principal.Federated", i, f))
		}
	}
	return out
}

func federation(st *statement, provider string) (Finding, bool) {
	f := Finding{ID: "trust-oidc", Category: "trust-wildcard-principal", Severity: Medium}
	saml := strings.Contains(provider, ":saml-provider/")
	switch {
	case saml && asks(st, "saml:"):
		return f, false
	case saml:
		f.Severity = Low
		f.Title = "Does not check whom the sign-in was meant for"
		f.Why = "Without a condition on SAML:aud, a sign-in made for another use of the provider works here too."
		f.Fix = `Add "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}.`
		return f, true
	case strings.Contains(provider, "token.actions.githubusercontent.com"):
		return github(st, f)
	case asks(st, ":aud") || asks(st, ":sub") || asks(st, ":app_id") || asks(st, ":amr"):
		return f, false
	}
	f.Title = "Every user of the provider can assume the role"
	f.Why = "Without a condition on aud or sub, whoever signs in at " + short(provider) + " gets in, for whatever application."
	f.Fix = `Add a condition on the provider's aud and sub keys, such as "StringEquals": {"PROVIDER:aud": "CLIENT-ID"}.`
	return f, true
}

func github(st *statement, f Finding) (Finding, bool) {
	for i := range st.Condition {
		c := &st.Condition[i]
		if !strings.HasSuffix(strings.ToLower(c.Key), ":sub") || c.Negated() {
			continue
		}
		wide := slices.ContainsFunc(c.Values, func(v string) bool {
			owner, _, _ := strings.Cut(strings.TrimPrefix(v, "repo:"), "/")
			return strings.ContainsAny(owner, "*?") || owner == ""
		})
		if !wide {
			return f, false
		}
	}
	f.Severity = High
	f.Title = "Any GitHub repository can assume the role"
	f.Why = "Nothing limits which organisation's workflows get in: the condition on sub is missing, or matches all."
	f.Fix = `Add "StringLike": {"token.actions.githubusercontent.com:sub": "repo:ORGANISATION/REPOSITORY:*"}.`
	return f, true
}

// asks reports whether a condition on a key with this part holds a value back.
func asks(st *statement, part string) bool {
	return slices.ContainsFunc(st.Condition, func(c policy.Condition) bool {
		return strings.Contains(strings.ToLower(c.Key), part) && !c.Negated() && !everything(c.Values)
	})
}

// computeServices act for one role at a time, so that a source is no help.
const computeServices = " ec2.amazonaws.com lambda.amazonaws.com ecs-tasks.amazonaws.com "

func (m *model) services(st *statement) []Finding {
	var out []Finding
	for i, service := range st.Principal["Service"] {
		if strings.Contains(computeServices, " "+service+" ") || asks(st, "aws:source") {
			continue
		}
		f := Finding{ID: "trust-service", Category: "trust-principal", Severity: Note,
			Title: "Does not say on whose behalf " + short(service) + " acts",
			Why: "A condition on aws:SourceArn or aws:SourceAccount keeps the service from using the role for somebody else. " +
				"Not every service sends them.",
			Fix: `Add "Condition": {"StringEquals": {"aws:SourceAccount": "YOUR-ACCOUNT-ID"}}.`}
		out = append(out, m.trustFinding(st, "Principal.Service", i, f))
	}
	return out
}

// deletedPrincipals are ids instead of ARNs.
func (m *model) deletedPrincipals(st *statement) []Finding {
	var out []Finding
	for i, value := range st.Principal["AWS"] {
		if value == "*" || policy.ParsePrincipal(value).AccountID != "" {
			continue
		}
		f := Finding{ID: "trust-id", Category: "trust-principal", Severity: Medium,
			Title: "Trusts somebody who may not exist any more",
			Why: fmt.Sprintf("%s is no account and no ARN. An id such as AROA… stays behind when the role or user is deleted; "+
				"nobody gets in by it, and a new one of the same name does not either.", short(value)),
			Fix: "Name the principal by its ARN, or take it out."}
		out = append(out, m.trustFinding(st, "Principal.AWS", i, f))
	}
	return out
}

// trustTwice notes principals that another one of the same list covers.
func (m *model) trustTwice() []Finding {
	var out []Finding
	for _, st := range m.statements {
		list := st.Principal["AWS"]
		for i, value := range list {
			if len(list) > maxResources || !slices.ContainsFunc(list[:i], func(o string) bool {
				return o == value || policy.ParsePrincipal(o).Covers(policy.ParsePrincipal(value))
			}) {
				continue
			}
			f := Finding{ID: "redundant", Category: "redundant", Severity: Note, Title: "A principal is trusted twice",
				Why: short(value) + " is covered by another principal of the list.", Fix: "Take it out."}
			f = m.trustFinding(st, "Principal.AWS", i, f)
			f.Class = Untidy
			out = append(out, f)
		}
	}
	return out
}
