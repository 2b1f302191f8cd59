package ui

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"rolecall/aws"
	"rolecall/steps/screen"
	"rolecall/steps/spot"
	"rolecall/steps/step"
)

// vendorWait bounds one request to a vendor.
const vendorWait = 30 * time.Second

// realWorld connects a session to AWS and to the vendor, as the environment
// says. It sends nothing.
func (a *app) realWorld(s *step.Session) error {
	s.Post = func(ctx context.Context, url, body string) (int, string, error) {
		return post(ctx, postClient(), url, body)
	}
	s.Profiles = func() ([]aws.Profile, error) { return aws.Profiles(a.env.Getenv) }
	s.OpenAWS = func(ctx context.Context, profile, code string) (*aws.Account, error) {
		return aws.Open(ctx, a.awsOptions(profile, s.Partition, oneCode(code)))
	}
	base, err := spot.CheckURL(a.env.Getenv("ROLECALL_SPOT_URL"))
	if err != nil {
		return flagRefused("ROLECALL_SPOT_URL", err)
	}
	open := func(token spot.Token) (step.API, error) {
		client, err := spot.New(spot.Options{BaseURL: base.String(), Token: token, HTTPClient: &http.Client{Timeout: vendorWait}})
		if err != nil {
			return nil, err
		}
		return client, nil
	}
	s.OpenAPI = func(token screen.Secret) (step.API, error) { return open(spot.Token(token)) }
	token, source, err := spot.FindToken(a.env.Getenv, os.ReadFile)
	if err != nil {
		return err
	}
	if token == "" {
		return nil
	}
	s.API, err = open(token)
	if err != nil {
		return flagRefused("token from "+source, err)
	}
	return nil
}

// awsOptions are those that the common flags ask for.
func (a *app) awsOptions(profile, partition string, code func(context.Context, string) (string, error)) aws.Options {
	return aws.Options{
		Profile: profile, Region: a.region, Partition: partition, PinAccount: a.account,
		MFACode: code, UserAgent: "rolecall/" + version(),
	}
}

var errNoCode = errors.New("no MFA code was given")

// oneCode answers the profile's MFA device with a code that was typed.
func oneCode(code string) func(context.Context, string) (string, error) {
	return func(context.Context, string) (string, error) {
		if code == "" {
			return "", errNoCode
		}
		return code, nil
	}
}
