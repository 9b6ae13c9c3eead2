package zstd

import (
	"context"

	"x.go/dist/match"
)

// Sizes in bytes. Slices are compressed independently of each other, but for the
// window; each costs new tables.
const (
	sliceSize  = 2 << 20
	priceSpan  = 4 << 10  // parsed with the same prices in the first pass
	fadeSpan   = 64 << 10 // after which what was counted has half the weight
	firstMatch = 4        // a match of the first pass is this part of a block at most
)

// sliceCoder compresses slices, in two passes. The first finds what the content is
// like, by prices that follow the parse, so that it can be split into blocks; the
// second parses each block again, by prices of its own.
type sliceCoder struct {
	parser   parser
	splitter splitter
	blocks   blockCoder
	out      []byte // of the last slice
}

// slice is a part of the input: data[start:end].
type slice struct {
	data       []byte // with the window, and match.Tail bytes after the end
	found      []match.Found
	origin     int // of found
	start, end int
	first      bool // of the frame
	last       bool
}

// encode returns the blocks of s, which are valid until the next call. If ctx ends
// they are not complete.
func (c *sliceCoder) encode(ctx context.Context, set settings, s slice) []byte {
	out := c.out[:0]
	p := &c.parser
	p.data, p.niceLen = s.data[:s.end+match.Tail], set.niceLen
	c.blocks.coderState = coderState{}
	if s.first {
		c.blocks.reps = repeats{1, 4, 8}
	}
	limit := set.blockSize()
	c.firstPass(ctx, set, s, limit)
	b := s.data[s.start:s.end]
	c.splitter.cut(b, p.seqs, c.blocks.reps, limit)
	ends := c.splitter.split(len(b), limit)

	p.near.Reset(set.finder(), p.data, s.found, s.origin, s.start)
	p.most = maxMatch
	from, unit := 0, 0
	for _, to := range ends {
		if ctx.Err() != nil {
			return out
		}
		var h histogram
		for ; unit < len(c.splitter.units) && c.splitter.units[unit].start < to; unit++ {
			h.addAll(&c.splitter.units[unit].histogram)
		}
		p.set(&h)
		p.begin(c.blocks.reps)
		c.parser.end = s.start + to
		for pos := s.start + from; pos < s.start+to; {
			pos += p.batch(pos)
		}
		p.finish()
		out = c.blocks.block(out, b[from:to], p.seqs, s.last && to == len(b))
		from = to
	}
	c.out = out
	return out
}

// begin prepares for parsing.
func (p *parser) begin(reps repeats) {
	p.reps, p.pending, p.seqs = reps, 0, p.seqs[:0]
}

// finish appends the literals that are left.
func (p *parser) finish() {
	if p.pending > 0 {
		p.seqs = append(p.seqs, seq{literals: p.pending})
	}
}

// firstPass parses the whole slice.
func (c *sliceCoder) firstPass(ctx context.Context, set settings, s slice, limit int) {
	p := &c.parser
	p.end, p.most = s.end, max(minMatch, limit/firstMatch)
	p.near.Reset(set.finder(), p.data, s.found, s.origin, s.start)
	reps := c.blocks.reps
	p.begin(reps)
	var h histogram
	h.guess(s.data[s.start:min(s.end, s.start+fadeSpan)])
	counted, at := 0, s.start
	refreshAt, fadeAt := s.start, s.start+fadeSpan
	for pos := s.start; pos < s.end; {
		if pos >= refreshAt {
			if ctx.Err() != nil {
				return
			}
			p.set(&h)
			refreshAt = pos + priceSpan
		}
		if pos >= fadeAt {
			h.fade()
			fadeAt = pos + fadeSpan
		}
		pos += p.batch(pos)
		for ; counted < len(p.seqs); counted++ {
			q := p.seqs[counted]
			h.add(q, reps.value(q.dist, q.literals), s.data[at:at+int(q.literals)])
			at += int(q.literals + q.length)
		}
	}
	p.finish()
}

// guess counts what a block may be like before it is parsed: of its bytes one in
// four is a literal, and the rest follows the tables that the format defines.
func (h *histogram) guess(b []byte) {
	for i := 0; i < len(b); i += 16 {
		h.lit[b[i]]++
	}
	for k := range kinds {
		counts := h.kind(k)
		for s, n := range kinds[k].base.norm {
			counts[s] = uint32(max(n, 1)) * 4
		}
	}
}
