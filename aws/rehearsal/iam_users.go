package rehearsal

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"rolecall/policy"
)

// user is an IAM user. Its password does not exist: a rehearsal has no console.
type user struct {
	name, path, id, arn, boundary string
	created, listed               time.Time // listed: from when on it shows in lists
	attached                      []string  // policy ARNs in order
	inline                        map[string]string
	tags                          []tag
	keys                          []*accessKey // oldest first
}

// userActions is the table of users; their keys have one of their own.
func userActions() map[string]action {
	return map[string]action{
		"CreateUser":               createUser,
		"GetUser":                  getUser,
		"ListUsers":                listUsers,
		"DeleteUser":               deleteUser,
		"TagUser":                  tagUser,
		"AttachUserPolicy":         attachUserPolicy,
		"DetachUserPolicy":         detachUserPolicy,
		"ListAttachedUserPolicies": listAttachedUserPolicies,
		"PutUserPolicy":            putUserPolicy,
		"GetUserPolicy":            getUserPolicy,
		"ListUserPolicies":         listUserPolicies,
		"DeleteUserPolicy":         deleteUserPolicy,
		"ListGroupsForUser":        listGroupsForUser,
		"ListEntitiesForPolicy":    listEntitiesForPolicy,
	}
}

type userXML struct {
	Path                string
	UserName            string
	UserID              string `xml:"UserId"`
	Arn                 string
	CreateDate          string
	PermissionsBoundary *boundaryXML
	Tags                []tag `xml:"Tags>member"`
}

// xml is a user as GetUser tells it; lists leave boundary and tags out.
func (u *user) xml(full bool) userXML {
	x := userXML{Path: u.path, UserName: u.name, UserID: u.id, Arn: u.arn, CreateDate: stamp(u.created)}
	if full {
		x.Tags = u.tags
		if u.boundary != "" {
			x.PermissionsBoundary = &boundaryXML{PermissionsBoundaryType: "Policy", PermissionsBoundaryArn: u.boundary}
		}
	}
	return x
}

func (s *Server) user(name string) (*user, *apiError) {
	u, ok := s.state.users[strings.ToLower(name)]
	if !ok {
		return nil, &apiError{http.StatusNotFound, "NoSuchEntity", fmt.Sprintf("The user with name %s cannot be found.", name)}
	}
	return u, nil
}

func createUser(s *Server, q request) (any, *apiError) {
	name, path := q.form.Get("UserName"), orSlash(q.form.Get("Path"))
	if err := checkName(name, "userName", 64); err != nil {
		return nil, err
	}
	if err := checkPath(path, pathPattern()); err != nil {
		return nil, err
	}
	tags, err := readTags(q)
	if err != nil {
		return nil, err
	}
	boundary := q.form.Get("PermissionsBoundary")
	if _, ok := s.state.policies[boundary]; boundary != "" && !ok {
		return nil, &apiError{http.StatusNotFound, "NoSuchEntity", fmt.Sprintf("Scope ARN: %s does not exist or is not attachable.", boundary)}
	}
	if _, taken := s.state.users[strings.ToLower(name)]; taken {
		return nil, &apiError{http.StatusConflict, "EntityAlreadyExists", fmt.Sprintf("User with name %s already exists.", name)}
	}
	u := &user{name: name, path: path, id: s.newID("AIDA"), arn: s.arn("user" + path + name), boundary: boundary, created: s.options.Now(),
		inline: map[string]string{}, tags: tags}
	u.listed = u.created.Add(s.listDelay())
	s.state.users[strings.ToLower(name)] = u
	return struct{ User userXML }{u.xml(true)}, nil
}

// getUser without a name is about the caller, as in AWS.
func getUser(s *Server, q request) (any, *apiError) {
	name := q.form.Get("UserName")
	if name == "" {
		_, name, _ = strings.Cut(q.caller.arn, ":user/")
	}
	u, err := s.user(name)
	if err != nil {
		return nil, err
	}
	return struct{ User userXML }{u.xml(true)}, nil
}

