package aws

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// MaxTemplate is how many bytes a template may have that is sent in a request
// and not put into S3. Source: CloudFormation's API reference, TemplateBody.
const MaxTemplate = 51200

// StackStatus is what CloudFormation calls the state of a stack.
type StackStatus string

// The states of a stack that rolecall speaks of by name.
const (
	StackCreating         StackStatus = "CREATE_IN_PROGRESS"
	StackCreated          StackStatus = "CREATE_COMPLETE"
	StackCreateFailed     StackStatus = "CREATE_FAILED"
	StackRolledBack       StackStatus = "ROLLBACK_COMPLETE"
	StackRollbackFailed   StackStatus = "ROLLBACK_FAILED"
	StackUpdated          StackStatus = "UPDATE_COMPLETE"
	StackUpdateUndone     StackStatus = "UPDATE_ROLLBACK_COMPLETE"
	StackUpdateFailed     StackStatus = "UPDATE_FAILED" // with what it had changed
	StackUpdateUndoFailed StackStatus = "UPDATE_ROLLBACK_FAILED"
	StackImported         StackStatus = "IMPORT_COMPLETE"
	StackImportUndone     StackStatus = "IMPORT_ROLLBACK_COMPLETE"
	StackReview           StackStatus = "REVIEW_IN_PROGRESS" // nothing but a change set
	StackDeleted          StackStatus = "DELETE_COMPLETE"
	StackDeleteFailed     StackStatus = "DELETE_FAILED"
)

// Moving reports whether CloudFormation is at work on the stack.
func (s StackStatus) Moving() bool {
	return strings.HasSuffix(string(s), "_IN_PROGRESS") && s != StackReview
}

// Good reports whether the stack is whole, and its outputs can be relied on.
func (s StackStatus) Good() bool {
	return s == StackCreated || s == StackUpdated || s == StackImported || s == StackUpdateUndone
}

// Blocked reports whether the stack can only be deleted: its first creation
// failed, and until then its name is taken.
func (s StackStatus) Blocked() bool {
	return s == StackRolledBack || s == StackCreateFailed || s == StackRollbackFailed || s == StackDeleteFailed
}

// Stack is a CloudFormation stack. A list leaves Outputs, Parameters and Tags
// out.
type Stack struct {
	ID               string // its ARN, which no other stack ever has again
	Name             string
	Status           StackStatus
	Reason           string // why it has this status, AWS's words
	Outputs          map[string]string
	Parameters       map[string]string
	Tags             []Tag
	Created, Updated time.Time
}

// StackRegion is the region that a stack's ID names, empty when it is none.
func StackRegion(id string) string {
	if arn, ok := SplitARN(id); ok {
		return arn.Region
	}
	return ""
}

// NewStack is what CreateStack and CreateChangeSet send.
type NewStack struct {
	Name       string
	Template   string // YAML or JSON, at most MaxTemplate bytes
	Parameters map[string]string
	Tags       []Tag
	// Acknowledged says that a person accepts that IAM resources are made, with
	// names of the template's choice (CAPABILITY_NAMED_IAM). Without it AWS
	// refuses such a template.
	Acknowledged bool
	// Token makes a repeated request harmless, and marks the stack's events:
	// 1–128 letters, digits and dashes.
	Token string
}

