package rehearse

import (
	"strings"
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
	return r.say(r.now, " · ", func(c Scenario) string { return c.Title })
}

// say joins what is said of scenarios.
func (r *Rehearsal) say(all []Scenario, between string, what func(Scenario) string) string {
	words := make([]string, len(all))
	for i, c := range all {
		words[i] = what(c.Of(r.vendorTitle()))
	}
	return strings.Join(words, between)
}

// Begin has the mistakes of scenarios be made from now on, in the place of those
// before. It says what is wrong, in a sentence for each.
func (r *Rehearsal) Begin(names ...string) (said string, err error) {
	begun, err := FindAll(names)
	if err != nil {
		return "", err
	}
	r.mend()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range begun {
		if c := &begun[i]; r.hurried {
			c.latency, c.trouble.RetryAfter = min(c.latency, hurriedLatency), min(c.trouble.RetryAfter, hurriedRetry)
		}
		if asks := begun[i].asks; asks > 0 && r.session.SessionFor == 0 {
			r.session.SessionFor = asks // as the vendor's page would say
		}
	}
	r.now = begun
	for _, server := range r.servers {
		r.spoil(server)
	}
	for _, c := range begun {
		if c.trouble.Times != 0 {
			r.meetFrom(c.trouble)
		}
	}
	return r.say(begun, " ", func(c Scenario) string { return c.Detail }), nil
}

// Mend puts right what is wrong, and says so in a sentence for each; empty where
// nothing was.
func (r *Rehearsal) Mend() (said string) {
	return r.say(r.mend(), " ", func(c Scenario) string { return c.Mending })
}

func (r *Rehearsal) mend() (was []Scenario) {
	r.mu.Lock()
	defer r.mu.Unlock()
	was, r.now = r.now, nil
	for _, server := range r.servers {
		server.Mend()
	}
	r.meetFrom(vendorapi.Trouble{})
	return was
}

// spoil makes the mistakes of the scenarios in one account; the caller holds the
// lock.
func (r *Rehearsal) spoil(server *awsrehearsal.Server) {
	latency := time.Duration(0)
	for _, c := range r.now {
		for _, m := range c.mistakes {
			server.Make(m)
		}
		if len(c.denied) > 0 {
			server.Deny(c.denied...)
		}
		if c.expired {
			server.ExpireCredentials()
		}
		latency = max(latency, c.latency)
	}
	server.SetLatency(latency)
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
