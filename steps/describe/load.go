package describe

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rolecall/assets"
)

// MaxFile bounds a description, in bytes: the largest built-in one has 40 KB,
// and the YAML library needs seconds for odd files of a megabyte.
const MaxFile = 256 << 10

// List names the built-in vendors, then those described by files in the user's
// folder, each sorted. Such a file may turn out to be broken when it is loaded.
func List() []string {
	names := assets.Vendors()
	for _, name := range own() {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// BuiltIn tells whether a vendor's description comes with the program.
func BuiltIn(name string) bool { return slices.Contains(assets.Vendors(), name) }

// Folder is where a user's own descriptions live: NAME.yaml in
// $XDG_CONFIG_HOME/rolecall/vendors, or under ~/.config. It is empty where
// there is no home.
func Folder() string {
	base := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(base) {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		base = filepath.Join(home, ".config")
	}
	return filepath.Join(base, "rolecall", "vendors")
}

// own names the vendors in the user's folder. The names of built-in ones are
// taken: a file cannot take the place of Spot's description.
func own() []string {
	entries, err := os.ReadDir(Folder())
	if err != nil {
		return nil // there is no such folder
	}
	var names []string
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), ".yaml"); ok && !entry.IsDir() && !isPath(name) {
			names = append(names, name)
		}
	}
	return names
}

// FileOf is the file that describes a vendor which did not come with the
// program: the one in the user's folder, or name itself where it is a path. The
// error is a Mistake.
func FileOf(name string) (string, error) {
	if isPath(name) {
		return name, nil
	}
	if !slices.Contains(own(), name) {
		return "", unknownVendor(name)
	}
	return filepath.Join(Folder(), name+".yaml"), nil
}

// Canonical is the name under which Load finds the vendor from any working
// directory: paths become absolute.
func Canonical(name string) string {
	if !isPath(name) {
		return name
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	return path
}

func isPath(name string) bool {
	return strings.ContainsRune(name, '/') || strings.ContainsRune(name, filepath.Separator) ||
		strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

func unknownVendor(name string) error {
	return Mistake{
		What:     fmt.Sprintf("rolecall knows no vendor %q.", Clean(name)),
		Expected: strings.Join(List(), ", ") + ", or a file such as ./acme.yaml",
		Next:     DidYouMean(name, List()) + "List the vendors: rolecall vendors list.",
	}
}

// ReadText reads a description's text, up to one byte more than is allowed.
func ReadText(name string) ([]byte, error) {
	text, err := ReadInput(name, MaxFile)
	if err != nil {
		return nil, unreadable(name, err)
	}
	return text, nil
}

// ReadAll is ReadText for a text that is open already.
func ReadAll(from io.Reader, name string) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, MaxFile+1))
	if err != nil {
		return nil, unreadable(name, err)
	}
	return text, nil
}

// WhyUnread is why a description could not be read, without its name and without
// what to do.
func WhyUnread(err error) string {
	var reason *unreadError
	if errors.As(err, &reason) {
		return reason.why.Error()
	}
	return err.Error()
}

// unreadError is a description that could not be read.
type unreadError struct {
	name string
	why  error
}

// Error says which, why and what to do.
func (e *unreadError) Error() string {
	return fmt.Sprintf("read the vendor's description %s: %v. Give the path of a YAML file, or a built-in vendor: %s",
		Clean(e.name), e.why, strings.Join(List(), ", "))
}

// Unwrap is why.
func (e *unreadError) Unwrap() error { return e.why }

func unreadable(name string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return &unreadError{name, err}
}
