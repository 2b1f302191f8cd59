package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Setup is everything a vendor's access needs, as it is exported for other
// tools. Names must follow IAM's grammars already.
type Setup struct {
	Description string // of the whole, one line
	Partition   string // for the CLI script; templates ask AWS for theirs
	Roles       []SetupRole
}

// SetupRole is one role with its policies.
type SetupRole struct {
	ID          string // the role's name in templates, letters and digits: "SpotRole"
	Name        string // "" leaves it to AWS, except in the CLI script
	Path        string // "" is "/"
	Description string
	Web         *WebIdentity // who may assume it instead of Principals; its account is the one that the export is run in
	Principals  []string     // who may assume it: account numbers, and ARNs of users and roles
	// ExternalID is required of them; "" with AskExternalID leaves it to
	// whoever runs the export, "" without it requires none.
	ExternalID      string
	AskExternalID   bool
	Policies        []SetupPolicy
	ManagedPolicies []string // ARNs of policies that exist already
	Boundary        string   // ARN of a permissions boundary, "" without
	SessionDuration time.Duration
	Tags            []SetupTag
	Output          string // name of the output with the role's ARN: "SpotinstRoleArn"
}

// SetupPolicy is one policy of a role.
type SetupPolicy struct {
	ID          string // its name in templates: "SpotPolicy"
	Name        string
	Description string
	Document    *Document
	Inline      bool
	Notes       map[string]string // by Sid: why a statement is needed, one line
}

// SetupTag is a tag of a role and its managed policies, in the order given.
type SetupTag struct{ Key, Value string }

func (s *Setup) check() error {
	seen := map[string]bool{}
	for _, p := range s.providers() {
		seen[p.id] = true
		if err := CheckIssuer(p.issuer); err != nil {
			return fmt.Errorf("export the OIDC provider %q: its URL %w", p.issuer, err)
		}
	}
	for _, r := range s.Roles {
		ids := []string{r.ID}
		for _, p := range r.Policies {
			ids = append(ids, p.ID)
			if p.Document == nil || p.Name == "" {
				return fmt.Errorf("export policy %q: it has no name or no document", p.ID)
			}
		}
		for _, id := range ids {
			if id == "" || strings.Trim(id, alphanumeric) != "" || seen[id] {
				return fmt.Errorf("export %q: a template needs a name of letters and digits that nothing else has", id)
			}
			seen[id] = true
		}
		if r.Web == nil && !slices.ContainsFunc(r.Principals, func(who string) bool { return ParsePrincipal(who).AccountID != "" }) {
			return fmt.Errorf("export role %s: no account may assume it", r.ID)
		}
		if r.Output != "" && strings.Trim(r.Output, alphanumeric) != "" {
			return fmt.Errorf("export role %s: the output %q may have letters and digits only", r.ID, r.Output)
		}
	}
	return nil
}

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// guarded reports whether the role asks for an external ID.
func (r *SetupRole) guarded() bool { return r.ExternalID != "" || r.AskExternalID }

// externalIDPlaceholder stands in a trust policy where an export puts its own
// parameter. It cannot be part of an external ID.
const externalIDPlaceholder = "\x00external-id"

// trust makes the role's trust policy with the placeholder for the external
// ID.
func (r *SetupRole) trust(partition string) *Document {
	if r.Web != nil {
		web := *r.Web
		web.Partition, web.AccountID = partition, accountPlaceholder
		return NewWebTrust(web)
	}
	id := ""
	if r.guarded() {
		id = externalIDPlaceholder
	}
	return NewTrust(partition, r.Principals, id)
}

// cutPartition splits an ARN of a known partition behind its "arn:".
func cutPartition(value string) (rest string, ok bool) {
	tail, ok := strings.CutPrefix(value, "arn:")
	if !ok {
		return "", false
	}
	partition, rest, ok := strings.Cut(tail, ":")
	return rest, ok && slices.Contains(Partitions(), partition)
}

// comment brings a text to one line that can stand in a comment.
func comment(text string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(clean), " ")
}
