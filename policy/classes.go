package policy

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Texts without number fall into few classes that a set of patterns can tell
// apart: those that match the first pattern but not the second, and so on. A
// splitter finds every class that is not empty, with the shortest text of it,
// by walking through all patterns at once, letter by letter. So one text of
// each class answers for all texts.
type splitter struct {
	tests    []pattern // what tells texts apart
	domains  []pattern // the texts that there are; none: all
	excluded []pattern // texts that there are not
}

// class is one class of texts.
type class struct {
	example string
	single  bool // the example is the only text of the class
}

// maxStates bounds the walk. A trust policy's patterns stay far below.
const maxStates = 20_000

// split lists the classes, and whether they are all.
func (s splitter) split() ([]class, bool) {
	w := newWalk(s)
	complete := w.run()
	return w.classes, complete
}

// walk is one run of a splitter. A state is the set of places that every
// pattern can be in, as bits; the patterns lie one after the other, each with
// one more place for its end.
type walk struct {
	words    int
	many     []uint64      // places that are runs
	accepts  [256][]uint64 // places that take a byte, for the letters
	tests    []int         // the end of each test
	domains  []int         // the end of each domain
	excluded []int         // the end of each exclusion
	domain   []uint64      // all places of domains
	singles  []int         // ends of the tests that are one text
	letters  []letter

	states  []state
	known   map[string]bool // states, by their places
	key     []byte          // scratch
	next    []uint64        // scratch
	found   map[string]bool
	classes []class
}

// letter is a byte to go on with. A common one stands for all that no place
// tells from it; any other is only worth a step where a place asks for it.
type letter struct {
	c      byte
	common bool
	asked  []uint64 // places that take this byte and not its common one
}

type state struct {
	at     []uint64
	parent int
	by     byte
}

func newWalk(s splitter) *walk {
	if len(s.domains) == 0 {
		s.domains = []pattern{pattern{}.many(anyByte())}
	}
	all := slices.Concat(s.tests, s.excluded, s.domains)
	total := 0
	for _, p := range all {
		total += len(p) + 1
	}
	w := &walk{words: (total + 63) / 64, known: map[string]bool{}, found: map[string]bool{}}
	w.many, w.domain, w.next = make([]uint64, w.words), make([]uint64, w.words), make([]uint64, w.words)
	start := make([]uint64, w.words)
	at := 0
	for i, p := range all {
		setBit(start, at)
		for j, here := range p {
			if here.many {
				setBit(w.many, at+j)
			}
		}
		end := at + len(p)
		switch {
		case i < len(s.tests):
			w.tests = append(w.tests, end)
			if _, ok := p.exact(); ok {
				w.singles = append(w.singles, end)
			}
		case i < len(s.tests)+len(s.excluded):
			w.excluded = append(w.excluded, end)
		default:
			w.domains = append(w.domains, end)
			for j := at; j <= end; j++ {
				setBit(w.domain, j)
			}
		}
		at = end + 1
	}
	w.alphabet(all)
	w.spread(start)
	w.enter(start, -1, 0)
	return w
}

func setBit(words []uint64, i int)      { words[i/64] |= 1 << (i % 64) }
func hasBit(words []uint64, i int) bool { return words[i/64]&(1<<(i%64)) != 0 }

// alphabet finds the bytes that the patterns tell apart. Those that read well
// come first, so that examples do.
func (w *walk) alphabet(all []pattern) {
	sets, places := placesOf(all)
	wide := make([]bool, len(sets))
	asks := [256][]int{}    // the narrow sets with a byte: a letter, or one of either case
	common := [256]uint64{} // its wide sets, as bits; there are few
	bit := uint64(1)
	for i, set := range sets {
		n := 0
		for _, word := range set {
			n += bits.OnesCount64(word)
		}
		wide[i] = n > 2
		for c := range 256 {
			switch {
			case !set.has(byte(c)):
			case wide[i]:
				common[c] |= bit
			default:
				asks[c] = append(asks[c], i)
			}
		}
		if wide[i] {
			bit <<= 1
		}
	}
	stands := map[uint64]bool{} // wide sets for which some byte stands that nothing asks for
	for _, c := range readable() {
		if len(asks[c]) == 0 {
			if stands[common[c]] {
				continue
			}
			stands[common[c]] = true
		}
		l := letter{c: c, common: len(asks[c]) == 0, asked: make([]uint64, w.words)}
		for _, i := range asks[c] {
			for _, place := range places[i] {
				setBit(l.asked, place)
			}
		}
		mask := slices.Clone(l.asked)
		for i, set := range sets {
			if !wide[i] || !set.has(c) {
				continue
			}
			for _, place := range places[i] {
				setBit(mask, place)
			}
		}
		w.accepts[c] = mask
		w.letters = append(w.letters, l)
	}
	// Where nothing else stands for the wide sets of a byte that is asked for,
	// that byte and its likes do.
	for i := range w.letters {
		l := &w.letters[i]
		l.common = l.common || !stands[common[l.c]]
	}
}

