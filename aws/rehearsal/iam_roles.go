package rehearsal

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"rolecall/policy"
)

type roleXML struct {
	Path                     string
	RoleName                 string
	RoleID                   string `xml:"RoleId"`
	Arn                      string
	CreateDate               string
	AssumeRolePolicyDocument string
	Description              string `xml:",omitempty"`
	MaxSessionDuration       int
	PermissionsBoundary      *boundaryXML
	Tags                     []tag `xml:"Tags>member"`
	RoleLastUsed             *lastUsedXML
}

type lastUsedXML struct {
	LastUsedDate string `xml:",omitempty"`
	Region       string `xml:",omitempty"`
}

// lastUsed is when the role was assumed last, within the 400 days that IAM
// remembers; an empty element for never.
func (s *Server) lastUsed(r *role) *lastUsedXML {
	if r.used.IsZero() {
		return &lastUsedXML{}
	}
	return &lastUsedXML{LastUsedDate: stamp(r.used), Region: s.options.Region}
}

type boundaryXML struct {
	PermissionsBoundaryType string
	PermissionsBoundaryArn  string
}

// xml is a role as GetRole tells it; lists leave boundary and tags out.
func (r *role) xml(full bool) roleXML {
	x := roleXML{Path: r.path, RoleName: r.name, RoleID: r.id, Arn: r.arn, CreateDate: stamp(r.created),
		AssumeRolePolicyDocument: onTheWire(r.trust), Description: r.description, MaxSessionDuration: r.session}
	if full {
		x.PermissionsBoundary, x.Tags = r.boundaryXML(), r.tags
	}
	return x
}

func (r *role) boundaryXML() *boundaryXML {
	if r.boundary == "" {
		return nil
	}
	return &boundaryXML{PermissionsBoundaryType: "Policy", PermissionsBoundaryArn: r.boundary}
}

func (s *Server) role(name string) (*role, *apiError) {
	r, ok := s.state.roles[strings.ToLower(name)]
	if !ok {
		return nil, &apiError{http.StatusNotFound, "NoSuchEntity", fmt.Sprintf("The role with name %s cannot be found.", name)}
	}
	return r, nil
}

func createRole(s *Server, q request) (any, *apiError) {
	f := q.form
	name, path := f.Get("RoleName"), f.Get("Path")
	if path == "" {
		path = "/"
	}
	if err := checkName(name, "roleName", 64); err != nil {
		return nil, err
	}
	if err := checkPath(path, pathPattern()); err != nil {
		return nil, err
	}
	r := &role{name: name, path: path, description: f.Get("Description"), session: 3600, inline: map[string]string{}}
	if err := r.readOptions(s, q); err != nil {
		return nil, err
	}
	if _, taken := s.state.roles[strings.ToLower(name)]; taken {
		return nil, &apiError{http.StatusConflict, "EntityAlreadyExists", fmt.Sprintf("Role with name %s already exists.", name)}
	}
	if err := r.setTrust(f.Get("AssumeRolePolicyDocument")); err != nil {
		return nil, err
	}
	r.id, r.arn, r.created = s.newID("AROA"), s.arn("role"+path+name), s.options.Now()
	r.listed, r.assumable = r.created.Add(s.listDelay()), r.created.Add(s.options.Propagation)
	s.state.roles[strings.ToLower(name)] = r
	return struct{ Role roleXML }{r.xml(true)}, nil
}

func (r *role) readOptions(s *Server, q request) *apiError {
	if len(r.description) > 1000 {
		return invalid(r.description, "description", "Member must have length less than or equal to 1000")
	}
	if v := q.form.Get("MaxSessionDuration"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 3600 || n > 43200 {
			return invalid(v, "maxSessionDuration", "Member must have value between 3600 and 43200")
		}
		r.session = n
	}
	if r.boundary = q.form.Get("PermissionsBoundary"); r.boundary != "" {
		if _, ok := s.state.policies[r.boundary]; !ok {
			return &apiError{http.StatusNotFound, "NoSuchEntity", fmt.Sprintf("Scope ARN: %s does not exist or is not attachable.", r.boundary)}
		}
	}
	var err *apiError
	r.tags, err = readTags(q)
	return err
}

func (r *role) setTrust(text string) *apiError {
	d, err := readDocument(text, policy.Trust)
	if err != nil {
		return err
	}
	if policy.Characters(text) > policy.MaxTrust {
		return overQuota("ACLSizePerRole", policy.MaxTrust)
	}
	r.trust, r.document = text, d
	return nil
}

func getRole(s *Server, q request) (any, *apiError) {
	r, err := s.role(q.form.Get("RoleName"))
	if err != nil {
		return nil, err
	}
	x := r.xml(true)
	x.RoleLastUsed = s.lastUsed(r)
	return struct{ Role roleXML }{x}, nil
}

func listRoles(s *Server, q request) (any, *apiError) {
	list, p, err := paged(q, s.sortedRoles(orSlash(q.form.Get("PathPrefix"))))
	if err != nil {
		return nil, err
	}
	var out []roleXML
	for _, r := range list {
		out = append(out, r.xml(false))
	}
	return struct {
		Roles []roleXML `xml:"Roles>member"`
		page
	}{out, p}, nil
}

