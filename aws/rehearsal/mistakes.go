package rehearsal

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"rolecall/policy"
)

// Mistake is one thing that is wrong with an account: a slip of the hand in the
// console, somebody else's rule, or AWS itself.
type Mistake string

// The mistakes. The first ones change what is in the account; the next ones what
// the vendor meets when it tries the role; the last ones what AWS answers.
const (
	WrongExternalID    Mistake = "wrong-external-id"   // the trust policy requires another external ID
	WrongPrincipal     Mistake = "wrong-account"       // the trust policy names the role's own account
	RecreatedPrincipal Mistake = "recreated-principal" // the trust policy holds the ID of a role that was deleted
	PolicyMissing      Mistake = "policy-missing"      // the policy is not attached
	PolicyEdited       Mistake = "policy-edited"       // the policy lacks an action
	PathLost           Mistake = "path-lost"           // the vendor tries the role by an ARN that lacks its path
	Boundary           Mistake = "boundary"            // a permissions boundary that allows next to nothing
	TooYoung           Mistake = "too-young"           // the role cannot be assumed for ten minutes

	SessionDuration Mistake = "session-duration" // the vendor asks for twelve hours, and the role allows one
	SCP             Mistake = "scp"              // a service control policy denies what the role does
	RCP             Mistake = "rcp"              // a resource control policy denies that strangers assume a role
	STSRegion       Mistake = "sts-region"       // STS is not active in the vendor's region

	StackFails Mistake = "stack-fails"   // the account has as many roles as it may have
	SlowAWS    Mistake = "slow-aws"      // every answer and every change takes its time
	OtherLogin Mistake = "other-account" // the credentials are of another account
	NoBucket   Mistake = "no-bucket"     // no bucket exists
)

// mending is a mistake that an account has now.
type mending struct {
	mistake Mistake
	done    map[string]bool // by ID: what was made wrong once, and may have been put right by hand since
	undo    []func()
}

// How slow SlowAWS and TooYoung are. The vendor asks for vendorSession where
// SessionDuration is at work, and the role allows shortSession.
const (
	slowPropagation = 3 * time.Minute
	youth           = 10 * time.Minute
	vendorSession   = 12 * 60 * 60 // in seconds
	shortSession    = 60 * 60
	strangeAccount  = "444455556666" // of AWS's documentation
)

// Make has something be wrong from now on: with what the account holds, and once
// with each role or user that is made later. More than one can be wrong.
func (s *Server) Make(m Mistake) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := &mending{mistake: m, done: map[string]bool{}}
	if undo := s.spoilAround(m); undo != nil {
		one.undo = append(one.undo, undo)
	}
	s.mistakes = append(s.mistakes, one)
	s.goWrong()
}

// spoilAround makes a mistake that is not in a role: in how AWS is, or in what
// the organization forbids. The lock is held.
func (s *Server) spoilAround(m Mistake) (undo func()) {
	switch m {
	case SlowAWS:
		before := s.options.Propagation
		s.options.Propagation = max(before, slowPropagation)
		return func() { s.options.Propagation = before; s.catchUp() }
	case SCP:
		return s.spoilOrganization(Guardrail{Type: ServiceControl, Name: "Quarantine", Target: UnitID, Document: quarantine})
	case RCP:
		return s.spoilOrganization(Guardrail{Type: ResourceControl, Name: "Perimeter", Target: UnitID, Document: perimeter})
	case STSRegion:
		before := slices.Clone(s.inactive)
		s.inactive = append(s.inactive, vendorRegion(s.options.Partition))
		return func() { s.inactive = before }
	}
	return nil
}

// What an organization forbids in SCP and RCP: all that roles do but the
// administrators', and that anybody from outside assumes a role. Source of the
// second: github.com/aws-samples/data-perimeter-policy-examples.
const (
	quarantine = `{"Version":"2012-10-17","Statement":[{"Sid":"Quarantine","Effect":"Deny","Action":"*","Resource":"*",
		"Condition":{"ArnNotLike":{"aws:PrincipalArn":["arn:*:iam::*:user/*","arn:*:iam::*:role/Admin"]}}}]}`
	perimeter = `{"Version":"2012-10-17","Statement":[{"Sid":"Perimeter","Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Resource":"*",
		"Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"` + organizationID + `"},
		"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}]}`
	managementAccount = "999988887777"
)

