package steps

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/describe"
)

// Setup is all that the needed roles take, for the exports: the same documents
// as in every other method. The error names what is not known.
func (s *Session) Setup() (*policy.Setup, error) {
	setup := &policy.Setup{Description: "Access of " + s.Vendor.Title + " to this account, made by rolecall", Partition: s.Partition}
	for _, role := range s.NeededRoles() {
		made, err := s.setupRole(role)
		if err != nil {
			return nil, err
		}
		setup.Roles = append(setup.Roles, made)
	}
	return setup, nil
}

func (s *Session) setupRole(role *describe.Role) (policy.SetupRole, error) {
	part := s.Part(role.Purpose)
	out := policy.SetupRole{ID: templateName(role.Purpose, "Arn"), Name: part.RoleName, Path: s.Path, Description: role.Description,
		AccountIDs: s.TrustedAccounts(role.Purpose), ExternalID: part.ExternalID, ManagedPolicies: s.ManagedPolicies(role.Purpose), Boundary: s.Boundary, SessionDuration: s.SessionFor, Output: role.Purpose}
	for _, tag := range s.tagList() {
		out.Tags = append(out.Tags, policy.SetupTag{Key: tag.Key, Value: tag.Value})
	}
	if len(out.AccountIDs) == 0 {
		return out, &Fault{Problem: Problem{What: "The AWS account of " + s.Vendor.Title + " is not known.",
			Expected: "an account for the trust policy of " + part.RoleName, Next: "Go back to the partition, or give --trusted-account.", Kind: Usage}}
	}
	documents, err := s.WantedDocuments(role.Purpose)
	if err != nil {
		return out, err
	}
	notes := map[string]string{}
	for sid, why := range role.Why {
		notes[sid] = why.For
	}
	for i, d := range documents {
		p := policy.SetupPolicy{ID: templateName(role.Purpose, "RoleArn", "Arn") + "Policy", Name: d.Name, Description: role.Description,
			Document: d.Document, Inline: role.Inline, Notes: notes}
		if i > 0 {
			p.ID = fmt.Sprintf("%s%d", p.ID, i+1)
		}
		out.Policies = append(out.Policies, p)
	}
	return out, nil
}

// templateName makes a resource's name in templates of a role's purpose. It
// stays the same whatever role and policy are called.
func templateName(purpose string, endings ...string) string {
	for _, ending := range endings {
		if cut, ok := strings.CutSuffix(purpose, ending); ok {
			purpose = cut
			break
		}
	}
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, purpose)
}

// stackName is the name that rolecall suggests for the stack.
func (s *Session) stackName() string {
	suggested := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, s.Vendor.Name), "-") + "-access"
	if aws.CheckStackName(suggested) != nil {
		suggested = "vendor-access"
	}
	return cmp.Or(s.Stack.Name, suggested)
}

// stackRegion is where the stack is made, or was.
func (s *Session) stackRegion() string {
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
	template   string
	parameters map[string]string // the external IDs, as the template names them
	resources  []stackPlanned
}

// stackPlanned is one resource of the template.
type stackPlanned struct{ id, what, detail string }

// planStack writes the template. The error says what is missing, or that it is
// too large.
func (s *Session) planStack() (stackPlan, error) {
	setup, err := s.Setup()
	if err != nil {
		return stackPlan{}, err
	}
	template, err := setup.CloudFormation()
	if err == nil {
		err = aws.CheckTemplateSize(template)
	}
	plan := stackPlan{template: template, parameters: map[string]string{}}
	for _, role := range setup.Roles {
		switch {
		case role.ExternalID == "":
		case len(setup.Roles) == 1:
			plan.parameters["ExternalId"] = role.ExternalID
		default:
			plan.parameters[role.ID+"ExternalId"] = role.ExternalID
		}
		for _, p := range role.Policies {
			if !p.Inline {
				plan.resources = append(plan.resources, stackPlanned{p.ID, "policy " + p.Name,
					fmt.Sprintf("%s characters · %s", thousands(p.Document.Characters()), shortDigest(p.Document.Digest()))})
			}
		}
		detail := "trusts " + strings.Join(role.AccountIDs, " and ")
		if role.ExternalID != "" {
			detail += " under the external ID"
		}
		if len(role.ManagedPolicies) > 0 {
			detail += ", has " + s.managedPolicyNames(role.Output)
		}
		plan.resources = append(plan.resources, stackPlanned{role.ID, "role " + role.Name, detail})
	}
	return plan, err
}

