// Package choose holds the steps that ask before anything is made: the vendor
// and the method, the partition, the AWS login, and the permissions. It stands
// on step.
package choose

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/vendorapi"
)

// Vendor is the first step: what will happen, by which method, and which
// of the vendor's accounts is connected.
type Vendor struct {
	step.Described
	stage    vendorStage
	offered  bool   // the person chose among offers, and can go back to them
	of       string // the vendor whose offers are shown, where there are too many for one list
	accounts []vendorapi.Account
	held     string // the role that the vendor already holds for the account
	name     string // of the account to create, as typed
	problem  *screen.Problem
	field    string // what is wrong with the field
}

type vendorStage int

const (
	pickOffer    vendorStage = iota // which vendor and method
	begin                           // what will happen; token or by hand
	askToken                        // the hidden field
	listing                         // the vendor's accounts are being read
	pickAccount                     // one of them, or a new one
	nameAccount                     // the new one's name
	asking                          // creating, or reading what the vendor holds
	showHeld                        // the account already has a role
	vendorFailed                    // the vendor's API did not answer as hoped
)

// Options of this step that are not accounts.
const (
	optionByHand = "by-hand"
	optionToken  = "token"
	optionNew    = "new-account"
	optionOther  = "other-account"
	optionGoOn   = "go-on"
)

type (
	accountsListed struct {
		accounts []vendorapi.Account
		err      error
	}
	accountReady struct {
		account vendorapi.Account
		held    string
		created bool
		existed bool // already, under that name
		err     error

		requestID string
	}
)

func (c *Vendor) basis(a record.Answers) []string {
	return []string{a.Vendor, a.Method, a.Access, a.VendorAccount, strconv.FormatBool(a.ByHand)}
}

// Status is Done once vendor, method and, where the vendor has an API, the
// account are chosen.
func (c *Vendor) Status(a record.Answers) step.Status {
	if a.IsAnswered(record.StepVendor, c.basis(a)...) {
		return step.Done
	}
	return step.Todo
}

// Asks names the account, which only a flag answers unattended.
func (c *Vendor) Asks(s *step.Session) []step.Need {
	if s.API() == nil || s.VendorAccount != "" || s.NewVendorAccount != "" {
		return nil
	}
	return []step.Need{{Flag: "--account", Why: fmt.Sprintf("which %s to connect (or --account-name for a new one)", s.Vendor.Account.Label)}}
}

// Enter shows the stage that the answers leave open.
func (c *Vendor) Enter(s *step.Session) []screen.Effect {
	c.problem, c.field, c.held = nil, "", ""
	c.stage = begin
	c.offered = len(s.Offers) > 1
	if s.Vendor == nil || s.Method == "" || c.offered && c.Status(s.Answers) == step.Todo {
		c.stage, c.of = pickOffer, ""
		return nil
	}
	c.connectAPI(s)
	return nil
}

// connectAPI opens the vendor's API, now that the vendor is known. It reports
// whether the step can go on; otherwise the screen says what is wrong.
func (c *Vendor) connectAPI(s *step.Session) bool {
	err := s.ConnectAPI()
	if err != nil {
		c.stage, c.problem = vendorFailed, step.ProblemOf(err)
	}
	return err == nil
}

// Deeper reports whether there is a stage of this step to go back to.
func (c *Vendor) Deeper() bool { return c.stage > begin || c.stage == begin && c.offered || c.of != "" }

// Up goes back: from an account to what will happen, and from there to the
// offers where there was a choice.
func (c *Vendor) Up(*step.Session) []screen.Effect {
	c.problem, c.field, c.held = nil, "", ""
	if c.stage == pickOffer {
		c.of = ""
		return nil
	}
	if c.stage == begin {
		c.stage, c.offered = pickOffer, false
		return nil
	}
	c.stage = begin
	return nil
}

// Update follows the person from the offer to the vendor's account.
func (c *Vendor) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case screen.Chose:
		return c.chose(s, msg)
	case screen.Entered:
		return c.entered(s, msg)
	case screen.Changed:
		if msg.ID == "account-name" {
			c.name = msg.Text
		}
		c.field = ""
	case accountsListed:
		return c.listed(msg)
	case accountReady:
		return c.ready(s, msg)
	case screen.Broke:
		c.stage, c.problem = vendorFailed, screen.BrokenProblem(msg)
	}
	return step.Stay, nil
}

