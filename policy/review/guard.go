package review

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rolecall/policy"
)

// guard is what a statement's conditions do to its grants.
type guard struct {
	strong   bool     // one of them really narrows what can be done
	text     string   // that one, for people: "iam:PassedToService is ec2.amazonaws.com"
	never    bool     // they cannot hold (any more)
	services []string // that iam:PassedToService allows, in lower case; nil for any
}

// strongKeys narrow what can be done, or to whom, so one of them takes a step
// off a severity. Dates, regions, networks, MFA and transport say when and
// from where, which does not make the deed smaller.
const strongKeys = " iam:passedtoservice iam:permissionsboundary iam:policyarn iam:associatedresourcearn iam:awsservicename" +
	" aws:principalarn aws:calledvia aws:calledviafirst aws:calledvialast aws:viaawsservice aws:sourcearn aws:sourceaccount" +
	" aws:tagkeys aws:principalisawsservice ec2:createaction ec2:instanceprofile ec2:launchtemplate ec2:attribute ec2:add/userid" +
	" kms:viaservice kms:granteeprincipal kms:grantisforawsresource kms:encryptioncontextkeys kms:retiringprincipal kms:resourcealiases" +
	" s3:prefix s3:dataaccesspointarn s3:existingobjecttag ssm:documentcategories ecs:cluster ecs:task-definition ecs:container-name " +
	"lambda:functionarn" +
	" dynamodb:leadingkeys secretsmanager:secretid secretsmanager:resource/allowrotationlambdaarn cloudformation:templateurl" +
	" cloudformation:rolearn glue:roleassumedby sts:externalid sts:rolesessionname elasticmapreduce:requesttag "

// strongFamilies are keys with a name behind a slash.
const strongFamilies = ":resourcetag/ aws:principaltag/ aws:requesttag/ kms:encryptioncontext:" +
	" s3:existingobjecttag/ :resourcetag: elasticmapreduce:requesttag/ rds:db-tag/"

func guardOf(conditions []policy.Condition, now time.Time) guard {
	var g guard
	var after, before int64
	for i := range conditions {
		c := &conditions[i]
		operator, _, _ := c.Base()
		if strings.HasPrefix(operator, "Date") && strings.EqualFold(c.Key, "aws:CurrentTime") {
			after, before = dateWindow(operator, c.Values, after, before)
		}
		if !narrows(c) {
			continue
		}
		if strings.EqualFold(c.Key, "iam:PassedToService") {
			g.services = lower(c.Values)
		}
		if !g.strong || g.services != nil && strings.EqualFold(c.Key, "iam:PassedToService") {
			g.strong, g.text = true, c.Key+" is "+few(c.Values, " or ")
		}
	}
	g.never = before != 0 && (after >= before || !now.IsZero() && now.Unix() >= before)
	return g
}

// narrows reports whether a condition makes a grant smaller.
func narrows(c *policy.Condition) bool {
	operator, set, ifExists := c.Base()
	key := strings.ToLower(c.Key)
	if c.Negated() || operator == "Null" || set == "ForAllValues" || len(c.Values) == 0 || everything(c.Values) {
		return false
	}
	if slices.ContainsFunc(c.Values, func(v string) bool { return wideValue(c, v) }) {
		return false
	}
	if ifExists && !strings.HasPrefix(key, "iam:") {
		return false // a resource without the tag passes
	}
	if operator == "Bool" && !strings.EqualFold(c.Values[0], "true") {
		return false
	}
	if strings.Contains(strongKeys, " "+key+" ") {
		return true
	}
	for family := range strings.FieldsSeq(strongFamilies) {
		if strings.Contains(key, family) {
			return true
		}
	}
	return false
}

// everything reports whether one of the values matches whatever comes.
func everything(values []string) bool {
	return slices.ContainsFunc(values, policy.EveryResource)
}

// dateWindow narrows the time in which a statement grants anything.
func dateWindow(operator string, values []string, after, before int64) (int64, int64) {
	if len(values) != 1 {
		return after, before
	}
	at, ok := moment(values[0])
	switch {
	case !ok:
	case strings.HasPrefix(operator, "DateLessThan") && (before == 0 || at < before):
		before = at
	case strings.HasPrefix(operator, "DateGreaterThan") && at > after:
		after = at
	}
	return after, before
}

// moment reads a date in seconds since 1970.
func moment(text string) (int64, bool) {
	for _, layout := range [...]string{time.RFC3339, "2006-01-02", "2006-01-02T15:04Z", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Unix(), true
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n > 0
}

// passes reports whether a role may be handed to one of the services.
func (g *guard) passes(principals []string) bool {
	if g == nil || g.services == nil {
		return true
	}
	for _, allowed := range g.services {
		for _, p := range principals {
			if policy.Matches(allowed, p+".amazonaws.com") || policy.Matches(allowed, p+".amazonaws.com.cn") {
				return true
			}
		}
	}
	return false
}

func lower(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.ToLower(s)
	}
	return out
}

// few joins at most three names and counts the rest.
func few(names []string, separator string) string {
	if len(names) <= 3 {
		return strings.Join(names, separator)
	}
	return strings.Join(names[:3], ", ") + " + " + strconv.Itoa(len(names)-3)
}
