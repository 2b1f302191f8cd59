package steps

import (
	"rolecall/aws"
	"rolecall/policy"
)

// Result is what a session made or found, as scripts read it. Every list is
// there, empty when there is nothing in it.
type Result struct {
	Session       string         `json:"session"`
	Vendor        string         `json:"vendor"`
	Method        string         `json:"method"`
	Access        string         `json:"access"`
	Partition     string         `json:"partition"`
	AccountID     string         `json:"account_id"`
	VendorAccount string         `json:"vendor_account"`
	ExternalID    string         `json:"external_id"`
	Policies      []ResultPolicy `json:"policies"`
	Roles         []ResultRole   `json:"roles"`
	Users         []ResultUser   `json:"users"`
	Stacks        []ResultStack  `json:"stacks"`
	Submitted     bool           `json:"submitted"` // the vendor's API accepted every role
	Checks        []aws.Check    `json:"checks"`
	Rehearsal     bool           `json:"rehearsal,omitempty"`
}

// ResultPolicy is one permissions policy. Characters are counted as IAM does,
// without white space.
type ResultPolicy struct {
	ARN        string `json:"arn"`
	Digest     string `json:"digest"`
	Characters int    `json:"characters"`
}

// ResultRole is one role, by what the vendor uses it for.
type ResultRole struct {
	Purpose string `json:"purpose"`
	ARN     string `json:"arn"`
	ID      string `json:"id"`
}

// ResultUser is one IAM user. Its secret is never in a result.
type ResultUser struct {
	Name        string `json:"name"`
	ARN         string `json:"arn"`
	AccessKeyID string `json:"access_key_id"`
}

// ResultStack is one CloudFormation stack.
type ResultStack struct {
	Name string `json:"name"`
	ID   string `json:"id"`
}

// Result sums up what is known now.
func (s *Session) Result() Result {
	r := Result{
		Session: s.ID, Vendor: s.Answers.Vendor, Method: s.Method, Access: s.Access, Partition: s.Partition,
		AccountID: s.AccountID, VendorAccount: s.VendorAccount, Rehearsal: s.Rehearsal,
		Policies: []ResultPolicy{}, Roles: []ResultRole{}, Users: []ResultUser{}, Stacks: []ResultStack{}, Checks: []aws.Check{},
	}
	if s.Vendor == nil {
		return r
	}
	submitted, handed := 0, 0
	for _, role := range s.NeededRoles() {
		part, seen := s.Part(role.Purpose), s.Seen.Parts[role.Purpose]
		if r.ExternalID == "" {
			r.ExternalID = part.ExternalID
		}
		if p, ok := resultPolicy(part, seen); ok {
			r.Policies = append(r.Policies, p)
		}
		if part.RoleARN != "" {
			r.Roles = append(r.Roles, ResultRole{Purpose: role.Purpose, ARN: part.RoleARN, ID: part.RoleID})
		}
		if seen.Report != nil {
			r.Checks = append(r.Checks, seen.Report.Checks...)
		}
		if role.Submit {
			handed++
			if !part.Submitted.IsZero() {
				submitted++
			}
		}
	}
	r.Submitted = handed > 0 && submitted == handed
	return r
}

// resultPolicy describes the policy as it is in AWS where it was seen there,
// else as it was wanted.
func resultPolicy(part Part, seen SeenPart) (ResultPolicy, bool) {
	p := ResultPolicy{ARN: part.PolicyARN, Digest: part.PolicyDigest}
	var document *policy.Document
	switch {
	case seen.Policy != nil && seen.Policy.Document != nil:
		document = seen.Policy.Document
	case seen.Wanted != nil:
		document = seen.Wanted
	}
	if document != nil {
		p.Digest, p.Characters = document.Digest(), document.Characters()
	}
	return p, p.ARN != ""
}
