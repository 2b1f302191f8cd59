package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rolecall/steps/screen"
)

// The person's settings and what rolecall learned of terminals.
const (
	settingsFile    = "settings.json"
	terminalsFile   = "terminals.json"
	largestSettings = 64 << 10
	mostTerminals   = 100 // remembered; a new one begins anew beyond it
)

// Preferences are what a person set for every run, in settings.json.
type Preferences struct {
	// Clipboard names the copy route as ROLECALL_CLIPBOARD does, which goes first.
	Clipboard string `json:"clipboard,omitempty"`
	// Theme is dark, light or none, as --theme and ROLECALL_THEME, which go first.
	Theme string `json:"theme,omitempty"`
}

// ReadPreferences reads $XDG_CONFIG_HOME/rolecall/settings.json, or the one under
// ~/.config. A file that is not there sets nothing; one that cannot be read is an
// error that names it.
func ReadPreferences(getenv func(string) string) (Preferences, error) {
	base := getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(base) {
		base = filepath.Join(getenv("HOME"), ".config")
	}
	if !filepath.IsAbs(base) {
		return Preferences{}, nil
	}
	path := filepath.Join(base, "rolecall", settingsFile)
	text, err := readLimited(path, largestSettings)
	if errors.Is(err, fs.ErrNotExist) {
		return Preferences{}, nil
	}
	if err != nil {
		return Preferences{}, unusable(path, err)
	}
	var s Preferences
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		return Preferences{}, unusable(path, err)
	}
	return s, nil
}

// unusable refuses settings that cannot be read: what they ask for is not known,
// and to go on without would do something else.
func unusable(path string, err error) error {
	why := strings.TrimPrefix(err.Error(), "json: ")
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		why = "it ends in the middle"
	}
	return &screen.Fault{Err: err, Problem: screen.Problem{What: "The settings in " + path + " cannot be used: " + screen.CleanLine(why) + ".",
		Expected: `settings such as {"clipboard": "osc52", "theme": "dark"}`, Next: "Correct the file, or remove it.", Kind: screen.Usage}}
}

// Terminals remembers which copy route was seen to arrive in which terminal, in
// terminals.json of the state folder. A file that cannot be read remembers
// nothing: what it held is only a better guess.
type Terminals struct{ folder string }

// OpenTerminals is the memory in a state folder. Nothing is read yet.
func OpenTerminals(folder string) *Terminals { return &Terminals{folder: folder} }

// Route is the route that arrived in a terminal; empty when none is known.
func (t *Terminals) Route(terminal string) string { return t.read()[terminal] }

// KeepRoute remembers a route; an empty one is forgotten.
func (t *Terminals) KeepRoute(terminal, route string) error {
	all := t.read()
	if len(all) >= mostTerminals {
		all = map[string]string{}
	}
	if all[terminal] = route; route == "" {
		delete(all, terminal)
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(t.folder, folderMode); err != nil {
		return fmt.Errorf("remember the copy route: %w", err)
	}
	if err := WriteAtomic(filepath.Join(t.folder, terminalsFile), append(text, '\n')); err != nil {
		return fmt.Errorf("remember the copy route: %w", err)
	}
	return nil
}

func (t *Terminals) read() map[string]string {
	all := map[string]string{}
	text, err := readLimited(filepath.Join(t.folder, terminalsFile), largestSettings)
	if err != nil || json.Unmarshal(text, &all) != nil || all == nil {
		return map[string]string{}
	}
	return all
}
