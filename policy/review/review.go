package review

import (
	"cmp"
	"slices"
	"strings"

	"rolecall/policy"
)

// maxReviewed is the length, in characters that AWS counts, beyond which a
// document is refused without asking what it grants. AWS's own managed
// policies, which may be longer than ours, stay below.
const maxReviewed = 65536

// Review says what is wrong with a document. It never fails: a text that is no
// policy at all is refused in the first finding.
func Review(text []byte, opts Options) Report {
	read := policy.Recognise(text, opts.Kind)
	if read.Form.Where != "" {
		text = []byte(read.Text)
	}
	if read.Kind != opts.Kind {
		opts.Kind, opts.Trust = read.Kind, nil
	}
	doc, limit := read.Document, opts.limit()
	r := Report{Verdict: "accepted", Data: Source{policy.AWS().Version(), policy.AWS().Date()}, Document: doc, Kind: opts.Kind.String(),
		Read: read.Form.What, Where: read.Form.Where, Policy: Size{Limit: limit, Characters: charactersOf(text)},
		Actions: Counts{ByAccess: map[string]int{}, ByService: map[string]int{}}}
	r.Findings = refusals(read.Refusals, doc)
	if doc == nil || read.Form.Next != "" {
		r.Verdict = "refused"
		if doc != nil && r.Policy.Characters <= maxReviewed {
			r.Findings = append(r.Findings, newModel(doc, &opts).unknownNames()...)
		}
		return r
	}
	r.Policy.Digest, r.Policy.Statements = doc.Digest(), len(doc.Statements)
	r.Findings = append(r.Findings, tooLong(opts.Kind, r.Policy.Characters, limit)...)
	if r.Policy.Characters <= maxReviewed {
		r.judge(doc, &opts)
	}
	if slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Class == Refused }) {
		r.Verdict = "refused"
	}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Fix == "" {
			f.Fix = advice(f)
		}
	}
	r.readTogether(opts)
	r.order()
	return r
}

// charactersOf counts what AWS counts; of a text that is far too long, bytes.
func charactersOf(text []byte) int {
	if len(text) > 4*policy.MaxDocumentBytes {
		return len(text)
	}
	return policy.Characters(string(text))
}

func (o *Options) limit() int {
	switch {
	case o.Limit > 0:
		return o.Limit
	case o.Kind == policy.Trust:
		return policy.MaxTrust
	}
	return policy.MaxManaged
}

// judge adds what the document does, beyond its form.
func (r *Report) judge(doc *policy.Document, opts *Options) {
	m := newModel(doc, opts)
	if opts.Kind == policy.Trust {
		r.Findings = append(r.Findings, m.trusts()...)
		for _, st := range m.statements {
			r.Findings = append(r.Findings, m.conditions(st)...)
		}
		for _, st := range m.statements {
			r.Actions.Entries += len(st.entries)
		}
		return
	}
	x := m.expand()
	r.Actions = m.counts(x)
	found := m.risks(x)
	found = append(found, m.effects(x)...)
	m.fix(found, r.Policy.Characters)
	found = append(found, m.tidiness(r.Actions, r.Policy.Characters, r.Policy.Limit)...)
	for i := range found {
		f := &found[i]
		if opts.Cost != nil && f.Class == Risk && len(f.Actions) > 0 {
			f.Cost = cost(opts, f)
		}
	}
	r.Findings = append(r.Findings, found...)
}

// cost asks for every statement that grants the finding's actions.
func cost(opts *Options, f *Finding) string {
	var out []string
	asked := map[string]bool{}
	for _, p := range f.Places {
		if p.Statement == "" || asked[p.Statement] {
			continue
		}
		asked[p.Statement] = true
		if text := opts.Cost(p.Statement, f.Actions); text != "" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return strings.Join(out, " ")
}

// readTogether adds the findings of a trust policy that was given beside an
// identity policy, and what the two mean together.
func (r *Report) readTogether(opts Options) {
	if opts.Trust == nil || opts.Kind == policy.Trust {
		return
	}
	trustOpts := opts
	trustOpts.Kind, trustOpts.Trust, trustOpts.Limit = policy.Trust, nil, 0
	trust := Review(opts.Trust, trustOpts)
	r.Trust = &trust.Policy
	if trust.Verdict == "refused" {
		r.Verdict = "refused"
	}
	open := slices.IndexFunc(trust.Findings, func(f Finding) bool {
		return f.Class == Risk && f.Severity.Rank() >= Medium.Rank() || f.Category == "trust-wildcard-principal"
	})
	for i := range trust.Findings {
		trust.Findings[i].Document = "trust"
	}
	worst := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Class == Risk && f.Severity == High })
	if open >= 0 && worst >= 0 {
		door, room := trust.Findings[open], r.Findings[worst]
		f := door
		f.ID, f.Severity, f.Fix, f.Patch = "together", High, door.Fix, nil
		f.Title = "An open door to high permissions"
		f.Why = door.Title + ", and the role then " + strings.ToLower(room.Title[:1]) + room.Title[1:] +
			". Either alone is less bad than both together."
		f.Actions = room.Actions
		r.Findings = append(r.Findings, f)
	}
	r.Findings = append(r.Findings, trust.Findings...)
}

// order puts the worst first, then by place. AWS's own order of refusals is
// kept, since AWS reports the first only.
func (r *Report) order() {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		if a.Class == Refused && b.Class == Refused {
			return 0
		}
		return cmp.Or(
			cmp.Compare(b.Severity.Rank(), a.Severity.Rank()),
			cmp.Compare(btoi(a.Document != ""), btoi(b.Document != "")),
			cmp.Compare(classRank(a.Class), classRank(b.Class)),
			cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.ID, b.ID))
	})
}

func classRank(c Class) int {
	return slices.Index([]Class{Refused, Risk, NoEffect, Untidy}, c)
}
