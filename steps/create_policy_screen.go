package steps

import (
	"fmt"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
)

// Screen shows the documents, the instructions and what AWS shows.
func (c *createPolicy) Screen(s *Session) Screen {
	screen := c.screen(s)
	if c.wanted == nil {
		screen.Blocks = appendProblem(nil, c.problem)
		return screen
	}
	if c.seen(s.Answers) {
		screen.Blocks = append(c.foundBlocks(s), c.documents(s)...)
		screen.Actions = []Action{{ID: "next", Label: "next", Default: true}}
		return screen
	}
	screen.Blocks = append(c.documents(s), c.names())
	screen.Blocks = append(screen.Blocks, c.instructions(s, c.done))
	if console, ok := aws.ConsoleFor(s.Partition); ok {
		screen.Blocks = append(screen.Blocks, Link{Label: "Create policy", URL: console.CreatePolicy()})
	}
	screen.Blocks = append(screen.Blocks, c.underway(s)...)
	screen.Blocks = appendProblem(screen.Blocks, c.problem)
	screen.Actions = c.actions(s)
	return screen
}

func (c *createPolicy) names() Facts {
	facts := make(Facts, len(c.wanted))
	for i, w := range c.wanted {
		facts[i] = Fact{Label: "Policy name", Value: w.Name, Copy: true}
	}
	facts[0].Note = "any name will do"
	return facts
}

func (c *createPolicy) documents(s *Session) []Block {
	var blocks []Block
	for i, w := range c.wanted {
		code := policyCode(w)
		code.Notes = c.reviews[i].notes
		blocks = append(blocks, code, c.reviews[i].text(s.seeDocument()))
	}
	return blocks
}

// inlineCode is policyCode for a policy that is the role's own.
func inlineCode(w WantedDocument) Code {
	code := policyCode(w)
	code.About = fmt.Sprintf("%s of %s characters · %s", thousands(w.Document.Characters()), thousands(policy.MaxRoleInline), shortDigest(w.Document.Digest()))
	return code
}

// policyCode is a permissions policy to view, copy and save.
func policyCode(w WantedDocument) Code {
	return Code{
		Label: "Policy document", Name: w.Name + ".json", Body: w.Document.Pretty(),
		About: fmt.Sprintf("%s of %s characters · %s", thousands(w.Document.Characters()), thousands(policy.MaxManaged), shortDigest(w.Document.Digest())),
	}
}

// shortDigest shows enough of a digest to compare it by eye.
func shortDigest(digest string) string {
	const keep = len("sha256:") + 4
	if len(digest) <= keep+2 {
		return digest
	}
	return digest[:keep] + "…" + digest[len(digest)-2:]
}

// underway shows the waiting and the nearest thing to a right policy.
func (c *createPolicy) underway(s *Session) []Block {
	if s.AWS == nil {
		return []Block{Text{Tone: Dim, Body: "rolecall cannot look into the account. Go on when the policy exists."}}
	}
	var blocks []Block
	if c.named != nil {
		blocks = append(blocks, differenceProblem(c.named))
	}
	switch {
	case c.making:
		blocks = append(blocks, Tasks{{Name: "Creating the policy in the rehearsal account", State: Running, Since: c.since}})
	default:
		blocks = append(blocks, c.waiting(s, c.awaited()))
	}
	return append(blocks, c.notes()...)
}

func (c *createPolicy) awaited() string {
	if len(c.wanted) == 1 {
		return "a policy that grants this"
	}
	var missing []string
	for i, w := range c.wanted {
		if c.found(i) == nil {
			missing = append(missing, w.Name)
		}
	}
	return "policies that grant this: " + strings.Join(missing, ", ")
}

func (c *createPolicy) foundBlocks(s *Session) []Block {
	var blocks []Block
	for i := range c.wanted {
		found := c.found(i)
		if found == nil {
			continue
		}
		blocks = append(blocks,
			Text{Tone: Good, Body: "Found " + found.Policy.Name + ". It grants what " + s.Vendor.Title + " needs."},
			Facts{{Label: "Policy ARN", Value: found.Policy.ARN, Copy: true}})
		if !found.Exact {
			blocks = append(blocks, Text{Tone: Warning, Body: "It grants more than " + s.Vendor.Title + " asks for: " +
				changeList(found.Difference.Added, found.Difference.Changed) + "."})
		}
	}
	return blocks
}

// differenceProblem shows a policy of the suggested name with other content.
func differenceProblem(named *aws.PolicySighting) Problem {
	var words []string
	if missing := changeList(named.Difference.Removed, nil); missing != "" {
		words = append(words, "it lacks "+missing)
	}
	if extra := changeList(named.Difference.Added, nil); extra != "" {
		words = append(words, "it adds "+extra)
	}
	if changed := changeList(nil, named.Difference.Changed); changed != "" {
		words = append(words, changed)
	}
	return Problem{
		What:     named.Policy.Name + " exists and differs: " + strings.Join(words, "; ") + ".",
		Expected: "a policy that grants exactly the document above",
		Next:     "Edit it in the console and paste the document, or create one under another name.",
		Kind:     NotAsNeeded,
		Passing:  true,
	}
}

// changeList names at most three differences and counts the rest.
func changeList(actions []string, changes []policy.Change) string {
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

func (c *createPolicy) actions(s *Session) []Action {
	switch {
	case s.AWS == nil:
		return []Action{{ID: "made", Label: "the policy exists", Default: true}}
	case s.Rehearsal && !c.making && !c.made && c.named == nil:
		return []Action{{ID: "act", Label: "do it in the rehearsal account", Default: true}}
	}
	return c.lookout.actions(s, "the policy", Action{ID: "skip", Key: "r", Label: "the role has it"})
}
