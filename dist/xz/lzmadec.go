package xz

import "errors"

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

// run decodes symbols until the window is filled up to limit. It is one long
// function because its variables would else go through memory once per symbol.
func (d *symbolDecoder) run(limit int) error {
	if d.copying > 0 {
		d.copyMatch(limit)
	}
	c, win, pos, st := d.rangeDecoder, d.win, d.pos, uint32(d.state)
	prev := uint32(d.previous())
	for pos < limit {
		at := uint32(pos - d.start)
		posState := at & d.posMask
		c = c.normalize()
		p := &d.isMatch[st<<4|posState]
		bound := c.bound(p)
		if c.code < bound {
			ctx := (at&d.litMask)<<(d.lc%8) + prev>>((8-d.lc)%32)
			probs := (*[literalCoder]prob)(d.literals[ctx*literalCoder:])
			var inverted uint
			if c = c.below(p, bound); state(st).isLiteral() {
				c, inverted = tree(c, plainLiterals(probs), 1)
			} else {
				c, inverted = c.matchedLiteral(probs, uint(win[d.source(pos)]))
			}
			prev = ^uint32(inverted) & 0xFF
			win[pos] = byte(prev)
			pos++
			st = uint32(afterLiteral[st%16])
			continue
		}
		c = c.above(p, bound).normalize()
		var length uint
		p = &d.isRep[st]
		bound = c.bound(p)
		if c.code < bound {
			c, length = d.match(c.below(p, bound), posState)
			st = uint32(afterMatch[st%16])
		} else if c, length = d.rep(c.above(p, bound), st, posState); length == 1 {
			st = uint32(afterShortRep[st%16])
		} else {
			st = uint32(afterRep[st%16])
		}
		dist := uint(d.reps[0])
		if dist >= uint(pos-d.start) || dist >= uint(d.dict) {
			return errDistance
		}
		from := d.source(pos)
		if length <= copySlack && dist >= copySlack/2 && pos+copySlack <= limit && from+copySlack <= len(win) {
			// Most matches are short, and how short is hard to predict.
			*(*[16]byte)(win[pos:]) = *(*[16]byte)(win[from:])
			*(*[16]byte)(win[pos+16:]) = *(*[16]byte)(win[from+16:])
			pos += int(length)
		} else {
			d.pos, d.copying = pos, int(length)
			d.copyMatch(limit)
			pos = d.pos
		}
		prev = uint32(win[pos-1])
	}
	d.rangeDecoder, d.pos, d.state = c, pos, state(st)
	return nil
}

// source is where the match at the last distance takes its byte for pos from.
func (d *symbolDecoder) source(pos int) int {
	from := pos - int(d.reps[0]) - 1
	if from < 0 {
		from += len(d.win)
	}
	return from
}

// match decodes the length and distance of a new match.
func (d *symbolDecoder) match(c rangeDecoder, posState uint32) (rangeDecoder, uint) {
	c, length := c.length(&d.matchLen, posState)
	c, slot := tree(c, &d.distSlot[distState(uint32(length))], 1)
	slot = ^slot % distSlots
	d.reps[3], d.reps[2], d.reps[1] = d.reps[2], d.reps[1], d.reps[0]
	d.reps[0] = uint32(slot)
	if slot < distModelFrom {
		return c, length
	}
	n := slot>>1 - 1
	base := (2 | slot&1) << (n % 32)
	var low uint
	if slot < distModelEnd {
		c, low = c.reverseTree(d.distSmall[base-slot:], n)
	} else {
		c, low = c.direct(n - alignBits)
		base += low << alignBits
		c, low = c.align(&d.distAlign)
	}
	d.reps[0] = uint32(base + low)
	return c, length
}

// rep decodes the rest of a repeated match. It makes the distance the newest and
// returns the length, which is 1 only for a short repeat.
func (d *symbolDecoder) rep(c rangeDecoder, st, posState uint32) (rangeDecoder, uint) {
	c, older := c.normalize().bit(&d.isRepG0[st])
	if !older {
		c, long := c.normalize().bit(&d.isRep0Long[st<<4|posState])
		if !long {
			return c, 1
		}
		return c.length(&d.repLen, posState)
	}
	r := d.reps
	if c, older = c.normalize().bit(&d.isRepG1[st]); !older {
		d.reps = [numReps]uint32{r[1], r[0], r[2], r[3]}
	} else if c, older = c.normalize().bit(&d.isRepG2[st]); !older {
		d.reps = [numReps]uint32{r[2], r[0], r[1], r[3]}
	} else {
		d.reps = [numReps]uint32{r[3], r[0], r[1], r[2]}
	}
	return c.length(&d.repLen, posState)
}

// copyMatch copies as much of the current match as fits before limit.
func (d *symbolDecoder) copyMatch(limit int) {
	n := min(d.copying, limit-d.pos)
	d.copying -= n
	end := d.pos + n
	from := d.source(d.pos)
	if from >= d.pos {
		d.pos += copy(d.win[d.pos:end], d.win[from:])
		from = 0
	}
	// A match may overlap itself: what is copied doubles as it goes.
	for d.pos < end {
		d.pos += copy(d.win[d.pos:end], d.win[from:d.pos])
	}
}
