package record_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/steps/record"
	"rolecall/steps/screen"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func answers() record.Answers {
	return record.Answers{Vendor: "spot", Method: "manual", Access: "role", AccountID: "111122223333",
		Parts: map[string]record.Part{"SpotinstRoleArn": {ExternalID: "spotinst:aws:extid:0123456789abcdef"}}}
}

// newSession makes a store in an empty folder with one session, not held.
func newSession(t *testing.T) (folder string, store *record.Store, id string) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "state", "rolecall")
	store = record.OpenStore(folder)
	held, _, err := store.Create(answers(), noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Release(); err != nil {
		t.Fatal(err)
	}
	return folder, store, held.ID
}

func open(t *testing.T, store *record.Store, id string) (*record.OpenSession, record.Answers) {
	t.Helper()
	held, saved, err := store.Open(id, false, noon)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = held.Release() })
	held.Now = func() time.Time { return noon.Add(time.Hour) }
	return held, saved
}

func problem(t *testing.T, err error) screen.Problem {
	t.Helper()
	var fault *screen.Fault
	if !errors.As(err, &fault) {
		t.Fatalf("got %v, want a *screen.Fault", err)
	}
	if fault.Problem.What == "" || fault.Problem.Next == "" {
		t.Errorf("the fault %+v does not say what happened and what to do", fault.Problem)
	}
	return fault.Problem
}

func TestASavedSessionComesBack(t *testing.T) {
	_, store, id := newSession(t)
	held, saved := open(t, store, id)
	want := answers()
	want.ID, want.Created, want.Updated = id, noon, noon
	if diff := cmp.Diff(want, saved); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	saved.Partition = "aws-cn"
	saved.Seen = record.Seen{Alias: "of this run only"}
	if err := held.Save(saved); err != nil {
		t.Fatal(err)
	}
	again, err := store.Load(id)
	if err != nil {
		t.Fatal(err)
	}
	if again.Partition != "aws-cn" || again.Seen.Alias != "" || !again.Created.Equal(noon) || !again.Updated.Equal(noon.Add(time.Hour)) {
		t.Errorf("got %+v", again)
	}
}

func TestSavingTheSameAnswersWritesNothing(t *testing.T) {
	folder, store, id := newSession(t)
	held, saved := open(t, store, id)
	path := filepath.Join(folder, "sessions", id, "session.json")
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Save(saved); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, after) || held.Changed() {
		t.Error("the file was replaced although nothing changed")
	}
}

func TestOnlyThePersonCanReadWhatIsSaved(t *testing.T) {
	folder, store, id := newSession(t)
	held, saved := open(t, store, id)
	saved.Region = "eu-west-1"
	if err := errors.Join(
		held.Save(saved),
		held.Before("create role"),
		held.After("create role", screen.Outcome{Result: screen.ResultDone}),
	); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if entry.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
		return nil
	})
	if err != nil || files != 3 {
		t.Errorf("walked %d files (%v), want session, journal and lock", files, err)
	}
}

func TestAFolderThatWasOpenToOthersIsClosed(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "rolecall")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	held, _, err := record.OpenStore(folder).Create(answers(), noon)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Release() }()
	info, err := os.Stat(folder)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v, want 0700", info.Mode().Perm(), err)
	}
}

