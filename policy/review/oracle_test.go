package review

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/policy"
)

// This is a second judge of what a document grants: brute force over requests,
// written from AWS's evaluation logic and sharing no code with the review.

// asked is an action with all that a request for it can be about: each list has
// resources of one kind, and a request needs one of each list.
type asked struct {
	name  string
	needs [][]string
	keys  map[string][][]string // what a request can carry of the action's own keys
}

func universe() []asked {
	instance := [][]string{{"arn:aws:ec2:eu-west-1::image/ami-1"}, {"arn:aws:ec2:eu-west-1:111122223333:instance/i-1"},
		{"arn:aws:ec2:eu-west-1:111122223333:network-interface/eni-1"}, {"arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1"},
		{"arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-1"}}
	return []asked{
		{
			"s3:GetObject",
			[][]string{
				{
					"arn:aws:s3:::reports/x",
					"arn:aws:s3:::b/y",
					"arn:aws:s3:::b/jane/z",
					"arn:aws:s3:::other/x",
					"arn:aws:s3:eu-west-1:111122223333:accesspoint/ap/object/x",
				},
			},
			nil,
		},
		{"s3:PutBucketPolicy", [][]string{{"arn:aws:s3:::reports", "arn:aws:s3:::b", "arn:aws:s3:::other"}}, nil},
		{"iam:PassRole", [][]string{{"arn:aws:iam::111122223333:role/app", "arn:aws:iam::111122223333:role/jane"}},
			map[string][][]string{"iam:passedtoservice": {{"ec2.amazonaws.com"}, {"lambda.amazonaws.com"}}}},
		{
			"iam:AttachRolePolicy",
			[][]string{{"arn:aws:iam::111122223333:role/app", "arn:aws:iam::111122223333:role/jane"}},
			map[string][][]string{
				"iam:policyarn": {{"arn:aws:iam::aws:policy/AdministratorAccess"}, {"arn:aws:iam::aws:policy/job-function/Billing"}},
			},
		},
		{"iam:CreatePolicyVersion", [][]string{{"arn:aws:iam::111122223333:policy/p"}}, nil},
		{
			"ec2:RunInstances",
			instance,
			map[string][][]string{"ec2:owner": {{"amazon"}, {"123456789012"}}, "ec2:vpc": {{"arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-1"}}},
		},
		{
			"ssm:SendCommand",
			[][]string{{"arn:aws:ssm:eu-west-1:111122223333:document/D", "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript"}},
			nil,
		},
		{
			"secretsmanager:GetSecretValue",
			[][]string{
				{
					"arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf",
					"arn:aws:secretsmanager:us-east-1:111122223333:secret:other-AbCdEf",
				},
			},
			nil,
		},
		{"glue:UpdateDevEndpoint", [][]string{{"arn:aws:glue:eu-west-1:111122223333:devEndpoint/d"}}, nil},
		{"cloudtrail:StopLogging", [][]string{{"arn:aws:cloudtrail:eu-west-1:111122223333:trail/t"}}, nil},
		{"ec2:GetPasswordData", [][]string{{"arn:aws:ec2:eu-west-1:111122223333:instance/i-1"}}, nil},
	}
}

// contexts are the global keys that requests carry, as far as a document asks
// for them.
func contexts(doc []written) []map[string][]string {
	text := strings.ToLower(fmt.Sprint(doc))
	base := map[string][]string{"aws:principalarn": {"arn:aws:iam::111122223333:role/app"}, "aws:sourceip": {"203.0.113.7"},
		"aws:principalorgid": {"o-abcdefghij"}, "aws:username": nil, "aws:principaltype": {"AssumedRole"}}
	out := []map[string][]string{base}
	for _, option := range [][2]string{{"aws:sourcevpc", "vpc-1"}, {"aws:sourcevpce", "vpce-1"}, {"aws:multifactorauthpresent", "true"},
		{"aws:username", "jane"},
		{"aws:calledvia", "athena.amazonaws.com"}, {"aws:principalarn", "arn:aws:iam::111122223333:user/jane"}} {
		if !strings.Contains(text, option[0]) {
			continue
		}
		for _, c := range slices.Clone(out) {
			with := maps.Clone(c)
			with[option[0]] = []string{option[1]}
			out = append(out, with)
		}
	}
	return out
}

type written struct {
	Effect      string
	Action      []string                     `json:",omitempty"`
	NotAction   []string                     `json:",omitempty"`
	Resource    []string                     `json:",omitempty"`
	NotResource []string                     `json:",omitempty"`
	Condition   map[string]map[string]string `json:",omitempty"`
}

