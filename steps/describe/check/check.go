package check

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"rolecall/policy"
	"rolecall/steps/describe"
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
	return rule{
		`([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]+|\{[A-Z][A-Z0-9_]*\}`,
		512,
		"what stands behind policy/ in its ARN, such as SecurityAudit or job-function/ViewOnlyAccess, or a parameter in braces",
	}
}

// externalIDRule is AWS's.
// Source: botocore sts/2011-06-15, externalIdType.
func externalIDRule() rule {
	return rule{`[A-Za-z0-9_+=,.@:/-]{2,}`, 1224, "2–1,224 characters: letters, digits and _ + = , . @ : / -"}
}

// principalRule is who can be trusted.
func principalRule() rule {
	return rule{describe.PrincipalPattern, describe.MaxPrincipal, "twelve digits in quotes, or the ARN of one role or user"}
}

func flagRule() rule { return rule{`--[a-z][a-z-]*`, 64, "a flag such as --report-bucket"} }

func parameterRule() rule { return rule{`[A-Z][A-Z0-9_]*`, 64, "capitals, digits and _"} }

// check notes everything that is missing, malformed or refers to nothing. It
// also parses the policies.
func (r *reader) check(v *describe.Vendor) {
	r.need("name", v.Name, "the name that --vendor takes, such as acme")
	r.rule("name", v.Name, nameRule())
	r.need("title", v.Title, "the vendor's name as people write it")
	r.borrowed(v)
	r.day("read", v.Read)
	r.api(v.API)
	r.handOver(v)
	r.links("links", map[string]string{
		"console": v.Links.Console, "sign_up": v.Links.SignUp, "connect": v.Links.Connect, "remove": v.Links.Remove, "docs": v.Links.Docs,
	})
	r.pattern("account.pattern", v.Account.Pattern)
	if v.Account.Label != "" {
		r.need("account.example", v.Account.Example, "an account as the vendor's console shows it")
	}
	r.example("account", v.Account.Pattern, v.Account.Example)
	r.pattern("external_id.pattern", v.ExternalID.Pattern)
	if v.ExternalID.Pattern != "" {
		r.need("external_id.example", v.ExternalID.Example, "an external ID as the vendor's console shows it")
	}
	r.example("external_id", v.ExternalID.Pattern, v.ExternalID.Example)
	r.rule("external_id.example", v.ExternalID.Example, externalIDRule())
	r.partitions(v)
	r.needList("roles", len(v.Roles), "at least one role")
	for i := range v.Roles {
		r.role(fmt.Sprintf("roles[%d]", i), v, &v.Roles[i])
	}
	r.unique("roles", "purpose", purposes(v))
	r.ownNames(v)
	for i := range v.Products {
		r.product(fmt.Sprintf("products[%d]", i), v, &v.Products[i], v.Products[i].Role)
	}
	r.unique("products", "id", ids(v.Products))
	r.defaults(v)
	r.served(v)
	r.methods(v)
	for i, link := range v.Next {
		r.link(fmt.Sprintf("next[%d]", i), link)
	}
}

