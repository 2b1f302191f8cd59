//go:build unix

package terminal

import (
	"os/exec"
	"syscall"
)

// detach puts the helper in a session of its own: without a controlling
// terminal a text browser cannot take over the screen, and ctrl+c here does not
// end it.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
