package aws_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode"

	"rolecall/aws"
)

func TestCheckExternalID(t *testing.T) {
	for _, good := range []string{"ab", extID, "A-Z_a.z=0,9+@/", strings.Repeat("x", 1224)} {
		if err := aws.CheckExternalID(good); err != nil {
			t.Errorf("%.40q refused: %v", good, err)
		}
	}
	for bad, word := range map[string]string{"": "missing", "a": "1 character", strings.Repeat("x", 1225): "1225",
		"two words": "a space", " lead": "begins or ends with a space", "tab\there": "a space", "star*": `'*'`, "umlautä": `'ä'`,
		"ctl\x01x": "control"} {
		err := aws.CheckExternalID(bad)
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%.40q: %v, want %q", bad, err, word)
		}
	}
}

func TestCheckNamesAndPaths(t *testing.T) {
	good := []error{
		aws.CheckRoleName("Spot-Role_1+=,.@"),
		aws.CheckRoleName(strings.Repeat("r", 64)),
		aws.CheckPolicyName(strings.Repeat("p", 128)),
		aws.CheckPath("/"),
		aws.CheckPath("/a/b!c/"),
		aws.CheckPolicyPath("/a/b/"),
		aws.CheckUserName("sprinters-user"),
		aws.CheckAccountID(account),
	}
	for i, err := range good {
		if err != nil {
			t.Errorf("good %d refused: %v", i, err)
		}
	}
	bad := []error{
		aws.CheckRoleName(""),
		aws.CheckRoleName("a b"),
		aws.CheckRoleName(strings.Repeat("r", 65)),
		aws.CheckPolicyName("a/b"),
		aws.CheckPolicyName(strings.Repeat("p", 129)),
		aws.CheckPath(""),
		aws.CheckPath("a/"),
		aws.CheckPath("/a"),
		aws.CheckPath("/a b/"),
		aws.CheckPath("/" + strings.Repeat("a", 512) + "/"),
		aws.CheckPolicyPath("/a!b/"),
		aws.CheckAccountID("1234"),
		aws.CheckAccountID("1234-5678-9012"),
	}
	for i, err := range bad {
		if err == nil {
			t.Errorf("bad %d accepted", i)
			continue
		}
		if e := aws.Explain(err); e.Kind != aws.Malformed || e.Expected == "" || e.Next == "" {
			t.Errorf("bad %d says too little: %+v", i, e)
		}
	}
	if err := aws.CheckAccountID("1234-5678-9012"); !strings.Contains(err.Error(), account) {
		t.Errorf("no hint: %v", err)
	}
}

