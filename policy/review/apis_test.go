package review

import (
	"strings"
	"testing"

	"rolecall/assets"
	"rolecall/policy"
)

// TestAPINames: what is suggested exists, and what it stands for does not.
func TestAPINames(t *testing.T) {
	eachLine(assets.ReviewAPIs, func(fields []string) {
		switch fields[0] {
		case "service":
			if _, ok := policy.AWS().Service(fields[1]); ok {
				t.Errorf("%s is a service of the catalogue", fields[1])
			}
			for name := range strings.FieldsSeq(fields[2]) {
				if _, ok := policy.AWS().Service(name); !ok {
					t.Errorf("%s stands for %s, which is no service", fields[1], name)
				}
			}
		case "api":
			if _, ok := policy.AWS().Action(fields[1] + ":" + fields[2]); ok {
				t.Errorf("%s:%s is an action of the catalogue", fields[1], fields[2])
			}
			for name := range strings.FieldsSeq(fields[3]) {
				if _, ok := policy.AWS().Action(inService(fields[1], name)); !ok {
					t.Errorf("%s:%s needs %s, which is no action", fields[1], fields[2], name)
				}
			}
		default:
			t.Errorf("an unknown line: %v", fields)
		}
	})
}
