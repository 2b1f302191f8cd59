package step

import (
	"context"
	"time"

	"rolecall/aws"
	"rolecall/aws/diagnose"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/vendorapi"
)

// Session is everything a step may use: the answers, the vendor's description
// and the two accounts, the customer's at AWS and the one at the vendor.
type Session struct {
	record.Answers
	Vendor *describe.Vendor
	// Offers are the vendors and methods to choose from; flags narrow them.
	Offers []Offer
	// LoadVendor reads a vendor's description by name or file.
	LoadVendor func(name string) (*describe.Vendor, error)

	// AWS is the account signed in to; nil before the login step and in a
	// session without credentials.
	AWS *aws.Account
	// OpenAWS loads a profile's configuration. It sends nothing. code answers
	// the profile's MFA device once; empty when it has none.
	OpenAWS func(ctx context.Context, profile, code string) (*aws.Account, error)
	// Profiles lists the profiles of the AWS files.
	Profiles func() ([]aws.Profile, error)

	// api is the client of the API called apiName, as last opened; nil without a
	// token. See API.
	api     vendorapi.Client
	apiName string
	// OpenAPI opens the API of that name, with the token given or the one found
	// here; without either the client is nil. It sends nothing.
	OpenAPI func(name string, token screen.Secret) (vendorapi.Client, error)

	// Post sends a description's declared request and returns the answer's status
	// and the beginning of its text. No redirect is followed.
	Post func(ctx context.Context, url, body string) (status int, answer string, err error)
	// Scenarios are what a rehearsal can have go wrong; nil: this is none.
	Scenarios Scenarios
	// SendTo is the address that a flag allowed the declared request to go to.
	SendTo string

	// Secrets are the secret access keys of this run, by the part's purpose. They
	// are nowhere else, and end with the program.
	Secrets map[string]screen.Secret
	// KeepSecret writes an access key where the person wanted it (--secret-file);
	// nil when nowhere.
	KeepSecret func(keyID string, secret screen.Secret) error
	// Reviews are those that were made already.
	Reviews Reviews

	// ScreenStays says that what is shown stays readable after rolecall ends: then
	// no secret is shown.
	ScreenStays bool

	// Resuming is true until the person does something: steps that are done
	// pass by themselves.
	Resuming bool
	// Unattended says that nobody looks at the screens.
	Unattended bool
	// Unfinished names the writing calls that an earlier run of this session
	// sent and never saw answered.
	Unfinished []string
	// Ledger keeps the receipt of what this session makes; nil: in memory alone.
	Ledger *record.Ledger
	// Causes are why the vendor refused the role, the likeliest first; nil where it
	// did not.
	Causes []diagnose.Cause
	// Journal is where the requests of a call of several are written down one by
	// one; nil: the call alone is.
	Journal *record.Journal
	// Endpoint is where AWS requests go when that is not AWS.
	Endpoint string
	// Wait is how long an unanswered wait may last; zero means the step's own.
	Wait time.Duration
	// Until is when the time of an unattended run is up, for requests that write
	// too; zero: never.
	Until time.Time
	Now   func() time.Time
}

// Offer is one way to connect: a vendor, who does the AWS part, and what the
// vendor gets.
type Offer struct {
	Vendor, Method, Access string
	Label, Detail          string
}

// ID names the offer among the choices.
func (o Offer) ID() string { return o.Vendor + " " + o.Method + " " + o.Access }

// ForgetExternalIDs drops what belongs to another account of the vendor.
func (s *Session) ForgetExternalIDs() {
	for purpose, part := range s.Parts {
		if part.ExternalID != "" && s.VendorAccount != "" {
			s.SetPart(purpose, func(p *record.Part) { p.ExternalID, p.Minted = "", false })
		}
	}
}

// Submitted reports whether this session handed the role over.
func (s *Session) Submitted(arn string) bool {
	for _, part := range s.Parts {
		if part.RoleARN == arn && !part.Submitted.IsZero() {
			return true
		}
	}
	return false
}

// Submits is the part whose role goes to the vendor's API, nil when none does.
func (s *Session) Submits() *describe.Role {
	if !s.ByAPI() {
		return nil
	}
	for _, role := range s.Request().Needed() {
		if role.Submit {
			return role
		}
	}
	return nil
}

// Posted reports whether the declared request was answered with success, for
// every role.
func (s *Session) Posted() bool {
	if s.Vendor.HandOver.URL == "" {
		return false
	}
	needed := s.Request().Needed()
	for _, role := range needed {
		if s.Part(role.Purpose).Submitted.IsZero() {
			return false
		}
	}
	return len(needed) > 0
}

// NextLinks are what the vendor's description leads on to.
func (s *Session) NextLinks() []screen.Block {
	if len(s.Vendor.Next) == 0 {
		return nil
	}
	blocks := []screen.Block{screen.Text{Body: "What to do next:"}}
	for _, next := range s.Vendor.Next {
		blocks = append(blocks, screen.Link(next))
	}
	return blocks
}

// TakeUser keeps a user that was proven right.
func (s *Session) TakeUser(purpose string, report aws.UserReport) {
	s.SetSeen(purpose, func(p *record.SeenPart) { p.User = &report })
	s.NameUser(purpose, *report.User)
}

// NameUser keeps which user a part is. A key of another one is forgotten.
func (s *Session) NameUser(purpose string, user aws.UserRef) {
	s.SetPart(purpose, func(p *record.Part) {
		if p.UserID != "" && p.UserID != user.ID {
			p.KeyID, p.KeyMade, p.KeyKept = "", false, false
		}
		p.UserName, p.UserARN, p.UserID = user.Name, user.ARN, user.ID
	})
}

// ForgetARNs drops what was found in another account.
func (s *Session) ForgetARNs() {
	s.Seen = record.Seen{}
	for purpose := range s.Parts {
		s.SetPart(purpose, func(p *record.Part) { p.Policies, p.RoleARN, p.RoleID = nil, "", "" })
	}
}
