package steps

import (
	"context"
	"fmt"
	"strings"
)

// connectRequest hands a role over by the one request that the vendor's
// description declares. Its address and its text are shown whole, and it is
// sent when the person says so; copying by hand is always another way.
type connectRequest struct {
	connect
	asking bool // before anything was sent
	sent   bool // a request is under way
}

type requestAnswered struct {
	status int
	answer string
	err    error
}

// flagSendTo allows the request unattended, by naming its address.
const flagSendTo = "--send-to"

// Enter shows what would be sent.
func (c *connectRequest) Enter(s *Session) []Effect {
	effects := c.connect.Enter(s)
	c.asking, c.sent = c.stage != connected && s.Post != nil, false
	return effects
}

// request is what would be sent for the first role: a description with a
// request has one.
func (c *connectRequest) request(s *Session) (purpose, url, body string) {
	for _, role := range s.NeededRoles() {
		part := s.Part(role.Purpose)
		return role.Purpose, s.Vendor.HandOver.URL, s.Vendor.HandOver.Fill(part.RoleARN, part.ExternalID, s.AccountID)
	}
	return "", "", ""
}

// posted reports whether the declared request was answered with success.
func (s *Session) posted() bool {
	if s.Vendor.HandOver.URL == "" {
		return false
	}
	for _, role := range s.NeededRoles() {
		if !s.Part(role.Purpose).Submitted.IsZero() {
			return true
		}
	}
	return false
}

// Update sends, or turns to copying.
func (c *connectRequest) Update(s *Session, msg Msg) (Move, []Effect) {
	switch msg := msg.(type) {
	case requestAnswered:
		return c.answeredRequest(s, msg)
	case Broke:
		c.sent, c.asking, c.problem = false, true, brokenProblem(msg)
		return Stay, nil
	case Chose:
		switch {
		case msg.ID == "send":
			c.sent, c.asking, c.problem, c.since = true, false, nil, s.Now()
			return Stay, []Effect{c.post(s)}
		case msg.ID == "by-hand" && c.asking:
			c.asking, c.problem = false, nil
			return Stay, nil
		}
	}
	return c.connect.Update(s, msg)
}

func (c *connectRequest) post(s *Session) Effect {
	_, url, body := c.request(s)
	post := s.Post
	return Call{Name: "send the role to " + url, Writes: true, Do: func(ctx context.Context) Msg {
		status, answer, err := post(ctx, url, body)
		return requestAnswered{status, answer, err}
	}}
}

func (c *connectRequest) answeredRequest(s *Session, msg requestAnswered) (Move, []Effect) {
	c.sent = false
	purpose, url, _ := c.request(s)
	switch {
	case msg.err != nil:
		c.asking, c.problem = true, &Problem{What: "There was no answer from " + url + ": " + cleanLine(msg.err.Error()) + ".",
			Expected: "an answer", Next: "It may have arrived all the same: look in the vendor's console before you send it again.", Kind: VendorRefuse}
	case msg.status < 200 || msg.status > 299:
		c.asking, c.problem = true, &Problem{What: fmt.Sprintf("%s answered with HTTP %d.", s.Vendor.Title, msg.status), Expected: "HTTP 200 to 299",
			Next: "Press enter to send it again, or h to copy by hand.", Quoted: cleanLine(msg.answer), Kind: VendorRefuse}
	default:
		now := s.Now()
		s.setPart(purpose, func(p *Part) { p.Submitted = now })
		c.stage = connected
		s.settle(stepConnect, c.basis(s.Answers)...)
	}
	return Stay, nil
}

// Screen shows the request before it is sent.
func (c *connectRequest) Screen(s *Session) Screen {
	_, url, body := c.request(s)
	switch {
	case c.sent:
		screen := c.screen(s)
		screen.Blocks = []Block{Tasks{{Name: "Waiting for " + url, State: Running, Since: c.since}}}
		return screen
	case !c.asking:
		return c.connect.Screen(s)
	}
	screen := c.screen(s)
	screen.Blocks = []Block{Text{Body: "The description of " + s.Vendor.Title + " asks rolecall to send this. It goes to this address and nowhere else:"},
		Facts{{Label: "Address", Value: url}}}
	if about := s.Vendor.HandOver.About; about != "" {
		screen.Blocks = append(screen.Blocks, Text{Tone: Dim, Body: about})
	}
	for line := range strings.Lines(strings.TrimSpace(body)) {
		screen.Blocks = append(screen.Blocks, Text{Body: strings.TrimRight(line, "\n")})
	}
	screen.Blocks = append(screen.Blocks, Text{Tone: Dim, Body: "Whoever has the ARN and the external ID cannot use the role: only the account that it trusts can."})
	screen.Blocks = appendProblem(screen.Blocks, c.problem)
	screen.Actions = []Action{
		{ID: "send", Label: "send it", Default: true, Confirm: &Confirm{Question: "Send the role to " + url + "?", Flag: flagSendTo, Given: s.SendTo == url}},
		{ID: "by-hand", Key: "h", Label: "copy it by hand"},
	}
	return screen
}

// Asks names the address, which only a flag allows unattended.
func (c *connectRequest) Asks(s *Session) []Need {
	_, url, _ := c.request(s)
	if s.Post == nil || s.SendTo == url {
		return nil
	}
	return []Need{{Flag: flagSendTo, Why: "the address that the role goes to, as the vendor's description declares it: " + s.Vendor.HandOver.URL}}
}
