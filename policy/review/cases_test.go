package review

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// right is what a review of a reported document has to say. The documents are
// from public bug reports, of this kind of tool and of others.
type right struct {
	verdict string   // "accepted" where it is empty
	finds   []string // "id severity", or "id severity: words of the title, the reason or the fix"
	lacks   []string // ids, or "id severity"
	granted int      // -1: not looked at
}

func rights() map[string]right {
	quiet := right{lacks: []string{"high", "medium", "low"}, granted: -1}
	found := func(finds ...string) right { return right{finds: finds, granted: -1} }
	only := func(finds ...string) right { return right{finds: finds, lacks: []string{"risk"}, granted: -1} }
	refused := func(finds ...string) right { return right{verdict: "refused", finds: finds, granted: -1} }
	return map[string]right{
		"parlpr177-iam-starstar": refused(`arn-form refused: IAM resource path must either be "*" or start with`),
		"arn-wild-service":       refused("arn-service refused: cannot contain regexes"),
		"cspl278-ec2owner": {
			finds:   []string{"condition-key medium", "change-star low"},
			lacks:   []string{"escalate", "data"},
			granted: 1,
		},
		"passedtoservice-typo": only("condition-value medium: ec2.amazonaws.com"),
		"renamed-prefixes": only(
			"unknown-service medium: Did you mean es?",
			"unknown-service medium: Did you mean states?",
			"unknown-service medium: Did you mean events?",
			"unknown-service medium: Did you mean elasticfilesystem?",
			"unknown-service medium: Did you mean elasticmapreduce?",
			"unknown-service medium: Did you mean kafka?",
			"unknown-service medium: Did you mean sso?",
			"unknown-service medium: Did you mean logs?",
		),
		"allow-notaction-typo":    found("unknown-service medium: leaves nothing out", "not-action high"),
		"allow-notresource-star":  {finds: []string{"leaves-nothing medium: grants nothing"}, lacks: []string{"risk"}},
		"allow-notaction-star":    {finds: []string{"leaves-nothing medium: grants nothing"}, lacks: []string{"risk"}},
		"deny-shadows-all":        {finds: []string{"denied note: a Deny takes all of it"}, lacks: []string{"risk"}},
		"deny-notaction-iam-only": {finds: []string{"escalate high"}, lacks: []string{"admin"}, granted: -1},
		"parl167-colon-star":      only("arn-shape medium: bucket/*"),
		"secrets-nosuffix":        only("arn-shape medium: -??????"),
		"secrets-suffix":          {finds: []string{"data note"}, lacks: []string{"low"}, granted: -1},
		"s3-q":                    found("data medium: every object in every bucket"),
		"allow-notaction-scoped":  {lacks: []string{"escalate", "medium"}, granted: -1},
		"listbuckets-only":        only("unknown-action medium: s3:ListAllMyBuckets"),
		"iam-create-nothing": found(
			"unknown-action medium: s3:ListBucket",
			"unknown-action medium: s3:GetObject",
			`unknown-action medium: "s3:GetObject", "s3:PutObject"`,
			"unknown-action medium: lambda:InvokeFunction",
			"unknown-action medium: ec2:Describe*",
		),
		"attach-admin":        found("escalate high"),
		"orgpaths-noset":      found("set-operator medium: ForAnyValue"),
		"val163-servicenames": found("set-operator medium: ForAnyValue"),
		"forall-calledvia":    found("for-all-values medium: Null"),
		"ip-stringequals":     only("condition-value medium: Use IpAddress"),
		"null-string-bad":     only("condition-value medium: true or false"),
		"arnlike-5parts":      only("condition-value medium: can read every object"),
		"mfaage-deny":         only("mfa medium: NumericGreaterThanIfExists"),
		"aa-region-bad":       only("arn-shape medium: region"),
		"var-unclosed":        only("variable medium: not closed"),
		"aa-var-noquote":      only("variable medium: single quotes"),
		"var-unknown":         only("variable medium: aws:username"),
		"tf-interp": {
			finds:   []string{"variable medium: Terraform text"},
			lacks:   []string{"data medium", "data low"},
			granted: -1,
		},
		"consoleme8968-trust-as-identity": refused("kind refused: --kind trust"),
		"bucket-policy":                   refused("kind refused: a bucket policy"),
		"get-role":                        found("trust-anyone high"),
		"cfn-template":                    refused("kind refused: a CloudFormation template"),
		"cnspec3713-accesskeyscount":      found("condition-key medium"),
		"parl145-iam-resourcetag":         {lacks: []string{"high", "medium"}, granted: -1},
		"trivy5090-logstream":             quiet,
		"trivy5040-logdelivery":           quiet,
		"trivy5114-s3-log":                quiet,
		"kics5714-ec2messages":            {lacks: []string{"high", "medium", "no-effect"}, granted: -1},
		"cfnlint4031-createtags":          quiet,
		"cfnlint1141-redshift":            quiet,
		"moto6742-accesspoint":            quiet,
		"cdk22445-s3-region":              refused("arn-region refused"),
		"tpa3045-empty-partition":         refused("partition refused"),
		"tf10057-effect-allow":            refused("effect refused"),
		"ec2ug237-tagkeys":                quiet,
		"awacs56-ddb-requestedattributes": found("condition-key medium"),
		"iamsim50-deny-notaction":         found("admin high"),
		"prowler3807-cfn-nopassrole":      {lacks: []string{"high", "medium"}, granted: -1},
		"cspl97-revoke-sessions":          quiet,
		"cloudgov-iam-region":             refused("arn-region refused"),
		"transfer6-empty-resource":        refused("arn-form refused"),
		"iamug172-null-tags":              quiet,
		"docs162-foranyvalues-plural":     refused("operator refused"),
		"dd211-forall-principalarn":       found("escalate high", "for-all-values high"),
		"val161-calledvia-foranyvalue":    quiet,
		"self-virtualmfa":                 quiet,
		"scout781-passrole-slr":           found("pass-role low"),
		"parl255-getobjectstar":           quiet,
		"s3-prefix-on-getobject":          only("condition-key medium"),
	}
}

