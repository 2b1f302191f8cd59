package sessions

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/flags"
)

// RoleFlags are the flags that name a role that exists, and say what is wanted
// of it.
type RoleFlags struct {
	Connect flags.Flags // those that describe what is wanted
	Role    string      // name or ARN; empty: the name that the vendor suggests
}

// Wanted reads the vendor's description, checks the flags against it and finds
// out which of its roles is meant, as far as its name tells.
func (f *RoleFlags) Wanted() (*flags.Prepared, *describe.Role, error) {
	name := f.Connect.Text("vendor")
	if name == "" {
		name = flags.DefaultVendor()
	}
	p, err := flags.Select(&f.Connect, name, describe.AccessRole, false)
	if err != nil {
		return nil, nil, err
	}
	roles := p.Answers.Request(p.Vendor).Needed()
	if len(roles) == 0 {
		return nil, nil, cli.Usage(p.Vendor.Title+" gets no role.", "a vendor that gets a role", "See rolecall vendors show "+p.Vendor.Name+".")
	}
	role := f.calledRole(p.Vendor, roles[0])
	return p, role, f.checkRole(role)
}

// calledRole is the vendor's role of the given name, also one that the default
// products do not need; else another.
func (f *RoleFlags) calledRole(v *describe.Vendor, otherwise *describe.Role) *describe.Role {
	for i := range v.Roles {
		role := &v.Roles[i]
		named := f.Role != "" && strings.EqualFold(f.Role[strings.LastIndex(f.Role, "/")+1:], role.RoleName)
		if named && role.Access == describe.AccessRole {
			return role
		}
	}
	return otherwise
}

// checkRole takes --role as a name or an ARN; without it, the vendor's name.
func (f *RoleFlags) checkRole(role *describe.Role) error {
	if f.Role == "" {
		f.Role = role.RoleName
	}
	if f.IsARN() {
		f.Role = aws.CleanARN(f.Role)
		return nil
	}
	if err := aws.CheckRoleName(f.Role); err != nil {
		return cli.FlagRefused("--role", err)
	}
	return nil
}

// IsARN reports whether --role is an ARN.
func (f *RoleFlags) IsARN() bool { return strings.Contains(f.Role, ":") }

// SignIn opens the account, and makes the session that says what is wanted in
// it.
func (f *RoleFlags) SignIn(ctx context.Context, a *cli.App, p *flags.Prepared) (*step.Session, *aws.Account, aws.Identity, error) {
	account, err := aws.Open(ctx, a.AWSOptions(a.Profile, p.Answers.Partition, a.AskCode()))
	if err != nil {
		return nil, nil, aws.Identity{}, err
	}
	identity, err := account.Identity(ctx)
	if err != nil {
		return nil, nil, aws.Identity{}, err
	}
	session := p.Session(a)
	session.Partition = cmp.Or(session.Partition, identity.Partition)
	session.AccountID, session.Endpoint, session.Region = identity.AccountID, account.Endpoint(), a.Region
	return session, account, identity, nil
}

// Want describes the role, now that the account is known: as the flags say, else
// as the session that connected it.
func (f *RoleFlags) Want(a *cli.App, s *step.Session, role *describe.Role) (aws.Want, error) {
	ref := aws.RoleRef{Name: f.Role}
	if f.IsARN() {
		parsed, err := aws.ParseRoleARN(f.Role, s.Partition, s.AccountID)
		if err != nil {
			return aws.Want{}, cli.FlagRefused("--role", err)
		}
		ref = parsed
	}
	purpose, err := f.Connect.Recall(a, s, role.Purpose, ref.Name, false)
	if err != nil {
		return aws.Want{}, err
	}
	request := s.Request()
	if err := request.UnknownAccount(purpose); err != nil && !request.Closed(purpose) {
		return aws.Want{}, err
	}
	g, err := request.Grant(purpose)
	if len(describe.MistakesOf(err)) > 0 {
		return aws.Want{}, cli.FlagRefused("parameters of the policy", err)
	}
	if err != nil {
		return aws.Want{}, err
	}
	if !slices.ContainsFunc(request.Needed(), func(r *describe.Role) bool { return r.Purpose == purpose }) {
		return aws.Want{}, cli.Usage("Nothing that is selected needs the role "+draw.Clean(ref.Name)+".", "products that it is for",
			"Name them with --products.")
	}
	want := g.Want()
	want.RoleName, want.RoleARN = ref.Name, ref.ARN
	return want, nil
}

// SayUnseen tells which flags say what is not looked at.
func SayUnseen(a *cli.App, given *flags.Flags) {
	if unseen := given.Unseen(); len(unseen) > 0 {
		a.Say("Not looked at: %s. No check is about it.", strings.Join(unseen, ", "))
	}
}

// NameRole turns --role into a name, having checked where an ARN points.
func (f *RoleFlags) NameRole(s *step.Session) error {
	if !f.IsARN() {
		return nil
	}
	ref, err := aws.ParseRoleARN(f.Role, s.Partition, s.AccountID)
	if err != nil {
		return cli.FlagRefused("--role", err)
	}
	f.Role = ref.Name
	return nil
}
