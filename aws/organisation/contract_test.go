package organisation_test

import (
	"errors"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"rolecall/aws"
	"rolecall/aws/organisation"
	rehearsal "rolecall/aws/rehearsal/organisation"
)

const template = `Parameters: {ExternalId: {Type: String, MinLength: 2}}
Resources: {Role: {Type: AWS::IAM::Role, Properties: {RoleName: Spot-Role, AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [
  {Effect: Allow, Principal: {AWS: "arn:aws:iam::922761411349:root"}, Action: "sts:AssumeRole", Condition: {StringEquals: {"sts:ExternalId": [{Ref: ExternalId}]}}}]}}}}
`

// place is an AWS in a box, with what it cannot do.
type place struct {
	name    string
	account *aws.Account
	// deploys tells that StackSets make instances there, and operations can be
	// asked for.
	deploys bool
}

// TestTheClientKeepsItsContract runs one suite against the rehearsal and against
// moto. What moto cannot is said: it makes no instances for organisational units
// and knows no trusted access.
func TestTheClientKeepsItsContract(t *testing.T) {
	for name, open := range map[string]func(*testing.T) place{"rehearsal": inRehearsal, "moto": inMoto} {
		t.Run(name, func(t *testing.T) {
			p := open(t)
			c := organisation.New(p.account, false)
			tree(t, c)
			stackSet(t, c, p)
		})
	}
}

func inRehearsal(t *testing.T) place {
	t.Helper()
	server := rehearsal.New(rehearsal.Options{Accounts: 45, StackTime: time.Nanosecond}).Server()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	target := aws.RehearsalTarget(server.Target())
	return place{"rehearsal", open(t, &target), true}
}

