package xz

import "math/bits"

// rangeEncoder is LZMA's binary range coder. Its output grows in buf.
//
// low has 33 bits in use: bit 32 is a carry into bytes that are already
// decided but held back (cache and the 0xFF bytes counted by pending).
type rangeEncoder struct {
	low     uint64
	width   uint32
	cache   byte
	pending int64 // bytes held back, cache included
	buf     []byte
}

// reset starts a new coded sequence; the capacity of buf is kept.
func (e *rangeEncoder) reset() {
	*e = rangeEncoder{width: 0xFFFFFFFF, pending: 1, buf: e.buf[:0]}
}

// size is the number of bytes the sequence would have if it ended now.
func (e *rangeEncoder) size() int { return len(e.buf) + int(e.pending) + 4 }

// shiftLow moves the top byte of low out, resolving a carry.
func (e *rangeEncoder) shiftLow() {
	if e.low < 0xFF000000 || e.low > 0xFFFFFFFF {
		carry := byte(e.low >> 32)
		e.buf = append(e.buf, e.cache+carry)
		for e.pending > 1 {
			e.buf = append(e.buf, 0xFF+carry)
			e.pending--
		}
		e.pending = 0
		e.cache = byte(e.low >> 24)
	}
	e.pending++
	e.low = (e.low & 0x00FFFFFF) << 8
}

// finish writes the bytes a decoder needs to tell the last symbol.
func (e *rangeEncoder) finish() {
	for range 5 {
		e.shiftLow()
	}
}

// bit codes one bit with an adaptive probability.
func (e *rangeEncoder) bit(p *prob, bit uint32) {
	v := uint32(*p)
	bound := (e.width >> probBits) * v
	if bit == 0 {
		e.width = bound
		*p = prob(v + (1<<probBits-v)>>probMove)
	} else {
		e.low += uint64(bound)
		e.width -= bound
		*p = prob(v - v>>probMove)
	}
	if e.width < topValue {
		e.width <<= 8
		e.shiftLow()
	}
}

// tree codes the low n bits of symbol, most significant first, with a binary
// tree of 1<<n probabilities.
func (e *rangeEncoder) tree(probs []prob, n uint, symbol uint32) {
	node := uint32(1)
	for n > 0 {
		n--
		b := symbol >> n & 1
		e.bit(&probs[node], b)
		node = node<<1 | b
	}
}

// reverseTree codes the low n bits of symbol, least significant first. As in
// tree, probs[0] is not part of the tree.
func (e *rangeEncoder) reverseTree(probs []prob, n uint, symbol uint32) {
	node := uint32(1)
	for range n {
		b := symbol & 1
		symbol >>= 1
		e.bit(&probs[node], b)
		node = node<<1 | b
	}
}

// direct codes the low n bits of v, most significant first, each as likely
// zero as one.
func (e *rangeEncoder) direct(v uint32, n uint) {
	for n > 0 {
		n--
		e.width >>= 1
		e.low += uint64(e.width & -(v >> n & 1))
		if e.width < topValue {
			e.width <<= 8
			e.shiftLow()
		}
	}
}

// literal codes the eight bits of a plain literal. Literal bits are hard to
// predict, so this is written without branches on them and keeps the coder's
// registers local.
func (e *rangeEncoder) literal(probs *[literalCoder]prob, symbol uint32) {
	low, width := e.low, e.width
	node := uint32(1)
	for i := 7; i >= 0; i-- {
		b := symbol >> (uint(i) & 7) & 1
		p := &probs[node]
		v := uint32(*p)
		mask := -b
		bound := (width >> probBits) * v
		low += uint64(bound & mask)
		width = bound + (width-2*bound)&mask
		*p = prob(v + (((1<<probBits - v) >> probMove) &^ mask) - (v>>probMove)&mask)
		node = node<<1 | b
		if width < topValue {
			width <<= 8
			e.low = low
			e.shiftLow()
			low = e.low
		}
	}
	e.low, e.width = low, width
}

// matchedLiteral codes a literal that follows a match: as long as its bits
// agree with those of matchByte (the byte at distance rep0) they use
// probabilities of their own.
func (e *rangeEncoder) matchedLiteral(probs *[literalCoder]prob, symbol, matchByte uint32) {
	low, width := e.low, e.width
	offs := uint32(0x100)
	node := uint32(1)
	for i := 7; i >= 0; i-- {
		matchByte <<= 1
		b := symbol >> (uint(i) & 7) & 1
		mask := -b
		p := &probs[offs+matchByte&offs+node]
		v := uint32(*p)
		bound := (width >> probBits) * v
		low += uint64(bound & mask)
		width = bound + (width-2*bound)&mask
		*p = prob(v + (((1<<probBits - v) >> probMove) &^ mask) - (v>>probMove)&mask)
		node = node<<1 | b
		offs &= ^(matchByte ^ mask)
		if width < topValue {
			width <<= 8
			e.low = low
			e.shiftLow()
			low = e.low
		}
	}
	e.low, e.width = low, width
}

// distSlot returns the slot of a distance that is counted from 0: the number
// of its highest bit and the bit below.
func distSlot(dist uint32) uint32 {
	if dist < distModelFrom {
		return dist
	}
	n := uint32(bits.Len32(dist)) - 1
	return n<<1 | dist>>(n-1)&1
}
