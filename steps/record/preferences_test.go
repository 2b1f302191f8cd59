package record

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPreferences(t *testing.T) {
	folder := t.TempDir()
	getenv := func(name string) string { return map[string]string{"XDG_CONFIG_HOME": folder}[name] }
	if s, err := ReadPreferences(getenv); err != nil || s != (Preferences{}) {
		t.Errorf("without a file: %+v, %v", s, err)
	}
	path := filepath.Join(folder, "rolecall", "settings.json")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{`{"clipboard": "osc52"}`: "", `{"clipbord": "x"}`: "clipbord", "{": path, "": path} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := ReadPreferences(getenv)
		if want == "" && (err != nil || s.Clipboard != "osc52") || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
	}
}

func TestTerminalsAreRemembered(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "rolecall")
	m := OpenTerminals(folder)
	for _, route := range []string{"osc52", "tmux"} {
		if err := m.KeepRoute("TERM=xterm", route); err != nil {
			t.Fatal(err)
		}
		if got := OpenTerminals(folder).Route("TERM=xterm"); got != route {
			t.Errorf("remembered %q, want %q", got, route)
		}
	}
	if err := m.KeepRoute("TERM=xterm", ""); err != nil || m.Route("TERM=xterm") != "" {
		t.Error("it is not forgotten:", err)
	}
	path := filepath.Join(folder, terminalsFile)
	for _, text := range []string{"null", "[]", "{", strings.Repeat("x", largestSettings+1)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := m.KeepRoute("a", "osc52"); err != nil || m.Route("a") != "osc52" {
			t.Errorf("after %.5q: %v", text, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
}
