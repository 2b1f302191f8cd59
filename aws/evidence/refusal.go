package evidence

import (
	"fmt"
	"strings"
)

// Refusal says why evidence cannot be used. Its texts are safe to draw.
type Refusal struct {
	What, Expected, Next string
	// Contradiction is true where the evidence was understood and says two
	// things that cannot both be so.
	Contradiction bool
}

// Error is what was wrong.
func (r *Refusal) Error() string { return r.What }

// Taken names the forms that evidence may have.
const Taken = "the JSON output of aws iam get-role and its kin, a trust policy, a Terraform state or a CloudFormation template"

func refuse(what, next string) *Refusal {
	return &Refusal{What: clean(what), Expected: Taken, Next: clean(next)}
}

func contradiction(what, expected, next string) *Refusal {
	return &Refusal{What: clean(what), Expected: clean(expected), Next: clean(next), Contradiction: true}
}

// differs says that two documents contradict each other about a holder.
func (h *holder) differs(p *holder, what, one, other string) error {
	name := h.name
	if name == "" {
		name = "in question"
	}
	forms := "Two outputs of " + h.form
	if h.form != p.form {
		forms = h.form + " and " + p.form
	}
	return contradiction(
		fmt.Sprintf("%s differ about the %s %s: %s is %s in one and %s in the other.", forms, h.kind(), name, what, short(one), short(other)),
		"outputs that agree",
		"Run the commands again and paste the new outputs alone.",
	)
}

// short is the beginning of a text, enough to tell two apart.
func short(s string) string {
	s = clean(s)
	if s == "" {
		return "none"
	}
	if r := []rune(s); len(r) > 160 {
		return string(r[:159]) + "…"
	}
	return s
}

// wrongForm refuses another output format of the AWS CLI.
func wrongForm(name string) *Refusal {
	return refuse("This is the AWS CLI's output as "+name+".", "Run the same command with --output json.")
}

// wrongThing names a document that is no evidence, by its keys.
func wrongThing(keys []string) *Refusal {
	has := func(names ...string) bool {
		for _, name := range names {
			if !strings.Contains(","+strings.Join(keys, ",")+",", ","+name+",") {
				return false
			}
		}
		return true
	}
	show := "Paste the output of aws iam get-role --role-name NAME --output json."
	switch {
	case has("Credentials"), has("AccessKeyId", "SecretAccessKey"):
		return refuse("This is the answer of aws sts with the credentials of a session, which are secret and show no role.",
			"Keep it to yourself; the session ends by itself. "+show)
	case has("AccessKey"):
		return refuse("This is the answer of aws iam create-access-key, which holds a secret and shows no user.",
			"Keep it to yourself, and paste the output of aws iam list-access-keys.")
	case has("session", "vendor"):
		return refuse("This is a session of rolecall, which says what was made and not what is there now.", show)
	case has("checks"):
		return refuse("This is a verdict of rolecall, not what it was made from.", show)
	case has("planned_values"):
		return refuse(
			"This is a Terraform plan, which says what would be and not what is.",
			"Paste the state: terraform show -json, after apply.",
		)
	case has("Statement"):
		return refuse("This is a permissions policy alone; it does not say which role or user has it.",
			"Paste the output of aws iam get-policy-version or get-role-policy, and that of get-role.")
	case has("AccountAlias"), has("SummaryMap"):
		return refuse("This is a summary of the account, which shows no role.", show)
	}
	if len(keys) > 6 {
		keys = append(keys[:6:6], "…")
	}
	return refuse("This document shows neither a role nor a user. Its keys are: "+strings.Join(keys, ", ")+".", show)
}
