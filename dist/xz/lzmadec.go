package xz

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// symbolDecoder decodes LZMA symbols into a window.
//
// The window is a ring: it starts empty, grows as it fills and wraps at its
// final size. That size is either the whole output or the dictionary and some
// slack, because copies of matches may write up to copySlack bytes too far.
type symbolDecoder struct {
	rangeDecoder
	model
	reps    [numReps]uint32 // last distances, counted from 0
	state   state
	props   props
	lc      uint
	litMask uint32
	posMask uint32

	win     []byte
	pos     int // where the next byte goes, in win
	start   int // where the dictionary started; below zero after a wrap
	dict    int // greatest distance allowed, at most len(win)
	copying int // bytes of the last match that did not fit before limit
}

const copySlack = 32

var (
	errDistance = errors.New("match reaches before the start of the dictionary")
	errOverrun  = errors.New("compressed data runs past the end of its chunk")
)

// resetState starts a new state with properties p.
func (d *symbolDecoder) resetState(p props) {
	d.model.reset()
	d.reps = [numReps]uint32{}
	d.state = 0
	d.props = p
	d.lc = uint(p.lc)
	d.litMask = 1<<p.lp - 1
	d.posMask = 1<<p.pb - 1
}

// previous is the byte before pos, zero at the start of a dictionary.
func (d *symbolDecoder) previous() byte {
	switch {
	case d.pos == d.start:
		return 0
	case d.pos == 0:
		return d.win[len(d.win)-1]
	}
	return d.win[d.pos-1]
}

// run decodes symbols until the window is filled up to limit. end is where the
// chunk's input ends.
func (d *symbolDecoder) run(limit, end int) error {
	if d.copying > 0 {
		d.copyMatch(limit)
	}
	for d.pos < limit {
		if d.next > end {
			return errOverrun
		}
		at := uint32(d.pos-d.start) & d.posMask
		if d.bit(&d.isMatch[uint32(d.state)<<4|at]) == 0 {
			d.literals(limit, end)
			continue
		}
		length, err := d.match(at)
		if err != nil {
			return err
		}
		d.copying = length
		d.copyMatch(limit)
	}
	return nil
}

// match decodes the rest of a match after its first bit.
func (d *symbolDecoder) match(posState uint32) (int, error) {
	s := uint32(d.state)
	if d.bit(&d.isRep[s]) == 0 {
		length := d.length(&d.matchLen, posState)
		d.reps[3], d.reps[2], d.reps[1] = d.reps[2], d.reps[1], d.reps[0]
		d.reps[0] = d.distance(length)
		d.state = afterMatch[s&15]
		return int(length), d.checkDistance()
	}
	if d.bit(&d.isRepG0[s]) == 0 {
		if d.bit(&d.isRep0Long[s<<4|posState]) == 0 {
			d.state = afterShortRep[s&15]
			return 1, d.checkDistance()
		}
	} else {
		d.rotate(s)
	}
	d.state = afterRep[s&15]
	return int(d.length(&d.repLen, posState)), d.checkDistance()
}

// rotate decodes which of the last distances but the newest is repeated, and
// makes it the newest.
func (d *symbolDecoder) rotate(s uint32) {
	r := d.reps
	switch {
	case d.bit(&d.isRepG1[s]) == 0:
		d.reps = [numReps]uint32{r[1], r[0], r[2], r[3]}
	case d.bit(&d.isRepG2[s]) == 0:
		d.reps = [numReps]uint32{r[2], r[0], r[1], r[3]}
	default:
		d.reps = [numReps]uint32{r[3], r[0], r[1], r[2]}
	}
}

func (d *symbolDecoder) checkDistance() error {
	if dist := int(d.reps[0]); dist >= d.pos-d.start || dist >= d.dict {
		return errDistance
	}
	return nil
}

func (d *symbolDecoder) length(m *lengthModel, posState uint32) uint32 {
	if d.bit(&m.choice) == 0 {
		return minMatch + d.tree(m.low[posState<<lenLowBits:], lenLowBits)
	}
	if d.bit(&m.choice2) == 0 {
		return minMatch + lenLow + d.tree(m.mid[posState<<lenMidBits:], lenMidBits)
	}
	return minMatch + lenLow + lenMid + d.tree(m.high[:], lenHighBits)
}

