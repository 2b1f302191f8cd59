package steps_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rolecall/policy"
	"rolecall/steps"
)

const guideOnlyID = "spotinst:aws:extid:0123456789abcdef"

// guideOnly is a walk without credentials, up to the role.
func (w *world) guideOnly() *world {
	w.token = ""
	w.session = w.newSession()
	w.walk = steps.NewWalk(w.session)
	w.start().at("vendor").enter().at("partition").enter().at("login").until("profiles", w.enterWorks)
	w.chooses("profile", "guide-only").types("account-id", "").at("permissions").enter()
	return w.at(policyStep).enter().at(roleStep).types("external-id", guideOnlyID).sees("CloudShell", "aws iam get-role --role-name Spot-Role")
}

func pastedRole(externalID string) string {
	return `{"Role": {"RoleName": "My-Role", "RoleId": "AROAEXAMPLE", "Path": "/", "Arn": "arn:aws:iam::123456789012:role/My-Role", "AssumeRolePolicyDocument": ` +
		policy.NewTrust("aws", []string{"922761411349"}, externalID).Pretty() + "}}\n"
}

const pastedLists = "[cloudshell-user@ip-10-0-0-1 ~]$ aws iam list-attached-role-policies --role-name My-Role\n" +
	`{"AttachedPolicies": [{"PolicyName": "Spot-Policy", "PolicyArn": "arn:aws:iam::123456789012:policy/Spot-Policy"}]}` + "\n" +
	`{"PolicyNames": []}` + "\n"

// TestGuideOnlyEndsProven holds that copying and pasting alone proves a role.
func TestGuideOnlyEndsProven(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.guideOnly()
		w.types("role-arn", "Role:\n  RoleName: My-Role\n").sees("YAML", "--output json")
		w.types("role-arn", "$ aws iam get-role --role-name My-Role --output json").seesNot("YAML")
		w.types("role-arn", pastedRole(guideOnlyID)).sees("nothing is wrong", "aws iam list-role-policies --role-name My-Role").at(roleStep)
		w.types("role-arn", pastedLists).sees("get-policy-version").seesNot("aws iam list-role-policies --role-name My-Role --output json")
		w.types(
			"role-arn",
			`{"PolicyVersion": {"VersionId": "v1", "IsDefaultVersion": true, "Document": `+w.wantedPolicy().Pretty()+"}}\n",
		).sees("Found My-Role. It is right.")
		w.enter().at("connect").sees("arn:aws:iam::123456789012:role/My-Role")
		if r := w.session.Result(); len(r.Checks) != 11 || r.AccountID != "123456789012" {
			t.Errorf("%s: %+v", r.AccountID, r.Checks)
		}
	})
}

// TestGuideOnlyTellsWhatIsWrong holds that evidence of a wrong role proves
// nothing, and that new outputs can take its place.
func TestGuideOnlyTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.guideOnly()
		w.types("role-arn", pastedRole("spotinst:aws:extid:fedcba9876543210")).sees("not right yet", "fedcba9876543210").seesNot("It is right")
		w.types("role-arn", pastedRole(guideOnlyID)).sees("differ").seesNot("It is right")
		file := filepath.Join(t.TempDir(), "evidence.json")
		all := pastedRole(
			guideOnlyID,
		) + pastedLists + `{"PolicyVersion": {"VersionId": "v1", "IsDefaultVersion": true, "Document": ` + w.wantedPolicy().Pretty() + "}}\n"
		if err := os.WriteFile(file, []byte(all), 0o600); err != nil {
			t.Fatal(err)
		}
		w.presses("anew").types("role-arn", filepath.Join(filepath.Dir(file), "none.json")).sees("cannot be read")
		w.types("role-arn", file).sees("Found My-Role. It is right.")
	})
}

// TestGuideOnlyTakesAWrappedARN holds that an ARN is none of the documents.
func TestGuideOnlyTakesAWrappedARN(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.guideOnly()
		w.types("role-arn", strings.Repeat("x", 2<<20)).at(roleStep)
		w.types("role-arn", "arn:aws:iam::123456789012:\n  role/My-Role\n").at("connect")
	})
}

