package describe

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"rolecall/policy"
)

// rule is what a word of a description may look like, beyond free text: a
// pattern and a length, which apart compile faster than one.
type rule struct {
	pattern  string // RE2, matched whole
	longest  int    // in bytes
	expected string
}

// The rules. Names follow IAM's grammars (botocore iam/2010-05-08: roleNameType,
// policyNameType, userNameType); a purpose is also the name of a stack's output,
// which takes letters and digits.
func nameRule() rule { return rule{`[a-z][a-z0-9-]*`, 64, "small letters, digits and dashes"} }

func purposeRule() rule { return rule{`[A-Za-z][A-Za-z0-9]*`, 255, "letters and digits"} }

func partitionRule() rule { return rule{`aws(-[a-z]+)*`, 64, "aws, aws-cn or aws-us-gov"} }

func iamNameRule(longest int) rule {
	return rule{`[A-Za-z0-9_+=,.@-]+`, longest, fmt.Sprintf("1–%d characters: letters, digits and + = , . @ - _", longest)}
}

// managedPolicyRule is the part of an AWS managed policy's ARN behind "policy/":
// the path where it has one, then the name.
// Source: botocore iam/2010-05-08, policyPathType and policyNameType.
func managedPolicyRule() rule {
	return rule{`([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]+`, 512, "what stands behind policy/ in its ARN, such as SecurityAudit or job-function/ViewOnlyAccess"}
}

func flagRule() rule { return rule{`--[a-z][a-z-]*`, 64, "a flag such as --report-bucket"} }

func parameterRule() rule { return rule{`[A-Z][A-Z0-9_]*`, 64, "capitals, digits and _"} }

// check notes everything that is missing, malformed or refers to nothing. It
// also parses the policies.
func (r *reader) check(v *Vendor) {
	r.need("name", v.Name, "the name that --vendor takes, such as acme")
	r.rule("name", v.Name, nameRule())
	r.need("title", v.Title, "the vendor's name as people write it")
	r.api(v.API)
	r.handOver(v)
	r.links("links", map[string]string{
		"console": v.Links.Console, "sign_up": v.Links.SignUp, "connect": v.Links.Connect, "remove": v.Links.Remove, "docs": v.Links.Docs,
	})
	r.pattern("account.pattern", v.Account.Pattern)
	r.example("account", v.Account.Pattern, v.Account.Example)
	r.pattern("external_id.pattern", v.ExternalID.Pattern)
	r.example("external_id", v.ExternalID.Pattern, v.ExternalID.Example)
	r.partitions(v)
	r.needList("roles", len(v.Roles), "at least one role")
	for i := range v.Roles {
		r.role(fmt.Sprintf("roles[%d]", i), v, &v.Roles[i])
	}
	r.unique("roles", "purpose", purposes(v))
	for i := range v.Products {
		r.product(fmt.Sprintf("products[%d]", i), v, &v.Products[i], v.Products[i].Role)
	}
	r.unique("products", "id", ids(v.Products))
	r.served(v)
	for i := range v.Methods {
		r.method(fmt.Sprintf("methods[%d]", i), v, &v.Methods[i])
	}
	for i, link := range v.Next {
		r.link(fmt.Sprintf("next[%d]", i), link)
	}
}

// api lets only the descriptions of the program name a client of an API: it
// would be given the person's token.
func (r *reader) api(name string) {
	r.oneOf("api", name, r.library.APIs...)
	if name != "" && r.foreign {
		r.wrong("api", "Only a description that comes with rolecall can name an API.", "no api", "Remove it. See hand_over for a request of your own.")
	}
}

