package connect

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// secretFileMode keeps the file to its owner.
const secretFileMode = 0o600

// How long rolecall waits for somebody to open the other end of a pipe, and how
// often it looks.
const (
	readerWithin  = 5 * time.Second
	readerLookFor = 50 * time.Millisecond
)

// keepSecret has a secret access key written to the file that was asked for:
// one that does not exist yet, or a pipe. It refuses before anything is made. A
// pipe is opened at once, since nobody may be there to read it; a file appears
// with the key.
func keepSecret(a *cli.App, path string, s *step.Session) error {
	if path == "" {
		return nil
	}
	shown := draw.Clean(path)
	if path == "-" {
		return cli.Usage(
			"--secret-file: rolecall does not mix a secret with its output.",
			"a file that does not exist yet, or a pipe such as /dev/fd/3",
			"Name a file: --secret-file sprinters-key.json.",
		)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.KeepSecret = func(keyID string, secret screen.Secret) error { return writeSecretFile(path, keyID, secret) }
		return canCreate(path)
	case err != nil:
		return cli.Usage("--secret-file: "+shown+" cannot be looked at.", "a file that does not exist yet, or a pipe", "Name another file.")
	case a.JSON && isStdout(a, info):
		return cli.Usage(
			"--secret-file: stdout carries the JSON document.",
			"another pipe, such as /dev/fd/3",
			"Open one: 3>key.json --secret-file /dev/fd/3.",
		)
	case info.Mode()&(fs.ModeNamedPipe|fs.ModeCharDevice) == 0:
		return taken(shown)
	}
	pipe, err := openPipe(path)
	if err != nil {
		return err
	}
	s.KeepSecret = func(keyID string, secret screen.Secret) error { return writeSecret(pipe, path, keyID, secret) }
	return nil
}

func taken(shown string) error {
	return cli.Usage(
		"--secret-file: "+shown+" exists already.",
		"a file that does not exist yet, or a pipe",
		"Name another file, or remove this one.",
	)
}

// canCreate refuses a place where the file could not be made.
func canCreate(path string) error {
	shown := draw.Clean(path)
	if _, err := os.Lstat(path); err == nil {
		return taken(shown) // a link that leads to nothing
	}
	folder := filepath.Dir(path)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return cli.Usage(
			"--secret-file: there is no folder for "+shown+".",
			"a file in a folder that exists",
			"Make the folder, or name another file.",
		)
	}
	probe, err := os.CreateTemp(folder, ".rolecall-*")
	if err != nil {
		return cli.Usage(
			"--secret-file: nothing can be written to the folder of "+shown+": "+reason(err)+".",
			"a folder that you can write to",
			"Name another file.",
		)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// openPipe opens a pipe that somebody reads. Without a reader it would block for
// ever, after the key was made.
func openPipe(path string) (*os.File, error) {
	for until := time.Now().Add(readerWithin); ; time.Sleep(readerLookFor) {
		pipe, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, secretFileMode)
		switch {
		case err == nil:
			return pipe, nil
		case !errors.Is(err, syscall.ENXIO):
			return nil, cli.Usage(
				"--secret-file: "+draw.Clean(path)+" cannot be opened: "+reason(err)+".",
				"a file that does not exist yet, or a pipe",
				"Name another one.",
			)
		case time.Now().After(until):
			return nil, cli.Usage(
				"--secret-file: nobody reads the pipe "+draw.Clean(path)+".",
				"a pipe that somebody reads",
				"Start its reader first, or name a file. Nothing was made.",
			)
		}
	}
}

func isStdout(a *cli.App, info fs.FileInfo) bool {
	out, ok := a.StdoutFile()
	if !ok {
		return false
	}
	same, err := out.Stat()
	return err == nil && os.SameFile(info, same)
}

// writeSecretFile writes a key into a file that did not exist.
func writeSecretFile(path, keyID string, secret screen.Secret) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, secretFileMode)
	if err != nil {
		return cannotKeep(path, err)
	}
	return writeSecret(f, path, keyID, secret)
}

// writeSecret writes a key as the AWS CLI's credential_process prints one, so
// that it can be used as it is, and closes the file. The error names the file
// and holds no secret.
func writeSecret(f *os.File, path, keyID string, secret screen.Secret) (err error) {
	defer func() {
		if closed := f.Close(); err == nil && closed != nil {
			err = cannotKeep(path, closed)
		}
	}()
	text, err := json.Marshal(struct {
		Version         int
		AccessKeyID     string `json:"AccessKeyId"`
		SecretAccessKey string
	}{1, keyID, string(secret)})
	if err != nil {
		return errors.New("write the secret file: the key cannot be encoded")
	}
	_ = f.SetWriteDeadline(time.Now().Add(readerWithin)) // a file has none; a pipe's reader may be stuck
	if _, err := f.Write(append(text, '\n')); err != nil {
		return cannotKeep(path, err)
	}
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() {
		err = f.Sync()
	}
	if err != nil {
		return cannotKeep(path, err)
	}
	return nil
}

func reason(err error) string {
	var named *fs.PathError
	if errors.As(err, &named) {
		err = named.Err
	}
	return draw.Clean(err.Error())
}

func cannotKeep(path string, err error) error {
	return &screen.Fault{Err: err, Problem: screen.Problem{
		What:     fmt.Sprintf("%s cannot be written: %s.", draw.Clean(path), reason(err)),
		Expected: "a new file that only you can read, or a pipe that somebody reads",
		Next:     "Name another file: --secret-file.",
	}}
}
