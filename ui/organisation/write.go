package organisation

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"rolecall/steps/organisation"
	"rolecall/steps/screen"
	"rolecall/ui/draw"
	"rolecall/ui/report"
)

// write prints a report in the format that was asked for.
func (c *command) write(r *organisation.Report, document any, title string) error {
	switch c.format {
	case formatJSON:
		c.app.WriteJSON(document)
		return nil
	case formatCSV:
		return c.csv(r)
	case formatHTML:
		return report.Document(title+" of organization "+draw.Clean(r.Organisation), body(r, title)).Render(c.app.Env.Stdout)
	}
	c.text(r)
	return nil
}

// csv writes one line for each account.
func (c *command) csv(r *organisation.Report) error {
	w := csv.NewWriter(c.app.Env.Stdout)
	rows := [][]string{{"account_id", "name", "ou", "state", "gap", "drift", "ok", "role_arn", "vendor_account", "external_id", "what",
		"next"}}
	for _, row := range r.Accounts {
		what, next, ok := "", "", ""
		if row.Cause != nil {
			what, next = row.Cause.What, row.Cause.Next
		}
		if row.OK != nil {
			ok = strconv.FormatBool(*row.OK)
		}
		rows = append(rows, []string{row.AccountID, row.Name, row.OU, string(row.State), row.Gap, row.Drift, ok, row.RoleARN,
			row.VendorAccount, row.ExternalID, what, next})
	}
	for _, row := range rows {
		for i := range row {
			row[i] = cell(row[i])
		}
	}
	return w.WriteAll(rows)
}

// cell keeps a name that somebody chose from being a formula of a spreadsheet.
func cell(text string) string {
	text = draw.Clean(text)
	if text != "" && strings.ContainsRune("=+-@", rune(text[0])) {
		return "'" + text
	}
	return text
}

// units are the rows by their units' paths, in the order in which they come.
func units(r *organisation.Report) (order []string, by map[string][]organisation.Row) {
	by = map[string][]organisation.Row{}
	for _, row := range r.Accounts {
		if by[row.OU] == nil {
			order = append(order, row.OU)
		}
		by[row.OU] = append(by[row.OU], row)
	}
	return order, by
}

// mark is a state in one sign; the word stands beside it.
func mark(row organisation.Row) string {
	if row.OK != nil {
		return map[bool]string{true: "✓", false: "✗"}[*row.OK]
	}
	return map[organisation.State]string{organisation.Connected: "✓", organisation.Failed: "✗", organisation.Waiting: "◌",
		organisation.Excluded: "–",
		organisation.Removed:  "✓"}[row.State]
}

// word is what stands beside the sign.
func word(row organisation.Row) string {
	switch {
	case row.OK != nil && *row.OK:
		return "right"
	case row.OK != nil:
		return "not right"
	case row.Gap != "":
		return string(row.State) + ", " + row.Gap
	}
	return string(row.State)
}

// fewAccounts is up to how many are listed one by one on a terminal.
const fewAccounts = 40

// text prints the numbers by unit, and each account that is not connected.
func (c *command) text(r *organisation.Report) {
	order, by := units(r)
	c.app.Print("%-28s %8s %9s %6s %7s %8s", "OU", "accounts", "connected", "failed", "waiting", "left out")
	for _, path := range order {
		n := map[organisation.State]int{}
		for _, row := range by[path] {
			n[row.State]++
		}
		c.app.Print("%-28s %8d %9d %6d %7d %8d", draw.Clean(path), len(by[path]), n[organisation.Connected], n[organisation.Failed],
			n[organisation.Waiting],
			n[organisation.Excluded])
	}
	t := r.Totals
	c.app.Print("%-28s %8d %9d %6d %7d %8d", "all", t.Accounts+t.Excluded, t.Connected, t.Failed, t.Waiting, t.Excluded)
	if len(r.Accounts) <= fewAccounts {
		c.app.Print("")
		for _, row := range r.Accounts {
			c.app.Print("%s %-20s  %s  %-22s  %s", mark(row), word(row), screen.Grouped(row.AccountID), draw.Clean(row.Name), draw.Clean(row.OU))
		}
	}
	c.failures(r)
	if r.Session != "" {
		c.app.Print("\nStackSet  %s\nSession   %s", draw.Clean(r.StackSet.Name), r.Session)
	}
	if r.Next != "" {
		c.app.Print("Next      %s", draw.Clean(r.Next))
	}
}

// mostNamed is how many accounts of one cause are named on a terminal.
const mostNamed = 8

// failures prints each cause once, with the accounts that it is of.
func (c *command) failures(r *organisation.Report) {
	for _, rows := range r.Failures() {
		cause := rows[0].Cause
		c.app.Print("")
		c.wrapped("✗ ", fmt.Sprintf("%d failed: %s", len(rows), cause.What))
		c.wrapped("  ", cause.Next)
		if cause.Said != "" {
			c.wrapped("  ", "AWS said: "+cause.Said)
		}
		var names []string
		for i, row := range rows {
			if i == mostNamed {
				names = append(names, fmt.Sprintf("and %d more (--format csv)", len(rows)-i))
				break
			}
			names = append(names, screen.Grouped(row.AccountID)+" "+draw.Clean(row.Name))
		}
		c.wrapped("  ", strings.Join(names, ", "))
	}
	for _, row := range r.Accounts {
		if row.OK == nil || *row.OK {
			continue
		}
		for _, check := range row.Checks {
			if check.Status != "pass" && check.Status != "warn" {
				c.app.Print("✗ %s %s: %s: wanted %s, found %s", screen.Grouped(row.AccountID), draw.Clean(row.Name), check.ID,
					draw.Clean(check.Want), draw.Clean(check.Got))
			}
		}
	}
}

