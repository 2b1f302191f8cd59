package delegate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/steps/explain"
	"rolecall/steps/plan"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// Decider decides on requests, and writes down what it sends.
type Decider struct {
	*Judge
	Decisions *record.Decisions
}

// Acceptable refuses a request that cannot be accepted: by its state, by what it
// is, or by who is signed in. One that was accepted already is none of these.
func (j *Judge) Acceptable(judged *Judged) error {
	d := judged.Request
	if err := j.open(d); err != nil {
		return err
	}
	if d.Document == nil {
		return refused("The policy of the delegation request is none that AWS takes, so that nobody can know what it grants.",
			"a policy that can be read", "Do not accept it. Ask the requestor for another request.")
	}
	if d.State == aws.DelegationAccepted {
		return nil
	}
	if j.Identity.Kind == aws.IsRoot && d.Duration > aws.LongestByRoot {
		return refused("You are signed in as the root user. "+rootRule(d), "a role or user that may accept it",
			"Sign in as another, or forward the request in the IAM console. Nothing was sent.")
	}
	return nil
}

// open refuses what nobody can decide on any more, or yet.
func (j *Judge) open(d aws.Delegation) error {
	over := !d.Expires.IsZero() && !j.Now().Before(d.Expires)
	switch d.State {
	case aws.DelegationUnassigned:
		return refused("Nobody of this account took the delegation request up yet.", "a request that is assigned to somebody of this account",
			"Open the link that the requestor sent you and sign in there, or: "+
				"aws iam associate-delegation-request --delegation-request-id "+d.ID+". Then decide on it here.")
	case aws.DelegationFinalized:
		return refused(
			"The delegation request was accepted"+by(d.Approver)+", and its access was released.",
			"a request that is not decided on",
			"The access ends by itself "+screen.Hours(d.Duration)+" after it was released. "+Revoking(d.Approver),
		)
	case aws.DelegationRejected:
		return refused("The delegation request was rejected"+reason(d)+".", "a request that is not decided on",
			"Ask the requestor for a new one.")
	case aws.DelegationExpired:
		return refused("The delegation request has expired.", "a request that is not over", "Ask the requestor for a new one.")
	case aws.DelegationAssigned, aws.DelegationPending, aws.DelegationAccepted:
		if over {
			return refused("The delegation request expired on "+d.Expires.UTC().Format(time.DateTime)+" UTC.", "a request that is not over",
				"Ask the requestor for a new one.")
		}
		return nil
	}
	return refused(fmt.Sprintf("The delegation request is in the state %q, which rolecall does not know.", d.State),
		"a request that is not decided on",
		"Look at it in the IAM console, Temporary delegation requests.")
}

// Revoking says how released access ends before its time, by who accepted it.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-revoke-access.html
func Revoking(approver string) string {
	if arn, ok := aws.SplitARN(approver); ok && arn.Resource == "root" {
		return "AWS cannot revoke what the root user accepted."
	}
	return "To end it earlier: IAM console, Temporary delegation requests, the request, Actions, Revoke access."
}

func by(arn string) string {
	if arn == "" {
		return ""
	}
	return " by " + arn
}

func reason(d aws.Delegation) string {
	if d.Rejection == "" {
		return ""
	}
	return ": \"" + d.Rejection + "\""
}

func refused(what, expected, next string) error {
	return &screen.Fault{Problem: screen.Problem{What: what, Expected: expected, Next: next, Kind: screen.NotAsNeeded}}
}

// Same refuses a request that is not the one that was reviewed.
func Same(reviewed, now *plan.Plan) error {
	p := reviewed.Differs(now)
	if p == nil && (reviewed.AccountID != now.AccountID || reviewed.Partition != now.Partition) {
		p = &screen.Problem{What: "The delegation request was reviewed for another account.",
			Wanted: reviewed.Partition + " " + reviewed.AccountID, Found: now.Partition + " " + now.AccountID}
	}
	if p == nil {
		return nil
	}
	p.What = "The delegation request is not what was reviewed. " + p.What
	p.Expected, p.Kind = "the request as it was reviewed", screen.NotAsNeeded
	p.Next = "Review it again: rolecall delegation review " + now.Delegation.ID + ". Nothing was accepted."
	return &screen.Fault{Problem: *p}
}

