package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"rolecall/policy"
)

// GuardrailKind is a type of an organisation's policies.
type GuardrailKind string

// The types that can keep a vendor out.
const (
	SCP GuardrailKind = "SERVICE_CONTROL_POLICY"
	RCP GuardrailKind = "RESOURCE_CONTROL_POLICY"
)

// String names the type: "service control policy".
func (k GuardrailKind) String() string {
	return strings.ToLower(strings.ReplaceAll(string(k), "_", " "))
}

// Guardrail is one SCP or RCP. All its texts are safe to draw.
type Guardrail struct {
	Kind          GuardrailKind
	ID, ARN, Name string           // empty where a paste does not tell
	At            string           // where it is attached: "r-…", "ou-…", an account; empty: not known
	Document      *policy.Document // nil when it cannot be parsed
}

// Guardrails are what an organisation attached on the way from its root to an
// account.
type Guardrails struct {
	Organization Organization // the zero value: in none, or not known
	Read         bool         // the path and its policies could be read, or there are none that bind
	Refusal      *Error       // why they could not
	Path         []string     // the account first, the root last
	Policies     []Guardrail
}

// Binding reports whether SCPs and RCPs bind in the account: it is in an
// organisation with all features, and not its management account. Source:
// docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html.
func (g Guardrails) Binding(accountID string) bool {
	o := g.Organization
	return o.ID != "" && o.ManagementAccountID != accountID && o.FeatureSet != string(types.OrganizationFeatureSetConsolidatedBilling)
}

// Guardrails reads the SCPs and RCPs on an account's path. Only the management
// account and delegated administrators may: a refusal is in the result, the
// error is left for what else prevents an answer.
func (a *Account) Guardrails(ctx context.Context, accountID string) (Guardrails, error) {
	var g Guardrails
	var err error
	if g.Organization, err = a.Organization(ctx); err != nil {
		return g.unread(err)
	}
	if !g.Binding(accountID) {
		g.Read = true
		return g, nil
	}
	if g.Path, err = a.organizationPath(ctx, accountID); err != nil {
		return g.unread(err)
	}
	for _, at := range g.Path {
		for _, kind := range []GuardrailKind{SCP, RCP} {
			found, err := a.guardrailsAt(ctx, at, kind)
			if err != nil {
				return g.unread(err)
			}
			g.Policies = append(g.Policies, found...)
		}
	}
	g.Read = true
	return g, nil
}

func (g Guardrails) unread(err error) (Guardrails, error) {
	if KindOf(err) != Denied {
		return g, err
	}
	g.Refusal, g.Policies = Explain(err), nil
	return g, nil
}

// longestPath bounds the way to the root: organisations nest five units deep.
const longestPath = 16

func (a *Account) organizationPath(ctx context.Context, accountID string) ([]string, error) {
	path := []string{accountID}
	for len(path) < longestPath {
		child := path[len(path)-1]
		out, err := a.org().ListParents(ctx, &organizations.ListParentsInput{ChildId: &child})
		if err != nil {
			return nil, a.fail(err, "organizations:ListParents", "find the organization's units above %s", cleanText(child))
		}
		if len(out.Parents) == 0 {
			return path, nil
		}
		path = append(path, cleanText(awssdk.ToString(out.Parents[0].Id)))
		if out.Parents[0].Type == types.ParentTypeRoot {
			return path, nil
		}
	}
	return path, nil
}

func (a *Account) guardrailsAt(ctx context.Context, at string, kind GuardrailKind) ([]Guardrail, error) {
	var all []Guardrail
	err := EveryPage("the policies at "+cleanText(at), func(from *string) (*string, error) {
		in := &organizations.ListPoliciesForTargetInput{TargetId: &at, Filter: types.PolicyType(kind), NextToken: from}
		out, err := a.org().ListPoliciesForTarget(ctx, in)
		if err != nil {
			return nil, a.fail(err, "organizations:ListPoliciesForTarget", "list the policies at %s", cleanText(at))
		}
		for i := range out.Policies {
			g, err := a.guardrail(ctx, &out.Policies[i], at)
			if err != nil {
				return nil, err
			}
			all = append(all, g)
		}
		return out.NextToken, nil
	})
	return all, err
}

