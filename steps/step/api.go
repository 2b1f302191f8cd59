package step

import (
	"rolecall/steps/screen"
	"rolecall/steps/vendorapi"
)

// ConnectAPI opens the API that the vendor's description names, once the vendor
// is known: nothing of the environment is read for a vendor without one. The
// error says what is wrong with the address, or with the token that was found.
func (s *Session) ConnectAPI() error {
	if s.Vendor == nil || s.Vendor.API == s.apiName {
		return nil
	}
	return s.ConnectAPIWith("")
}

// ConnectAPIWith opens the API with a token that the person typed.
func (s *Session) ConnectAPIWith(token screen.Secret) error {
	if s.Vendor.API == "" || s.OpenAPI == nil {
		return nil
	}
	client, err := s.OpenAPI(s.Vendor.API, token)
	if err != nil {
		return err
	}
	s.api, s.apiName = client, s.Vendor.API
	return nil
}

// API is the client of this vendor's API; nil before ConnectAPI, without a
// token, and where the vendor has none.
func (s *Session) API() vendorapi.Client {
	if s.Vendor == nil || s.Vendor.API != s.apiName {
		return nil
	}
	return s.api
}

// ByAPI reports whether the vendor's API does the vendor's side.
func (s *Session) ByAPI() bool { return s.API() != nil && !s.ByHand }

// TakesToken reports whether a token that the person types would be of use: not
// in a rehearsal, whose vendor is inside the program.
func (s *Session) TakesToken() bool {
	return s.Vendor.API != "" && s.OpenAPI != nil && !s.Rehearsal
}
