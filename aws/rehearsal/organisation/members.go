package organisation

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"rolecall/aws/rehearsal"
)

// Member is the account that a key was given out for.
func (o *Organisation) Member(key string) *rehearsal.Server {
	return o.members[o.keys[key]]
}

// signIn is AssumeRole of a member's role: of the reader role, which trusts the
// management account.
func (o *Organisation) signIn(r rehearsal.Request, account string) (any, *rehearsal.Refusal) {
	role := r.Form.Get("RoleArn")
	name := role[strings.LastIndexByte(role, '/')+1:]
	if o.byID[account] == nil || o.options.ReaderRole == "" || name != o.options.ReaderRole {
		return nil, &rehearsal.Refusal{Status: http.StatusForbidden, Code: "AccessDenied",
			Message: "User: arn:" + o.options.Partition + ":iam::" + o.options.Management + ":user/rehearsal is not authorized to perform: " +
				"sts:AssumeRole on resource: " + role}
	}
	server, err := o.member(account)
	if err != nil {
		return nil, refuse("InternalFailure", "%s", err)
	}
	key := strings.ToUpper("ASIA" + strings.ReplaceAll(o.uuid(), "-", "")[:16])
	o.keys[key] = account
	arn := "arn:" + o.options.Partition + ":sts::" + account + ":assumed-role/" + name + "/" + r.Form.Get("RoleSessionName")
	server.Admit(key, arn)
	type credentials struct {
		AccessKeyID     string `xml:"AccessKeyId"`
		SecretAccessKey string
		SessionToken    string
		Expiration      string
	}
	return struct {
		Credentials     credentials
		AssumedRoleUser struct {
			Arn           string
			AssumedRoleID string `xml:"AssumedRoleId"`
		}
	}{Credentials: credentials{key, "rehearsal", "rehearsal", stamp(r.Now.AddDate(0, 0, 1))}}, nil
}

// member is a whole account, made when somebody first signs in to it, with the
// stack that its instance has.
func (o *Organisation) member(account string) (*rehearsal.Server, error) {
	if server := o.members[account]; server != nil {
		return server, nil
	}
	server := rehearsal.New(rehearsal.Options{Account: account, Partition: o.options.Partition, Propagation: -1, Now: o.options.Now})
	for _, set := range o.sets {
		i := set.instances[account]
		if i == nil || i.done.IsZero() {
			continue
		}
		form := map[string]string{"StackName": "StackSet-" + set.name, "TemplateBody": i.text, "Capabilities.member.1": "CAPABILITY_NAMED_IAM"}
		values := set.effective(i)
		for n, name := range slices.Sorted(maps.Keys(values)) {
			prefix := "Parameters.member." + strconv.Itoa(n+1)
			form[prefix+".ParameterKey"], form[prefix+".ParameterValue"] = name, values[name]
		}
		if err := server.Do("cloudformation:CreateStack", form); err != nil {
			return nil, err
		}
	}
	o.members[account] = server
	return server, nil
}

// MemberAccount is a member as a whole account, as somebody in it sees it.
func (o *Organisation) MemberAccount(account string) (*rehearsal.Server, error) {
	var server *rehearsal.Server
	var err error
	o.server.Locked(func() { server, err = o.member(account) })
	return server, err
}

// Drift has somebody change a stack's role in an account by hand.
func (o *Organisation) Drift(account string) {
	o.server.Locked(func() {
		for _, set := range o.sets {
			if i := set.instances[account]; i != nil {
				i.drift = "DRIFTED"
			}
		}
	})
}

// Remove has somebody delete a stack instance behind the back of who made it.
func (o *Organisation) Remove(account string) {
	o.server.Locked(func() {
		for _, set := range o.sets {
			delete(set.instances, account)
		}
	})
}

// Deployed are the accounts that have a whole stack, with its parameters.
func (o *Organisation) Deployed() map[string]map[string]string {
	all := map[string]map[string]string{}
	o.server.Locked(func() {
		o.advance(o.options.Now())
		for _, set := range o.sets {
			for id, i := range set.instances {
				if set.status == "ACTIVE" && i.detailed == "SUCCEEDED" {
					all[id] = set.effective(i)
				}
			}
		}
	})
	return all
}

// StackSets are the names of those that exist.
func (o *Organisation) StackSets() []string {
	var names []string
	o.server.Locked(func() {
		for _, set := range o.sets {
			if set.status == "ACTIVE" {
				names = append(names, set.name)
			}
		}
	})
	return names
}

// AssumeRole tries what a vendor does: to assume the role of a stack from its
// account with an external ID. The role has to be there, to have propagated and
// to ask for that external ID.
func (o *Organisation) AssumeRole(principal, roleARN, externalID string) error {
	refused := errors.New("AccessDenied: not authorized to perform: sts:AssumeRole on resource: " + roleARN)
	name := roleARN[strings.LastIndexByte(roleARN, '/')+1:]
	o.server.Locked(func() {
		now := o.options.Now()
		o.advance(now)
		for _, set := range o.sets {
			i := set.instances[accountOf(roleARN)]
			if i == nil || i.done.IsZero() || now.Before(i.done.Add(o.options.Propagation)) || !slices.Contains(set.blueprint.Roles(), name) {
				continue
			}
			values := set.effective(i)
			asked := len(values) == 0
			for _, value := range values {
				asked = asked || value == externalID
			}
			if asked && strings.Contains(i.text, principal) {
				refused = nil
			}
		}
	})
	return refused
}

// Tamper has somebody change the template of every StackSet behind the back of who
// made it.
func (o *Organisation) Tamper() {
	o.server.Locked(func() {
		for _, set := range o.sets {
			set.text += "\n# changed by somebody\n"
		}
	})
}

// Move has somebody put an account into another unit.
func (o *Organisation) Move(account, path string) {
	o.server.Locked(func() {
		for _, u := range o.units {
			if a := o.byID[account]; a != nil && u.Path == path {
				a.Unit = u.ID
			}
		}
	})
}

// Leave has an account leave the organization. Its stack stays, and the StackSet
// lists it.
func (o *Organisation) Leave(account string) {
	o.server.Locked(func() {
		o.accounts = slices.DeleteFunc(o.accounts, func(a *Account) bool { return a.ID == account })
	})
}

// Suspend has somebody suspend an account: StackSets skips it from then on.
func (o *Organisation) Suspend(account string) {
	o.server.Locked(func() {
		if a := o.byID[account]; a != nil {
			a.Status = "SUSPENDED"
		}
	})
}

// DropStackSets has somebody delete all StackSets with what they made.
func (o *Organisation) DropStackSets() {
	o.server.Locked(func() {
		for _, set := range o.sets {
			set.status = "DELETED"
			clear(set.instances)
		}
	})
}
