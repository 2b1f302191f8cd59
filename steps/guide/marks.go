package guide

import (
	"fmt"

	"rolecall/steps/describe"
	"rolecall/steps/step"
)

// The labels of what can be copied in these steps. They are part of the format
// of descriptions, which name them as marks: another word here breaks files.
const (
	labelAccountID  = "Account ID"
	labelPrincipal  = "Principal"
	labelPolicyName = "Policy name"
	labelAttach     = "Policy to attach"
	labelRoleName   = "Role name"
	labelTrust      = "Trust policy"
	labelUserName   = "User name"
	labelPolicies   = "Policies" // on the page that o opens they are ticked
)

// mostLabelledIDs is how many trusted accounts can be marks.
const mostLabelledIDs = 9

// accountLabel is the label of the nth trusted account, from 0.
func accountLabel(n int) string {
	if n == 0 {
		return labelAccountID
	}
	return fmt.Sprintf("%s %d", labelAccountID, n+1)
}

// PolicyMarks are the marks of the step Policy.
func PolicyMarks() []string {
	return []string{describe.MarkOpened, step.LabelPolicyDocument, labelPolicyName}
}

// RoleMarks are the marks of the step Role.
func RoleMarks() []string {
	marks := []string{
		describe.MarkOpened,
		step.LabelExternalID,
		step.LabelManagedPolicy,
		labelRoleName,
		labelTrust,
		labelPrincipal,
		labelPolicyName,
		step.LabelPolicyDocument,
	}
	for n := range mostLabelledIDs {
		marks = append(marks, accountLabel(n))
	}
	return marks
}

// RoleFills are the labels of what the page of the step Role comes with.
func RoleFills() []string { return []string{labelAccountID, step.LabelExternalID, labelPolicies} }

// pageOf says whether the screen has a page to open.
func pageOf(ok bool) []string {
	if !ok {
		return nil
	}
	return []string{step.HasPage}
}

// UserMarks are the marks of the step User.
func UserMarks() []string { return []string{describe.MarkOpened, labelUserName, labelAttach} }
