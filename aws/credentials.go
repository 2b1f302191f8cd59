package aws

import (
	"context"
	"errors"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
)

// metadataPatience is how long instance metadata may take. On an instance it
// answers within milliseconds; on a laptop, where it is asked last, nobody
// answers, and the SDK's own attempts take some ten seconds to find that out.
const metadataPatience = 3 * time.Second

// impatient gives up on instance metadata early. Every other provider keeps
// its time: a browser or an MFA prompt may stand behind it.
type impatient struct{ next awssdk.CredentialsProvider }

// Retrieve is the provider's, with a deadline.
func (p impatient) Retrieve(ctx context.Context) (awssdk.Credentials, error) {
	limited, cancel := context.WithTimeout(ctx, metadataPatience)
	defer cancel()
	found, err := p.next.Retrieve(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return found, errors.New("no EC2 IMDS role found: instance metadata does not answer")
	}
	return found, err
}
