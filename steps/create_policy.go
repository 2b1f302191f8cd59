package steps

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/policy"
)

// createPolicy is the step in which the person makes the policy in the console
// while rolecall looks for one that grants the same, whatever it was called.
type createPolicy struct {
	described
	wanted  *policy.Document
	watch   *aws.PolicyWatch
	matches []aws.PolicySighting
	named   *aws.PolicySighting // the suggested name, other content
	note    string
	since   time.Time
	until   time.Time
	next    time.Time // when rolecall looks again
	done    int       // instructions that are behind
	making  bool      // the rehearsal's stand-in for the browser is at work
	problem *Problem
}

// lookFor is how long a look for a policy or role lasts before it has to be
// extended.
const lookFor = 30 * time.Minute

type (
	policyLooked struct {
		next    time.Duration
		matches []aws.PolicySighting
		named   *aws.PolicySighting
		note    string
		err     error
	}
	policyMade struct {
		arn string
		err error
	}
)

func (c *createPolicy) basis(a Answers) []string {
	part := a.Part(c.d.Role)
	return []string{a.Vendor, a.Partition, a.AccountID, strings.Join(a.Bundles, ","), fmt.Sprint(a.Parameters), part.PolicyDigest, fmt.Sprint(a.GuideOnly)}
}

// Status is Done once this run has seen the policy, or without credentials,
// once the person said that it exists.
func (c *createPolicy) Status(a Answers) Status {
	if !a.partNeeded(c.d.Role) {
		return NotNeeded
	}
	seen := a.GuideOnly || a.Seen.Parts[c.d.Role].Policy != nil
	if seen && a.settled(c.ID(), c.basis(a)...) {
		return Done
	}
	return Todo
}

// Enter composes the document and begins to look.
func (c *createPolicy) Enter(s *Session) []Effect {
	c.matches, c.named, c.note, c.problem, c.done, c.making = nil, nil, "", nil, 0, false
	wanted, err := s.WantedPolicy(c.d.Role)
	if err != nil {
		c.problem = problemOf(err)
		return nil
	}
	c.wanted = wanted
	digest := wanted.Digest()
	if s.Part(c.d.Role).PolicyDigest != digest {
		s.setPart(c.d.Role, func(p *Part) { p.PolicyDigest = digest })
	}
	if s.AWS == nil {
		return nil
	}
	c.since, c.until = s.Now(), s.Now().Add(s.patience(lookFor))
	c.watch = s.AWS.WatchPolicy(aws.WantPolicy{Document: wanted, SuggestedName: s.Part(c.d.Role).PolicyName})
	return []Effect{c.look(0)}
}

// patience is how long to wait: what was asked for, else the step's own.
func (s *Session) patience(own time.Duration) time.Duration {
	if s.Wait > 0 {
		return s.Wait
	}
	return own
}

func (c *createPolicy) look(after time.Duration) Effect {
	watch := c.watch
	return Call{Name: "look for the policy", After: after, Do: func(ctx context.Context) Msg {
		next, _, err := watch.Fetch(ctx)
		return policyLooked{next, watch.Matches(), watch.Named(), watch.Note(), err}
	}}
}

// Update follows the person's hands and what AWS shows.
func (c *createPolicy) Update(s *Session, msg Msg) (Move, []Effect) {
	switch msg := msg.(type) {
	case policyLooked:
		return c.looked(s, msg)
	case policyMade:
		c.making = false
		c.problem = problemOf(msg.err)
		return Stay, []Effect{c.look(0)}
	case Chose:
		return c.chose(s, msg.ID)
	case Opened, Saved, Copied:
		c.done = max(c.done, doneAfter(msg))
	case Broke:
		c.making, c.problem = false, brokenProblem(msg)
		return Stay, c.lookAgain(s)
	}
	return Stay, nil
}

func (c *createPolicy) lookAgain(s *Session) []Effect {
	if s.AWS == nil {
		return nil
	}
	return []Effect{c.look(longPause)}
}

const longPause = 10 * time.Second

func (c *createPolicy) looked(s *Session, msg policyLooked) (Move, []Effect) {
	c.note, c.problem = msg.note, problemOf(msg.err).passing()
	if msg.err == nil {
		c.matches, c.named = msg.matches, msg.named
	}
	c.next = s.Now().Add(msg.next)
	if found := c.found(s); found != nil {
		c.take(s, found)
		if s.Resuming {
			return Next, nil
		}
	} else if s.Seen.Parts[c.d.Role].Policy != nil {
		s.setSeen(c.d.Role, func(p *SeenPart) { p.Policy = nil })
	}
	if !s.Now().Before(c.until) {
		return Stay, nil
	}
	return Stay, []Effect{c.look(msg.next)}
}

// found is the policy to take: one that grants exactly the wanted, or one of
// the suggested name that grants more, which is said.
func (c *createPolicy) found(s *Session) *aws.PolicySighting {
	name := s.Part(c.d.Role).PolicyName
	for i := range c.matches {
		if c.matches[i].Exact || strings.EqualFold(c.matches[i].Policy.Name, name) {
			return &c.matches[i]
		}
	}
	return nil
}

func (c *createPolicy) take(s *Session, found *aws.PolicySighting) {
	s.setSeen(c.d.Role, func(p *SeenPart) { p.Policy, p.Wanted = &found.Policy, c.wanted })
	s.setPart(c.d.Role, func(p *Part) { p.PolicyARN = found.Policy.ARN })
	s.settle(c.ID(), c.basis(s.Answers)...)
}