func TestIDsSortByAge(t *testing.T) {
	store := record.OpenStore(t.TempDir())
	var ids []string
	for i := range 40 {
		held, _, err := store.Create(answers(), noon.Add(time.Duration(i/2)*7*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, held.ID)
		if err := held.Release(); err != nil {
			t.Fatal(err)
		}
		if len(held.ID) != 11 {
			t.Errorf("the ID %q is not short", held.ID)
		}
	}
	for i := 1; i < len(ids); i++ {
		if ids[i-1] >= ids[i] {
			t.Errorf("%s does not sort before %s", ids[i-1], ids[i])
		}
	}
	all, err := store.List()
	if err != nil || len(all) != len(ids) || all[0].ID != ids[len(ids)-1] {
		t.Errorf("List gave %d sessions, first %v, %v; want %d, the newest first", len(all), all[0].ID, err, len(ids))
	}
}

func TestAnIDIsNeverAPath(t *testing.T) {
	folder, store, id := newSession(t)
	outside := filepath.Join(folder, "session.json")
	if err := os.WriteFile(outside, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", ".", "..", "../", "../" + id, id + "/", "/etc/passwd", "261121-00i0", "261121_0000",
		strings.ToUpper(id), id + "\x00", "\x1b[2J"} {
		_, err := store.Load(bad)
		if p := problem(t, err); strings.Contains(p.What, "\x1b") {
			t.Errorf("the error text %q has control characters", p.What)
		}
		problem(t, store.Remove(bad, noon))
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error("a file outside the session was removed")
	}
}

func TestASecondProcessSaysWhoHasTheSession(t *testing.T) {
	folder, store, id := newSession(t)
	other := exec.Command(os.Args[0], "-test.run=TestHelperHoldsASession")
	other.Env = append(os.Environ(), "HOLD_FOLDER="+folder, "HOLD_ID="+id)
	other.Stderr = os.Stderr
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = other.Wait() }()
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}

	host, _ := os.Hostname()
	_, _, err = store.Open(id, false, noon)
	p := problem(t, err)
	if !strings.Contains(p.What, fmt.Sprint("process ", other.Process.Pid)) || !strings.Contains(p.What, host) {
		t.Errorf("got %q, want the process %d on %s", p.What, other.Process.Pid, host)
	}
	problem(t, store.Remove(id, noon))
	all, err := store.List()
	if err != nil || len(all) != 1 || all[0].Holder == nil || all[0].Holder.PID != other.Process.Pid {
		t.Errorf("List gave %+v, %v, want the holder", all, err)
	}

	// A process that is killed holds nothing any more.
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait()
	open(t, store, id)
}

// TestHelperHoldsASession is the other process of the test above.
func TestHelperHoldsASession(t *testing.T) {
	if os.Getenv("HOLD_ID") == "" {
		t.Skip("only as a process of another test")
	}
	_, _, err := record.OpenStore(os.Getenv("HOLD_FOLDER")).Open(os.Getenv("HOLD_ID"), false, noon)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Print("x")
	_, _ = os.Stdin.Read(make([]byte, 1))
}

// TestHelperSavesForEver saves one session again and again until it is killed.
func TestHelperSavesForEver(t *testing.T) {
	if os.Getenv("SAVE_ID") == "" {
		t.Skip("only as a process of another test")
	}
	held, saved, err := record.OpenStore(os.Getenv("SAVE_FOLDER")).Open(os.Getenv("SAVE_ID"), false, noon)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		saved.VendorAccountName = strings.Repeat(fmt.Sprint(i%10), 20_000)
		if err := held.Save(saved); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			fmt.Print("x")
		}
	}
}

func TestKillInTheMiddleOfASaveLosesNothing(t *testing.T) {
	folder, store, id := newSession(t)
	for range 5 {
		other := exec.Command(os.Args[0], "-test.run=TestHelperSavesForEver")
		other.Env = append(os.Environ(), "SAVE_FOLDER="+folder, "SAVE_ID="+id)
		out, err := other.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if err := other.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = other.Wait()
		saved, err := store.Load(id)
		if err != nil {
			t.Fatalf("after a kill: %v", err)
		}
		if name := saved.VendorAccountName; len(name) != 20_000 || strings.Trim(name, name[:1]) != "" {
			t.Fatalf("after a kill the session is half of two: %d characters", len(name))
		}
	}
}

