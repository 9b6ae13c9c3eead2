package zstd

import (
	"math"

	"x.go/dist/match"
)

// parser finds the cheapest sequences by dynamic programming over the next
// positions: node i is the cheapest known way to code the input up to i bytes from
// the start of the batch.
type parser struct {
	prices
	data    []byte
	end     int // matches may not pass it
	most    int // bytes of a match, at most
	niceLen int

	near    match.Near
	gap     match.Gap // nodes in the middle of a long match, to be left out
	nodes   [maxNodes + longest + 1]node
	last    int // furthest node that has a price
	path    []uint32
	reps    repeats // at the start of the batch
	pending uint32  // literals before it that no match has followed
	seqs    []seq
}

// maxNodes is the longest batch, in bytes.
const maxNodes = 4096

// node is a position in the batch and the best edge known to lead there: bytes
// length at dist from node from (dist 0 is a literal) and, if tail is not 0, a
// literal and tail more bytes at the same distance. Edges with tail and dist 0 are
// a literal and tail bytes at the last distance.
type node struct {
	price    int32
	from     uint32
	length   uint32
	dist     uint32
	tail     uint32
	literals uint32 // since the last match
	reps     repeats
}

// batch appends the best way to code some bytes at pos to seqs and returns their
// number. Literals at their end are left pending.
func (p *parser) batch(pos int) int {
	p.nodes[0] = node{literals: p.pending, reps: p.reps, price: p.literals(p.pending)}
	p.gap = match.Gap{}
	p.last = 0
	for cur := 0; ; cur++ {
		if cur > 0 {
			p.settle(cur)
			if cur == p.last || cur >= maxNodes {
				p.trace(cur)
				return cur
			}
		}
		if m := p.relax(pos+cur, cur); m.Length != 0 {
			p.trace(cur)
			p.emit(m.Length, m.Dist)
			return cur + int(m.Length)
		}
		cur = p.gap.After(cur+1) - 1
	}
}

// settle computes literals and distances of a node from the edge that won.
func (p *parser) settle(i int) {
	n := &p.nodes[i]
	from := &p.nodes[n.from]
	n.reps = from.reps
	if n.dist == 0 {
		n.literals = from.literals + 1
	} else {
		n.reps.value(n.dist, from.literals)
		n.literals = 0
	}
	if n.tail != 0 {
		n.reps.value(n.reps[0], n.literals+1)
		n.literals = 0
	}
}

// trace emits the path to node i.
func (p *parser) trace(i int) {
	p.path = p.path[:0]
	for at := uint32(i); at != 0; at = p.nodes[at].from {
		p.path = append(p.path, at)
	}
	for k := len(p.path) - 1; k >= 0; k-- {
		n := &p.nodes[p.path[k]]
		if n.dist == 0 {
			p.pending++
		} else {
			p.emit(n.length, n.dist)
		}
		if n.tail != 0 {
			if n.dist != 0 {
				p.pending++
			}
			p.emit(n.tail, p.reps[0])
		}
	}
}

// emit appends a match after the pending literals.
func (p *parser) emit(length, dist uint32) {
	p.seqs = append(p.seqs, seq{p.pending, length, dist})
	p.reps.value(dist, p.pending)
	p.pending = 0
}

// reach offers node i an edge.
func (p *parser) reach(i int, price int32, cur int, length, dist, tail uint32) {
	if n := &p.nodes[i]; price < n.price {
		n.price, n.from, n.length, n.dist, n.tail = price, uint32(cur), length, dist, tail
	}
}

// extend makes nodes up to i exist.
func (p *parser) extend(i int) {
	for p.last < i {
		p.last++
		p.nodes[p.last].price = math.MaxInt32
	}
}

// relax offers every edge that starts at node cur. If there is a match so long that
// it is best taken at once, it is returned instead.
func (p *parser) relax(pos, cur int) match.Match {
	n := &p.nodes[cur]
	limit := min(p.end-pos, p.most)
	p.extend(cur + 1)
	literal := n.price + p.lit[p.data[pos]] + p.literals(n.literals+1) - p.literals(n.literals)
	p.reach(cur+1, literal, cur, 1, 0, 0)
	if limit < minMatch {
		return match.Match{}
	}
	if back := int(n.reps[0]); back != 0 && back <= pos && limit > minMatch && p.data[pos-back] != p.data[pos] {
		p.relaxTail(pos, cur, literal, 0, 0, uint32(back), limit)
	}
	m := p.relaxReps(pos, cur, n, limit)
	if m.Length > longest {
		return m
	}
	return p.relaxMatches(pos, cur, n, int(m.Length), limit)
}