func (c *createPolicy) chose(s *Session, id string) (Move, []Effect) {
	switch id {
	case "next":
		return Next, nil
	case "made":
		s.settle(c.ID(), c.basis(s.Answers)...)
		return Next, nil
	case "extend":
		c.until = s.Now().Add(lookFor)
		return Stay, []Effect{c.look(0)}
	case "act":
		c.making = true
		return Stay, []Effect{c.act(s)}
	}
	return Stay, nil
}

// act stands in for the browser in a rehearsal: it does in the rehearsal's
// account what the instructions say.
func (c *createPolicy) act(s *Session) Effect {
	account, n := s.AWS, aws.NewPolicy{Name: s.Part(c.d.Role).PolicyName, Path: s.Path, Document: c.wanted}
	return Call{Name: "create policy " + n.Name, Writes: true, Do: func(ctx context.Context) Msg {
		made, err := account.CreatePolicy(ctx, n)
		return policyMade{made.ARN, err}
	}}
}

// Screen shows the document, the instructions and what AWS shows.
func (c *createPolicy) Screen(s *Session) Screen {
	screen := c.screen(s)
	part := s.Part(c.d.Role)
	if c.wanted == nil {
		screen.Blocks = appendProblem(nil, c.problem)
		return screen
	}
	screen.Blocks = []Block{
		c.document(s),
		Facts{{Label: "Policy name", Value: part.PolicyName, Copy: true, Note: "suggested; any name will do"}},
		c.instructions(s, c.instructionsDone(s)),
	}
	if console, ok := aws.ConsoleFor(s.Partition); ok {
		screen.Blocks = append(screen.Blocks, Link{Label: "Create policy", URL: console.CreatePolicy()})
	}
	screen.Blocks = append(screen.Blocks, c.state(s)...)
	screen.Blocks = appendProblem(screen.Blocks, c.problem)
	screen.Actions = c.actions(s)
	return screen
}

func (c *createPolicy) instructionsDone(s *Session) int {
	if s.Seen.Parts[c.d.Role].Policy != nil {
		return len(c.d.Instructions)
	}
	return c.done
}

func (c *createPolicy) document(s *Session) Code {
	return Code{
		Label: "Policy document",
		Name:  s.Part(c.d.Role).PolicyName + ".json",
		Body:  c.wanted.Pretty(),
		About: fmt.Sprintf("%s of %s characters · %s", thousands(c.wanted.Characters()), thousands(policy.MaxManaged), shortDigest(c.wanted.Digest())),
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

func (c *createPolicy) state(s *Session) []Block {
	if s.AWS == nil {
		return []Block{Text{Tone: Dim, Body: "rolecall cannot look into the account. Go on when the policy exists."}}
	}
	if p := s.Seen.Parts[c.d.Role].Policy; p != nil {
		return c.foundBlocks(s, p)
	}
	var blocks []Block
	if c.named != nil {
		blocks = append(blocks, differenceProblem(c.named))
	}
	if c.making {
		return append(blocks, Tasks{{Name: "Creating the policy in the rehearsal account", State: Running, Since: c.since}})
	}
	if s.Now().Before(c.until) {
		blocks = append(blocks, Waiting{For: "a policy that grants exactly this", Since: c.since, Until: c.until, Next: c.next})
	} else {
		blocks = append(blocks, Text{Tone: Warning, Body: "rolecall stopped looking. Press e to go on."})
	}
	if c.note != "" {
		blocks = append(blocks, Text{Tone: Warning, Body: c.note})
	}
	return blocks
}

func (c *createPolicy) foundBlocks(s *Session, p *aws.Policy) []Block {
	blocks := []Block{
		Text{Tone: Good, Body: "Found " + p.Name + ". It grants what " + s.Vendor.Title + " needs."},
		Facts{{Label: "Policy ARN", Value: p.ARN, Copy: true}},
	}
	if found := c.found(s); found != nil && !found.Exact {
		blocks = append(blocks, Text{Tone: Warning, Body: "It grants more than " + s.Vendor.Title + " asks for: " + changeList(found.Difference.Added, found.Difference.Changed) + "."})
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
		Next:     "Edit it in the console and paste the document, or create one under another name. rolecall keeps looking.",
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
	case s.Seen.Parts[c.d.Role].Policy != nil:
		return []Action{{ID: "next", Label: "next", Default: true}}
	case s.Rehearsal && !c.making && c.named == nil:
		return []Action{{ID: "act", Label: "do it in the rehearsal account", Default: true}}
	}
	actions := []Action{{ID: "next", Label: "next", Default: true, Disabled: "waits for the policy"}}
	if !s.Now().Before(c.until) {
		actions = append(actions, Action{ID: "extend", Key: "e", Label: "go on looking"})
	}
	return actions
}

// doneAfter is how many of a step's instructions are behind once a message has
// come: opening the page takes the person to the editor, and so on. It is a
// hint for the marker, nothing rests on it.
func doneAfter(msg Msg) int {
	switch msg := msg.(type) {
	case Opened:
		if msg.Err == nil {
			return 2
		}
	case Copied:
		if msg.Err == nil {
			return 5
		}
	}
	return 0
}
