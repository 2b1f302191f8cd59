package connect

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// secretFileMode keeps the file to its owner.
const secretFileMode = 0o600

// keepSecret has a secret access key written to the file that was asked for:
// one that does not exist yet, or a pipe. It refuses before anything is made;
// the file itself appears with the key.
func keepSecret(a *cli.App, path string, s *step.Session) error {
	if path == "" {
		return nil
	}
	shown := draw.Clean(path)
	if path == "-" {
		return cli.Usage("--secret-file: rolecall does not mix a secret with its output.", "a file that does not exist yet, or a pipe such as /dev/fd/3",
			"Name a file: --secret-file sprinters-key.json.")
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if folder, err := os.Stat(filepath.Dir(path)); err != nil || !folder.IsDir() {
			return cli.Usage("--secret-file: there is no folder for "+shown+".", "a file in a folder that exists", "Make the folder, or name another file.")
		}
	case err != nil:
		return cli.Usage("--secret-file: "+shown+" cannot be looked at.", "a file that does not exist yet, or a pipe", "Name another file.")
	case a.JSON && isStdout(a, info):
		return cli.Usage("--secret-file: stdout carries the JSON document.", "another pipe, such as /dev/fd/3", "Open one: 3>key.json --secret-file /dev/fd/3.")
	case info.Mode()&(fs.ModeNamedPipe|fs.ModeCharDevice|fs.ModeSocket) == 0:
		return cli.Usage("--secret-file: "+shown+" exists already.", "a file that does not exist yet, or a pipe", "Name another file, or remove this one.")
	}
	s.KeepSecret = func(keyID string, secret screen.Secret) error { return writeSecret(path, keyID, secret) }
	return nil
}

func isStdout(a *cli.App, info fs.FileInfo) bool {
	out, ok := a.Env.Stdout.(*os.File)
	if !ok {
		return false
	}
	same, err := out.Stat()
	return err == nil && os.SameFile(info, same)
}

// writeSecret writes a key as the AWS CLI's credential_process prints one, so
// that it can be used as it is. The error names the file and holds no secret.
func writeSecret(path, keyID string, secret screen.Secret) (err error) {
	text, err := json.Marshal(struct {
		Version         int
		AccessKeyID     string `json:"AccessKeyId"`
		SecretAccessKey string
	}{1, keyID, string(secret)})
	if err != nil {
		return errors.New("write the secret file: the key cannot be encoded")
	}
	how := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	info, statErr := os.Stat(path)
	if statErr == nil && !info.Mode().IsRegular() {
		how = os.O_WRONLY // a pipe
	}
	f, err := os.OpenFile(path, how, secretFileMode)
	if err != nil {
		return cannotKeep(path, err)
	}
	defer func() {
		if closed := f.Close(); err == nil && closed != nil {
			err = cannotKeep(path, closed)
		}
	}()
	if _, err := f.Write(append(text, '\n')); err != nil {
		return cannotKeep(path, err)
	}
	if how&os.O_CREATE != 0 {
		if err := f.Sync(); err != nil {
			return cannotKeep(path, err)
		}
	}
	return nil
}

func cannotKeep(path string, err error) error {
	var named *fs.PathError
	if errors.As(err, &named) {
		err = named.Err
	}
	return &screen.Fault{Err: err, Problem: screen.Problem{
		What:     fmt.Sprintf("%s cannot be written: %s.", draw.Clean(path), draw.Clean(err.Error())),
		Expected: "a new file that only you can read, or a pipe that somebody reads",
		Next:     "Name another file: --secret-file.",
	}}
}
