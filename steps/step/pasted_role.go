package step

import (
	"slices"

	"rolecall/aws"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// CheckCustomer refuses the vendor's own account where the customer's is meant:
// both stand in the vendor's console, and are easily taken for each other.
func (s *Session) CheckCustomer(accountID string) error {
	if !slices.Contains(s.vendorsAccounts(), accountID) {
		return nil
	}
	return &screen.Fault{Problem: screen.Problem{
		What:     accountID + " is " + s.Vendor.Whose() + " own account, the one that your role trusts.",
		Expected: "your AWS account",
		Next:     "Take what belongs to the account that you are signed in to in the AWS console.",
		Kind:     screen.NotAsNeeded,
	}}
}

// vendorsAccounts are the accounts that the vendor's roles trust here.
func (s *Session) vendorsAccounts() []string {
	var all []string
	for i := range s.Vendor.Roles {
		all = append(all, s.Request().Trusted(s.Vendor.Roles[i].Purpose)...)
	}
	return all
}

// ExpectedAccount is the account that what is pasted of a part has to be of; empty
// where any will do, since that part alone told which one it is.
func (s *Session) ExpectedAccount(purpose string) string {
	if s.AccountFrom == purpose {
		return ""
	}
	return s.AccountID
}

// TakeRoleARN takes the pasted ARN of a part's role where rolecall cannot look
// into the account. Where the account was not known, the ARN teaches it; another
// ARN of the same part teaches another one, and what was pasted for other parts
// out of the account that was wrong is forgotten.
func (s *Session) TakeRoleARN(purpose, text string) error {
	expected := s.ExpectedAccount(purpose)
	ref, err := aws.ParseRoleARN(text, s.Partition, expected)
	if err != nil {
		return err
	}
	if err := s.learn(purpose, accountOf(ref.ARN)); err != nil {
		return err
	}
	s.SetPart(purpose, func(p *record.Part) {
		if p.RoleARN != ref.ARN {
			p.HandedOver = false
		}
		p.RoleARN, p.RoleName, p.RoleID = ref.ARN, ref.Name, ""
	})
	return nil
}

// learn takes the account of what was pasted of a part, where none was known.
func (s *Session) learn(purpose, account string) error {
	if err := s.CheckCustomer(account); err != nil {
		return err
	}
	if s.ExpectedAccount(purpose) != "" {
		return nil
	}
	s.AccountID, s.AccountFrom = account, purpose
	for other, part := range s.Parts {
		if part.RoleARN != "" && accountOf(part.RoleARN) != account {
			s.SetPart(other, func(p *record.Part) { p.RoleARN, p.RoleID, p.HandedOver = "", "", false })
		}
	}
	return nil
}

// TakePastedUser takes the user that pasted evidence shows to be right, and its
// account as TakeRoleARN does.
func (s *Session) TakePastedUser(purpose string, report aws.UserReport) error {
	if err := s.learn(purpose, accountOf(report.User.ARN)); err != nil {
		return err
	}
	s.TakeUser(purpose, report)
	return nil
}

// accountOf is the account of an ARN; empty where there is none.
func accountOf(arn string) string {
	parsed, _ := aws.SplitARN(arn)
	return parsed.AccountID
}
