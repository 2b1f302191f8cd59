package delegation

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"rolecall/aws"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// mostListed bounds a list: a server that always has one more page ends there.
const mostListed = 10_000

func listCommand(a *cli.App) *cobra.Command {
	c := &common{}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the delegation requests that somebody of this account took up",
		Long: "list names the requests with their state. AWS does not list a request that nobody of the account took up yet: show it by " +
			"the link that the vendor sent.",
		Args: a.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return list(cmd.Context(), a, c) },
	}
	c.bindWait(cmd)
	return cmd
}

// lineJSON is one request of a list.
type lineJSON struct {
	ID            string              `json:"id"`
	State         aws.DelegationState `json:"state"`
	Requestor     string              `json:"requestor"`
	RequestorName string              `json:"requestor_name"`
	AccountID     string              `json:"account_id"`
	Owner         string              `json:"owner"`
	Created       *time.Time          `json:"created,omitempty"`
	Expires       *time.Time          `json:"expires,omitempty"`
	Duration      int                 `json:"duration_s"`
	Boundaries    []string            `json:"boundaries"`
}

func list(ctx context.Context, a *cli.App, c *common) error {
	r, err := begin(ctx, a, c)
	if err != nil {
		return err
	}
	var all []aws.Delegation
	err = r.budget.Within(ctx, func(ctx context.Context) error {
		all, err = pages(ctx, r.judge.Account)
		return err
	})
	if err != nil {
		return err
	}
	if a.JSON {
		lines := make([]lineJSON, 0, len(all))
		for _, d := range all {
			lines = append(lines, lineJSON{d.ID, d.State, d.Requestor, d.RequestorName, d.AccountID, d.Owner, timeOf(d.Created), timeOf(d.Expires),
				int(d.Duration / time.Second), cli.OrEmpty(d.Boundaries)})
		}
		a.WriteJSON(struct {
			AccountID string     `json:"account_id"`
			Requests  []lineJSON `json:"requests"`
		}{r.judge.Identity.AccountID, lines})
		return nil
	}
	if len(all) == 0 {
		a.Say(
			"There are no delegation requests in account %s. One that nobody took up yet is not listed: show it by the link that you were sent.",
			screen.Grouped(r.judge.Identity.AccountID),
		)
		return nil
	}
	rows := [][]string{{"REQUEST", "STATE", "LASTS", "EXPIRES", "REQUESTOR"}}
	for _, d := range all {
		rows = append(
			rows,
			[]string{
				draw.Clean(d.ID),
				draw.Clean(string(d.State)),
				screen.Hours(d.Duration),
				day(d.Expires),
				requestorOf(d) + elsewhere(d, r.judge.Identity),
			},
		)
	}
	a.Out().Table(true, rows)
	return nil
}

func pages(ctx context.Context, account *aws.Account) ([]aws.Delegation, error) {
	var all []aws.Delegation
	for marker := ""; ; {
		page, next, err := account.Delegations(ctx, marker)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if next == "" || next == marker || len(all) >= mostListed {
			return all, nil
		}
		marker = next
	}
}

func requestorOf(d aws.Delegation) string {
	return draw.Clean(cli.OrElse(d.RequestorName, "no name")) + " (account " + draw.Clean(d.Requestor) + ")"
}

// elsewhere marks a request of another account, which AWS should not list.
func elsewhere(d aws.Delegation, who aws.Identity) string {
	if d.AccountID == "" || d.AccountID == who.AccountID {
		return ""
	}
	return ", for account " + draw.Clean(d.AccountID) + ", not yours"
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04")
}
