package xz

import (
	"context"
	"math"

	"x.go/dist/match"
)

// optimalParser finds the cheapest sequence of symbols by dynamic programming
// over the next positions: node i is the cheapest known way to encode the input
// up to i bytes from the start of the batch. Prices come from the model that
// encodes the batch, so batches are short.
type optimalParser struct {
	prices
	enc     chunkEncoder // follows the parse, for its probabilities
	data    []byte
	end     int // matches may not pass it
	niceLen uint32

	near  match.Near
	gap   match.Gap // nodes in the middle of a long match, to be left out
	nodes [maxNodes + maxMatch + 1]node
	ops   []op
}

// maxNodes is the longest batch, in bytes.
const maxNodes = 4096

// priceSpan is how many bytes are encoded with the same price tables.
const priceSpan = 1024

// node is a position in the batch and the best edge known to lead there: bytes
// length at dist from node from (dist 0 is a literal) and, if tail is not 0, a
// literal and tail more bytes at the same distance. Edges with tail and length 0 are a
// literal and tail bytes at the last distance.
type node struct {
	price  uint32
	from   uint32
	length uint32
	dist   uint32
	tail   uint32
	state  state
	reps   [numReps]uint32 // counted from 1
}

// slice implements sliceParser.
func (p *optimalParser) slice(ctx context.Context, set settings, data []byte, result []match.Found, origin, start, end int, out []op) []op {
	p.data, p.end = data[:end+match.Tail], end
	p.niceLen = uint32(set.niceLen)
	p.enc.reset(set.props, data, start, false, p.enc.out[:0])
	if start > 0 {
		p.near.Reset(set.finder(), p.data, result, origin, start)
		p.run(ctx, start, min(start+warmUpSize, end), nil)
		p.enc.rewind(start)
	}
	p.near.Reset(set.finder(), p.data, result, origin, start)
	return p.run(ctx, start, end, out)
}

// run parses data from start until at least end, and appends the ops to out.
func (p *optimalParser) run(ctx context.Context, start, end int, out []op) []op {
	refreshAt := start
	for pos := start; pos < end; {
		if pos >= refreshAt {
			if ctx.Err() != nil {
				return out
			}
			p.refresh(&p.enc.model, int(p.enc.posMask)+1)
			refreshAt = pos + priceSpan
		}
		pos += p.batch(pos)
		p.enc.encode(p.ops)
		p.enc.out = p.enc.out[:0]
		out = append(out, p.ops...)
	}
	return out
}

// batch fills ops with the best way to encode some bytes at pos and returns
// their number.
func (p *optimalParser) batch(pos int) int {
	n := &p.nodes[0]
	*n = node{state: p.enc.state}
	for i, r := range p.enc.reps {
		n.reps[i] = r + 1
	}
	p.gap = match.Gap{}
	last := 0 // furthest node that has a price
	for cur := 0; ; cur++ {
		if cur > 0 {
			p.settle(cur)
			if cur == last || cur >= maxNodes {
				p.trace(cur)
				return cur
			}
		}
		long, dist := p.relax(pos+cur, cur, &last)
		if long != 0 {
			p.trace(cur)
			p.ops = append(p.ops, op{0, long, dist})
			return cur + int(long)
		}
		cur = p.gap.After(cur+1) - 1
	}
}

// settle computes state and distances of a node from the edge that won.
func (p *optimalParser) settle(i int) {
	n := &p.nodes[i]
	from := &p.nodes[n.from]
	s := from.state
	n.reps = from.reps
	if n.dist == 0 {
		s = afterLiteral[s&15]
	} else {
		s = n.use(s, n.dist, n.length)
	}
	if n.tail != 0 {
		if n.dist != 0 {
			s = afterLiteral[s&15]
		}
		s = afterRep[s&15]
	}
	n.state = s
}

// use makes dist the last distance and returns the state after it.
func (n *node) use(s state, dist, length uint32) state {
	r := &n.reps
	switch dist {
	case r[0]:
		if length == 1 {
			return afterShortRep[s&15]
		}
	case r[1]:
		r[0], r[1] = dist, r[0]
	case r[2]:
		r[0], r[1], r[2] = dist, r[0], r[1]
	case r[3]:
		r[0], r[1], r[2], r[3] = dist, r[0], r[1], r[2]
	default:
		r[0], r[1], r[2], r[3] = dist, r[0], r[1], r[2]
		return afterMatch[s&15]
	}
	return afterRep[s&15]
}

