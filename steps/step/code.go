package step

import (
	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/access"
	making "rolecall/steps/make"
	"rolecall/steps/screen"
)

// AccountAlias is the alias of the account signed in to, in brackets behind its
// number; empty where it has none.
func AccountAlias(s *Session) string {
	if s.Seen.Alias == "" {
		return ""
	}
	return " (" + s.Seen.Alias + ")"
}

// The labels of what can be copied in several steps. They are part of the format
// of descriptions, which name them as marks: another word here breaks files.
const (
	LabelPolicyDocument = "Policy document"
	LabelManagedPolicy  = "AWS managed policy"
)

// PolicyCode is a permissions policy to view, copy and save.
func PolicyCode(w access.Document) screen.Code {
	used, limit := screen.Thousands(w.Document.Characters()), screen.Thousands(w.Limit)
	return screen.Code{
		Label: LabelPolicyDocument,
		Name:  w.Name + ".json",
		Body:  w.Document.Pretty(),
		About: used + " of " + limit + " characters · " + ShortDigest(w.Document.Digest()),
	}
}

// ShortDigest is screen.ShortDigest.
func ShortDigest(digest string) string { return screen.ShortDigest(digest) }

// DifferenceProblem shows a policy of the suggested name with other content.
func DifferenceProblem(named *aws.PolicySighting) screen.Problem {
	return making.DifferenceProblem(named.Policy.Name, named.Difference)
}

// DifferenceCode is making.DifferenceCode.
func DifferenceCode(name string, d policy.Difference) screen.Code {
	return making.DifferenceCode(name, d)
}

// ChangeList is making.ChangeList.
func ChangeList(actions []string, changes []policy.Change) string {
	return making.ChangeList(actions, changes)
}

// ManagedFacts names AWS managed policies to copy, as the console's search
// takes them.
func ManagedFacts(arns []string, note string) screen.Facts {
	var facts screen.Facts
	for _, arn := range arns {
		facts = append(facts, screen.Fact{Label: LabelManagedPolicy, Value: access.PolicyNameOf(arn), Note: note, Copy: true})
	}
	return facts
}
