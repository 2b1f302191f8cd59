package check_test

import (
	"strings"
	"testing"

	"rolecall/steps"
	"rolecall/steps/describe"
)

// TestSubjects feeds values that would let in more than they say.
func TestSubjects(t *testing.T) {
	v, err := steps.Library().Load("github-actions")
	if err != nil {
		t.Fatal(err)
	}
	role := &v.Roles[0]
	good := map[string]string{"ORGANIZATION": "octo-org", "REPOSITORY": "octo-repo", "CONTEXT": "ref:refs/heads/feature/x", "POLICY": "ReadOnlyAccess"}
	if w, err := role.Web(good); err != nil || w.Subject != "repo:octo-org/octo-repo:ref:refs/heads/feature/x" {
		t.Errorf("%+v %v", w, err)
	}
	for name := range role.Parameters {
		p := role.Parameters[name]
		p.Pattern = `[\s\S]*` // whatever the description's own rule is
		role.Parameters[name] = p
	}
	for name, values := range map[string][]string{
		"ORGANIZATION": {"*", "octo*", "octo:x", "octo/x", "a\nb", `a"b`, "a'b", "a$b", "${x}", "a\\b", "", " a", "é", "{REPOSITORY}"},
		"REPOSITORY":   {"*", "x:ref:refs/heads/main", "x/y", "x|y", "x?"},
		"CONTEXT":      {"*", "ref:refs/heads/*", "a\nb", `a"b`, "${aws:username}", ""},
	} {
		for _, value := range values {
			values := map[string]string{}
			for k, v := range good {
				values[k] = v
			}
			values[name] = value
			if w, err := role.Web(values); err == nil {
				t.Errorf("%s=%q gives %s", name, value, w.Subject)
			}
		}
	}
}

// webFiles are wrong web identities. The schema has to refuse those too whose
// mistake it can say.
func webFiles() map[string]wrongFile {
	with := func(issuer, subject, more string) string {
		return managed + "    web_identity:\n      issuer: \"" + issuer + "\"\n      audience: sts.amazonaws.com\n      subject: \"" + subject + "\"\n" + more
	}
	file := func(issuer, subject, more, says string) wrongFile {
		return wrongFile{managed, with(issuer, subject, more), "", says}
	}
	const issuer = "https://token.example.com"
	return map[string]wrongFile{
		"bare star":                 file(issuer, "*", "", "cannot be roles[0].web_identity.subject"),
		"star over organisations":   file(issuer, "repo:*", "", "cannot be roles[0].web_identity.subject"),
		"star in an organisation":   file(issuer, "repo:acme*", "", "cannot be roles[0].web_identity.subject"),
		"star in the middle":        file(issuer, "repo:*/x:ref", "", "cannot be roles[0].web_identity.subject"),
		"star at a name's end":      file(issuer, "repo:acme/x*", "", "cannot be roles[0].web_identity.subject"),
		"variable":                  file(issuer, "repo:${aws:username}", "", "cannot be roles[0].web_identity.subject"),
		"issuer: user":              file("https://me:pw@token.example.com", "a:b", "", "cannot be roles[0].web_identity.issuer"),
		"issuer: port":              file("https://token.example.com:8443", "a:b", "", "cannot be roles[0].web_identity.issuer"),
		"issuer: query":             file("https://token.example.com?x=1", "a:b", "", "cannot be roles[0].web_identity.issuer"),
		"issuer: http":              file("http://token.example.com", "a:b", "", "cannot be roles[0].web_identity.issuer"),
		"parameter that is not":     file(issuer, "repo:{ORG}/x", "", "There is no parameter ORG"),
		"accounts beside it":        file(issuer, "a:b", "    principals: [\"111122223333\"]\n", "no account and no external ID"),
		"reason for no external ID": file(issuer, "a:b", "    no_external: none\n", "no account and no external ID"),
	}
}

func TestWrongWebIdentities(t *testing.T) {
	for name, file := range webFiles() {
		_, err := steps.Library().Read([]byte(file.text(t)), "acme.yaml")
		found := false
		for _, m := range describe.MistakesOf(err) {
			found = found || strings.Contains(m.What, file.says)
		}
		if !found {
			t.Errorf("%s: %v", name, err)
		}
	}
}
