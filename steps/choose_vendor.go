package steps

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rolecall/steps/spot"
)

// chooseVendor is the first step: what will happen, by which method, and which
// of the vendor's accounts is connected.
type chooseVendor struct {
	described
	stage    vendorStage
	offered  bool // the person chose among offers, and can go back to them
	accounts []spot.Account
	held     string // the role that the vendor already holds for the account
	name     string // of the account to create, as typed
	problem  *Problem
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
		accounts []spot.Account
		err      error
	}
	accountReady struct {
		account spot.Account
		held    string
		created bool
		err     error
	}
)

func (c *chooseVendor) basis(a Answers) []string {
	return []string{a.Vendor, a.Method, a.Access, a.VendorAccount, strconv.FormatBool(a.ByHand)}
}

// Status is Done once vendor, method and, where the vendor has an API, the
// account are chosen.
func (c *chooseVendor) Status(a Answers) Status {
	if a.settled(stepVendor, c.basis(a)...) {
		return Done
	}
	return Todo
}

// Asks names the account, which only a flag answers unattended.
func (c *chooseVendor) Asks(s *Session) []Need {
	if !s.hasAPI() || s.VendorAccount != "" || s.NewVendorAccount != "" {
		return nil
	}
	return []Need{{Flag: "--account", Why: fmt.Sprintf("which %s to connect (or --account-name for a new one)", s.Vendor.Account.Label)}}
}

// Enter shows the stage that the answers leave open.
func (c *chooseVendor) Enter(s *Session) []Effect {
	c.problem, c.field, c.held = nil, "", ""
	c.stage = begin
	c.offered = len(s.Offers) > 1
	if s.Vendor == nil || s.Method == "" || c.offered && c.Status(s.Answers) == Todo {
		c.stage = pickOffer
	}
	return nil
}

// Deeper reports whether there is a stage of this step to go back to.
func (c *chooseVendor) Deeper() bool { return c.stage > begin || c.stage == begin && c.offered }

// Up goes back: from an account to what will happen, and from there to the
// offers where there was a choice.
func (c *chooseVendor) Up(*Session) []Effect {
	c.problem, c.field, c.held = nil, "", ""
	if c.stage == begin {
		c.stage, c.offered = pickOffer, false
		return nil
	}
	c.stage = begin
	return nil
}

// Update follows the person from the offer to the vendor's account.
func (c *chooseVendor) Update(s *Session, msg Msg) (Move, []Effect) {
	switch msg := msg.(type) {
	case Chose:
		return c.chose(s, msg)
	case Entered:
		return c.entered(s, msg)
	case Changed:
		if msg.ID == "account-name" {
			c.name = msg.Text
		}
		c.field = ""
	case accountsListed:
		return c.listed(msg)
	case accountReady:
		return c.ready(s, msg)
	case Broke:
		c.stage, c.problem = vendorFailed, brokenProblem(msg)
	}
	return Stay, nil
}