func (d *symbolDecoder) distance(length uint32) uint32 {
	slot := d.tree(d.distSlot[distState(length)][:], distSlotBits)
	if slot < distModelFrom {
		return slot
	}
	n := uint(slot>>1 - 1)
	base := (2 | slot&1) << n
	if slot < distModelEnd {
		return base + d.reverseTree(d.distSmall[base-slot:], n)
	}
	base += d.direct(n-alignBits) << alignBits
	return base + d.reverseTree(d.distAlign[:], alignBits)
}

// copyMatch copies as much of the current match as fits before limit.
func (d *symbolDecoder) copyMatch(limit int) {
	n := min(d.copying, limit-d.pos)
	d.copying -= n
	win, pos := d.win, d.pos
	d.pos += n
	dist := int(d.reps[0]) + 1
	from := pos - dist
	if from < 0 {
		from += len(win)
		for ; n > 0 && from < len(win); n-- {
			win[pos] = win[from]
			pos++
			from++
		}
		if n == 0 {
			return
		}
		from = 0
	}
	switch {
	case n <= 16 && dist >= 8 && pos+16 <= len(win):
		binary.LittleEndian.PutUint64(win[pos:], binary.LittleEndian.Uint64(win[from:]))
		binary.LittleEndian.PutUint64(win[pos+8:], binary.LittleEndian.Uint64(win[from+8:]))
	case dist >= n:
		copy(win[pos:pos+n], win[from:from+n])
	default:
		// The match overlaps itself: what is copied doubles as it goes.
		for done := 0; done < n; {
			done += copy(win[pos+done:pos+n], win[from:pos+done])
		}
	}
}

// literals decodes the rest of a literal after its first bit, and all literals
// that follow at once.
func (d *symbolDecoder) literals(limit, end int) {
	width, code, next, in := d.width, d.code, d.next, d.in
	win, pos := d.win, d.pos
	prev := uint32(d.previous())
	st := d.state
	for {
		at := uint32(pos - d.start)
		ctx := (at&d.litMask)<<d.lc + prev>>(8-d.lc)
		probs := (*[literalCoder]prob)(d.model.literals[ctx*literalCoder:])
		node := uint32(1)
		offs, matched := uint32(0), uint32(0)
		if !st.isLiteral() {
			from := pos - int(d.reps[0]) - 1
			if from < 0 {
				from += len(win)
			}
			offs, matched = 0x100, uint32(win[from])
		}
		for range 8 {
			if width < topValue {
				width <<= 8
				code = code<<8 | uint32(in[next])
				next++
			}
			matched <<= 1
			p := &probs[offs+matched&offs+node]
			v := uint32(*p)
			bound := (width >> probBits) * v
			rest, borrow := bits.Sub64(uint64(code), uint64(bound), 0)
			zero := uint32(-borrow)
			width = width - bound + (2*bound-width)&zero
			code = uint32(rest) + bound&zero
			*p = prob(int32(v) - int32(v-zero&probShift)>>probMove)
			node = node<<1 + 1 + zero
			offs &= matched ^ zero
		}
		win[pos] = byte(node)
		prev = node & 0xFF
		pos++
		st = afterLiteral[st&15]
		if pos >= limit || next > end {
			break
		}
		// The first bit of the next symbol. If it is a match, leave its bit
		// undecoded for run.
		if width < topValue {
			width <<= 8
			code = code<<8 | uint32(in[next])
			next++
		}
		p := &d.isMatch[uint32(st)<<4|uint32(pos-d.start)&d.posMask]
		v := uint32(*p)
		bound := (width >> probBits) * v
		if code >= bound {
			break
		}
		width = bound
		*p = prob(v + (1<<probBits-v)>>probMove)
	}
	d.width, d.code, d.next = width, code, next
	d.pos, d.state = pos, st
}
