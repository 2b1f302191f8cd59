package record

// Disconnected are the answers after everything that the session made is gone:
// what was found and handed over is open again.
func (a Answers) Disconnected() Answers {
	a.Seen = Seen{}
	for purpose := range a.Parts {
		a.SetPart(purpose, func(p *Part) {
			policies := make([]PartPolicy, len(p.Policies))
			for i, policy := range p.Policies {
				policy.ARN = ""
				policies[i] = policy
			}
			*p = Part{Needed: p.Needed, PolicyName: p.PolicyName, RoleName: p.RoleName, NameGiven: p.NameGiven, ExternalID: p.ExternalID,
				Minted: p.Minted, Policies: policies}
		})
	}
	return a
}
