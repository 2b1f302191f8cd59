package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"rolecall/aws"
	"rolecall/aws/audit"
	"rolecall/steps/screen"
	"rolecall/ui/draw"
)

// Roles is an audit of an account's roles.
type Roles struct {
	Account string
	Total   int // roles that were looked at
	Roles   []audit.Role
	Titles  map[string]string // of vendors, by name
	Notes   []string          // what was taken for granted, in sentences
}

// Wrong counts the roles that are not as required.
func (r *Roles) Wrong() int {
	n := 0
	for i := range r.Roles {
		if !r.Roles[i].OK {
			n++
		}
	}
	return n
}

// Summary is one sentence on all of them.
func (r *Roles) Summary() string {
	let := "let"
	if len(r.Roles) == 1 {
		let = "lets"
	}
	text := fmt.Sprintf(
		"%s of %s in account %s %s in a vendor or a stranger",
		screen.Thousands(len(r.Roles)),
		screen.Counted(r.Total, "role"),
		r.Account,
		let,
	)
	switch wrong := r.Wrong(); {
	case len(r.Roles) == 0:
		return "None of " + screen.Counted(r.Total, "role") + " in account " + r.Account + " lets in a vendor or a stranger."
	case wrong == 0:
		return text + ", as required."
	case wrong == 1:
		return text + "; 1 is not as required."
	default:
		return text + "; " + screen.Thousands(wrong) + " are not as required."
	}
}

// sorted puts what is not as required first, then the worst permissions.
func (r *Roles) sorted() []*audit.Role {
	all := make([]*audit.Role, len(r.Roles))
	for i := range r.Roles {
		all[i] = &r.Roles[i]
	}
	slices.SortStableFunc(all, func(a, b *audit.Role) int {
		if a.OK != b.OK {
			if b.OK {
				return -1
			}
			return 1
		}
		return strings.Compare(a.ARN, b.ARN)
	})
	return all
}

// who names an account that gets in.
func (r *Roles) who(a *audit.Admission) string {
	name := "account " + draw.Clean(a.Account)
	switch {
	case a.Account == audit.Anybody:
		name = "any AWS account"
	case a.Vendor != "":
		name = draw.Clean(r.Titles[a.Vendor]) + " (" + draw.Clean(a.Account) + ")"
	}
	if a.Perhaps {
		name = "perhaps " + name
		if a.Key != "" {
			name += ", by " + draw.Clean(a.Key)
		}
	}
	return name
}

// underID says with which external ID an account gets in.
func underID(a *audit.Admission) string {
	switch a.ExternalID {
	case audit.Required:
		return "external ID required"
	case audit.Any:
		return "any external ID"
	}
	return "no external ID"
}

// tokens names an OIDC provider whose tokens get in, and about whom they are.
func (r *Roles) tokens(f *audit.Federation) string {
	name := "tokens of " + draw.Clean(f.Provider)
	if f.Vendor != "" {
		name = draw.Clean(r.Titles[f.Vendor]) + ", " + name
	}
	if f.Perhaps {
		name = "perhaps " + name
	}
	switch f.Subject {
	case audit.None:
		return name + ", about anybody"
	case audit.Any:
		name += ", about more than one"
	}
	return name + ": " + draw.Clean(strings.Join(f.Subjects, ", "))
}

// admits are all who get in, in words.
func (r *Roles) admits(role *audit.Role) []string {
	var all []string
	for i := range role.Admits {
		all = append(all, r.who(&role.Admits[i])+", "+underID(&role.Admits[i]))
	}
	for i := range role.Federated {
		all = append(all, r.tokens(&role.Federated[i]))
	}
	for _, other := range role.Others {
		all = append(all, draw.Clean(other))
	}
	if len(all) == 0 {
		all = []string{"nobody can tell: the trust policy cannot be read"}
	}
	return all
}

// grants is what a role may do, in one line.
func grants(role *audit.Role) string {
	text := screen.Counted(role.Grants.Actions, "action") + ", worst finding " + role.Grants.Worst
	if role.Grants.Title != "" {
		text += ": " + draw.Clean(role.Grants.Title)
	} else {
		text = screen.Counted(role.Grants.Actions, "action") + ", no risk found"
	}
	if role.Grants.Unread > 0 {
		text += "; " + screen.Counted(role.Grants.Unread, "policy") + " not read"
	}
	if role.Boundary != "" {
		text += "; limited by a permissions boundary"
	}
	return text
}

func lastUsed(role *audit.Role) string {
	if role.LastUsed == nil {
		return "never, or not known"
	}
	return role.LastUsed.Format("2006-01-02")
}

// wrong are the checks that are not passed, in words.
func wrong(role *audit.Role) []string {
	var all []string
	for _, c := range role.Checks {
		if c.Status != aws.Pass {
			all = append(all, string(c.Status)+" "+c.ID+": "+draw.Clean(c.Got))
		}
	}
	return all
}

