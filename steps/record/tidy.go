package record

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Tidy takes away what a killed rolecall left half-written, and closes to
// others what is open to them. It is a help at every start: what it cannot do
// stops nothing, since whatever is written is checked when it is.
func (s *Store) Tidy(now time.Time) {
	s.tidyFolder(s.folder, now)
	for _, folder := range []string{sessionsFolder, receiptsFolder} {
		s.tidyFolder(filepath.Join(s.folder, folder), now)
	}
}

func (s *Store) tidyFolder(folder string, now time.Time) {
	if tighten(folder) != nil {
		return
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, entry := range entries {
		path := filepath.Join(folder, entry.Name())
		switch name := entry.Name(); {
		case strings.HasPrefix(name, newPrefix), strings.HasPrefix(name, gonePrefix):
			sweep(path, now)
		case isTemporary(name):
			sweepTemporary(path, now)
		case entry.IsDir() && validSessionID(name):
			s.tidyFolder(path, now)
		case !entry.IsDir():
			_ = tighten(path)
		}
	}
}

// leftAfter is how old something half-written has to be before it counts as
// left: a running rolecall is done with its own within a second.
const leftAfter = 10 * time.Minute

// leftUnlocked is how old a half-made session's folder has to be before its lock
// tells that nobody makes it any more: its maker takes the lock at once.
const leftUnlocked = 2 * time.Second

// sweep deletes what is half-written and old.
func sweep(path string, now time.Time) {
	info, err := os.Lstat(path)
	if err != nil {
		return
	}
	age := now.Sub(info.ModTime())
	if age > leftAfter || age > leftUnlocked && isUnlocked(filepath.Join(path, lockFile)) {
		_ = os.RemoveAll(path) // the next start tries again
	}
}

// isUnlocked tells whether there is a lock that nobody has.
func isUnlocked(path string) bool {
	if checkRegular(path) != nil {
		return false
	}
	lock := flock.New(path, flock.SetPermissions(fileMode))
	got, err := lock.TryLock()
	_ = lock.Close() // the folder goes, and the lock with it
	return err == nil && got
}

// sweepTemporary deletes a half-written file: at once when nobody has the lock
// under which such files are written, else when it is old.
func sweepTemporary(path string, now time.Time) {
	folder, name := filepath.Dir(path), filepath.Base(path)
	lockPath := filepath.Join(folder, lockFile)
	if id, _, _ := strings.Cut(strings.TrimPrefix(name, "."), "."); validSessionID(id) {
		lockPath = filepath.Join(folder, id+extLock)
	}
	if checkRegular(lockPath) != nil {
		sweep(path, now)
		return
	}
	lock := flock.New(lockPath, flock.SetPermissions(fileMode))
	if got, err := lock.TryLock(); err != nil || !got {
		return
	}
	_ = errors.Join(os.Remove(path), lock.Close()) // the next start tries again
}

// isTemporary tells the files that replace another as a whole: a dot, the name
// of that one, and a number.
func isTemporary(name string) bool {
	rest, hidden := strings.CutPrefix(name, ".")
	if !hidden {
		return false
	}
	whole := strings.TrimRight(rest, "0123456789")
	if whole == rest {
		return false
	}
	id, ext, _ := strings.Cut(whole, ".")
	return whole == sessionFile || validSessionID(id) && ("."+ext == extReceipt || "."+ext == extMarkdown)
}

// tighten takes the rights of others off a file or folder.
func tighten(path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSymlink != 0 || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	mode := fs.FileMode(fileMode)
	if info.IsDir() {
		mode = folderMode
	}
	return os.Chmod(path, info.Mode().Perm()&mode)
}
