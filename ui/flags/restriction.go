package flags

import (
	"fmt"
	"regexp"
	"strings"

	"rolecall/aws"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// CheckRestriction checks --regions and --restrict-tag. Regions of another
// partition than the policy's would leave a policy that grants nothing; where
// the partition is not known yet, "", they have to be of one.
func (f *Flags) CheckRestriction(partition string) error {
	for _, region := range f.Regions {
		if err := aws.CheckRegion(region); err != nil {
			return cli.FlagRefused("--regions", err)
		}
		of, _ := aws.PartitionOf(region)
		partition = cli.OrElse(partition, of)
		if of != partition {
			return cli.Usage(fmt.Sprintf("--regions: %s is a region of %s.", draw.Clean(region), of), "regions of "+draw.Clean(partition),
				"Correct --regions, or --partition.")
		}
	}
	if !f.Given("restrict-tag") {
		return nil
	}
	key, value, ok := strings.Cut(f.RestrictTag, "=")
	// Letters, digits, spaces and the signs that AWS takes in tags.
	valid := regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	if !ok || key == "" || len(key) > 128 || len(value) > 256 || !valid.MatchString(key) || !valid.MatchString(value) {
		return cli.Usage(fmt.Sprintf("--restrict-tag: %q is no tag.", draw.Clean(f.RestrictTag)), "a key and a value: team=spot", "Correct --restrict-tag.")
	}
	return nil
}
