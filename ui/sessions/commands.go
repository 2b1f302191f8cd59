// Package sessions holds what is known of connections that were begun before:
// the commands that list, show and remove them, and what all commands share that
// go on with one: the session made again, the role that is meant, the journal.
package sessions

import (
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/steps"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// SessionsCommand is rolecall sessions.
func SessionsCommand(a *cli.App) *cobra.Command {
	list := &cobra.Command{
		Use:   "list",
		Short: "List the saved sessions, the newest first",
		Long: "list names every session, also one that cannot be read, with the reason; and the receipts of sessions that were removed, " +
			"where something that rolecall made is left in AWS.",
		Args: a.NoArgs,
		RunE: func(*cobra.Command, []string) error { return listSessions(a) },
	}
	format := ""
	show := &cobra.Command{
		Use:   "show ID",
		Short: "Show one session, what it made, and its journal",
		Long: "show prints the answers of one session, its receipt, and its journal: what rolecall changed in AWS and at the vendor, who was " +
			"signed in, when, by which command, and how it went. Of a session that cannot be read it prints what is known, and exits 1.",
		Args:              cli.ExactlyOne,
		ValidArgsFunction: Complete(a),
		RunE:              func(_ *cobra.Command, args []string) error { return showSession(a, args[0], format) },
	}
	show.Flags().StringVar(&format, "format", "text", "text, json, or markdown for a ticket")
	remove := &cobra.Command{
		Use:   "remove ID",
		Short: "Remove one session from this machine",
		Long: "remove deletes the answers of one session from this machine, also of one that cannot be read. Its receipt stays, and the " +
			"journal with it: disconnect goes by the receipt. Nothing changes in AWS or at the vendor: what was made there stays.",
		Args:              cli.ExactlyOne,
		ValidArgsFunction: Complete(a),
		RunE:              func(_ *cobra.Command, args []string) error { return removeSession(a, args[0]) },
	}
	sessions := &cobra.Command{
		Use:   "sessions",
		Short: "List, show and remove saved sessions",
		Args:  a.NoArgs,
		RunE:  list.RunE,
	}
	sessions.AddCommand(list, show, remove)
	return sessions
}

// shownSession is what sessions show prints with --json: the answers, the
// receipt and the journal, as far as each can be read.
type shownSession struct {
	*record.Answers
	ID      string          `json:"session"`
	Receipt *record.Receipt `json:"receipt,omitempty"`
	Journal []record.Entry  `json:"journal"`
	Error   *cli.ErrorJSON  `json:"error,omitempty"`
}

// readSession reads all that is kept of a session. What cannot be read is in
// err, beside what can.
func readSession(store *record.Store, id string) (shown shownSession, err error) {
	shown = shownSession{ID: id, Journal: []record.Entry{}}
	var errs []error
	switch answers, err := store.Load(id); {
	case err == nil:
		shown.Answers = &answers
	case store.HasSession(id):
		errs = append(errs, err)
	default:
		if _, receiptErr := store.Receipt(id); errors.Is(receiptErr, fs.ErrNotExist) {
			return shown, err // nothing is kept under this ID
		}
	}
	switch receipt, err := store.Receipt(id); {
	case err == nil:
		shown.Receipt = &receipt
	case !errors.Is(err, fs.ErrNotExist):
		errs = append(errs, err)
	}
	entries, err := store.SessionJournal(id)
	if err != nil {
		errs = append(errs, err)
	}
	shown.Journal = append(shown.Journal, entries...)
	return shown, joined(errs)
}

// joined is one refusal that names everything that cannot be read.
func joined(errs []error) error {
	if len(errs) < 2 {
		return errors.Join(errs...)
	}
	p := cli.ProblemOf(errs[0])
	for _, err := range errs[1:] {
		p.What += "\n" + cli.ProblemOf(err).What
	}
	return &screen.Fault{Err: errors.Join(errs...), Problem: p}
}

func showSession(a *cli.App, id, format string) error {
	if err := a.CheckFormat(&format, "text", "json", "markdown"); err != nil {
		return err
	}
	a.JSON = format == "json"
	store, err := a.Store()
	if err != nil {
		return err
	}
	shown, err := readSession(store, id)
	if err == nil && a.JSON {
		a.WriteJSON(shown)
		return nil
	}
	switch {
	case format == "markdown" && (shown.Answers != nil || shown.Receipt != nil || len(shown.Journal) > 0):
		if err := a.Out().Text(ticket(shown)); err != nil {
			return err
		}
	case format == "text":
		printSession(a, shown)
	}
	if err == nil {
		return nil
	}
	return &cli.Failure{Err: err, Document: func(e *cli.ErrorJSON) any { shown.Error = e; return shown }}
}

// ticket is a session for a ticket: what it made, and who did what.
func ticket(shown shownSession) string {
	account, text := "", ""
	if shown.Answers != nil {
		account = shown.AccountID
	}
	if shown.Receipt != nil {
		account, text = shown.Receipt.AccountID, shown.Receipt.Markdown()+"\n"
	}
	return text + record.JournalMarkdown(shown.ID, account, shown.Journal)
}

func printSession(a *cli.App, shown shownSession) {
	out := a.Out()
	if shown.Answers != nil {
		var rows [][]string
		for _, row := range sessionRows(*shown.Answers) {
			if row[1] != "" {
				rows = append(rows, []string{row[0], draw.Clean(row[1])})
			}
		}
		out.Table(false, rows)
	}
	if shown.Receipt != nil {
		rows := [][]string{{"RECEIPT", "STATE", "ID"}}
		for _, item := range shown.Receipt.Items {
			rows = append(rows, []string{string(item.Kind) + " " + draw.Clean(item.Label()), string(item.State), draw.Clean(item.ID)})
		}
		out.Line("")
		out.Table(true, rows)
	}
	if len(shown.Journal) == 0 {
		return
	}
	rows := [][]string{{"JOURNAL", "WHO", "COMMAND", "WHAT", "OUTCOME"}}
	for _, e := range shown.Journal {
		outcome := string(e.State)
		if e.State == record.EntryAnswered {
			outcome = e.Outcome
			if e.RequestID != "" {
				outcome += " · request " + e.RequestID
			}
		}
		rows = append(rows, []string{e.Time.Local().Format(time.DateTime), cli.Dash(draw.Clean(e.By)), cli.Dash(draw.Clean(e.Command)),
			draw.Clean(e.Call), draw.Clean(outcome)})
	}
	out.Line("")
	out.Table(true, rows)
}

func sessionRows(s record.Answers) [][2]string {
	rows := [][2]string{
		{"Session", s.ID}, {"Vendor", s.Vendor}, {"Method", s.Method}, {"Access", s.Access},
		{"Vendor's account", s.VendorAccount}, {"Partition", s.Partition}, {"AWS account", s.AccountID},
		{"Profile", s.Profile}, {"Products", strings.Join(products(s), ", ")},
		{"Begun", s.Created.Local().Format(time.DateTime)}, {"Saved", s.Updated.Local().Format(time.DateTime)},
	}
	if s.Rehearsal {
		rows = append(rows, [2]string{"Rehearsal", "yes: nothing of it exists outside"})
	}
	for _, purpose := range cli.SortedKeys(s.Parts) {
		p := s.Parts[purpose]
		rows = append(rows, [2]string{"Role", p.RoleARN}, [2]string{"Policy", strings.Join(p.PolicyARNs(), ", ")},
			[2]string{"External ID", p.ExternalID})
		if !p.Submitted.IsZero() {
			rows = append(rows, [2]string{"Accepted", p.Submitted.Local().Format(time.DateTime)})
		}
	}
	return rows
}

// products are the titles of what was chosen; their IDs where the vendor's
// description is gone.
func products(s record.Answers) []string {
	if vendor, err := steps.Library().Load(s.Vendor); err == nil && len(s.Bundles) > 0 {
		return vendor.Titles(s.Bundles)
	}
	return s.Bundles
}

func removeSession(a *cli.App, id string) error {
	store, err := a.Store()
	if err != nil {
		return err
	}
	if err := store.Remove(id, a.Env.Now()); err != nil {
		return err
	}
	if a.JSON {
		a.WriteJSON(struct {
			Removed string `json:"removed"`
		}{id})
		return nil
	}
	a.Say("Session %s is removed. What it made in AWS or at the vendor is still there.", id)
	if receipt, err := store.Receipt(id); err == nil && len(receipt.Outstanding()) > 0 && !receipt.Rehearsal {
		a.Say("Its receipt is kept. Remove what it made: rolecall disconnect %s", id)
	}
	return nil
}

// Complete offers the IDs of the saved sessions to the shell.
func Complete(a *cli.App) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { return sessionIDs(a) }
}

func sessionIDs(a *cli.App) ([]string, cobra.ShellCompDirective) {
	store, err := a.Store()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	all, err := store.List()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ids := make([]string, len(all))
	for i, one := range linesOf(a, all) {
		ids[i] = one.Session + "\t" + one.state()
	}
	return ids, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}
