// Package vendors holds the commands on vendors' descriptions: list, show, check
// and schema.
package vendors

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// VendorsCommand is rolecall vendors with the commands below it.
func VendorsCommand(a *cli.App) *cobra.Command {
	var only filter
	list := &cobra.Command{
		Use:     "list [TEXT]",
		Short:   "List the vendors that rolecall knows",
		Long:    "list shows the vendors that rolecall knows, or those whose name, title or words about them have a text in them.",
		Example: "  rolecall vendors list snow\n  rolecall vendors list --partition aws-us-gov --method automatic",
		Args:    cli.UpToOne,
		RunE: func(_ *cobra.Command, args []string) error {
			only.text = strings.Join(args, "")
			return listVendors(a, only)
		},
	}
	list.Flags().StringVar(&only.partition, "partition", "", "those that work in this partition: aws, aws-cn or aws-us-gov")
	list.Flags().StringVar(&only.method, "method", "", "those with this method: manual, automatic or direct")
	list.Flags().StringVar(&only.access, "access", "", "those that get this: role or user")
	show := &cobra.Command{
		Use:               "show NAME",
		Short:             "Show one vendor: whom a role has to trust, what it gets, and why",
		Args:              cli.ExactlyOne,
		ValidArgsFunction: completeVendors,
		RunE:              func(_ *cobra.Command, args []string) error { return showVendor(a, args[0]) },
	}
	vendors := &cobra.Command{
		Use:   "vendors",
		Short: "List, show and check vendors' descriptions",
		Args:  a.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return listVendors(a, filter{}) },
	}
	vendors.AddCommand(list, show, vendorsCheckCommand(a), vendorsSchemaCommand(a))
	return vendors
}

func completeVendors(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return describe.List(), cobra.ShellCompDirectiveDefault
}

// vendorInfo is one vendor in JSON.
type vendorInfo struct {
	Name       string            `json:"name"`
	Title      string            `json:"title"`
	About      string            `json:"about"`
	Methods    []methodInfo      `json:"methods"`
	Partitions map[string]string `json:"trusted_accounts"` // by partition; empty: the person reads it at the vendor
	ExternalID string            `json:"external_id_example,omitempty"`
	Products   []string          `json:"products"`
	Roles      []roleInfo        `json:"roles"`
	Sources    []string          `json:"sources"`
	Read       string            `json:"sources_read,omitempty"` // the day on which they were
}

type methodInfo struct {
	Method string `json:"method"`
	Access string `json:"access"`
	Title  string `json:"title"`
}

type roleInfo struct {
	Purpose    string `json:"purpose"`
	Access     string `json:"access"`
	RoleName   string `json:"role_name,omitempty"`
	PolicyName string `json:"policy_name,omitempty"`
	Statements int    `json:"statements"`
	Characters int    `json:"characters"`
	// ManagedPolicies are AWS managed policies that the role has attached too.
	ManagedPolicies []string `json:"managed_policies,omitempty"`
	// WebIdentity is whom the role trusts instead of an account.
	WebIdentity *webInfo `json:"web_identity,omitempty"`
}

// webInfo is a web identity, with parameters in braces.
type webInfo struct {
	Issuer   string `json:"issuer"`
	Audience string `json:"audience"`
	Subject  string `json:"subject"`
}

// trustsAccounts tells whether any role trusts an AWS account or an ARN.
func trustsAccounts(v *describe.Vendor) bool {
	return slices.ContainsFunc(v.Roles, func(r describe.Role) bool { return r.Access != describe.AccessUser && r.WebIdentity.None() })
}

func infoOf(v *describe.Vendor) vendorInfo {
	info := vendorInfo{
		Name: v.Name, Title: v.Title, About: v.About, ExternalID: v.ExternalID.Example,
		Partitions: map[string]string{}, Products: v.AllBundles(), Methods: []methodInfo{}, Roles: []roleInfo{}, Sources: v.Source, Read: v.Read,
	}
	if info.Products == nil {
		info.Products = []string{}
	}
	for id, p := range v.Partitions {
		info.Partitions[id] = p.TrustedAccount
	}
	for _, m := range v.Methods {
		info.Methods = append(info.Methods, methodInfo{m.ID, m.Access, m.Title})
	}
	for i := range v.Roles {
		r := &v.Roles[i]
		role := roleInfo{Purpose: r.Purpose, Access: r.Access, RoleName: r.RoleName, PolicyName: r.PolicyName, ManagedPolicies: r.ManagedPolicies}
		if r.Policy != "" {
			role.Statements, role.Characters = len(r.Document.Statements), r.Document.Characters()
		}
		if w := r.WebIdentity; !w.None() {
			role.WebIdentity = &webInfo{w.Issuer, w.Audience, w.Subject}
		}
		info.Roles = append(info.Roles, role)
	}
	return info
}

// filter says which vendors are listed; what is empty leaves all of them.
type filter struct{ text, partition, method, access string }