// relaxTail offers the match at distance back that follows a literal. The edge from
// cur to there has length bytes at dist; price includes the literal.
func (p *parser) relaxTail(pos, cur int, price int32, length, dist, back uint32, limit int) {
	at := pos + int(length) + 1
	room := min(limit-int(length)-1, longest-int(length)-1)
	if room < minMatch {
		return
	}
	tail := match.Len(p.data, at-int(back), at, room)
	if tail < minMatch {
		return
	}
	price += p.of[0] + p.ml[tail] + p.ll[0]
	to := cur + int(length) + 1 + tail
	p.extend(to)
	p.reach(to, price, cur, max(length, 1), dist, uint32(tail))
}

// relaxReps offers repeats of the last distances. It returns the longest.
func (p *parser) relaxReps(pos, cur int, n *node, limit int) (m match.Match) {
	dists := n.reps
	if n.literals == 0 {
		dists[0], dists[1] = n.reps[1], n.reps[2]
		dists[2] = 0
		if n.reps[0] > 1 {
			dists[2] = n.reps[0] - 1
		}
	}
	base := n.price + p.ll[0]
	for i, d := range dists {
		back := int(d)
		if back == 0 || back > pos || p.data[pos-back] != p.data[pos] || p.data[pos-back+1] != p.data[pos+1] || p.data[pos-back+2] != p.data[pos+2] {
			continue
		}
		l := match.Len(p.data, pos-back, pos, limit)
		if l < minMatch {
			continue
		}
		if uint32(l) > m.Length {
			m = match.Match{Length: uint32(l), Dist: d}
		}
		if l > longest {
			return m
		}
		p.lengths(cur, base+p.of[(i+1)>>1], minMatch, l, d)
		p.afterMatch(pos, cur, base+p.of[(i+1)>>1]+p.ml[l], uint32(l), d, limit)
	}
	return m
}

// lengths offers matches at dist of from to to bytes.
func (p *parser) lengths(cur int, price int32, from, to int, dist uint32) {
	p.extend(cur + to)
	p.gap.Add(cur, to, p.niceLen)
	hole, beyond := p.gap.Lengths(cur)
	for k := from; k <= to; k++ {
		if k >= hole {
			k, hole = max(k, beyond), math.MaxInt
			if k > to {
				break
			}
		}
		p.reach(cur+k, price+p.ml[k], cur, uint32(k), dist, 0)
	}
}

// afterMatch offers a match with a literal and a repeat of its distance after it.
// price is that of the match.
func (p *parser) afterMatch(pos, cur int, price int32, length, dist uint32, limit int) {
	at := pos + int(length)
	if limit < int(length)+1+minMatch {
		return
	}
	other := p.data[at-int(dist):]
	// Three bytes have to match after the literal; look before pricing it.
	if other[1] != p.data[at+1] || other[2] != p.data[at+2] || other[3] != p.data[at+3] {
		return
	}
	price += p.lit[p.data[at]] + p.ll[1] - p.ll[0]
	p.relaxTail(pos, cur, price, length, dist, dist, limit)
}

// relaxMatches offers the matches that were found, if they are longer than the
// longest repeat, which has rep bytes.
func (p *parser) relaxMatches(pos, cur int, n *node, rep, limit int) match.Match {
	var m [match.NearMatches]match.Match
	count := p.near.Find(pos, limit, &m)
	if count == 0 {
		return match.Match{}
	}
	most := m[count-1]
	if rep >= p.niceLen && int(most.Length) <= rep {
		return match.Match{}
	}
	if most.Length > longest {
		return most
	}
	base := n.price + p.ll[0]
	k := minMatch
	for _, f := range m[:count] {
		l := int(f.Length)
		if l < minMatch {
			continue
		}
		price := base + p.of[ofCode(f.Dist+3)&(ofCodes-1)]
		p.lengths(cur, price, k, l, f.Dist)
		k = l + 1
		if !f.NoTail {
			p.afterMatch(pos, cur, price+p.ml[l], f.Length, f.Dist, limit)
		}
	}
	return match.Match{}
}
