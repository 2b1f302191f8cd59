package choose

import (
	"cmp"

	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// entered takes the value of the parameter that is asked for.
func (c *Permissions) entered(s *step.Session, text string) (step.Move, []screen.Effect) {
	p, ok := c.parameterAsked(s)
	if !ok {
		return step.Stay, nil
	}
	if err := p.Check(text); err != nil {
		c.field = step.InputProblem(err)
		return step.Stay, nil
	}
	values := map[string]string{c.parameter: text}
	for k, v := range s.Parameters {
		if k != c.parameter {
			values[k] = v
		}
	}
	s.Parameters = values
	return c.next(s)
}

func (c *Permissions) parameterAsked(s *step.Session) (describe.Parameter, bool) {
	return s.Vendor.Parameter(c.parameter)
}

// parameterBlocks ask for one parameter: by a list where it has one, else by a
// field, which is another one for each parameter.
func (c *Permissions) parameterBlocks(s *step.Session) []screen.Block {
	p, _ := c.parameterAsked(s)
	asks := screen.Text{Body: cmp.Or(p.About, p.Label)}
	value := s.Parameters[c.parameter]
	if len(p.Choices) == 0 {
		return []screen.Block{
			asks,
			screen.Input{ID: "parameter:" + c.parameter, Label: p.Label, Value: value, Hint: p.Example, Problem: c.field, Flag: p.Flag},
		}
	}
	choices := screen.Choices{ID: "parameter:" + c.parameter, Label: p.Label, Picked: p.Sample(), Flag: p.Flag}
	for _, choice := range p.Choices {
		choices.Options = append(choices.Options, screen.Option{ID: choice.Value, Label: choice.Title, Detail: choice.Value})
		if choice.Value == value {
			choices.Picked = value
		}
	}
	return []screen.Block{asks, choices}
}