// judgeAlone says whether a document grants an action: there is a context in
// which each kind of resource that it needs is allowed.
func judgeAlone(doc []written, a asked) bool {
	for _, context := range withOwn(contexts(doc), a.keys) {
		all := true
		for _, kind := range a.needs {
			all = all && slices.ContainsFunc(kind, func(resource string) bool { return allowsAlone(doc, a.name, resource, context) })
		}
		if all {
			return true
		}
	}
	return false
}

func withOwn(contexts []map[string][]string, keys map[string][][]string) []map[string][]string {
	for key, values := range keys {
		var out []map[string][]string
		for _, c := range contexts {
			for _, v := range values {
				one := maps.Clone(c)
				one[key] = v
				out = append(out, one)
			}
		}
		contexts = append(out, contexts...)
	}
	return contexts
}

func allowsAlone(doc []written, action, resource string, context map[string][]string) bool {
	allowed := false
	for _, s := range doc {
		hit := matchAny(s.Action, action, true)
		if s.NotAction != nil {
			hit = !matchAny(s.NotAction, action, true)
		}
		if s.NotResource != nil {
			hit = hit && !matchAny(replaced(s.NotResource, context), resource, false)
		} else {
			hit = hit && matchAny(replaced(s.Resource, context), resource, false)
		}
		for operator, keys := range s.Condition {
			for key, value := range keys {
				hit = hit && meets(operator, value, context[strings.ToLower(key)])
			}
		}
		switch {
		case hit && s.Effect == "Deny":
			return false
		case hit:
			allowed = true
		}
	}
	return allowed
}

// replaced fills in policy variables; a text with one that has no value goes.
func replaced(patterns []string, context map[string][]string) []string {
	var out []string
	for _, p := range patterns {
		before, after, open := strings.Cut(p, "${")
		if !open {
			out = append(out, p)
			continue
		}
		name, rest, closed := strings.Cut(after, "}")
		if values := context[strings.ToLower(name)]; closed && len(values) == 1 {
			out = append(out, before+values[0]+rest)
		}
	}
	return out
}

func matchAny(patterns []string, text string, fold bool) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if fold {
			return wildcards(strings.ToLower(p), strings.ToLower(text))
		}
		return wildcards(p, text)
	})
}

func wildcards(p, t string) bool {
	switch {
	case p == "":
		return t == ""
	case p[0] == '*':
		return wildcards(p[1:], t) || t != "" && wildcards(p, t[1:])
	}
	return t != "" && (p[0] == '?' || p[0] == t[0]) && wildcards(p[1:], t[1:])
}

func meets(operator, value string, got []string) bool {
	operator, ifExists := strings.CutSuffix(operator, "IfExists")
	if operator == "Null" {
		return (len(got) == 0) == (value == "true")
	}
	one := func(g string) bool {
		switch strings.Replace(operator, "Not", "", 1) {
		case "StringEquals":
			return g == value
		case "Bool":
			return strings.EqualFold(g, value)
		case "StringLike":
			return wildcards(value, g)
		case "ArnLike", "ArnEquals":
			p, t := strings.SplitN(value, ":", 6), strings.SplitN(g, ":", 6)
			if len(p) != 6 || len(t) != 6 {
				return value == "*"
			}
			for i := range p {
				if !wildcards(p[i], t[i]) {
					return false
				}
			}
			return true
		case "IpAddress":
			return value == "203.0.113.0/24"
		}
		return false
	}
	set, base, ok := strings.Cut(operator, ":")
	if ok {
		operator = base
		if set == "ForAllValues" {
			return !slices.ContainsFunc(got, func(g string) bool { return !one(g) })
		}
		return slices.ContainsFunc(got, one)
	}
	if len(got) == 0 {
		return ifExists || strings.Contains(operator, "Not")
	}
	return one(got[0]) != strings.Contains(operator, "Not")
}

type randomly struct{ *rand.Rand }

func (r randomly) pick(from ...string) string { return from[r.IntN(len(from))] }

func (r randomly) some(most int, from ...string) []string {
	var out []string
	for range 1 + r.IntN(most) {
		out = append(out, r.pick(from...))
	}
	return out
}