// spoilOrganization attaches an SCP or RCP on the account's path. An account that
// is in no organization joins one that it may read. The lock is held.
func (s *Server) spoilOrganization(g Guardrail) (undo func()) {
	d, err := policy.ParseGuardrail([]byte(g.Document))
	if err != nil {
		return nil
	}
	organization, reads := s.options.Organization, s.options.ReadsOrganization
	if organization == "" {
		s.options.Organization, s.options.ReadsOrganization = managementAccount, true
	}
	id := "p-" + strings.ToLower(g.Name) // no serial number: mending leaves nothing behind
	s.guardrails = append(s.guardrails, attachedGuardrail{g, id, d, false})
	return func() {
		s.guardrails = slices.DeleteFunc(s.guardrails, func(one attachedGuardrail) bool { return one.id == id })
		s.options.Organization, s.options.ReadsOrganization = organization, reads
	}
}

// vendorRegion is where the vendor's servers are, as the rehearsal has it.
func vendorRegion(partition string) string {
	switch partition {
	case "aws-cn":
		return "cn-northwest-1"
	case "aws-us-gov":
		return "us-gov-east-1"
	}
	return "us-west-2"
}

// Mend puts right what Make made wrong, gives back what was denied, and ends all
// other trouble. What somebody changed meanwhile stays as it is.
func (s *Server) Mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range slices.Backward(s.mistakes) {
		for _, undo := range slices.Backward(one.undo) {
			undo()
		}
	}
	s.mistakes, s.faults, s.latency, s.expired = nil, nil, 0, false
}

// makes tells whether a mistake is made now. The lock is held.
func (s *Server) makes(m Mistake) bool {
	return slices.ContainsFunc(s.mistakes, func(one *mending) bool { return one.mistake == m })
}

// goWrong makes the mistakes with what is new in the account. The lock is held.
func (s *Server) goWrong() {
	for _, one := range s.mistakes {
		for _, r := range s.state.roles {
			s.spoil(one, r.id, func() func() { return s.spoilRole(one.mistake, r) })
			s.spoil(one, r.id, func() func() { return s.spoilGrants(one.mistake, &grants{&r.attached, r.inline}) })
		}
		for _, u := range s.state.users {
			s.spoil(one, u.id, func() func() { return s.spoilGrants(one.mistake, &grants{&u.attached, u.inline}) })
		}
	}
}

func (s *Server) spoil(one *mending, id string, do func() (undo func())) {
	if one.done[id] {
		return
	}
	if undo := do(); undo != nil {
		one.done[id] = true
		one.undo = append(one.undo, undo)
	}
}

// spoilRole makes a mistake with a role. Without an undo there is nothing that
// the mistake could be made with, or not yet.
func (s *Server) spoilRole(m Mistake, r *role) (undo func()) {
	switch m {
	case WrongExternalID:
		id := requiredID(r.document)
		if id == "" {
			return nil
		}
		return s.spoilTrust(r, `"`+id+`"`, `"`+mistyped(id)+`"`)
	case WrongPrincipal:
		return s.spoilPrincipal(r, s.arn("root"))
	case RecreatedPrincipal:
		return s.spoilPrincipal(r, "AROAIIAL7CEXAMPLEIDOF")
	case Boundary:
		if r.boundary != "" {
			return nil
		}
		arn := s.narrowBoundary()
		r.boundary = arn
		return func() {
			if r.boundary == arn {
				r.boundary = ""
			}
			delete(s.state.policies, arn)
		}
	case TooYoung:
		r.assumable = s.options.Now().Add(youth)
		return func() { r.assumable = s.options.Now() }
	default:
		return nil
	}
}

