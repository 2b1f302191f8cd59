package ui_test

import (
	"strings"
	"testing"

	"rolecall/ui/rehearse"
)

// fits are the exits of a scenario by Spot's three methods: manual, automatic,
// direct. 2: it would show nothing there, which is said before anything is done.
func fits() map[string][3]int {
	return map[string][3]int{
		"wrong-external-id":    {3, 3, 3},
		"policy-missing":       {3, 3, 3},
		"policy-edited":        {3, 3, 3},
		"wrong-account":        {3, 3, 3},
		"recreated-principal":  {3, 3, 3},
		"path-lost":            {3, 3, 3},
		"bucket-missing":       {2, 2, 2},
		"expired-sign-in":      {4, 4, 4},
		"other-account":        {3, 3, 3},
		"missing-permission":   {4, 4, 4},
		"cannot-look":          {4, 4, 4},
		"stack-fails":          {2, 1, 2},
		"slow-aws":             {8, 8, 5}, // rolecall sees its own role at once, and Spot does not yet
		"too-young":            {5, 5, 5},
		"boundary":             {5, 5, 5},
		"session-duration":     {5, 5, 5},
		"scp":                  {5, 5, 5},
		"rcp":                  {3, 3, 3}, // for certain, by the organization's own policies
		"sts-region":           {5, 5, 5},
		"partition":            {2, 2, 2},
		"vendor-refuses-twice": {0, 0, 0},
		"vendor-throttles":     {0, 0, 0},
		"vendor-down":          {8, 8, 8},
	}
}

// TestScenarios rehearses every scenario by every method, as a script would: the
// exit is the one that fits, and the one document says why.
func TestScenarios(t *testing.T) {
	t.Parallel()
	methods := [3][]string{{"--method", "manual"}, {"--method", "automatic", "--acknowledge-iam-capabilities"}, {"--method", "direct"}}
	want := fits()
	for _, c := range rehearse.Scenarios() {
		exits, known := want[c.Name]
		if !known {
			t.Errorf("no exits of the scenario %s are known", c.Name)
		}
		for i, method := range methods {
			args := append([]string{"rehearse", "--vendor", "spot", "--yes", "--wait", waitFor(exits[i]), "--scenario", c.Name}, method...)
			t.Run(c.Name+" "+method[1], func(t *testing.T) { ends(t, exits[i], args) })
		}
	}
	for name, more := range map[string][]string{
		"partition":          {"--vendor", "spot", "--method", "direct", "--partition", "aws-us-gov", "exit", "5"},
		"bucket-missing":     {"--vendor", "spot", "--method", "direct", "--products", "cloud-analyzer", "--report-bucket", "acme", "exit", "3"},
		"policy-missing":     {"--vendor", "sprinters", "--method", "direct", "--access", "user", "--secret-file", "key.json", "exit", "3"},
		"policy-edited":      {"--vendor", "sprinters", "--method", "manual", "--access", "role", "exit", "3"},
		"missing-permission": {"--vendor", "sprinters", "--method", "manual", "--access", "user", "exit", "4"},
		"vendor-down":        {"--vendor", "sprinters", "--method", "direct", "--access", "role", "exit", "2"},
	} {
		exit := int(more[len(more)-1][0] - '0')
		args := append([]string{"rehearse", "--yes", "--wait", waitFor(exit), "--scenario", name}, more[:len(more)-2]...)
		t.Run(strings.Join(args, " "), func(t *testing.T) { ends(t, exit, args) })
	}
}

// waitFor is the time that a run gets: where it ends well, more than a busy
// machine needs, else little, since some ends are that the time is up.
func waitFor(exit int) string {
	if exit == 0 {
		return "10m"
	}
	return "30s"
}

func ends(t *testing.T, exit int, args []string) {
	t.Parallel()
	r := newBox(t).run(args...)
	if r.exit != exit {
		t.Errorf("exit %d, want %d\n%s\n%s", r.exit, exit, r.stdout, r.stderr)
	}
	if r.exit == 0 {
		return
	}
	if e := r.document.Error; e == nil || e.What == "" || e.Expected == "" || e.Next == "" {
		t.Errorf("the failure is not said whole: %+v", r.document.Error)
	}
}
