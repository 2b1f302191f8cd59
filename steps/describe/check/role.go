package check

import (
	"fmt"
	"slices"
	"strings"

	"rolecall/policy"
	"rolecall/steps/describe"
)

// role checks one role or user with its policy.
func (r *reader) role(path string, v *describe.Vendor, role *describe.Role) {
	r.need(path+".purpose", role.Purpose, "a name such as AcmeRoleArn")
	r.rule(path+".purpose", role.Purpose, purposeRule())
	r.need(path+".title", role.Title, "what the role is for, in a word or two")
	if role.Policy != "" {
		r.need(path+".policy_name", role.PolicyName, "the name that the vendor suggests for the policy")
	}
	r.rule(path+".policy_name", role.PolicyName, iamNameRule(128))
	r.oneOf(path+".access", role.Access, describe.AccessRole, describe.AccessUser)
	if role.Access == "" {
		role.Access = describe.AccessRole
	}
	r.oneOf(path+".hand_over", role.HandOver, describe.HandOverRole, describe.HandOverAccount)
	if role.HandOver != "" && (role.Submit || role.Access == describe.AccessUser) {
		r.wrong(path+".hand_over", "Nothing of this role is copied: an API takes it, or it is a user.", "no hand_over", "Remove it.")
	}
	r.later(path+".trust", v, role)
	r.names(path, role)
	r.description(path+".description", role.Description)
	for i, id := range role.Principals {
		r.account(fmt.Sprintf("%s.principals[%d]", path, i), id, describe.Commercial)
	}
	r.webIdentity(path, role)
	role.NoteWords()
	for _, name := range sortedKeys(role.Parameters) {
		r.parameter(path, name, v, role)
	}
	r.policy(path, role)
	r.placeholders(path, v, role)
	r.inlineSize(path, role)
	r.managedPolicies(path, role)
	if role.NeedsExternalID() && v.ExternalID.Pattern == "" && !r.noted("external_id.pattern") {
		r.wrong(
			path,
			"The role needs an external ID, and the description has no rule for it.",
			"external_id.pattern, or no_external with the reason",
			"Add one of the two.",
		)
	}
}

// later checks a role whose trust policy is completed once it exists.
func (r *reader) later(path string, v *describe.Vendor, role *describe.Role) {
	r.oneOf(path, role.Trust, describe.TrustLater)
	if !role.Later() {
		return
	}
	switch {
	case role.Access == describe.AccessUser:
		r.wrong(path, "A user trusts nobody.", "no trust for a user", "Remove it.")
	case role.NoExternal != "":
		r.wrong(path, "The role has no external ID that could come later.", "trust: later, or no_external", "Remove one of the two.")
	case role.Submit || v.HandOver.URL != "":
		r.wrong(path, "The role is closed when a request or an API would hand it over.", "a hand-over by copy", "Remove trust, or the hand-over.")
	}
}

// names checks that a role has a role's name, and a user a user's.
func (r *reader) names(path string, role *describe.Role) {
	if role.Access == describe.AccessUser {
		r.need(path+".user_name", role.UserName, "the name that the vendor suggests for the user")
		r.rule(path+".user_name", role.UserName, iamNameRule(64))
		return
	}
	r.need(path+".role_name", role.RoleName, "the name that the vendor suggests for the role")
	r.rule(path+".role_name", role.RoleName, iamNameRule(64))
}

// description checks IAM's rule: at most 1,000 characters of Latin-1.
func (r *reader) description(path, text string) {
	wide := strings.ContainsFunc(text, func(c rune) bool { return c > 0xFF })
	if wide || len([]rune(text)) > 1000 {
		r.wrong(path, "AWS would refuse this description.", "at most 1,000 characters of Latin-1", "Shorten it, and use plain quotes.")
	}
}

// inlineSize notes a policy that AWS would refuse as the role's own. One that is
// too large for a managed policy is divided.
func (r *reader) inlineSize(path string, role *describe.Role) {
	if !role.Inline || role.Document == nil {
		return
	}
	if role.Access == describe.AccessUser {
		r.wrong(path+".inline", "rolecall attaches policies to users, and makes none of their own.", "no inline for a user", "Remove it.")
	}
	if n := role.Document.Characters(); n > role.Limit() {
		r.wrong(
			path+".policy",
			fmt.Sprintf("The policy has %d characters, and AWS takes %d as a role's own.", n, role.Limit()),
			"a shorter policy, or no inline",
			"Remove inline: then rolecall divides it.",
		)
	}
}

