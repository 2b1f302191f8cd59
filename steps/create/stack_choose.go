package create

import (
	"context"

	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// chose takes what the person picked or pressed.
func (c *Stack) chose(s *step.Session, msg screen.Chose) (step.Move, []screen.Effect) {
	switch msg.Block {
	case choiceWay:
		return step.Stay, c.choseWay(s, msg.ID)
	case choiceTaken:
		return step.Stay, c.choseTaken(s, msg.ID)
	}
	switch msg.ID {
	case "use":
		return step.Stay, c.useNames(s)
	case "create":
		s.Stack.Acknowledged = true
		return step.Stay, c.create(s)
	case "execute":
		return step.Stay, c.execute(s)
	case "discard":
		return step.Stay, c.discard(s)
	case "act":
		c.making = true
		return step.Stay, []screen.Effect{c.send(s, true)}
	case "delete":
		return step.Stay, c.delete(s)
	case "rename":
		c.beginNaming(s)
	case "way":
		c.stage, c.problem = inStackWays, nil
	case "again":
		return step.Stay, c.again(s)
	case "anyway":
		c.stage, c.problem = inStackReady, nil
	case "login":
		return step.Goto(record.StepLogin), nil
	case "next":
		return step.Next, nil
	}
	return step.Stay, nil
}

// again looks anew. Credentials that ran out are read anew first.
func (c *Stack) again(s *step.Session) []screen.Effect {
	renew := s.AWS != nil && c.problem != nil && c.problem.Kind == screen.AWSRefused
	effects := c.look(s)
	if !renew || len(effects) == 0 {
		return effects
	}
	account, call := s.AWS, effects[0].(screen.Call)
	read := call.Do
	call.Do = func(ctx context.Context) screen.Msg {
		if err := account.Renew(ctx); err != nil {
			return stackLooked{err: err}
		}
		return read(ctx)
	}
	return []screen.Effect{call}
}

// choseWay takes who makes the stack.
func (c *Stack) choseWay(s *step.Session, way string) []screen.Effect {
	if c.stage != inStackWays || way == wayHere && s.AWS == nil {
		return nil
	}
	s.Stack.Way = way
	switch way {
	case wayHere:
		return c.ask(s)
	case wayConsole, wayCLI:
		return c.wait(s)
	}
	return nil
}

// choseTaken takes one of the ways out when another stack has the name.
func (c *Stack) choseTaken(s *step.Session, id string) []screen.Effect {
	if c.stage != inStackTaken {
		return nil
	}
	switch id {
	case optionRename:
		c.beginNaming(s)
	case optionUpdate:
		if !c.updatable(s) {
			return nil
		}
		c.update, s.Stack.Way = true, wayHere
		return c.ask(s)
	case optionStop:
		c.stop(&screen.Problem{What: "Stopped. Nothing was changed.", Expected: "a choice between another name and an update",
			Next: "Press enter to look again, or leave with ctrl+c: the session is saved.", Kind: screen.NotAsNeeded})
	}
	return nil
}
