package rehearse

import (
	"time"

	awsrehearsal "rolecall/aws/rehearsal"
	"rolecall/steps/screen"
	"rolecall/steps/vendorapi"
)

// hurriedLatency and hurriedRetry stand for longer times where nobody looks on.
const (
	hurriedLatency = 50 * time.Millisecond
	hurriedRetry   = time.Second
)

// List are the scenarios to choose from, as options of a list.
func (r *Rehearsal) List() []screen.Option {
	var options []screen.Option
	for _, c := range Scenarios() {
		words := c.Of(r.vendorTitle())
		options = append(options, screen.Option{ID: c.Name, Label: words.Title, Detail: words.Detail, Disabled: c.Lacks(r.session)})
	}
	return options
}

// Now is what is wrong now, in words; empty: nothing.
func (r *Rehearsal) Now() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now == nil {
		return ""
	}
	return r.now.Of(r.vendorTitle()).Title
}

// Begin has a scenario's mistake be made from now on, in the place of the one
// before. It says what is wrong, in a sentence.
func (r *Rehearsal) Begin(name string) (said string, err error) {
	c, err := Find(name)
	if err != nil {
		return "", err
	}
	r.mend()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hurried {
		c.latency, c.trouble.RetryAfter = min(c.latency, hurriedLatency), min(c.trouble.RetryAfter, hurriedRetry)
	}
	r.now = &c
	for _, server := range r.servers {
		r.spoil(server)
	}
	r.meetFrom(c.trouble)
	return c.Of(r.vendorTitle()).Detail, nil
}

// Mend puts right what is wrong, and says so in a sentence; empty where nothing
// was.
func (r *Rehearsal) Mend() (said string) {
	c := r.mend()
	if c == nil {
		return ""
	}
	return c.Of(r.vendorTitle()).Mending
}

func (r *Rehearsal) mend() (was *Scenario) {
	r.mu.Lock()
	defer r.mu.Unlock()
	was, r.now = r.now, nil
	for _, server := range r.servers {
		server.Mend()
	}
	r.meetFrom(vendorapi.Trouble{})
	return was
}

// spoil makes the mistake of the scenario in one account; the caller holds the
// lock.
func (r *Rehearsal) spoil(server *awsrehearsal.Server) {
	if r.now == nil {
		return
	}
	for _, m := range r.now.mistakes {
		server.Make(m)
	}
	if len(r.now.denied) > 0 {
		server.Deny(r.now.denied...)
	}
	if r.now.expired {
		server.ExpireCredentials()
	}
	server.SetLatency(r.now.latency)
}

// meetFrom has the vendors answer so from now on; the caller holds the lock.
func (r *Rehearsal) meetFrom(t vendorapi.Trouble) {
	r.trouble = t
	for _, running := range r.vendors {
		if running.Trouble != nil {
			running.Trouble(t)
		}
	}
}

// meet is the trouble that a declared request meets.
func (r *Rehearsal) meet() vendorapi.Trouble {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.trouble
	if t.Times == 0 {
		return vendorapi.Trouble{}
	}
	r.trouble.Times = max(t.Times-1, -1)
	return t
}

// vendorTitle is the vendor in words.
func (r *Rehearsal) vendorTitle() string {
	if r.session.Vendor == nil {
		return "the vendor"
	}
	return r.session.Vendor.Title
}
