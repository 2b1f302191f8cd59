package step

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/aws"
	"rolecall/steps/screen"
)

func TestEveryCheckHasANameForPeople(t *testing.T) {
	for _, id := range append(aws.CheckIDs(), aws.UserCheckIDs()...) {
		if NameOfCheck(id) == id {
			t.Errorf("%s is shown to people by its id", id)
		}
	}
}

func TestChecksSayWhatTheyAreAbout(t *testing.T) {
	got := OtherChecks([]aws.Check{
		{ID: "permissions-boundary", Status: aws.Pass, Want: "none", Got: "none", Fix: "nothing"},
		{ID: "role-path", Status: aws.Warn, Want: "/", Got: "/x/"},
		{ID: "trust-external-id", Status: aws.Fail, Want: "abc", Got: "abd", Fix: "mend it"},
	}, &aws.Check{ID: "role-path"})
	want := screen.Checks{
		{ID: "trust-external-id", State: screen.Fail, Label: "External ID", Want: "abc", Got: "abd", Fix: "mend it"},
		{ID: "role-path", State: screen.Warn, Label: "Path", Want: "/", Got: "/x/", Told: true},
		{ID: "permissions-boundary", State: screen.Pass, Label: "Permissions boundary", Want: "none", Got: "none"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what is wrong does not come first (-want +got):\n%s", diff)
	}
}
