// Package screen holds the values that a step shows, asks for and wants done:
// blocks, actions, problems, effects and the messages that come back. They say
// nothing of colours, widths or widgets: ui draws and does. It is the ground
// floor of steps and imports nothing of rolecall.
package screen

import (
	"errors"
	"strconv"
	"time"
)

var errSecret = errors.New("marshal secret: secrets are never written")

// Screen is what a step wants said, without any styling.
type Screen struct {
	Heading string
	Place   string // the vendor's own number: "Spot wizard 3.6"
	About   string // what the step is for, and why: for the help
	Blocks  []Block
	Actions []Action
}

// Action is something that a key does. ui adds the keys of the blocks
// themselves (copy, open, save, view, tick) and those of every screen.
type Action struct {
	ID       string // told as Chose{ID}
	Key      string // "e"; empty for the Default action, which is enter
	Label    string // a verb: "connect"
	Disabled string // why the key is off now; empty when it works
	Default  bool   // enter presses it; --yes presses it unattended
	// Writes says that it changes something outside, or settles which account is
	// meant: then a key that slipped does not press it.
	Writes  bool
	Confirm *Confirm
}

// Confirm is a question before an Action is carried out. With an empty Question
// the screen itself is the question, and the key is the answer.
type Confirm struct {
	Question string // "Let rolecall create Spot-Role in account 1234-5678-9012?"
	Flag     string // the flag that answers it; --yes alone never does. Empty: --yes answers.
	Given    bool   // the flag was given
}

// Block is one paragraph-like part of a Screen. The set is sealed: if a step
// needs another, the vocabulary grows here and in every front.
//
//sumtype:decl
type Block interface{ block() }

// Tone tells how a Text is meant; a front may colour it, never by colour alone.
type Tone string

// The tones.
const (
	Plain   Tone = ""
	Dim     Tone = "dim"  // explanation, said once in grey
	Good    Tone = "good" // done, found, right
	Warning Tone = "warning"
)

// Text is a paragraph. It is wrapped to the width there is.
type Text struct {
	Tone Tone
	Body string
}

// Instructions are numbered instructions, mostly the vendor's own. Each can be
// ticked: a front tells Followed.
type Instructions []Instruction

// Instruction is one thing that the person does elsewhere.
type Instruction struct {
	Number int // the vendor's own, from 1; what does not apply leaves a gap
	Text   string
	Done   bool
	Page   PageDoes // what the page spares that the screen's Link opens
}

// ID names the instruction among those of its screen, where two may read alike.
func (in Instruction) ID() string { return strconv.Itoa(in.Number) + " " + in.Text }

// PageDoes is what a page does of an instruction by having been opened.
type PageDoes string

// What a page can do.
const (
	PageNothing PageDoes = ""
	PageOpens   PageDoes = "opens" // the page is where the instruction leads
	PageFills   PageDoes = "fills" // the page comes with what the instruction enters
)

// Numbered are instructions from 1 on, of which the first ones are done.
func Numbered(done int, texts ...string) Instructions {
	in := make(Instructions, len(texts))
	for i, text := range texts {
		in[i] = Instruction{Number: i + 1, Text: text, Done: i < done}
	}
	return in
}

// Next is the index of the one to do next: the first that is not done, len when
// all are.
func (in Instructions) Next() int {
	for i := range in {
		if !in[i].Done {
			return i
		}
	}
	return len(in)
}

// Fact is a value to read. With Copy it is also one of the numbered copyable
// values: c copies the marked one, 1-9 the nth.
type Fact struct {
	Label string
	Value string // exactly what is copied
	Shown string // how it is drawn where that differs: 1234-5678-9012
	Note  string // a few words in grey behind it
	Copy  bool
}

// Facts are values one under the other, labels aligned.
type Facts []Fact

// Option is one line of Choices.
type Option struct {
	ID       string
	Label    string
	Detail   string
	Disabled string // why it cannot be chosen
}

// Choices are options of which one is picked: arrows move, enter picks.
// Picked is the ID where the cursor starts and what --yes takes. With a Flag,
// --yes takes it only when Given.
type Choices struct {
	ID      string
	Label   string
	Options []Option
	Picked  string
	Flag    string
	Given   bool
}

// Tick is the state of a Node.
type Tick int

// A node with children in several states is Partly ticked.
const (
	Off Tick = iota
	Partly
	On
)

// Node is one line of a Tree. Details fold out under it.
type Node struct {
	ID       string
	Label    string
	Detail   string // one line in grey
	Note     string // right-aligned: "+2,318 characters"
	Tick     Tick
	Fixed    string // why it cannot be switched; empty when it can
	Details  []string
	Children []Node
}

// Tree is a list of ticks with children.
type Tree struct {
	ID    string
	Nodes []Node
}

