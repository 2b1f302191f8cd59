package create

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/steps/access"
	making "rolecall/steps/make"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// stackName is the stack's name, else the one that rolecall suggests.
func stackName(s *step.Session) string { return cmp.Or(s.Stack.Name, s.Request().StackName()) }

// stackRegion is where the stack is made, or was.
func stackRegion(s *step.Session) string {
	if region := aws.StackRegion(s.Stack.ID); region != "" {
		return region
	}
	if s.AWS != nil {
		return s.AWS.Region()
	}
	return cmp.Or(s.Region, aws.DefaultRegion(s.Partition))
}

// stackPlan is the template with what it makes, in the order in which
// CloudFormation begins.
type stackPlan struct {
	step.StackPlan
	resources []stackPlanned
}

// stackPlanned is one resource of the template.
type stackPlanned struct{ id, what, detail string }

// planStack writes the template. The error says what is missing, or that it is
// too large.
func planStack(s *step.Session) (stackPlan, error) {
	planned, err := s.PlanStack()
	if planned.Setup == nil {
		return stackPlan{}, err
	}
	plan := stackPlan{StackPlan: planned}
	makes, listed := planned.Setup.ProviderParameters(), map[string]bool{}
	for _, role := range planned.Setup.Roles {
		for _, p := range role.Policies {
			if !p.Inline {
				plan.resources = append(plan.resources, stackPlanned{p.ID, "policy " + p.Name,
					fmt.Sprintf("%s characters · %s", screen.Thousands(p.Document.Characters()), screen.ShortDigest(p.Document.Digest()))})
			}
		}
		detail := "trusts " + strings.Join(role.Principals, " and ")
		if role.Web != nil {
			detail = "trusts " + access.Grant{Web: role.Web}.Trusts()
			if name := makes[role.Web.Issuer]; !listed[name] {
				listed[name] = true
				plan.resources = append([]stackPlanned{{strings.TrimPrefix(name, "Make"), "OIDC provider " + role.Web.Host(),
					"where the account has none; it stays when the stack goes"}}, plan.resources...)
			}
		}
		if role.ExternalID != "" {
			detail += " under the external ID"
		}
		if len(role.ManagedPolicies) > 0 {
			detail += ", has " + access.Grant{Managed: role.ManagedPolicies}.ManagedNames()
		}
		plan.resources = append(plan.resources, stackPlanned{role.ID, "role " + role.Name, detail})
	}
	return plan, err
}

// want is the planner of the stack.
func (p stackPlan) want(s *step.Session, token string) *making.Stack {
	w := p.Want(s, token)
	w.Permissions = stackNeeds(s)
	return w
}

func (p stackPlan) code(s *step.Session) screen.Code {
	return screen.Code{
		Label: "Template",
		Name:  s.Stack.Name + ".yaml",
		Body:  p.Template,
		About: fmt.Sprintf(
			"%s of %s bytes · %s",
			screen.Thousands(len(p.Template)),
			screen.Thousands(aws.MaxTemplate),
			screen.ShortDigest(aws.TemplateDigest(p.Template)),
		),
	}
}

// stackCommand is the AWS CLI's command that makes the stack from the saved
// template. Giving the capability is the acknowledgement of who runs it.
func stackCommand(s *step.Session, makes map[string]string) string {
	words := []string{
		"aws cloudformation create-stack",
		"--stack-name " + s.Stack.Name,
		"--template-body " + shellWord("file://"+s.Stack.Name+".yaml"),
		"--capabilities CAPABILITY_NAMED_IAM",
	}
	for _, name := range slices.Sorted(maps.Keys(makes)) {
		words = append(words, "--parameters ParameterKey="+name+",ParameterValue="+makes[name])
	}
	words = append(words,
		"--region "+shellWord(stackRegion(s)),
	)
	if s.Profile != "" {
		words = append(words, "--profile "+shellWord(s.Profile))
	}
	return strings.Join(words, " \\\n  ") + "\n"
}

// shellWord quotes a value for a POSIX shell where it needs that.
func shellWord(value string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@+=,", r)
	}
	if value != "" && !strings.ContainsFunc(value, func(r rune) bool { return !plain(r) }) {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// stackNeeds are the permissions that making the stack takes: CloudFormation
// acts with those of the caller. The deleting ones are for a rollback.
func stackNeeds(s *step.Session) []aws.Permission {
	stack := fmt.Sprintf("arn:%s:cloudformation:%s:%s:stack/%s/*", s.Partition, stackRegion(s), s.AccountID, s.Stack.Name)
	var needs []aws.Permission
	add := func(resource string, actions ...string) {
		for _, action := range actions {
			needs = append(needs, aws.Permission{Action: action, Resource: resource})
		}
	}
	for _, action := range []string{"CreateStack", "CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DeleteChangeSet",
		"DescribeStacks",
		"DescribeStackEvents", "GetTemplate", "DeleteStack"} {
		add(stack, "cloudformation:"+action)
	}
	for _, role := range s.Request().Needed() {
		g, err := s.Request().Grant(role.Purpose)
		if err != nil {
			continue // said where the template is written
		}
		if g.Web != nil {
			add(g.Web.Provider(), "iam:GetOpenIDConnectProvider", "iam:CreateOpenIDConnectProvider", "iam:DeleteOpenIDConnectProvider")
		}
		add(g.ARN(), "iam:CreateRole", "iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:DeleteRole")
		if len(s.Tags) > 0 {
			add(g.ARN(), "iam:TagRole")
		}
		attached := slices.Clone(g.Managed)
		for _, doc := range g.Documents {
			if role.Inline {
				add(g.ARN(), "iam:PutRolePolicy", "iam:GetRolePolicy", "iam:DeleteRolePolicy")
				continue
			}
			add(doc.ARN, "iam:CreatePolicy", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions", "iam:DeletePolicy")
			attached = append(attached, doc.ARN)
		}
		for _, arn := range attached {
			needs = append(needs, aws.Permission{Action: "iam:AttachRolePolicy", Resource: g.ARN(), PolicyARN: arn},
				aws.Permission{Action: "iam:DetachRolePolicy", Resource: g.ARN(), PolicyARN: arn})
		}
	}
	return needs
}
