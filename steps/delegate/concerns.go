package delegate

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/policy/review"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
)

// concern is a finding about a request, where no line of a document is to blame.
func concern(id, category string, severity review.Severity, title, why, fix string) review.Finding {
	return review.Finding{ID: id, Class: review.Risk, Category: category, Severity: severity, Index: -1, Line: 1, Column: 1,
		Actions: []string{}, Title: title, Why: why, Fix: fix}
}

// concerns are what there is to say about the request itself.
func (j *Judge) concerns(judged *Judged) []review.Finding {
	d := judged.Request
	all := slices.Concat(j.aboutRequestor(judged), j.aboutTime(d), aboutRoles(judged), aboutParameters(d))
	if size := policy.Characters(d.Text); size > aws.MaxDelegationPolicy {
		all = append(all, concern("delegation-size", "size", review.Low, "The policy is longer than AWS documents",
			fmt.Sprintf("It has %s, white space not counted, and AWS says that such a policy has %s at most.", screen.Counted(size, "character"),
				screen.Thousands(aws.MaxDelegationPolicy)), "Read it twice, and ask the requestor."))
	}
	if d.Covered == "DENIED" {
		all = append(all, concern("delegation-not-covered", "delegation", review.Note, "You do not have all of these permissions yourself",
			"AWS's check, which is approximate, says so. Delegated access can do no more than whoever accepted the request.",
			"Forward the request to somebody who has them, where the requestor needs them."))
	}
	if link, err := url.Parse(d.RedirectURL); d.RedirectURL != "" && (err != nil || link.Scheme != "https") {
		all = append(all, concern("delegation-redirect", "delegation", review.Low, "The console would lead on to a page without https",
			"After the decision the console offers the requestor's page "+d.RedirectURL+".", "Do not follow it, and do not sign in there."))
	}
	return all
}

// aboutRequestor says who asks, as far as that can be known.
func (j *Judge) aboutRequestor(judged *Judged) []review.Finding {
	d, v := judged.Request, judged.Vendor
	if v != nil && slices.Contains(accountsOf(v), d.Requestor) {
		return nil
	}
	if v != nil {
		return []review.Finding{concern("delegation-requestor", "delegation", review.Medium,
			"The request comes from an account that the description of "+v.Title+" does not name",
			"It comes from account "+d.Requestor+". The description names "+orNone(accountsOf(v))+". A vendor may ask from another account than "+
				"the one that a role trusts.",
			"Ask "+v.Title+" whether account "+d.Requestor+" is its own.")}
	}
	for _, known := range j.Vendors {
		if sounds(d.RequestorName, known) {
			return []review.Finding{concern("delegation-requestor", "delegation", review.High,
				"It calls itself "+d.RequestorName+", and does not come from an account of "+known.Title,
				"It comes from account "+d.Requestor+". The description of "+known.Title+" names "+orNone(accountsOf(known))+".",
				"Ask "+known.Title+" whether account "+d.Requestor+" is its own. Where it is, say so: --vendor "+known.Name+".")}
		}
	}
	return []review.Finding{concern("delegation-requestor", "delegation", review.Medium, "rolecall does not know who asks",
		"Account "+d.Requestor+" is of no vendor that rolecall has a description of. AWS lets only products and partners ask that it has "+
			"onboarded; which one this is, it tells by name and account alone.",
		"Ask the vendor whether the account is its own. With a description of it (--vendor FILE), the request is compared with what it needs.")}
}

func sounds(name string, v *describe.Vendor) bool {
	fold := func(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), "")) }
	words := strings.Fields(strings.ToLower(name))
	return fold(name) == fold(v.Title) || slices.Contains(words, strings.ToLower(v.Title)) || slices.Contains(words, v.Name)
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(list))), ", ")
}

// aboutTime is about how long the access lasts, and who may approve that.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-temporary-delegation.html
// and https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-revoke-access.html
func (j *Judge) aboutTime(d aws.Delegation) []review.Finding {
	switch {
	case d.Duration > aws.LongestDelegation, d.Duration <= 0:
		return []review.Finding{concern("delegation-duration", "delegation", review.High, "The access lasts "+screen.Hours(d.Duration),
			"AWS says that delegated access lasts "+screen.Hours(aws.LongestDelegation)+" at most.",
			"Do not accept it: ask the requestor what this is.")}
	case d.Duration > aws.LongestByRoot && j.Identity.Kind == aws.IsRoot:
		return []review.Finding{concern("delegation-root", "delegation", review.Medium, "The root user cannot accept it",
			rootRule(d), "Sign in as a role or user that may accept it.")}
	case j.Identity.Kind == aws.IsRoot:
		return []review.Finding{concern("delegation-root", "delegation", review.Medium, "What the root user accepts cannot be revoked",
			"You are signed in as the root user. AWS cannot end the access before its time then.", "Accept it as a role or user.")}
	case d.Duration > aws.LongestByRoot:
		return []review.Finding{concern("delegation-root", "delegation", review.Note, "The root user could not accept it",
			rootRule(d), "Accept it as a role or user, as you are signed in now.")}
	}
	return nil
}

