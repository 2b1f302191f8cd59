package aws

import (
	"context"
	"slices"
	"sort"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rolecall/policy"
)

// Permission is one thing that the caller has to be allowed to do: an IAM
// action ("iam:CreateRole") on a resource's ARN or "*".
type Permission struct {
	Action, Resource string
	// PolicyARN is the condition iam:PolicyARN: which managed policy an
	// attaching or detaching is about. Empty: none.
	PolicyARN string
}

// CallerPolicy is the smallest policy that gives the permissions: one statement
// for each resource and condition, in the order in which they first come.
func CallerPolicy(needs []Permission) *policy.Document {
	var statements []policy.Statement
	for _, group := range grouped(needs) {
		s := policy.Statement{Effect: policy.Allow, Action: actionsOf(group), Resource: []string{group[0].Resource}}
		if arn := group[0].PolicyARN; arn != "" {
			s.Condition = []policy.Condition{{Operator: "ArnEquals", Key: "iam:PolicyARN", Values: []string{arn}}}
		}
		statements = append(statements, s)
	}
	return policy.NewDocument(statements...)
}

// grouped puts permissions of one resource and condition together.
func grouped(needs []Permission) [][]Permission {
	var groups [][]Permission
	for _, n := range needs {
		i := slices.IndexFunc(groups, func(g []Permission) bool { return g[0].Resource == n.Resource && g[0].PolicyARN == n.PolicyARN })
		if i < 0 {
			groups = append(groups, nil)
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], n)
	}
	return groups
}

func actionsOf(group []Permission) []string {
	var actions []string
	for _, n := range group {
		actions = append(actions, n.Action)
	}
	sort.Strings(actions)
	return slices.Compact(actions)
}

// Missing asks IAM's policy simulator which of the permissions the caller lacks:
// one request for each resource. known is false when nobody can tell: the
// simulator may not be asked, or it does not know this kind of identity. It
// evaluates neither resource policies nor every condition, so that "missing" is
// a strong hint and no proof; a permission whose conditions the simulator had
// no values for is not reported.
func (a *Account) Missing(ctx context.Context, needs []Permission) (missing []Permission, known bool, err error) {
	source, err := a.policySource(ctx)
	if err != nil || source == "" {
		return nil, false, hideUnknown(err)
	}
	for _, group := range grouped(needs) {
		denied, err := a.simulate(ctx, source, group)
		if err != nil {
			return nil, false, hideUnknown(err)
		}
		for _, n := range group {
			if slices.Contains(denied, n.Action) {
				missing = append(missing, n)
			}
		}
	}
	return missing, true, nil
}

// hideUnknown keeps the errors that end everything; that the simulator cannot
// be asked is an answer too.
func hideUnknown(err error) error {
	switch KindOf(err) {
	case NotSignedIn, Expired, NeedsMFA, WrongAccount, WrongPartition, Canceled:
		return err
	}
	return nil
}

// policySource is the ARN whose policies the simulator takes, empty when the
// identity has none that it could: the account's root, a federated user.
func (a *Account) policySource(ctx context.Context) (string, error) {
	id, err := a.knownIdentity(ctx)
	if err != nil {
		return "", err
	}
	switch id.Kind {
	case IsUser:
		return id.ARN, nil
	case IsAssumedRole:
		// The session's ARN has no path; the role's own ARN has.
		r, err := a.roleOnly(ctx, id.Name)
		return r.ARN, err
	}
	return "", nil
}

// simulate returns the actions that are denied on one resource: one request.
func (a *Account) simulate(ctx context.Context, source string, group []Permission) ([]string, error) {
	in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &source, ActionNames: actionsOf(group), ResourceArns: []string{group[0].Resource}}
	if arn := group[0].PolicyARN; arn != "" {
		in.ContextEntries = []types.ContextEntry{{ContextKeyName: awssdk.String("iam:PolicyARN"),
			ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{arn}}}
	}
	var denied []string
	err := EveryPage("what you are allowed to do", func(at *string) (*string, error) {
		in.Marker = at
		// Servers that are not AWS may not have it: no time is lost on retries.
		out, err := a.iam().SimulatePrincipalPolicy(ctx, in, once)
		if err != nil {
			return nil, a.fail(err, "iam:SimulatePrincipalPolicy", "ask what you are allowed to do")
		}
		for _, r := range out.EvaluationResults {
			if r.EvalDecision != types.PolicyEvaluationDecisionTypeAllowed && len(r.MissingContextValues) == 0 {
				denied = append(denied, awssdk.ToString(r.EvalActionName))
			}
		}
		return nextMarker(out.IsTruncated, out.Marker), nil
	})
	return denied, err
}
