package making

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/access"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// wanted is what the planners of roles and users share: what carries policies
// and the policies that it carries.
type wanted struct{ access.Grant }

// carried is a thing on the role or user, which has this ID where it exists.
func (w wanted) carried(kind record.ItemKind, name, arn, id string) record.Item {
	item := record.Item{Kind: kind, Purpose: w.Purpose, Name: name, ARN: arn, Role: w.Name, RoleID: id}
	if w.User {
		item.Role, item.RoleID, item.User, item.UserID = "", "", w.Name, id
	}
	return item
}

func (w wanted) attachment() record.ItemKind {
	if w.User {
		return record.ItemUserAttachment
	}
	return record.ItemAttachment
}

// policies gets the policies of the wanted names. Names are unique whatever the
// path is, so that a taken name may have to be looked for at every path.
func (w wanted) policies(ctx context.Context, account *aws.Account, deep bool) ([]*aws.Policy, error) {
	policies := make([]*aws.Policy, len(w.Documents))
	if w.Role.Inline {
		return policies, nil
	}
	for i, doc := range w.Documents {
		p, err := account.PolicyByName(ctx, doc.Name, w.Path)
		if deep && aws.KindOf(err) == aws.NotFound {
			if elsewhere, findErr := account.FindPolicy(ctx, doc.Name); findErr == nil {
				p, err = account.Policy(ctx, elsewhere.ARN)
			}
		}
		switch {
		case err == nil:
			policies[i] = &p
		case aws.KindOf(err) != aws.NotFound:
			return nil, err
		}
	}
	return policies, nil
}

// found lists what exists of what is wanted; carrier is the role or user, nil
// where there is none.
func (w wanted) found(policies []*aws.Policy, carrier *Found, attached []aws.AttachedPolicy, inline []aws.InlinePolicy) []Found {
	var all []Found
	for _, p := range policies {
		if p != nil {
			all = append(all, FoundPolicy(*p, record.Item{Purpose: w.Purpose, Settings: w.tagged()}))
		}
	}
	if carrier == nil {
		return all
	}
	all = append(all, *carrier)
	for _, p := range attached {
		all = append(all, Found{Alike: true, Item: w.carried(w.attachment(), p.Name, p.ARN, carrier.ID)})
	}
	for _, p := range inline {
		item := w.carried(record.ItemInline, p.Name, "", carrier.ID)
		item.Digest = digest(p.Document)
		all = append(all, Found{Alike: true, Item: item})
	}
	return all
}

// tagged are the settings of a policy or user, settings those of a role.
func (w wanted) tagged() *record.Settings { return &record.Settings{Path: w.Path, Tags: w.TagList()} }

func (w wanted) settings() *record.Settings {
	s := w.tagged()
	s.Boundary = w.Boundary
	if !w.User {
		s.SessionFor = w.SessionFor
	}
	return s
}

func samePath(wanted, found string) bool { return wanted == "" || wanted == found }

func digest(d *policy.Document) string {
	if d == nil {
		return ""
	}
	return d.Digest()
}

// plan compares what exists with what is wanted. create makes the role or user;
// difference tells how the one that exists differs, complete that it is right
// in every respect, whatever its policies are called.
func (w wanted) plan(x Sight, create Operation, difference *Difference, complete bool, update map[string]bool) Plan {
	differences, operations := []*Difference{difference}, []Operation{}
	for i := range w.Documents {
		differences = append(differences, w.policyDifference(x.Policy(i), i))
		if !w.Role.Inline {
			operations = append(operations, w.createPolicy(i))
		}
	}
	var p Plan
	if complete && !slices.ContainsFunc(differences, func(d *Difference) bool { return d != nil }) {
		for _, f := range x.Found {
			p.Adopted = append(p.Adopted, f.Item)
		}
		return p
	}
	carrier, _ := existing(x.Found, create.Item)
	for _, op := range append(append(operations, create), w.gives(x, carrier.ID)...) {
		found, exists := existing(x.Found, op.Item)
		i := slices.IndexFunc(differences, func(d *Difference) bool { return d != nil && d.Kind == found.Kind && d.Name == found.Name })
		switch {
		case !exists:
			p.Operations = append(p.Operations, op)
		case i >= 0:
			p.add(differences[i], update)
		default:
			p.Adopted = append(p.Adopted, found)
		}
	}
	return p
}

