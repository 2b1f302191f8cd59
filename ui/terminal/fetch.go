package terminal

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
)

// Fetch is the command line that brings a saved file to the person's own
// machine; empty where they sit at this one. The address is the one by which
// they came here.
func (t *Terminal) Fetch(path string) string {
	if !t.Remote() {
		return ""
	}
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	user, port := cmp.Or(t.Getenv("USER"), t.Getenv("LOGNAME")), ""
	host, _ := os.Hostname()
	if fields := strings.Fields(t.Getenv("SSH_CONNECTION")); len(fields) == 4 {
		host = fields[2]
		if fields[3] != "22" {
			port = "-P " + fields[3] + " "
		}
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if user != "" {
		host = user + "@" + host
	}
	return "scp " + port + quoted(host+":"+path) + " ."
}

// quoted is a word for a shell.
func quoted(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }
