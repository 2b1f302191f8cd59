package record_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

const someRole = "AROAEXAMPLE00000000001"

func item(state record.ItemState) record.Item {
	return record.Item{Kind: record.ItemRole, State: state, Purpose: "SpotinstRoleArn", Name: "Spot-Role",
		ARN: "arn:aws:iam::111122223333:role/Spot-Role",
		ID:  someRole, Digest: "sha256:" + strings.Repeat("0a", 32), At: noon, By: "arn:aws:iam::111122223333:user/me"}
}

func head(id string) record.Receipt {
	return record.Receipt{Session: id, Vendor: "spot", Method: "direct", Access: "role", Partition: "aws",
		AccountID: "111122223333", Region: "us-east-1"}
}

// withReceipt is a session that is not open and made a role.
func withReceipt(t *testing.T) (folder string, store *record.Store, id string) {
	t.Helper()
	folder, store, id = newSession(t)
	if err := store.Ledger(id).Put(head(id), item(record.ItemMade)); err != nil {
		t.Fatal(err)
	}
	return folder, store, id
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestAnyFlippedBitIsNoticed flips one bit in each byte of a session, a receipt
// and a journal: what is read then is either refused or exactly what was written.
func TestAnyFlippedBitIsNoticed(t *testing.T) {
	folder, store, id := withReceipt(t)
	held, _ := open(t, store, id)
	if err := errors.Join(
		held.Before("create role Spot-Role"),
		held.After("create role Spot-Role", screen.Outcome{Result: screen.ResultDone}),
	); err != nil {
		t.Fatal(err)
	}
	receipts, session := filepath.Join(folder, "receipts"), filepath.Join(folder, "sessions", id)
	random := rand.New(rand.NewPCG(3, 4))
	for path, get := range map[string]func() (any, error){
		filepath.Join(session, "session.json"):  func() (any, error) { return store.Load(id) },
		filepath.Join(receipts, id+".json"):     func() (any, error) { return store.Receipt(id) },
		filepath.Join(session, "journal.jsonl"): func() (any, error) { return store.SessionJournal(id) },
	} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			whole := read(t, path)
			right, err := get()
			if err != nil {
				t.Fatal(err)
			}
			refused := 0
			for at := range whole {
				bit := at*8 + random.IntN(8)
				flipped := bytes.Clone(whole)
				flipped[bit/8] ^= 1 << (bit % 8)
				write(t, path, flipped)
				got, err := get()
				if err == nil && fmt.Sprint(got) != fmt.Sprint(right) {
					t.Fatalf("bit %d of byte %d (%q) changes what is read, and nobody notices", bit%8, bit/8, whole[bit/8])
				}
				if err != nil {
					refused++
					if p := problem(t, err); !strings.Contains(p.What, path) || !record.IsUnreadable(err) || errors.Is(err, fs.ErrNotExist) {
						t.Fatalf("says %+v", p)
					}
				}
			}
			t.Logf("%d of %d flipped bits are refused, the others change nothing", refused, len(whole))
			write(t, path, whole)
		})
	}
}

// TestATornJournalIsReadUpToItsEnd cuts a journal at every byte: what is left is
// a beginning of what was written, never an error, except for nothing at all.
func TestATornJournalIsReadUpToItsEnd(t *testing.T) {
	folder, store, id := newSession(t)
	held, _ := open(t, store, id)
	for _, call := range []string{"create policy P", "create role R"} {
		if err := errors.Join(held.Before(call), held.After(call, screen.Outcome{Result: screen.ResultDone})); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(folder, "sessions", id, "journal.jsonl")
	whole := read(t, path)
	right, err := held.Entries()
	if err != nil || len(right) != 5 {
		t.Fatalf("%v %v", right, err)
	}
	for cut := 1; cut <= len(whole); cut++ {
		write(t, path, whole[:cut])
		got, err := held.Entries()
		if err != nil || !slices.Equal(got, right[:len(got)]) || len(got) < bytes.Count(whole[:cut], []byte("\n")) {
			t.Fatalf("cut at %d: %v %v", cut, got, err)
		}
		if cut%37 != 0 {
			continue // each line that is written waits for the disk
		}
		if err := held.Before("attach"); err != nil {
			t.Fatalf("cut at %d, and nothing can be written any more: %v", cut, err)
		}
		if again, err := held.Entries(); err != nil || len(again) != len(got)+1 {
			t.Fatalf("cut at %d: %v %v", cut, again, err)
		}
	}
	write(t, path, nil)
	if _, err := held.Entries(); !record.IsUnreadable(err) {
		t.Fatalf("an emptied journal: %v", err)
	}
	if err := held.Before("attach"); !record.IsUnreadable(err) {
		t.Fatalf("written into an emptied journal: %v", err)
	}
}

func TestALineTakenOutOfTheJournalIsNoticed(t *testing.T) {
	folder, store, id := newSession(t)
	held, _ := open(t, store, id)
	if err := errors.Join(
		held.Before("a"),
		held.After("a", screen.Outcome{Result: screen.ResultDone}),
		held.Before("b"),
		held.After("b", screen.Outcome{Result: screen.ResultDone}),
	); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "sessions", id, "journal.jsonl")
	lines := strings.SplitAfter(string(read(t, path)), "\n")
	for out := range len(lines) - 2 { // the last line is the empty text behind the last newline
		write(t, path, []byte(strings.Join(slices.Delete(slices.Clone(lines), out, out+1), "")))
		if _, err := held.Unfinished(); !record.IsUnreadable(err) {
			t.Errorf("line %d can be taken out: %v", out+1, err)
		}
	}
	_ = held.Release()
	if _, _, err := store.Open(id, false, noon); !record.IsUnreadable(err) {
		t.Errorf("a session goes on with a damaged journal: %v", err)
	}
}

