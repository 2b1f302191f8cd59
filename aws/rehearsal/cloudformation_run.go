package rehearsal

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// stack is a stack with what is under way in it. Nothing runs by itself: jobs
// wait for their time, and every request first does those that are due.
type stack struct {
	id, name, status, reason  string
	text                      string
	template                  *template
	parameters                map[string]string
	tags                      []tag
	created, updated, deleted time.Time
	outputs                   []stackOutput
	events                    []stackEvent // oldest first
	made                      []*madeResource
	changeSets                []*changeSet
	tokens                    map[string]string // what each request token was used for
	jobs                      []job
	run                       *stackRun
}

// stackRun is one creation, change or deletion.
type stackRun struct {
	caller    caller
	token     string
	onFailure string // ROLLBACK, DELETE or DO_NOTHING
	failed    []string
	undeleted []string
	added     []*madeResource   // of a change, to take back when it fails
	before    []earlierResource // what a change changed
	retired   []*madeResource   // to be deleted after a change
	previous  *template         // before the change
	given     map[string]string // the parameters before
	wrote     string            // the template's text before
}

type earlierResource struct {
	resource   *madeResource
	properties map[string]any
}

type madeResource struct {
	id, kind, physical string
	attributes         map[string]string
	properties         map[string]any // as they are in the account
	metadata           any            // of the resource in the template
	state              string         // the newest event's status
}

type stackOutput struct{ OutputKey, OutputValue, Description string }

type stackEvent struct {
	EventID              string `xml:"EventId"`
	StackID              string `xml:"StackId"`
	StackName            string
	LogicalResourceID    string `xml:"LogicalResourceId"`
	PhysicalResourceID   string `xml:"PhysicalResourceId"`
	ResourceType         string
	Timestamp            string
	ResourceStatus       string
	ResourceStatusReason string `xml:",omitempty"`
	ClientRequestToken   string `xml:",omitempty"`
}

type job struct {
	at time.Time
	do func(at time.Time)
}

func (k *stack) later(at time.Time, do func(at time.Time)) { k.jobs = append(k.jobs, job{at, do}) }

// advanceStacks does the jobs that are due, each at its own time. The lock is
// held.
func (s *Server) advanceStacks(now time.Time) {
	for _, k := range s.state.stacks {
		for {
			next := -1
			for i, j := range k.jobs {
				if !j.at.After(now) && (next < 0 || j.at.Before(k.jobs[next].at)) {
					next = i
				}
			}
			if next < 0 {
				break
			}
			j := k.jobs[next]
			k.jobs = slices.Delete(k.jobs, next, next+1)
			j.do(j.at)
		}
	}
}

// A resource takes as long as a new role takes to propagate, and the smaller
// steps a part of it.
func (s *Server) resourceTime() time.Duration { return s.options.Propagation }
func (s *Server) smallTime() time.Duration    { return s.options.Propagation / 8 }

// tell adds an event about a resource.
func (s *Server) tell(k *stack, at time.Time, m *madeResource, status, reason string) {
	m.state = status
	s.event(k, at, m.id, m.physical, m.kind, status, reason)
}

// set changes the stack's own status and adds the event of it.
func (s *Server) set(k *stack, at time.Time, status, reason string) {
	k.status, k.reason = status, reason
	s.event(k, at, k.name, k.id, "AWS::CloudFormation::Stack", status, reason)
}

func (s *Server) event(k *stack, at time.Time, logical, physical, kind, status, reason string) {
	k.events = append(
		k.events,
		stackEvent{EventID: s.uuid(), StackID: k.id, StackName: k.name, LogicalResourceID: logical, PhysicalResourceID: physical,
			ResourceType: kind, Timestamp: stackStamp(at), ResourceStatus: status, ResourceStatusReason: reason, ClientRequestToken: k.run.token},
	)
}

func stackStamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// beginCreate starts a stack whose template and parameters are set.
func (s *Server) beginCreate(k *stack, run *stackRun, at time.Time) {
	k.run = run
	s.set(k, at, "CREATE_IN_PROGRESS", "User Initiated")
	s.startReady(k, at.Add(s.smallTime()))
}

// startReady starts the resources that lack nothing any more.
func (s *Server) startReady(k *stack, at time.Time) {
	for i := range k.template.resources {
		r := &k.template.resources[i]
		lacks := func(id string) bool { m := k.find(id); return m == nil || m.state != "CREATE_COMPLETE" }
		if k.find(r.id) != nil || slices.ContainsFunc(r.needs, lacks) {
			continue
		}
		m := &madeResource{id: r.id, kind: r.kind}
		k.made = append(k.made, m)
		k.later(at, func(at time.Time) { s.startResource(k, r, m, at) })
	}
}

func (k *stack) find(id string) *madeResource {
	i := slices.IndexFunc(k.made, func(m *madeResource) bool { return m.id == id })
	if i < 0 {
		return nil
	}
	return k.made[i]
}

func (k *stack) failing() bool { return len(k.run.failed) > 0 }

func (s *Server) startResource(k *stack, r *resource, m *madeResource, at time.Time) {
	if k.failing() {
		return
	}
	s.tell(k, at, m, "CREATE_IN_PROGRESS", "")
	k.later(at.Add(s.smallTime()), func(at time.Time) {
		if k.failing() {
			return
		}
		if why := s.makeResource(k, r, m, at); why != "" {
			s.failCreate(k, m, at, why)
			return
		}
		s.tell(k, at, m, "CREATE_IN_PROGRESS", "Resource creation Initiated")
		k.later(at.Add(s.resourceTime()), func(at time.Time) { s.endResource(k, m, at) })
	})
}

