package diagnose_test

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"rolecall/aws"
	"rolecall/aws/diagnose"
)

const (
	asked   = "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/Spot-Role"
	spotARN = "arn:aws:iam::922761411349:user/spot"
)

// said are sentences as AWS, its tools and vendors print them, with what they
// point to when nothing else is known. AWS's are those of the IAM user guide
// (troubleshoot_access-denied.html) and of the API references of STS and IAM; the
// vendors' are from public issues.
func said() map[string]diagnose.ID {
	plain := "User: " + spotARN + " " + asked
	return map[string]diagnose.ID{
		plain: diagnose.ExternalID,
		"An error occurred (AccessDenied) when calling the AssumeRole operation: " +
			plain: diagnose.ExternalID,
		"operation error STS: AssumeRole, https response error StatusCode: 403, RequestID: 1, api error AccessDenied: " +
			plain: diagnose.ExternalID,
		plain + " (Service: AWSSecurityTokenService; Status Code: 403; Error Code: AccessDenied; Request ID: 1; Proxy: null)": diagnose.ExternalID,
		"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>" + plain +
			"</Message></Error></ErrorResponse>": diagnose.ExternalID,
		`{"__type":"AccessDeniedException","Message":"` + plain +
			`"}`: diagnose.ExternalID,
		plain + " with an explicit deny in a service control policy": diagnose.SCP,
		plain + " with an explicit deny in a service control policy: " +
			"arn:aws:organizations::999988887777:policy/o-exampleorgid/service_control_policy/p-abcdefgh": diagnose.SCP,
		plain + " because no service control policy allows the sts:AssumeRole action":  diagnose.SCP,
		plain + " with an explicit deny in a resource control policy":                  diagnose.RCP,
		plain + " because no resource control policy allows the sts:AssumeRole action": diagnose.RCP,
		plain + " because no permissions boundary allows the sts:AssumeRole action":    diagnose.Boundary,
		plain + " because no session policy allows the sts:AssumeRole action":          diagnose.VendorFault,
		plain + " because no identity-based policy allows the sts:AssumeRole action":   diagnose.VendorFault,
		plain + " because no resource-based policy allows the sts:AssumeRole action":   diagnose.ExternalID,
		plain + " with an explicit deny in a resource-based policy":                    diagnose.Principal,
		"User: arn:aws:sts::123456789012:assumed-role/Spot-Role/spot is not authorized to perform: ec2:RunInstances on resource: * because no " +
			"identity-based policy allows the ec2:RunInstances action": diagnose.Permissions,
		"User: arn:aws:sts::123456789012:assumed-role/Spot-Role/spot is not authorized to perform: ec2:RunInstances with an explicit deny in " +
			"a service control policy": diagnose.SCP,
		"An error occurred (ValidationError) when calling the AssumeRole operation: The requested DurationSeconds exceeds the " +
			"MaxSessionDuration set for this role.": diagnose.SessionDuration,
		"The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining": diagnose.SessionDuration,
		"An error occurred (RegionDisabledException) when calling the AssumeRole operation: STS is not activated in this region for " +
			"account:123456789012. Your account administrator can activate STS in this region using the IAM Console.": diagnose.STSRegion,
		"STS is not activated in this region for account:123456789012.": diagnose.STSRegion,
		`An error occurred (MalformedPolicyDocument) when calling the UpdateAssumeRolePolicy operation: Invalid principal in policy: "AWS":"arn:aws:iam::922761411349:role/gone"`: diagnose.Principal,
		`MalformedPolicyDocument: Invalid principal in policy: "AWS":"AROAEXAMPLEEXAMPLE123"`:                                                                                     diagnose.RecreatedPrincipal,
		"An error occurred (ExpiredToken) when calling the AssumeRole operation: The security token included in the request is expired":                                           diagnose.VendorFault,
		"InvalidClientTokenId: The security token included in the request is invalid":                                                                                             diagnose.VendorFault,
		"An error occurred (Throttling) when calling the AssumeRole operation: Rate exceeded":                                                                                     diagnose.VendorFault,
		"An error occurred (NoSuchEntity) when calling the GetRole operation: The role with name Spot-Role cannot be found.":                                                      diagnose.NotFound,
		"An error occurred (ValidationError) when calling the AssumeRole operation: Spot-Role is invalid":                                                                         diagnose.NotFound,
		"An error occurred (ValidationError) when calling the AssumeRole operation: 1 validation error detected: Value 'x!' at 'externalId' " +
			"failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@:\\/-]*": diagnose.ExternalID,
		// Vendors.
		"cannot assume role":                     diagnose.ExternalID,
		"Unable to assume the provided IAM role": diagnose.ExternalID,
		"Failed to AssumeRole":                   diagnose.ExternalID,
		`{"request":{"id":"x"},"response":{"status":{"code":400,"message":"Bad Request"},"errors":[{"code":"CANT_ASSUME_ROLE","message":"Can't assume role"}]}}`: diagnose.ExternalID,
		"The external ID does not match":                               diagnose.ExternalID,
		"Role arn:aws:iam::123456789012:role/Spot-Role does not exist": diagnose.NotFound,
		"Invalid ARN":                  diagnose.NotFound,
		"HTTP 503":                     diagnose.VendorFault,
		"502 Bad Gateway":              diagnose.VendorFault,
		"Too Many Requests":            diagnose.VendorFault,
		"Spot is not well (HTTP 500).": diagnose.VendorFault,
		"This AWS account is already connected to another account": diagnose.Account,
		"Missing permissions: ec2:DescribeRegions":                 diagnose.Permissions,
	}
}