// check refuses what no vendor can have.
func (f filter) check() error {
	for _, one := range []struct {
		flag, value string
		known       []string
	}{
		{"--partition", f.partition, []string{"aws", "aws-cn", "aws-us-gov"}},
		{"--method", f.method, []string{describe.Manual, describe.Automatic, describe.Direct}},
		{"--access", f.access, []string{describe.AccessRole, describe.AccessUser}},
	} {
		if one.value != "" && !slices.Contains(one.known, one.value) {
			return cli.Usage(one.flag+" cannot be "+draw.Clean(one.value)+".", strings.Join(one.known, ", "), "Give one of these, or leave it out.")
		}
	}
	return nil
}

// fits tells whether a vendor is listed. Method and access are of one way.
func (f filter) fits(info vendorInfo) bool {
	words := strings.ToLower(info.Name + "\n" + info.Title + "\n" + info.About)
	_, there := info.Partitions[f.partition]
	way := slices.ContainsFunc(info.Methods, func(m methodInfo) bool {
		return (f.method == "" || m.Method == f.method) && (f.access == "" || m.Access == f.access)
	})
	return strings.Contains(words, strings.ToLower(f.text)) && (f.partition == "" || there) && way
}

func listVendors(a *cli.App, only filter) error {
	if err := only.check(); err != nil {
		return err
	}
	infos := []vendorInfo{}
	for _, name := range describe.List() {
		v, err := steps.Library().Load(name)
		if err != nil && !describe.BuiltIn(name) {
			a.Say(
				"%s is left out: its description has a mistake. See rolecall vendors check %s.",
				draw.Clean(name),
				draw.Clean(filepath.Join(describe.Folder(), name+".yaml")),
			)
			continue
		}
		if err != nil {
			return err
		}
		if info := infoOf(v); only.fits(info) {
			infos = append(infos, info)
		}
	}
	if a.JSON {
		a.WriteJSON(struct {
			Vendors []vendorInfo `json:"vendors"`
		}{infos})
		return nil
	}
	if len(infos) == 0 {
		a.Say("No vendor fits. All of them: rolecall vendors list.")
		return nil
	}
	rows := [][]string{{"NAME", "TITLE", "PARTITIONS", "METHODS"}}
	for _, info := range infos {
		rows = append(rows, []string{info.Name, draw.Clean(info.Title), strings.Join(cli.SortedKeys(info.Partitions), ", "),
			cli.Dash(methodNames(info.Methods))})
	}
	a.Out().Table(true, rows)
	return nil
}

// methodNames lists methods once each, with the access where it is not a role.
func methodNames(methods []methodInfo) string {
	var names []string
	for _, m := range methods {
		name := m.Method
		if m.Access == describe.AccessUser {
			name += " (user)"
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

func showVendor(a *cli.App, name string) error {
	v, err := steps.Library().Load(name)
	if err != nil {
		return cli.FlagRefused(name, err)
	}
	info := infoOf(v)
	if a.JSON {
		a.WriteJSON(info)
		return nil
	}
	var rows [][]string
	row := func(label, value string) { rows = append(rows, []string{label, cli.Dash(value)}) }
	row("Vendor", info.Title+" ("+info.Name+")")
	row("About", info.About)
	row("Methods", methodNames(info.Methods))
	for _, id := range cli.SortedKeys(info.Partitions) {
		account := info.Partitions[id]
		switch {
		case !trustsAccounts(v):
			continue // tokens, said with their role
		case account == "":
			account = "shown in the vendor's console"
		}
		row("Trusts in "+id, account)
	}
	for _, r := range info.Roles {
		if w := r.WebIdentity; w != nil {
			row("Trusts tokens of", w.Issuer)
			row("  audience", w.Audience)
			row("  subject", w.Subject)
		}
	}
	for i := range v.Roles {
		for _, name := range v.Roles[i].ParameterNames() {
			row(v.Roles[i].Parameters[name].Flag, parameterWords(v.Roles[i].Parameters[name]))
		}
	}
	row("External ID", info.ExternalID)
	row("Products", strings.Join(info.Products, ", "))
	for _, r := range info.Roles {
		row(r.Purpose, r.grants())
	}
	for _, source := range info.Sources {
		row("Source", source)
	}
	if info.Read != "" {
		row("Sources read", info.Read)
	}
	a.Out().Table(false, rows)
	return nil
}

// parameterWords say what a parameter takes, and whom each choice has trusted.
func parameterWords(p describe.Parameter) string {
	if len(p.Choices) == 0 {
		return p.Label + ", such as " + p.Example
	}
	words := make([]string, len(p.Choices))
	for i, c := range p.Choices {
		words[i] = c.Value
		if c.TrustedAccount != "" {
			words[i] += " (trusts " + c.TrustedAccount + ")"
		}
	}
	return p.Label + ": " + strings.Join(words, ", ")
}

// managedWords names a managed policy of a description, which a parameter may
// decide about.
func managedWords(name string) string {
	if strings.HasPrefix(name, "{") {
		return "a managed policy that you name (" + name + ")"
	}
	return "AWS managed policy " + name
}

// grants says in a line what the role has attached.
func (r roleInfo) grants() string {
	var words []string
	if r.PolicyName != "" {
		words = append(
			words,
			"policy "+r.PolicyName+", "+screen.Counted(r.Statements, "statement")+", "+screen.Counted(r.Characters, "character"),
		)
	}
	for _, name := range r.ManagedPolicies {
		words = append(words, managedWords(name))
	}
	return strings.Join(words, "; ")
}
