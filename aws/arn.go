package aws

import (
	"fmt"
	"strings"
	"unicode"
)

// RoleRef names a role: ARN, immutable ID (AROA…, empty when not read from
// AWS), name, and path.
type RoleRef struct {
	ARN  string `json:"arn"`
	ID   string `json:"id"`
	Name string `json:"name"`
	Path string `json:"path"`
}

// ARN is an Amazon Resource Name taken apart.
type ARN struct{ Partition, Service, Region, AccountID, Resource string }

// SplitARN takes an ARN apart; false when it is none.
func SplitARN(s string) (ARN, bool) {
	f := strings.SplitN(s, ":", 6)
	if len(f) != 6 || f[0] != "arn" || f[1] == "" || f[2] == "" || f[5] == "" {
		return ARN{}, false
	}
	return ARN{Partition: f[1], Service: f[2], Region: f[3], AccountID: f[4], Resource: f[5]}, true
}

// longestPaste bounds what of a paste is looked at: an ARN has at most 2,048
// characters, and a megabyte of something else need not be walked through.
const longestPaste = 8 << 10

// CleanARN takes away what comes along when an ARN is copied: white space
// (inside too, from a wrapped line), quotes, a trailing comma or full stop, a
// byte order mark, zero-width and control characters.
func CleanARN(pasted string) string {
	if len(pasted) > longestPaste {
		pasted = pasted[:longestPaste]
	}
	s := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return -1
		}
		if strings.ContainsRune("\"'`“”‘’«»<>", r) {
			return -1
		}
		return r
	}, pasted)
	return strings.TrimRight(s, ",.;")
}

// ParseRoleARN judges a pasted role ARN: partition and accountID are the ones
// to expect, empty when any will do. The error says what was pasted and what
// to paste instead.
func ParseRoleARN(pasted, partition, accountID string) (RoleRef, error) {
	const expected = "a role's ARN such as arn:aws:iam::123456789012:role/Spot-Role"
	s := CleanARN(pasted)
	switch {
	case s == "":
		return RoleRef{}, refuse(Malformed, "Nothing was pasted.", expected, "Copy the ARN at the top of the role's page.")
	case len(s) > 2048:
		return RoleRef{}, refuse(Malformed, "That is too long for an ARN.", expected, "Copy only the ARN at the top of the role's page.")
	}
	a, ok := SplitARN(s)
	if !ok {
		return RoleRef{}, refuse(Malformed, fmt.Sprintf("%q is not an ARN.", shorten(s)), expected, notAnARN(s))
	}
	if err := checkKind(a, expected); err != nil {
		return RoleRef{}, err
	}
	if err := checkPlace(a, partition, accountID); err != nil {
		return RoleRef{}, err
	}
	path, name := splitPath(strings.TrimPrefix(a.Resource, "role"))
	if err := CheckRoleName(name); err != nil {
		return RoleRef{}, err
	}
	if err := CheckPath(path); err != nil {
		return RoleRef{}, err
	}
	return RoleRef{ARN: s, Name: name, Path: path}, nil
}

func notAnARN(s string) string {
	switch {
	case accountGrammar().MatchString(s):
		return "That is an account number. Copy the ARN at the top of the role's page."
	case strings.HasPrefix(s, "AROA"):
		return "That is the role's ID. Copy the ARN at the top of the role's page."
	case strings.HasPrefix(s, "http"):
		return "That is a web address. Copy the ARN shown on that page."
	case nameGrammar().MatchString(s):
		return "That may be the role's name. Copy the ARN at the top of the role's page."
	}
	return "Copy the ARN at the top of the role's page."
}

// checkKind refuses everything but a role, each kind with what to paste
// instead.
func checkKind(a ARN, expected string) error {
	kind, name, _ := strings.Cut(a.Resource, "/")
	say := func(what, next string) error { return refuse(Malformed, what, expected, next) }
	if a.Service == "sts" && kind == "assumed-role" {
		role, _, _ := strings.Cut(name, "/")
		return say(
			"That is the ARN of a session of a role, not of the role.",
			fmt.Sprintf(
				"The role may be arn:%s:iam::%s:role/%s; a path would be missing there, so copy the ARN from the role's page.",
				cleanText(a.Partition),
				cleanText(a.AccountID),
				shorten(role),
			),
		)
	}
	if a.Service != "iam" {
		return say(fmt.Sprintf("That is an ARN of %s, not of IAM.", shorten(a.Service)), "Copy the ARN at the top of the role's page in IAM.")
	}
	switch kind {
	case "role":
		if rest := strings.TrimPrefix(a.Resource, "role/"); strings.HasPrefix(rest, "aws-service-role/") {
			return say("That is a service-linked role. Only an AWS service can use it.", "Copy the ARN of the role that you made for the vendor.")
		}
		return nil
	case "user":
		return say("That is the ARN of a user.", "Open IAM, Roles, and copy the ARN of the role that you made for the vendor.")
	case "group":
		return say("That is the ARN of a group.", "Open IAM, Roles, and copy the ARN of the role that you made for the vendor.")
	case "policy":
		return say("That is the ARN of a policy.", "The role is the next thing to make: open IAM, Roles, and copy the role's ARN.")
	case "instance-profile":
		return say("That is the ARN of an instance profile.", "Copy the line \"ARN\" of the role's page, not \"Instance profile ARN\".")
	case "root":
		return say("That is the ARN of the account itself.", "Open IAM, Roles, and copy the ARN of the role that you made for the vendor.")
	}
	return say(fmt.Sprintf("That is the ARN of another thing in IAM (%s).", shorten(kind)), "Open IAM, Roles, and copy the role's ARN.")
}

func checkPlace(a ARN, partition, accountID string) error {
	if _, known := partitionByID(a.Partition); !known {
		return refuse(
			Malformed,
			fmt.Sprintf("%q is not a partition of AWS.", shorten(a.Partition)),
			"aws, aws-cn or aws-us-gov after \"arn:\"",
			"Copy the ARN again.",
		)
	}
	if partition != "" && a.Partition != partition {
		return refuse(WrongPartition, fmt.Sprintf("That role is in the partition %s.", a.Partition), "a role in "+partition,
			"Choose the other partition, or copy the ARN from the console of "+partition+".")
	}
	if a.Region != "" {
		return refuse(Malformed, fmt.Sprintf("A role's ARN has no region, but %q stands there.", shorten(a.Region)),
			"two colons after \"iam\"", "Copy the ARN again.")
	}
	if err := CheckAccountID(a.AccountID); err != nil {
		return err
	}
	if accountID != "" && a.AccountID != accountID {
		return refuse(WrongAccount, "That role is in account "+a.AccountID+".", "a role in account "+accountID,
			"Switch the browser to account "+accountID+", or sign in to the other account here.")
	}
	return nil
}

// splitPath takes "/vendors/Spot-Role" apart into "/vendors/" and "Spot-Role".
func splitPath(s string) (path, name string) {
	i := strings.LastIndex(s, "/")
	return s[:i+1], s[i+1:]
}

func shorten(s string) string {
	s = cleanText(s)
	if r := []rune(s); len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return s
}
