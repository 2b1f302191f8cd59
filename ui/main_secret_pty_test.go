package ui_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTheSecretStaysWhereItWasAskedFor walks through the whole user method in a
// terminal and looks for the secret in every byte that was drawn and in every
// file that was written.
func TestTheSecretStaysWhereItWasAskedFor(t *testing.T) {
	t.Parallel()
	hearSignals(t)
	state := t.TempDir()
	kept := filepath.Join(t.TempDir(), "key.json")
	term := inTerminal(
		t,
		state,
		"rolecall",
		"rehearse",
		"--vendor",
		"sprinters",
		"--access",
		"user",
		"--method",
		"direct",
		"--secret-file",
		kept,
	)
	term.sees("Connect with an IAM user")
	term.enterTo("Is this")
	term.enterTo("ec2:RunInstances")
	term.enterTo("create these")
	term.enterTo("is right")
	term.enterTo("make the key")
	term.enterTo("Its secret is in memory")
	text, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	var key struct{ SecretAccessKey string }
	if err := json.Unmarshal(text, &key); err != nil || len(key.SecretAccessKey) != 40 {
		t.Fatalf("%v: %d characters", err, len(key.SecretAccessKey))
	}
	term.enterTo("show the secret")
	if strings.Contains(term.text(), key.SecretAccessKey) {
		t.Fatal("the secret was drawn unasked")
	}
	term.types("x")
	term.sees(key.SecretAccessKey) // so that its absence above means something
	term.types("x")
	term.sees("\u2022\u2022\u2022\u2022")
	term.enterTo("Handed over by you")
	time.Sleep(200 * time.Millisecond)
	term.types("\r")
	if code := term.exits(); code != 0 {
		t.Errorf("exit %d", code)
	}
	term.restored()
	_, after, _ := strings.Cut(term.text(), altScreenOff)
	if after == "" || strings.Contains(after, key.SecretAccessKey) {
		t.Errorf("what stays in the terminal:\n%q", after)
	}
	files := 0
	err = filepath.WalkDir(state, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(key.SecretAccessKey)) {
			t.Errorf("the secret is in %s", path)
		}
		return err
	})
	if err != nil || files < 4 {
		t.Errorf("%d files were looked at, %v", files, err)
	}
}
