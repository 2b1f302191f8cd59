package review

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"rolecall/policy"
)

// labelled is one line of the corpus's manifest.
type labelled struct {
	File       string   `json:"file"`
	Kind       string   `json:"kind"`
	Expects    []string `json:"expects"`
	Category   string   `json:"category"`
	Categories []string `json:"categories"`
	Strength   string   `json:"strength"`
	Scope      string   `json:"scope"`

	report Report
	took   time.Duration
}

func (l *labelled) source() string {
	source, _, _ := strings.Cut(l.File, "/")
	return source
}

func (l *labelled) clean() bool { return l.Category == "clean" }

func (l *labelled) has(category string, least Severity) bool {
	return slices.ContainsFunc(l.report.Findings, func(f Finding) bool {
		return f.Category == category && f.Severity.Rank() >= least.Rank()
	})
}

// corpus reviews every document once.
func corpus(t *testing.T) []*labelled {
	t.Helper()
	var out []*labelled
	for line := range bytes.Lines(sharedFile(t, "policy-corpus", "manifest.jsonl")) {
		l := &labelled{}
		if err := json.Unmarshal(line, l); err != nil {
			t.Fatal(err)
		}
		opts := Options{Now: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)}
		if l.Kind == "trust" {
			opts.Kind = policy.Trust
		}
		text := sharedFile(t, "policy-corpus", l.File)
		start := time.Now()
		l.report = Review(text, opts)
		l.took = time.Since(start)
		out = append(out, l)
	}
	return out
}

// TestCorpus measures the review on policies with known findings: go test
// ./policy/review -run Corpus -v prints what was found and what was not.
func TestCorpus(t *testing.T) {
	all := corpus(t)
	refusalsOfCorpus(t, all)
	recallOfCorpus(t, all)
	alarmsOfCorpus(t, all)
	highOfDocumentation(t, all)
	slowest := slices.MaxFunc(all, func(a, b *labelled) int { return int(a.took - b.took) })
	t.Logf("slowest: %s in %v", slowest.File, slowest.took)
}

// refusalsOfCorpus: what AWS refuses is refused, and nothing else is.
func refusalsOfCorpus(t *testing.T, all []*labelled) {
	refused, wanted, accepted := 0, 0, 0
	for _, l := range all {
		isRefused := l.report.Verdict == "refused"
		switch {
		case l.source() == "moto" && !l.clean() && l.Strength == "strong":
			wanted++
			if isRefused {
				refused++
			} else {
				t.Errorf("%s: AWS refuses it and the review does not", l.File)
			}
		case mustAccept(l):
			accepted++
			if isRefused && l.report.Findings[0].Category != "size" {
				t.Errorf("%s: AWS accepts it and the review refuses it: %s", l.File, l.report.Findings[0].Why)
			}
		}
	}
	t.Logf("refused: %d of %d; wrongly refused: none of %d (or see errors)", refused, wanted, accepted)
}

// mustAccept is where a source says that AWS takes a document.
func mustAccept(l *labelled) bool {
	switch l.source() {
	case "moto":
		return l.clean() && l.Strength == "strong"
	case "aws-docs", "aws-managed":
		return l.Kind != "resource"
	}
	return false
}

func recallOfCorpus(t *testing.T, all []*labelled) {
	type cell struct{ found, low, of int }
	cells := map[string]*cell{}
	var missed []string
	for _, l := range all {
		for _, category := range l.Categories {
			if category == "clean" {
				continue
			}
			key := category + "\t" + l.source()
			if cells[key] == nil {
				cells[key] = &cell{}
			}
			c := cells[key]
			c.of++
			if l.has(category, Low) {
				c.low++
			}
			if l.has(category, Note) {
				c.found++
			} else {
				missed = append(missed, fmt.Sprintf("%-30s %s %s: %s", category, l.Strength, l.File, strings.Join(l.Expects, "; ")))
			}
		}
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "category\tsource\tfound\tlow or worse\tof")
	for _, key := range slices.Sorted(maps.Keys(cells)) {
		c := cells[key]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\n", key, c.found, c.low, c.of)
	}
	w.Flush()
	slices.Sort(missed)
	t.Logf("recall\n%s\nmissed\n%s", b.String(), short2000(strings.Join(missed, "\n")))
}

func short2000(s string) string { return s[:min(len(s), 12000)] }

// alarmsOfCorpus lists what is found in documents that a source calls clean.
// Most are true: the source looks for something else.
func alarmsOfCorpus(t *testing.T, all []*labelled) {
	counts := map[string]int{}
	clean := map[string]int{}
	var lines []string
	for _, l := range all {
		if !l.clean() {
			continue
		}
		clean[l.source()]++
		for i := range l.report.Findings {
			f := &l.report.Findings[i]
			counts[l.source()+"\t"+f.Category+"\t"+string(f.Severity)]++
			if f.Severity.Rank() >= Medium.Rank() {
				lines = append(lines, fmt.Sprintf("%-7s %-22s %s: %s %v", f.Severity, f.Category, l.File, f.Title, few(f.Actions, ", ")))
			}
		}
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "source\tcategory\tseverity\tfindings\tclean documents")
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		source, _, _ := strings.Cut(key, "\t")
		fmt.Fprintf(w, "%s\t%d\t%d\n", key, counts[key], clean[source])
	}
	w.Flush()
	slices.Sort(lines)
	t.Logf("in clean documents\n%s\nmedium or worse\n%s", b.String(), strings.Join(lines, "\n"))
}

// highOfDocumentation: AWS's own examples rarely deserve a high finding.
func highOfDocumentation(t *testing.T, all []*labelled) {
	high, of := 0, 0
	for _, l := range all {
		if l.source() != "aws-docs" || l.Kind == "resource" {
			continue
		}
		of++
		if slices.ContainsFunc(l.report.Findings, func(f Finding) bool { return f.Severity == High }) {
			high++
			t.Logf("high in AWS's documentation: %s", l.File)
		}
	}
	t.Logf("high findings in %d of %d examples of AWS's documentation", high, of)
}

// TestKnownPaths grants each published escalation path on * and looks for it.
func TestKnownPaths(t *testing.T) {
	var paths []struct {
		Actions []string          `json:"actions"`
		Sources map[string]string `json:"sources"`
	}
	if err := json.Unmarshal(sharedFile(t, "privesc_paths.json"), &paths); err != nil {
		t.Fatal(err)
	}
	found, high := 0, 0
	for _, p := range paths {
		text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": map[string]any{
			"Effect": "Allow", "Action": p.Actions, "Resource": "*"}})
		if err != nil {
			t.Fatal(err)
		}
		l := &labelled{report: Review(text, Options{})}
		if l.has("privilege-escalation", High) {
			high++
		}
		if l.has("privilege-escalation", Low) {
			found++
			continue
		}
		t.Errorf("%s is not found", strings.Join(p.Actions, " + "))
	}
	t.Logf("%d of %d sets of actions are found, %d of them high", found, len(paths), high)
}
