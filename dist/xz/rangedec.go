package xz

import "math/bits"

// rangeDecoder is the inverse of rangeEncoder. in holds one whole chunk and
// symbolCodedMax bytes of slack, so that no symbol can read past its end;
// whoever drives the decoder checks next after each symbol.
type rangeDecoder struct {
	width uint32
	code  uint32
	in    []byte
	next  int // index of the next byte of in
}

// rangeHeader is how many bytes of a sequence come before the first symbol.
const rangeHeader = 5

// reset starts on in, which must hold at least rangeHeader bytes.
func (d *rangeDecoder) reset(in []byte) bool {
	d.width = 0xFFFFFFFF
	d.code = uint32(in[1])<<24 | uint32(in[2])<<16 | uint32(in[3])<<8 | uint32(in[4])
	d.in, d.next = in, rangeHeader
	return in[0] == 0
}

// The bit decoders below avoid branches on the decoded bit, which are hard to
// predict. zero is all ones if the bit is 0, from the borrow of code - bound.
// Moving the probability p by (p - (zero & probShift)) >> probMove, with the
// sign kept, equals both updates of the format.
const probShift = 1<<probBits - 1<<probMove + 1

// bit decodes one bit.
func (d *rangeDecoder) bit(p *prob) uint32 {
	if d.width < topValue {
		d.width <<= 8
		d.code = d.code<<8 | uint32(d.in[d.next])
		d.next++
	}
	v := uint32(*p)
	bound := (d.width >> probBits) * v
	if d.code < bound {
		d.width = bound
		*p = prob(v + (1<<probBits-v)>>probMove)
		return 0
	}
	d.width -= bound
	d.code -= bound
	*p = prob(v - v>>probMove)
	return 1
}

// tree decodes n bits, most significant first.
func (d *rangeDecoder) tree(probs []prob, n uint) uint32 {
	width, code, next, in := d.width, d.code, d.next, d.in
	node := uint32(1)
	for range n {
		if width < topValue {
			width <<= 8
			code = code<<8 | uint32(in[next])
			next++
		}
		p := &probs[node]
		v := uint32(*p)
		bound := (width >> probBits) * v
		rest, borrow := bits.Sub64(uint64(code), uint64(bound), 0)
		zero := uint32(-borrow)
		width = width - bound + (2*bound-width)&zero
		code = uint32(rest) + bound&zero
		*p = prob(int32(v) - int32(v-zero&probShift)>>probMove)
		node = node<<1 + 1 + zero
	}
	d.width, d.code, d.next = width, code, next
	return node - 1<<n
}

// reverseTree decodes n bits, least significant first.
func (d *rangeDecoder) reverseTree(probs []prob, n uint) uint32 {
	width, code, next, in := d.width, d.code, d.next, d.in
	node, v := uint32(1), uint32(0)
	for i := range n {
		if width < topValue {
			width <<= 8
			code = code<<8 | uint32(in[next])
			next++
		}
		p := &probs[node]
		old := uint32(*p)
		bound := (width >> probBits) * old
		rest, borrow := bits.Sub64(uint64(code), uint64(bound), 0)
		zero := uint32(-borrow)
		width = width - bound + (2*bound-width)&zero
		code = uint32(rest) + bound&zero
		*p = prob(int32(old) - int32(old-zero&probShift)>>probMove)
		node = node<<1 + 1 + zero
		v |= (1 + zero) << i
	}
	d.width, d.code, d.next = width, code, next
	return v
}

// direct decodes n bits without probabilities.
func (d *rangeDecoder) direct(n uint) uint32 {
	width, code, next, in := d.width, d.code, d.next, d.in
	v := uint32(0)
	for range n {
		if width < topValue {
			width <<= 8
			code = code<<8 | uint32(in[next])
			next++
		}
		width >>= 1
		rest, borrow := bits.Sub64(uint64(code), uint64(width), 0)
		zero := uint32(-borrow)
		code = uint32(rest) + width&zero
		v = v<<1 + 1 + zero
	}
	d.width, d.code, d.next = width, code, next
	return v
}
