package organisation

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"rolecall/aws"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/onboard"
	"rolecall/steps/organisation"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/vendorapi"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/flags"
	"rolecall/ui/front"
	"rolecall/ui/lines"
	"rolecall/ui/sessions"
)

// walk is the commands' work as numbered steps.
func (c *command) walk(ctx context.Context) error {
	by, err := front.For(c.app, false)
	if err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	if c.given.Given("plan") {
		return cli.Usage("The wizard makes a plan of its own.", "rolecall org apply --plan FILE", "Run rolecall org apply --plan FILE.")
	}
	store, err := c.app.Store()
	if err != nil {
		return err
	}
	s, flow, err := c.session()
	if err != nil {
		return err
	}
	open, err := c.draft(store, s)
	if err != nil {
		return err
	}
	backend := &backend{command: c, store: store}
	flow.Backend = onboard.Backend{Discover: backend.discover, Preflight: backend.preflight, Apply: backend.apply}
	open.Begin("org", c.app.Whoami(), c.app.Env.Now)
	run := &lines.Run{App: c.app, Walk: steps.NewWalkOf(s, flow.Steps), Open: open, Store: store}
	s.Journal = open.Journal
	err = front.Run(ctx, run, by)
	backend.wait() // what is under way is in the ledger before anybody else looks
	return c.walked(run, flow, err)
}

// session makes the session that the flags describe, and its flow.
func (c *command) session() (*step.Session, *onboard.Flow, error) {
	prepared, err := flags.Select(&c.given, cmp.Or(c.given.Text("vendor"), flags.DefaultVendor()), describe.AccessRole, c.rehearsed != nil)
	if err != nil {
		return nil, nil, err
	}
	chosen, err := c.choice()
	if err != nil {
		return nil, nil, err
	}
	offered := &flags.Prepared{Load: prepared.Load}
	if err := offered.Offer(flags.Way{Vendor: c.given.Text("vendor"), Method: describe.Automatic, Access: describe.AccessRole}); err != nil {
		return nil, nil, err
	}
	prepared.Answers.Method, prepared.Answers.Profile, prepared.Answers.Region = record.MethodOrganisation, c.app.Profile, c.app.Region
	prepared.Answers.AccountID, prepared.Answers.AccountPinned = c.app.Account, c.app.Account != ""
	prepared.Answers.Across = &record.Across{Tolerance: c.tolerance, Concurrent: c.concurrency, Automatic: c.automatic,
		ExternalID: c.given.Text("external-id"), Tags: c.tags}
	s := prepared.Session(c.app)
	for _, o := range offered.Offers {
		v, err := prepared.Load(o.Vendor)
		if err != nil || slices.ContainsFunc(s.Offers, func(had step.Offer) bool { return had.Vendor == o.Vendor }) {
			continue
		}
		o.Label = v.Title
		s.Offers = append(s.Offers, o)
	}
	s.SendTo = c.given.SendTo()
	sessions.AttachClients(c.app, s)
	if c.rehearsed != nil {
		c.rehearsed.attach(c.app, s)
	}
	return s, &onboard.Flow{Choice: chosen, Asking: steps.Asking}, nil
}

// attach connects a session to the organization inside the program.
func (r *rehearsed) attach(a *cli.App, s *step.Session) {
	s.Rehearsal, s.Profile, s.Region, s.Partition = true, "", "", describe.Commercial
	s.AccountID, s.AccountPinned = r.org.Server().Account(), true
	s.Profiles = func() ([]aws.Profile, error) { return []aws.Profile{}, nil }
	s.OpenAWS = func(ctx context.Context, _, _ string) (*aws.Account, error) { return r.signIn(ctx, a) }
	s.OpenAPI = func(name string, _ screen.Secret) (vendorapi.Client, error) { return r.vendor(name) }
	if s.Vendor != nil && s.Across.ExternalID == "" && s.Vendor.API == "" {
		s.Across.ExternalID = s.Vendor.ExternalID.Example // what its console would show
	}
}

// draft opens what a walk that was left has chosen, where no flag says otherwise;
// else a new one.
func (c *command) draft(store *record.Store, s *step.Session) (*record.OpenSession, error) {
	all, err := store.List()
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		a := one.Answers
		fits := one.Err == nil && one.Holder == nil && a.Across != nil && a.Method == record.MethodOrganisation && !a.Rehearsal
		if c.rehearsed != nil || c.anyGiven() || !fits {
			continue
		}
		open, answers, err := store.Open(one.ID, false, c.app.Env.Now())
		if err != nil {
			return nil, err
		}
		v, err := s.LoadVendor(answers.Vendor)
		if err != nil {
			return nil, errors.Join(err, open.Release())
		}
		s.Answers, s.Vendor, s.Resuming = answers, v, true
		s.Prepare()
		c.app.Say("Going on with session %s. To begin anew: rolecall sessions remove %s", one.ID, one.ID)
		return open, s.ConnectAPI()
	}
	open, answers, err := store.Create(s.Answers, c.app.Env.Now())
	s.Answers = answers
	return open, err
}

