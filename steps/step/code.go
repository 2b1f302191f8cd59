package step

import (
	"fmt"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/access"
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

// InlineCode is PolicyCode for a policy that is the role's own.
func InlineCode(w access.Document) screen.Code {
	code := PolicyCode(w)
	code.About = fmt.Sprintf("%s of %s characters · %s", screen.Thousands(w.Document.Characters()), screen.Thousands(policy.MaxRoleInline), ShortDigest(w.Document.Digest()))
	return code
}

// PolicyCode is a permissions policy to view, copy and save.
func PolicyCode(w access.Document) screen.Code {
	return screen.Code{
		Label: LabelPolicyDocument, Name: w.Name + ".json", Body: w.Document.Pretty(),
		About: fmt.Sprintf("%s of %s characters · %s", screen.Thousands(w.Document.Characters()), screen.Thousands(policy.MaxManaged), ShortDigest(w.Document.Digest())),
	}
}

// ShortDigest shows enough of a digest to compare it by eye.
func ShortDigest(digest string) string {
	const keep = len("sha256:") + 4
	if len(digest) <= keep+2 {
		return digest
	}
	return digest[:keep] + "…" + digest[len(digest)-2:]
}

// DifferenceProblem shows a policy of the suggested name with other content.
func DifferenceProblem(named *aws.PolicySighting) screen.Problem {
	var words []string
	if missing := ChangeList(named.Difference.Removed, nil); missing != "" {
		words = append(words, "it lacks "+missing)
	}
	if extra := ChangeList(named.Difference.Added, nil); extra != "" {
		words = append(words, "it adds "+extra)
	}
	if changed := ChangeList(nil, named.Difference.Changed); changed != "" {
		words = append(words, changed)
	}
	return screen.Problem{
		What:     named.Policy.Name + " exists and differs: " + strings.Join(words, "; ") + ".",
		Expected: "a policy that grants exactly the document above",
		Next:     "Edit it in the console and paste the document, or create one under another name.",
		Kind:     screen.NotAsNeeded,
		Passing:  true,
	}
}

// ChangeList names at most three differences and counts the rest.
func ChangeList(actions []string, changes []policy.Change) string {
	words := append([]string(nil), actions...)
	for _, change := range changes {
		words = append(words, change.Detail)
	}
	const most = 3
	if len(words) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), len(words)-most)
	}
	return strings.Join(words, ", ")
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
