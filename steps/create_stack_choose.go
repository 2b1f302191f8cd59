package steps

import "context"

// chose takes what the person picked or pressed.
func (c *createStack) chose(s *Session, msg Chose) (Move, []Effect) {
	switch msg.Block {
	case choiceWay:
		return Stay, c.choseWay(s, msg.ID)
	case choiceTaken:
		return Stay, c.choseTaken(s, msg.ID)
	}
	switch msg.ID {
	case "use":
		return Stay, c.useNames(s)
	case "create":
		s.Stack.Acknowledged = true
		return Stay, c.create(s)
	case "execute":
		return Stay, c.execute(s)
	case "discard":
		return Stay, c.discard(s)
	case "act":
		c.making = true
		return Stay, []Effect{c.send(s, true)}
	case "delete":
		return Stay, c.delete(s)
	case "rename":
		c.beginNaming(s)
	case "way":
		c.stage, c.problem = inStackWays, nil
	case "again":
		return Stay, c.again(s)
	case "anyway":
		c.stage, c.problem = inStackReady, nil
	case "login":
		return Goto(stepLogin), nil
	case "next":
		return Next, nil
	}
	return Stay, nil
}

// again looks anew. Credentials that ran out are read anew first.
func (c *createStack) again(s *Session) []Effect {
	renew := s.AWS != nil && c.problem != nil && c.problem.Kind == AWSRefused
	effects := c.look(s)
	if !renew || len(effects) == 0 {
		return effects
	}
	account, call := s.AWS, effects[0].(Call)
	read := call.Do
	call.Do = func(ctx context.Context) Msg {
		if err := account.Renew(ctx); err != nil {
			return stackLooked{err: err}
		}
		return read(ctx)
	}
	return []Effect{call}
}

// choseWay takes who makes the stack.
func (c *createStack) choseWay(s *Session, way string) []Effect {
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
func (c *createStack) choseTaken(s *Session, id string) []Effect {
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
		c.stop(&Problem{What: "Stopped. Nothing was changed.", Expected: "a choice between another name and an update",
			Next: "Press enter to look again, or leave with ctrl+c: the session is saved.", Kind: NotAsNeeded})
	}
	return nil
}