func (r randomly) document() []written {
	actions := []string{
		"*",
		"s3:*",
		"s3:?*",
		"s3:Get*",
		"iam:*",
		"iam:Pass*",
		"ec2:*",
		"ec2:Run*",
		"ssm:Send*",
		"glue:*",
		"*:*",
		"s3:ListBuckets",
		"elasticsearch:*",
	}
	for _, a := range universe() {
		actions = append(actions, a.name, a.name)
	}
	resources := []string{
		"*",
		"*",
		"*",
		"arn:aws:s3:::*",
		"arn:aws:s3:::?*",
		"arn:aws:s3:::b*",
		"arn:aws:s3:::reports/*",
		"arn:aws:s3:::reports:*",
		"arn:aws:iam::111122223333:role/*",
		"arn:aws:iam::*:*",
		"arn:aws:iam::111122223333:policy/*",
		"arn:aws:ec2:*:*:instance/*",
		"arn:aws:ec2:*:*:*",
		"arn:aws:ec2:eu-west1:*:*",
		"arn:aws:ec2:*::image/*",
		"arn:aws:ec2:*:*:subnet/*",
		"arn:aws:ssm:*:*:document/*",
		"arn:aws:ssm:*:*:managed-instance/*",
		"arn:aws:secretsmanager:*:*:secret:*",
		"arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db",
		"arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-??????",
		"arn:aws:glue:*:*:*",
		"arn:aws:cloudtrail:*:*:trail/*",
		"arn:aws:iam::*:role/${aws:username}",
		"arn:aws:s3:::b/${aws:usernme}/*",
		"arn:aws:s3:::b/${aws:username/*",
	}
	conditions := [][3]string{
		{"StringEquals", "iam:PassedToService", "ec2.amazonaws.com"},
		{"StringEquals", "iam:PassedToService", "ec2"},
		{"StringLike", "iam:PassedToService", "*"},
		{"ArnLike", "iam:PolicyARN", "arn:aws:iam::aws:policy/*"},
		{"ArnEquals", "iam:PolicyARN", "arn:aws:iam::aws:policy/job-function/Billing"},
		{
			"StringEquals",
			"ec2:Owner",
			"123456789012",
		},
		{"StringNotEquals", "ec2:Owner", "123456789012"},
		{"StringEquals", "aws:SourceIp", "203.0.113.0/24"},
		{"IpAddress", "aws:SourceIp", "203.0.113.0/24"},
		{
			"StringEquals",
			"aws:SourceVpc",
			"vpce-1",
		},
		{"StringEquals", "aws:SourceVpc", "vpc-1"},
		{"StringEquals", "aws:SourceVpce", "vpce-1"},
		{"ArnLike", "aws:PrincipalArn", "arn:aws:iam::role/app"},
		{
			"ArnLike",
			"aws:PrincipalArn",
			"arn:aws:iam::*:role/*",
		},
		{"ArnEquals", "aws:PrincipalArn", "arn:aws:sts::111122223333:assumed-role/app/s"},
		{"Bool", "aws:MultiFactorAuthPresent", "true"},
		{
			"StringEquals",
			"aws:PrincipalOrgID",
			"o-abcdefghij",
		},
		{"StringEquals", "aws:PrincipleOrgID", "o-abcdefghij"},
		{"StringNotEquals", "aws:PrincipleOrgID", "o-abcdefghij"},
		{
			"ForAllValues:StringEquals",
			"aws:CalledVia",
			"athena.amazonaws.com",
		},
		{"ForAnyValue:StringEquals", "aws:CalledVia", "athena.amazonaws.com"},
		{"Null", "ec2:Owner", "true"},
		{
			"StringEqualsIfExists",
			"ec2:Owner",
			"amazon",
		},
		{"Bool", "aws:MultiFactorAuthPresent", "${aws:username}"},
		{"Null", "aws:username", "false"},
		{"StringEquals", "aws:PrincipalType", "Role"},
	}
	var doc []written
	for range 1 + r.IntN(3) {
		s := written{Effect: "Allow"}
		deny := r.IntN(5) == 0
		if deny {
			s.Effect = "Deny"
		}
		if list := r.some(3, actions...); r.IntN(7) == 0 {
			s.NotAction = list
		} else {
			s.Action = list
		}
		if list := r.some(3, resources...); r.IntN(9) == 0 {
			s.NotResource = list
		} else {
			s.Resource = list
		}
		if r.IntN(2) == 0 && !deny {
			c := conditions[r.IntN(len(conditions))]
			s.Condition = map[string]map[string]string{c[0]: {c[1]: c[2]}}
		}
		doc = append(doc, s)
	}
	return doc
}

