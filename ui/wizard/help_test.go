package wizard

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rolecall/steps/screen"
	"rolecall/steps/step"
)

func TestHelpSaysWhatTheStepIsForAndFindsAKey(t *testing.T) {
	s := still("Create", screen.Facts{{Label: "Account", Value: "1", Copy: true}})
	shown := s.screen
	s.screen = func() screen.Screen {
		view := shown()
		view.About = "Here something is made. It is needed."
		return view
	}
	drive(t, []step.Step{s, asks("Last", "", "a")}, nil, func(w *fluent) {
		w.Press("?").Sees("Here something is made.", "Next comes step 2: Last.", "copy Account", "put rolecall in the background")
		w.Press("/").Type("copy").Sees("/copy", "copy Account").SeesNot("background", "Here something is made.")
		w.Press("backspace").Type("xx").Sees("Nothing here has copxx in it.")
		w.Press("esc").Sees("Here something is made.", "background").Press("esc").SeesNot("Here something is made.")
		before := map[string]bool{}
		for line := range strings.SplitSeq(w.Press("?").Screen(), "\n") {
			if before[line] && strings.TrimSpace(line) != "" {
				t.Errorf("twice in the help: %q", line)
			}
			before[line] = true
		}
	})
}

func TestANumberKeepsItsValueWhileTheScreenStands(t *testing.T) {
	facts := screen.Facts{{Label: "First", Value: "1st", Copy: true}, {Label: "Second", Value: "2nd", Copy: true}}
	s := still("Values", facts)
	shown := []screen.Block{facts}
	s.screen = func() screen.Screen {
		return screen.Screen{Heading: "Values", Blocks: shown, Actions: []screen.Action{
			{ID: "more", Key: "a", Label: "more"}, {ID: "less", Key: "e", Label: "less"}, {ID: "other", Key: "i", Label: "other"}}}
	}
	s.update = func(msg screen.Msg) (step.Move, []screen.Effect) {
		switch msg {
		case screen.Chose{ID: "more"}:
			shown = []screen.Block{screen.Facts{{Label: "News", Value: "new", Copy: true}}, facts}
		case screen.Chose{ID: "less"}:
			shown = []screen.Block{facts[1:]}
		case screen.Chose{ID: "other"}:
			shown = []screen.Block{screen.Facts{{Label: "Other", Value: "other", Copy: true}}}
		}
		return step.Stay, nil
	}
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		numbers := func() string {
			var got []string
			for _, item := range w.watched.items {
				got = append(got, item.Label+" "+string(rune('0'+item.Number)))
			}
			return strings.Join(got, ", ")
		}
		for _, change := range [][2]string{
			{"", "First 1, Second 2"}, {"a", "News 3, First 1, Second 2"}, {"e", "Second 2"}, {"i", "Other 1"},
		} {
			if change[0] != "" {
				w.Press(change[0])
			}
			if got := numbers(); got != change[1] {
				t.Errorf("after %q: %s, want %s", change[0], got, change[1])
			}
		}
	})
}

// TestNoScreenNamesAFlag: in the wizard there is a key or a field for everything.
// Commands of AWS's own CLI have theirs.
func TestNoScreenNamesAFlag(t *testing.T) {
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	flag := regexp.MustCompile(`(^|[ "(;,])--[a-z]`)
	for _, name := range files {
		if strings.Contains(name, "stack-cli") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(string(text), "\n") {
			line = strings.TrimSuffix(line, "--output json") // the end of a command that a narrow screen broke
			if flag.MatchString(line) && !strings.Contains(line, "aws iam ") {
				t.Errorf("%s: %q", name, line)
			}
		}
	}
}
