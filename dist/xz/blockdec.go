package xz

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"slices"
)

// blockHeader is a parsed block header.
type blockHeader struct {
	size     int   // of the header itself, in bytes
	coded    int64 // size of the compressed data, negative if not stated
	raw      int64 // uncompressed size, negative if not stated
	filters  []filter
	dictSize int64
}

// errUnsupported is wrapped by errors about well-formed files that use a
// feature this package does not know.
var errUnsupported = errors.New("unsupported feature")

var (
	errVLI         = errors.New("invalid variable length integer")
	errHeaderCRC   = errors.New("header fails its CRC32")
	errHeaderShort = errors.New("header is too short for what it holds")
)

// headerReader takes fields from the bytes of a header or index.
type headerReader struct {
	b   []byte
	err error
}

func (h *headerReader) vli() int64 {
	v, n := binary.Uvarint(h.b)
	switch {
	case h.err != nil:
	case n == 0:
		h.err = errHeaderShort
	case n < 0 || n > vliMax || v >= vliLimit || n > 1 && h.b[n-1] == 0:
		h.err = errVLI
	default:
		h.b = h.b[n:]
		return int64(v)
	}
	return 0
}

func (h *headerReader) bytes(n int64) []byte {
	if h.err == nil && n > int64(len(h.b)) {
		h.err = errHeaderShort
	}
	if h.err != nil {
		return nil
	}
	b := h.b[:n]
	h.b = h.b[n:]
	return b
}

// readBlockHeader reads the header whose first byte is sizeByte.
func readBlockHeader(src *source, sizeByte byte) (blockHeader, error) {
	b := make([]byte, blockHeaderSize(sizeByte))
	b[0] = sizeByte
	if err := src.full(b[1:]); err != nil {
		return blockHeader{}, err
	}
	return checkBlockHeader(b)
}

// blockHeaderSize is the size in bytes of the header whose first byte is given.
func blockHeaderSize(sizeByte byte) int { return (int(sizeByte) + 1) * 4 }

// checkBlockHeader parses a whole header with its CRC32.
func checkBlockHeader(b []byte) (blockHeader, error) {
	body := b[:len(b)-4]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(b[len(body):]) {
		return blockHeader{}, fmt.Errorf("block %w", errHeaderCRC)
	}
	bh, err := parseBlockHeader(body)
	bh.size = len(b)
	if err != nil {
		return blockHeader{}, fmt.Errorf("block header: %w", err)
	}
	return bh, nil
}

func parseBlockHeader(b []byte) (blockHeader, error) {
	flags := b[1]
	if flags&blockReserved != 0 {
		return blockHeader{}, fmt.Errorf("flags %#02x: %w", flags, errUnsupported)
	}
	h := headerReader{b: b[2:]}
	bh := blockHeader{coded: -1, raw: -1}
	if flags&blockHasCoded != 0 {
		if bh.coded = h.vli(); bh.coded == 0 && h.err == nil {
			return bh, errors.New("compressed size is 0")
		}
	}
	if flags&blockHasRaw != 0 {
		bh.raw = h.vli()
	}
	for range flags&blockFilterMask + 1 {
		f := filter{id: uint64(h.vli())}
		f.props = h.bytes(h.vli())
		bh.filters = append(bh.filters, f)
	}
	if h.err != nil {
		return bh, h.err
	}
	for _, pad := range h.b {
		if pad != 0 {
			return bh, errors.New("padding is not zero")
		}
	}
	return bh, bh.checkFilters()
}

// checkFilters verifies that LZMA2 comes last and reads its dictionary size.
func (bh *blockHeader) checkFilters() error {
	last := bh.filters[len(bh.filters)-1]
	if last.id != filterLZMA2 {
		return fmt.Errorf("last filter has id %#x, want LZMA2: %w", last.id, errUnsupported)
	}
	if len(last.props) != 1 || last.props[0] > dictSizeCodeLimit {
		return fmt.Errorf("LZMA2 has properties %x: %w", last.props, errUnsupported)
	}
	bh.dictSize = dictSizeOf(last.props[0])
	for _, f := range bh.filters[:len(bh.filters)-1] {
		if _, err := newByteFilter(f, false); err != nil {
			return err
		}
	}
	return nil
}