func TestAJournalThatWasTakenAwayIsMissed(t *testing.T) {
	folder, store, id := newSession(t)
	if err := os.Remove(filepath.Join(folder, "sessions", id, "journal.jsonl")); err != nil {
		t.Fatal(err)
	}
	_, _, err := store.Open(id, false, noon)
	if p := problem(t, err); !strings.Contains(p.What, "journal.jsonl: it is missing") {
		t.Errorf("%+v", p)
	}
}

// TestFilesOfAnEarlierVersionAreRead takes sessions, receipts and journals that
// have no checksums yet, and seals them when they are next written.
func TestFilesOfAnEarlierVersionAreRead(t *testing.T) {
	folder, store, id := newSession(t)
	session := filepath.Join(folder, "sessions", id)
	write(t, filepath.Join(session, "session.json"), []byte(`{"session":"`+id+`","vendor":"spot"}`))
	write(t, filepath.Join(session, "journal.jsonl"), []byte(`{"time":"2026-11-21T12:00:00Z","call":"create role","state":"sent"}`+"\n"))
	held, saved := open(t, store, id)
	unfinished(t, held, "create role")
	saved.Region = "eu-west-1"
	if err := errors.Join(held.Save(saved), held.After("create role", screen.Outcome{Result: screen.ResultDone})); err != nil {
		t.Fatal(err)
	}
	if got, err := held.Unfinished(); err != nil || len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
	if !strings.Contains(string(read(t, filepath.Join(session, "session.json"))), `"integrity": "sha256:`) {
		t.Error("the session is not sealed")
	}
	_ = held.Release()

	if err := os.Remove(filepath.Join(session, "journal.jsonl")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(session, "session.json"), []byte(`{"session":"`+id+`","vendor":"spot"}`))
	again, _ := open(t, store, id) // it had no journal until something was sent
	unfinished(t, again)
}

// TestWhateverStandsInPlaceOfAReceiptIsNotAbsent puts all sorts of things where
// the receipt was.
func TestWhateverStandsInPlaceOfAReceiptIsNotAbsent(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"emptied":  func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"removed":  os.Remove,
		"a folder": func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"a link": func(path string) error {
			return errors.Join(os.Rename(path, path+".away"), os.Symlink(path+".away", path))
		},
		"null":       func(path string) error { return os.WriteFile(path, []byte("null\n"), 0o600) },
		"no account": func(path string) error { return os.WriteFile(path, []byte(`{"session":"ID","items":[]}`), 0o600) },
		"an unknown state": func(path string) error {
			text := `{"session":"ID","account_id":"111122223333","items":[{"kind":"role","state":"mode","name":"a","at":"2026-11-21T12:00:00Z"}]}`
			return os.WriteFile(path, []byte(text), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder, store, id := withReceipt(t)
			path := filepath.Join(folder, "receipts", id+".json")
			if err := damage(path); err != nil {
				t.Fatal(err)
			}
			if text, err := os.ReadFile(path); err == nil {
				if changed := bytes.ReplaceAll(text, []byte(`"ID"`), []byte(`"`+id+`"`)); !bytes.Equal(text, changed) {
					write(t, path, changed)
				}
			}
			_, err := store.Receipt(id)
			if p := problem(t, err); !strings.Contains(p.What, path) || !record.IsUnreadable(err) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%+v", p)
			}
			if _, err := store.Receipts(); !record.IsUnreadable(err) {
				t.Errorf("all receipts: %v", err)
			}
			listed, err := store.ListReceipts()
			if err != nil || len(listed) != 1 || listed[0].Session != id || listed[0].Err == nil {
				t.Errorf("the list is %+v, %v", listed, err)
			}
			if err := store.Ledger(id).Put(head(id), item(record.ItemRemoved)); !record.IsUnreadable(err) {
				t.Errorf("written over: %v", err)
			}
		})
	}
}

