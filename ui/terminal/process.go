package terminal

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
)

// processEnv reads the environment of another process of this user, where the
// system shows it (Linux).
func processEnv(pid string) func(string) string {
	data, err := os.ReadFile(filepath.Join("/proc", filepath.Base(pid), "environ"))
	if err != nil {
		return nil
	}
	vars := map[string]string{}
	for pair := range bytes.SplitSeq(data, []byte{0}) {
		if name, value, ok := strings.Cut(string(pair), "="); ok {
			vars[name] = value
		}
	}
	return func(name string) string { return vars[name] }
}

// generations is how many ancestors of a process are looked at.
const generations = 8

// underMosh reports whether a process was started by a mosh server, where the
// system shows it (Linux).
func (t *Terminal) underMosh(pid string) bool {
	for range generations {
		stat, err := os.ReadFile(filepath.Join("/proc", filepath.Base(pid), "stat"))
		if err != nil {
			return false
		}
		// "123 (name) S 45 …": the name may hold anything, so the last bracket counts.
		at := bytes.LastIndexByte(stat, ')')
		fields := strings.Fields(string(stat[at+1:]))
		if at < 0 || len(fields) < 2 {
			return false
		}
		if bytes.Contains(stat[:at], []byte("(mosh-server")) {
			return true
		}
		pid = fields[1]
	}
	return false
}
