package aws

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// IAM's grammars, from its API reference (botocore iam/2010-05-08 and
// sts/2011-06-15). They are compiled when first used.
var (
	nameGrammar       = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w+=,.@-]+$`) })
	pathGrammar       = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(/|/[!-~]+/)$`) })
	policyPathGrammar = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^((/[A-Za-z0-9.,+@=_-]+)*)/$`) })
	externalIDGrammar = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w+=,.@:/-]+$`) })
	accountGrammar    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\d{12}$`) })
)

const nameCharacters = "letters, digits and + = , . @ - _"

// CheckRoleName refuses what IAM would refuse as a role's name: 1–64 letters,
// digits and + = , . @ - _.
func CheckRoleName(s string) error { return checkName("A role's name", s, 64) }

// CheckPolicyName is the same for a managed policy: up to 128.
func CheckPolicyName(s string) error { return checkName("A policy's name", s, 128) }

// CheckUserName is the same for an IAM user to create: up to 64.
func CheckUserName(s string) error { return checkName("A user's name", s, 64) }

func checkName(what, s string, longest int) error {
	expected := fmt.Sprintf("1–%d characters: %s", longest, nameCharacters)
	switch {
	case s == "":
		return refuse(Malformed, what+" is missing.", expected, "Type a name.")
	case len(s) > longest:
		return refuse(
			Malformed,
			fmt.Sprintf("%s has at most %d characters; this one has %d.", what, longest, len([]rune(s))),
			expected,
			"Shorten it.",
		)
	case !nameGrammar().MatchString(s):
		return refuse(Malformed, fmt.Sprintf("%s cannot hold %s.", what, culprit(s, nameGrammar())), expected, "Remove it.")
	}
	return nil
}

// CheckPath refuses what IAM would refuse as the path of a role or user: it
// begins and ends with a slash.
func CheckPath(s string) error { return checkPath(s, pathGrammar()) }

// CheckPolicyPath is the same for a managed policy, whose grammar is narrower.
func CheckPolicyPath(s string) error { return checkPath(s, policyPathGrammar()) }

func checkPath(s string, grammar *regexp.Regexp) error {
	const expected = "a path such as /vendors/ that begins and ends with a slash, at most 512 characters"
	clean := cleanText(s)
	switch {
	case len(s) > 512:
		return refuse(Malformed, "The path has more than 512 characters.", expected, "Shorten it.")
	case !strings.HasPrefix(s, "/") || !strings.HasSuffix(s, "/"):
		return refuse(Malformed, fmt.Sprintf("The path %q does not begin and end with a slash.", clean), expected,
			"Write /"+strings.Trim(clean, "/")+"/.")
	case !grammar.MatchString(s):
		return refuse(
			Malformed,
			fmt.Sprintf("The path %q holds a character that IAM refuses.", clean),
			expected,
			"Use letters, digits and + = , . @ - _ between the slashes.",
		)
	}
	return nil
}

// CheckExternalID refuses what STS would refuse as an external ID: 2–1,224
// letters, digits and + = , . @ : / - _. A space is named as the culprit.
func CheckExternalID(s string) error {
	const expected = "2–1,224 characters: letters, digits and + = , . @ : / - _"
	switch {
	case s == "":
		return refuse(Malformed, "The external ID is missing.", expected, "Paste it from the vendor's page.")
	case externalIDGrammar().MatchString(s):
	case strings.TrimSpace(s) != s:
		return refuse(Malformed, "The external ID begins or ends with a space.", expected, "Remove the space: AWS compares every character.")
	case strings.ContainsAny(s, " \t\r\n"):
		return refuse(Malformed, "The external ID holds a space.", expected, "Remove the space, or copy the external ID again.")
	default:
		return refuse(Malformed, "The external ID holds "+culprit(s, externalIDGrammar())+".", expected, "Copy the external ID again.")
	}
	if n := len(s); n < 2 || n > 1224 {
		return refuse(Malformed, fmt.Sprintf("The external ID has %d characters.", n), expected, "Copy the external ID again.")
	}
	return nil
}

// CheckAccountID refuses what is no AWS account number: twelve digits. Dashes
// and spaces, as the console shows them, are named.
func CheckAccountID(s string) error {
	if accountGrammar().MatchString(s) {
		return nil
	}
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
	next := "Copy the number from the top right corner of the AWS console."
	if len(digits) == 12 {
		next = "Write it without dashes or spaces: " + digits + "."
	}
	return refuse(Malformed, fmt.Sprintf("%q is not an AWS account number.", cleanText(s)), "twelve digits", next)
}

// culprit names the first character that the grammar refuses.
func culprit(s string, grammar *regexp.Regexp) string {
	for _, r := range s {
		switch {
		case r == ' ':
			return "a space"
		case r < ' ' || r == 0x7f:
			return "a control character"
		case !grammar.MatchString(string(r)):
			return fmt.Sprintf("%q", r)
		}
	}
	return "a character that IAM refuses"
}
