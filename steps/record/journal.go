package record

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"rolecall/aws"
	"rolecall/steps/explain"
	"rolecall/steps/screen"
)

// Journal is the one door to everything that rolecall changes outside this
// machine, whichever command does it: each request is written down before it is
// sent and after it is answered. It never holds a secret. Several calls may be
// under way at once.
//
// A journal is a file of JSON lines. Each line carries a checksum over itself
// and the line before, so that one that was changed or taken out is noticed.
// Only its last line may be torn: a request is sent after its line is safely on
// the disk.
type Journal struct {
	path    string
	session string // whose it is; empty: of none
	what    string // "The journal of session 260131-7k2m"
	next    string // what to do when it cannot be read
	command string // which command writes: "disconnect"
	now     func() time.Time

	mu   sync.Mutex
	by   string
	sent bool // a request was written down in this run
	end  end  // of the file, as this run last wrote it
}

// end is where a journal ends. A run that writes thousands of lines does not read
// all of them before each.
type end struct {
	size    int
	changed time.Time
	sum     string // of the last line
}

// EntryState says what a line of a journal is about.
type EntryState string

// The states of an Entry.
const (
	EntryBegun    EntryState = "begun"    // the journal's first line
	EntrySent     EntryState = "sent"     // a request is about to be sent
	EntryAnswered EntryState = "answered" // it was answered: Outcome says how
)