// stackNameGrammar is botocore's, cloudformation 2010-05-15, StackName.
var stackNameGrammar = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`) })

// CheckStackName refuses what CloudFormation would refuse as a stack's name.
func CheckStackName(s string) error {
	const expected = "a letter, then up to 127 letters, digits and dashes"
	switch {
	case stackNameGrammar().MatchString(s):
		return nil
	case s == "":
		return refuse(Malformed, "A stack's name is missing.", expected, "Type a name.")
	case len(s) > 128:
		return refuse(
			Malformed,
			fmt.Sprintf("A stack's name has at most 128 characters; this one has %d.", len([]rune(s))),
			expected,
			"Shorten it.",
		)
	}
	return refuse(
		Malformed,
		fmt.Sprintf("%q is no name for a stack.", cleanText(s)),
		expected,
		"Begin with a letter, and use dashes instead of other signs.",
	)
}

// CheckTemplateSize refuses a template that is too large to be sent.
func CheckTemplateSize(template string) error {
	if len(template) <= MaxTemplate {
		return nil
	}
	return refuse(Limit, fmt.Sprintf("The template has %d bytes.", len(template)), fmt.Sprintf("at most %d bytes", MaxTemplate),
		"Choose fewer products, or put the template into S3 and use the console.")
}

// Template is what ValidateTemplate tells.
type Template struct {
	Description  string
	Parameters   []string // names, sorted
	Capabilities []string // CAPABILITY_NAMED_IAM
}

// ValidateTemplate has CloudFormation read a template: one request.
func (a *Account) ValidateTemplate(ctx context.Context, template string) (Template, error) {
	if err := CheckTemplateSize(template); err != nil {
		return Template{}, err
	}
	out, err := a.cfn().ValidateTemplate(ctx, &cloudformation.ValidateTemplateInput{TemplateBody: &template})
	if err != nil {
		return Template{}, a.stackFail(err, "cloudformation:ValidateTemplate", "validate the template")
	}
	t := Template{Description: cleanText(awssdk.ToString(out.Description))}
	for _, p := range out.Parameters {
		t.Parameters = append(t.Parameters, cleanText(awssdk.ToString(p.ParameterKey)))
	}
	sort.Strings(t.Parameters)
	for _, c := range out.Capabilities {
		t.Capabilities = append(t.Capabilities, cleanText(string(c)))
	}
	return t, nil
}

// CreateStack begins to create a stack and gives its ID: one request. Asked
// again with the same Token, AWS answers the same. Kind Exists when the name is
// taken, Malformed when the template is refused or Acknowledged is missing.
func (a *Account) CreateStack(ctx context.Context, n NewStack) (id string, err error) {
	if err := CheckTemplateSize(n.Template); err != nil {
		return "", err
	}
	out, err := a.cfn().CreateStack(ctx, &cloudformation.CreateStackInput{
		StackName:          &n.Name,
		TemplateBody:       &n.Template,
		Parameters:         stackParameters(n.Parameters),
		Tags:               stackTags(n.Tags),
		Capabilities:       n.capabilities(),
		ClientRequestToken: optional(n.Token),
	})
	if err != nil {
		return "", a.stackFail(err, "cloudformation:CreateStack", "create stack %s", cleanText(n.Name))
	}
	return cleanText(awssdk.ToString(out.StackId)), nil
}

func (n NewStack) capabilities() []types.Capability {
	if !n.Acknowledged {
		return nil
	}
	return []types.Capability{types.CapabilityCapabilityNamedIam}
}

func stackParameters(values map[string]string) []types.Parameter {
	var all []types.Parameter
	for key, value := range values {
		all = append(all, types.Parameter{ParameterKey: &key, ParameterValue: &value})
	}
	sort.Slice(all, func(i, j int) bool { return *all[i].ParameterKey < *all[j].ParameterKey })
	return all
}

func stackTags(tags []Tag) []types.Tag {
	var all []types.Tag
	for _, t := range tags {
		all = append(all, types.Tag{Key: &t.Key, Value: &t.Value})
	}
	return all
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Stack gets a stack by name or ID: one request. Kind NotFound when there is
// none; a deleted one is found by its ID alone.
func (a *Account) Stack(ctx context.Context, nameOrID string) (Stack, error) {
	out, err := a.cfn().DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &nameOrID}, inRegion(nameOrID))
	if err == nil && len(out.Stacks) != 1 {
		return Stack{}, refuse(NotFound, "There is no stack "+nameOrID+".", "one stack", "Check the name and the region.")
	}
	if err != nil {
		return Stack{}, a.stackFail(err, "cloudformation:DescribeStacks", "get stack %s", cleanText(nameOrID))
	}
	return newStack(out.Stacks[0]), nil
}

func newStack(s types.Stack) Stack {
	stack := Stack{ID: cleanText(awssdk.ToString(s.StackId)), Name: cleanText(awssdk.ToString(s.StackName)),
		Status: StackStatus(cleanText(string(s.StackStatus))), Reason: cleanText(awssdk.ToString(s.StackStatusReason)),
		Outputs: map[string]string{}, Parameters: map[string]string{},
		Created: awssdk.ToTime(s.CreationTime), Updated: awssdk.ToTime(s.LastUpdatedTime)}
	for _, o := range s.Outputs {
		stack.Outputs[cleanText(awssdk.ToString(o.OutputKey))] = cleanAll(awssdk.ToString(o.OutputValue))
	}
	for _, p := range s.Parameters {
		stack.Parameters[cleanText(awssdk.ToString(p.ParameterKey))] = cleanAll(awssdk.ToString(p.ParameterValue))
	}
	for _, t := range s.Tags {
		stack.Tags = append(stack.Tags, Tag{Key: cleanText(awssdk.ToString(t.Key)), Value: cleanText(awssdk.ToString(t.Value))})
	}
	return stack
}

// inRegion sends a request about a stack to the region that its ID names: a
// session can be resumed with another region set.
func inRegion(id string) func(*cloudformation.Options) {
	return func(o *cloudformation.Options) {
		if region := StackRegion(id); region != "" && CheckRegion(region) == nil {
			o.Region = region
		}
	}
}

// Stacks lists the stacks of the region that were not deleted, the newest
// first: one request for a hundred stacks.
func (a *Account) Stacks(ctx context.Context) ([]Stack, error) { return a.stacks(ctx) }

func (a *Account) stacks(ctx context.Context, opts ...func(*cloudformation.Options)) ([]Stack, error) {
	var all []Stack
	err := EveryPage("the stacks", func(at *string) (*string, error) {
		out, err := a.cfn().ListStacks(ctx, &cloudformation.ListStacksInput{NextToken: at}, opts...)
		if err != nil {
			return nil, a.stackFail(err, "cloudformation:ListStacks", "list the stacks")
		}
		for _, s := range out.StackSummaries {
			if s.StackStatus == types.StackStatusDeleteComplete || s.ParentId != nil {
				continue
			}
			all = append(all, Stack{ID: cleanText(awssdk.ToString(s.StackId)), Name: cleanText(awssdk.ToString(s.StackName)),
				Status: StackStatus(cleanText(string(s.StackStatus))), Reason: cleanText(awssdk.ToString(s.StackStatusReason)),
				Created: awssdk.ToTime(s.CreationTime), Updated: awssdk.ToTime(s.LastUpdatedTime)})
		}
		return out.NextToken, nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b Stack) int { return b.Created.Compare(a.Created) })
	return all, nil
}

// Template gets the template that a stack was last made from, as it was
// written: one request. Compare it with SameTemplate.
func (a *Account) Template(ctx context.Context, nameOrID string) (string, error) {
	return a.template(ctx, nameOrID)
}

func (a *Account) template(ctx context.Context, nameOrID string, opts ...func(*cloudformation.Options)) (string, error) {
	in := &cloudformation.GetTemplateInput{StackName: &nameOrID, TemplateStage: types.TemplateStageOriginal}
	out, err := a.cfn().GetTemplate(ctx, in, append(opts, inRegion(nameOrID))...)
	if err != nil {
		return "", a.stackFail(err, "cloudformation:GetTemplate", "get the template of stack %s", cleanText(nameOrID))
	}
	return awssdk.ToString(out.TemplateBody), nil
}

// StackResources are what is in a stack now: one request, which tells a hundred.
func (a *Account) StackResources(ctx context.Context, id string) ([]StackResource, error) {
	out, err := a.cfn().DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{StackName: &id}, inRegion(id))
	if err != nil {
		return nil, a.stackFail(err, "cloudformation:DescribeStackResources", "list what is in stack %s", cleanText(id))
	}
	var all []StackResource
	for _, r := range out.StackResources {
		all = append(all, StackResource{LogicalID: cleanText(awssdk.ToString(r.LogicalResourceId)),
			Type:       cleanText(awssdk.ToString(r.ResourceType)),
			PhysicalID: cleanText(awssdk.ToString(r.PhysicalResourceId)), Status: cleanText(string(r.ResourceStatus))})
	}
	return all, nil
}

// SameTemplate compares two templates as texts. Ends of lines, white space
// behind them and empty lines do not count: editors and browsers change those.
func SameTemplate(a, b string) bool { return templateText(a) == templateText(b) }

// TemplateDigest is the SHA-256 of a template, as SameTemplate compares it.
func TemplateDigest(template string) string {
	sum := sha256.Sum256([]byte(templateText(template)))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func templateText(s string) string {
	var lines []string
	for line := range strings.Lines(strings.TrimPrefix(s, "\ufeff")) {
		if line = strings.TrimRight(line, " \t\r\n"); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// DeleteStack begins to delete a stack with everything in it: one request. Give
// the ID, so that no later stack of the same name is meant. A stack that does
// not exist is deleted already.
func (a *Account) DeleteStack(ctx context.Context, id, token string) error {
	_, err := a.cfn().DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &id, ClientRequestToken: optional(token)}, inRegion(id))
	if err != nil {
		return a.stackFail(err, "cloudformation:DeleteStack", "delete stack %s", cleanText(id))
	}
	return nil
}

// stackFail explains an error of CloudFormation, which has but one code for
// much of what can be wrong.
func (a *Account) stackFail(err error, action, format string, args ...any) error {
	failed := a.fail(err, action, format, args...)
	e := Explain(failed)
	code := apiCode(err)
	switch {
	case e.Kind == Malformed && strings.Contains(e.AWS, "does not exist") && strings.Contains(e.AWS, "Stack"), code == "ChangeSetNotFound":
		e.Kind, e.What, e.Next = NotFound, "It does not exist in this account and region.", "Check the name, the account and the region."
	case code == "InsufficientCapabilitiesException":
		e.What, e.Expected = "The template makes IAM resources, and nobody has acknowledged that.", "the acknowledgement (CAPABILITY_NAMED_IAM)"
		e.Next = "Acknowledge it, then try again."
	case code == "AlreadyExistsException", e.Kind == Malformed && strings.Contains(e.AWS, "already exists"):
		e.Kind = Exists
		e.What, e.Next = "A stack of that name exists.", "Choose another name, or look at that stack first."
	case code == "LimitExceededException":
		e.What, e.Next = "The account has as many stacks as AWS allows in this region.", "Delete a stack that is no longer used, or ask AWS "+
			"Support to raise the quota."
	case code == "OperationInProgressException", code == "InvalidChangeSetStatus":
		e.Kind, e.What, e.Next = Conflict, "Something else is at work on this stack.", "Wait until it has ended, then try again."
	case e.Kind == Malformed && strings.Contains(e.AWS, "can not be updated"),
		e.Kind == Malformed && strings.Contains(e.AWS, "cannot be updated"):
		explainBlocked(e)
	case e.Kind == Malformed && strings.Contains(e.AWS, "Template"):
		e.What, e.Next = "CloudFormation cannot read the template.", "Correct what AWS names, or use the template as rolecall writes it."
	}
	return failed
}

// explainBlocked tells what keeps a stack from being changed.
func explainBlocked(e *Error) {
	e.Kind, e.What, e.Next = Conflict, "The stack of that name cannot be changed now.", "Wait until CloudFormation is done with it, or "+
		"choose another name."
	if strings.Contains(e.AWS, string(StackRolledBack)) || strings.Contains(e.AWS, "_FAILED") {
		e.Kind, e.What = Exists, "A stack of that name failed earlier, and its remains take the name."
		e.Next = "Delete that stack first, or choose another name."
	}
}