func (c *chooseVendor) chose(s *Session, msg Chose) (Move, []Effect) {
	switch {
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
	return Stay, nil
}

// takeOffer sets vendor and method and shows what will happen.
func (c *chooseVendor) takeOffer(s *Session, id string) (Move, []Effect) {
	i := slices.IndexFunc(s.Offers, func(o Offer) bool { return o.id() == id })
	if i < 0 {
		return Stay, nil
	}
	offer := s.Offers[i]
	v, err := s.LoadVendor(offer.Vendor)
	if err != nil {
		c.problem = problemOf(err)
		return Stay, nil
	}
	s.Vendor, s.Answers.Vendor, s.Method, s.Access = v, offer.Vendor, offer.Method, offer.Access
	s.Prepare()
	c.stage, c.problem, c.offered = begin, nil, true
	return Stay, nil
}

// id names the offer among the choices.
func (o Offer) id() string { return o.Vendor + " " + o.Method + " " + o.Access }

// start reads the vendor's accounts, or goes on where there are none to read.
func (c *chooseVendor) start(s *Session) (Move, []Effect) {
	c.problem, c.held = nil, ""
	switch {
	case s.Vendor.Account.Label == "":
		return c.finish(s)
	case !s.hasAPI():
		return c.byHand(s)
	case s.NewVendorAccount != "" && s.VendorAccount == "":
		return c.create(s, s.NewVendorAccount)
	case s.VendorAccount != "":
		return c.pick(s, s.VendorAccount)
	}
	c.stage = listing
	api := s.API
	return Stay, []Effect{Call{Name: "list accounts", Do: func(ctx context.Context) Msg {
		accounts, err := api.Accounts(ctx)
		return accountsListed{accounts, err}
	}}}
}

func (c *chooseVendor) byHand(s *Session) (Move, []Effect) {
	s.ByHand, s.VendorAccount = true, ""
	return c.finish(s)
}

func (c *chooseVendor) finish(s *Session) (Move, []Effect) {
	s.settle(stepVendor, c.basis(s.Answers)...)
	return Next, nil
}

func (c *chooseVendor) listed(msg accountsListed) (Move, []Effect) {
	if msg.err != nil {
		c.stage, c.problem = vendorFailed, problemOf(msg.err)
		return Stay, nil
	}
	c.accounts = msg.accounts
	c.stage = pickAccount
	if len(c.accounts) == 0 {
		c.stage = nameAccount
	}
	return Stay, nil
}

// pick reads what the vendor already holds for the account.
func (c *chooseVendor) pick(s *Session, id string) (Move, []Effect) {
	c.stage = asking
	api, account := s.API, spot.Account{ID: id}
	if i := slices.IndexFunc(c.accounts, func(a spot.Account) bool { return a.ID == id }); i >= 0 {
		account = c.accounts[i]
	}
	unknown := s.unknownAccount(id)
	return Stay, []Effect{Call{Name: "read account", Do: func(ctx context.Context) Msg {
		if account.Name == "" {
			accounts, err := api.Accounts(ctx)
			if err != nil {
				return accountReady{err: err}
			}
			i := slices.IndexFunc(accounts, func(a spot.Account) bool { return a.ID == id })
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
func (s *Session) unknownAccount(id string) error {
	return &Fault{Problem: Problem{What: s.Vendor.Title + " lists no " + s.Vendor.Account.Label + " " + id + " for this token.",
		Expected: "an account of the token's organization", Next: "Check the ID, or use the token of the other organization.", Kind: Usage}}
}

// create has the vendor make an account.
func (c *chooseVendor) create(s *Session, name string) (Move, []Effect) {
	c.stage = asking
	s.NewVendorAccount = name
	api := s.API
	return Stay, []Effect{Call{Name: "create account " + name, Writes: true, Do: func(ctx context.Context) Msg {
		account, err := existingAccount(ctx, api, name)
		if err == nil && account.ID == "" {
			account, err = api.CreateAccount(ctx, name)
		}
		return accountReady{account: account, created: true, err: err}
	}}}
}

// existingAccount finds an account of that name, so that an interrupted run
// does not make a second one.
func existingAccount(ctx context.Context, api API, name string) (spot.Account, error) {
	accounts, err := api.Accounts(ctx)
	for _, a := range accounts {
		if a.Name == name {
			return a, nil
		}
	}
	return spot.Account{}, err
}

func (c *chooseVendor) ready(s *Session, msg accountReady) (Move, []Effect) {
	if msg.err != nil {
		c.stage, c.problem = vendorFailed, problemOf(msg.err)
		return Stay, nil
	}
	if s.VendorAccount != msg.account.ID {
		s.forgetExternalIDs()
	}
	s.ByHand, s.VendorAccount = false, msg.account.ID
	if msg.account.Name != "" {
		s.VendorAccountName = msg.account.Name
	}
	if msg.held != "" && !s.submitted(msg.held) {
		c.stage, c.held = showHeld, msg.held
		return Stay, nil
	}
	return c.finish(s)
}

// forgetExternalIDs drops what belongs to another account of the vendor.
func (s *Session) forgetExternalIDs() {
	for purpose, part := range s.Parts {
		if part.ExternalID != "" && s.VendorAccount != "" {
			s.setPart(purpose, func(p *Part) { p.ExternalID, p.Minted = "", false })
		}
	}
}

// submitted reports whether this session handed the role over.
func (s *Session) submitted(arn string) bool {
	for _, part := range s.Parts {
		if part.RoleARN == arn && !part.Submitted.IsZero() {
			return true
		}
	}
	return false
}

func (c *chooseVendor) entered(s *Session, msg Entered) (Move, []Effect) {
	text := strings.TrimSpace(msg.Text)
	switch msg.ID {
	case "token":
		if text == "" {
			c.field = "A token is needed here; b goes back to work without one."
			return Stay, nil
		}
		api, err := s.OpenAPI(Secret(text))
		if err != nil {
			c.field = problemOf(err).What
			return Stay, nil
		}
		s.API = api
		return c.start(s)
	case "account-name":
		if !strings.ContainsFunc(text, isLetter) {
			c.field = "The name needs at least one letter."
			return Stay, nil
		}
		return c.create(s, text)
	}
	return Stay, nil
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// Screen shows the stage.
func (c *chooseVendor) Screen(s *Session) Screen {
	screen := c.screen(s)
	switch c.stage {
	case pickOffer:
		screen.Heading, screen.Place = "Vendor and method", ""
		screen.Blocks = []Block{Text{Body: "What do you want to connect, and who does the AWS part?"}, c.offers(s)}
	case begin:
		screen.Blocks, screen.Actions = c.beginBlocks(s)
	case askToken:
		screen.Blocks = []Block{
			Text{Body: "Paste an API token of " + s.Vendor.Title + ". It stays in memory: rolecall never writes it down."},
			Input{ID: "token", Label: "API token", Problem: c.field, Secret: true},
		}
	case listing, asking:
		screen.Blocks = []Block{Tasks{{Name: "Asking " + s.Vendor.Title, State: Running}}}
	case pickAccount:
		screen.Blocks = []Block{Text{Body: "Which " + s.Vendor.Account.Label + " should get access?"}, c.accountChoices()}
	case nameAccount:
		screen.Blocks = []Block{
			Text{Body: "rolecall creates a " + s.Vendor.Account.Label + ". What should it be called?"},
			Input{ID: "account-name", Label: "Name", Value: c.name, Problem: c.field, Flag: "--account-name"},
		}
	case showHeld:
		screen.Blocks = c.heldBlocks(s)
	case vendorFailed:
		screen.Actions = c.failedActions(s)
	}
	screen.Blocks = appendProblem(screen.Blocks, c.problem)
	return screen
}

// failedActions are the ways on after the vendor's API said no.
func (c *chooseVendor) failedActions(s *Session) []Action {
	actions := []Action{{ID: "again", Label: "ask again", Default: true}}
	if s.OpenAPI != nil {
		actions = append(actions, Action{ID: "token", Key: "t", Label: "another token"})
	}
	return append(actions, Action{ID: optionByHand, Key: "h", Label: "go on by hand"})
}

func (c *chooseVendor) offers(s *Session) Block {
	picked := ""
	choices := Choices{ID: "offer", Flag: c.offerFlag(s)}
	for _, o := range s.Offers {
		choices.Options = append(choices.Options, Option{ID: o.id(), Label: o.Label, Detail: o.Detail})
		if picked == "" || o.Vendor == s.Answers.Vendor && o.Method == s.Method && o.Access == s.Access {
			picked = o.id()
		}
	}
	choices.Picked = picked
	return choices
}

// offerFlag names the flag that decides where nothing but the access differs.
func (c *chooseVendor) offerFlag(s *Session) string {
	if len(s.Offers) < 2 {
		return ""
	}
	if s.Answers.Vendor == "" {
		return "--vendor"
	}
	for _, o := range s.Offers[1:] {
		if o.Access != s.Offers[0].Access {
			return "--access"
		}
	}
	return ""
}

func (c *chooseVendor) beginBlocks(s *Session) ([]Block, []Action) {
	blocks := []Block{Text{Body: s.Vendor.About}}
	if method, ok := s.Vendor.Method(s.Method, s.Access); ok {
		blocks = append(blocks, Text{Body: method.About})
	}
	if c.d.About != "" {
		blocks = append(blocks, Text{Tone: Dim, Body: c.d.About})
	}
	if s.Vendor.Account.About != "" {
		blocks = append(blocks, Text{Tone: Dim, Body: s.Vendor.Account.About})
	}
	for _, need := range s.Vendor.Needs {
		blocks = append(blocks, Text{Tone: Dim, Body: "· " + need})
	}
	if s.Vendor.Links.SignUp != "" {
		blocks = append(blocks, Link{Label: "Sign up", URL: s.Vendor.Links.SignUp})
	}
	if s.hasAPI() || s.OpenAPI == nil || s.Vendor.API == "" {
		return blocks, []Action{{ID: "start", Label: "start", Default: true}}
	}
	picked := optionByHand
	return append(blocks, Choices{ID: "begin", Label: "There is no API token of " + s.Vendor.Title + " here.", Picked: picked, Options: []Option{
		{ID: optionByHand, Label: "Go on without one", Detail: "everything on " + s.Vendor.Whose() + " side in its console"},
		{ID: optionToken, Label: "Paste a token", Detail: "rolecall reads the external ID and hands the role over"},
	}}), nil
}

func (c *chooseVendor) accountChoices() Block {
	choices := Choices{ID: "account"}
	for _, a := range c.accounts {
		choices.Options = append(choices.Options, Option{ID: a.ID, Label: a.Name, Detail: a.ID})
	}
	choices.Picked = c.accounts[0].ID
	choices.Options = append(choices.Options, Option{ID: optionNew, Label: "Create a new one"})
	return choices
}

func (c *chooseVendor) heldBlocks(s *Session) []Block {
	question := ""
	if s.Unattended {
		question = "Replace the role " + c.held + ", which " + s.Vendor.Title + " holds?"
	}
	return []Block{
		Text{Tone: Warning, Body: fmt.Sprintf("This %s already has a role. Going on to the end would replace it: rolecall asks you again before it does.", s.Vendor.Account.Label)},
		Facts{
			{Label: s.Vendor.Account.Label, Value: s.VendorAccount, Note: s.VendorAccountName},
			{Label: "Role", Value: c.held, Copy: true},
		},
		Choices{ID: "held", Label: question, Picked: optionGoOn, Flag: c.replaces(s), Given: s.ReplaceRole, Options: []Option{
			{ID: optionGoOn, Label: "Go on", Detail: "nothing is replaced yet"},
			{ID: optionOther, Label: "Choose another " + s.Vendor.Account.Label},
		}},
	}
}
