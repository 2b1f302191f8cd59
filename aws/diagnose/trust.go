package diagnose

import (
	"cmp"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
)

// trust judges the trust policy: first as it is, then, where the vendor does not
// get in, with one thing put right at a time, so that each thing that is wrong is
// found whatever else is.
func (in *inquest) trust() {
	role := in.role()
	switch {
	case role == nil:
		return
	case role.Trust != nil && in.facts.Want.Web != nil:
		in.web()
		return
	case role.Trust == nil || len(in.facts.Want.Principals) == 0:
		for _, id := range []ID{ExternalID, Principal, RecreatedPrincipal} {
			in.unjudged(id, "The trust policy, or whom it has to trust, is not known.")
		}
		return
	}
	in.otherPartition(role.Trust)
	v := in.ask(role.Trust)
	if v.Enters() {
		in.enters(&v)
		return
	}
	in.principal(role.Trust, &v)
	in.externalID(role.Trust)
}

// ask puts the vendor's request to a trust policy.
func (in *inquest) ask(d *policy.Document) policy.Verdict {
	want := in.facts.Want
	account := want.AccountID
	if arn, ok := aws.SplitARN(in.role().ARN); ok {
		account = arn.AccountID
	}
	return d.Inquire(policy.Inquiry{Partition: want.Partition, Account: account, Vendor: want.Principals, ExternalID: in.sends(),
		NoExternalID: want.NoExternalID && in.sends() == "", Now: in.facts.Seen.Now, Web: want.Web})
}

// web judges a trust policy that has to let in the tokens of an OIDC provider: the
// first of its checks that is wrong says why it does not.
func (in *inquest) web() {
	in.clear(ExternalID, "Tokens of an OIDC provider bring no external ID.")
	in.clear(RecreatedPrincipal, "An OIDC provider is named by its address, which outlives any role or user.")
	v := in.ask(in.role().Trust).Web
	for _, id := range []string{"oidc-provider", "trust-principal", "trust-action", "trust-audience", "trust-subject"} {
		c, ok := in.facts.Report.Check(id)
		if !ok || c.Status != aws.Fail {
			continue
		}
		likelihood := Certain
		if v.Enters() && id != "oidc-provider" {
			likelihood = Possible // it lets in more than it should, the vendor among them
		}
		in.suspect(Principal, likelihood,
			"AWS does not take the token as the role needs it ("+id+"). Wanted: "+c.Want+". Found: "+c.Got+".", c.Fix)
		return
	}
	if v.Enters() {
		in.clear(Principal, "The trust policy lets tokens of "+in.facts.Want.Web.Host()+" about "+in.facts.Want.Web.Subject+" in.")
		return
	}
	in.suspect(Principal, Likely, "The trust policy lets the tokens in only under conditions that nobody here can answer: "+v.Key+".",
		"Remove the conditions beside audience and subject, or compare them with a token.")
}

func (in *inquest) accounts() string { return strings.Join(in.facts.Want.Principals, " and ") }

func (in *inquest) knowsID() bool {
	return in.sends() != "" || in.facts.Want.NoExternalID
}

// enters is a trust policy that lets the vendor in.
func (in *inquest) enters(v *policy.Verdict) {
	in.clear(Principal, "The trust policy lets account "+in.accounts()+" in.")
	in.clear(
		RecreatedPrincipal,
		"The trust policy names the account that lets the vendor in by its number, which outlives any role or user of it.",
	)
	id := v.Vendor[0].ExternalID
	switch {
	case !in.knowsID() && id != "":
		in.suspect(ExternalID, Possible, "The trust policy asks for the external ID "+id+". Which one "+in.vendor()+" sends is not known here.",
			"Compare it with the external ID on the vendor's page, or give that with --external-id.")
	case id == "":
		in.clear(ExternalID, "The trust policy lets the vendor in without an external ID.")
	default:
		in.clear(ExternalID, "The trust policy lets the vendor in with the external ID "+id+".")
	}
}

// sends is the external ID that the vendor sends: the one that it says it holds,
// else the one that the role was made for; empty where neither is known.
func (in *inquest) sends() string { return cmp.Or(in.facts.HeldID, in.facts.Want.ExternalID) }

// otherPartition is about a principal that is the vendor's, in another partition
// than the role's.
func (in *inquest) otherPartition(d *policy.Document) {
	for i := range d.Statements {
		for _, value := range d.Statements[i].Principal["AWS"] {
			p := policy.ParsePrincipal(value)
			if p.Partition != "" && p.Partition != in.facts.Want.Partition && slices.Contains(in.facts.Want.Principals, p.AccountID) {
				in.suspect(Partition, Certain, "The trust policy names "+value+", and the role is in the partition "+in.facts.Want.Partition+
					": accounts of one partition cannot be reached from another.", "Have the trust policy name the vendor's account in "+
					in.facts.Want.Partition+".")
			}
		}
	}
}

