package step

import (
	"cmp"
	"strings"

	"rolecall/steps/access"
	"rolecall/steps/plan"
	"rolecall/steps/screen"
)

// PlanProblem refuses what the plan's approval does not name; nil without a
// plan, and where everything that the role needs was approved.
func (s *Session) PlanProblem(purpose string) *screen.Problem {
	if s.Plan == nil {
		return nil
	}
	if p := s.offPlan(purpose); p != nil {
		return p
	}
	g, err := s.Grant(purpose)
	if err != nil {
		return ProblemOf(err)
	}
	for _, d := range g.Documents {
		if !s.Plan.ApprovesAs(purpose, plan.Permissions, d.Document.Digest()) {
			return notApproved("policy "+d.Name, d.Document.Digest())
		}
	}
	for _, arn := range g.Managed {
		if !s.Plan.ApprovesManaged(purpose, arn) {
			return notApproved(access.PolicyKind(arn)+" "+access.PolicyNameOf(arn), arn)
		}
	}
	known := g.ExternalID != "" || !g.NeedsExternalID()
	if g.Trust != nil && known && !s.trustApproved(g) {
		return notApproved("trust policy of "+g.Name, g.Trust.Digest())
	}
	return nil
}

// PlanProblems refuses what the plan's approval does not name of any role.
func (s *Session) PlanProblems() *screen.Problem {
	for _, role := range s.Request().Needed() {
		if p := s.PlanProblem(role.Purpose); p != nil {
			return p
		}
	}
	return nil
}

func notApproved(what, digest string) *screen.Problem {
	return &screen.Problem{
		What:     "The plan's approval does not name the " + what + ".",
		Expected: "a document that was approved",
		Next:     "Plan with the same answers, have the plan approved (rolecall approve FILE), and begin again with it.",
		Flag:     "--plan",
		Found:    digest,
		Kind:     screen.NotAsNeeded,
	}
}

// offPlan refuses names and accounts that are not the plan's: no document says
// them. What the plan leaves open may be anything.
func (s *Session) offPlan(purpose string) *screen.Problem {
	planned, _ := s.Plan.Role(purpose) // without one its documents are not approved either
	part := s.Part(purpose)
	for _, one := range []struct{ what, planned, found string }{
		{"name of the role", planned.RoleName, part.RoleName}, {"name of the user", planned.UserName, part.UserName},
		{"name of the policy", planned.PolicyName, part.PolicyName}, {"AWS account", s.Plan.AccountID, s.AccountID},
		{"account at " + s.Vendor.Title, s.Plan.VendorAccount, s.VendorAccount},
		{"name of the stack", s.Plan.StackName, cmp.Or(s.Stack.Name, s.Plan.StackName)}, // empty until the step names it
	} {
		if one.planned != "" && !strings.EqualFold(one.planned, one.found) {
			return &screen.Problem{What: "The " + one.what + " is " + one.found + ", and the plan says " + one.planned + ".",
				Expected: "what was approved", Wanted: one.planned, Found: one.found, Kind: screen.NotAsNeeded,
				Next: "Go back and take the plan's, or plan anew and have that approved (rolecall approve FILE)."}
		}
	}
	return nil
}

// trustApproved reports whether the wanted trust policy was approved, as it is
// or with the external ID left open.
func (s *Session) trustApproved(g access.Grant) bool {
	if g.Trust == nil {
		return false
	}
	open := g.TrustUnder(plan.UnknownExternalID)
	return s.Plan.ApprovesAs(g.Purpose, plan.Trust, g.Trust.Digest()) ||
		g.NeedsExternalID() && s.Plan.ApprovesAs(g.Purpose, plan.Trust, open.Digest())
}

// approvedDigests are the documents that the role may have, by digest, and the
// AWS managed policies, by ARN; nil without a plan.
func (s *Session) approvedDigests(g access.Grant) []string {
	if s.Plan == nil {
		return nil
	}
	digests := []string{}
	for _, d := range s.Plan.Documents {
		if d.Purpose == g.Purpose && s.Plan.Approves(d.Digest) {
			digests = append(digests, d.Digest)
		}
	}
	for _, arn := range g.Managed {
		if s.Plan.ApprovesManaged(g.Purpose, arn) {
			digests = append(digests, arn)
		}
	}
	if s.trustApproved(g) {
		digests = append(digests, g.Trust.Digest())
	}
	return digests
}
