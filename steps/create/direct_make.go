package create

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/steps/access"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// directOp is one request that writes.
type directOp struct {
	kind    directOpKind
	want    directWant
	purpose string
	doc     int         // which of the wanted documents
	arn     string      // of the managed policy concerned
	item    record.Item // what the receipt says of it
	took    time.Duration
}

type directOpKind int

const (
	opCreatePolicy directOpKind = iota
	opUpdatePolicy
	opTagPolicy
	opCreateRole
	opUpdateTrust
	opSetBoundary
	opSetSession
	opTagRole
	opAttach
	opPutInline
)

// policyOp makes a request about the i-th policy of a role.
func (w directWant) policyOp(kind directOpKind, i int) directOp {
	doc := w.documents[i]
	return directOp{kind: kind, want: w, purpose: w.purpose, doc: i, arn: doc.ARN,
		item: record.Item{Kind: record.ItemPolicy, Purpose: w.purpose, Name: doc.Name, ARN: doc.ARN, Digest: doc.Document.Digest()}}
}

// roleOp makes a request about the role itself.
func (w directWant) roleOp(kind directOpKind) directOp {
	return directOp{kind: kind, want: w, purpose: w.purpose,
		item: record.Item{Kind: record.ItemRole, Purpose: w.purpose, Name: w.roleName, ARN: w.roleARN(), Digest: w.trust.Digest()}}
}

// grantOp makes the request that gives the role its i-th policy.
func (w directWant) grantOp(x directSeen, i int) directOp {
	o := w.policyOp(opAttach, i)
	o.item = record.Item{Kind: record.ItemAttachment, Purpose: w.purpose, Name: o.item.Name, ARN: o.arn, Role: w.roleName}
	if w.inline {
		o.kind, o.arn = opPutInline, ""
		o.item.Kind, o.item.ARN, o.item.Digest = record.ItemInline, "", w.documents[i].Document.Digest()
	}
	if p := x.policy(i); p != nil {
		o.arn, o.item.ARN, o.item.Name = p.ARN, p.ARN, p.Name
	}
	if x.role != nil {
		o.item.RoleID = x.role.ID
	}
	return o
}

// grantOps make the requests that give the role all of its policies: its own,
// then AWS's.
func (w directWant) grantOps(x directSeen) []directOp {
	var ops []directOp
	for i := range w.documents {
		ops = append(ops, w.grantOp(x, i))
	}
	for _, arn := range w.managed {
		o := directOp{kind: opAttach, want: w, purpose: w.purpose, arn: arn,
			item: record.Item{Kind: record.ItemAttachment, Purpose: w.purpose, Name: access.PolicyNameOf(arn), ARN: arn, Role: w.roleName}}
		if x.role != nil {
			o.item.RoleID = x.role.ID
		}
		ops = append(ops, o)
	}
	return ops
}

// name says what is done, a verb phrase for the journal and the screen.
func (o directOp) name() string {
	policyName, roleName := o.item.Name, o.want.roleName
	switch o.kind {
	case opCreatePolicy:
		return "create policy " + policyName
	case opUpdatePolicy:
		return "update policy " + policyName
	case opTagPolicy:
		return "tag policy " + policyName
	case opCreateRole:
		return "create role " + roleName
	case opUpdateTrust:
		return "update the trust policy of " + roleName
	case opSetBoundary:
		return "set the permissions boundary of " + roleName
	case opSetSession:
		return "set the session duration of " + roleName
	case opTagRole:
		return "tag role " + roleName
	case opAttach:
		return "attach " + policyName + " to " + roleName
	}
	return "write inline policy " + policyName + " of " + roleName
}

// detail says what matters about it.
func (o directOp) detail() string {
	w := o.want
	switch o.kind {
	case opCreatePolicy, opPutInline:
		return fmt.Sprintf("%s characters · %s", screen.Thousands(w.documents[o.doc].Document.Characters()), step.ShortDigest(o.item.Digest))
	case opUpdatePolicy:
		return "a new version; the oldest one goes where there are five already"
	case opCreateRole:
		words := []string{"trusts " + strings.Join(w.role.Principals, " and ")}
		if w.role.ExternalID != "" {
			words = append(words, "under the external ID")
		}
		return strings.Join(words, " ")
	case opUpdateTrust:
		return "replaces all of it: trusts " + strings.Join(w.role.Principals, " and ") + " alone"
	case opSetBoundary:
		return w.boundary
	case opSetSession:
		return screen.Hours(w.session)
	case opTagPolicy, opTagRole:
		return tagWords(w.tags)
	case opAttach:
		if slices.Contains(w.managed, o.arn) {
			return "AWS managed policy"
		}
	}
	return ""
}

func tagWords(tags []aws.Tag) string { return missingTags(tags, nil) }

// makes tells whether the request makes something that did not exist, which
// disconnecting takes away again.
func (o directOp) makes() bool {
	return o.kind == opCreatePolicy || o.kind == opCreateRole || o.kind == opAttach || o.kind == opPutInline
}