// handOver checks the declared request: its destination is shown and confirmed
// before anything is sent, and it says what is sent.
func (r *reader) handOver(v *Vendor) {
	h := v.HandOver
	if h == (Request{}) {
		return
	}
	r.need("hand_over.url", h.URL, "the https address that takes the role")
	r.url("hand_over.url", h.URL)
	r.need("hand_over.body", h.Body, "the JSON that is sent, with {role_arn}, {external_id} or {account_id} in it")
	if h.Body != "" && !json.Valid([]byte(h.Body)) {
		r.wrong("hand_over.body", "hand_over.body is no JSON.", "a JSON object", "Correct it.")
	}
	for _, word := range placeholders(h.Body) {
		if !slices.Contains(requestWords(), word) {
			r.wrong("hand_over.body", fmt.Sprintf("There is no placeholder {%s}.", clean(word)), strings.Join(requestWords(), ", "), didYouMean(word, requestWords())+"Correct it.")
		}
	}
	if v.API != "" {
		r.wrong("hand_over", "An API takes the role already.", "api or hand_over", "Remove one of the two.")
	}
}

// need notes a key without a value. The mistake stands where the key should.
func (r *reader) need(path, value, expected string) {
	if value != "" {
		return
	}
	if _, written := r.places[path]; written {
		// An empty text, or one that was refused already and noted then.
		if !r.noted(path) {
			r.wrong(path, fmt.Sprintf("%s is empty.", path), expected, "Fill it in.")
		}
		return
	}
	r.missing(path, expected)
}

func (r *reader) needList(path string, n int, expected string) {
	if _, written := r.places[path]; n > 0 || written && r.noted(path) {
		return
	}
	r.missing(path, expected)
}

func (r *reader) missing(path, expected string) {
	parent, key := "", path
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		parent, key = path[:i], path[i+1:]
	}
	if _, known := r.places[parent]; !known {
		return // the parent itself is missing, which was noted
	}
	r.wrong(parent, fmt.Sprintf("%s has no key %q.", label(parent), key), expected, "Add it.")
}

// noted tells whether a mistake stands at the place of a value.
func (r *reader) noted(path string) bool {
	at := r.places[path]
	return slices.ContainsFunc(r.mistakes, func(m Mistake) bool { return m.Line == at.line && m.Column == at.column })
}

func (r *reader) rule(path, value string, rule rule) {
	if value != "" && !r.follows(value, rule) {
		r.wrong(path, fmt.Sprintf("%q cannot be %s.", clean(value), strings.TrimSuffix(path, "#key")), rule.expected, "Correct it.")
	}
}

// follows tells whether a word follows a rule. Each pattern is compiled once in
// a reading.
func (r *reader) follows(value string, rule rule) bool {
	re, ok := r.compiled[rule.pattern]
	if !ok {
		re = regexp.MustCompile(`^(?:` + rule.pattern + `)$`)
		r.compiled[rule.pattern] = re
	}
	return len(value) <= rule.longest && re.MatchString(value)
}

func (r *reader) pattern(path, pattern string) {
	if _, err := regexp.Compile(`^(?:` + pattern + `)$`); err != nil {
		r.wrong(path, fmt.Sprintf("%s is no pattern: %s.", path, clean(err.Error())), "a regular expression in RE2 syntax",
			"See github.com/google/re2/wiki/Syntax.")
	}
}

// example notes an example that its own rule refuses.
func (r *reader) example(path, pattern, example string) {
	if _, err := regexp.Compile(pattern); err != nil || pattern == "" || example == "" || matches(pattern, example) {
		return
	}
	r.wrong(path+".example", fmt.Sprintf("The example %q does not follow %s.pattern.", clean(example), path), pattern, "Correct one of the two.")
}

func (r *reader) links(path string, links map[string]string) {
	for _, key := range sortedKeys(links) {
		r.url(path+"."+key, links[key])
	}
}

func (r *reader) link(path string, link Link) {
	r.need(path+".label", link.Label, "what the page is about")
	r.need(path+".url", link.URL, "an https link")
	r.url(path+".url", link.URL)
}

func (r *reader) url(path, text string) {
	if text == "" {
		return
	}
	if u, err := url.Parse(text); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(text, " \"<>") {
		r.wrong(path, fmt.Sprintf("%s is no https link.", path), "a link such as https://example.com/page", "Write the whole address, with https.")
	}
}