func TestADamagedSessionSaysSo(t *testing.T) {
	for name, text := range map[string]string{
		"empty":              "",
		"no JSON":            "not JSON",
		"half":               `{"session":"ID","vendor":"sp`,
		"unknown field":      `{"session":"ID","surprise":1}`,
		"two documents":      `{"session":"ID"} {"session":"ID"}`,
		"of another session": `{"session":"260101-0000"}`,
		"wrong type":         `{"session":"ID","vendor":7}`,
		"huge":               `{"session":"ID","vendor":"` + strings.Repeat("a", 2<<20) + `"}`,
		"deep":               strings.Repeat(`{"parts":`, 20_000),
		"null":               "null",
	} {
		t.Run(name, func(t *testing.T) {
			folder, store, id := newSession(t)
			path := filepath.Join(folder, "sessions", id, "session.json")
			if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "ID", id)), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := store.Load(id)
			if p := problem(t, err); !strings.Contains(p.What, id) || !strings.Contains(p.Next, "sessions remove "+id) {
				t.Errorf("got %+v, want the session and how to remove it", p)
			}
			all, listErr := store.List()
			if listErr != nil || len(all) != 1 || all[0].Err == nil {
				t.Errorf("List gave %+v, %v, want the damaged one with its error", all, listErr)
			}
			if p := problem(t, err); !strings.Contains(p.What, path) {
				t.Errorf("got %q, want the file %s", p.What, path)
			}
			if _, ok, err := store.Latest(func(record.Listed) bool { return true }); ok || !record.IsUnreadable(err) {
				t.Errorf("Latest passed over the damaged one: %v, %v", ok, err)
			}
			if err := store.Remove(id, noon); err != nil {
				t.Errorf("remove a damaged session: %v", err)
			}
		})
	}
}

func TestControlCharactersAreDropped(t *testing.T) {
	folder, store, id := newSession(t)
	path := filepath.Join(folder, "sessions", id, "session.json")
	text := `{"session":"` + id + `","vendor":"sp\u001b[31mot\u202e","tags":{"k\u0007":"v\u0000"},"parts":{"P":{"role_arn":"a\u009b"}}}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	saved, err := store.Load(id)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal([]any{saved.Vendor, saved.Tags, saved.Parts["P"].RoleARN})
	if want := `["sp[31mot",{"k":"v"},"a"]`; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestASessionThatIsNoFileIsRefused(t *testing.T) {
	folder, store, id := newSession(t)
	path := filepath.Join(folder, "sessions", id, "session.json")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := store.Load(id)
	problem(t, err)
}

func TestARehearsalNeverMeetsTheRealWorld(t *testing.T) {
	store := record.OpenStore(t.TempDir())
	for _, rehearsal := range []bool{true, false} {
		a := answers()
		a.Rehearsal = rehearsal
		held, _, err := store.Create(a, noon)
		if err != nil {
			t.Fatal(err)
		}
		if err := held.Release(); err != nil {
			t.Fatal(err)
		}
		_, _, err = store.Open(held.ID, !rehearsal, noon)
		problem(t, err)
		right, _, err := store.Open(held.ID, rehearsal, noon)
		if err != nil {
			t.Fatalf("in its own world: %v", err)
		}
		_ = right.Release()
	}
}

func TestLatestIsTheOneSavedLast(t *testing.T) {
	store := record.OpenStore(t.TempDir())
	var ids []string
	for i := range 3 {
		held, saved, err := store.Create(answers(), noon.Add(time.Duration(i)*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		held.Now = func() time.Time { return noon.Add(10 * time.Hour) }
		if i == 1 {
			saved.Region = "eu-west-1"
			if err := held.Save(saved); err != nil {
				t.Fatal(err)
			}
		}
		ids = append(ids, held.ID)
		_ = held.Release()
	}
	latest, ok, err := store.Latest(func(record.Listed) bool { return true })
	if err != nil || !ok || latest.ID != ids[1] {
		t.Errorf("got %s, %v, %v, want %s", latest.ID, ok, err, ids[1])
	}
	latest, ok, err = store.Latest(func(one record.Listed) bool { return one.Answers.Region == "" })
	if err != nil || !ok || latest.ID != ids[2] {
		t.Errorf("of those without a region got %s, %v, %v, want %s", latest.ID, ok, err, ids[2])
	}
}

func TestTheJournalRemembersWhatWasNotAnswered(t *testing.T) {
	folder, store, id := newSession(t)
	held, _ := open(t, store, id)
	for _, do := range []error{
		held.Before("create policy"), held.After("create policy", screen.Outcome{Result: screen.ResultDone}),
		held.Before("create role"), held.Before("submit role"),
		held.After("submit role", screen.Outcome{Result: screen.ResultUnknown, Said: "lost\x1b[2J" + strings.Repeat("x", 1000)}),
		held.Before("create role"),
	} {
		if do != nil {
			t.Fatal(do)
		}
	}
	journal := filepath.Join(folder, "sessions", id, "journal.jsonl")
	unfinished(t, held, "create role")

	text, err := os.ReadFile(journal)
	if err != nil || strings.Contains(string(text), "\x1b") || strings.Count(string(text), "\n") != 7 {
		t.Errorf("journal, %v:\n%s", err, text)
	}
	// Stopped in the middle of writing "answered": the call stays open. What is
	// written next stands on a line of its own.
	f, err := os.OpenFile(journal, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(`{"time":"2026-11-21T12:00:00Z","call":"create role","state":"answ`)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	unfinished(t, held, "create role")
	if err := errors.Join(held.Before("attach policy"), held.After("create role", screen.Outcome{Result: screen.ResultDone})); err != nil {
		t.Fatal(err)
	}
	unfinished(t, held, "attach policy")
}

func unfinished(t *testing.T, held *record.OpenSession, want ...string) {
	t.Helper()
	got, err := held.Unfinished()
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("unfinished calls, %v (-want +got):\n%s", err, diff)
	}
}

