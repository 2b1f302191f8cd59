// Package flags turns the flags of a command into answers, and refuses what
// cannot be meant, before anything is asked or sent. Every flag is one row of a
// table (see table), and so is every parameter of a vendor's policies.
package flags

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/describe/check"
)

// Use is what a command needs flags for.
type Use uint8

// The uses; a row of the table can be of several.
const (
	Connecting Use = 1 << iota // connect, rehearse, plan
	Checking                   // verify
	Updating                   // update
	Showing                    // policy show
	Resuming                   // resume
	Rehearsing                 // rehearse, beside what connecting takes
	Organising                 // org
)

// Flags are the flags of one command line, as they were given.
type Flags struct {
	set *pflag.FlagSet
	use Use
}

// DefaultWait is how long an unattended run waits for IAM and the vendor.
const DefaultWait = 2 * time.Minute

// Bind gives a command the flags of its use.
func (f *Flags) Bind(cmd *cobra.Command, use Use) {
	f.set, f.use = cmd.Flags(), use
	f.set.SortFlags = false // the table's order is a reader's
	for _, r := range table() {
		if r.of&use != 0 {
			r.add(f.set)
		}
	}
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[takesParameters] = ofVendor
	if use == Resuming {
		cmd.Annotations[takesParameters] = ofSession
	}
}

// Given tells whether a flag stands on the command line.
func (f *Flags) Given(name string) bool { return f.set.Changed(name) }

// Text is a flag's value, its default where it was not given.
func (f *Flags) Text(name string) string {
	if flag := f.set.Lookup(name); flag != nil {
		return flag.Value.String()
	}
	return ""
}

// Texts are the values of a flag that may have several.
func (f *Flags) Texts(name string) []string { return f.list(name) }

// Yes tells whether defaults are taken and nothing is asked.
func (f *Flags) Yes() bool { return f.Text("yes") == "true" }

// TakeDefaults is --yes, for a command that asks nothing.
func (f *Flags) TakeDefaults() { _ = f.set.Set("yes", "true") } // the flag exists, and takes it

// Wait is how long an unattended run waits for IAM and the vendor.
func (f *Flags) Wait() time.Duration { return f.length("wait") }

// SecretFile is where the secret access key goes; empty: nowhere.
func (f *Flags) SecretFile() string { return f.Text("secret-file") }

// SendTo is the address that a declared request may go to; empty: none.
func (f *Flags) SendTo() string { return f.Text("send-to") }

// The getters below fail for a flag of another kind, which the table excludes,
// and for one that the command does not have: then there is no value.

func (f *Flags) list(name string) []string {
	values, err := f.set.GetStringSlice(name)
	if err != nil {
		values, _ = f.set.GetStringArray(name)
	}
	if len(values) == 0 {
		return nil
	}
	return slices.Clone(values)
}

func (f *Flags) length(name string) time.Duration {
	d, _ := f.set.GetDuration(name)
	return d
}

func (f *Flags) on(name string) bool { return f.Text(name) == "true" }

// rows are the flags that this command has: of the table, and of the vendor's
// parameters.
func (f *Flags) rows(v *describe.Vendor) []row {
	rows := slices.DeleteFunc(table(), func(r row) bool { return r.of&f.use == 0 })
	return append(rows, parameterRows(v)...)
}

// Taken are the flags ("--path") that no parameter of a vendor can have: those
// of the table, and those that single commands have beside it.
func Taken() []string {
	taken := strings.Fields(others)
	for _, r := range table() {
		taken = append(taken, "--"+r.name)
	}
	return taken
}

// others are the flags of the commands that are not in the table. A test holds
// them to the commands.
const others = "--json --plain --profile --region --aws-account --help --version --role --user --evidence --error --output --format " +
	"--minify " +
	"--theme --digest --send-token --reason --details --fail-on " +
	"--ou --accounts --account-tag --resend --automatic-deployment --failure-tolerance --concurrency --reader-role --drift --fail " +
	"--all --receipt --undo"

// Library reads descriptions of vendors, none of whose parameters has a flag of
// rolecall's own.
func Library() check.Library {
	library := steps.Library()
	library.Taken = Taken()
	return library
}
