package choose

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Login finds out which AWS account this is, and has the person confirm it:
// the browser may be signed in to another one.
type Login struct {
	step.Described
	stage    loginStage
	profiles []aws.Profile
	account  *aws.Account // opened, not yet confirmed
	who      *whoami
	problem  *screen.Problem
	field    string
}

type loginStage int

const (
	readingProfiles loginStage = iota
	pickProfile
	askCode    // the profile's MFA device
	signingIn  // GetCallerIdentity is under way
	confirmWho // which account this is
	askAccount // guide only: the account's number, if the person knows it
	loginFailed
)

const (
	optionGuide      = "guide-only"
	optionDefault    = "default-chain"
	labelGuide       = "guide me only"
	profilePrefix    = "profile "
	fieldAccount     = "account-id"
	fieldCode        = "mfa-code"
	partitionWrong   = "to-partition"
	chooseAnotherWay = "profiles"
)

type (
	profilesRead struct {
		profiles []aws.Profile
		err      error
	}
	whoami struct {
		account    *aws.Account
		identity   aws.Identity
		alias      string
		management bool
		err        error
	}
)

func (l *Login) basis(a record.Answers) []string {
	return []string{a.Partition, a.Profile, a.ChosenAccount(), strconv.FormatBool(a.GuideOnly)}
}

// Status is Done once this run has seen the confirmed account, or without
// credentials, once that was chosen.
func (l *Login) Status(a record.Answers) step.Status {
	seen := a.GuideOnly || a.Seen.Identity != nil && a.Seen.Identity.AccountID == a.AccountID
	if seen && a.IsAnswered(record.StepLogin, l.basis(a)...) {
		return step.Done
	}
	return step.Todo
}

// Asks names the account, which only a flag answers unattended.
func (l *Login) Asks(s *step.Session) []step.Need {
	if s.AccountPinned {
		return nil
	}
	return []step.Need{{Flag: "--aws-account", Why: "the AWS account that you mean, so that nothing happens in another one"}}
}

// Enter signs in at once where the profile is known, else lists the profiles.
func (l *Login) Enter(s *step.Session) []screen.Effect {
	l.problem, l.field = nil, ""
	if l.profiles != nil && s.Profile == "" && !s.AccountPinned {
		l.stage = pickProfile
		return nil
	}
	l.stage = readingProfiles
	read := s.Profiles
	return []screen.Effect{screen.Call{Name: "read profiles", Do: func(context.Context) screen.Msg {
		profiles, err := read()
		return profilesRead{profiles, err}
	}}}
}

// Deeper reports whether a profile, or none, was chosen already.
func (l *Login) Deeper() bool {
	return l.stage == askCode || l.stage == signingIn || l.stage == confirmWho || l.stage == askAccount || l.stage == loginFailed
}

// Up goes back to the profiles.
func (l *Login) Up(*step.Session) []screen.Effect {
	l.stage, l.problem, l.field = pickProfile, nil, ""
	return nil
}

// Update goes from the profile to the confirmed account.
func (l *Login) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case profilesRead:
		return l.read(s, msg)
	case screen.Chose:
		return l.chose(s, msg)
	case screen.Changed:
		l.field = ""
	case screen.Entered:
		return l.entered(s, msg)
	case whoami:
		return l.signedIn(s, msg)
	case screen.Broke:
		l.stage, l.problem = loginFailed, screen.BrokenProblem(msg)
	}
	return step.Stay, nil
}

func (l *Login) read(s *step.Session, msg profilesRead) (step.Move, []screen.Effect) {
	l.profiles = msg.profiles
	if msg.err != nil {
		l.problem = step.ProblemOf(msg.err)
	}
	l.stage = pickProfile
	known := s.Profile != "" || s.AccountPinned || s.Resuming && s.AccountID != ""
	if known && !s.GuideOnly {
		return l.signIn(s, "")
	}
	if s.GuideOnly && s.Resuming {
		return l.guide(s)
	}
	return step.Stay, nil
}

func (l *Login) chose(s *step.Session, msg screen.Chose) (step.Move, []screen.Effect) {
	switch {
	case msg.ID == optionGuide:
		l.stage, l.field, l.problem = askAccount, "", nil
	case msg.ID == optionDefault:
		s.Profile = ""
		return l.signIn(s, "")
	case strings.HasPrefix(msg.ID, profilePrefix):
		s.Profile = strings.TrimPrefix(msg.ID, profilePrefix)
		return l.signIn(s, "")
	case msg.ID == "again":
		return l.signIn(s, "")
	case msg.ID == chooseAnotherWay:
		l.stage, l.problem = pickProfile, nil
	case msg.ID == partitionWrong:
		return step.Goto(record.StepPartition), nil
	case msg.ID == "confirm":
		return l.confirm(s)
	}
	return step.Stay, nil
}

// signIn asks for an MFA code where the profile wants one, then who this is.
func (l *Login) signIn(s *step.Session, code string) (step.Move, []screen.Effect) {
	s.GuideOnly, l.problem = false, nil
	if p, ok := l.profile(s.Profile); ok && p.MFASerial != "" && code == "" {
		l.stage = askCode
		return step.Stay, nil
	}
	l.stage = signingIn
	open, profile, old := s.OpenAWS, s.Profile, l.account
	return step.Stay, []screen.Effect{screen.Call{Name: "sign in", Do: func(ctx context.Context) screen.Msg {
		account := old
		var err error
		if account == nil || code != "" || account.Profile() != profile {
			account, err = open(ctx, profile, code)
		} else {
			err = account.Renew(ctx)
		}
		if err != nil {
			return whoami{err: err}
		}
		return askWho(ctx, account)
	}}}
}

// askWho asks for the identity, and for what helps to recognise the account:
// its alias and whether it manages an organization. Those two may be denied.
func askWho(ctx context.Context, account *aws.Account) whoami {
	who := whoami{account: account}
	who.identity, who.err = account.Identity(ctx)
	if who.err != nil {
		return who
	}
	who.alias, _ = account.Alias(ctx)
	if org, err := account.Organization(ctx); err == nil {
		who.management = org.ManagementAccountID == who.identity.AccountID
	}
	return who
}

func (l *Login) profile(name string) (aws.Profile, bool) {
	for _, p := range l.profiles {
		if p.Name == name {
			return p, true
		}
	}
	return aws.Profile{}, false
}

func (l *Login) entered(s *step.Session, msg screen.Entered) (step.Move, []screen.Effect) {
	text := strings.Join(strings.Fields(step.Pasted(msg.Text)), "")
	switch msg.ID {
	case fieldCode:
		if len(text) != 6 || strings.Trim(text, "0123456789") != "" {
			l.field = "The code has six digits. Wait for the next one if it just changed."
			return step.Stay, nil
		}
		return l.signIn(s, text)
	case fieldAccount:
		return l.guideAccount(s, strings.ReplaceAll(text, "-", ""))
	}
	return step.Stay, nil
}

// guideAccount takes the account's number, which may stay empty: then pasted
// ARNs are not checked against it.
func (l *Login) guideAccount(s *step.Session, id string) (step.Move, []screen.Effect) {
	if id == "" && s.AccountFrom != "" {
		return l.guide(s) // an ARN told the account
	}
	if id != "" {
		err := aws.CheckAccountID(id)
		if err == nil {
			err = s.CheckCustomer(id)
		}
		if err != nil {
			l.field = step.InputProblem(err)
			return step.Stay, nil
		}
	}
	l.means(s, id)
	return l.guide(s)
}

// means settles the account. Another one than before makes what was seen in the
// old one unknown.
func (l *Login) means(s *step.Session, id string) {
	if s.AccountID != id {
		s.ForgetARNs()
	}
	s.AccountID, s.AccountFrom = id, ""
}

