package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestThePersonsOwnKeysForLessStay(t *testing.T) {
	home := t.TempDir()
	app := func(env ...string) *App {
		return &App{Env: Env{Environ: append([]string{"HOME=" + home}, env...)}}
	}
	environ, remove := app().lessKeys("#command\n")
	if len(environ) != 1 {
		t.Fatalf("%q", environ)
	}
	file, _ := strings.CutPrefix(environ[0], "LESSKEYIN=")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if remove(); fileExists(file) {
		t.Error("the keys are left behind")
	}
	if environ, _ := app("LESSKEYIN=/mine").lessKeys("#command\n"); environ != nil {
		t.Errorf("LESSKEYIN is replaced: %q", environ)
	}
	if err := os.WriteFile(filepath.Join(home, ".lesskey"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if environ, _ := app().lessKeys("#command\n"); environ != nil {
		t.Errorf(".lesskey is passed over: %q", environ)
	}
}

func fileExists(file string) bool { _, err := os.Stat(file); return err == nil }
