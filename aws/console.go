package aws

import (
	"net/url"
	"strings"
)

// Console builds links into the AWS console of one partition. A link opens
// whatever account the browser is signed in to, and the console's addresses
// are not a stable interface: show the values beside every link.
type Console struct {
	partition string
	host      string // console.aws.amazon.com
	region    string // where regional pages open
}

// ConsoleFor is the console of a partition, false where none is public. Hosts:
// the partitions' own documentation; measured forms in aws-facts.md, 2.
func ConsoleFor(partition string) (Console, bool) {
	hosts := map[string]string{
		"aws":        "console.aws.amazon.com",
		"aws-cn":     "console.amazonaws.cn",
		"aws-us-gov": "console.amazonaws-us-gov.com",
		"aws-eusc":   "eusc-de-east-1.console.amazonaws-eusc.eu",
	}
	host, ok := hosts[partition]
	return Console{partition: partition, host: host, region: DefaultRegion(partition)}, ok
}

// Host is the console's host name, for people who check where a link leads.
func (c Console) Host() string { return c.host }

// SignIn is the console's front page, which asks who you are.
func (c Console) SignIn() string { return "https://" + c.host + "/" }

// CreatePolicy opens "Create policy". No parameter that selects the JSON tab
// or fills in the document is known.
func (c Console) CreatePolicy() string { return c.iam("policies/create") }

// Policies opens the list of policies.
func (c Console) Policies() string { return c.iam("policies") }

// Roles opens the list of roles.
func (c Console) Roles() string { return c.iam("roles") }

// CreateRole opens "Create role" with the trusted account, the external ID and
// the policies filled in. The policies must exist already.
func (c Console) CreateRole(vendorAccount, externalID string, policyARNs ...string) string {
	q := []string{"step=type", "trustedEntityType=AWS_ACCOUNT", "awsAccount=" + escape(vendorAccount), "isThirdParty=true"}
	if externalID != "" {
		q = append(q, "externalId="+escape(externalID))
	}
	return c.iam("roles/create?" + strings.Join(appendPolicies(q, policyARNs), "&"))
}

// CreateRoleOld is the same page in the console's older address form, for
// where the newer one opens an empty form. It can also fill in the name.
func (c Console) CreateRoleOld(vendorAccount, externalID, roleName string, policyARNs ...string) string {
	q := []string{"step=type", "roleType=crossAccount", "isThirdParty", "accountID=" + escape(vendorAccount)}
	if externalID != "" {
		q = append(q, "externalID="+escape(externalID))
	}
	if roleName != "" {
		q = append(q, "roleName="+escape(roleName))
	}
	return c.iam("roles$new?" + strings.Join(appendPolicies(q, policyARNs), "&"))
}

func appendPolicies(q, arns []string) []string {
	for _, arn := range arns {
		q = append(q, "policies="+escape(arn))
	}
	return q
}

// IdentityProviders opens the list of the account's identity providers.
func (c Console) IdentityProviders() string { return c.iam("identity_providers") }

// Role opens a role's page.
func (c Console) Role(name string) string { return c.iam("roles/details/" + escape(name)) }

// RolePermissions opens a role's page at the attached policies.
func (c Console) RolePermissions(name string) string {
	return c.Role(name) + "?section=permissions"
}

// Trust opens a role's page at its trust policy.
func (c Console) Trust(name string) string { return c.Role(name) + "?section=trust_relationships" }

// Policy opens a policy's page.
func (c Console) Policy(arn string) string { return c.iam("policies/details/" + escape(arn)) }

// CreateUser opens "Create user".
func (c Console) CreateUser() string { return c.iam("users/create") }

// User opens a user's page at the access keys.
func (c Console) User(name string) string {
	return c.iam("users/details/" + escape(name) + "?section=security_credentials")
}

// UserPermissions opens a user's page at the attached policies.
func (c Console) UserPermissions(name string) string {
	return c.iam("users/details/" + escape(name) + "?section=permissions")
}

// CreateAccessKey opens "Create access key" of a user.
func (c Console) CreateAccessKey(userName string) string {
	return c.iam("users/details/" + escape(userName) + "/create-access-key")
}

// UserInlinePolicy opens "Create policy" inside a user.
func (c Console) UserInlinePolicy(userName string) string {
	return c.iam("users/details/" + escape(userName) + "/createPolicy?step=addPermissions")
}

// UploadTemplate opens CloudFormation's "Create stack", where a template file
// can be uploaded. An empty region is the partition's default one.
func (c Console) UploadTemplate(region string) string {
	return c.cloudFormation(region, "stacks/create/template")
}

// Stack opens a stack's events by the stack's id.
func (c Console) Stack(region, stackID string) string {
	return c.cloudFormation(region, "stacks/events?stackId="+escape(stackID))
}

// QuickCreate opens CloudFormation with a template that already lies in S3.
// Parameters are in the caller's order: name, value, name, value.
func (c Console) QuickCreate(region, templateURL, stackName string, nameValues ...string) string {
	q := []string{"templateURL=" + escape(templateURL), "stackName=" + escape(stackName)}
	for i := 0; i+1 < len(nameValues); i += 2 {
		q = append(q, "param_"+escape(nameValues[i])+"="+escape(nameValues[i+1]))
	}
	return c.cloudFormation(region, "stacks/quickcreate?"+strings.Join(q, "&"))
}

func (c Console) cloudFormation(region, fragment string) string {
	if region == "" {
		region = c.region
	}
	return "https://" + c.host + "/cloudformation/home?region=" + escape(region) + "#/" + fragment
}

func (c Console) iam(fragment string) string { return "https://" + c.host + "/iam/home#/" + fragment }

// escape percent-encodes for a fragment: a space is %20 there, never "+".
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
