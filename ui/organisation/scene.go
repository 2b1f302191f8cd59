package organisation

import (
	"cmp"
	"context"
	"maps"
	"strings"

	"rolecall/aws"
	cloud "rolecall/aws/organisation"
	"rolecall/steps"
	"rolecall/steps/access"
	"rolecall/steps/organisation"
	"rolecall/steps/plan"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/vendorapi"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/flags"
)

// scene is an organisation as a command found it.
type scene struct {
	account  *aws.Account
	identity aws.Identity
	cloud    *cloud.Client
	clock    organisation.Clock
	tree     *organisation.Tree
	chosen   []organisation.Chosen
	choice   organisation.Choice
	want     *organisation.Wanted
	plan     *plan.Plan // that binds; nil: none
	store    *record.Store
	receipt  record.Receipt // of an earlier run; its session is empty where there was none
	prepared *flags.Prepared
}

// open signs in, reads the organisation and finds what an earlier run kept.
func (c *command) open(ctx context.Context) (*scene, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	choice, err := c.choice()
	if err != nil {
		return nil, err
	}
	prepared, err := c.prepare()
	if err != nil {
		return nil, err
	}
	s := &scene{choice: choice, prepared: prepared, plan: prepared.Answers.Plan,
		clock: organisation.Clock{Now: c.app.Env.Now, After: c.app.Env.Alarm, Until: c.app.Env.Now().Add(c.wait)}}
	if s.store, err = c.app.Store(); err != nil {
		return nil, err
	}
	if s.account, err = c.signIn(ctx, prepared.Answers.Partition); err != nil {
		return nil, err
	}
	if s.identity, err = s.account.Identity(ctx); err != nil {
		return nil, err
	}
	if err := s.recall(c); err != nil {
		return nil, err
	}
	if err := c.sameRegion(ctx, s); err != nil {
		return nil, err
	}
	if err := c.wanted(s); err != nil {
		return nil, err
	}
	return s, s.discover(ctx)
}

// sameRegion goes on in the region that the StackSet is in.
func (c *command) sameRegion(ctx context.Context, s *scene) error {
	region := s.receipt.Region
	if c.rehearsed != nil || region == "" || region == s.account.Region() {
		return nil
	}
	if c.app.Region != "" {
		return cli.Usage("The StackSet is in the region "+region+", and --region says "+draw.Clean(c.app.Region)+".", "the same region",
			"Leave out --region.")
	}
	o := c.app.AWSOptions(c.app.Profile, s.prepared.Answers.Partition, c.app.AskCode())
	o.Region = region
	var err error
	s.account, err = aws.Open(ctx, o)
	return err
}

// recalled takes what was chosen by an earlier run, where no flag says otherwise.
func (c *command) recalled(r access.Request, was *record.Organised) (access.Request, string) {
	shared := c.given.Text("external-id")
	if was == nil {
		return r, shared
	}
	keep := func(name string, take func()) {
		if !c.given.Given(name) {
			take()
		}
	}
	keep("products", func() { r.Bundles, r.Parameters = was.Bundles, merged(was.Parameters, r.Parameters) })
	keep("regions", func() { r.Regions = was.Regions })
	keep("restrict-tag", func() { r.RestrictTag = was.RestrictTag })
	keep("path", func() { r.Path = was.Path })
	keep("permissions-boundary", func() { r.Boundary = was.Boundary })
	keep("tag", func() { r.Tags = was.Tags })
	keep("session-duration", func() { r.SessionFor = was.SessionFor })
	keep("trusted-account", func() { r.TrustedAccount = was.TrustedAccount })
	keep("external-id", func() { shared = was.ExternalID })
	names := maps.Clone(r.Names)
	if names == nil {
		names = map[string]access.Names{}
	}
	for purpose, name := range was.RoleNames {
		one := names[purpose]
		keep("role-name", func() { one.Role = name })
		keep("policy-name", func() { one.Policy = was.PolicyNames[purpose] })
		names[purpose] = one
	}
	r.Names = names
	return r, shared
}

// merged are the earlier values with the newer ones over them.
func merged(was, now map[string]string) map[string]string {
	if len(was) == 0 {
		return now
	}
	all := maps.Clone(was)
	maps.Copy(all, now)
	return all
}

// organised is what is wanted, for later runs.
func (s *scene) organised() *record.Organised {
	r := s.want.Request
	o := &record.Organised{Selection: r.Selection, Settings: r.Settings, TrustedAccount: r.TrustedAccount, ExternalID: s.want.Shared,
		RoleNames: map[string]string{}, PolicyNames: map[string]string{}}
	for _, g := range s.want.Grants {
		o.RoleNames[g.Purpose], o.PolicyNames[g.Purpose] = g.Name, g.PolicyName
	}
	return o
}

func (c *command) signIn(ctx context.Context, partition string) (*aws.Account, error) {
	if c.rehearsed != nil {
		return c.rehearsed.signIn(ctx, c.app)
	}
	return aws.Open(ctx, c.app.AWSOptions(c.app.Profile, partition, c.app.AskCode()))
}

// wanted works out what every account gets, in the partition of who is signed in.
func (c *command) wanted(s *scene) error {
	answers := s.prepared.Answers
	if !c.given.Given("partition") && s.plan == nil {
		answers.Partition = s.identity.Partition
	}
	if answers.Partition != s.identity.Partition {
		return cli.Usage("You are signed in to "+s.identity.Partition+", and the flags or the plan say "+answers.Partition+".", "one partition",
			"Sign in to the organization in "+answers.Partition+".")
	}
	was := s.receipt.Organised
	if s.plan != nil {
		was = nil
	}
	request, shared := c.recalled(answers.Request(s.prepared.Vendor), was)
	var err error
	s.want, err = organisation.NewWanted(request, shared)
	if err != nil || s.plan == nil {
		return err
	}
	if s.plan.Template != s.want.Digest {
		return &screen.Fault{Problem: screen.Problem{What: "The template that would go to every account is not the one that was approved.",
			Expected: "what was approved",
			Wanted:   s.plan.Template, Found: s.want.Digest, Next: "Plan anew, have that approved (rolecall approve FILE), and give it with " +
				"--plan.", Kind: screen.NotAsNeeded}}
	}
	return nil
}

