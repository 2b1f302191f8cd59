package prove

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// worstFirst are the checks as a person needs them: what failed, what is not
// known, the warnings, and then what is right. JSON keeps the order of the
// contract.
func worstFirst(checks []aws.Check) []aws.Check {
	order := []aws.Status{aws.Fail, aws.Unknown, aws.Warn, aws.Pass}
	sorted := slices.Clone(checks)
	slices.SortStableFunc(sorted, func(a, b aws.Check) int {
		return cmp.Compare(slices.Index(order, a.Status), slices.Index(order, b.Status))
	})
	return sorted
}

// reportText prints one line for each check, and under it why and what to do
// where it is not right; at the end, where a terminal stands still, it says again
// which those are.
func reportText(a *cli.App, report aws.Report) {
	for _, c := range worstFirst(report.Checks) {
		mark := map[aws.Status]string{aws.Pass: "✓", aws.Fail: "✗", aws.Warn: "!", aws.Unknown: "?"}[c.Status]
		a.Print("%s %-7s %s", mark, c.Status, c.ID)
		if c.Status == aws.Pass {
			continue
		}
		fix := c.Fix
		if len(c.Missing) > 0 {
			fix = "Add the output of:"
		}
		for _, more := range [][2]string{{"wanted", c.Want}, {"found", c.Got}, {"why", c.Why}, {"fix", fix}} {
			if more[1] != "" {
				a.Out().Hang(fmt.Sprintf("            %-7s ", more[0]), draw.Clean(more[1]))
			}
		}
		for _, command := range c.Missing { // each on a line of its own, to be copied
			a.Print("  %s", draw.Clean(command))
		}
	}
	if len(report.Checks) > 1 {
		a.Print("%s", summary(report.Checks))
	}
}

// summary counts the checks, and names those that did not pass.
func summary(checks []aws.Check) string {
	var parts []string
	for _, kind := range []struct {
		status aws.Status
		word   string
	}{{aws.Fail, "failed"}, {aws.Unknown, "unknown"}, {aws.Warn, "with a warning"}} {
		var names []string
		for _, c := range checks {
			if c.Status == kind.status {
				names = append(names, c.ID)
			}
		}
		if len(names) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s (%s)", len(names), kind.word, strings.Join(names, ", ")))
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("All %d checks passed.", len(checks))
	}
	return fmt.Sprintf("Of %d checks: %s.", len(checks), strings.Join(parts, ", "))
}

// settling is how long IAM may need until all that was made shows. Source:
// docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html (changes are not
// always immediately visible).
const settling = time.Minute

// sayYoung tells that a role that is not right may only not be settled yet, and
// how to wait for it.
func sayYoung(a *cli.App, role *aws.Role, right bool) {
	if right {
		return
	}
	if role == nil {
		a.Say("If it was made just now: a role may take a minute to show in AWS. --wait 1m waits for it.")
		return
	}
	if age, known := role.Age(); known && age < settling {
		a.Say("The role was made %s ago: what belongs to it may take a minute to show in AWS. --wait 1m waits for it.", age.Round(time.Second))
	}
}
