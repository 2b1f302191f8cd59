package diagnose_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/aws/diagnose"
	"rolecall/aws/rehearsal"
	"rolecall/policy"
)

const (
	account  = "123456789012"
	vendor   = "922761411349"
	stranger = "111122223333"
	wantedID = "spotinst:aws:extid:0123456789abcdef"
	otherID  = "spotinst:aws:extid:fedcba9876543210"
	roleName = "Spot-Role"
)

// granted is what the vendor needs, in small.
const granted = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:DescribeInstances","ec2:RunInstances","iam:PassRole"],"Resource":"*"}]}`

// setUp is an account with one role, and what somebody knows of it. Each fault
// changes some of it and leaves the rest right.
type setUp struct {
	principal  string
	externalID string
	path       string
	policy     string
	boundary   string
	age        time.Duration
	noRole     bool
	session    time.Duration // that is meant
	held       string        // ARN that the vendor has; empty: the role's
	guardrails []rehearsal.Guardrail
	inactive   []string
	said       string
}

// fault is one thing that is wrong.
type fault struct {
	id   diagnose.ID
	name string
	do   func(*setUp)
	// without names faults that cannot be there at the same time, or hide this one.
	without []string
}

func faults() []fault {
	return []fault{
		{diagnose.TooYoung, "made just now", func(s *setUp) { s.age = 3 * time.Second }, []string{"no role"}},
		{diagnose.ExternalID, "another external ID", func(s *setUp) { s.externalID = otherID }, []string{"no role"}},
		{diagnose.Principal, "another account is trusted", func(s *setUp) { s.principal = "arn:aws:iam::" + stranger + ":root" },
			[]string{"no role", "a deleted principal"}},
		{diagnose.RecreatedPrincipal, "a deleted principal", func(s *setUp) { s.principal = "AROAEXAMPLEEXAMPLE123" },
			[]string{"no role", "another account is trusted"}},
		{diagnose.Account, "an ARN of another account", func(s *setUp) { s.held = "arn:aws:iam::" + stranger + ":role/" + roleName },
			[]string{"no role", "an ARN of another partition", "an ARN without the path"}},
		{diagnose.Partition, "an ARN of another partition", func(s *setUp) { s.held = "arn:aws-us-gov:iam::" + account + ":role/" + roleName },
			[]string{"no role", "an ARN of another account", "an ARN without the path"}},
		{diagnose.Path, "an ARN without the path", func(s *setUp) { s.path, s.held = "/vendors/", "arn:aws:iam::"+account+":role/"+roleName },
			[]string{"no role", "an ARN of another account", "an ARN of another partition"}},
		{diagnose.Boundary, "a boundary that allows too little", func(s *setUp) {
			s.boundary = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
		}, []string{"no role"}},
		{diagnose.SessionDuration, "a session that is too long", func(s *setUp) { s.session = 4 * time.Hour }, []string{"no role"}},
		{diagnose.RCP, "an RCP that denies outsiders", func(s *setUp) {
			s.guardrails = append(
				s.guardrails,
				rehearsal.Guardrail{Type: rehearsal.ResourceControl, Name: "Perimeter", Target: rehearsal.UnitID, Document: perimeter},
			)
		}, nil},
		{diagnose.SCP, "an SCP that denies assuming", func(s *setUp) {
			s.guardrails = append(
				s.guardrails,
				rehearsal.Guardrail{Type: rehearsal.ServiceControl, Name: "NoAssume", Target: rehearsal.RootID, Document: noAssume},
			)
		}, []string{"an SCP that leaves nothing"}},
		{diagnose.SCP, "an SCP that leaves nothing", func(s *setUp) {
			s.guardrails = append(s.guardrails, rehearsal.Guardrail{Type: rehearsal.ServiceControl, Name: "Quarantine", Document: quarantine})
		}, []string{"an SCP that denies assuming"}},
		{diagnose.STSRegion, "STS inactive in a region", func(s *setUp) { s.inactive = []string{"eu-south-1"} }, nil},
		{
			diagnose.Permissions,
			"too little granted",
			func(s *setUp) { s.policy = strings.Replace(granted, `"ec2:RunInstances",`, "", 1) },
			[]string{"no role"},
		},
		{diagnose.VendorFault, "the vendor is not well", func(s *setUp) { s.said = "HTTP 503 Service Unavailable" }, nil},
		{
			diagnose.NotFound,
			"no role",
			func(s *setUp) { s.noRole = true },
			[]string{
				"made just now",
				"another external ID",
				"another account is trusted",
				"a deleted principal",
				"an ARN of another account",
				"an ARN of another partition",
				"an ARN without the path",
				"a boundary that allows too little",
				"a session that is too long",
				"too little granted",
			},
		},
	}
}

