package aws

import (
	"fmt"
	"regexp"
	"sort"
	"strings"
	"sync"

	"github.com/agext/levenshtein"
)

// Partition is one of AWS's separate worlds: accounts, ARNs and consoles of
// one are unknown in the others.
type Partition struct {
	ID     string // as in ARNs: aws, aws-cn, aws-us-gov …
	Name   string // as people call it
	Region string // a real region to sign and to send STS requests to
	Public bool   // has a console that anyone can reach

	pattern string
}

// partitions come from botocore's partitions.json. The first match wins, and
// the narrower patterns stand before the commercial one, which would also
// match parts of their names.
var partitions = sync.OnceValue(func() []Partition {
	return []Partition{
		{ID: "aws-us-gov", Name: "AWS GovCloud (US)", Region: "us-gov-west-1", Public: true, pattern: `us-gov-(east|west)-\d+`},
		{ID: "aws-cn", Name: "AWS China", Region: "cn-north-1", Public: true, pattern: `cn-(north|northwest)-\d+`},
		{ID: "aws-iso", Name: "AWS ISO", Region: "us-iso-east-1", pattern: `us-iso-(east|west)-\d+`},
		{ID: "aws-iso-b", Name: "AWS ISOB", Region: "us-isob-east-1", pattern: `us-isob-(east|west)-\d+`},
		{ID: "aws-iso-e", Name: "AWS ISOE", Region: "eu-isoe-west-1", pattern: `eu-isoe-west-\d+`},
		{ID: "aws-iso-f", Name: "AWS ISOF", Region: "us-isof-south-1", pattern: `us-isof-(south|east)-\d+`},
		{ID: "aws-eusc", Name: "AWS European Sovereign Cloud", Region: "eusc-de-east-1", Public: true, pattern: `eusc-de-east-\d+`},
		{ID: "aws", Name: "AWS", Region: "us-east-1", Public: true, pattern: commercial},
	}
})

// commercial spells the compass so that a typo such as "us-eats-1" is seen.
const commercial = `(us|eu|ap|sa|ca|me|af|il|mx)-(north|south|east|west|central|northeast|northwest|southeast|southwest)-\d`

// Partitions lists all known ones, the commercial one first.
func Partitions() []Partition {
	all := append([]Partition(nil), partitions()...)
	sort.SliceStable(all, func(i, j int) bool { return all[i].ID == "aws" && all[j].ID != "aws" })
	return all
}

func partitionByID(id string) (Partition, bool) {
	for _, p := range partitions() {
		if p.ID == id {
			return p, true
		}
	}
	return Partition{}, false
}

var regionPatterns = sync.OnceValue(func() []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, p := range partitions() {
		all = append(all, regexp.MustCompile(`^`+p.pattern+`$`))
	}
	return all
})

// PartitionOf is the partition that a region belongs to. It is false for a
// name that is no region, pseudo regions such as aws-global included: the SDK
// would build a host that does not exist from them.
func PartitionOf(region string) (string, bool) {
	for i, pattern := range regionPatterns() {
		if pattern.MatchString(region) {
			return partitions()[i].ID, true
		}
	}
	return "", false
}

// DefaultRegion is a real region of the partition: IAM is global within a
// partition, but requests must be signed for and sent to some region. It is
// us-east-1 for an unknown partition.
func DefaultRegion(partition string) string {
	if p, ok := partitionByID(partition); ok {
		return p.Region
	}
	return "us-east-1"
}

// CheckRegion refuses a name that is no AWS region, with the nearest real one
// as a hint: the SDK would accept it and fail only in DNS.
func CheckRegion(region string) error {
	if _, ok := PartitionOf(region); ok {
		return nil
	}
	region = cleanText(region)
	next := "Use a region such as us-east-1, eu-west-1, cn-north-1 or us-gov-west-1."
	switch near := nearestRegion(region); {
	case strings.HasSuffix(region, "-global"):
		next = "That is a pseudo region. Use " + DefaultRegion(strings.TrimSuffix(region, "-global")) + "."
	case near != "":
		next = fmt.Sprintf("Did you mean %s?", near)
	}
	return refuse(Malformed, fmt.Sprintf("%q is not an AWS region.", region), "the name of an AWS region", next)
}

func nearestRegion(region string) string {
	best, distance := "", 4
	for _, known := range strings.Fields(knownRegions) {
		if d := levenshtein.Distance(region, known, nil); d < distance {
			best, distance = known, d
		}
	}
	return best
}

// knownRegions serve only as hints; a region that AWS opens tomorrow is
// accepted by its pattern.
const knownRegions = `us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 ca-west-1 mx-central-1 sa-east-1
eu-west-1 eu-west-2 eu-west-3 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2
ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5
ap-south-1 ap-south-2 ap-east-1 me-south-1 me-central-1 af-south-1 il-central-1
cn-north-1 cn-northwest-1 us-gov-west-1 us-gov-east-1 eusc-de-east-1`
