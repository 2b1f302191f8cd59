package review

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"rolecall/policy"
)

// trusts are the findings of a trust policy: who may assume the role. Who gets
// in is asked of the evaluator, for one principal of one statement at a time,
// so that each finding has its line.
func (m *model) trusts() []Finding {
	var out []Finding
	for _, st := range m.statements {
		if st.Effect != policy.Allow {
			continue
		}
		out = append(out, m.accounts(st)...)
		out = append(out, m.federations(st)...)
		out = append(out, m.services(st)...)
		out = append(out, m.deletedPrincipals(st)...)
		out = append(out, m.impossibleIDs(st)...)
	}
	for _, st := range m.statements {
		out = append(out, m.literalVariables(st)...)
	}
	return append(out, m.trustTwice()...)
}

func (m *model) trustFinding(st *statement, element string, index int, f Finding) Finding {
	if f.Class == "" {
		f.Class = Risk
	}
	if f.Actions == nil {
		f.Actions = slices.Clone(st.Action)
	}
	f.at(st, st.Position(element, index))
	return f
}

// maxPrincipals bounds how many principals of a statement are judged one by
// one. A trust policy that AWS takes has hardly more.
const maxPrincipals = 64

// accounts judges the AWS principals of one statement.
func (m *model) accounts(st *statement) []Finding {
	if !st.Covers(policy.AssumeRole) {
		return nil
	}
	var out []Finding
	for i, value := range st.Principal["AWS"] {
		p, g := policy.ParsePrincipal(value), m.doc.Grant(st.index, "AWS", value)
		var found []Finding
		switch {
		case !policy.ValidPrincipal("AWS", value), i >= maxPrincipals:
		case p.Anyone:
			found = m.everybody(st, g)
		case p.AccountID != "":
			found = m.account(g, p)
		}
		for _, f := range found {
			if f.ID == "trust-nobody" && len(m.impossibleIDs(st)) > 0 {
				continue // that says why
			}
			out = append(out, m.trustFinding(st, "Principal.AWS", i, f))
		}
	}
	return append(out, m.weakExternalID(st, out)...)
}

// everybody judges the principal that is every account.
func (m *model) everybody(st *statement, g policy.Grant) []Finding {
	outsider := m.outsider()
	without := func(r policy.Request) policy.Request { return outsider(r).WithExternalID("") }
	f := Finding{ID: "trust-anyone", Category: "trust-wildcard-principal", Severity: High,
		Title: "Everybody with an AWS account can assume the role",
		Why:   `The principal {"AWS": "*"} is every user and role of every AWS account.`,
		Fix:   `Name the account: "Principal": {"AWS": "arn:aws:iam::111122223333:root"}.`}
	partition := m.opts.Partition
	if a := g.Stranger(partition, m.opts.Now, without); a.Allowed != nil {
		f.Why += keepsNobodyOut(st) + " For one, " + a.Allowed.String() + " gets in."
		return []Finding{f}
	}
	if a := g.Stranger(partition, m.opts.Now, outsider); a.Allowed != nil {
		f.Title = "Whoever knows the external ID can assume the role"
		f.Why += " An external ID is no secret. For one, " + a.Allowed.String() + " gets in."
		return []Finding{f}
	}
	if a := g.Stranger(partition, m.opts.Now, nil); a.Possible() {
		f.Severity, f.Title = Medium, "Anybody who meets a condition can assume the role"
		f.Why += " Only the condition on " + a.Key + " keeps the rest out."
		return []Finding{f}
	}
	return m.named(g, f)
}

// named judges the accounts to which conditions narrow everybody.
func (m *model) named(g policy.Grant, f Finding) []Finding {
	var out []Finding
	possible := false
	for _, id := range m.doc.Accounts() {
		if !g.Account(id, m.opts.Partition, m.opts.Now, nil).Possible() {
			continue
		}
		possible = true
		p := policy.ParsePrincipal(id)
		out = append(out, m.account(g, p)...)
	}
	if !possible {
		return []Finding{dead(f)}
	}
	return out
}

