package rehearsal

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rolecall/policy"
)

// The places on the way from the organisation's root to the account, where an
// SCP or RCP can be attached.
const (
	RootID = "r-exam"
	UnitID = "ou-exam-workload1"
)

// The types of an organisation's policies that rolecall asks for.
const (
	ServiceControl  = "SERVICE_CONTROL_POLICY"
	ResourceControl = "RESOURCE_CONTROL_POLICY"
)

const organizationID = "o-exampleorgid"

// Guardrail is an SCP or RCP of the rehearsed organisation.
type Guardrail struct {
	Type     string // ServiceControl or ResourceControl
	Name     string
	Document string
	Target   string // RootID, UnitID or the account; empty: the account
}

// attached is a Guardrail in its place.
type attachedGuardrail struct {
	Guardrail
	id       string
	document *policy.Document
	aws      bool // AWS's own
}

// AttachGuardrail puts an SCP or RCP on the account's path. The account has to be
// in an organisation (Options.Organization).
func (s *Server) AttachGuardrail(g Guardrail) error {
	d, err := policy.ParseGuardrail([]byte(g.Document))
	if err != nil {
		return fmt.Errorf("attach guardrail %s: %w", g.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.Target == "" {
		g.Target = s.options.Account
	}
	s.guardrails = append(s.guardrails, attachedGuardrail{g, "p-" + strings.ToLower(s.newID("")[:10]), d, false})
	return nil
}

// DetachFullAccess takes AWS's own SCP that allows everything from a place on
// the path, so that what no other SCP allows there is denied.
func (s *Server) DetachFullAccess(target string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = append(s.closed, target)
}

// organizationsActions is the table of Organizations.
func organizationsActions() map[string]action {
	return map[string]action{"DescribeOrganization": describeOrganization, "ListParents": listParents, "ListAccounts": listAccounts,
		"ListPoliciesForTarget": listPoliciesForTarget, "DescribePolicy": describePolicy}
}

func describeOrganization(s *Server, _ request) (any, *apiError) {
	management := s.options.Organization
	if management == "" {
		return nil, notInUse()
	}
	arn := "arn:" + s.options.Partition + ":organizations::" + management + ":"
	return map[string]any{"Organization": map[string]any{
		"Id": organizationID, "Arn": arn + "organization/" + organizationID, "FeatureSet": "ALL", "MasterAccountId": management,
		"MasterAccountArn": arn + "account/" + organizationID + "/" + management, "MasterAccountEmail": "management@example.com",
	}}, nil
}

func notInUse() *apiError {
	return &apiError{http.StatusBadRequest, "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."}
}

// mayRead refuses a member account, to which Organizations tells its policies
// only where it was made a delegated administrator.
func (s *Server) mayRead() *apiError {
	switch {
	case s.options.Organization == "":
		return notInUse()
	case s.options.Organization != s.options.Account && !s.options.ReadsOrganization:
		return &apiError{http.StatusBadRequest, "AccessDeniedException", "You don't have permissions to access this resource."}
	}
	return nil
}

func listAccounts(s *Server, _ request) (any, *apiError) {
	if err := s.mayRead(); err != nil {
		return nil, err
	}
	ids := append([]string{s.options.Organization, s.options.Account}, s.options.Members...)
	slices.Sort(ids)
	var all []any
	for _, id := range slices.Compact(ids) {
		all = append(all, map[string]any{"Id": id, "Status": "ACTIVE", "Name": "account-" + id, "Arn": "arn:" + s.options.Partition +
			":organizations::" + s.options.Organization + ":account/" + organizationID + "/" + id})
	}
	return map[string]any{"Accounts": all}, nil
}

func listParents(s *Server, q request) (any, *apiError) {
	if err := s.mayRead(); err != nil {
		return nil, err
	}
	parent := map[string]string{}
	switch q.form.Get("ChildId") {
	case s.options.Account:
		parent["Id"], parent["Type"] = UnitID, "ORGANIZATIONAL_UNIT"
	case UnitID:
		parent["Id"], parent["Type"] = RootID, "ROOT"
	default:
		return nil, &apiError{http.StatusBadRequest, "ChildNotFoundException", "You specified a child that doesn't exist."}
	}
	return map[string]any{"Parents": []any{parent}}, nil
}

// guardrailsAt are the policies of a type at a place, AWS's own among them.
func (s *Server) guardrailsAt(target, kind string) []attachedGuardrail {
	var all []attachedGuardrail
	if kind == ResourceControl || !slices.Contains(s.closed, target) {
		all = append(all, fullAccess(kind))
	}
	for _, g := range s.guardrails {
		if g.Target == target && g.Type == kind {
			all = append(all, g)
		}
	}
	return all
}

// fullAccess is AWS's own policy that allows everything.
func fullAccess(kind string) attachedGuardrail {
	g := attachedGuardrail{id: "p-FullAWSAccess", aws: true, Guardrail: Guardrail{Type: kind, Name: "FullAWSAccess",
		Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`}}
	if kind == ResourceControl {
		g.id, g.Name = "p-RCPFullAWSAccess", "RCPFullAWSAccess"
		g.Document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`
	}
	g.document, _ = policy.ParseGuardrail([]byte(g.Document)) // both are as AWS publishes them
	return g
}

func (s *Server) guardrailSummary(g attachedGuardrail) map[string]any {
	owner := s.options.Organization + ":policy/" + organizationID
	if g.aws {
		owner = "aws:policy"
	}
	return map[string]any{"Id": g.id, "Name": g.Name, "Type": g.Type, "AwsManaged": g.aws,
		"Arn": "arn:" + s.options.Partition + ":organizations::" + owner + "/" + strings.ToLower(g.Type) + "/" + g.id}
}

func listPoliciesForTarget(s *Server, q request) (any, *apiError) {
	if err := s.mayRead(); err != nil {
		return nil, err
	}
	all := []any{}
	for _, g := range s.guardrailsAt(q.form.Get("TargetId"), q.form.Get("Filter")) {
		all = append(all, s.guardrailSummary(g))
	}
	return map[string]any{"Policies": all}, nil
}

func describePolicy(s *Server, q request) (any, *apiError) {
	if err := s.mayRead(); err != nil {
		return nil, err
	}
	for _, g := range append(slices.Clone(s.guardrails), fullAccess(ServiceControl), fullAccess(ResourceControl)) {
		if g.id == q.form.Get("PolicyId") {
			return map[string]any{"Policy": map[string]any{"PolicySummary": s.guardrailSummary(g), "Content": g.Document}}, nil
		}
	}
	return nil, &apiError{http.StatusBadRequest, "PolicyNotFoundException", "We can't find a policy with the PolicyId that you specified."}
}

// guarded is AWS's refusal of a request about a role by the organisation's
// policies; nil where they let it through. An SCP binds the principals of the
// organisation's own accounts, an RCP everybody who asks for something of the
// account; neither binds in the management account. Source:
// docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
// and orgs_manage_policies_rcps.html.
func (s *Server) guarded(from policy.Caller, roleARN string, r policy.Request) *apiError {
	if s.options.Organization == "" || s.options.Organization == s.options.Account {
		return nil
	}
	r = r.With("aws:ResourceOrgID", organizationID)
	kinds := []string{ResourceControl}
	if account := from.AccountID(); account == s.options.Account || account == s.options.Organization {
		r = r.With("aws:PrincipalOrgID", organizationID)
		kinds = append(kinds, ServiceControl)
	}
	for _, kind := range kinds {
		for _, target := range []string{RootID, UnitID, s.options.Account} {
			var documents []*policy.Document
			for _, g := range s.guardrailsAt(target, kind) {
				documents = append(documents, g.document)
			}
			if policy.Merge(documents...).About(roleARN).Ask(r).Outcome == policy.Allowed {
				continue
			}
			words := map[string]string{ServiceControl: "service control policy", ResourceControl: "resource control policy"}[kind]
			return &apiError{
				http.StatusForbidden,
				"AccessDenied",
				"User: " + from.String() + " is not authorized to perform: sts:AssumeRole on resource: " +
					roleARN + " with an explicit deny in a " + words,
			}
		}
	}
	return nil
}

// jsonForm reads the texts of a request in JSON.
func jsonForm(body []byte) url.Values {
	form := url.Values{}
	var object map[string]any
	_ = json.Unmarshal(body, &object) // what is no object asks for nothing
	for key, value := range object {
		if text, ok := value.(string); ok {
			form.Set(key, text)
		}
	}
	return form
}

// DeactivateSTS makes STS refuse in these regions, as in one that nobody
// activated for the account.
func (s *Server) DeactivateSTS(regions ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inactive = append(s.inactive, regions...)
}

// regionDisabled is the answer of STS in such a region. Source:
// docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, Errors.
func (s *Server) regionDisabled(authorization string, req request) *apiError {
	scope := strings.Split(credentialOf(authorization), "/")
	if req.service != "sts" || len(scope) < 3 || !slices.Contains(s.inactive, scope[2]) {
		return nil
	}
	return &apiError{http.StatusForbidden, "RegionDisabledException", "STS is not activated in this region for account:" + s.options.Account +
		". Your account administrator can activate STS in this region using the IAM Console."}
}