// policy parses the statements and checks what refers to them.
func (r *reader) policy(path string, role *describe.Role) {
	at := path + ".policy"
	if role.Policy == "" {
		r.noPolicy(at, role)
		return
	}
	doc, refusals := policy.Check([]byte(role.Policy), policy.Identity)
	for _, refusal := range refusals {
		r.refused(at, refusal)
	}
	if doc == nil || len(refusals) > 0 {
		return
	}
	role.Document = doc
	sids := sidsOf(doc)
	r.needSids(at, doc)
	for i, sid := range role.Always {
		if !slices.Contains(sids, sid) {
			r.dangling(fmt.Sprintf("%s.always[%d]", path, i), sid, "statement", sids)
		}
	}
	for _, sid := range sortedKeys(role.Why) {
		r.reason(path+".why."+sid, sid, role, sids)
	}
	for _, sid := range sids {
		if _, ok := role.Why[sid]; !ok && sid != "" {
			r.wrong(
				at,
				fmt.Sprintf("The statement %q has no reason.", describe.Clean(sid)),
				"for and without under why."+describe.Clean(sid),
				"Say what it is for, and what stops without it.",
			)
		}
	}
}

// noPolicy takes a role without a policy of its own where it has AWS managed
// ones, and notes what then means nothing.
func (r *reader) noPolicy(at string, role *describe.Role) {
	if _, written := r.places[at]; written || len(role.ManagedPolicies) == 0 {
		r.need(at, "", "the JSON of all statements, or managed_policies alone")
		return
	}
	role.Document = &policy.Document{}
	parent := strings.TrimSuffix(at, ".policy")
	for _, key := range []string{"policy_name", "inline", "always", "why"} {
		if _, written := r.places[parent+"."+key]; written {
			r.wrong(
				parent+"."+key+"#key",
				fmt.Sprintf("The role has no policy of its own that %s could be about.", key),
				"managed_policies alone, or a policy too",
				"Remove it, or write the policy.",
			)
		}
	}
}

// managedPolicies checks the names of AWS managed policies. Whether AWS has
// such a policy shows when it is attached.
func (r *reader) managedPolicies(path string, role *describe.Role) {
	at := path + ".managed_policies"
	for i, name := range role.ManagedPolicies {
		item := fmt.Sprintf("%s[%d]", at, i)
		if name == "" {
			r.need(item, "", managedPolicyRule().expected)
			continue
		}
		r.rule(item, name, managedPolicyRule())
		for _, word := range placeholders(name) {
			if _, ok := role.Parameters[word]; !ok {
				r.wrong(item, fmt.Sprintf("There is no parameter %s.", describe.Clean(word)), strings.Join(role.ParameterNames(), ", "),
					"Describe it under parameters, or write the policy's name.")
			}
		}
		if slices.Index(role.ManagedPolicies, name) < i {
			r.wrong(item, fmt.Sprintf("%q stands here twice.", describe.Clean(name)), "each policy once", "Remove one.")
		}
	}
	most := policy.MaxAttached
	if role.Policy != "" && !role.Inline {
		most-- // the role's own is attached too
	}
	if len(role.ManagedPolicies) > most {
		r.wrong(
			at,
			"AWS attaches no more than 10 managed policies to a role, the vendor's own included.",
			fmt.Sprintf("at most %d here", most),
			"Remove some.",
		)
	}
	if len(role.ManagedPolicies) > 0 && role.Access == describe.AccessUser {
		r.wrong(
			at,
			"rolecall attaches AWS managed policies to roles alone.",
			"no managed_policies for a user",
			"Write what the user needs as its policy.",
		)
	}
}

// needSids notes statements that nothing could name.
func (r *reader) needSids(at string, doc *policy.Document) {
	for i := range doc.Statements {
		if s := &doc.Statements[i]; s.Sid == "" {
			line, column := r.inPolicy(at, s.Pos.Line, s.Pos.Column)
			r.wrongAt(line, column, "The statement has no Sid.", "a Sid, by which products and reasons name it", "Add one.")
		}
	}
}

func (r *reader) refused(at string, refusal policy.Refusal) {
	line, column := r.inPolicy(at, refusal.Line, refusal.Column)
	r.wrongAt(line, column, describe.Clean(refusal.What), describe.Clean(refusal.Expected), "Correct the policy: AWS would refuse it.")
}

// inPolicy turns a place in the JSON into one in the file. The text of a block
// begins on the line after its mark.
func (r *reader) inPolicy(at string, line, column int) (int, int) {
	p := r.places[at]
	if !p.block || line == 0 {
		return p.line, p.column
	}
	return p.line + line, column + p.indent
}

func (r *reader) reason(path, sid string, role *describe.Role, sids []string) {
	if !slices.Contains(sids, sid) {
		r.dangling(path+"#key", sid, "statement", sids)
		return
	}
	why := role.Why[sid]
	r.need(path+".for", why.For, "what the statement is for")
	r.need(path+".without", why.Without, "what stops without it")
	statement := role.Document.Statements[slices.Index(sids, sid)]
	for _, action := range sortedKeys(why.Actions) {
		if !slices.Contains(statement.Action, action) {
			r.dangling(path+".actions."+action+"#key", action, "action", statement.Action)
		}
	}
}