const (
	perimeter = `{"Version":"2012-10-17","Statement":[{"Sid":"Perimeter","Effect":"Deny","Principal":"*","Action":["sts:AssumeRole","s3:*"],"Resource":"*",
		"Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}]}`
	noAssume   = `{"Version":"2012-10-17","Statement":[{"Sid":"NoAssume","Effect":"Deny","Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/*"}]}`
	quarantine = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`
)

// rightly is a set-up in which nothing is wrong.
func rightly() setUp {
	return setUp{principal: "arn:aws:iam::" + vendor + ":root", externalID: wantedID, policy: granted, age: time.Hour}
}

// world makes the account, and gives what diagnose is told.
func (s setUp) facts(t *testing.T) diagnose.Facts {
	t.Helper()
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	server := rehearsal.New(rehearsal.Options{Organization: "999988887777", ReadsOrganization: true, Now: func() time.Time { return now }})
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	do := func(action string, params map[string]string) {
		if err := server.Do(action, params); err != nil {
			t.Fatalf("%s: %v", action, err)
		}
	}
	if s.boundary != "" {
		do("iam:CreatePolicy", map[string]string{"PolicyName": "Boundary", "PolicyDocument": s.boundary})
	}
	if !s.noRole {
		trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:AssumeRole",
			"Condition":{"StringEquals":{"sts:ExternalId":%q}}}]}`, s.principal, s.externalID)
		do(
			"iam:CreateRole",
			map[string]string{"RoleName": roleName, "Path": s.path, "AssumeRolePolicyDocument": trust, "PermissionsBoundary": s.boundaryARN()},
		)
		do("iam:PutRolePolicy", map[string]string{"RoleName": roleName, "PolicyName": "inline", "PolicyDocument": s.policy})
	}
	for _, g := range s.guardrails {
		if err := server.AttachGuardrail(g); err != nil {
			t.Fatal(err)
		}
	}
	server.DeactivateSTS(s.inactive...)
	now = now.Add(s.age)
	target := aws.RehearsalTarget(server.Target())
	a, err := aws.Open(context.Background(), aws.Options{Rehearsal: &target})
	if err != nil {
		t.Fatal(err)
	}
	return s.look(t, a)
}

func (s setUp) boundaryARN() string {
	if s.boundary == "" {
		return ""
	}
	return "arn:aws:iam::" + account + ":policy/Boundary"
}

func (s setUp) look(t *testing.T, a *aws.Account) diagnose.Facts {
	t.Helper()
	wanted, err := policy.Parse([]byte(granted), policy.Identity)
	if err != nil {
		t.Fatal(err)
	}
	want := aws.Want{
		Partition:  "aws",
		AccountID:  account,
		Principals: []string{vendor},
		ExternalID: wantedID,
		Policies:   []*policy.Document{wanted},
		RoleName:   roleName,
	}
	f := diagnose.Facts{Vendor: "Spot", Want: want, Session: s.session, Looked: true, Held: s.held}
	if f.Seen, f.Report, err = a.Look(context.Background(), want); err != nil {
		t.Fatal(err)
	}
	f.Surroundings = a.Surroundings(context.Background(), account, f.Seen, []string{"us-east-1", "eu-south-1"})
	if s.said != "" {
		r := diagnose.Read(s.said)
		f.Refusal = &r
	}
	return f
}

func TestNothingIsWrong(t *testing.T) {
	t.Parallel()
	causes := diagnose.Rank(rightly().facts(t))
	if found := diagnose.Found(causes); len(found) > 0 {
		t.Errorf("a role that is right: %+v", found)
	}
	if len(causes) != 15 {
		t.Errorf("%d causes", len(causes))
	}
	for _, c := range causes {
		if c.Likelihood != diagnose.Excluded && c.ID != diagnose.VendorFault {
			t.Errorf("%s is %s: %v", c.ID, c.Likelihood, c.Against)
		}
	}
}

func TestEachCauseAloneRanksFirst(t *testing.T) {
	t.Parallel()
	for _, one := range faults() {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			s := rightly()
			one.do(&s)
			found := diagnose.Found(diagnose.Rank(s.facts(t)))
			if len(found) != 1 || found[0].ID != one.id || found[0].Fix == "" {
				t.Errorf("got %+v", found)
			}
		})
	}
}

// coexist reports whether two faults can be there at once.
func coexist(a, b fault) bool {
	return a.name != b.name && !slices.Contains(a.without, b.name) && !slices.Contains(b.without, a.name)
}

func TestTwoCausesAreBothNamed(t *testing.T) {
	t.Parallel()
	pairs := 0
	all := faults()
	for i, a := range all {
		for _, b := range all[i+1:] {
			if !coexist(a, b) {
				continue
			}
			pairs++
			t.Run(a.name+" and "+b.name, func(t *testing.T) {
				t.Parallel()
				s := rightly()
				a.do(&s)
				b.do(&s)
				wantNamed(t, s, a, b)
			})
		}
	}
	t.Logf("%d pairs", pairs)
}

// wantNamed wants exactly the faults to be found, each once.
func wantNamed(t *testing.T, s setUp, wrong ...fault) {
	t.Helper()
	var got, want []diagnose.ID
	for _, c := range diagnose.Found(diagnose.Rank(s.facts(t))) {
		got = append(got, c.ID)
	}
	for _, f := range wrong {
		want = append(want, f.id)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("found %v, wrong are %v", got, want)
	}
}

// TestSeededCombinations draws any number of faults that can coexist.
func TestSeededCombinations(t *testing.T) {
	t.Parallel()
	all := faults()
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 11))
			s := rightly()
			var wrong []fault
			for _, i := range random.Perm(len(all))[:2+random.IntN(6)] {
				if slices.ContainsFunc(wrong, func(f fault) bool { return !coexist(f, all[i]) }) {
					continue
				}
				all[i].do(&s)
				wrong = append(wrong, all[i])
			}
			wantNamed(t, s, wrong...)
		})
	}
}
