package report_test

import (
	"encoding/csv"
	"io"
	"strings"
	"testing"

	"rolecall/aws"
	"rolecall/aws/audit"
	"rolecall/ui/report"
)

// TestRolesAreHarmless has texts that would be commands to a terminal, a browser,
// a ticket or a spreadsheet.
func TestRolesAreHarmless(t *testing.T) {
	evil := "=HYPERLINK(\"x\")\x1b[2J<script>|a"
	r := &report.Roles{Account: "123456789012", Total: 1, Titles: map[string]string{"v": evil}, Notes: []string{evil}, Roles: []audit.Role{
		{
			ARN:      evil,
			ID:       evil,
			Admits:   []audit.Admission{{Account: "111122223333", Vendor: "v", ExternalID: audit.None, Perhaps: true, Key: evil}},
			Others:   []string{evil},
			Grants:   audit.Grants{Actions: 1, Worst: "high", Title: evil},
			Boundary: evil,
			Checks: []aws.Check{
				{ID: "trust-principal", Status: aws.Fail, Got: evil},
			},
			Findings: []audit.Finding{{ID: "x", Severity: "high", Title: evil}},
		},
	}}
	for name, write := range map[string]func(io.Writer, *report.Roles) error{
		"text": report.RolesText, "csv": report.RolesCSV, "markdown": report.RolesMarkdown, "html": report.RolesHTML} {
		var b strings.Builder
		if err := write(&b, r); err != nil {
			t.Fatal(err)
		}
		out := b.String()
		if strings.Contains(out, "\x1b") || (name == "html" || name == "markdown") && strings.Contains(out, "<script") {
			t.Errorf("%s: %q", name, out)
		}
		if name != "csv" {
			continue
		}
		rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		if err != nil || len(rows) != 2 || len(rows[0]) != len(rows[1]) {
			t.Fatalf("%v %q", err, rows)
		}
		for _, cell := range rows[1] {
			if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("a formula: %q", cell)
			}
		}
	}
}