// Accept accepts exactly what was reviewed. The request is read again just
// before, and after: should it have changed in between, the acceptance is taken
// back, which gives nobody access, since its token was not sent. done tells
// whether this call accepted it and it stands, also beside an error; a request
// that was accepted already is returned as it is.
func (d *Decider) Accept(ctx context.Context, reviewed *plan.Plan) (now *Judged, done bool, err error) {
	id := reviewed.Delegation.ID
	if now, err = d.same(ctx, reviewed); err != nil || now.Request.State == aws.DelegationAccepted {
		return now, false, err
	}
	if err := d.send(ctx, record.ItemDelegationAccepted, now, aws.DelegationAccepted, "accept delegation request "+id,
		func(ctx context.Context) error { return d.Account.AcceptDelegation(ctx, id) }); err != nil {
		return now, false, err
	}
	look, cancel := screen.LookUp(ctx)
	defer cancel()
	after, err := d.Look(look, id)
	if err != nil {
		return now, true, &screen.Fault{Err: err, Problem: screen.Problem{
			What:     "The delegation request is accepted, and could not be read again: " + screen.LowerFirst(screen.CleanLine(err.Error())),
			Expected: "one more look, before access is released", Next: "Look again: rolecall delegation show " + id +
				". The requestor has no access yet."}}
	}
	if err := Same(reviewed, after.Plan); err != nil {
		stands, err := d.takeBack(look, after, err)
		return after, stands, err
	}
	return after, true, nil
}

// same reads the request again, and refuses one that cannot be accepted or is
// not the one that was reviewed.
func (d *Decider) same(ctx context.Context, reviewed *plan.Plan) (*Judged, error) {
	now, err := d.Look(ctx, reviewed.Delegation.ID)
	if err != nil {
		return nil, err
	}
	if err := Same(reviewed, now.Plan); err != nil {
		return now, err
	}
	return now, d.Acceptable(now)
}

// takeBack rejects what was accepted a moment ago and turned out to be another
// request than the one that was reviewed. stands tells that it could not.
func (d *Decider) takeBack(ctx context.Context, now *Judged, why error) (stands bool, err error) {
	var fault *screen.Fault
	if !errors.As(why, &fault) {
		return true, why
	}
	p := fault.Problem
	p.What = "The delegation request changed in the moment in which it was accepted. rolecall took the acceptance back by rejecting the " +
		"request: nobody has access."
	p.Next = "Ask the requestor why it changed, and for a new request."
	if err = d.Reject(ctx, now, "Changed while it was accepted."); err != nil {
		p.What = "The delegation request changed in the moment in which it was accepted, and the acceptance could not be taken back. rolecall " +
			"did not release its access."
		p.Next = "Reject it: rolecall delegation reject " + now.Request.ID + "."
	}
	return err != nil, &screen.Fault{Problem: p, Err: cmp.Or(err, why)}
}

// Releasable refuses to give access by a request that is not accepted, or by
// somebody who may not.
func (j *Judge) Releasable(d aws.Delegation) error {
	if d.OnlySendByOwner && d.Owner != "" && !samePrincipal(d.Owner, j.Identity.ARN) {
		return refused("Only "+d.Owner+" can release the access: the requestor wants it so.", "to be signed in as who took the request up",
			"Have them release it: rolecall delegation accept "+d.ID+" --send-token. The request stays accepted.")
	}
	return nil
}

// samePrincipal compares the ARN of a request's owner with who is signed in. AWS
// does not document whether a session of a role is written as the session or as
// the role: either will do.
func samePrincipal(owner, caller string) bool {
	if strings.Contains(owner, ":assumed-role/") && strings.Contains(caller, ":assumed-role/") {
		return owner == caller // two people may have one role
	}
	return principalOf(owner) == principalOf(caller)
}

func principalOf(s string) string {
	arn, ok := aws.SplitARN(s)
	if !ok {
		return s
	}
	return arn.AccountID + ":" + roleOf(arn.Resource)
}

// Release gives the requestor its access. The request is read again just before.
func (d *Decider) Release(ctx context.Context, reviewed *plan.Plan) (*Judged, error) {
	id := reviewed.Delegation.ID
	now, err := d.same(ctx, reviewed)
	if err != nil {
		return now, err
	}
	if now.Request.State != aws.DelegationAccepted {
		return now, refused("The delegation request is not accepted, so that there is no access to release.", "an accepted request",
			"Accept it: rolecall delegation accept "+id+".")
	}
	if err := d.Releasable(now.Request); err != nil {
		return now, err
	}
	err = d.send(ctx, record.ItemDelegationReleased, now, aws.DelegationFinalized, "send the token of delegation request "+id,
		func(ctx context.Context) error { return d.Account.SendDelegationToken(ctx, id) })
	if err == nil {
		now.Request.State = aws.DelegationFinalized
	}
	return now, err
}

// Rejectable refuses a request that cannot be rejected any more, or yet.
func (j *Judge) Rejectable(d aws.Delegation) error {
	if d.State == aws.DelegationRejected {
		return nil
	}
	return j.open(d)
}

