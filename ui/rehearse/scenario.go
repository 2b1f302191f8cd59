package rehearse

import (
	"slices"
	"strings"
	"time"

	awsrehearsal "rolecall/aws/rehearsal"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/vendorapi"
	"rolecall/ui/cli"
)

// Scenario is a typical mistake or fault, and how the key that mends puts it
// right.
type Scenario struct {
	Name    string // of --scenario
	Title   string // for people
	Detail  string // what is wrong, in a sentence; {vendor} stands for the vendor's title
	Mending string // what the key that mends did, in a sentence

	needs    need
	mistakes []awsrehearsal.Mistake // of the account
	denied   []string               // actions that the person who is signed in lacks
	expired  bool                   // the sign-in ran out
	latency  time.Duration          // before each answer of AWS
	trouble  vendorapi.Trouble      // how the vendor answers
	outside  bool                   // the vendor tries the role from its account in the commercial partition
	asks     time.Duration          // how long a session the vendor asks for; 0: AWS's hour

	about string // what it spoils, of which two scenarios cannot spoil the same; empty: nothing of another's
	ends  string // why no other would show beside it; empty: others do
}

// need is what a session has to have for a scenario to show in it.
type need int

const (
	nothing     need = iota
	aRole            // the vendor gets a role
	ownPolicy        // of the person's own, which somebody can forget or edit
	aStack           // CloudFormation makes it
	aVendor          // that tries the role, or takes a request
	trying           // and that tries the role
	otherPlace       // a partition that is not the commercial one
	aBucket          // that the policy names
	hasExternal      // the role requires an external ID
	longer           // that tries the role, for longer than every role allows
)

// How the vendor's trouble looks: one that ends by itself, and one that does not.
const (
	twice  = 2
	always = -1
)

// longSession is what a vendor asks for where a role allows AWS's hour.
const longSession = 12 * time.Hour

// Scenarios are all there are, as the list shows them.
func Scenarios() []Scenario {
	return slices.Concat(roleScenarios(), loginScenarios(), vendorScenarios(), ruleScenarios())
}

// roleScenarios are slips of the hand in the console.
func roleScenarios() []Scenario {
	return []Scenario{
		{
			Name:     "wrong-external-id",
			Title:    "Wrong external ID",
			needs:    hasExternal,
			about:    "the external ID",
			mistakes: []awsrehearsal.Mistake{awsrehearsal.WrongExternalID},
			Detail:   "The role's trust policy requires an external ID whose last character is another.",
			Mending:  "The trust policy of the role requires the right external ID now.",
		},
		{Name: "policy-missing", about: "the policy",
			Title: "Policy not attached", needs: ownPolicy, mistakes: []awsrehearsal.Mistake{awsrehearsal.PolicyMissing},
			Detail:  "The policy exists and was not attached.",
			Mending: "The policy is attached now."},
		{Name: "policy-edited", about: "the policy",
			Title: "Policy edited", needs: ownPolicy, mistakes: []awsrehearsal.Mistake{awsrehearsal.PolicyEdited},
			Detail:  "Somebody took an action out of the policy.",
			Mending: "The policy's earlier version is the default again."},
		{Name: "wrong-account", about: "the principal of the trust policy",
			Title: "Wrong account as principal", needs: aRole, mistakes: []awsrehearsal.Mistake{awsrehearsal.WrongPrincipal},
			Detail:  "\"This account\" was left chosen: the role trusts its own account and not {vendor}'s.",
			Mending: "The role trusts {vendor}'s account now."},
		{Name: "path-lost", Title: "Path lost from the ARN", needs: trying, mistakes: []awsrehearsal.Mistake{awsrehearsal.PathLost},
			Detail:  "The role was made anew under the path /team/, and {vendor} has an ARN without it.",
			Mending: "The role is back at the ARN that {vendor} has."},
		{Name: "boundary", Title: "Permissions boundary", needs: aRole, mistakes: []awsrehearsal.Mistake{awsrehearsal.Boundary},
			Detail:  "A permissions boundary cuts off what the policy grants.",
			Mending: "The permissions boundary was taken off the role."},
		{
			Name:     "recreated-principal",
			about:    "the principal of the trust policy",
			Title:    "Principal deleted and made again",
			needs:    aRole,
			mistakes: []awsrehearsal.Mistake{awsrehearsal.RecreatedPrincipal},
			Detail:   "The trust policy names a role that was deleted: AWS shows its ID (AROA…) in the place of its ARN.",
			Mending:  "The trust policy names {vendor}'s account again.",
		},
		{Name: "bucket-missing", Title: "Report bucket missing", needs: aBucket, mistakes: []awsrehearsal.Mistake{awsrehearsal.NoBucket},
			Detail:  "There is no bucket of the name that the policy is to grant.",
			Mending: "The bucket exists now."},
	}
}

