package wizard

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/steps"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/vendorapi"
	"rolecall/ui/rehearse"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"rolecall/aws"

	awsrehearsal "rolecall/aws/rehearsal"
	"rolecall/policy"
	"rolecall/steps/spot"

	spotrehearsal "rolecall/steps/spot/rehearsal"
	"rolecall/ui/draw"
)

// picturesDir is where the README finds them.
var picturesDir = filepath.Join("..", "..", ".github", "pictures")

// TestPictures takes the README's pictures: the real wizard over the rehearsal,
// in virtual time, so that two runs give the same bytes. It fails when a picture
// no longer shows the program; go test ./ui/wizard -run Picture -update takes them
// anew.
func TestPictures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world := newPictured(t)
		w := begin(t, WizardOptions{Session: world.session, Terminal: testTerminal(t, "TERM=xterm"), Getenv: func(string) string { return "" }})
		w.size(76, 13)
		w.reach(record.StepPartition).looks(
			"looks",
			"The step that asks for the partition, three times: in all colours on a dark and on a light background, and in sixteen colours and ASCII.",
		)
		w.size(100, 28)

		w.reach(record.StepPermissions).Press("down").Enter().Sees("Elastigroup", "Ocean", "of 6,144")
		w.picture(
			"permissions",
			"The Permissions step: products and integrations as a tree of ticks, with the policy's size against the limit of 6,144 characters.",
		)
		w.Press("esc")

		w.reach(record.StepPolicy).size(120, 32)
		w.Press("v").Sees("Spot-Policy.json").Press("/").Type("iam:AddRole").Enter().Sees("iam:AddRoleToInstanceProfile")
		w.picture(
			"review",
			"The policy viewer: Spot's permissions policy with line numbers, and the review's findings beside the lines that they are about.",
		)
		w.Press("esc").size(100, 36)

		w.reach(record.StepRole)
		world.nearMiss(t)
		w.Wait(20*time.Second).Press("c").Sees("but under another external ID", "Waiting for a role")
		w.picture(
			"near-miss",
			"The Create IAM role step: rolecall waits for the role and shows one that trusts Spot under another external ID, with the difference "+
				"marked.",
		)
	})
}

// TestMovingPicture takes the README's moving picture: every screen at which
// enter was pressed, from the first to the last.
func TestMovingPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world := newPictured(t)
		w := begin(t, WizardOptions{Session: world.session, Terminal: testTerminal(t, "TERM=xterm"), Getenv: func(string) string { return "" }})
		w.size(80, 24).Wait(3 * time.Second)
		frames := []string{w.frame()}
		for len(frames) < 40 && !strings.Contains(w.Screen(), "Connected") {
			if frame := w.Enter().Wait(3 * time.Second).frame(); frame != frames[len(frames)-1] {
				frames = append(frames, frame)
			}
		}
		w.Sees("Connected")
		got := movingSVG(frames, "rolecall rehearse, from the first screen to the last, with the enter key alone.", 80, 24)
		if len(frames) < 7 || len(got) > 200_000 {
			t.Errorf("%d frames in %d bytes", len(frames), len(got))
		}
		w.compare("rehearse", got)
	})
}

// pictured is the rehearsal's AWS and Spot, reached in memory.
type pictured struct {
	aws     *awsrehearsal.Server
	session *step.Session
}

// newPictured makes them and a session like that of rolecall rehearse. It has
// to run inside a synctest bubble.
func newPictured(t *testing.T) *pictured {
	t.Helper()
	p := &pictured{aws: awsrehearsal.New(awsrehearsal.Options{Account: rehearse.Account, Alias: "rehearsal"}), session: guided(t)}
	awsListener, awsClient := awsrehearsal.Pipe()
	serve(t, func() error { return p.aws.Serve(awsListener) }, func() error {
		awsClient.CloseIdleConnections()
		return errors.Join(p.aws.Close(), awsListener.Close())
	})
	vendor := spotrehearsal.New(spotrehearsal.Options{Assume: p.aws.AssumeRole,
		Accounts: []spotrehearsal.Account{{ID: p.session.Vendor.Account.Example, Name: rehearse.VendorName}}})
	vendorListener, vendorClient := awsrehearsal.Pipe()
	serve(t, func() error { return vendor.Serve(vendorListener) }, func() error {
		vendorClient.CloseIdleConnections()
		return errors.Join(vendor.Close(), vendorListener.Close())
	})
	synctest.Wait()

	s := p.session
	s.AccountID, s.AccountPinned = rehearse.Account, true
	rehearse.Answers(s, false)
	api, err := spot.New(spot.Options{BaseURL: vendor.URL(), Token: spot.Token(vendor.Token()), HTTPClient: vendorClient})
	if err != nil {
		t.Fatal(err)
	}
	s.OpenAPI = func(string, screen.Secret) (vendorapi.Client, error) { return api, nil }
	s.Profiles = func() ([]aws.Profile, error) { return []aws.Profile{}, nil }
	target := aws.RehearsalTarget(p.aws.Target())
	s.OpenAWS = func(ctx context.Context, _, _ string) (*aws.Account, error) {
		return aws.Open(ctx, aws.Options{Rehearsal: &target, HTTPClient: awsClient})
	}
	return p
}

