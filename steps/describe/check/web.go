package check

import (
	"fmt"
	"strings"

	"rolecall/policy"
	"rolecall/steps/describe"
)

// issuerRule, audienceRule and subjectRule are what a description may say of a
// token. A subject that ends in * has two parts before it at least, the second of
// which names the customer: "repo:{ORGANIZATION}/*".
// Source: docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html.
func issuerRule() rule {
	return rule{`https://[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9._~-]+)*|\{[A-Z][A-Z0-9_]*\}`, 255,
		"an https URL without user, port, query and slash at its end, or a parameter in braces"}
}

func audienceRule() rule {
	return rule{`([A-Za-z0-9._:/@=+,~-]|\{[A-Z][A-Z0-9_]*\})+`, 255, "what the token's aud is, without wildcards"}
}

func subjectRule() rule {
	const part = `([A-Za-z0-9._@=+,~#&!% -]|\{[A-Z][A-Z0-9_]*\})+`
	return rule{part + `([:/|]` + part + `)*([:/|]` + part + `[:/|]\*)?`, 500,
		"the token's sub, with parameters in braces; a * only at its end, behind a colon or slash, and behind the part that names the customer"}
}

// webIdentity checks whom the role trusts by web identity, and notes for each
// parameter where it stands.
func (r *reader) webIdentity(path string, role *describe.Role) {
	w, at := role.WebIdentity, path+".web_identity"
	if _, written := r.places[at]; !written {
		return
	}
	r.need(at+".issuer", w.Issuer, issuerRule().expected)
	r.rule(at+".issuer", w.Issuer, issuerRule())
	if !strings.HasPrefix(w.Issuer, "{") && w.Issuer != "" && !r.noted(at+".issuer") {
		if err := policy.CheckIssuer(w.Issuer); err != nil {
			r.wrong(at+".issuer", fmt.Sprintf("%q %s.", describe.Clean(w.Issuer), err), issuerRule().expected, "Correct it.")
		}
	}
	r.need(at+".audience", w.Audience, audienceRule().expected)
	r.rule(at+".audience", w.Audience, audienceRule())
	r.need(at+".subject", w.Subject, subjectRule().expected)
	r.rule(at+".subject", w.Subject, subjectRule())
	for key, text := range map[string]string{"issuer": w.Issuer, "audience": w.Audience, "subject": w.Subject} {
		for _, word := range placeholders(text) {
			if _, ok := role.Parameters[word]; !ok {
				r.wrong(at+"."+key, fmt.Sprintf("There is no parameter %s.", describe.Clean(word)), strings.Join(role.ParameterNames(), ", "),
					describe.DidYouMean(word, role.ParameterNames())+"Describe it under parameters, or write it out.")
			}
		}
	}
	for key, there := range map[string]bool{"principals": len(role.Principals) > 0, "no_external": role.NoExternal != ""} {
		if there {
			r.wrong(path+"."+key, "The role trusts web identities, which have no account and no external ID.", "web_identity alone",
				"Remove "+key+".")
		}
	}
	if role.Access == describe.AccessUser {
		r.wrong(at, "A user trusts nobody.", "web_identity for a role", "Remove it.")
	}
}
