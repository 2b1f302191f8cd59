package aws

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rolecall/policy"
)

// Policy is a managed policy with the document of its default version.
type Policy struct {
	ARN, Name, ID, Path string
	Description         string
	VersionID           string // of the default version, "v1"
	Versions            int    // how many exist, 0 when not listed
	Attachments         int
	Boundaries          int              // roles and users that have it as their permissions boundary
	Document            *policy.Document // nil when not fetched, or when it cannot be parsed
	Text                string           // the document as AWS keeps it
	Created, Updated    time.Time
	Tags                []Tag // empty from a list: AWS leaves them out there
}

// Tag is a key and value on a role or policy.
type Tag struct{ Key, Value string }

// NewPolicy is what CreatePolicy sends.
type NewPolicy struct {
	Name        string
	Path        string // empty: "/"
	Description string
	Document    *policy.Document
	Tags        []Tag
}

// PolicyARN is the ARN that a customer managed policy of this name and path
// has; an empty path is "/".
func PolicyARN(partition, accountID, path, name string) string {
	return "arn:" + partition + ":iam::" + accountID + ":policy" + orSlash(path) + name
}

// RoleARN is the ARN that a role of this name and path has.
func RoleARN(partition, accountID, path, name string) string {
	return "arn:" + partition + ":iam::" + accountID + ":role" + orSlash(path) + name
}

func orSlash(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// Policy gets a managed policy and its default version: two requests. Kind
// NotFound when there is none.
func (a *Account) Policy(ctx context.Context, arn string) (Policy, error) {
	return a.policy(ctx, arn)
}

// PolicyByName gets the customer managed policy of that name. A policy cannot
// be asked for by name alone; without a path the name is looked for at "/".
func (a *Account) PolicyByName(ctx context.Context, name, path string) (Policy, error) {
	id, err := a.knownIdentity(ctx)
	if err != nil {
		return Policy{}, err
	}
	return a.policy(ctx, PolicyARN(id.Partition, id.AccountID, path, name))
}

func (a *Account) policy(ctx context.Context, arn string, opts ...func(*iam.Options)) (Policy, error) {
	out, err := a.iam().GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn}, opts...)
	if err != nil {
		return Policy{}, a.fail(err, "iam:GetPolicy", "get policy %s", cleanText(arn))
	}
	p := newPolicy(*out.Policy)
	return a.withDocument(ctx, p, opts...)
}

// withDocument fetches the default version's document: one request.
func (a *Account) withDocument(ctx context.Context, p Policy, opts ...func(*iam.Options)) (Policy, error) {
	out, err := a.iam().GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &p.ARN, VersionId: &p.VersionID}, opts...)
	if err != nil {
		return p, a.fail(err, "iam:GetPolicyVersion", "get the document of policy %s", p.Name)
	}
	p.Text, p.Document = decodeDocument(awssdk.ToString(out.PolicyVersion.Document), policy.Identity)
	return p, nil
}

func newPolicy(p types.Policy) Policy {
	arn := awssdk.ToString(p.Arn)
	_, name := splitPath(arn) // not every server tells the name in every answer
	return Policy{
		ARN: cleanText(arn), Name: cleanText(cmp.Or(awssdk.ToString(p.PolicyName), name)), ID: cleanText(awssdk.ToString(p.PolicyId)),
		Path: cleanText(awssdk.ToString(p.Path)), Description: cleanText(awssdk.ToString(p.Description)),
		VersionID: cleanText(awssdk.ToString(p.DefaultVersionId)), Attachments: int(awssdk.ToInt32(p.AttachmentCount)),
		Boundaries: int(awssdk.ToInt32(p.PermissionsBoundaryUsageCount)),
		Created:    awssdk.ToTime(p.CreateDate), Updated: awssdk.ToTime(p.UpdateDate),
		Tags: fromSDKTags(p.Tags),
	}
}

// ReadDocument reads a policy document as AWS's answers hold it: percent-encoded
// or not. The document is nil when it cannot be parsed; the text, safe to draw,
// stays for people to read.
func ReadDocument(wire string, kind policy.Kind) (text string, d *policy.Document) {
	return decodeDocument(wire, kind)
}

// decodeDocument takes the percent-encoding of the wire away (RFC 3986, where
// "+" is itself) and parses what is left. The document is nil when it cannot
// be parsed; the text stays for people to read.
func decodeDocument(wire string, kind policy.Kind) (string, *policy.Document) {
	text := wire
	if !strings.HasPrefix(strings.TrimSpace(wire), "{") {
		if plain, err := url.PathUnescape(wire); err == nil {
			text = plain
		}
	}
	d, err := policy.Parse([]byte(text), kind)
	if err != nil {
		return cleanDocument(text), nil
	}
	return cleanDocument(text), d
}

