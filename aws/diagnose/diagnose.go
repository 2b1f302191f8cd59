// Package diagnose says why a vendor cannot assume a role: facts go in (the role
// and its checks, its age by AWS's clock, what the organisation forbids, what AWS
// or the vendor said), and causes come out, the likeliest first, each with what
// speaks for it and against it. It is pure: whoever asks brings the facts. It
// stands on aws, whose checks it reads, and on the evaluator of policy.
package diagnose

import (
	"cmp"
	"slices"
	"time"

	"rolecall/aws"
)

// ID names a cause, as scripts know it.
type ID string

// The causes.
const (
	TooYoung           ID = "too-young"
	ExternalID         ID = "external-id"
	Principal          ID = "principal"
	Account            ID = "account"
	Partition          ID = "partition"
	Path               ID = "path"
	Boundary           ID = "boundary"
	SessionDuration    ID = "session-duration"
	SCP                ID = "scp"
	RCP                ID = "rcp"
	RecreatedPrincipal ID = "recreated-principal"
	STSRegion          ID = "sts-region"
	Permissions        ID = "permissions"
	VendorFault        ID = "vendor-fault"
	NotFound           ID = "not-found"
)

// order is how causes of the same likelihood are ranked: what is more often the
// trouble, and stands in the way of more, first.
func order() []ID {
	return []ID{ExternalID, RecreatedPrincipal, Principal, Partition, Account, Path, NotFound, RCP, SCP, SessionDuration, STSRegion,
		Boundary, Permissions, TooYoung, VendorFault}
}

// Title is what a person calls a cause.
func (id ID) Title() string {
	switch id {
	case TooYoung:
		return "The role is too young"
	case ExternalID:
		return "External ID"
	case Principal:
		return "Principal of the trust policy"
	case Account:
		return "AWS account"
	case Partition:
		return "Partition"
	case Path:
		return "Path of the role"
	case Boundary:
		return "Permissions boundary"
	case SessionDuration:
		return "Session duration"
	case SCP:
		return "Service control policy (SCP)"
	case RCP:
		return "Resource control policy (RCP)"
	case RecreatedPrincipal:
		return "Principal deleted and made anew"
	case STSRegion:
		return "STS is not active in the region"
	case Permissions:
		return "Permissions of the role"
	case VendorFault:
		return "The vendor's side"
	case NotFound:
		return "No such role"
	}
	return string(id)
}

// Likelihood says how sure a cause is.
type Likelihood string

// The likelihoods. A cause that is possible and has no evidence could not be
// judged.
const (
	Certain  Likelihood = "certain"
	Likely   Likelihood = "likely"
	Possible Likelihood = "possible"
	Excluded Likelihood = "excluded"
)

func (l Likelihood) rank() int {
	return slices.Index([]Likelihood{Certain, Likely, Possible, Excluded}, l)
}

// Cause is one reason why the vendor may not get in. All its texts are safe to
// draw.
type Cause struct {
	ID         ID         `json:"id"`
	Likelihood Likelihood `json:"likelihood"`
	Evidence   []string   `json:"evidence"` // what speaks for it
	Against    []string   `json:"against"`  // what speaks against it, or why nobody can judge it
	Fix        string     `json:"fix"`      // what to do, empty where it is excluded
}

// Found reports whether something speaks for the cause.
func (c Cause) Found() bool { return c.Likelihood != Excluded && len(c.Evidence) > 0 }

// Facts are what is known. What is not stays at its zero value.
type Facts struct {
	Vendor string   // the vendor's title
	Want   aws.Want // what the role has to be; its account and partition are those that were looked at
	Held   string   // the role's ARN as the vendor has it
	// HeldID is the external ID that the vendor holds now, where it tells.
	HeldID string
	// Session is how long a session is to last; 0: not known.
	Session time.Duration

	Looked bool // an account, or evidence of one, was looked at: Seen and Report hold what was there
	Seen   aws.Seen
	Report aws.Report

	aws.Surroundings
	Pasted []aws.Guardrail // SCPs and RCPs that somebody gave

	Refusal *Refusal // what AWS or the vendor said; nil: nothing
}

// Rank judges every cause, and puts the likeliest first.
func Rank(f Facts) []Cause {
	in := &inquest{facts: &f, causes: map[ID]*finding{}}
	for _, id := range order() {
		in.causes[id] = &finding{}
	}
	in.place()
	in.trust()
	in.grants()
	in.boundary()
	in.age()
	in.session()
	in.guardrails()
	in.sts()
	in.refusal()
	in.remain()
	in.eliminate()
	out := make([]Cause, 0, len(in.causes))
	for _, id := range order() {
		out = append(out, in.causes[id].cause(id))
	}
	slices.SortStableFunc(out, func(a, b Cause) int {
		return cmp.Compare(a.rank(), b.rank())
	})
	return out
}

