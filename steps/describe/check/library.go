// Package check reads the descriptions of vendors: it decodes their YAML
// strictly, checks each whole, with the place of every mistake, and writes the
// JSON Schema that says as much of it as a schema can.
package check

import (
	"encoding/json"
	"slices"

	"rolecall/assets"
	"rolecall/steps/describe"
)

// Library reads descriptions. It knows what they can name of the program, which
// stands above this package: its steps and the APIs that it has clients of.
type Library struct {
	Steps     []StepKind
	Contracts []Contract
	APIs      []string // "spot"
	// Taken are flags of the program ("--path"), which no parameter of a file that
	// did not come with it can have.
	Taken []string
}

// StepKind is a step that the program has, and that a method can list.
type StepKind struct {
	ID      string // "policy"
	PerRole bool   // it is walked once for each role
	// Marks are what the step can tell that a person did: MarkOpened, and the
	// labels of what can be copied there. A step without any shows no instruction
	// as done. UserMarks stand beside them where the vendor gets a user.
	Marks, UserMarks []string
	// Fills are the labels of the values that the page which the step opens can
	// come with. Opens says that the step opens one.
	Fills []string
	Opens bool
}

// marks are those that the step has in a method of this access.
func (k StepKind) marks(access string) []string {
	if access == describe.AccessUser {
		return append(slices.Clone(k.Marks), k.UserMarks...)
	}
	return k.Marks
}

// pages are what a page that the step opens can spare.
func (k StepKind) pages() []string {
	if !k.Opens {
		return nil
	}
	return append([]string{describe.PageOpens}, k.Fills...)
}

// StepIDs are the names of the steps, in the order in which the program lists
// them.
func (l Library) StepIDs() []string {
	ids := make([]string, len(l.Steps))
	for i, kind := range l.Steps {
		ids[i] = kind.ID
	}
	return ids
}

// step finds a step by its name; the zero StepKind when there is none.
func (l Library) step(id string) StepKind {
	i := slices.IndexFunc(l.Steps, func(kind StepKind) bool { return kind.ID == id })
	if i < 0 {
		return StepKind{}
	}
	return l.Steps[i]
}

// titles are those of the vendors that come with the program, by which people
// know them.
func titles() []string {
	var all []string
	for _, name := range assets.Vendors() {
		var known struct{ Title string }
		if text, err := assets.CompiledVendor(name); err == nil && json.Unmarshal(text, &known) == nil {
			all = append(all, known.Title)
		}
	}
	return all
}
