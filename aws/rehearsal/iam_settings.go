package rehearsal

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// merge puts tags over those that are there already, by key.
func merge(old, added []tag) ([]tag, *apiError) {
	all := slices.Clone(old)
	for _, t := range added {
		if i := slices.IndexFunc(all, func(o tag) bool { return o.Key == t.Key }); i >= 0 {
			all[i] = t
			continue
		}
		all = append(all, t)
	}
	if len(all) > 50 {
		return nil, overQuota("TagsPerEntity", 50)
	}
	return all, nil
}

func tagRole(s *Server, q request) (any, *apiError) {
	r, err := s.role(q.form.Get("RoleName"))
	if err != nil {
		return nil, err
	}
	tags, err := readTags(q)
	if err == nil {
		tags, err = merge(r.tags, tags)
	}
	if err != nil {
		return nil, err
	}
	r.tags = tags
	return nil, nil
}

func tagPolicy(s *Server, q request) (any, *apiError) {
	m, err := s.own(q.form.Get("PolicyArn"))
	if err != nil {
		return nil, err
	}
	tags, err := readTags(q)
	if err == nil {
		tags, err = merge(m.tags, tags)
	}
	if err != nil {
		return nil, err
	}
	m.tags = tags
	return nil, nil
}

func updateRole(s *Server, q request) (any, *apiError) {
	r, err := s.role(q.form.Get("RoleName"))
	if err != nil {
		return nil, err
	}
	session := 3600 // AWS takes the default where the parameter is left out
	if v := q.form.Get("MaxSessionDuration"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 3600 || n > 43200 {
			return nil, invalid(v, "maxSessionDuration", "Member must have value between 3600 and 43200")
		}
		session = n
	}
	r.session = session
	if q.form.Has("Description") {
		r.description = q.form.Get("Description")
	}
	return struct{}{}, nil
}

func putRoleBoundary(s *Server, q request) (any, *apiError) {
	r, err := s.role(q.form.Get("RoleName"))
	if err != nil {
		return nil, err
	}
	arn := q.form.Get("PermissionsBoundary")
	if _, ok := s.state.policies[arn]; !ok {
		return nil, &apiError{http.StatusNotFound, "NoSuchEntity", fmt.Sprintf("Scope ARN: %s does not exist or is not attachable.", arn)}
	}
	r.boundary = arn
	return nil, nil
}
