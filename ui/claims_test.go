package ui_test

import (
	"encoding/json"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestTheVendorSeesNoAWSCredential reads every request that Spot gets while an
// account is connected.
func TestTheVendorSeesNoAWSCredential(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	var lock sync.Mutex
	var seen strings.Builder
	requests := 0
	b.env = []string{"ROLECALL_SPOT_URL=" + intrudeOn(t, b.spot.URL(), func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		dump, err := httputil.DumpRequest(r, true)
		if err != nil {
			t.Error(err)
		}
		lock.Lock()
		defer lock.Unlock()
		requests++
		seen.Write(dump)
		return false
	})}
	r := b.run("connect", "--yes", "--json", "--aws-account", "123456789012", "--vendor", "spot", "--account", "act-12ab12ab", "--method", "direct",
		"--wait", "10m")
	if r.exit != 0 || requests == 0 {
		t.Fatalf("exit %d after %d requests\n%s", r.exit, requests, r.stderr)
	}
	to := b.aws.Target()
	for name, secret := range map[string]string{"access key ID": to.AccessKeyID, "secret access key": to.SecretAccessKey, "signature": "AWS4-HMAC"} {
		if secret == "" || strings.Contains(seen.String(), secret) {
			t.Errorf("the %s was sent to the vendor", name)
		}
	}
	if !strings.Contains(seen.String(), ":role/") {
		t.Error("the role was not among what was read")
	}
}

// TestAPlanHoldsWhatTheReviewFinds: who approves a plan has the risks before them.
func TestAPlanHoldsWhatTheReviewFinds(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	file := filepath.Join(home, "spot.plan.json")
	if code, out, talk := command(t, home, nil, "plan", "--vendor", "spot", "--method", "direct", "--account", "act-12ab12ab", "--aws-account",
		"123456789012", "--external-id", "spotinst:aws:extid:0123456789abcdef", "-o", file); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, talk)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var plan struct {
		Documents []struct {
			Kind     string
			Findings []struct{ ID, Severity string }
		}
	}
	if err := json.Unmarshal(text, &plan); err != nil {
		t.Fatal(err)
	}
	high := 0
	for _, d := range plan.Documents {
		for _, f := range d.Findings {
			if f.Severity == "high" {
				high++
			}
		}
	}
	if high == 0 {
		t.Errorf("no document of the plan has a finding of high severity:\n%s", text)
	}
}
