package review

import (
	"slices"
	"strings"

	"rolecall/policy"
)

// bucketPolicies finds who may write a bucket's policy and not read its
// objects: the policy can give them that.
func (m *model) bucketPolicies() []Finding {
	writer := m.hits["s3:putbucketpolicy"]
	if writer == nil {
		return nil
	}
	for i := range writer.grants {
		g := &writer.grants[i]
		bucket := m.closedBucket(g.st)
		if bucket == "" {
			continue
		}
		severity, ok := Medium.down(btoi(g.guard != nil))
		if !ok {
			continue
		}
		f := Finding{
			ID:       "bucket-policy",
			Class:    Risk,
			Category: "privilege-escalation",
			Severity: severity,
			Actions:  []string{"s3:PutBucketPolicy"},
			Title:    "Can give itself the objects of a bucket",
			Why: "The policy of " + short(bucket) + " can be written, and its objects cannot be read. A bucket's policy can grant " +
				"that to whoever writes it.",
			Fix: "Take s3:PutBucketPolicy out, or accept that it means all of the bucket.",
		}
		m.locate(&f, []*grant{g}, "")
		return []Finding{f}
	}
	return nil
}

// closedBucket is a bucket of a statement whose objects nothing lets read.
func (m *model) closedBucket(st *statement) string {
	for _, r := range m.effective("s3:putbucketpolicy", st) {
		if len(r) > maxARN || !m.reach("s3:putbucketpolicy", r).applies {
			continue
		}
		objects := r
		if r != "*" && !strings.HasSuffix(r, "*") {
			objects = r + "/*"
		}
		reads := slices.ContainsFunc(m.allow, func(other *statement) bool {
			if _, ok := other.matches("s3:getobject"); !ok || m.dead(other, "s3:getobject") {
				return false
			}
			return len(other.NotResource) > 0 || slices.ContainsFunc(other.Resource, func(o string) bool {
				return policy.CoversResource(o, objects) || m.reach("s3:getobject", o).drop == 0 && m.reach("s3:getobject", o).applies
			})
		})
		if !reads {
			return r
		}
	}
	return ""
}
