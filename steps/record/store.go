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
	"slices"
	"time"

	"github.com/google/renameio/v2"

	"rolecall/steps/screen"
)

// The files of a session's folder, and how much of each is read: they are the
// person's own, but whoever can write there must not be able to hang rolecall.
const (
	sessionsFolder = "sessions"
	sessionFile    = "session.json"
	journalFile    = "journal.jsonl"
	lockFile       = "lock"
	largestSession = 1 << 20
	largestJournal = 4 << 20
	fileMode       = 0o600
	folderMode     = 0o700
	sessionsAtOnce = 1000 // how many IDs Create tries before it gives up
)

// Store keeps sessions under one folder, each in sessions/ID with its answers
// (session.json), its journal of writing calls (journal.jsonl) and its lock.
// Files are 0600, folders 0700. Receipts will live beside sessions, since they
// outlive them.
type Store struct {
	folder string
}

// StateFolder is where rolecall keeps its state: $XDG_STATE_HOME/rolecall, or
// ~/.local/state/rolecall. A relative XDG_STATE_HOME is ignored, as the XDG
// Base Directory Specification asks.
func StateFolder(getenv func(string) string) (string, error) {
	if base := getenv("XDG_STATE_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "rolecall"), nil
	}
	home := getenv("HOME")
	if !filepath.IsAbs(home) {
		return "", &screen.Fault{Problem: screen.Problem{
			What:     "There is no folder to keep sessions in.",
			Expected: "XDG_STATE_HOME or HOME to be an absolute path",
			Next:     "Set HOME, or XDG_STATE_HOME to a folder of your own.",
			Kind:     screen.Usage,
		}}
	}
	return filepath.Join(home, ".local", "state", "rolecall"), nil
}

// OpenStore opens the store in folder. It makes nothing: folders appear with
// the first session.
func OpenStore(folder string) *Store { return &Store{folder: folder} }

// Create saves a as a new session, held by this process. The session's ID and
// times are set from now: the ID is the date, a dash, and four letters that
// grow through the day, so IDs sort by age and are short enough to type.
func (s *Store) Create(a Answers, now time.Time) (*Held, Answers, error) {
	if err := s.makeFolders(); err != nil {
		return nil, Answers{}, err
	}
	for try := range sessionsAtOnce {
		a.ID = sessionID(now, try)
		err := os.Mkdir(s.path(a.ID), folderMode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, Answers{}, s.cannotWrite(err)
		}
		held, err := s.hold(a.ID, now)
		if err != nil {
			return nil, Answers{}, err
		}
		a.Created, a.Updated = now.UTC(), now.UTC()
		if err := held.write(a); err != nil {
			return nil, Answers{}, errors.Join(err, held.Release())
		}
		return held, a, nil
	}
	return nil, Answers{}, &screen.Fault{Problem: screen.Problem{
		What: "There are too many sessions of today.", Expected: fmt.Sprintf("fewer than %d in one moment", sessionsAtOnce),
		Next: "Remove old ones: rolecall sessions remove ID.",
	}}
}

// Open takes the lock of a session and reads it. rehearsal says which world the
// caller runs in: a session of one never goes on in the other.
func (s *Store) Open(id string, rehearsal bool, now time.Time) (*Held, Answers, error) {
	saved, err := s.Load(id)
	if err != nil {
		return nil, Answers{}, err
	}
	if err := sameWorld(saved, rehearsal); err != nil {
		return nil, Answers{}, err
	}
	held, err := s.hold(id, now)
	if err != nil {
		return nil, Answers{}, err
	}
	// Another rolecall may have written it between the two.
	saved, err = s.Load(id)
	if err == nil {
		err = sameWorld(saved, rehearsal)
	}
	if err != nil {
		return nil, Answers{}, errors.Join(err, held.Release())
	}
	held.saved = saved
	return held, saved, nil
}

func sameWorld(saved Answers, rehearsal bool) error {
	if saved.Rehearsal == rehearsal {
		return nil
	}
	what, expected := "Session "+saved.ID+" belongs to the real AWS.", "a rehearsal's session"
	if saved.Rehearsal {
		what, expected = "Session "+saved.ID+" is a rehearsal.", "a session of the real AWS"
	}
	return &screen.Fault{Problem: screen.Problem{What: what, Expected: expected, Next: "Go on with it: rolecall resume " + saved.ID + ".", Kind: screen.Usage}}
}

// Load reads a session without taking its lock.
func (s *Store) Load(id string) (Answers, error) {
	if !validSessionID(id) {
		return Answers{}, noSuchSession(id)
	}
	text, err := readLimited(filepath.Join(s.path(id), sessionFile), largestSession)
	if errors.Is(err, fs.ErrNotExist) {
		return Answers{}, noSuchSession(id)
	}
	if err != nil {
		return Answers{}, damaged(id, err)
	}
	a, err := decodeAnswers(text)
	if err == nil && a.ID != id {
		err = fmt.Errorf("it says that it is session %q", a.ID)
	}
	if err != nil {
		return Answers{}, damaged(id, err)
	}
	return a, nil
}

// Listed is one session of a List. Err, when set, says why it cannot be read.
type Listed struct {
	ID      string
	Answers Answers
	Err     error
	Holder  *Holder // who has it open now; nil when nobody
}

