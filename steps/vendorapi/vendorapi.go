// Package vendorapi is what rolecall asks of a vendor's API, whichever vendor it
// is: the client's interface, its account and its error, and the register of
// the APIs that the program has clients of. It stands on screen; each client is
// a package beside it that implements it, and the steps know this package alone.
package vendorapi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"rolecall/steps/screen"
)

// Account is the vendor's own account, which an AWS account is connected to.
type Account struct {
	ID             string // "act-12ab12ab"
	Name           string // as its owner called it; may be empty
	OrganizationID string // whose it is; empty where the vendor has no such thing
}

// Client asks one vendor's API with one token. Its errors are *Error, or the
// context's.
type Client interface {
	// Accounts lists the vendor's accounts that the token can see.
	Accounts(ctx context.Context) ([]Account, error)
	// CreateAccount makes one.
	CreateAccount(ctx context.Context, name string) (Account, error)
	// ExternalID reads the account's external ID; empty when it has none yet.
	ExternalID(ctx context.Context, account string) (string, error)
	// MintExternalID has a new one made: never while a role may carry the old.
	MintExternalID(ctx context.Context, account string) (string, error)
	// Role reads the ARN of the role that the vendor holds for the account; empty
	// when it holds none.
	Role(ctx context.Context, account string) (string, error)
	// SubmitRole hands the role over. The vendor tries to assume it.
	SubmitRole(ctx context.Context, account, roleARN string) error
}

// Environment is what an API may read of the machine when it is opened.
type Environment struct {
	Getenv   func(name string) string
	ReadFile func(path string) ([]byte, error)
	// HTTP carries the requests; nil means one of the API's own.
	HTTP *http.Client
}

// Opened is an API with a token, or the finding that there is no token.
type Opened struct {
	Client Client // nil without a token
	Source string // where the token was, in words: a variable, or a file and a profile
	Host   string // where requests go
}

// API is a vendor's API as the program has it.
type API struct {
	Name string // what a description's "api" says: "spot"
	// TokenName is the environment variable that gives a token.
	TokenName string
	// Open makes the client and sends nothing. Without a token it looks where the
	// vendor's own tools look; none anywhere is no error. Nobody calls it, and so
	// nothing of the environment is read, before a description names the API.
	Open func(env Environment, token screen.Secret) (Opened, error)
	// Rehearse starts a vendor inside the program; nil where there is none, and a
	// rehearsal does the vendor's side by hand.
	Rehearse func(Rehearsal) (Rehearsed, error)
}

// Rehearsal is what a vendor inside the program begins with.
type Rehearsal struct {
	Accounts []Account
	// ExternalID is the one that the accounts have from the beginning; empty: none
	// has one yet.
	ExternalID string
	// Assume tells whether the vendor's AWS account may assume the role with the
	// external ID.
	Assume func(principalAccount, roleARN, externalID string) error
}

// Rehearsed is a vendor inside the program that is running.
type Rehearsed struct {
	Client Client // reaches it and nothing else
	Close  func() error
	// Trouble has the vendor answer so to the roles that are handed over from now
	// on, in the place of the trouble before.
	Trouble func(Trouble)
}

// Trouble is how a vendor inside the program answers in the place of taking a
// role. The zero value is no trouble.
type Trouble struct {
	Status     int           // of HTTP: 400 is a role that the vendor cannot assume
	Times      int           // how many roles it meets; negative: all
	RetryAfter time.Duration // that the answer asks for; 0: none
}

// Registry are the APIs that the program has clients of.
type Registry []API

// Names lists what a description may name as its API.
func (r Registry) Names() []string {
	names := make([]string, len(r))
	for i, api := range r {
		names[i] = api.Name
	}
	return names
}

// Find is the API of that name.
func (r Registry) Find(name string) (API, bool) {
	i := slices.IndexFunc(r, func(api API) bool { return api.Name == name })
	if i < 0 {
		return API{}, false
	}
	return r[i], true
}

// Opener opens APIs by their names, in one environment. The client is nil where
// there is no token.
func (r Registry) Opener(env Environment) func(name string, token screen.Secret) (Client, error) {
	return func(name string, token screen.Secret) (Client, error) {
		api, ok := r.Find(name)
		if !ok {
			return nil, &screen.Fault{Problem: screen.Problem{What: "rolecall has no client of the API " + name + ".",
				Expected: strings.Join(r.Names(), ", "), Next: "Use a version of rolecall that has one, or go on by hand.", Kind: screen.Usage}}
		}
		opened, err := api.Open(env, token)
		if err != nil {
			return nil, err
		}
		return opened.Client, nil
	}
}
