package rehearsal

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
)

// Snapshot is what the account holds at one moment. Take it while no stack is
// at work.
type Snapshot struct{ state state }

// Snapshot copies what the account holds.
func (s *Server) Snapshot() Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Snapshot{s.state.clone()}
}

// Restore puts back what the account held.
func (s *Server) Restore(from Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = from.state.clone()
}

func (st state) clone() state {
	to := newState()
	maps.Copy(to.sessions, st.sessions)
	for name, r := range st.roles {
		one := *r
		one.attached, one.inline, one.tags = slices.Clone(r.attached), maps.Clone(r.inline), slices.Clone(r.tags)
		to.roles[name] = &one
	}
	for arn, m := range st.policies {
		one := *m
		one.versions, one.tags = slices.Clone(m.versions), slices.Clone(m.tags)
		to.policies[arn] = &one
	}
	for name, u := range st.users {
		one := *u
		one.attached, one.inline, one.tags, one.keys = slices.Clone(u.attached), maps.Clone(u.inline), slices.Clone(u.tags), copied(u.keys)
		to.users[name] = &one
	}
	for arn, p := range st.providers {
		one := *p
		one.clients, one.thumbprints, one.tags = slices.Clone(p.clients), slices.Clone(p.thumbprints), slices.Clone(p.tags)
		to.providers[arn] = &one
	}
	for id, d := range st.delegations {
		one := *d
		to.delegations[id] = &one
	}
	for _, k := range st.stacks {
		one := *k
		one.events, one.made, one.changeSets, one.tokens = slices.Clone(k.events), copied(k.made), copied(k.changeSets), maps.Clone(k.tokens)
		one.jobs = slices.Clone(k.jobs)
		to.stacks = append(to.stacks, &one)
	}
	return to
}

func copied[T any](all []*T) []*T {
	to := make([]*T, len(all))
	for i, one := range all {
		another := *one
		to[i] = &another
	}
	return to
}

// Things are all that exists, a line for each thing and each relation, sorted;
// AWS's own policies are left out. Two snapshots are compared by them.
func (s Snapshot) Things() []string {
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	for _, r := range s.state.roles {
		add("role %s %s trusts %s", r.name, r.id, shortSum(r.trust))
		for _, arn := range r.attached {
			add("role %s %s has %s", r.name, r.id, arn)
		}
		for name, text := range r.inline {
			add("role %s %s has inline %s %s", r.name, r.id, name, shortSum(text))
		}
	}
	for _, m := range s.state.policies {
		for _, v := range m.versions {
			if !m.aws {
				add("policy %s %s version %s default %t %s", m.arn, m.id, v.id, v.isDefault, shortSum(v.text))
			}
		}
	}
	for _, u := range s.state.users {
		add("user %s %s", u.name, u.id)
		for _, arn := range u.attached {
			add("user %s %s has %s", u.name, u.id, arn)
		}
		for _, k := range u.keys {
			add("key %s of user %s %s", k.id, u.name, u.id)
		}
	}
	for _, d := range s.state.delegations {
		add("delegation request %s %s", d.ID, d.State)
	}
	for _, k := range s.state.stacks {
		add("stack %s %s %s", k.name, k.id, k.status)
	}
	slices.Sort(all)
	return all
}

func shortSum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}
