package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"rolecall/policy/review"
)

// settings is the digest of what the plan says beside its documents.
func (p *Plan) settings() string {
	s := *p
	s.Created, s.Tool, s.Data, s.Documents, s.Approvals = time.Time{}, "", review.Source{}, nil, nil
	text, err := json.Marshal(s)
	if err != nil {
		return "" // a plan is plain values
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// SettingsApproved tells whether an approval is about the plan's names and
// settings as they are now. What no document says, such as the permissions
// boundary, may have been changed after the approval.
func (p *Plan) SettingsApproved() bool {
	return slices.ContainsFunc(p.Approvals, func(a Approval) bool { return a.Settings == p.settings() })
}

// ApprovesManaged tells whether the plan has an AWS managed policy and was
// approved with it.
func (p *Plan) ApprovesManaged(arn string) bool {
	return p.SettingsApproved() && slices.ContainsFunc(p.Roles, func(r Role) bool { return slices.Contains(r.ManagedPolicies, arn) })
}