// columns is how wide a line of text may be.
const columns = 78

// wrapped prints a text in lines behind a mark, nothing where there is none.
func (c *command) wrapped(mark, text string) {
	for _, line := range draw.Wrap(draw.Clean(text), columns) {
		if line != "" {
			c.app.Print("%s%s", mark, line)
		}
		mark = "  "
	}
}

// planText prints a plan for a person.
func (c *command) planText(s *scene, p planJSON) {
	c.app.Print("Organization %s · %d accounts would be connected to %s · %d are left out", p.Organisation,
		p.Totals.Accounts-p.Totals.Connected, draw.Clean(s.prepared.Vendor.Title), p.Totals.Excluded)
	c.app.Print("StackSet     %s · %s bytes · role %s", p.StackSet.Name, screen.Thousands(p.Bytes), draw.Clean(strings.Join(p.Roles, ", ")))
	c.app.Print("Template     %s", p.StackSet.Digest)
	c.app.Print("At once      %s accounts · stops after %s failed · automatic deployment %s\n", p.Concurrency, p.Tolerance,
		map[bool]string{true: "on", false: "off"}[p.StackSet.Automatic])
	c.text(&organisation.Report{Accounts: p.Accounts, Totals: p.Totals})
	for _, row := range p.Accounts {
		if row.State == organisation.Excluded && row.Cause != nil {
			c.wrapped("– ", fmt.Sprintf("%s %s is left out. %s %s", screen.Grouped(row.AccountID), row.Name, row.Cause.What, row.Cause.Next))
		}
	}
	if !p.TrustedAccess {
		c.app.Print("\n✗ StackSets has no trusted access. Run in the management account: aws cloudformation activate-organizations-access")
	}
	for _, o := range p.Obstacles {
		verb := "may forbid"
		if o.Certain {
			verb = "forbids"
		}
		c.app.Print("")
		c.wrapped("! ", fmt.Sprintf("%s %s at %s (%s) %s %s in %d accounts.", o.Kind, o.Policy, o.At, o.Sid, verb, strings.Join(o.Actions,
			", "), o.Accounts))
		c.wrapped("  ", o.Fix)
	}
}

// body is the page: the numbers, a map of the tree, and a table.
func body(r *organisation.Report, title string) g.Node {
	order, by := units(r)
	t := r.Totals
	return g.Group{
		h.H1(g.Text(title + " of organization " + draw.Clean(r.Organisation))),
		h.P(h.Class("verdict"), g.Textf("%d of %d accounts are connected, %d failed, %d wait, %d are left out.", t.Connected, t.Accounts,
			t.Failed, t.Waiting, t.Excluded)),
		h.P(h.Class("soft"), g.Text(draw.Clean("StackSet "+r.StackSet.Name+" · "+r.StackSet.Digest))),
		h.H2(g.Text("Map")),
		g.Map(order, func(path string) g.Node { return unitMap(path, by[path]) }),
		h.H2(g.Text("Accounts")),
		h.Table(h.THead(h.Tr(g.Map([]string{"Account", "Name", "OU", "State", "Role", "Cause"},
			func(s string) g.Node { return h.Th(g.Text(s)) }))),
			h.TBody(g.Map(r.Accounts, tableRow))),
	}
}

func unitMap(path string, rows []organisation.Row) g.Node {
	depth := strings.Count(strings.TrimSuffix(path, "/"), "/")
	return h.Div(h.Class("unit"), g.Attr("style", fmt.Sprintf("margin-left: %dem", depth)),
		h.Strong(g.Textf("%s · %d", draw.Clean(path), len(rows))),
		h.Div(h.Class("map"), g.Map(rows, func(row organisation.Row) g.Node {
			return h.Span(h.Class(class(row)), h.Title(draw.Clean(row.AccountID+" "+word(row))),
				g.Text(mark(row)+" "+draw.Clean(row.Name)+" "), h.Span(h.Class("soft"), g.Text(word(row))))
		})))
}

func class(row organisation.Row) string {
	if row.OK != nil {
		return map[bool]string{true: "pass", false: "fail"}[*row.OK]
	}
	return string(row.State)
}

func tableRow(row organisation.Row) g.Node {
	var causes []string
	if row.Cause != nil {
		causes = append(causes, row.Cause.What, row.Cause.Next)
	}
	for _, check := range row.Checks {
		if check.Status != "pass" {
			causes = append(causes, check.ID+": "+check.Got)
		}
	}
	return h.Tr(h.Td(g.Text(row.AccountID)), h.Td(g.Text(draw.Clean(row.Name))), h.Td(g.Text(draw.Clean(row.OU))),
		h.Td(g.Text(mark(row)+" "+word(row))),
		h.Td(g.Text(row.RoleARN)), h.Td(g.Text(draw.Clean(strings.Join(causes, " ")))))
}
