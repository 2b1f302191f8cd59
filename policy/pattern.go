package policy

import (
	"math/bits"
	"strings"
)

// bytes256 is a set of bytes.
type bytes256 [4]uint64

func (b bytes256) has(c byte) bool { return b[c>>6]&(1<<(c&63)) != 0 }

func (b bytes256) with(c byte) bytes256 {
	b[c>>6] |= 1 << (c & 63)
	return b
}

func (b bytes256) without(c byte) bytes256 {
	b[c>>6] &^= 1 << (c & 63)
	return b
}

func anyByte() bytes256 { return bytes256{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)} }

func bytesOf(letters string) bytes256 {
	var b bytes256
	for i := range len(letters) {
		b = b.with(letters[i])
	}
	return b
}

const (
	digits   = "1234567890"
	alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// place is one place of a pattern: the bytes that may stand there, once, or
// any number of times.
type place struct {
	set  bytes256
	many bool
}

// pattern is a list of places. The empty pattern matches the empty text.
type pattern []place

func (p pattern) add(c byte, plain bool, wild bytes256) pattern {
	switch {
	case c == '*' && !plain:
		return p.many(wild)
	case c == '?' && !plain:
		return append(p, place{set: wild})
	}
	return append(p, place{set: bytes256{}.with(c)})
}

// many adds a run, and drops it after the same run.
func (p pattern) many(set bytes256) pattern {
	next := place{set: set, many: true}
	if len(p) > 0 && p[len(p)-1] == next {
		return p
	}
	return append(p, next)
}

func (p pattern) letters(text string) pattern {
	for i := range len(text) {
		p = append(p, place{set: bytes256{}.with(text[i])})
	}
	return p
}

// times adds n places of a set.
func (p pattern) times(n int, set bytes256) pattern {
	for range n {
		p = append(p, place{set: set})
	}
	return p
}

// folded matches letters of either case.
func (p pattern) folded() pattern {
	out := make(pattern, len(p))
	for i, at := range p {
		for j := range len(alphabet) {
			if at.set.has(alphabet[j]) {
				at.set = at.set.with(swapCase(alphabet[j]))
			}
		}
		out[i] = at
	}
	return out
}

func swapCase(c byte) byte { return c ^ 0x20 }

// exact reports whether the pattern is one text.
func (p pattern) exact() (string, bool) {
	var b strings.Builder
	for _, at := range p {
		c, ok := at.only()
		if !ok {
			return "", false
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// only is the one byte that may stand in a place.
func (at place) only() (byte, bool) {
	n, found := 0, 0
	for i, word := range at.set {
		if word != 0 {
			n += bits.OnesCount64(word)
			found = i*64 + bits.TrailingZeros64(word)
		}
	}
	return byte(found), n == 1 && !at.many
}

// matches reports whether the whole text fits the pattern.
func (p pattern) matches(text string) bool {
	at := make([]bool, len(p)+1)
	next := make([]bool, len(p)+1)
	at[0] = true
	p.spread(at)
	for i := range len(text) {
		clear(next)
		alive := false
		for j, here := range p {
			if !at[j] || !here.set.has(text[i]) {
				continue
			}
			alive = true
			if here.many {
				next[j] = true
			} else {
				next[j+1] = true
			}
		}
		if !alive {
			return false
		}
		p.spread(next)
		at, next = next, at
	}
	return at[len(p)]
}

// spread adds the places that a run of no length leads to.
func (p pattern) spread(at []bool) {
	for j, here := range p {
		if at[j] && here.many {
			at[j+1] = true
		}
	}
}
