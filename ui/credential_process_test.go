package ui_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestACredentialProcessMovesNothing: what a profile's program says on standard
// error comes from outside, and reaches the terminal without control characters.
func TestACredentialProcessMovesNothing(t *testing.T) {
	home := t.TempDir()
	said := filepath.Join(home, "said")
	if err := os.WriteFile(said, []byte("\x1b[31mlook here\x1b]52;c;aGk=\x07\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(home, "aws-config")
	if err := os.WriteFile(config, []byte("[profile outside]\ncredential_process = sh -c \"cat "+said+" >&2; exit 1\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	heard := false
	for range 50 { // rolecall does not wait for what a program that failed said last
		_, _, stderr := command(t, home, []string{"AWS_CONFIG_FILE=" + config, "AWS_SHARED_CREDENTIALS_FILE=" + home + "/none", "AWS_ACCESS_KEY_ID=",
			"AWS_SECRET_ACCESS_KEY="}, "verify", "--role", "Spot-Role", "--profile", "outside", "--region", "us-east-1")
		if strings.ContainsAny(stderr, "\x1b\x07") {
			t.Fatalf("control characters came through:\n%q", stderr)
		}
		if heard = strings.Contains(stderr, "look here"); heard {
			break
		}
	}
	if !heard {
		t.Error("the program was never heard")
	}
}