func TestNoJournalIsNothingUnfinished(t *testing.T) {
	_, store, id := newSession(t)
	held, _ := open(t, store, id)
	unfinished(t, held)
}

func TestStateFolder(t *testing.T) {
	for _, c := range []struct{ xdg, home, want string }{
		{"/x/state", "/home/a", "/x/state/rolecall"},
		{"", "/home/a", "/home/a/.local/state/rolecall"},
		{"relative", "/home/a", "/home/a/.local/state/rolecall"},
		{"", "", ""},
	} {
		got, err := record.StateFolder(func(name string) string { return map[string]string{"XDG_STATE_HOME": c.xdg, "HOME": c.home}[name] })
		if filepath.ToSlash(got) != c.want || (err == nil) != (c.want != "") {
			t.Errorf("XDG_STATE_HOME=%q HOME=%q: got %q, %v, want %q", c.xdg, c.home, got, err, c.want)
		}
	}
}

func TestAFullOrClosedFolderSaysWhatToDo(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	folder := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(folder, 0o500); err != nil {
		t.Fatal(err)
	}
	_, _, err := record.OpenStore(filepath.Join(folder, "rolecall")).Create(answers(), noon)
	problem(t, err)
}

func TestAFileInPlaceOfTheFolderSaysWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := record.OpenStore(filepath.Join(file, "rolecall")).Create(answers(), noon)
	problem(t, err)
}

func FuzzLoadSession(f *testing.F) {
	f.Add([]byte(`{"session":"260101-0000","vendor":"spot","parts":{"A":{"role_arn":"x"}}}`))
	f.Add([]byte(`{"session":"260101-0000","session_duration":3600000000000}`))
	f.Add([]byte("{\"session\":\"260101-0000\",\"vendor\":\"\\u001b\"}"))
	folder := f.TempDir()
	path := filepath.Join(folder, "sessions", "260101-0000")
	if err := os.MkdirAll(path, 0o700); err != nil {
		f.Fatal(err)
	}
	store := record.OpenStore(folder)
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(filepath.Join(path, "session.json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		saved, err := store.Load("260101-0000")
		if err != nil {
			problem(t, err)
			return
		}
		for _, s := range []string{saved.Vendor, saved.Profile, saved.ID} {
			if strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 }) {
				t.Errorf("control characters in %q", s)
			}
		}
	})
}
