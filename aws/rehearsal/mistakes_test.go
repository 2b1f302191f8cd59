package rehearsal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/aws/rehearsal"
	"rolecall/policy"
)

const (
	wantedID   = "spotinst:aws:extid:0123456789abcdef"
	theVendor  = "922761411349"
	roleOfTest = "arn:aws:iam::123456789012:role/Spot-Role"
)

// setUpRole makes a right role with a policy of its own.
func setUpRole(t *testing.T, server *rehearsal.Server) {
	t.Helper()
	const grants = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:RunInstances","ec2:StopInstances"],"Resource":"*"}]}`
	for _, one := range []struct {
		action string
		params map[string]string
	}{
		{"iam:CreatePolicy", map[string]string{"PolicyName": "Spot-Policy", "PolicyDocument": grants}},
		{"iam:CreateRole", map[string]string{"RoleName": "Spot-Role",
			"AssumeRolePolicyDocument": policy.NewTrust("aws", []string{theVendor}, wantedID).Compact()}},
		{"iam:AttachRolePolicy", map[string]string{"RoleName": "Spot-Role", "PolicyArn": "arn:aws:iam::123456789012:policy/Spot-Policy"}},
	} {
		if err := server.Do(one.action, one.params); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMistakes makes each mistake before and after the role exists. The vendor
// meets it as AWS would say it, and mending leaves nothing behind.
func TestMistakes(t *testing.T) {
	for mistake, said := range map[rehearsal.Mistake]string{
		rehearsal.WrongExternalID:    "not authorized to perform: sts:AssumeRole",
		rehearsal.WrongPrincipal:     "not authorized to perform: sts:AssumeRole",
		rehearsal.RecreatedPrincipal: "not authorized to perform: sts:AssumeRole",
		rehearsal.PathLost:           "not authorized to perform: sts:AssumeRole",
		rehearsal.TooYoung:           "not authorized to perform: sts:AssumeRole",
		rehearsal.PolicyMissing:      "no identity-based policy allows",
		rehearsal.PolicyEdited:       "",
		rehearsal.Boundary:           "no permissions boundary allows",
		rehearsal.SessionDuration:    "exceeds the MaxSessionDuration",
		rehearsal.SCP:                "explicit deny in a service control policy",
		rehearsal.RCP:                "resource control policy",
		rehearsal.STSRegion:          "STS is not activated in this region",
	} {
		for when, before := range map[string]bool{"before": true, "after": false} {
			t.Run(string(mistake)+" "+when, func(t *testing.T) {
				right, server := rehearsal.New(rehearsal.Options{Propagation: -1}), rehearsal.New(rehearsal.Options{Propagation: -1})
				setUpRole(t, right)
				if before {
					server.Make(mistake)
				}
				setUpRole(t, server)
				if !before {
					server.Make(mistake)
				}
				switch err := server.AssumeRole(theVendor, roleOfTest, wantedID); {
				case said == "" && err != nil:
					t.Error(err)
				case said != "" && (err == nil || !strings.Contains(err.Error(), said)):
					t.Errorf("AWS says %v, want %q", err, said)
				}
				server.Mend()
				if err := server.AssumeRole(theVendor, roleOfTest, wantedID); err != nil {
					t.Errorf("after mending: %v", err)
				}
				if diff := cmp.Diff(right.Snapshot().Things(), server.Snapshot().Things()); diff != "" {
					t.Errorf("mending left something behind: %s", diff)
				}
			})
		}
	}
}

// TestMendKeepsWhatSomebodyDid: who put it right by hand, or changed something
// else meanwhile, is not overruled, and a mistake is made once.
func TestMendKeepsWhatSomebodyDid(t *testing.T) {
	server := rehearsal.New(rehearsal.Options{Propagation: -1})
	setUpRole(t, server)
	server.Make(rehearsal.WrongExternalID)
	server.Make(rehearsal.PolicyMissing)
	other := policy.NewTrust("aws", []string{theVendor}, "spotinst:aws:extid:fedcba9876543210").Compact()
	for action, params := range map[string]map[string]string{
		"iam:UpdateAssumeRolePolicy": {"RoleName": "Spot-Role", "PolicyDocument": other},
		"iam:AttachRolePolicy":       {"RoleName": "Spot-Role", "PolicyArn": "arn:aws:iam::123456789012:policy/Spot-Policy"},
	} {
		if err := server.Do(action, params); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := server.AssumeRole(theVendor, roleOfTest, "spotinst:aws:extid:fedcba9876543210"); err != nil {
			t.Error(err)
		}
		server.Mend()
	}
}

// TestSlowAWSCatchesUp: what was made while AWS was slow is there at once when it
// no longer is.
func TestSlowAWSCatchesUp(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	server := rehearsal.New(rehearsal.Options{Propagation: time.Second, Now: func() time.Time { return now }})
	server.Make(rehearsal.SlowAWS)
	setUpRole(t, server)
	now = now.Add(time.Minute)
	if err := server.AssumeRole(theVendor, roleOfTest, wantedID); err == nil {
		t.Error("a slow AWS lets a role of a minute be assumed")
	}
	server.Mend()
	if err := server.AssumeRole(theVendor, roleOfTest, wantedID); err != nil {
		t.Error(err)
	}
}
