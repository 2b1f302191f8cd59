package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/creack/pty"
)

// display is a program in a pseudo-terminal of 80 × 24.
type display struct {
	cmd  *exec.Cmd
	file *os.File

	mu   sync.Mutex
	text bytes.Buffer
	last time.Time // when something was drawn last
}

func (b *bench) open(program string, args ...string) (*display, error) {
	s := &display{cmd: exec.Command(program, args...)}
	s.cmd.Env = b.environment()
	file, err := pty.StartWithSize(s.cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		return nil, fmt.Errorf("open a pseudo-terminal: %w", err)
	}
	s.file = file
	go s.read()
	return s, nil
}

func (s *display) read() {
	chunk := make([]byte, 1<<16)
	for {
		n, err := s.file.Read(chunk)
		s.mu.Lock()
		s.text.Write(chunk[:n])
		s.last = time.Now()
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *display) close() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	_ = s.file.Close()
}

// drawn is how many bytes were drawn, and when the last of them.
func (s *display) drawn() (int, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Len(), s.last
}

// await waits until a text was drawn, at most ten seconds.
func (s *display) await(text string) error {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Microsecond) {
		if s.shows(text) {
			return nil
		}
	}
	return fmt.Errorf("%q was not drawn within 10 s", text)
}

// enterTo presses enter at a person's pace, until a text was drawn: a key that is
// held agrees to nothing.
func (s *display) enterTo(text string) error {
	for range 60 {
		s.calm()
		if s.shows(text) {
			return nil
		}
		if _, err := s.file.WriteString("\r"); err != nil {
			return err
		}
		time.Sleep(700 * time.Millisecond)
	}
	return s.await(text)
}

// shows reports whether a text was drawn.
func (s *display) shows(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.text.String(), text)
}

// calm waits until nothing was drawn for a while.
func (s *display) calm() {
	for {
		if _, last := s.drawn(); time.Since(last) > 150*time.Millisecond {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// key presses a key and tells after which time its frame was there, and how many
// bytes it had.
func (s *display) key(stroke string) (time.Duration, int, error) {
	s.calm()
	before, _ := s.drawn()
	start := time.Now()
	if _, err := s.file.WriteString(stroke); err != nil {
		return 0, 0, err
	}
	for time.Since(start) < time.Second {
		if n, last := s.drawn(); n > before {
			took := last.Sub(start)
			s.calm()
			n, _ = s.drawn()
			return took, n - before, nil
		}
		time.Sleep(100 * time.Microsecond)
	}
	return 0, 0, fmt.Errorf("nothing was drawn for the key %q", stroke)
}

// screens times what a person sees: the first frame, and a key.
func (b *bench) screens() ([]row, error) {
	version, err := b.firstFrame("IAM actions", b.program, "version")
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, command := range []string{"connect", "rehearse"} {
		took, err := b.firstFrame("Step 1", b.program, command)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{"first frame of `" + command + "`", millis(took), millis(version), "`version` on the same terminal"})
	}
	keys, err := b.keys()
	if err != nil {
		return nil, err
	}
	idle, err := b.idle()
	if err != nil {
		return nil, err
	}
	return append(append(rows, keys...), idle), nil
}

// keys times the cursor in a list of options: rolecall's, that of a form, and that
// of the least program. All three run in one go, on one machine in one state.
func (b *bench) keys() ([]row, error) {
	costs := func(until, program string, args ...string) (string, error) {
		s, err := b.open(program, args...)
		if err != nil {
			return "", err
		}
		defer s.close()
		if err := s.enterTo(until); err != nil {
			return "", err
		}
		return s.cursor(b.runs)
	}
	ours, err := costs("AWS GovCloud (US)", b.program, "rehearse", "--vendor", "spot", "--method", "direct")
	if err != nil {
		return nil, err
	}
	form, err := costs("Which account?", b.bare, "form")
	if err != nil {
		return nil, err
	}
	bare, err := costs("Which account?", b.bare)
	if err != nil {
		return nil, err
	}
	return []row{
		{"key to frame, the cursor in a list", ours, form, "the same list as a form of huh draws it"},
		{"", "", bare, "the same list, drawn by ten lines of Bubble Tea"},
	}, nil
}

// cursor moves down and up, and says what a key takes and costs.
func (s *display) cursor(runs int) (string, error) {
	var times []time.Duration
	total := 0
	for i := range runs {
		took, n, err := s.key([]string{"\x1b[B", "\x1b[A"}[i%2])
		if err != nil {
			return "", err
		}
		times, total = append(times, took), total+n
	}
	return fmt.Sprintf("%s, %d bytes", millis(middle(times)), total/runs), nil
}

// walked is the most memory that a walk through all screens takes, in bytes.
func (b *bench) walked() (int64, error) {
	s, err := b.open(b.program, "rehearse", "--vendor", "spot", "--method", "direct")
	if err != nil {
		return 0, err
	}
	defer func() { _ = s.file.Close() }()
	if err := s.enterTo("Connected."); err != nil {
		return 0, err
	}
	if _, err := s.file.WriteString("\x03"); err != nil {
		return 0, err
	}
	_ = s.cmd.Wait() // the exit code does not matter
	return peak(s.cmd), nil
}

func (b *bench) idle() (row, error) {
	s, err := b.open(b.program, "rehearse")
	if err != nil {
		return row{}, err
	}
	defer s.close()
	if err := s.await("Step 1"); err != nil {
		return row{}, err
	}
	return row{"idle, a minute", s.idle(5 * time.Second), "", ""}, nil
}

// idle is what a screen that nobody touches draws in a minute.
func (s *display) idle(d time.Duration) string {
	s.calm()
	before, _ := s.drawn()
	time.Sleep(d)
	after, _ := s.drawn()
	return fmt.Sprintf("%d bytes", int(float64(after-before)*float64(time.Minute)/float64(d)))
}

func (b *bench) firstFrame(text, program string, args ...string) (time.Duration, error) {
	var all []time.Duration
	for range b.runs {
		start := time.Now()
		s, err := b.open(program, args...)
		if err != nil {
			return 0, err
		}
		err = s.await(text)
		all = append(all, time.Since(start))
		s.close()
		if err != nil {
			return 0, err
		}
	}
	return middle(all), nil
}
