package step

import (
	"testing"

	"rolecall/aws"
)

func TestEveryCheckHasANameForPeople(t *testing.T) {
	for _, id := range append(aws.CheckIDs(), aws.UserCheckIDs()...) {
		if NameOfCheck(id) == id {
			t.Errorf("%s is shown to people by its id", id)
		}
	}
}

func TestChecksSayWhatTheyAreAbout(t *testing.T) {
	got := ChecksOf(aws.Report{Checks: []aws.Check{
		{ID: "permissions-boundary", Status: aws.Pass, Want: "none", Got: "none"},
		{ID: "trust-external-id", Status: aws.Fail, Want: "abc", Got: "abd", Fix: "mend it"},
	}})
	if got[0].Label != "Permissions boundary: none" || got[0].Why != "" {
		t.Errorf("passed: %+v", got[0])
	}
	if got[1].Label != "External ID: abc" || got[1].Why != "found: abd" || got[1].Fix != "mend it" {
		t.Errorf("failed: %+v", got[1])
	}
}
