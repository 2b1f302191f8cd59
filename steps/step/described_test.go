package step_test

import (
	"testing"

	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

func TestInstructionsThatReadAlikeAreTickedOneByOne(t *testing.T) {
	s := &step.Session{Vendor: &describe.Vendor{}}
	d := &step.Described{Spec: describe.Step{Instructions: []string{"Choose Next.", "Type.", "Choose Next."}}}
	list := func() screen.Instructions {
		in, _ := d.Guide(s)[0].(screen.Instructions)
		return in
	}
	d.MarkDone(s, screen.Followed{ID: list()[0].ID(), Done: true})
	if in := list(); !in[0].Done || in[2].Done || in.Next() != 1 {
		t.Errorf("%+v", in)
	}
	if (&step.Described{}).Guide(s) != nil {
		t.Error("a block without instructions")
	}
}
