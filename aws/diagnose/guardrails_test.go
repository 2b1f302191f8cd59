package diagnose_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/aws/diagnose"
	"rolecall/policy"
)

// deny is one statement of a random RCP or SCP.
type deny struct {
	action, resource string
	notAction, notOn bool
	conditions       []condition
}

type condition struct {
	operator, key string
	values        []string
}

// context is what the vendor's request has: this evaluator knows nothing else and
// shares nothing with that of policy.
func vendorsContext() map[string]string {
	return map[string]string{"aws:PrincipalAccount": vendor, "sts:ExternalId": wantedID, "aws:PrincipalIsAWSService": "false",
		"aws:ResourceOrgID": "o-exampleorgid", "aws:ResourceAccount": account}
}

func (c condition) holds() bool {
	negated := strings.Contains(c.operator, "Not")
	if c.key == "aws:PrincipalOrgID" { // another organisation than any that is named here, or none
		return negated || strings.HasSuffix(c.operator, "IfExists")
	}
	return slices.Contains(c.values, vendorsContext()[c.key]) != negated
}

// depends tells conditions whose outcome rests on whether the vendor's account is
// in any organisation at all.
func (c condition) depends() bool {
	return c.key == "aws:PrincipalOrgID" && !strings.Contains(c.operator, "Not") && strings.HasSuffix(c.operator, "IfExists")
}

func wild(pattern, text string) bool {
	quoted := regexp.QuoteMeta(pattern)
	return regexp.MustCompile("^" + strings.ReplaceAll(quoted, `\*`, ".*") + "$").MatchString(text)
}

func (d deny) denies(roleARN string) bool {
	if wild(d.action, "sts:AssumeRole") == d.notAction || wild(d.resource, roleARN) == d.notOn {
		return false
	}
	return !slices.ContainsFunc(d.conditions, func(c condition) bool { return !c.holds() })
}