func TestASentenceAlonePointsToItsCause(t *testing.T) {
	t.Parallel()
	for text, want := range said() {
		for _, form := range []string{text, "  " + strings.ReplaceAll(text, " ", "\r\n "), "\x1b[31m" + text + "\x1b[0m\a"} {
			r := diagnose.Read(form)
			found := diagnose.Found(diagnose.Rank(diagnose.Facts{Vendor: "Spot", Refusal: &r}))
			if len(found) == 0 || found[0].ID != want || !r.Understood() {
				t.Errorf("%q: %+v, want %s", form, found, want)
			}
		}
	}
}

func TestWhatIsNoRefusalIsNotUnderstood(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "the cat sat on the mat", "404", "{}", "\x00\x00", strings.Repeat("x", 1<<20)} {
		if diagnose.Read(text).Understood() {
			t.Errorf("%.40q is understood", text)
		}
	}
}

// TestWhatWasSaidIsWeighedAgainstWhatIsThere: a sentence that fits many causes
// leaves those that the account excludes.
func TestWhatWasSaidIsWeighedAgainstWhatIsThere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		said string
		do   func(*setUp)
		want diagnose.ID
	}{
		"the role is right":    {"cannot assume role", func(*setUp) {}, diagnose.VendorFault},
		"the external ID":      {"cannot assume role", func(s *setUp) { s.externalID = otherID }, diagnose.ExternalID},
		"AWS's plain sentence": {"User: " + spotARN + " " + asked, func(s *setUp) { s.age = time.Second }, diagnose.TooYoung},
		"another ARN":          {"User: " + spotARN + " " + strings.Replace(asked, account, stranger, 1), func(*setUp) {}, diagnose.Account},
		"the path is lost":     {"User: " + spotARN + " " + asked, func(s *setUp) { s.path = "/team/" }, diagnose.Path},
		"another caller":       {"User: arn:aws:iam::" + stranger + ":role/x " + asked, func(*setUp) {}, diagnose.Principal},
		"an SCP nobody can find": {"User: " + spotARN + " " + asked + " with an explicit deny in a service control policy", func(*setUp) {},
			diagnose.SCP},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := rightly()
			c.do(&s)
			s.said = c.said
			found := diagnose.Found(diagnose.Rank(s.facts(t)))
			if len(found) == 0 || found[0].ID != c.want {
				t.Errorf("got %+v", found)
			}
		})
	}
}

// TestAnotherOrganisationsPolicyIsNamedAsTheirs: AWS names the policy's
// organisation in its ARN.
func TestAnotherOrganisationsPolicyIsNamedAsTheirs(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]string{
		"arn:aws:organizations::444455556666:policy/o-anotherorg0/service_control_policy/p-abcdefgh":  "another organization",
		"arn:aws:organizations::999988887777:policy/o-exampleorgid/service_control_policy/p-abcdefgh": "aws:PrincipalAccount",
	} {
		s := rightly()
		s.said = "User: " + spotARN + " " + asked + " with an explicit deny in a service control policy: " + arn
		found := diagnose.Found(diagnose.Rank(s.facts(t)))
		if found[0].ID != diagnose.SCP || !strings.Contains(found[0].Fix, want) {
			t.Errorf("%s: %+v", arn, found[0])
		}
	}
}

// TestWhatAPersonPastesIsClean: no cause has a character that a terminal obeys.
func TestWhatAPersonPastesIsClean(t *testing.T) {
	t.Parallel()
	hostile := "User: \x1b]52;c;AAAA\a" + spotARN + "\u202e\u200b " + asked + "\x1b[2J because no resource control policy allows\nit\x00"
	r := diagnose.Read(hostile)
	for _, c := range diagnose.Rank(diagnose.Facts{Refusal: &r, Vendor: "\x1bSpot", Want: aws.Want{RoleName: "a\x1b[0m"}, Looked: true}) {
		for _, text := range append(append([]string{c.Fix, r.Text}, c.Evidence...), c.Against...) {
			if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%s: %q", c.ID, text)
			}
		}
	}
}
