package connect

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

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
	show := &cobra.Command{
		Use:   "show ID",
		Short: "Show one session, what it made, and its journal",
		Long: "show prints the answers of one session, its receipt, and its journal: what rolecall changed in AWS and at the vendor, who was " +
			"signed in, when, by which command, and how it went. Of a session that cannot be read it prints what is known, and exits 1.",
		Args:              cli.ExactlyOne,
		ValidArgsFunction: completeSessions(a),
		RunE:              func(_ *cobra.Command, args []string) error { return showSession(a, args[0]) },
	}
	remove := &cobra.Command{
		Use:   "remove ID",
		Short: "Remove one session from this machine",
		Long: "remove deletes the answers of one session from this machine, also of one that cannot be read. Its receipt stays, and the " +
			"journal with it: disconnect goes by the receipt. Nothing changes in AWS or at the vendor: what was made there stays.",
		Args:              cli.ExactlyOne,
		ValidArgsFunction: completeSessions(a),
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

// sessionLine is one session in a list.
type sessionLine struct {
	Session   string     `json:"session"`
	Vendor    string     `json:"vendor,omitempty"`
	Method    string     `json:"method,omitempty"`
	Account   string     `json:"account_id,omitempty"`
	Rehearsal bool       `json:"rehearsal,omitempty"`
	Connected bool       `json:"connected"`
	Updated   *time.Time `json:"updated,omitempty"`
	OpenBy    int        `json:"open_by_process,omitempty"`
	Problem   string     `json:"problem,omitempty"` // why it cannot be read
}

func lineOf(one record.Listed) sessionLine {
	line := sessionLine{Session: one.ID}
	if one.Holder != nil {
		line.OpenBy = one.Holder.PID
	}
	if one.Err != nil {
		line.Problem = cli.ProblemOf(one.Err).What
		return line
	}
	s := one.Answers
	line.Vendor, line.Method, line.Account = s.Vendor, s.Method, s.AccountID
	line.Rehearsal, line.Connected, line.Updated = s.Rehearsal, connected(s), &s.Updated
	return line
}

// connected reports whether every role of the session was handed over.
func connected(s record.Answers) bool {
	for _, part := range s.Parts {
		if part.HandedOver || !part.Submitted.IsZero() {
			return true
		}
	}
	return false
}

// receiptLine is the receipt of a session that was removed.
type receiptLine struct {
	Session     string `json:"session"`
	Account     string `json:"account_id,omitempty"`
	Outstanding int    `json:"outstanding"` // things that rolecall made and did not remove
	Problem     string `json:"problem,omitempty"`
}

// looseReceipts are the receipts that no session is left of, where they still
// matter.
func looseReceipts(store *record.Store) ([]receiptLine, error) {
	all, err := store.ListReceipts()
	if err != nil {
		return nil, err
	}
	lines := []receiptLine{}
	for _, one := range all {
		line := receiptLine{Session: one.Session, Account: one.Receipt.AccountID, Outstanding: len(one.Receipt.Outstanding())}
		if one.Err != nil {
			line.Problem = cli.ProblemOf(one.Err).What
		}
		if line.Problem != "" || !store.HasSession(one.Session) && line.Outstanding > 0 && !one.Receipt.Rehearsal {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

func listSessions(a *cli.App) error {
	store, err := a.Store()
	if err != nil {
		return err
	}
	all, err := store.List()
	if err != nil {
		return err
	}
	receipts, err := looseReceipts(store)
	if err != nil {
		return err
	}
	lines := make([]sessionLine, len(all))
	for i, one := range all {
		lines[i] = lineOf(one)
	}
	if a.JSON {
		a.WriteJSON(struct {
			Sessions []sessionLine `json:"sessions"`
			Receipts []receiptLine `json:"receipts"`
		}{lines, receipts})
		return nil
	}
	if len(lines) == 0 {
		a.Say("There are no sessions. Begin one: rolecall, or try rolecall rehearse.")
	} else if err := printSessions(a, lines); err != nil {
		return err
	}
	printReceipts(a, receipts)
	return nil
}

func printSessions(a *cli.App, lines []sessionLine) error {
	table := tabwriter.NewWriter(a.Env.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "SESSION\tVENDOR\tACCOUNT\tSTATE\tSAVED")
	for _, line := range lines {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", line.Session, cli.Dash(line.Vendor), cli.Dash(line.Account), stateOf(line),
			a.Ago(line.Updated))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, line := range lines {
		if line.Problem != "" {
			a.Print("%s\n  See what is known: rolecall sessions show %s", draw.Clean(line.Problem), line.Session)
		}
	}
	return nil
}

func printReceipts(a *cli.App, receipts []receiptLine) {
	for _, line := range receipts {
		if line.Problem != "" {
			a.Print("%s", draw.Clean(line.Problem))
			continue
		}
		a.Print("Session %s was removed, and %d things that it made are left in account %s.\n  Remove them: rolecall disconnect %s",
			line.Session, line.Outstanding, screen.Grouped(line.Account), line.Session)
	}
}

func stateOf(line sessionLine) string {
	var words []string
	switch {
	case line.Problem != "":
		words = append(words, "damaged")
	case line.Connected:
		words = append(words, "connected")
	default:
		words = append(words, "unfinished")
	}
	if line.Rehearsal {
		words = append(words, "rehearsal")
	}
	if line.OpenBy != 0 {
		words = append(words, fmt.Sprintf("open in process %d", line.OpenBy))
	}
	return strings.Join(words, ", ")
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

func showSession(a *cli.App, id string) error {
	store, err := a.Store()
	if err != nil {
		return err
	}
	shown, err := readSession(store, id)
	if err == nil && a.JSON {
		a.WriteJSON(shown)
		return nil
	}
	if !a.JSON {
		if err := printSession(a, shown); err != nil {
			return err
		}
	}
	if err == nil {
		return nil
	}
	return &cli.Failure{Err: err, Document: func(e *cli.ErrorJSON) any { shown.Error = e; return shown }}
}

func printSession(a *cli.App, shown shownSession) error {
	table := tabwriter.NewWriter(a.Env.Stdout, 0, 8, 2, ' ', 0)
	if shown.Answers != nil {
		for _, row := range sessionRows(*shown.Answers) {
			if row[1] != "" {
				fmt.Fprintf(table, "%s\t%s\n", row[0], draw.Clean(row[1]))
			}
		}
	}
	if shown.Receipt != nil {
		fmt.Fprintf(table, "\nRECEIPT\tSTATE\tID\n")
		for _, item := range shown.Receipt.Items {
			fmt.Fprintf(table, "%s %s\t%s\t%s\n", item.Kind, draw.Clean(item.Label()), item.State, draw.Clean(item.ID))
		}
	}
	if len(shown.Journal) > 0 {
		fmt.Fprintf(table, "\nJOURNAL\tWHO\tCOMMAND\tWHAT\tOUTCOME\n")
	}
	for _, e := range shown.Journal {
		outcome := string(e.State)
		if e.State == record.EntryAnswered {
			outcome = e.Outcome
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", e.Time.Local().Format(time.DateTime), cli.Dash(draw.Clean(e.By)),
			cli.Dash(draw.Clean(e.Command)), draw.Clean(e.Call), draw.Clean(outcome))
	}
	return table.Flush()
}

func sessionRows(s record.Answers) [][2]string {
	rows := [][2]string{
		{"Session", s.ID}, {"Vendor", s.Vendor}, {"Method", s.Method}, {"Access", s.Access},
		{"Vendor's account", s.VendorAccount}, {"Partition", s.Partition}, {"AWS account", s.AccountID},
		{"Profile", s.Profile}, {"Products", strings.Join(s.Bundles, ", ")},
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

// completeSessions offers the IDs of the saved sessions to the shell.
func completeSessions(a *cli.App) cobra.CompletionFunc {
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
	for i, one := range all {
		ids[i] = one.ID + "\t" + stateOf(lineOf(one))
	}
	return ids, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}
