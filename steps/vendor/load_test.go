package vendor_test

import (
	"testing"

	"rolecall/steps/vendor"
)

func TestLoadBuiltIn(t *testing.T) {
	for _, name := range vendor.List() {
		if _, err := vendor.Load(name); err != nil {
			t.Errorf("%s:\n%v", name, err)
		}
	}
}
