package making

import (
	"context"
	"maps"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/steps/access"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// Role plans a role with its policies.
type Role struct {
	access.Grant
	Want aws.Want // to judge it by
}

// NewRole is the planner of a grant. Its name decides: the ARN that want names
// may be of an earlier look.
func NewRole(g access.Grant, want aws.Want) Role {
	want.RoleARN, want.RoleName = "", g.Name
	return Role{g, want}
}

// Needs are the permissions that looking takes.
func (w Role) Needs() []aws.Permission {
	var needs []aws.Permission
	for _, doc := range w.Documents {
		if !w.Role.Inline {
			needs = append(needs, on(doc.ARN, "iam:GetPolicy", "iam:GetPolicyVersion")...)
		}
	}
	if w.Web != nil {
		needs = append(needs, on(w.Web.Provider(), "iam:GetOpenIDConnectProvider")...)
	}
	return append(needs, on(w.ARN(), "iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies")...)
}

// Look reads the role and the policies of the wanted names, and judges the role.
func (w Role) Look(ctx context.Context, account *aws.Account, deep bool) (Sight, error) {
	var x Sight
	var err error
	if x.Policies, err = (wanted{w.Grant}).policies(ctx, account, deep); err != nil {
		return x, err
	}
	seen, report, err := account.Look(ctx, w.Want)
	if err == nil && seen.Refusal != nil {
		err = seen.Refusal // what cannot be seen cannot be told apart from what does not exist
	}
	if err != nil {
		return x, err
	}
	x.Provider = seen.Provider
	x.Role, x.Reports = seen.Role, map[string]aws.Report{w.Purpose: report}
	if r := x.Role; r != nil {
		carrier := FoundRole(*r, w.item())
		x.Found = wanted{w.Grant}.found(x.Policies, &carrier, r.Attached, r.Inline)
	} else {
		x.Found = wanted{w.Grant}.found(x.Policies, nil, nil, nil)
	}
	if x.Provider != nil {
		x.Found = append(x.Found, FoundProvider(*x.Provider, w.providerItem()))
	}
	return x, nil
}

// item is the role on record, as it would be made.
func (w Role) item() record.Item {
	return record.Item{Kind: record.ItemRole, Purpose: w.Purpose, Name: w.Name, ARN: w.ARN(), Digest: w.Trust.Digest(), Closed: w.Closed,
		Settings: wanted{w.Grant}.settings()}
}

// Plan compares what exists with what is wanted.
func (w Role) Plan(x Sight, update map[string]bool) Plan {
	report := x.Reports[w.Purpose]
	matches, made := report.Check("policy-matches")
	complete := x.Role != nil && report.OK && (!made || matches.Status == aws.Pass)
	difference := w.difference(x)
	if difference != nil && difference.Fixed == "" && w.opens(x.Role) && len(difference.Update) == 1 && difference.Update[0].Rewrites {
		update = maps.Clone(update)
		if update == nil {
			update = map[string]bool{}
		}
		update[difference.Key] = true
	}
	p := wanted{w.Grant}.plan(x, w.create(), difference, complete, update)
	first := w.providers(x)
	if x.Provider != nil && len(first) == 0 && !complete {
		found, _ := existing(x.Found, w.providerItem())
		p.Adopted = append(p.Adopted, found)
	}
	p.Operations = append(first, p.Operations...)
	return p
}

func (w Role) create() Operation {
	detail := w.trusts()
	if w.ExternalID != "" && !w.Closed {
		detail += " under the external ID"
	}
	return Operation{
		Name: "create role " + w.Name, Detail: detail, Item: w.item(), Makes: true, Once: true,
		Needs: append(on(w.ARN(), "iam:CreateRole"), onlyWith(w.TagList(), w.ARN(), "iam:TagRole")...),
		Do: func(ctx context.Context, account *aws.Account, item *record.Item) error {
			r, err := account.CreateRole(ctx, aws.NewRole{Name: w.Name, Path: w.Path, Description: w.Role.Description, Trust: w.Trust,
				Boundary: w.Boundary, MaxSession: w.SessionFor, Tags: w.TagList()})
			if err == nil {
				item.ID, item.ARN = r.ID, r.ARN
			}
			return err
		},
	}
}

func (w Role) trusts() string {
	if w.Closed {
		return "closed: nobody of " + w.Vendor + " gets in yet"
	}
	return "trusts " + w.Trusts()
}

// opens reports whether a role is closed as this session made it, and its vendor
// has told by now whom to trust: then completing its trust policy is no change
// of what somebody else made.
func (w Role) opens(r *aws.Role) bool {
	return !w.Closed && w.Shut != nil && r.Trust != nil && r.Trust.Digest() == w.Shut.Digest()
}

// replaces says who gets in by a new trust policy.
func (w Role) replaces() string {
	detail := "replaces all of it: " + w.trusts() + " alone"
	if w.Shut != nil && !w.Closed {
		detail += ", under the external ID " + w.ExternalID
	}
	return detail
}

const updateTrust = "iam:UpdateAssumeRolePolicy"

// difference tells how a role of the wanted name differs, apart from a policy
// that is only not attached yet; nil when it does not, or when there is none.
func (w Role) difference(x Sight) *Difference {
	r := x.Role
	if r == nil {
		return nil
	}
	d := &Difference{Key: string(record.ItemRole) + " " + r.ARN + " " + r.ID, Kind: record.ItemRole, Name: r.Name}
	var words []string
	item := FoundRole(*r, w.item()).Item
	// say names a difference, and what mends it: several can be mended by one.
	say := func(word, name, detail, action string, do func(context.Context, *aws.Account) error) {
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
		if !slices.ContainsFunc(d.Update, func(o Operation) bool { return o.Name == name }) {
			op := change(name, detail, item, do, on(w.ARN(), action)...)
			op.Rewrites = action == updateTrust
			d.Update = append(d.Update, op)
		}
	}
	for _, check := range x.Reports[w.Purpose].Checks {
		switch {
		case check.Status != aws.Fail:
		case check.ID == "role-path":
			words, d.Fixed = append(words, "its path is "+check.Got), "a path cannot be changed"
		case strings.HasPrefix(check.ID, "trust-"):
			item.Digest, item.Closed = w.Trust.Digest(), w.Closed
			say("it trusts otherwise: "+check.Got, "update the trust policy of "+w.Name, w.replaces(), updateTrust,
				func(ctx context.Context, account *aws.Account) error {
					return account.UpdateTrust(ctx, w.Name, w.Trust)
				})
		case check.ID == "permissions-boundary":
			say("its permissions boundary is "+check.Got, "set the permissions boundary of "+w.Name, w.Boundary, "iam:PutRolePermissionsBoundary",
				func(ctx context.Context, account *aws.Account) error {
					return account.SetBoundary(ctx, w.Name, w.Boundary)
				})
		}
	}
	if w.SessionFor != 0 && r.MaxSession != w.SessionFor {
		say(
			"its longest session is "+screen.Hours(r.MaxSession),
			"set the session duration of "+w.Name,
			screen.Hours(w.SessionFor),
			"iam:UpdateRole",
			func(ctx context.Context, account *aws.Account) error {
				return account.SetMaxSession(ctx, w.Name, w.SessionFor)
			},
		)
	}
	if missing := missingTags(w.TagList(), r.Tags); missing != "" {
		say("it lacks the tags "+missing, "tag role "+w.Name, TagWords(w.TagList()), "iam:TagRole",
			func(ctx context.Context, account *aws.Account) error {
				return account.TagRole(ctx, w.Name, w.TagList())
			})
	}
	if extra := w.extra(x); extra != "" {
		words, d.Fixed = append(words, "it also has "+extra), "rolecall takes no policy off a role that it did not make"
	}
	if len(words) > 0 {
		d.Problem = screen.Problem{What: r.Name + " exists and differs: " + strings.Join(words, "; ") + "."}
	}
	return d.finish("role", "--role-name", true)
}

// extra names what a role has beside the wanted policies. It does not count when
// all of it together is exactly what is wanted.
func (w Role) extra(x Sight) string {
	if matches, ok := x.Reports[w.Purpose].Check("policy-matches"); ok && matches.Status == aws.Pass {
		return ""
	}
	var names []string
	gives := wanted{w.Grant}.gives(x, "")
	for _, f := range x.Found {
		name, carried := f.Name, f.Kind == record.ItemAttachment
		if f.Kind == record.ItemInline {
			name, carried = f.Name+" (inline)", true
		}
		if carried && !slices.ContainsFunc(gives, func(op Operation) bool {
			return op.Item.Kind == f.Kind && op.Item.ARN == f.ARN && (f.ARN != "" || op.Item.Name == f.Name)
		}) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