// outsider is what a caller of a foreign account brings: whatever it can set
// itself, but no organisation, network or provider that the document names.
// Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html.
func (m *model) outsider() func(policy.Request) policy.Request {
	const account = "999999999999"
	fixed := map[string][][]string{
		"aws:principalorgid":    {nil, {"o-zzzzzzzzzz"}},
		"aws:principalorgpaths": {nil, {"o-zzzzzzzzzz/r-zzzz/ou-zzzz-zzzzzzzz/"}},
		"aws:sourcevpc":         {nil, {"vpc-0zzzzzzzz"}},
		"aws:sourcevpcarn":      {nil, {"arn:aws:ec2:us-east-1:" + account + ":vpc/vpc-0zzzzzzzz"}},
		"aws:sourcevpce":        {nil, {"vpce-0zzzzzzzz"}},
		"aws:vpceaccount":       {nil, {account}},
		"aws:vpceorgid":         {nil, {"o-zzzzzzzzzz"}},
		"aws:vpceorgpaths":      {nil, {"o-zzzzzzzzzz/r-zzzz/"}},
		"aws:userid":            {{"AIDAZZZZZZZZZZZZZZZZZ"}, {"AROAZZZZZZZZZZZZZZZZZ:session"}},
		"aws:federatedprovider": {nil, {"arn:aws:iam::" + account + ":saml-provider/zz"}},
		"aws:sourceip":          addresses(),
	}
	keys := m.doc.ConditionKeys()
	return func(r policy.Request) policy.Request {
		for _, key := range keys {
			if values, ok := fixed[key]; ok {
				r = r.Among(key, values...)
			} else if strings.HasPrefix(key, "aws:") && m.tables.key(key) == "" {
				r = r.With(key) // no such key is ever there
			}
		}
		return r
	}
}

// addresses are far apart, so that a range which holds one of them is no
// network of somebody's. Through a VPC endpoint there is none.
func addresses() [][]string {
	out := [][]string{nil, {"2600:1f99::1"}}
	for first := 5; first < 224; first += 16 {
		out = append(out, []string{fmt.Sprintf("%d.53.137.201", first)})
	}
	return out
}

// keepsNobodyOut says of a statement's conditions that they do not help.
func keepsNobodyOut(st *statement) string {
	var keys []string
	for _, c := range st.Condition {
		if !strings.EqualFold(c.Key, policy.ExternalIDKey) && !slices.Contains(keys, c.Key) {
			keys = append(keys, c.Key)
		}
	}
	if len(keys) == 0 {
		return ""
	}
	return " The condition on " + few(keys, " and ") +
		" keeps nobody out: callers can meet it by what they set in their own account, or it holds for all."
}

// dead is a grant by which nobody gets in.
func dead(f Finding) Finding {
	f.ID, f.Class, f.Category, f.Severity = "trust-nobody", NoEffect, "bad-condition", Low
	f.Title = "Lets nobody in"
	f.Why = "No request meets the conditions of this statement and passes the Deny statements, whoever of the principal sends it."
	f.Fix = "Take it out, or correct the condition that cannot hold."
	return f
}

// account judges a principal of an account, or the account as a whole.
func (m *model) account(g policy.Grant, p policy.Principal) []Finding {
	if p.AccountID == m.opts.Account {
		return nil
	}
	v := g.Inquire(policy.Inquiry{Partition: m.opts.Partition, Account: m.opts.Account, Vendor: []string{p.AccountID}, Now: m.opts.Now})
	switch {
	case v.Without != nil:
		return m.noExternalID(g, p, v.Without)
	case v.Loose == nil && len(v.OtherIDs) == 0:
		return []Finding{dead(Finding{})}
	case !p.Whole:
		return nil
	}
	return []Finding{
		{
			ID:       "trust-root",
			Category: "trust-principal",
			Severity: Note,
			Title:    "Trusts account " + p.AccountID + " as a whole",
			Why: "Every user and role there that its own administrators let may assume the role. Vendors ask for it; naming one role would " +
				"be narrower.",
		},
	}
}

func (m *model) noExternalID(g policy.Grant, p policy.Principal, in *policy.Admission) []Finding {
	f := Finding{ID: "trust-external-id", Category: "trust-no-external-id", Severity: Medium,
		Title: "Account " + p.AccountID + " gets in without an external ID",
		Why: "If this account serves several customers, one of them can have it act in your account by naming your role. " +
			"An external ID that only you and the vendor use prevents that.",
		Fix: "Add to the statement:\n" + `"Condition": {"StringEquals": {"sts:ExternalId": "THE-ID-THE-VENDOR-GAVE-YOU"}}`}
	if slices.Contains(m.opts.Vendors, p.AccountID) {
		f.Severity = High
		f.Title = "The vendor's account " + p.AccountID + " needs no external ID"
	}
	if in.Request != nil {
		f.Why += " For one, " + in.Request.String() + " gets in."
	}
	steps := 0
	if !p.Whole {
		steps++
		f.Why += " One principal of the account is named, so fewer can."
	}
	outsider := m.outsider()
	free := g.Account(
		p.AccountID,
		m.opts.Partition,
		m.opts.Now,
		func(r policy.Request) policy.Request { return outsider(r).WithExternalID("") },
	)
	if free.Allowed == nil {
		steps++
		if in.Key != "" {
			f.Why += " The condition on " + in.Key + " limits it."
		}
	}
	var ok bool
	if f.Severity, ok = f.Severity.down(steps); !ok {
		return nil
	}
	return []Finding{f}
}

