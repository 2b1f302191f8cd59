package diagnose

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"rolecall/aws"
	"rolecall/policy"
)

// Refusal is what AWS or the vendor said. Its texts are safe to draw.
type Refusal struct {
	Text   string     // cleaned and cut
	AWS    *aws.Error // what AWS says in it; nil where nothing is AWS's
	Status int        // of HTTP, where the text or the client tells
}

// httpStatus is how tools tell the status of HTTP.
var httpStatus = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:http(?:/[\d.]+)?|status(?:[ _]?code)?|"code")["']?[ :=]*"?([45]\d\d)\b`)
})

// longestText bounds what is kept of a pasted text.
const longestText = 600

// Read understands a pasted error.
func Read(pasted string) Refusal {
	text := aws.Clean(pasted[:min(len(pasted), 64<<10)])
	r := Refusal{Text: text, AWS: aws.ReadError(text)}
	if m := httpStatus().FindStringSubmatch(text); m != nil {
		r.Status, _ = strconv.Atoi(m[1])
	}
	if runes := []rune(text); len(runes) > longestText {
		r.Text = string(runes[:longestText]) + "…"
	}
	return r
}

// Understood reports whether the text points to any cause.
func (r Refusal) Understood() bool {
	return len(Found(Rank(Facts{Refusal: &r}))) > 0
}

// ARN is that of the role that was refused; empty where the text does not tell.
func (r Refusal) ARN() string {
	if r.AWS == nil || r.AWS.Action != policy.AssumeRole {
		return ""
	}
	if arn, ok := aws.SplitARN(r.AWS.Resource); ok && strings.HasPrefix(arn.Resource, "role/") {
		return r.AWS.Resource
	}
	return ""
}

// says looks for words, whatever their case.
func (r *Refusal) says(words ...string) bool {
	text := strings.ToLower(r.Text)
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, word) })
}

// quote is the refusal as evidence.
func (r *Refusal) quote() string {
	text := []rune(r.Text)
	if len(text) > 300 {
		text = append(text[:300], '…')
	}
	return "It was said: " + string(text)
}

// refusal takes the sentence apart: what AWS says names a cause, what a vendor
// says fits several as a rule.
func (in *inquest) refusal() {
	r := in.facts.Refusal
	if r == nil {
		return
	}
	if r.AWS != nil && (in.awsSays(r) || in.awsDenies(r)) {
		return
	}
	in.vendorSays(r)
}

// awsSays is about what is no missing permission. Sources: the errors of
// docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html and
// docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html.
func (in *inquest) awsSays(r *Refusal) bool {
	quote := r.quote()
	switch {
	case aws.RegionDisabled(r.AWS):
		in.suspect(STSRegion, Certain, quote, activateSTS([]string{"that region"}))
	case r.says("maxsessionduration"):
		in.suspect(SessionDuration, Certain, quote, in.longerSession())
	case r.says("session limit for roles assumed by role chaining"):
		in.suspect(
			SessionDuration,
			Certain,
			quote,
			"The vendor assumes the role from another role, and such a session lasts one hour at most: have it ask for one hour.",
		)
	case r.says("invalid principal", "invalid principals"):
		in.invalidPrincipal(r)
	case r.AWS.Kind == aws.NotFound:
		in.suspect(NotFound, Certain, quote, "Make the role (rolecall connect), or correct its name.")
	case r.says("externalid'", "external id", `"externalid"`) && r.AWS.Kind == aws.Malformed:
		in.suspect(
			ExternalID,
			Certain,
			quote,
			"The external ID that the vendor sends is none that AWS takes: 2 to 1,224 letters, digits and +=,.@:/-. Copy it from the vendor's "+
				"page again.",
		)
	case r.says("'rolearn'", "is invalid", "rolearn") && r.AWS.Kind == aws.Malformed:
		in.suspect(NotFound, Likely, quote, "What the vendor was given is not a role's ARN. Copy it from the top of the role's page.")
	case r.AWS.Kind == aws.Throttled, r.AWS.Kind == aws.Unavailable:
		in.suspect(VendorFault, Likely, quote, "Wait a minute, then have the vendor try again.")
	case r.AWS.Kind == aws.Expired, r.AWS.Kind == aws.NotSignedIn:
		in.credentials(r)
	default:
		return false
	}
	return true
}

func (in *inquest) longerSession() string {
	name := "ROLE"
	if role := in.role(); role != nil {
		name = role.Name
	}
	return setSession(max(in.facts.Session, 12*time.Hour), name) + " Or have the vendor ask for shorter sessions."
}

// invalidPrincipal is AWS's refusal of a trust policy that names somebody who is
// not there.
func (in *inquest) invalidPrincipal(r *Refusal) {
	quote := r.quote()
	const fix = "Correct the principal in the trust policy: the vendor's account number, or its root ARN in the role's own partition."
	for _, word := range strings.FieldsFunc(r.Text, func(c rune) bool { return strings.ContainsRune("\"' ,[]{}", c) }) {
		p := policy.ParsePrincipal(word)
		switch {
		case strings.HasPrefix(word, "AROA"), strings.HasPrefix(word, "AIDA"):
			in.suspect(RecreatedPrincipal, Certain, quote, in.renewPrincipal())
			return
		case p.Partition != "" && in.facts.Want.Partition != "" && p.Partition != in.facts.Want.Partition:
			in.suspect(Partition, Certain, quote, fix)
			return
		}
	}
	in.suspect(Principal, Certain, quote, fix)
	in.suspect(RecreatedPrincipal, Possible, "A principal that was deleted is not there either.", fix)
}

// credentials is about whoever signed the request: the vendor, as a rule.
func (in *inquest) credentials(r *Refusal) {
	quote := r.quote()
	in.suspect(
		VendorFault,
		Likely,
		quote,
		"The credentials with which the role was to be assumed are not good. If that was "+in.vendor()+", tell its support; if it was you, "+
			"sign in again.",
	)
	if r.AWS.Code == "InvalidClientTokenId" || r.AWS.Code == "UnrecognizedClientException" {
		const text = "Keys of one partition, or of a region that was not opted in to, are answered so too."
		in.hint(Partition, text, "Compare the partition of the role's ARN with the vendor's account.")
		in.hint(STSRegion, text, activateSTS([]string{"that region"}))
	}
}

// awsDenies is about a refusal for want of a permission.
func (in *inquest) awsDenies(r *Refusal) bool {
	e := r.AWS
	if e.Kind != aws.Denied || e.Action == "" {
		return false
	}
	switch by := strings.ToLower(e.DeniedBy); {
	case strings.Contains(by, "service control"):
		in.deniedByOrganization(SCP, r)
	case strings.Contains(by, "resource control"):
		in.deniedByOrganization(RCP, r)
	case strings.Contains(by, "boundary"):
		in.suspect(Boundary, Certain, r.quote(), in.whose(r, "permissions boundary"))
	case !strings.EqualFold(e.Action, policy.AssumeRole):
		in.suspect(Permissions, Certain, r.quote(), in.whose(r, "policy")+" It has to allow "+e.Action+".")
	case strings.Contains(by, "identity-based"), strings.Contains(by, "session"), strings.Contains(by, "vpc endpoint"):
		in.callersSide(r)
	case e.ExplicitDeny:
		in.suspect(
			Principal,
			Certain,
			r.quote(),
			"A Deny in the role's trust policy keeps the caller out. On the role's page, Trust relationships, narrow it.",
		)
	default:
		in.notTrusted(r)
	}
	return true
}

// callersSide is a refusal by the policies of whoever called.
func (in *inquest) callersSide(r *Refusal) {
	e := r.AWS
	caller, _ := aws.SplitARN(e.Principal)
	role, _ := aws.SplitARN(e.Resource)
	if caller.AccountID != "" && caller.AccountID == role.AccountID {
		in.suspect(
			Permissions,
			Certain,
			r.quote(),
			"The caller is of the role's own account, and needs sts:AssumeRole on the role by a policy of its own.",
		)
		return
	}
	in.suspect(
		VendorFault,
		Certain,
		r.quote(),
		"The caller's own "+e.DeniedBy+" keeps it from assuming the role. Send this sentence to "+in.vendor()+": nothing in your account can "+
			"mend it.",
	)
}

// deniedByOrganization says whose organisation it is, where AWS names the policy.
func (in *inquest) deniedByOrganization(id ID, r *Refusal) {
	fix := askOrganization(id)
	own := in.facts.Guardrails.Organization.ID
	arn, named := aws.SplitARN(r.AWS.PolicyARN)
	parts := strings.Split(arn.Resource, "/")
	switch {
	case named && own != "" && len(parts) > 1 && parts[1] != own:
		fix = "The policy " + r.AWS.PolicyARN + " is of another organization than this account's: send the sentence to " + in.vendor() +
			", whose organization forbids it."
	case named:
		fix = "Ask whoever manages the organization for an exception in " + r.AWS.PolicyARN + ": " + in.exceptionFor(id, r) + "."
	case in.causes[id].found():
		fix = in.causes[id].fix // it names the statement
	case id == SCP && in.outside(r):
		fix = "An SCP binds the accounts of its own organization: most likely it is that of the caller, " + r.AWS.Principal +
			". Send the sentence to " + in.vendor() +
			". If that account is in your organization: " + askOrganization(id)
	}
	in.suspect(id, Certain, r.quote(), fix)
}

// exceptionFor is the smallest exception, where the statement is not known.
func (in *inquest) exceptionFor(id ID, r *Refusal) string {
	caller, _ := aws.SplitARN(r.AWS.Principal)
	if id == SCP && caller.AccountID == in.facts.Want.AccountID {
		return exceptionText(&policy.Statement{}, "aws:PrincipalArn", in.roleARN()) + " in the statement that denies " + r.AWS.Action
	}
	return exceptionText(&policy.Statement{}, "aws:PrincipalAccount", caller.AccountID) + " in the statement that denies " + r.AWS.Action
}

// outside reports whether the caller is of another account than the role.
func (in *inquest) outside(r *Refusal) bool {
	caller, ok := aws.SplitARN(r.AWS.Principal)
	role, _ := aws.SplitARN(r.AWS.Resource)
	return ok && caller.AccountID != role.AccountID
}

// whose says in which account a policy of the caller is to be changed.
func (in *inquest) whose(r *Refusal, what string) string {
	caller, ok := aws.SplitARN(r.AWS.Principal)
	switch {
	case !ok:
		return "Change the caller's " + what + "."
	case slices.Contains(in.facts.Want.Principals, caller.AccountID):
		return "The caller is " + in.vendor() + " itself: its own " + what + " is in the way. Send it the sentence."
	}
	return "Ask whoever manages account " + caller.AccountID + " to change the " + what + " of " + r.AWS.Principal + "."
}

// notTrusted is AWS's plain refusal, which does not tell whether the role exists,
// whom it trusts, or under which external ID.
func (in *inquest) notTrusted(r *Refusal) {
	caller, ok := aws.SplitARN(r.AWS.Principal)
	if want := in.facts.Want.Principals; ok && len(want) > 0 && !slices.Contains(want, caller.AccountID) {
		in.suspect(Principal, Likely, r.quote()+" That caller is of account "+caller.AccountID+"; "+in.vendor()+"'s is "+in.accounts()+".",
			"Ask "+in.vendor()+" from which account it assumes the role. If "+caller.AccountID+" is right, the trust policy has to name it.")
	}
	in.anyOf(r.quote())
}

// anyOf are the causes that look alike from outside.
func (in *inquest) anyOf(evidence string) {
	in.hint(ExternalID, evidence, "Compare sts:ExternalId in the role's trust policy with the external ID on the vendor's page.")
	in.hint(RecreatedPrincipal, evidence, "Look for an ID such as AROA… in the role's trust policy.")
	in.hint(Principal, evidence, "Compare the principal of the role's trust policy with the vendor's AWS account.")
	in.hint(Account, evidence, "Compare the account in the ARN that the vendor has with the account of the role.")
	in.hint(Path, evidence, "Compare the ARN that the vendor has with the one at the top of the role's page.")
	in.hint(NotFound, evidence, "Look whether the role is there.")
	in.hint(TooYoung, evidence, "Wait half a minute, then have the vendor try again.")
	in.hint(RCP, evidence, askOrganization(RCP))
}

// vendorSays is about a vendor's own words, which are documented nowhere.
func (in *inquest) vendorSays(r *Refusal) {
	quote := r.quote()
	switch {
	case r.Status >= 500, r.Status == http.StatusTooManyRequests,
		r.says("internal server error", "bad gateway", "service unavailable", "gateway timeout", "too many requests", "rate exceeded",
			"rate limit",
			"throttl", "timed out", "timeout", "try again later", "not well", "asks to slow down"):
		in.suspect(
			VendorFault,
			Certain,
			quote,
			"Wait a minute, then try again. If it stays, tell "+in.vendor()+"'s support, with the request's number.",
		)
	case r.Status == http.StatusUnauthorized, r.says("invalid token", "token is not valid", "does not accept the token", "unauthorized api"):
		in.suspect(VendorFault, Certain, quote, "It is the token for "+in.vendor()+"'s API that is refused, not the role. Make a new token.")
	case r.says("external id", "externalid", "external_id"):
		in.suspect(ExternalID, Likely, quote, "Compare sts:ExternalId in the role's trust policy with the external ID on the vendor's page.")
	case r.says("session duration", "durationseconds", "maxsessionduration"):
		in.suspect(SessionDuration, Likely, quote, in.longerSession())
	case r.says("service control polic"):
		in.suspect(SCP, Likely, quote, askOrganization(SCP))
	case r.says("resource control polic"):
		in.suspect(RCP, Likely, quote, askOrganization(RCP))
	case r.says("already in use", "already exists", "already connected", "belongs to", "another account", "different account"):
		in.suspect(
			Account,
			Likely,
			quote,
			"The role, or the AWS account, is connected to another account of "+in.vendor()+". Disconnect it there, or choose that one.",
		)
	case r.says("not authorized to perform", "unauthorizedoperation", "missing permission", "insufficient permission", "lacks permission",
		"permissions are missing"):
		in.suspect(Permissions, Likely, quote, "Compare the role's policies with what the vendor needs: rolecall verify.")
	case r.says("role") && r.says("not found", "not exist", "no such", "unknown role", "cannot be found", "n't exist"):
		in.suspect(
			NotFound,
			Likely,
			quote,
			"Look whether the role is there, and compare the ARN that the vendor has with the one on the role's page.",
		)
	case r.says("invalid arn", "invalid role arn", "malformed arn", "not a valid arn", "arn is invalid", "not the arn"):
		in.suspect(NotFound, Likely, quote, "What the vendor was given is not a role's ARN. Copy it from the top of the role's page.")
		in.hint(Path, quote, "Copy the ARN with its path from the top of the role's page.")
	case r.says("assume", "assuming", "trust", "access denied", "accessdenied", "credentials", "access is denied", "not authorized"),
		r.Status == http.StatusBadRequest,
		r.Status == http.StatusForbidden:
		in.anyOf(quote)
	}
}
