package steps

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"rolecall/aws"
)

// login finds out which AWS account this is, and has the person confirm it:
// the browser may be signed in to another one.
type login struct {
	described
	stage    loginStage
	profiles []aws.Profile
	account  *aws.Account // opened, not yet confirmed
	who      *whoami
	problem  *Problem
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

func (l *login) basis(a Answers) []string {
	return []string{a.Partition, a.Profile, a.AccountID, strconv.FormatBool(a.GuideOnly)}
}

// Status is Done once this run has seen the confirmed account, or without
// credentials, once that was chosen.
func (l *login) Status(a Answers) Status {
	seen := a.GuideOnly || a.Seen.Identity != nil && a.Seen.Identity.AccountID == a.AccountID
	if seen && a.settled(stepLogin, l.basis(a)...) {
		return Done
	}
	return Todo
}

// Asks names the account, which only a flag answers unattended.
func (l *login) Asks(s *Session) []Need {
	if s.AccountPinned {
		return nil
	}
	return []Need{{Flag: "--aws-account", Why: "the AWS account that you mean, so that nothing happens in another one"}}
}

// Enter signs in at once where the profile is known, else lists the profiles.
func (l *login) Enter(s *Session) []Effect {
	l.problem, l.field = nil, ""
	if l.profiles != nil && s.Profile == "" && !s.AccountPinned {
		l.stage = pickProfile
		return nil
	}
	l.stage = readingProfiles
	read := s.Profiles
	return []Effect{Call{Name: "read profiles", Do: func(context.Context) Msg {
		profiles, err := read()
		return profilesRead{profiles, err}
	}}}
}

// Deeper reports whether a profile, or none, was chosen already.
func (l *login) Deeper() bool {
	return l.stage == askCode || l.stage == signingIn || l.stage == confirmWho || l.stage == askAccount || l.stage == loginFailed
}

// Up goes back to the profiles.
func (l *login) Up(*Session) []Effect {
	l.stage, l.problem, l.field = pickProfile, nil, ""
	return nil
}

// Update goes from the profile to the confirmed account.
func (l *login) Update(s *Session, msg Msg) (Move, []Effect) {
	switch msg := msg.(type) {
	case profilesRead:
		return l.read(s, msg)
	case Chose:
		return l.chose(s, msg)
	case Changed:
		l.field = ""
	case Entered:
		return l.entered(s, msg)
	case whoami:
		return l.signedIn(s, msg)
	case Broke:
		l.stage, l.problem = loginFailed, brokenProblem(msg)
	}
	return Stay, nil
}

func (l *login) read(s *Session, msg profilesRead) (Move, []Effect) {
	l.profiles = msg.profiles
	if msg.err != nil {
		l.problem = problemOf(msg.err)
	}
	l.stage = pickProfile
	known := s.Profile != "" || s.AccountPinned || s.Resuming && s.AccountID != ""
	if known && !s.GuideOnly {
		return l.signIn(s, "")
	}
	if s.GuideOnly && s.Resuming {
		return l.guide(s)
	}
	return Stay, nil
}

func (l *login) chose(s *Session, msg Chose) (Move, []Effect) {
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
		return Goto(stepPartition), nil
	case msg.ID == "confirm":
		return l.confirm(s)
	}
	return Stay, nil
}

