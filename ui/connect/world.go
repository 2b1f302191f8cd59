package connect

import (
	"context"
	"net/http"
	"os"

	"rolecall/aws"
	"rolecall/steps/screen"
	"rolecall/steps/spot"
	"rolecall/steps/step"
	"rolecall/ui/cli"
)

// realWorld connects a session to AWS and to the vendor, as the environment
// says. It sends nothing.
func realWorld(a *cli.App, s *step.Session) error {
	s.Post = func(ctx context.Context, url, body string) (int, string, error) {
		return cli.Post(ctx, cli.PostClient(), url, body)
	}
	s.Profiles = func() ([]aws.Profile, error) { return aws.Profiles(a.Env.Getenv) }
	s.OpenAWS = func(ctx context.Context, profile, code string) (*aws.Account, error) {
		return aws.Open(ctx, a.AWSOptions(profile, s.Partition, cli.OneCode(code)))
	}
	base, err := spot.CheckURL(a.Env.Getenv("ROLECALL_SPOT_URL"))
	if err != nil {
		return cli.FlagRefused("ROLECALL_SPOT_URL", err)
	}
	open := func(token spot.Token) (step.API, error) {
		client, err := spot.New(spot.Options{BaseURL: base.String(), Token: token, HTTPClient: &http.Client{Timeout: cli.VendorWait}})
		if err != nil {
			return nil, err
		}
		return client, nil
	}
	s.OpenAPI = func(token screen.Secret) (step.API, error) { return open(spot.Token(token)) }
	token, source, err := spot.FindToken(a.Env.Getenv, os.ReadFile)
	if err != nil {
		return err
	}
	if token == "" {
		return nil
	}
	s.API, err = open(token)
	if err != nil {
		return cli.FlagRefused("token from "+source, err)
	}
	return nil
}
