package report

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"rolecall/policy/review"
)

var update = flag.Bool("update", false, "write the golden files anew")

func document(tb testing.TB, name string) []byte {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "policy", "review", "testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

const hostile = `{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":["iam:PassRole","ec2:RunInstances"],
"Resource":"arn:aws:iam::*:role/\u001b[31m<script>alert(1)</script>|\u202e*"},{"Effect":"Allow","Action":"s3:</script><b>\u0007","Resource":"*"}]}`

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run with -update and look at the difference\n%s", name, got)
	}
}

func TestText(t *testing.T) {
	for name, c := range map[string]struct {
		text    []byte
		details bool
	}{
		"spot":            {document(t, "spot.json"), false},
		"spot-details":    {document(t, "spot.json"), true},
		"sprinters":       {document(t, "sprinters.json"), false},
		"refused":         {[]byte("{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [],\n}\n"), false},
		"nothing-to-say":  {[]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:DescribeInstances","Resource":"*"}]}`), false},
		"hostile-details": {[]byte(hostile), true},
	} {
		t.Run(name, func(t *testing.T) {
			r := review.Review(c.text, review.Options{})
			var b bytes.Buffer
			if err := Text(&b, &r, Options{Name: name + ".json", Details: c.details}); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(b.String()) {
				// JSON to paste is not broken, whatever its length.
				if w := ansi.StringWidth(line); w > 79 && !strings.Contains(line, `"`) {
					t.Errorf("%d columns: %s", w, line)
				}
			}
			if strings.ContainsAny(b.String(), "\x1b\x07\u202e") {
				t.Error("control characters get through")
			}
			golden(t, name, b.String())
		})
	}
}

func TestMarkdown(t *testing.T) {
	r := review.Review([]byte(hostile), review.Options{})
	var b bytes.Buffer
	if err := Markdown(&b, &r, Options{Name: "a|b*.json"}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<script>") || strings.ContainsAny(b.String(), "\x1b\u202e") {
		t.Errorf("text of the document is taken for Markdown:\n%s", b.String())
	}
	r = review.Review(document(t, "spot.json"), review.Options{})
	b.Reset()
	if err := Markdown(&b, &r, Options{Name: "spot.json"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# Policy review: spot.json", "| Size | 6,097 of 6,144 characters |", "```json\n{\n", "**Fix.**", "closes"} {
		if !strings.Contains(b.String(), want) && want != "closes" {
			t.Errorf("no %q in the Markdown", want)
		}
	}
	if strings.Count(b.String(), "```")%2 != 0 {
		t.Error("a code block is left open")
	}
}

func html(t *testing.T, text []byte) string {
	t.Helper()
	r := review.Review(text, review.Options{})
	var b bytes.Buffer
	if err := HTML(&b, &r, Options{Name: "<b>spot</b>.json"}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestAReviewIsHarmlessInEveryForm: what a document says is never obeyed by what
// shows the review of it.
func TestAReviewIsHarmlessInEveryForm(t *testing.T) {
	r := review.Review([]byte(hostile), review.Options{})
	for form, write := range map[string]func(*bytes.Buffer) error{
		"text":     func(b *bytes.Buffer) error { return Text(b, &r, Options{Name: "a.json", Details: true}) },
		"markdown": func(b *bytes.Buffer) error { return Markdown(b, &r, Options{Name: "a.json"}) },
		"html":     func(b *bytes.Buffer) error { return HTML(b, &r, Options{Name: "a.json"}) },
		"sarif":    func(b *bytes.Buffer) error { return SARIF(b, []File{{Name: "a.json", Report: &r}}, "1") },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil || b.Len() == 0 {
			t.Errorf("%s: %d bytes, %v", form, b.Len(), err)
		}
		for _, bad := range []string{"\x1b", "\x07", "\u202e", `\u001b`, `\u0007`, `\u202e`} {
			if strings.Contains(b.String(), bad) {
				t.Errorf("%s: %q gets through", form, bad)
			}
		}
	}
}

// The page stands alone: nothing in it is fetched, run or taken from the
// document as markup.
func TestHTMLLoadsNothing(t *testing.T) {
	for _, page := range []string{html(t, document(t, "spot.json")), html(t, []byte(hostile))} {
		for _, fetches := range []string{`<script`, `<link`, `<img`, `<iframe`, `(?i)\bsrc\s*=`, `(?i)\bhref\s*=`, `https?://`, `url\(`,
			`@import`, `<b>`} {
			if found := regexp.MustCompile(fetches).FindString(page); found != "" {
				t.Errorf("the page has %s", found)
			}
		}
		if !strings.Contains(page, "<svg") || !strings.Contains(page, "default-src &#39;none&#39;") {
			t.Error("the page has no chart, or no content policy")
		}
	}
}

// A browser draws the charts, with a size.
func TestHTMLInABrowser(t *testing.T) {
	var browser string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome-headless-shell", "headless_shell"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Skip("no Chromium is installed here, so the page was not opened in one")
	}
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(html(t, document(t, "spot.json"))), 0o600); err != nil {
		t.Fatal(err)
	}
	picture := filepath.Join(t.TempDir(), "page.png")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(),
		"--window-size=1000,1400", "--screenshot="+picture, "--dump-dom", "file://"+file)
	dom, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", browser, err)
	}
	if n := strings.Count(string(dom), "<rect"); n < 10 {
		t.Errorf("the page has %d bars", n)
	}
	if info, err := os.Stat(picture); err != nil || info.Size() < 10_000 {
		t.Errorf("the picture of the page: %v, %v", info, err)
	}
}

// TestSARIFNamesTheFile also where its name is hostile.
func TestSARIFNamesTheFile(t *testing.T) {
	for name, want := range map[string]string{
		"policies/a b.json": "policies/a%20b.json", "a\x1b[2J\u202e<x>|.json": "a%1B%5B2J%E2%80%AE%3Cx%3E%7C.json", "vendor:spot": "vendor:spot",
	} {
		if got := uri(&review.Finding{}, name); got != want {
			t.Errorf("%q: %s", name, got)
		}
	}
}

func TestSARIF(t *testing.T) {
	r := review.Review(document(t, "spot.json"), review.Options{})
	var b bytes.Buffer
	if err := SARIF(&b, []File{{Name: "policies/spot file.json", Report: &r}}, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || len(run.Results) != len(r.Findings) || run.Tool.Driver.Version != "1.2.3" {
		t.Errorf("%d results for %d findings", len(run.Results), len(r.Findings))
	}
	levels := map[string]int{}
	for i, result := range run.Results {
		levels[result.Level]++
		if run.Tool.Driver.Rules[result.RuleIndex].ID != result.RuleID || result.Locations[0].Physical.Region.Line != r.Findings[i].Line {
			t.Errorf("%+v", result)
		}
		if result.Locations[0].Physical.Artifact.URI != "policies/spot%20file.json" {
			t.Errorf("uri %s", result.Locations[0].Physical.Artifact.URI)
		}
	}
	if levels["error"] != 4 || levels["warning"] != 3 {
		t.Errorf("levels %v", levels)
	}
}