func (r *reader) partitions(v *Vendor) {
	r.needList("partitions", len(v.Partitions), "at least the partition aws")
	for _, id := range sortedKeys(v.Partitions) {
		path := "partitions." + id
		r.rule(path+"#key", id, partitionRule())
		p := v.Partitions[id]
		r.need(path+".title", p.Title, "the partition's name as people write it")
		r.account(path+".trusted_account", p.TrustedAccount)
		if p.TrustedAccount == "" {
			r.need(path+".why", p.Why, "why the account is asked for: the description names none")
		}
	}
}

func (r *reader) account(path, id string) {
	if id != "" && !isAccount(id) {
		r.wrong(path, fmt.Sprintf("%q is not an AWS account number.", clean(id)), "twelve digits in quotes", "Correct it.")
	}
}

func (r *reader) unique(path, key string, names []string) {
	for i, name := range names {
		if name != "" && slices.Index(names, name) < i {
			r.wrong(fmt.Sprintf("%s[%d].%s", path, i, key), fmt.Sprintf("%q stands twice in %s.", clean(name), path), "a name of its own", "Rename or remove one.")
		}
	}
}

func (r *reader) product(path string, v *Vendor, p *Product, purpose string) {
	r.need(path+".id", p.ID, "the name that --products takes")
	r.rule(path+".id", p.ID, nameRule())
	r.need(path+".title", p.Title, "the product's name")
	role, ok := v.Role(purpose)
	if !ok && purpose == p.Role {
		r.need(path+".role", p.Role, "the purpose of the role that serves it")
		r.dangling(path+".role", p.Role, "role", purposes(v))
	}
	for i, sid := range p.Statements {
		if ok && role.Document != nil && !slices.Contains(sidsOf(role.Document), sid) {
			r.dangling(fmt.Sprintf("%s.statements[%d]", path, i), sid, "statement", sidsOf(role.Document))
		}
	}
	for i := range p.Integrations {
		below := fmt.Sprintf("%s.integrations[%d]", path, i)
		in := &p.Integrations[i]
		if in.Role != "" || len(in.Integrations) > 0 || in.Default {
			r.wrong(below, "An integration has a role, a default or integrations of its own.", "only id, title, about and statements", "Remove them: the product's count.")
		}
		in.Role = ""
		r.product(below, v, in, purpose)
	}
	r.unique(path+".integrations", "id", ids(p.Integrations))
}

func (r *reader) dangling(path, name, kind string, known []string) {
	if name == "" {
		return
	}
	r.wrong(path, fmt.Sprintf("There is no %s %q.", kind, clean(name)), strings.Join(known, ", "), didYouMean(name, known)+"Correct or remove it.")
}

// served notes statements that no selection would ever include.
func (r *reader) served(v *Vendor) {
	for i := range v.Products {
		if r.noted(fmt.Sprintf("products[%d].statements", i)) {
			return // nothing is known of what serves what
		}
	}
	for i := range v.Roles {
		role := &v.Roles[i]
		if role.Document == nil || len(v.Products) == 0 {
			continue
		}
		for _, sid := range sidsOf(role.Document) {
			if sid != "" && !slices.Contains(role.Always, sid) && len(v.Serves(sid)) == 0 {
				r.wrong(fmt.Sprintf("roles[%d].policy", i), fmt.Sprintf("The statement %q serves no product.", clean(sid)),
					"each statement under a product, an integration or always", "Say what it serves, or remove it from the policy.")
			}
		}
	}
}

func (r *reader) method(path string, v *Vendor, m *Method) {
	r.need(path+".id", m.ID, strings.Join(methodIDs(), ", "))
	r.oneOf(path+".id", m.ID, methodIDs()...)
	r.need(path+".access", m.Access, "role or user")
	r.oneOf(path+".access", m.Access, AccessRole, AccessUser)
	r.need(path+".title", m.Title, "what the way is called")
	r.needList(path+".steps", len(m.Steps), "the steps, in their order")
	seen := map[string]bool{}
	for i := range m.Steps {
		s := &m.Steps[i]
		at := fmt.Sprintf("%s.steps[%d]", path, i)
		r.step(at, v, m.Access, s)
		if seen[s.ID+" "+s.Role] {
			r.wrong(at+".id", fmt.Sprintf("The step %q stands here twice.", clean(s.ID)), "each step once, or once for each role", "Remove one.")
		}
		seen[s.ID+" "+s.Role] = true
	}
}

