package cli

import (
	"bytes"
	"strings"
	"testing"
)

// onPaper writes on a terminal of so many columns; 0: on none.
func onPaper(columns int, environ []string, write func(Paper)) string {
	var out bytes.Buffer
	a := &App{Env: Env{Stdout: &out, StdoutTTY: columns > 0, Environ: environ, Size: func() (int, int) { return columns, 24 }}}
	write(a.Out())
	return out.String()
}

func TestATableFitsTheTerminal(t *testing.T) {
	t.Parallel()
	rows := [][]string{{"SESSION", "VENDOR", "STATE"}, {"260131-7k2m", "Spot", "unfinished: step 5 of 7, Create IAM policy; rehearsal"}}
	write := func(p Paper) { p.Table(true, rows) }
	utf8 := []string{"TERM=xterm", "LANG=C.UTF-8"}
	for columns, want := range map[int]string{
		0: "SESSION      VENDOR  STATE\n260131-7k2m  Spot    unfinished: step 5 of 7, Create IAM policy; rehearsal\n",
		60: "SESSION      VENDOR  STATE\n260131-7k2m  Spot    unfinished: step 5 of 7, Create IAM\n" +
			"                     policy; rehearsal\n",
		36: "session  260131-7k2m\n  vendor  Spot\n  state  unfinished: step 5 of 7,\n         Create IAM policy;\n         rehearsal\n",
	} {
		if got := onPaper(columns, utf8, write); got != want {
			t.Errorf("%d columns:\n%s\nwant:\n%s", columns, got, want)
		}
	}
}

func TestARefusalFitsTheTerminal(t *testing.T) {
	t.Parallel()
	var talk bytes.Buffer
	a := &App{Env: Env{Stderr: &talk, StderrTTY: true, Environ: []string{"TERM=xterm", "LANG=C"}, Size: func() (int, int) { return 44, 10 }}}
	arn := "arn:aws:iam::123456789012:role/team/a-role-with-a-long-name"
	err := Usage("The role "+arn+" is “odd”…", "another one", "Name another one with --role-name and run it again.")
	a.Finish(t.Context(), err)
	said := talk.String()
	for line := range strings.Lines(said) {
		if len(line) > 45 && !strings.Contains(line, arn) {
			t.Errorf("too long: %q", line)
		}
	}
	if !strings.Contains(said, arn+"\n") || !strings.Contains(said, `"odd"...`) || !strings.Contains(said, "--role-name") {
		t.Errorf("said:\n%s", said)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	list := []string{"list", "show", "remove", "review"}
	for word, want := range map[string]string{"shwo": "show", "lst": "list", "rem": "remove", "xyzzy": "", "SHOW": "show"} {
		if got := Nearest(word, list); got != want {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
}