func (l *Login) guide(s *step.Session) (step.Move, []screen.Effect) {
	s.GuideOnly, s.AWS, s.Profile = true, nil, ""
	s.Seen = record.Seen{}
	s.Answered(record.StepLogin, l.basis(s.Answers)...)
	return step.Next, nil
}

func (l *Login) signedIn(s *step.Session, msg whoami) (step.Move, []screen.Effect) {
	if msg.err != nil {
		l.stage, l.problem = loginFailed, withoutCredentials(s, step.ProblemOf(msg.err))
		if aws.KindOf(msg.err) == aws.NeedsMFA {
			l.stage, l.problem, l.field = askCode, nil, step.InputProblem(msg.err)
		}
		return step.Stay, nil
	}
	l.account, l.who, l.stage = msg.account, &msg, confirmWho
	if msg.identity.Partition != s.Partition {
		l.stage = loginFailed
		l.problem = &screen.Problem{
			What:     fmt.Sprintf("Account %s is in the partition %s.", msg.identity.AccountID, msg.identity.Partition),
			Expected: "an account in " + s.Partition + ", as you chose in the step before",
			Next:     "Choose the partition anew, or use another profile.",
			Kind:     screen.NotAsNeeded,
		}
		return step.Stay, nil
	}
	if s.Resuming && s.AccountID == msg.identity.AccountID {
		return l.confirm(s)
	}
	return step.Stay, nil
}

// confirm takes the account.
func (l *Login) confirm(s *step.Session) (step.Move, []screen.Effect) {
	if l.who == nil {
		return step.Stay, nil
	}
	id := l.who.identity
	l.means(s, id.AccountID)
	s.AWS = l.who.account
	s.Endpoint = l.who.account.Endpoint()
	s.Seen.Identity, s.Seen.Alias, s.Seen.Management = &id, l.who.alias, l.who.management
	s.Answered(record.StepLogin, l.basis(s.Answers)...)
	return step.Next, nil
}

// Screen shows the stage.
func (l *Login) Screen(s *step.Session) screen.Screen {
	view := l.NewScreen(s)
	switch l.stage {
	case readingProfiles:
		view.Blocks = []screen.Block{screen.Tasks{{Name: "Reading the AWS profiles", State: screen.Running}}}
	case pickProfile:
		view.Blocks = append(l.profileBlocks(s), l.Guide(s)...)
	case askCode:
		p, _ := l.profile(s.Profile)
		view.Blocks = []screen.Block{
			screen.Text{Body: "The profile " + s.Profile + " is guarded by an MFA device."},
			screen.Facts{{Label: "Device", Value: p.MFASerial}},
			screen.Input{ID: fieldCode, Label: "Code", Hint: "six digits", Problem: l.field, Secret: true},
		}
	case signingIn:
		view.Blocks = []screen.Block{screen.Tasks{{Name: "Asking AWS who you are", State: screen.Running, Detail: l.profileName(s)}}}
	case askAccount:
		view.Blocks = []screen.Block{
			screen.Text{Body: "rolecall guides you and checks what you paste. It cannot look into the account."},
			screen.Input{
				ID:      fieldAccount,
				Label:   "AWS account ID",
				Value:   s.ChosenAccount(),
				Hint:    "twelve digits; empty if you do not know it",
				Problem: l.field,
				Flag:    "--aws-account",
			},
		}
	case confirmWho:
		view.Blocks, view.Actions = l.whoBlocks(s)
		view.Blocks = append(view.Blocks, l.Guide(s)...)
	case loginFailed:
		view.Actions = l.failedActions(s)
	}
	view.Blocks = screen.ProblemFirst(view.Blocks, l.problem)
	return view
}

func (l *Login) failedActions(s *step.Session) []screen.Action {
	if l.problem.Kind == screen.NotAsNeeded {
		return []screen.Action{
			{ID: chooseAnotherWay, Label: "choose another profile", Default: true},
			{ID: partitionWrong, Key: "p", Label: "choose the partition"},
		}
	}
	actions := []screen.Action{
		{ID: "again", Label: "try again", Default: true},
		{ID: chooseAnotherWay, Key: "p", Label: "choose another profile"},
	}
	if s.Method != describe.Direct && s.Across == nil {
		actions = append(actions, screen.Action{ID: optionGuide, Key: "g", Label: labelGuide})
	}
	return actions
}

