package lines

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"rolecall/steps/screen"
	"rolecall/ui/draw"
)

// command carries out what was typed: a command where there is one of that
// name, else the text of the field. It reports whether the person leaves.
func (p *plain) command(text string) (leave bool) {
	if p.check != nil {
		p.takePaste(text)
		return false
	}
	word := strings.ToLower(strings.TrimSpace(text))
	if p.doc != nil && word != "q" && word != "quit" {
		p.reads(word)
		return false
	}
	if p.confirm != nil {
		p.confirmed(word)
		return false
	}
	in, hasInput := firstInput(p.screen)
	if forced, ok := strings.CutPrefix(text, "="); ok && hasInput {
		p.driver.tell(screen.Entered{ID: in.ID, Text: forced})
		return false
	}
	if filter, ok := firstFilter(p.screen); ok && strings.HasPrefix(text, "/") {
		p.driver.tell(screen.Changed{ID: filter.ID, Text: strings.TrimSpace(text[1:])})
		return false
	}
	switch word {
	case "q", "quit":
		return true
	case "", "next":
		p.enter()
		return false
	case "?", "help":
		p.help()
		return false
	case "b", "back":
		p.back()
		return false
	case "o":
		p.open()
		return false
	case "=":
		p.startCheck()
		return false
	}
	if p.scenario(text) || p.document(word) || p.numbered(word) || p.action(word) || p.value(word) {
		return false
	}
	if hasInput {
		p.driver.tell(screen.Entered{ID: in.ID, Text: text})
		return false
	}
	p.say("There is no command " + word + " here. Type ? for help.")
	return false
}

// enter does what --yes would: the marked option, the field as it is, else the
// default action.
func (p *plain) enter() {
	if c, ok := firstChoices(p.screen); ok && c.Picked != "" {
		p.driver.tell(screen.Chose{Block: c.ID, ID: c.Picked})
		return
	}
	action, hasAction := defaultAction(p.screen)
	if in, ok := firstInput(p.screen); ok && (!hasAction || action.Disabled != "") {
		p.driver.tell(screen.Entered{ID: in.ID, Text: in.Value})
		return
	}
	if hasAction {
		p.press(action)
	}
}

func (p *plain) press(action screen.Action) {
	switch {
	case action.Disabled != "":
		p.say("Not now: " + action.Disabled + ".")
	case p.writing():
	case action.Confirm != nil && action.Confirm.Question != "":
		p.confirm = &action
	default:
		p.pressed = action.ID
		p.driver.tell(screen.Chose{ID: action.ID})
	}
}

// writing says so when an answer has to come before anything else.
func (p *plain) writing() bool {
	s, ok := p.driver.calls.Writing()
	if ok {
		p.say("Waiting for an answer to: " + s.Name)
	}
	return ok
}

func (p *plain) confirmed(word string) {
	action := p.confirm
	p.confirm = nil
	if word == "y" || word == "yes" {
		p.pressed = action.ID
		p.driver.tell(screen.Chose{ID: action.ID})
		return
	}
	p.say("Not done.")
}

func (p *plain) back() {
	switch {
	case p.writing():
	case !p.run.Walk.CanGoBack():
		p.say("This is the first step.")
	default:
		p.driver.back()
	}
}

// number picks the nth option, or switches the nth tick.
func (p *plain) numbered(word string) bool {
	n, err := strconv.Atoi(word)
	if err != nil {
		return false
	}
	at := 0
	for _, block := range p.screen.Blocks {
		switch block := block.(type) {
		case screen.Choices:
			for _, option := range block.Options {
				if at++; at == n {
					p.pick(block, option)
					return true
				}
			}
		case screen.Tree:
			for _, node := range flatten(block.Nodes) {
				if at++; at == n {
					p.tick(node)
					return true
				}
			}
		default: // has no numbers
		}
	}
	if at == 0 {
		return false // a field may want a number
	}
	p.say("There are " + strconv.Itoa(at) + " numbers.")
	return true
}

func (p *plain) pick(block screen.Choices, option screen.Option) {
	if option.Disabled != "" {
		p.say("Not now: " + option.Disabled + ".")
		return
	}
	p.driver.tell(screen.Chose{Block: block.ID, ID: option.ID})
}

