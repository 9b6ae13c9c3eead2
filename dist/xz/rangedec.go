package xz

import (
	"encoding/binary"
	"math/bits"
)

// rangeDecoder is the inverse of rangeEncoder. Its methods take it by value and
// return it, so that it stays in registers from bit to bit: decoding is a chain
// in which each bit waits for the one before, and memory would make every link
// longer.
type rangeDecoder struct {
	width uint
	code  uint // less than width
	next  uint // index of the next byte of in
	in    *[chunkCodedMax]byte
}

// rangeHeader is how many bytes of a sequence come before the first symbol.
const rangeHeader = 5

// newRangeDecoder starts on the input of a chunk, which has at least rangeHeader
// bytes. Bits past its end come from what else is in the array: whoever drives
// the decoder compares next with the size when the chunk is done.
func newRangeDecoder(in *[chunkCodedMax]byte) (d rangeDecoder, ok bool) {
	d = rangeDecoder{width: 0xFFFFFFFF, next: rangeHeader, in: in}
	d.code = uint(binary.BigEndian.Uint32(in[1:]))
	return d, in[0] == 0
}

// normalize brings width to at least 24 bits, which the decoders of one bit
// expect.
func (d rangeDecoder) normalize() rangeDecoder {
	if d.width < topValue {
		d.width <<= 8
		d.code = d.code<<8 | uint(d.in[d.next%chunkCodedMax])
		d.next++
	}
	return d
}

// bound is what the code is compared with for a bit of probability p. Bits that
// decide what comes next are decoded by a branch on that, and below or above.
func (d rangeDecoder) bound(p *prob) uint { return (d.width >> probBits) * uint(*p) }

// below takes the bit 0.
func (d rangeDecoder) below(p *prob, bound uint) rangeDecoder {
	d.width = bound
	*p += (1<<probBits - *p) >> probMove
	return d
}

// above takes the bit 1.
func (d rangeDecoder) above(p *prob, bound uint) rangeDecoder {
	d.width -= bound
	d.code -= bound
	*p -= *p >> probMove
	return d
}

// bit is bound, and below or above.
func (d rangeDecoder) bit(p *prob) (rangeDecoder, bool) {
	bound := d.bound(p)
	if d.code < bound {
		return d.below(p, bound), false
	}
	return d.above(p, bound), true
}

// choose decodes a bit without a branch, as bits of symbols are hard to predict.
// v is its probability and moved what becomes of that; chosen is if0 or if1,
// and inverted the bit's inverse, which the comparison leaves in the carry.
//
// The compiler makes conditional moves of the if, as nothing is computed in it.
// The probability moves down by a part of its distance from 31, which rounds as
// the format wants, or up by a part of that from 2048.
func (d rangeDecoder) choose(v uint, if0, if1 prob) (_ rangeDecoder, moved prob, chosen, inverted uint) {
	bound := (d.width >> probBits) * v
	code, inverted := bits.Sub(d.code, bound, 0)
	const down, up = 1<<probMove - 1, 1 << probBits
	target := down + -inverted&(up-down)
	d.width -= bound
	chosen = uint(if1)
	if d.code < bound {
		d.width = bound
		code = d.code
		chosen = uint(if0)
	}
	d.code = code
	return d, prob(v + uint(int(target-v)>>probMove)), chosen, inverted
}

// symbolTree is a binary tree of as many probabilities as there are symbols.
type symbolTree interface {
	[lenLow]prob | [alignSize]prob | [distSlots]prob | [lenHigh]prob
}

