package organisation

import (
	"context"
	"slices"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rolecall/aws"
)

// NewSet is what CreateStackSet and UpdateStackSet send.
type NewSet struct {
	Name        string
	Description string
	Template    string // at most aws.MaxTemplate bytes
	Parameters  map[string]string
	Tags        []aws.Tag
	// Automatic deploys to accounts that come into a target later.
	Automatic bool
	// Acknowledged says that a person accepts that IAM resources with names are
	// made.
	Acknowledged bool
	// Token makes a repeated creation harmless; of a change it is the operation's
	// ID.
	Token string
}

// Set is a StackSet.
type Set struct {
	ID, Name, Description string
	Template              string
	Parameters            map[string]string
	Automatic, Managed    bool
	ServiceManaged        bool
}

// Create makes a service-managed StackSet without instances, and gives its ID.
// Kind Exists: the name is taken by another than this request's.
func (c *Client) Create(ctx context.Context, n NewSet) (id string, err error) {
	if err := aws.CheckTemplateSize(n.Template); err != nil {
		return "", err
	}
	out, err := c.account.CloudFormation().CreateStackSet(ctx, &cloudformation.CreateStackSetInput{
		StackSetName:       &n.Name,
		Description:        optional(n.Description),
		TemplateBody:       &n.Template,
		Parameters:         parameters(n.Parameters),
		Tags:               tags(n.Tags),
		Capabilities:       n.capabilities(),
		ClientRequestToken: optional(n.Token),
		CallAs:             c.callAs,
		PermissionModel:    types.PermissionModelsServiceManaged,
		AutoDeployment:     &types.AutoDeployment{Enabled: &n.Automatic, RetainStacksOnAccountRemoval: awssdk.Bool(false)},
		ManagedExecution:   &types.ManagedExecution{Active: awssdk.Bool(true)},
	}, plainlyToo)
	if err != nil {
		return "", c.account.Explained(err, "cloudformation:CreateStackSet", "create StackSet "+n.Name)
	}
	return clean(out.StackSetId), nil
}

func (n NewSet) capabilities() []types.Capability {
	if !n.Acknowledged {
		return nil
	}
	return []types.Capability{types.CapabilityCapabilityNamedIam}
}

// Update changes a StackSet with all of its instances.
func (c *Client) Update(ctx context.Context, id string, n NewSet, p Preferences) error {
	if err := aws.CheckTemplateSize(n.Template); err != nil {
		return err
	}
	_, err := c.account.CloudFormation().UpdateStackSet(ctx, &cloudformation.UpdateStackSetInput{
		StackSetName:         &id,
		Description:          optional(n.Description),
		TemplateBody:         &n.Template,
		Parameters:           parameters(n.Parameters),
		Tags:                 tags(n.Tags),
		Capabilities:         n.capabilities(),
		OperationId:          optional(n.Token),
		CallAs:               c.callAs,
		OperationPreferences: p.sdk(),
		PermissionModel:      types.PermissionModelsServiceManaged,
		AutoDeployment:       &types.AutoDeployment{Enabled: &n.Automatic, RetainStacksOnAccountRemoval: awssdk.Bool(false)},
		ManagedExecution:     &types.ManagedExecution{Active: awssdk.Bool(true)},
	}, plainlyToo)
	return c.account.Explained(err, "cloudformation:UpdateStackSet", "update StackSet "+n.Name)
}

// Set reads a StackSet by its name or ID. Kind NotFound: there is none.
func (c *Client) Set(ctx context.Context, nameOrID string) (Set, error) {
	out, err := c.account.CloudFormation().DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: &nameOrID,
		CallAs: c.callAs}, plainlyToo)
	if err != nil || out.StackSet == nil {
		return Set{}, c.account.Explained(err, "cloudformation:DescribeStackSet", "read StackSet "+aws.CleanText(nameOrID))
	}
	s := out.StackSet
	set := Set{ID: clean(s.StackSetId), Name: clean(s.StackSetName), Description: clean(s.Description),
		Template:   awssdk.ToString(s.TemplateBody),
		Parameters: map[string]string{}, ServiceManaged: s.PermissionModel == types.PermissionModelsServiceManaged}
	if s.AutoDeployment != nil {
		set.Automatic = awssdk.ToBool(s.AutoDeployment.Enabled)
	}
	if s.ManagedExecution != nil {
		set.Managed = awssdk.ToBool(s.ManagedExecution.Active)
	}
	for _, p := range s.Parameters {
		set.Parameters[clean(p.ParameterKey)] = clean(p.ParameterValue)
	}
	return set, nil
}

// Delete deletes a StackSet that has no instances.
func (c *Client) Delete(ctx context.Context, id string) error {
	_, err := c.account.CloudFormation().DeleteStackSet(ctx, &cloudformation.DeleteStackSetInput{StackSetName: &id, CallAs: c.callAs},
		plainlyToo)
	return c.account.Explained(err, "cloudformation:DeleteStackSet", "delete the StackSet")
}