func listUsers(s *Server, q request) (any, *apiError) {
	var all []*user
	for _, u := range s.state.users {
		if strings.HasPrefix(u.path, orSlash(q.form.Get("PathPrefix"))) && !s.options.Now().Before(u.listed) {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b *user) int { return cmp.Compare(a.name, b.name) })
	list, p, err := paged(q, all)
	if err != nil {
		return nil, err
	}
	var out []userXML
	for _, u := range list {
		out = append(out, u.xml(false))
	}
	return struct {
		Users []userXML `xml:"Users>member"`
		page
	}{out, p}, nil
}

func deleteUser(s *Server, q request) (any, *apiError) {
	u, err := s.user(q.form.Get("UserName"))
	conflict := func(message string) *apiError { return &apiError{http.StatusConflict, "DeleteConflict", message} }
	switch {
	case err != nil:
		return nil, err
	case len(u.attached) > 0:
		return nil, conflict("Cannot delete entity, must detach all policies first.")
	case len(u.inline) > 0:
		return nil, conflict("Cannot delete entity, must delete policies first.")
	case len(u.keys) > 0:
		return nil, conflict("Cannot delete entity, must delete access keys first.")
	}
	delete(s.state.users, strings.ToLower(u.name))
	return nil, nil
}

func tagUser(s *Server, q request) (any, *apiError) {
	u, err := s.user(q.form.Get("UserName"))
	if err != nil {
		return nil, err
	}
	tags, err := readTags(q)
	if err == nil {
		tags, err = merge(u.tags, tags)
	}
	if err != nil {
		return nil, err
	}
	u.tags = tags
	return nil, nil
}

func attachUserPolicy(s *Server, q request) (any, *apiError) {
	u, err := s.user(q.form.Get("UserName"))
	if err != nil {
		return nil, err
	}
	arn := q.form.Get("PolicyArn")
	p, ok := s.state.policies[arn]
	switch {
	case !ok:
		return nil, &apiError{http.StatusNotFound, "NoSuchEntity", fmt.Sprintf("Policy %s does not exist or is not attachable.", arn)}
	case slices.Contains(u.attached, arn):
		return nil, nil
	case len(u.attached) >= policy.MaxAttached:
		return nil, overQuota("PoliciesPerUser", policy.MaxAttached)
	}
	u.attached = append(u.attached, arn)
	p.attachments++
	return nil, nil
}

func detachUserPolicy(s *Server, q request) (any, *apiError) {
	u, err := s.user(q.form.Get("UserName"))
	if err != nil {
		return nil, err
	}
	arn := q.form.Get("PolicyArn")
	i := slices.Index(u.attached, arn)
	if i < 0 {
		return nil, &apiError{http.StatusNotFound, "NoSuchEntity", fmt.Sprintf("Policy %s was not found.", arn)}
	}
	u.attached = slices.Delete(u.attached, i, i+1)
	s.state.policies[arn].attachments--
	return nil, nil
}

func listAttachedUserPolicies(s *Server, q request) (any, *apiError) {
	u, err := s.user(q.form.Get("UserName"))
	if err != nil {
		return nil, err
	}
	var all []attachedXML
	for _, arn := range u.attached {
		all = append(all, attachedXML{PolicyName: s.state.policies[arn].name, PolicyArn: arn})
	}
	list, p, err := paged(q, all)
	if err != nil {
		return nil, err
	}
	return struct {
		AttachedPolicies []attachedXML `xml:"AttachedPolicies>member"`
		page
	}{list, p}, nil
}

