package aws_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rolecall/aws"
)

// FuzzCheckExternalID: an external ID that is taken has nothing in it that a
// terminal or a policy's variable would obey, and a refusal can be drawn.
func FuzzCheckExternalID(f *testing.F) {
	for _, seed := range []string{extID, "", "a b", " a", "\x1b[2J", "\u202e", "${aws:username}", "é", "*?"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		err := aws.CheckExternalID(id)
		if err != nil {
			drawable(t, err.Error())
			return
		}
		if len(id) < 2 || len(id) > 1224 || strings.ContainsAny(id, "*?${}\"'\\ <>") {
			t.Errorf("%q is taken", id)
		}
		drawable(t, id)
	})
}

// FuzzStackEvents: whatever stands in the place of a stack's events, following
// them ends, and what is told of a failure can be drawn.
func FuzzStackEvents(f *testing.F) {
	const event = `<DescribeStackEventsResponse><DescribeStackEventsResult><StackEvents><member><StackId>s</StackId><EventId>e1</EventId>` +
		`<StackName>x</StackName>` +
		`<LogicalResourceId>SpotRole</LogicalResourceId><ResourceType>AWS::IAM::Role</ResourceType><Timestamp>2026-01-01T00:00:00Z</Timestamp>` +
		`<ResourceStatus>CREATE_FAILED</ResourceStatus><ResourceStatusReason>`
	const end = `</ResourceStatusReason></member></StackEvents></DescribeStackEventsResult></DescribeStackEventsResponse>`
	f.Add(event + `User: arn:aws:iam::111122223333:user/me is not authorized to perform: iam:CreateRole on resource: x` + end)
	f.Add(event + "Resource handler returned message: \"&#x1b;[2J already exists\u202e\"" + end)
	f.Add(strings.Replace(event+end, "</StackEvents>", "</StackEvents><NextToken>again</NextToken>", 1))
	f.Add("<html>")
	var body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		if r.FormValue("Action") == "GetCallerIdentity" {
			_, _ = w.Write([]byte(`<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/me</Arn>` +
				`<UserId>AIDAEXAMPLE00000000001</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`))
			return
		}
		_, _ = w.Write([]byte(body))
	}))
	f.Cleanup(server.Close)
	target := aws.RehearsalTarget{Endpoint: server.URL, AccessKeyID: "AKIAREHEARSALEXAMPLE", SecretAccessKey: "unused", Region: "us-east-1"}
	f.Fuzz(func(t *testing.T, answer string) {
		body = answer
		account, err := aws.Open(t.Context(), aws.Options{Rehearsal: &target})
		if err != nil {
			t.Fatal(err)
		}
		w := account.WatchStack("arn:aws:cloudformation:us-east-1:123456789012:stack/x/1", "")
		if _, _, err := w.Fetch(t.Context()); err != nil {
			drawable(t, err.Error())
			return
		}
		if failed, found := aws.FirstFailure(w.Events()); found {
			x := aws.ExplainStack(failed)
			drawable(t, x.What+x.Expected+x.Next+x.AWS)
		}
	})
}
