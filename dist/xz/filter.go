package xz

import (
	"encoding/binary"
	"fmt"
	"io"
)

// byteFilter changes bytes in place. It returns how many bytes at the start of
// b are final; it is called again with the rest and what follows it. At the
// end of a block, the bytes that are left stay as they are.
type byteFilter interface {
	apply(b []byte) int
}

// pieces is a source of decoded bytes. A piece is valid until the next call;
// io.EOF marks the end.
type pieces interface {
	piece() ([]byte, error)
}

// newByteFilter returns the filter f for encoding or decoding.
func newByteFilter(f filter, encode bool) (byteFilter, error) {
	switch {
	case f.id == filterDelta && len(f.props) == 1:
		return &delta{distance: int(f.props[0]) + 1, encode: encode}, nil
	case f.id == filterX86 || f.id == filterARM64:
		start, err := branchStart(f)
		if err != nil {
			return nil, err
		}
		if f.id == filterX86 {
			return newX86(start, encode), nil
		}
		return &arm64{pc: start, encode: encode}, nil
	}
	return nil, fmt.Errorf("filter with id %#x and properties %x: %w", f.id, f.props, errUnsupported)
}

// branchStart is the start offset in the properties of a branch filter.
func branchStart(f filter) (uint32, error) {
	switch len(f.props) {
	case 0:
		return 0, nil
	case 4:
		start := binary.LittleEndian.Uint32(f.props)
		if f.id == filterARM64 && start%4 != 0 {
			return 0, fmt.Errorf("ARM64 filter starts at %d, want a multiple of 4", start)
		}
		return start, nil
	}
	return 0, fmt.Errorf("filter with id %#x and properties %x: %w", f.id, f.props, errUnsupported)
}

// filterPieces decodes a filter over a source of pieces.
type filterPieces struct {
	in     pieces
	filter byteFilter
	buf    []byte
	final  int // bytes of buf that were given out
	ended  bool
}

func (f *filterPieces) piece() ([]byte, error) {
	for {
		f.buf = append(f.buf[:0], f.buf[f.final:]...)
		f.final = 0
		if f.ended {
			return nil, io.EOF
		}
		b, err := f.in.piece()
		if err != nil && err != io.EOF {
			return nil, err
		}
		f.buf = append(f.buf, b...)
		f.final = f.filter.apply(f.buf)
		if err == io.EOF {
			f.ended = true
			f.final = len(f.buf)
		}
		if f.final > 0 {
			return f.buf[:f.final], nil
		}
	}
}

// delta is the delta filter: each byte minus the one distance before.
type delta struct {
	distance int
	encode   bool
	last     [256]byte // the last bytes before filtering (encode) or after it
	pos      byte
}

func (d *delta) apply(b []byte) int {
	for i, v := range b {
		old := d.last[d.pos-byte(d.distance)]
		if d.encode {
			d.last[d.pos] = v
			b[i] = v - old
		} else {
			b[i] = v + old
			d.last[d.pos] = b[i]
		}
		d.pos++
	}
	return len(b)
}
