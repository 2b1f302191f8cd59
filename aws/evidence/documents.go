package evidence

import (
	"errors"
	"strings"
)

// maxDocuments bounds what is pasted in a row.
const maxDocuments = 2000

// documents reads one document after the other, and the lines between them.
func (e *reader) documents() error {
	for {
		c, err := e.s.peek()
		if err != nil {
			return err
		}
		switch c {
		case 0:
			return nil
		case 0xef: // a byte order mark; files that were put together have several
			if err := e.mark(); err != nil {
				return err
			}
		case '{':
			if e.count++; e.count > maxDocuments {
				return refuse("There are more than 2,000 documents.", "Paste those about one role.")
			}
			if err := e.document(); err != nil {
				return inWords(err)
			}
		case '[':
			if e.isPrompt() {
				if err := e.between(); err != nil {
					return inWords(err)
				}
				continue
			}
			return refuse("This is a list, such as --query makes of an output.", "Run the command again without --query.")
		default:
			if err := e.between(); err != nil {
				return inWords(err)
			}
		}
	}
}

// inWords says where the text is not JSON.
func inWords(err error) error {
	var at *syntaxError
	if !errors.As(err, &at) {
		return err
	}
	return refuse(
		"The evidence is no JSON: "+at.Error()+".",
		"Copy the whole output again, or write it to a file: aws iam … --output json > evidence.json.",
	)
}

func (e *reader) mark() error {
	start, _ := e.s.in.Peek(3) // what is shorter is no mark
	if string(start) != "\ufeff" {
		return e.s.fail("a byte that starts no document")
	}
	_, err := e.s.in.Discard(3)
	return err
}

// body is one document as it is read: the small members are kept, the long
// lists are gone through.
type body struct {
	keys    []string
	members node
	line    int
	listing bool // it has lists of a whole account
	state   bool // it is Terraform's
}

// document reads one JSON document and takes what it says.
func (e *reader) document() error {
	b := &body{members: node{kind: '{'}, line: e.s.line}
	before := e.before
	e.before = nil
	err := e.s.object(func(key string) error {
		b.keys = append(b.keys, clean(key))
		return e.member(b, key)
	})
	if err != nil {
		return err
	}
	e.before = before
	if containsAny(b.keys, "RoleDetailList", "Roles") {
		m := &b.members
		e.view.swept = !m.isTrue("IsTruncated") && !m.has("NextToken") && !m.has("Marker")
	}
	err = e.take(b)
	if e.before == before {
		e.before = nil // it was that of the document before
	}
	e.command = command{}
	return err
}

// member reads one member of a document.
func (e *reader) member(b *body, key string) error {
	switch key {
	case "RoleDetailList", "UserDetailList":
		b.listing = true
		if err := e.details(key == "UserDetailList"); err != nil {
			return err
		}
		e.roles = e.roles || (key == "UserDetailList") == (e.ask.User != "")
		return nil
	case "Roles", "Users":
		return e.each(func(n *node) error { return e.listed(n, key == "Users") })
	case "Policies":
		return e.each(e.policyDetail)
	case "GroupDetailList":
		return e.s.skip(1)
	case "resources":
		b.state = true
		return e.eachOf(e.resource)
	case "values":
		b.state = true
		return e.module()
	case "prior_state", "planned_values", "resource_changes", "configuration", "outputs", "check_results", "checks":
		return e.s.skip(1)
	}
	value, err := e.keep(key)
	b.members.keys, b.members.list = append(b.members.keys, key), append(b.members.list, value)
	return err
}

// keep reads a value and keeps it.
func (e *reader) keep(key string) (*node, error) {
	n, whole, err := e.fitting(key)
	if err == nil && !whole {
		return nil, refuse(
			"A value in the evidence is larger than 2 MB, which no answer of IAM is.",
			"Paste the output of one command about one role.",
		)
	}
	return n, err
}

// fitting is keep for a value that may be too large to be of use; then it is
// read, and false is returned.
func (e *reader) fitting(key string) (*node, bool, error) {
	line := e.s.line
	raw, whole, err := e.s.raw()
	if err != nil || !whole {
		return nil, whole, err
	}
	n, err := parse(key, raw, line)
	return n, true, err
}

// charge counts what stays in memory.
func (e *reader) charge(bytes int) error {
	if e.total += bytes; e.total > maxTotal {
		return refuse(
			"The evidence has more about the roles in question than 32 MB.",
			"Say which role is meant with --role, or paste the outputs about it alone.",
		)
	}
	return nil
}

// each goes through a list, keeping one value at a time. What is null instead is
// an empty list.
func (e *reader) each(take func(*node) error) error {
	return e.eachOf(func(n *node, whole bool) error {
		if !whole {
			return refuse("An entry of a list is larger than 2 MB, which no answer of IAM has.", "Paste the output of one command about one role.")
		}
		return take(n)
	})
}

func (e *reader) eachOf(take func(*node, bool) error) error {
	c, err := e.s.peek()
	if err != nil {
		return err
	}
	if c != '[' {
		return e.s.skip(1)
	}
	return e.s.array(func() error {
		n, whole, err := e.fitting("")
		if err != nil {
			return err
		}
		return take(n, whole)
	})
}

// take sorts a document by what it has, and takes what it says.
func (e *reader) take(b *body) error {
	m := &b.members
	switch {
	case b.state:
		if containsAny(b.keys, "planned_values", "resource_changes") {
			return wrongThing(append(b.keys, "planned_values"))
		}
		e.view.form("Terraform state")
		return e.assemble()
	case b.listing:
		e.view.form("aws iam get-account-authorization-details")
		return nil
	case m.has("Resources") || m.has("TemplateBody"):
		return e.templateJSON(m)
	case m.has("Role"):
		return e.role(m.get("Role"), "aws iam get-role", true)
	case m.has("AssumeRolePolicyDocument"):
		return e.role(m, "aws iam get-role", true)
	case m.has("User"):
		return e.user(m.get("User"))
	case m.has("Policy"):
		return e.policy(m.get("Policy"))
	case m.has("PolicyVersion"):
		return e.policyVersion(m.get("PolicyVersion"))
	case m.has("PolicyDocument") && (m.has("RoleName") || m.has("UserName")):
		return e.inline(m)
	case containsAny(b.keys, "AttachedPolicies", "PolicyNames", "AccessKeyMetadata", "Groups"):
		return e.list(m)
	case m.has("Account") && m.has("Arn"):
		return e.caller(m)
	case m.has("Statement"):
		return e.trustAlone(m)
	case containsAny(b.keys, "Roles", "Users", "Policies"):
		e.view.form("aws iam list-" + strings.ToLower(first(b.keys, "Roles", "Users", "Policies")))
		return nil
	case m.has("Url") && containsAny(b.keys, "ClientIDList", "ThumbprintList"):
		return e.oidcProvider(m)
	case m.get("OpenIDConnectProviderList") != nil:
		return e.oidcProviders(m)
	case m.has("AccessKeyLastUsed"), m.has("Versions"), m.has("Tags"), m.has("InstanceProfiles"):
		e.view.form("other outputs of aws iam")
		return nil
	}
	return wrongThing(b.keys)
}

func containsAny(keys []string, names ...string) bool { return first(keys, names...) != "" }

// first is the first of the names that is among the keys.
func first(keys []string, names ...string) string {
	for _, name := range names {
		for _, key := range keys {
			if key == name {
				return name
			}
		}
	}
	return ""
}