// needs are the permissions that the request takes. Tagging at creation takes
// the tagging action too (IAM API reference, CreateRole and CreatePolicy).
func (o directOp) needs() []aws.Permission {
	w := o.want
	on := func(resource string, actions ...string) []aws.Permission {
		var all []aws.Permission
		for _, action := range actions {
			all = append(all, aws.Permission{Action: action, Resource: resource})
		}
		return all
	}
	switch o.kind {
	case opCreatePolicy:
		return append(on(o.arn, "iam:CreatePolicy"), on(o.arn, onlyWith(w.tags, "iam:TagPolicy")...)...)
	case opUpdatePolicy:
		return on(o.arn, "iam:ListPolicyVersions", "iam:CreatePolicyVersion", "iam:DeletePolicyVersion")
	case opTagPolicy:
		return on(o.arn, "iam:TagPolicy")
	case opCreateRole:
		return append(on(w.roleARN(), "iam:CreateRole"), on(w.roleARN(), onlyWith(w.tags, "iam:TagRole")...)...)
	case opUpdateTrust:
		return on(w.roleARN(), "iam:UpdateAssumeRolePolicy")
	case opSetBoundary:
		return on(w.roleARN(), "iam:PutRolePermissionsBoundary")
	case opSetSession:
		return on(w.roleARN(), "iam:UpdateRole")
	case opTagRole:
		return on(w.roleARN(), "iam:TagRole")
	case opAttach:
		return []aws.Permission{{Action: "iam:AttachRolePolicy", Resource: w.roleARN(), PolicyARN: o.arn}}
	}
	return on(w.roleARN(), "iam:PutRolePolicy", "iam:GetRolePolicy")
}

func onlyWith(tags []aws.Tag, action string) []string {
	if len(tags) == 0 {
		return nil
	}
	return []string{action}
}

// call sends the request. What it makes is on record before it is sent, and
// with its ID before the answer is handed on, so that nothing is lost when the
// program is killed between any two of these.
func (o directOp) call(s *step.Session) screen.Call {
	account, ledger, head, now := s.AWS, s.OpenLedger(), s.ReceiptHead(), s.Now
	o.item.By = s.Caller()
	if o.item.Role != "" && o.item.RoleID == "" {
		o.item.RoleID = s.Part(o.purpose).RoleID // the role was made just before
	}
	return screen.Call{Name: o.name(), Writes: true, Do: func(ctx context.Context) screen.Msg {
		if o.makes() {
			sent := o.item
			sent.State, sent.At = record.ItemSent, now().UTC()
			if err := ledger.Put(head, sent); err != nil {
				return directDone{err: err} // nothing was sent
			}
		}
		done, item := o.send(ctx, account)
		switch {
		case done.err != nil && o.makes() && step.Refused(done.err):
			item.State = record.ItemNotMade
		case done.err != nil || item.State == "":
			return done
		}
		item.At = now().UTC()
		if err := ledger.Put(head, item); err != nil && done.err == nil {
			done.err = err
		}
		return done
	}}
}

// send does the request and returns what the receipt has to say then; an empty
// state: nothing.
func (o directOp) send(ctx context.Context, account *aws.Account) (done directDone, item record.Item) {
	w := o.want
	item = o.item
	item.State = record.ItemUpdated
	if o.makes() {
		item.State = record.ItemMade
	}
	switch o.kind {
	case opCreatePolicy:
		done.policy, done.err = account.CreatePolicy(ctx, aws.NewPolicy{Name: o.item.Name, Path: w.path, Description: w.description,
			Document: w.documents[o.doc].Document, Tags: w.tags})
		item.ID, item.ARN = done.policy.ID, done.policy.ARN
	case opUpdatePolicy:
		done.policy, done.err = updatePolicy(ctx, account, o)
	case opTagPolicy:
		item.State = ""
		done.err = account.TagPolicy(ctx, o.arn, w.tags)
	case opCreateRole:
		done.role, done.err = account.CreateRole(ctx, aws.NewRole{Name: w.roleName, Path: w.path, Description: w.description, Trust: w.trust,
			Boundary: w.boundary, MaxSession: w.session, Tags: w.tags})
		item.ID, item.ARN = done.role.ID, done.role.ARN
	case opUpdateTrust:
		done.err = account.UpdateTrust(ctx, w.roleName, w.trust)
	case opSetBoundary:
		item.State = ""
		done.err = account.SetBoundary(ctx, w.roleName, w.boundary)
	case opSetSession:
		item.State = ""
		done.err = account.SetMaxSession(ctx, w.roleName, w.session)
	case opTagRole:
		item.State = ""
		done.err = account.TagRole(ctx, w.roleName, w.tags)
	case opAttach:
		done.err = account.AttachRolePolicy(ctx, w.roleName, o.arn)
	case opPutInline:
		done.err = account.PutRolePolicy(ctx, w.roleName, o.item.Name, w.documents[o.doc].Document)
	}
	return done, item
}

// updatePolicy adds a version and makes it the default. Where there is no room
// nothing is deleted: who made the versions is not known here.
func updatePolicy(ctx context.Context, account *aws.Account, o directOp) (aws.Policy, error) {
	versions, err := account.PolicyVersions(ctx, o.arn)
	if err != nil {
		return aws.Policy{}, err
	}
	if len(versions) >= step.MostVersions {
		return aws.Policy{}, step.NoRoom(o.item.Name, o.arn, versions)
	}
	if _, err := account.CreatePolicyVersion(ctx, o.arn, o.want.documents[o.doc].Document); err != nil {
		return aws.Policy{}, err
	}
	return account.Policy(ctx, o.arn)
}
