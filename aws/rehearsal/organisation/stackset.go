package organisation

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"rolecall/aws/rehearsal"
)

// stackSet is a service-managed StackSet with its instances and operations.
type stackSet struct {
	id, name, status, description string
	token                         string // of the request that made it
	text                          string
	blueprint                     *rehearsal.Blueprint
	parameters                    map[string]string
	tags                          map[string]string
	automatic, retain, managed    bool
	units                         []string // that were ever a target
	instances                     map[string]*instance
	operations                    []*operation // oldest first
	byID                          map[string]*operation
	open                          []*operation // queued and running, in the order of their requests
}

// instance is the stack of one account.
type instance struct {
	account, unit, region, stack string
	status, detailed, reason     string
	overrides                    map[string]string
	last                         string // operation
	drift                        string
	checked                      time.Time // when AWS compared it last
	done                         time.Time // when its stack was whole; zero: it is not
	text                         string    // of the template that the stack has
}

// operation is one request at work. Each task is one account.
type operation struct {
	id, action, status, reason string
	created, ended             time.Time
	tasks                      []*task
	concurrent, tolerance      int
	failed                     int
	overrides                  map[string]string // nil: as they are
	hasOverrides               bool
	retain                     bool
}

type task struct {
	account       string
	until         time.Time
	begun, ended  bool
	status, words string
}

// mostAtOnce is how many operations of a StackSet run side by side with managed
// execution.
const mostAtOnce = 1000

// advance carries on all that is under way until now, each thing at its own time.
func (o *Organisation) advance(now time.Time) {
	for _, set := range o.sets {
		for set.next(o, now) {
		}
	}
}

// next starts what may start and ends the one task that is due first; false
// when none is due.
func (set *stackSet) next(o *Organisation, now time.Time) bool {
	var due *task
	var of *operation
	busy := map[string]bool{}
	running, whole := 0, false
	for _, op := range set.open {
		if op.status == "QUEUED" && (whole || running >= mostAtOnce || op.meets(busy) || op.alone() && running > 0 || !set.managed &&
			running > 0) {
			op.occupy(busy)
			whole = whole || op.alone()
			continue
		}
		if op.status == "QUEUED" {
			op.status = "RUNNING"
		}
		running++
		op.occupy(busy)
		whole = whole || op.alone()
		op.begin(set, o)
		for _, t := range op.tasks {
			if t.begun && !t.ended && (due == nil || t.until.Before(due.until)) {
				due, of = t, op
			}
		}
	}
	if due == nil || due.until.After(now) {
		return false
	}
	set.finish(o, of, due)
	return true
}

// alone tells whether nothing runs beside an operation: it is about the whole
// StackSet.
func (op *operation) alone() bool {
	return op.action == "UPDATE" && !op.hasOverrides || op.action == "DETECT_DRIFT"
}

func (op *operation) occupy(busy map[string]bool) {
	for _, t := range op.tasks {
		if !t.ended {
			busy[t.account] = true
		}
	}
}

func (op *operation) meets(busy map[string]bool) bool {
	return slices.ContainsFunc(op.tasks, func(t *task) bool { return busy[t.account] })
}

// begin starts as many accounts as may run side by side.
func (op *operation) begin(set *stackSet, o *Organisation) {
	running, at := 0, op.created
	for _, t := range op.tasks {
		if t.begun && !t.ended {
			running++
		}
		if t.ended && t.until.After(at) {
			at = t.until
		}
	}
	for _, t := range op.tasks {
		if t.begun || running >= op.concurrent {
			continue
		}
		t.begun, t.until = true, at.Add(o.options.StackTime)
		running++
		if i := set.instances[t.account]; i != nil && op.action != "DETECT_DRIFT" {
			i.detailed = "RUNNING"
		}
	}
	if len(op.tasks) == 0 {
		set.end(op, op.created)
	}
}

// finish ends one account's part, and the operation when that was the last.
func (set *stackSet) finish(o *Organisation, op *operation, t *task) {
	t.ended, t.status = true, "SUCCEEDED"
	i, a := set.instances[t.account], o.byID[t.account]
	switch {
	case i != nil && op.action == "DETECT_DRIFT" && a.refuses != "": // nothing is known anew
		t.status = "FAILED"
		op.failed++
	case i == nil || op.action == "DETECT_DRIFT":
		if i != nil {
			i.checked = t.until
		}
		if i != nil && i.drift != "DRIFTED" {
			i.drift = "IN_SYNC"
		}
	case op.action == "DELETE":
		delete(set.instances, t.account)
	case a.Status != "ACTIVE":
		t.status, i.status, i.detailed, i.reason = "FAILED", "OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT", "Account is suspended"
	case a.refuses != "":
		t.status, i.status, i.detailed, i.reason = "FAILED", "OUTDATED", "FAILED", fmt.Sprintf(a.refuses, a.ID)
		op.failed++
		if a.once {
			a.refuses = ""
		}
	default:
		i.status, i.detailed, i.reason, i.done, i.text = "CURRENT", "SUCCEEDED", "", t.until, set.text
		if i.stack == "" {
			i.stack = fmt.Sprintf("arn:%s:cloudformation:%s:%s:stack/StackSet-%s-%s/%s", o.options.Partition, i.region, i.account, set.name,
				o.uuid(), o.uuid())
		}
	}
	if i != nil {
		t.words = i.reason
	}
	if op.failed > op.tolerance {
		op.stop(set)
	}
	if !slices.ContainsFunc(op.tasks, func(t *task) bool { return !t.ended }) {
		set.end(op, t.until)
	}
}

// stop cancels what has not begun.
func (op *operation) stop(set *stackSet) {
	for _, t := range op.tasks {
		if !t.begun {
			t.begun, t.ended, t.status, t.words = true, true, "CANCELLED", "Cancelled since failure tolerance has exceeded"
			if i := set.instances[t.account]; i != nil {
				i.detailed, i.reason = "CANCELLED", t.words
			}
		}
	}
}

func (set *stackSet) end(op *operation, at time.Time) {
	op.status, op.ended = "SUCCEEDED", at
	if op.failed > op.tolerance {
		op.status = "FAILED"
	}
	set.open = slices.DeleteFunc(set.open, func(one *operation) bool { return one == op })
}

// deployByItself is automatic deployment to a new account.
func (set *stackSet) deployByItself(o *Organisation, a *Account) {
	if !set.automatic || !slices.ContainsFunc(set.units, func(u string) bool { return o.under(a, u) }) {
		return
	}
	set.instances[a.ID] = &instance{account: a.ID, unit: a.Unit, region: o.region, status: "OUTDATED", detailed: "PENDING",
		drift: "NOT_CHECKED"}
	set.start(o, &operation{id: o.uuid(), action: "CREATE", tasks: []*task{{account: a.ID}}, concurrent: 1}, o.options.Now())
}

// start takes an operation in.
func (set *stackSet) start(o *Organisation, op *operation, now time.Time) {
	op.created, op.status = now, "QUEUED"
	set.operations = append(set.operations, op)
	set.byID[op.id] = op
	set.open = append(set.open, op)
	for _, t := range op.tasks {
		i := set.instances[t.account]
		if i == nil {
			continue
		}
		i.last = op.id
		if op.action != "DETECT_DRIFT" {
			i.detailed, i.reason = "PENDING", ""
			if op.hasOverrides {
				i.overrides = maps.Clone(op.overrides)
			}
		}
	}
	o.advance(now)
}

// effective are the parameters that an instance's stack has.
func (set *stackSet) effective(i *instance) map[string]string {
	all := maps.Clone(set.parameters)
	maps.Copy(all, i.overrides)
	return all
}
