package describe_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/policy"
	"rolecall/steps"
	"rolecall/steps/describe"
)

const (
	main   = "SpotinstRoleArn"
	finops = "SpotFinOpsRoleArn"
)

func Load(t testing.TB, name string) *describe.Vendor {
	t.Helper()
	v, err := steps.Library().Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func role(t testing.TB, v *describe.Vendor, purpose string) *describe.Role {
	t.Helper()
	r, ok := v.Role(purpose)
	if !ok {
		t.Fatalf("no role %s", purpose)
	}
	return r
}

func published(t testing.TB, name string) *policy.Document {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := policy.Parse([]byte(strings.ReplaceAll(string(text), "${CostAndUsageBucket}", "REPORT_BUCKET")), policy.Identity)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func sids(doc *policy.Document) []string {
	if doc == nil {
		return nil
	}
	var all []string
	for _, s := range doc.Statements {
		all = append(all, s.Sid)
	}
	return all
}

func expand(t testing.TB, v *describe.Vendor, selection ...string) []string {
	t.Helper()
	bundles, err := v.Bundles(selection)
	if err != nil {
		t.Fatal(err)
	}
	return bundles
}

// TestComposeEqualsPublished compares statement by statement with the vendors'
// published documents.
func TestComposeEqualsPublished(t *testing.T) {
	for _, test := range []struct {
		vendor, purpose, file string
		selection             []string
	}{
		{"spot", main, "spot-default-policy.json", nil},
		{"spot", main, "spot-default-policy.json", []string{"elastigroup", "ocean"}},
		{"spot", finops, "spot-finops-policy.json", []string{"cloud-analyzer"}},
		{"sprinters", "SprintersRoleArn", "sprinters-role-policy.json", nil},
	} {
		v := Load(t, test.vendor)
		want := published(t, test.file)
		got := v.Compose(role(t, v, test.purpose), expand(t, v, test.selection...), describe.Commercial)
		if got.Digest() != want.Digest() {
			t.Errorf("%s %v: another digest", test.purpose, test.selection)
		}
		if diff := cmp.Diff(sids(want), sids(got)); diff != "" {
			t.Errorf("%s: Sids: %s", test.purpose, diff)
		}
		for i := range want.Statements {
			w, g := want.Statements[i], got.Statements[i]
			if diff := cmp.Diff([]any{w.Effect, w.Action, w.Resource}, []any{g.Effect, g.Action, g.Resource}); diff != "" {
				t.Errorf("%s: %s: %s", test.purpose, w.Sid, diff)
			}
		}
	}
	spot := Load(t, "spot")
	if n := spot.Compose(role(t, spot, main), nil, describe.Commercial).Characters(); n != 6097 {
		t.Errorf("the default has %d characters, published are 6097", n)
	}
}

// TestPublishedCopies holds the copies against the shared originals.
func TestPublishedCopies(t *testing.T) {
	shared := filepath.Join("..", "..", "..", "shared", "domain")
	if _, err := os.Stat(shared); err != nil {
		t.Skip("the shared domain folder is not here: only the copies in testdata were used")
	}
	for _, name := range []string{"spot-default-policy.json", "sprinters-role-policy.json"} {
		text, err := os.ReadFile(filepath.Join(shared, name))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := policy.Parse(text, policy.Identity)
		if err != nil || doc.Digest() != published(t, name).Digest() {
			t.Errorf("%s differs from its original (%v)", name, err)
		}
	}
}

func TestSelections(t *testing.T) {
	v := Load(t, "spot")
	for _, test := range []struct {
		selection []string
		bundles   string
		main      string
		finops    int
	}{
		{[]string{"elastigroup/route53"}, "elastigroup elastigroup/route53",
			"OverviewDashboard OceanAndElastigroupBasicActions ElastigroupRoute53 AccountOperativeActions", 0},
		{[]string{"ocean"}, "ocean ocean/eks ocean/ecs ocean/storage",
			"OverviewDashboard OceanEks OceanAndElastigroupBasicActions SpotStorage AccountOperativeActions OceanEcs", 0},
		{[]string{"ocean/ecs", " elastigroup/beanstalk"}, "elastigroup elastigroup/beanstalk ocean ocean/ecs",
			"OverviewDashboard OceanAndElastigroupBasicActions ElastigroupBeanstalk AccountOperativeActions OceanEcs AccesS3forElasticBeanstalk", 0},
		{[]string{"cloud-analyzer"}, "cloud-analyzer", "", 13},
	} {
		bundles := expand(t, v, test.selection...)
		if got := strings.Join(bundles, " "); got != test.bundles {
			t.Errorf("%v: bundles %s", test.selection, got)
		}
		doc := v.Compose(role(t, v, main), bundles, describe.Commercial)
		if got := strings.Join(sids(doc), " "); got != test.main {
			t.Errorf("%v: statements %s", test.selection, got)
		}
		if got := sids(v.Compose(role(t, v, finops), bundles, describe.Commercial)); len(got) != test.finops {
			t.Errorf("%v: %d statements for Cloud Analyzer", test.selection, len(got))
		}
	}
	// In an expanded selection a product stands for itself alone.
	if got := sids(v.Compose(role(t, v, main), []string{"elastigroup"}, describe.Commercial)); len(got) != 3 {
		t.Errorf("elastigroup alone: %v", got)
	}
	if diff := cmp.Diff(v.DefaultBundles(), expand(t, v)); diff != "" {
		t.Error(diff)
	}
	if _, ok := v.Bundle("elastigroup/eks"); ok {
		t.Error("found an integration of another product")
	}
}

func TestUnknownBundles(t *testing.T) {
	_, err := Load(t, "spot").Bundles([]string{"elastigrup", "ocean/route53", "elastigroup/", "", "ocean"})
	if m := describe.MistakesOf(err); len(m) != 4 || !strings.Contains(m[0].Next, "Did you mean elastigroup?") {
		t.Errorf("got %v", err)
	}
	_, err = Load(t, "sprinters").Bundles([]string{"runners"})
	if m := describe.MistakesOf(err); len(m) != 1 || m[0].Next != "Leave out --products." {
		t.Errorf("got %v", err)
	}
}

func TestRolesFor(t *testing.T) {
	purposes := func(roles []*describe.Role) string {
		var all []string
		for _, r := range roles {
			all = append(all, r.Purpose)
		}
		return strings.Join(all, " ")
	}
	spot, sprinters := Load(t, "spot"), Load(t, "sprinters")
	for _, test := range []struct{ got, want string }{
		{purposes(spot.RolesFor(nil, describe.AccessRole)), main},
		{purposes(spot.RolesFor(expand(t, spot, "cloud-analyzer"), describe.AccessRole)), finops},
		{purposes(spot.RolesFor(expand(t, spot, "ocean", "cloud-analyzer"), describe.AccessRole)), main + " " + finops},
		{purposes(spot.RolesFor(nil, describe.AccessUser)), ""},
		{purposes(sprinters.RolesFor(nil, describe.AccessRole)), "SprintersRoleArn"},
		{purposes(sprinters.RolesFor(nil, describe.AccessUser)), "SprintersUser"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestComposeInPartition(t *testing.T) {
	v := Load(t, "spot")
	for _, partition := range v.PartitionsOf() {
		doc := v.Compose(role(t, v, main), nil, partition)
		want := "arn:" + partition + ":s3:::elasticbeanstalk*"
		last := doc.Statements[len(doc.Statements)-1]
		if !slices.Equal(last.Resource, []string{want}) {
			t.Errorf("%s: %v", partition, last.Resource)
		}
	}
	if diff := cmp.Diff([]string{"aws", "aws-cn", "aws-us-gov"}, v.PartitionsOf()); diff != "" {
		t.Error(diff)
	}
}

func TestFill(t *testing.T) {
	v := Load(t, "spot")
	r := role(t, v, finops)
	doc := v.Compose(r, expand(t, v, "cloud-analyzer"), describe.Commercial)
	filled, err := r.Fill(doc, map[string]string{"REPORT_BUCKET": "my-reports"})
	if err != nil {
		t.Fatal(err)
	}
	if text := filled.Compact(); strings.Contains(text, "REPORT_BUCKET") || !strings.Contains(text, `"arn:aws:s3:::my-reports/*"`) {
		t.Errorf("filled: %s", text)
	}
	if !strings.Contains(doc.Compact(), "REPORT_BUCKET") {
		t.Error("Fill changed the document that it was given")
	}
	for _, bad := range []string{"", "*", "a*", "${aws:username}", "Upper", "x", "a/b", "bucket\n"} {
		if _, err := r.Fill(doc, map[string]string{"REPORT_BUCKET": bad}); len(describe.MistakesOf(err)) != 1 {
			t.Errorf("%q was taken: %v", bad, err)
		}
	}
}

func TestCheckTrustedAccount(t *testing.T) {
	v := Load(t, "spot")
	for _, test := range []struct{ partition, account, says string }{
		{"aws", "922761411349", ""},
		{"aws", "111122223333", "is 922761411349, not 111122223333"},
		{"aws-us-gov", "111122223333", ""},
		{"aws-cn", "111122223333", ""},
		{"aws-us-gov", "922761411349", "A role can only trust an account of its own partition"},
		{"aws-cn", "922761411349", "A role can only trust an account of its own partition"},
		{"aws-cn", "884866656237", "A role can only trust an account of its own partition"},
		{"aws-cn", "1111-2222-3333", "not an AWS account number"},
		{"aws-cn", "", "not an AWS account number"},
	} {
		err := v.CheckTrustedAccount(test.partition, test.account)
		if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s %s: %v", test.partition, test.account, err)
		}
	}
}

func TestCheckExternalID(t *testing.T) {
	for name, ids := range map[string]map[string]bool{
		"spot": {"spotinst:aws:extid:0123456789abcdef": true, "spotinst:aws:extid:0123456789abcde": false,
			" spotinst:aws:extid:0123456789abcdef":  false,
			"spotinst:aws:extid:0123456789abcdef\n": false, "xspotinst:aws:extid:0123456789abcdef": false, "": false},
		"sprinters": {"octo-org": true, "a": true, "-a": false, "a-": false, "a--b": false, "a_b": false,
			strings.Repeat("a", 39): true, strings.Repeat("a", 40): false},
	} {
		v := Load(t, name)
		for id, good := range ids {
			if err := v.CheckExternalID(id); (err == nil) != good {
				t.Errorf("%s %q: %v", name, id, err)
			}
		}
	}
}

func TestServesAndNeeds(t *testing.T) {
	v := Load(t, "spot")
	for sid, want := range map[string]string{
		"SpotStorage":             "elastigroup/storage ocean/storage",
		"AccountOperativeActions": "elastigroup ocean",
		"ElastigroupRoute53":      "elastigroup/route53",
		"S3CURBucket":             "cloud-analyzer",
		"Nothing":                 "",
	} {
		if got := strings.Join(v.Serves(sid), " "); got != want {
			t.Errorf("%s serves %s", sid, got)
		}
	}
	needs := v.NeedsFor("iam:passrole")
	if len(needs) != 1 || needs[0].Sid != "AccountOperativeActions" || !needs[0].Always || needs[0].Without == "" {
		t.Errorf("iam:PassRole: %+v", needs)
	}
	var found []string
	for _, need := range v.NeedsFor("elasticmapreduce:RunJobFlow") {
		found = append(found, need.Sid+" "+need.Pattern+" "+strings.Join(need.Bundles, ","))
	}
	if diff := cmp.Diff([]string{"ElastigroupEmr elasticmapreduce:* elastigroup/emr"}, found); diff != "" {
		t.Error(diff)
	}
	if needs := v.NeedsFor("kms:Decrypt"); len(needs) != 0 {
		t.Errorf("kms:Decrypt: %+v", needs)
	}
	sprinters := Load(t, "sprinters")
	if needs := sprinters.NeedsFor("ec2:ModifyVolume"); len(needs) != 2 || !strings.Contains(needs[0].For, "faster") {
		t.Errorf("ec2:ModifyVolume: %+v", needs)
	}
}
