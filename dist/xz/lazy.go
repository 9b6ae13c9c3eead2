package xz

import (
	"context"
	"math/bits"

	"x.go/dist/match"
)

// lazyParser chooses symbols without prices: it takes the match that seems to
// save the most, unless one at the next position saves more. It goes through a
// block in order.
type lazyParser struct {
	recent recentTable
	from   []int // see recentTable.find
	data   []byte
	end    int
	dict   int
	nice   int
	reps   [numReps]uint32 // counted from 1
}

// saving is a match: a length and a distance counted from 1. save is about what it saves
// against literals, in bits.
type saving struct {
	length, dist uint32
	save         int
}

// Guesses in bits that stand for prices. They were found by trying, with cargo's
// executable.
const (
	literalBits = 7 // of a byte that no match covers
	repBits     = 6 // of a repeat, without its length
	matchBits   = 9 // of a match, without its distance and length
	lookahead   = 1 // positions that may have a better match
)

// slice implements sliceParser.
func (p *lazyParser) slice(_ context.Context, set settings, data []byte, _ []match.Found, _, start, end int, out []op) []op {
	p.data, p.end = data[:end+match.Tail], end
	p.dict, p.nice = int(set.dictSize), set.niceLen
	if start == 0 {
		p.recent.reset(p.data)
		p.reps = [numReps]uint32{1, 1, 1, 1}
	}
	p.recent.data = p.data
	literals := start
	for pos := start; pos < end; {
		m := p.best(pos)
		if m.save <= 0 {
			pos++
			continue
		}
		for try := 1; try <= lookahead && m.length < uint32(p.nice) && pos+try < end; try++ {
			if next := p.best(pos + try); next.save > m.save+try {
				pos += try
				try = 0
				m = next
			}
		}
		out = append(out, op{uint32(pos - literals), m.length, m.dist})
		p.use(m.dist)
		pos += int(m.length)
		literals = pos
	}
	if literals < end {
		out = append(out, op{literals: uint32(end - literals)})
	}
	return out
}

// best returns the match at pos that saves the most; save is at most 0 if there
// is none.
func (p *lazyParser) best(pos int) saving {
	limit := min(p.end-pos, maxMatch)
	var m saving
	if limit < minMatch {
		return m
	}
	for i, dist := range p.reps {
		from := pos - int(dist)
		if from < 0 || p.data[from] != p.data[pos] || p.data[from+1] != p.data[pos+1] {
			continue
		}
		l := match.Len(p.data, from, pos, limit)
		if save := l*literalBits - repBits - i - bits.Len(uint(l)); save > m.save {
			m = saving{length: uint32(l), dist: dist, save: save}
		}
	}
	p.from = p.recent.find(pos, p.from[:0])
	for _, from := range p.from {
		if dist := pos - from; dist > 0 && dist <= p.dict {
			m = m.or(match.Len(p.data, from, pos, limit), dist)
		}
	}
	return m
}

// or returns m, or the other match if that saves more.
func (m saving) or(length, dist int) saving {
	save := length*literalBits - matchBits - bits.Len(uint(dist)) - bits.Len(uint(length))
	if save > m.save {
		return saving{length: uint32(length), dist: uint32(dist), save: save}
	}
	return m
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