// withoutCredentials adds the way that needs none to what can be done.
func withoutCredentials(s *step.Session, p *screen.Problem) *screen.Problem {
	if s.Method == describe.Direct || s.Across != nil {
		return p
	}
	added := *p
	added.Next = strings.TrimSpace(added.Next + " Or go on without credentials: " + labelGuide + ".")
	return &added
}

func (l *Login) profileName(s *step.Session) string {
	if s.Profile == "" {
		return "with the default credentials"
	}
	return "with the profile " + s.Profile
}

func (l *Login) profileBlocks(s *step.Session) []screen.Block {
	choices := screen.Choices{ID: "profile", Picked: optionDefault}
	listed := false
	for _, p := range l.profiles {
		if p.Kind == aws.ProfileEmpty {
			continue
		}
		choices.Options = append(choices.Options, screen.Option{ID: profilePrefix + p.Name, Label: p.Name, Detail: profileDetail(p)})
		if p.Name == s.Profile || !listed {
			choices.Picked = profilePrefix + p.Name
		}
		listed = true
	}
	choices.Options = append(choices.Options,
		screen.Option{ID: optionDefault, Label: "What the environment gives", Detail: "AWS_PROFILE, access keys, an instance's role …"})
	body := "Sign in to the AWS account that you connect. rolecall looks with these credentials; it changes nothing by the manual method."
	if s.Across != nil {
		body = "Sign in to the management account of the organization, or to a delegated administrator of StackSets."
	} else {
		choices.Options = append(choices.Options, screen.Option{ID: optionGuide, Label: "Guide me only",
			Detail: "no AWS credentials here: you look, rolecall checks what you paste"})
	}
	blocks := []screen.Block{screen.Text{Body: body}, choices}
	if console, ok := aws.ConsoleFor(s.Partition); ok {
		blocks = append(blocks, screen.Link{Label: "Sign in to the console", URL: console.SignIn()})
	}
	return blocks
}

func profileDetail(p aws.Profile) string {
	parts := []string{string(p.Kind)}
	if p.AccountID != "" {
		parts = append(parts, "account "+screen.Grouped(p.AccountID))
	}
	if p.MFASerial != "" {
		parts = append(parts, "asks for an MFA code")
	}
	return strings.Join(parts, " · ")
}

func (l *Login) whoBlocks(s *step.Session) ([]screen.Block, []screen.Action) {
	id := l.who.identity
	facts := screen.Facts{{Label: "Account", Value: id.AccountID, Shown: screen.Grouped(id.AccountID), Note: l.who.alias, Copy: true},
		{Label: "You are", Value: id.ARN}, {Label: "Partition", Value: id.Partition}}
	question := "Is this the account to connect? Check that the browser's top right corner shows the same number: it may be signed in to " +
		"another one."
	label := "yes, connect " + screen.Grouped(id.AccountID)
	if s.Across != nil {
		question, label = "Is this the account from which the organization is connected?", "yes, go on from "+screen.Grouped(id.AccountID)
	}
	blocks := []screen.Block{screen.Text{Body: question}, facts}
	if l.who.management && s.Across == nil {
		blocks = append(
			blocks,
			screen.Text{Tone: screen.Warning, Body: "This account manages an organization. Vendors are usually connected to a member account."},
		)
	}
	if console, ok := aws.ConsoleFor(id.Partition); ok {
		blocks = append(blocks, screen.Link{Label: "Console", URL: console.SignIn()})
	}
	return blocks, []screen.Action{
		{
			ID:      "confirm",
			Label:   label,
			Default: true,
			Writes:  true,
			Confirm: &screen.Confirm{Flag: "--aws-account", Given: s.AccountPinned},
		},
		{ID: chooseAnotherWay, Key: "p", Label: "choose another profile"},
	}
}
