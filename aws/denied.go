package aws

import (
	"cmp"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"rolecall/policy"
)

// The sentences of a refusal: "User: PRINCIPAL is not authorized to perform:
// ACTION on resource: RESOURCE because no POLICY allows the ACTION action", or
// "… with an explicit deny in a POLICY", newer ones with the policy's ARN behind
// (IAM user guide, "Troubleshoot access denied error messages"). S3 quotes, and
// EC2 adds an encoded message.
var (
	deniedSentence = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?:User: "?(\S+?)"? )?is not authorized to perform:? "?([a-z0-9-]+:[A-Za-z0-9*]+)"?` +
			`(?: on (?:the )?resource:? "?(.+?)"?)?(?:\.? Encoded| because| with an explicit| as |\.?$)`)
	})
	deniedBy = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?:because no|explicit deny in (?:an?|the)) ([A-Za-z -]*?(?:policy|policies|boundary))(?:: (arn:\S+))?`)
	})
)

// denied tells a refusal for want of a permission: by its code, or by its
// sentence, which CloudFormation and others wrap into codes of their own.
func denied(code, said string) bool {
	return codes()[code] == Denied || strings.Contains(said, "is not authorized to perform")
}

// readDenied takes AWS's sentence apart.
func readDenied(e *Error) {
	if m := deniedSentence().FindStringSubmatch(e.AWS); m != nil {
		e.Principal, e.Action, e.Resource = m[1], m[2], strings.TrimSuffix(m[3], ".")
	}
	e.ExplicitDeny = strings.Contains(e.AWS, "explicit deny")
	if m := deniedBy().FindStringSubmatch(e.AWS); m != nil {
		e.DeniedBy, e.PolicyARN = m[1], m[2]
	}
}

// explainDenied says what is missing, and who can give it.
func explainDenied(e *Error) {
	readDenied(e)
	action := cmp.Or(e.Action, "an action")
	e.What = "You are not allowed " + action + "."
	switch {
	case strings.Contains(e.DeniedBy, "service control policy"):
		e.Next = "Your organization forbids it. Ask whoever manages its service control policies" + bracketed(e.PolicyARN) + "."
	case strings.Contains(e.DeniedBy, "resource control policy"):
		e.Next = "Your organization forbids it. Ask whoever manages its resource control policies" + bracketed(e.PolicyARN) + "."
	case strings.Contains(e.DeniedBy, "permissions boundary"):
		e.Next = "Your permissions boundary" + bracketed(e.PolicyARN) + " forbids it. Ask whoever set it to allow " + action + "."
	case strings.Contains(e.DeniedBy, "session policy"):
		e.Next = "The session was limited to less than its role (session policy). Sign in without that limit, or ask whoever gave you " +
			"the session."
	case strings.Contains(e.DeniedBy, "VPC endpoint policy"):
		e.Next = "The endpoint of this network forbids it. Ask whoever manages the VPC endpoint policy" + bracketed(e.PolicyARN) +
			", or use another network."
	case e.ExplicitDeny:
		e.Next = "A policy" + bracketed(e.PolicyARN) + " forbids it outright. Ask your administrator to lift the Deny on " + action + "."
	default:
		e.Next = "Ask your administrator for " + action + ", or sign in as someone who has it."
	}
}

func bracketed(arn string) string {
	if arn == "" {
		return ""
	}
	return " (" + arn + ")"
}

// What AWS names in the refusal of a value.
var (
	invalidPrincipal = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(
			`Invalid principal in policy:?\s*(?:"?(?:AWS|SERVICE|Service|Federated|FEDERATED|CanonicalUser)"?\s*:\s*)?"?([^"\s]+)"?`,
		)
	})
	invalidParameter = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(
			`(?: at '([^']+)' failed to satisfy|specified value for (\w+)|^The parameter (\w+) |[Pp]arameter:? ['"]?(\w+)['"]? )`,
		)
	})
)

const invalidPrincipalWords = "Invalid principal in policy"

// explainMalformed says which value AWS did not take.
func explainMalformed(e *Error) {
	e.What, e.Next = "AWS refused what was sent.", "Correct the value that AWS names."
	if m := invalidParameter().FindStringSubmatch(e.AWS); m != nil {
		e.Parameter = cmp.Or(cmp.Or(m[1], m[2]), cmp.Or(m[3], m[4]))
		e.What = "AWS refused the value of " + e.Parameter + "."
	}
	if !strings.Contains(e.AWS, invalidPrincipalWords) {
		return
	}
	e.Parameter = "Principal"
	if m := invalidPrincipal().FindStringSubmatch(e.AWS); m != nil {
		e.Principal = m[1]
	}
	nameInvalidPrincipal(e)
}

// nameInvalidPrincipal says whom AWS does not know.
func nameInvalidPrincipal(e *Error) {
	e.What = "AWS does not know the principal " + cmp.Or(e.Principal, "that the trust policy names") + "."
	e.Expected = "an account, role or user that exists, of the same partition"
	e.Next = "Check the vendor's account number and the partition; a role or user has to be there before it can be trusted."
}

// nameTrusted adds whom a trust policy names to a refusal that does not say
// whom AWS does not know.
func nameTrusted(err error, trust *policy.Document) error {
	e := (*Error)(nil)
	if !errors.As(err, &e) || e.Principal != "" || !strings.Contains(e.AWS, invalidPrincipalWords) {
		return err
	}
	var names []string
	for _, s := range trust.Statements {
		for _, kind := range slices.Sorted(maps.Keys(s.Principal)) {
			names = append(names, s.Principal[kind]...)
		}
	}
	e.Principal = cleanText(strings.Join(names, " or "))
	nameInvalidPrincipal(e)
	return err
}
