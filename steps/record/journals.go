package record

import (
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"rolecall/steps/screen"
)

// journalIn is the journal of a session whose folder that is.
func (s *Store) journalIn(id, folder string) *Journal {
	return &Journal{path: filepath.Join(folder, journalFile), session: id, what: "The journal of session " + id, now: time.Now,
		next: "Put it back from a backup. Or look in AWS and at the vendor what is there, then remove the session: " +
			"rolecall sessions remove " + id + "."}
}

// SessionJournal reads the journal of a session that may be open elsewhere, or
// of which only the receipt is left. It is empty where there is none.
func (s *Store) SessionJournal(id string) ([]Entry, error) {
	if !validSessionID(id) {
		return nil, noSuchSession(id)
	}
	if !exists(s.path(id)) {
		return s.receiptJournal(id).Entries()
	}
	j := s.journalIn(id, s.path(id))
	if _, sealed, err := s.load(id); err == nil && sealed && !exists(j.path) {
		return nil, unreadable(j.what, j.path, errGone, j.next)
	}
	return j.Entries()
}

func (s *Store) receiptJournal(id string) *Journal {
	path := s.receiptPath(id, extJournal)
	return &Journal{path: path, session: id, what: "The journal of session " + id, now: time.Now,
		next: "Put it back from a backup. Or look in AWS what is there, then move the file away."}
}

// OpenReceiptJournal opens the journal beside the receipt of a session that was
// removed. One process at a time has it, until release.
func (s *Store) OpenReceiptJournal(id, command, by string, now func() time.Time) (j *Journal, release func(), err error) {
	if !validSessionID(id) {
		return nil, nil, noSuchSession(id)
	}
	return s.openJournal(s.receiptJournal(id), command, by, now)
}

// OpenLooseJournal opens the journal of changes to what no session and no
// receipt knows of.
func (s *Store) OpenLooseJournal(command, by string, now func() time.Time) (j *Journal, release func(), err error) {
	path := filepath.Join(s.folder, journalFile)
	return s.openJournal(&Journal{path: path, what: "The journal", next: "Put it back from a backup, or move the file away."},
		command, by, now)
}

// openJournal makes sure that a journal can be read and written, and that no
// other process writes it.
func (s *Store) openJournal(j *Journal, command, by string, now func() time.Time) (*Journal, func(), error) {
	j.command, j.by, j.now = command, by, now
	if err := s.makeFolders(); err != nil {
		return nil, nil, err
	}
	err := checkRegular(j.path)
	isNew := errors.Is(err, fs.ErrNotExist)
	if err != nil && !isNew {
		return nil, nil, unreadable(j.what, j.path, err, j.next)
	}
	lock := flock.New(j.path+extLock, flock.SetPermissions(fileMode))
	got, err := lock.TryLock()
	if err != nil {
		return nil, nil, unreadable("The lock of the journal", j.path+extLock, err, "Move it away when no rolecall is running.")
	}
	if !got {
		return nil, nil, &screen.Fault{Problem: screen.Problem{What: j.what + " is open in another rolecall.",
			Expected: "one rolecall at a time", Next: "Wait until it has ended, then try again."}}
	}
	if isNew {
		err = j.begin()
	} else {
		_, err = j.Entries()
	}
	if err != nil {
		return nil, nil, errors.Join(err, lock.Close())
	}
	return j, func() { _ = lock.Close() }, nil // it ends with the program anyway
}
