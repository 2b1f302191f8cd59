package record

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/steps/screen"
)

// Markdown is the receipt for a ticket.
func (r Receipt) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# rolecall receipt %s\n\n", cell(r.Session))
	if r.Rehearsal {
		b.WriteString("This was a rehearsal: nothing of it exists outside.\n\n")
	}
	rows := [][2]string{
		{"Vendor", r.Vendor}, {"Vendor's account", r.VendorAccount}, {"Method", r.Method}, {"Access", r.Access},
		{"AWS account", r.AccountID}, {"Partition", r.Partition}, {"Endpoint", r.Endpoint},
		{"Begun", stamp(r.Created)}, {"Last change", stamp(r.Updated)},
	}
	for _, row := range rows {
		if row[1] != "" {
			fmt.Fprintf(&b, "- %s: %s\n", row[0], cell(row[1]))
		}
	}
	b.WriteString("\n| What | State | Name | ARN | ID | Digest | When | By |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, i := range r.Items {
		id := i.ID
		if id == "" {
			id = i.RoleID + i.UserID
		}
		label := i.Label()
		if i.Closed {
			label += " (closed: nobody of the vendor gets in yet)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", cell(string(i.Kind)), cell(i.stateWords()), cell(label),
			cell(i.ARN), cell(id), cell(i.Digest), stamp(i.At), cell(i.By))
	}
	if slices.ContainsFunc(r.Items, func(i Item) bool { return i.Kind.Decides() }) {
		return b.String()
	}
	fmt.Fprintf(&b, "\nUndo exactly this: `rolecall disconnect %s`\n", cell(r.Session))
	return b.String()
}

// stateWords are the state, and what a migration did with the thing.
func (i Item) stateWords() string {
	words := string(i.State)
	if !i.HandedOver.IsZero() {
		words += ", handed over " + stamp(i.HandedOver)
	}
	if !i.Deactivated.IsZero() {
		words += ", deactivated " + stamp(i.Deactivated)
	}
	if !i.DeleteFrom.IsZero() && i.State == ItemMade {
		words += ", to be deleted from " + i.DeleteFrom.UTC().Format(time.DateOnly)
	}
	return words
}

// JournalMarkdown is a journal for a ticket: who did what in which account, when,
// how it went, and the number of the request.
func JournalMarkdown(session, accountID string, entries []Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# rolecall journal %s\n\n", cell(session))
	if accountID != "" {
		fmt.Fprintf(&b, "- AWS account: %s\n\n", cell(accountID))
	}
	if len(entries) == 0 {
		return b.String() + "Nothing was changed.\n"
	}
	b.WriteString("| When | Who | Command | What | Outcome | Request ID |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, e := range entries {
		outcome := string(e.State)
		if e.Outcome != "" {
			outcome = e.Outcome
		}
		fmt.Fprintf(
			&b,
			"| %s | %s | %s | %s | %s | %s |\n",
			stamp(e.Time),
			cell(e.By),
			cell(e.Command),
			cell(e.Call),
			cell(outcome),
			cell(e.RequestID),
		)
	}
	return b.String()
}

// Label is the thing's name, with the role or user that it is on.
func (i Item) Label() string {
	if i.Role+i.User == "" {
		return i.Name
	}
	return i.Name + " on " + i.Role + i.User
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// cell keeps a text from breaking out of its place in a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "`", "'", "<", "&lt;", "[", `\[`).Replace(screen.CleanLine(s))
}
