package connect

import (
	"slices"
	"strconv"

	"github.com/spf13/pflag"

	"rolecall/aws"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/flags"
)

// answerFlag is a flag that answers a question of a session that goes on: what
// an unattended run is told to give, resume takes.
type answerFlag struct {
	name, usage string
	isSwitch    bool
	planned     bool // an approved plan binds it
	answer      func(s *step.Session, value string) error

	value string
	given func(name string) bool
}

func (f *answerFlag) bind(flags *pflag.FlagSet) {
	f.given = flags.Changed
	if f.isSwitch {
		flags.BoolFunc(f.name, f.usage, func(value string) error {
			on, err := strconv.ParseBool(value)
			f.value = strconv.FormatBool(on)
			return err
		})
		return
	}
	flags.StringVar(&f.value, f.name, "", f.usage)
}

// narrow leaves the offers that --method and --access name, of a session that
// has not chosen yet. One that is left is chosen.
func (f *resumeFlags) narrow(s *step.Session) error {
	if f.method == "" && f.access == "" {
		return nil
	}
	if _, chosen := s.Rests[record.StepVendor]; chosen && (f.method != "" && f.method != s.Method || f.access != "" && f.access != s.AccessOrRole()) {
		return cli.Usage("Session "+s.ID+" is of --method "+s.Method+" --access "+s.AccessOrRole()+".", "what was chosen in the session",
			"Leave out --method and --access, or begin a new session: rolecall connect.")
	}
	left := slices.DeleteFunc(slices.Clone(s.Offers), func(o step.Offer) bool {
		return f.method != "" && o.Method != f.method || f.access != "" && o.Access != f.access
	})
	if len(left) == 0 {
		return cli.Usage("There is no such way to connect.", "one of: "+flags.OfferList(s.Offers), "Correct --method or --access.")
	}
	s.Offers = left
	if len(left) > 1 {
		return nil
	}
	v, err := s.LoadVendor(left[0].Vendor)
	if err != nil {
		return err
	}
	s.Vendor, s.Answers.Vendor, s.Method, s.Access = v, left[0].Vendor, left[0].Method, left[0].Access
	s.Prepare()
	return nil
}

// answer takes what was given into the session. Nothing was sent when it
// refuses.
func (f *resumeFlags) answer(s *step.Session) error {
	for i := range f.answers {
		one := &f.answers[i]
		if !one.given(one.name) {
			continue
		}
		if s.Vendor == nil {
			return cli.Usage("--"+one.name+" needs to know the vendor, and session "+s.ID+" has not chosen one.", "no answers before the first",
				"Begin a new session: rolecall connect.")
		}
		if one.planned && s.Plan != nil {
			return &screen.Fault{Problem: screen.Problem{What: "--" + one.name + ": session " + s.ID + " is bound to an approved plan.",
				Expected: "names and accounts as they were approved", Next: "Leave out --" + one.name + ".", Kind: screen.NotAsNeeded}}
		}
		if err := one.answer(s, one.value); err != nil {
			return cli.FlagRefused("--"+one.name, err)
		}
	}
	return nil
}

// answerFlags are the flags that steps name when they have to ask.
func answerFlags() []answerFlag {
	return []answerFlag{
		{name: "account", usage: "the vendor's account to connect: act-…", planned: true, answer: func(s *step.Session, value string) error {
			s.VendorAccount, s.NewVendorAccount = value, ""
			return nil
		}},
		{name: "account-name", usage: "name of the vendor's account: existing, or to create", planned: true, answer: func(s *step.Session, value string) error {
			s.VendorAccount, s.NewVendorAccount = "", value
			return nil
		}},
		{name: "trusted-account", usage: "the vendor's AWS account, where rolecall does not know it", planned: true, answer: func(s *step.Session, value string) error {
			s.TrustedAccount = value
			return aws.CheckAccountID(value)
		}},
		{name: "external-id", usage: "external ID from the vendor's console", planned: true, answer: func(s *step.Session, value string) error {
			if err := s.Vendor.CheckExternalID(value); err != nil {
				return err
			}
			changeFirst(s, func(p *record.Part) { p.ExternalID, p.Minted = value, false })
			return nil
		}},
		{name: "role-name", usage: "name of the role", planned: true, answer: func(s *step.Session, value string) error {
			changeFirst(s, func(p *record.Part) { p.RoleName, p.NameGiven = value, true })
			return aws.CheckRoleName(value)
		}},
		{name: "policy-name", usage: "name of the policy", planned: true, answer: func(s *step.Session, value string) error {
			changeFirst(s, func(p *record.Part) { p.PolicyName = value })
			return aws.CheckPolicyName(value)
		}},
		{name: "user-name", usage: "name of the IAM user", planned: true, answer: func(s *step.Session, value string) error {
			changeFirst(s, func(p *record.Part) { p.UserName, p.UserNameGiven = value, true })
			return aws.CheckUserName(value)
		}},
		{name: "stack-name", usage: "name of the CloudFormation stack", planned: true, answer: func(s *step.Session, value string) error {
			s.Stack.Name = value
			return aws.CheckStackName(value)
		}},
		{name: "acknowledge-iam-capabilities", usage: "accept that CloudFormation creates IAM resources", isSwitch: true,
			answer: func(s *step.Session, value string) error { s.Stack.Acknowledged = value == "true"; return nil }},
		{name: "replace-role", usage: "replace the role that the vendor's account has now", isSwitch: true,
			answer: func(s *step.Session, value string) error { s.ReplaceRole = value == "true"; return nil }},
	}
}

// changeFirst changes what is known of the first role or user that is needed:
// the others keep what the description suggests.
func changeFirst(s *step.Session, change func(*record.Part)) {
	if needed := s.Request().Needed(); len(needed) > 0 {
		s.SetPart(needed[0].Purpose, change)
	}
}
