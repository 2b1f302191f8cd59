package aws

import (
	"context"
	"fmt"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// IdentityKind says what kind of principal is signed in.
type IdentityKind string

// The kinds of an Identity.
const (
	IsRoot        IdentityKind = "root"
	IsUser        IdentityKind = "user"
	IsAssumedRole IdentityKind = "assumed role"
	IsFederated   IdentityKind = "federated user"
	IsUnknown     IdentityKind = "unknown"
)

// Identity is who is signed in, from sts:GetCallerIdentity.
type Identity struct {
	AccountID string // twelve digits
	ARN       string
	UserID    string // AIDA…, AROA…:session, or the account number for root
	Partition string // from the ARN
	Kind      IdentityKind
	Name      string // user name, or role name of an assumed role
	Session   string // session name of an assumed role
}

// Identity asks who is signed in. It needs no permission. Credentials of
// another account than the pinned one are refused with Kind WrongAccount.
func (a *Account) Identity(ctx context.Context) (Identity, error) {
	out, err := a.sts().GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Identity{}, a.fail(err, "sts:GetCallerIdentity", "get identity")
	}
	id := parseIdentity(cleanText(awssdk.ToString(out.Arn)))
	id.AccountID = cleanText(awssdk.ToString(out.Account))
	id.UserID = cleanText(awssdk.ToString(out.UserId))
	a.compareClocks(out.ResultMetadata)
	return id, a.remember(id)
}

// remember keeps an identity when it is of the right account: the pinned one,
// or after a renewal the one seen first.
func (a *Account) remember(id Identity) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	pin, next := a.options.PinAccount, "Choose a profile of account "+a.options.PinAccount+", or change --aws-account."
	if pin == "" {
		pin, next = a.owner, "Sign in to account "+a.owner+" again, or start anew with the other one."
	}
	if pin != "" && id.AccountID != pin {
		return refuse(WrongAccount, fmt.Sprintf("You are signed in to account %s.", id.AccountID), "account "+pin, next)
	}
	a.owner, a.identity = id.AccountID, &id
	return nil
}

// knownIdentity is the identity seen last, asked for once when none was.
func (a *Account) knownIdentity(ctx context.Context) (Identity, error) {
	a.mu.Lock()
	id := a.identity
	a.mu.Unlock()
	if id != nil {
		return *id, nil
	}
	return a.Identity(ctx)
}

func parseIdentity(arn string) Identity {
	id := Identity{ARN: arn, Kind: IsUnknown}
	parts, ok := SplitARN(arn)
	if !ok {
		return id
	}
	id.Partition, id.AccountID = parts.Partition, parts.AccountID
	kind, rest, _ := strings.Cut(parts.Resource, "/")
	switch kind {
	case "root":
		id.Kind, id.Name = IsRoot, "root"
	case "user":
		id.Kind = IsUser
		_, id.Name = splitPath(rest)
	case "assumed-role":
		id.Kind = IsAssumedRole
		id.Name, id.Session, _ = strings.Cut(rest, "/")
	case "federated-user":
		id.Kind, id.Name = IsFederated, rest
	}
	return id
}

// Alias is the account's alias, empty when it has none.
func (a *Account) Alias(ctx context.Context) (string, error) {
	out, err := a.iam().ListAccountAliases(ctx, &iam.ListAccountAliasesInput{})
	if err != nil {
		return "", a.fail(err, "iam:ListAccountAliases", "get the account's alias")
	}
	if len(out.AccountAliases) == 0 {
		return "", nil
	}
	return cleanText(out.AccountAliases[0]), nil
}

// Organization is what Organizations tells about the organisation that the
// account is in. The zero value means: in none.
type Organization struct {
	ID                  string // o-…
	ManagementAccountID string
	ManagementEmail     string
	FeatureSet          string // ALL or CONSOLIDATED_BILLING
}

// Organization asks which organisation the account is in. In none: the zero
// value and no error. Not allowed to ask: an error of Kind Denied, which a
// caller that only wants to mark the management account can ignore.
func (a *Account) Organization(ctx context.Context) (Organization, error) {
	out, err := a.org().DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if KindOf(err) == NotFound {
		return Organization{}, nil
	}
	if err != nil {
		return Organization{}, a.fail(err, "organizations:DescribeOrganization", "get the organization")
	}
	if out.Organization == nil {
		return Organization{}, nil
	}
	o := out.Organization
	return Organization{
		ID:                  cleanText(awssdk.ToString(o.Id)),
		ManagementAccountID: cleanText(awssdk.ToString(o.MasterAccountId)),
		ManagementEmail:     cleanText(awssdk.ToString(o.MasterAccountEmail)),
		FeatureSet:          cleanText(string(o.FeatureSet)),
	}, nil
}

// OrganizationAccounts lists the account numbers of the organisation. Only its
// management account and delegated administrators may: Kind Denied for others.
func (a *Account) OrganizationAccounts(ctx context.Context) ([]string, error) {
	var all []string
	err := EveryPage("the accounts of the organization", func(at *string) (*string, error) {
		out, err := a.org().ListAccounts(ctx, &organizations.ListAccountsInput{NextToken: at})
		if err != nil {
			return nil, a.fail(err, "organizations:ListAccounts", "list the accounts of the organization")
		}
		for _, account := range out.Accounts {
			all = append(all, cleanText(awssdk.ToString(account.Id)))
		}
		return out.NextToken, nil
	})
	return all, err
}

// Quotas are the account's real limits and what is in use. A zero limit means
// that AWS did not name it.
type Quotas struct {
	PolicySize         int // non-white-space characters of a managed policy
	TrustPolicySize    int // of a role's trust policy
	RoleInlineSize     int // of all inline policies of a role together
	PoliciesPerRole    int
	PoliciesPerUser    int
	VersionsPerPolicy  int
	AccessKeysPerUser  int
	Roles, RolesLimit  int
	Policies           int // customer managed ones
	PoliciesLimit      int
	Users, UsersLimit  int
	RootHasAccessKeys  bool
	RootMFAIsOn        bool
	RootStateWasListed bool // whether the two above were in the answer
}

// Quotas asks for the account's real limits with iam:GetAccountSummary.
func (a *Account) Quotas(ctx context.Context) (Quotas, error) {
	out, err := a.iam().GetAccountSummary(ctx, &iam.GetAccountSummaryInput{})
	if err != nil {
		return Quotas{}, a.fail(err, "iam:GetAccountSummary", "get the account's limits")
	}
	n := func(key string) int { return int(out.SummaryMap[key]) }
	_, listed := out.SummaryMap["AccountMFAEnabled"]
	return Quotas{
		PolicySize: n("PolicySizeQuota"), TrustPolicySize: n("AssumeRolePolicySizeQuota"), RoleInlineSize: n("RolePolicySizeQuota"),
		PoliciesPerRole: n("AttachedPoliciesPerRoleQuota"), PoliciesPerUser: n("AttachedPoliciesPerUserQuota"),
		VersionsPerPolicy: n("VersionsPerPolicyQuota"), AccessKeysPerUser: n("AccessKeysPerUserQuota"),
		Roles: n("Roles"), RolesLimit: n("RolesQuota"), Policies: n("Policies"), PoliciesLimit: n("PoliciesQuota"),
		Users: n("Users"), UsersLimit: n("UsersQuota"),
		RootHasAccessKeys: n("AccountAccessKeysPresent") > 0, RootMFAIsOn: n("AccountMFAEnabled") > 0, RootStateWasListed: listed,
	}, nil
}
