package policy

import (
	"bytes"
	"maps"
	"slices"
	"strings"
)

// NewTrust makes the trust policy of a role that the given principals may
// assume (see PrincipalARN): sts:AssumeRole under StringEquals sts:ExternalId,
// or without a condition where externalID is "".
func NewTrust(partition string, principals []string, externalID string) *Document {
	s := Statement{Effect: Allow, Principal: Principals{}, Action: []string{"sts:AssumeRole"}}
	for _, who := range principals {
		s.Principal["AWS"] = append(s.Principal["AWS"], PrincipalARN(partition, who))
	}
	if externalID != "" {
		s.Condition = []Condition{{Operator: "StringEquals", Key: "sts:ExternalId", Values: []string{externalID}, scalar: true}}
	}
	s.form.scalar = map[string]bool{"Action": true, "Principal.AWS": true}
	return NewDocument(s)
}

// PrincipalARN is how a trust policy names a principal: an account's number
// becomes the ARN of the account as a whole, and an ARN stays.
func PrincipalARN(partition, who string) string {
	if isAccountID(who) {
		return "arn:" + partition + ":iam::" + who + ":root"
	}
	return who
}

// InPartition returns the document with every ARN in the given partition: in
// resources, principals and condition values. Nothing else changes.
func (d *Document) InPartition(partition string) *Document {
	move := func(value string) string {
		rest, ok := strings.CutPrefix(value, "arn:")
		if !ok {
			return value
		}
		old, tail, ok := strings.Cut(rest, ":")
		if !ok || !slices.Contains(Partitions(), old) {
			return value
		}
		return "arn:" + partition + ":" + tail
	}
	return d.mapped(move)
}

// mapped applies a function to resources, principals and condition values.
func (d *Document) mapped(change func(string) string) *Document {
	each := func(values []string) []string {
		if values == nil {
			return nil
		}
		out := make([]string, len(values))
		for i, v := range values {
			out[i] = change(v)
		}
		return out
	}
	principals := func(p Principals) Principals {
		out := maps.Clone(p)
		for kind := range out {
			out[kind] = each(out[kind])
		}
		return out
	}
	out := *d
	out.Statements = slices.Clone(d.Statements)
	for i := range out.Statements {
		s := &out.Statements[i]
		s.Resource, s.NotResource = each(s.Resource), each(s.NotResource)
		s.Principal, s.NotPrincipal = principals(s.Principal), principals(s.NotPrincipal)
		s.Condition = slices.Clone(s.Condition)
		for j := range s.Condition {
			s.Condition[j].Values = each(s.Condition[j].Values)
		}
	}
	return &out
}

// Select returns a document of the statements with the given Sids, in the
// order in which d has them. Sids that d lacks are left out.
func (d *Document) Select(sids ...string) *Document {
	out := &Document{Version: d.Version, ID: d.ID}
	for _, s := range d.Statements {
		if s.Sid != "" && slices.Contains(sids, s.Sid) {
			out.Statements = append(out.Statements, s)
		}
	}
	return out
}

// Merge joins the statements of several documents in order, in the current
// version. A statement that repeats an earlier one under the same Sid is left
// out; another statement under a taken Sid loses it, since AWS refuses a Sid
// that stands twice.
func Merge(docs ...*Document) *Document {
	out := NewDocument()
	taken := map[string]*Statement{}
	for _, d := range docs {
		for i := range d.Statements {
			s := d.Statements[i]
			if first := taken[s.Sid]; s.Sid != "" && first != nil {
				if sameStatement(first, &s) {
					continue
				}
				s.Sid = ""
			}
			if s.Sid != "" {
				taken[s.Sid] = &d.Statements[i]
			}
			out.Statements = append(out.Statements, s)
		}
	}
	return out
}

func sameStatement(a, b *Statement) bool {
	return bytes.Equal(canonicalJSON(a.canonical()), canonicalJSON(b.canonical()))
}
