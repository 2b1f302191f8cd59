// Package evidence is an account as somebody else's paste shows it: outputs of
// the AWS CLI, the console's trust policy, a Terraform state, a CloudFormation
// template. Its text is hostile until parsed; what it does not say is unknown,
// with the command that would tell. A View is an aws.Source, so that evidence is
// judged as a live account is. It sends nothing and looks for no credentials.
package evidence

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/policy"
)

// Ask says what is looked for, so that of large evidence no more is kept than
// that.
type Ask struct {
	Role, User string // names or ARNs; both empty: every role and user
	// AccountID and Partition stand for what templates leave to the account they
	// are used in; empty: not known.
	AccountID, Partition string
	Parameters           map[string]string // of a template, where their values are known
	Now                  time.Time         // a trust policy may go by the date
	// Keep chooses the roles to keep of a listing of all; nil: those that are
	// asked for. It sees a role without its policies.
	Keep func(aws.Role) bool
}

// View is an account as far as the evidence shows it. It is an aws.Source.
type View struct {
	ask           Ask
	holders       []*holder
	policies      map[string]*managed // by ARN
	providers     []*provider
	providerLists [][]string // ARNs, of each list of all that an account has
	absent        []string   // what is not there, as AWS said: "role NAME", "user NAME", "provider ARN"
	account       string     // that somebody was signed in to
	place         string     // its partition
	forms         []string
	notes         []string
	total         int  // roles that listings showed
	swept         bool // a listing of all roles was whole
}

// Forms are what the evidence consists of, each once, in words: "aws iam
// get-role", "Terraform state".
func (v *View) Forms() []string { return slices.Clone(v.forms) }

// Notes say what was taken for granted and what was not used, in sentences.
func (v *View) Notes() []string { return slices.Clone(v.notes) }

// Roles are the names of the roles that were kept, as far as they are known.
func (v *View) Roles() []aws.RoleRef {
	var all []aws.RoleRef
	for _, h := range v.holders {
		if !h.user {
			all = append(all, aws.RoleRef{ARN: h.arn, ID: h.id, Name: h.name, Path: h.path})
		}
	}
	return all
}

// Users are the names of the users that were kept, as far as they are known.
func (v *View) Users() []aws.UserRef {
	var all []aws.UserRef
	for _, h := range v.holders {
		if h.user {
			all = append(all, aws.UserRef{ARN: h.arn, ID: h.id, Name: h.name})
		}
	}
	return all
}

// holder is a role or a user, as far as it is known.
type holder struct {
	user                bool
	arn, name, id, path string
	boundary            string
	whole               bool // the role or user itself was shown, with its boundary
	trustText           string
	trust               *policy.Document // nil when not known or not readable
	created, lastUsed   time.Time
	maxSession          time.Duration
	form                string // what showed it first
	vague               bool   // a policy of it is not spelled out, so that no list is complete

	attached      []aws.AttachedPolicy
	attachedKnown bool // the list is complete
	inline        []aws.InlinePolicy
	inlineNames   []string
	inlineKnown   bool // inlineNames is complete
	groups        []string
	groupsKnown   bool
	keys          []aws.AccessKey
	keysKnown     bool
}

// kind is "role" or "user".
func (h *holder) kind() string {
	if h.user {
		return "user"
	}
	return "role"
}

// managed is a managed policy.
type managed struct {
	arn, version string // the default version's ID
	known        bool   // its document was shown
	text         string // as it was shown; it is parsed where it is needed
}

// Read reads evidence to its end. The error is a *Refusal where the evidence
// cannot be used, and r's own where it could not be read.
func Read(r io.Reader, ask Ask) (*View, error) {
	e := &reader{s: newScanner(r), ask: ask, view: &View{ask: ask, policies: map[string]*managed{}}}
	if err := e.documents(); err != nil {
		return nil, err
	}
	if err := e.finish(); err != nil {
		return nil, err
	}
	return e.view, nil
}