// discover reads the tree and finds the accounts that are meant.
func (s *scene) discover(ctx context.Context) error {
	s.cloud = cloud.New(s.account, false)
	about, err := s.cloud.Describe(ctx)
	if err == nil && about.Management != s.identity.AccountID {
		s.cloud = cloud.New(s.account, true)
	}
	if s.tree, err = organisation.Discover(ctx, s.cloud, s.clock); err != nil {
		return err
	}
	if s.plan != nil {
		if err := s.bound(); err != nil {
			return err
		}
	}
	if s.chosen, err = s.tree.Choose(s.choice); err != nil {
		return err
	}
	s.chosen, err = organisation.WithTags(ctx, s.clock, s.cloud, s.chosen, s.choice.Tags)
	if err == nil && len(s.chosen) == 0 && len(s.choice.Tags) > 0 {
		return noneTagged(s.choice.Tags)
	}
	return err
}

// noneTagged refuses tags that nobody has: "all are connected" would be true of no
// account, and is not what was meant.
func noneTagged(tags []organisation.Tag) error {
	var names []string
	for _, tag := range tags {
		names = append(names, draw.Clean(tag.String()))
	}
	return cli.Usage("None of the accounts that are meant has the tag "+strings.Join(names, " and ")+".",
		"a tag of an account, as in Organizations",
		"Correct --account-tag. See the tags: aws organizations list-tags-for-resource --resource-id ACCOUNT.")
}

// recall finds the newest session on this organisation for this vendor. A
// rehearsal begins anew: what it made is gone.
func (s *scene) recall(c *command) error {
	if c.rehearsed != nil && c.rehearsed.session == "" {
		return nil
	}
	var err error
	s.receipt, _, err = s.store.Organisation(func(r record.Receipt) bool {
		if c.rehearsed != nil {
			return r.Session == c.rehearsed.session
		}
		return !r.Rehearsal && r.AccountID == s.identity.AccountID && r.Vendor == s.prepared.Answers.Vendor &&
			r.Endpoint == s.account.Endpoint()
	})
	return err
}

// head is whose receipt it is.
func (s *scene) head(c *command) record.Receipt {
	return record.Receipt{
		Session:   s.receipt.Session,
		Rehearsal: c.rehearsed != nil,
		Vendor:    s.prepared.Answers.Vendor,
		Method:    record.MethodOrganisation,
		Access:    "role",
		Partition: s.identity.Partition,
		AccountID: s.identity.AccountID,
		Profile:   c.app.Profile,
		Region:    s.account.Region(),
		Endpoint:  s.account.Endpoint(),
		Organised: s.organised(),
	}
}

// alone refuses to begin beside a session that somebody else began since this
// command looked, such as while it stood at a question.
func (s *scene) alone(c *command) error {
	before := s.receipt.Session
	if err := s.recall(c); err != nil || s.receipt.Session == before {
		return err
	}
	return &screen.Fault{Problem: screen.Problem{What: "Another rolecall began to connect this organization meanwhile, in session " +
		s.receipt.Session + ".",
		Expected: "one at a time", Next: "Try again: it goes on with what the other one made.", Kind: screen.NotAsNeeded}}
}

// host is what apply and remove act on; release lets go of the session.
func (c *command) host(s *scene, name string) (h *organisation.Host, release func(), err error) {
	options, err := c.options()
	if err != nil {
		return nil, nil, err
	}
	if err := s.alone(c); err != nil {
		return nil, nil, err
	}
	head := s.head(c)
	kept, err := s.store.OpenOrganisation(head, record.Item{Kind: record.ItemStackSet, Name: s.want.SetName()}, name, c.app.Whoami(),
		c.app.Env.Now)
	if err != nil {
		return nil, nil, err
	}
	kept.Journal.SetBy(s.identity.ARN)
	head.Session = kept.ID
	c.telling = c.teller()
	if c.rehearsed != nil {
		c.rehearsed.session = kept.ID
	}
	return &organisation.Host{Clock: s.clock, Cloud: s.cloud, Wanted: s.want, Kept: kept, Head: head, By: s.identity.ARN,
		Region:  s.account.Region(),
		Options: options, Tell: c.telling.tell}, kept.Release, nil
}

// vendor is the client of the vendor's API; nil where a person hands the roles
// over. An API without a token is refused: without it there are no external IDs.
func (c *command) vendor(s *scene) (vendorapi.Client, error) {
	if s.want.ByHand() {
		return nil, nil //nolint:nilnil // nil is "by hand"
	}
	api := s.prepared.Vendor.API
	var client vendorapi.Client
	var err error
	if c.rehearsed != nil {
		client, err = c.rehearsed.vendor(api)
	} else {
		client, err = steps.APIs().Opener(c.app.VendorEnvironment())(api, "")
	}
	if err != nil || client != nil {
		return client, err
	}
	known, _ := steps.APIs().Find(api)
	return nil, cli.Usage("There is no token of "+s.prepared.Vendor.Title+", which gives each account its external ID.",
		"a token in "+cmp.Or(known.TokenName, "the environment"),
		"Set "+known.TokenName+", then try again.")
}
