package lines

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/ui/cli"
)

// answers to a screen: what --yes presses, and what it refuses to decide.
func TestWhatYesAnswers(t *testing.T) {
	options := []screen.Option{{ID: "a"}, {ID: "b"}}
	next := screen.Action{ID: "next", Label: "next", Default: true}
	for name, c := range map[string]struct {
		screen screen.Screen
		want   screen.Msg
		flag   string // of the refusal
	}{
		"the marked option": {
			screen.Screen{Blocks: []screen.Block{screen.Choices{ID: "c", Options: options, Picked: "b"}}, Actions: []screen.Action{next}},
			screen.Chose{Block: "c", ID: "b"}, ""},
		"no option is marked": {screen.Screen{Blocks: []screen.Block{screen.Choices{ID: "c", Options: options}}}, nil, ""},
		"an option with a flag that was given": {
			screen.Screen{Blocks: []screen.Block{screen.Choices{ID: "c", Picked: "a", Flag: "--access", Given: true}}}, screen.Chose{Block: "c",
				ID: "a"}, ""},
		"an option with a flag of its own": {
			screen.Screen{Blocks: []screen.Block{screen.Choices{ID: "c", Picked: "a", Flag: "--access"}}}, nil, "--access"},
		"a field that is filled": {
			screen.Screen{Blocks: []screen.Block{screen.Input{ID: "i", Value: "x"}}}, screen.Entered{ID: "i", Text: "x"}, ""},
		"a field that is wrong": {screen.Screen{Blocks: []screen.Block{screen.Input{ID: "i", Value: "x", Problem: "no"}}}, nil, ""},
		"an empty field": {screen.Screen{Blocks: []screen.Block{screen.Input{ID: "i"}}, Actions: []screen.Action{next}},
			screen.Chose{ID: "next"}, ""},
		"the default action":    {screen.Screen{Actions: []screen.Action{{ID: "other", Key: "x"}, next}}, screen.Chose{ID: "next"}, ""},
		"a default that is off": {screen.Screen{Actions: []screen.Action{{ID: "next", Default: true, Disabled: "waits"}}}, nil, ""},
		"a question without a flag": {screen.Screen{Actions: []screen.Action{{ID: "go", Default: true,
			Confirm: &screen.Confirm{Question: "Go?"}}}}, screen.Chose{ID: "go"}, ""},
		"a question with a flag that was given": {
			screen.Screen{Actions: []screen.Action{{ID: "go", Default: true, Confirm: &screen.Confirm{Question: "Go?", Flag: "--go",
				Given: true}}}}, screen.Chose{ID: "go"}, ""},
		"a question with a flag of its own": {
			screen.Screen{Actions: []screen.Action{{ID: "go", Default: true, Confirm: &screen.Confirm{Question: "Go?", Flag: "--go"}}}}, nil,
			"--go"},
		"an action that is no default": {screen.Screen{Actions: []screen.Action{{ID: "other", Key: "x"}}}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := answer(c.screen)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("pressed (-want +got):\n%s", diff)
			}
			if c.flag == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if p := cli.ProblemOf(orNone(err)); c.flag != "" && (p.Kind != screen.Usage || !strings.Contains(p.Next, c.flag)) {
				t.Errorf("refused with %+v, want exit 2 naming %s", p, c.flag)
			}
		})
	}
}

func orNone(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}

