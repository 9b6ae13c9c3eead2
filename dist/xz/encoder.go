package xz

// op is one step of a parse: literals plain bytes, then a match of length
// bytes at dist (counted from 1). length 0 means that the literals end a slice
// of the input. length 1 is LZMA's short repeat and needs dist == the last
// distance.
//
// Ops name distances, not repeats: the encoder codes a match as a repeat
// whenever its distance is one of the last four.
type op struct {
	literals uint32
	length   uint32
	dist     uint32
}

// symbolEncoder turns ops into range coded LZMA symbols.
type symbolEncoder struct {
	rangeEncoder
	model
	reps    [numReps]uint32 // last distances, counted from 0
	state   state
	lc      uint
	litMask uint32 // position bits of a literal context
	posMask uint32
}

// resetState starts from even probabilities, as a state reset chunk does.
func (e *symbolEncoder) resetState(p props) {
	e.model.reset()
	e.reps = [numReps]uint32{}
	e.state = 0
	e.lc = uint(p.lc)
	e.litMask = 1<<p.lp - 1
	e.posMask = 1<<p.pb - 1
}

// literalProbs returns the context of the literal at pos. posBits and prev
// (the byte before) choose it.
func (e *symbolEncoder) literalProbs(pos uint32, prev byte) *[literalCoder]prob {
	ctx := (pos&e.litMask)<<e.lc + uint32(prev)>>(8-e.lc)
	return (*[literalCoder]prob)(e.literals[ctx*literalCoder:])
}

// encodeLiteral codes data[i]. pos is the position since the block's start, or
// anything equal to it modulo posStatesMax.
func (e *symbolEncoder) encodeLiteral(data []byte, i int, pos uint32) {
	e.bit(&e.isMatch[uint32(e.state)<<4|pos&e.posMask], 0)
	var prev byte
	if i > 0 {
		prev = data[i-1]
	}
	probs := e.literalProbs(pos, prev)
	if e.state.isLiteral() {
		e.literal(probs, uint32(data[i]))
	} else {
		e.matchedLiteral(probs, uint32(data[i]), uint32(data[i-int(e.reps[0])-1]))
	}
	e.state = afterLiteral[e.state&15]
}

// encodeMatch codes a match or a repeat; dist counts from 0.
func (e *symbolEncoder) encodeMatch(pos, length, dist uint32) {
	posState := pos & e.posMask
	s := uint32(e.state)
	e.bit(&e.isMatch[s<<4|posState], 1)
	switch dist {
	case e.reps[0]:
		e.bit(&e.isRep[s], 1)
		e.bit(&e.isRepG0[s], 0)
		if length == 1 {
			e.bit(&e.isRep0Long[s<<4|posState], 0)
			e.state = afterShortRep[s&15]
			return
		}
		e.bit(&e.isRep0Long[s<<4|posState], 1)
	case e.reps[1]:
		e.bit(&e.isRep[s], 1)
		e.bit(&e.isRepG0[s], 1)
		e.bit(&e.isRepG1[s], 0)
		e.reps[1] = e.reps[0]
		e.reps[0] = dist
	case e.reps[2]:
		e.bit(&e.isRep[s], 1)
		e.bit(&e.isRepG0[s], 1)
		e.bit(&e.isRepG1[s], 1)
		e.bit(&e.isRepG2[s], 0)
		e.reps[2], e.reps[1], e.reps[0] = e.reps[1], e.reps[0], dist
	case e.reps[3]:
		e.bit(&e.isRep[s], 1)
		e.bit(&e.isRepG0[s], 1)
		e.bit(&e.isRepG1[s], 1)
		e.bit(&e.isRepG2[s], 1)
		e.reps[3], e.reps[2], e.reps[1], e.reps[0] = e.reps[2], e.reps[1], e.reps[0], dist
	default:
		e.bit(&e.isRep[s], 0)
		e.encodeLength(&e.matchLen, length, posState)
		e.encodeDistance(length, dist)
		e.reps[3], e.reps[2], e.reps[1], e.reps[0] = e.reps[2], e.reps[1], e.reps[0], dist
		e.state = afterMatch[s&15]
		return
	}
	e.encodeLength(&e.repLen, length, posState)
	e.state = afterRep[s&15]
}

func (e *symbolEncoder) encodeLength(m *lengthModel, length, posState uint32) {
	length -= minMatch
	switch {
	case length < lenLow:
		e.bit(&m.choice, 0)
		e.tree(m.low[posState<<lenLowBits:], lenLowBits, length)
	case length < lenLow+lenMid:
		e.bit(&m.choice, 1)
		e.bit(&m.choice2, 0)
		e.tree(m.mid[posState<<lenMidBits:], lenMidBits, length-lenLow)
	default:
		e.bit(&m.choice, 1)
		e.bit(&m.choice2, 1)
		e.tree(m.high[:], lenHighBits, length-lenLow-lenMid)
	}
}

func (e *symbolEncoder) encodeDistance(length, dist uint32) {
	slot := distSlot(dist)
	e.tree(e.distSlot[distState(length)][:], distSlotBits, slot)
	if slot < distModelFrom {
		return
	}
	n := uint(slot>>1 - 1)
	base := (2 | slot&1) << n
	if slot < distModelEnd {
		e.reverseTree(e.distSmall[base-slot:], n, dist-base)
		return
	}
	e.direct((dist-base)>>alignBits, n-alignBits)
	e.reverseTree(e.distAlign[:], alignBits, dist&(alignSize-1))
}
