package xz

import (
	"errors"
	"fmt"
	"io"
)

// pieces is a source of decoded bytes. A piece is valid until the next call;
// io.EOF marks the end.
type pieces interface {
	piece() ([]byte, error)
}

// chunkDecoder decodes the LZMA2 chunks of one block.
type chunkDecoder struct {
	symbolDecoder
	src       *source
	coded     []byte // of the current chunk, and slack
	codedSize int
	rawLeft   int // bytes the current chunk has still to give
	stored    bool
	needDict  bool
	needProps bool
	winMax    int // size at which the window wraps
}

// Windows start small, so that a header that promises much costs nothing.
const firstWindow = 256 << 10

// newChunkDecoder decodes from src with a dictionary of dictSize bytes. rawSize
// is the block's uncompressed size, or negative if it is not known.
func newChunkDecoder(src *source, dictSize, rawSize int64) *chunkDecoder {
	c := &chunkDecoder{src: src, winMax: windowSize(dictSize, rawSize)}
	c.dict = int(min(dictSize, int64(c.winMax)))
	c.coded = make([]byte, chunkCodedMax+symbolCodedMax)
	c.win = make([]byte, min(c.winMax, firstWindow))
	c.needDict, c.needProps = true, true
	return c
}

// windowSize is a multiple of posStatesMax wherever the window may wrap.
func windowSize(dictSize, rawSize int64) int {
	ring := (dictSize+posStatesMax-1)&^(posStatesMax-1) + copySlack
	if rawSize >= 0 {
		ring = min(ring, max(rawSize, 1))
	}
	return int(ring)
}

// piece decodes up to the end of the chunk or of the window.
func (c *chunkDecoder) piece() ([]byte, error) {
	for c.rawLeft == 0 {
		if err := c.nextChunk(); err != nil {
			return nil, err
		}
	}
	if c.pos == len(c.win) {
		c.growOrWrap()
	}
	begin := c.pos
	limit := min(c.pos+c.rawLeft, len(c.win))
	if c.stored {
		if err := c.src.full(c.win[begin:limit]); err != nil {
			return nil, err
		}
		c.pos = limit
	} else if err := c.run(limit, c.codedSize); err != nil {
		return nil, err
	}
	c.rawLeft -= limit - begin
	if c.rawLeft == 0 && !c.stored {
		return c.win[begin:limit], c.checkEnd()
	}
	return c.win[begin:limit], nil
}

func (c *chunkDecoder) growOrWrap() {
	if n := len(c.win); n < c.winMax {
		win := make([]byte, min(4*n, c.winMax))
		copy(win, c.win)
		c.win = win
		return
	}
	c.pos = 0
	c.start -= len(c.win)
}

// checkEnd verifies that the symbols used exactly the chunk's input.
func (c *chunkDecoder) checkEnd() error {
	if c.width < topValue {
		c.code = c.code<<8 | uint32(c.in[c.next])
		c.next++
	}
	switch {
	case c.next > c.codedSize:
		return errOverrun
	case c.next < c.codedSize || c.code != 0:
		return errors.New("compressed data does not end with its chunk")
	case c.copying > 0:
		return errors.New("match reaches past the end of its chunk")
	}
	return nil
}

// nextChunk reads a chunk's header and, unless it is stored, its input.
func (c *chunkDecoder) nextChunk() error {
	control, err := c.src.byte()
	if err != nil {
		return err
	}
	if control == controlEnd {
		return io.EOF
	}
	if control >= controlDict || control == controlStoredReset {
		c.start = c.pos
		c.needDict, c.needProps = false, true
	} else if c.needDict {
		return errors.New("first chunk does not reset the dictionary")
	}
	var size [2]byte
	if err := c.src.full(size[:]); err != nil {
		return err
	}
	c.rawLeft = int(size[0])<<8 + int(size[1]) + 1
	c.stored = control < controlLZMA
	if !c.stored {
		c.rawLeft += int(control&0x1F) << 16
		return c.beginLZMA(control)
	}
	if control > controlStored {
		return fmt.Errorf("unknown control byte %#02x", control)
	}
	// Symbols after a stored chunk need a fresh state only if the next chunk
	// says so: the format leaves the state as it was.
	return nil
}

func (c *chunkDecoder) beginLZMA(control byte) error {
	var size [2]byte
	if err := c.src.full(size[:]); err != nil {
		return err
	}
	c.codedSize = int(size[0])<<8 + int(size[1]) + 1
	switch {
	case control >= controlProps:
		b, err := c.src.byte()
		if err != nil {
			return err
		}
		p, ok := parseProps(b)
		if !ok {
			return fmt.Errorf("invalid LZMA properties %#02x", b)
		}
		c.resetState(p)
		c.needProps = false
	case c.needProps:
		return errors.New("chunk has no LZMA properties after a dictionary reset")
	case control >= controlState:
		c.resetState(c.props)
	}
	if c.codedSize < rangeHeader {
		return errOverrun
	}
	if err := c.src.full(c.coded[:c.codedSize]); err != nil {
		return err
	}
	clear(c.coded[c.codedSize:min(c.codedSize+symbolCodedMax, len(c.coded))])
	if !c.rangeDecoder.reset(c.coded) {
		return errors.New("range coder does not start with a zero byte")
	}
	return nil
}
