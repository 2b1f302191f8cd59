package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Shell writes the set-up as a script for a POSIX shell that calls the AWS
// CLI. It stops at the first call that fails, and prints the ARN of each role.
func (s *Setup) Shell() (string, error) {
	if err := s.check(); err != nil {
		return "", err
	}
	b := &strings.Builder{}
	b.WriteString("#!/bin/sh\n")
	if s.Description != "" {
		fmt.Fprintf(b, "# %s\n", comment(s.Description))
	}
	b.WriteString("# It makes the policies and roles below in the account of your AWS CLI, once.\nset -eu\n")
	providers := s.providers()
	if len(providers) > 0 {
		b.WriteString("account=$(aws sts get-caller-identity --query Account --output text)\n")
	}
	for _, p := range providers {
		p.shell(b, cmpOr(s.Partition, "aws"))
	}
	for i := range s.Roles {
		r := &s.Roles[i]
		if r.Name == "" {
			return "", fmt.Errorf("export role %s: the AWS CLI needs a name for it", r.ID)
		}
		s.shellRole(b, r, i)
	}
	return b.String(), nil
}

func (s *Setup) shellRole(b *strings.Builder, r *SetupRole, index int) {
	partition := cmpOr(s.Partition, "aws")
	variable := "EXTERNAL_ID"
	if index > 0 {
		variable = fmt.Sprintf("EXTERNAL_ID_%d", index+1)
	}
	fmt.Fprintf(b, "\n# %s\n", comment(cmpOr(r.Description, r.Name)))
	if r.guarded() {
		shellExternalID(b, variable, r.ExternalID)
	}
	trust := shellQuote(r.trust(partition).Compact())
	// The value has no character that JSON or the shell would read: checked above.
	trust = strings.ReplaceAll(trust, strings.Trim(quoted(externalIDPlaceholder), `"`), `'"$`+variable+`"'`)
	trust = strings.ReplaceAll(trust, strings.Trim(quoted(accountPlaceholder), `"`), `'"$account"'`)
	call := shellCall("create-role", "--role-name", shellQuote(r.Name), "--assume-role-policy-document", trust)
	call.optional("--path", r.Path).optional("--description", r.Description).
		optional("--permissions-boundary", inPartition(r.Boundary, partition))
	if r.SessionDuration > 0 {
		call.add("--max-session-duration", strconv.Itoa(int(r.SessionDuration/time.Second)))
	}
	call.tags(r.Tags).add("--query", "Role.Arn", "--output", "text")
	fmt.Fprintf(b, "role_arn=$(%s)\n", call)

	for _, p := range r.Policies {
		document := shellQuote(p.Document.InPartition(partition).Compact())
		if p.Inline {
			fmt.Fprintf(
				b,
				"%s\n",
				shellCall("put-role-policy", "--role-name", shellQuote(r.Name), "--policy-name", shellQuote(p.Name), "--policy-document", document),
			)
			continue
		}
		create := shellCall("create-policy", "--policy-name", shellQuote(p.Name), "--policy-document", document)
		create.optional("--path", r.Path).optional("--description", p.Description).tags(r.Tags).add("--query", "Policy.Arn", "--output", "text")
		fmt.Fprintf(b, "policy_arn=$(%s)\n", create)
		fmt.Fprintf(b, "%s\n", shellCall("attach-role-policy", "--role-name", shellQuote(r.Name), "--policy-arn", `"$policy_arn"`))
	}
	for _, arn := range r.ManagedPolicies {
		fmt.Fprintf(
			b,
			"%s\n",
			shellCall("attach-role-policy", "--role-name", shellQuote(r.Name), "--policy-arn", shellQuote(inPartition(arn, partition))),
		)
	}
	fmt.Fprintf(b, "printf '%%s %%s\\n' %s \"$role_arn\"\n", shellQuote(cmpOr(r.Output, r.Name)))
}

// shellExternalID sets a variable and stops at what is no external ID.
// Source of the grammar: botocore sts 2011-06-15, externalIdType.
func shellExternalID(b *strings.Builder, variable, value string) {
	if value != "" {
		fmt.Fprintf(b, "%s=${%s:-%s}\n", variable, variable, shellWord(value))
	} else {
		fmt.Fprintf(b, "%s=${%s:?set it to the external ID that the vendor shows}\n", variable, variable)
	}
	fmt.Fprintf(
		b,
		"case $%s in\n'' | ? | *[!A-Za-z0-9_+=,.@:/-]*)\n\techo 'An external ID has 2 to 1224 letters, digits and _+=,.@:/-' >&2\n\texit "+
			"2\n\t;;\nesac\n",
		variable,
	)
}

// shellWord is a value inside of ${…:-…}, where quotes would do but a bare
// word reads better.
func shellWord(value string) string {
	if strings.Trim(value, alphanumeric+"_+=,.@:/-") == "" {
		return value
	}
	return shellQuote(value)
}

// shellQuote quotes a text for a POSIX shell.
func shellQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func inPartition(arn, partition string) string {
	if rest, ok := cutPartition(arn); ok {
		return "arn:" + partition + ":" + rest
	}
	return arn
}

// shell is one call of the AWS CLI; its arguments are quoted already.
type shell struct{ words []string }

func shellCall(operation string, words ...string) *shell {
	return (&shell{words: []string{"aws iam " + operation}}).add(words...)
}

func (c *shell) add(words ...string) *shell {
	for i := 0; i+1 < len(words); i += 2 {
		c.words = append(c.words, words[i]+" "+words[i+1])
	}
	return c
}

func (c *shell) optional(flag, value string) *shell {
	if value == "" {
		return c
	}
	return c.add(flag, shellQuote(value))
}

func (c *shell) tags(tags []SetupTag) *shell {
	if len(tags) == 0 {
		return c
	}
	items := make([]string, len(tags))
	for i, tag := range tags {
		items[i] = fmt.Sprintf(`{"Key":%s,"Value":%s}`, quoted(tag.Key), quoted(tag.Value))
	}
	return c.add("--tags", shellQuote("["+strings.Join(items, ",")+"]"))
}

func (c *shell) String() string { return strings.Join(c.words, " \\\n\t") }