func TestParseRoleARN(t *testing.T) {
	const arn = "arn:aws:iam::123456789012:role/Spot-Role"
	for pasted, want := range map[string]aws.RoleRef{
		arn:                     {ARN: arn, Name: "Spot-Role", Path: "/"},
		"  \"" + arn + "\"\r\n": {ARN: arn, Name: "Spot-Role", Path: "/"},
		"\ufeff" + arn[:20] + "\u200b" + arn[20:] + ",": {ARN: arn, Name: "Spot-Role", Path: "/"},
		arn[:25] + "\n  " + arn[25:]:                    {ARN: arn, Name: "Spot-Role", Path: "/"},
		"arn:aws:iam::123456789012:role/a/b/Spot-Role":  {ARN: "arn:aws:iam::123456789012:role/a/b/Spot-Role", Name: "Spot-Role", Path: "/a/b/"},
	} {
		got, err := aws.ParseRoleARN(pasted, "aws", account)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", pasted, got, err)
		}
	}
	for pasted, c := range map[string]struct {
		word string
		kind aws.ErrorKind
	}{
		"":             {"Nothing was pasted", aws.Malformed},
		"Spot-Role":    {"role's name", aws.Malformed},
		"123456789012": {"account number", aws.Malformed},
		"AROAEXAMPLE":  {"role's ID", aws.Malformed},
		"https://console.aws.amazon.com/iam/home":                       {"web address", aws.Malformed},
		"arn:aws-cn:iam::123456789012:role/R":                           {"partition aws-cn", aws.WrongPartition},
		"arn:aws:iam::444455556666:role/R":                              {"account 444455556666", aws.WrongAccount},
		"arn:aws:iam::123456789012:user/R":                              {"a user", aws.Malformed},
		"arn:aws:iam::123456789012:group/R":                             {"a group", aws.Malformed},
		"arn:aws:iam::123456789012:policy/R":                            {"a policy", aws.Malformed},
		"arn:aws:iam::123456789012:root":                                {"account itself", aws.Malformed},
		"arn:aws:iam::123456789012:instance-profile/R":                  {"instance profile", aws.Malformed},
		"arn:aws:sts::123456789012:assumed-role/R/session":              {"session of a role", aws.Malformed},
		"arn:aws:iam::123456789012:role/aws-service-role/x.amazonaws/R": {"service-linked", aws.Malformed},
		"arn:aws:s3:::bucket":                                           {"of s3", aws.Malformed},
		"arn:mars:iam::123456789012:role/R":                             {"not a partition", aws.Malformed},
		"arn:aws:iam::12345:role/R":                                     {"account number", aws.Malformed},
		"arn:aws:iam:us-east-1:123456789012:role/R":                     {"region", aws.Malformed},
		"arn:aws:iam::123456789012:role/":                               {"missing", aws.Malformed},
		"arn:aws:iam::123456789012:role/a*b":                            {"'*'", aws.Malformed},
		"arn:aws:iam::123456789012:saml-provider/R":                     {"saml-provider", aws.Malformed},
		"arn:aws:iam::123456789012:role/" + strings.Repeat("a", 3000):   {"too long", aws.Malformed},
	} {
		_, err := aws.ParseRoleARN(pasted, "aws", account)
		e := aws.Explain(err)
		if e == nil || e.Kind != c.kind || !strings.Contains(e.Error(), c.word) || e.Next == "" || e.Expected == "" {
			t.Errorf("%.80q: %v, want %q", pasted, err, c.word)
		}
	}
}

func TestAMegabyteIsNoARN(t *testing.T) {
	if _, err := aws.ParseRoleARN(strings.Repeat("arn:aws:iam::", 1<<16), "", ""); err == nil {
		t.Error("accepted")
	} else if len(err.Error()) > 500 {
		t.Errorf("the error repeats the paste: %d bytes", len(err.Error()))
	}
}

func FuzzParseRoleARN(f *testing.F) {
	f.Add("arn:aws:iam::123456789012:role/Spot-Role", "aws", account)
	f.Add("\ufeff\"arn:aws-cn:iam::123456789012:role/a/b\u200b\"\r\n", "", "")
	f.Add("arn:aws:sts::123456789012:assumed-role/\x1b[2J/x", "aws", "")
	f.Fuzz(func(t *testing.T, pasted, partition, account string) {
		clean := aws.CleanARN(pasted)
		if again := aws.CleanARN(clean); again != clean {
			t.Errorf("cleaning twice differs: %q, %q", clean, again)
		}
		drawable(t, clean)
		ref, err := aws.ParseRoleARN(pasted, partition, account)
		if err != nil {
			drawable(t, err.Error())
			return
		}
		if ref.ARN != clean || ref.Name == "" || !strings.HasSuffix(ref.ARN, ":role"+ref.Path+ref.Name) || aws.CheckRoleName(ref.Name) != nil {
			t.Errorf("%q gives %+v", pasted, ref)
		}
	})
}

func drawable(t *testing.T, s string) {
	t.Helper()
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			t.Errorf("%q holds %U", s, r)
		}
	}
}

