package aws

import (
	"net/url"
	"strings"
)

// longestLink bounds what of a link is looked at.
const longestLink = 8 << 10

// ParseDelegationID takes a delegation request by its ID, its ARN, or the link
// into the AWS console that the requestor sent. AWS documents the form of an ID
// (16 to 128 letters, digits, _ and -) and none of the link: the ID is taken out
// of it where exactly one part has the form of the IDs that AWS shows.
// Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetDelegationRequest.html
func ParseDelegationID(s string) (string, error) {
	s = strings.TrimSpace(s)
	const expected = "the ID of a delegation request, or the link into the AWS console that you were sent"
	if strings.Contains(s, "://") {
		return delegationOfLink(s, expected)
	}
	if arn, ok := SplitARN(s); ok {
		kind, id, _ := strings.Cut(arn.Resource, "/")
		if arn.Service != "iam" || kind != "delegation-request" || !isDelegationID(id) {
			return "", refuse(Malformed, shorten(s)+" is not the ARN of a delegation request.", expected,
				"Copy the ID from the IAM console, Temporary delegation requests.")
		}
		return id, nil
	}
	if !isDelegationID(s) {
		return "", refuse(Malformed, "\""+shorten(s)+"\" is not the ID of a delegation request.", expected,
			"List those of this account: rolecall delegation list.")
	}
	return s, nil
}

func delegationOfLink(s, expected string) (string, error) {
	link, err := url.Parse(s)
	if len(s) > longestLink || err != nil || link.Scheme != "https" || link.User != nil || !consoleHost(link.Hostname()) {
		return "", refuse(Malformed, shorten(s)+" is no link into the AWS console.", expected,
			"Be careful with where the link came from: only AWS's own pages ask you to approve access. The ID itself is in the IAM console, "+
				"Temporary delegation requests.")
	}
	plain := s
	for range 3 { // a sign-in page carries the link inside of its own, encoded
		next, err := url.QueryUnescape(plain)
		if err != nil {
			break
		}
		plain = next
	}
	found := ""
	for _, part := range strings.FieldsFunc(plain, func(r rune) bool { return !delegationLetter(r) }) {
		if !likeDelegationID(part) || part == found {
			continue
		}
		if found != "" {
			found = ""
			break
		}
		found = part
	}
	if found == "" {
		return "", refuse(Malformed, "rolecall cannot tell which part of the link is the ID of the request: AWS does not document the form of "+
			"the link.",
			expected, "Open the link, and give the request's ID that the page shows.")
	}
	return found, nil
}

// consoleHost tells the hosts of AWS's own sign-in and console pages.
func consoleHost(host string) bool {
	for _, of := range []string{"console.aws.amazon.com", "signin.aws.amazon.com", "console.amazonaws.cn", "signin.amazonaws.cn",
		"console.amazonaws-us-gov.com", "signin.amazonaws-us-gov.com"} {
		if host == of || strings.HasSuffix(host, "."+of) {
			return true
		}
	}
	return false
}

func delegationLetter(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

func isDelegationID(s string) bool {
	if len(s) < 16 || len(s) > 128 || s[0] == '-' { // a dash in front is a flag that was mistyped
		return false
	}
	return !strings.ContainsFunc(s, func(c rune) bool { return !delegationLetter(c) })
}

// likeDelegationID tells what looks like the IDs of AWS's documentation:
// e4bdcdae-4f66-11eD-ELEG-ATIONEXAMPLE.
func likeDelegationID(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) != 5 || !isDelegationID(s) || strings.Contains(s, "_") {
		return false
	}
	for i, length := range []int{8, 4, 4, 4, 12} {
		if len(parts[i]) != length {
			return false
		}
	}
	return true
}
