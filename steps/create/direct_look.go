package create

import (
	"context"
	"slices"
	"time"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/access"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// directWant is one role with its policy as it has to be, in plain values: a
// request runs apart from the session.
type directWant struct {
	purpose     string
	documents   []access.Document // one, or as many as it takes
	managed     []string          // ARNs of the AWS managed policies beside them
	roleName    string
	path        string
	description string
	inline      bool // the policy is the role's own
	trust       *policy.Document
	role        aws.Want // to judge the role by
	boundary    string
	session     time.Duration // 0: AWS's hour
	tags        []aws.Tag
}

// directWants are the needed roles. The error names what is not known.
func directWants(s *step.Session) ([]directWant, error) {
	var wants []directWant
	for _, role := range s.NeededRoles() {
		part := s.Part(role.Purpose)
		documents, err := s.WantedDocuments(role.Purpose)
		if err != nil {
			return nil, err
		}
		trust := s.WantedTrust(role.Purpose)
		if trust == nil {
			return nil, &screen.Fault{Problem: screen.Problem{What: "The AWS account of " + s.Vendor.Title + " is not known.",
				Expected: "an account for the trust policy of " + part.RoleName, Next: "Go back to the partition, or give --trusted-account.", Kind: screen.Usage}}
		}
		want := s.WantedRole(role.Purpose)
		want.RoleARN, want.RoleName = "", part.RoleName // the name decides: the ARN may be of an earlier look
		w := directWant{
			purpose: role.Purpose, managed: s.ManagedPolicies(role.Purpose), roleName: part.RoleName, path: s.Path,
			description: role.Description, inline: role.Inline, trust: trust, role: want,
			boundary: s.Boundary, session: s.SessionFor, tags: s.TagList(),
		}
		w.documents = documents
		wants = append(wants, w)
	}
	return wants, nil
}

// directSeen is what one look showed of a role and its policies.
type directSeen struct {
	policies []*aws.Policy // one for each wanted document; nil: none of that name
	role     *aws.Role     // nil: none of that name
	report   aws.Report
	mine     map[string]bool // made by this session in an earlier run, by ID
}

// policy is the policy of the name of a wanted document, nil when there is none.
func (x directSeen) policy(i int) *aws.Policy {
	if i >= len(x.policies) {
		return nil
	}
	return x.policies[i]
}

// partPolicies describes the policies that the role has now, for the session.
func (x directSeen) partPolicies(w directWant) []record.PartPolicy {
	var own []aws.AttachedPolicy
	if x.role != nil {
		own = slices.DeleteFunc(slices.Clone(x.role.Attached), func(p aws.AttachedPolicy) bool { return slices.Contains(w.managed, p.ARN) })
	}
	policies := make([]record.PartPolicy, len(w.documents))
	for i, doc := range w.documents {
		policies[i] = record.PartPolicy{Name: doc.Name, Digest: doc.Document.Digest(), Characters: doc.Document.Characters()}
		switch p := x.policy(i); {
		case p != nil:
			policies[i].Name, policies[i].ARN = p.Name, p.ARN
		case len(own) == len(w.documents):
			policies[i].Name, policies[i].ARN = own[i].Name, own[i].ARN
		}
	}
	return policies
}

// directLooker reads what exists, and settles what an earlier run of this
// session sent without seeing the answer.
type directLooker struct {
	account *aws.Account
	ledger  *record.Ledger
	head    record.Receipt
	by      string
	now     func() time.Time
	deep    bool
}

func (l directLooker) look(ctx context.Context, wants []directWant) (map[string]directSeen, error) {
	all := map[string]directSeen{}
	for _, w := range wants {
		x, err := l.lookOne(ctx, w)
		if err == nil {
			err = l.settle(w, &x)
		}
		if err != nil {
			return nil, err
		}
		all[w.purpose] = x
	}
	return all, nil
}

func (l directLooker) lookOne(ctx context.Context, w directWant) (directSeen, error) {
	x := directSeen{policies: make([]*aws.Policy, len(w.documents))}
	for i, doc := range w.documents {
		if w.inline {
			break
		}
		p, err := l.policy(ctx, doc.Name, w.path)
		switch {
		case err == nil:
			x.policies[i] = &p
		case aws.KindOf(err) != aws.NotFound:
			return x, err
		}
	}
	seen, report, err := l.account.Look(ctx, w.role)
	if err == nil && len(seen.Denied) > 0 {
		// What cannot be seen cannot be told apart from what does not exist.
		_, err = l.account.Role(ctx, w.roleName)
	}
	if err != nil && aws.KindOf(err) != aws.NotFound {
		return x, err
	}
	x.role, x.report = seen.Role, report
	return x, nil
}

// policy gets the policy of the wanted name. Names are unique whatever the path
// is, so that a taken name may have to be looked for at every path.
func (l directLooker) policy(ctx context.Context, name, path string) (aws.Policy, error) {
	p, err := l.account.PolicyByName(ctx, name, path)
	if !l.deep || aws.KindOf(err) != aws.NotFound {
		return p, err
	}
	elsewhere, findErr := l.account.FindPolicy(ctx, name)
	if findErr != nil {
		return p, err
	}
	return l.account.Policy(ctx, elsewhere.ARN)
}

// clockSkew is how far this machine's clock may be from AWS's.
const clockSkew = 5 * time.Minute

// settle compares requests that were sent and never seen answered with what
// exists: the name was free just before, so that a thing of this name and
// content, made since, is the one that was asked for.
func (l directLooker) settle(w directWant, x *directSeen) error {
	receipt, err := l.ledger.Receipt()
	if err != nil {
		return err
	}
	x.mine = map[string]bool{}
	for _, found := range x.items(w) {
		known, ok := receipt.Find(found.Item)
		switch {
		case !ok:
			continue
		case known.State == record.ItemMade && known.Identical(found.Item):
			x.mine[known.ID+known.Role] = true
			continue
		case known.State != record.ItemSent || found.Digest != known.Digest || !found.created.IsZero() && found.created.Before(known.At.Add(-clockSkew)):
			continue
		}
		found.State, found.At, found.By = record.ItemMade, l.now().UTC(), known.By
		if err := l.ledger.Put(l.head, found.Item); err != nil {
			return err
		}
		x.mine[found.ID+found.Role] = true
	}
	return nil
}

// foundItem is a thing that exists, as the receipt would list it.
type foundItem struct {
	record.Item
	created time.Time // zero where AWS does not tell
}

// items are the things that exist of what is wanted.
func (x directSeen) items(w directWant) []foundItem {
	var all []foundItem
	for _, p := range x.policies {
		if p != nil {
			all = append(all, foundItem{policyItem(w, p), p.Created})
		}
	}
	r := x.role
	if r == nil {
		return all
	}
	all = append(all, foundItem{roleItem(w, r), r.Created})
	for _, p := range r.Attached {
		all = append(all, foundItem{Item: record.Item{Kind: record.ItemAttachment, Purpose: w.purpose, Name: p.Name, ARN: p.ARN, Role: r.Name, RoleID: r.ID}})
	}
	for _, p := range r.Inline {
		all = append(all, foundItem{Item: record.Item{Kind: record.ItemInline, Purpose: w.purpose, Name: p.Name, Role: r.Name, RoleID: r.ID, Digest: digestOrNone(p.Document)}})
	}
	for i := range all {
		all[i].State = record.ItemAdopted
	}
	return all
}

func policyItem(w directWant, p *aws.Policy) record.Item {
	return record.Item{Kind: record.ItemPolicy, State: record.ItemAdopted, Purpose: w.purpose, Name: p.Name, ARN: p.ARN, ID: p.ID, Digest: digestOrNone(p.Document)}
}

func roleItem(w directWant, r *aws.Role) record.Item {
	return record.Item{Kind: record.ItemRole, State: record.ItemAdopted, Purpose: w.purpose, Name: r.Name, ARN: r.ARN, ID: r.ID, Digest: digestOrNone(r.Trust)}
}

func digestOrNone(d *policy.Document) string {
	if d == nil {
		return ""
	}
	return d.Digest()
}
