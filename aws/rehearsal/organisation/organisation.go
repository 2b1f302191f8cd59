// Package organisation is an AWS organisation in a box: Organizations with its
// tree of units and accounts, and CloudFormation StackSets that deploy to them
// over time, over the real HTTP of a rehearsal's management account. Accounts
// are a few values each, so that thousands fit; one becomes a whole account only
// when somebody signs in to it. It stands on rehearsal.
package organisation

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"rolecall/aws/rehearsal"
)

// Options describe the organisation. Every zero value has a default.
type Options struct {
	Management string // account number; 999900000001
	Partition  string // aws
	Accounts   int    // beside the management account; 24
	Suspended  int    // how many of them are suspended
	Seed       uint64
	// FailPercent of the accounts refuse the stack: every second of them once,
	// the others always.
	FailPercent float64
	// FailOnce has all of those that fail do so only once.
	FailOnce bool
	// StackTime is how long a stack takes; 20 s. Propagation is how long a role
	// then takes until it can be assumed; negative: none; 4 s.
	StackTime, Propagation time.Duration
	// Untrusted has the trusted access of StackSets missing.
	Untrusted bool
	// ReaderRole exists in every account; empty: none does.
	ReaderRole string
	// Policies are service control policies (JSON) by what they are attached to: paths
	// of units, "/" for the root, and numbers of accounts, separated by commas.
	Policies map[string]string
	Now      func() time.Time
}

// Unit is the root or an organisational unit.
type Unit struct{ ID, Parent, Name, Path string }

// Account is one account of the organisation.
type Account struct {
	ID, Name, Email, Status, Unit string
	Tags                          map[string]string
	refuses                       string // why a stack fails; empty: it does not
	once                          bool   // it refuses only the next time
}

// Organisation is what lies beyond the management account.
type Organisation struct {
	options  Options
	server   *rehearsal.Server
	id       string
	region   string
	units    []Unit
	accounts []*Account
	byID     map[string]*Account
	sets     []*stackSet
	members  map[string]*rehearsal.Server
	keys     map[string]string // access keys given out, and of which account
	serial   int
}

// New makes an organisation.
func New(o Options) *Organisation {
	if o.Management == "" {
		o.Management = "999900000001"
	}
	if o.Partition == "" {
		o.Partition = "aws"
	}
	if o.Accounts == 0 {
		o.Accounts = 24
	}
	if o.StackTime == 0 {
		o.StackTime = 20 * time.Second
	}
	if o.Propagation == 0 {
		o.Propagation = 4 * time.Second
	}
	o.Propagation = max(0, o.Propagation)
	if o.Now == nil {
		o.Now = time.Now
	}
	org := &Organisation{options: o, id: "o-rehearsal01", byID: map[string]*Account{}, members: map[string]*rehearsal.Server{},
		keys: map[string]string{}}
	org.grow()
	org.server = rehearsal.New(rehearsal.Options{Account: o.Management, Partition: o.Partition, Alias: "rehearsal-management",
		Propagation: o.Propagation, Now: o.Now, Organization: o.Management, Beyond: org})
	org.region = org.server.Target().Region
	return org
}

// Server is the management account, by which everything is reached.
func (o *Organisation) Server() *rehearsal.Server { return o.server }

// paths are the units, each below the one that its path names.
func paths() []string {
	return []string{"/prod", "/prod/eu", "/prod/us", "/prod/apac", "/dev", "/dev/eu", "/dev/us", "/sandbox", "/security"}
}

// grow makes the tree with its accounts, the same for a seed.
func (o *Organisation) grow() {
	root := Unit{ID: "r-reh1", Name: "Root", Path: "/"}
	o.units = []Unit{root}
	for i, path := range paths() {
		parent := root.ID
		cut := strings.LastIndexByte(path, '/')
		for _, u := range o.units {
			if cut > 0 && u.Path == path[:cut] {
				parent = u.ID
			}
		}
		o.units = append(o.units, Unit{ID: fmt.Sprintf("ou-reh1-%08d", i+1), Parent: parent, Name: path[cut+1:], Path: path})
	}
	o.add(&Account{ID: o.options.Management, Name: "management", Status: "ACTIVE", Unit: root.ID})
	random := rand.New(rand.NewPCG(o.options.Seed, 1)) //nolint:gosec // a rehearsal must repeat itself
	leaves := []int{2, 3, 4, 6, 7, 8, 9}
	for i := range o.options.Accounts {
		u := o.units[leaves[i%len(leaves)]]
		a := &Account{ID: fmt.Sprintf("%012d", 100000000001+i), Status: "ACTIVE", Unit: u.ID,
			Name: fmt.Sprintf("%s-%03d", strings.ReplaceAll(strings.TrimPrefix(u.Path, "/"), "/", "-"), i/len(leaves)+1),
			Tags: map[string]string{"team": []string{"web", "data", "core"}[i%3]}}
		if i >= o.options.Accounts-o.options.Suspended {
			a.Status = "SUSPENDED"
		}
		o.add(a)
	}
	failing := int(float64(o.options.Accounts)*o.options.FailPercent/100 + 0.5)
	for n, i := range random.Perm(o.options.Accounts)[:min(failing, o.options.Accounts)] {
		a := o.accounts[i+1]
		a.once = o.options.FailOnce || n%2 == 0
		a.refuses = takenName
		if !a.once {
			a.refuses = deniedBySCP
		}
	}
}

