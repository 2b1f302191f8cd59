package record

import "maps"

// ForAnotherRehearsal are the answers of a rehearsal without what existed only in the
// account and at the vendor that ended with it: what was made or seen there,
// the external ID, and every answer that rests on them. What the person chose
// stays, so that going on begins where something has to be made again.
func (a Answers) ForAnotherRehearsal() Answers {
	parts := make(map[string]Part, len(a.Parts))
	for purpose, part := range a.Parts {
		parts[purpose] = Part{Needed: part.Needed, PolicyName: part.PolicyName, RoleName: part.RoleName, NameGiven: part.NameGiven,
			UserName: part.UserName, UserNameGiven: part.UserNameGiven}
	}
	a.Parts = parts
	chosen := map[StepID]bool{StepVendor: true, StepPartition: true, StepLogin: true, StepPermissions: true}
	a.Rests = maps.Clone(a.Rests)
	maps.DeleteFunc(a.Rests, func(id StepID, _ string) bool { return !chosen[id] })
	a.Seen = Seen{}
	return a
}
