package evidence

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"

	"rolecall/aws"
	"rolecall/policy"
)

// Place is the account that the evidence is of: the one signed in to, the one in
// the ARN of what is asked for, or that of the OIDC provider that the role trusts,
// which AWS wants in the role's own account; empty where the evidence does not tell.
func (v *View) Place(context.Context) (partition, accountID string, err error) {
	if v.account != "" {
		return v.place, v.account, nil
	}
	accounts := map[string]string{}
	for _, h := range v.holders {
		if arn, ok := aws.SplitARN(h.arn); ok {
			accounts[arn.AccountID] = arn.Partition
		}
	}
	if len(accounts) == 1 {
		for account, partition := range accounts {
			return partition, account, nil
		}
	}
	if len(accounts) == 0 {
		partition, accountID = v.placeOfTrust()
	}
	return partition, accountID, nil
}

// only finds the role or user that an ARN, else a name, means; the only one
// where neither is given. Nil: it is not in the evidence.
func (v *View) only(user bool, name, arn string) (*holder, error) {
	if arn != "" {
		name = nameOf(arn)
	}
	var same []*holder
	for _, h := range v.holders {
		if h.user == user && (name == "" || strings.EqualFold(h.name, name)) && (arn == "" || h.arn == "" || h.arn == arn) {
			same = append(same, h)
		}
	}
	switch len(same) {
	case 0:
		return nil, nil
	case 1:
		return same[0], nil
	}
	return nil, contradiction("The evidence shows more than one "+same[0].kind()+" that may be meant: "+same[0].arn+" and "+same[1].arn+".",
		"one "+same[0].kind(), "Name it by its ARN: --role ARN.")
}

// See gives what the evidence shows of a role, and of the OIDC provider that it
// is to trust.
func (v *View) See(_ context.Context, want aws.Want) (aws.Seen, error) {
	seen, err := v.seeRole(want)
	if err == nil {
		v.seeProvider(want.Web, &seen)
	}
	return seen, err
}

func (v *View) seeRole(want aws.Want) (aws.Seen, error) {
	h, err := v.only(false, want.RoleName, want.RoleARN)
	seen := aws.Seen{Now: v.ask.Now}
	name := want.RoleName
	if want.RoleARN != "" {
		name = nameOf(want.RoleARN)
	}
	if err != nil {
		return seen, err
	}
	if h == nil {
		if !v.isAbsent("role", name) {
			seen.Missing = []aws.Missing{{Part: aws.PartHolder, Command: call("get-role", "--role-name", name)}}
		}
		return seen, nil
	}
	role := h.head()
	role.Inline, role.Attached = slices.Clone(h.inline), v.withDocuments(h)
	seen.Role, seen.PoliciesUnknown, seen.InlineUnknown, seen.BoundaryUnknown = &role, !h.attachedKnown, !h.inlineKnown, !h.whole
	seen.Missing = v.missing(h, want.PolicyARNs, want.Existing)
	addUnread(&role.Inline, h.inlineNames)
	return seen, nil
}

// Sweep gives the roles that keep chooses, in the order in which they were shown.
func (v *View) Sweep(ctx context.Context, keep func(aws.Role) bool) (aws.Sweep, error) {
	var s aws.Sweep
	for _, h := range v.holders {
		if h.user {
			continue
		}
		s.Total++
		if !keep(h.head()) {
			continue
		}
		seen, err := v.See(ctx, aws.Want{RoleName: h.name, RoleARN: h.arn})
		if err != nil {
			return s, err
		}
		s.Roles = append(s.Roles, seen)
	}
	s.Total = max(s.Total, v.total)
	return s, nil
}

// RolesOf are the roles that a CloudFormation template makes, by their names in
// lower case. The error is Read's: there are templates that only CloudFormation
// understands.
func RolesOf(ctx context.Context, template string, ask Ask) (map[string]aws.Role, error) {
	seen, err := TemplateOf(ctx, template, ask)
	if err != nil {
		return nil, err
	}
	roles := map[string]aws.Role{}
	for name, one := range seen {
		roles[name] = *one.Role
	}
	return roles, nil
}

// TemplateOf is RolesOf with what a template leaves open: that is unknown.
func TemplateOf(ctx context.Context, template string, ask Ask) (map[string]*aws.Seen, error) {
	view, err := Read(strings.NewReader(template), ask)
	if err != nil {
		return nil, err
	}
	sweep, err := view.Sweep(ctx, func(aws.Role) bool { return true })
	if err != nil {
		return nil, err
	}
	roles := map[string]*aws.Seen{}
	for i := range sweep.Roles {
		roles[strings.ToLower(sweep.Roles[i].Role.Name)] = &sweep.Roles[i]
	}
	return roles, nil
}

// Whole reports whether the evidence lists all roles of the account.
func (v *View) Whole() bool { return v.swept }

