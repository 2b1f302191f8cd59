// Command rolecall connects an AWS account to a vendor.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"rolecall/ui"
	"rolecall/ui/cli"
)

func main() {
	os.Exit(run())
}

// run ends the program's context at the first signal: sessions are saved and
// writing calls awaited. A second signal ends the program at once.
func run() int {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT}
	if !signal.Ignored(syscall.SIGHUP) { // nohup asked to go on
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	context.AfterFunc(ctx, stop)
	return ui.Main(ctx, os.Args[1:], cli.System())
}
