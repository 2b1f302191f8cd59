package terminal

import (
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
	"github.com/muesli/cancelreader"
)

const (
	// deepest is how many layers of GNU screen are asked through.
	deepest = 3
	// AskPatience is how long a terminal may take to say what it is, over a slow
	// line. All but the simplest answer within a round trip.
	AskPatience = 1500 * time.Millisecond
	// longestReply bounds what is read of an answer.
	longestReply = 4096
)

// Question is the next one to write to the terminal, so that it says what it is;
// empty when there is nothing more to ask. The answer ends with the primary
// device attributes, which everything answers. Hand it to Answer.
func (t *Terminal) Question() string {
	k := t.knows()
	switch name := t.Getenv("TERM"); {
	case k.asked || len(k.layers) >= deepest:
		return ""
	case name == "" || name == "dumb" || name == "linux":
		return "" // nothing would come of it
	}
	return wrap(len(k.layers), ansi.RequestNameVersion+ansi.RequestSecondaryDeviceAttributes+ansi.RequestPrimaryDeviceAttributes)
}

// Answer takes what came back. ok is false when nothing did: then the
// environment has to do.
func (t *Terminal) Answer(r Reply, ok bool) {
	layer := r.read()
	t.learn(func(k *knowledge) {
		if ok {
			k.layers = append(k.layers, layer)
		}
		k.asked = !ok || layer.kind != isScreen // only GNU screen lets a question through
	})
}

// wrap makes a sequence pass through that many layers of GNU screen.
func wrap(layers int, sequence string) string {
	for range layers {
		sequence = throughScreen(sequence)
	}
	return sequence
}

// screenLimit is the longest string sequence that GNU screen passes on: 768
// bytes with its introducer and terminator (MAXSTR in screen.h).
const screenLimit = 760

// throughScreen cuts a sequence into strings that GNU screen hands on as they
// are. A terminator inside would end the string, so that it is cut in two there.
func throughScreen(sequence string) string {
	const begin, end = "\x1bP", "\x1b\\"
	var b strings.Builder
	for sequence != "" {
		n := min(screenLimit, len(sequence))
		if at := strings.Index(sequence[:n], end); at >= 0 {
			n = at + 1
		}
		b.WriteString(begin + sequence[:n] + end)
		sequence = sequence[n:]
	}
	return b.String()
}

// AskOn asks at a terminal that nobody else reads from at the moment: what it
// is, and what lies behind it.
func (t *Terminal) AskOn(in, out *os.File) {
	state, err := term.MakeRaw(in.Fd())
	if err != nil {
		t.Answer(Reply{}, false)
		return
	}
	defer func() { _ = term.Restore(in.Fd(), state) }()
	for question := t.Question(); question != ""; question = t.Question() {
		if _, err := out.WriteString(question); err != nil {
			t.Answer(Reply{}, false)
			return
		}
		t.Answer(parseReply(readReply(in)))
	}
}

// readReply reads until the primary device attributes came, or the time is up.
func readReply(in *os.File) string {
	reader, err := cancelreader.NewReader(in)
	if err != nil {
		return ""
	}
	defer func() { _ = reader.Close() }()
	alarm := time.AfterFunc(AskPatience, func() { reader.Cancel() })
	defer alarm.Stop()
	var got []byte
	for part := make([]byte, 256); len(got) < longestReply; {
		n, err := reader.Read(part)
		got = append(got, part[:n]...)
		if _, whole := parseReply(string(got)); whole || err != nil {
			break
		}
	}
	return string(got)
}

// parseReply finds the three answers in what a terminal sent. ok is false while
// the last is missing.
func parseReply(sent string) (r Reply, ok bool) {
	if _, rest, found := strings.Cut(sent, "\x1bP>|"); found {
		r.Version, _, _ = strings.Cut(rest, "\x1b")
	}
	for rest := sent; ; {
		_, after, found := strings.Cut(rest, "\x1b[")
		if !found {
			return r, ok
		}
		rest = after
		body, _, ends := strings.Cut(after, "c")
		switch {
		case !ends:
		case strings.HasPrefix(body, ">"):
			r.Secondary = numbers(body[1:])
		case strings.HasPrefix(body, "?"):
			ok = true
		}
	}
}

// numbers reads "1;95;0"; what is no number counts as 0, as terminals do.
func numbers(list string) []int {
	var all []int
	for field := range strings.SplitSeq(list, ";") {
		n, _ := strconv.Atoi(field)
		all = append(all, n)
	}
	return all
}
