package policy

import (
	"slices"
	"strings"
	"time"
)

// Grant is what one Allow of a trust policy gives one of its principals, with
// all Deny statements of the document. A review asks it who gets in, to say
// which line is to blame.
type Grant struct {
	*Document // the one Allow, with the one principal, before the Denies

	whole *Document // where it was taken from, for the accounts that it names
}

// Grant takes a statement's principal out of a document. kind is "AWS",
// "Service" or "Federated".
func (d *Document) Grant(statement int, kind, value string) Grant {
	allow := d.Statements[statement]
	allow.Principal, allow.NotPrincipal = Principals{kind: {value}}, nil
	only := &Document{Version: d.Version, Statements: []Statement{allow}}
	for i := range d.Statements {
		if d.Statements[i].Effect == Deny {
			only.Statements = append(only.Statements, d.Statements[i])
		}
	}
	return Grant{only, d}
}

// Stranger asks whether a caller of some account that the document does not
// name gets in. prepare says what else such a caller can bring; nil leaves all
// open.
func (g Grant) Stranger(partition string, now time.Time, prepare func(Request) Request) Answer {
	named := g.whole.Accounts()
	return g.anyone(partition, now, prepare, func(c Caller) bool { return !slices.Contains(named, c.AccountID()) })
}

// Account asks whether a caller of an account gets in.
func (g Grant) Account(id, partition string, now time.Time, prepare func(Request) Request) Answer {
	return g.anyone(partition, now, prepare, func(c Caller) bool { return c.AccountID() == id })
}

// anyone is the answer for whichever of some callers comes furthest.
func (g Grant) anyone(partition string, now time.Time, prepare func(Request) Request, is func(Caller) bool) Answer {
	var best Answer
	for _, partition := range g.partitions(partition) {
		callers, complete := g.callers(partition, g.whole.Accounts())
		if !complete {
			best = Answer{Outcome: Depends, Key: "aws:PrincipalArn", Statement: -1}
		}
		i := &inquest{d: g.Document, q: Inquiry{Partition: partition, Now: now}, memo: map[string]found{}}
		for _, c := range callers {
			if !is(c.Caller) {
				continue
			}
			r := later(i.request(c))
			if prepare != nil {
				r = prepare(r)
			}
			a := g.Ask(r)
			if a.Outcome == Allowed || a.Allowed != nil && best.Outcome != Allowed {
				best = a
			}
			if best.Outcome == Allowed {
				return best
			}
			if best.Outcome == Denied && a.Possible() {
				best = a
			}
		}
	}
	return best
}

// Texts are all texts but some: those that equal one of Values, and those that
// begin with one of Prefixes.
type Texts struct {
	Values, Prefixes []string
	Fold             bool // of either case
	Optional         bool // the key may be absent, too
}

// Without leaves a key open, other than some texts.
func (r Request) Without(key string, but Texts) Request {
	var excluded []pattern
	for _, v := range but.Values {
		excluded = append(excluded, pattern{}.letters(v))
	}
	for _, v := range but.Prefixes {
		excluded = append(excluded, pattern{}.letters(v).many(anyByte()))
	}
	if but.Fold {
		for i, p := range excluded {
			excluded[i] = p.folded()
		}
	}
	return r.set(key, setting{open: true, always: !but.Optional, excluded: append(excluded, pattern{})})
}

// FederatedRequest is a call by a user of an identity provider, of which only
// the provider is certain. What it signs in with are keys of the provider's
// name; it has no account in AWS.
func FederatedRequest(action, provider string, now time.Time) Request {
	r := later(NewRequest(action, Caller{Provider: provider}, now).Open())
	for _, key := range append(onlyServices(), "aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths",
		"aws:PrincipalType", "aws:username", ExternalIDKey) {
		r = r.With(key)
	}
	return r
}

// ServiceRequest is a call by a service, of which only its name is certain.
func ServiceRequest(service string, now time.Time) Request {
	return later(NewRequest(AssumeRole, Caller{Service: service}, now).Open())
}

// ConditionKeys are the keys that a document's conditions ask, in lower case.
func (d *Document) ConditionKeys() []string {
	var out []string
	for i := range d.Statements {
		for _, c := range d.Statements[i].Condition {
			out = append(out, strings.ToLower(c.Key))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Accounts are the account numbers that a trust policy names, as principals or
// in conditions on the caller.
func (d *Document) Accounts() []string {
	named := d.accountsAsked()
	for i := range d.Statements {
		for _, p := range awsPrincipals(d.Statements[i].Principal) {
			if p.AccountID != "" {
				named = append(named, p.AccountID)
			}
		}
	}
	slices.Sort(named)
	return slices.Compact(named)
}
