package step

import (
	"strconv"
	"strings"

	"rolecall/aws"
	"rolecall/steps/screen"
)

// MostVersions is IAM's quota of versions of one managed policy.
const MostVersions = 5

// NoRoom refuses a sixth version of a policy.
func NoRoom(name, arn string, versions []aws.PolicyVersion) error {
	oldest := OldestVersion(versions)
	return &screen.Fault{Problem: screen.Problem{
		What:     name + " has five versions, as many as IAM keeps, and no receipt proves that rolecall made it.",
		Expected: "room for a new version",
		Next: "Delete a version that is not needed any more, such as the oldest: aws iam delete-policy-version --policy-arn " + arn +
			" --version-id " + oldest + ". Then run this again.", Kind: screen.NotAsNeeded}}
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
