package lines

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"rolecall/steps/screen"
	"rolecall/ui/draw"
	"rolecall/ui/terminal"
)

// value is something on the screen that can be copied, saved and printed alone.
type value struct {
	label, text string
	file        string // its name when it is saved
	document    bool
}

// copied is what was copied last, and how.
type copied struct {
	value
	route terminal.Route
}

// pasted is a text coming back line by line.
type pasted struct{ lines []string }

// values are a screen's, in their order.
func values(view screen.Screen) []value {
	var all []value
	for _, block := range view.Blocks {
		switch block := block.(type) {
		case screen.Facts:
			for _, fact := range block {
				if fact.Copy {
					all = append(all, value{label: fact.Label, text: fact.Value, file: draw.FileName(fact.Label)})
				}
			}
		case screen.Code:
			if block.Aside {
				continue
			}
			all = append(all, value{label: block.Label, text: block.Body, file: cmp.Or(block.Name, draw.FileName(block.Label)), document: true})
		default: // nothing to copy
		}
	}
	return all
}

// value carries out c, s and p, with the number of a value behind: c copies the
// first, c2 the second. s alone saves the document where there is one.
func (p *plain) value(word string) bool {
	if word == "" || word[0] != 'c' && word[0] != 's' && word[0] != 'p' {
		return false
	}
	n, err := strconv.Atoi(word[1:])
	if len(word) > 1 && err != nil {
		return false
	}
	all := values(p.screen)
	if len(word) == 1 {
		n = first(all, word == "s")
	}
	if n < 1 || n > len(all) {
		p.say("There are " + strconv.Itoa(len(all)) + " values here.")
		return true
	}
	v := all[n-1]
	switch word[:1] {
	case "c":
		p.copyText(screen.Copy{Label: v.label, Text: v.text})
	case "s":
		p.effect(screen.Save{Label: v.label, Name: v.file, Text: v.text})
	default:
		p.printAlone(v)
	}
	return true
}

// first is the number of the first value, or of the first document.
func first(all []value, document bool) int {
	for i, v := range all {
		if document && v.document {
			return i + 1
		}
	}
	return 1
}

// printAlone prints a value with nothing else on its lines.
func (p *plain) printAlone(v value) {
	p.say(v.label + ":")
	for line := range strings.Lines(v.text) {
		p.say(strings.TrimRight(line, "\r\n"))
	}
}

// sayFetch says how a saved file comes to the person's own machine.
func (p *plain) sayFetch(path string) {
	if fetch := p.terminal.Fetch(path); fetch != "" {
		p.say("From your own machine: " + fetch)
	}
}

// copyText puts a value on the clipboard. Where the output is no terminal, no escape sequence is
// written: it would end up in a log.
func (p *plain) copyText(c screen.Copy) {
	if !p.reading {
		p.run.App.AskTerminal(p.terminal) // nobody else reads just now
	}
	done, err := p.terminal.Copy(context.Background(), c.Text)
	if err == nil && done.Escape != "" {
		err = p.write(done.Escape, c.ClearAfter > 0)
	}
	switch {
	case c.ClearAfter > 0 && err != nil:
		p.say(
			c.Label + " cannot be copied from here, and is not shown where the screen stays. Delete the key with d, and make another with " +
				"--secret-file FILE.",
		)
	case err != nil:
		p.say("It was not copied: " + err.Error() + ".")
	case c.ClearAfter > 0:
		p.clearLater(c)
		p.say(fmt.Sprintf("%s %s. It is taken off again in %d s.", c.Label, done.Word(), int(c.ClearAfter.Seconds())))
	case done.Doubt != "":
		p.say("Warning: " + c.Label + " was sent, and may not arrive: " + done.Doubt + ". = checks it.")
	case done.Sent:
		p.say(c.Label + " sent. = checks that it arrived.")
	default:
		p.say(c.Label + " copied.")
	}
	if err == nil {
		p.last = &copied{value{label: c.Label, text: c.Text}, done.Route}
	}
	p.driver.tell(screen.Copied{Label: c.Label, Sent: done.Sent, Err: err})
	if c.ClearAfter == 0 && (err != nil || done.Doubt != "") {
		p.otherWays(c)
	}
}

// write hands an escape sequence to the terminal. A secret is not handed to one
// that cannot be made to forget it.
func (p *plain) write(escape string, secret bool) error {
	if secret || !p.run.App.Env.StdoutTTY {
		return terminal.ErrNoClipboard
	}
	_, err := io.WriteString(p.run.App.Env.Stdout, escape)
	return err
}

// otherWays says how a value is had without a clipboard. It looks for its number
// on the screen as it is now: a step may show its values in another order once
// one was copied.
func (p *plain) otherWays(c screen.Copy) {
	for i, v := range values(p.run.Walk.Screen()) {
		if v.label == c.Label && v.text == c.Text {
			p.say(fmt.Sprintf("s%d saves it to a file, p%d prints it alone.", i+1, i+1))
			return
		}
	}
}

// startCheck asks for what was copied last to be pasted back.
func (p *plain) startCheck() {
	if p.last == nil {
		p.say("Nothing was copied yet.")
		return
	}
	p.check = &pasted{}
	p.say("Paste " + p.last.label + " here. rolecall compares it with what was copied.")
}

// takePaste takes one line of what is pasted back. It is over when all is there,
// or with an empty line.
func (p *plain) takePaste(line string) {
	if line != "" {
		p.check.lines = append(p.check.lines, line)
	}
	wrong := terminal.Compare(strings.TrimRight(p.last.text, "\r\n"), strings.Join(p.check.lines, "\n"))
	if line != "" && wrong != "" {
		return
	}
	p.check = nil
	if wrong == "" {
		p.say(p.last.label + " arrived whole. rolecall goes this way first in this terminal.")
	} else {
		p.say(p.last.label + " did not arrive: " + wrong + ". c tries the next way, p prints it.")
	}
	if err := p.terminal.Found(p.last.route, wrong == ""); err != nil {
		p.say("It is not remembered: " + err.Error() + ".")
	}
}
