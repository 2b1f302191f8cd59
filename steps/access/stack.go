package access

import (
	"strings"

	"rolecall/aws"
)

// StackName is what a CloudFormation stack that makes the roles is called where
// nobody says otherwise: from the vendor's name, in CloudFormation's grammar.
func (r Request) StackName() string {
	name := strings.Trim(strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return '-'
	}, r.Vendor.Name), "-") + "-access"
	if aws.CheckStackName(name) != nil {
		return "vendor-access"
	}
	return name
}
