package diagnose

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/policy"
)

// place judges whether the role is there, and whether the ARN that the vendor
// has is the role's.
func (in *inquest) place() {
	role := in.role()
	switch {
	case role != nil:
		in.clear(NotFound, "The role is there: "+cmp.Or(role.ARN, role.Name)+".")
	case in.facts.Looked && len(in.facts.Seen.Denied) > 0:
		in.unjudged(NotFound, "You are not allowed "+strings.Join(in.facts.Seen.Denied, ", ")+", so nobody saw whether it is there.")
	case in.facts.Looked && len(in.facts.Seen.Missing) > 0:
		in.unjudged(NotFound, "The evidence does not show the role.")
	case in.facts.Looked:
		name := in.facts.Want.RoleName
		if arn, ok := aws.SplitARN(in.facts.Want.RoleARN); ok {
			name = arn.Resource[strings.LastIndexByte(arn.Resource, '/')+1:]
		}
		in.suspect(NotFound, Certain, fmt.Sprintf("There is no role named %s in account %s.", name, in.facts.Want.AccountID),
			"Make the role (rolecall connect), or correct its name. To "+in.vendor()+" a role that is missing looks like one that refuses.")
	}
	in.heldARNs()
	if c, failed := in.failed("role-partition"); failed && role != nil {
		in.suspect(Partition, Certain, "The role is in the partition "+c.Got+"; wanted is "+c.Want+".", c.Fix)
	}
	if c, failed := in.failed("role-account"); failed && role != nil {
		in.suspect(Account, Certain, "The role is in account "+c.Got+"; wanted is "+c.Want+".", c.Fix)
	}
	if c, failed := in.failed("role-path"); failed && !in.causes[Path].found() {
		in.suspect(Path, Likely, "The role's path is "+c.Got+"; wanted is "+c.Want+".", c.Fix)
	}
	if role != nil {
		in.placeIsRight(role)
	}
}

func (f *finding) found() bool { return f.likelihood != "" }

// placeIsRight clears what an ARN tells. Evidence in part may not show it.
func (in *inquest) placeIsRight(role *aws.Role) {
	if role.ARN == "" {
		for _, id := range []ID{Account, Partition, Path} {
			in.unjudged(id, "The evidence does not show the role's ARN.")
		}
		return
	}
	for id, text := range map[ID]string{Account: "The role is in account " + in.facts.Want.AccountID + ".", Partition: "The role is in the " +
		"partition " + in.facts.Want.Partition + ".",
		Path: "The ARN with its path is " + role.ARN + "."} {
		if !in.causes[id].found() {
			in.clear(id, text)
		}
	}
}

// heldARNs compares the ARNs that the vendor was given, or tried, with the role.
func (in *inquest) heldARNs() {
	if !in.facts.Looked {
		return
	}
	in.heldARN(in.facts.Held, "The ARN that "+in.vendor()+" was given")
	if r := in.facts.Refusal; r != nil && r.AWS != nil && r.AWS.Action == policy.AssumeRole && r.AWS.Resource != in.facts.Held {
		in.heldARN(r.AWS.Resource, "The ARN in AWS's refusal")
	}
}

func (in *inquest) heldARN(held, what string) {
	arn, ok := aws.SplitARN(held)
	if !ok || arn.Service != "iam" || !strings.HasPrefix(arn.Resource, "role/") {
		return
	}
	want, role := in.facts.Want, in.role()
	likelihood := Likely
	if role != nil {
		likelihood = Certain // a role of that name is here
	}
	correct := "Give " + in.vendor() + " the ARN of the role in the account that is meant"
	if role != nil {
		correct += ": " + role.ARN
	}
	if arn.Partition != want.Partition && want.Partition != "" {
		in.suspect(
			Partition,
			likelihood,
			fmt.Sprintf("%s is of the partition %s; the account that was looked at is in %s.", what, arn.Partition, want.Partition),
			correct+".",
		)
	}
	if arn.AccountID != want.AccountID && want.AccountID != "" {
		in.suspect(
			Account,
			likelihood,
			fmt.Sprintf("%s is of account %s; looked at was account %s.", what, arn.AccountID, want.AccountID),
			correct+".",
		)
	}
	if role == nil {
		return
	}
	path, name := splitPath(strings.TrimPrefix(arn.Resource, "role"))
	if role.Path != "" && path != role.Path && strings.EqualFold(name, role.Name) {
		in.suspect(Path, Certain, fmt.Sprintf("%s has the path %s; the role's is %s.", what, path, role.Path), correct+".")
	}
}