// Entry is one line of a journal.
type Entry struct {
	Time    time.Time  `json:"time"`
	By      string     `json:"by,omitempty"`      // the ARN of who was signed in; before that, the user of this machine
	Command string     `json:"command,omitempty"` // of rolecall: "connect"
	Call    string     `json:"call"`              // a verb phrase: "create role Spot-Role"
	State   EntryState `json:"state"`
	Outcome string     `json:"outcome,omitempty"` // "made", "refused: …": a screen.Result, and why
	// Code is that of a refusal ("AccessDenied"); RequestID is AWS's or the vendor's
	// number of the request.
	Code      string `json:"code,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	Sum       string `json:"sum,omitempty"`
}

// longestRemark bounds what the journal keeps of an outcome, in characters.
const longestRemark = 300

// beginJournal is the call of a journal's first line. A journal without it was
// emptied.
const beginJournal = "begin the journal"

// SetBy says who is signed in from now on.
func (j *Journal) SetBy(by string) {
	if j == nil || by == "" {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.by = by
}

// Do sends one request to AWS that changes something, with a line before and a
// line after it. Without the first line nothing is sent. A nil Journal writes
// nothing down.
func (j *Journal) Do(ctx context.Context, call string, send func(context.Context) error) error {
	if j == nil {
		return send(ctx)
	}
	if err := j.Before(call); err != nil {
		return err
	}
	traced, trace := aws.Traced(ctx)
	err := send(traced)
	// The answer is worth more than its record: without the record the next run
	// looks whether the request arrived, which is right also when it did.
	_ = j.After(call, explain.Outcome(err, screen.ResultDone).With(trace.RequestID()))
	return err
}

// Before writes down that a writing call is about to be sent. The call must not
// be sent when this fails.
func (j *Journal) Before(call string) error {
	return j.note(Entry{Call: call, State: EntrySent})
}

// After writes down how the call went.
func (j *Journal) After(call string, o screen.Outcome) error {
	outcome := string(o.Result)
	if o.Said != "" {
		outcome += ": " + screen.CleanLine(o.Said)
	}
	if runes := []rune(outcome); len(runes) > longestRemark {
		outcome = string(runes[:longestRemark]) + "…"
	}
	return j.note(Entry{Call: call, State: EntryAnswered, Outcome: outcome, Code: screen.CleanLine(o.Code),
		RequestID: screen.CleanLine(o.RequestID)})
}

// Entries are the lines so far.
func (j *Journal) Entries() ([]Entry, error) {
	entries, _, err := j.read()
	return entries, err
}

// Unfinished names the calls that were sent and never seen answered, in the
// order in which they were sent.
func (j *Journal) Unfinished() ([]string, error) {
	entries, err := j.Entries()
	if err != nil {
		return nil, err
	}
	var open []string
	for _, e := range entries {
		open = slices.DeleteFunc(open, func(name string) bool { return name == e.Call })
		if e.State == EntrySent {
			open = append(open, e.Call)
		}
	}
	return open, nil
}

// hasSent reports whether this run wrote down that it sends something.
func (j *Journal) hasSent() bool {
	if j == nil {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.sent
}

// begin writes the first line, which tells a new journal from an emptied one.
func (j *Journal) begin() error { return j.note(Entry{Call: beginJournal, State: EntryBegun}) }

// note appends one line and waits until the disk has it. A torn last line goes:
// what it was about was never sent, or is open anyway.
func (j *Journal) note(e Entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	last, err := j.ending()
	if err != nil {
		return err
	}
	e.Time, e.By, e.Command, e.Call = j.now().UTC(), screen.CleanLine(j.by), j.command, screen.CleanLine(e.Call)
	e.Sum = e.sum(last.sum)
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	j.end = end{}
	if err := appendLine(j.path, last.size, append(line, '\n')); err != nil {
		return j.cannotWrite(err)
	}
	j.end = endOf(j.path)
	j.end.sum = e.Sum
	j.sent = j.sent || e.State == EntrySent
	return nil
}

// ending is where the next line goes. A file that is not as this run left it was
// changed by somebody else, and is read anew.
func (j *Journal) ending() (end, error) {
	if now := endOf(j.path); now.size > 0 && now.size == j.end.size && now.changed.Equal(j.end.changed) {
		return j.end, nil
	}
	entries, whole, err := j.read()
	return end{size: whole, sum: lastSum(entries, j.session)}, err
}

// endOf is the size of a file and when it was changed; zero where it is none.
func endOf(path string) end {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return end{}
	}
	return end{size: int(info.Size()), changed: info.ModTime()}
}

func (j *Journal) cannotWrite(err error) error {
	return &screen.Fault{Err: err, Problem: screen.Problem{
		What:     j.what + " cannot be written: " + screen.CleanLine(err.Error()) + ". Nothing was sent.",
		Expected: "a folder that you can write to, with room",
		Next:     "Make room or correct the rights, then try again.",
	}}
}

// appendLine puts a line behind the first whole bytes of a file.
func appendLine(path string, whole int, line []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return err
	}
	err = f.Truncate(int64(whole))
	if err == nil && !endsLine(f, whole) {
		line = append([]byte{'\n'}, line...)
	}
	if err == nil {
		_, err = f.WriteAt(line, int64(whole))
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// endsLine reports whether the first whole bytes of a file end with a line.
func endsLine(f *os.File, whole int) bool {
	if whole == 0 {
		return true
	}
	last := make([]byte, 1)
	_, err := f.ReadAt(last, int64(whole)-1)
	return err == nil && last[0] == '\n'
}

// read gives the lines, and how many bytes of the file they are: what is behind
// them is a torn line.
func (j *Journal) read() (entries []Entry, whole int, err error) {
	text, err := readLimited(j.path, largestJournal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err == nil {
		entries, whole, err = parseJournal(text, j.session)
	}
	if err != nil {
		return nil, 0, unreadable(j.what, j.path, err, j.next)
	}
	return entries, whole, nil
}

// parseJournal reads the lines of the journal of a session: another session's
// journal in its place has other checksums.
func parseJournal(text []byte, session string) (entries []Entry, whole int, err error) {
	sealed, number := false, 0
	for line := range bytes.Lines(text) {
		number++
		e, err := decodeEntry(line)
		if errors.Is(err, io.ErrUnexpectedEOF) && line[len(line)-1] != '\n' {
			return entries, whole, nil // torn
		}
		if err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", number, bare(err))
		}
		if sealed = sealed || e.Sum != ""; sealed && (e.Sum != e.sum(lastSum(entries, session)) || !e.spells(line)) {
			return nil, 0, fmt.Errorf("line %d: its checksum does not fit to it and to the line before", number)
		}
		e.Call, e.By, e.Outcome = screen.CleanLine(e.Call), screen.CleanLine(e.By), screen.CleanLine(e.Outcome)
		e.Code, e.RequestID = screen.CleanLine(e.Code), screen.CleanLine(e.RequestID)
		entries, whole = append(entries, e), whole+len(line)
	}
	return entries, whole, nil
}

// decodeEntry reads one line strictly. The error is io.ErrUnexpectedEOF for the
// beginning of a line.
func decodeEntry(line []byte) (Entry, error) {
	line = bytes.TrimRight(line, "\x00") // a disk that lost power in the middle of a write
	if len(line) == 0 {
		return Entry{}, io.ErrUnexpectedEOF
	}
	strict := json.NewDecoder(bytes.NewReader(line))
	strict.DisallowUnknownFields()
	var e Entry
	if err := strict.Decode(&e); err != nil {
		return Entry{}, err
	}
	if _, err := strict.Token(); !errors.Is(err, io.EOF) {
		return Entry{}, errTrailing
	}
	if e.Call == "" || e.State != EntryBegun && e.State != EntrySent && e.State != EntryAnswered {
		return Entry{}, errors.New("it is no entry")
	}
	return e, nil
}

// spells tells whether a line is the entry to the letter.
func (e Entry) spells(line []byte) bool {
	text, err := json.Marshal(e)
	return err == nil && bytes.Equal(text, bytes.TrimSuffix(line, []byte("\n")))
}

// sum binds an entry to itself and to the one before.
func (e Entry) sum(before string) string {
	e.Sum, e.Time = "", e.Time.UTC()
	text, err := json.Marshal(e)
	if err != nil {
		return ""
	}
	return hexSum(append([]byte(before+"\n"), text...))[:32]
}

// lastSum is what the next line is bound to: the checksum of the last one, else
// the session.
func lastSum(entries []Entry, session string) string {
	if len(entries) == 0 {
		return session
	}
	return cmp.Or(entries[len(entries)-1].Sum, session)
}
