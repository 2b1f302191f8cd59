package ui_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// keptSecret reads the key that --secret-file wrote, wants the file to be its
// owner's alone, and looks for the secret in what was printed and in every
// other file. It puts the access key into KEY.
func keptSecret(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: keptsecret FILE")
	}
	kept := ts.MkAbs(args[0])
	info, err := os.Stat(kept)
	ts.Check(err)
	if mode := info.Mode().Perm(); mode != 0o600 {
		ts.Fatalf("%s has the mode %o, want 600", args[0], mode)
	}
	var key struct {
		Version                      int
		AccessKeyId, SecretAccessKey string //nolint:revive // AWS's own spelling
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &key))
	if key.Version != 1 || !strings.HasPrefix(key.AccessKeyId, "AKIA") || len(key.SecretAccessKey) != 40 {
		ts.Fatalf("%s holds no key", args[0])
	}
	for _, name := range []string{"stdout", "stderr"} {
		if strings.Contains(ts.ReadFile(name), key.SecretAccessKey) {
			ts.Fatalf("the secret access key is on %s", name)
		}
	}
	files := 0
	ts.Check(filepath.WalkDir(ts.MkAbs("."), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path == kept {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if err == nil && bytes.Contains(text, []byte(key.SecretAccessKey)) {
			err = fmt.Errorf("the secret access key is in %s", path)
		}
		return err
	}))
	if files < 3 {
		ts.Fatalf("only %d files were looked at", files)
	}
	ts.Setenv("KEY", key.AccessKeyId)
}
