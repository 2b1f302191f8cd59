package connect

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"rolecall/steps/record"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// SessionsCommand is rolecall sessions.
func SessionsCommand(a *cli.App) *cobra.Command {
	list := &cobra.Command{
		Use:   "list",
		Short: "List the saved sessions, the newest first",
		Args:  a.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return listSessions(a) },
	}
	show := &cobra.Command{
		Use:               "show ID",
		Short:             "Show one session",
		Args:              cli.ExactlyOne,
		ValidArgsFunction: completeSessions(a),
		RunE:              func(_ *cobra.Command, args []string) error { return showSession(a, args[0]) },
	}
	remove := &cobra.Command{
		Use:   "remove ID",
		Short: "Remove one session from this machine",
		Long: "remove deletes the answers and the journal of one session from this machine. " +
			"Nothing changes in AWS or at the vendor: what was made there stays.",
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

func listSessions(a *cli.App) error {
	store, err := a.Store()
	if err != nil {
		return err
	}
	all, err := store.List()
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
		}{lines})
		return nil
	}
	if len(lines) == 0 {
		a.Say("There are no sessions. Begin one: rolecall, or try rolecall rehearse.")
		return nil
	}
	table := tabwriter.NewWriter(a.Env.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "SESSION\tVENDOR\tACCOUNT\tSTATE\tSAVED")
	for _, line := range lines {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", line.Session, cli.Dash(line.Vendor), cli.Dash(line.Account), stateOf(line), a.Ago(line.Updated))
	}
	return table.Flush()
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

func showSession(a *cli.App, id string) error {
	store, err := a.Store()
	if err != nil {
		return err
	}
	answers, err := store.Load(id)
	if err != nil {
		return err
	}
	if a.JSON {
		a.WriteJSON(answers)
		return nil
	}
	table := tabwriter.NewWriter(a.Env.Stdout, 0, 8, 2, ' ', 0)
	for _, row := range sessionRows(answers) {
		if row[1] != "" {
			fmt.Fprintf(table, "%s\t%s\n", row[0], draw.Clean(row[1]))
		}
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
		rows = append(rows, [2]string{"Role", p.RoleARN}, [2]string{"Policy", strings.Join(p.PolicyARNs(), ", ")}, [2]string{"External ID", p.ExternalID})
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