// reader collects what the documents say.
type reader struct {
	s     *scanner
	ask   Ask
	view  *View
	total int // bytes that were kept
	count int // documents

	command  command         // the command that was pasted before the document; zero: none
	before   *managed        // the policy of the document just before
	named    map[string]bool // the roles and users that documents of their own named, also those not asked for
	lists    []list
	versions []version
	parts    []holder // of the state or template being read
	trusts   []string // trust policies that do not say whose they are
	roles    bool     // a listing of the account's roles has passed
}

// list is a list of policies, groups or keys that does not say whose it is.
type list struct {
	what     string // "AttachedPolicies", "PolicyNames", "Groups", "AccessKeyMetadata"
	command  command
	part     holder
	complete bool
}

// version is a version of a policy that does not say which policy's.
type version struct {
	arn     string // where a command or the document before says it
	id      string
	created string
	text    string
}

func clean(s string) string { return aws.CleanText(s) }

// note adds a sentence once.
func (v *View) note(sentence string) {
	if !slices.Contains(v.notes, sentence) && len(v.notes) < 20 {
		v.notes = append(v.notes, sentence)
	}
}

func (v *View) form(name string) {
	if !slices.Contains(v.forms, name) {
		v.forms = append(v.forms, name)
	}
}

// asked tells whether a role or user of that name is looked for.
func (a Ask) asked(user bool, name string) bool {
	if a.Role == "" && a.User == "" {
		return true
	}
	want := a.Role
	if user {
		want = a.User
	}
	return want != "" && strings.EqualFold(nameOf(want), name)
}