// Input is one line of text. Problem is shown under it. Flag names the flag
// that answers it unattended. One that is Long takes documents too: what is
// pasted into it, of whatever length, is entered at once and whole.
type Input struct {
	ID      string
	Label   string
	Value   string
	Hint    string // shown in grey while it is empty
	Problem string
	Flag    string
	Secret  bool
	Long    bool
	// Filter says that it narrows the list below it: it has the focus when it is
	// asked for, each edit counts, and enter goes on in the list.
	Filter bool
}

// Meter is a part of a limit.
type Meter struct {
	Label       string
	Used, Limit int
	Unit        string
}

// Note stands beside a line of a Code.
type Note struct {
	Line int // from 1
	Tone Tone
	Text string
	Rank int // how much it matters: the viewer begins at the first of the highest, if it is a warning
}

// Code is a document: one line on the screen, whole in the viewer, and exactly
// Body when copied or saved.
type Code struct {
	Label string // "Policy document"
	Name  string // file name when saved: "Spot-Policy.json"
	Body  string
	About string // "6,097 of 6,144 characters · sha256:3f9a…"
	Notes []Note
	Print bool // an unattended run that stops here prints it
	// Aside says that it is about something else, to be read: it has no number to
	// copy it by.
	Aside bool
}

// CheckState is the state of a Check.
type CheckState string

// The states of a check, as AWS observations are judged.
const (
	Pass    CheckState = "pass"
	Fail    CheckState = "fail"
	Warn    CheckState = "warn"
	Unknown CheckState = "unknown"
	Pending CheckState = "pending"
)

// Check is one thing that must be right.
type Check struct {
	ID    string
	State CheckState
	Label string // what is looked at: "External ID"
	Want  string // what is needed
	Got   string // what was found
	Fix   string // what to do; for everything but pass
	Told  bool   // a Problem on the screen says it: it is only counted
}

// Checks are a verdict, what is wrong first. What is right is said in one line
// that counts it, and opens.
type Checks []Check

// Right is how many of them are right.
func (c Checks) Right() int {
	n := 0
	for _, check := range c {
		if check.State == Pass {
			n++
		}
	}
	return n
}

// TaskState is the state of a Task.
type TaskState string

// The states of a task.
const (
	Ahead    TaskState = "ahead"
	Running  TaskState = "running"
	Finished TaskState = "finished"
	Stopped  TaskState = "failed"
)

// Task is one piece of work that rolecall does.
type Task struct {
	Name   string
	State  TaskState
	Detail string
	Since  time.Time
}

// Tasks are pieces of work one under the other.
type Tasks []Task

// Waiting says what is awaited, since when, until when, and when rolecall looks
// again. A zero time is left out.
type Waiting struct {
	For                string
	Since, Until, Next time.Time
	// Wrong is what was seen and is not as needed as yet; nil where nothing was. It
	// is not drawn: when nobody waits any longer, it is what went wrong.
	Wrong *Problem
}

// Link is a page that o opens. It is always shown whole somewhere.
type Link struct{ Label, URL string }

// ProblemKind decides the exit code of an unattended run.
type ProblemKind int

// The kinds of problems; the contract gives each its exit code.
const (
	Failure      ProblemKind = iota // 1
	Usage                           // 2: wrong or missing flag
	NotAsNeeded                     // 3: checked and not as required
	AWSRefused                      // 4: not signed in, or a permission is missing
	VendorRefuse                    // 5
	TimedOut                        // 8
)

// Problem is a failure in three lines: what happened, what was expected, what
// to do. Wanted and Found, when set, are drawn one under the other with the
// first difference marked.
type Problem struct {
	What, Expected, Next string
	Flag                 string // what answers it where nobody can be asked: "--role-name"; no screen shows it
	Quoted               string // AWS's or the vendor's own words
	Wanted, Found        string
	Named                Named
	Kind                 ProblemKind
	Passing              bool   // rolecall goes on by itself; not the end of an unattended run
	Action               string // the ID of the Action that mends it: its key stands beside Next
}

// Named is what AWS or the vendor named in its answer, for scripts and for their
// support; empty where it named nothing.
type Named struct {
	By        string // who answered: "AWS", "Spot"
	Code      string // "AccessDenied"
	RequestID string
	Principal string // who was refused, or whom AWS does not know
	Action    string // "iam:CreateRole"
	Resource  string
	DeniedBy  string // the type of policy: "service control policy"
	PolicyARN string // the policy that denied
	Parameter string // the value that was refused
}

// Picture is a small drawing with words for those who cannot see it.
type Picture struct {
	Lines []string
	Alt   string
}

func (Text) block()         {}
func (Instructions) block() {}
func (Facts) block()        {}
func (Choices) block()      {}
func (Tree) block()         {}
func (Input) block()        {}
func (Meter) block()        {}
func (Code) block()         {}
func (Checks) block()       {}
func (Tasks) block()        {}
func (Waiting) block()      {}
func (Link) block()         {}
func (Problem) block()      {}
func (Picture) block()      {}