// TestOneJudgement: no action is a risk that no request is granted, and none
// that some request is granted is missing from what the review counts on.
func TestOneJudgement(t *testing.T) {
	const documents = 400
	r := randomly{rand.New(rand.NewPCG(9, 2026))}
	falseRisks, missedRisks, contradictions := 0, 0, 0
	for n := range documents {
		doc := r.document()
		text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": doc})
		if err != nil {
			t.Fatal(err)
		}
		report := Review(text, Options{Now: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)})
		if report.Verdict == "refused" {
			continue
		}
		if at := contradiction(&report); at >= 0 {
			contradictions++
			complain(t, contradictions, "document %d: statement %d grants nothing and is a risk\n%s", n, at, text)
		}
		named := namedRisks(&report)
		for _, a := range universe() {
			granted := judgeAlone(doc, a)
			switch {
			case named[a.name] && !granted:
				falseRisks++
				complain(t, falseRisks, "document %d: %s is a risk and no request is granted it\n%s", n, a.name, text)
			case granted && !named[a.name] && !admitsAll(&report) && openly(doc, a):
				missedRisks++
				complain(t, missedRisks, "document %d: %s is granted on everything and is no risk\n%s", n, a.name, text)
			}
		}
	}
	t.Logf(
		"%d documents: %d risks that nothing grants, %d grants that are no risk, %d contradictions",
		documents,
		falseRisks,
		missedRisks,
		contradictions,
	)
}

// contradiction is a statement of which one finding says that it grants nothing
// and another that it is a risk; -1 without one.
func contradiction(r *Report) int {
	for i := range r.Findings {
		f := &r.Findings[i]
		nothing := strings.Contains(f.Why, "so the statement grants nothing") || strings.Contains(f.Title, ": it grants nothing") ||
			f.ID == "denied"
		if f.Class != NoEffect || !nothing {
			continue
		}
		for j := range r.Findings {
			if g := &r.Findings[j]; g.Class == Risk && slices.ContainsFunc(g.Places, func(p Place) bool { return p.Index == f.Index }) {
				return f.Index
			}
		}
	}
	return -1
}

// complain shows the first few.
func complain(t *testing.T, n int, format string, args ...any) {
	t.Helper()
	if n <= 3 {
		t.Errorf(format, args...)
	} else {
		t.Fail()
	}
}

// namedRisks are the actions that findings of class risk name.
func namedRisks(r *Report) map[string]bool {
	out := map[string]bool{}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Class == Risk {
			for _, a := range f.Actions {
				out[a] = true
			}
		}
	}
	return out
}

// admitsAll reports whether a finding says that nearly everything is granted.
func admitsAll(r *Report) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.ID == "admin" || f.ID == "not-action" || f.ID == "not-resource" })
}

// openly keeps to grants on everything without a condition, which no step of a
// severity takes away.
func openly(doc []written, a asked) bool {
	var open []written
	for _, s := range doc {
		if s.Effect == "Deny" || s.Condition == nil && slices.Contains(s.Resource, "*") {
			open = append(open, s)
		}
	}
	return judgeAlone(open, a)
}

// TestCountsWithDenials counts what is granted of the actions of a few services
// on everything, against brute force.
func TestCountsWithDenials(t *testing.T) {
	r := randomly{rand.New(rand.NewPCG(10, 2026))}
	doc, _ := policy.Check([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`), policy.Identity)
	m := newModel(doc, &Options{})
	var all []string
	for _, s := range m.cat.Services() {
		for _, a := range s.Actions() {
			all = append(all, a.Name)
		}
	}
	patterns := []string{"*", "sqs:*", "sqs:?*", "sqs:Send*", "sns:*", "s*:*", "kms:De*", "kms:Decrypt", "*:Get*", "iam:*"}
	wrong := 0
	const documents = 30
	for range documents {
		var doc []written
		for range 1 + r.IntN(3) {
			s := written{Effect: r.pick("Allow", "Allow", "Deny"), Resource: []string{"*"}}
			if list := r.some(3, patterns...); r.IntN(3) == 0 {
				s.NotAction = list
			} else {
				s.Action = list
			}
			doc = append(doc, s)
		}
		text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": doc})
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, name := range all {
			if allowsAlone(doc, name, "arn:aws:x", nil) {
				want++
			}
		}
		if report := Review(text, Options{}); report.Actions.Granted != want {
			wrong++
			complain(t, wrong, "%d granted, want %d: %s", report.Actions.Granted, want, text)
		}
	}
	t.Logf("%d documents, %d wrong counts", documents, wrong)
}

func TestOracleOfTheTests(t *testing.T) {
	doc := []written{{Effect: "Allow", Action: []string{"ec2:RunInstances"}, Resource: []string{"arn:aws:ec2:*:*:instance/*"}}}
	if run := universe()[5]; judgeAlone(doc, run) {
		t.Error("one kind of resource is enough for " + run.name)
	}
	if fmt.Sprint(replaced([]string{"a/${aws:username}", "${aws:nobody}"}, map[string][]string{"aws:username": {"jane"}})) != "[a/jane]" {
		t.Error("variables are not replaced")
	}
}
