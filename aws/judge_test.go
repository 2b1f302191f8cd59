package aws_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"rolecall/aws"
	"rolecall/policy"
)

const (
	account  = "123456789012"
	stranger = "444455556666"
	boundary = "arn:aws:iam::123456789012:policy/limits"
)

// rightRole is a role with nothing wrong.
func rightRole(t testing.TB) *aws.Role {
	return &aws.Role{ARN: "arn:aws:iam::" + account + ":role/Spot-Role", Name: "Spot-Role", ID: "AROAEXAMPLE", Path: "/", Trust: someTrust(),
		Attached: []aws.AttachedPolicy{{ARN: "arn:aws:iam::" + account + ":policy/Spot-Policy", Name: "Spot-Policy", Document: somePolicy(t)}}}
}

func rightWant(t testing.TB) aws.Want {
	return aws.Want{Partition: "aws", AccountID: account, Principals: []string{vendor}, ExternalID: extID, RoleName: "Spot-Role",
		Policies: []*policy.Document{somePolicy(t)}}
}

// trust makes a trust policy of statements; V is the vendor, X the external ID.
func trust(t testing.TB, statements string) *policy.Document {
	text := strings.NewReplacer("$V", "arn:aws:iam::"+vendor+":root", "$X", extID, "$S", "arn:aws:iam::"+stranger+":root",
		"$O", "arn:aws:iam::"+account+":role/admin").Replace(statements)
	return parse(t, `{"Version":"2012-10-17","Statement":[`+text+`]}`, policy.Trust)
}

const right = `{"Effect":"Allow","Principal":{"AWS":"$V"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"$X"}}}`

func grant(principal, action, condition string) string {
	return `{"Effect":"Allow","Principal":` + principal + `,"Action":` + action + `,"Condition":` + condition + `}`
}