func TestAReceiptIsOfOneAccount(t *testing.T) {
	_, store, id := withReceipt(t)
	for name, change := range map[string]func(*record.Receipt){
		"account":   func(r *record.Receipt) { r.AccountID = "123456789012" },
		"endpoint":  func(r *record.Receipt) { r.Endpoint = "https://iam.example.com" },
		"rehearsal": func(r *record.Receipt) { r.Rehearsal = true },
	} {
		other := head(id)
		change(&other)
		err := store.Ledger(id).Put(other, item(record.ItemMade))
		if p := problem(t, err); p.Kind != screen.NotAsNeeded || !strings.Contains(p.Next, "rolecall disconnect "+id) {
			t.Errorf("%s: %+v", name, p)
		}
	}
	// With nothing left in the one account, the session may go on in another.
	if err := store.Ledger(id).Put(head(id), item(record.ItemRemoved)); err != nil {
		t.Fatal(err)
	}
	other := head(id)
	other.AccountID = "123456789012"
	if err := store.Ledger(id).Put(other, item(record.ItemMade)); err != nil {
		t.Error(err)
	}
}

func TestARemovedSessionLeavesReceiptAndJournal(t *testing.T) {
	folder, store, id := withReceipt(t)
	held, _ := open(t, store, id)
	if err := errors.Join(
		held.Before("create role Spot-Role"),
		held.After("create role Spot-Role", screen.Outcome{Result: screen.ResultDone}),
		held.Release(),
	); err != nil {
		t.Fatal(err)
	}
	if err := store.Remove(id, noon); err != nil {
		t.Fatal(err)
	}
	entries, err := store.SessionJournal(id)
	if err != nil || len(entries) != 3 {
		t.Fatalf("%v %v", entries, err)
	}
	j, release, err := store.OpenReceiptJournal(id, "disconnect", "me@here", func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.OpenReceiptJournal(id, "disconnect", "me@here", func() time.Time { return noon }); err == nil {
		t.Error("two write one journal")
	}
	if err := j.Do(t.Context(), "delete role Spot-Role", func(context.Context) error {
		return &aws.Error{Kind: aws.Denied, What: "No.", Code: "AccessDenied", RequestID: "1-2-3"}
	}); err == nil {
		t.Error("the failure is lost")
	}
	release()
	entries, err = store.SessionJournal(id)
	last := entries[len(entries)-1]
	if err != nil || last.Call != "delete role Spot-Role" || last.Outcome != "refused: No." || last.Code != "AccessDenied" ||
		last.RequestID != "1-2-3" ||
		last.By != "me@here" ||
		last.Command != "disconnect" {
		t.Errorf("%+v %v", last, err)
	}
	// The ID is not given out again, though the session is gone.
	again, _, err := store.Create(answers(), noon)
	if err != nil || again.ID == id {
		t.Errorf("%v %v", again, err)
	}
	left, err := filepath.Glob(filepath.Join(folder, "sessions", "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("%v is left", left)
	}
}

func TestNothingIsSentWithoutItsLine(t *testing.T) {
	folder, store, id := newSession(t)
	held, _ := open(t, store, id)
	path := filepath.Join(folder, "sessions", id, "journal.jsonl")
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
		t.Fatal(err)
	}
	sent := false
	err := held.Do(t.Context(), "create role", func(context.Context) error { sent = true; return nil })
	if sent || !record.IsUnreadable(err) {
		t.Errorf("sent: %v, %v", sent, err)
	}
}

// TestWhatAKillLeftIsSwept leaves what a kill leaves, and things that only look
// like it.
func TestWhatAKillLeftIsSwept(t *testing.T) {
	folder, store, id := withReceipt(t)
	session, receipts := filepath.Join(folder, "sessions", id), filepath.Join(folder, "receipts")
	ours := []string{
		filepath.Join(session, ".session.json5577006791947779410"), filepath.Join(receipts, "."+id+".json8674665223082153551"),
		filepath.Join(receipts, "."+id+".md6129484611666145821"),
	}
	others := []string{
		filepath.Join(session, ".session.json"), filepath.Join(receipts, ".notes.json12"), filepath.Join(receipts, id+".json.bak"),
		filepath.Join(receipts, ".hidden"),
	}
	for _, path := range slices.Concat(ours, others) {
		write(t, path, []byte("{"))
	}
	young, old := filepath.Join(folder, "sessions", ".new-1"), filepath.Join(folder, "sessions", ".gone-2")
	for _, path := range []string{young, old} {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(old, noon, noon); err != nil {
		t.Fatal(err)
	}

	// Somebody works on the session: its temporary file may be his.
	held, _ := open(t, store, id)
	store.Tidy(time.Now())
	if _, err := os.Stat(ours[0]); err != nil {
		t.Error("the file of a running rolecall was swept")
	}
	_ = held.Release()
	store.Tidy(time.Now())
	for _, path := range append(ours, old) {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
	for _, path := range append(others, young) {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s was swept", path)
		}
	}
	if _, err := store.Load(id); err != nil {
		t.Error(err)
	}
}

func TestWhatIsOpenToOthersIsClosed(t *testing.T) {
	folder, store, id := withReceipt(t)
	modes := map[string]fs.FileMode{
		folder: 0o755, filepath.Join(folder, "receipts"): 0o777, filepath.Join(folder, "sessions"): 0o775, filepath.Join(folder,
			"sessions", id): 0o711,
		filepath.Join(folder, "receipts", id+".json"): 0o666, filepath.Join(folder, "receipts", id+".md"): 0o644,
		filepath.Join(folder, "sessions", id, "session.json"): 0o640, filepath.Join(folder, "sessions", id, "journal.jsonl"): 0o604,
	}
	for path, mode := range modes {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	outside := filepath.Join(t.TempDir(), "theirs")
	write(t, outside, nil)
	if err := errors.Join(os.Chmod(outside, 0o666), os.Symlink(outside, filepath.Join(folder, "receipts", "link"))); err != nil {
		t.Fatal(err)
	}
	store.Tidy(time.Now())
	for path := range modes {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v, %v", path, info.Mode().Perm(), err)
		}
	}
	if info, err := os.Stat(outside); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("through a link, %v was changed: %v", info.Mode(), err)
	}
}

func TestALockIsNeverWrittenThroughALink(t *testing.T) {
	folder, store, id := newSession(t)
	outside := filepath.Join(t.TempDir(), "theirs")
	write(t, outside, []byte("precious"))
	lock := filepath.Join(folder, "sessions", id, "lock")
	if err := errors.Join(os.Remove(lock), os.Symlink(outside, lock)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.Open(id, false, noon); !record.IsUnreadable(err) {
		t.Errorf("got %v", err)
	}
	if string(read(t, outside)) != "precious" {
		t.Error("a file outside was written")
	}
}

// TestTwoStoresNeverShareAnID makes sessions from many processes' worth of
// stores at one moment.
func TestTwoStoresNeverShareAnID(t *testing.T) {
	folder := t.TempDir()
	ids := make(chan string, 40)
	for range cap(ids) {
		go func() {
			held, _, err := record.OpenStore(folder).Create(answers(), noon)
			if err != nil {
				ids <- err.Error()
				return
			}
			ids <- held.ID
		}()
	}
	seen := map[string]bool{}
	for range cap(ids) {
		id := <-ids
		if seen[id] || len(id) != 11 {
			t.Errorf("%s twice", id)
		}
		seen[id] = true
	}
	left, err := filepath.Glob(filepath.Join(folder, "sessions", ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// FuzzJournal reads a journal from any bytes.
func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"time":"2026-11-21T12:00:00Z","call":"create role","state":"sent"}` + "\n"))
	f.Add([]byte("{\"call\":\"\x1b[2J\",\"state\":\"sent\"}\n\x00\x00"))
	folder := f.TempDir()
	store := record.OpenStore(folder)
	held, _, err := store.Create(answers(), noon)
	if err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(folder, "sessions", held.ID, "journal.jsonl")
	f.Fuzz(func(t *testing.T, text []byte) {
		write(t, path, text)
		entries, err := held.Entries()
		if err != nil {
			problem(t, err)
			return
		}
		for _, e := range entries {
			if strings.ContainsFunc(e.Call+e.Outcome, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
				t.Errorf("control characters in %+v", e)
			}
		}
	})
}

// TestRandomDamageIsNeverReadAsSomethingElse damages receipts in many ways at
// seeded places.
func TestRandomDamageIsNeverReadAsSomethingElse(t *testing.T) {
	folder, store, id := withReceipt(t)
	path := filepath.Join(folder, "receipts", id+".json")
	whole := read(t, path)
	right, err := store.Receipt(id)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		text := bytes.Clone(whole)
		from := random.IntN(len(text))
		to := min(len(text), from+1+random.IntN(40))
		switch random.IntN(4) {
		case 0:
			text = text[:from]
		case 1:
			text = slices.Delete(text, from, to)
		case 2:
			text = slices.Insert(text, from, text[from:to]...)
		default:
			for i := from; i < to; i++ {
				text[i] = byte(random.IntN(256))
			}
		}
		write(t, path, text)
		if got, err := store.Receipt(id); err == nil && fmt.Sprint(got) != fmt.Sprint(right) {
			t.Fatalf("read as something else:\n%s", text)
		}
	}
}
