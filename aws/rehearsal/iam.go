package rehearsal

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"

	"rolecall/policy"
)

// iamActions is the table of IAM.
func iamActions() map[string]action {
	all := map[string]action{
		"CreateRole":                     createRole,
		"GetRole":                        getRole,
		"ListRoles":                      listRoles,
		"DeleteRole":                     deleteRole,
		"UpdateAssumeRolePolicy":         updateTrust,
		"AttachRolePolicy":               attachRolePolicy,
		"DetachRolePolicy":               detachRolePolicy,
		"ListAttachedRolePolicies":       listAttachedRolePolicies,
		"PutRolePolicy":                  putRolePolicy,
		"GetRolePolicy":                  getRolePolicy,
		"ListRolePolicies":               listRolePolicies,
		"DeleteRolePolicy":               deleteRolePolicy,
		"CreatePolicy":                   createPolicy,
		"GetPolicy":                      getPolicy,
		"ListPolicies":                   listPolicies,
		"DeletePolicy":                   deletePolicy,
		"CreatePolicyVersion":            createPolicyVersion,
		"GetPolicyVersion":               getPolicyVersion,
		"ListPolicyVersions":             listPolicyVersions,
		"DeletePolicyVersion":            deletePolicyVersion,
		"SetDefaultPolicyVersion":        setDefaultPolicyVersion,
		"ListAccountAliases":             listAccountAliases,
		"GetAccountSummary":              getAccountSummary,
		"GetAccountAuthorizationDetails": getAccountAuthorizationDetails,
		"SimulatePrincipalPolicy":        simulatePrincipalPolicy,
		"TagRole":                        tagRole,
		"TagPolicy":                      tagPolicy,
		"UpdateRole":                     updateRole,
		"PutRolePermissionsBoundary":     putRoleBoundary,
	}
	maps.Copy(all, userActions())
	maps.Copy(all, keyActions())
	maps.Copy(all, delegationActions())
	maps.Copy(all, providerActions())
	return all
}

func listAccountAliases(s *Server, _ request) (any, *apiError) {
	var aliases []string
	if s.options.Alias != "" {
		aliases = []string{s.options.Alias}
	}
	return struct {
		AccountAliases []string `xml:"AccountAliases>member"`
		page
	}{AccountAliases: aliases}, nil
}

// summary marshals IAM's map form: <entry><key/><value/></entry>.
type summary map[string]int

// MarshalXML writes the entries sorted by key.
func (m summary) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	type entry struct {
		Key   string `xml:"key"`
		Value int    `xml:"value"`
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if err := e.EncodeElement(entry{key, m[key]}, xml.StartElement{Name: xml.Name{Local: "entry"}}); err != nil {
			return err
		}
	}
	return e.EncodeToken(start.End())
}

func getAccountSummary(s *Server, _ request) (any, *apiError) {
	local := 0
	for _, m := range s.state.policies {
		if !m.aws {
			local++
		}
	}
	return struct{ SummaryMap summary }{
		summary{
			"PolicySizeQuota":               policy.MaxManaged,
			"AssumeRolePolicySizeQuota":     policy.MaxTrust,
			"RolePolicySizeQuota":           policy.MaxRoleInline,
			"UserPolicySizeQuota":           policy.MaxUserInline,
			"GroupPolicySizeQuota":          policy.MaxGroupInline,
			"AttachedPoliciesPerRoleQuota":  policy.MaxAttached,
			"AttachedPoliciesPerUserQuota":  10,
			"AttachedPoliciesPerGroupQuota": 10,
			"VersionsPerPolicyQuota":        mostVersions,
			"AccessKeysPerUserQuota":        2,
			"Roles":                         len(s.state.roles),
			"RolesQuota":                    1000,
			"Policies":                      local,
			"PoliciesQuota":                 1500,
			"Users":                         1 + len(s.state.users),
			"UsersQuota":                    5000,
			"AccountMFAEnabled":             1,
			"AccountAccessKeysPresent":      0,
		},
	}, nil
}

// roleDetailXML is a role as GetAccountAuthorizationDetails tells it.
type roleDetailXML struct {
	Path                     string
	RoleName                 string
	RoleID                   string `xml:"RoleId"`
	Arn                      string
	CreateDate               string
	AssumeRolePolicyDocument string
	RolePolicyList           []inlineXML   `xml:"RolePolicyList>member"`
	AttachedManagedPolicies  []attachedXML `xml:"AttachedManagedPolicies>member"`
	PermissionsBoundary      *boundaryXML
	Tags                     []tag `xml:"Tags>member"`
	RoleLastUsed             *lastUsedXML
}

type inlineXML struct {
	PolicyName     string
	PolicyDocument string
}

func getAccountAuthorizationDetails(s *Server, q request) (any, *apiError) {
	want := map[string]bool{}
	for i := 1; q.form.Get(fmt.Sprintf("Filter.member.%d", i)) != ""; i++ {
		want[q.form.Get(fmt.Sprintf("Filter.member.%d", i))] = true
	}
	var all []any
	if len(want) == 0 || want["Role"] {
		for _, r := range s.sortedRoles("/") {
			all = append(all, r)
		}
	}
	for _, m := range s.sortedPolicies() {
		if m.aws && want["AWSManagedPolicy"] || !m.aws && (len(want) == 0 || want["LocalManagedPolicy"]) {
			all = append(all, m)
		}
	}
	list, p, err := paged(q, all)
	if err != nil {
		return nil, err
	}
	var out struct {
		RoleDetailList []roleDetailXML `xml:"RoleDetailList>member"`
		Policies       []policyXML     `xml:"Policies>member"`
		page
	}
	out.page = p
	for _, item := range list {
		switch item := item.(type) {
		case *role:
			out.RoleDetailList = append(out.RoleDetailList, s.roleDetail(item))
		case *managed:
			x := item.xml()
			x.PolicyVersionList = item.newestFirst(true)
			out.Policies = append(out.Policies, x)
		}
	}
	return out, nil
}

func (s *Server) roleDetail(r *role) roleDetailXML {
	x := roleDetailXML{
		Path:                     r.path,
		RoleName:                 r.name,
		RoleID:                   r.id,
		Arn:                      r.arn,
		CreateDate:               stamp(r.created),
		AssumeRolePolicyDocument: onTheWire(r.trust),
		AttachedManagedPolicies:  s.attachedXML(r),
		PermissionsBoundary:      r.boundaryXML(),
		Tags:                     r.tags,
		RoleLastUsed:             s.lastUsed(r),
	}
	for _, name := range r.inlineNames() {
		x.RolePolicyList = append(x.RolePolicyList, inlineXML{name, onTheWire(r.inline[name])})
	}
	slices.SortFunc(x.RolePolicyList, func(a, b inlineXML) int { return cmp.Compare(a.PolicyName, b.PolicyName) })
	return x
}
