package aws

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// How often a stack is asked about. The SDK's own waiters look every 30 s.
const (
	stackSoon  = 2 * time.Second // after a look that showed something new
	stackLater = 3 * time.Second
	// Every so many looks without anything new the stack itself is asked, in
	// case its events are not told or carry another token.
	stackDoubt = 4
)

const stackType = "AWS::CloudFormation::Stack"

// StackEvent is one thing that happened to a stack or to a resource in it.
type StackEvent struct {
	ID         string
	At         time.Time
	StackID    string
	LogicalID  string // the resource's name in the template; of the stack: its name
	PhysicalID string // role name, policy ARN, stack ID; may be empty
	Type       string // AWS::IAM::Role
	Status     string // CREATE_IN_PROGRESS …
	Reason     string // AWS's words
	Token      string // the request that it belongs to
}

// OfStack reports whether the event is about the stack itself.
func (e StackEvent) OfStack() bool {
	return e.Type == stackType && (e.PhysicalID == e.StackID || e.PhysicalID == "")
}

// Failed reports whether something went wrong.
func (e StackEvent) Failed() bool { return strings.HasSuffix(e.Status, "_FAILED") }

// StackResource is a resource as its newest event shows it.
type StackResource struct {
	LogicalID, PhysicalID, Type string
	Status, Reason              string
	Began, Changed              time.Time
}

// StackWatch follows one run of a stack (a creation, a change, a deletion) by
// its events, until the stack's own event says that it has ended.
type StackWatch struct {
	watch
	id, token string
	seen      map[string]bool
	events    []StackEvent // of the run, oldest first
	status    StackStatus
	quiet     int // looks in a row that showed nothing new
	done      bool
}

// WatchStack makes a watch of the stack with this ID. The token is that of the
// request whose events count; empty means the newest run, whoever began it.
func (a *Account) WatchStack(id, token string) *StackWatch {
	return &StackWatch{watch: watch{account: a}, id: id, token: token, seen: map[string]bool{}}
}

// Fetch looks once. It says when to look again and whether the run has ended.
// Throttling and a lost connection are a later next; an error is for the caller
// to show, and the watch can go on.
func (w *StackWatch) Fetch(ctx context.Context) (next time.Duration, done bool, err error) {
	w.note = ""
	fresh, err := w.look(ctx)
	if err != nil {
		next, err = w.finish(err)
		return next, w.done, err
	}
	w.trouble = 0
	if fresh {
		return stackSoon, w.done, nil
	}
	return stackLater, w.done, nil
}

func (w *StackWatch) look(ctx context.Context) (fresh bool, err error) {
	const events = "cloudformation:DescribeStackEvents"
	if w.may(events) {
		fresh, err = w.lookAtEvents(ctx)
		if err = w.deny(events, err); err != nil {
			return fresh, err
		}
	}
	denied := !w.may(events)
	if denied {
		w.note = limited(events, "rolecall sees how the stack stands, but not its resources")
	}
	if fresh {
		w.quiet = 0
	} else {
		w.quiet++
	}
	if w.done || !denied && w.quiet%stackDoubt != 0 {
		return fresh, nil
	}
	return w.lookAtStack(ctx, denied)
}

// mostEventPages bounds a look: with a hundred events a page, more than a run has.
// A server that always has another page must not keep the watch for ever.
const mostEventPages = 100

// lookAtEvents reads events, the newest first, back to those seen before.
func (w *StackWatch) lookAtEvents(ctx context.Context) (fresh bool, err error) {
	var news []StackEvent
	in := &cloudformation.DescribeStackEventsInput{StackName: &w.id}
	for range mostEventPages {
		out, err := w.account.cfn().DescribeStackEvents(ctx, in, inRegion(w.id), unretried)
		if err != nil {
			return false, w.account.stackFail(err, "cloudformation:DescribeStackEvents", "get the events of stack %s", cleanText(w.id))
		}
		more := true
		for _, raw := range out.StackEvents {
			e := newStackEvent(raw)
			if w.seen[e.ID] {
				more = false
				break
			}
			news = append(news, e)
			if w.token == "" && e.begins() {
				more = false // what is older belongs to an earlier run
				break
			}
		}
		if !more || out.NextToken == nil {
			break
		}
		in.NextToken = out.NextToken
	}
	slices.Reverse(news)
	for _, e := range news {
		w.seen[e.ID] = true
		fresh = w.take(e) || fresh
	}
	return fresh, nil
}

// take adds an event of this run.
func (w *StackWatch) take(e StackEvent) bool {
	if w.token != "" && e.Token != w.token {
		return false
	}
	if w.token == "" && e.begins() {
		w.events, w.done = nil, false
	}
	w.events = append(w.events, e)
	if e.OfStack() {
		w.status = StackStatus(e.Status)
		w.done = !w.status.Moving() && w.status != StackReview
	}
	return true
}

// begins reports whether the event is the first of a run.
func (e StackEvent) begins() bool {
	switch e.Status {
	case "CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS":
		return e.OfStack()
	}
	return false
}

// lookAtStack asks how the stack itself stands. Where events are told, only an
// end that they should have told by now is taken from here.
func (w *StackWatch) lookAtStack(ctx context.Context, alone bool) (fresh bool, err error) {
	stack, err := w.account.Stack(ctx, w.id)
	if err != nil {
		return false, err
	}
	fresh = alone && stack.Status != w.status
	if !stack.Status.Moving() && stack.Status != StackReview {
		w.done = true
	}
	if alone || w.done {
		w.status = stack.Status
	}
	return fresh, nil
}

// unretried leaves repeating to the watch, so that it can say what goes on.
func unretried(o *cloudformation.Options) { o.Retryer = awssdk.NopRetryer{} }

func newStackEvent(e types.StackEvent) StackEvent {
	return StackEvent{ID: awssdk.ToString(e.EventId), At: awssdk.ToTime(e.Timestamp), StackID: cleanText(awssdk.ToString(e.StackId)),
		LogicalID: cleanText(awssdk.ToString(e.LogicalResourceId)), PhysicalID: cleanText(awssdk.ToString(e.PhysicalResourceId)),
		Type: cleanText(awssdk.ToString(e.ResourceType)), Status: cleanText(string(e.ResourceStatus)),
		Reason: cleanText(awssdk.ToString(e.ResourceStatusReason)), Token: awssdk.ToString(e.ClientRequestToken)}
}

// ID is the stack that is watched.
func (w *StackWatch) ID() string { return w.id }

// Status is the stack's, empty before anything was seen.
func (w *StackWatch) Status() StackStatus { return w.status }

// Done reports whether the run has ended.
func (w *StackWatch) Done() bool { return w.done }

// Note says what is limited just now, empty when nothing is.
func (w *StackWatch) Note() string { return w.note }

// Events are those of the run so far, oldest first.
func (w *StackWatch) Events() []StackEvent { return slices.Clone(w.events) }

// Resources are the stack's resources in the order in which AWS began them.
func (w *StackWatch) Resources() []StackResource {
	var all []StackResource
	for _, e := range w.events {
		if e.OfStack() {
			continue
		}
		i := slices.IndexFunc(all, func(r StackResource) bool { return r.LogicalID == e.LogicalID })
		if i < 0 {
			all = append(all, StackResource{LogicalID: e.LogicalID, Type: e.Type, Began: e.At})
			i = len(all) - 1
		}
		r := &all[i]
		r.Status, r.Reason, r.Changed = e.Status, e.Reason, e.At
		r.PhysicalID = cmp.Or(e.PhysicalID, r.PhysicalID)
	}
	return all
}
