package lines

import (
	"fmt"
	"strconv"
	"strings"

	"rolecall/steps/screen"
	"rolecall/ui/draw"
)

// reading is a document that is read part by part, with what was found in it
// beside its lines.
type reading struct {
	rows     []row
	findings []int // the rows at which something was found
	at       int   // the first row of the next part
	part     int   // rows in a part
}

// row is a line of the document, or what was found in the line above it.
type row struct{ first, text string }

const (
	partLeast = 10
	partUsual = 20 // lines of a part, where the terminal does not say how high it is
)

// read begins to read a document, and says what there is to read.
func (p *plain) readDocument(code screen.Code) {
	r := &reading{part: partUsual}
	if p.run.App.Env.Size != nil {
		if _, height := p.run.App.Env.Size(); height > 0 {
			r.part = max(height-4, partLeast)
		}
	}
	notes := map[int][]screen.Note{}
	for _, note := range code.Notes {
		notes[note.Line] = append(notes[note.Line], note)
	}
	body := strings.Split(strings.TrimSuffix(strings.ReplaceAll(code.Body, "\t", "    "), "\n"), "\n")
	digits := len(strconv.Itoa(len(body)))
	for i, text := range body {
		text = draw.Clean(text)
		words := strings.TrimLeft(text, " ")
		r.rows = append(r.rows, row{fmt.Sprintf("%*d  %s", digits, i+1, text[:len(text)-len(words)]), words})
		for _, note := range notes[i+1] {
			r.findings = append(r.findings, len(r.rows)-1)
			about := fmt.Sprintf("%*s  finding %d: ", digits, "", len(r.findings))
			r.rows = append(r.rows, row{about, toneWord(note.Tone) + draw.Clean(note.Text)})
		}
	}
	p.doc = r
	p.say(fmt.Sprintf("%s: %s, %s.", code.Label, screen.Counted(len(body), "line"), screen.Counted(len(r.findings), "finding")))
	p.nextPart()
}

// nextPart writes the next part, and ends the reading behind the last one.
func (p *plain) nextPart() {
	r := p.doc
	end := min(r.at+r.part, len(r.rows))
	for _, row := range r.rows[r.at:end] {
		p.put(row.first, row.text)
	}
	r.at = end
	if end == len(r.rows) {
		p.say("End of the document.")
		p.doc = nil
	}
}

// question asks how to go on reading.
func (r *reading) question() string {
	text := fmt.Sprintf("%s of %s lines read. Next part? enter, s to stop", screen.Thousands(r.at), screen.Thousands(len(r.rows)))
	if len(r.findings) > 0 {
		text += fmt.Sprintf(", f for the next finding, f1 to f%d for one of them", len(r.findings))
	}
	return text
}

// reads carries out what was typed while a document is read.
func (p *plain) reads(word string) {
	r := p.doc
	switch {
	case word == "" || word == "next" || word == "n":
		p.nextPart()
	case word == "s" || word == "stop" || word == "b" || word == "back":
		p.doc = nil
		p.say("Stopped reading.")
	case strings.HasPrefix(word, "f") && len(r.findings) > 0:
		p.jump(strings.TrimPrefix(word, "f"))
	default:
		p.say("Not understood: " + word + ". " + r.question() + ".")
	}
}

// jump goes on reading at a finding: the next one, or that of a number.
func (p *plain) jump(number string) {
	r := p.doc
	if number != "" {
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > len(r.findings) {
			p.say("There are " + screen.Counted(len(r.findings), "finding") + ": f1 is the first.")
			return
		}
		r.at = r.findings[n-1]
		p.nextPart()
		return
	}
	for _, at := range r.findings {
		if at >= r.at {
			r.at = at
			p.nextPart()
			return
		}
	}
	p.say("There is no other finding below. f1 is the first one.")
}