// guideOnlyUser is a walk without credentials, up to the user.
func (w *world) guideOnlyUser() *world {
	w.t.Helper()
	w.start().at("vendor").enter().at("login").until("the profiles", w.enterWorks)
	w.chooses("profile", "guide-only").types("account-id", "").at("permissions").enter()
	return w.at(userPolicyStep).enter().at(userStep).sees("CloudShell", "aws iam get-user --user-name sprinters-user")
}

func pastedUser(arn string) string {
	return `{"User": {"UserName": "my-user", "UserId": "AIDAEXAMPLE", "Path": "/", "Arn": "` + arn + `", "CreateDate": "2026-01-31T00:00:00Z"}}` + "\n"
}

const pastedUserLists = "[cloudshell-user@ip-10-0-0-1 ~]$ aws iam list-attached-user-policies --user-name my-user\n" +
	`{"AttachedPolicies": [{"PolicyName": "sprinters-policy", "PolicyArn": "arn:aws:iam::123456789012:policy/sprinters-policy"}]}` + "\n" +
	`{"PolicyNames": []}` + "\n" + `{"Groups": []}` + "\n"

// TestGuideOnlyProvesAUser holds that copying and pasting alone proves a user,
// that a wrong one is not taken, and that no secret is.
func TestGuideOnlyProvesAUser(t *testing.T) {
	t.Parallel()
	sprinters(t, "manual", "user", func(t *testing.T, w *world) {
		w.guideOnlyUser()
		secret := "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
		w.types("user-name", secret).at(userStep).sees("secret").seesNot(secret)
		w.types("user-name", `{"AccessKey": {"UserName": "my-user", "SecretAccessKey": "`+secret+`"}}`).sees("secret").seesNot(secret)
		w.types("user-name", pastedUser("arn:aws:iam::123456789012:user/my-user")).sees(
			"nothing is wrong", "aws iam list-attached-user-policies --user-name my-user").at(userStep)
		w.types("user-name", pastedUserLists).sees("get-policy-version")
		less := policy.NewDocument(policy.Statement{Effect: policy.Allow, Action: []string{"s3:ListBucket"}, Resource: []string{"*"}})
		version := func(d *policy.Document) string {
			return `{"PolicyVersion": {"VersionId": "v1", "IsDefaultVersion": true, "Document": ` + d.Pretty() + "}}\n"
		}
		w.types("user-name", version(less)).sees("not right yet").seesNot("It is right")
		w.presses("anew").types("user-name", pastedUser("arn:aws:iam::123456789012:user/my-user")+pastedUserLists+version(w.userPolicy()))
		w.sees("Found my-user. It is right.", "pass user-policy-matches")
		w.enter().at(credentialsStep).sees("aws iam list-access-keys --user-name my-user")
		keys := func(more string) string {
			return `{"AccessKeyMetadata": [{"UserName": "my-user", "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "Status": "Active", ` +
				`"CreateDate": "2026-01-31T00:00:00Z"}` + more + "]}\n"
		}
		w.types("access-key-id", secret).sees("secret").seesNot(secret)
		w.types("access-key-id", strings.ReplaceAll(keys(""), "my-user", "other")).sees("no active access key of my-user")
		w.types("access-key-id", keys(`, {"UserName": "my-user", "AccessKeyId": "AKIAI44QH8DHBEXAMPLE", "Status": "Active"}`)).sees("Enter the one")
		w.types("access-key-id", keys("")).sees("AKIAIOSFODNN7EXAMPLE").enter()
		if p := w.part(); p.KeyID != "AKIAIOSFODNN7EXAMPLE" || w.text() == "" {
			t.Errorf("%+v", p)
		}
		if p := w.part(); p.UserARN != "arn:aws:iam::123456789012:user/my-user" || w.session.AccountID != "123456789012" {
			t.Errorf("%+v of %s", p, w.session.AccountID)
		}
	})
}
