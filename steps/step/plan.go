package step

import (
	"rolecall/policy"
	"rolecall/policy/review"
	"rolecall/steps/access"
	"rolecall/steps/describe"
	"rolecall/steps/plan"
	"rolecall/steps/screen"
)

// MakePlan writes down what the session would create. It sends nothing. The
// error names what is missing.
func (s *Session) MakePlan(tool string) (*plan.Plan, error) {
	p := &plan.Plan{
		Kind: plan.FileKind, Format: plan.Format, Created: s.Now().UTC(), Tool: tool,
		Data:   review.Source{Version: policy.AWS().Version(), Date: policy.AWS().Date()},
		Vendor: s.Answers.Vendor, Method: s.Method, Access: s.Access, Partition: s.Partition, AccountID: s.AccountID,
		VendorAccount: s.VendorAccount, Selection: s.Selection, Settings: s.Settings,
		Roles: []plan.Role{}, Documents: []plan.Document{}, Approvals: []plan.Approval{},
	}
	for _, role := range s.NeededRoles() {
		if err := addRole(p, s, role.Purpose); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func addRole(p *plan.Plan, s *Session, purpose string) error {
	part := s.Part(purpose)
	planned := plan.Role{Purpose: purpose, RoleName: part.RoleName, UserName: part.UserName, PolicyName: part.PolicyName}
	user := s.AccessOrRole() == describe.AccessUser
	if !user {
		planned.ManagedPolicies = s.ManagedPolicies(purpose)
		planned.Trusts, planned.ExternalID = s.TrustedAccounts(purpose), part.ExternalID
	}
	if !user && planned.ExternalID == "" && s.needsExternalID(purpose) {
		planned.ExternalID = plan.UnknownExternalID
	}
	p.Roles = append(p.Roles, planned)
	documents, err := s.WantedDocuments(purpose)
	if err != nil {
		return err
	}
	for _, d := range documents {
		options := review.Options{Partition: s.Partition, Account: s.AccountID, Cost: s.costOf(purpose), Now: s.Now()}
		if s.Role(purpose).Inline {
			options.Limit = policy.MaxRoleInline
		}
		p.Add(plan.Document{Purpose: purpose, Kind: plan.Permissions, Name: d.Name}, d.Document, options)
	}
	if user {
		return nil
	}
	trust := s.Vendor.Trust(s.Role(purpose), s.Partition, s.TrustedAccount, planned.ExternalID)
	if trust == nil {
		return &screen.Fault{Problem: screen.Problem{What: "The account to trust is not known.", Expected: "the vendor's account in " + s.Partition,
			Next: "Give it with --trusted-account.", Kind: screen.Usage}}
	}
	p.Add(plan.Document{Purpose: purpose, Kind: plan.Trust, Name: part.RoleName}, trust,
		review.Options{Kind: policy.Trust, Partition: s.Partition, Account: s.AccountID, Vendors: planned.Trusts, Now: s.Now()})
	return nil
}

// PlanProblem refuses what the plan's approval does not name; nil without a
// plan, and where everything that the role needs was approved.
func (s *Session) PlanProblem(purpose string) *screen.Problem {
	if s.Plan == nil {
		return nil
	}
	documents, err := s.WantedDocuments(purpose)
	if err != nil {
		return ProblemOf(err)
	}
	for _, d := range documents {
		if !s.Plan.Approves(d.Document.Digest()) {
			return notApproved("policy "+d.Name, d.Document.Digest())
		}
	}
	for _, arn := range s.ManagedPolicies(purpose) {
		if !s.Plan.ApprovesManaged(arn) {
			return notApproved("AWS managed policy "+access.PolicyNameOf(arn), arn)
		}
	}
	known := s.Part(purpose).ExternalID != "" || !s.needsExternalID(purpose)
	if trust := s.WantedTrust(purpose); trust != nil && known && !s.trustApproved(purpose) {
		return notApproved("trust policy of "+s.Part(purpose).RoleName, trust.Digest())
	}
	return nil
}

// PlanProblems refuses what the plan's approval does not name of any role.
func (s *Session) PlanProblems() *screen.Problem {
	for _, role := range s.NeededRoles() {
		if p := s.PlanProblem(role.Purpose); p != nil {
			return p
		}
	}
	return nil
}

func notApproved(what, digest string) *screen.Problem {
	return &screen.Problem{What: "The plan's approval does not name the " + what + ".", Expected: "a document that was approved",
		Next: "Plan with the same flags, have the plan approved (rolecall approve FILE), and give it with --plan.", Found: digest, Kind: screen.NotAsNeeded}
}

// trustApproved reports whether the wanted trust policy was approved, as it is
// or with the external ID left open.
func (s *Session) trustApproved(purpose string) bool {
	role := s.Role(purpose)
	open := s.Vendor.Trust(role, s.Partition, s.TrustedAccount, plan.UnknownExternalID)
	trust := s.WantedTrust(purpose)
	return trust != nil && s.Plan.Approves(trust.Digest()) || open != nil && s.needsExternalID(purpose) && s.Plan.Approves(open.Digest())
}

// approvedDigests are the documents that the role may have, by digest, and the
// AWS managed policies, by ARN; nil without a plan.
func (s *Session) approvedDigests(purpose string) []string {
	if s.Plan == nil {
		return nil
	}
	digests := []string{}
	for _, d := range s.Plan.Documents {
		if d.Purpose == purpose && s.Plan.Approves(d.Digest) {
			digests = append(digests, d.Digest)
		}
	}
	for _, arn := range s.ManagedPolicies(purpose) {
		if s.Plan.ApprovesManaged(arn) {
			digests = append(digests, arn)
		}
	}
	if trust := s.WantedTrust(purpose); trust != nil && s.trustApproved(purpose) {
		digests = append(digests, trust.Digest())
	}
	return digests
}