func TestWhenTheTimeIsUp(t *testing.T) {
	wrong := screen.Problem{What: "Another external ID.", Kind: screen.NotAsNeeded, Passing: true}
	for name, c := range map[string]struct {
		blocks []screen.Block
		exit   int
		words  string
	}{
		"waiting":               {[]screen.Block{screen.Waiting{For: "the role"}}, cli.ExitWaiting, "the role after 2m0s"},
		"a wrong role is there": {[]screen.Block{screen.Waiting{For: "the role"}, wrong}, cli.ExitNotAsIs, "Another external ID."},
		"what was made is wrong": {[]screen.Block{screen.Waiting{For: "the role", Wrong: &screen.Problem{What: "No policy.",
			Kind: screen.NotAsNeeded}}}, cli.ExitNotAsIs, "No policy."},
		"trouble with the network": {[]screen.Block{screen.Problem{What: "No answer.", Passing: true}, screen.Waiting{For: "the role"}},
			cli.ExitWaiting, "the role"},
		"in the middle of something": {[]screen.Block{screen.Tasks{{Name: "asking Spot", State: screen.Running}}}, cli.ExitWaiting,
			"asking Spot"},
		"nothing said": {nil, cli.ExitWaiting, "the step Connect"},
	} {
		t.Run(name, func(t *testing.T) {
			u := &unattended{run: &Run{Open: &record.OpenSession{ID: "261121-abcd"}, Wait: 2 * time.Minute}}
			p := cli.ProblemOf(u.timeUp(screen.Screen{Heading: "Connect", Blocks: c.blocks}))
			if cli.ExitOf(p.Kind) != c.exit || !strings.Contains(p.What, c.words) {
				t.Errorf("exit %d with %q, want %d with %q", cli.ExitOf(p.Kind), p.What, c.exit, c.words)
			}
		})
	}
}

func TestOnlyAProblemThatStaysStops(t *testing.T) {
	passing := screen.Problem{What: "throttled", Passing: true}
	if _, stops := stopping(screen.Screen{Blocks: []screen.Block{passing}}); stops {
		t.Error("a passing problem stopped the run")
	}
	for kind, want := range map[screen.ProblemKind]int{
		screen.Failure: cli.ExitFailed, screen.Usage: cli.ExitUsage, screen.NotAsNeeded: cli.ExitNotAsIs,
		screen.AWSRefused: cli.ExitAWS, screen.VendorRefuse: cli.ExitVendor, screen.TimedOut: cli.ExitWaiting,
	} {
		p, stops := stopping(screen.Screen{Blocks: []screen.Block{passing, screen.Problem{What: "it", Kind: kind}}})
		if !stops || cli.ExitOf(p.Kind) != want {
			t.Errorf("kind %d: stops %v with exit %d, want %d", kind, stops, cli.ExitOf(p.Kind), want)
		}
	}
}

func TestAStepThatWantsAPersonNamesTheFlag(t *testing.T) {
	p := cli.ProblemOf(
		asksFor(
			screen.Screen{
				Heading: "Create IAM role",
				Blocks:  []screen.Block{screen.Input{Label: "External ID", Flag: "--external-id", Problem: "Spaces."}},
			},
		),
	)
	if p.Kind != screen.Usage || !strings.Contains(p.What, "External ID") || !strings.Contains(p.What, "Spaces.") ||
		!strings.Contains(p.Next, "--external-id") {
		t.Errorf("got %+v", p)
	}
}

func TestWhatFailedIsToldOnceAndClean(t *testing.T) {
	var out, talk strings.Builder
	a := &cli.App{Env: cli.Env{Stdout: &out, Stderr: &talk}, JSON: true}
	err := &cli.Failure{
		Err: &screen.Fault{Problem: screen.Problem{What: "It \x1b[31mbroke\x1b[0m.\u202e", Expected: "peace", Next: "Rest.", Quoted: "no\a"}},
		Document: func(e *cli.ErrorJSON) any {
			return struct {
				step.Result
				Error *cli.ErrorJSON `json:"error,omitempty"`
			}{step.Result{Session: "261121-abcd"}, e}
		},
	}
	a.Started = true
	if code := a.Finish(t.Context(), err); code != cli.ExitFailed {
		t.Errorf("exit %d", code)
	}
	if text := out.String() + talk.String(); strings.ContainsAny(text, "\x1b\a\u202e") {
		t.Errorf("control characters in %q", text)
	}
	if !strings.Contains(out.String(), `"session": "261121-abcd"`) || strings.Count(out.String(), `"what": "It broke."`) != 1 {
		t.Errorf("stdout: %s", out.String())
	}
	for _, line := range []string{"rolecall: It broke.", "said:", "expected: peace", "next:     Rest."} {
		if !strings.Contains(talk.String(), line) {
			t.Errorf("stderr lacks %q: %s", line, talk.String())
		}
	}
}
