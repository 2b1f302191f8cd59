package ui_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	awsrehearsal "rolecall/aws/rehearsal"
	spotrehearsal "rolecall/steps/spot/rehearsal"
)

// ill is one thing that is wrong with an account that was connected and is right
// otherwise, as people meet it.
type ill struct {
	name  string
	cause string
	about string // of two about the same only one can be there
	make  func(*illWorld)
	age   time.Duration // of the role; 0: an hour
	args  []string      // of diagnose
	role  string        // that diagnose is told instead of the session
}

// mistaken is a mistake that the rehearsal makes, as its scenarios do.
func mistaken(cause, about string, m awsrehearsal.Mistake) ill {
	return ill{name: string(m), cause: cause, about: about, make: func(w *illWorld) { w.aws.Make(m) }}
}

const aboutARN = "the ARN that the vendor has"

func ills() []ill {
	return []ill{
		{name: "made just now", cause: "too-young", age: 3 * time.Second},
		mistaken("external-id", "the external ID", awsrehearsal.WrongExternalID),
		mistaken("principal", "the principal", awsrehearsal.WrongPrincipal),
		mistaken("recreated-principal", "the principal", awsrehearsal.RecreatedPrincipal),
		{name: "an ARN of another account", cause: "account", about: aboutARN, role: "arn:aws:iam::111122223333:role/Spot-Role"},
		{name: "an ARN of GovCloud", cause: "partition", about: aboutARN, role: "arn:aws-us-gov:iam::123456789012:role/Spot-Role"},
		mistaken("path", aboutARN, awsrehearsal.PathLost),
		mistaken("boundary", "the boundary", awsrehearsal.Boundary),
		mistaken("session-duration", "the session", awsrehearsal.SessionDuration),
		mistaken("scp", "SCPs", awsrehearsal.SCP),
		mistaken("rcp", "RCPs", awsrehearsal.RCP),
		mistaken("sts-region", "STS", awsrehearsal.STSRegion),
		mistaken("permissions", "the policy", awsrehearsal.PolicyMissing),
		mistaken("permissions", "the policy", awsrehearsal.PolicyEdited),
		{name: "the vendor is not well", cause: "vendor-fault", args: []string{"--error", "HTTP 503 Service Unavailable"}},
		{name: "the role is gone", cause: "not-found", make: func(w *illWorld) {
			w.do("iam:DetachRolePolicy", "RoleName", "Spot-Role", "PolicyArn", spotPolicy)
			w.do("iam:DeleteRole", "RoleName", "Spot-Role")
		}},
	}
}

// illWorld is an account that was connected to Spot with sessions of twelve
// hours, and is made ill in one way after the other.
type illWorld struct {
	t                   *testing.T
	aws                 *awsrehearsal.Server
	past                atomic.Int64 // how far AWS's clock went on since the role was made
	home                string
	env                 []string
	externalID, session string
	right               awsrehearsal.Snapshot
}

func newIllWorld(t *testing.T) *illWorld {
	t.Helper()
	w := &illWorld{t: t, home: t.TempDir()}
	start := time.Now()
	w.aws = awsrehearsal.New(awsrehearsal.Options{Propagation: -1, Organization: "999988887777", ReadsOrganization: true,
		Now: func() time.Time { return start.Add(time.Duration(w.past.Load())) }})
	spot := spotrehearsal.New(spotrehearsal.Options{Token: theToken, Assume: w.aws.AssumeRole,
		Accounts: []spotrehearsal.Account{{ID: spotAccount, Name: "Production"}}})
	if err := errors.Join(w.aws.Start(), spot.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(w.aws.Close(), spot.Close()) })
	target := w.aws.Target()
	w.env = []string{"AWS_ENDPOINT_URL=" + target.Endpoint, "AWS_ACCESS_KEY_ID=" + target.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + target.SecretAccessKey, "AWS_SESSION_TOKEN=", "AWS_REGION=" + target.Region, "AWS_PROFILE=",
		"AWS_EC2_METADATA_DISABLED=true", "NO_PROXY=*", "ROLECALL_SPOT_URL=" + spot.URL(), "SPOTINST_TOKEN=" + theToken}
	var connected struct {
		Session    string
		ExternalID string `json:"external_id"`
		Submitted  bool
	}
	w.run(&connected, 0, "connect", "--yes", "--method", "direct", "--session-duration", "12h", "--aws-account", motoAccount,
		"--account", spotAccount, "--wait", "10m")
	if !connected.Submitted {
		t.Fatalf("not connected: %+v", connected)
	}
	w.externalID, w.session, w.right = connected.ExternalID, connected.Session, w.aws.Snapshot()
	return w
}

