//go:build unix

package ui_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestOneSignalEndsTheWaitForASilentPipe gives every flag and argument that takes
// a file a pipe whose writer says nothing.
func TestOneSignalEndsTheWaitForASilentPipe(t *testing.T) {
	t.Parallel()
	binary := builtProgram(t)
	for _, line := range []string{
		"connect --yes --json --vendor ./PIPE.yaml", "rehearse --yes --json --vendor ./PIPE.yaml", "connect --yes --json --plan PIPE.yaml",
		"plan --json --vendor ./PIPE.yaml -o out", "approve PIPE.yaml --json", "policy review PIPE.yaml --json",
		"policy review ok.json --trust PIPE.yaml --json", "policy diff PIPE.yaml ok.json --json", "policy show --vendor ./PIPE.yaml",
		"vendors check PIPE.yaml --json",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			pipe := filepath.Join(dir, "PIPE.yaml")
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Skip(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "ok.json"), []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(binary, strings.Fields(line)...)
			var out bytes.Buffer
			cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &out
			cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "TERM=dumb", "AWS_EC2_METADATA_DISABLED=true"}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			silent, err := os.OpenFile(pipe, os.O_WRONLY, 0) // comes back when the program reads
			if err == nil {
				err = cmd.Process.Signal(syscall.SIGTERM)
			}
			if err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // how it ended is in ProcessState
			_ = silent.Close()
			if code := cmd.ProcessState.ExitCode(); code != 130 {
				t.Errorf("exit %d: %s", code, out.String())
			}
		})
	}
}
