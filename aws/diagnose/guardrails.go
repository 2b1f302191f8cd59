package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
)

// guardrails judges the organisation's policies: an RCP stands in the way of
// whoever asks for the role, an SCP of what the role may do once it is assumed,
// and of the asking only where the vendor's account is in the organisation too.
// Sources: docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
// ("SCPs don't affect users or roles in … other organizations") and
// orgs_manage_policies_rcps.html (RCPs bind external principals; STS is supported).
func (in *inquest) guardrails() {
	for _, kind := range []aws.GuardrailKind{aws.RCP, aws.SCP} {
		in.guardrailsOf(kind)
	}
}

func causeOf(kind aws.GuardrailKind) ID {
	if kind == aws.RCP {
		return RCP
	}
	return SCP
}

func (in *inquest) guardrailsOf(kind aws.GuardrailKind) {
	id, read := causeOf(kind), in.facts.Guardrails
	account := in.facts.Want.AccountID
	if read.Read && !read.Binding(account) {
		in.clear(id, notBinding(read, account))
		return
	}
	levels := in.levels(kind)
	if unreadable := slices.ContainsFunc(levels, func(l level) bool { return l.unreadable }); unreadable {
		in.unjudged(id, "A policy of the organization could not be understood.")
		return
	}
	if arn := in.roleARN(); arn != "" && len(in.facts.Want.Principals) > 0 {
		for _, l := range levels {
			in.judgeLevel(kind, l, arn)
		}
	}
	switch {
	case in.causes[id].found():
	case read.Read:
		in.clear(
			id,
			fmt.Sprintf("None of the organization's %ss on the account's path (%s) stands in the way.", kind, strings.Join(read.Path, ", ")),
		)
	case read.Refusal != nil && read.Refusal.Kind != aws.Denied:
		in.unjudged(id, "The organization's policies could not be read: "+read.Refusal.What)
	case read.Refusal != nil:
		in.unjudged(
			id,
			"The organization's policies cannot be read from this account ("+cmp.Or(read.Refusal.Action, "organizations:ListPoliciesForTarget")+
				" is not allowed): only its management account and delegated administrators may.",
		)
	default:
		in.unjudged(id, "The organization's policies were not read.")
	}
}

func notBinding(read aws.Guardrails, account string) string {
	switch {
	case read.Organization.ID == "":
		return "Account " + account + " is in no organization."
	case read.Organization.ManagementAccountID == account:
		return "Account " + account + " is the management account of its organization, which no SCP or RCP binds."
	}
	return "The organization has consolidated billing alone, and so no policies."
}

// level is one place on the account's path with the policies of one kind there.
type level struct {
	at         string // empty: given, and where it is attached is not known
	policies   []aws.Guardrail
	unreadable bool

	document *policy.Document
	owners   []int // of each statement, the index in policies; -1 for AWS's own beside a given one
}

// levels are the places of a kind, the root first, then what was given.
func (in *inquest) levels(kind aws.GuardrailKind) []level {
	var out []level
	add := func(at string, policies []aws.Guardrail) {
		if l := newLevel(at, policies); len(policies) > 0 {
			out = append(out, l)
		}
	}
	for _, at := range slices.Backward(in.facts.Guardrails.Path) {
		if in.facts.Guardrails.Read {
			add(at, ofKind(in.facts.Guardrails.Policies, kind, at))
		}
	}
	for _, g := range ofKind(in.facts.Pasted, kind, "") {
		add("", []aws.Guardrail{g})
	}
	return out
}

func ofKind(all []aws.Guardrail, kind aws.GuardrailKind, at string) []aws.Guardrail {
	var out []aws.Guardrail
	for _, g := range all {
		if g.Kind == kind && g.At == at {
			out = append(out, g)
		}
	}
	return out
}

// newLevel joins the policies of a place. Beside one that was given alone, AWS's
// own that allows everything is taken to stand, unless it allows something itself.
func newLevel(at string, policies []aws.Guardrail) level {
	l := level{at: at, policies: policies, document: policy.NewDocument()}
	allows := false
	for i, g := range policies {
		if g.Document == nil {
			l.unreadable = true
			continue
		}
		for _, s := range g.Document.Statements {
			allows = allows || s.Effect == policy.Allow
			l.document.Statements, l.owners = append(l.document.Statements, s), append(l.owners, i)
		}
	}
	if at == "" && !allows {
		l.document.Statements = append(
			l.document.Statements,
			policy.Statement{Effect: policy.Allow, Action: []string{"*"}, Resource: []string{"*"}},
		)
		l.owners = append(l.owners, -1)
	}
	return l
}