func TestReportedDocuments(t *testing.T) {
	all := rights()
	files, err := filepath.Glob(filepath.Join("testdata", "cases", "*.json"))
	if err != nil || len(files) != len(all) {
		t.Fatalf("%d documents, %d answers: %v", len(files), len(all), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			want, ok := all[name]
			text, err := os.ReadFile(file)
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			report := Review(text, Options{})
			if verdict := want.verdict; report.Verdict != verdict && (verdict != "" || report.Verdict != "accepted") {
				t.Errorf("%s, want %s", report.Verdict, verdict)
			}
			for _, f := range want.finds {
				if !finds(&report, f) {
					t.Errorf("%s is not found in:\n%s", f, told(&report))
				}
			}
			for _, f := range want.lacks {
				if has(&report, f) {
					t.Errorf("%s is found in:\n%s", f, told(&report))
				}
			}
			if want.granted >= 0 && report.Verdict == "accepted" && report.Actions.Granted != want.granted {
				t.Errorf("%d granted, want %d", report.Actions.Granted, want.granted)
			}
		})
	}
}

func finds(r *Report, what string) bool {
	head, words, _ := strings.Cut(what, ": ")
	return slices.ContainsFunc(r.Findings, func(f Finding) bool {
		return f.ID+" "+string(f.Severity) == head && strings.Contains(f.Title+" "+f.Why+" "+f.Fix, words)
	})
}

// has asks for an id, a severity, a class above a note, or an id of a severity.
func has(r *Report, what string) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool {
		return f.ID == what || string(f.Severity) == what || string(f.Class) == what && f.Severity != Note || f.ID+" "+string(f.Severity) == what
	})
}

func told(r *Report) string {
	var b strings.Builder
	for i := range r.Findings {
		f := &r.Findings[i]
		fmt.Fprintf(&b, "%s %s %s: %s %s %s\n", f.Class, f.ID, f.Severity, f.Title, f.Why, f.Fix)
	}
	return b.String()
}
