package aws

import (
	"context"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// CloudFormation is the SDK's client, for the room that stands on this one.
func (a *Account) CloudFormation() *cloudformation.Client { return a.cfn() }

// Organizations is the SDK's client, for the room that stands on this one.
func (a *Account) Organizations() *organizations.Client { return a.org() }

// Explained is an SDK's error with what was being done: action is the IAM action,
// doing a bare verb phrase.
func (a *Account) Explained(err error, action, doing string) error {
	return a.fail(err, action, "%s", doing)
}

// As signs in as a role of another account: one request. What it gives reads with
// that role's credentials and refuses every other account than the role's.
func (a *Account) As(ctx context.Context, roleARN, session string) (*Account, error) {
	arn, _ := SplitARN(roleARN)
	out, err := a.sts().AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &roleARN, RoleSessionName: &session})
	if err != nil || out.Credentials == nil {
		return nil, a.fail(err, "sts:AssumeRole", "assume role %s", cleanText(roleARN))
	}
	o := a.options
	o.PinAccount = arn.AccountID
	o.session = credentials.NewStaticCredentialsProvider(awssdk.ToString(out.Credentials.AccessKeyId),
		awssdk.ToString(out.Credentials.SecretAccessKey), awssdk.ToString(out.Credentials.SessionToken))
	o.Region = a.Region()
	return Open(ctx, o)
}