// The reasons of a stack instance that failed, as StackSets words them; %s is
// the account.
const (
	takenName = "ResourceLogicalId:Role, ResourceType:AWS::IAM::Role, ResourceStatusReason:Resource handler returned message: \"Rate " +
		"exceeded (Service: Iam, " +
		"Status Code: 429, Request ID: 00000000-0000-4000-8000-000000000000)\" (RequestToken: %s, HandlerErrorCode: Throttling)."
	deniedBySCP = "ResourceLogicalId:Role, ResourceType:AWS::IAM::Role, ResourceStatusReason:Resource handler returned message: \"User: " +
		"arn:aws:sts::%s:assumed-role/" +
		"stacksets-exec-0123456789abcdef/rehearsal is not authorized to perform: iam:CreateRole on resource: role with an explicit deny in " +
		"a service control policy " +
		"(Service: Iam, Status Code: 403)\" (HandlerErrorCode: AccessDenied)."
)

func (o *Organisation) add(a *Account) {
	a.Email = a.Name + "@example.com"
	o.accounts = append(o.accounts, a)
	o.byID[a.ID] = a
}

// AddAccount has somebody make a new account in a unit ("/prod/eu"): a StackSet
// with automatic deployment goes there by itself.
func (o *Organisation) AddAccount(id, name, path string) {
	o.server.Locked(func() {
		for _, u := range o.units {
			if u.Path != path {
				continue
			}
			a := &Account{ID: id, Name: name, Status: "ACTIVE", Unit: u.ID}
			o.add(a)
			for _, set := range o.sets {
				set.deployByItself(o, a)
			}
		}
	})
}

// Fail has an account refuse the stack from now on with AWS's words; once:
// only the next time. No words: it does not refuse any more.
func (o *Organisation) Fail(id, reason string, once bool) {
	o.server.Locked(func() { o.byID[id].refuses, o.byID[id].once = reason, once })
}

// Accounts are all of them, the management account first.
func (o *Organisation) Accounts() []Account {
	all := make([]Account, len(o.accounts))
	for i, a := range o.accounts {
		all[i] = *a
	}
	return all
}

// Units are the root and the organisational units.
func (o *Organisation) Units() []Unit { return slices.Clone(o.units) }

func (o *Organisation) unit(id string) *Unit {
	for i := range o.units {
		if o.units[i].ID == id {
			return &o.units[i]
		}
	}
	return nil
}

// under tells whether an account is in a unit, or in one below it.
func (o *Organisation) under(a *Account, unit string) bool {
	for at := a.Unit; at != ""; {
		if at == unit {
			return true
		}
		u := o.unit(at)
		if u == nil {
			return false
		}
		at = u.Parent
	}
	return false
}

// uuid is an identifier, the same in each run.
func (o *Organisation) uuid() string {
	o.serial++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", o.options.Management, o.serial))
	text := hex.EncodeToString(sum[:])
	return text[:8] + "-" + text[8:12] + "-4" + text[13:16] + "-a" + text[17:20] + "-" + text[20:32]
}

// Answer is the organisation's part of the management account.
func (o *Organisation) Answer(r rehearsal.Request) (any, *rehearsal.Refusal, bool) {
	o.advance(r.Now)
	switch r.Service {
	case "organizations":
		if run, ok := organizationsActions()[r.Action]; ok {
			result, refused := run(o, r)
			return result, refused, true
		}
	case "cloudformation":
		if run, ok := stackSetActions()[r.Action]; ok {
			result, refused := run(o, r)
			return result, refused, true
		}
	case "sts":
		if account := accountOf(r.Form.Get("RoleArn")); r.Action == "AssumeRole" && account != "" && account != o.options.Management {
			result, refused := o.signIn(r, account)
			return result, refused, true
		}
	}
	return nil, nil, false
}

type action func(*Organisation, rehearsal.Request) (any, *rehearsal.Refusal)

func refuse(code, format string, args ...any) *rehearsal.Refusal {
	return &rehearsal.Refusal{Status: 400, Code: code, Message: fmt.Sprintf(format, args...)}
}

func accountOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}