// with reports whether a stack was made with the parameters that are wanted.
func (p stackPlan) with(stack aws.Stack) bool {
	for name, value := range p.parameters {
		if stack.Parameters[name] != value {
			return false
		}
	}
	return true
}

func (p stackPlan) code(s *Session) Code {
	return Code{Label: "Template", Name: s.Stack.Name + ".yaml", Body: p.template,
		About: fmt.Sprintf("%s of %s bytes · %s", thousands(len(p.template)), thousands(aws.MaxTemplate), shortDigest(aws.TemplateDigest(p.template)))}
}

// stackCommand is the AWS CLI's command that makes the stack from the saved
// template. Giving the capability is the acknowledgement of who runs it.
func (s *Session) stackCommand() string {
	words := []string{"aws cloudformation create-stack", "--stack-name " + s.Stack.Name, "--template-body " + shellWord("file://"+s.Stack.Name+".yaml"),
		"--capabilities CAPABILITY_NAMED_IAM", "--region " + shellWord(s.stackRegion())}
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
func (s *Session) stackNeeds() []aws.Permission {
	stack := fmt.Sprintf("arn:%s:cloudformation:%s:%s:stack/%s/*", s.Partition, s.stackRegion(), s.AccountID, s.Stack.Name)
	var needs []aws.Permission
	add := func(resource string, actions ...string) {
		for _, action := range actions {
			needs = append(needs, aws.Permission{Action: action, Resource: resource})
		}
	}
	for _, action := range []string{"CreateStack", "CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DeleteChangeSet", "DescribeStacks",
		"DescribeStackEvents", "GetTemplate", "DeleteStack"} {
		add(stack, "cloudformation:"+action)
	}
	for _, role := range s.NeededRoles() {
		part := s.Part(role.Purpose)
		arn := aws.RoleARN(s.Partition, s.AccountID, s.Path, part.RoleName)
		add(arn, "iam:CreateRole", "iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:DeleteRole")
		if len(s.Tags) > 0 {
			add(arn, "iam:TagRole")
		}
		for _, managed := range s.ManagedPolicies(role.Purpose) {
			needs = append(needs, aws.Permission{Action: "iam:AttachRolePolicy", Resource: arn, PolicyARN: managed},
				aws.Permission{Action: "iam:DetachRolePolicy", Resource: arn, PolicyARN: managed})
		}
		if role.Inline {
			add(arn, "iam:PutRolePolicy", "iam:GetRolePolicy", "iam:DeleteRolePolicy")
			continue
		}
		documents, err := s.WantedDocuments(role.Purpose)
		if err != nil {
			continue // said where the template is written
		}
		for _, d := range documents {
			own := aws.PolicyARN(s.Partition, s.AccountID, s.Path, d.Name)
			add(own, "iam:CreatePolicy", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions", "iam:DeletePolicy")
			needs = append(needs, aws.Permission{Action: "iam:AttachRolePolicy", Resource: arn, PolicyARN: own},
				aws.Permission{Action: "iam:DetachRolePolicy", Resource: arn, PolicyARN: own})
		}
	}
	return needs
}

func callerPolicyCode(needs []aws.Permission) Code {
	doc := aws.CallerPolicy(needs)
	return Code{Label: "Smallest policy that this takes", Name: "rolecall-caller-policy.json", Body: doc.Pretty(),
		About: fmt.Sprintf("%s characters · for whoever manages your permissions", thousands(doc.Characters()))}
}

// partPolicies describes the policies of a made role, for the session.
func (s *Session) partPolicies(purpose string, role *aws.Role) []PartPolicy {
	documents, err := s.WantedDocuments(purpose)
	if err != nil {
		return nil
	}
	var all []PartPolicy
	for _, d := range documents {
		p := PartPolicy{Name: d.Name, Digest: d.Document.Digest(), Characters: d.Document.Characters()}
		if role != nil {
			if i := slices.IndexFunc(role.Attached, func(a aws.AttachedPolicy) bool { return strings.EqualFold(a.Name, d.Name) }); i >= 0 {
				p.Name, p.ARN = role.Attached[i].Name, role.Attached[i].ARN
			}
		}
		all = append(all, p)
	}
	return all
}
