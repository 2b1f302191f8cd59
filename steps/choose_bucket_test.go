package steps_test

import (
	"context"
	"testing"

	"testing/synctest"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/policy"
)

const finOps = "SpotFinOpsRoleArn"

// analysed answers what Cloud Analyzer asks for, where it was ticked.
func (w *world) analysed() *world {
	w.t.Helper()
	if w.walk.Step().ID() != "permissions" {
		return w
	}
	return w.sees("is in this account").enter().sees("confused deputy").enter()
}

// toBucket ticks Cloud Analyzer and goes to where the bucket is asked for, in
// an account of its own.
func (w *world) toBucket(o rehearsal.Options) *rehearsal.Server {
	w.t.Helper()
	server := rehearsal.New(o)
	listener, client := rehearsal.Pipe()
	w.serve(listener.Close, server.Close, client, func() error { return server.Serve(listener) })
	synctest.Wait()
	w.session.OpenAWS = func(ctx context.Context, _, _ string) (*aws.Account, error) {
		target := aws.RehearsalTarget(server.Target())
		return aws.Open(ctx, aws.Options{Rehearsal: &target, HTTPClient: client})
	}
	w.session.Method = "direct"
	w.session.Bundles = []string{"cloud-analyzer"}
	w.session.Prepare()
	w.start().at("vendor").enter().sees("prod").enter()
	w.arrives("partition").enter().at("login").until("the profiles", w.enterWorks).enter().sees("Is this the account").enter()
	w.at("permissions").chooses("kind", "choose").presses("use").sees("management account")
	return server
}

func TestTheReportBucketIsLookedAt(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		server := w.toBucket(rehearsal.Options{Organization: account, Buckets: map[string]string{"reports": account, "theirs": "444455556666"}})
		w.types("parameter:REPORT_BUCKET", "not-there").sees("There is no bucket not-there", "name another").enter()
		w.types("parameter:REPORT_BUCKET", "theirs").sees("belongs to another account", "s3:GetBucketLocation").presses("other-bucket")
		server.Inject(rehearsal.Fault{Kind: rehearsal.Broken, Actions: []string{"s3:GetBucketLocation"}})
		w.types("parameter:REPORT_BUCKET", "reports").sees("could not answer")
		server.ClearFaults()
		w.enter().sees("The bucket reports is in this account", "us-east-1", "manages its organization").enter()
		w.sees("sets no external ID", "confused deputy").chooses("without", "own")
		w.types("own-external-id", "with spaces").sees("space")
		w.types("own-external-id", "spotinst:aws:extid:0123456789abcdef").at("create")
		w.sees("spotinst:aws:extid:0123456789abcdef").enter().sees("seen to be right")
		role, err := w.session.AWS.Role(t.Context(), w.session.Part(finOps).RoleName)
		if err != nil {
			t.Fatal(err)
		}
		verdict := role.Trust.Inquire(
			policy.Inquiry{Vendor: []string{"884866656237", "627743545735"}, ExternalID: "spotinst:aws:extid:0123456789abcdef"},
		)
		if !verdict.Right() {
			t.Errorf("the trust policy does not require the external ID: %s, %+v", role.TrustText, verdict)
		}
	})
}

func TestAMemberAccountIsToldWhichOneManages(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.toBucket(rehearsal.Options{Organization: "111122223333"})
		w.types("parameter:REPORT_BUCKET", "reports").sees("member account", "1111-2222-3333").enter().sees("confused deputy").enter().
			at("create")
		if id := w.session.Part(finOps).ExternalID; id != "" {
			t.Errorf("the external ID is %s, want none", id)
		}
	})
}

func TestWhereOrganizationsCannotBeReadNothingIsSaidOfIt(t *testing.T) {
	t.Parallel()
	rehearse(t, func(_ *testing.T, w *world) {
		server := w.toBucket(rehearsal.Options{Organization: "111122223333"})
		server.Deny("organizations:DescribeOrganization")
		w.types("parameter:REPORT_BUCKET", "reports").sees("is in this account").seesNot("member account", "1111-2222-3333")
	})
}