// weakExternalID names the condition on sts:ExternalId that asks for little,
// where other external IDs than those it names, or none, get in.
func (m *model) weakExternalID(st *statement, found []Finding) []Finding {
	loose := slices.ContainsFunc(found, func(f Finding) bool { return f.ID == "trust-external-id" })
	for i, value := range st.Principal["AWS"] {
		if p := policy.ParsePrincipal(value); p.AccountID != "" && p.AccountID != m.opts.Account && i < maxPrincipals {
			v := m.doc.Grant(st.index, "AWS", value).Inquire(policy.Inquiry{Partition: m.opts.Partition, Account: m.opts.Account,
				Vendor: []string{p.AccountID}, Now: m.opts.Now})
			loose = loose || v.Loose != nil
		}
	}
	if !loose {
		return nil
	}
	var out []Finding
	for i := range st.Condition {
		c := &st.Condition[i]
		why := weakID(c)
		if why == "" || !strings.EqualFold(c.Key, policy.ExternalIDKey) {
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
		if strings.ContainsAny(v, "*?") && operator == "StringLike" {
			return fmt.Sprintf("StringLike with %q lets in more than one ID.", short(v))
		}
	}
	absent := slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, "true") })
	switch {
	case ifExists:
		return c.Operator + " also holds for a caller who gives no external ID."
	case set == "ForAllValues":
		return "ForAllValues also holds for a caller who gives no external ID."
	case c.Negated():
		return c.Operator + " lets in every external ID but the ones named."
	case operator == "Null" && absent:
		return "The condition asks that there is no external ID."
	case operator == "Null":
		return "The condition asks only that there is some external ID, whichever."
	case operator == "StringEqualsIgnoreCase":
		return "StringEqualsIgnoreCase lets in the ID in any mixture of cases."
	}
	return ""
}

// impossibleIDs are external IDs that nobody can give. Source:
// docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html.
func (m *model) impossibleIDs(st *statement) []Finding {
	var out []Finding
	for i := range st.Condition {
		c := &st.Condition[i]
		operator, _, _ := c.Base()
		if !strings.EqualFold(c.Key, policy.ExternalIDKey) || !strings.HasPrefix(operator, "String") {
			continue
		}
		for n, v := range c.Values {
			why := impossibleID(v, operator)
			if why == "" {
				continue
			}
			f := conditionFinding(st, c.Position(n), "external-id-form", Medium, "No caller can give this external ID",
				fmt.Sprintf("%q %s, so AWS refuses a call that gives it. The comparison never holds.", short(v), why))
			f.Fix = "Write the ID as the vendor shows it: 2 to 1,224 letters, digits and _+=,.@:/-."
			out = append(out, *f)
		}
	}
	return out
}

func impossibleID(v, operator string) string {
	if strings.Contains(v, "${") {
		return ""
	}
	like := strings.HasSuffix(operator, "Like")
	bad := strings.IndexFunc(v, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		wild := like && (r == '*' || r == '?')
		return !letter && !wild && !strings.ContainsRune("_+=,.@:/-", r)
	})
	switch {
	case !like && strings.ContainsAny(v, "*?"):
		return "" // a wildcard taken for a letter has a finding of its own
	case bad >= 0 && v[bad] == ' ':
		return "has a blank"
	case bad >= 0:
		r, _ := utf8.DecodeRuneInString(v[bad:])
		return fmt.Sprintf("has the character %q", r)
	case len(v) < 2 && !strings.Contains(v, "*"), len(v) > 1224:
		return fmt.Sprintf("has %d characters", len(v))
	}
	return ""
}

// literalVariables are policy variables in a version of the language that has
// none.
func (m *model) literalVariables(st *statement) []Finding {
	if m.doc.Version == policy.Version2012 {
		return nil
	}
	var out []Finding
	for i := range st.Condition {
		c := &st.Condition[i]
		for n, v := range c.Values {
			if !strings.Contains(v, "${") {
				continue
			}
			f := conditionFinding(st, c.Position(n), "variable-version", Medium, "The variable is compared as it is written",
				fmt.Sprintf("Policy variables need \"Version\": \"2012-10-17\". Here %q is a text like any other.", short(v)))
			f.Fix = `Set "Version": "2012-10-17".`
			out = append(out, *f)
		}
	}
	return out
}

// deletedPrincipals are ids instead of ARNs.
func (m *model) deletedPrincipals(st *statement) []Finding {
	var out []Finding
	for i, value := range st.Principal["AWS"] {
		if !policy.IsUniqueID(value) {
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
			f := Finding{ID: "redundant", Class: Untidy, Category: "redundant", Severity: Note, Title: "A principal is trusted twice",
				Why: short(value) + " is covered by another principal of the list.", Fix: "Take it out."}
			out = append(out, m.trustFinding(st, "Principal.AWS", i, f))
		}
	}
	return out
}
