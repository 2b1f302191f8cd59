package ui

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/assets"
	"rolecall/aws/diagnose"
	"rolecall/ui/cli"
	"rolecall/ui/rehearse"
)

// TestTopicsHideNoCommand: rolecall help NAME is about the command where there is
// one, so no page may have its name.
func TestTopicsHideNoCommand(t *testing.T) {
	topics := assets.ManualTopics()
	if len(topics) < 10 {
		t.Errorf("the manual has %d pages", len(topics))
	}
	for _, cmd := range rootCommand(&cli.App{Env: cli.Env{Now: time.Now}}).Commands() {
		if slices.Contains(topics, cmd.Name()) {
			t.Errorf("the page %s is hidden behind the command, or hides it", cmd.Name())
		}
	}
}

// TestManualIsWhole: what a page lists is all that the program has, and nothing
// else.
func TestManualIsWhole(t *testing.T) {
	var scenarios, causes []string
	for _, s := range rehearse.Scenarios() {
		scenarios = append(scenarios, s.Name)
	}
	for _, c := range diagnose.Rank(diagnose.Facts{}) {
		causes = append(causes, string(c.ID))
	}
	for topic, want := range map[string][]string{"scenarios": scenarios, "causes": causes,
		"exit-codes": {"0", "1", "2", "3", "4", "5", "8", "130"}} {
		text, err := assets.ManualPage(topic)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, row := range regexp.MustCompile("(?m)^\\| `?([a-z0-9-]+)`? \\|").FindAllStringSubmatch(text, -1) {
			if row[1] != strings.Repeat("-", 3) && !slices.Contains([]string{"scenario", "cause", "exit"}, row[1]) {
				got = append(got, row[1])
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("the page %s lists\n%q, and there are\n%q", topic, got, want)
		}
	}
}

// TestManualNeedsNoBrowser: nothing of Markdown is left in what a terminal shows,
// and every page that is named is there.
func TestManualNeedsNoBrowser(t *testing.T) {
	for _, topic := range assets.ManualTopics() {
		var out strings.Builder
		code := Main(t.Context(), []string{"help", topic}, cli.Env{Stdout: &out, Stderr: &out, Now: time.Now})
		if code != 0 || strings.Contains(out.String(), "**") || regexp.MustCompile(`\]\(|(?m)^#|`+"```").MatchString(out.String()) {
			t.Errorf("%s: exit %d\n%s", topic, code, &out)
		}
		for _, named := range regexp.MustCompile(`\(rolecall help ([a-z-]+)\)`).FindAllStringSubmatch(out.String(), -1) {
			if _, err := assets.ManualPage(named[1]); err != nil {
				t.Errorf("%s points to %v", topic, err)
			}
		}
	}
}
