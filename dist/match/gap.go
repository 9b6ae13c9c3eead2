package match

import "math"

// Gap are the nodes in the middle of a long match that an optimal parser leaves out. The
// zero value has none.
type Gap struct{ from, to int } // from the first to below the last

// The parts of a long match that are searched as usual, in bytes. The start matters
// most: a longer match, or one at a repeated distance, often begins a few bytes
// later.
const (
	longStart = 32
	longEnd   = 16
)

// Add is told of a match of length bytes at node cur. If it is long, which are nice bytes,
// only its start and its end are searched as usual.
func (g *Gap) Add(cur, length, nice int) {
	if length >= nice && cur >= g.to {
		g.from, g.to = cur+longStart, cur+length-longEnd
	}
}

// After returns node, or the first one behind the gap if it is in it.
func (g *Gap) After(node int) int {
	if node >= g.from && node < g.to {
		return g.to
	}
	return node
}

// Lengths returns the lengths, from first to below last, of matches at cur that would
// end at a node that is left out.
func (g *Gap) Lengths(cur int) (first, last int) {
	if g.from >= g.to {
		return math.MaxInt, math.MaxInt
	}
	return g.from - cur, g.to - cur
}
