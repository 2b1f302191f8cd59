package assets

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed vendors/*.yaml
var vendors embed.FS

// Vendors names the vendors described here, sorted.
func Vendors() []string {
	entries, err := fs.ReadDir(vendors, "vendors")
	if err != nil {
		return nil // cannot be: the folder is embedded
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = strings.TrimSuffix(entry.Name(), ".yaml")
	}
	return names
}

// Vendor is the description of the vendor with this name, as YAML. The error
// is fs.ErrNotExist or fs.ErrInvalid.
func Vendor(name string) ([]byte, error) {
	return vendors.ReadFile("vendors/" + name + ".yaml")
}
