package aws_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/policy"
)

// TestTheExportedScriptMakesARoleThatVerifyPasses runs the exported AWS CLI
// commands as a person would, against aws/rehearsal and, where it is installed,
// against moto.
func TestTheExportedScriptMakesARoleThatVerifyPasses(t *testing.T) {
	cli, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("the AWS CLI is not installed: the exported script was not run")
	}
	if out, err := exec.Command(cli, "--version").CombinedOutput(); err != nil {
		t.Skipf("the AWS CLI does not run here: %s", out)
	}
	setup := policy.Setup{Description: "A role for a vendor", Partition: "aws", Roles: []policy.SetupRole{{
		ID: "SpotRole", Name: "Spot-Role", Path: "/vendors/", Description: "For a vendor's work", Principals: []string{vendor}, ExternalID: extID,
		Policies:        []policy.SetupPolicy{{ID: "SpotPolicy", Name: "Spot-Policy", Document: somePolicy(t)}},
		SessionDuration: 2 * time.Hour, Tags: []policy.SetupTag{{Key: "team", Value: "the platform team"}},
	}}}
	script, err := setup.Shell()
	ok(t, err)
	file := filepath.Join(t.TempDir(), "make.sh")
	ok(t, os.WriteFile(file, []byte(script), 0o600))

	t.Run("rehearsal", func(t *testing.T) {
		s, a := start(t, rehearsal.Options{Propagation: -1})
		target := s.Target()
		runScript(t, file, target.Endpoint, target.AccessKeyID, target.SecretAccessKey)
		proveScript(t, a)
	})
	t.Run("moto", func(t *testing.T) {
		moto := motoPlace(t)
		if moto.open == nil {
			t.Skip("moto_server is not installed: the script ran against aws/rehearsal only")
		}
		a := moto.open(t)
		runScript(t, file, a.Endpoint(), "AKIAIOSFODNN7EXAMPLE", "secret")
		proveScript(t, a)
	})
}

func runScript(t *testing.T, file, endpoint, key, secret string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", file)
	own := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	cmd.Env = append(own, //nolint:gocritic // own was made for this
		"AWS_ENDPOINT_URL="+endpoint, "AWS_ACCESS_KEY_ID="+key, "AWS_SECRET_ACCESS_KEY="+secret,
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_CONFIG_FILE="+filepath.Join(t.TempDir(), "none"),
		"AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(t.TempDir(), "none"), "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "NO_PROXY=*")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "arn:aws:iam::123456789012:role/vendors/Spot-Role") {
		t.Fatalf("the script does not print the role's ARN:\n%s", out)
	}
}

func proveScript(t *testing.T, a *aws.Account) {
	t.Helper()
	want := aws.Want{Partition: "aws", AccountID: "123456789012", Principals: []string{vendor}, ExternalID: extID,
		Policies: []*policy.Document{somePolicy(t)}, RoleName: "Spot-Role", Path: "/vendors/", PathGiven: true}
	seen, report, err := a.Look(t.Context(), want)
	if err != nil || !report.OK {
		t.Fatalf("%+v %v", report, err)
	}
	if seen.Role.MaxSession != 2*time.Hour || len(seen.Role.Tags) != 1 ||
		seen.Role.Tags[0] != (aws.Tag{Key: "team", Value: "the platform team"}) {
		t.Fatalf("%+v", seen.Role)
	}
}