// api lets only the descriptions of the program name a client of an API: it
// would be given the person's token.
func (r *reader) api(name string) {
	if !r.foreign {
		r.oneOf("api", name, r.library.APIs...)
	} else if name != "" {
		r.wrong(
			"api",
			"Only a description that comes with rolecall can name an API.",
			"no api",
			"Remove it. See hand_over for a request of your own.",
		)
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
	return slices.ContainsFunc(r.mistakes, func(m describe.Mistake) bool { return m.Line == at.line && m.Column == at.column })
}

func (r *reader) rule(path, value string, rule rule) {
	if value != "" && !r.follows(value, rule) {
		r.wrong(path, fmt.Sprintf("%q cannot be %s.", describe.Clean(value), strings.TrimSuffix(path, "#key")), rule.expected, "Correct it.")
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

// maxPattern bounds a pattern, in bytes: compiled, one can take a thousand times
// its length.
const maxPattern = 500

func (r *reader) pattern(path, pattern string) {
	if len(pattern) > maxPattern {
		r.wrong(
			path,
			fmt.Sprintf("%s has more than %d characters.", path, maxPattern),
			"a short pattern",
			"Say less exactly what may stand there.",
		)
		return
	}
	if _, err := regexp.Compile(`^(?:` + pattern + `)$`); err != nil {
		r.wrong(path, fmt.Sprintf("%s is no pattern: %s.", path, describe.Clean(err.Error())), "a regular expression in RE2 syntax",
			"See github.com/google/re2/wiki/Syntax.")
	}
}

// example notes an example that its own rule refuses.
func (r *reader) example(path, pattern, example string) {
	if len(pattern) > maxPattern || pattern == "" || example == "" {
		return
	}
	if _, err := regexp.Compile(pattern); err != nil || describe.Matches(pattern, example) {
		return
	}
	r.wrong(
		path+".example",
		fmt.Sprintf("The example %q does not follow %s.pattern.", describe.Clean(example), path),
		pattern,
		"Correct one of the two.",
	)
}

func (r *reader) links(path string, links map[string]string) {
	for _, key := range sortedKeys(links) {
		r.url(path+"."+key, links[key])
	}
}

func (r *reader) link(path string, link describe.Link) {
	r.need(path+".label", link.Label, "what the page is about")
	r.need(path+".url", link.URL, "an https link")
	r.url(path+".url", link.URL)
}

func (r *reader) url(path, text string) {
	if text == "" {
		return
	}
	if u, err := url.Parse(text); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(text, " \"<>") {
		r.wrong(
			path,
			fmt.Sprintf("%s is no https link.", path),
			"a link such as https://example.com/page",
			"Write the whole address, with https.",
		)
	}
}

func (r *reader) partitions(v *describe.Vendor) {
	r.needList("partitions", len(v.Partitions), "at least the partition aws")
	for _, id := range sortedKeys(v.Partitions) {
		path := "partitions." + id
		r.rule(path+"#key", id, partitionRule())
		p := v.Partitions[id]
		r.need(path+".title", p.Title, "the partition's name as people write it")
		r.account(path+".trusted_account", p.TrustedAccount, id)
		r.oneOf(path+".ask", p.Ask, describe.AskAccount, describe.AskARN)
		if other, ok := v.PartitionOf(p.TrustedAccount); ok && other != id && p.TrustedAccount != "" {
			r.wrong(
				path+".trusted_account",
				fmt.Sprintf("%s is the account of %s already, and an account is in one partition.", p.TrustedAccount, other),
				"an account of this partition",
				"Correct one of them.",
			)
		}
		if p.TrustedAccount == "" {
			r.need(path+".why", p.Why, "why the account is asked for: the description names none")
		}
	}
}

// borrowed notes a name or a title that people know as a vendor's that comes
// with the program.
func (r *reader) borrowed(v *describe.Vendor) {
	if !r.foreign {
		return
	}
	if describe.BuiltIn(v.Name) {
		r.wrong(
			"name",
			fmt.Sprintf("%s is the name of a vendor that comes with rolecall.", describe.Clean(v.Name)),
			"a name of its own",
			"Give it another one, such as my-"+describe.Clean(v.Name)+".",
		)
	}
	for _, title := range titles() {
		if skeleton(title) == skeleton(v.Title) && v.Title != "" {
			r.wrong(
				"title",
				fmt.Sprintf("%s is the title of a vendor that comes with rolecall.", describe.Clean(title)),
				"a title that tells the two apart",
				"Give it another one, such as My "+describe.Clean(title)+".",
			)
		}
	}
}

// defaults notes products of which none is a default: the default would be a
// role without permissions.
func (r *reader) defaults(v *describe.Vendor) {
	if len(v.Products) > 0 && !slices.ContainsFunc(v.Products, func(p describe.Product) bool { return p.Default }) && !r.noted("products") {
		r.wrong("products", "No product is a default.", "default: true for at least one", "Say what a customer gets who chooses nothing.")
	}
}

// ownNames notes two roles, users or policies that would be one thing in AWS,
// whose names differ in more than case.
func (r *reader) ownNames(v *describe.Vendor) {
	seen := map[string]bool{}
	for i := range v.Roles {
		role := &v.Roles[i]
		names := map[string]string{"role_name": role.RoleName, "user_name": role.UserName}
		if !role.Inline {
			names["policy_name"] = role.PolicyName
		}
		for _, key := range sortedKeys(names) {
			name := role.Access + " " + key + " " + strings.ToLower(names[key])
			if names[key] != "" && seen[name] {
				r.wrong(
					fmt.Sprintf("roles[%d].%s", i, key),
					fmt.Sprintf("Another one is called %q.", describe.Clean(names[key])),
					"a name of its own in AWS",
					"Rename one.",
				)
			}
			seen[name] = true
		}
	}
}

// account checks who is trusted in a partition.
func (r *reader) account(path, id, partition string) {
	of, isARN := describe.ARNPartition(id)
	switch {
	case id == "" || describe.IsAccount(id) || isARN && of == partition:
	case isARN:
		r.wrong(
			path,
			fmt.Sprintf("%q is in the partition %s.", describe.Clean(id), of),
			"somebody of the partition "+partition,
			"A role can only trust its own partition: correct it.",
		)
	default:
		r.wrong(path, fmt.Sprintf("%q is not an AWS account number.", describe.Clean(id)), principalRule().expected, "Correct it.")
	}
}

func (r *reader) unique(path, key string, names []string) {
	for i, name := range names {
		if name != "" && slices.Index(names, name) < i {
			r.wrong(
				fmt.Sprintf("%s[%d].%s", path, i, key),
				fmt.Sprintf("%q stands twice in %s.", describe.Clean(name), path),
				"a name of its own",
				"Rename or remove one.",
			)
		}
	}
}

func (r *reader) product(path string, v *describe.Vendor, p *describe.Product, purpose string) {
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
			r.wrong(
				below,
				"An integration has a role, a default or integrations of its own.",
				"only id, title, about and statements",
				"Remove them: the product's count.",
			)
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
	r.wrong(
		path,
		fmt.Sprintf("There is no %s %q.", kind, describe.Clean(name)),
		strings.Join(known, ", "),
		describe.DidYouMean(name, known)+"Correct or remove it.",
	)
}

// served notes statements that no selection would ever include.
func (r *reader) served(v *describe.Vendor) {
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
				r.wrong(fmt.Sprintf("roles[%d].policy", i), fmt.Sprintf("The statement %q serves no product.", describe.Clean(sid)),
					"each statement under a product, an integration or always", "Say what it serves, or remove it from the policy.")
			}
		}
	}
}

func (r *reader) oneOf(path, value string, known ...string) {
	if value != "" && !slices.Contains(known, value) {
		r.wrong(path, fmt.Sprintf("%q cannot be %s.", describe.Clean(value), path), strings.Join(known, ", "),
			describe.DidYouMean(value, known)+"Correct it.")
	}
}

func purposes(v *describe.Vendor) []string {
	all := make([]string, len(v.Roles))
	for i := range v.Roles {
		all[i] = v.Roles[i].Purpose
	}
	return all
}

func ids(products []describe.Product) []string {
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
