package record

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"rolecall/steps/screen"
)

// The files of a session's folder, and how much of each is read: they are the
// person's own, but whoever can write there must not be able to hang rolecall.
const (
	sessionsFolder = "sessions"
	sessionFile    = "session.json"
	journalFile    = "journal.jsonl"
	lockFile       = "lock"
	newPrefix      = ".new-"  // of a session's folder that is being made
	gonePrefix     = ".gone-" // and of one that is being deleted
	largestSession = 1 << 20
	largestJournal = 32 << 20
	fileMode       = 0o600
	folderMode     = 0o700
	sessionsAtOnce = 1000 // how many IDs Create tries before it gives up
)

// Store keeps sessions under one folder, each in sessions/ID with its answers
// (session.json), its journal of writing calls (journal.jsonl) and its lock, and
// beside them, in receipts, what each session made: a receipt outlives its
// session. Files are 0600, folders 0700.
//
// What is kept is evidence. A file that is there and cannot be read is an error
// everywhere (see IsUnreadable), never the same as one that is not there.
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

// Create saves a as a new session, open in this process. The session's ID and
// times are set from now: the ID is the date, a dash, and four letters that
// grow through the day, so IDs sort by age and are short enough to type. No ID
// is given out twice, also when the receipt is all that is left of a session.
// The session appears as a whole: a folder without its files was damaged.
func (s *Store) Create(a Answers, now time.Time) (*OpenSession, Answers, error) {
	if err := s.makeFolders(); err != nil {
		return nil, Answers{}, err
	}
	a.Created, a.Updated = now.UTC(), now.UTC()
	for try := range sessionsAtOnce {
		a.ID = sessionID(now, try)
		if s.known(a.ID) {
			continue
		}
		open, err := s.create(a, now)
		if errors.Is(err, fs.ErrExist) {
			continue // another process was faster
		}
		return open, a, err
	}
	return nil, Answers{}, &screen.Fault{Problem: screen.Problem{
		What: "There are too many sessions of today.", Expected: fmt.Sprintf("fewer than %d in one moment", sessionsAtOnce),
		Next: "Remove old ones: rolecall sessions remove ID.",
	}}
}

// HasSession reports whether a session of that ID is kept, readable or not.
func (s *Store) HasSession(id string) bool { return validSessionID(id) && exists(s.path(id)) }

// known reports whether anything is kept under that ID.
func (s *Store) known(id string) bool {
	return exists(s.path(id)) || exists(s.receiptPath(id, extReceipt)) || exists(s.receiptPath(id, extMarkdown)) ||
		exists(s.receiptPath(id, extJournal)) || exists(s.receiptPath(id, extAccounts))
}

// create makes the session's folder aside and moves it to its place.
func (s *Store) create(a Answers, now time.Time) (*OpenSession, error) {
	folder, err := os.MkdirTemp(filepath.Join(s.folder, sessionsFolder), newPrefix)
	if err != nil {
		return nil, s.cannotWrite(err)
	}
	open, err := s.lock(a.ID, folder, now)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	open.Now = func() time.Time { return now }
	if err = open.write(a); err == nil {
		err = open.begin()
	}
	if err == nil {
		err = os.Rename(folder, s.path(a.ID))
	}
	if err != nil {
		return nil, errors.Join(err, open.Release(), os.RemoveAll(folder))
	}
	open.folder, open.path, open.Now = s.path(a.ID), s.journalIn(a.ID, s.path(a.ID)).path, time.Now
	return open, nil
}

// Open takes the lock of a session and reads it, with its journal. rehearsal
// says where the caller runs: a rehearsal never goes on against the real AWS,
// nor the reverse.
func (s *Store) Open(id string, rehearsal bool, now time.Time) (*OpenSession, Answers, error) {
	saved, err := s.Load(id)
	if err != nil {
		return nil, Answers{}, err
	}
	if err := sameKind(saved, rehearsal); err != nil {
		return nil, Answers{}, err
	}
	open, err := s.lock(id, s.path(id), now)
	if err != nil {
		return nil, Answers{}, err
	}
	// Another rolecall may have written it between the two.
	saved, sealed, err := s.load(id)
	if err == nil {
		err = sameKind(saved, rehearsal)
	}
	if err == nil {
		err = open.checkJournal(sealed)
	}
	if err != nil {
		return nil, Answers{}, errors.Join(err, open.Release())
	}
	open.saved = saved
	return open, saved, nil
}

// checkJournal refuses a session whose journal cannot be read or was taken
// away. Sessions of an earlier version had none until something was sent.
func (o *OpenSession) checkJournal(sealed bool) error {
	if !exists(o.path) {
		if sealed {
			return unreadable(o.what, o.path, errGone, o.next)
		}
		return o.begin()
	}
	_, err := o.Entries()
	return err
}

func sameKind(saved Answers, rehearsal bool) error {
	if saved.Rehearsal == rehearsal {
		return nil
	}
	what, expected := "Session "+saved.ID+" belongs to the real AWS.", "a rehearsal's session"
	if saved.Rehearsal {
		what, expected = "Session "+saved.ID+" is a rehearsal.", "a session of the real AWS"
	}
	return &screen.Fault{Problem: screen.Problem{What: what, Expected: expected, Next: "Go on with it: rolecall resume " +
		saved.ID + ".", Kind: screen.Usage}}
}

