package aws

import (
	"context"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// NewChangeSet is what CreateChangeSet sends: the stack as it is to be.
type NewChangeSet struct {
	NewStack
	ChangeSet string // its name: a letter, then letters, digits and dashes
	Update    bool   // the stack exists and is to be changed
	// Import are the resources that exist already and that a new stack takes over,
	// which the template names all. None: it makes what it names.
	Import []ImportedResource
}

// ImportedResource is a role or policy that exists, and its name in the template
// (CloudFormation API reference, ResourceToImport).
type ImportedResource struct {
	LogicalID string
	Type      string // AWS::IAM::Role or AWS::IAM::ManagedPolicy
	// By and Value find it: RoleName and the role's name, or PolicyArn and its ARN.
	By, Value string
}

func (n NewChangeSet) kind() types.ChangeSetType {
	switch {
	case len(n.Import) > 0:
		return types.ChangeSetTypeImport
	case n.Update:
		return types.ChangeSetTypeUpdate
	}
	return types.ChangeSetTypeCreate
}

func (n NewChangeSet) imports() []types.ResourceToImport {
	var all []types.ResourceToImport
	for _, r := range n.Import {
		all = append(all, types.ResourceToImport{LogicalResourceId: &r.LogicalID, ResourceType: &r.Type,
			ResourceIdentifier: map[string]string{r.By: r.Value}})
	}
	return all
}

// ChangeSet is what CloudFormation would do to a stack.
type ChangeSet struct {
	ID, Name           string
	StackID, StackName string
	Status             string // CREATE_COMPLETE, FAILED …
	Execution          string // AVAILABLE, UNAVAILABLE …
	Reason             string // AWS's words, when it failed
	Changes            []StackChange
}

// StackChange is one thing that a change set would do.
type StackChange struct {
	Action      string // Add, Modify, Remove …
	LogicalID   string // its name in the template
	PhysicalID  string // empty for what does not exist yet
	Type        string // AWS::IAM::Role
	Replacement string // True, False, Conditional; empty for what is new
}

// Replaces reports whether what exists is deleted for certain, and another one
// made in its place.
func (c StackChange) Replaces() bool { return c.Replacement == string(types.ReplacementTrue) }

// Removes reports whether what exists is deleted, or may be: "Conditional" says
// that CloudFormation finds out while it is at work.
func (c StackChange) Removes() bool {
	return c.Action == string(types.ChangeActionRemove) || c.Replaces() || c.Replacement == string(types.ReplacementConditional)
}

// Ready reports whether the change set can be executed.
func (c ChangeSet) Ready() bool {
	return c.Status == string(types.ChangeSetStatusCreateComplete) && c.Execution == string(types.ExecutionStatusAvailable)
}

// Failed reports whether it never can be.
func (c ChangeSet) Failed() bool { return c.Status == string(types.ChangeSetStatusFailed) }

// Empty reports whether it failed because the stack is already as asked for.
// AWS has two sentences for that.
func (c ChangeSet) Empty() bool {
	return c.Failed() && (strings.Contains(c.Reason, "didn't contain changes") || strings.Contains(c.Reason, "No updates are to be performed"))
}

// CreateChangeSet has CloudFormation work out what it would do, and does
// nothing yet: one request. A stack that is new appears as REVIEW_IN_PROGRESS
// with nothing in it. The answer has ID and StackID alone; ask with ChangeSet
// until it is Ready.
func (a *Account) CreateChangeSet(ctx context.Context, n NewChangeSet) (ChangeSet, error) {
	if err := CheckTemplateSize(n.Template); err != nil {
		return ChangeSet{}, err
	}
	out, err := a.cfn().CreateChangeSet(
		ctx,
		&cloudformation.CreateChangeSetInput{StackName: &n.Name, ChangeSetName: &n.ChangeSet, ChangeSetType: n.kind(),
			ResourcesToImport: n.imports(),
			TemplateBody:      &n.Template, Parameters: stackParameters(n.Parameters), Tags: stackTags(n.Tags), Capabilities: n.capabilities(),
			ClientToken: optional(n.Token)},
		inRegion(n.Name),
	)
	if err != nil {
		return ChangeSet{}, a.stackFail(
			err,
			"cloudformation:CreateChangeSet",
			"create change set %s of stack %s",
			cleanText(n.ChangeSet),
			cleanText(n.Name),
		)
	}
	return ChangeSet{
		ID:        cleanText(awssdk.ToString(out.Id)),
		Name:      n.ChangeSet,
		StackID:   cleanText(awssdk.ToString(out.StackId)),
		StackName: n.Name,
	}, nil
}

// ChangeSet gets a change set by its ID: one request for a hundred changes.
// Kind NotFound when there is none.
func (a *Account) ChangeSet(ctx context.Context, id string) (ChangeSet, error) {
	return a.changeSet(ctx, &cloudformation.DescribeChangeSetInput{ChangeSetName: &id}, id)
}

// ChangeSetOf gets the change set of that name of the stack with this ID.
func (a *Account) ChangeSetOf(ctx context.Context, stackID, name string) (ChangeSet, error) {
	return a.changeSet(ctx, &cloudformation.DescribeChangeSetInput{ChangeSetName: &name, StackName: &stackID}, stackID)
}

func (a *Account) changeSet(ctx context.Context, in *cloudformation.DescribeChangeSetInput, of string) (ChangeSet, error) {
	var c ChangeSet
	err := EveryPage("the changes of a change set", func(at *string) (*string, error) {
		in.NextToken = at
		out, err := a.cfn().DescribeChangeSet(ctx, in, inRegion(of))
		if err != nil {
			return nil, a.stackFail(err, "cloudformation:DescribeChangeSet", "get change set %s", cleanText(awssdk.ToString(in.ChangeSetName)))
		}
		c.ID, c.Name = cleanText(awssdk.ToString(out.ChangeSetId)), cleanText(awssdk.ToString(out.ChangeSetName))
		c.StackID, c.StackName = cleanText(awssdk.ToString(out.StackId)), cleanText(awssdk.ToString(out.StackName))
		c.Status, c.Execution = cleanText(string(out.Status)), cleanText(string(out.ExecutionStatus))
		c.Reason = cleanText(awssdk.ToString(out.StatusReason))
		c.Changes = append(c.Changes, stackChanges(out.Changes)...)
		return out.NextToken, nil
	})
	if err != nil {
		return ChangeSet{}, err
	}
	return c, nil
}

func stackChanges(changes []types.Change) []StackChange {
	var all []StackChange
	for _, change := range changes {
		if r := change.ResourceChange; r != nil {
			all = append(all, StackChange{Action: cleanText(string(r.Action)), LogicalID: cleanText(awssdk.ToString(r.LogicalResourceId)),
				PhysicalID: cleanText(awssdk.ToString(r.PhysicalResourceId)), Type: cleanText(awssdk.ToString(r.ResourceType)),
				Replacement: cleanText(string(r.Replacement))})
		}
	}
	return all
}

// ExecuteChangeSet begins to do what a change set says: one request. The token
// marks the stack's events, and makes a repeated request harmless. Kind
// Conflict when the change set is not ready or was executed before.
func (a *Account) ExecuteChangeSet(ctx context.Context, id, token string) error {
	_, err := a.cfn().ExecuteChangeSet(
		ctx,
		&cloudformation.ExecuteChangeSetInput{ChangeSetName: &id, ClientRequestToken: optional(token)},
		inRegion(id),
	)
	if err != nil {
		return a.stackFail(err, "cloudformation:ExecuteChangeSet", "execute change set %s", cleanText(id))
	}
	return nil
}

// DeleteChangeSet deletes a change set that was not executed: one request. A
// new stack's name stays taken by what is in review until DeleteStack.
func (a *Account) DeleteChangeSet(ctx context.Context, id string) error {
	_, err := a.cfn().DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{ChangeSetName: &id}, inRegion(id))
	if err != nil {
		return a.stackFail(err, "cloudformation:DeleteChangeSet", "delete change set %s", cleanText(id))
	}
	return nil
}