// Reject rejects a request, also an accepted one whose token was not sent.
func (d *Decider) Reject(ctx context.Context, now *Judged, notes string) error {
	id := now.Request.ID
	err := d.send(ctx, record.ItemDelegationRejected, now, aws.DelegationRejected, "reject delegation request "+id,
		func(ctx context.Context) error { return d.Account.RejectDelegation(ctx, id, notes) })
	if err == nil {
		now.Request.State, now.Request.Rejection = aws.DelegationRejected, notes
	}
	return err
}

// send sends one decision, with the receipt and the journal before and after it.
// An answer that got lost is settled by reading the request again: its state
// tells whether it arrived.
func (d *Decider) send(ctx context.Context, kind record.ItemKind, now *Judged, leadsTo aws.DelegationState, call string,
	request func(context.Context) error) error {
	r := now.Request
	item := record.Item{Kind: kind, Name: r.ID, By: d.Identity.ARN,
		ARN: "arn:" + d.Identity.Partition + ":iam::" + d.Identity.AccountID + ":delegation-request/" + r.ID}
	if now.Plan != nil {
		item.Digest = now.Plan.Digest()
	}
	if err := d.Decisions.Put(item, record.ItemSent); err != nil {
		return err
	}
	ctx, cancel := screen.Writing(ctx)
	defer cancel()
	err := d.Decisions.Do(ctx, call, request)
	switch {
	case err == nil:
		// What was decided counts more than its record, which says "sent" otherwise.
		_ = d.Decisions.Put(item, record.ItemUpdated)
		return nil
	case explain.Refused(err):
		return cmp.Or(d.Decisions.Put(item, record.ItemNotMade), d.faster(ctx, r, err))
	}
	return d.reconcile(ctx, item, leadsTo, err)
}

// faster says so where AWS refused since somebody else decided meanwhile.
func (d *Decider) faster(ctx context.Context, before aws.Delegation, refusal error) error {
	if kind := aws.KindOf(refusal); kind != aws.Malformed && kind != aws.Conflict {
		return refusal
	}
	now, err := d.Account.Delegation(ctx, before.ID)
	if err != nil || now.State == before.State {
		return refusal
	}
	return &screen.Fault{Err: refusal, Problem: screen.Problem{
		What:     "Somebody else decided on the delegation request in the same moment: it is " + string(now.State) + byIf(now) + ".",
		Expected: "a request that is not decided on", Next: "Look at it: rolecall delegation show " + before.ID + ".", Kind: screen.NotAsNeeded}}
}

func byIf(d aws.Delegation) string {
	if d.State == aws.DelegationRejected {
		return reason(d)
	}
	return by(d.Approver)
}

// reconcile finds out what became of a decision whose answer got lost.
func (d *Decider) reconcile(ctx context.Context, item record.Item, leadsTo aws.DelegationState, lost error) error {
	look, cancel := screen.LookUp(ctx)
	defer cancel()
	now, err := d.Account.Delegation(look, item.Name)
	switch {
	case err != nil:
		return cmp.Or(d.Decisions.Put(item, record.ItemUnknown), unsettled(item.Name, lost))
	case now.State == leadsTo && (leadsTo != aws.DelegationAccepted || samePrincipal(now.Approver, d.Identity.ARN)):
		return d.Decisions.Put(item, record.ItemUpdated)
	case now.State == leadsTo:
		return cmp.Or(d.Decisions.Put(item, record.ItemNotMade), refused("The answer got lost, and the request is accepted "+
			"now"+by(now.Approver)+", not by you.",
			"the request accepted by you", "Look at it: rolecall delegation show "+item.Name+"."))
	}
	return cmp.Or(d.Decisions.Put(item, record.ItemUnknown), unsettled(item.Name, lost))
}

func unsettled(id string, lost error) error {
	e := aws.Explain(lost)
	return &screen.Fault{Err: lost, Problem: screen.Problem{
		What:     "The answer got lost, so that nobody knows yet whether AWS did it. " + e.What,
		Expected: "an answer of AWS", Next: "Look at the request: rolecall delegation show " + id + ". Then run the same again: it looks first.",
		Kind: screen.Failure}}
}

// roleOf is a principal's resource without the session: "role/Admin" of
// "assumed-role/Admin/alice". A role's path, which a session's ARN lacks, goes.
func roleOf(resource string) string {
	kind, rest, _ := strings.Cut(resource, "/")
	switch kind {
	case "assumed-role":
		name, _, _ := strings.Cut(rest, "/")
		return "role/" + name
	case "role":
		return "role/" + rest[strings.LastIndex(rest, "/")+1:]
	}
	return resource
}
