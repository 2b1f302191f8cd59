package review

import (
	"fmt"
	"strings"

	"rolecall/policy"
	"rolecall/policy/words"
)

// refusals turns what AWS would refuse into findings, in AWS's order.
func refusals(list []policy.Refusal, doc *policy.Document) []Finding {
	out := make([]Finding, 0, len(list))
	for i := range list {
		r := &list[i]
		f := Finding{ID: r.ID, Class: Refused, Category: r.Category, Severity: SeverityRefused,
			Index: r.Statement, Line: r.Line, Column: r.Column, Actions: []string{},
			Title: "AWS refuses it: " + r.What, AWS: r.AWS}
		f.Why = fmt.Sprintf("Line %d, column %d holds %s.", r.Line, r.Column, r.What)
		if r.ID == "kind" {
			out = append(out, otherKind(&f, r))
			continue
		}
		if r.Near != "" && r.Category == "invalid-json" {
			f.Why = strings.TrimSuffix(f.Why, ".") + ", near “" + r.Near + "”."
		}
		if r.AWS != "" {
			f.Why += fmt.Sprintf(" AWS answers: %s", r.AWS)
		}
		f.Fix = "Write " + r.Expected + "."
		if r.ID == "type" && strings.HasSuffix(r.What, "Resource") {
			f.Category = "bad-resource"
		}
		if doc != nil && r.Statement >= 0 && r.Statement < len(doc.Statements) {
			f.Statement = doc.Statements[r.Statement].Sid
		}
		out = append(out, f)
	}
	return out
}

// otherKind is a text that is not what it was reviewed as: that comes first,
// since all else follows from it.
func otherKind(f *Finding, r *policy.Refusal) Finding {
	f.Title = fit("This is ", []string{r.What})
	if len([]rune(f.Title)) > 60 || strings.HasSuffix(f.Title, "+ 1") {
		what, _, _ := strings.Cut(r.What, ",")
		f.Title = "This is " + what
	}
	f.Why = "The text is " + r.What + "."
	if r.AWS != "" {
		f.Why += " As it stands, AWS answers: " + r.AWS
	}
	f.Fix = r.Expected
	return *f
}

// tooLong refuses a document over its quota.
func tooLong(kind policy.Kind, characters, limit int) []Finding {
	if kind == policy.Trust {
		return longTrust(characters, limit)
	}
	if characters <= limit {
		return nil
	}
	return []Finding{
		{ID: "size", Class: Refused, Category: "size", Severity: SeverityRefused, Index: -1, Line: 1, Column: 1, Actions: []string{},
			Title: fmt.Sprintf("AWS refuses it: %s of at most %s characters", words.Thousands(characters), words.Thousands(limit)),
			Why: fmt.Sprintf("%s too many, white space not counted. A managed policy holds %s, the inline policies of a role %s, of a user %s.",
				words.Thousands(characters-limit), words.Thousands(policy.MaxManaged),
				words.Thousands(policy.MaxRoleInline), words.Thousands(policy.MaxUserInline)),
			Fix: "Split it into several managed policies (a role takes ten), or let rolecall policy show --minify write it shorter.",
			AWS: fmt.Sprintf("Cannot exceed quota for PolicySize: %d", limit)},
	}
}

// longTrust notes a trust policy over the quota that every account starts
// with; policy.Check refuses what no quota lifts.
func longTrust(characters, limit int) []Finding {
	if characters <= limit || characters > policy.MaxTrustRaised {
		return nil
	}
	return []Finding{{ID: "size", Class: Untidy, Category: "size", Severity: Low, Index: -1, Line: 1, Column: 1, Actions: []string{},
		Title: fmt.Sprintf("%s characters, over the usual %s", words.Thousands(characters), words.Thousands(limit)),
		Why: fmt.Sprintf("An account starts with %s characters for a trust policy. The quota can be raised to %s.",
			words.Thousands(limit), words.Thousands(policy.MaxTrustRaised)),
		Fix: "Trust fewer principals, or ask AWS to raise the quota Role trust policy length."}}
}
