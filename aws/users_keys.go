package aws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// MaxAccessKeys is how many access keys a user can have. IAM does not raise it.
const MaxAccessKeys = 2

// AccessKey is one access key of a user, without its secret: AWS shows that
// only once, when the key is made.
type AccessKey struct {
	ID       string // AKIA…
	User     string
	Active   bool
	Created  time.Time
	LastUsed time.Time // zero: never, or not asked for
	Service  string    // that it was last used with: "ec2"; empty when never
	Region   string
	// UseUnknown says that nobody told when it was last used.
	UseUnknown bool
}

// SecretKey is the secret half of an access key. It prints masked and refuses to be
// marshalled; only string(key) reveals it.
type SecretKey string

const masked = "••••••••"

// String masks the secret.
func (s SecretKey) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString masks the secret for %#v.
func (s SecretKey) GoString() string { return s.String() }

// Format masks the secret for every other verb too: %x would spell it out.
func (s SecretKey) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// MarshalText refuses, so that no encoder can write a secret.
func (s SecretKey) MarshalText() ([]byte, error) {
	return nil, errors.New("marshal secret access key: secrets are never written")
}

// AccessKeys lists a user's access keys, the oldest first, with their last
// use: one request, and one more for each key. Where iam:GetAccessKeyLastUsed
// is denied the last uses stay unknown.
func (a *Account) AccessKeys(ctx context.Context, userName string) ([]AccessKey, error) {
	keys, err := a.keys(ctx, userName)
	if err != nil {
		return nil, err
	}
	for i := range keys {
		err := a.lastUse(ctx, &keys[i])
		if KindOf(err) == Denied || KindOf(err) == NotFound {
			for j := range keys[i:] {
				keys[i+j].UseUnknown = true
			}
			return keys, nil
		}
		if err != nil {
			return keys, err
		}
	}
	return keys, nil
}

// keys lists a user's access keys without their last use: one request, since
// there are two at most.
func (a *Account) keys(ctx context.Context, userName string, opts ...func(*iam.Options)) ([]AccessKey, error) {
	out, err := a.iam().ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &userName}, opts...)
	if err != nil {
		return nil, a.fail(err, "iam:ListAccessKeys", "list the access keys of user %s", cleanText(userName))
	}
	var all []AccessKey
	for _, k := range out.AccessKeyMetadata {
		all = append(all, AccessKey{ID: cleanText(awssdk.ToString(k.AccessKeyId)), User: cleanText(awssdk.ToString(k.UserName)),
			Active: k.Status == types.StatusTypeActive, Created: awssdk.ToTime(k.CreateDate)})
	}
	slices.SortStableFunc(all, func(a, b AccessKey) int { return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID)) })
	return all, nil
}

func (a *Account) lastUse(ctx context.Context, k *AccessKey) error {
	out, err := a.iam().GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &k.ID})
	if err != nil {
		return a.fail(err, "iam:GetAccessKeyLastUsed", "get the last use of access key %s", k.ID)
	}
	used := out.AccessKeyLastUsed
	if used == nil || used.LastUsedDate == nil {
		return nil
	}
	k.LastUsed = *used.LastUsedDate
	k.Service, k.Region = cleanText(awssdk.ToString(used.ServiceName)), cleanText(awssdk.ToString(used.Region))
	return nil
}

// CreateAccessKey makes an access key: one request, sent once. The secret is in
// no other answer of AWS. Kind Limit when the user has two already. After a
// dropped connection a key may exist whose secret nobody has: look with
// AccessKeys before another is made.
func (a *Account) CreateAccessKey(ctx context.Context, userName string) (AccessKey, SecretKey, error) {
	out, err := a.iam().CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &userName}, once)
	if err != nil {
		return AccessKey{}, "", a.fail(err, "iam:CreateAccessKey", "create an access key for user %s", cleanText(userName))
	}
	k := out.AccessKey
	key := AccessKey{ID: cleanText(awssdk.ToString(k.AccessKeyId)), User: cleanText(awssdk.ToString(k.UserName)),
		Active: k.Status == types.StatusTypeActive, Created: awssdk.ToTime(k.CreateDate)}
	return key, SecretKey(awssdk.ToString(k.SecretAccessKey)), nil
}

// DeactivateAccessKey makes a key useless until somebody activates it again: one
// request, and none the worse when it is inactive already.
func (a *Account) DeactivateAccessKey(ctx context.Context, userName, keyID string) error {
	_, err := a.iam().UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: &userName, AccessKeyId: &keyID,
		Status: types.StatusTypeInactive})
	return a.fail(err, "iam:UpdateAccessKey", "deactivate access key %s of user %s", cleanText(keyID), cleanText(userName))
}

// DeleteAccessKey deletes an access key: one request.
func (a *Account) DeleteAccessKey(ctx context.Context, userName, keyID string) error {
	_, err := a.iam().DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &userName, AccessKeyId: &keyID}, once)
	return a.fail(err, "iam:DeleteAccessKey", "delete access key %s of user %s", cleanText(keyID), cleanText(userName))
}