// counts says how many findings of each severity a role has.
func counts(role *audit.Role) string {
	var parts []string
	for _, severity := range []string{"high", "medium", "low", "note"} {
		n := 0
		for _, f := range role.Findings {
			if f.Severity == severity {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, strconv.Itoa(n)+" "+severity)
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

func verdict(role *audit.Role) string {
	if role.OK {
		return "as required"
	}
	return "not as required"
}

// RolesText writes an audit for a terminal or a pipe.
func RolesText(w io.Writer, r *Roles) error {
	t := &text{}
	for _, role := range r.sorted() {
		mark := "✗"
		if role.OK {
			mark = "✓"
		}
		t.space()
		t.line("%s %s", mark, draw.Clean(role.ARN))
		for _, who := range r.admits(role) {
			t.under("", "lets in", who)
		}
		t.under("", "may", grants(role))
		t.under("", "used", lastUsed(role))
		for _, one := range wrong(role) {
			status, rest, _ := strings.Cut(one, " ")
			t.under("", status, rest)
		}
		t.under("", "findings", counts(role))
	}
	t.space()
	for _, line := range draw.Wrap(r.Summary(), width) {
		t.line("%s", line)
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

// RolesCSV writes an audit for a spreadsheet: one line for each account that gets
// into a role, and one for a role of which nobody can tell. Times are RFC 3339.
func RolesCSV(w io.Writer, r *Roles) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"arn", "id", "admits_account", "admits_vendor", "external_id", "admits_perhaps", "others", "actions", "worst",
		"boundary", "last_used", "ok", "checks_not_passed", "findings"}) // the error stays in the writer
	for _, role := range r.sorted() {
		admits := slices.Clone(role.Admits)
		for _, f := range role.Federated {
			admits = append(admits, audit.Admission{Account: f.Provider, Vendor: f.Vendor, Perhaps: f.Perhaps})
		}
		if len(admits) == 0 {
			admits = []audit.Admission{{}}
		}
		used := ""
		if role.LastUsed != nil {
			used = role.LastUsed.Format("2006-01-02T15:04:05Z")
		}
		for _, a := range admits {
			record := []string{role.ARN, role.ID, a.Account, a.Vendor, a.ExternalID, strconv.FormatBool(a.Perhaps), strings.Join(role.Others, "; "),
				strconv.Itoa(role.Grants.Actions), role.Grants.Worst, role.Boundary, used, strconv.FormatBool(role.OK),
				strings.Join(wrong(role), "; "), counts(role)}
			for i := range record {
				record[i] = cell(record[i])
			}
			_ = out.Write(record)
		}
	}
	out.Flush()
	return out.Error()
}

// cell keeps a text from being taken for a formula by a spreadsheet. The account
// of everybody, "*", is none.
func cell(text string) string {
	text = draw.Clean(text)
	if text != "" && strings.ContainsRune("=+-@", rune(text[0])) {
		return "'" + text
	}
	return text
}

// RolesMarkdown writes an audit for a ticket.
func RolesMarkdown(w io.Writer, r *Roles) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Roles open to others\n\n%s\n", escape(r.Summary()))
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "\n%s\n", escape(note))
	}
	if len(r.Roles) > 0 {
		b.WriteString("\n| Role | Lets in | May do | Last used | Verdict | Findings |\n| --- | --- | --- | --- | --- | --- |\n")
	}
	for _, role := range r.sorted() {
		verdicts := append([]string{verdict(role)}, wrong(role)...)
		fmt.Fprintf(
			&b,
			"| %s | %s | %s | %s | %s | %s |\n",
			escape(role.ARN),
			escaped(r.admits(role)),
			escape(grants(role)),
			escape(lastUsed(role)),
			escaped(verdicts),
			escape(counts(role)),
		)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// escaped are several texts in one cell.
func escaped(all []string) string {
	out := make([]string, len(all))
	for i, one := range all {
		out[i] = escape(one)
	}
	return strings.Join(out, "<br>")
}

// RolesHTML writes an audit as one page that loads nothing and runs nothing.
func RolesHTML(w io.Writer, r *Roles) error {
	head := h.Tr(
		g.Map([]string{"Role", "Lets in", "May do", "Last used", "Verdict", "Findings"}, func(name string) g.Node { return h.Th(g.Text(name)) }),
	)
	return Document("Roles open to others",
		h.H1(g.Text("Roles open to others")),
		h.P(h.Class("verdict"), g.Text(r.Summary())),
		g.Map(r.Notes, func(note string) g.Node { return soft(g.Text(draw.Clean(note))) }),
		g.If(len(r.Roles) > 0, h.Table(h.THead(head), h.TBody(g.Map(r.sorted(), r.row)))),
	).Render(w)
}

func (r *Roles) row(role *audit.Role) g.Node {
	return h.Tr(
		h.Td(h.Code(g.Text(draw.Clean(role.ARN)))),
		h.Td(lines(r.admits(role))),
		h.Td(h.Span(h.Class("tag "+role.Grants.Worst), g.Text(role.Grants.Worst)), h.Br(), g.Text(grants(role))),
		h.Td(g.Text(lastUsed(role))),
		h.Td(h.Strong(g.Text(verdict(role))), g.If(len(wrong(role)) > 0, g.Group{h.Br(), lines(wrong(role))})),
		h.Td(g.If(len(role.Findings) == 0, g.Text("none")), g.If(len(role.Findings) > 0, h.Details(h.Summary(g.Text(counts(role))),
			h.Div(g.Map(role.Findings, findingLine))))),
	)
}

func findingLine(f audit.Finding) g.Node {
	where := ""
	if f.Document != "" {
		where = " (" + f.Document + " policy)"
	}
	return h.P(h.Span(h.Class("tag "+f.Severity), g.Text(f.Severity)), g.Text(" "+draw.Clean(f.Title)+where))
}

// lines are texts below each other.
func lines(all []string) g.Node {
	var nodes g.Group
	for i, one := range all {
		if i > 0 {
			nodes = append(nodes, h.Br())
		}
		nodes = append(nodes, g.Text(one))
	}
	return nodes
}