// roleARN is the role's ARN, or the one that it has to have.
func (in *inquest) roleARN() string {
	want := in.facts.Want
	switch {
	case in.role() != nil:
		return in.role().ARN
	case want.RoleARN != "":
		return want.RoleARN
	case want.RoleName != "" && want.Partition != "" && want.AccountID != "":
		return aws.RoleARN(want.Partition, want.AccountID, want.Path, want.RoleName)
	}
	return ""
}

// mostExceptions bounds how many statements are named that each keep the vendor
// out by itself.
const mostExceptions = 8

// judgeLevel finds every statement of a place that keeps the vendor out: the next
// one shows once the exception to the first is made.
func (in *inquest) judgeLevel(kind aws.GuardrailKind, l level, roleARN string) {
	if kind == aws.SCP {
		in.acts(l, roleARN)
	}
	for range mostExceptions {
		entries := in.askLevel(l, roleARN)
		i := slices.IndexFunc(entries, func(e policy.Entry) bool { return e.Outcome != policy.Allowed })
		if i < 0 {
			return
		}
		in.kept(kind, l, entries[i])
		if !l.owned(entries[i].Statement) {
			return
		}
		l.document = except(l.document, entries[i].Statement, "aws:PrincipalAccount", entries[i].Account)
	}
}

// askLevel puts the vendor's request for the role to the policies of a place.
func (in *inquest) askLevel(l level, roleARN string) []policy.Entry {
	want := in.facts.Want
	d := l.document.About(roleARN)
	v := d.Inquire(policy.Inquiry{Partition: want.Partition, Account: want.AccountID, Vendor: want.Principals, ExternalID: in.sends(),
		NoExternalID: want.NoExternalID && in.sends() == "", Now: in.facts.Seen.Now, Sure: in.outsider(d)})
	for i := range v.Vendor {
		if e := &v.Vendor[i]; e.Outcome == policy.Allowed && in.knowsID() && !e.OwnID && e.In != nil { // with another external ID alone
			a := d.Ask(e.In.WithExternalID(in.sends()))
			e.Outcome, e.Key, e.Statement = a.Outcome, a.Key, a.Statement
		}
	}
	return v.Vendor
}

// outsider is what is certain of the vendor's requests: its account is in another
// organisation, if in any. Organisations that the document names besides the
// account's own may be the vendor's.
func (in *inquest) outsider(d *policy.Document) func(policy.Request) policy.Request {
	own := in.facts.Guardrails.Organization.ID
	ids := [][]string{nil, {"o-of-another"}}
	if own != "" {
		for i := range d.Statements {
			for _, c := range d.Statements[i].Condition {
				if !strings.EqualFold(c.Key, "aws:PrincipalOrgID") {
					continue
				}
				for _, v := range c.Values {
					if v != own && !strings.ContainsAny(v, "*?$") {
						ids = append(ids, []string{v})
					}
				}
			}
		}
	}
	return func(r policy.Request) policy.Request {
		r = r.Among("aws:PrincipalOrgID", ids...)
		if len(ids) == 2 { // in no organisation that anybody names
			r = r.With("aws:PrincipalOrgID", "o-of-another").With("aws:PrincipalOrgPaths", "o-of-another/r-root/")
		}
		if own != "" {
			r = r.With("aws:ResourceOrgID", own)
		}
		return r
	}
}

// kept is a vendor's account that a place's policies keep out.
func (in *inquest) kept(kind aws.GuardrailKind, l level, e policy.Entry) {
	what, fix := in.blame(kind, l, e)
	id, likelihood := causeOf(kind), Certain
	switch {
	case e.Outcome == policy.Depends:
		likelihood = Possible
		what += " It depends on " + cmp.Or(e.Key, "what rolecall cannot know") + "."
	case kind == aws.SCP:
		likelihood = Possible
		in.unjudged(SCP, "An SCP binds users and roles of the organization's own accounts. It keeps account "+e.Account+
			" from asking only where that account is in the organization too.")
	case l.at == "":
		likelihood = Likely // nobody said that it is attached on this account's path
	}
	in.suspect(id, likelihood, what, fix)
}

// owned reports whether a statement is one of the place's policies.
func (l *level) owned(statement int) bool { return statement >= 0 && l.owners[statement] >= 0 }

// where names the place, behind a policy.
func (l *level) where() string {
	if l.at == "" {
		return ""
	}
	return " at " + l.at
}

