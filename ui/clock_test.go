package ui_test

import (
	"os"
	"time"

	"rolecall/ui/cli"
)

// pace is how many times faster than the wall clock the time runs for the
// programs under test and for the AWS that they talk to: a look every four
// seconds costs less than half of one, and a deadline still outlasts a busy
// machine. A deadline that has to be met is given in minutes, one that has to
// run out is long enough for what comes before it.
const pace = 10

// clockVariable tells the programs under test when their common clock began, so
// that one does not live in the past of another. Only the tests read it.
const clockVariable = "ROLECALL_TEST_CLOCK"

// clock is a time that runs at the pace from its start.
type clock struct{ start time.Time }

func (c clock) Now() time.Time { return c.start.Add(time.Since(c.start) * pace) }

func (c clock) After(d time.Duration) <-chan time.Time { return time.After(d / pace) }

// startOfClock is when the clock of all programs of this test run began.
func startOfClock() time.Time {
	if start, err := time.Parse(time.RFC3339Nano, os.Getenv(clockVariable)); err == nil {
		return start
	}
	start := time.Now().Round(0) // without the monotonic reading, as the programs get it
	if err := os.Setenv(clockVariable, start.Format(time.RFC3339Nano)); err != nil {
		panic(err)
	}
	return start
}

// quick is the real world, but for its clock. It takes over the standard error
// of the process, so that only a process of its own has it.
func quick() cli.Env {
	env, c := cli.System(), clock{startOfClock()}
	env.Now, env.After = c.Now, c.After
	return env
}

// inside is a world for a run inside of a test: its clock, and nothing else yet.
func inside() cli.Env {
	c := clock{startOfClock()}
	return cli.Env{Now: c.Now, After: c.After}
}