func (w *illWorld) do(action string, params ...string) {
	w.t.Helper()
	all := map[string]string{}
	for i := 0; i < len(params); i += 2 {
		all[params[i]] = params[i+1]
	}
	if err := w.aws.Do(action, all); err != nil {
		w.t.Fatal(err)
	}
}

// run lets the program run, which has to end with this exit, and reads its one
// document.
func (w *illWorld) run(document any, exit int, args ...string) {
	w.t.Helper()
	code, out, talk := command(w.t, w.home, w.env, append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), document); err != nil || code != exit {
		w.t.Fatalf("rolecall %s: exit %d, want %d: %v\n%s%s", strings.Join(args, " "), code, exit, err, out, talk)
	}
}

// diagnosed are the causes that diagnose finds something for, the likeliest
// first, while the account has these ills and no others.
func (w *illWorld) diagnosed(t *testing.T, all ...ill) []string {
	t.Helper()
	w.t = t
	w.aws.Restore(w.right)
	args, age := []string{"diagnose", w.session}, time.Duration(0)
	environ := slices.Clone(w.env)
	for _, one := range all {
		if one.role != "" {
			args = []string{"diagnose", "--role", one.role, "--external-id", w.externalID, "--session-duration", "12h"}
			environ = append(environ, "SPOTINST_TOKEN=") // nobody asks Spot which ARN it has
		}
	}
	for _, one := range all {
		if one.make != nil {
			one.make(w)
		}
		args, age = append(args, one.args...), max(age, one.age)
	}
	_ = w.aws.AssumeRole("922761411349", spotRole, w.externalID) // some mistakes are made when the vendor tries the role
	if age == 0 {
		age = time.Hour
	}
	w.past.Store(int64(age))
	var document struct {
		Causes []struct {
			ID, Likelihood, Fix string
			Evidence            []string
		}
	}
	exit := 3
	if len(all) == 0 {
		exit = 0
	}
	right := w.env
	w.env = environ
	w.run(&document, exit, args...)
	w.env = right
	w.past.Store(0)
	w.aws.Mend()
	var found []string
	for _, c := range document.Causes {
		if c.Likelihood == "excluded" || len(c.Evidence) == 0 {
			continue
		}
		if found = append(found, c.ID); c.Fix == "" {
			t.Errorf("%s without a fix", c.ID)
		}
	}
	return found
}

// TestDiagnoseEachCause has exactly one thing be wrong with a rehearsed account:
// diagnose names it and nothing else, for every cause that there is. Of two both
// are named.
func TestDiagnoseEachCause(t *testing.T) {
	t.Parallel()
	w := newIllWorld(t)
	if found := w.diagnosed(t); len(found) > 0 {
		t.Errorf("nothing is wrong, and found is %v", found)
	}
	all, causes := ills(), map[string]bool{}
	for _, one := range all {
		causes[one.cause] = true
		t.Run(one.name, func(t *testing.T) {
			if found := w.diagnosed(t, one); !slices.Equal(found, []string{one.cause}) {
				t.Errorf("found %v, want %s", found, one.cause)
			}
		})
	}
	if len(causes) != 15 {
		t.Errorf("%d causes are tried, want all 15", len(causes))
	}
	pairs := 0
	for i, a := range all {
		for j, b := range all[i+1:] {
			if a.cause == "not-found" || b.cause == "not-found" || a.about != "" && a.about == b.about || testing.Short() && (i+j)%8 != 0 {
				continue
			}
			pairs++
			t.Run(a.name+" and "+b.name, func(t *testing.T) {
				found, want := w.diagnosed(t, a, b), []string{a.cause, b.cause}
				slices.Sort(found)
				if slices.Sort(want); !slices.Equal(found, want) {
					t.Errorf("found %v, want %v", found, want)
				}
			})
		}
	}
	t.Logf("%d pairs", pairs)
}