func rootRule(d aws.Delegation) string {
	return "The access lasts " + screen.Hours(d.Duration) + ", and the account's root user may accept only what lasts " +
		screen.Hours(aws.LongestByRoot) + " or less."
}

// aboutRoles is about what stays when the access is over: roles that the
// requestor may create meanwhile.
func aboutRoles(judged *Judged) []review.Finding {
	doc := judged.Request.Document
	if doc == nil {
		return nil
	}
	var all []review.Finding
	for i := range doc.Statements {
		s := &doc.Statements[i]
		if s.Effect != policy.Allow || !s.Covers("iam:CreateRole") || slices.ContainsFunc(s.Condition, boundsRoles) {
			continue
		}
		f := concern("delegation-unbounded-role", "privilege-escalation", review.High, "It may create roles without a permissions boundary",
			"Such a role stays when the access is over, and nothing limits what it can be given. No condition on iam:PermissionsBoundary limits "+
				"the statement.",
			"Ask for a request whose statement names the permissions boundary of every role that it creates.")
		f.Statement, f.Index, f.Line, f.Column, f.Actions = s.Sid, i, s.Pos.Line, s.Pos.Column, []string{"iam:CreateRole"}
		all = append(all, f)
	}
	for _, b := range judged.Boundaries {
		if b.Document == nil {
			all = append(all, concern("delegation-boundary-unread", "privilege-escalation", review.Medium,
				"What its roles could do at most cannot be read",
				"The permissions boundary "+b.ARN+": "+b.Unread,
				"Ask AWS or the requestor for its document, and review that: rolecall policy review FILE."))
		}
	}
	return all
}

// boundsRoles tells a condition that demands a named permissions boundary.
func boundsRoles(c policy.Condition) bool {
	operator := strings.ToLower(c.Operator)
	demands := operator == "stringequals" || operator == "arnequals" || operator == "arnlike" || operator == "stringlike" ||
		operator == "stringequalsignorecase"
	whatever := func(arn string) bool { return strings.Trim(arn[strings.LastIndexAny(arn, ":/")+1:], "*") == "" } // …:policy/*
	return demands && strings.EqualFold(c.Key, "iam:PermissionsBoundary") && !slices.ContainsFunc(c.Values, whatever)
}

// aboutParameters is about the values that the template was filled in with.
func aboutParameters(d aws.Delegation) []review.Finding {
	var all []review.Finding
	if strings.Contains(d.Text, "@{") {
		all = append(all, concern("delegation-unfilled", "delegation", review.High, "The policy's template is not filled in",
			"It still has a place @{…} for a parameter, so that nobody can know what it grants.", "Do not accept it: ask for another request."))
	}
	for _, p := range d.Parameters {
		for _, value := range p.Values {
			all = append(all, aboutValue(p.Name, value)...)
		}
	}
	return all
}

// aboutValue judges one value by what it can do in the place where it was put.
func aboutValue(name, value string) []review.Finding {
	shown := fmt.Sprintf("Parameter %s is %s.", name, shorten(value))
	switch {
	case strings.ContainsAny(value, "\"\\{}[]"):
		return []review.Finding{concern("delegation-parameter", "delegation", review.High, "A parameter could change what the policy says",
			shown+" It holds characters that end a text of the policy, so that more could have come in with it than a value.",
			"Read the policy as it is filled in, not the template. Ask for a request with a plain value.")}
	case strings.ContainsAny(value, "*?"):
		return []review.Finding{concern("delegation-parameter", "delegation", review.Medium, "A parameter brings a wildcard into the policy",
			shown+" Where the template names one thing, many are meant then.", "Ask for a request that names what is meant.")}
	}
	return nil
}

func shorten(s string) string {
	s = screen.CleanLine(s)
	if runes := []rune(s); len(runes) > 80 {
		s = string(runes[:79]) + "…"
	}
	return "\"" + s + "\""
}
