package vendor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rolecall/assets"
)

// maxFile bounds a description, in bytes: the largest built-in one has 40 KB,
// and the YAML library needs seconds for odd files of a megabyte.
const maxFile = 256 << 10

// List names the built-in vendors, sorted.
func List() []string { return assets.Vendors() }

// Load reads the built-in vendor called name, or the description in the file
// at the path name. A path has a slash or ends in .yaml or .yml. The error is
// a Mistake or Mistakes, or says why the file could not be read.
func Load(name string) (*Vendor, error) {
	if !isPath(name) {
		text, err := assets.Vendor(name)
		if err != nil {
			return nil, unknownVendor(name)
		}
		return Read(text, name+".yaml")
	}
	text, err := readFile(name)
	if err != nil {
		return nil, err
	}
	return Read(text, name)
}

func isPath(name string) bool {
	return strings.ContainsRune(name, '/') || strings.ContainsRune(name, filepath.Separator) ||
		strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

func unknownVendor(name string) error {
	return Mistake{
		What:     fmt.Sprintf("rolecall knows no vendor %q.", clean(name)),
		Expected: strings.Join(List(), ", ") + ", or a file such as ./acme.yaml",
		Next:     didYouMean(name, List()) + "List the vendors: rolecall vendors list.",
	}
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, unreadable(name, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, unreadable(name, err)
	}
	return text, nil
}

func unreadable(name string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("read the vendor's description %s: %w. Give the path of a YAML file, or a built-in vendor: %s",
		clean(name), err, strings.Join(List(), ", "))
}
