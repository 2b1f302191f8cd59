package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"rolecall/steps/screen"
)

// Held is a session that this process alone may write, until Release.
type Held struct {
	ID      string
	store   *Store
	lock    *flock.Flock
	journal sync.Mutex
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

// longestRemark bounds what the journal keeps of an outcome.
const longestRemark = 300

// hold takes the lock of a session, or says who has it.
func (s *Store) hold(id string, now time.Time) (*Held, error) {
	path := filepath.Join(s.path(id), lockFile)
	lock := flock.New(path, flock.SetPermissions(fileMode))
	got, err := lock.TryLock()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noSuchSession(id)
	}
	if err != nil {
		return nil, s.cannotWrite(err)
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
	return &Held{ID: id, store: s, lock: lock, Now: time.Now}, nil
}

// holder is who has the session open now, nil when nobody has.
func (s *Store) holder(id string) *Holder {
	path := filepath.Join(s.path(id), lockFile)
	if _, err := os.Stat(path); err != nil {
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
		what = fmt.Sprintf("Session %s is open in another rolecall: process %d on %s, since %s.", id, h.PID, h.Host, h.Since.Local().Format("15:04"))
	}
	return &screen.Fault{Problem: screen.Problem{
		What:     what,
		Expected: "one rolecall at a time on one session",
		Next:     "Go on there, or leave it with ctrl+c and try again.",
	}}
}

// Save writes the answers, if they changed, as a whole or not at all.
func (h *Held) Save(a Answers) error {
	a.ID, a.Created, a.Updated = h.ID, h.saved.Created, h.saved.Updated
	if sameJSON(a, h.saved) {
		return nil
	}
	a.Updated = h.Now().UTC()
	if err := h.write(a); err != nil {
		return err
	}
	h.changed = true
	return nil
}

// Changed reports whether Save wrote anything in this run.
func (h *Held) Changed() bool { return h.changed }

func (h *Held) write(a Answers) error {
	text, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return fmt.Errorf("write session %s: %w", h.ID, err)
	}
	if err := writeAtomic(filepath.Join(h.store.path(h.ID), sessionFile), append(text, '\n')); err != nil {
		return h.store.cannotWrite(err)
	}
	h.saved = a
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
func (h *Held) Release() error { return h.lock.Close() }

// entry is one line of the journal.
type entry struct {
	Time    time.Time `json:"time"`
	Call    string    `json:"call"`
	State   string    `json:"state"` // sent or answered
	Outcome string    `json:"outcome,omitempty"`
}

// Before writes down that a writing call is about to be sent. The call must not
// be sent when this fails.
func (h *Held) Before(call string) error {
	return h.note(entry{Call: call, State: "sent"})
}

// After writes down how the call went.
func (h *Held) After(call, outcome string) error {
	outcome = screen.CleanLine(outcome)
	if runes := []rune(outcome); len(runes) > longestRemark {
		outcome = string(runes[:longestRemark]) + "…"
	}
	return h.note(entry{Call: call, State: "answered", Outcome: outcome})
}

// note appends one line and waits until the disk has it.
func (h *Held) note(e entry) error {
	h.journal.Lock()
	defer h.journal.Unlock()
	e.Time, e.Call = h.Now().UTC(), screen.CleanLine(e.Call)
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write journal of session %s: %w", h.ID, err)
	}
	f, err := os.OpenFile(h.journalPath(), os.O_CREATE|os.O_APPEND|os.O_RDWR, fileMode)
	if err != nil {
		return h.store.cannotWrite(err)
	}
	line = append(line, '\n')
	if torn(f) {
		line = append([]byte{'\n'}, line...)
	}
	_, err = f.Write(line)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return h.store.cannotWrite(err)
	}
	return nil
}

// torn reports whether an earlier run was stopped in the middle of a line.
func torn(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	last := make([]byte, 1)
	_, err = f.ReadAt(last, info.Size()-1)
	return err == nil && last[0] != '\n'
}

// Unfinished names the writing calls that were sent and never seen answered, in
// the order in which they were sent. A line that cannot be read is passed over:
// a call is sent only after its line is safely on the disk.
func (h *Held) Unfinished() ([]string, error) {
	text, err := readLimited(h.journalPath(), largestJournal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, damaged(h.ID, err)
	}
	var open []string
	for line := range bytes.Lines(text) {
		var e entry
		if json.Unmarshal(line, &e) != nil || e.Call == "" {
			continue
		}
		e.Call = screen.CleanLine(e.Call)
		open = slices.DeleteFunc(open, func(name string) bool { return name == e.Call })
		if e.State == "sent" {
			open = append(open, e.Call)
		}
	}
	return open, nil
}

func (h *Held) journalPath() string { return filepath.Join(h.store.path(h.ID), journalFile) }