func orSlash(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

func updateTrust(s *Server, q request) (any, *apiError) {
	r, err := s.role(q.form.Get("RoleName"))
	if err != nil {
		return nil, err
	}
	if err := r.setTrust(q.form.Get("PolicyDocument")); err != nil {
		return nil, err
	}
	r.assumable = s.options.Now().Add(s.options.Propagation)
	return nil, nil
}

func deleteRole(s *Server, q request) (any, *apiError) {
	r, err := s.role(q.form.Get("RoleName"))
	switch {
	case err != nil:
		return nil, err
	case len(r.attached) > 0:
		return nil, &apiError{http.StatusConflict, "DeleteConflict", "Cannot delete entity, must detach all policies first."}
	case len(r.inline) > 0:
		return nil, &apiError{http.StatusConflict, "DeleteConflict", "Cannot delete entity, must delete policies first."}
	}
	delete(s.state.roles, strings.ToLower(r.name))
	return nil, nil
}

func attachRolePolicy(s *Server, q request) (any, *apiError) {
	r, err := s.role(q.form.Get("RoleName"))
	if err != nil {
		return nil, err
	}
	arn := q.form.Get("PolicyArn")
	p, ok := s.state.policies[arn]
	switch {
	case !ok:
		return nil, &apiError{http.StatusNotFound, "NoSuchEntity", fmt.Sprintf("Policy %s does not exist or is not attachable.", arn)}
	case slices.Contains(r.attached, arn):
		return nil, nil
	case len(r.attached) >= policy.MaxAttached:
		return nil, overQuota("PoliciesPerRole", policy.MaxAttached)
	}
	r.attached = append(r.attached, arn)
	p.attachments++
	return nil, nil
}

func detachRolePolicy(s *Server, q request) (any, *apiError) {
	r, err := s.role(q.form.Get("RoleName"))
	if err != nil {
		return nil, err
	}
	arn := q.form.Get("PolicyArn")
	i := slices.Index(r.attached, arn)
	if i < 0 {
		return nil, &apiError{http.StatusNotFound, "NoSuchEntity", fmt.Sprintf("Policy %s was not found.", arn)}
	}
	r.attached = slices.Delete(r.attached, i, i+1)
	s.state.policies[arn].attachments--
	return nil, nil
}

type attachedXML struct {
	PolicyName string
	PolicyArn  string
}

func (s *Server) attachedXML(r *role) []attachedXML {
	var out []attachedXML
	for _, arn := range r.attached {
		out = append(out, attachedXML{PolicyName: s.state.policies[arn].name, PolicyArn: arn})
	}
	return out
}

func listAttachedRolePolicies(s *Server, q request) (any, *apiError) {
	r, err := s.role(q.form.Get("RoleName"))
	if err != nil {
		return nil, err
	}
	list, p, err := paged(q, s.attachedXML(r))
	if err != nil {
		return nil, err
	}
	return struct {
		AttachedPolicies []attachedXML `xml:"AttachedPolicies>member"`
		page
	}{list, p}, nil
}

func putRolePolicy(s *Server, q request) (any, *apiError) {
	r, err := s.role(q.form.Get("RoleName"))
	if err != nil {
		return nil, err
	}
	name, text := q.form.Get("PolicyName"), q.form.Get("PolicyDocument")
	if err := checkName(name, "policyName", 128); err != nil {
		return nil, err
	}
	if _, err := readDocument(text, policy.Identity); err != nil {
		return nil, err
	}
	sum := policy.Characters(text)
	for other, document := range r.inline {
		if other != name {
			sum += policy.Characters(document)
		}
	}
	if sum > policy.MaxRoleInline {
		return nil, &apiError{http.StatusConflict, "LimitExceeded",
			fmt.Sprintf("Maximum policy size of %d bytes exceeded for role %s", policy.MaxRoleInline, r.name)}
	}
	r.inline[name] = text
	return nil, nil
}

func (r *role) inlineNames() []string { return slices.Sorted(maps.Keys(r.inline)) }

func listRolePolicies(s *Server, q request) (any, *apiError) {
	r, err := s.role(q.form.Get("RoleName"))
	if err != nil {
		return nil, err
	}
	list, p, err := paged(q, r.inlineNames())
	if err != nil {
		return nil, err
	}
	return struct {
		PolicyNames []string `xml:"PolicyNames>member"`
		page
	}{list, p}, nil
}

func (s *Server) inline(q request) (*role, string, *apiError) {
	r, err := s.role(q.form.Get("RoleName"))
	if err != nil {
		return nil, "", err
	}
	name := q.form.Get("PolicyName")
	if _, ok := r.inline[name]; !ok {
		return nil, "", &apiError{http.StatusNotFound, "NoSuchEntity", fmt.Sprintf("The role policy with name %s cannot be found.", name)}
	}
	return r, name, nil
}

func getRolePolicy(s *Server, q request) (any, *apiError) {
	r, name, err := s.inline(q)
	if err != nil {
		return nil, err
	}
	return struct{ RoleName, PolicyName, PolicyDocument string }{r.name, name, onTheWire(r.inline[name])}, nil
}

func deleteRolePolicy(s *Server, q request) (any, *apiError) {
	r, name, err := s.inline(q)
	if err != nil {
		return nil, err
	}
	delete(r.inline, name)
	return nil, nil
}
