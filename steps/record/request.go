package record

import (
	"rolecall/steps/access"
	"rolecall/steps/describe"
)

// Request is what these answers want the vendor to get. The description is that
// of the vendor that they name.
func (a *Answers) Request(v *describe.Vendor) access.Request {
	names := make(map[string]access.Names, len(a.Parts))
	for purpose, part := range a.Parts {
		names[purpose] = access.Names{Policy: part.PolicyName, Role: part.RoleName, User: part.UserName, ExternalID: part.ExternalID,
			Principal: part.Principal, Closed: part.Closed}
	}
	return access.Request{Vendor: v, Access: a.Access, Partition: a.Partition, AccountID: a.AccountID, TrustedAccount: a.TrustedAccount,
		Selection: a.Selection, Settings: a.Settings, Names: names}
}
