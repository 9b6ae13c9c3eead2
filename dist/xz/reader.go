package xz

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"runtime"
)

// ReaderConfig says how a [Reader] decompresses. The zero value reads one
// stream on all cores with at most 1 GiB.
type ReaderConfig struct {
	// MaxMemory is a limit in bytes for dictionaries and buffers; zero means
	// 1 GiB. A file that needs more is an error that wraps ErrMemory.
	MaxMemory int64

	// Workers is how many blocks are decoded at a time, if their headers state
	// their sizes; zero means GOMAXPROCS. Any but 1 also lets a single block be
	// decoded in the background, ahead of what is read. The input is read only
	// while a method of the Reader runs. Background work ends by itself when the
	// Reader is no longer used.
	Workers int

	// MultiStream accepts several streams one after the other, with padding
	// between and after them, as xz -d does. Without it anything after the
	// first stream is an error, as it is for rustup.
	MultiStream bool
}

// ErrMemory is wrapped by errors about files that need more memory than the
// limit.
var ErrMemory = errors.New("memory limit exceeded")

const defaultReaderMemory = 1<<30 + 1<<20

// Reader decompresses an .xz file. Its errors are of type [*Error].
type Reader struct {
	src     *source
	config  ReaderConfig
	check   Check
	records indexHash // of the blocks so far
	ahead   []*unit
	held    int64         // bytes of memory of ahead and given
	given   *unit         // its content is in rest
	spare   []byte        // memory that was used up
	slots   chan struct{} // one for each block being decoded
	rest    []byte
	err     error
}

// unit is a part of the output: a block, or the end of everything.
type unit struct {
	blockDecoder *blockDecoder // decodes piece by piece, or
	job          *blockReader  // decodes in the background
	err          error         // after the pieces; nil if other units follow
	held         int64
}

// blockReader decodes a whole block in the background.
type blockReader struct {
	done chan struct{}
	out  []byte
	err  error
}

// NewReader returns a Reader of r and reads the stream's header.
func NewReader(r io.Reader, c ReaderConfig) (*Reader, error) {
	c.MaxMemory = cmp.Or(c.MaxMemory, defaultReaderMemory)
	c.Workers = max(1, cmp.Or(c.Workers, runtime.GOMAXPROCS(0)))
	x := &Reader{src: newSource(r), config: c, slots: make(chan struct{}, c.Workers)}
	if err := x.readStreamHeader(); err != nil {
		return nil, x.src.wrap(err)
	}
	return x, nil
}

// Read decompresses into p. After the end of a sound file it returns io.EOF.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(r.rest) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.rest, r.err = r.nextPiece()
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// WriteTo decompresses everything into w.
func (r *Reader) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		n, err := w.Write(r.rest)
		total += int64(n)
		r.rest = r.rest[n:]
		switch {
		case err != nil:
			return total, err
		case r.err == io.EOF:
			return total, nil
		case r.err != nil:
			return total, r.err
		}
		r.rest, r.err = r.nextPiece()
	}
}

// nextPiece returns the next decoded bytes. What it returned before is not used
// any more.
func (r *Reader) nextPiece() ([]byte, error) {
	if u := r.given; u != nil {
		r.given, r.spare = nil, u.job.out
		r.held -= u.held
	}
	for {
		r.fill()
		u := r.ahead[0]
		if u.blockDecoder != nil {
			b, err := u.blockDecoder.piece()
			if err != io.EOF {
				return b, err
			}
			r.records.add(u.blockDecoder.sizes())
			r.spare = u.blockDecoder.chunks.decoder.win
			r.held -= u.held
			r.ahead = r.ahead[1:]
			continue
		}
		if u.job != nil {
			<-u.job.done
			if u.job.err != nil {
				return nil, u.job.err
			}
			r.given = u
			r.ahead = r.ahead[1:]
			r.fill() // so that work goes on while the caller is busy
			r.spare = nil
			return u.job.out, nil
		}
		return nil, u.err
	}
}

// fill reads ahead as far as workers, memory and the file allow. One block more
// than there are workers is ready to be taken up.
func (r *Reader) fill() {
	for len(r.ahead) <= r.config.Workers {
		if n := len(r.ahead); n > 0 && r.ahead[n-1].job == nil {
			return // what follows is not known before this unit's end
		}
		u, err := r.nextUnit()
		if u == nil && err == nil {
			return
		}
		if err != nil {
			u = &unit{err: r.src.wrap(err)}
		}
		r.held += u.held
		r.ahead = append(r.ahead, u)
	}
}

// nextUnit reads up to the next block or the end. It returns nil if the block
// there has to wait for memory.
func (r *Reader) nextUnit() (*unit, error) {
	for {
		size, err := r.src.r.Peek(1)
		if err != nil {
			return nil, unexpected(err)
		}
		if size[0] != 0 {
			return r.nextBlock(size[0])
		}
		if len(r.ahead) > 0 {
			return nil, nil // the index needs the sizes of all blocks
		}
		if err := r.readIndex(); err != nil {
			return nil, err
		}
		if err := r.nextStream(); err != nil {
			return nil, err
		}
	}
}