func (r *reader) step(path string, v *Vendor, access string, s *Step) {
	kind := r.library.step(s.ID)
	r.need(path+".id", s.ID, strings.Join(r.library.StepIDs(), ", "))
	r.oneOf(path+".id", s.ID, r.library.StepIDs()...)
	r.need(path+".title", s.Title, "the step's heading")
	_, known := v.Role(s.Role)
	switch {
	case s.Role != "" && !known:
		r.dangling(path+".role", s.Role, "role", purposes(v))
	case kind.PerRole:
		r.need(path+".role", s.Role, "the purpose of the role that the step is about")
	case s.Role != "" && kind.ID != "":
		r.wrong(path+".role", fmt.Sprintf("The step %q is about no single role.", clean(s.ID)), "no role", "Remove it.")
	}
	if kind.ID != "" {
		r.marks(path+".marks", s, kind.marks(access))
		r.numbers(path+".page", s, s.Page, "spares", kind.pages())
		r.numbers(path+".only", s, s.Only, "restricts", append([]string{OnlyNoToken, OnlyNoCredentials}, purposes(v)...))
	}
	for i, link := range s.Links {
		r.link(fmt.Sprintf("%s.links[%d]", path, i), link)
	}
}

// marks checks that each mark is something that the step can tell, and leads to
// an instruction: any other would never move the marker, and nobody would see
// why.
func (r *reader) marks(path string, s *Step, known []string) {
	for _, mark := range sortedKeys(s.Marks) {
		at := path + "." + mark
		switch number := s.Marks[mark]; {
		case len(known) == 0:
			r.wrong(at+"#key", fmt.Sprintf("The step %q shows no instruction as done.", clean(s.ID)), "no marks", "Remove them.")
		case !slices.Contains(known, mark):
			r.wrong(at+"#key", fmt.Sprintf("The step %q has nothing called %q to open or to copy.", clean(s.ID), clean(mark)),
				strings.Join(known, ", "), didYouMean(mark, known)+"Correct or remove it.")
		case !r.noted(at) && (number < 1 || number > len(s.Instructions)):
			r.wrong(at, fmt.Sprintf("There is no instruction %d.", number), fmt.Sprintf("one of the step's %d instructions", len(s.Instructions)),
				"Name the instruction that comes next.")
		}
	}
}

// numbers checks lists of instructions, each under a word that is known.
func (r *reader) numbers(path string, s *Step, lists map[string][]int, does string, known []string) {
	for _, word := range sortedKeys(lists) {
		at := path + "." + word
		if !slices.Contains(known, word) {
			expected := strings.Join(known, ", ")
			if expected == "" {
				expected = "none here: the step opens no page"
			}
			r.wrong(at+"#key", fmt.Sprintf("Nothing called %q %s an instruction of the step %q.", clean(word), does, clean(s.ID)), expected,
				didYouMean(word, known)+"Correct or remove it.")
			continue
		}
		for i, number := range lists[word] {
			if number < 1 || number > len(s.Instructions) {
				r.wrong(fmt.Sprintf("%s[%d]", at, i), fmt.Sprintf("There is no instruction %d.", number),
					fmt.Sprintf("one of the step's %d instructions", len(s.Instructions)), "Name instructions by their numbers.")
			}
		}
	}
}

func (r *reader) oneOf(path, value string, known ...string) {
	if value != "" && !slices.Contains(known, value) {
		r.wrong(path, fmt.Sprintf("%q cannot be %s.", clean(value), path), strings.Join(known, ", "), didYouMean(value, known)+"Correct it.")
	}
}

func purposes(v *Vendor) []string {
	all := make([]string, len(v.Roles))
	for i := range v.Roles {
		all[i] = v.Roles[i].Purpose
	}
	return all
}

func ids(products []Product) []string {
	all := make([]string, len(products))
	for i := range products {
		all[i] = products[i].ID
	}
	return all
}

func sidsOf(doc *policy.Document) []string {
	all := make([]string, len(doc.Statements))
	for i := range doc.Statements {
		all[i] = doc.Statements[i].Sid
	}
	return all
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
