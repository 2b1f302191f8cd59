package rehearsal

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"rolecall/policy"
)

type policyXML struct {
	PolicyName                    string
	PolicyID                      string `xml:"PolicyId"`
	Arn                           string
	Path                          string
	DefaultVersionID              string `xml:"DefaultVersionId"`
	AttachmentCount               int
	PermissionsBoundaryUsageCount int
	IsAttachable                  bool
	Description                   string `xml:",omitempty"`
	CreateDate                    string
	UpdateDate                    string
	PolicyVersionList             []versionXML `xml:"PolicyVersionList>member,omitempty"`
	Tags                          []tag        `xml:"Tags>member,omitempty"`
}

type versionXML struct {
	Document         string `xml:",omitempty"`
	VersionID        string `xml:"VersionId"`
	IsDefaultVersion bool
	CreateDate       string
}

func (m *managed) xml() policyXML {
	return policyXML{
		PolicyName:       m.name,
		PolicyID:         m.id,
		Arn:              m.arn,
		Path:             m.path,
		DefaultVersionID: m.current().id,
		AttachmentCount:  m.attachments,
		IsAttachable:     true,
		Description:      m.description,
		CreateDate:       stamp(m.created),
		UpdateDate:       stamp(m.updated),
	}
}

func (v version) xml(document bool) versionXML {
	x := versionXML{VersionID: v.id, IsDefaultVersion: v.isDefault, CreateDate: stamp(v.created)}
	if document {
		x.Document = onTheWire(v.text)
	}
	return x
}

// addManagedPolicies puts a few of AWS's own policies in. AdministratorAccess
// is AWS's text; the others are short excerpts, enough to attach and read.
func (s *Server) addManagedPolicies() {
	const all = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	const some = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:Describe*","iam:GetAccountSummary","iam:List*"],"Resource":"*"}]}`
	s.addAWSPolicy("AdministratorAccess", all)
	for _, name := range []string{"SecurityAudit", "ReadOnlyAccess", "job-function/ViewOnlyAccess"} {
		s.addAWSPolicy(name, some)
	}
}

// AddManagedPolicies puts further policies of AWS's own in, such as
// "job-function/Billing": whether AWS has them, a rehearsal cannot know. Their
// text is a placeholder that grants next to nothing.
func (s *Server) AddManagedPolicies(names ...string) {
	const little = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetAccountSummary","Resource":"*"}]}`
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		s.addAWSPolicy(name, little)
	}
}

// AddCustomerPolicies puts managed policies into the account, by their ARNs, as
// somebody else made them; those of other accounts are left out.
func (s *Server) AddCustomerPolicies(arns ...string) {
	const little = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetAccountSummary","Resource":"*"}]}`
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, arn := range arns {
		whole, ok := strings.CutPrefix(arn, s.arn("policy/"))
		if !ok || whole == "" || s.state.policies[arn] != nil {
			continue
		}
		at := strings.LastIndexByte(whole, '/') + 1
		now := s.options.Now()
		s.state.policies[arn] = &managed{name: whole[at:], path: "/" + whole[:at], id: s.newID("ANPA"), arn: arn, serial: 1,
			created: now, updated: now, listed: now, versions: []version{{id: "v1", text: little, isDefault: true, created: now}}}
	}
}

// addAWSPolicy adds a policy by the part of its ARN behind "policy/", unless it
// is there.
func (s *Server) addAWSPolicy(name, text string) {
	arn := "arn:" + s.options.Partition + ":iam::aws:policy/" + name
	if s.state.policies[arn] != nil {
		return
	}
	at := strings.LastIndexByte(name, '/') + 1
	path, name := "/"+name[:at], name[at:]
	born := time.Date(2015, 2, 6, 18, 39, 0, 0, time.UTC)
	s.state.policies[arn] = &managed{name: name, path: path, id: s.newID("ANPA"), arn: arn, serial: 1, aws: true, created: born, updated: born,
		versions: []version{{id: "v1", text: text, isDefault: true, created: born}}}
}