// tree decodes the bits of a symbol that follow those in node, most significant
// first. It returns the symbol inverted, with a 1 above it.
//
// A node holds the inverses of the bits so far: that mirrors the table, which no
// one else sees, and lets an addition take the next bit from the carry. Both
// probabilities that may come next are loaded before the bit is known.
func tree[T symbolTree](d rangeDecoder, probs *T, node uint) (rangeDecoder, uint) {
	var moved prob
	var inverted uint
	size := uint(len(*probs))
	v := uint((*probs)[node%size])
	for node < size/2 {
		d = d.normalize()
		at := node
		d, moved, v, inverted = d.choose(v, (*probs)[2*node+1], (*probs)[2*node])
		node, _ = bits.Add(node, node, inverted)
		(*probs)[at] = moved
	}
	d = d.normalize()
	d, moved, _, inverted = d.choose(v, 0, 0)
	(*probs)[node%size] = moved
	node, _ = bits.Add(node, node, inverted)
	return d, node
}

// plainLiterals is the part of probs for literals after literals.
func plainLiterals(probs *[literalCoder]prob) *[0x100]prob { return (*[0x100]prob)(probs[:]) }

// matchedLiteral decodes a literal that follows a match, inverted and with a 1
// above it. As long as its bits agree with those of matched (the byte at
// distance rep0) they use probabilities of their own, and which ones is known
// before the bits are.
func (d rangeDecoder) matchedLiteral(probs *[literalCoder]prob, matched uint) (rangeDecoder, uint) {
	node := uint(1)
	matched = ^matched
	for node < 0x100 {
		d = d.normalize()
		expected := matched >> 7 & 1
		matched <<= 1
		p := &probs[0x100+expected<<8+node]
		var inverted uint
		d, *p, _, inverted = d.choose(uint(*p), 0, 0)
		node = 2*node + expected
		if inverted != expected {
			node ^= 1
			break
		}
	}
	if node >= 0x100 {
		return d, node
	}
	return tree(d, plainLiterals(probs), node)
}

// length decodes a match length.
func (d rangeDecoder) length(m *lengthModel, posState uint32) (rangeDecoder, uint) {
	d = d.normalize()
	bound := d.bound(&m.choice)
	if d.code < bound {
		low := (*[lenLow]prob)(m.low[posState<<lenLowBits:])
		d, node := tree(d.below(&m.choice, bound), low, 1)
		return d, minMatch + ^node%lenLow
	}
	d = d.above(&m.choice, bound).normalize()
	bound = d.bound(&m.choice2)
	if d.code < bound {
		mid := (*[lenMid]prob)(m.mid[posState<<lenMidBits:])
		d, node := tree(d.below(&m.choice2, bound), mid, 1)
		return d, minMatch + lenLow + ^node%lenMid
	}
	d, node := tree(d.above(&m.choice2, bound), &m.high, 1)
	return d, minMatch + lenLow + lenMid + ^node%lenHigh
}

// reverseTree decodes n bits, least significant first.
func (d rangeDecoder) reverseTree(probs []prob, n uint) (rangeDecoder, uint) {
	node := uint(1)
	for range n {
		d = d.normalize()
		p := &probs[node]
		var inverted uint
		d, *p, _, inverted = d.choose(uint(*p), 0, 0)
		node, _ = bits.Add(node, node, inverted)
	}
	return d, reversed(node, n)
}

// align decodes alignBits bits, least significant first.
func (d rangeDecoder) align(probs *[alignSize]prob) (rangeDecoder, uint) {
	d, node := tree(d, probs, 1)
	return d, reversed(node, alignBits)
}

// reversed is the symbol of n bits, at most 8, whose inverse node holds from its
// lowest bit on.
func reversed(node, n uint) uint { return uint(bits.Reverse8(^uint8(node)) >> ((8 - n) % 8)) }

// direct decodes n bits without probabilities.
func (d rangeDecoder) direct(n uint) (rangeDecoder, uint) {
	var v, inverted uint
	for range n {
		d = d.normalize()
		d.width >>= 1
		code := d.code
		d.code, inverted = bits.Sub(code, d.width, 0)
		if code < d.width {
			d.code = code
		}
		v, _ = bits.Add(v, v, inverted)
	}
	return d, v ^ (1<<(n%32) - 1)
}
