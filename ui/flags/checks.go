package flags

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"

	"rolecall/aws"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// What IAM takes as a role's longest session, and as tags (IAM API reference,
// CreateRole and Tag).
const (
	shortestSession = time.Hour
	longestSession  = 12 * time.Hour
	longestTagKey   = 128
	longestTagValue = 256
	mostTags        = 50
)

func checkSessionDuration(value string) error {
	d, err := time.ParseDuration(value)
	if err != nil || d < shortestSession || d > longestSession || d%time.Second != 0 {
		return cli.Usage(draw.Clean(value)+" cannot be a role's longest session.", "whole seconds from 1h to 12h",
			"Correct --session-duration.")
	}
	return nil
}

func checkWait(value string) error {
	if d, err := time.ParseDuration(value); err != nil || d <= 0 {
		return cli.Usage(draw.Clean(value)+" is no time to wait.", "a time above zero, such as 2m", "Correct --wait.")
	}
	return nil
}

func checkRestrictTag(value string) error {
	key, tag, ok := strings.Cut(value, "=")
	// Letters, digits, spaces and the signs that AWS takes in tags.
	valid := regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	if !ok || key == "" || len(key) > longestTagKey || len(tag) > longestTagValue || !valid.MatchString(key) || !valid.MatchString(tag) {
		return cli.Usage(fmt.Sprintf("%q is no tag.", draw.Clean(value)), "a key and a value: team=spot", "Correct --restrict-tag.")
	}
	return nil
}

func fitsPartition(_ *Flags, p *Prepared) error {
	if _, ok := p.Vendor.Partitions[p.Answers.Partition]; ok {
		return nil
	}
	return cli.Usage(fmt.Sprintf("--partition: %s has no %q.", p.Vendor.Title, draw.Clean(p.Answers.Partition)),
		"one of: "+strings.Join(p.Vendor.PartitionsOf(), ", "), "Correct --partition.")
}

// fitsTrustedAccount checks the account in its partition, which is the
// default one where nobody says another.
func fitsTrustedAccount(f *Flags, p *Prepared) error {
	p.Answers.Partition = cmp.Or(p.Answers.Partition, p.Vendor.DefaultPartition())
	if err := fitsPartition(f, p); err != nil {
		return err
	}
	if err := p.Vendor.CheckTrustedAccount(p.Answers.Partition, p.Answers.TrustedAccount); err != nil {
		return cli.FlagRefused("--trusted-account", err)
	}
	return nil
}

func fitsAccount(f *Flags, p *Prepared) error {
	term, id, name := p.Vendor.Account, f.Text("account"), f.Text("account-name")
	switch {
	case id == "" && name == "":
		return nil
	case term.Label == "":
		return cli.Usage("--account and --account-name are of no use: "+p.Vendor.Title+" has no accounts of its own.",
			"neither", "Leave them out.")
	case name != "" && !strings.ContainsFunc(name, unicode.IsLetter):
		return cli.Usage("--account-name needs at least one letter.", "a name such as prod", "Correct --account-name.")
	case id != "" && name != "":
		return cli.Usage("--account and --account-name say two things.", "one of them", "Give the ID, or the name.")
	case id == "":
		return nil
	}
	if pattern, err := regexp.Compile("^(?:" + term.Pattern + ")$"); err == nil && term.Pattern != "" && !pattern.MatchString(id) {
		return cli.Usage(fmt.Sprintf("--account: %q is not the ID of a %s.", draw.Clean(id), term.Label),
			"such as "+term.Example, "Copy it from "+p.Vendor.Title+"'s console.")
	}
	return nil
}

// fitsProducts refuses a choice where the vendor lets nobody choose: in the
// partition that was named, or that is taken where none is. A choice that is the
// default anyway is honoured.
func fitsProducts(f *Flags, p *Prepared) error {
	partition := cmp.Or(p.Answers.Partition, p.Vendor.DefaultPartition())
	where, ok := p.Vendor.Partitions[partition]
	if len(f.list("products")) == 0 || !ok || where.Customise || p.Vendor.IsDefault(p.Answers.Bundles) {
		return nil
	}
	return cli.Usage("--products: the policy cannot be customized in "+where.Title+". "+where.Why, "no --products there",
		"Leave out --products.")
}

// fitsRegions refuses regions of another partition than the policy's, which
// would leave a policy that grants nothing; where the partition is not known
// yet, they have to be of one.
func fitsRegions(_ *Flags, p *Prepared) error {
	partition := p.Answers.Partition
	for _, region := range p.Answers.Regions {
		if err := aws.CheckRegion(region); err != nil {
			return cli.FlagRefused("--regions", err)
		}
		of, _ := aws.PartitionOf(region)
		partition = cmp.Or(partition, of)
		if of != partition {
			return cli.Usage(fmt.Sprintf("--regions: %s is a region of %s.", draw.Clean(region), of), "regions of "+draw.Clean(partition),
				"Correct --regions, or --partition.")
		}
	}
	return nil
}

func fitsExternalID(f *Flags, p *Prepared) error {
	if err := p.Vendor.CheckExternalID(f.Text("external-id")); err != nil {
		return cli.FlagRefused("--external-id", err)
	}
	return nil
}