// loginScenarios are about who is signed in, and about AWS itself.
func loginScenarios() []Scenario {
	return []Scenario{
		{Name: "expired-sign-in", ends: "the sign-in is refused before anything else is looked at", Title: "Expired sign-in", expired: true,
			Detail:  "The credentials ran out.",
			Mending: "You are signed in again."},
		{Name: "other-account", ends: "the sign-in is refused before anything else is looked at",
			Title: "Signed in to another account", mistakes: []awsrehearsal.Mistake{awsrehearsal.OtherLogin},
			Detail:  "The credentials are of account 4444-5555-6666.",
			Mending: "The credentials are of the right account now."},
		{Name: "missing-permission", ends: "no role or user is made",
			Title: "Missing permission", denied: []string{"iam:CreateRole", "iam:CreateUser"},
			Detail:  "Whoever is signed in may create neither a role nor a user.",
			Mending: "An administrator gave you the permission."},
		{
			Name:    "cannot-look",
			ends:    "nobody may look at the role",
			Title:   "Not allowed to look",
			needs:   aRole,
			denied:  []string{"iam:ListRoles", "iam:GetRole", "iam:GetAccountAuthorizationDetails"},
			Detail:  "Whoever is signed in may not look at roles.",
			Mending: "An administrator gave you the permission.",
		},
		{Name: "stack-fails", ends: "no role or user is made",
			Title: "A stack that fails", needs: aStack, mistakes: []awsrehearsal.Mistake{awsrehearsal.StackFails},
			Detail:  "The account has as many roles as it may have, so CloudFormation takes everything back.",
			Mending: "AWS raised the quota of roles. Delete the failed stack, then try again."},
		{Name: "slow-aws", about: "how long AWS takes",
			Title: "A slow AWS", mistakes: []awsrehearsal.Mistake{awsrehearsal.SlowAWS}, latency: 700 * time.Millisecond,
			Detail:  "Every answer takes its time, and what is made takes three minutes until everybody sees it.",
			Mending: "AWS is as fast as ever: everything that was made can be seen."},
		{Name: "too-young", about: "how long AWS takes",
			Title: "A role that is too young", needs: trying, mistakes: []awsrehearsal.Mistake{awsrehearsal.TooYoung},
			Detail:  "AWS takes ten minutes until the new role can be assumed.",
			Mending: "The role can be assumed now."},
	}
}

// vendorScenarios are about the vendor's server.
func vendorScenarios() []Scenario {
	return []Scenario{
		{Name: "vendor-refuses-twice", about: "the vendor's answer", Title: "{vendor} refuses twice, then accepts", needs: aVendor,
			trouble: vendorapi.Trouble{Status: 400, Times: twice},
			Detail:  "{vendor} says no to the next two tries, as it does while AWS spreads a new role.",
			Mending: "{vendor} accepts the next try."},
		{Name: "vendor-down", ends: "the vendor does not get as far as trying the role",
			Title: "{vendor} is not well (HTTP 503)", needs: aVendor, trouble: vendorapi.Trouble{Status: 503, Times: always},
			Detail:  "{vendor}'s server answers with HTTP 503.",
			Mending: "{vendor}'s server is well again."},
		{Name: "vendor-throttles", about: "the vendor's answer", Title: "{vendor} throttles (HTTP 429)", needs: aVendor,
			trouble: vendorapi.Trouble{Status: 429, Times: twice, RetryAfter: 5 * time.Second},
			Detail:  "{vendor}'s server asks twice to come back in five seconds (HTTP 429, Retry-After).",
			Mending: "{vendor}'s server takes the next request."},
	}
}