func (c *Vendor) chose(s *step.Session, msg screen.Chose) (step.Move, []screen.Effect) {
	switch {
	case msg.Block == "vendor":
		c.of = msg.ID
	case msg.Block == "offer":
		return c.takeOffer(s, msg.ID)
	case msg.ID == optionToken:
		c.stage, c.field, c.problem = askToken, "", nil
	case msg.ID == optionByHand:
		return c.byHand(s)
	case msg.Block == "account" && msg.ID == optionNew:
		c.stage, c.field = nameAccount, ""
	case msg.Block == "account":
		return c.pick(s, msg.ID)
	case msg.Block == "held" && msg.ID == optionGoOn:
		return c.finish(s)
	case msg.Block == "held":
		s.VendorAccount, s.NewVendorAccount = "", ""
		return c.start(s)
	case msg.ID == "again", msg.ID == "start":
		return c.start(s)
	}
	return step.Stay, nil
}

// takeOffer sets vendor and method and shows what will happen.
func (c *Vendor) takeOffer(s *step.Session, id string) (step.Move, []screen.Effect) {
	i := slices.IndexFunc(s.Offers, func(o step.Offer) bool { return o.ID() == id })
	if i < 0 {
		return step.Stay, nil
	}
	offer := s.Offers[i]
	v, err := s.LoadVendor(offer.Vendor)
	if err != nil {
		c.problem = step.ProblemOf(err)
		return step.Stay, nil
	}
	if s.Answers.Vendor != offer.Vendor {
		forgetVendor(s)
	}
	s.Vendor, s.Answers.Vendor, s.Method, s.Access = v, offer.Vendor, offer.Method, offer.Access
	s.Prepare()
	c.stage, c.problem, c.offered = begin, nil, true
	c.connectAPI(s)
	return step.Stay, nil
}

// forgetVendor drops the answers that mean something to the vendor alone that
// was chosen before: another one must not get its products, nor a role that
// trusts its account.
func forgetVendor(s *step.Session) {
	s.VendorAccount, s.VendorAccountName, s.NewVendorAccount = "", "", ""
	s.Bundles, s.Parameters = nil, nil
	if !s.Rehearsal {
		s.TrustedAccount = ""
	}
}

// start reads the vendor's accounts, or goes on where there are none to read.
func (c *Vendor) start(s *step.Session) (step.Move, []screen.Effect) {
	c.problem, c.held = nil, ""
	switch {
	case s.Vendor.Account.Label == "":
		return c.finish(s)
	case !c.connectAPI(s):
		return step.Stay, nil
	case s.API() == nil:
		return c.byHand(s)
	case s.NewVendorAccount != "" && s.VendorAccount == "":
		return c.create(s, s.NewVendorAccount)
	case s.VendorAccount != "":
		return c.pick(s, s.VendorAccount)
	}
	c.stage = listing
	api := s.API()
	return step.Stay, []screen.Effect{screen.Call{Name: "list accounts", Do: func(ctx context.Context) screen.Msg {
		accounts, err := api.Accounts(ctx)
		return accountsListed{accounts, err}
	}}}
}

func (c *Vendor) byHand(s *step.Session) (step.Move, []screen.Effect) {
	s.ByHand, s.VendorAccount = true, ""
	return c.finish(s)
}

func (c *Vendor) finish(s *step.Session) (step.Move, []screen.Effect) {
	Chosen(s)
	return step.Next, nil
}

// Chosen records that vendor, method, access and account are as the session has
// them.
func Chosen(s *step.Session) {
	s.Answered(record.StepVendor, (&Vendor{}).basis(s.Answers)...)
}

func (c *Vendor) listed(msg accountsListed) (step.Move, []screen.Effect) {
	if msg.err != nil {
		c.stage, c.problem = vendorFailed, step.ProblemOf(msg.err)
		return step.Stay, nil
	}
	c.accounts = msg.accounts
	c.stage = pickAccount
	if len(c.accounts) == 0 {
		c.stage = nameAccount
	}
	return step.Stay, nil
}

// pick reads what the vendor already holds for the account.
func (c *Vendor) pick(s *step.Session, id string) (step.Move, []screen.Effect) {
	c.stage = asking
	api, account := s.API(), vendorapi.Account{ID: id}
	if i := slices.IndexFunc(c.accounts, func(a vendorapi.Account) bool { return a.ID == id }); i >= 0 {
		account = c.accounts[i]
	}
	unknown := unknownAccount(s, id)
	return step.Stay, []screen.Effect{screen.Call{Name: "read account", Do: func(ctx context.Context) screen.Msg {
		if account.Name == "" {
			accounts, err := api.Accounts(ctx)
			if err != nil {
				return accountReady{err: err}
			}
			i := slices.IndexFunc(accounts, func(a vendorapi.Account) bool { return a.ID == id })
			if i < 0 {
				return accountReady{err: unknown}
			}
			account = accounts[i]
		}
		held, err := api.Role(ctx, account.ID)
		return accountReady{account: account, held: held, err: err}
	}}}
}

