package step

import (
	"rolecall/steps/record"
)

// OpenLedger is the session's receipt, in memory alone where none is kept.
func (s *Session) OpenLedger() *record.Ledger {
	if s.Ledger == nil {
		s.Ledger = &record.Ledger{}
	}
	return s.Ledger
}

// ReceiptHead says whose receipt it is.
func (s *Session) ReceiptHead() record.Receipt {
	region := s.Region
	if s.AWS != nil {
		region = s.AWS.Region() // a stack is found again in its region alone
	}
	return record.Receipt{Session: s.ID, Rehearsal: s.Rehearsal, Vendor: s.Answers.Vendor, VendorAccount: s.VendorAccount,
		Method: s.Method, Access: s.Access, Partition: s.Partition, AccountID: s.AccountID,
		Profile: s.Profile, Region: region, Endpoint: s.Endpoint}
}

// Caller is the ARN of who is signed in.
func (s *Session) Caller() string {
	if s.Seen.Identity == nil {
		return ""
	}
	return s.Seen.Identity.ARN
}
