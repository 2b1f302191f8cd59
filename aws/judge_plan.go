package aws

import (
	"fmt"
	"slices"

	"rolecall/policy"
)

// approved checks that every document of the holder is one that was approved,
// by digest. It is made only where a plan binds.
func (j *judging) approved() {
	if j.want.Approved == nil {
		return
	}
	v := verdict{status: Pass, want: "documents that the plan's approval names", got: "approved"}
	switch {
	case j.role == nil:
		v = j.unseen(v.want)
	case j.listsIncomplete():
		v = j.hidden(v)
	default:
		if stranger := j.unapproved(); stranger != "" {
			v.status, v.got = Fail, stranger
			v.fix = "Give the " + j.holder + " exactly the documents of the plan, or plan anew and have that approved."
		}
	}
	j.add("plan-approved", v)
}

// unapproved names the first document that nobody approved.
func (j *judging) unapproved() string {
	named := func(name string, d *policy.Document) string {
		if d == nil {
			return name + ", which rolecall cannot read"
		}
		if slices.Contains(j.want.Approved, d.Digest()) {
			return ""
		}
		return fmt.Sprintf("%s, %s", name, d.Digest())
	}
	if j.role.Trust != nil || j.holder == "role" {
		if stranger := named("the trust policy", j.role.Trust); stranger != "" {
			return stranger
		}
	}
	for _, p := range j.role.Attached {
		if j.want.exists(p.ARN) && slices.Contains(j.want.Approved, p.ARN) {
			continue // its document is its owner's to change
		}
		if stranger := named(p.Name, p.Document); stranger != "" {
			return stranger
		}
	}
	for _, p := range j.role.Inline {
		if stranger := named(p.Name, p.Document); stranger != "" {
			return stranger
		}
	}
	return ""
}