// nameOf is the name in an ARN, or the name itself.
func nameOf(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

// pathOf is the path in the ARN of a role or user.
func pathOf(arn string) string {
	parsed, ok := aws.SplitARN(arn)
	if !ok {
		return ""
	}
	first := strings.IndexByte(parsed.Resource, '/')
	if first < 0 {
		return ""
	}
	return parsed.Resource[first : strings.LastIndexByte(parsed.Resource, '/')+1]
}

// add takes what a document says of a role or a user.
func (e *reader) add(part holder) error {
	if err := e.checkNames(&part); err != nil {
		return err
	}
	h, err := e.view.find(part)
	if err != nil {
		return err
	}
	if h == nil && len(e.view.holders) >= maxHolders {
		return refuse("The evidence shows more than 10,000 roles and users that may be meant.", "Say which is meant with --role or --user.")
	}
	if h == nil {
		e.view.holders = append(e.view.holders, &part)
		return nil
	}
	return h.merge(&part)
}

// find is the holder that a part is of, nil for a new one.
func (v *View) find(part holder) (*holder, error) {
	var same []*holder
	for _, h := range v.holders {
		if h.user == part.user && strings.EqualFold(h.name, part.name) && (part.arn == "" || h.arn == "" || h.arn == part.arn) {
			same = append(same, h)
		}
	}
	switch {
	case len(same) == 0:
		return nil, nil
	case len(same) > 1:
		return nil, contradiction(
			"The evidence shows "+same[0].arn+" and "+same[1].arn+", and does not say which of them "+part.form+" is about.",
			"one "+part.kind()+" of that name",
			"Leave out what is not about the "+part.kind()+" in question.",
		)
	}
	return same[0], nil
}

// merge adds what another document says of the same holder. Two that say
// different things prove nothing.
func (h *holder) merge(p *holder) error {
	for _, f := range []struct {
		what      string
		mine, its *string
		both      bool
	}{
		{"the ARN", &h.arn, &p.arn, false}, {"the unique ID", &h.id, &p.id, false}, {"the path", &h.path, &p.path, false},
		{"the permissions boundary", &h.boundary, &p.boundary, h.whole && p.whole},
	} {
		if *f.mine != *f.its && (f.both || *f.mine != "" && *f.its != "") {
			return h.differs(p, f.what, *f.mine, *f.its)
		}
		if *f.mine == "" {
			*f.mine = *f.its
		}
	}
	if err := h.mergeTrust(p); err != nil {
		return err
	}
	h.whole, h.vague = h.whole || p.whole, h.vague || p.vague
	if h.created.IsZero() {
		h.created = p.created
	}
	if h.maxSession == 0 {
		h.maxSession = p.maxSession
	}
	if p.lastUsed.After(h.lastUsed) {
		h.lastUsed = p.lastUsed
	}
	return h.mergeLists(p)
}

func (h *holder) mergeTrust(p *holder) error {
	if h.trustText == "" {
		h.trustText, h.trust = p.trustText, p.trust
		return nil
	}
	if p.trustText == "" || p.trustText == h.trustText || h.trust != nil && h.trust.Equal(p.trust) {
		return nil
	}
	return h.differs(p, "the trust policy", h.trustText, p.trustText)
}

func (h *holder) mergeLists(p *holder) error {
	var err error
	arns := func(all []aws.AttachedPolicy) []string {
		var names []string
		for _, a := range all {
			names = append(names, a.ARN)
		}
		return names
	}
	both := arns(h.attached)
	if both, h.attachedKnown, err = h.union(p, "the attached policies", both, arns(p.attached), p.attachedKnown, h.attachedKnown); err != nil {
		return err
	}
	h.attached = nil
	for _, arn := range both {
		h.attached = append(h.attached, aws.AttachedPolicy{ARN: arn, Name: nameOf(arn)})
	}
	if h.inlineNames, h.inlineKnown, err = h.union(
		p,
		"the inline policies",
		h.inlineNames,
		p.inlineNames,
		p.inlineKnown,
		h.inlineKnown,
	); err != nil {
		return err
	}
	if h.groups, h.groupsKnown, err = h.union(p, "the groups", h.groups, p.groups, p.groupsKnown, h.groupsKnown); err != nil {
		return err
	}
	if err := h.mergeKeys(p); err != nil {
		return err
	}
	for _, policy := range p.inline {
		if err := h.mergeInline(p, policy); err != nil {
			return err
		}
	}
	return nil
}

// union joins two lists, of which each may be known to be complete.
func (h *holder) union(p *holder, what string, mine, its []string, itsWhole, whole bool) ([]string, bool, error) {
	all := slices.Clone(mine)
	for _, name := range its {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	if len(all) > maxListed {
		return nil, false, refuse(
			fmt.Sprintf("%s of the %s %s are more than %d, which AWS does not allow.", what, h.kind(), h.name, maxListed),
			"Copy the output again, as AWS gave it.",
		)
	}
	if whole && len(all) > len(mine) || itsWhole && len(all) > len(its) {
		return nil, false, h.differs(p, what, listed(mine), listed(its))
	}
	return all, whole || itsWhole, nil
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func (h *holder) mergeKeys(p *holder) error {
	for _, k := range p.keys {
		i := slices.IndexFunc(h.keys, func(other aws.AccessKey) bool { return other.ID == k.ID })
		switch {
		case i < 0 && h.keysKnown:
			return h.differs(p, "the access keys", "without "+k.ID, "with it")
		case i < 0:
			h.keys = append(h.keys, k)
		case h.keys[i].Active != k.Active:
			return h.differs(p, "the access key "+k.ID, state(h.keys[i].Active), state(k.Active))
		}
	}
	if p.keysKnown && len(h.keys) > len(p.keys) {
		return h.differs(p, "the access keys", "more keys", "fewer")
	}
	h.keysKnown = h.keysKnown || p.keysKnown
	return nil
}

func state(active bool) string {
	if active {
		return "active"
	}
	return "inactive"
}

func (h *holder) mergeInline(p *holder, policy aws.InlinePolicy) error {
	i := slices.IndexFunc(h.inline, func(other aws.InlinePolicy) bool { return other.Name == policy.Name })
	if i < 0 {
		h.inline = append(h.inline, policy)
		return nil
	}
	if mine := h.inline[i]; mine.Text != policy.Text && (mine.Document == nil || !mine.Document.Equal(policy.Document)) {
		return h.differs(p, "the inline policy "+policy.Name, mine.Text, policy.Text)
	}
	return nil
}
