package assets

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
)

//go:embed vendors/*.yaml vendors/compiled/*.json
var vendors embed.FS

// defaultVendor is the one that a command takes where none is named. It stands
// here because no description can say it without knowing of the others.
const defaultVendor = "spot"

// Vendors names the vendors described here: the one that is the default, then
// the others sorted by name.
func Vendors() []string {
	entries, err := fs.ReadDir(vendors, "vendors")
	if err != nil {
		return nil // cannot be: the folder is embedded
	}
	var names []string
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), ".yaml"); ok {
			names = append(names, name)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	return names
}

// rank puts the default before the others.
func rank(name string) int {
	if name == defaultVendor {
		return 0
	}
	return 1
}

// Vendor is the description of the vendor with this name, as YAML. The error
// is fs.ErrNotExist or fs.ErrInvalid.
func Vendor(name string) ([]byte, error) {
	return vendors.ReadFile("vendors/" + name + ".yaml")
}

// CompiledVendor is the same description in the form that loads fast, which
// go generate ./steps/describe makes of the YAML. The error is fs.ErrNotExist
// or fs.ErrInvalid.
func CompiledVendor(name string) ([]byte, error) {
	return vendors.ReadFile("vendors/compiled/" + name + ".json")
}
