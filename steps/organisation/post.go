package organisation

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"rolecall/steps/screen"
	"rolecall/steps/vendorapi"
)

// Post sends a JSON text once to an address, and gives the status of the answer,
// the beginning of its text, and how long it asks to wait.
type Post func(ctx context.Context, url, body string) (status int, answer string, wait time.Duration, err error)

// Posts tells whether the vendor's description declares one request that hands a
// role over. A vendor that gets several roles by different requests is for a
// person's hands.
func (w *Wanted) Posts() bool {
	return w.ByHand() && w.Request.Vendor.HandOver.URL != "" && len(w.Grants) == 1
}

// PostTo is the address of that request.
func (w *Wanted) PostTo() string { return w.Request.Vendor.HandOver.URL }

// PostBody is what it says of one account.
func (w *Wanted) PostBody(account, externalID string) string {
	return w.Request.Vendor.HandOver.Render(w.RoleARN(account), externalID, account)
}

func (r *run) posts() bool { return r.Post != nil && r.Wanted.Posts() }

// post hands one role over by the declared request. Nobody can ask whether it
// arrived: one whose answer got lost is not sent again by itself.
func (r *run) post(ctx context.Context, w *work, _ map[string][]vendorapi.Account) error {
	m, arn, to := r.Kept.Members.Get(w.ID), r.Wanted.RoleARN(w.ID), r.Wanted.PostTo()
	if m.Offered == arn && !r.Options.Resend {
		return &caused{r.unanswered("An earlier run sent the role to " + to + ", and no answer came.")}
	}
	m.Offered, m.Made = arn, true
	if err := r.note(w, m); err != nil {
		return err
	}
	var status int
	var answer string
	var wait time.Duration
	err := r.write(ctx, "send "+arn+" to "+to, func(ctx context.Context) (err error) {
		status, answer, wait, err = r.Post(ctx, to, r.Wanted.PostBody(w.ID, cmp.Or(m.ExternalID, r.Wanted.Shared)))
		return err
	})
	switch {
	case err != nil:
		return &caused{r.unanswered("No answer came from " + to + ": " + screen.CleanLine(err.Error()) + ".")}
	case status >= 200 && status <= 299:
		m.Connected = true
		return r.note(w, m)
	case status >= 500 && status != http.StatusServiceUnavailable:
		p := r.unanswered(fmt.Sprintf("%s answered with HTTP %d.", r.Wanted.Request.Vendor.Title, status))
		p.Quoted = screen.CleanLine(answer)
		return &caused{p}
	}
	m.Offered = "" // it was not taken
	if err := r.note(w, m); err != nil {
		return err
	}
	e := &vendorapi.Error{Vendor: vendorapi.Vendor{Title: r.Wanted.Request.Vendor.Title}, Op: "send the role to " + to, Status: status,
		RetryAfter: wait, Message: screen.CleanLine(answer)}
	if e.Passing() {
		return e
	}
	return &caused{&screen.Problem{What: fmt.Sprintf("%s refused the role with HTTP %d.", r.Wanted.Request.Vendor.Title, status),
		Expected: "HTTP 200 to 299", Next: "Look at its words, then apply again, or hand the role over by hand.",
		Quoted: screen.CleanLine(answer)}}
}

func (*run) unanswered(what string) *screen.Problem {
	return &screen.Problem{What: what + " It may have arrived all the same.", Expected: "an answer",
		Next: "Look in the vendor's console. Where none of those is there: rolecall org apply --resend sends each of them again."}
}