func splitPath(s string) (path, name string) {
	i := strings.LastIndexByte(s, '/')
	return s[:i+1], s[i+1:]
}

// How long AWS may need until a new role can be assumed everywhere: seconds as a
// rule, and nobody has seen a minute. Source:
// docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html (changes are not
// always immediately visible).
const (
	youngAge = 20 * time.Second
	grownAge = time.Minute
)

// age judges how old the role is, by AWS's clock.
func (in *inquest) age() {
	role := in.role()
	if role == nil {
		return
	}
	age, known := role.Age()
	text := fmt.Sprintf("The role was made %s ago, by AWS's clock.", age.Round(time.Second))
	const fix = "Wait half a minute and have the vendor try again: AWS needs a little time until a new role can be assumed everywhere."
	switch {
	case !known:
		in.unjudged(TooYoung, "When the role was made is not known.")
	case age < youngAge:
		in.suspect(TooYoung, Likely, text, fix)
	case age < grownAge:
		in.suspect(TooYoung, Possible, text, fix)
	default:
		in.clear(TooYoung, text)
	}
}

// session judges whether the vendor may have a session as long as is meant. One
// hour is STS's default and the least that a role can allow, so that a request
// that names no duration is never too long. Source:
// docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, DurationSeconds.
func (in *inquest) session() {
	role := in.role()
	if role == nil {
		return
	}
	if role.MaxSession == 0 {
		in.unjudged(SessionDuration, "How long sessions of the role may be is not known.")
		return
	}
	longest := "The role allows sessions of " + hours(role.MaxSession)
	if in.facts.Session > role.MaxSession {
		in.suspect(SessionDuration, Likely, longest+"; meant are "+hours(in.facts.Session)+".", setSession(in.facts.Session, role.Name))
		return
	}
	in.clear(SessionDuration, longest+", and a request that names no duration gets one hour.")
}

func setSession(d time.Duration, name string) string {
	return fmt.Sprintf(
		"Set the role's maximum session duration to %s: on its page, Summary, Edit (or aws iam update-role --role-name %s "+
			"--max-session-duration %d).",
		hours(d),
		name,
		int(d/time.Second),
	)
}

func hours(d time.Duration) string {
	if d == time.Hour {
		return "1 hour"
	}
	if d%time.Hour == 0 {
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return d.String()
}

// sts judges the regions that were asked.
func (in *inquest) sts() {
	if off := in.facts.STSInactive; len(off) > 0 {
		in.suspect(
			STSRegion,
			Likely,
			"STS is not active for account "+in.facts.Want.AccountID+" in "+strings.Join(off, ", ")+".",
			activateSTS(off),
		)
		return
	}
	if off := in.facts.STSInactiveNear; len(off) > 0 {
		in.suspect(STSRegion, Possible, "STS is not active for account "+in.facts.Want.AccountID+" in "+strings.Join(off, ", ")+
			", where vendors often are.", activateSTS(off))
		in.unjudged(STSRegion, "From which region "+in.vendor()+" assumes the role is not known here.")
		return
	}
	if on := in.facts.STSActive; len(on) > 0 {
		in.clear(STSRegion, "STS answers for this account in "+strings.Join(on, ", ")+".")
	}
}

// activateSTS is for the account that holds the role: there the credentials are
// made. Source: docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html.
func activateSTS(regions []string) string {
	return "In the account of the role, IAM console, Account settings, Security Token Service: activate " + strings.Join(regions, ", ") +
		" (a region to opt in to is enabled under Account first). Or have the vendor use another region's STS."
}