// The forms of a key: the API gives 16 to 128 word characters for the ID
// (botocore iam/2010-05-08, accessKeyIdType); long-lived ones begin with AKIA
// and have 20 characters, secrets have 40 of base64's.
var (
	keyIDGrammar  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^AKIA[A-Z0-9]{16}$`) })
	secretGrammar = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9/+]{40}$`) })
)

// CheckAccessKeyID refuses what is no long-lived access key's ID.
func CheckAccessKeyID(s string) error {
	const expected = "an access key such as AKIAIOSFODNN7EXAMPLE: AKIA and 16 capitals or digits"
	switch {
	case keyIDGrammar().MatchString(s):
		return nil
	case s == "":
		return refuse(Malformed, "The access key is missing.", expected, "Copy it from the page Retrieve access keys.")
	case strings.HasPrefix(s, "ASIA"):
		return refuse(
			Malformed,
			"That is the key of temporary credentials.",
			expected,
			"Copy the access key of the IAM user. Temporary ones end within hours.",
		)
	case secretGrammar().MatchString(s):
		// The value itself must not be repeated: it is a secret.
		return refuse(
			Malformed,
			"That looks like the secret access key.",
			expected,
			"Paste the access key here, and the secret access key in its own field.",
		)
	}
	return refuse(Malformed, "That is not an access key.", expected, "Copy it from the page Retrieve access keys.")
}

// CheckSecretKey refuses what is no secret access key. No error repeats it.
func CheckSecretKey(s SecretKey) error {
	const expected = "40 characters: letters, digits, / and +"
	switch text := string(s); {
	case secretGrammar().MatchString(text):
		return nil
	case text == "":
		return refuse(Malformed, "The secret access key is missing.", expected, "Copy it from the page Retrieve access keys: Show, then copy.")
	case keyIDGrammar().MatchString(text):
		return refuse(Malformed, "That is the access key, not the secret access key.", expected, "Copy the other value of that page.")
	default:
		return refuse(Malformed, fmt.Sprintf("That is not a secret access key: it has %d characters.", len([]rune(text))), expected,
			"Copy it again from the page Retrieve access keys.")
	}
}

// TryKey signs in with an access key at this account's endpoint and tells whose
// it is: one request, GetCallerIdentity, that needs no permission. A key made
// just now is refused for some seconds (Kind NotSignedIn); halves that do not belong
// together are of Kind Malformed. The error never
// holds the secret.
func (a *Account) TryKey(ctx context.Context, keyID string, secret SecretKey) (Identity, error) {
	own := a.sts().Options()
	// A signer remembers the key that it derived for an access key ID, so that a
	// second try with another secret would be signed with the first one.
	own.HTTPSignerV4, own.AuthSchemes = nil, nil
	own.Credentials = awssdk.NewCredentialsCache(credentials.NewStaticCredentialsProvider(keyID, string(secret), ""))
	out, err := sts.New(own).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Identity{}, triedKey(err, keyID)
	}
	id := parseIdentity(cleanText(awssdk.ToString(out.Arn)))
	id.AccountID = cleanText(awssdk.ToString(out.Account))
	id.UserID = cleanText(awssdk.ToString(out.UserId))
	return id, nil
}

// triedKey explains a refusal of a key that was tried: the caller's own
// credentials are not what is wrong.
func triedKey(err error, keyID string) error {
	e := explain(err, "try access key "+cleanText(keyID), "sts:GetCallerIdentity", "")
	var api smithy.APIError
	if e.Kind != NotSignedIn || !errors.As(err, &api) {
		return e
	}
	e.Expected = "an active key, both halves of it"
	switch api.ErrorCode() {
	case "SignatureDoesNotMatch":
		e.Kind = Malformed // no waiting makes it right
		e.What, e.Next = "The secret access key does not belong to this access key.", "Copy both again from one page."
	default:
		e.What, e.Next = "AWS does not know this access key.", "Check that it is active. A key made just now may take some seconds."
	}
	e.AWS = "" // AWS's words quote the signed request for some codes
	return e
}

// CheckOwner refuses a key that works but belongs to somebody else than the
// user and account of this session.
func (id Identity) CheckOwner(user UserRef, accountID string) error {
	switch {
	case accountID != "" && id.AccountID != accountID:
		return refuse(
			WrongAccount,
			"This key belongs to account "+id.AccountID+".",
			"a key of account "+accountID,
			"Make the key in account "+accountID+".",
		)
	case id.Kind == IsRoot:
		return refuse(Malformed, "This is a key of the account's root user.", "a key of the user "+user.Name,
			"Delete it at once: it can do everything in the account. Then make a key for "+user.Name+".")
	case id.Kind != IsUser:
		return refuse(
			Malformed,
			"This key belongs to "+id.ARN+", which is no IAM user.",
			"a key of the user "+user.Name,
			"Make a key for "+user.Name+".",
		)
	case !strings.EqualFold(id.Name, user.Name) || user.ARN != "" && id.ARN != user.ARN:
		return refuse(Malformed, "This key belongs to the user "+id.Name+".", "a key of the user "+user.Name, "Copy the key of "+user.Name+".")
	}
	return nil
}