// Load reads a session without taking its lock.
func (s *Store) Load(id string) (Answers, error) {
	a, _, err := s.load(id)
	return a, err
}

func (s *Store) load(id string) (a Answers, sealed bool, err error) {
	if !validSessionID(id) || !exists(s.path(id)) {
		return Answers{}, false, noSuchSession(id)
	}
	path := filepath.Join(s.path(id), sessionFile)
	if err := checkFolder(s.path(id)); err != nil {
		return Answers{}, false, damaged(id, s.path(id), err)
	}
	text, err := readLimited(path, largestSession)
	if errors.Is(err, fs.ErrNotExist) {
		err = errGone
	}
	if err == nil {
		a, sealed, err = unseal[Answers](text)
	}
	if err == nil && a.ID != id {
		err = fmt.Errorf("it says that it is session %q", a.ID)
	}
	if err != nil {
		return Answers{}, false, damaged(id, path, err)
	}
	return a, sealed, nil
}

// checkFolder refuses what stands where a session's folder should.
func checkFolder(path string) error {
	switch err := checkRegular(path); {
	case errors.Is(err, errFolder):
		return nil
	case err == nil:
		return errors.New("it is a file, where the session's folder should be")
	default:
		return err
	}
}

// Listed is one session of a List. Err, when set, says why it cannot be read.
type Listed struct {
	ID      string
	Answers Answers
	Err     error
	Holder  *Holder // who has it open now; nil when nobody
}

// List reads all sessions, the newest first, also those that cannot be read.
func (s *Store) List() ([]Listed, error) {
	path := filepath.Join(s.folder, sessionsFolder)
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable("The folder of the sessions", path, err, "Put it back, or set XDG_STATE_HOME to another folder.")
	}
	var all []Listed
	for _, entry := range slices.Backward(entries) {
		if !validSessionID(entry.Name()) {
			continue // not rolecall's
		}
		one := Listed{ID: entry.Name()}
		one.Answers, one.Err = s.Load(one.ID)
		one.Holder = s.holder(one.ID)
		all = append(all, one)
	}
	return all, nil
}

// Latest is the session that was saved last among those that wanted picks. ok
// is false when there is none. A session that cannot be read could be the one:
// then err says so, beside the latest of the others.
func (s *Store) Latest(wanted func(Listed) bool) (a Answers, ok bool, err error) {
	all, err := s.List()
	if err != nil {
		return Answers{}, false, err
	}
	for _, one := range all {
		if one.Err != nil {
			err = cmp.Or(err, one.Err)
			continue
		}
		if wanted(one) && (!ok || one.Answers.Updated.After(a.Updated)) {
			a, ok = one.Answers, true
		}
	}
	return a, ok, err
}

// Remove deletes a session, also one that cannot be read. Nothing in AWS or at
// the vendor changes. One that another rolecall has open stays. Where there is
// a receipt, the journal is kept beside it.
func (s *Store) Remove(id string, now time.Time) error {
	if !validSessionID(id) || !exists(s.path(id)) {
		return noSuchSession(id)
	}
	if checkFolder(s.path(id)) != nil {
		return s.discard(s.path(id)) // whatever stands there, nobody has it open
	}
	open, err := s.lock(id, s.path(id), now)
	if err != nil {
		return err
	}
	if err := s.keepJournal(id); err != nil {
		return errors.Join(err, open.Release())
	}
	if err := s.discard(s.path(id)); err != nil {
		return errors.Join(err, open.Release())
	}
	return open.Release()
}

// keepJournal moves a session's journal to its receipt, where it has one.
func (s *Store) keepJournal(id string) error {
	from, to := filepath.Join(s.path(id), journalFile), s.receiptPath(id, extJournal)
	if !exists(from) || !exists(s.receiptPath(id, extReceipt)) && !exists(s.receiptPath(id, extMarkdown)) {
		return nil
	}
	if exists(to) {
		return s.cannotWrite(fmt.Errorf("%s is there already", to))
	}
	if err := os.Rename(from, to); err != nil {
		return s.cannotWrite(err)
	}
	return nil
}

// discard takes a file or folder out of its place at once, and then deletes it.
func (s *Store) discard(path string) error {
	aside, err := os.MkdirTemp(filepath.Join(s.folder, sessionsFolder), gonePrefix)
	if err == nil {
		err = os.Rename(path, filepath.Join(aside, filepath.Base(path)))
	}
	if err == nil {
		err = os.RemoveAll(aside)
	}
	if err != nil {
		return s.cannotWrite(err)
	}
	return nil
}

func (s *Store) path(id string) string { return filepath.Join(s.folder, sessionsFolder, id) }

// makeFolders makes the folders, and closes them to others if they were open.
func (s *Store) makeFolders() error {
	for _, folder := range []string{s.folder, filepath.Join(s.folder, sessionsFolder), filepath.Join(s.folder, receiptsFolder)} {
		if err := os.MkdirAll(folder, folderMode); err != nil {
			return s.cannotWrite(err)
		}
		if err := tighten(folder); err != nil {
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

func damaged(id, path string, err error) error {
	return unreadable("Session "+id, path, err, "Put it back from a backup. Or see what is known of it: rolecall sessions show "+id+
		"; and remove it from this machine: rolecall sessions remove "+id+".")
}
