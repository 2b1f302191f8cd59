package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"rolecall/steps/screen"
)

// integrityMember is the last member of every session and receipt: a checksum
// of all the others, so that a flipped bit in an ID or a digest is noticed. It
// is no signature: whoever can write the file can write one.
const integrityMember = "integrity"

// What a file can be like that was not damaged by anybody: none of these is the
// same as absent.
var (
	errEmpty     = errors.New("it is empty")
	errFolder    = errors.New("it is a folder")
	errLink      = errors.New("it is a symbolic link, which rolecall does not follow")
	errIrregular = errors.New("it is not a regular file")
	errIntegrity = errors.New("its content is not what rolecall wrote: the checksum at its end does not fit")
	errTrailing  = errors.New("there is something after its end")
	errGone      = errors.New("it is missing")
)

// unreadable is what is said of evidence that is there and cannot be read.
// What rests on it must not go on.
func unreadable(what, path string, err error, next string) error {
	if errors.Is(err, fs.ErrPermission) {
		next = "Let yourself read it: chmod u+rw " + screen.CleanLine(path) + ". " + next
	}
	return &screen.Fault{Err: &unreadableError{err}, Problem: screen.Problem{
		What:     what + " cannot be read: " + screen.CleanLine(path) + ": " + screen.CleanLine(bare(err).Error()) + ".",
		Expected: "the file as rolecall wrote it",
		Next:     next,
	}}
}

// unreadableError keeps the cause, but never means that there is no such file.
type unreadableError struct{ err error }

func (e *unreadableError) Error() string { return bare(e.err).Error() }

// IsUnreadable reports whether an error says that something is kept here and
// cannot be read, which is not the same as that there is nothing.
func IsUnreadable(err error) bool {
	var damaged *unreadableError
	return errors.As(err, &damaged)
}

// bare is a file system's error without the path, which is named beside it.
func bare(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// exists reports whether anything at all has that name.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// checkRegular refuses what is no file of rolecall's own. The error wraps
// fs.ErrNotExist when there is nothing.
func checkRegular(path string) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return errFolder
	case info.Mode()&fs.ModeSymlink != 0:
		return errLink
	case !info.Mode().IsRegular():
		return errIrregular
	}
	return nil
}

// readLimited reads a regular file that is not empty and not larger than limit
// bytes. The error wraps fs.ErrNotExist when there is none.
func readLimited(path string, limit int64) ([]byte, error) {
	if err := checkRegular(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) == 0:
		return nil, errEmpty
	case int64(len(text)) > limit:
		return nil, fmt.Errorf("it is larger than %d bytes", limit)
	}
	return text, nil
}

// WriteAtomic replaces a file as a whole, readable by its owner only: whoever
// reads it, even after a power cut in the middle, finds the old content or the
// new one. The rename replaces a file on Windows too. A link is replaced, not
// followed.
func WriteAtomic(path string, text []byte) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)) // 0600, and a number behind the name
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp.Name()) // ours: it was created a moment ago
		}
	}()
	_, err = temp.Write(text)
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// seal is a value as an indented JSON document with its checksum at the end.
func seal(value any) ([]byte, error) {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return nil, err
	}
	members, err := decodeMembers(text)
	if err != nil {
		return nil, err
	}
	sum, err := checksum(members)
	if err != nil {
		return nil, err
	}
	text = bytes.TrimSuffix(text, []byte("\n}"))
	return fmt.Appendf(text, ",\n  %q: %q\n}\n", integrityMember, sum), nil
}

// unseal reads a file of rolecall's strictly: the checksum fits, there is no
// unknown member, nothing after it, and no control character in any text, since
// texts end up on the screen. sealed is false for a file of an earlier version,
// which had no checksum yet.
func unseal[T any](text []byte) (value T, sealed bool, err error) {
	var none T
	members, err := decodeMembers(text)
	if err != nil {
		return none, false, err
	}
	claimed, sealed := members[integrityMember]
	delete(members, integrityMember)
	if sealed {
		sum, err := checksum(members)
		if err != nil {
			return none, false, err
		}
		if claimed != sum {
			return none, false, errIntegrity
		}
	}
	cleaned, err := json.Marshal(cleanValue(members))
	if err != nil {
		return none, false, err
	}
	strict := json.NewDecoder(bytes.NewReader(cleaned))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&value); err != nil {
		return none, false, err
	}
	return value, sealed, nil
}

func decodeMembers(text []byte) (map[string]any, error) {
	loose := json.NewDecoder(bytes.NewReader(text))
	loose.UseNumber()
	var members map[string]any
	if err := loose.Decode(&members); err != nil {
		return nil, err
	}
	if _, err := loose.Token(); !errors.Is(err, io.EOF) {
		return nil, errTrailing
	}
	if members == nil {
		return nil, errEmpty
	}
	return members, nil
}

// checksum does not depend on the order of members, nor on white space.
func checksum(members map[string]any) (string, error) {
	canonical, err := json.Marshal(members)
	if err != nil {
		return "", err
	}
	return "sha256:" + hexSum(canonical), nil
}

func hexSum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func cleanValue(value any) any {
	switch v := value.(type) {
	case string:
		return screen.CleanLine(v)
	case []any:
		for i := range v {
			v[i] = cleanValue(v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, one := range v {
			out[screen.CleanLine(key)] = cleanValue(one)
		}
		return out
	}
	return value
}
