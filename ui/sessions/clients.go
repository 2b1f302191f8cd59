package sessions

import (
	"context"

	"rolecall/aws"
	"rolecall/steps"
	"rolecall/steps/step"
	"rolecall/ui/cli"
)

// AttachClients gives a session its ways to AWS and to the vendor, as the
// environment says. It reads nothing and sends nothing: a vendor's address,
// token and credentials file are read once its description names the API.
func AttachClients(a *cli.App, s *step.Session) {
	s.Post = func(ctx context.Context, url, body string) (int, string, error) {
		return cli.Post(ctx, cli.PostClient(), url, body)
	}
	s.Profiles = func() ([]aws.Profile, error) { return aws.Profiles(a.Env.Getenv) }
	s.OpenAWS = func(ctx context.Context, profile, code string) (*aws.Account, error) {
		return aws.Open(ctx, a.AWSOptions(profile, s.Partition, cli.OneCode(code)))
	}
	s.OpenAPI = steps.APIs().Opener(a.VendorEnvironment())
}