// placesOf lists the distinct sets of all patterns, each with its places.
func placesOf(all []pattern) ([]bytes256, [][]int) {
	index := map[bytes256]int{}
	var sets []bytes256
	var places [][]int
	at := 0
	for _, p := range all {
		for j, here := range p {
			i, ok := index[here.set]
			if !ok {
				i = len(sets)
				index[here.set] = i
				sets, places = append(sets, here.set), append(places, nil)
			}
			places[i] = append(places[i], at+j)
		}
		at += len(p) + 1
	}
	return sets, places
}

// readable is all bytes, letters and digits first.
func readable() []byte {
	order := []byte("x1" + alphabet + digits + "-_./:@=+, ~!\"#$%&'()*;<>?[\\]^`{|}")
	seen := [256]bool{}
	out := make([]byte, 0, 256)
	for c := range 256 {
		order = append(order, byte(c))
	}
	for _, c := range order {
		if !seen[c] {
			seen[c] = true
			out = append(out, c)
		}
	}
	return out
}

// run visits every state, nearest first, and notes the classes.
func (w *walk) run() bool {
	i := -1
	for {
		i++
		switch {
		case i == len(w.states):
			return true
		case len(w.states) > maxStates:
			return false
		}
		w.note(i)
		at := w.states[i].at
		for _, l := range w.letters {
			if !l.common && !meet(at, l.asked) {
				continue
			}
			if next := w.step(at, l.c); meet(next, w.domain) {
				w.enter(next, i, l.c)
			}
		}
	}
}

func meet(a, b []uint64) bool {
	for i := range a {
		if a[i]&b[i] != 0 {
			return true
		}
	}
	return false
}

// step goes on by one byte: a run stays where it is, any other place leads to
// the next. What it returns is overwritten by the next step.
func (w *walk) step(at []uint64, c byte) []uint64 {
	next, mask := w.next, w.accepts[c]
	carry := uint64(0)
	for i := range at {
		taken := at[i] & mask[i]
		moves := taken &^ w.many[i]
		next[i] = taken&w.many[i] | moves<<1 | carry
		carry = moves >> 63
	}
	w.spread(next)
	return next
}

// spread adds the places that runs of no length lead to.
func (w *walk) spread(at []uint64) {
	for again := true; again; {
		again = false
		carry := uint64(0)
		for i := range at {
			runs := at[i] & w.many[i]
			more := at[i] | runs<<1 | carry
			carry = runs >> 63
			if more != at[i] {
				at[i], again = more, true
			}
		}
	}
}

// enter adds a state that is new.
func (w *walk) enter(at []uint64, parent int, by byte) {
	w.key = w.key[:0]
	for _, word := range at {
		w.key = binary.LittleEndian.AppendUint64(w.key, word)
	}
	if w.known[string(w.key)] {
		return
	}
	w.known[string(w.key)] = true
	w.states = append(w.states, state{slices.Clone(at), parent, by})
}

// note adds the class of the text that led to a state.
func (w *walk) note(i int) {
	at := w.states[i].at
	ends := func(end int) bool { return hasBit(at, end) }
	if !slices.ContainsFunc(w.domains, ends) || slices.ContainsFunc(w.excluded, ends) {
		return
	}
	mark := make([]byte, len(w.tests))
	for j, end := range w.tests {
		if hasBit(at, end) {
			mark[j] = 1
		}
	}
	if w.found[string(mark)] {
		return
	}
	w.found[string(mark)] = true
	var text []byte
	for s := i; w.states[s].parent >= 0; s = w.states[s].parent {
		text = append(text, w.states[s].by)
	}
	slices.Reverse(text)
	single := slices.ContainsFunc(w.singles, ends)
	w.classes = append(w.classes, class{string(text), single})
}