func (d deny) json(principal bool) string {
	action, resource, who := "Action", "Resource", ""
	if d.notAction {
		action = "NotAction"
	}
	if d.notOn {
		resource = "NotResource"
	}
	if principal {
		who = `"Principal":"*",`
	}
	var all []string
	seen := map[string]bool{}
	for _, c := range d.conditions {
		if seen[c.operator] {
			continue
		}
		seen[c.operator] = true
		all = append(all, fmt.Sprintf(`%q:{%q:[%s]}`, c.operator, c.key, `"`+strings.Join(c.values, `","`)+`"`))
	}
	return fmt.Sprintf(`{"Effect":"Deny",%s%q:%q,%q:%q,"Condition":{%s}}`, who, action, d.action, resource, d.resource, strings.Join(all, ","))
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func drawDeny(r *rand.Rand) deny {
	d := deny{
		action:    pick(r, "sts:AssumeRole", "sts:*", "*", "s3:*", "sts:AssumeRoleWithSAML"),
		notAction: r.IntN(5) == 0,
		resource: pick(
			r,
			"*",
			"arn:aws:iam::"+account+":role/"+roleName,
			"arn:aws:iam::*:role/*",
			"arn:aws:iam::*:role/Other",
		),
		notOn: r.IntN(6) == 0,
	}
	if d.notAction && d.action == "*" || d.notOn && d.resource == "*" {
		d.notAction, d.notOn = false, false
	}
	for _, operator := range []string{"StringEquals", "StringNotEquals", "StringEqualsIfExists", "StringNotEqualsIfExists"} {
		if r.IntN(3) > 0 {
			continue
		}
		key := pick(r, "aws:PrincipalOrgID", "aws:PrincipalAccount", "sts:ExternalId", "aws:ResourceOrgID", "aws:ResourceAccount")
		values := map[string][]string{"aws:PrincipalOrgID": {"o-exampleorgid"}, "aws:PrincipalAccount": {vendor, stranger},
			"sts:ExternalId":    {wantedID, otherID},
			"aws:ResourceOrgID": {"o-exampleorgid", "o-anotherorg0"}, "aws:ResourceAccount": {account, stranger}}[key]
		c := condition{operator, key, values[r.IntN(len(values)):]}
		if !c.depends() {
			d.conditions = append(d.conditions, c)
		}
	}
	return d
}

// TestGuardrailsAgainstAnotherEvaluator: of seeded RCPs, those are found that
// another evaluator says keep the vendor out, for certain, and no others.
func TestGuardrailsAgainstAnotherEvaluator(t *testing.T) {
	t.Parallel()
	roleARN := aws.RoleARN("aws", account, "/", roleName)
	kept, passed := 0, 0
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 5))
		var statements []string
		denied := false
		for range 1 + r.IntN(3) {
			d := drawDeny(r)
			statements, denied = append(statements, d.json(true)), denied || d.denies(roleARN)
		}
		text := `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
		found := rcpOf(t, text)
		if (found.Likelihood == diagnose.Certain) != denied || !denied && found.Likelihood != diagnose.Excluded {
			t.Fatalf("seed %d: %s\nfound %+v, another evaluator says denied: %v", seed, text, found, denied)
		}
		if denied {
			kept++
		} else {
			passed++
		}
	}
	t.Logf("%d keep the vendor out, %d do not", kept, passed)
}

// rcpOf is the cause of an RCP at the account.
func rcpOf(t *testing.T, text string) diagnose.Cause {
	t.Helper()
	d, err := policy.ParseGuardrail([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return rcpCause(d)
}

func rcpCause(d *policy.Document) diagnose.Cause {
	full := policy.NewDocument(
		policy.Statement{Effect: policy.Allow, Principal: policy.Principals{"*": {"*"}}, Action: []string{"*"}, Resource: []string{"*"}},
	)
	g := aws.Guardrails{
		Read:         true,
		Path:         []string{account},
		Organization: aws.Organization{ID: "o-exampleorgid", ManagementAccountID: "999988887777", FeatureSet: "ALL"},
		Policies: []aws.Guardrail{
			{Kind: aws.RCP, ID: "p-full", At: account, Document: full},
			{Kind: aws.RCP, ID: "p-1", At: account, Document: d},
		},
	}
	facts := diagnose.Facts{
		Surroundings: aws.Surroundings{Guardrails: g},
		Want: aws.Want{Partition: "aws", AccountID: account, Principals: []string{vendor},
			ExternalID: wantedID, RoleName: roleName},
		Seen: aws.Seen{Now: time.Unix(1, 0)},
	}
	causes := diagnose.Rank(facts)
	return causes[slices.IndexFunc(causes, func(c diagnose.Cause) bool { return c.ID == diagnose.RCP })]
}

// TestTheExceptionsThatAreNamedAreEnough: a document with every exception made
// that the fix and the evidence name lets the vendor in, and no stranger that it
// kept out before.
func TestTheExceptionsThatAreNamedAreEnough(t *testing.T) {
	t.Parallel()
	number := regexp.MustCompile(`statement (\d+)`)
	tried := 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 6))
		d := policy.NewDocument()
		for range 1 + r.IntN(3) {
			one, err := policy.ParseGuardrail([]byte(`{"Version":"2012-10-17","Statement":[` + drawDeny(r).json(true) + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			d.Statements = append(d.Statements, one.Statements...)
		}
		found := rcpCause(d)
		if found.Likelihood != diagnose.Certain {
			continue
		}
		tried++
		for _, evidence := range found.Evidence {
			m := number.FindStringSubmatch(evidence)
			if m == nil {
				t.Fatalf("seed %d: no statement is named: %s", seed, evidence)
			}
			s := &d.Statements[m[1][0]-'1']
			s.Condition = append(
				slices.Clone(s.Condition),
				policy.Condition{Operator: "StringNotEquals", Key: "aws:PrincipalAccount", Values: []string{vendor}},
			)
		}
		if after := rcpCause(d); after.Found() {
			t.Fatalf("seed %d: with the exceptions made: %+v\n%s", seed, after, d.Compact())
		}
	}
	t.Logf("%d tried", tried)
}
