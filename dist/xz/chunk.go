package xz

// Limits of one LZMA2 chunk (xz-file-format and liblzma's lzma2_encoder).
const (
	chunkRawMax    = 2 << 20  // uncompressed bytes of an LZMA chunk
	chunkCodedMax  = 64 << 10 // compressed bytes, and size of a stored chunk
	symbolCodedMax = 128      // more than any one symbol can take
)

// Control bytes of LZMA2.
const (
	controlEnd         = 0x00
	controlStoredReset = 0x01 // stored, dictionary reset
	controlStored      = 0x02
	controlLZMA        = 0x80 // continue with the state as it is
	controlState       = 0xA0 // reset the state
	controlProps       = 0xC0 // reset the state, new properties
	controlDict        = 0xE0 // reset the dictionary too
)

// chunkEncoder writes parsed input as LZMA2 chunks to out.
type chunkEncoder struct {
	symbolEncoder
	props     props
	out       []byte
	data      []byte // what positions and distances refer to
	start     int    // of the chunk being filled, in data
	pos       int    // next byte of data to encode
	needDict  bool
	needProps bool
	needState bool
}

// reset prepares for input that starts at data[pos]. Bytes before pos are
// dictionary; data[0] is a multiple of posStatesMax bytes into the block. If dict
// is false, the chunks continue the dictionary of earlier chunks of the block, and
// only the state is reset.
func (c *chunkEncoder) reset(p props, data []byte, pos int, dict bool, out []byte) {
	c.props = p
	c.data, c.pos, c.start = data, pos, pos
	c.out = out
	c.needDict, c.needProps, c.needState = dict, true, true
	c.beginChunk()
}

func (c *chunkEncoder) beginChunk() {
	c.start = c.pos
	c.rangeEncoder.reset()
	if c.needState {
		c.resetState(c.props)
	}
}

// isNew reports whether all probabilities are as they start.
func (c *chunkEncoder) isNew() bool { return c.needState && c.pos == c.start }

// use codes what follows with p. If that is new, the chunk ends.
func (c *chunkEncoder) use(p props) {
	if p == c.props {
		return
	}
	c.closeChunk()
	c.props = p
	c.needProps, c.needState = true, true
	c.beginChunk()
}

// rewind goes back to pos but keeps the probabilities.
func (c *chunkEncoder) rewind(pos int) {
	c.pos, c.needState = pos, false
	c.state, c.reps = 0, [numReps]uint32{}
	c.beginChunk()
}

// encode codes the ops, which must continue the input where the last ones
// ended.
func (c *chunkEncoder) encode(ops []op) {
	for i := range ops {
		o := &ops[i]
		for range o.literals {
			c.encodeLiteral(c.data, c.pos, uint32(c.pos))
			c.pos++
			c.closeIfFull()
		}
		switch {
		case o.length == 0:
		case o.length == 1 && o.dist-1 != c.reps[0]:
			// A stored chunk has reset the distances since the parse.
			c.encodeLiteral(c.data, c.pos, uint32(c.pos))
			c.pos++
			c.closeIfFull()
		default:
			c.encodeMatch(uint32(c.pos), o.length, o.dist-1)
			c.pos += int(o.length)
			c.closeIfFull()
		}
	}
}

func (c *chunkEncoder) closeIfFull() {
	if c.size() > chunkCodedMax-symbolCodedMax || c.pos-c.start > chunkRawMax-maxMatch {
		c.closeChunk()
	}
}

// closeChunk ends the chunk and starts the next. Input that LZMA makes no
// smaller is stored.
func (c *chunkEncoder) closeChunk() {
	raw := c.pos - c.start
	if raw == 0 {
		return
	}
	c.rangeEncoder.finish()
	coded := len(c.buf)
	if coded >= raw {
		c.store(raw)
		c.needState = true
	} else {
		c.writeLZMA(raw, coded)
	}
	c.beginChunk()
}

func (c *chunkEncoder) writeLZMA(raw, coded int) {
	control := byte(controlLZMA)
	switch {
	case c.needDict:
		control = controlDict
	case c.needProps:
		control = controlProps
	case c.needState:
		control = controlState
	}
	u, z := raw-1, coded-1
	c.out = append(c.out, control|byte(u>>16), byte(u>>8), byte(u), byte(z>>8), byte(z))
	if control >= controlProps {
		c.out = append(c.out, c.props.byte())
	}
	c.out = append(c.out, c.buf...)
	c.needDict, c.needProps, c.needState = false, false, false
}

func (c *chunkEncoder) store(raw int) {
	for i := c.start; i < c.start+raw; {
		n := min(raw-(i-c.start), chunkCodedMax)
		control := byte(controlStored)
		if c.needDict {
			control = controlStoredReset
		}
		c.needDict = false
		c.out = append(c.out, control, byte((n-1)>>8), byte(n-1))
		c.out = append(c.out, c.data[i:i+n]...)
		i += n
	}
}
