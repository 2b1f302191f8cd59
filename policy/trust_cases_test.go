package policy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCasesAgainstOracle holds the verdict on trust policies on which people went
// wrong against the second evaluator, and both against the answer that is known.
func TestCasesAgainstOracle(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "aws", "testdata", "trust", "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name  string
		OK    bool
		Trust json.RawMessage
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	universe := strings.NewReplacer("922761411349", randomVendor, "123456789012", randomOwn, "spotinst:aws:extid:0123456789abcdef", randomID,
		`"spot*"`, `"`+randomID[:2]+`*"`)
	q := Inquiry{Partition: "aws", Account: randomOwn, Vendor: []string{randomVendor}, ExternalID: randomID, Now: randomNow}
	for _, c := range cases {
		trust := universe.Replace(string(c.Trust))
		if strings.Contains(trust, "arn:aws-cn") {
			continue // the second evaluator knows one partition
		}
		doc, findings := Check([]byte(trust), Trust)
		if doc == nil {
			t.Fatalf("%s: %v", c.Name, findings)
		}
		v := doc.Inquire(q)
		outcome, enters, door := compareVerdict(newOracle(trust), &v, worldOf(trust))
		if strings.HasPrefix(outcome, "WRONG") || c.OK && outcome != "right passed" {
			t.Errorf("%s: %s, OK is to be %v; the oracle: enters %v, door %v\n%s", c.Name, outcome, c.OK, enters, door, trust)
		}
	}
	t.Logf("%d cases", len(cases))
}
