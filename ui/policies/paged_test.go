package policies

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"rolecall/policy/review"
	"rolecall/ui/report"
)

// TestLessGoesFromFindingToFinding holds the pattern of the keys to the words that
// findings begin with.
func TestLessGoesFromFindingToFinding(t *testing.T) {
	_, pattern, _ := strings.Cut(findingKeys, `forw-search \`)
	pattern, _, _ = strings.Cut(pattern, `\n`)
	findings := regexp.MustCompile("(?m)" + pattern + " .*$")
	for _, body := range []string{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:PassRole","ec2:RunInstances","s3:*","iam:PutRolePolicy"],"Resource":"*"}}`,
		`{"Statement":{"Effect":"Allow","Action":"nothing:AtAll"}}`} {
		r := review.Review([]byte(body), review.Options{Limit: 6144, Partition: "aws", Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
		want := 0
		for _, f := range r.Findings {
			if f.Severity != review.Note {
				want++
			}
		}
		var text bytes.Buffer
		if err := report.Text(&text, &r, report.Options{Name: "p.json"}); err != nil {
			t.Fatal(err)
		}
		if got := findings.FindAllString(text.String(), -1); len(got) != want || want == 0 {
			t.Errorf("%d of %d findings are found by ]: %q in\n%s", len(got), want, got, &text)
		}
	}
}