func (s *Server) endResource(k *stack, m *madeResource, at time.Time) {
	if k.failing() {
		return
	}
	s.tell(k, at, m, "CREATE_COMPLETE", "")
	open := func(r resource) bool { m := k.find(r.id); return m == nil || m.state != "CREATE_COMPLETE" }
	if slices.ContainsFunc(k.template.resources, open) {
		s.startReady(k, at)
		return
	}
	s.writeOutputs(k)
	s.set(k, at.Add(s.smallTime()), "CREATE_COMPLETE", "")
}

func (s *Server) writeOutputs(k *stack) {
	k.outputs = nil
	for _, o := range k.template.outputs {
		if value, err := s.values(k).resolve(o.value); err == nil {
			k.outputs = append(k.outputs, stackOutput{o.name, textOf(value), o.description})
		}
	}
}

// failCreate ends a creation: what else was under way is cancelled, and what
// exists is taken back unless that was not wanted.
func (s *Server) failCreate(k *stack, cause *madeResource, at time.Time, why string) {
	s.tell(k, at, cause, "CREATE_FAILED", why)
	k.run.failed = append(k.run.failed, cause.id)
	for _, m := range k.made {
		if m.state == "CREATE_IN_PROGRESS" {
			s.tell(k, at, m, "CREATE_FAILED", "Resource creation cancelled")
			k.run.failed = append(k.run.failed, m.id)
		}
	}
	reason := fmt.Sprintf("The following resource(s) failed to create: [%s]. ", strings.Join(k.run.failed, ", "))
	switch k.run.onFailure {
	case "DO_NOTHING":
		s.set(k, at, "CREATE_FAILED", reason)
	case "DELETE":
		s.set(k, at, "DELETE_IN_PROGRESS", reason+"Delete requested by user.")
		s.deleteNext(k, at.Add(s.smallTime()), k.all(), "DELETE_COMPLETE", "DELETE_FAILED")
	default:
		s.set(k, at, "ROLLBACK_IN_PROGRESS", reason+"Rollback requested by user.")
		s.deleteNext(k, at.Add(s.smallTime()), k.all(), "ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
	}
}

// all are the resources that may exist, the newest first.
func (k *stack) all() []*madeResource {
	var all []*madeResource
	for _, m := range slices.Backward(k.made) {
		if m.state != "DELETE_COMPLETE" && m.state != "" {
			all = append(all, m)
		}
	}
	return all
}

// beginDelete deletes a stack with what is in it.
func (s *Server) beginDelete(k *stack, run *stackRun, at time.Time) {
	k.run, k.jobs = run, nil
	s.set(k, at, "DELETE_IN_PROGRESS", "User Initiated")
	s.deleteNext(k, at.Add(s.smallTime()), k.all(), "DELETE_COMPLETE", "DELETE_FAILED")
}

// deleteNext deletes one resource after the other and ends with one of two
// statuses.
func (s *Server) deleteNext(k *stack, at time.Time, left []*madeResource, done, failed string) {
	if len(left) == 0 {
		k.later(at, func(at time.Time) { s.endDelete(k, at, done, failed) })
		return
	}
	m := left[0]
	k.later(at, func(at time.Time) {
		if m.physical != "" {
			s.tell(k, at, m, "DELETE_IN_PROGRESS", "")
		}
		k.later(at.Add(s.smallTime()), func(at time.Time) {
			if done == "DELETE_COMPLETE" && k.retains(m) {
				s.tell(k, at, m, "DELETE_SKIPPED", "")
			} else if why := s.removeResource(k, m); why != "" {
				s.tell(k, at, m, "DELETE_FAILED", why)
				k.run.undeleted = append(k.run.undeleted, m.id)
			} else {
				s.tell(k, at, m, "DELETE_COMPLETE", "")
			}
			s.deleteNext(k, at, left[1:], done, failed)
		})
	})
}

func (s *Server) endDelete(k *stack, at time.Time, done, failed string) {
	if len(k.run.undeleted) > 0 {
		s.set(k, at, failed, fmt.Sprintf("The following resource(s) failed to delete: [%s]. ", strings.Join(k.run.undeleted, ", ")))
		return
	}
	k.outputs = nil
	if done == "DELETE_COMPLETE" {
		k.deleted = at
	}
	s.set(k, at, done, "")
}

// values are what names in the stack's template stand for now. What does not
// exist yet stands for a text that nothing else has.
func (s *Server) values(k *stack) values {
	return values{
		ref: func(name string) (string, bool) {
			switch name {
			case "AWS::Partition":
				return s.options.Partition, true
			case "AWS::AccountId":
				return s.options.Account, true
			case "AWS::Region":
				return s.options.Region, true
			case "AWS::StackName":
				return k.name, true
			case "AWS::StackId":
				return k.id, true
			case "AWS::URLSuffix":
				if s.options.Partition == "aws-cn" {
					return "amazonaws.com.cn", true
				}
				return "amazonaws.com", true
			}
			if value, ok := k.parameters[name]; ok {
				return value, true
			}
			if m := k.find(name); m != nil && m.physical != "" {
				return m.physical, true
			}
			return notYet, k.template.resource(name) != nil
		},
		attribute: func(id, name string) (string, bool) {
			m := k.find(id)
			if m == nil || m.physical == "" {
				return notYet, k.template.resource(id) != nil
			}
			value, ok := m.attributes[name]
			return value, ok
		},
	}
}

const notYet = "known after it was made"