// memory is about what decoding the block piece by piece takes.
func (bh *blockHeader) memory(ahead int) int64 {
	return windowSize(bh, ahead) + int64(ahead+1)*chunkCodedMax + decoderBase
}

// wholeMemory is about what decoding the block as a whole takes.
func (bh *blockHeader) wholeMemory() int64 { return bh.raw + bh.coded + chunkCodedMax + decoderBase }

// blockDecoder decodes one block after its header piece by piece and checks all
// that the block says of itself.
type blockDecoder struct {
	header blockHeader
	check  Check
	sum    hash.Hash
	src    *source
	start  int64 // offset of the compressed data
	chunks *chunkPieces
	out    pieces // chunks, or filters over them
	raw    int64  // bytes given so far
	coded  int64  // compressed bytes, once finished
}

// newBlockDecoder may use spare as the window.
func newBlockDecoder(src *source, bh blockHeader, check Check, ahead int, spare []byte) (*blockDecoder, error) {
	d := &blockDecoder{header: bh, check: check, sum: check.newHash(), src: src, start: src.offset}
	d.chunks = newChunkPieces(src, &bh, ahead, spare)
	d.out = d.chunks
	for i := len(bh.filters) - 2; i >= 0; i-- {
		f, err := newByteFilter(bh.filters[i], false)
		if err != nil {
			return nil, err
		}
		d.out = &filterPieces{in: d.out, filter: f}
	}
	return d, nil
}

// piece returns io.EOF once the block has ended well.
func (d *blockDecoder) piece() ([]byte, error) {
	b, err := d.out.piece()
	if err == io.EOF {
		if err = d.finish(); err == nil {
			err = io.EOF
		}
	}
	if err != nil {
		return nil, d.src.wrap(err)
	}
	d.raw += int64(len(b))
	d.sum.Write(b)
	return b, nil
}

// finish checks the sizes and reads padding and check.
func (d *blockDecoder) finish() error {
	coded := d.src.offset - d.start
	d.coded = coded
	if want := d.header.coded; want >= 0 && coded != want {
		return fmt.Errorf("block has %d compressed bytes, want %d as in its header", coded, want)
	}
	if want := d.header.raw; want >= 0 && d.raw != want {
		return fmt.Errorf("block has %d bytes, want %d as in its header", d.raw, want)
	}
	tail := make([]byte, padding(uint64(coded))+d.check.size())
	if err := d.src.full(tail); err != nil {
		return err
	}
	n := len(tail) - d.check.size()
	for _, b := range tail[:n] {
		if b != 0 {
			return errors.New("block padding is not zero")
		}
	}
	if got := d.check.appendSum(nil, d.sum); !bytes.Equal(got, tail[n:]) {
		return fmt.Errorf("block content has %v %x, want %x", d.check, got, tail[n:])
	}
	return nil
}

// decodeWhole decodes a block with stated sizes, all of which src holds. The
// content may be put into spare.
func decodeWhole(src *source, bh blockHeader, check Check, spare []byte) ([]byte, error) {
	d := &blockDecoder{header: bh, check: check, sum: check.newHash(), src: src, start: src.offset}
	reader := newChunkReader(src, &bh)
	first := max(firstWindow, windowGrowth*bh.coded, int64(cap(spare)))
	decoder := newChunkDecoder(bh.dictSize, newWindow(min(first, bh.raw), spare), bh.raw)
	for in := new([chunkCodedMax]byte); ; {
		c, err := reader.next(in)
		if err == nil {
			_, err = decoder.decode(c)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, src.wrap(err)
		}
	}
	out := decoder.win[:decoder.pos]
	for _, f := range slices.Backward(bh.filters[:len(bh.filters)-1]) {
		filter, err := newByteFilter(f, false)
		if err != nil {
			return nil, src.wrap(err)
		}
		filter.apply(out)
	}
	d.raw = int64(len(out))
	d.sum.Write(out)
	return out, src.wrap(d.finish())
}

// sizes is what the index must say of the block; it is valid after finish.
func (d *blockDecoder) sizes() blockSizes {
	return d.header.indexSizes(d.coded, d.raw, d.check)
}

// indexSizes are the index figures of a block with coded compressed bytes.
func (bh *blockHeader) indexSizes(coded, raw int64, c Check) blockSizes {
	return blockSizes{uint64(bh.size) + uint64(coded) + uint64(c.size()), uint64(raw)}
}
