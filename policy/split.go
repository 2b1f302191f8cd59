package policy

import (
	"fmt"
	"slices"
)

// Split spreads a document over as few documents as possible, each of at most
// limit characters as IAM counts them; attached together they grant the same.
// Statements stay whole where that costs no further document; else a statement
// is continued, under the same Sid, with the rest of its actions. The error
// says that more than most documents are needed, or which statement is too
// large by itself.
func (d *Document) Split(limit, most int) ([]*Document, error) {
	if d.Characters() <= limit {
		return []*Document{d}, nil
	}
	frame := (&Document{Version: d.Version, Statements: nil}).Characters()
	sizes := make([]int, len(d.Statements))
	total := 0
	for i := range d.Statements {
		sizes[i] = d.Statements[i].Size()
		total += sizes[i]
	}
	if limit <= frame {
		return nil, fmt.Errorf("split the policy: %d characters hold no statement", limit)
	}
	// A comma is saved in every document: the last statement has none.
	room := limit - frame + 1
	least := (total + room - 1) / room
	if least > most {
		return nil, fmt.Errorf("split the policy: its %d characters need %d policies of %d, and a role takes %d; grant less, or minify it",
			d.Characters(), least, limit, most)
	}
	for n := least; n <= most; n++ {
		for _, pack := range [...]func([]Statement, int, int) [][]Statement{packWhole, packCut} {
			if bins := pack(d.Statements, n, room); bins != nil {
				return d.documents(bins), nil
			}
		}
	}
	for i := range d.Statements {
		if _, _, ok := cut(d.Statements[i], room); sizes[i] > room && !ok {
			return nil, fmt.Errorf("split the policy: statement %d %s has %d characters and cannot be divided; the limit is %d",
				i+1, d.Statements[i].Sid, sizes[i], limit)
		}
	}
	return nil, fmt.Errorf("split the policy: it needs more than %d policies of %d characters; grant less, or minify it", most, limit)
}

func (d *Document) documents(bins [][]Statement) []*Document {
	var out []*Document
	for _, bin := range bins {
		if len(bin) > 0 {
			out = append(out, &Document{Version: d.Version, Statements: bin})
		}
	}
	return out
}

// packWhole puts whole statements, the largest first, where they fit first,
// and returns nil if n bins are too few.
func packWhole(statements []Statement, n, room int) [][]Statement {
	order := make([]int, len(statements))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return statements[b].Size() - statements[a].Size() })
	free := slices.Repeat([]int{room}, n)
	chosen := make([][]int, n)
	for _, i := range order {
		size := statements[i].Size()
		bin := slices.IndexFunc(free, func(left int) bool { return left >= size })
		if bin < 0 {
			return nil
		}
		free[bin] -= size
		chosen[bin] = append(chosen[bin], i)
	}
	bins := make([][]Statement, n)
	for bin, indices := range chosen {
		slices.Sort(indices) // The document's own order reads best.
		for _, i := range indices {
			bins[bin] = append(bins[bin], statements[i])
		}
	}
	return bins
}

// packCut fills one bin after the other in the document's order and continues
// a statement in the next bin where it does not fit.
func packCut(statements []Statement, n, room int) [][]Statement {
	bins, free := [][]Statement{nil}, room
	for _, s := range statements {
		for s.Size() > free {
			head, tail, ok := cut(s, free)
			if ok {
				bins[len(bins)-1] = append(bins[len(bins)-1], head)
				s = tail
			} else if free == room {
				return nil // It does not fit into an empty document either.
			}
			if len(bins) == n {
				return nil
			}
			bins, free = append(bins, nil), room
		}
		bins[len(bins)-1] = append(bins[len(bins)-1], s)
		free -= s.Size()
	}
	return bins
}

// cut divides a statement so that the first part has at most room characters:
// by its actions, or by its resources where it has one action or NotAction.
// Either way the two parts grant what the whole did.
func cut(s Statement, room int) (head, tail Statement, ok bool) {
	for _, element := range [...]string{"Action", "Resource"} {
		values := *s.list(element)
		for n := len(values) - 1; n > 0; n-- {
			head, tail = s, s
			*head.list(element), *tail.list(element) = values[:n:n], values[n:]
			if head.Size() <= room {
				return head, tail, true
			}
		}
	}
	return s, s, false
}