func (p *plain) tick(node screen.Node) {
	if node.Fixed != "" {
		p.say("It cannot be switched: " + node.Fixed + ".")
		return
	}
	p.driver.tell(screen.Ticked{ID: node.ID, On: node.Tick != screen.On})
}

// flatten lists nodes with their children behind them.
func flatten(nodes []screen.Node) []screen.Node {
	var all []screen.Node
	for _, node := range nodes {
		all = append(append(all, node), flatten(node.Children)...)
	}
	return all
}

// action presses the action of that key.
func (p *plain) action(word string) bool {
	for _, action := range p.screen.Actions {
		if action.Key == word {
			p.press(action)
			return true
		}
	}
	return false
}

func (p *plain) open() {
	for _, block := range p.screen.Blocks {
		if link, ok := block.(screen.Link); ok {
			p.effect(screen.Open(link))
			return
		}
	}
	p.say("There is no page to open here.")
}

// document reads a document of the screen: v the first, v2 the second.
func (p *plain) document(word string) bool {
	number, ok := strings.CutPrefix(word, "v")
	n, err := strconv.Atoi(number)
	if !ok || number != "" && err != nil {
		return false
	}
	n = max(n, 1)
	for _, block := range p.screen.Blocks {
		code, ok := block.(screen.Code)
		if !ok || word == "s" && code.Aside {
			continue
		}
		if n--; n > 0 {
			continue
		}
		p.effect(screen.Show{Document: code})
		return true
	}
	p.say("There is no such document here.")
	return true
}

// effect carries out what a step, or the person, asked for.
func (p *plain) effect(effect screen.Effect) {
	switch effect := effect.(type) {
	case screen.Copy:
		p.copyText(effect)
	case screen.Open:
		shown, err := p.terminal.Open(effect.URL)
		if shown || err != nil {
			p.say("Open this page: " + effect.URL)
		} else {
			p.say("Opened " + effect.Label + ".")
		}
		p.driver.tell(screen.Opened{URL: effect.URL, Shown: shown, Err: err})
	case screen.Save:
		path, _, err := p.terminal.Save(effect.Name, effect.Text)
		if err != nil {
			p.say("It was not saved: " + err.Error())
		} else {
			p.say("Saved as " + path + ".")
			p.sayFetch(path)
		}
		p.driver.tell(screen.Saved{Label: effect.Label, Path: path, Err: err})
	case screen.Show:
		p.readDocument(effect.Document)
	case screen.Call: // the driver's
	}
}

// clearLater takes a secret off the clipboard when its time is up, and at the
// end at the latest.
func (p *plain) clearLater(c screen.Copy) {
	clearing := sync.OnceFunc(func() {
		_, _ = p.terminal.Clear(context.Background(), c.Text) // nobody is there to be told
	})
	time.AfterFunc(c.ClearAfter, clearing)
	p.atEnd = append(p.atEnd, clearing)
}

// help says what the step is for and what comes next, then what can be typed.
func (p *plain) help() {
	if p.screen.About != "" {
		p.say(p.screen.About)
	}
	if next := draw.Next(p.run.Walk.Rail()); next != "" {
		p.say(next)
	}
	p.say("Enter or next goes on. A number picks or switches the option of that number. b or back goes back, q or quit leaves and saves.")
	if len(values(p.screen)) > 0 {
		p.say("c copies the first value, c2 the second; s2 saves it to a file, p2 prints it alone. = checks what was copied.")
	}
	if _, ok := firstBlock[screen.Code](p.screen); ok {
		p.say("v reads the document with what was found in it, s saves it; v2 reads the second one.")
	}
	if _, ok := firstBlock[screen.Link](p.screen); ok {
		p.say("o opens the page in the browser.")
	}
	for _, action := range p.screen.Actions {
		if action.Key != "" {
			p.say(action.Key + " is for: " + action.Label + ".")
		}
	}
	if p.run.Walk.Session.Scenarios != nil {
		p.say("! lists mistakes to rehearse, !2 makes the second of them, m mends it.")
	}
	if _, ok := firstFilter(p.screen); ok {
		p.say("/ and a part of a name narrows the list to what has it; / alone shows all again.")
	}
	if _, ok := firstInput(p.screen); ok {
		p.say("Anything else is the field's text; begin it with = if it is one of these words.")
	}
}