func (s *Server) policy(arn string) (*managed, *apiError) {
	if !strings.HasPrefix(arn, "arn:") || len(arn) < 20 {
		return nil, invalid(arn, "policyArn", "Member must have length greater than or equal to 20")
	}
	m, ok := s.state.policies[arn]
	if !ok {
		return nil, &apiError{http.StatusNotFound, "NoSuchEntity", fmt.Sprintf("Policy %s was not found.", arn)}
	}
	return m, nil
}

// own is policy for what changes it: AWS's policies cannot be.
func (s *Server) own(arn string) (*managed, *apiError) {
	m, err := s.policy(arn)
	if err == nil && m.aws {
		return nil, &apiError{http.StatusForbidden, "AccessDenied", "Cannot perform the operation on the AWS managed policy " + arn}
	}
	return m, err
}

func createPolicy(s *Server, q request) (any, *apiError) {
	name, path, text := q.form.Get("PolicyName"), orSlash(q.form.Get("Path")), q.form.Get("PolicyDocument")
	if err := checkName(name, "policyName", 128); err != nil {
		return nil, err
	}
	if err := checkPath(path, policyPathPattern()); err != nil {
		return nil, err
	}
	tags, err := readTags(q)
	if err != nil {
		return nil, err
	}
	if err := checkManagedDocument(text); err != nil {
		return nil, err
	}
	for _, other := range s.state.policies {
		if !other.aws && strings.EqualFold(other.name, name) {
			return nil, &apiError{http.StatusConflict, "EntityAlreadyExists",
				fmt.Sprintf("A policy called %s already exists. Duplicate names are not allowed.", name)}
		}
	}
	now := s.options.Now()
	m := &managed{name: name, path: path, id: s.newID("ANPA"), arn: s.arn("policy" + path + name), description: q.form.Get("Description"),
		versions: []version{{id: "v1", text: text, isDefault: true, created: now}}, serial: 1, created: now, updated: now,
		listed: now.Add(s.listDelay()), tags: tags}
	s.state.policies[m.arn] = m
	x := m.xml()
	x.PermissionsBoundaryUsageCount = s.boundaries(m.arn)
	x.Tags = tags
	return struct{ Policy policyXML }{x}, nil
}

func checkManagedDocument(text string) *apiError {
	if _, err := readDocument(text, policy.Identity); err != nil {
		return err
	}
	if policy.Characters(text) > policy.MaxManaged {
		return overQuota("PolicySize", policy.MaxManaged)
	}
	return nil
}

func getPolicy(s *Server, q request) (any, *apiError) {
	m, err := s.policy(q.form.Get("PolicyArn"))
	if err != nil {
		return nil, err
	}
	x := m.xml()
	x.PermissionsBoundaryUsageCount = s.boundaries(m.arn)
	x.Tags = m.tags
	return struct{ Policy policyXML }{x}, nil
}

func listPolicies(s *Server, q request) (any, *apiError) {
	scope, prefix := q.form.Get("Scope"), orSlash(q.form.Get("PathPrefix"))
	var all []policyXML
	for _, m := range s.sortedPolicies() {
		if scope == "Local" && m.aws || scope == "AWS" && !m.aws || !strings.HasPrefix(m.path, prefix) {
			continue
		}
		if q.form.Get("OnlyAttached") == "true" && m.attachments == 0 {
			continue
		}
		x := m.xml()
		x.PermissionsBoundaryUsageCount = s.boundaries(m.arn)
		x.Description = "" // AWS leaves it out of lists
		all = append(all, x)
	}
	list, p, err := paged(q, all)
	if err != nil {
		return nil, err
	}
	return struct {
		Policies []policyXML `xml:"Policies>member"`
		page
	}{list, p}, nil
}

func deletePolicy(s *Server, q request) (any, *apiError) {
	m, err := s.own(q.form.Get("PolicyArn"))
	switch {
	case err != nil:
		return nil, err
	case m.attachments > 0 || s.boundaries(m.arn) > 0:
		return nil, &apiError{http.StatusConflict, "DeleteConflict", "Cannot delete a policy attached to entities."}
	case len(m.versions) > 1:
		return nil, &apiError{http.StatusConflict, "DeleteConflict", "This policy has more than one version. Before you delete a policy, " +
			"you must delete the policy's versions. The default version is deleted with the policy."}
	}
	delete(s.state.policies, m.arn)
	return nil, nil
}

