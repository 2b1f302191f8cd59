package record

import (
	"slices"
	"strings"
	"time"
)

// sessionIDLetter are the letters of an ID, in their order; those that are
// easily taken for another are left out (Crockford's base 32).
const sessionIDLetter = "0123456789abcdefghjkmnpqrstvwxyz"

// sessionID is the UTC date and the moment of the day in twelfths of a second,
// as four letters without those that are easily confused; later tries take the
// following moments.
func sessionID(now time.Time, try int) string {
	now = now.UTC()
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	moment := int(now.Sub(midnight)*12/time.Second) + try
	letters := make([]byte, 4)
	for i := range slices.Backward(letters) {
		letters[i] = sessionIDLetter[moment%len(sessionIDLetter)]
		moment /= len(sessionIDLetter)
	}
	return now.Format("060102") + "-" + string(letters)
}

// validSessionID accepts what sessionID makes and nothing that could be a path.
func validSessionID(id string) bool {
	if len(id) != len("060102-0000") || id[6] != '-' {
		return false
	}
	for i, c := range []byte(id) {
		switch {
		case i < 6 && (c < '0' || c > '9'):
			return false
		case i > 6 && strings.IndexByte(sessionIDLetter, c) < 0:
			return false
		}
	}
	return true
}