// signIn asks for an MFA code where the profile wants one, then who this is.
func (l *login) signIn(s *Session, code string) (Move, []Effect) {
	s.GuideOnly, l.problem = false, nil
	if p, ok := l.profile(s.Profile); ok && p.MFASerial != "" && code == "" {
		l.stage = askCode
		return Stay, nil
	}
	l.stage = signingIn
	open, profile, old := s.OpenAWS, s.Profile, l.account
	return Stay, []Effect{Call{Name: "sign in", Do: func(ctx context.Context) Msg {
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
// its alias and whether it manages an organisation. Those two may be denied.
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

func (l *login) profile(name string) (aws.Profile, bool) {
	for _, p := range l.profiles {
		if p.Name == name {
			return p, true
		}
	}
	return aws.Profile{}, false
}

func (l *login) entered(s *Session, msg Entered) (Move, []Effect) {
	text := strings.Join(strings.Fields(msg.Text), "")
	switch msg.ID {
	case fieldCode:
		if len(text) != 6 || strings.Trim(text, "0123456789") != "" {
			l.field = "The code has six digits. Wait for the next one if it just changed."
			return Stay, nil
		}
		return l.signIn(s, text)
	case fieldAccount:
		return l.guideAccount(s, strings.ReplaceAll(text, "-", ""))
	}
	return Stay, nil
}

// guideAccount takes the account's number, which may stay empty: then pasted
// ARNs are not checked against it.
func (l *login) guideAccount(s *Session, id string) (Move, []Effect) {
	if id != "" {
		if err := aws.CheckAccountID(id); err != nil {
			l.field = inputProblem(err)
			return Stay, nil
		}
	}
	s.AccountID = id
	return l.guide(s)
}

func (l *login) guide(s *Session) (Move, []Effect) {
	s.GuideOnly, s.AWS, s.Profile = true, nil, ""
	s.Seen = Seen{}
	s.settle(stepLogin, l.basis(s.Answers)...)
	return Next, nil
}

func (l *login) signedIn(s *Session, msg whoami) (Move, []Effect) {
	if msg.err != nil {
		l.stage, l.problem = loginFailed, problemOf(msg.err)
		if aws.KindOf(msg.err) == aws.NeedsMFA {
			l.stage, l.problem, l.field = askCode, nil, inputProblem(msg.err)
		}
		return Stay, nil
	}
	l.account, l.who, l.stage = msg.account, &msg, confirmWho
	if msg.identity.Partition != s.Partition {
		l.stage = loginFailed
		l.problem = &Problem{
			What:     fmt.Sprintf("Account %s is in the partition %s.", msg.identity.AccountID, msg.identity.Partition),
			Expected: "an account in " + s.Partition + ", as you chose in the step before",
			Next:     "Press p to choose the partition anew, or enter to use another profile.",
			Kind:     NotAsNeeded,
		}
		return Stay, nil
	}
	if s.Resuming && s.AccountID == msg.identity.AccountID {
		return l.confirm(s)
	}
	return Stay, nil
}

// confirm takes the account. Another account than before makes everything that
// was seen in the old one unknown.
func (l *login) confirm(s *Session) (Move, []Effect) {
	if l.who == nil {
		return Stay, nil
	}
	id := l.who.identity
	if s.AccountID != id.AccountID {
		s.forgetARNs()
	}
	s.AWS, s.AccountID = l.who.account, id.AccountID
	s.Endpoint = l.who.account.Endpoint()
	s.Seen.Identity, s.Seen.Alias, s.Seen.Management = &id, l.who.alias, l.who.management
	s.settle(stepLogin, l.basis(s.Answers)...)
	return Next, nil
}

// forgetARNs drops what was found in another account.
func (s *Session) forgetARNs() {
	s.Seen = Seen{}
	for purpose := range s.Parts {
		s.setPart(purpose, func(p *Part) { p.Policies, p.RoleARN, p.RoleID = nil, "", "" })
	}
}

// Screen shows the stage.
func (l *login) Screen(s *Session) Screen {
	screen := l.screen(s)
	switch l.stage {
	case readingProfiles:
		screen.Blocks = []Block{Tasks{{Name: "Reading the AWS profiles", State: Running}}}
	case pickProfile:
		screen.Blocks = l.profileBlocks(s)
	case askCode:
		p, _ := l.profile(s.Profile)
		screen.Blocks = []Block{
			Text{Body: "The profile " + s.Profile + " is guarded by an MFA device."},
			Facts{{Label: "Device", Value: p.MFASerial}},
			Input{ID: fieldCode, Label: "Code", Hint: "six digits", Problem: l.field, Secret: true},
		}
	case signingIn:
		screen.Blocks = []Block{Tasks{{Name: "Asking AWS who you are", State: Running, Detail: l.profileName(s)}}}
	case askAccount:
		screen.Blocks = []Block{
			Text{Body: "rolecall guides you and checks what you paste. It cannot look into the account."},
			Input{ID: fieldAccount, Label: "AWS account ID", Value: s.AccountID, Hint: "twelve digits; empty if you do not know it", Problem: l.field, Flag: "--aws-account"},
		}
	case confirmWho:
		screen.Blocks, screen.Actions = l.whoBlocks(s)
	case loginFailed:
		screen.Actions = l.failedActions()
	}
	screen.Blocks = appendProblem(screen.Blocks, l.problem)
	return screen
}

func (l *login) failedActions() []Action {
	if l.problem.Kind == NotAsNeeded {
		return []Action{
			{ID: chooseAnotherWay, Label: "choose another profile", Default: true},
			{ID: partitionWrong, Key: "p", Label: "choose the partition"},
		}
	}
	return []Action{
		{ID: "again", Label: "try again", Default: true},
		{ID: chooseAnotherWay, Key: "p", Label: "choose another profile"},
	}
}

func (l *login) profileName(s *Session) string {
	if s.Profile == "" {
		return "with the default credentials"
	}
	return "with the profile " + s.Profile
}

func (l *login) profileBlocks(s *Session) []Block {
	choices := Choices{ID: "profile", Picked: optionDefault}
	listed := false
	for _, p := range l.profiles {
		if p.Kind == aws.ProfileEmpty {
			continue
		}
		choices.Options = append(choices.Options, Option{ID: profilePrefix + p.Name, Label: p.Name, Detail: profileDetail(p)})
		if p.Name == s.Profile || !listed {
			choices.Picked = profilePrefix + p.Name
		}
		listed = true
	}
	choices.Options = append(choices.Options,
		Option{ID: optionDefault, Label: "What the environment gives", Detail: "AWS_PROFILE, access keys, an instance's role …"},
		Option{ID: optionGuide, Label: "Guide me only", Detail: "no AWS credentials here: you look, rolecall checks what you paste"})
	blocks := []Block{Text{Body: "Sign in to the AWS account that you connect. rolecall looks with these credentials; it changes nothing by the manual method."}, choices}
	if console, ok := aws.ConsoleFor(s.Partition); ok {
		blocks = append(blocks, Link{Label: "Sign in to the console", URL: console.SignIn()})
	}
	return blocks
}

func profileDetail(p aws.Profile) string {
	parts := []string{string(p.Kind)}
	if p.AccountID != "" {
		parts = append(parts, "account "+Grouped(p.AccountID))
	}
	if p.MFASerial != "" {
		parts = append(parts, "asks for an MFA code")
	}
	return strings.Join(parts, " · ")
}

func (l *login) whoBlocks(s *Session) ([]Block, []Action) {
	id := l.who.identity
	facts := Facts{{Label: "Account", Value: id.AccountID, Shown: Grouped(id.AccountID), Note: l.who.alias, Copy: true},
		{Label: "You are", Value: id.ARN}, {Label: "Partition", Value: id.Partition}}
	blocks := []Block{Text{Body: "Is this the account to connect? Check that the browser's top right corner shows the same number: it may be signed in to another one."}, facts}
	if l.who.management {
		blocks = append(blocks, Text{Tone: Warning, Body: "This account manages an organisation. Vendors are usually connected to a member account."})
	}
	if console, ok := aws.ConsoleFor(id.Partition); ok {
		blocks = append(blocks, Link{Label: "Console", URL: console.SignIn()})
	}
	return blocks, []Action{
		{ID: "confirm", Label: "yes, connect " + Grouped(id.AccountID), Default: true, Confirm: &Confirm{Flag: "--aws-account", Given: s.AccountPinned}},
		{ID: chooseAnotherWay, Key: "p", Label: "choose another profile"},
	}
}

// Grouped is an account number in groups of four, for reading only.
func Grouped(accountID string) string {
	if len(accountID) != 12 {
		return accountID
	}
	return accountID[:4] + "-" + accountID[4:8] + "-" + accountID[8:]
}
