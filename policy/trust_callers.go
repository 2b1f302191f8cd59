package policy

import (
	"slices"
	"strings"
)

// callerKind is a kind of callers by one of them.
type callerKind struct {
	Caller
	single bool // it is the only one of its kind
}

// callers lists the IAM callers of a partition, one of every kind that the
// document can tell apart by its principals and by its conditions on
// aws:PrincipalArn and aws:PrincipalAccount. Those of others are to be told
// apart too: accounts, and users and roles by their ARNs. It is false where
// there are too many kinds to list them all.
func (d *Document) callers(partition string, others []string) ([]callerKind, bool) {
	tests := d.callerTests(partition, others)
	found, complete := splitter{tests: tests, domains: callerDomains(partition)}.split()
	out := make([]callerKind, 0, len(found))
	for _, c := range found {
		out = append(out, callerKind{Caller{ARN: c.example}, c.single})
	}
	for _, session := range d.sessions(partition) {
		parts := strings.SplitN(session, ":", 6)
		rest := strings.SplitN(parts[5], "/", 3)
		if len(rest) < 3 {
			continue
		}
		roles, all := splitter{tests: tests, domains: roleDomains(partition, parts[4], rest[1])}.split()
		for _, c := range roles {
			out = append(out, callerKind{Caller{ARN: c.example, Session: session}, c.single})
		}
		complete = complete && all
	}
	return out, complete
}

// sessions are the role sessions that the document names.
func (d *Document) sessions(partition string) []string {
	var out []string
	for i := range d.Statements {
		s := &d.Statements[i]
		for _, v := range slices.Concat(s.Principal["AWS"], s.NotPrincipal["AWS"]) {
			if strings.HasPrefix(v, "arn:"+partition+":sts::") && strings.Contains(v, ":assumed-role/") && !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	return out
}

// callerTests are the patterns that tell ARNs of callers apart.
func (d *Document) callerTests(partition string, others []string) []pattern {
	var accounts []string
	var tests []pattern
	for _, who := range others {
		p := ParsePrincipal(who)
		accounts = append(accounts, p.AccountID)
		if p.AccountID != "" && !p.Whole {
			tests = append(tests, pattern{}.letters(who))
		}
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		for _, v := range slices.Concat(s.Principal["AWS"], s.NotPrincipal["AWS"]) {
			p := ParsePrincipal(v)
			if p.AccountID != "" {
				accounts = append(accounts, p.AccountID)
			}
			if p.AccountID != "" && !p.Whole {
				tests = append(tests, pattern{}.letters(v))
			}
		}
	}
	accounts = append(accounts, d.accountsAsked()...)
	slices.Sort(accounts)
	accounts = slices.Compact(accounts)
	for _, id := range accounts {
		tests = append(tests, inAccount(partition, pattern{}.letters(id), ""))
	}
	for i := range d.Statements {
		for j := range d.Statements[i].Condition {
			tests = append(tests, d.callerPatterns(&d.Statements[i].Condition[j], partition, accounts)...)
		}
	}
	for _, kind := range [...]string{"user/", "role/", "root", "federated-user/"} {
		tests = append(tests, inAccount(partition, pattern{}.times(12, bytesOf(digits)), kind))
	}
	return uniquePatterns(tests)
}

// accountsAsked are the account numbers that conditions on the caller name.
func (d *Document) accountsAsked() []string {
	var out []string
	for i := range d.Statements {
		for _, c := range d.Statements[i].Condition {
			switch strings.ToLower(c.Key) {
			case "aws:principalaccount":
				out = append(out, c.Values...)
			case "aws:principalarn":
				for _, v := range c.Values {
					if parts := strings.SplitN(v, ":", 6); len(parts) == 6 {
						out = append(out, parts[4])
					}
				}
			}
		}
	}
	return slices.DeleteFunc(out, func(id string) bool { return !isAccountID(id) })
}

// callerPatterns are the ARNs that meet the values of a condition on the
// caller. A variable for its account is filled with each account in turn.
func (d *Document) callerPatterns(c *Condition, partition string, accounts []string) []pattern {
	operator, _, _ := c.Base()
	key := strings.ToLower(c.Key)
	if key != "aws:principalarn" && key != "aws:principalaccount" {
		return nil
	}
	var out []pattern
	for _, id := range append(accounts, "") {
		r := Request{open: true}
		if id != "" {
			r = r.With("aws:PrincipalAccount", id)
		}
		for _, p := range d.patterns(c, operator, &r) {
			if key == "aws:principalaccount" {
				p = inAccount(partition, p.outside(':'), "")
			}
			out = append(out, p)
		}
	}
	return uniquePatterns(out)
}

// outside keeps a pattern to texts without a byte.
func (p pattern) outside(c byte) pattern {
	out := make(pattern, len(p))
	for i, at := range p {
		out[i] = place{set: at.set.without(c), many: at.many}
	}
	return out
}

// inAccount is the ARNs of an account whose last part begins with a text.
func inAccount(partition string, account pattern, begin string) pattern {
	p := pattern{}.letters("arn:" + partition + ":").many(bytesOf(alphabet)).letters("::")
	return append(p, account...).letters(":" + begin).many(anyByte())
}

// nameBytes may stand in the name of a user or role, pathBytes in its path.
func nameBytes() bytes256 { return bytesOf(alphabet + digits + "_+=,.@-") }

func pathBytes() bytes256 {
	var b bytes256
	for c := byte('!'); c <= '~'; c++ {
		b = b.with(c)
	}
	return b
}

// callerDomains are the ARNs that a caller from IAM can have.
func callerDomains(partition string) []pattern {
	number := bytesOf(digits)
	var out []pattern
	for _, kind := range [...]string{"user/", "role/"} {
		begin := pattern{}.letters("arn:"+partition+":iam::").times(12, number).letters(":" + kind)
		out = append(out,
			slices.Clone(begin).times(1, nameBytes()).many(nameBytes()),
			slices.Clone(begin).times(1, pathBytes()).many(pathBytes()).letters("/").times(1, nameBytes()).many(nameBytes()))
	}
	return append(out,
		pattern{}.letters("arn:"+partition+":iam::").times(12, number).letters(":root"),
		pattern{}.letters("arn:"+partition+":sts::").times(12, number).letters(":federated-user/").times(1, nameBytes()).many(nameBytes()))
}

// roleDomains are the ARNs that a role of a name can have, by its path.
func roleDomains(partition, account, name string) []pattern {
	begin := "arn:" + partition + ":iam::" + account + ":role/"
	return []pattern{
		pattern{}.letters(begin + name),
		pattern{}.letters(begin).times(1, pathBytes()).many(pathBytes()).letters("/" + name),
	}
}
