package evidence

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/policy"
)

// moment reads a time as the AWS CLI and Terraform write it; zero where it is none.
func (n *node) moment(key string) time.Time {
	t, err := time.Parse(time.RFC3339, n.str(key))
	if err != nil {
		return time.Time{}
	}
	return t
}

// roleOf reads an object with the members of IAM's Role.
func roleOf(n *node, form string) holder {
	h := holder{
		form:     form,
		arn:      n.name("Arn"),
		name:     n.name("RoleName"),
		id:       n.name("RoleId"),
		path:     n.name("Path"),
		created:  n.moment("CreateDate"),
		lastUsed: n.get("RoleLastUsed").moment("LastUsedDate"),
		boundary: n.get("PermissionsBoundary").name("PermissionsBoundaryArn"),
	}
	if text := n.document("AssumeRolePolicyDocument"); text != "" {
		h.trustText, h.trust = aws.ReadDocument(text, policy.Trust)
	}
	return h
}

// name is the text of a member as it is: a name that has to be cleaned first is
// none, and is refused when it is taken.
func (n *node) name(key string) string {
	v := n.get(key)
	if v == nil || v.kind != '"' {
		return ""
	}
	return v.text
}

// role takes the answer of get-role. whole says that it shows everything about
// the role itself; an answer of list-roles leaves out the boundary.
func (e *reader) role(n *node, form string, whole bool) error {
	e.view.form(form)
	h := roleOf(n, form)
	h.whole = whole && h.arn != ""
	if h.name == "" {
		return refuse("A role in the evidence has no name.", "Paste the whole output of aws iam get-role.")
	}
	e.mention(h.name)
	return e.add(h)
}

func (e *reader) user(n *node) error {
	const form = "aws iam get-user"
	e.view.form(form)
	h := userOf(n, form)
	h.whole = h.arn != ""
	if h.name == "" {
		return refuse("A user in the evidence has no name.", "Paste the whole output of aws iam get-user --user-name NAME.")
	}
	e.mention("user " + h.name)
	return e.add(h)
}

func userOf(n *node, form string) holder {
	return holder{user: true, form: form, arn: n.name("Arn"), name: n.name("UserName"), id: n.name("UserId"), path: n.name("Path"),
		created: n.moment("CreateDate"), boundary: n.get("PermissionsBoundary").name("PermissionsBoundaryArn")}
}

// mention notes that a document of its own is about a role or user.
func (e *reader) mention(name string) {
	if e.named == nil {
		e.named = map[string]bool{}
	}
	e.named[strings.ToLower(name)] = true
}

// listed takes an entry of list-roles or list-users.
func (e *reader) listed(n *node, user bool) error {
	h := roleOf(n, "aws iam list-roles")
	if user {
		h = userOf(n, "aws iam list-users")
	}
	if h.name == "" || !e.wants(&h) {
		return nil
	}
	if err := e.charge(len(h.trustText) + 500); err != nil {
		return err
	}
	return e.add(h)
}

// details goes through the roles or users of get-account-authorization-details.
func (e *reader) details(users bool) error {
	return e.each(func(n *node) error {
		const form = "aws iam get-account-authorization-details"
		h := roleOf(n, form)
		if users {
			h = userOf(n, form)
		}
		if h.name == "" || !e.wants(&h) {
			return nil
		}
		h.whole, h.attachedKnown, h.inlineKnown, h.groupsKnown = h.arn != "", n.get("AttachedManagedPolicies") != nil, true, true
		h.attached = attachedIn(n.items("AttachedManagedPolicies"))
		for _, name := range n.items("GroupList") {
			h.groups = append(h.groups, name.text)
		}
		kept := len(h.trustText) + 1000
		for _, p := range append(n.items("RolePolicyList"), n.items("UserPolicyList")...) {
			h.takeInline(p.name("PolicyName"), p.document("PolicyDocument"))
			kept += len(p.document("PolicyDocument"))
		}
		if err := e.charge(kept); err != nil {
			return err
		}
		return e.add(h)
	})
}

// wants tells whether an entry of a listing is to be kept, and counts it.
func (e *reader) wants(h *holder) bool {
	if h.user || e.ask.Keep == nil {
		return e.ask.Keep == nil && e.ask.asked(h.user, h.name)
	}
	e.view.total++
	return e.ask.Keep(h.head())
}

// head is the role without its policies.
func (h *holder) head() aws.Role {
	return aws.Role{ARN: h.arn, Name: h.name, ID: h.id, Path: h.path, Boundary: h.boundary, Trust: h.trust, TrustText: h.trustText,
		Created: h.created, LastUsed: h.lastUsed, MaxSession: h.maxSession}
}

func attachedIn(list []*node) []aws.AttachedPolicy {
	var all []aws.AttachedPolicy
	for _, n := range list {
		if arn := n.name("PolicyArn"); arn != "" {
			all = append(all, aws.AttachedPolicy{ARN: arn, Name: nameOf(arn)})
		}
	}
	return all
}

