package xz

// lazyParser chooses matches with one position of lookahead and no prices: a
// match is taken unless the next position has one that is clearly better.
type lazyParser struct {
	hashChain
	reps  [numReps]uint32 // counted from 1, like match.dist
	now   []match         // found at the current position if fresh
	after []match
	fresh bool
}

// Distances above these need a longer match to pay for themselves.
const (
	farDist3 = 1 << 11
	farDist4 = 1 << 18
)

// reset starts on a block whose state is fresh.
func (p *lazyParser) reset(data []byte, dictSize, depth, niceLen int) {
	p.hashChain.reset(data, dictSize, depth, niceLen)
	p.reps = [numReps]uint32{1, 1, 1, 1}
	p.fresh = false
}

// parse parses data[pos:end] into ops; the matches may end beyond end. It
// returns the ops and the position they reach.
func (p *lazyParser) parse(pos, end int, ops []op) ([]op, int) {
	start := pos // of the literals not yet in ops
	for pos < end {
		if !p.fresh {
			p.insertTo(pos)
			p.now = p.find(pos, p.now)
		}
		p.fresh = false
		m := p.choose(pos)
		if m.length == 0 {
			pos++
			continue
		}
		if m.length < uint32(p.niceLen) && pos+1 < len(p.data) {
			p.after = p.find(pos+1, p.after)
			p.now, p.after = p.after, p.now
			if next := p.choose(pos + 1); p.better(next, m) {
				pos++
				p.fresh = true
				continue
			}
		}
		ops = append(ops, op{uint32(pos - start), m.length, m.dist})
		p.use(m.dist)
		pos += int(m.length)
		start = pos
	}
	if pos > start {
		ops = append(ops, op{literals: uint32(pos - start)})
	}
	return ops, pos
}

// choose picks the best of the repeats at pos and the matches in p.now; its
// length is 0 if a literal is better than any.
func (p *lazyParser) choose(pos int) match {
	limit := min(len(p.data)-pos, maxMatch)
	var rep match
	for _, dist := range p.reps {
		if int(dist) > pos {
			continue
		}
		if l := matchLen(p.data, pos-int(dist), pos, limit); l >= minMatch && uint32(l) > rep.length {
			rep = match{uint32(l), dist}
		}
	}
	if rep.length >= uint32(p.niceLen) || len(p.now) == 0 {
		return rep
	}
	k := len(p.now) - 1
	m := p.now[k]
	for k > 0 && p.now[k-1].length+1 >= m.length && m.dist>>7 > p.now[k-1].dist {
		k--
		m = p.now[k]
	}
	if rep.length+1 >= m.length || rep.length+2 >= m.length && m.dist > 1<<9 || rep.length+3 >= m.length && m.dist > 1<<15 {
		if rep.length >= minMatch {
			return rep
		}
	}
	if m.length == 3 && m.dist > farDist3 || m.length == 4 && m.dist > farDist4 {
		return rep
	}
	return m
}

// better reports whether a literal and then next is likely cheaper than m.
func (p *lazyParser) better(next, m match) bool {
	if next.length < minMatch {
		return false
	}
	return score(next) > score(m)+2
}

// score estimates the bits a match saves.
func score(m match) int {
	return int(m.length)*4 - int(distSlot(m.dist))/2
}

// use makes dist the last distance.
func (p *lazyParser) use(dist uint32) {
	for i, d := range p.reps {
		if d == dist || i == numReps-1 {
			copy(p.reps[1:i+1], p.reps[:i])
			p.reps[0] = dist
			return
		}
	}
}