// Preferences say how an operation goes about its accounts. A number or a
// percentage (with Percent) of each.
type Preferences struct {
	Tolerance, Concurrent               int
	TolerancePercent, ConcurrentPercent bool
}

// sdk lets the concurrency be what was asked for: by default AWS lowers it to
// one more than the tolerance.
func (p Preferences) sdk() *types.StackSetOperationPreferences {
	n := func(n int) *int32 { v := int32(min(n, 100_000)); return &v } //nolint:gosec // bounded just here
	out := &types.StackSetOperationPreferences{ConcurrencyMode: types.ConcurrencyModeSoftFailureTolerance}
	if p.TolerancePercent {
		out.FailureTolerancePercentage = n(p.Tolerance)
	} else {
		out.FailureToleranceCount = n(p.Tolerance)
	}
	if p.ConcurrentPercent {
		out.MaxConcurrentPercentage = n(max(1, p.Concurrent))
	} else {
		out.MaxConcurrentCount = n(max(1, p.Concurrent))
	}
	return out
}

// Deployment is one operation on the stacks of some accounts.
type Deployment struct {
	Set       string   // ID
	Units     []string // that the accounts are in
	Accounts  []string
	Region    string
	Overrides map[string]string // parameters of these accounts; nil: the StackSet's
	Token     string            // the operation's ID
	Preferences
}

func (d Deployment) targets() *types.DeploymentTargets {
	return &types.DeploymentTargets{OrganizationalUnitIds: d.Units, Accounts: d.Accounts,
		AccountFilterType: types.AccountFilterTypeIntersection}
}

// CreateStacks begins to make the stacks of accounts. Kind Exists: an operation
// of this token was begun before.
func (c *Client) CreateStacks(ctx context.Context, d Deployment) error {
	_, err := c.account.CloudFormation().CreateStackInstances(ctx, &cloudformation.CreateStackInstancesInput{
		StackSetName: &d.Set, Regions: []string{d.Region}, DeploymentTargets: d.targets(), ParameterOverrides: parameters(d.Overrides),
		OperationId: &d.Token, OperationPreferences: d.sdk(), CallAs: c.callAs}, plainlyToo)
	return c.account.Explained(err, "cloudformation:CreateStackInstances", "create the stacks of "+d.words())
}

// UpdateStacks begins to change the stacks of accounts.
func (c *Client) UpdateStacks(ctx context.Context, d Deployment) error {
	_, err := c.account.CloudFormation().UpdateStackInstances(ctx, &cloudformation.UpdateStackInstancesInput{
		StackSetName: &d.Set, Regions: []string{d.Region}, DeploymentTargets: d.targets(), ParameterOverrides: parameters(d.Overrides),
		OperationId: &d.Token, OperationPreferences: d.sdk(), CallAs: c.callAs}, plainlyToo)
	return c.account.Explained(err, "cloudformation:UpdateStackInstances", "update the stacks of "+d.words())
}

// DeleteStacks begins to delete the stacks of accounts with what is in them.
func (c *Client) DeleteStacks(ctx context.Context, d Deployment) error {
	_, err := c.account.CloudFormation().DeleteStackInstances(ctx, &cloudformation.DeleteStackInstancesInput{
		StackSetName: &d.Set, Regions: []string{d.Region}, DeploymentTargets: d.targets(), RetainStacks: awssdk.Bool(false),
		OperationId: &d.Token, OperationPreferences: d.sdk(), CallAs: c.callAs}, plainlyToo)
	return c.account.Explained(err, "cloudformation:DeleteStackInstances", "delete the stacks of "+d.words())
}

func (d Deployment) words() string {
	if len(d.Accounts) == 1 {
		return "account " + d.Accounts[0]
	}
	return "several accounts"
}

// DetectDrift begins to compare all stacks with what is in the accounts.
func (c *Client) DetectDrift(ctx context.Context, set, token string, p Preferences) error {
	_, err := c.account.CloudFormation().DetectStackSetDrift(ctx, &cloudformation.DetectStackSetDriftInput{
		StackSetName: &set, OperationId: &token, OperationPreferences: p.sdk(), CallAs: c.callAs}, plainlyToo)
	return c.account.Explained(err, "cloudformation:DetectStackSetDrift", "detect drift")
}

// Operation is one operation of a StackSet.
type Operation struct{ ID, Action, Status, Reason string }

// Ended tells whether nothing of it is under way.
func (o Operation) Ended() bool {
	return slices.Contains([]string{"SUCCEEDED", "FAILED", "STOPPED"}, o.Status)
}

