package step

import (
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/steps/record"
)

// Recalled is the session that connected a role or a user.
type Recalled struct {
	Answers record.Answers // the ID is empty where no session did
	Purpose string         // of the role or user, in that session
	Damaged *record.Listed // the newest session that cannot be read, and might be the one
}

// Recall finds the newest session of the real world, in this account, that
// connected the role or the user of that name. Names are unique in an account,
// whatever the path is. An empty vendor stands for any.
func Recall(store *record.Store, accountID, vendor, name string, user bool) (Recalled, error) {
	all, err := store.List()
	if err != nil {
		return Recalled{}, err
	}
	var found Recalled
	for _, one := range slices.Backward(all) {
		if one.Err != nil {
			found.Damaged = &one
			continue
		}
		a := one.Answers
		purpose := partCalled(a, name, user)
		meant := !a.Rehearsal && a.AccountID == accountID && purpose != "" && (vendor == "" || a.Vendor == vendor)
		if meant && !a.Updated.Before(found.Answers.Updated) {
			found.Answers, found.Purpose = a, purpose
		}
	}
	return found, nil
}

// partCalled is the purpose of a session's role or user of that name; empty
// when none is.
func partCalled(a record.Answers, name string, user bool) string {
	for _, purpose := range record.SortedPurposes(a.Parts) {
		of := a.Parts[purpose].RoleARN
		if user {
			of = a.Parts[purpose].UserARN
		}
		if arn, ok := aws.SplitARN(of); ok && strings.EqualFold(arn.Resource[strings.LastIndex(arn.Resource, "/")+1:], name) {
			return purpose
		}
	}
	return ""
}