// spoilTried makes the mistakes that somebody makes behind the vendor's back,
// just when it tries a role: it is made anew under a path, while the vendor has
// the ARN without one, or its sessions are cut short. The lock is held.
func (s *Server) spoilTried(roleARN string) {
	for _, r := range s.state.roles {
		if r.arn != roleARN {
			continue
		}
		for _, one := range s.mistakes {
			s.spoil(one, r.id, func() func() { return s.spoilMeanwhile(one.mistake, r) })
		}
	}
}

func (s *Server) spoilMeanwhile(m Mistake, r *role) (undo func()) {
	switch {
	case m == PathLost && r.path == "/":
		before := r.arn
		r.path, r.arn = "/team/", s.arn("role/team/"+r.name)
		return func() { r.path, r.arn = "/", before }
	case m == SessionDuration:
		before := r.session
		r.session = shortSession
		return func() {
			if r.session == shortSession {
				r.session = max(before, vendorSession)
			}
		}
	}
	return nil
}

// requiredID is the one external ID that a trust policy requires; empty where it
// requires none, or lets several in.
func requiredID(d *policy.Document) string {
	for i := range d.Statements {
		for _, c := range d.Statements[i].Condition {
			if strings.EqualFold(c.Key, "sts:ExternalId") && len(c.Values) == 1 {
				return c.Values[0]
			}
		}
	}
	return ""
}

// mistyped is a text with another last character, as a paste that was cut and
// typed to its end has it.
func mistyped(text string) string {
	last := byte('x')
	if text[len(text)-1] == last {
		last = 'y'
	}
	return text[:len(text)-1] + string(last)
}

// spoilPrincipal puts another principal in the place of the accounts that a role
// trusts.
func (s *Server) spoilPrincipal(r *role, principal string) (undo func()) {
	for i := range r.document.Statements {
		if named := r.document.Statements[i].Principal["AWS"]; len(named) > 0 && named[0] != principal {
			return s.spoilTrust(r, `"`+named[0]+`"`, `"`+principal+`"`)
		}
	}
	return nil
}

// spoilTrust replaces a value of a role's trust policy, without AWS's checks: of
// a deleted principal AWS itself leaves an ID that nobody could have written.
func (s *Server) spoilTrust(r *role, value, by string) (undo func()) {
	before, document := r.trust, r.document
	wrong := strings.ReplaceAll(before, value, by)
	read, _ := policy.Check([]byte(wrong), policy.Trust)
	if wrong == before || read == nil {
		return nil
	}
	r.trust, r.document = wrong, read
	return func() {
		if r.trust == wrong {
			r.trust, r.document = before, document
			r.assumable = s.options.Now().Add(s.options.Propagation)
		}
	}
}

// narrowBoundary is the ARN of a policy that allows next to nothing.
func (s *Server) narrowBoundary() string {
	const text = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	arn, now := s.arn("policy/Team-Boundary"), s.options.Now()
	if s.state.policies[arn] == nil {
		s.state.policies[arn] = &managed{name: "Team-Boundary", path: "/", id: s.newID("ANPA"), arn: arn, serial: 1, created: now, updated: now,
			versions: []version{{id: "v1", text: text, isDefault: true, created: now}}}
	}
	return arn
}

// grants are the policies of a role or a user.
type grants struct {
	attached *[]string
	inline   map[string]string
}

// spoilGrants makes a mistake with the policies of a role or a user.
func (s *Server) spoilGrants(m Mistake, g *grants) (undo func()) {
	switch m {
	case PolicyMissing:
		return s.takeAway(g)
	case PolicyEdited:
		for _, arn := range *g.attached {
			if p := s.state.policies[arn]; p != nil && !p.aws {
				return s.edit(p)
			}
		}
		for name, text := range g.inline {
			return editInline(g.inline, name, text)
		}
	}
	return nil
}

// takeAway detaches the first policy, or deletes one that is inline.
func (s *Server) takeAway(g *grants) (undo func()) {
	if len(*g.attached) > 0 {
		arn := (*g.attached)[0]
		*g.attached = slices.Delete(slices.Clone(*g.attached), 0, 1)
		s.state.policies[arn].attachments--
		return func() {
			if p := s.state.policies[arn]; p != nil && !slices.Contains(*g.attached, arn) {
				*g.attached = append(*g.attached, arn)
				p.attachments++
			}
		}
	}
	for name, text := range g.inline {
		delete(g.inline, name)
		return func() {
			if _, again := g.inline[name]; !again {
				g.inline[name] = text
			}
		}
	}
	return nil
}