// principal judges whom the trust policy names, whatever the external ID.
func (in *inquest) principal(d *policy.Document, v *policy.Verdict) {
	named := slices.ContainsFunc(v.Vendor, func(e policy.Entry) bool { return e.Named || e.Whole })
	gone := "The trust policy names " + strings.Join(v.Gone, ", ") +
		", the ID of a role or user that was deleted. One that was made anew under the same name has another ID."
	entries := in.ask(withoutExternalID(d)).Vendor
	enters := !slices.ContainsFunc(entries, func(e policy.Entry) bool { return e.Outcome != policy.Allowed })
	switch {
	case enters && len(v.Gone) > 0:
		in.clear(RecreatedPrincipal, gone+" Another statement names the vendor, though.")
		in.clear(Principal, "The trust policy names account "+in.accounts()+".")
		return
	case enters:
		in.clear(RecreatedPrincipal, "The trust policy names nobody that was deleted.")
		in.clear(Principal, "The trust policy names account "+in.accounts()+".")
		return
	case len(v.Gone) > 0 && !named:
		in.suspect(RecreatedPrincipal, Certain, gone, in.renewPrincipal())
		if others := in.otherAccounts(d); len(others) == 0 {
			in.clear(Principal, "What the trust policy names besides is nobody else's account.")
			return
		}
	case len(v.Gone) > 0:
		in.clear(RecreatedPrincipal, gone+" It names the vendor too.")
	default:
		in.clear(RecreatedPrincipal, "The trust policy names nobody that was deleted.")
	}
	check := in.trustCheck()
	likelihood := Certain
	if !slices.ContainsFunc(entries, func(e policy.Entry) bool { return e.Outcome == policy.Denied }) {
		likelihood = Likely // it depends on what nobody here can know
	}
	in.suspect(
		Principal,
		likelihood,
		"The trust policy does not let account "+in.accounts()+" in. Found: "+cmp.Or(check.Got, "nobody")+".",
		check.Fix,
	)
}

// trustCheck is the check that says what is wrong about who is let in to do what.
func (in *inquest) trustCheck() aws.Check {
	for _, id := range []string{"trust-principal", "trust-action"} {
		if c, ok := in.facts.Report.Check(id); ok && c.Status != aws.Pass {
			return c
		}
	}
	return aws.Check{Fix: in.renewPrincipal()}
}

func (in *inquest) renewPrincipal() string {
	all := make([]string, 0, len(in.facts.Want.Principals))
	for _, id := range in.facts.Want.Principals {
		all = append(all, "arn:"+cmp.Or(in.facts.Want.Partition, "aws")+":iam::"+id+":root")
	}
	return "On the role's page, Trust relationships, Edit trust policy: set the principal to " + strings.Join(all, " and ") + "."
}

// otherAccounts are principals of accounts that are not the vendor's.
func (in *inquest) otherAccounts(d *policy.Document) []string {
	var out []string
	for i := range d.Statements {
		for _, value := range d.Statements[i].Principal["AWS"] {
			if p := policy.ParsePrincipal(value); p.AccountID != "" && !slices.Contains(in.facts.Want.Principals, p.AccountID) {
				out = append(out, value)
			}
		}
	}
	return out
}

// externalID judges the external ID as if the trust policy named the vendor.
func (in *inquest) externalID(d *policy.Document) {
	asked := trusting(d, in.facts.Want)
	if asked == nil {
		in.clear(ExternalID, "No statement lets another account in, so none asks for an external ID.")
		return
	}
	v := in.ask(asked)
	if v.Enters() {
		if in.knowsID() && !in.causes[ExternalID].found() {
			in.clear(ExternalID, "It is not the external ID that keeps the vendor out.")
		}
		return
	}
	sends := "the external ID " + in.sends()
	fix := "On the role's page, Trust relationships, Edit trust policy: set sts:ExternalId under StringEquals to " + in.sends() + "."
	switch {
	case in.sends() == "":
		sends = "no external ID"
		fix = "Take the condition on sts:ExternalId out of the role's trust policy, or set the same external ID at the vendor."
	case in.facts.Want.ExternalID != "" && in.facts.Want.ExternalID != in.sends():
		sends += ", and not " + in.facts.Want.ExternalID + " any more: somebody had a new one minted"
	}
	asks := cmp.Or(strings.Join(externalIDs(d), ", "), "another external ID")
	in.suspect(ExternalID, Certain, "The trust policy asks for "+asks+"; "+in.vendor()+" sends "+sends+".", fix)
}

func isExternalID(c policy.Condition) bool { return strings.EqualFold(c.Key, policy.ExternalIDKey) }

// externalIDs are those that the document names.
func externalIDs(d *policy.Document) []string {
	var out []string
	for i := range d.Statements {
		for _, c := range d.Statements[i].Condition {
			if operator, _, _ := c.Base(); isExternalID(c) && operator != "Null" {
				out = append(out, c.Values...)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// withoutExternalID is the document without what it asks of the external ID.
func withoutExternalID(d *policy.Document) *policy.Document {
	out := &policy.Document{Version: d.Version}
	for _, s := range d.Statements {
		asks := slices.ContainsFunc(s.Condition, isExternalID)
		if asks && s.Effect == policy.Deny {
			continue
		}
		s.Condition = slices.DeleteFunc(slices.Clone(s.Condition), isExternalID)
		out.Statements = append(out.Statements, s)
	}
	return out
}

// trusting is the document as if each Allow of somebody's account were one of the
// vendor's to assume the role, asking for the external ID alone; nil where there
// is none.
func trusting(d *policy.Document, want aws.Want) *policy.Document {
	other := func(c policy.Condition) bool { return !isExternalID(c) }
	out := &policy.Document{Version: d.Version}
	allows := false
	for _, s := range d.Statements {
		asks := slices.ContainsFunc(s.Condition, isExternalID)
		switch {
		case s.Effect == policy.Deny && !asks:
			continue
		case s.Effect == policy.Allow && len(s.Principal["AWS"])+len(s.Principal["*"]) == 0 && s.NotPrincipal == nil:
			continue
		}
		s.Condition = slices.DeleteFunc(slices.Clone(s.Condition), other)
		if s.Effect == policy.Allow {
			allows = true
			s.Action, s.NotAction, s.NotPrincipal = []string{policy.AssumeRole}, nil, nil
			s.Principal = policy.Principals{"AWS": slices.Clone(want.Principals)}
		}
		out.Statements = append(out.Statements, s)
	}
	if !allows {
		return nil
	}
	return out
}