// unknownAccount refuses an account that the vendor does not list.
func unknownAccount(s *step.Session, id string) error {
	return &screen.Fault{Problem: screen.Problem{
		What:     s.Vendor.Title + " lists no " + s.Vendor.Account.Label + " " + id + " for this token.",
		Expected: "an account of the token's organization",
		Next:     "Check the ID, or use the token of the other organization.",
		Kind:     screen.Usage,
	}}
}

// create has the vendor make an account.
func (c *Vendor) create(s *step.Session, name string) (step.Move, []screen.Effect) {
	c.stage = asking
	s.NewVendorAccount = name
	api := s.API()
	return step.Stay, []screen.Effect{screen.Call{Name: "create account " + name, Writes: true, Do: func(ctx context.Context) screen.Msg {
		traced, requestID := vendorapi.Traced(ctx)
		account, err := existingAccount(ctx, api, name)
		existed := account.ID != ""
		if err == nil && !existed {
			account, err = api.CreateAccount(traced, name)
		}
		if step.Unsure(err) {
			look, cancel := screen.LookUp(ctx)
			defer cancel()
			if found, lookErr := existingAccount(look, api, name); lookErr == nil && found.ID != "" {
				account, err = found, nil
			}
		}
		return accountReady{account: account, created: true, existed: existed, err: err, requestID: requestID()}
	}}}
}

// existingAccount finds an account of that name, so that an interrupted run
// does not make a second one.
func existingAccount(ctx context.Context, api vendorapi.Client, name string) (vendorapi.Account, error) {
	accounts, err := api.Accounts(ctx)
	for _, a := range accounts {
		if a.Name == name {
			return a, nil
		}
	}
	return vendorapi.Account{}, err
}

func (c *Vendor) ready(s *step.Session, msg accountReady) (step.Move, []screen.Effect) {
	if msg.err != nil {
		c.stage, c.problem = vendorFailed, step.ProblemOf(msg.err)
		return step.Stay, nil
	}
	if s.VendorAccount != msg.account.ID {
		s.ForgetExternalIDs()
	}
	s.ByHand, s.VendorAccount = false, msg.account.ID
	if msg.account.Name != "" {
		s.VendorAccountName = msg.account.Name
	}
	if msg.held != "" && !s.Submitted(msg.held) {
		c.stage, c.held = showHeld, msg.held
		return step.Stay, nil
	}
	return c.finish(s)
}

func (c *Vendor) entered(s *step.Session, msg screen.Entered) (step.Move, []screen.Effect) {
	text := step.Pasted(msg.Text)
	switch msg.ID {
	case "token":
		if text == "" {
			c.field = "A token is needed here. Go back to work without one."
			return step.Stay, nil
		}
		if err := s.ConnectAPIWith(screen.Secret(text)); err != nil {
			c.field = step.ProblemOf(err).What
			return step.Stay, nil
		}
		return c.start(s)
	case "account-name":
		if !strings.ContainsFunc(text, unicode.IsLetter) {
			c.field = "The name needs at least one letter."
			return step.Stay, nil
		}
		return c.create(s, text)
	}
	return step.Stay, nil
}

// Screen shows the stage.
func (c *Vendor) Screen(s *step.Session) screen.Screen {
	view := c.NewScreen(s)
	switch c.stage {
	case pickOffer:
		view.Heading, view.Place = "Vendor and method", ""
		view.Blocks = c.offerBlocks(s)
	case begin:
		view.Blocks, view.Actions = c.beginBlocks(s)
	case askToken:
		view.Blocks = []screen.Block{
			screen.Text{Body: "Paste an API token of " + s.Vendor.Title + ". It stays in memory: rolecall never writes it down."},
			screen.Input{ID: "token", Label: "API token", Problem: c.field, Secret: true},
		}
	case listing, asking:
		view.Blocks = []screen.Block{screen.Tasks{{Name: "Asking " + s.Vendor.Title, State: screen.Running}}}
	case pickAccount:
		view.Blocks = []screen.Block{screen.Text{Body: "Which " + s.Vendor.Account.Label + " should get access?"}, c.accountChoices()}
	case nameAccount:
		view.Blocks = []screen.Block{
			screen.Text{Body: "rolecall creates a " + s.Vendor.Account.Label + ". What should it be called?"},
			screen.Input{ID: "account-name", Label: "Name", Value: c.name, Problem: c.field, Flag: "--account-name"},
		}
	case showHeld:
		view.Blocks = c.heldBlocks(s)
	case vendorFailed:
		view.Actions = c.failedActions(s)
	}
	view.Blocks = screen.ProblemFirst(view.Blocks, c.problem)
	return view
}

