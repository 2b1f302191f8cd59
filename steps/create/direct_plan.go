package create

import (
	"fmt"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// directPlan is what has to be done, given what exists.
type directPlan struct {
	ops         []directOp         // requests that write, in their order
	adopted     []record.Item      // what exists and is right
	differences []directDifference // what exists and is not as wanted
}

// directDifference is one thing that exists and differs.
type directDifference struct {
	key     string // names the thing and its ID, so that another one is asked about anew
	purpose string
	kind    record.ItemKind
	problem screen.Problem
	fixed   string     // why rolecall cannot update it; empty when it can
	ops     []directOp // what updating it takes
}

// planDirect compares what exists with what is wanted. It is pure. update holds
// the keys of the differences that the person wants updated.
func planDirect(wants []directWant, seen map[string]directSeen, update map[string]bool) directPlan {
	var plan directPlan
	for _, w := range wants {
		x := seen[w.purpose]
		roleDiff := roleDifference(w, x)
		if roleDiff == nil && x.complete(w) {
			plan.adopt(w, x) // whatever its policies are called
			continue
		}
		for i := range w.documents {
			plan.policy(w, x, i, update)
		}
		plan.role(w, x, roleDiff, update)
	}
	return plan
}

// complete tells whether the role is right in every respect, its policies
// included.
func (x directSeen) complete(w directWant) bool {
	matches, made := x.report.Check("policy-matches")
	if x.role == nil || !x.report.OK || made && matches.Status != aws.Pass {
		return false
	}
	for i := range w.documents {
		if policyDifference(w, x, i) != nil {
			return false
		}
	}
	return true
}

func (p *directPlan) adopt(w directWant, x directSeen) {
	for _, found := range x.items(w) {
		p.adopted = append(p.adopted, found.Item)
	}
}

// settle takes a difference in: to be asked about, or to be updated.
func (p *directPlan) settle(d *directDifference, update map[string]bool) {
	if !update[d.key] {
		p.differences = append(p.differences, *d)
		return
	}
	p.ops = append(p.ops, d.ops...)
}

// policy plans for the i-th document of a role.
func (p *directPlan) policy(w directWant, x directSeen, i int, update map[string]bool) {
	d := policyDifference(w, x, i)
	switch {
	case w.inline:
	case x.policy(i) == nil:
		p.ops = append(p.ops, w.policyOp(opCreatePolicy, i))
	case d != nil:
		p.settle(d, update)
	default:
		p.adopted = append(p.adopted, policyItem(w, x.policy(i)))
	}
}

// role plans for the role itself and for what it has to have.
func (p *directPlan) role(w directWant, x directSeen, d *directDifference, update map[string]bool) {
	switch {
	case x.role == nil:
		p.ops = append(p.ops, w.roleOp(opCreateRole))
	case d != nil:
		p.settle(d, update)
	default:
		p.adopted = append(p.adopted, roleItem(w, x.role))
	}
	for _, grant := range w.grantOps(x) {
		if x.role != nil && x.grants(grant) {
			grant.item.State = record.ItemAdopted
			p.adopted = append(p.adopted, grant.item)
			continue
		}
		p.ops = append(p.ops, grant)
	}
}

// grants tells whether the role has the policy already.
func (x directSeen) grants(op directOp) bool {
	if op.kind == opPutInline {
		return slices.ContainsFunc(x.role.Inline, func(p aws.InlinePolicy) bool {
			return p.Name == op.item.Name && p.Document != nil && p.Document.Digest() == op.item.Digest
		})
	}
	return slices.ContainsFunc(x.role.Attached, func(p aws.AttachedPolicy) bool { return p.ARN == op.arn })
}

// policyDifference tells how a policy of the wanted name differs; nil when it
// does not, or when there is none.
func policyDifference(w directWant, x directSeen, i int) *directDifference {
	p := x.policy(i)
	if p == nil {
		return nil
	}
	wanted := w.documents[i].Document
	d := &directDifference{key: string(record.ItemPolicy) + " " + p.ARN + " " + p.ID, purpose: w.purpose, kind: record.ItemPolicy}
	update := w.policyOp(opUpdatePolicy, i)
	update.arn, update.item.ARN, update.item.ID = p.ARN, p.ARN, p.ID
	tag := w.policyOp(opTagPolicy, i)
	tag.arn = p.ARN
	switch {
	case p.Document == nil:
		d.problem = screen.Problem{What: p.Name + " exists, and rolecall cannot read its document."}
		d.ops = []directOp{update}
	case w.path != "" && p.Path != w.path:
		d.problem = screen.Problem{What: p.Name + " exists under the path " + p.Path + ".", Expected: "the path " + w.path}
		d.fixed = "a path cannot be changed"
	case !policy.Compare(wanted, p.Document).Equal:
		d.problem = step.DifferenceProblem(&aws.PolicySighting{Policy: *p, Difference: policy.Compare(wanted, p.Document)})
		d.ops = []directOp{update}
	}
	if missing := missingTags(w.tags, p.Tags); missing != "" && d.fixed == "" {
		if d.problem.What == "" {
			d.problem = screen.Problem{What: p.Name + " exists without the tags " + missing + "."}
		}
		d.ops = append(d.ops, tag)
	}
	if d.problem.What == "" {
		return nil
	}
	return d.finish("Choose another name for the policy, have rolecall update this one, or stop. Unattended: --policy-name.")
}

func (d *directDifference) finish(next string) *directDifference {
	d.problem.Next, d.problem.Kind, d.problem.Passing = next, screen.NotAsNeeded, false
	if d.problem.Expected == "" {
		d.problem.Expected = "what this session would make"
	}
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

// roleDifference tells how a role of the wanted name differs, apart from a
// policy that is only not attached yet; nil when it does not, or when there is
// none.
func roleDifference(w directWant, x directSeen) *directDifference {
	r := x.role
	if r == nil {
		return nil
	}
	d := &directDifference{key: string(record.ItemRole) + " " + r.ARN + " " + r.ID, purpose: w.purpose, kind: record.ItemRole}
	var words []string
	say := func(word string, kind directOpKind) {
		if !slices.Contains(words, word) { // a stranger fails two checks of the trust policy
			words = append(words, word)
		}
		op := w.roleOp(kind)
		op.item.ARN, op.item.ID = r.ARN, r.ID
		if !slices.ContainsFunc(d.ops, func(o directOp) bool { return o.kind == kind }) {
			d.ops = append(d.ops, op)
		}
	}
	for _, check := range x.report.Checks {
		switch {
		case check.Status != aws.Fail:
		case check.ID == "role-path":
			words, d.fixed = append(words, "its path is "+check.Got), "a path cannot be changed"
		case strings.HasPrefix(check.ID, "trust-"):
			say("it trusts otherwise: "+check.Got, opUpdateTrust)
		case check.ID == "permissions-boundary":
			say("its permissions boundary is "+check.Got, opSetBoundary)
		}
	}
	if w.session != 0 && r.MaxSession != w.session {
		say("its longest session is "+screen.Hours(r.MaxSession), opSetSession)
	}
	if missing := missingTags(w.tags, r.Tags); missing != "" {
		say("it lacks the tags "+missing, opTagRole)
	}
	if extra := extraPolicies(w, x); extra != "" {
		words, d.fixed = append(words, "it also has "+extra), "rolecall takes no policy off a role that it did not make"
	}
	if len(words) == 0 {
		return nil
	}
	d.problem = screen.Problem{What: r.Name + " exists and differs: " + strings.Join(words, "; ") + "."}
	return d.finish("Choose another name for the role, have rolecall update this one, or stop. Unattended: --role-name.")
}

// extraPolicies names what a role has beside the wanted policy. It does not
// count when all of it together is exactly what is wanted.
func extraPolicies(w directWant, x directSeen) string {
	if matches, ok := x.report.Check("policy-matches"); ok && matches.Status == aws.Pass {
		return ""
	}
	known := map[string]bool{}
	for i, doc := range w.documents {
		known[doc.ARN], known[doc.Name] = !w.inline, w.inline
		if p := x.policy(i); p != nil {
			known[p.ARN] = true
		}
	}
	for _, arn := range w.managed {
		known[arn] = true
	}
	var names []string
	for _, p := range x.role.Attached {
		if !known[p.ARN] {
			names = append(names, p.Name)
		}
	}
	for _, p := range x.role.Inline {
		if !known[p.Name] {
			names = append(names, p.Name+" (inline)")
		}
	}
	return strings.Join(names, ", ")
}

// directNeeds are the permissions that looking and these requests take.
func directNeeds(wants []directWant, ops []directOp) []aws.Permission {
	var needs []aws.Permission
	for _, w := range wants {
		need := func(resource string, actions ...string) {
			for _, action := range actions {
				needs = append(needs, aws.Permission{Action: action, Resource: resource})
			}
		}
		for _, doc := range w.documents {
			if !w.inline {
				need(doc.ARN, "iam:GetPolicy", "iam:GetPolicyVersion")
			}
		}
		need(w.roleARN(), "iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies")
		for _, op := range ops {
			if op.want.purpose == w.purpose {
				needs = append(needs, op.needs()...)
			}
		}
	}
	return needs
}

func (w directWant) roleARN() string {
	return aws.RoleARN(w.role.Partition, w.role.AccountID, w.path, w.roleName)
}

// smallestPolicy is for whoever can grant it: what the requests of this plan
// take, or those of an empty account when nothing could be looked at.
func (d *Direct) smallestPolicy() screen.Code {
	ops := d.plan.ops
	if d.seen == nil || len(ops) == 0 {
		ops = planDirect(d.wants, nil, nil).ops
	}
	doc := aws.CallerPolicy(directNeeds(d.wants, append(slices.Clone(d.done), ops...)))
	return screen.Code{Label: "Smallest policy that this takes", Name: "rolecall-caller-policy.json", Body: doc.Pretty(),
		About: fmt.Sprintf("%s characters · for whoever manages your permissions", screen.Thousands(doc.Characters())), Print: true}
}
