package step

import (
	"rolecall/aws"
	"rolecall/aws/diagnose"
	"rolecall/steps/describe"
)

// Result is what a session made or found, as scripts read it. Every list is
// there, empty when there is nothing in it.
type Result struct {
	Session       string         `json:"session,omitempty"` // empty when nothing of it is kept
	Vendor        string         `json:"vendor"`
	Method        string         `json:"method"`
	Access        string         `json:"access"`
	Partition     string         `json:"partition"`
	AccountID     string         `json:"account_id"`
	VendorAccount string         `json:"vendor_account"`
	ExternalID    string         `json:"external_id"`
	Policies      []ResultPolicy `json:"policies"`
	// ManagedPolicies are the ARNs of AWS managed policies that the roles have.
	ManagedPolicies []string      `json:"managed_policies,omitempty"`
	Roles           []ResultRole  `json:"roles"`
	Users           []ResultUser  `json:"users"`
	Stacks          []ResultStack `json:"stacks"`
	Submitted       bool          `json:"submitted"` // the vendor's API, or its declared request, took every role
	Checks          []aws.Check   `json:"checks"`
	// Causes are why the vendor refused the role, the likeliest first; empty where
	// it did not.
	Causes    []diagnose.Cause `json:"causes,omitempty"`
	Rehearsal bool             `json:"rehearsal,omitempty"`
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
		AccountID: s.AccountID, VendorAccount: s.VendorAccount, Rehearsal: s.Rehearsal, Causes: s.Causes,
		Policies: []ResultPolicy{}, Roles: []ResultRole{}, Users: []ResultUser{}, Stacks: []ResultStack{}, Checks: []aws.Check{},
	}
	if s.Vendor == nil {
		return r
	}
	if s.Stack.ID != "" {
		r.Stacks = append(r.Stacks, ResultStack{Name: s.Stack.Name, ID: s.Stack.ID})
	}
	submitted, handed := 0, 0
	request := s.Request()
	for _, role := range request.Needed() {
		part, seen := s.Part(role.Purpose), s.Seen.Parts[role.Purpose]
		if r.ExternalID == "" {
			r.ExternalID = part.ExternalID
		}
		for _, p := range part.Policies {
			if p.ARN == "" && part.RoleARN == "" && part.UserARN == "" {
				continue // wanted, and not seen anywhere yet
			}
			r.Policies = append(r.Policies, ResultPolicy{ARN: p.ARN, Digest: p.Digest, Characters: p.Characters})
		}
		if part.RoleARN != "" {
			r.ManagedPolicies = append(r.ManagedPolicies, request.Managed(role.Purpose)...)
			r.Roles = append(r.Roles, ResultRole{Purpose: role.Purpose, ARN: part.RoleARN, ID: part.RoleID})
		}
		if (part.UserARN != "" || s.GuideOnly) && role.Access == describe.AccessUser {
			r.Users = append(r.Users, ResultUser{Name: part.UserName, ARN: part.UserARN, AccessKeyID: part.KeyID})
		}
		if seen.User != nil {
			r.Checks = append(r.Checks, seen.User.Checks...)
		}
		if seen.Report != nil {
			r.Checks = append(r.Checks, seen.Report.Checks...)
		}
		if role.Submit || s.Vendor.HandOver.URL != "" {
			handed++
			if !part.Submitted.IsZero() {
				submitted++
			}
		}
	}
	r.Submitted = handed > 0 && submitted == handed
	return r
}
