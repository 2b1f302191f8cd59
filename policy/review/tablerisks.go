package review

import (
	"slices"
	"strings"

	"rolecall/policy"
)

// rule is how the findings of one class of the action table are said.
type rule struct {
	class, id, category string
	title               string // before the services' names
	why                 string
}

func tableRules() []rule {
	return []rule{
		{"data", "data", "data-exfiltration", "Can read data: ",
			"These actions return what is stored: secrets, objects, rows, messages, logs or code."},
		{"secret", "secrets", "credentials-exposure", "Can get credentials: ",
			"These actions answer with a key, a token or a password, which then works without this role."},
		{"share", "share", "resource-exposure", "Can open to others: ",
			"These actions let other accounts, or everybody, use a resource or take a copy of it."},
		{"blind", "blind", "infrastructure-modification", "Can switch off what watches: ",
			"These actions stop logs, alarms or detectors, so that what follows is not seen."},
		{"boundary", "boundary", "privilege-escalation", "Can lift permissions boundaries",
			"A permissions boundary is what holds a role or user back. Who may change it is not held back."},
		{"slr", "slr", "resource-exposure", "Can create service-linked roles",
			"A service-linked role lets a service of AWS act in the account. Limit it to the services in use."},
		{"instance-profile", "instance-profile", "resource-exposure", "Can put a role on an instance profile",
			"Instances with the profile get the role. Together with iam:PassRole this reaches every role it may pass."},
	}
}

// headlines say a finding of a single action in better words.
func headline(action string, only bool) string {
	which := "any"
	if only {
		which = "some"
	}
	switch action {
	case "s3:GetObject":
		if only {
			return "Can read every object in some buckets"
		}
		return "Can read every object in every bucket"
	case "secretsmanager:GetSecretValue":
		return "Can read " + which + " secret"
	case "ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath":
		return "Can read " + which + " parameter, passwords included"
	case "kms:Decrypt":
		return "Can decrypt with " + which + " key"
	case "ec2:ModifyImageAttribute":
		return "Can share disk images with other accounts"
	case "ec2:ModifySnapshotAttribute":
		return "Can share disk snapshots with other accounts"
	case "kms:CreateGrant":
		return "Can let others use " + which + " encryption key"
	case "lambda:AddPermission":
		return "Can let others run " + which + " function"
	case "s3:PutBucketPolicy", "s3:PutBucketAcl":
		return "Can open buckets to others"
	case "cloudtrail:StopLogging":
		return "Can stop the audit log"
	case "ec2:GetPasswordData":
		return "Can read the first password of Windows instances"
	}
	return ""
}

// tableRisks turns the granted actions of the table into findings, one for
// each class and severity.
func (m *model) tableRisks(before []Finding) []Finding {
	var out []Finding
	names := m.names()
	for _, r := range tableRules() {
		out = append(out, m.classRisks(r, names, before)...)
	}
	return out
}

// classRisks are the findings of one class, one for each severity.
func (m *model) classRisks(r rule, names []string, before []Finding) []Finding {
	bySeverity := map[Severity][]*hit{}
	part := map[Severity]string{}
	for _, name := range names {
		h := m.hits[name]
		if severity, partOf, ok := tableSeverity(h, r.class, before); ok {
			bySeverity[severity] = append(bySeverity[severity], h)
			part[severity] = partOf
		}
	}
	var out []Finding
	for _, severity := range Severities() {
		if hits := bySeverity[severity]; len(hits) > 0 {
			f := m.tableFinding(r, severity, hits)
			f.PartOf = part[severity]
			out = append(out, f)
		}
	}
	return out
}

// names lists the hits in the order of the document.
func (m *model) names() []string {
	out := make([]string, 0, len(m.hits))
	for name := range m.hits {
		out = append(out, name)
	}
	slices.SortFunc(out, func(a, b string) int {
		x, y := m.hits[a].grants[0].entry, m.hits[b].grants[0].entry
		if x.st.index != y.st.index {
			return x.st.index - y.st.index
		}
		if x.at != y.at {
			return x.at - y.at
		}
		return strings.Compare(a, b)
	})
	return out
}

// tableSeverity is that of an action in one class. What a service's wildcard
// gives is a note, since the wildcard is a finding of its own; so is what an
// escalation path already names.
func tableSeverity(h *hit, class string, before []Finding) (Severity, string, bool) {
	at := slices.IndexFunc(h.risks, func(r risk) bool { return r.class == class })
	if at < 0 {
		return "", "", false
	}
	g := &h.grants[0]
	if g.self && (class == "secret" || class == "boundary") {
		return "", "", false // everybody may look after their own keys
	}
	severity, ok := h.risks[at].level.down(g.drop)
	if !ok {
		return "", "", false
	}
	for i := range before {
		f := &before[i]
		switch {
		case f.ID == "service-star" && g.whole && slices.Contains(f.Actions, g.text),
			f.Category == "privilege-escalation" && slices.Contains(f.Actions, h.name) && f.Severity.Rank() >= severity.Rank():
			return Note, f.ID, true
		}
	}
	return severity, "", true
}

func (m *model) tableFinding(r rule, severity Severity, hits []*hit) Finding {
	f := Finding{ID: r.id, Class: Risk, Category: r.category, Severity: severity, Why: r.why}
	var grants []*grant
	var services []string
	only := true
	for _, h := range hits {
		f.Actions = append(f.Actions, h.name)
		for i := range h.grants {
			if h.grants[i].drop == h.grants[0].drop {
				grants = append(grants, &h.grants[i])
			}
		}
		only = only && h.grants[0].only != ""
		service, _, _ := strings.Cut(h.folded, ":")
		if name := m.serviceName(service); !slices.Contains(services, name) {
			services = append(services, name)
		}
	}
	f.drop = hits[0].grants[0].drop
	m.locate(&f, grants, "")
	f.Title = r.title
	if strings.HasSuffix(r.title, ": ") {
		f.Title = fit(r.title, services)
	}
	if words := headline(hits[0].name, only); words != "" && len(services) == 1 {
		f.Title = words
	}
	f.Why += limits([]*grant{&hits[0].grants[0]})
	return f
}

// permissionChanges is a note of what changes who may do what, beyond what
// other findings name: the permissions management of AWS's own access levels,
// and all writing of IAM.
func (m *model) permissionChanges(x *expansion, before []Finding) []Finding {
	f := Finding{ID: "permissions", Class: Risk, Category: "resource-exposure", Severity: Note,
		Title: "Can change who may do what",
		Why: "AWS counts these actions as permissions management, or they write to IAM. They are listed for completeness; " +
			"the dangerous ones are findings of their own."}
	var grants []*grant
	for i := range x.actions {
		g := &x.actions[i]
		writesIAM := g.service == "iam" && g.Level != policy.List && g.Level != policy.Read
		if !g.everywhere || g.Level != policy.PermissionsManagement && !writesIAM {
			continue
		}
		f.Actions = append(f.Actions, g.Name)
		grants = append(grants, &grant{entry: g.entry})
	}
	covered := func(action string) bool {
		return slices.ContainsFunc(before, func(b Finding) bool {
			return b.Category == f.Category && slices.Contains(b.Actions, action)
		})
	}
	if len(f.Actions) == 0 || !slices.ContainsFunc(f.Actions, func(a string) bool { return !covered(a) }) {
		return nil
	}
	m.locate(&f, grants, "")
	return []Finding{f}
}
