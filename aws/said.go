package aws

import (
	"context"
	"regexp"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// The ways in which tools print an error of AWS around its code and sentence:
// the AWS CLI and boto, the SDKs for Go, Java and JavaScript, XML and JSON of the
// services themselves.
var saidForms = sync.OnceValue(func() []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, form := range []string{
		`An error occurred \((?P<code>[\w.]+)\) when calling the (?P<op>\w+) operation[^:]*: (?P<said>.*)`,
		`api error (?P<code>[\w.]+): (?P<said>.*)`,
		`<Code>(?P<code>[\w.]+)</Code>\s*<Message>(?P<said>.*?)</Message>`,
		`(?P<said>.*?)\s*\(Service: .*?Error Code: (?P<code>[\w.]+)`,
		`"(?:__type|code|Code|name)"\s*:\s*"(?:[\w.]*#)?(?P<code>[\w.]+)".*?"(?:message|Message)"\s*:\s*"(?P<said>(?:[^"\\]|\\.)*)"`,
		`^(?P<code>[A-Z][A-Za-z.]{5,60}): (?P<said>.*)`,
	} {
		all = append(all, regexp.MustCompile(form))
	}
	return all
})

// bareSentences are sentences of AWS by which their code is known, where a text
// leaves it out. Sources: the errors of the API references of STS and IAM, and
// aws/clock.go.
func bareSentences() [][2]string {
	return [][2]string{
		{"exceeds the MaxSessionDuration", "ValidationError"},
		{"session limit for roles assumed by role chaining", "ValidationError"},
		{"STS is not activated in this region", "RegionDisabledException"},
		{"Invalid principal in policy", "MalformedPolicyDocument"},
		{
			"security token included in the request is expired",
			"ExpiredToken",
		},
		{"security token included in the request is invalid", "InvalidClientTokenId"},
		{"request signature we calculated does not match", "SignatureDoesNotMatch"},
		{"Rate exceeded", "Throttling"},
		{"is not authorized to perform", "AccessDenied"},
	}
}

// bareCode finds the code in a text without one of the usual forms: as a word, or
// by AWS's sentence.
func bareCode(text string) string {
	for _, word := range codeWord().FindAllString(text, 200) {
		if codes()[word] != Other && word != "Forbidden" {
			return word
		}
	}
	for _, s := range bareSentences() {
		if strings.Contains(text, s[0]) {
			return s[1]
		}
	}
	return ""
}

// codeWord is a code of AWS's that stands alone in a text.
var codeWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[A-Z][A-Za-z]{5,60}`) })

// longestSaid bounds what of a pasted error is looked at.
const longestSaid = 64 << 10

// ReadError understands an error of AWS that somebody pasted, in whatever form a
// tool printed it: code, sentence, and of a refusal who was refused what by which
// kind of policy. It is nil where nothing in the text is AWS's. All its texts are
// safe to draw.
func ReadError(pasted string) *Error {
	text := cleanAll(pasted[:min(len(pasted), longestSaid)])
	e := &Error{AWS: cleanText(text)}
	for _, form := range saidForms() {
		m := form.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		code := m[form.SubexpIndex("code")]
		if codes()[code] != Other || strings.HasPrefix(text, "An error occurred") || strings.Contains(text, "api error") {
			e.Code, e.AWS = code, cleanText(strings.ReplaceAll(m[form.SubexpIndex("said")], `\"`, `"`))
			break
		}
	}
	if e.Code == "" {
		e.Code = bareCode(text)
	}
	e.Kind = kindOf(e.Code, e.AWS, 0)
	if e.Kind == Denied {
		readDenied(e)
	}
	if e.Kind == Other && e.Code == "" {
		return nil
	}
	return e
}

// InactiveSTS are those of the regions in which STS does not answer for the
// account, since nobody activated it there: a region to opt in to does not know
// the account's keys before. The error is left for what prevents an answer at
// all. Source: docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html.
func (a *Account) InactiveSTS(ctx context.Context, regions []string) ([]string, error) {
	var inactive []string
	for _, region := range regions {
		_, err := a.sts().GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}, func(o *sts.Options) { o.Region = region })
		switch e := a.fail(err, "sts:GetCallerIdentity", "ask STS in %s", cleanText(region)); {
		case err == nil:
		case RegionDisabled(e), Explain(e).Code == "InvalidClientTokenId":
			inactive = append(inactive, region)
		default:
			return inactive, e
		}
	}
	return inactive, nil
}

// RegionDisabled tells STS's answer in a region where it was not activated. Its
// sentence is that of API_AssumeRole of the STS API reference.
func RegionDisabled(err error) bool {
	e := Explain(err)
	return e != nil && (e.Code == "RegionDisabledException" || strings.Contains(e.AWS, "STS is not activated in this region"))
}