// ruleScenarios are what nobody sees in the role: rules, and the vendor's side.
func ruleScenarios() []Scenario {
	return []Scenario{
		{Name: "session-duration", asks: longSession,
			Title: "Session too short", needs: longer, mistakes: []awsrehearsal.Mistake{awsrehearsal.SessionDuration},
			Detail:  "{vendor} asks for sessions of twelve hours, and the role allows one hour.",
			Mending: "The role allows sessions of twelve hours now."},
		{Name: "scp", Title: "Service control policy", needs: trying, mistakes: []awsrehearsal.Mistake{awsrehearsal.SCP},
			Detail:  "A service control policy (SCP) of the organization denies what the role is to do.",
			Mending: "The organization made an exception from its service control policy."},
		{Name: "rcp", Title: "Resource control policy", needs: trying, mistakes: []awsrehearsal.Mistake{awsrehearsal.RCP},
			Detail:  "A resource control policy (RCP) of the organization denies that anybody outside assumes a role.",
			Mending: "The organization made an exception from its resource control policy."},
		{Name: "sts-region", Title: "STS region not active", needs: trying, mistakes: []awsrehearsal.Mistake{awsrehearsal.STSRegion},
			Detail:  "STS is not active in the region from which {vendor} assumes the role.",
			Mending: "STS is active in that region now."},
		{
			Name:    "partition",
			ends:    "the vendor does not get as far as trying the role",
			Title:   "Account of another partition",
			needs:   otherPlace,
			outside: true,
			Detail: "{vendor}'s account is one for commercial AWS, and this AWS account is not: a role can only trust an account of its own " +
				"partition.",
			Mending: "{vendor}'s account is one for this partition now.",
		},
	}
}

// Find is the scenario of a name, or a refusal that lists those there are.
func Find(name string) (Scenario, error) {
	for _, s := range Scenarios() {
		if s.Name == name {
			return s, nil
		}
	}
	var names []string
	for _, s := range Scenarios() {
		names = append(names, s.Name)
	}
	return Scenario{}, cli.Usage("There is no scenario "+screen.CleanLine(name)+".", "one of: "+strings.Join(names, ", "),
		"See what each is: rolecall rehearse --scenario help.")
}

// FindAll are the scenarios of names, or a refusal where two of them cannot go
// together.
func FindAll(names []string) ([]Scenario, error) {
	var all []Scenario
	for _, name := range names {
		c, err := Find(name)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(other Scenario) bool { return other.Name == c.Name }) {
			continue
		}
		for _, other := range all {
			if why := other.against(c); why != "" {
				return nil, cli.Usage("The scenarios "+other.Name+" and "+c.Name+" cannot go together: "+why+".",
					"scenarios that all show", "Leave out one of them.")
			}
		}
		all = append(all, c)
	}
	return all, nil
}

// against says why two scenarios cannot go together; empty where they can.
func (c Scenario) against(other Scenario) string {
	for _, one := range []Scenario{c, other} {
		if one.ends != "" {
			return "with " + one.Name + " " + one.ends
		}
	}
	if c.about != "" && c.about == other.about {
		return "both are about " + c.about
	}
	return ""
}

// Of is the scenario in words about a vendor.
func (c Scenario) Of(title string) Scenario {
	for _, text := range []*string{&c.Title, &c.Detail, &c.Mending} {
		*text = strings.ReplaceAll(*text, "{vendor}", title)
		*text = strings.ToUpper((*text)[:1]) + (*text)[1:]
	}
	return c
}

// Lacks says why a scenario would show nothing in a session; empty where it
// shows.
func (c Scenario) Lacks(s *step.Session) string {
	if s.Vendor == nil {
		return "" // not known yet
	}
	role := s.AccessOrRole() == describe.AccessRole
	tries := role && s.Vendor.API != ""
	switch c.needs {
	case aRole:
		return unless(role, "the vendor gets a user here, not a role")
	case hasExternal:
		return unless(role && s.Vendor.ExternalID.Pattern != "", "no external ID is used here")
	case ownPolicy:
		return unless(hasOwnPolicy(s), "AWS managed policies are all that is used here")
	case aStack:
		return unless(s.Method == describe.Automatic, "CloudFormation makes nothing here")
	case aVendor:
		return unless(tries || role && s.Vendor.HandOver.URL != "", "nothing is sent to the vendor here")
	case trying:
		return unless(tries, notTried)
	case longer:
		if s.SessionFor > 0 && s.SessionFor <= time.Hour {
			return "every role allows sessions of one hour"
		}
		return unless(tries, notTried)
	case otherPlace:
		return unless(tries && s.Partition != "" && s.Partition != describe.Commercial, "it needs GovCloud or China: --partition aws-us-gov")
	case aBucket:
		return unless(namesBucket(s), "no policy names a bucket here")
	case nothing:
	}
	return ""
}

const notTried = "the vendor does not try the role here"

func unless(shows bool, why string) string {
	if shows {
		return ""
	}
	return why
}

func hasOwnPolicy(s *step.Session) bool {
	return slices.ContainsFunc(s.Request().Needed(), func(r *describe.Role) bool { return !s.Part(r.Purpose).NoPolicy })
}

func namesBucket(s *step.Session) bool {
	for _, role := range s.Request().Needed() {
		for _, p := range role.Parameters {
			if p.IsBucket() {
				return true
			}
		}
	}
	return false
}