func serve(t *testing.T, run, end func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- run() }()
	t.Cleanup(func() {
		if err := errors.Join(end(), <-done); err != nil {
			t.Error(err)
		}
	})
}

// nearMiss is a slip of the hand in the console: the role with an external ID
// whose last letter is another one.
func (p *pictured) nearMiss(t *testing.T) {
	t.Helper()
	part := p.session.Part("SpotinstRoleArn")
	wrong := part.ExternalID[:len(part.ExternalID)-1] + "0"
	if wrong == part.ExternalID {
		wrong = part.ExternalID[:len(part.ExternalID)-1] + "1"
	}
	trust := policy.NewTrust("aws", []string{spotrehearsal.TrustedAccount}, wrong)
	if err := p.aws.Do(
		"iam:CreateRole",
		map[string]string{"RoleName": part.RoleName, "AssumeRolePolicyDocument": trust.Pretty()},
	); err != nil {
		t.Fatal(err)
	}
}

// reach presses enter until a step is there, and lets its first looks pass. A
// step for each role is asked for without the role: the first of them is meant.
func (w *fluent) reach(id record.StepID) *fluent {
	w.t.Helper()
	for range 40 {
		if here := w.step(); here == id || strings.HasPrefix(string(here), string(id)+":") {
			return w.Wait(2 * time.Second)
		}
		w.Enter().Wait(3 * time.Second)
	}
	w.t.Fatalf("enter does not lead to %s:\n%s", id, w.Screen())
	return w
}

// step is where the walk is.
func (w *fluent) step() record.StepID {
	w.watched.mu.Lock()
	defer w.watched.mu.Unlock()
	walk, ok := w.wizard.walk.(*steps.Walk)
	if !ok {
		w.t.Fatal("this wizard walks through steps that have no flow")
	}
	return walk.Step().ID()
}

func (w *fluent) size(width, height int) *fluent {
	return w.Send(tea.WindowSizeMsg{Width: width, Height: height})
}

// frame is what is on the screen, in the colours of a picture.
func (w *fluent) frame() string {
	w.wizard.restyle(func(l *draw.Look) { *l = draw.Look{Links: true} })
	w.wizard.refresh()
	return w.wizard.View().Content
}

// picture compares what is on the screen with a picture.
func (w *fluent) picture(name, title string) {
	w.t.Helper()
	w.compare(name, svg(w.frame(), title, w.wizard.width, w.wizard.height))
}

// looks takes the screen as three terminals show it.
func (w *fluent) looks(name, title string) {
	w.t.Helper()
	var pictures []string
	for _, one := range []struct {
		on    paper
		look  draw.Look
		title string
	}{
		{dark(), draw.Look{}, "All colours, on a dark background."},
		{paper{"#ffffff", "#1f2328"}, draw.Look{Light: true}, "All colours, on a light background."},
		{paper{"#000000", "#c0c0c0"}, draw.Look{Depth: draw.DepthOf(colorprofile.ANSI), ASCII: true}, "Sixteen colours, and ASCII alone."},
	} {
		w.wizard.restyle(func(l *draw.Look) { *l = one.look })
		w.wizard.refresh()
		pictures = append(pictures, svgOn(one.on, w.wizard.View().Content, one.title, w.wizard.width, w.wizard.height))
	}
	w.compare(name, stacked(title, pictures, w.wizard.width, w.wizard.height))
}

// compare holds a picture to what it shows.
func (w *fluent) compare(name, got string) {
	w.t.Helper()
	path := filepath.Join(picturesDir, name+".svg")
	if *rewrite {
		if err := os.MkdirAll(picturesDir, 0o755); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Fatal(err)
	}
	if string(want) != got {
		w.t.Errorf(
			"%s is stale: the program looks different now. Take it anew with: go test ./ui/wizard -run Picture -update\n%s",
			path,
			w.Screen(),
		)
	}
}
