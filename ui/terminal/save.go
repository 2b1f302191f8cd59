package terminal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// tries is how many names Save goes through before it gives up.
const tries = 1000

// Save writes text to a new file, readable by its owner only. It never
// overwrites: a file of that name with the same content is left as it is (same
// is true), and beside one with other content the next free name is taken,
// "Spot-Policy-2.json". The file appears whole or not at all.
func (t *Terminal) Save(name, text string) (path string, same bool, err error) {
	name = fileName(name)
	ext := filepath.Ext(name)
	base := strings.TrimSuffix(name, ext)
	for i := 1; i <= tries; i++ {
		path = filepath.Join(t.Dir, name)
		if i > 1 {
			path = filepath.Join(t.Dir, fmt.Sprintf("%s-%d%s", base, i, ext))
		}
		err := writeNew(path, text)
		if err == nil {
			return path, false, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", false, fmt.Errorf("save %s: %w", path, err)
		}
		if holds(path, text) {
			return path, true, nil
		}
	}
	return "", false, fmt.Errorf("save %s: %d files of that name exist already", name, tries)
}

// writeNew links a finished temporary file to its name, which fails where the
// name is taken. Where there are no hard links it creates the file directly.
func writeNew(path, text string) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".rolecall-*") // 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	_, err = temp.WriteString(text)
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	err = os.Link(temp.Name(), path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	return writeDirectly(path, text)
}

func writeDirectly(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	err = errors.Join(err, file.Close())
	if err != nil {
		_ = os.Remove(path) // ours: it was created a moment ago
	}
	return err
}

func holds(path, text string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() != int64(len(text)) {
		return false
	}
	held, err := os.ReadFile(path)
	return err == nil && string(held) == text
}

// fileName reduces a suggested name to one harmless path element.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) || r == 0x7f {
			return '-'
		}
		return r
	}, name)
	name = strings.TrimLeft(name, ".- ")
	if name == "" {
		return "document.txt"
	}
	return name
}