// existing finds what an operation would make among what exists.
func existing(found []Found, wanted record.Item) (record.Item, bool) {
	for _, f := range found {
		same := strings.EqualFold(f.Name, wanted.Name)
		switch wanted.Kind {
		case record.ItemAttachment, record.ItemUserAttachment:
			same = f.ARN == wanted.ARN
		case record.ItemInline:
			same = f.Name == wanted.Name && f.Digest == wanted.Digest
		default: // names are unique without regard to case
		}
		if f.Kind == wanted.Kind && same {
			return f.Item, true
		}
	}
	return record.Item{}, false
}

func (w wanted) createPolicy(i int) Operation {
	doc := w.Documents[i]
	return Operation{
		Name: "create policy " + doc.Name, Detail: documentDetail(doc.Document), Makes: true, Once: true,
		Item: record.Item{Kind: record.ItemPolicy, Purpose: w.Purpose, Name: doc.Name, ARN: doc.ARN, Digest: doc.Document.Digest(),
			Settings: w.tagged()},
		Needs: append(on(doc.ARN, "iam:CreatePolicy"), onlyWith(w.TagList(), doc.ARN, "iam:TagPolicy")...),
		Do: func(ctx context.Context, account *aws.Account, item *record.Item) error {
			p, err := account.CreatePolicy(ctx, aws.NewPolicy{Name: doc.Name, Path: w.Path, Description: w.Role.Description,
				Document: doc.Document, Tags: w.TagList()})
			if err == nil {
				item.ID, item.ARN = p.ID, p.ARN
			}
			return err
		},
	}
}

func documentDetail(d *policy.Document) string {
	return fmt.Sprintf("%s characters · %s", screen.Thousands(d.Characters()), screen.ShortDigest(d.Digest()))
}

// gives are the operations that put all of its policies on the role or user:
// its own, then AWS's.
func (w wanted) gives(x Sight, id string) []Operation {
	var all []Operation
	for i, doc := range w.Documents {
		switch p := x.Policy(i); {
		case w.Role.Inline:
			all = append(all, w.putInline(doc, id))
		case p != nil:
			all = append(all, w.attach(p.Name, p.ARN, id, ""))
		default:
			all = append(all, w.attach(doc.Name, doc.ARN, id, ""))
		}
	}
	for _, arn := range w.Managed {
		all = append(all, w.attach(access.PolicyNameOf(arn), arn, id, access.PolicyKind(arn)))
	}
	return all
}

func (w wanted) attach(name, arn, id, detail string) Operation {
	action, send := "iam:AttachRolePolicy", (*aws.Account).AttachRolePolicy
	if w.User {
		action, send = "iam:AttachUserPolicy", (*aws.Account).AttachUserPolicy
	}
	return Operation{
		Name: "attach " + name + " to " + w.Name, Detail: detail, Makes: true, Item: w.carried(w.attachment(), name, arn, id),
		Needs: []aws.Permission{{Action: action, Resource: w.ARN(), PolicyARN: arn}},
		Do: func(ctx context.Context, account *aws.Account, _ *record.Item) error {
			return send(account, ctx, w.Name, arn)
		},
	}
}

func (w wanted) putInline(doc access.Document, id string) Operation {
	item := w.carried(record.ItemInline, doc.Name, "", id)
	item.Digest = doc.Document.Digest()
	return Operation{
		Name: "write inline policy " + doc.Name + " of " + w.Name, Detail: documentDetail(doc.Document), Makes: true, Item: item,
		Needs: on(w.ARN(), "iam:PutRolePolicy", "iam:GetRolePolicy"),
		Do: func(ctx context.Context, account *aws.Account, _ *record.Item) error {
			return account.PutRolePolicy(ctx, w.Name, doc.Name, doc.Document)
		},
	}
}

// change is an operation on what exists.
func change(name, detail string, item record.Item, do func(context.Context, *aws.Account) error, needs ...aws.Permission) Operation {
	return Operation{Name: name, Detail: detail, Item: item, Needs: needs,
		Do: func(ctx context.Context, account *aws.Account, _ *record.Item) error { return do(ctx, account) }}
}