func putUserPolicy(s *Server, q request) (any, *apiError) {
	u, err := s.user(q.form.Get("UserName"))
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
	for other, document := range u.inline {
		if other != name {
			sum += policy.Characters(document)
		}
	}
	if sum > policy.MaxUserInline {
		return nil, &apiError{http.StatusConflict, "LimitExceeded",
			fmt.Sprintf("Maximum policy size of %d bytes exceeded for user %s", policy.MaxUserInline, u.name)}
	}
	u.inline[name] = text
	return nil, nil
}

func listUserPolicies(s *Server, q request) (any, *apiError) {
	u, err := s.user(q.form.Get("UserName"))
	if err != nil {
		return nil, err
	}
	list, p, err := paged(q, slices.Sorted(maps.Keys(u.inline)))
	if err != nil {
		return nil, err
	}
	return struct {
		PolicyNames []string `xml:"PolicyNames>member"`
		page
	}{list, p}, nil
}

func (s *Server) userInline(q request) (*user, string, *apiError) {
	u, err := s.user(q.form.Get("UserName"))
	if err != nil {
		return nil, "", err
	}
	name := q.form.Get("PolicyName")
	if _, ok := u.inline[name]; !ok {
		return nil, "", &apiError{http.StatusNotFound, "NoSuchEntity", fmt.Sprintf("The user policy with name %s cannot be found.", name)}
	}
	return u, name, nil
}

func getUserPolicy(s *Server, q request) (any, *apiError) {
	u, name, err := s.userInline(q)
	if err != nil {
		return nil, err
	}
	return struct{ UserName, PolicyName, PolicyDocument string }{u.name, name, onTheWire(u.inline[name])}, nil
}

func deleteUserPolicy(s *Server, q request) (any, *apiError) {
	u, name, err := s.userInline(q)
	if err != nil {
		return nil, err
	}
	delete(u.inline, name)
	return nil, nil
}

// listGroupsForUser is always empty: a rehearsal has no groups.
func listGroupsForUser(s *Server, q request) (any, *apiError) {
	if _, err := s.user(q.form.Get("UserName")); err != nil {
		return nil, err
	}
	return struct {
		Groups []string `xml:"Groups>member"`
		page
	}{}, nil
}

// listEntitiesForPolicy tells which users and roles a policy is attached to.
// What was attached a moment ago shows at once here; a new user or role does
// not before it is listed.
func listEntitiesForPolicy(s *Server, q request) (any, *apiError) {
	m, err := s.policy(q.form.Get("PolicyArn"))
	if err != nil {
		return nil, err
	}
	filter := q.form.Get("EntityFilter")
	type entity struct {
		UserName string `xml:",omitempty"`
		UserID   string `xml:"UserId,omitempty"`
		RoleName string `xml:",omitempty"`
		RoleID   string `xml:"RoleId,omitempty"`
	}
	var all []entity
	for _, u := range s.state.users {
		if slices.Contains(u.attached, m.arn) && (filter == "" || filter == "User") && !s.options.Now().Before(u.listed) {
			all = append(all, entity{UserName: u.name, UserID: u.id})
		}
	}
	for _, r := range s.state.roles {
		if slices.Contains(r.attached, m.arn) && (filter == "" || filter == "Role") && !s.options.Now().Before(r.listed) {
			all = append(all, entity{RoleName: r.name, RoleID: r.id})
		}
	}
	slices.SortFunc(all, func(a, b entity) int {
		return cmp.Or(cmp.Compare(a.UserName, b.UserName), cmp.Compare(a.RoleName, b.RoleName))
	})
	list, p, err := paged(q, all)
	if err != nil {
		return nil, err
	}
	var out struct {
		PolicyUsers []entity `xml:"PolicyUsers>member"`
		PolicyRoles []entity `xml:"PolicyRoles>member"`
		page
	}
	out.page = p
	for _, e := range list {
		if e.UserName != "" {
			out.PolicyUsers = append(out.PolicyUsers, e)
			continue
		}
		out.PolicyRoles = append(out.PolicyRoles, e)
	}
	return out, nil
}