// anyGiven tells whether a flag says something of what is wanted.
func (c *command) anyGiven() bool {
	return len(c.units)+len(c.accounts)+len(c.tags) > 0 ||
		slices.ContainsFunc([]string{"vendor", "products", "regions", "external-id", "role-name",
			"path",
			"failure-tolerance", "concurrency", "automatic-deployment"}, c.given.Given)
}

// walked says how the walk ended. A session that came to its end is kept as the
// receipt of the StackSet, and the answers go.
func (c *command) walked(run *lines.Run, flow *onboard.Flow, err error) error {
	id := run.Open.ID
	if released := run.Open.Release(); err == nil {
		err = released
	}
	report := flow.Report()
	if err == nil || c.rehearsed != nil {
		_ = run.Store.Remove(id, c.app.Env.Now()) // the receipt says what was made
	} else if errors.Is(err, cli.ErrCancelled) {
		c.app.Say("Your answers are saved. Go on: rolecall org")
	}
	if report != nil && report.Session != "" {
		if found := flow.Found(); found != nil {
			report.Organisation = found.Tree.ID
		}
		c.text(report)
	}
	if err != nil || report == nil {
		return err
	}
	return report.Worst()
}

// backend does for the steps what needs the network and the disk. One thing is under
// way at a time.
type backend struct {
	*command

	store *record.Store
	mu    sync.Mutex // held while something is under way
	scene *scene     // as found last
}

// wait waits until nothing is under way any more.
func (d *backend) wait() {
	d.mu.Lock()
	d.mu.Unlock() //nolint:gocritic,staticcheck // it waits, and does nothing
}

func (d *backend) discover(ctx context.Context, asked onboard.Asked) (*onboard.Found, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	answers := record.Answers{Vendor: asked.Vendor, Partition: asked.Identity.Partition}
	s := &scene{account: asked.Account, identity: asked.Identity, store: d.store,
		prepared: &flags.Prepared{Answers: answers, Vendor: asked.Request.Vendor},
		clock:    organisation.Clock{Now: d.app.Env.Now, After: d.app.Env.Alarm}}
	if err := s.recall(d.command); err != nil {
		return nil, err
	}
	if region := s.receipt.Region; d.rehearsed == nil && region != "" && region != s.account.Region() {
		return nil, &screen.Fault{Problem: screen.Problem{What: "The StackSet of this organization is in the region " + draw.Clean(region) +
			", and you are in " + s.account.Region() + ".",
			Expected: "the same region", Next: "Leave, and run rolecall org --region " + draw.Clean(region) + ".", Kind: screen.Usage}}
	}
	request, shared := d.recalled(asked.Request, s.receipt.Organised)
	request.Selection = asked.Request.Selection // the person has just chosen it
	var err error
	if s.want, err = organisation.NewWanted(request, cmp.Or(asked.ExternalID, shared)); err != nil {
		return nil, err
	}
	if err := s.discover(ctx); err != nil {
		return nil, err
	}
	found := &onboard.Found{Tree: s.tree, Want: s.want, Connected: map[string]bool{}}
	if found.Trusted, err = s.cloud.TrustedAccess(ctx); err != nil {
		return nil, err
	}
	members, err := s.members()
	for _, m := range members {
		found.Connected[m.Account] = m.Connected
	}
	if err != nil {
		return nil, err
	}
	d.scene = s
	found.Tagged, err = s.tagged(ctx, asked.Tags)
	return found, err
}

// tagged are the accounts that have all of the tags; nil where none is asked for.
func (s *scene) tagged(ctx context.Context, texts []string) (map[string]bool, error) {
	if len(texts) == 0 {
		return nil, nil //nolint:nilnil // nil is "no tag is asked for"
	}
	var tags []organisation.Tag
	for _, text := range texts {
		tag, err := organisation.ParseTag(text)
		if err != nil {
			return nil, err
		}
		tags = append(tags, tag)
	}
	with, err := organisation.WithTags(ctx, s.clock, s.cloud, s.tree.Everyone(), tags)
	has := map[string]bool{}
	for _, one := range with {
		has[one.ID] = true
	}
	return has, err
}

func (d *backend) preflight(ctx context.Context, found *onboard.Found, meant []organisation.Chosen) ([]organisation.Obstacle, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return organisation.Preflight(ctx, d.scene.clock, d.scene.cloud, found.Tree, found.Want, meant)
}

func (d *backend) apply(ctx context.Context, found *onboard.Found, order onboard.Order, tell func(onboard.Live)) (
	*organisation.Report, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h, release, err := d.host(d.scene, "org")
	if err != nil {
		return nil, err
	}
	defer release()
	h.Vendor, h.Options = order.API, order.Options
	if found.Want.ByHand() {
		h.Vendor = nil
	}
	d.sends = order.Send
	h.Post = d.post()
	h.Tell = func(p organisation.Progress) { tell(onboard.Live{Progress: p, Report: p.Report()}) }
	report, err := h.Apply(ctx, order.Chosen)
	report.Organisation = found.Tree.ID
	d.scene.receipt.Session = report.Session
	return report, err
}