// boundaries counts the roles and users that have the policy as their boundary.
func (s *Server) boundaries(arn string) int {
	count := 0
	for _, r := range s.state.roles {
		if r.boundary == arn {
			count++
		}
	}
	for _, u := range s.state.users {
		if u.boundary == arn {
			count++
		}
	}
	return count
}

func findVersion(m *managed, id string) (int, *apiError) {
	i := slices.IndexFunc(m.versions, func(v version) bool { return v.id == id })
	if i < 0 {
		return 0, &apiError{
			http.StatusNotFound,
			"NoSuchEntity",
			fmt.Sprintf("Policy %s version %s does not exist or is not attachable.", m.arn, id),
		}
	}
	return i, nil
}

func getPolicyVersion(s *Server, q request) (any, *apiError) {
	m, err := s.policy(q.form.Get("PolicyArn"))
	if err != nil {
		return nil, err
	}
	i, err := findVersion(m, q.form.Get("VersionId"))
	if err != nil {
		return nil, err
	}
	return struct{ PolicyVersion versionXML }{m.versions[i].xml(true)}, nil
}

func listPolicyVersions(s *Server, q request) (any, *apiError) {
	m, err := s.policy(q.form.Get("PolicyArn"))
	if err != nil {
		return nil, err
	}
	list, p, err := paged(q, m.newestFirst(false))
	if err != nil {
		return nil, err
	}
	return struct {
		Versions []versionXML `xml:"Versions>member"`
		page
	}{list, p}, nil
}

func (m *managed) newestFirst(documents bool) []versionXML {
	var all []versionXML
	for _, v := range slices.Backward(m.versions) {
		all = append(all, v.xml(documents))
	}
	return all
}

// mostVersions is IAM's quota of versions for a managed policy.
const mostVersions = 5

func createPolicyVersion(s *Server, q request) (any, *apiError) {
	m, err := s.own(q.form.Get("PolicyArn"))
	if err != nil {
		return nil, err
	}
	text := q.form.Get("PolicyDocument")
	if err := checkManagedDocument(text); err != nil {
		return nil, err
	}
	if len(m.versions) >= mostVersions {
		return nil, &apiError{
			http.StatusConflict,
			"LimitExceeded",
			"A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
		}
	}
	m.serial++
	v := version{id: fmt.Sprintf("v%d", m.serial), text: text, created: s.options.Now()}
	m.versions = append(m.versions, v)
	if q.form.Get("SetAsDefault") == "true" {
		m.setDefault(len(m.versions)-1, s.options.Now())
	}
	return struct{ PolicyVersion versionXML }{m.versions[len(m.versions)-1].xml(false)}, nil
}

func (m *managed) setDefault(index int, now time.Time) {
	for i := range m.versions {
		m.versions[i].isDefault = i == index
	}
	m.updated = now
}

func setDefaultPolicyVersion(s *Server, q request) (any, *apiError) {
	m, err := s.own(q.form.Get("PolicyArn"))
	if err != nil {
		return nil, err
	}
	i, err := findVersion(m, q.form.Get("VersionId"))
	if err != nil {
		return nil, err
	}
	m.setDefault(i, s.options.Now())
	return nil, nil
}

func deletePolicyVersion(s *Server, q request) (any, *apiError) {
	m, err := s.own(q.form.Get("PolicyArn"))
	if err != nil {
		return nil, err
	}
	i, err := findVersion(m, q.form.Get("VersionId"))
	if err != nil {
		return nil, err
	}
	if m.versions[i].isDefault {
		return nil, &apiError{http.StatusConflict, "DeleteConflict", "Cannot delete the default version of a policy."}
	}
	m.versions = slices.Delete(m.versions, i, i+1)
	return nil, nil
}
