package aws

import (
	"cmp"
	"fmt"
	"strings"
)

// roleChecks judge whether the role is there and in the right place.
func (j *judging) roleChecks() {
	j.add("role-exists", j.exists())
	arn, known := j.roleARN()
	j.add(
		"role-account",
		j.place(known, arn.AccountID, j.want.AccountID, "Make the role in account "+j.want.AccountID+", or sign in to the account that has it."),
	)
	j.add(
		"role-partition",
		j.place(known, arn.Partition, j.want.Partition, "Make the role in the partition "+j.want.Partition+", or choose the other partition."),
	)
	j.add("role-path", j.path())
}

func (j *judging) exists() verdict {
	v := verdict{status: Pass, want: j.wantedRole()}
	if v, ok := j.missing(v, PartHolder); ok && (j.role == nil || j.role.ARN == "") {
		return v
	}
	switch {
	case j.role != nil:
		v.got = j.role.ARN
	case len(j.seen.Denied) > 0:
		return v.notAllowed(j.seen.Denied)
	case elsewhere(j.want):
		v.status, v.got = Unknown, "that ARN belongs to another account, which these credentials cannot see"
		v.fix = "Sign in to that account, or paste the ARN of a role in account " + j.want.AccountID + "."
	default:
		v.status, v.got, v.fix = Fail, "no such role", "Create the role, or correct its name. A role made just now may take a few seconds to "+
			"show."
	}
	return v
}

func (j *judging) wantedRole() string {
	switch {
	case j.want.RoleARN != "":
		return "the role " + j.want.RoleARN
	case j.want.RoleName != "":
		return "a role named " + j.want.RoleName
	}
	return "a role that trusts the vendor, of any name"
}

// elsewhere tells whether the wanted ARN names another account or partition
// than the one looked at.
func elsewhere(want Want) bool {
	arn, ok := SplitARN(want.RoleARN)
	return ok && (want.AccountID != "" && arn.AccountID != want.AccountID || want.Partition != "" && arn.Partition != want.Partition)
}

// roleARN is the ARN of the role seen, or the one asked for.
func (j *judging) roleARN() (ARN, bool) {
	if j.role != nil {
		return SplitARN(j.role.ARN)
	}
	if elsewhere(j.want) {
		return SplitARN(j.want.RoleARN)
	}
	return ARN{}, false
}

func (j *judging) place(known bool, got, want, fix string) verdict {
	v := verdict{status: Pass, want: want, got: got, fix: fix}
	if v, ok := j.missing(verdict{want: cmp.Or(want, "any")}, PartHolder); ok && !known {
		return v
	}
	switch {
	case !known:
		v.status, v.got, v.fix = Unknown, "no role to look at", "Create the role first."
	case want == "":
		v.want = "any"
	case got != want:
		v.status = Fail
	}
	return v
}

func (j *judging) path() verdict {
	want, given := j.want.Path, j.want.PathGiven
	if arn, ok := SplitARN(j.want.RoleARN); ok && !given {
		want, _ = splitPath(strings.TrimPrefix(arn.Resource, "role"))
		given = true
	}
	switch {
	case j.role == nil:
		return j.unseen(cmp.Or(want, "any"))
	case j.role.Path == "" && len(j.seen.Missing) > 0:
		v, _ := j.missing(verdict{want: cmp.Or(want, "any")}, PartHolder)
		return v
	case !given:
		return verdict{status: Pass, want: "any", got: j.role.Path}
	case j.role.Path != orSlash(want):
		return verdict{status: Fail, want: orSlash(want), got: j.role.Path,
			fix: "A path cannot be changed. Use the role's ARN as it is, or make the role anew with the path " + orSlash(want) + "."}
	}
	return verdict{status: Pass, want: orSlash(want), got: j.role.Path}
}

// unseen is the verdict of a check that had no role to look at.
func (j *judging) unseen(want string) verdict {
	if len(j.seen.Denied) > 0 {
		return verdict{want: want}.notAllowed(j.seen.Denied)
	}
	if v, ok := j.missing(verdict{want: want}, PartHolder); ok {
		return v
	}
	return verdict{status: Unknown, want: want, got: "no " + j.holder + " to look at", fix: "Create the " + j.holder + " first."}
}

func (j *judging) boundary() {
	want := "none"
	if j.want.BoundaryGiven && j.want.Boundary != "" {
		want = j.want.Boundary
	}
	switch {
	case j.role == nil:
		j.add("permissions-boundary", j.unseen(want))
	case j.seen.BoundaryUnknown:
		v, _ := j.missing(verdict{status: Unknown, want: want, got: "not known"}, PartHolder)
		j.add("permissions-boundary", v)
	case j.want.BoundaryGiven && j.role.Boundary != j.want.Boundary:
		j.add("permissions-boundary", verdict{status: Fail, want: want, got: cmp.Or(j.role.Boundary, "none"),
			fix: "On the " + j.holder + "'s page, under Permissions boundary, set it to " + want + "."})
	case !j.want.BoundaryGiven && j.role.Boundary != "":
		j.add("permissions-boundary", verdict{status: Warn, want: want, got: j.role.Boundary,
			fix: "Check that the boundary allows what the policy grants. Name it with --permissions-boundary if it is meant to be there."})
	default:
		j.add("permissions-boundary", verdict{status: Pass, want: want, got: cmp.Or(j.role.Boundary, "none")})
	}
}

// someOf lists a few of many.
func someOf(all []string, n int) string {
	if len(all) <= n {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:n], ", "), len(all)-n)
}
