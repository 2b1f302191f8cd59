package draw

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// WriteJSON writes one JSON document, indented, as every command prints it.
// What Clean would take out of a text (C1 and bidirectional controls, invisible
// characters) is written as an escape: it says the same to a program and does
// nothing to a terminal that the document is printed on.
func WriteJSON(w io.Writer, document any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(document); err != nil {
		return err
	}
	_, err := w.Write(escapeInvisible(b.Bytes()))
	return err
}

// escapeInvisible escapes runes in JSON, all of which stand inside of strings.
func escapeInvisible(text []byte) []byte {
	var out []byte // nil as long as nothing had to be escaped
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRune(text[at:])
		if r == '\n' || r >= ' ' && r <= '~' || visible(r) == r {
			if out != nil {
				out = append(out, text[at:at+size]...)
			}
			at += size
			continue
		}
		if out == nil {
			out = append(make([]byte, 0, len(text)+64), text[:at]...)
		}
		high, low := utf16.EncodeRune(r)
		if high == utf8.RuneError {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		}
		at += size
	}
	if out == nil {
		return text
	}
	return out
}