// Operation reads an operation. Kind NotFound: it was never begun.
func (c *Client) Operation(ctx context.Context, set, id string) (Operation, error) {
	out, err := c.account.CloudFormation().DescribeStackSetOperation(ctx,
		&cloudformation.DescribeStackSetOperationInput{StackSetName: &set, OperationId: &id, CallAs: c.callAs}, plainlyToo)
	if err != nil || out.StackSetOperation == nil {
		return Operation{}, c.account.Explained(err, "cloudformation:DescribeStackSetOperation", "read the operation "+id)
	}
	o := out.StackSetOperation
	return Operation{clean(o.OperationId), string(o.Action), aws.CleanText(string(o.Status)), clean(o.StatusReason)}, nil
}

// Operations lists a page of the operations, the newest first.
func (c *Client) Operations(ctx context.Context, set, token string) (all []Operation, next string, err error) {
	out, err := c.account.CloudFormation().ListStackSetOperations(ctx,
		&cloudformation.ListStackSetOperationsInput{StackSetName: &set, NextToken: optional(token), CallAs: c.callAs}, plainlyToo)
	if err != nil {
		return nil, "", c.account.Explained(err, "cloudformation:ListStackSetOperations", "list the operations of the StackSet")
	}
	for _, o := range out.Summaries {
		all = append(all, Operation{clean(o.OperationId), string(o.Action), aws.CleanText(string(o.Status)), clean(o.StatusReason)})
	}
	return all, awssdk.ToString(out.NextToken), nil
}

// Instance is the stack of one account.
type Instance struct {
	Account, Unit, Region, Stack string
	Status                       string    // CURRENT, OUTDATED, INOPERABLE
	Detailed                     string    // PENDING, RUNNING, SUCCEEDED, FAILED, CANCELLED, INOPERABLE, SKIPPED_SUSPENDED_ACCOUNT
	Reason                       string    // AWS's words
	Drift                        string    // IN_SYNC, DRIFTED, NOT_CHECKED, UNKNOWN
	Checked                      time.Time // when AWS found that out; zero: never
	Operation                    string    // the newest
	Overrides                    map[string]string
}

// Good tells whether the stack is whole and as the StackSet says.
func (i Instance) Good() bool { return i.Status == "CURRENT" && i.Detailed == "SUCCEEDED" }

// Moving tells whether something is under way in it.
func (i Instance) Moving() bool { return i.Detailed == "PENDING" || i.Detailed == "RUNNING" }

// Instances lists a page of the stacks, without their overrides.
func (c *Client) Instances(ctx context.Context, set, token string) (all []Instance, next string, err error) {
	out, err := c.account.CloudFormation().ListStackInstances(ctx,
		&cloudformation.ListStackInstancesInput{StackSetName: &set, NextToken: optional(token), CallAs: c.callAs}, plainlyToo)
	if err != nil {
		return nil, "", c.account.Explained(err, "cloudformation:ListStackInstances", "list the stacks of the StackSet")
	}
	for _, s := range out.Summaries {
		i := Instance{
			Account:   clean(s.Account),
			Unit:      clean(s.OrganizationalUnitId),
			Region:    clean(s.Region),
			Stack:     clean(s.StackId),
			Status:    aws.CleanText(string(s.Status)),
			Reason:    clean(s.StatusReason),
			Drift:     aws.CleanText(string(s.DriftStatus)),
			Operation: clean(s.LastOperationId),
			Checked:   awssdk.ToTime(s.LastDriftCheckTimestamp),
		}
		if s.StackInstanceStatus != nil {
			i.Detailed = aws.CleanText(string(s.StackInstanceStatus.DetailedStatus))
		}
		all = append(all, i)
	}
	return all, awssdk.ToString(out.NextToken), nil
}

// Overrides reads which parameters of one account's stack are its own.
func (c *Client) Overrides(ctx context.Context, set, account, region string) (map[string]string, error) {
	out, err := c.account.CloudFormation().DescribeStackInstance(ctx, &cloudformation.DescribeStackInstanceInput{
		StackSetName: &set, StackInstanceAccount: &account, StackInstanceRegion: &region, CallAs: c.callAs}, plainlyToo)
	if err != nil || out.StackInstance == nil {
		return nil, c.account.Explained(err, "cloudformation:DescribeStackInstance", "read the stack of account "+account)
	}
	all := map[string]string{}
	for _, p := range out.StackInstance.ParameterOverrides {
		all[clean(p.ParameterKey)] = clean(p.ParameterValue)
	}
	return all, nil
}

func parameters(values map[string]string) []types.Parameter {
	var all []types.Parameter
	for key, value := range values {
		all = append(all, types.Parameter{ParameterKey: &key, ParameterValue: &value})
	}
	slices.SortFunc(all, func(a, b types.Parameter) int {
		if *a.ParameterKey < *b.ParameterKey {
			return -1
		}
		return 1
	})
	return all
}

func tags(all []aws.Tag) []types.Tag {
	var out []types.Tag
	for _, t := range all {
		out = append(out, types.Tag{Key: &t.Key, Value: &t.Value})
	}
	return out
}
