package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Partitions are the names AWS takes in an ARN. Source: botocore partitions.json.
func Partitions() []string {
	return []string{"aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"}
}

// required refuses a statement that lacks an element.
func (c *checker) required(s *Statement, n *node, has map[string]*node) {
	if has["Effect"] == nil {
		c.syntax(n.at, "missing", "a statement without Effect", `"Effect": "Allow" or "Deny"`)
	}
	if c.empty(s, has, "Action") {
		c.refuse(n.at, Refusal{ID: "missing", Category: "missing-element", What: "a statement without actions",
			Expected: "Action with at least one action", AWS: awsNoAction, order: orderNoAction})
	}
	if c.kind == Identity && c.empty(s, has, "Resource") {
		c.refuse(n.at, Refusal{ID: "missing", Category: "missing-element", What: "a statement without resources",
			Expected: `Resource with at least one ARN or "*"`, AWS: awsNoResource, order: orderNoResource})
	}
	if c.kind == Trust && len(s.Principal) == 0 && has["NotPrincipal"] == nil && !c.refusedAt(has["Principal"]) {
		c.refuse(n.at, Refusal{ID: "principal", Category: "missing-element", What: "a statement without Principal",
			Expected: `"Principal": {"AWS": "…"}`, AWS: awsNoPrinc, order: orderTrust})
	}
}

// empty reports whether neither an element nor its negation has a value. A
// wrong type was refused already.
func (c *checker) empty(s *Statement, has map[string]*node, element string) bool {
	if c.refusedAt(has[element]) || c.refusedAt(has["Not"+element]) {
		return false
	}
	if has[element] != nil && has["Not"+element] != nil {
		return false
	}
	return len(*s.list(element)) == 0 && len(*s.list("Not" + element)) == 0
}

// refusedAt reports whether a value or something inside was refused.
func (c *checker) refusedAt(n *node) bool {
	if n == nil {
		return false
	}
	return c.bad[n.at] || slices.ContainsFunc(n.items, func(item *node) bool { return c.bad[item.at] })
}

// grammar judges the values of a statement.
func (c *checker) grammar(s *Statement, has map[string]*node) {
	for _, element := range [...]string{"Action", "NotAction"} {
		for _, item := range has[element].strings() {
			c.action(item)
		}
	}
	if c.kind == Trust {
		c.trust(s, has)
		return
	}
	for _, element := range [...]string{"Resource", "NotResource"} {
		for _, item := range has[element].strings() {
			c.resource(item)
		}
	}
	for _, element := range [...]string{"Principal", "NotPrincipal"} {
		if has[element] != nil {
			c.refuse(has[element].at, Refusal{ID: "principal", Category: "missing-element", What: element + " in a permissions policy",
				Expected: "no " + element + ": the policy is attached to who may act", AWS: awsPrincipal, order: orderOther})
		}
	}
}

// strings lists the string nodes of a string or list.
func (n *node) strings() []*node {
	switch {
	case n == nil:
		return nil
	case n.kind == nodeString:
		return []*node{n}
	}
	var out []*node
	for _, item := range n.items {
		if item.kind == nodeString {
			out = append(out, item)
		}
	}
	return out
}

func (c *checker) action(n *node) {
	r := Refusal{ID: "action-form", Category: "unknown-action", What: fmt.Sprintf("the action %q", n.text),
		Expected: `"service:Action" or "*"`, order: orderAction}
	service, name, colon := strings.Cut(n.text, ":")
	switch {
	case n.text == "*":
		return
	case !colon:
		r.AWS = awsVendor
	case strings.Contains(name, ":"):
		r.AWS = awsColon
	case service == "" || strings.Trim(strings.ToLower(service), "abcdefghijklmnopqrstuvwxyz0123456789-.*?") != "":
		r.AWS = fmt.Sprintf("Vendor %s is not valid", service)
	default:
		return
	}
	c.refuse(n.at, r)
}

// iamPaths and s3Regional are the resource types that IAM lets stand in an ARN
// of iam, and in one of s3 that has a region. Sources: IAM's own error
// sentence, and the service authorization reference for the newer ones.
const (
	iamPaths = "user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/," +
		" saml-provider/, oidc-provider/, report/, access-report/"
	newerIAM   = ", assumed-role/, delegation-request/, role-template/"
	s3Regional = "accesspoint/, access-grants/, job/, storage-lens/, storage-lens-group/, async-request/"
)

func (c *checker) resource(n *node) {
	r := Refusal{ID: "arn-form", Category: "bad-resource", What: fmt.Sprintf("the resource %q", n.text),
		Expected: `an ARN of six parts such as arn:aws:s3:::bucket/*, or "*"`, order: orderResource}
	if resourceRefused(n.text, &r) {
		c.refuse(n.at, r)
	}
}

func resourceRefused(text string, r *Refusal) bool {
	if text == "*" {
		return false
	}
	parts := strings.SplitN(text, ":", 6)
	rest := parts[min(3, len(parts)):]
	switch {
	case len(parts) == 1:
		r.AWS = fmt.Sprintf(`Resource %s must be in ARN format or "*".`, text)
	case parts[1] != "*" && !slices.Contains(Partitions(), parts[1]):
		r.ID, r.Expected = "partition", "a partition such as aws, aws-cn or aws-us-gov"
		r.AWS = fmt.Sprintf("Partition %q is not valid for resource %q.", parts[1], padARN(parts))
	case len(parts) == 2:
		r.AWS = awsQualified
	case parts[2] == "", len(parts) < 6 && strings.Contains(text, "::"):
		r.AWS, r.order = awsLegacy, orderLegacy
	case strings.ContainsAny(parts[2], "*?") && len(parts) > 3:
		r.ID, r.Expected = "arn-service", "the service by its name, such as arn:aws:s3:::bucket/*; only region, account and what follows take "+
			"wildcards"
		r.AWS = awsQualified
	case parts[2] == "s3" && (len(rest) < 2 || rest[0] != "") && !startsWithAny(resourceID(parts), s3Regional):
		r.ID, r.Expected = "arn-region", "no region in the ARN of a bucket or object"
		r.AWS = fmt.Sprintf("Resource %s can not contain region information.", text)
	case parts[2] == "iam" && (len(rest) < 2 || rest[0] != ""):
		r.ID, r.Expected = "arn-region", "no region in an ARN of IAM"
		r.AWS = fmt.Sprintf("IAM resource %s cannot contain region information.", text)
	case parts[2] == "iam" && resourceID(parts) != "*" && !startsWithAny(resourceID(parts), iamPaths+newerIAM):
		r.Expected = `a path such as role/name or user/*, or "*" alone; a wildcard cannot stand for the first part`
		r.AWS = fmt.Sprintf(`IAM resource path must either be "*" or start with %s.`, iamPaths)
	default:
		return false
	}
	return true
}

func resourceID(parts []string) string {
	if len(parts) < 6 {
		return ""
	}
	return parts[5]
}

func startsWithAny(text, prefixes string) bool {
	for prefix := range strings.SplitSeq(prefixes, ", ") {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

// padARN fills the parts that are missing the way IAM's answer does.
func padARN(parts []string) string {
	padded := append([]string{"arn"}, parts[1:]...)
	for len(padded) < 6 {
		padded = append(padded, "*")
	}
	if len(parts) > 2 && len(parts) < 6 && parts[2] == "" && len(parts) == 3 {
		padded[2] = "*"
	}
	return strings.Join(padded, ":")
}
