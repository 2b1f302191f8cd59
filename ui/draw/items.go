package draw

import (
	"slices"

	"rolecall/steps/screen"
)

// Kind is what an Item is.
type Kind int

// The kinds of items.
const (
	Option   Kind = iota // one of Choices: enter picks it
	Node                 // of a Tree: space ticks it
	Field                // an Input: has the focus while it is marked
	Value                // a Fact to copy
	Document             // a Code: copy, save, view
	Page                 // a Link: open
	ToDo                 // an Instruction: space ticks it
)

// Item is one thing that the cursor can mark. Items are a flat list in the order
// in which they are drawn: there is no other cursor.
type Item struct {
	Key      string // stable while the screen changes around it
	Kind     Kind
	Block    string // the ID of its Choices or Tree
	ID       string
	Label    string
	Text     string // what c copies, byte for byte; empty when nothing
	Number   int    // 1-9: the key that copies it; 0 when there is none
	Disabled string // why it cannot be picked or ticked
	On       bool   // a Node: ticked whole; an instruction: done
	Folds    bool   // a Node: there is something under it to fold out
	Children bool   // a Node: there are nodes under it
	Parent   string // a Node: the key of the node above it
	Picked   bool   // an Option: where the cursor starts
	Secret   bool
	Long     bool   // a Field: takes documents, which are entered whole
	Filter   bool   // a Field: narrows the list below it
	Value    string // a Field: the step's value
	Code     screen.Code
}

// Folds says which nodes of a tree are folded against the default: children are
// shown, details are hidden. It is keyed by the item's Key.
type Folds map[string]Fold

// Fold is the state of one node.
type Fold struct{ Closed, Details bool }

// Items lists what can be marked on a screen.
func Items(view screen.Screen, folds Folds) []Item {
	l := lister{folds: folds}
	for _, block := range view.Blocks {
		if tree, ok := block.(screen.Tree); ok {
			l.items = slices.Grow(l.items, countNodes(tree.Nodes))
		}
	}
	for _, block := range view.Blocks {
		l.block(block)
	}
	return l.items
}

// countNodes is how many nodes a tree has: one of an organisation has thousands.
func countNodes(nodes []screen.Node) int {
	n := len(nodes)
	for i := range nodes {
		n += countNodes(nodes[i].Children)
	}
	return n
}

type lister struct {
	items  []Item
	folds  Folds
	copies int
}

func (l *lister) block(block screen.Block) {
	switch b := block.(type) {
	case screen.Choices:
		for _, o := range b.Options {
			l.add(Item{Key: optionKey(b, o), Kind: Option, Block: b.ID, ID: o.ID, Label: o.Label,
				Disabled: o.Disabled, Picked: o.ID == b.Picked})
		}
	case screen.Tree:
		l.nodes(b, b.Nodes, "")
	case screen.Input:
		l.add(Item{Key: inputKey(b), Kind: Field, ID: b.ID, Label: b.Label, Value: b.Value, Secret: b.Secret, Long: b.Long,
			Filter: b.Filter})
	case screen.Facts:
		for _, f := range b {
			if f.Copy {
				l.copyable(Item{Key: factKey(f), Kind: Value, Label: f.Label, Text: f.Value})
			}
		}
	case screen.Code:
		item := Item{Key: codeKey(b), Kind: Document, Label: b.Label, Text: b.Body, Code: b}
		if b.Aside {
			l.add(item)
			return
		}
		l.copyable(item)
	case screen.Link:
		l.add(Item{Key: linkKey(b), Kind: Page, Label: b.Label, Text: b.URL})
	case screen.Instructions:
		for _, one := range b {
			l.add(Item{Key: instructionKey(one), Kind: ToDo, ID: one.ID(), Label: one.Text, On: one.Done})
		}
	case screen.Text, screen.Meter, screen.Checks, screen.Tasks, screen.Waiting, screen.Problem, screen.Picture:
		// These are to read.
	}
}

func (l *lister) add(item Item) { l.items = append(l.items, item) }

func (l *lister) copyable(item Item) {
	if slices.ContainsFunc(l.items, func(one Item) bool { return one.Key == item.Key }) {
		return // the same value under the same label is the same thing
	}
	l.copies++
	if l.copies <= 9 {
		item.Number = l.copies
	}
	l.add(item)
}

func (l *lister) nodes(tree screen.Tree, nodes []screen.Node, parent string) {
	for i := range nodes {
		n := &nodes[i]
		key := nodeKey(tree, n)
		l.add(Item{Key: key, Kind: Node, Block: tree.ID, ID: n.ID, Label: n.Label, Disabled: n.Fixed,
			On: n.Tick == screen.On, Folds: len(n.Children)+len(n.Details) > 0, Children: len(n.Children) > 0, Parent: parent})
		if !l.folds[key].Closed {
			l.nodes(tree, n.Children, key)
		}
	}
}

func optionKey(c screen.Choices, o screen.Option) string { return "option/" + c.ID + "/" + o.ID }
func nodeKey(t screen.Tree, n *screen.Node) string       { return "node/" + t.ID + "/" + n.ID }
func inputKey(in screen.Input) string                    { return "input/" + in.ID }
func codeKey(c screen.Code) string                       { return "code/" + c.Name + "/" + c.Label }
func linkKey(l screen.Link) string                       { return "link/" + l.Label + "/" + l.URL }

func instructionKey(one screen.Instruction) string { return "instruction/" + one.ID() }

// factKey holds the value too: another value under the same label is another
// thing, not yet copied. Where it stands is not in it: what comes above it later
// leaves it the thing that it is.
func factKey(f screen.Fact) string { return "fact/" + f.Label + "/" + f.Value }

// Start is the index of the item that is marked when nothing was marked yet: the
// option that is picked, else the first option, else the first item, where links
// alone do not keep the mark from a field. Instructions have a mark of their own.
// A filter waits until it is asked for. It is -1 when there is none.
func Start(items []Item) int {
	first, option := -1, -1
	for i, item := range items {
		switch {
		case item.Kind == Option && item.Picked:
			return i
		case item.Disabled != "" || item.Kind == ToDo || item.Code.Aside || item.Filter:
		case item.Kind == Option && option < 0:
			option = i
		case first < 0, item.Kind == Field && items[first].Kind == Page:
			first = i
		}
	}
	switch {
	case option >= 0:
		return option
	case first < 0:
		first = slices.IndexFunc(items, func(item Item) bool { return !item.Filter })
	}
	if first >= 0 && items[first].Kind == ToDo {
		return -1
	}
	return first
}