// nextBlock starts the block whose header's first byte is next in src.
func (r *Reader) nextBlock(sizeByte byte) (*unit, error) {
	// The header is looked at before it is taken: if there is no memory for
	// the block now, it is read again later.
	size := blockHeaderSize(sizeByte)
	peeked, err := r.src.r.Peek(size)
	if err != nil {
		return nil, unexpected(err)
	}
	bh, err := readBlockHeader(memorySource(peeked[1:], r.src.offset+1), sizeByte)
	if err != nil {
		return nil, err
	}
	ahead := chunksAhead
	if r.config.Workers == 1 || bh.memory(ahead) > r.config.MaxMemory {
		ahead = 0
	}
	need := bh.memory(ahead)
	if limit := r.config.MaxMemory; need > limit {
		return nil, fmt.Errorf("block needs %d bytes of memory, the limit is %d: %w", need, limit, ErrMemory)
	}
	whole := bh.wholeMemory()
	parallel := r.config.Workers > 1 && bh.raw >= 0 && bh.coded >= 0 &&
		max(bh.raw, bh.coded) <= maxBlockAhead && whole <= r.config.MaxMemory
	if busy := len(r.ahead) > 0 || r.given != nil; busy && (!parallel || r.held+whole > r.config.MaxMemory) {
		return nil, nil
	}
	if _, err := r.src.r.Discard(size); err != nil {
		return nil, err
	}
	r.src.offset += int64(size)
	if !parallel {
		d, err := newBlockDecoder(r.src, bh, r.check, ahead, r.takeSpare())
		return &unit{blockDecoder: d, held: need}, err
	}
	return r.readAhead(bh, whole, ahead)
}

// maxBlockAhead is the largest block that is read whole into memory, in bytes.
const maxBlockAhead = 256 << 20

// readAhead reads a block's compressed data and decodes it in the background,
// unless it is the only one.
func (r *Reader) readAhead(bh blockHeader, need int64, ahead int) (*unit, error) {
	offset := r.src.offset
	coded, err := r.src.take(bh.coded + int64(padding(uint64(bh.coded))+r.check.size()))
	if err != nil {
		return nil, err
	}
	src := memorySource(coded, offset)
	next, _ := r.src.r.Peek(1)
	if alone := len(r.ahead) == 0 && r.given == nil && (len(next) == 0 || next[0] == 0); alone {
		d, err := newBlockDecoder(src, bh, r.check, ahead, r.takeSpare())
		return &unit{blockDecoder: d, held: need}, err
	}
	r.records.add(bh.indexSizes(bh.coded, bh.raw, r.check))
	j := &blockReader{done: make(chan struct{})}
	spare := r.takeSpare()
	go func() {
		defer close(j.done)
		r.slots <- struct{}{}
		defer func() { <-r.slots }()
		j.out, j.err = decodeWhole(src, bh, r.check, spare)
	}()
	return &unit{job: j, held: need}, nil
}

// takeSpare returns memory that was used up, if there is any.
func (r *Reader) takeSpare() []byte {
	spare := r.spare
	r.spare = nil
	return spare
}

func (r *Reader) readStreamHeader() error {
	var b [streamHeaderSize]byte
	if err := r.src.full(b[:]); err != nil {
		return err
	}
	if string(b[:len(headerMagic)]) != headerMagic {
		return errors.New("not an .xz file: no magic bytes")
	}
	flags := b[len(headerMagic) : streamHeaderSize-4]
	if crc32.ChecksumIEEE(flags) != binary.LittleEndian.Uint32(b[streamHeaderSize-4:]) {
		return fmt.Errorf("stream %w", errHeaderCRC)
	}
	check, ok := checkByID(flags[1])
	if flags[0] != 0 || !ok {
		return fmt.Errorf("stream flags %x: %w", flags, errUnsupported)
	}
	r.check = check
	r.records = newIndexHash()
	return nil
}

// nextStream returns io.EOF if no stream follows.
func (r *Reader) nextStream() error {
	for {
		b, err := r.src.r.Peek(4)
		switch {
		case len(b) == 0 && err == io.EOF:
			return io.EOF
		case len(b) == 0:
			return err
		case len(b) == 4 && string(b) == "\x00\x00\x00\x00":
			r.src.r.Discard(4)
			r.src.offset += 4
		case !r.config.MultiStream:
			return errors.New("bytes follow the end of the stream")
		case len(b) < 4:
			return errors.New("stream padding is not a multiple of four zero bytes")
		default:
			return r.readStreamHeader()
		}
	}
}

// indexHash stands for a list of records in constant memory.
type indexHash struct {
	hash.Hash
	count uint64
}

func newIndexHash() indexHash { return indexHash{Hash: sha256.New()} }

func (h *indexHash) add(s blockSizes) {
	h.count++
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], s.unpadded)
	binary.LittleEndian.PutUint64(b[8:], s.raw)
	h.Write(b[:])
}