// blame names the policy and the statement that keep an account out, and the
// smallest exception to ask for.
func (in *inquest) blame(kind aws.GuardrailKind, l level, e policy.Entry) (what, fix string) {
	if !l.owned(e.Statement) {
		return fmt.Sprintf("No %s%s allows sts:AssumeRole on the role.", kind, l.where()),
			fmt.Sprintf("Ask whoever manages the organization to allow sts:AssumeRole on %s%s.", in.roleARN(), l.where())
	}
	g, name := l.policies[l.owners[e.Statement]], l.name(e.Statement)
	what = fmt.Sprintf("%s%s, statement %s, denies sts:AssumeRole on the role to account %s.", capital(g.Label()), l.where(), name, e.Account)
	return what, exceptionIn(g, name, &l.document.Statements[e.Statement], "aws:PrincipalAccount", e.Account)
}

// capital is a text that begins a sentence.
func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// exceptionIn is the smallest exception to ask for.
func exceptionIn(g aws.Guardrail, name string, s *policy.Statement, key, value string) string {
	return "Ask whoever manages the organization for the smallest exception: in " + g.Label() + ", statement " + name + ", " +
		exceptionText(s, key, value) + "."
}

// name is a statement's Sid, or its number in its own policy.
func (l *level) name(statement int) string {
	if sid := l.document.Statements[statement].Sid; sid != "" {
		return sid
	}
	first := slices.Index(l.owners, l.owners[statement])
	return strconv.Itoa(statement - first + 1)
}

// exceptionText says how a Deny is narrowed to leave one value out.
func exceptionText(s *policy.Statement, key, value string) string {
	if i := excepting(s, key); i >= 0 {
		return fmt.Sprintf("add %q to the values of %s under %s", value, s.Condition[i].Key, s.Condition[i].Operator)
	}
	return fmt.Sprintf("add under Condition: %q: {%q: %q}", exceptOperator(key), key, value)
}

func exceptOperator(key string) string {
	if key == "aws:PrincipalArn" {
		return "ArnNotEquals"
	}
	return "StringNotEquals"
}

// excepting is the condition of a statement that leaves values of a key out
// already; -1 for none.
func excepting(s *policy.Statement, key string) int {
	return slices.IndexFunc(s.Condition, func(c policy.Condition) bool {
		return strings.EqualFold(c.Key, key) && strings.HasPrefix(c.Operator, exceptOperator(key))
	})
}

// except is a document with one value of a key left out of a Deny: the exception
// that a fix asks for.
func except(d *policy.Document, statement int, key, value string) *policy.Document {
	out := &policy.Document{Version: d.Version, ID: d.ID, Statements: slices.Clone(d.Statements)}
	s := &out.Statements[statement]
	s.Condition = slices.Clone(s.Condition)
	if i := excepting(s, key); i >= 0 {
		s.Condition[i].Values = append(slices.Clone(s.Condition[i].Values), value)
		return out
	}
	s.Condition = append(s.Condition, policy.Condition{Operator: exceptOperator(key), Key: key, Values: []string{value}})
	return out
}

// acts judges what an SCP leaves of what the role may do once it is assumed.
func (in *inquest) acts(l level, roleARN string) {
	d := l.document.About("*")
	statement := -1
	lost, all := denied(actionsOf(policy.Merge(in.facts.Want.Policies...)), func(action string) bool {
		r := policy.NewRequest(action, policy.Caller{ARN: roleARN}, in.facts.Seen.Now).Open()
		if own := in.facts.Guardrails.Organization.ID; own != "" {
			r = r.With("aws:PrincipalOrgID", own)
		}
		a := d.Ask(r)
		if !a.Possible() && statement < 0 {
			statement = a.Statement
		}
		return a.Possible()
	})
	if len(lost) == 0 {
		return
	}
	likelihood := Possible
	if len(lost) == all {
		likelihood = Likely
	}
	if !l.owned(statement) {
		in.suspect(SCP, likelihood, in.assumable()+"The SCPs"+l.where()+" allow "+share(lost, all)+".",
			"Ask whoever manages the organization to allow these actions"+l.where()+".")
		return
	}
	g, name := l.policies[l.owners[statement]], l.name(statement)
	in.suspect(SCP, likelihood, in.assumable()+capital(g.Label())+l.where()+", statement "+name+", leaves it "+share(lost, all)+".",
		exceptionIn(g, name, &l.document.Statements[statement], "aws:PrincipalArn", roleARN))
}
