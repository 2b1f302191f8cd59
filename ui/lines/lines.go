package lines

import (
	"fmt"
	"strings"

	"rolecall/steps/screen"
)

// screenLines are a screen's blocks as lines of text.
func screenLines(screen screen.Screen) []string {
	var lines []string
	number := 0
	for _, block := range screen.Blocks {
		lines = append(lines, blockLines(block, &number)...)
	}
	for _, action := range screen.Actions {
		if action.Key == "" {
			continue
		}
		line := "  " + action.Key + "  " + action.Label
		if action.Disabled != "" {
			line += " (not now: " + action.Disabled + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

// blockLines are one block as lines of text. number counts what can be picked
// by typing its number.
func blockLines(block screen.Block, number *int) []string {
	switch block := block.(type) {
	case screen.Text:
		return []string{toneWord(block.Tone) + block.Body}
	case screen.Instructions:
		return instructionLines(block)
	case screen.Facts:
		return factLines(block)
	case screen.Choices:
		return choiceLines(block, number)
	case screen.Tree:
		return treeLines(block, number)
	case screen.Input:
		return inputLines(block)
	case screen.Meter:
		return []string{
			strings.TrimSpace(block.Label + ": " + screen.Thousands(block.Used) + " of " + screen.Thousands(block.Limit) + " " + block.Unit),
		}
	case screen.Code:
		if block.Aside {
			return []string{block.Label + ": " + block.About + " (v reads it)"}
		}
		return []string{block.Label + ": " + block.About + " (v reads it, s saves it)"}
	case screen.Checks:
		lines := make([]string, 0, len(block))
		for _, check := range block {
			lines = append(lines, checkLines(check)...)
		}
		return lines
	case screen.Tasks:
		return taskLines(block)
	case screen.Waiting:
		return []string{waitingLine(block)}
	case screen.Link:
		return []string{block.Label + ": " + block.URL}
	case screen.Problem:
		return problemLines(block)
	case screen.Picture:
		return []string{block.Alt}
	}
	return nil
}

func toneWord(tone screen.Tone) string {
	switch tone {
	case screen.Good:
		return "Good: "
	case screen.Warning:
		return "Warning: "
	case screen.Plain, screen.Dim:
	}
	return ""
}

func instructionLines(in screen.Instructions) []string {
	lines, next := make([]string, len(in)), in.Next()
	for i, one := range in {
		state, spared := "", ""
		switch {
		case one.Done:
			state = "done: "
		case i == next:
			state = "next: "
		}
		if one.Page != screen.PageNothing && !one.Done {
			spared = " (o " + string(one.Page) + " it)"
		}
		lines[i] = fmt.Sprintf("  %d. %s%s%s", one.Number, state, one.Text, spared)
	}
	return lines
}

func factLines(facts screen.Facts) []string {
	var lines []string
	for _, fact := range facts {
		note := ""
		if fact.Note != "" {
			note = " (" + fact.Note + ")"
		}
		lines = append(lines, "  "+fact.Label+note+":", "    "+fact.Value)
	}
	return lines
}

func choiceLines(c screen.Choices, number *int) []string {
	var lines []string
	if c.Label != "" {
		lines = append(lines, c.Label)
	}
	for _, option := range c.Options {
		*number++
		line := fmt.Sprintf("  %d  %s", *number, option.Label)
		if option.ID == c.Picked {
			line += " (marked)"
		}
		if option.Detail != "" {
			line += ": " + option.Detail
		}
		if option.Disabled != "" {
			line += " (not now: " + option.Disabled + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

// mostNodes is up to how many nodes of a tree are read out: nobody listens to
// thousands.
const mostNodes = 100

// treeLines are the first nodes of a tree, and how many there are beside them.
func treeLines(tree screen.Tree, number *int) []string {
	lines := nodeLines(tree.Nodes, "  ", number)
	if more := len(lines) - mostNodes; more > 0 {
		lines = append(lines[:mostNodes:mostNodes], fmt.Sprintf("  and %s: type / and a part of a name", screen.Counted(more, "more line")))
	}
	return lines
}

func nodeLines(nodes []screen.Node, indent string, number *int) []string {
	var lines []string
	for _, node := range nodes {
		*number++
		state := map[screen.Tick]string{screen.Off: "off", screen.Partly: "partly", screen.On: "on"}[node.Tick]
		words := []string{fmt.Sprintf("%s%d  %s: %s", indent, *number, node.Label, state)}
		for _, more := range []string{node.Detail, node.Note} {
			if more != "" {
				words = append(words, more)
			}
		}
		lines = append(append(lines, strings.Join(words, ", ")), nodeLines(node.Children, indent+"  ", number)...)
	}
	return lines
}

func inputLines(in screen.Input) []string {
	var lines []string
	line := in.Label
	if in.Value != "" && !in.Secret {
		line += ", now " + in.Value
	}
	switch {
	case in.Hint == "":
	case in.Filter:
		line += ": type / and " + in.Hint
	default:
		line += " (" + in.Hint + ")"
	}
	if in.Secret {
		line += " (not shown while you type)"
	}
	lines = append(lines, line)
	if in.Problem != "" {
		lines = append(lines, "  ! "+in.Problem)
	}
	return lines
}

func checkLines(c screen.Check) []string {
	head := "  " + string(c.State) + ": " + c.Label
	switch {
	case c.Told:
		return nil
	case c.State == screen.Pass:
		return []string{head + ": " + c.Got}
	}
	lines := []string{head}
	for _, more := range [][2]string{{"wanted: ", c.Want}, {"found: ", c.Got}, {"", c.Fix}} {
		if more[1] != "" {
			lines = append(lines, "      "+more[0]+more[1])
		}
	}
	return lines
}

func taskLines(tasks screen.Tasks) []string {
	lines := make([]string, len(tasks))
	for i, task := range tasks {
		lines[i] = strings.TrimRight("  "+string(task.State)+": "+task.Name+" "+task.Detail, " ")
	}
	return lines
}

// waitingLine leaves out what changes with every look: only news is printed.
func waitingLine(w screen.Waiting) string {
	line := "Waiting for " + w.For + "."
	if !w.Since.IsZero() && !w.Until.IsZero() {
		line += " rolecall looks until " + w.Until.Local().Format("15:04:05") + "."
	}
	return line
}

func problemLines(p screen.Problem) []string {
	lines := []string{"! " + p.What}
	if p.Quoted != "" {
		lines = append(lines, "    said:     "+p.Quoted)
	}
	if line := p.Named.Request(); line != "" {
		lines = append(lines, "    request:  "+line)
	}
	if p.Wanted != "" || p.Found != "" {
		lines = append(lines, "    wanted:   "+p.Wanted, "    found:    "+p.Found)
	}
	if p.Expected != "" {
		lines = append(lines, "    expected: "+p.Expected)
	}
	if p.Next != "" {
		lines = append(lines, "    next:     "+p.Next)
	}
	return lines
}

// firstInput is the field that is asked; a filter is none: it waits to be asked for.
func firstInput(view screen.Screen) (screen.Input, bool) {
	return firstInputThat(view, func(in screen.Input) bool { return !in.Filter })
}

func firstFilter(view screen.Screen) (screen.Input, bool) {
	return firstInputThat(view, func(in screen.Input) bool { return in.Filter })
}

func firstInputThat(view screen.Screen, fits func(screen.Input) bool) (screen.Input, bool) {
	for _, block := range view.Blocks {
		if in, ok := block.(screen.Input); ok && fits(in) {
			return in, true
		}
	}
	return screen.Input{}, false
}

func firstChoices(view screen.Screen) (screen.Choices, bool) {
	return firstBlock[screen.Choices](view)
}

// firstBlock is the first block of a type.
func firstBlock[B screen.Block](screen screen.Screen) (found B, ok bool) {
	for _, block := range screen.Blocks {
		if b, is := block.(B); is {
			return b, true
		}
	}
	return found, false
}

func defaultAction(view screen.Screen) (screen.Action, bool) {
	for _, action := range view.Actions {
		if action.Default {
			return action, true
		}
	}
	return screen.Action{}, false
}
