package xz

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
)

// Writer compresses what is written to it into one .xz stream.
//
// Its input is cut into blocks, on each of which all workers work. Small blocks
// are compressed while the next one is filled. A Writer that is not needed any
// more can be left alone or, better, its context be cancelled.
type Writer struct {
	ctx     context.Context
	out     io.Writer
	set     settings
	coder   sliceCoder
	raw     []byte          // the block being filled
	spare   []byte          // room for the next one
	running chan codedBlock // gives the block being compressed, nil if none
	blocks  []blockSizes    // written so far
	offset  int64           // bytes written
	err     error           // sticks
	closed  bool
	passed  struct{ in, out atomic.Int64 }
}

// codedBlock is a block ready to be written.
type codedBlock struct {
	raw   []byte
	coded []byte // header, data, padding, check
	sizes blockSizes
	err   error
}

// errClosed is the error of a Write after Close.
var errClosed = errors.New("writing xz: writer is closed")

// NewWriter returns a Writer of one .xz stream to w. Nothing is written before
// the first block is complete or Close is called.
func NewWriter(w io.Writer, c WriterConfig) (*Writer, error) {
	return NewWriterContext(context.Background(), w, c)
}

// NewWriterContext is NewWriter with a context that stops the compression. The
// Writer then returns the context's error.
func NewWriterContext(ctx context.Context, w io.Writer, c WriterConfig) (*Writer, error) {
	set, err := c.resolve()
	if err != nil {
		return nil, err
	}
	return &Writer{ctx: ctx, out: w, set: set}, nil
}

// Write compresses p. It returns an error of the output or the context as soon
// as one is known; the output is then not usable.
func (w *Writer) Write(p []byte) (int, error) {
	if w.closed {
		return 0, errClosed
	}
	n := 0
	for n < len(p) {
		if err := w.failure(); err != nil {
			return n, err
		}
		if w.raw == nil {
			w.raw, w.spare = w.room(), nil
		}
		k := min(int(w.set.blockSize)-len(w.raw), len(p)-n)
		w.raw = append(w.raw, p[n:n+k]...)
		n += k
		w.passed.in.Add(int64(k))
		if int64(len(w.raw)) == w.set.blockSize {
			w.submit()
		}
	}
	return n, w.failure()
}

// room returns an empty slice for a block.
func (w *Writer) room() []byte {
	if w.spare != nil {
		return w.spare[:0]
	}
	if w.set.inputSize > 0 {
		return make([]byte, 0, min(w.set.inputSize, w.set.blockSize)+radixTail)
	}
	return make([]byte, 0, min(w.set.blockSize, 1<<20)+radixTail)
}

// Close compresses what is left and ends the stream. It does not close the
// underlying writer. Closing twice is harmless.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	if len(w.raw) > 0 {
		w.submit()
	}
	w.collect()
	w.closed = true
	if w.failure() == nil {
		w.err = w.finish()
	}
	w.raw, w.spare, w.coder = nil, nil, sliceCoder{}
	return w.err
}

// Progress reports the bytes accepted by Write and the bytes passed on so far.
// It may be called from any goroutine.
func (w *Writer) Progress() (in, out int64) {
	return w.passed.in.Load(), w.passed.out.Load()
}

// failure is the reason the Writer cannot go on, or nil.
func (w *Writer) failure() error {
	if w.err == nil && w.ctx.Err() != nil {
		w.err = context.Cause(w.ctx)
	}
	return w.err
}

// submit starts to compress raw, after the block before is done.
func (w *Writer) submit() {
	w.collect()
	if w.failure() != nil {
		return
	}
	raw := w.raw
	w.raw = nil
	w.running = make(chan codedBlock, 1)
	go func() { w.running <- w.compress(raw) }()
	if !w.set.overlap() {
		w.collect()
	}
}

// collect waits for the block being compressed and writes it.
func (w *Writer) collect() {
	if w.running == nil {
		return
	}
	b := <-w.running
	w.running = nil
	w.spare = b.raw
	switch {
	case w.failure() != nil:
	case b.err != nil:
		w.err = b.err
	default:
		if w.err = w.begin(); w.err == nil {
			w.err = w.emit(b.coded)
		}
		w.blocks = append(w.blocks, b.sizes)
	}
}

// begin writes the stream header if that has not been done.
func (w *Writer) begin() error {
	if w.offset > 0 {
		return nil
	}
	return w.emit(appendStreamHeader(nil, w.set.check))
}

// finish writes what follows the blocks.
func (w *Writer) finish() error {
	if err := w.begin(); err != nil {
		return err
	}
	b := appendIndex(nil, w.blocks)
	return w.emit(appendStreamFooter(b, w.set.check, len(b)))
}

func (w *Writer) emit(b []byte) error {
	n, err := w.out.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("writing xz at offset %d: %w", w.offset+int64(n), err)
	}
	w.offset += int64(n)
	w.passed.out.Store(w.offset)
	return nil
}

// blockHeaderRoom is at least the size of any header the Writer makes.
const blockHeaderRoom = 64

// compress makes a block of raw.
func (w *Writer) compress(raw []byte) codedBlock {
	set := w.set
	h := set.check.newHash()
	h.Write(raw)
	filters, err := set.filters(raw)
	if err != nil {
		return codedBlock{err: err}
	}
	// The header comes first but states the coded size, so leave it room.
	coded, err := w.coder.encode(w.ctx, set, slices.Grow(raw, radixTail), make([]byte, blockHeaderRoom))
	if err != nil {
		return codedBlock{raw: raw, err: err}
	}
	size := uint64(len(coded) - blockHeaderRoom)
	header := appendBlockHeader(nil, size, uint64(len(raw)), filters)
	coded = coded[blockHeaderRoom-len(header):]
	copy(coded, header)
	sizes := blockSizes{
		unpadded: uint64(len(coded) + set.check.size()),
		raw:      uint64(len(raw)),
	}
	coded = append(coded, make([]byte, padding(size))...)
	return codedBlock{raw: raw, coded: set.check.appendSum(coded, h), sizes: sizes}
}
