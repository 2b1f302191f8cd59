//go:build unix

package ui_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTheSecretsFileIsReadyBeforeTheKeyIsMade gives places where a secret cannot
// be kept: no key is made then.
func TestTheSecretsFileIsReadyBeforeTheKeyIsMade(t *testing.T) {
	t.Parallel()
	user := func(file string) []string {
		return connecting("--vendor", "sprinters", "--method", "direct", "--access", "user", "--secret-file", file)
	}
	b := newBox(t)
	place := func(name string) string { return filepath.Join(b.dir, name) }
	for _, err := range []error{
		os.WriteFile(place("taken.json"), []byte("mine"), 0o600), os.Symlink(place("nowhere"), place("link.json")),
		syscall.Mkfifo(place("unread"), 0o600),
		os.Mkdir(place("folder"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for file, says := range map[string]string{
		"taken.json": "exists already", "link.json": "exists already", "folder": "exists already", "unread": "nobody reads the pipe",
		"missing/key.json": "there is no folder", "-": "does not mix",
	} {
		r := b.run(user(file)...)
		if e := r.document.Error; r.exit != 2 || e == nil || !strings.Contains(e.What, says) {
			t.Errorf("%s: exit %d: %+v", file, r.exit, e)
		}
	}
	if text, err := os.ReadFile(place("taken.json")); err != nil || string(text) != "mine" {
		t.Errorf("taken.json is %q now, %v", text, err)
	}
	if calls := b.aws.Calls(); len(calls) > 0 {
		t.Errorf("AWS was asked %v", calls)
	}
	if left, _ := filepath.Glob(place(".rolecall-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	// A pipe with a reader takes the key.
	if err := syscall.Mkfifo(place("read"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	go func() {
		time.Sleep(200 * time.Millisecond) // the reader may come a little later
		text, _ := os.ReadFile(place("read"))
		got <- string(text)
	}()
	b.must(user("read")...)
	if text := <-got; !strings.Contains(text, `"AccessKeyId":"AKIA`) {
		t.Errorf("the reader got %q", text)
	}
}