// policyDifference tells how a policy of the wanted name differs; nil when it
// does not, or when there is none.
func (w wanted) policyDifference(p *aws.Policy, i int) *Difference {
	if p == nil {
		return nil
	}
	doc := w.Documents[i].Document
	d := &Difference{Key: string(record.ItemPolicy) + " " + p.ARN + " " + p.ID, Kind: record.ItemPolicy, Name: p.Name}
	item := record.Item{Kind: record.ItemPolicy, Purpose: w.Purpose, Name: p.Name, ARN: p.ARN, ID: p.ID, Digest: doc.Digest()}
	update := change("update policy "+p.Name, "a new version; the oldest one goes where there are five already", item,
		func(ctx context.Context, account *aws.Account) error {
			return addVersion(ctx, account, p.Name, p.ARN, doc)
		},
		on(p.ARN, "iam:ListPolicyVersions", "iam:CreatePolicyVersion", "iam:DeletePolicyVersion")...)
	update.Once, update.Rewrites = true, true
	switch {
	case p.Document == nil:
		d.Problem = screen.Problem{What: p.Name + " exists, and rolecall cannot read its document."}
		d.Update = []Operation{update}
	case !samePath(w.Path, p.Path):
		d.Problem = screen.Problem{What: p.Name + " exists under the path " + p.Path + ".", Expected: "the path " + w.Path}
		d.Fixed = "a path cannot be changed"
	default:
		if compared := policy.Compare(doc, p.Document); !compared.Equal {
			whole := DifferenceCode(p.Name, compared)
			d.Problem, d.Whole = DifferenceProblem(p.Name, compared), &whole
			d.Update = []Operation{update}
		}
	}
	if missing := missingTags(w.TagList(), p.Tags); missing != "" && d.Fixed == "" {
		if d.Problem.What == "" {
			d.Problem = screen.Problem{What: p.Name + " exists without the tags " + missing + "."}
			item.Digest = digest(p.Document)
		}
		d.Update = append(d.Update, change("tag policy "+p.Name, TagWords(w.TagList()), item,
			func(ctx context.Context, account *aws.Account) error {
				return account.TagPolicy(ctx, p.ARN, w.TagList())
			}, on(p.ARN, "iam:TagPolicy")...))
	}
	return d.finish("policy", "--policy-name", !w.User)
}

// finish says what can be done about a difference; nil when there is none.
func (d *Difference) finish(what, flag string, updates bool) *Difference {
	if d.Problem.What == "" {
		return nil
	}
	if d.Problem.Expected == "" {
		d.Problem.Expected = "what this session would make"
	}
	d.Problem.Next, d.Problem.Flag = "Choose another name for the "+what+".", flag
	if updates {
		d.Problem.Next = "Choose another name for the " + what + ", have rolecall update this one, or stop."
	}
	d.Problem.Kind, d.Problem.Passing = screen.NotAsNeeded, false
	return d
}

// missingTags names the wanted tags that are not there with their values.
func missingTags(wanted, found []aws.Tag) string {
	var missing []string
	for _, t := range wanted {
		if !slices.Contains(found, t) {
			missing = append(missing, t.Key+"="+t.Value)
		}
	}
	return strings.Join(missing, ", ")
}

// TagWords are tags in one line.
func TagWords(tags []aws.Tag) string { return missingTags(tags, nil) }

// PartPolicies describes the policies that the role or user has now, for the
// session.
func PartPolicies(g access.Grant, x Sight) []record.PartPolicy {
	var own []aws.AttachedPolicy
	if x.Role != nil {
		own = slices.DeleteFunc(slices.Clone(x.Role.Attached), func(p aws.AttachedPolicy) bool { return slices.Contains(g.Managed, p.ARN) })
	}
	if x.User != nil {
		own = x.User.Attached
	}
	policies := make([]record.PartPolicy, len(g.Documents))
	for i, doc := range g.Documents {
		policies[i] = record.PartPolicy{Name: doc.Name, Digest: doc.Document.Digest(), Characters: doc.Document.Characters()}
		switch p := x.Policy(i); {
		case p != nil:
			policies[i].Name, policies[i].ARN = p.Name, p.ARN
		case len(own) == len(g.Documents):
			policies[i].Name, policies[i].ARN = own[i].Name, own[i].ARN
		}
	}
	return policies
}
