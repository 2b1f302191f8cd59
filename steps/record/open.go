package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"rolecall/steps/screen"
)

// OpenSession is a session that this process alone may write, until Release.
type OpenSession struct {
	*Journal
	ID      string
	folder  string
	store   *Store
	lock    *flock.Flock
	saved   Answers // as last written
	changed bool
	Now     func() time.Time // for the times that are written down
}

// Holder says which process has a session open.
type Holder struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

// lock takes the lock of a session that lies in folder, or says who has it.
func (s *Store) lock(id, folder string, now time.Time) (*OpenSession, error) {
	path := filepath.Join(folder, lockFile)
	if err := checkRegular(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, unreadable("The lock of session "+id, path, err, "Move it away when no rolecall has the session open.")
	}
	lock := flock.New(path, flock.SetPermissions(fileMode))
	got, err := lock.TryLock()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noSuchSession(id)
	}
	if err != nil {
		return nil, unreadable("The lock of session "+id, path, err, "Move it away when no rolecall has the session open.")
	}
	if !got {
		return nil, busy(id, readHolder(path))
	}
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	text, err := json.Marshal(Holder{PID: os.Getpid(), Host: host, Since: now.UTC()})
	if err == nil {
		// The lock is on this very file, so it is rewritten in place; readers of
		// half of it only lose the name of the holder.
		err = os.WriteFile(path, append(text, '\n'), fileMode)
	}
	if err != nil {
		return nil, errors.Join(s.cannotWrite(err), lock.Unlock())
	}
	open := &OpenSession{ID: id, folder: folder, store: s, lock: lock, Now: time.Now}
	open.Journal = s.journalIn(id, folder)
	open.now = func() time.Time { return open.Now() }
	return open, nil
}

// Begin says which command has the session open, when it is now, and who runs
// it: the journal tells. A session that is signed in is written down by the ARN.
func (o *OpenSession) Begin(command, by string, now func() time.Time) {
	o.command, o.Now = command, now
	o.SetBy(by)
}

// holder is who has the session open now, nil when nobody has.
func (s *Store) holder(id string) *Holder {
	path := filepath.Join(s.path(id), lockFile)
	if checkRegular(path) != nil {
		return nil
	}
	lock := flock.New(path, flock.SetPermissions(fileMode))
	got, err := lock.TryRLock()
	if err != nil {
		return nil
	}
	if got {
		_ = lock.Unlock() // nobody has it; the lock ends with the file anyway
		return nil
	}
	holder := readHolder(path)
	return &holder
}

func readHolder(path string) Holder {
	var h Holder
	text, err := readLimited(path, 4096)
	if err == nil && json.Unmarshal(text, &h) == nil {
		h.Host = screen.CleanLine(h.Host)
		return h
	}
	return Holder{}
}

func busy(id string, h Holder) error {
	what := "Session " + id + " is open in another rolecall."
	if h.PID != 0 {
		what = fmt.Sprintf("Session %s is open in another rolecall: process %d on %s, since %s.", id, h.PID, h.Host,
			h.Since.Local().Format("15:04"))
	}
	return &screen.Fault{Problem: screen.Problem{
		What:     what,
		Expected: "one rolecall at a time on one session",
		Next:     "Go on there, or end it and try again.",
	}}
}

// Save writes the answers, if they changed, as a whole or not at all.
func (o *OpenSession) Save(a Answers) error {
	if a.Seen.Identity != nil {
		o.SetBy(a.Seen.Identity.ARN)
	}
	a.ID, a.Created, a.Updated = o.ID, o.saved.Created, o.saved.Updated
	if sameJSON(a, o.saved) {
		return nil
	}
	a.Updated = o.Now().UTC()
	if err := o.write(a); err != nil {
		return err
	}
	o.changed = true
	return nil
}

// Changed reports whether this run saved an answer or sent anything.
func (o *OpenSession) Changed() bool { return o.changed || o.hasSent() }

func (o *OpenSession) write(a Answers) error {
	text, err := seal(a)
	if err != nil {
		return fmt.Errorf("write session %s: %w", o.ID, err)
	}
	if err := WriteAtomic(filepath.Join(o.folder, sessionFile), text); err != nil {
		return o.store.cannotWrite(err)
	}
	o.saved = a
	return nil
}

func sameJSON(a, b Answers) bool {
	left, err := json.Marshal(a)
	if err != nil {
		return false
	}
	right, err := json.Marshal(b)
	return err == nil && bytes.Equal(left, right)
}

// Release lets go of the session. The lock file stays: taking it away would let
// two processes hold two files of one name.
func (o *OpenSession) Release() error { return o.lock.Close() }