func (a *Account) guardrail(ctx context.Context, s *types.PolicySummary, at string) (Guardrail, error) {
	out, err := a.org().DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: s.Id})
	if err != nil {
		return Guardrail{}, a.fail(err, "organizations:DescribePolicy", "read policy %s", cleanText(awssdk.ToString(s.Id)))
	}
	if out.Policy == nil {
		return newGuardrail(s, "", at), nil
	}
	return newGuardrail(s, awssdk.ToString(out.Policy.Content), at), nil
}

func newGuardrail(s *types.PolicySummary, content, at string) Guardrail {
	g := Guardrail{Kind: GuardrailKind(s.Type), ID: cleanText(awssdk.ToString(s.Id)), ARN: cleanText(awssdk.ToString(s.Arn)),
		Name: cleanText(awssdk.ToString(s.Name)), At: at}
	g.Document, _ = policy.ParseGuardrail([]byte(content)) // nil says that nobody can read it
	return g
}

// Label names the policy for people: its name and its ID, or its type.
func (g Guardrail) Label() string {
	short := map[GuardrailKind]string{SCP: "SCP ", RCP: "RCP "}[g.Kind]
	switch {
	case g.Name != "" && g.ID != "":
		return short + g.Name + " (" + g.ID + ")"
	case g.Name != "" || g.ID != "":
		return short + g.Name + g.ID
	}
	return "the given " + strings.TrimSpace(short)
}

// ReadGuardrails takes the SCPs and RCPs out of what somebody pasted: answers of
// `aws organizations describe-policy`, and bare documents, one after the other. A
// bare document with principals and resources is an RCP, one without principals an SCP. What
// is neither is left in rest, each text whole.
func ReadGuardrails(text []byte) (found []Guardrail, rest [][]byte) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		var one json.RawMessage
		switch err := decoder.Decode(&one); {
		case errors.Is(err, io.EOF):
			return found, rest
		case err != nil:
			return found, append(rest, text[min(decoder.InputOffset(), int64(len(text))):])
		}
		if g, ok := readGuardrail(one); ok {
			found = append(found, g)
		} else {
			rest = append(rest, one)
		}
	}
}

func readGuardrail(text []byte) (Guardrail, bool) {
	type summary struct{ ID, Arn, Name, Type string }
	type described struct {
		PolicySummary *summary
		Content       string
	}
	var answer struct {
		Policy json.RawMessage
		described
		Statement json.RawMessage
	}
	if json.Unmarshal(text, &answer) != nil {
		return Guardrail{}, false
	}
	if len(answer.Policy) > 0 {
		_ = json.Unmarshal(answer.Policy, &answer.described) // another kind of answer has no summary
	}
	if p := answer.PolicySummary; p != nil && answer.Content != "" {
		kind := GuardrailKind(p.Type)
		g := Guardrail{Kind: kind, ID: cleanText(p.ID), ARN: cleanText(p.Arn), Name: cleanText(p.Name)}
		g.Document, _ = policy.ParseGuardrail([]byte(answer.Content)) // nil says that nobody can read it
		return g, kind == SCP || kind == RCP
	}
	if answer.Statement == nil {
		return Guardrail{}, false
	}
	d, err := policy.ParseGuardrail(text)
	if err != nil {
		return Guardrail{}, false
	}
	return bareGuardrail(d)
}

// bareGuardrail tells the kind of a document without its summary. A trust policy
// has principals and no resources.
func bareGuardrail(d *policy.Document) (Guardrail, bool) {
	named := slices.ContainsFunc(d.Statements, func(s policy.Statement) bool { return s.Principal != nil || s.NotPrincipal != nil })
	about := slices.ContainsFunc(d.Statements, func(s policy.Statement) bool { return len(s.Resource)+len(s.NotResource) > 0 })
	switch {
	case named && about:
		return Guardrail{Kind: RCP, Document: d}, true
	case about:
		return Guardrail{Kind: SCP, Document: d}, true
	}
	return Guardrail{}, false
}
