package wizard

import (
	"bytes"
	"io"
	"os"
)

// The sequences around a window's title, of xterm's control sequences: OSC 2 sets
// it, and XTWINOPS 22 and 23 keep it on the terminal's own stack and put it back.
const (
	setTitle     = "\x1b]2;"
	emptyTitle   = "\x1b]2;\a"
	keepTitle    = "\x1b[22;2t"
	putTitleBack = "\x1b[23;2t"
)

// titled is a terminal whose title is as it was once the wizard let go of it, also
// in the background and after a panic: Bubble Tea empties it instead. A terminal
// without a stack of titles keeps the wizard's, until the shell sets its own.
type titled struct {
	*os.File // Bubble Tea asks it for its size and its modes

	write func([]byte) (int, error)
}

func (t titled) Write(p []byte) (int, error) { return t.write(p) }

// titles changes what is written such that the title is kept and put back.
type titles struct {
	out  io.Writer
	kept bool
}

// Write writes p, with the title kept before it is first set, and put back where
// it would be emptied.
func (t *titles) Write(p []byte) (int, error) {
	changed := p
	if bytes.Contains(p, []byte(emptyTitle)) {
		changed, t.kept = bytes.ReplaceAll(p, []byte(emptyTitle), []byte(putTitleBack)), false
	}
	if i := bytes.Index(changed, []byte(setTitle)); i >= 0 && !t.kept {
		t.kept = true
		changed = bytes.Join([][]byte{changed[:i], changed[i:]}, []byte(keepTitle))
	}
	if n, err := t.out.Write(changed); err != nil {
		return min(n, len(p)), err
	}
	return len(p), nil
}

// keepingTitle is out, with its title put back in the end.
func keepingTitle(out io.Writer) io.Writer {
	t := &titles{out: out}
	if file, ok := out.(*os.File); ok {
		return titled{File: file, write: t.Write}
	}
	return t
}
