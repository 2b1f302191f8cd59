package main

import (
	"fmt"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

func middle(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// cost is what a run took: by the wall's clock, and of the processors, which
// tells more on a machine that is busy with other things.
type cost struct{ wall, worked time.Duration }

// String is both, as the table has them.
func (c cost) String() string { return millis(c.wall) + " (" + millis(c.worked) + ")" }

// work is what the processors did for a program that ended.
func work(cmd *exec.Cmd) time.Duration {
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

func millis(d time.Duration) string {
	if d >= 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// peak is the most memory that a process that ended had resident, in bytes; 0
// where the system does not tell.
func peak(cmd *exec.Cmd) int64 {
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss * 1024
}
