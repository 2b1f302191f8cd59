package lines

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"rolecall/steps/screen"
	"rolecall/ui/calls"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/terminal"
)

// longestLine bounds one typed or pasted line.
const longestLine = 1 << 20

// plain walks through the steps line by line: for screen readers, dumb
// terminals and logs. It never moves the cursor and uses no colour. While
// something is awaited, it prints only what changed.
type plain struct {
	run      *Run
	driver   *driver
	terminal *terminal.Terminal
	in       *bufio.Reader
	atEnd    []func() // what has to be cleared when the program ends

	doc      *reading // being read; nil: none
	question string   // the question asked last, and how many there were
	number   int

	visit   int
	said    map[string]string // where each warning and wait was said first
	shown   []string          // lines of the screen as last printed
	screen  screen.Screen     // as last printed
	confirm *screen.Action    // waiting for yes or no
	last    *copied           // what was copied last; it can be checked
	check   *pasted           // and is being checked
	pressed string            // the action pressed last in this visit
	lines   chan typedLine    // what the reader has read
	reading bool              // a line is being read
	secret  bool              // and it is not shown
	eof     bool              // there will be no more lines
	asked   bool              // the prompt stands at the end of the output
	// gathered is a document of several lines that was begun; nil for none.
	gathered *gathering
}

// typedLine is one line that a person typed.
type typedLine struct {
	text   string
	secret bool
	err    error
}

// Plain drives the walk by typed lines.
func (r *Run) Plain(ctx context.Context) error {
	p := &plain{run: r, terminal: r.App.Terminal(), in: bufio.NewReader(r.App.Env.Stdin), lines: make(chan typedLine, 1)}
	p.driver = newDriver(ctx, r, p.effect)
	defer p.driver.close()
	defer func() {
		for _, do := range p.atEnd {
			do()
		}
	}()
	p.say("rolecall, line by line. At every question: help, back, next and quit do what they say; enter takes what is offered.")
	p.driver.start()
	for !r.Walk.Ended() {
		if ctx.Err() != nil {
			return p.leave()
		}
		p.show()
		if p.stuck() {
			return p.leave()
		}
		p.read()
		select {
		case reply := <-p.driver.replies:
			p.driver.take(reply)
		case line := <-p.lines:
			if leave := p.typed(line); leave && (p.eof || !p.driver.leave()) {
				return p.leave()
			}
		case <-ctx.Done():
		}
		if p.driver.left {
			return p.leave()
		}
	}
	return p.driver.failed
}

// leave waits for writing calls; the session is saved.
func (p *plain) leave() error {
	p.driver.awaitWrites(func(s calls.Sending) { p.say("Waiting for an answer to: " + s.Name) })
	if p.run.Walk.Complete() {
		return p.driver.failed // nothing is left to do
	}
	return cli.ErrCancelled
}

// stuck reports that input has ended and that somebody would have to answer.
func (p *plain) stuck() bool { return p.eof && len(p.driver.calls.Sending()) == 0 && p.answerable() }

// show prints the screen when the step is new, else the lines that changed.
func (p *plain) show() {
	walk := p.run.Walk
	p.screen = walk.Screen()
	lines := screenLines(p.screen)
	if walk.Visit() != p.visit {
		p.visit, p.confirm, p.pressed, p.doc = walk.Visit(), nil, "", nil
		p.say("")
		p.say(headingOf(walk, p.screen))
		p.shown = nil
	}
	fresh := slices.DeleteFunc(newLines(p.shown, lines), p.heard)
	for _, line := range fresh {
		p.say(line)
	}
	p.shown = lines
	if err := p.driver.failed; err != nil {
		p.say("! " + cli.ProblemOf(err).What)
	}
	if len(fresh) > 0 || !p.asked {
		p.prompt()
	}
}

// heard notes what was said, and reports whether it need not be said again: what
// is awaited, within the step; and what an earlier step has said or warned of.
func (p *plain) heard(line string) bool {
	waits := strings.HasPrefix(line, "Waiting for ")
	if !waits && !strings.HasPrefix(line, toneWord(screen.Warning)) && !strings.HasPrefix(line, toneWord(screen.Good)) {
		return false
	}
	if p.said == nil {
		p.said = map[string]string{}
	}
	here := string(p.run.Walk.Step().ID())
	if waits {
		here = strconv.Itoa(p.visit)
	}
	where, said := p.said[line]
	if !said || waits && where != here {
		p.said[line] = here
		return false
	}
	return waits || where != here
}

// newLines are those of next that previous does not have, in their order. A
// value under its label is new when the two were not there together.
func newLines(previous, next []string) []string {
	known := map[string]bool{}
	for i := range previous {
		known[withLabel(previous, i)] = true
	}
	var fresh []string
	for i, line := range next {
		if !known[withLabel(next, i)] {
			fresh = append(fresh, line)
		}
	}
	return fresh
}