// CreatePolicy creates a customer managed policy: one request.
func (a *Account) CreatePolicy(ctx context.Context, n NewPolicy) (Policy, error) {
	in := &iam.CreatePolicyInput{PolicyName: &n.Name, PolicyDocument: awssdk.String(n.Document.Compact()), Tags: sdkTags(n.Tags)}
	if n.Path != "" {
		in.Path = &n.Path
	}
	if n.Description != "" {
		in.Description = &n.Description
	}
	out, err := a.iam().CreatePolicy(ctx, in, once)
	if err != nil {
		return Policy{}, a.fail(err, "iam:CreatePolicy", "create policy %s", cleanText(n.Name))
	}
	p := newPolicy(*out.Policy)
	p.Versions, p.Document, p.Text = 1, n.Document, n.Document.Compact()
	return p, nil
}

// PolicyVersion is one version of a managed policy.
type PolicyVersion struct {
	ID        string
	IsDefault bool
	Created   time.Time
}

// PolicyVersions lists a managed policy's versions, newest first as AWS gives
// them: one request, since there are at most five.
func (a *Account) PolicyVersions(ctx context.Context, arn string) ([]PolicyVersion, error) {
	out, err := a.iam().ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: &arn})
	if err != nil {
		return nil, a.fail(err, "iam:ListPolicyVersions", "list the versions of policy %s", cleanText(arn))
	}
	var all []PolicyVersion
	for _, v := range out.Versions {
		all = append(
			all,
			PolicyVersion{ID: cleanText(awssdk.ToString(v.VersionId)), IsDefault: v.IsDefaultVersion, Created: awssdk.ToTime(v.CreateDate)},
		)
	}
	return all, nil
}

// CreatePolicyVersion adds a version and makes it the default one: one
// request. Kind Limit when the policy has five versions already: delete one
// with DeletePolicyVersion first.
func (a *Account) CreatePolicyVersion(ctx context.Context, arn string, d *policy.Document) (PolicyVersion, error) {
	out, err := a.iam().CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{
		PolicyArn: &arn, PolicyDocument: awssdk.String(d.Compact()), SetAsDefault: true}, once)
	if err != nil {
		return PolicyVersion{}, a.fail(err, "iam:CreatePolicyVersion", "update policy %s", cleanText(arn))
	}
	v := out.PolicyVersion
	return PolicyVersion{ID: cleanText(awssdk.ToString(v.VersionId)), IsDefault: v.IsDefaultVersion, Created: awssdk.ToTime(v.CreateDate)}, nil
}

// PolicyVersionDocument gets the document of one version: one request. Nil where
// it cannot be parsed.
func (a *Account) PolicyVersionDocument(ctx context.Context, arn, versionID string) (*policy.Document, error) {
	p, err := a.withDocument(ctx, Policy{ARN: arn, Name: cleanText(arn), VersionID: versionID})
	return p.Document, err
}

// SetDefaultPolicyVersion makes a version the one that counts: one request, and
// none the worse when it is that already.
func (a *Account) SetDefaultPolicyVersion(ctx context.Context, arn, versionID string) error {
	_, err := a.iam().SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: &arn, VersionId: &versionID})
	return a.fail(err, "iam:SetDefaultPolicyVersion", "restore version %s of policy %s", cleanText(versionID), cleanText(arn))
}

// DeletePolicyVersion deletes a version that is not the default one.
func (a *Account) DeletePolicyVersion(ctx context.Context, arn, versionID string) error {
	_, err := a.iam().DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: &versionID}, once)
	return a.fail(err, "iam:DeletePolicyVersion", "delete version %s of policy %s", cleanText(versionID), cleanText(arn))
}

// DeletePolicy deletes a managed policy with only its default version left:
// one request. Kind Conflict while it is attached or has other versions.
func (a *Account) DeletePolicy(ctx context.Context, arn string) error {
	_, err := a.iam().DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: &arn}, once)
	return a.fail(err, "iam:DeletePolicy", "delete policy %s", cleanText(arn))
}

func sdkTags(tags []Tag) []types.Tag {
	var all []types.Tag
	for _, t := range tags {
		all = append(all, types.Tag{Key: &t.Key, Value: &t.Value})
	}
	return all
}

func fromSDKTags(tags []types.Tag) []Tag {
	var all []Tag
	for _, t := range tags {
		all = append(all, Tag{Key: cleanText(awssdk.ToString(t.Key)), Value: cleanText(awssdk.ToString(t.Value))})
	}
	return all
}
