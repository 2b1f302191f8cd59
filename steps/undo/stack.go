package undo

import (
	"context"
	"time"

	"rolecall/aws"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// How long a stack may take to go, and how often rolecall looks.
const (
	stackGoneIn   = 15 * time.Minute
	stackLookFor  = 3 * time.Second
	stackDeleting = aws.StackStatus("DELETE_IN_PROGRESS")
)

// judgeStack judges a stack by its ID, which no other stack ever has again, and
// by the template that it was last made from.
func (r *Remover) judgeStack(ctx context.Context, item record.Item) (Removal, error) {
	id := item.ID
	if item.Unproven() || id == "" {
		id = item.Name
	}
	if region := r.Receipt.Region; id == item.Name && (region == "" || region != r.Account.Region()) {
		return stays(item, "rolecall never saw its ID, and cannot tell in which region it would be.", deleteByHand(item)), nil
	}
	stack, err := r.Account.Stack(ctx, id)
	switch {
	case aws.KindOf(err) == aws.NotFound || err == nil && stack.Status == aws.StackDeleted:
		return Removal{Item: item, Verdict: Gone}, nil
	case err != nil:
		return Removal{}, err
	case id == item.Name:
		return r.unproven(item), nil
	case !r.madeThen(stack.Created, item):
		return stays(item, notThen(stack.Created), deleteByHand(item)), nil
	case stack.Status == stackDeleting:
		return Removal{Item: item, Verdict: Remove}, nil // by an earlier run: there is only to wait
	case stack.Status.Moving():
		return stays(item, "CloudFormation is at work on it: "+string(stack.Status)+".", "Try again when it is done."), nil
	}
	template, err := r.Account.Template(ctx, stack.ID)
	if err != nil {
		return Removal{}, err
	}
	if !item.Writes(aws.TemplateDigest(template)) {
		return stays(item, "It was updated since rolecall made it.", deleteByHand(item)), nil
	}
	return Removal{Item: item, Verdict: Remove}, nil
}

// awaitStack waits until the stack is gone. When the person leaves, the
// deletion goes on at AWS; the next run waits for it.
func (r *Remover) awaitStack(ctx context.Context, item record.Item) error {
	for until := r.Now().Add(stackGoneIn); ; {
		stack, err := r.Account.Stack(ctx, item.ID)
		switch {
		case aws.KindOf(err) == aws.NotFound || err == nil && stack.Status == aws.StackDeleted:
			return nil
		case err != nil && !step.Passes(err):
			return err
		case err == nil && stack.Status == aws.StackDeleteFailed:
			return &screen.Fault{Problem: screen.Problem{What: "CloudFormation could not delete the stack " + item.Name + ".", Quoted: stack.Reason,
				Expected: "a stack whose role and policy nobody else changed or uses",
				Next:     "Take away what somebody added to its role, then run rolecall disconnect " + r.Receipt.Session + " again.",
				Kind:     screen.NotAsNeeded}}
		case r.Now().After(until):
			return &screen.Fault{Problem: screen.Problem{What: "The stack " + item.Name + " is still being deleted after " +
				screen.Clock(stackGoneIn) + ".",
				Expected: "a stack that is gone", Next: "Go on later: rolecall disconnect " + r.Receipt.Session + ".", Kind: screen.TimedOut}}
		}
		select {
		case <-r.after(stackLookFor):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
