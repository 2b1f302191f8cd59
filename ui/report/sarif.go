package report

import (
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"rolecall/policy/review"
	"rolecall/ui/draw"
)

// The parts of SARIF 2.1.0 that code scanning reads. Source:
// docs.oasis-open.org/sarif/sarif/v2.1.0. A library for it would cost more at
// every start of the program than these few types.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID         string          `json:"id"`
		Short      sarifText       `json:"shortDescription"`
		Properties sarifProperties `json:"properties"`
	}
	sarifProperties struct {
		Tags     []string `json:"tags"`
		Severity string   `json:"security-severity,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		Line   int `json:"startLine"`
		Column int `json:"startColumn"`
	}
)

// SARIF writes the reviews of one or more documents for code scanning. What
// could not be read is not in it: the exit code tells.
func SARIF(w io.Writer, files []File, version string) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "rolecall", Version: version, Rules: []sarifRule{}}}, Results: []sarifResult{}}
	index := map[string]int{}
	for _, file := range files {
		if file.Report == nil {
			continue
		}
		for i := range file.Report.Findings {
			run.add(&file.Report.Findings[i], file.Name, index)
		}
	}
	return draw.WriteJSON(w, sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

// add adds a finding, and its rule where it is the first of it. The index is
// where each rule stands.
func (run *sarifRun) add(f *review.Finding, name string, index map[string]int) {
	at, ok := index[f.ID]
	if !ok {
		at = len(run.Tool.Driver.Rules)
		index[f.ID] = at
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{ID: f.ID, Short: sarifText{draw.Clean(f.Title)},
			Properties: sarifProperties{Tags: []string{"security", f.Category, string(f.Class)}, Severity: score(f.Severity)}})
	}
	run.Results = append(run.Results, sarifResult{RuleID: f.ID, RuleIndex: at, Level: sarifLevel(f.Severity),
		Message:      sarifText{draw.Clean(f.Title + ". " + f.Why + " " + strings.ReplaceAll(f.Fix, "\n", " "))},
		Locations:    []sarifLocation{{sarifPhysical{sarifArtifact{uri(f, name)}, sarifRegion{max(1, f.Line), max(1, f.Column)}}}},
		Fingerprints: map[string]string{"rolecall/v1": f.ID + ":" + draw.Clean(f.Statement) + ":" + draw.Clean(strings.Join(f.Actions, ","))}})
}

// uri names the file of a finding so that it is found again: what is no part of a
// path is escaped, and nothing is left out.
func uri(f *review.Finding, name string) string {
	if f.Document != "" {
		return f.Document
	}
	return (&url.URL{Path: filepath.ToSlash(name)}).EscapedPath()
}

func sarifLevel(s review.Severity) string {
	switch s {
	case review.SeverityRefused, review.High:
		return "error"
	case review.Medium:
		return "warning"
	case review.Low, review.Note:
	}
	return "note"
}

// score is the number that GitHub sorts by: 7 and up is high, 4 and up medium.
func score(s review.Severity) string {
	switch s {
	case review.SeverityRefused, review.High:
		return "8.0"
	case review.Medium:
		return "5.0"
	case review.Low:
		return "2.0"
	case review.Note:
	}
	return "0.0"
}