// trace makes ops of the path to node i.
func (p *optimalParser) trace(i int) {
	// Turn the path around: next holds, for each node on it, the one after.
	next := uint32(i)
	for at := uint32(i); at != 0; {
		from := p.nodes[at].from
		p.nodes[at].price = next // no longer needed as a price
		next, at = at, from
	}
	p.ops = p.ops[:0]
	literals := uint32(0)
	for at := uint32(0); at != uint32(i); {
		at = next
		n := &p.nodes[at]
		next = n.price
		if n.dist == 0 {
			literals++
		} else {
			p.ops = append(p.ops, op{literals, n.length, n.dist})
			literals = 0
		}
		if n.tail != 0 {
			if n.dist != 0 {
				literals = 1
			}
			p.ops = append(p.ops, op{literals, n.tail, n.reps[0]})
			literals = 0
		}
	}
	if literals > 0 {
		p.ops = append(p.ops, op{literals: literals})
	}
}

// reach offers node i an edge.
func (p *optimalParser) reach(i int, price uint32, cur, length, dist, tail uint32) {
	if n := &p.nodes[i]; price < n.price {
		n.price, n.from, n.length, n.dist, n.tail = price, cur, length, dist, tail
	}
}

// extend makes nodes up to i exist.
func (p *optimalParser) extend(last *int, i int) {
	for *last < i {
		*last++
		p.nodes[*last].price = priceMax
	}
}

// relax offers every edge that starts at node cur. If there is a match so long
// that it is best taken at once, it is returned instead.
func (p *optimalParser) relax(pos, cur int, last *int) (length, dist uint32) {
	n := &p.nodes[cur]
	e := &p.enc
	limit := min(p.end-pos, maxMatch)
	posState := uint32(pos) & e.posMask
	isMatch := e.isMatch[uint32(n.state)<<4|posState]

	p.extend(last, cur+1)
	rep0 := p.relaxLiteral(pos, cur, n, bitPrice(isMatch, 0), bitPrice(isMatch, 1), limit, last)
	matchPrice := n.price + bitPrice(isMatch, 1)
	if limit < minMatch {
		return 0, 0
	}
	longest, dist := p.relaxReps(pos, cur, n, matchPrice+bitPrice(e.isRep[n.state], 1), rep0, limit, last)
	if longest == maxMatch {
		return longest, dist
	}
	return p.relaxMatches(pos, cur, n, matchPrice+bitPrice(e.isRep[n.state], 0), longest, limit, last)
}

// relaxLiteral offers a literal, a short repeat, and a literal with a repeat
// after it. It returns the length of the match at the last distance.
func (p *optimalParser) relaxLiteral(pos, cur int, n *node, zero, one uint32, limit int, last *int) int {
	e := &p.enc
	symbol := p.data[pos]
	var prev byte
	if pos > 0 {
		prev = p.data[pos-1]
	}
	probs := e.literalProbs(uint32(pos), prev)
	back := int(n.reps[0])
	matched := byte(0)
	if back <= pos {
		matched = p.data[pos-back]
	}
	price := n.price + zero
	if n.state.isLiteral() {
		price += literalPrice(probs, uint32(symbol))
	} else {
		price += matchedLiteralPrice(probs, uint32(symbol), uint32(matched))
	}
	p.reach(cur+1, price, uint32(cur), 1, 0, 0)
	if back > pos {
		return 0
	}
	if matched == symbol {
		short := n.price + one + bitPrice(e.isRep[n.state], 1) + bitPrice(e.isRepG0[n.state], 0) +
			bitPrice(e.isRep0Long[uint32(n.state)<<4|uint32(pos)&e.posMask], 0)
		p.reach(cur+1, short, uint32(cur), 1, n.reps[0], 0)
		return match.Len(p.data, pos-back, pos, limit)
	}
	if limit > minMatch {
		p.relaxTail(pos, cur, price, afterLiteral[n.state&15], 0, 0, n.reps[0], limit, last)
	}
	return 0
}

// relaxTail offers the match at distance back that follows a literal. The edge
// from cur to there has length bytes at dist, and price includes the literal.
// s is the state after the literal.
func (p *optimalParser) relaxTail(pos, cur int, price uint32, s state, length, dist, back uint32, limit int, last *int) {
	at := pos + int(length) + 1
	room := limit - int(length) - 1
	if room < minMatch {
		return
	}
	tail := match.Len(p.data, at-int(back), at, room)
	if tail < minMatch {
		return
	}
	e := &p.enc
	posState := uint32(at) & e.posMask
	price += bitPrice(e.isMatch[uint32(s)<<4|posState], 1) + bitPrice(e.isRep[s], 1) +
		bitPrice(e.isRepG0[s], 0) + bitPrice(e.isRep0Long[uint32(s)<<4|posState], 1) +
		p.repLen[posState][tail]
	to := cur + int(length) + 1 + tail
	if to > maxNodes+maxMatch {
		return
	}
	p.extend(last, to)
	p.reach(to, price, uint32(cur), max(length, 1), dist, uint32(tail))
}

