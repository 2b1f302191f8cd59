package flags

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rolecall/assets"
	"rolecall/steps/describe"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// Annotations: of commands that take the flags of parameters, and of the flags
// that are such.
const (
	takesParameters = "rolecall parameters"
	isParameter     = "rolecall parameter"
)

// Whose parameters a command takes: those of the vendor that its flags name, or
// of the session that goes on.
const (
	ofVendor  = "vendor"
	ofSession = "session"
)

// parameterRows are the flags of a vendor's parameters, each once.
func parameterRows(v *describe.Vendor) []row {
	if v == nil {
		return nil
	}
	var rows []row
	for i := range v.Roles {
		for _, name := range cli.SortedKeys(v.Roles[i].Parameters) {
			r := parameterRow(v, name, v.Roles[i].Parameters[name])
			if !slices.ContainsFunc(rows, func(other row) bool { return other.field == r.field }) {
				rows = append(rows, r)
			}
		}
	}
	return rows
}

func parameterRow(v *describe.Vendor, name string, p describe.Parameter) row {
	return row{name: strings.TrimPrefix(p.Flag, "--"), of: everywhere, group: groupGrants,
		usage: fmt.Sprintf("%s (%s), such as %s", draw.Clean(p.Label), draw.Clean(v.Title), draw.Clean(p.Example)),
		bound: true, single: true, recalled: Checking | Updating, shape: p.Check, field: parameter(name)}
}

// givenParameters are the flags on the command line that some vendor's
// parameter has.
func (f *Flags) givenParameters() []string {
	var names []string
	f.set.Visit(func(flag *pflag.Flag) {
		if flag.Annotations[isParameter] != nil {
			names = append(names, flag.Name)
		}
	})
	return names
}

// strangers refuses the flags of another vendor's parameters.
func (f *Flags) strangers(v *describe.Vendor) error {
	for _, name := range f.givenParameters() {
		if slices.ContainsFunc(parameterRows(v), func(r row) bool { return r.name == name }) {
			continue
		}
		whose := f.set.Lookup(name).Annotations[isParameter]
		return cli.Usage("--"+name+" is of no use: no policy of "+draw.Clean(v.Title)+" has it.", "no --"+name,
			"Leave it out, or name the vendor that has it: --vendor "+draw.Clean(whose[0])+".")
	}
	return nil
}

// AddParameters gives the command that the arguments name the flags of the
// vendors' parameters, which are in the vendors' descriptions. Reading those
// takes time, so that it is done only where something needs them: a flag that no
// command has, help, or the completion of a flag. The vendor is the one that the
// arguments name, by --vendor, by a plan or by a session; of the built-in ones all have theirs,
// so that a flag of another one is told from a mistake in writing.
func AddParameters(a *cli.App, root *cobra.Command, args []string) {
	all := false
	switch {
	case len(args) == 0:
		return
	case args[0] == "man":
		addToAll(root)
		return
	case args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd || args[0] == "help":
		all, args = true, args[1:]
	}
	cmd, rest, err := root.Find(args)
	if err != nil || cmd.Annotations[takesParameters] == "" {
		return
	}
	seen := scan(cmd, rest)
	if !all && !seen.help && !seen.unknown {
		return
	}
	if cmd.Annotations[takesParameters] == ofSession {
		addFlags(cmd, append(vendorsOfSessions(a, seen), assets.Vendors()...))
		return
	}
	addFlags(cmd, vendorsOf(seen))
}

func addToAll(cmd *cobra.Command) {
	if cmd.Annotations[takesParameters] != "" {
		addFlags(cmd, assets.Vendors())
	}
	for _, below := range cmd.Commands() {
		addToAll(below)
	}
}

// scanned is what a first look at the arguments shows.
type scanned struct {
	unknown, help bool
	vendor, plan  string
	words         []string // what is no flag
}

// scan looks at arguments before they are parsed. A flag that is not known may
// turn out to be a parameter's, which takes a value.
func scan(cmd *cobra.Command, args []string) scanned {
	cmd.InitDefaultHelpFlag()
	cmd.InheritedFlags() // makes Flags whole
	var seen scanned
	for i := 0; i < len(args) && args[i] != "--"; i++ {
		name, value, has := strings.Cut(args[i], "=")
		flag := flagOf(cmd.Flags(), name)
		if flag == nil && !strings.HasPrefix(name, "--") {
			seen.words = append(seen.words, args[i])
			continue
		}
		seen.unknown = seen.unknown || flag == nil
		if !has && (flag == nil || flag.NoOptDefVal == "") && i+1 < len(args) && (flag != nil || !strings.HasPrefix(args[i+1], "-")) {
			i++
			value = args[i]
		}
		if flag == nil {
			continue
		}
		switch flag.Name {
		case "help":
			seen.help = true
		case "vendor":
			seen.vendor = value
		case "plan":
			seen.plan = value
		}
	}
	return seen
}

func flagOf(set *pflag.FlagSet, name string) *pflag.Flag {
	if long, ok := strings.CutPrefix(name, "--"); ok {
		return set.Lookup(long)
	}
	if short, ok := strings.CutPrefix(name, "-"); ok && len(short) == 1 {
		return set.ShorthandLookup(short)
	}
	return nil
}

// vendorsOf are the vendors whose parameters may be meant.
func vendorsOf(seen scanned) []string {
	if seen.vendor == "" {
		seen.vendor = plannedVendor(seen.plan)
	}
	switch {
	case seen.vendor == "" && seen.unknown:
		return describe.List()
	case seen.vendor == "":
		return assets.Vendors()
	}
	return append([]string{seen.vendor}, slices.DeleteFunc(assets.Vendors(), func(name string) bool { return name == seen.vendor })...)
}

// vendorsOfSessions are the vendors of the session that the arguments name, or of
// all.
func vendorsOfSessions(a *cli.App, seen scanned) []string {
	store, err := a.Store()
	if err != nil {
		return nil // said when the session is opened
	}
	all, err := store.List()
	if err != nil {
		return nil
	}
	var vendors []string
	for _, one := range all {
		named := len(seen.words) == 0 || seen.words[0] == one.ID
		if named && one.Err == nil && one.Answers.Vendor != "" && !slices.Contains(vendors, one.Answers.Vendor) {
			vendors = append(vendors, one.Answers.Vendor)
		}
	}
	return vendors
}

// plannedVendor is the vendor of a plan, as far as it can be read: what is wrong
// with the file is said when it is taken.
func plannedVendor(file string) string {
	if file == "" {
		return ""
	}
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	text, err := cli.ReadFile(file)
	if err != nil {
		return ""
	}
	var plan struct {
		Vendor string `json:"vendor"`
	}
	if json.Unmarshal(text, &plan) != nil {
		return ""
	}
	return plan.Vendor
}

// addFlags adds the parameters' flags of vendors. One that cannot be read is
// left out: it is refused when it is chosen.
func addFlags(cmd *cobra.Command, vendors []string) {
	for _, name := range vendors {
		v, err := Library().Load(name)
		if err != nil {
			continue
		}
		for _, r := range parameterRows(v) {
			if cmd.Flags().Lookup(r.name) != nil {
				continue
			}
			r.add(cmd.Flags())
			_ = cmd.Flags().SetAnnotation(r.name, isParameter, []string{name}) // the flag exists: it was added just now
		}
	}
}