// failedActions are the ways on after the vendor's API said no.
func (c *Vendor) failedActions(s *step.Session) []screen.Action {
	actions := []screen.Action{{ID: "again", Label: "ask again", Default: true}}
	if s.TakesToken() {
		actions = append(actions, screen.Action{ID: "token", Key: "t", Label: "another token"})
	}
	return append(actions, screen.Action{ID: optionByHand, Key: "h", Label: "go on by hand"})
}

func (c *Vendor) beginBlocks(s *step.Session) ([]screen.Block, []screen.Action) {
	blocks := []screen.Block{screen.Text{Body: s.Vendor.About}}
	if method, ok := s.Vendor.Method(s.Method, s.Access); ok {
		blocks = append(blocks, screen.Text{Body: method.About})
	}
	if c.Spec.About != "" {
		blocks = append(blocks, screen.Text{Tone: screen.Dim, Body: c.Spec.About})
	}
	if s.Vendor.Account.About != "" {
		blocks = append(blocks, screen.Text{Tone: screen.Dim, Body: s.Vendor.Account.About})
	}
	for _, need := range s.Vendor.Needs {
		blocks = append(blocks, screen.Text{Tone: screen.Dim, Body: "· " + need})
	}
	if guide := c.Guide(s); guide != nil {
		blocks = append(blocks, guide...)
		if s.Vendor.Links.Console != "" {
			blocks = append(blocks, screen.Link{Label: s.Vendor.Whose() + " console", URL: s.Vendor.Links.Console})
		}
	}
	if s.Vendor.Links.SignUp != "" {
		blocks = append(blocks, screen.Link{Label: "Sign up", URL: s.Vendor.Links.SignUp})
	}
	if s.API() != nil || !s.TakesToken() {
		return blocks, []screen.Action{{ID: "start", Label: "start", Default: true}}
	}
	picked := optionByHand
	return append(
		blocks,
		screen.Choices{ID: "begin", Label: "There is no API token of " + s.Vendor.Title + " here.", Picked: picked, Options: []screen.Option{
			{ID: optionByHand, Label: "Go on without one", Detail: "everything on " + s.Vendor.Whose() + " side in its console"},
			{ID: optionToken, Label: "Paste a token", Detail: "rolecall reads the external ID and hands the role over"},
		}},
	), nil
}

func (c *Vendor) accountChoices() screen.Block {
	choices := screen.Choices{ID: "account"}
	for _, a := range c.accounts {
		choices.Options = append(choices.Options, screen.Option{ID: a.ID, Label: a.Name, Detail: a.ID})
	}
	choices.Picked = c.accounts[0].ID
	choices.Options = append(choices.Options, screen.Option{ID: optionNew, Label: "Create a new one"})
	return choices
}

func (c *Vendor) heldBlocks(s *step.Session) []screen.Block {
	question := ""
	if s.Unattended {
		question = "Replace the role " + c.held + ", which " + s.Vendor.Title + " holds?"
	}
	return []screen.Block{
		screen.Text{
			Tone: screen.Warning,
			Body: fmt.Sprintf(
				"This %s already has a role. Going on to the end would replace it: rolecall asks you again before it does.",
				s.Vendor.Account.Label,
			),
		},
		screen.Facts{
			{Label: s.Vendor.Account.Label, Value: s.VendorAccount, Note: s.VendorAccountName},
			{Label: "Role", Value: c.held, Copy: true},
		},
		screen.Choices{ID: "held", Label: question, Picked: optionGoOn, Flag: c.replaces(s), Given: s.ReplaceRole, Options: []screen.Option{
			{ID: optionGoOn, Label: "Go on", Detail: "nothing is replaced yet"},
			{ID: optionOther, Label: "Choose another " + s.Vendor.Account.Label},
		}},
	}
}

// Outcome says how the request went.
func (m accountReady) Outcome() screen.Outcome {
	result := screen.ResultMade
	if m.existed {
		result = screen.ResultExists
	}
	return step.OutcomeOf(m.err, result).With(m.requestID)
}
