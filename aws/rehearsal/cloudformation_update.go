package rehearsal

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// beginUpdate brings a stack to another template. The changes are done one
// after the other; when one fails, those before it are taken back.
func (s *Server) beginUpdate(k *stack, run *stackRun, t *template, text string, parameters map[string]string, at time.Time) *apiError {
	all, err := s.changes(k, t, parameters)
	if err != nil {
		return err
	}
	run.previous, run.given, run.wrote = k.template, k.parameters, k.text
	k.run, k.template, k.parameters, k.text, k.updated = run, t, parameters, text, at
	s.set(k, at, "UPDATE_IN_PROGRESS", "User Initiated")
	s.changeNext(k, at.Add(s.smallTime()), all)
	return nil
}

func (s *Server) changeNext(k *stack, at time.Time, left []change) {
	k.later(at, func(at time.Time) {
		if len(left) == 0 {
			s.endUpdate(k, at)
			return
		}
		c := left[0]
		if c.action == "Remove" {
			k.run.retired = append(k.run.retired, c.made)
			s.changeNext(k, at, left[1:])
			return
		}
		m, status := c.made, "UPDATE"
		if c.action == "Add" {
			m, status = &madeResource{id: c.resource.id, kind: c.resource.kind}, "CREATE"
			k.made = append(k.made, m)
			k.run.added = append(k.run.added, m)
		}
		s.tell(k, at, m, status+"_IN_PROGRESS", "")
		if why := s.change(k, c, m, at); why != "" {
			s.tell(k, at, m, status+"_FAILED", why)
			s.undo(k, at, m)
			return
		}
		k.later(at.Add(s.resourceTime()), func(at time.Time) {
			s.tell(k, at, m, status+"_COMPLETE", "")
			s.changeNext(k, at, left[1:])
		})
	})
}

func (s *Server) change(k *stack, c change, m *madeResource, at time.Time) string {
	if c.action == "Add" {
		return s.makeResource(k, c.resource, m, at)
	}
	if c.replacement == "True" {
		old := *m
		why := s.makeResource(k, c.resource, m, at)
		if why != "" {
			*m = old
			return why
		}
		k.run.retired = append(k.run.retired, &old)
		return ""
	}
	// A resource made just now may have changed what this one refers to.
	resolved, err := s.values(k).resolve(c.resource.properties)
	if err != nil {
		return err.Error()
	}
	k.run.before = append(k.run.before, earlierResource{m, m.properties})
	properties, _ := resolved.(map[string]any)
	if m.metadata = c.resource.metadata; sameJSON(properties, m.properties) {
		return ""
	}
	return s.changeInPlace(k, m, properties)
}

// changeInPlace brings a role or policy to other properties.
func (s *Server) changeInPlace(k *stack, m *madeResource, properties map[string]any) string {
	old := *m
	m.properties = properties
	if m.kind == kindPolicy {
		form := url.Values{"PolicyArn": {m.physical}, "PolicyDocument": {textOf(properties["PolicyDocument"])}, "SetAsDefault": {"true"}}
		if p := s.state.policies[m.physical]; p != nil && len(p.versions) >= mostVersions {
			oldest := slices.IndexFunc(p.versions, func(v version) bool { return !v.isDefault })
			p.versions = slices.Delete(p.versions, oldest, oldest+1)
		}
		return s.iam(k, "CreatePolicyVersion", form, createPolicyVersion, m.physical)
	}
	role := url.Values{"RoleName": {m.physical}}
	update := with(role, "Description", textOf(properties["Description"]))
	if v := properties["MaxSessionDuration"]; v != nil {
		update.Set("MaxSessionDuration", textOf(v))
	}
	if why := s.iam(k, "UpdateRole", update, updateRole, m.physical); why != "" {
		return why
	}
	trust := with(role, "PolicyDocument", textOf(properties["AssumeRolePolicyDocument"]))
	if why := s.iam(k, "UpdateAssumeRolePolicy", trust, updateTrust, m.physical); why != "" {
		return why
	}
	wanted := m.policyARNs()
	for _, arn := range wanted {
		if why := s.iam(k, "AttachRolePolicy", with(role, "PolicyArn", arn), attachRolePolicy, m.physical); why != "" {
			return why
		}
	}
	for _, arn := range old.policyARNs() {
		if !slices.Contains(wanted, arn) {
			if why := s.iam(k, "DetachRolePolicy", with(role, "PolicyArn", arn), detachRolePolicy, m.physical); why != "" {
				return why
			}
		}
	}
	for name, document := range m.inline() {
		if why := s.iam(
			k,
			"PutRolePolicy",
			with(with(role, "PolicyName", name), "PolicyDocument", document),
			putRolePolicy,
			m.physical,
		); why != "" {
			return why
		}
	}
	for name := range old.inline() {
		if _, wanted := m.inline()[name]; wanted {
			continue
		}
		if why := s.iam(k, "DeleteRolePolicy", with(role, "PolicyName", name), deleteRolePolicy, m.physical); why != "" {
			return why
		}
	}
	return ""
}

// undo takes a failed change back.
func (s *Server) undo(k *stack, at time.Time, cause *madeResource) {
	s.set(k, at, "UPDATE_ROLLBACK_IN_PROGRESS", fmt.Sprintf("The following resource(s) failed to update: [%s]. ", cause.id))
	k.later(at.Add(s.smallTime()), func(at time.Time) {
		k.template, k.parameters, k.text = k.run.previous, k.run.given, k.run.wrote
		for _, b := range slices.Backward(k.run.before) {
			if why := s.changeInPlace(k, b.resource, b.properties); why != "" {
				s.set(k, at, "UPDATE_ROLLBACK_FAILED", why)
				return
			}
			s.tell(k, at, b.resource, "UPDATE_COMPLETE", "")
		}
		for _, m := range slices.Backward(k.run.added) {
			if why := s.removeResource(k, m); why == "" {
				s.tell(k, at, m, "DELETE_COMPLETE", "")
			}
			k.made = slices.DeleteFunc(k.made, func(o *madeResource) bool { return o == m })
		}
		s.set(k, at, "UPDATE_ROLLBACK_COMPLETE", "")
	})
}

func (s *Server) endUpdate(k *stack, at time.Time) {
	s.writeOutputs(k)
	s.set(k, at, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "")
	for _, m := range slices.Backward(k.run.retired) {
		s.tell(k, at, m, "DELETE_IN_PROGRESS", "")
		if why := s.removeResource(k, m); why != "" {
			s.tell(k, at, m, "DELETE_FAILED", why) // AWS leaves it and ends well all the same
			continue
		}
		s.tell(k, at, m, "DELETE_COMPLETE", "")
		k.made = slices.DeleteFunc(k.made, func(o *madeResource) bool { return o == m })
	}
	s.set(k, at, "UPDATE_COMPLETE", "")
}

// settled refuses a change while another is under way, or after a failure.
func (k *stack) settled() *apiError {
	switch k.status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE":
		return nil
	}
	return &apiError{400, "ValidationError", fmt.Sprintf("Stack:%s is in %s state and can not be updated.", k.id, strings.ToUpper(k.status))}
}