func TestPartitionOf(t *testing.T) {
	for region, want := range map[string]string{"us-east-1": "aws", "ap-southeast-7": "aws", "mx-central-1": "aws", "cn-north-1": "aws-cn",
		"cn-northwest-1": "aws-cn", "us-gov-east-1": "aws-us-gov", "us-iso-east-1": "aws-iso", "us-isob-east-1": "aws-iso-b",
		"eu-isoe-west-1": "aws-iso-e", "us-isof-south-1": "aws-iso-f", "eusc-de-east-1": "aws-eusc"} {
		if got, ok := aws.PartitionOf(region); !ok || got != want {
			t.Errorf("%s is in %q, %v", region, got, ok)
		}
	}
	for region, hint := range map[string]string{"us-eats-1": "us-east-1", "mars-1": "such as", "": "such as", "aws-cn-global": "cn-north-1",
		"eu-west": "eu-west-1"} {
		_, ok := aws.PartitionOf(region)
		if err := aws.CheckRegion(region); ok || err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%q: %v, %v", region, ok, err)
		}
	}
	for _, p := range aws.Partitions() {
		if got, ok := aws.PartitionOf(p.Region); !ok || got != p.ID || aws.DefaultRegion(p.ID) != p.Region {
			t.Errorf("%s: its region %s is in %q", p.ID, p.Region, got)
		}
	}
	if aws.Partitions()[0].ID != "aws" {
		t.Error("the commercial partition does not stand first")
	}
}

func TestConsole(t *testing.T) {
	c, ok := aws.ConsoleFor("aws")
	if !ok {
		t.Fatal("no console")
	}
	arn := "arn:aws:iam::123456789012:policy/vendors/Spot-Policy"
	for got, want := range map[string]string{
		c.SignIn():       "https://console.aws.amazon.com/",
		c.CreatePolicy(): "https://console.aws.amazon.com/iam/home#/policies/create",
		c.CreateRole(vendor, "a:b/c+d e",
			arn): "https://console.aws.amazon.com/iam/home#/roles/create?step=type&trustedEntityType=AWS_ACCOUNT&awsAccount=922761411349" +
			"&isThirdParty=true&externalId=a%3Ab%2Fc%2Bd%20e&policies=arn%3Aaws%3Aiam%3A%3A123456789012%3Apolicy%2Fvendors%2FSpot-Policy",
		c.CreateRoleOld(vendor, "a:b",
			"Spot-Role"): "https://console.aws.amazon.com/iam/home#/roles$new?step=type&roleType=crossAccount&isThirdParty&accountID=922761411349" +
			"&externalID=a%3Ab&roleName=Spot-Role",
		c.Trust("a+b"):                "https://console.aws.amazon.com/iam/home#/roles/details/a%2Bb?section=trust_relationships",
		c.Policy(arn):                 "https://console.aws.amazon.com/iam/home#/policies/details/arn%3Aaws%3Aiam%3A%3A123456789012%3Apolicy%2Fvendors%2FSpot-Policy",
		c.UploadTemplate("eu-west-1"): "https://console.aws.amazon.com/cloudformation/home?region=eu-west-1#/stacks/create/template",
		c.QuickCreate("", "https://s3.amazonaws.com/b/t.yaml", "Spot", "ExternalId",
			"a b"): "https://console.aws.amazon.com/cloudformation/home?region=us-east-1" +
			"#/stacks/quickcreate?templateURL=https%3A%2F%2Fs3.amazonaws.com%2Fb%2Ft.yaml&stackName=Spot&param_ExternalId=a%20b",
	} {
		if got != want {
			t.Errorf("link\n%s, want\n%s", got, want)
		}
		if _, err := url.Parse(got); err != nil {
			t.Error(err)
		}
	}
	for partition, host := range map[string]string{"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"} {
		if c, ok := aws.ConsoleFor(partition); !ok || c.Host() != host || !strings.HasPrefix(c.CreatePolicy(), "https://"+host+"/") {
			t.Errorf("%s: %+v", partition, c)
		}
	}
	if _, ok := aws.ConsoleFor("aws-iso"); ok {
		t.Error("a console for a partition that has no public one")
	}
}