func TestJudge(t *testing.T) {
	identity := func(text string) *policy.Document { return parse(t, text, policy.Identity) }
	less := identity(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*"}}`)
	more := identity(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["ec2:*","iam:ListRoles"],"Resource":"*"}}`)
	is := func(condition string) string { return grant(`{"AWS":"$V"}`, `"sts:AssumeRole"`, condition) }
	type change = func(w *aws.Want, s *aws.Seen)
	trusts := func(statements string) change {
		return func(_ *aws.Want, s *aws.Seen) { s.Role.Trust = trust(t, statements) }
	}
	gone := func(_ *aws.Want, s *aws.Seen) { s.Role = nil }
	audit := aws.AttachedPolicy{ARN: "arn:aws:iam::aws:policy/SecurityAudit", Name: "SecurityAudit",
		Document: identity(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sqs:List*","Resource":"*"}}`)}
	auditAlone := func(w *aws.Want, s *aws.Seen) {
		w.Policies, w.PolicyARNs, s.Role.Attached = nil, []string{audit.ARN}, []aws.AttachedPolicy{audit}
	}
	attached := func(docs ...*policy.Document) change {
		return func(_ *aws.Want, s *aws.Seen) {
			s.Role.Attached = nil
			for i, d := range docs {
				s.Role.Attached = append(
					s.Role.Attached,
					aws.AttachedPolicy{ARN: "arn:aws:iam::123456789012:policy/p" + string(rune('0'+i)), Name: "p", Document: d},
				)
			}
		}
	}
	for _, c := range []struct {
		name, id string
		want     aws.Status
		change   change
	}{
		{"right", "role-exists", aws.Pass, nil},
		{"missing", "role-exists", aws.Fail, gone},
		{"not allowed to look", "role-exists", aws.Unknown, func(_ *aws.Want, s *aws.Seen) { s.Role, s.Denied = nil, []string{"iam:GetRole"} }},
		{"elsewhere", "role-exists", aws.Unknown, func(w *aws.Want, s *aws.Seen) {
			s.Role, w.RoleARN = nil, "arn:aws:iam::"+stranger+
				":role/Spot-Role"
		}},

		{"right", "role-account", aws.Pass, nil},
		{"other", "role-account", aws.Fail, func(w *aws.Want, _ *aws.Seen) { w.AccountID = stranger }},
		{"elsewhere", "role-account", aws.Fail, func(w *aws.Want, s *aws.Seen) {
			s.Role, w.RoleARN = nil, "arn:aws:iam::"+stranger+
				":role/Spot-Role"
		}},
		{"missing", "role-account", aws.Unknown, gone},

		{"right", "role-partition", aws.Pass, nil},
		{"other", "role-partition", aws.Fail, func(w *aws.Want, _ *aws.Seen) { w.Partition = "aws-cn" }},
		{"missing", "role-partition", aws.Unknown, gone},

		{"any", "role-path", aws.Pass, func(_ *aws.Want, s *aws.Seen) { s.Role.Path = "/x/" }},
		{"given", "role-path", aws.Pass, func(w *aws.Want, s *aws.Seen) { w.Path, w.PathGiven, s.Role.Path = "/x/", true, "/x/" }},
		{"other", "role-path", aws.Fail, func(w *aws.Want, _ *aws.Seen) { w.Path, w.PathGiven = "/x/", true }},
		{"other by ARN", "role-path", aws.Fail, func(w *aws.Want, _ *aws.Seen) { w.RoleARN = "arn:aws:iam::" + account + ":role/x/Spot-Role" }},
		{"missing", "role-path", aws.Unknown, gone},

		{"right", "trust-principal", aws.Pass, nil},
		{"account number", "trust-principal", aws.Pass, trusts(strings.ReplaceAll(right, "$V", vendor))},
		{"nobody", "trust-principal", aws.Fail, trusts(strings.ReplaceAll(right, "$V", "$S"))},
		{"only a role of the vendor", "trust-principal", aws.Fail, trusts(strings.ReplaceAll(right, "$V", "arn:aws:iam::"+vendor+":role/x"))},
		{"only one of two", "trust-principal", aws.Fail, func(w *aws.Want, _ *aws.Seen) { w.Principals = append(w.Principals, "627743545735") }},
		{"denied", "trust-principal", aws.Fail, trusts(right + `,{"Effect":"Deny","Principal":{"AWS":"$V"},"Action":"sts:*"}`)},
		{"denied without the external ID", "trust-principal", aws.Pass, trusts(right +
			`,{"Effect":"Deny","Principal":{"AWS":"$V"},"Action":"sts:AssumeRole","Condition":{"StringNotEquals":{"sts:ExternalId":"$X"}}}`)},
		{"perhaps denied", "trust-principal", aws.Unknown, trusts(right +
			`,{"Effect":"Deny","Principal":{"AWS":"$V"},"Action":"sts:AssumeRole","Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}`)},
		{"further condition", "trust-principal", aws.Unknown,
			trusts(is(`{"StringEquals":{"sts:ExternalId":"$X"},"Bool":{"aws:MultiFactorAuthPresent":"true"}}`))},
		{"other partition", "trust-principal", aws.Fail, func(w *aws.Want, s *aws.Seen) {
			w.Partition, s.Role.ARN = "aws-cn", "arn:aws-cn:iam::"+account+":role/Spot-Role"
		}},
		{"missing", "trust-principal", aws.Unknown, gone},
		{"unreadable", "trust-principal", aws.Unknown, func(_ *aws.Want, s *aws.Seen) { s.Role.Trust = nil }},

		{"right", "trust-action", aws.Pass, nil},
		{"with tags", "trust-action", aws.Pass, trusts(grant(`{"AWS":"$V"}`, `["sts:AssumeRole","sts:TagSession"]`,
			`{"StringEquals":{"sts:ExternalId":"$X"}}`))},
		{"wildcard", "trust-action", aws.Warn, trusts(grant(`{"AWS":"$V"}`, `"sts:*"`, `{"StringEquals":{"sts:ExternalId":"$X"}}`))},
		{"other", "trust-action", aws.Fail, trusts(grant(`{"AWS":"$V"}`, `"sts:TagSession"`, `{"StringEquals":{"sts:ExternalId":"$X"}}`))},
		{"nobody", "trust-action", aws.Unknown, trusts(strings.ReplaceAll(right, "$V", "$S"))},
		{"missing", "trust-action", aws.Unknown, gone},

		{"right", "trust-external-id", aws.Pass, nil},
		{"key in other case", "trust-external-id", aws.Pass, trusts(is(`{"StringEquals":{"STS:externalid":["$X"]}}`))},
		{"like without wildcard", "trust-external-id", aws.Pass, trusts(is(`{"StringLike":{"sts:ExternalId":"$X"}}`))},
		{"for any value", "trust-external-id", aws.Pass, trusts(is(`{"ForAnyValue:StringEquals":{"sts:ExternalId":"$X"}}`))},
		{"other", "trust-external-id", aws.Fail, trusts(is(`{"StringEquals":{"sts:ExternalId":"another"}}`))},
		{"other case", "trust-external-id", aws.Fail, trusts(is(`{"StringEquals":{"sts:ExternalId":"` + strings.ToUpper(extID) + `"}}`))},
		{"none", "trust-external-id", aws.Fail, trusts(`{"Effect":"Allow","Principal":{"AWS":"$V"},"Action":"sts:AssumeRole"}`)},
		{"if exists", "trust-external-id", aws.Fail, trusts(is(`{"StringEqualsIfExists":{"sts:ExternalId":"$X"}}`))},
		{"for all values", "trust-external-id", aws.Fail, trusts(is(`{"ForAllValues:StringEquals":{"sts:ExternalId":"$X"}}`))},
		{"not", "trust-external-id", aws.Fail, trusts(is(`{"StringNotEquals":{"sts:ExternalId":"another"}}`))},
		{"wildcard", "trust-external-id", aws.Fail, trusts(is(`{"StringLike":{"sts:ExternalId":"spotinst:*"}}`))},
		{"second statement open", "trust-external-id", aws.Fail, trusts(right +
			`,{"Effect":"Allow","Principal":{"AWS":"$V"},"Action":"sts:AssumeRole"}`)},
		{"two", "trust-external-id", aws.Fail, trusts(is(`{"StringEquals":{"sts:ExternalId":["$X","another"]}}`))},
		{"two, the other of which nobody can send", "trust-external-id", aws.Pass,
			trusts(is(`{"StringEquals":{"sts:ExternalId":["$X","of nobody"]}}`))},
		{"two, the other denied", "trust-external-id", aws.Pass, trusts(is(`{"StringEquals":{"sts:ExternalId":["$X","another"]}}`) +
			`,{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"another"}}}`)},
		{"two, the other under a condition that the vendor can meet", "trust-external-id", aws.Fail, trusts(right + "," +
			is(`{"StringEquals":{"sts:ExternalId":"another","aws:PrincipalTag/team":"x"}}`))},
		{"two statements", "trust-external-id", aws.Fail, trusts(right + "," + is(`{"StringEquals":{"sts:ExternalId":"another"}}`))},
		{"ignore case", "trust-external-id", aws.Fail, trusts(is(`{"StringEqualsIgnoreCase":{"sts:ExternalId":"$X"}}`))},
		{"not known here", "trust-external-id", aws.Unknown, func(w *aws.Want, _ *aws.Seen) { w.ExternalID = "" }},
		{"not known and open", "trust-external-id", aws.Fail, func(w *aws.Want, s *aws.Seen) {
			w.ExternalID, s.Role.Trust = "", policy.NewTrust("aws", []string{vendor}, "")
		}},
		{"vendor uses none", "trust-external-id", aws.Pass, func(w *aws.Want, s *aws.Seen) {
			w.ExternalID, w.NoExternalID, s.Role.Trust = "", true, policy.NewTrust("aws", []string{vendor}, "")
		}},
		{"vendor uses none, role wants one", "trust-external-id", aws.Fail, func(w *aws.Want, _ *aws.Seen) {
			w.ExternalID, w.NoExternalID = "",
				true
		}},
		{"missing", "trust-external-id", aws.Unknown, gone},

		{"right", "trust-extra-principals", aws.Pass, nil},
		{"own account", "trust-extra-principals", aws.Warn, trusts(right +
			`,{"Effect":"Allow","Principal":{"AWS":"$O"},"Action":"sts:AssumeRole"}`)},
		{"stranger", "trust-extra-principals", aws.Fail, trusts(right +
			`,{"Effect":"Allow","Principal":{"AWS":"$S"},"Action":"sts:AssumeRole"}`)},
		{"stranger in the same statement", "trust-extra-principals", aws.Fail, trusts(grant(`{"AWS":["$V","$S"]}`, `"sts:AssumeRole"`,
			`{"StringEquals":{"sts:ExternalId":"$X"}}`))},
		{"anyone", "trust-extra-principals", aws.Fail, trusts(right + `,{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}`)},
		{"service", "trust-extra-principals", aws.Fail, trusts(right +
			`,{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`)},
		{"denied stranger", "trust-extra-principals", aws.Pass, trusts(right +
			`,{"Effect":"Deny","Principal":{"AWS":"$S"},"Action":"sts:AssumeRole"}`)},
		{"missing", "trust-extra-principals", aws.Unknown, gone},

		{"right", "policy-attached", aws.Pass, nil},
		{"none", "policy-attached", aws.Fail, attached()},
		{"by ARN", "policy-attached", aws.Fail, func(w *aws.Want,
			_ *aws.Seen) {
			w.PolicyARNs = []string{"arn:aws:iam::aws:policy/SecurityAudit"}
		}},
		{"not allowed", "policy-attached", aws.Unknown, func(_ *aws.Want, s *aws.Seen) {
			s.Role.Attached, s.PoliciesUnknown, s.Denied = nil, true, []string{"iam:ListAttachedRolePolicies"}
		}},
		{"missing", "policy-attached", aws.Unknown, gone},

		{"AWS's own, alone", "policy-attached", aws.Pass, auditAlone},

		{"AWS's own, beside", "policy-matches", aws.Pass, func(w *aws.Want, s *aws.Seen) {
			w.PolicyARNs, s.Role.Attached = []string{audit.ARN}, append(s.Role.Attached, audit)
		}},
		{"AWS's own, beside less", "policy-matches", aws.Fail, func(w *aws.Want, s *aws.Seen) {
			attached(less)(w, s)
			w.PolicyARNs, s.Role.Attached = []string{audit.ARN}, append(s.Role.Attached, audit)
		}},
		{"AWS's own, not wanted", "policy-matches", aws.Warn, func(_ *aws.Want, s *aws.Seen) {
			s.Role.Attached = append(s.Role.Attached,
				audit)
		}},
		{"AWS's own, alone", "policy-matches", aws.Pass, auditAlone},
		{"AWS's own and more", "policy-matches", aws.Warn, func(w *aws.Want, s *aws.Seen) {
			own := s.Role.Attached
			auditAlone(w, s)
			s.Role.Attached = append(s.Role.Attached, own...)
		}},
		{"AWS's own, unread", "policy-matches", aws.Pass, func(w *aws.Want, s *aws.Seen) {
			auditAlone(w, s)
			s.Role.Attached[0].Document = nil
		}},
		{"AWS's own, not allowed", "policy-matches", aws.Unknown, func(w *aws.Want, s *aws.Seen) {
			auditAlone(w, s)
			s.Role.Attached, s.PoliciesUnknown, s.Denied = nil, true, []string{"iam:ListAttachedRolePolicies"}
		}},
		{"right", "policy-matches", aws.Pass, nil},
		{"split in two", "policy-matches", aws.Pass, attached(less,
			identity(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}}`))},
		{"less", "policy-matches", aws.Fail, attached(less)},
		{"more", "policy-matches", aws.Warn, attached(more)},
		{"none", "policy-matches", aws.Fail, attached()},
		{"unread", "policy-matches", aws.Unknown, func(_ *aws.Want, s *aws.Seen) {
			s.Role.Attached[0].Document, s.Denied = nil,
				[]string{"iam:GetPolicy"}
		}},
		{"missing", "policy-matches", aws.Unknown, gone},

		{"none", "permissions-boundary", aws.Pass, nil},
		{"as given", "permissions-boundary", aws.Pass, func(w *aws.Want, s *aws.Seen) {
			w.Boundary, w.BoundaryGiven, s.Role.Boundary = boundary, true, boundary
		}},
		{"unexpected", "permissions-boundary", aws.Warn, func(_ *aws.Want, s *aws.Seen) { s.Role.Boundary = boundary }},
		{"lacking", "permissions-boundary", aws.Fail, func(w *aws.Want, _ *aws.Seen) { w.Boundary, w.BoundaryGiven = boundary, true }},
		{"missing", "permissions-boundary", aws.Unknown, gone},
	} {
		t.Run(c.id+"/"+c.name, func(t *testing.T) {
			want, seen := rightWant(t), aws.Seen{Role: rightRole(t)}
			if c.change != nil {
				c.change(&want, &seen)
			}
			r := aws.Judge(want, seen)
			got, made := r.Check(c.id)
			if !made || got.Status != c.want {
				t.Fatalf("%s, want %s: %+v", got.Status, c.want, got)
			}
			if bad := c.want == aws.Fail || c.want == aws.Unknown; bad && r.OK || !bad && c.change == nil && !r.OK {
				t.Errorf("OK is %v: %+v", r.OK, r.Checks)
			}
			sayEnough(t, got)
		})
	}
}

// sayEnough demands words for people in every check.
func sayEnough(t *testing.T, c aws.Check) {
	t.Helper()
	if c.Want == "" || c.Got == "" || c.Why == "" || c.Status != aws.Pass && c.Fix == "" || c.Status == aws.Pass && c.Fix != "" {
		t.Errorf("check says too little or too much: %+v", c)
	}
}

func TestJudgeMakesEveryCheckOnce(t *testing.T) {
	for _, seen := range []aws.Seen{{}, {Role: rightRole(t)}} {
		var ids []string
		for _, c := range aws.Judge(rightWant(t), seen).Checks {
			ids = append(ids, c.ID)
			sayEnough(t, c)
		}
		if !slices.Equal(ids, aws.CheckIDs()) {
			t.Errorf("checks %v, want %v", ids, aws.CheckIDs())
		}
	}
}

func TestReportIsTheContractsJSON(t *testing.T) {
	text, err := json.Marshal(aws.Judge(rightWant(t), aws.Seen{Role: rightRole(t)}))
	ok(t, err)
	for _, part := range []string{`"ok":true`,
		`"role":{"arn":"arn:aws:iam::123456789012:role/Spot-Role","id":"AROAEXAMPLE","name":"Spot-Role","path":"/"}`,
		`{"id":"role-exists","status":"pass","want":`, `"why":`, `"fix":""`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%s is not in %s", part, text)
		}
	}
}

func TestReportHoldsNoControlCharacters(t *testing.T) {
	role := rightRole(t)
	role.Attached[0].Name = "a\x1b[2Jb\u202e"
	role.Trust = trust(
		t,
		`{"Effect":"Allow","Principal":{"AWS":"$V"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x\u001b]0;y\u0007"}}}`,
	)
	text, err := json.Marshal(aws.Judge(rightWant(t), aws.Seen{Role: role}))
	ok(t, err)
	for _, bad := range []string{`\u001b`, `\u0007`, "\u202e", `\u202e`} {
		if strings.Contains(string(text), bad) {
			t.Errorf("%q in %s", bad, text)
		}
	}
}
