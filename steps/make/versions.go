package making

import (
	"context"
	"strconv"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/screen"
)

// MostVersions is IAM's quota of versions of one managed policy.
const MostVersions = 5

// addVersion adds a version and makes it the default. Where there is no room
// nothing is deleted: who made the versions is not known here.
func addVersion(ctx context.Context, account *aws.Account, name, arn string, d *policy.Document) error {
	versions, err := account.PolicyVersions(ctx, arn)
	if err != nil {
		return err
	}
	if len(versions) >= MostVersions {
		return NoRoom(name, arn, versions)
	}
	_, err = account.CreatePolicyVersion(ctx, arn, d)
	return err
}

// NoRoom refuses a sixth version of a policy.
func NoRoom(name, arn string, versions []aws.PolicyVersion) error {
	return &screen.Fault{Problem: screen.Problem{
		What:     name + " has five versions, as many as IAM keeps, and no receipt proves that rolecall made it.",
		Expected: "room for a new version",
		Next: "Delete a version that is not needed any more, such as the oldest: aws iam delete-policy-version --policy-arn " + arn +
			" --version-id " + OldestVersion(versions) + ". Then run this again.", Kind: screen.NotAsNeeded}}
}

// OldestVersion is the one with the lowest number that is not the default; empty
// when there is none.
func OldestVersion(versions []aws.PolicyVersion) string {
	oldest, lowest := "", 0
	for _, v := range versions {
		n, err := strconv.Atoi(strings.TrimPrefix(v.ID, "v"))
		if err == nil && !v.IsDefault && (oldest == "" || n < lowest) {
			oldest, lowest = v.ID, n
		}
	}
	return oldest
}
