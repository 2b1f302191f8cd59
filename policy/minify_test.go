package policy

import (
	"testing"

	"pgregory.net/rapid"
)

func TestMinifySpot(t *testing.T) {
	d := parsed(t, shared(t, "spot-default-policy.json"), Identity)
	m := d.Minify()
	if d.Characters() != 6097 || m.Characters() > 4060 {
		t.Errorf("%d characters became %d", d.Characters(), m.Characters())
	}
	t.Logf("%d characters in %d statements", m.Characters(), len(m.Statements))
	if diff := Compare(d, m); !diff.Equal {
		t.Errorf("%+v", diff)
	}
	if again := m.Minify(); again.Characters() != m.Characters() {
		t.Errorf("a second time: %d characters", again.Characters())
	}
}

func TestMinifyCompares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDocument(t)
		if m := d.Minify(); !Compare(d, m).Equal {
			t.Fatalf("%+v\n%s\n%s", Compare(d, m), d.Compact(), m.Compact())
		}
	})
}

func BenchmarkMinifySpot(b *testing.B) {
	d := parsed(b, shared(b, "spot-default-policy.json"), Identity)
	for b.Loop() {
		d.Minify()
	}
}

func BenchmarkCompareSpot(b *testing.B) {
	d := parsed(b, shared(b, "spot-default-policy.json"), Identity)
	m := d.Minify()
	for b.Loop() {
		Compare(d, m)
	}
}

// BenchmarkMinifyLargest takes the largest of AWS's managed policies at hand.
func BenchmarkMinifyLargest(b *testing.B) {
	d := parsed(b, shared(b, "policy-corpus", "aws-managed", "SageMakerStudioProjectProvisioningRolePolicy.json"), Identity)
	for b.Loop() {
		d.Minify()
	}
}