// takeInline adds an inline policy with its document.
func (h *holder) takeInline(name, text string) {
	shown, document := aws.ReadDocument(text, policy.Identity)
	h.inlineNames = append(h.inlineNames, name)
	h.inline = append(h.inline, aws.InlinePolicy{Name: name, Text: shown, Document: document})
}

// inline takes the answer of get-role-policy or get-user-policy.
func (e *reader) inline(m *node) error {
	h := holder{name: m.name("RoleName"), form: "aws iam get-role-policy"}
	if m.has("UserName") {
		h = holder{user: true, name: m.name("UserName"), form: "aws iam get-user-policy"}
	}
	e.view.form(h.form)
	h.takeInline(m.name("PolicyName"), m.document("PolicyDocument"))
	if err := e.charge(len(h.inline[0].Text)); err != nil {
		return err
	}
	e.mention(mentioned(&h))
	return e.add(h)
}

func mentioned(h *holder) string {
	if h.user {
		return "user " + h.name
	}
	return h.name
}

// policyDetail takes an entry of the list of policies of
// get-account-authorization-details, as far as somebody who is asked for has it.
func (e *reader) policyDetail(n *node) error {
	arn := n.name("Arn")
	if arn == "" || e.roles && e.listsKnown() && !e.attached(arn) || e.roles && e.ask.Keep != nil && len(e.view.holders) == 0 {
		return nil
	}
	p := &managed{arn: arn, version: n.name("DefaultVersionId")}
	for _, v := range n.items("PolicyVersionList") {
		if v.isTrue("IsDefaultVersion") || v.name("VersionId") == p.version && p.version != "" {
			p.known, p.text = true, v.document("Document")
		}
	}
	if err := e.charge(len(p.text) + 200); err != nil {
		return err
	}
	return e.managed(p)
}

// listsKnown tells whether it is known of everybody who was kept which policies
// they have.
func (e *reader) listsKnown() bool {
	return len(e.view.holders) > 0 && !slices.ContainsFunc(e.view.holders, func(h *holder) bool { return !h.attachedKnown })
}

// attached tells whether somebody who was kept has the policy.
func (e *reader) attached(arn string) bool {
	return slices.ContainsFunc(e.view.holders, func(h *holder) bool {
		return h.boundary == arn || slices.ContainsFunc(h.attached, func(p aws.AttachedPolicy) bool { return p.ARN == arn })
	})
}

// managed adds what is known of a managed policy.
func (e *reader) managed(p *managed) error {
	if !sound(p.arn) {
		return unsound(p.arn)
	}
	known := e.view.policies[p.arn]
	if known == nil {
		e.view.policies[p.arn] = p
		return nil
	}
	switch {
	case known.version != "" && p.version != "" && known.version != p.version:
		return contradiction(
			"Two outputs about the policy "+p.arn+" differ: its default version is "+known.version+" in one and "+p.version+" in the other.",
			"outputs that agree",
			"Run the commands again and paste the new outputs alone.",
		)
	case known.known && p.known && !sameDocument(known.text, p.text):
		return contradiction("Two outputs about the policy "+p.arn+" differ in its document.",
			"outputs that agree", "Run the commands again and paste the new outputs alone.")
	}
	if known.version == "" {
		known.version = p.version
	}
	if p.known && !known.known {
		known.known, known.text = true, p.text
	}
	return nil
}

func sameDocument(one, other string) bool {
	if one == other {
		return true
	}
	_, a := aws.ReadDocument(one, policy.Identity)
	_, b := aws.ReadDocument(other, policy.Identity)
	return a != nil && a.Equal(b)
}

// policy takes the answer of get-policy.
func (e *reader) policy(n *node) error {
	e.view.form("aws iam get-policy")
	p := &managed{arn: n.name("Arn"), version: n.name("DefaultVersionId")}
	if p.arn == "" {
		return refuse("A policy in the evidence has no ARN.", "Paste the whole output of aws iam get-policy.")
	}
	if err := e.managed(p); err != nil {
		return err
	}
	e.before = p
	return nil
}

// policyVersion takes the answer of get-policy-version, which does not say which
// policy it is of.
func (e *reader) policyVersion(n *node) error {
	e.view.form("aws iam get-policy-version")
	v := version{arn: e.command.value("--policy-arn"), id: n.name("VersionId"), created: n.str("CreateDate"), text: n.document("Document")}
	if v.text == "" {
		return refuse("A version of a policy in the evidence has no document.", "Paste the whole output of aws iam get-policy-version.")
	}
	if !n.isTrue("IsDefaultVersion") {
		e.view.note("Version " + clean(v.id) + " of a policy is not its default version, so nobody has what it grants; it was not used.")
		return nil
	}
	if v.arn == "" && e.before != nil && (e.before.version == v.id || e.before.version == "") && !e.otherMayHave(v.id) {
		v.arn = e.before.arn
	}
	if err := e.charge(len(v.text)); err != nil {
		return err
	}
	if !slices.ContainsFunc(e.versions, func(other version) bool { return other == v }) {
		e.versions = append(e.versions, v)
	}
	return nil
}

