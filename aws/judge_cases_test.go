package aws_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/policy"
)

// trustCase is a trust policy with what verify has to say of it, and where it
// comes from. The file is shared with the test of evidence in ui.
type trustCase struct {
	Name, Source string
	OK           bool
	Check        string // of these, one has status
	Status       aws.Status
	Says         string // in got or why
	Trust        json.RawMessage
}

func trustCases(t *testing.T) []trustCase {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "trust", "cases.json"))
	ok(t, err)
	var all []trustCase
	ok(t, json.Unmarshal(text, &all))
	return all
}

// TestTrustCases holds the verdict on trust policies on which people, or the
// tools that people use, went wrong.
func TestTrustCases(t *testing.T) {
	for _, c := range trustCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			role := rightRole(t)
			role.Trust = parse(t, string(c.Trust), policy.Trust)
			now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
			r := aws.Judge(rightWant(t), aws.Seen{Role: role, Now: now})
			got, made := r.Check(c.Check)
			if !made || got.Status != c.Status || r.OK != c.OK {
				t.Fatalf("OK is %v, want %v; %+v\n%s", r.OK, c.OK, r.Checks, c.Source)
			}
			if !strings.Contains(got.Got+" "+got.Why, c.Says) {
				t.Errorf("%q is not said: %+v", c.Says, got)
			}
			sayEnough(t, got)
		})
	}
}
