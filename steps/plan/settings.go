package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"rolecall/policy/review"
	"rolecall/steps/screen"
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

// ApprovesManaged tells whether the plan gives a role an AWS managed policy and
// was approved with it.
func (p *Plan) ApprovesManaged(purpose, arn string) bool {
	role, _ := p.Role(purpose)
	return p.SettingsApproved() && slices.Contains(role.ManagedPolicies, arn)
}

// Differs says what a plan made anew from the same request would hold otherwise
// (the vendor's description, or the file, was changed since); nil when nothing.
func (p *Plan) Differs(anew *Plan) *screen.Problem {
	differs := func(what, planned, now string) *screen.Problem {
		return &screen.Problem{What: "The plan's " + what + " is not what would be made now.", Expected: "what was approved",
			Wanted: planned, Found: now,
			Next: "Plan anew, have that approved (rolecall approve FILE), and begin again with it.", Flag: "--plan", Kind: screen.NotAsNeeded}
	}
	if a, b := p.Delegation.spell(), anew.Delegation.spell(); a != b {
		return differs("delegation request", a, b)
	}
	for i := range max(len(p.Roles), len(anew.Roles)) {
		planned, now := at(p.Roles, i), at(anew.Roles, i)
		if a, b := spell(planned), spell(now); a != b {
			return differs("role "+cmp.Or(planned.RoleName, planned.UserName, now.Purpose), a, b)
		}
	}
	for i := range max(len(p.Documents), len(anew.Documents)) {
		planned, now := at(p.Documents, i), at(anew.Documents, i)
		if planned.Purpose != now.Purpose || planned.Kind != now.Kind || planned.Name != now.Name || planned.Digest != now.Digest {
			return differs("document "+strings.TrimSpace(planned.Kind+" "+planned.Name), planned.Digest, now.Digest)
		}
	}
	return nil
}

func at[T any](list []T, i int) T {
	var none T
	if i < len(list) {
		return list[i]
	}
	return none
}

// spell writes a role for people to compare.
func spell(r Role) string {
	text, err := json.Marshal(r)
	if err != nil {
		return r.Purpose // a role is plain values
	}
	return string(text)
}