// otherMayHave tells whether another policy than the one just before was shown and
// waits for its document too: then the order does not say whose a version is.
func (e *reader) otherMayHave(id string) bool {
	for arn, p := range e.view.policies {
		given := slices.ContainsFunc(e.versions, func(v version) bool { return v.arn == arn })
		if arn != e.before.arn && !p.known && !given && (p.version == id || p.version == "") {
			return true
		}
	}
	return false
}

// list takes a list that does not say whose it is.
func (e *reader) list(m *node) error {
	l := list{command: e.command, complete: !m.isTrue("IsTruncated") && !m.has("NextToken") && !m.has("Marker")}
	if !l.complete {
		e.view.note("A list in the evidence is not complete: run the command again without --max-items and --no-paginate.")
	}
	switch {
	case m.get("AttachedPolicies") != nil:
		l.what, l.part = "AttachedPolicies", holder{attached: attachedIn(m.items("AttachedPolicies")), attachedKnown: l.complete}
	case m.get("PolicyNames") != nil:
		l.what, l.part = "PolicyNames", holder{inlineNames: texts(m.items("PolicyNames")), inlineKnown: l.complete}
	case m.get("AccessKeyMetadata") != nil:
		l.what, l.part = "AccessKeyMetadata", holder{user: true, keysKnown: l.complete}
		for _, k := range m.items("AccessKeyMetadata") {
			l.part.name = k.name("UserName")
			l.part.keys = append(l.part.keys, aws.AccessKey{ID: k.str("AccessKeyId"), User: k.str("UserName"), Active: k.str("Status") == "Active",
				Created: k.moment("CreateDate"), UseUnknown: true})
		}
	default:
		l.what, l.part = "Groups", holder{user: true, groupsKnown: l.complete}
		for _, g := range m.items("Groups") {
			l.part.groups = append(l.part.groups, g.str("GroupName"))
		}
	}
	l.part.form = formOf(&l)
	e.view.form(l.part.form)
	if l.part.name != "" {
		e.mention(mentioned(&l.part))
		return e.add(l.part)
	}
	e.lists = append(e.lists, l)
	return nil
}

// formOf is the command that makes a list.
func formOf(l *list) string {
	if l.command.name != "" {
		return "aws iam " + l.command.name
	}
	return map[string]string{"AttachedPolicies": "aws iam list-attached-role-policies", "PolicyNames": "aws iam list-role-policies",
		"AccessKeyMetadata": "aws iam list-access-keys", "Groups": "aws iam list-groups-for-user"}[l.what]
}

func texts(list []*node) []string {
	var all []string
	for _, n := range list {
		if n.kind == '"' {
			all = append(all, n.text)
		}
	}
	return all
}

// caller takes the answer of get-caller-identity: the account that the other
// outputs are likely to be of.
func (e *reader) caller(m *node) error {
	e.view.form("aws sts get-caller-identity")
	arn, ok := aws.SplitARN(m.name("Arn"))
	if !ok || arn.AccountID != m.name("Account") {
		return refuse("The answer of aws sts get-caller-identity names no account.", "Paste it whole.")
	}
	if e.view.account != "" && e.view.account != arn.AccountID {
		return contradiction(
			"The evidence is of two accounts, "+e.view.account+" and "+arn.AccountID+".",
			"outputs from one account",
			"Paste those of one account.",
		)
	}
	e.view.account, e.view.place = arn.AccountID, arn.Partition
	return nil
}

// trustAlone takes the trust policy as the console shows it.
func (e *reader) trustAlone(m *node) error {
	text := m.written()
	if !slices.ContainsFunc(m.statements(), func(s *node) bool { return s.has("Principal") || s.has("NotPrincipal") }) {
		return wrongThing([]string{"Statement"})
	}
	e.view.form("the trust policy alone")
	e.trusts = append(e.trusts, text)
	return e.charge(len(text))
}

// statements are those of a policy document: a list, or one alone.
func (n *node) statements() []*node {
	if one := n.get("Statement"); one != nil && one.kind == '{' {
		return []*node{one}
	}
	return n.items("Statement")
}

// written is an object as JSON again.
func (n *node) written() string {
	var b strings.Builder
	n.write(&b)
	return b.String()
}

func (n *node) write(b *strings.Builder) {
	switch n.kind {
	case '{':
		if n.raw != nil {
			b.Write(n.raw)
			return
		}
		b.WriteByte('{')
		for i, key := range n.keys {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(quote(key) + ":")
			n.list[i].write(b)
		}
		b.WriteByte('}')
	case '[':
		b.WriteByte('[')
		for i, item := range n.list {
			if i > 0 {
				b.WriteByte(',')
			}
			item.write(b)
		}
		b.WriteByte(']')
	case '"':
		b.WriteString(quote(n.text))
	default:
		b.WriteString(n.text)
	}
}

func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(text)
}