// edit makes a version of a policy the default that lacks an action.
func (s *Server) edit(p *managed) (undo func()) {
	text := lessOne(p.current().text)
	if text == "" || len(p.versions) >= mostVersions {
		return nil
	}
	before := p.current().id
	form := url.Values{"PolicyArn": {p.arn}, "PolicyDocument": {text}, "SetAsDefault": {"true"}}
	if _, err := createPolicyVersion(s, request{service: "iam", action: "CreatePolicyVersion", form: form}); err != nil {
		return nil
	}
	wrong := p.current().id
	return func() {
		if p.current().id != wrong {
			return
		}
		p.versions = slices.DeleteFunc(p.versions, func(v version) bool { return v.id == wrong })
		for i := range p.versions {
			p.versions[i].isDefault = p.versions[i].id == before
		}
	}
}

func editInline(inline map[string]string, name, text string) (undo func()) {
	less := lessOne(text)
	if less == "" {
		return nil
	}
	inline[name] = less
	return func() {
		if inline[name] == less {
			inline[name] = text
		}
	}
}

// lessOne is a policy without one of its actions, so that it grants less; empty
// where no single action makes a difference.
func lessOne(text string) string {
	d, _ := policy.Check([]byte(text), policy.Identity)
	if d == nil {
		return ""
	}
	for i := range d.Statements {
		actions := d.Statements[i].Action
		if d.Statements[i].Effect != policy.Allow || len(actions) < 2 {
			continue
		}
		less := policy.Document{Version: d.Version, ID: d.ID, Statements: slices.Clone(d.Statements)}
		less.Statements[i].Action = slices.Clone(actions[:len(actions)-1])
		if policy.Compare(d, &less).Less() {
			return less.Pretty()
		}
	}
	return ""
}

// catchUp lets everything be seen at once that AWS still kept back.
func (s *Server) catchUp() {
	now := s.options.Now()
	sooner := func(t *time.Time) {
		if t.After(now) {
			*t = now
		}
	}
	for _, r := range s.state.roles {
		sooner(&r.listed)
		sooner(&r.assumable)
	}
	for _, p := range s.state.policies {
		sooner(&p.listed)
	}
	for _, u := range s.state.users {
		sooner(&u.listed)
	}
	for _, k := range s.state.stacks {
		for i := range k.jobs {
			sooner(&k.jobs[i].at)
		}
	}
}

// tried is what the vendor meets once the role let it in: its session, and the
// first call that it makes with it.
func (s *Server) tried(r *role) *apiError {
	first := "User: arn:" + s.options.Partition + ":sts::" + s.options.Account + ":assumed-role/" + r.name +
		"/rehearsal is not authorized to perform: ec2:DescribeRegions because no "
	switch {
	case s.makes(STSRegion):
		return &apiError{http.StatusForbidden, "RegionDisabledException", "STS is not activated in this region for account:" + s.options.Account +
			". Your account administrator can activate STS in this region using the IAM Console."}
	case s.makes(SessionDuration) && r.session < vendorSession:
		return &apiError{
			http.StatusBadRequest,
			"ValidationError",
			"The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
		}
	case s.makes(SCP):
		return &apiError{http.StatusForbidden, "UnauthorizedOperation", strings.TrimSuffix(first, " because no ") +
			" with an explicit deny in a service control policy"}
	case s.makes(Boundary) && r.boundary == s.arn("policy/Team-Boundary"):
		return &apiError{http.StatusForbidden, "UnauthorizedOperation", first + "permissions boundary allows the ec2:DescribeRegions action"}
	case s.makes(PolicyMissing) && len(r.attached)+len(r.inline) == 0:
		return &apiError{http.StatusForbidden, "UnauthorizedOperation", first + "identity-based policy allows the ec2:DescribeRegions action"}
	}
	return nil
}