func open(t *testing.T, target *aws.RehearsalTarget) *aws.Account {
	t.Helper()
	a, err := aws.Open(t.Context(), aws.Options{Rehearsal: target})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// inMoto is moto's server with an organisation like the rehearsal's.
func inMoto(t *testing.T) place {
	t.Helper()
	path, err := exec.LookPath("moto_server")
	if err != nil {
		t.Skip("moto_server is not installed: only the rehearsal was tried")
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	_ = l.Close()
	cmd := exec.Command(path, "-H", "127.0.0.1", "-p", port)
	if err := errors.Join(cmd.Start(), await("http://127.0.0.1:"+port)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	a := open(t, &aws.RehearsalTarget{Endpoint: "http://127.0.0.1:" + port, AccessKeyID: "AKIAIOSFODNN7EXAMPLE",
		SecretAccessKey: "secret", Region: "us-east-1"})
	org := a.Organizations()
	_, err = org.CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{})
	if err != nil {
		t.Fatal(err)
	}
	roots, err := org.ListRoots(t.Context(), &organizations.ListRootsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = org.CreateOrganizationalUnit(t.Context(), &organizations.CreateOrganizationalUnitInput{ParentId: roots.Roots[0].Id,
		Name: awssdk.String("prod")}); err != nil {
		t.Fatal(err)
	}
	for i := range 44 {
		name := "member" + strconv.Itoa(i)
		if _, err := org.CreateAccount(t.Context(), &organizations.CreateAccountInput{AccountName: &name, Email: awssdk.String(name +
			"@example.com")}); err != nil {
			t.Fatal(err)
		}
	}
	return place{"moto", a, false}
}

// await asks until the server answers.
func await(endpoint string) error {
	for range 600 {
		if r, err := http.Get(endpoint + "/moto-api/data.json"); err == nil {
			return r.Body.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("moto_server did not start")
}

// tree reads the organisation, page by page.
func tree(t *testing.T, c *organisation.Client) {
	t.Helper()
	about, err := c.Describe(t.Context())
	if err != nil || about.ID == "" || about.Management == "" {
		t.Fatalf("%v %+v", err, about)
	}
	roots, err := c.Roots(t.Context())
	if err != nil || len(roots) != 1 {
		t.Fatalf("%v %+v", err, roots)
	}
	units, _, err := c.Units(t.Context(), roots[0].ID, "")
	if err != nil || len(units) == 0 || units[0].Name != "prod" {
		t.Errorf("%v %+v", err, units)
	}
	all := 0
	for _, u := range append(below(t, c, units), roots[0]) {
		for token := ""; ; {
			accounts, next, err := c.AccountsOf(t.Context(), u.ID, token)
			if err != nil {
				t.Fatal(err)
			}
			all += len(accounts)
			if token = next; token == "" {
				break
			}
		}
	}
	if all < 45 {
		t.Errorf("%d accounts", all)
	}
	if _, _, err := c.Units(t.Context(), "ou-none-00000000", ""); aws.KindOf(err) == aws.Throttled {
		t.Errorf("a unit that does not exist: %v", err)
	}
}

func below(t *testing.T, c *organisation.Client, units []organisation.Unit) []organisation.Unit {
	t.Helper()
	all := units
	for _, u := range units {
		more, _, err := c.Units(t.Context(), u.ID, "")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, below(t, c, more)...)
	}
	return all
}

// stackSet makes, reads and deletes a StackSet, and deploys it where the place can.
func stackSet(t *testing.T, c *organisation.Client, p place) {
	t.Helper()
	_, err := c.Set(t.Context(), "spot")
	if aws.KindOf(err) != aws.NotFound {
		t.Errorf("%s: a StackSet that does not exist: %v", p.name, err)
	}
	id, err := c.Create(t.Context(), organisation.NewSet{Name: "spot", Description: "of a test", Template: template, Acknowledged: true,
		Token:      "one",
		Parameters: map[string]string{"ExternalId": "pending"}})
	if err != nil || id == "" {
		t.Fatal(err)
	}
	set, err := c.Set(t.Context(), "spot")
	if err != nil || set.Description != "of a test" || !aws.SameTemplate(set.Template, template) ||
		set.Parameters["ExternalId"] != "pending" || !set.ServiceManaged {
		t.Errorf("%s: %v %+v", p.name, err, set)
	}
	if _, _, err := c.Operations(t.Context(), "spot", ""); err != nil {
		t.Error(err)
	}
	if _, _, err := c.Instances(t.Context(), "spot", ""); err != nil {
		t.Error(err)
	}
	if p.deploys {
		deploy(t, c, set.ID)
	}
	if err := c.Delete(t.Context(), "spot"); err != nil {
		t.Error(err)
	}
}

func deploy(t *testing.T, c *organisation.Client, set string) {
	t.Helper()
	if on, err := c.TrustedAccess(t.Context()); err != nil || !on {
		t.Errorf("%t %v", on, err)
	}
	if tags, err := c.Tags(t.Context(), "100000000001"); err != nil || tags["team"] == "" {
		t.Errorf("%v %v", tags, err)
	}
	d := organisation.Deployment{Set: set, Units: []string{"r-reh1"}, Accounts: []string{"100000000001"}, Region: "us-east-1", Token: "op-1",
		Overrides: map[string]string{"ExternalId": "of-this-account"}, Preferences: organisation.Preferences{Concurrent: 1}}
	if err := c.CreateStacks(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if err := c.CreateStacks(t.Context(), d); aws.KindOf(err) != aws.Exists {
		t.Errorf("the same token again: %v", err)
	}
	if _, err := c.Operation(t.Context(), set, "op-none"); aws.KindOf(err) != aws.NotFound {
		t.Errorf("an operation that was never begun: %v", err)
	}
	op, err := c.Operation(t.Context(), set, "op-1")
	all, _, listErr := c.Instances(t.Context(), set, "")
	if err != nil || listErr != nil || !op.Ended() || len(all) != 1 || !all[0].Good() || all[0].Operation != "op-1" {
		t.Errorf("%v %v %+v %+v", err, listErr, op, all)
	}
	overrides, err := c.Overrides(t.Context(), set, "100000000001", "us-east-1")
	if err != nil || overrides["ExternalId"] != "of-this-account" {
		t.Errorf("%v %v", err, overrides)
	}
	if err := c.Delete(t.Context(), set); aws.KindOf(err) != aws.Conflict {
		t.Errorf("deleting a StackSet with stacks: %v", err)
	}
	d.Token = "op-2"
	if err := c.DeleteStacks(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}
