package xz

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// chunk is one LZMA2 chunk: what its header says, and its input.
type chunk struct {
	control byte
	props   props // if control says that it has some
	raw     int   // bytes after decoding
	coded   int   // bytes of in
	in      *[chunkCodedMax]byte
	end     int64 // offset of what follows the chunk, in the file
}

func (c *chunk) stored() bool { return c.control < controlLZMA }

// resetsDict reports whether nothing before the chunk is its dictionary.
func (c *chunk) resetsDict() bool {
	return c.control >= controlDict || c.control == controlStoredReset
}

// chunkReader reads the chunks of one block and verifies their order and sizes.
type chunkReader struct {
	src       *source
	end       int64 // offset that no chunk may pass, negative if not known
	rawStated int64 // size of the content, negative if not known
	rawRead   int64
	hasDict   bool
	hasProps  bool
}

// newChunkReader reads the chunks of a block with header bh, which begin next
// in src.
func newChunkReader(src *source, bh *blockHeader) chunkReader {
	r := chunkReader{src: src, end: -1, rawStated: bh.raw}
	if bh.coded >= 0 {
		r.end = src.offset + bh.coded
	}
	return r
}

// next reads a chunk, with its input to in. It returns io.EOF after the last
// one.
func (r *chunkReader) next(in *[chunkCodedMax]byte) (chunk, error) {
	control, err := r.src.byte()
	if err != nil {
		return chunk{}, err
	}
	c := chunk{control: control, in: in}
	switch {
	case control == controlEnd:
		return c, io.EOF
	case c.resetsDict():
		r.hasDict, r.hasProps = true, false
	case control > controlStored && c.stored():
		return c, fmt.Errorf("unknown control byte %#02x", control)
	case !r.hasDict:
		return c, errors.New("first chunk does not reset the dictionary")
	}
	if err := r.readHeader(&c); err != nil {
		return c, err
	}
	if err := r.src.full(in[:c.coded]); err != nil {
		return c, err
	}
	c.end = r.src.offset
	return c, r.account(&c)
}

// readHeader reads sizes and properties.
func (r *chunkReader) readHeader(c *chunk) error {
	var b [5]byte
	n := 2
	switch {
	case c.control >= controlProps:
		n = 5
	case !c.stored():
		n = 4
	}
	if err := r.src.full(b[:n]); err != nil {
		return err
	}
	c.raw = int(binary.BigEndian.Uint16(b[:])) + 1
	c.coded = c.raw
	if c.stored() {
		return nil
	}
	c.raw += int(c.control&0x1F) << 16
	c.coded = int(binary.BigEndian.Uint16(b[2:])) + 1
	if c.control >= controlProps {
		r.hasProps = true
		var ok bool
		if c.props, ok = parseProps(b[4]); !ok {
			return fmt.Errorf("invalid LZMA properties %#02x", b[4])
		}
	}
	if !r.hasProps {
		return errors.New("chunk has no LZMA properties after a dictionary reset")
	}
	if c.coded < rangeHeader {
		return errOverrun
	}
	return nil
}

// account compares the sizes so far with those that the block's header states.
func (r *chunkReader) account(c *chunk) error {
	if r.end >= 0 && c.end > r.end {
		return errors.New("block is larger than the compressed size that its header states")
	}
	r.rawRead += int64(c.raw)
	if r.rawStated >= 0 && r.rawRead > r.rawStated {
		return fmt.Errorf("block holds more than the %d bytes its header states", r.rawStated)
	}
	return nil
}

// chunkDecoder decodes chunks into a window.
type chunkDecoder struct {
	symbolDecoder
	winMax int // size at which the window wraps
}

// Windows start small and grow in large steps, so that a header that promises
// much costs nothing.
const (
	firstWindow  = 64 << 10
	windowGrowth = 64
)

// newChunkDecoder decodes with a dictionary of dictSize bytes into win, which
// grows up to winMax bytes.
func newChunkDecoder(dictSize int64, win []byte, winMax int64) *chunkDecoder {
	d := &chunkDecoder{winMax: int(winMax)}
	d.win, d.dict = win, int(min(dictSize, winMax))
	return d
}

// newWindow is a window for the first size bytes, made of spare if that is large
// enough.
func newWindow(size int64, spare []byte) []byte {
	if int64(cap(spare)) >= size {
		return spare[:size]
	}
	win := make([]byte, size)
	adviseHugePages(win)
	return win
}

// windowSize is how large the window of a block gets in bytes. If it does not
// hold the whole content, it has room for the chunks that are decoded ahead and
// the one that is in use.
func windowSize(bh *blockHeader, ahead int) int64 {
	ring := max(bh.dictSize, int64(ahead+1)*chunkRawMax) + copySlack
	if bh.raw >= 0 {
		ring = min(ring, max(bh.raw, 1))
	}
	return ring
}

// decode decodes a chunk. The pieces are parts of the window: one, but for the
// chunk that reaches its end.
func (d *chunkDecoder) decode(c chunk) ([][]byte, error) {
	if c.resetsDict() {
		d.start = d.pos
	}
	if !c.stored() {
		if err := d.begin(c); err != nil {
			return nil, err
		}
	}
	var pieces [][]byte
	for left := c.raw; left > 0; {
		if d.pos == len(d.win) {
			d.growOrWrap()
		}
		begin, limit := d.pos, min(d.pos+left, len(d.win))
		if c.stored() {
			d.pos += copy(d.win[begin:limit], c.in[c.coded-left:])
		} else if err := d.run(limit); err != nil {
			return nil, err
		}
		left -= limit - begin
		pieces = append(pieces, d.win[begin:limit])
	}
	if c.stored() {
		return pieces, nil
	}
	return pieces, d.checkEnd(c.coded)
}

// begin prepares for the symbols of a chunk.
func (d *chunkDecoder) begin(c chunk) error {
	switch {
	case c.control >= controlProps:
		d.resetState(c.props)
	case c.control >= controlState:
		d.resetState(d.props)
	}
	var ok bool
	if d.rangeDecoder, ok = newRangeDecoder(c.in); !ok {
		return errors.New("range coder does not start with a zero byte")
	}
	return nil
}

func (d *chunkDecoder) growOrWrap() {
	if n := len(d.win); n < d.winMax {
		win := newWindow(min(windowGrowth*int64(n), int64(d.winMax)), nil)
		copy(win, d.win)
		d.win = win
		return
	}
	// Where the dictionary started far enough back, only its place among
	// positions matters.
	d.pos = 0
	start := d.start - len(d.win)
	d.start = max(start, start%posStatesMax-(len(d.win)+posStatesMax)&^(posStatesMax-1))
}

// checkEnd verifies that the symbols used exactly the chunk's input.
func (d *chunkDecoder) checkEnd(coded int) error {
	d.rangeDecoder = d.normalize()
	switch {
	case d.next > uint(coded):
		return errOverrun
	case d.next < uint(coded) || d.code != 0:
		return errors.New("compressed data does not end with its chunk")
	case d.copying > 0:
		return errors.New("match reaches past the end of its chunk")
	}
	return nil
}