// List reads all sessions, the newest first.
func (s *Store) List() ([]Listed, error) {
	entries, err := os.ReadDir(filepath.Join(s.folder, sessionsFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &screen.Fault{Err: err, Problem: screen.Problem{
			What: "The sessions cannot be read: " + screen.CleanLine(err.Error()) + ".", Expected: "a folder that you can read",
			Next: "Check the rights of " + screen.CleanLine(s.folder) + ".",
		}}
	}
	var all []Listed
	for _, entry := range slices.Backward(entries) {
		if !entry.IsDir() || !validSessionID(entry.Name()) {
			continue
		}
		one := Listed{ID: entry.Name()}
		one.Answers, one.Err = s.Load(one.ID)
		one.Holder = s.holder(one.ID)
		all = append(all, one)
	}
	return all, nil
}

// Latest is the session that was saved last among those that wanted picks. ok
// is false when there is none.
func (s *Store) Latest(wanted func(Answers) bool) (a Answers, ok bool, err error) {
	all, err := s.List()
	if err != nil {
		return Answers{}, false, err
	}
	for _, one := range all {
		if one.Err == nil && wanted(one.Answers) && (!ok || one.Answers.Updated.After(a.Updated)) {
			a, ok = one.Answers, true
		}
	}
	return a, ok, nil
}

// Remove deletes a session. Nothing in AWS or at the vendor changes. A session
// that another rolecall has open stays; a damaged one can be removed.
func (s *Store) Remove(id string, now time.Time) error {
	if !validSessionID(id) {
		return noSuchSession(id)
	}
	if _, err := os.Stat(s.path(id)); errors.Is(err, fs.ErrNotExist) {
		return noSuchSession(id)
	}
	held, err := s.hold(id, now)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(s.path(id)); err != nil {
		return errors.Join(s.cannotWrite(err), held.Release())
	}
	return held.Release()
}

func (s *Store) path(id string) string { return filepath.Join(s.folder, sessionsFolder, id) }

// makeFolders makes the folders, and closes them to others if they were open.
func (s *Store) makeFolders() error {
	sessions := filepath.Join(s.folder, sessionsFolder)
	if err := os.MkdirAll(sessions, folderMode); err != nil {
		return s.cannotWrite(err)
	}
	for _, folder := range []string{s.folder, sessions} {
		info, err := os.Stat(folder)
		if err != nil {
			return s.cannotWrite(err)
		}
		if info.Mode().Perm()&0o077 == 0 {
			continue
		}
		if err := os.Chmod(folder, folderMode); err != nil {
			return s.cannotWrite(err)
		}
	}
	return nil
}

func (s *Store) cannotWrite(err error) error {
	return &screen.Fault{Err: err, Problem: screen.Problem{
		What:     "The session cannot be saved: " + screen.CleanLine(err.Error()) + ".",
		Expected: "a folder that you can write to, with room",
		Next:     "Check " + screen.CleanLine(s.folder) + ", or set XDG_STATE_HOME to another folder.",
	}}
}

func noSuchSession(id string) error {
	return &screen.Fault{Problem: screen.Problem{
		What:     "There is no session " + screen.CleanLine(id) + ".",
		Expected: "an ID such as 260131-7k2m",
		Next:     "List them: rolecall sessions list.",
		Kind:     screen.Usage,
	}}
}

func damaged(id string, err error) error {
	return &screen.Fault{Err: err, Problem: screen.Problem{
		What:     "Session " + id + " cannot be read: " + screen.CleanLine(err.Error()) + ".",
		Expected: "a session file of this version of rolecall",
		Next:     "Begin a new one, and remove this one: rolecall sessions remove " + id + ".",
	}}
}

// writeAtomic replaces a file as a whole: whoever reads it, even after a power
// cut in the middle, finds the old content or the new one.
func writeAtomic(path string, text []byte) error {
	return renameio.WriteFile(path, text, fileMode, renameio.WithTempDir(filepath.Dir(path)), renameio.WithStaticPermissions(fileMode))
}

func readLimited(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > limit {
		return nil, fmt.Errorf("it is larger than %d bytes", limit)
	}
	return text, nil
}

// decodeAnswers reads a session strictly.
func decodeAnswers(text []byte) (Answers, error) { return decodeClean[Answers](text) }

// decodeClean reads a file of rolecall's strictly: no unknown field, nothing
// after it, and no control character in any text, since texts end up on the
// screen.
func decodeClean[T any](text []byte) (T, error) {
	var none, a T
	loose := json.NewDecoder(bytes.NewReader(text))
	loose.UseNumber()
	var value any
	if err := loose.Decode(&value); err != nil {
		return none, err
	}
	if _, err := loose.Token(); !errors.Is(err, io.EOF) {
		return none, errors.New("there is something after its end")
	}
	cleaned, err := json.Marshal(cleanValue(value))
	if err != nil {
		return none, err
	}
	strict := json.NewDecoder(bytes.NewReader(cleaned))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&a); err != nil {
		return none, err
	}
	return a, nil
}

func cleanValue(value any) any {
	switch v := value.(type) {
	case string:
		return screen.CleanLine(v)
	case []any:
		for i := range v {
			v[i] = cleanValue(v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, one := range v {
			out[screen.CleanLine(key)] = cleanValue(one)
		}
		return out
	}
	return value
}
