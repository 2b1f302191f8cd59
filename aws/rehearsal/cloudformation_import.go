package rehearsal

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// imported is a resource that exists and that a change set takes into a stack.
type imported struct{ id, kind, name string }

// identifierOf is the property by which a resource is found (CloudFormation user
// guide, "Resource type support": the primary identifiers of the two types).
func identifierOf(kind string) string {
	if kind == kindPolicy {
		return "PolicyArn"
	}
	return "RoleName"
}

// readImports reads ResourcesToImport, and refuses what AWS refuses at once. The
// sentences are those that public reports of such refusals quote.
func readImports(q request, t *template) ([]imported, *apiError) {
	var all []imported
	for i := 1; ; i++ {
		member := fmt.Sprintf("ResourcesToImport.member.%d.", i)
		one := imported{id: q.form.Get(member + "LogicalResourceId"), kind: q.form.Get(member + "ResourceType")}
		if one.id == "" {
			break
		}
		key := q.form.Get(member + "ResourceIdentifier.entry.1.key")
		one.name = q.form.Get(member + "ResourceIdentifier.entry.1.value")
		switch r := t.resource(one.id); {
		case r == nil || r.kind != one.kind:
			return nil, stackRefused("Resources [%s] is missing from the template", one.id)
		case key != identifierOf(one.kind) || one.name == "":
			return nil, stackRefused("Invalid property for [%s]. Allowed values are [%s]", one.id, identifierOf(one.kind))
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil, stackRefused("You have to specify at least one resource to import in ResourcesToImport.")
	}
	var bare, unnamed []string
	for _, r := range t.resources {
		if r.deletion == "" {
			bare = append(bare, r.id)
		}
		if !slices.ContainsFunc(all, func(o imported) bool { return o.id == r.id }) {
			unnamed = append(unnamed, r.id)
		}
	}
	switch {
	case len(bare) > 0:
		return nil, stackRefused("The following resources to import [%s] must have DeletionPolicy attribute specified in the template.",
			strings.Join(bare, ", "))
	case len(unnamed) > 0:
		return nil, stackRefused("As part of the import operation, you cannot modify or add [Resources]: [%s]", strings.Join(unnamed, ", "))
	case len(t.outputs) > 0:
		return nil, stackRefused("As part of the import operation, you cannot modify or add [Outputs]")
	}
	return all, nil
}

func importChanges(c *changeSet) []change {
	var all []change
	for _, one := range c.imports {
		m := &madeResource{id: one.id, kind: one.kind, physical: one.name}
		all = append(all, change{action: "Import", resource: c.asked.template.resource(one.id), made: m})
	}
	return all
}

// sameOutputs tells whether two templates have the same outputs: adding one is a
// change without a change to any resource.
func sameOutputs(a, b *template) bool {
	return slices.EqualFunc(a.outputs, b.outputs, func(x, y output) bool {
		return x.name == y.name && x.description == y.description && sameJSON(x.value, y.value)
	})
}

// beginImport takes resources into a new stack. None of them is changed, apart
// from the tags that CloudFormation gives to what it manages.
func (s *Server) beginImport(k *stack, run *stackRun, all []imported, at time.Time) {
	k.run = run
	s.set(k, at, "IMPORT_IN_PROGRESS", "User Initiated")
	k.later(at.Add(s.smallTime()), func(at time.Time) {
		for _, one := range all {
			m := &madeResource{id: one.id, kind: one.kind, physical: one.name}
			k.made = append(k.made, m)
			s.tell(k, at, m, "IMPORT_IN_PROGRESS", "Resource import started.")
		}
		k.later(at.Add(s.resourceTime()), func(at time.Time) { s.endImport(k, at) })
	})
}

func (s *Server) endImport(k *stack, at time.Time) {
	for _, m := range k.made {
		if why := s.importResource(k, m); why != "" {
			s.tell(k, at, m, "IMPORT_FAILED", why)
			s.set(k, at, "IMPORT_ROLLBACK_IN_PROGRESS", fmt.Sprintf("The following resource(s) failed to import: [%s]. ", m.id))
			k.later(at.Add(s.smallTime()), func(at time.Time) {
				k.made = nil
				s.set(k, at, "IMPORT_ROLLBACK_COMPLETE", "")
			})
			return
		}
		s.tell(k, at, m, "IMPORT_COMPLETE", "Resource import completed.")
	}
	s.set(k, at, "IMPORT_COMPLETE", "")
}

// importResource finds the resource. What it is like is not compared with the
// template: that is what drift detection is for, AWS says.
func (s *Server) importResource(k *stack, m *madeResource) string {
	for _, other := range s.state.stacks {
		if other != k && other.deleted.IsZero() && slices.ContainsFunc(other.made, func(o *madeResource) bool {
			return o.kind == m.kind && strings.EqualFold(o.physical, m.physical)
		}) {
			return fmt.Sprintf("%s already exists in stack %s", m.physical, other.id)
		}
	}
	r := k.template.resource(m.id)
	resolved, err := s.values(k).resolve(r.properties)
	if err != nil {
		return err.Error()
	}
	m.properties, _ = resolved.(map[string]any)
	m.metadata = r.metadata
	if m.kind == kindPolicy {
		p, ok := s.state.policies[m.physical]
		if !ok {
			return fmt.Sprintf("Resource of type '%s' with identifier '%s' was not found.", m.kind, m.physical)
		}
		m.attributes = map[string]string{"PolicyArn": p.arn, "PolicyId": p.id}
		return s.iam(k, "GetPolicy", url.Values{"PolicyArn": {m.physical}}, getPolicy, m.physical)
	}
	role, ok := s.state.roles[strings.ToLower(m.physical)]
	if !ok {
		return fmt.Sprintf("Resource of type '%s' with identifier '%s' was not found.", m.kind, m.physical)
	}
	if why := s.iam(k, "GetRole", url.Values{"RoleName": {m.physical}}, getRole, m.physical); why != "" {
		return why
	}
	role.tags = slices.DeleteFunc(slices.Clone(role.tags), func(t tag) bool { return strings.HasPrefix(t.Key, "aws:cloudformation:") })
	role.tags = append(role.tags, tag{"aws:cloudformation:stack-name", k.name}, tag{"aws:cloudformation:stack-id", k.id},
		tag{"aws:cloudformation:logical-id", m.id})
	m.attributes = map[string]string{"Arn": role.arn, "RoleId": role.id}
	return ""
}

// retains tells whether the template keeps a resource when its stack goes.
func (k *stack) retains(m *madeResource) bool {
	r := k.template.resource(m.id)
	return r != nil && strings.HasPrefix(r.deletion, "Retain")
}