// rank puts what could not be judged behind what something speaks for.
func (c Cause) rank() int {
	if c.Likelihood == Possible && len(c.Evidence) == 0 {
		return 2*Possible.rank() + 1
	}
	return 2 * c.Likelihood.rank()
}

// Found are the causes that something speaks for, the likeliest first.
func Found(causes []Cause) []Cause {
	var out []Cause
	for _, c := range causes {
		if c.Found() {
			out = append(out, c)
		}
	}
	return out
}

// inquest is one run of Rank.
type inquest struct {
	facts  *Facts
	causes map[ID]*finding
}

// finding is what is known of one cause.
type finding struct {
	likelihood Likelihood // of the strongest evidence; empty: none
	evidence   []string
	weak       []string // evidence that fits several causes: it counts where nothing clears this one
	weakFix    string
	against    []string
	cleared    bool
	fix        string
}

// suspect adds evidence.
func (in *inquest) suspect(id ID, l Likelihood, evidence, fix string) {
	f := in.causes[id]
	if !slices.Contains(f.evidence, evidence) {
		f.evidence = append(f.evidence, evidence)
	}
	if f.likelihood == "" || l.rank() < f.likelihood.rank() {
		f.likelihood, f.fix = l, fix
	}
}

// hint adds evidence that fits this cause among others.
func (in *inquest) hint(id ID, evidence, fix string) {
	f := in.causes[id]
	f.weak, f.weakFix = append(f.weak, evidence), fix
}

// clear says what speaks against a cause for certain.
func (in *inquest) clear(id ID, against string) {
	f := in.causes[id]
	f.cleared, f.against = true, append(f.against, against)
}

// unjudged says why a cause can be neither found nor cleared.
func (in *inquest) unjudged(id ID, why string) {
	f := in.causes[id]
	if !slices.Contains(f.against, why) {
		f.against = append(f.against, why)
	}
}

func (f *finding) cause(id ID) Cause {
	c := Cause{ID: id, Likelihood: Possible, Evidence: f.evidence, Against: f.against, Fix: f.fix}
	switch {
	case f.likelihood != "":
		c.Likelihood = f.likelihood
	case f.cleared:
		c.Likelihood = Excluded
	case len(f.weak) > 0:
		c.Evidence, c.Fix = f.weak, f.weakFix
	}
	for _, list := range []*[]string{&c.Evidence, &c.Against} {
		out := make([]string, 0, len(*list))
		for _, text := range *list {
			out = append(out, aws.Clean(text))
		}
		*list = out
	}
	c.Fix = aws.Clean(c.Fix)
	return c
}

// strong reports whether a cause is certain or likely.
func (in *inquest) strong() bool {
	for _, f := range in.causes {
		if f.likelihood == Certain || f.likelihood == Likely {
			return true
		}
	}
	return false
}

// vendor is what texts call the vendor.
func (in *inquest) vendor() string { return cmp.Or(in.facts.Vendor, "the vendor") }

// role is the role that was seen; nil for none.
func (in *inquest) role() *aws.Role { return in.facts.Seen.Role }

// failed is a check, and whether it failed.
func (in *inquest) failed(id string) (aws.Check, bool) {
	c, ok := in.facts.Report.Check(id)
	return c, ok && c.Status == aws.Fail
}

// remain raises a region without STS that nobody named, where the vendor was
// refused and no more than the role's age explains it besides.
func (in *inquest) remain() {
	f := in.causes[STSRegion]
	if in.facts.Refusal == nil || f.likelihood != Possible {
		return
	}
	for id, other := range in.causes {
		if id != TooYoung && (other.likelihood == Certain || other.likelihood == Likely) {
			return
		}
	}
	f.likelihood = Likely
}

// eliminate is for a refusal that nothing explains: then what nobody could look
// at is what remains, and at last the vendor's own side.
func (in *inquest) eliminate() {
	if in.facts.Refusal == nil || in.role() == nil || in.strong() {
		return
	}
	const rest = "Everything that rolecall can see of the role is right, and it is refused all the same."
	open := false
	for _, id := range []ID{RCP, SCP} {
		f := in.causes[id]
		switch {
		case f.cleared:
		case f.likelihood == Possible:
			f.likelihood, open = Likely, true
			f.evidence = append(f.evidence, rest)
		default:
			open = true
			in.suspect(id, Possible, rest, askOrganization(id))
		}
	}
	if !open && in.causes[VendorFault].likelihood == "" {
		in.suspect(
			VendorFault,
			Possible,
			rest,
			"Ask "+in.vendor()+" which account, external ID and session duration it assumes the role with, and what AWS answers it.",
		)
	}
}

func askOrganization(id ID) string {
	kind := map[ID]string{SCP: "service control policies (SCPs)", RCP: "resource control policies (RCPs)"}[id]
	return "Ask whoever manages the organization for its " + kind + " on this account's path (aws organizations describe-policy), and give " +
		"them to " +
		"rolecall diagnose --evidence FILE."
}
