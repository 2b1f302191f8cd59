package spot

import (
	"fmt"

	"rolecall/steps/screen"
	"rolecall/steps/spot/rehearsal"
	"rolecall/steps/vendorapi"
)

// API is Spot's, for the register of APIs.
func API() vendorapi.API {
	return vendorapi.API{Name: "spot", TokenName: envToken, Open: open, Rehearse: rehearse}
}

// open makes the client for the address that ROLECALL_SPOT_URL names, else
// Spot's, with the token given or the one that FindToken finds.
func open(env vendorapi.Environment, given screen.Secret) (vendorapi.Opened, error) {
	base, err := CheckURL(env.Getenv(envURL))
	if err != nil {
		return vendorapi.Opened{}, err
	}
	opened := vendorapi.Opened{Host: base.Host}
	token := Token(given)
	if token == "" {
		token, opened.Source, err = FindToken(env.Getenv, env.ReadFile)
	}
	if err != nil || token == "" {
		return opened, err
	}
	client, err := New(Options{BaseURL: base.String(), Token: token, HTTPClient: env.HTTP})
	if err != nil {
		return opened, err
	}
	opened.Client = client
	return opened, nil
}

// rehearse starts a Spot inside the program.
func rehearse(r vendorapi.Rehearsal) (vendorapi.Rehearsed, error) {
	options := rehearsal.Options{Assume: r.Assume}
	for _, a := range r.Accounts {
		options.Accounts = append(
			options.Accounts,
			rehearsal.Account{ID: a.ID, Name: a.Name, OrganizationID: a.OrganizationID, ExternalID: r.ExternalID},
		)
	}
	server := rehearsal.New(options)
	if err := server.Start(); err != nil {
		return vendorapi.Rehearsed{}, err
	}
	client, err := New(Options{BaseURL: server.URL(), Token: Token(server.Token()), HTTPClient: server.Client()})
	if err != nil {
		_ = server.Close() // the first error says more
		return vendorapi.Rehearsed{}, fmt.Errorf("rehearse Spot: %w", err)
	}
	return vendorapi.Rehearsed{Client: client, Close: server.Close, Trouble: func(t vendorapi.Trouble) {
		server.Clear()
		if t.Status != 0 {
			server.Fail(rehearsal.Fault{Call: "POST /setup/credentials/aws", Times: t.Times, Status: t.Status, RetryAfter: t.RetryAfter})
		}
	}}, nil
}