// SeeUser gives what the evidence shows of a user.
func (v *View) SeeUser(_ context.Context, want aws.WantUser) (aws.SeenUser, error) {
	h, err := v.only(true, want.Name, "")
	seen := aws.SeenUser{Now: v.ask.Now}
	if err != nil {
		return seen, err
	}
	if h == nil {
		if !v.isAbsent("user", want.Name) {
			seen.Missing = []aws.Missing{{Part: aws.PartHolder, Command: call("get-user", "--user-name", want.Name)}}
		}
		return seen, nil
	}
	user := aws.User{
		ARN:      h.arn,
		Name:     h.name,
		ID:       h.id,
		Path:     h.path,
		Boundary: h.boundary,
		Groups:   slices.Clone(h.groups),
		Created:  h.created,
		Inline:   slices.Clone(h.inline),
		Attached: v.withDocuments(h),
	}
	addUnread(&user.Inline, h.inlineNames)
	seen.User, seen.Keys = &user, slices.Clone(h.keys)
	seen.PoliciesUnknown, seen.InlineUnknown, seen.GroupsUnknown, seen.KeysUnknown = !h.attachedKnown, !h.inlineKnown, !h.groupsKnown,
		!h.keysKnown
	seen.Missing = v.missing(h, want.PolicyARNs, nil)
	return seen, nil
}

// addUnread adds the inline policies of which only the names are known, and has
// them all by name, as IAM lists them, in whatever order the outputs came.
func addUnread(inline *[]aws.InlinePolicy, names []string) {
	for _, name := range names {
		if !slices.ContainsFunc(*inline, func(p aws.InlinePolicy) bool { return p.Name == name }) {
			*inline = append(*inline, aws.InlinePolicy{Name: name})
		}
	}
	slices.SortStableFunc(*inline, func(a, b aws.InlinePolicy) int { return strings.Compare(a.Name, b.Name) })
}

func (v *View) withDocuments(h *holder) []aws.AttachedPolicy {
	all := slices.Clone(h.attached)
	for i := range all {
		if p := v.policies[all[i].ARN]; p != nil && p.known {
			_, all[i].Document = aws.ReadDocument(p.text, policy.Identity)
		}
	}
	return all
}

// isAbsent tells whether AWS said that there is no role or user of that name.
func (v *View) isAbsent(kind, name string) bool {
	return slices.Contains(v.absent, kind+" "+strings.ToLower(name))
}

// missing lists the outputs that would tell what is not known. Of AWS's own
// policies, and of others that exist, which are wanted by ARN no document is needed.
func (v *View) missing(h *holder, byARN, existing []string) []aws.Missing {
	var all []aws.Missing
	add := func(part aws.Part, command string) { all = append(all, aws.Missing{Part: part, Command: command}) }
	kind, option := h.kind(), "--"+h.kind()+"-name"
	if !h.whole || !h.user && h.trustText == "" {
		add(aws.PartHolder, call("get-"+kind, option, h.name))
	}
	if !h.attachedKnown {
		add(aws.PartPolicies, call("list-attached-"+kind+"-policies", option, h.name))
	}
	if !h.inlineKnown {
		add(aws.PartPolicies, call("list-"+kind+"-policies", option, h.name))
	}
	for _, name := range h.inlineNames {
		if !slices.ContainsFunc(h.inline, func(p aws.InlinePolicy) bool { return p.Name == name }) {
			add(aws.PartDocuments, call("get-"+kind+"-policy", option, h.name, "--policy-name", name))
		}
	}
	for _, p := range h.attached {
		known := v.policies[p.ARN]
		if known != nil && known.known || (aws.OfAWS(p.ARN) || slices.Contains(existing, p.ARN)) && slices.Contains(byARN, p.ARN) {
			continue
		}
		add(aws.PartDocuments, v.documentCall(p.ARN))
	}
	if h.user && !h.groupsKnown {
		add(aws.PartGroups, call("list-groups-for-user", option, h.name))
	}
	if h.user && !h.keysKnown {
		add(aws.PartKeys, call("list-access-keys", option, h.name))
	}
	return all
}

// documentCall is the command that shows a managed policy's document.
func (v *View) documentCall(arn string) string {
	if known := v.policies[arn]; known != nil && known.version != "" {
		return call("get-policy-version", "--policy-arn", arn, "--version-id", known.version)
	}
	return "aws iam get-policy-version --policy-arn " + shell(arn) + ` --version-id "$(aws iam get-policy --policy-arn ` + shell(arn) +
		` --query Policy.DefaultVersionId --output text)" --output json`
}

// call is a command of the AWS CLI, safe to paste into a shell whatever the
// values are.
func call(name string, words ...string) string {
	all := []string{"aws iam", name}
	for i, word := range words {
		if i%2 == 1 {
			word = shell(word)
		}
		all = append(all, word)
	}
	return strings.Join(append(all, "--output json"), " ")
}

var plainWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_+=,.@:/-]+$`) })

func shell(word string) string {
	if plainWord().MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