// relaxReps offers repeats of the last distances; rep0 is the length at the
// last one. It returns the longest.
func (p *optimalParser) relaxReps(pos, cur int, n *node, price uint32, rep0, limit int, last *int) (length, dist uint32) {
	e := &p.enc
	s := n.state
	posState := uint32(pos) & e.posMask
	for i, back := range n.reps {
		l := rep0
		if i > 0 {
			if int(back) > pos || p.data[pos-int(back)] != p.data[pos] {
				continue
			}
			l = match.Len(p.data, pos-int(back), pos, limit)
		}
		if l < minMatch {
			continue
		}
		if l == maxMatch {
			return uint32(l), back
		}
		length, dist = max(length, uint32(l)), back
		var base uint32
		switch i {
		case 0:
			base = bitPrice(e.isRepG0[s], 0) + bitPrice(e.isRep0Long[uint32(s)<<4|posState], 1)
		case 1:
			base = bitPrice(e.isRepG0[s], 1) + bitPrice(e.isRepG1[s], 0)
		default:
			base = bitPrice(e.isRepG0[s], 1) + bitPrice(e.isRepG1[s], 1) + bitPrice(e.isRepG2[s], uint32(i-2))
		}
		base += price
		p.extend(last, cur+l)
		p.gap.Add(cur, l, int(p.niceLen))
		hole, beyond := p.gap.Lengths(cur)
		for k := minMatch; k <= l; k++ {
			if k >= hole {
				k, hole = max(k, beyond), math.MaxInt
				if k > l {
					break
				}
			}
			p.reach(cur+k, base+p.repLen[posState][k], uint32(cur), uint32(k), back, 0)
		}
		p.afterMatch(pos, cur, base+p.repLen[posState][l], afterRep[s&15], uint32(l), back, limit, last)
	}
	return length, dist
}

// afterMatch offers a match with a literal and a repeat of its distance after
// it. price is that of the match.
func (p *optimalParser) afterMatch(pos, cur int, price uint32, s state, length, dist uint32, limit int, last *int) {
	at := pos + int(length)
	if limit < int(length)+1+minMatch {
		return
	}
	other := p.data[at-int(dist):]
	// Two bytes have to match after the literal; look before pricing it.
	if other[1] != p.data[at+1] || other[2] != p.data[at+2] {
		return
	}
	e := &p.enc
	price += bitPrice(e.isMatch[uint32(s)<<4|uint32(at)&e.posMask], 0) +
		matchedLiteralPrice(e.literalProbs(uint32(at), p.data[at-1]), uint32(p.data[at]), uint32(other[0]))
	p.relaxTail(pos, cur, price, afterLiteral[s&15], length, dist, dist, limit, last)
}

// relaxMatches offers matches longer than the longest repeat, which has rep
// bytes.
func (p *optimalParser) relaxMatches(pos, cur int, n *node, price, rep uint32, limit int, last *int) (length, dist uint32) {
	var m [match.NearMatches]match.Match
	count := p.near.Find(pos, limit, &m)
	if count == 0 {
		return 0, 0
	}
	longest := m[count-1].Length
	if rep >= p.niceLen && longest <= rep {
		return 0, 0
	}
	if longest == maxMatch {
		return longest, m[count-1].Dist
	}
	p.extend(last, cur+int(longest))
	p.gap.Add(cur, int(longest), int(p.niceLen))
	hole, beyond := p.gap.Lengths(cur)
	lens := &p.matchLen[uint32(pos)&p.enc.posMask]
	k := minMatch
	for _, f := range m[:count] {
		d, l := f.Dist-1, int(f.Length)
		for ; k <= l && k < minMatch+distStates-1; k++ {
			p.reach(cur+k, price+lens[k]+p.distance(d, distState(uint32(k))), uint32(cur), uint32(k), f.Dist, 0)
		}
		total := price + p.distance(d, distState(f.Length))
		for ; k <= l; k++ {
			if k >= hole {
				k, hole = max(k, beyond), math.MaxInt
				if k > l {
					break
				}
			}
			p.reach(cur+k, total+lens[k], uint32(cur), uint32(k), f.Dist, 0)
		}
		if !f.NoTail {
			p.afterMatch(pos, cur, total+lens[l], afterMatch[n.state&15], f.Length, f.Dist, limit, last)
		}
	}
	return 0, 0
}