// withLabel is a line, and where it is a label or a value, both of them.
func withLabel(lines []string, i int) string {
	switch {
	case labelled(lines, i):
		return lines[i-1] + lines[i]
	case labelled(lines, i+1):
		return lines[i] + lines[i+1]
	}
	return lines[i]
}

// labelled reports whether a line is a value that stands under its label.
func labelled(lines []string, i int) bool {
	return i > 0 && i < len(lines) && strings.HasSuffix(lines[i-1], ":") && strings.HasPrefix(lines[i], "    ")
}

func (p *plain) say(line string) {
	if p.asked {
		fmt.Fprintln(p.run.App.Env.Stdout)
	}
	p.asked = false
	p.run.App.Out().Line(draw.Clean(line))
}

// put writes text behind what its first line begins with.
func (p *plain) put(first, text string) {
	if p.asked {
		fmt.Fprintln(p.run.App.Env.Stdout)
	}
	p.asked = false
	p.run.App.Out().Hang(first, text)
}

// prompt says what can be typed now.
func (p *plain) prompt() {
	text := p.promptText()
	if p.eof || text == "" || p.gathered != nil {
		return
	}
	text = draw.Clean(text)
	if text != p.question {
		p.question = text
		p.number++
	}
	p.run.App.Out().Question(fmt.Sprintf("Question %d: %s> ", p.number, text))
	p.asked = true
}

func (p *plain) promptText() string {
	switch {
	case p.check != nil:
		return "paste it, then an empty line"
	case p.doc != nil:
		return p.doc.question()
	case p.confirm != nil:
		return p.confirm.Confirm.Question + " y or n"
	}
	if in, ok := firstInput(p.screen); ok {
		return in.Label
	}
	if c, ok := firstChoices(p.screen); ok {
		return choicePrompt(c)
	}
	if action, ok := defaultAction(p.screen); ok && action.Disabled == "" {
		return "enter: " + action.Label
	}
	return "" // nothing is asked: something is awaited
}

// choicePrompt asks for an option: by its number, or by enter where one is marked.
func choicePrompt(c screen.Choices) string {
	for _, option := range c.Options {
		if option.ID == c.Picked {
			return "type its number, or enter for " + option.Label
		}
	}
	return "type its number"
}

// read has the next line read, unless one is being read. A pipe is read only
// when the screen has something new to answer, so that a script's lines wait for
// their questions.
func (p *plain) read() {
	if p.reading || p.eof || !p.run.App.Env.StdinTTY && !p.answerable() {
		return
	}
	in, _ := firstInput(p.screen)
	p.reading, p.secret = true, in.Secret && p.run.App.Env.ReadSecret != nil
	readSecret, secret := p.run.App.Env.ReadSecret, p.secret
	go func() {
		if secret {
			text, err := readSecret()
			p.lines <- typedLine{text, true, err}
			return
		}
		text, err := readLine(p.in)
		p.lines <- typedLine{text: text, err: err}
	}()
}

// readLine reads one line of a bounded length; the rest of a longer one is
// passed over.
func readLine(in *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		part, more, err := in.ReadLine()
		if err != nil {
			return b.String(), err
		}
		if b.Len()+len(part) <= longestLine {
			b.Write(part)
		}
		if !more {
			return b.String(), nil
		}
	}
}

func (p *plain) answerable() bool {
	if p.check != nil || p.confirm != nil || p.doc != nil || p.driver.calls.Idle() {
		return true
	}
	if len(p.driver.calls.Sending()) > 0 {
		return false
	}
	_, input := firstInput(p.screen)
	_, choices := firstChoices(p.screen)
	action, ok := defaultAction(p.screen)
	return input || choices || ok && action.Disabled == "" && action.ID != p.pressed
}

// typed carries out one line. It reports whether the person leaves.
func (p *plain) typed(line typedLine) (leave bool) {
	p.reading = false
	if p.asked && p.run.App.Env.StdinTTY {
		p.asked = false // the person's own enter ended the line
	}
	switch {
	case errors.Is(line.err, io.EOF):
		p.eof = true
		if p.gathered == nil && line.text == "" {
			return p.run.App.Env.StdinTTY
		}
	case line.err != nil:
		p.eof = true
		return true
	}
	in, hasInput := firstInput(p.screen)
	if hasInput && in.Secret && p.run.App.Env.ReadSecret != nil && !line.secret {
		p.say("The next line is not shown while you type it.")
		return false
	}
	if line.secret {
		fmt.Fprintln(p.run.App.Env.Stdout)
		p.driver.tell(screen.Entered{ID: in.ID, Text: line.text})
		return false
	}
	if p.gather(in, line.text) {
		return false
	}
	return p.command(line.text)
}
