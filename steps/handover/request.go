package handover

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Request hands roles over by the request that the vendor's description
// declares, once for each role that it says something else of. Its address and
// its text are shown whole, and it is sent when the person says so; copying by
// hand is always another way.
type Request struct {
	Connect
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
func (c *Request) Enter(s *step.Session) []screen.Effect {
	effects := c.Connect.Enter(s)
	c.asking, c.sent = c.stage == handOver && s.Post != nil, false
	return effects
}

// outgoing is one request, and the roles that it hands over.
type outgoing struct {
	url, body string
	purposes  []string
	sent      bool
}

// requests are all that are needed: the roles of which the description says the
// same share one.
func requests(s *step.Session) []outgoing {
	var all []outgoing
	for _, role := range s.Request().Needed() {
		part := s.Part(role.Purpose)
		body := s.Vendor.HandOver.Render(part.RoleARN, part.ExternalID, s.AccountID)
		i := slices.IndexFunc(all, func(o outgoing) bool { return o.body == body })
		if i < 0 {
			all = append(all, outgoing{url: s.Vendor.HandOver.URL, body: body, sent: true})
			i = len(all) - 1
		}
		all[i].purposes = append(all[i].purposes, role.Purpose)
		all[i].sent = all[i].sent && !part.Submitted.IsZero()
	}
	return all
}

// next is the request to send next, from 1, and of how many; the last where all
// were sent.
func (c *Request) next(s *step.Session) (one outgoing, number, of int) {
	all := requests(s)
	for i, one := range all {
		if !one.sent || i == len(all)-1 {
			return one, i + 1, len(all)
		}
	}
	return outgoing{}, 0, 0
}

// sendID is the action that sends the nth request: each is agreed to by itself.
func sendID(number int) string {
	if number == 1 {
		return "send"
	}
	return fmt.Sprintf("send-%d", number)
}

// Update sends, or turns to copying.
func (c *Request) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case requestAnswered:
		return c.answeredRequest(s, msg)
	case screen.Broke:
		c.sent, c.asking, c.problem = false, true, screen.BrokenProblem(msg)
		return step.Stay, nil
	case screen.Chose:
		_, number, _ := c.next(s)
		switch {
		case msg.ID == sendID(number) && c.asking:
			c.sent, c.asking, c.problem, c.since = true, false, nil, s.Now()
			return step.Stay, []screen.Effect{c.post(s)}
		case msg.ID == "by-hand" && c.asking:
			c.asking, c.problem = false, nil
			return step.Stay, nil
		}
	}
	return c.Connect.Update(s, msg)
}

func (c *Request) post(s *step.Session) screen.Effect {
	one, _, _ := c.next(s)
	post := s.Post
	return screen.Call{Name: "send the role to " + one.url, Writes: true, Do: func(ctx context.Context) screen.Msg {
		status, answer, err := post(ctx, one.url, one.body)
		return requestAnswered{status, answer, err}
	}}
}

func (c *Request) answeredRequest(s *step.Session, msg requestAnswered) (step.Move, []screen.Effect) {
	c.sent = false
	one, _, _ := c.next(s)
	switch {
	case msg.err != nil:
		c.asking, c.problem = true, &screen.Problem{What: "There was no answer from " + one.url + ": " + screen.CleanLine(msg.err.Error()) + ".",
			Expected: "an answer", Next: "It may have arrived all the same: look in the vendor's console before you send it again."}
	case msg.status < 200 || msg.status > 299:
		c.asking, c.problem = true, &screen.Problem{
			What:     fmt.Sprintf("%s answered with HTTP %d.", s.Vendor.Title, msg.status),
			Expected: "HTTP 200 to 299",
			Next:     "Send it again, or copy it by hand.",
			Quoted:   screen.CleanLine(msg.answer),
		}
		if saidNo(msg.status) {
			c.problem.Kind = screen.VendorRefuse
		}
	default:
		now := s.Now()
		for _, purpose := range one.purposes {
			s.SetPart(purpose, func(p *record.Part) { p.Submitted = now })
		}
		if c.leftToHandOver(s) {
			c.asking, c.problem = true, nil
			return step.Stay, nil
		}
		c.stage = connected
		s.Answered(record.StepConnect, c.basis(s.Answers)...)
	}
	return step.Stay, nil
}

// saidNo tells a server that understood and refused from one that is not well, or
// was asked too often, and from what stands before it.
func saidNo(status int) bool {
	switch status {
	case http.StatusProxyAuthRequired, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status >= http.StatusBadRequest && status < http.StatusInternalServerError
}

// Screen shows the request before it is sent.
func (c *Request) Screen(s *step.Session) screen.Screen {
	one, number, of := c.next(s)
	switch {
	case c.sent:
		view := c.NewScreen(s)
		view.Blocks = []screen.Block{screen.Tasks{{Name: "Waiting for " + one.url, State: screen.Running, Since: c.since}}}
		return view
	case !c.asking:
		return c.Connect.Screen(s)
	}
	view := c.NewScreen(s)
	view.Blocks = []screen.Block{
		screen.Text{Body: "The description of " + s.Vendor.Title + " asks rolecall to send this. It goes to this address and nowhere else:"},
		screen.Facts{{Label: "Address", Value: one.url}},
	}
	if of > 1 {
		view.Blocks = append(view.Blocks, screen.Text{Body: fmt.Sprintf("This is request %d of %d: each role is sent by itself.", number, of)})
	}
	if local := s.Vendor.HandOver.Local(); local != "" {
		view.Blocks = append(
			view.Blocks,
			screen.Text{Tone: screen.Warning, Body: local + " Send nothing there unless you know why the description names it."},
		)
	}
	if about := s.Vendor.HandOver.About; about != "" {
		view.Blocks = append(view.Blocks, screen.Text{Tone: screen.Dim, Body: about})
	}
	for line := range strings.Lines(strings.TrimSpace(one.body)) {
		view.Blocks = append(view.Blocks, screen.Text{Body: strings.TrimRight(line, "\n")})
	}
	view.Blocks = append(
		view.Blocks,
		screen.Text{Tone: screen.Dim, Body: "Whoever has the ARN and the external ID cannot use the role: only the account that it trusts can."},
	)
	view.Blocks = screen.ProblemFirst(view.Blocks, c.problem)
	view.Actions = []screen.Action{
		{
			ID:      sendID(number),
			Label:   "send it",
			Default: true,
			Writes:  true,
			Confirm: &screen.Confirm{Question: "Send the role to " + one.url + "?", Flag: flagSendTo, Given: s.SendTo == one.url},
		},
		{ID: "by-hand", Key: "h", Label: "copy it by hand"},
	}
	return view
}

// Asks names the address, which only a flag allows unattended.
func (c *Request) Asks(s *step.Session) []step.Need {
	if s.Post == nil || s.SendTo == s.Vendor.HandOver.URL {
		return nil
	}
	return []step.Need{
		{Flag: flagSendTo, Why: "the address that the role goes to, as the vendor's description declares it: " + s.Vendor.HandOver.URL},
	}
}

// Outcome says how the request went.
func (m requestAnswered) Outcome() screen.Outcome {
	switch {
	case m.err != nil:
		return screen.Outcome{Result: screen.ResultUnknown, Said: m.err.Error()}
	case m.status >= 200 && m.status <= 299:
		return screen.Outcome{Result: screen.ResultDone}
	}
	o := screen.Outcome{Result: screen.ResultUnknown, Code: strconv.Itoa(m.status), Said: fmt.Sprintf("HTTP %d", m.status)}
	if saidNo(m.status) {
		o.Result = screen.ResultRefused
	}
	return o
}
