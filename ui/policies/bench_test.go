package policies_test

import (
	"context"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rolecall/ui"
	"rolecall/ui/cli"
)

// spotFile is Spot's published policy.
func spotFile() string {
	return filepath.Join("..", "..", "policy", "review", "testdata", "spot.json")
}

// The whole process: start, read, review, print.
func BenchmarkReviewProcess(b *testing.B) {
	program := filepath.Join(b.TempDir(), "rolecall")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", program, "../..").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	for _, args := range []string{"version", "policy review", "policy review --json"} {
		b.Run(strings.ReplaceAll(args, " ", "_"), func(b *testing.B) {
			words := strings.Fields(args)
			if words[0] == "policy" {
				words = append(words, spotFile())
			}
			var cpu time.Duration
			for b.Loop() {
				cmd := exec.CommandContext(b.Context(), program, words...)
				if err := cmd.Run(); err != nil {
					b.Fatal(err)
				}
				cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			}
			b.ReportMetric(float64(cpu.Microseconds())/float64(b.N)/1000, "cpu-ms/op")
		})
	}
}

func BenchmarkExplainEverything(b *testing.B) {
	env := cli.Env{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard, Now: time.Now}
	for b.Loop() {
		if code := ui.Main(context.Background(), []string{"policy", "explain", "*"}, env); code != 0 {
			b.Fatalf("exit %d", code)
		}
	}
}
