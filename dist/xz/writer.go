package xz

import (
	"context"
	"errors"
	"fmt"
	"io"

	"x.go/dist/match"
)

// Writer compresses what is written to it into one .xz stream.
//
// Its input is cut into blocks. All workers work on a large block; small ones
// are compressed a few at a time, while the next one is filled. To give up a Writer
// before Close, cancel its context.
type Writer struct {
	ctx     context.Context
	out     io.Writer
	set     settings
	raw     []byte            // the block being filled
	spare   [][]byte          // room for the next ones
	coders  []*sliceCoder     // not in use
	running []chan codedBlock // give the blocks being compressed, oldest first
	blocks  []blockSizes      // written so far
	offset  int64             // bytes written
	err     error             // sticks
	closed  bool
}

// codedBlock is a block ready to be written.
type codedBlock struct {
	raw   []byte
	coded [][]byte // header, data, padding with check
	sizes blockSizes
	coder *sliceCoder
	err   error
}

// errClosed is the error of a Write after Close.
var errClosed = errors.New("writing xz: writer is closed")

// NewWriter returns a Writer of one .xz stream to w. Nothing is written before
// the first block is complete or Close is called.
func NewWriter(w io.Writer, c WriterConfig) (*Writer, error) {
	return NewWriterContext(context.Background(), w, c)
}

// NewWriterContext is [NewWriter] with a context that stops the compression. The
// Writer then returns the cause of the context.
func NewWriterContext(ctx context.Context, w io.Writer, c WriterConfig) (*Writer, error) {
	set, err := c.resolve()
	if err != nil {
		return nil, err
	}
	return &Writer{ctx: ctx, out: w, set: set}, nil
}

// Write compresses p. It returns an error of the output or the context as soon as
// one is known; the output is then of no use.
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
			w.raw = w.room()
		}
		k := min(int(w.set.blockSize)-len(w.raw), len(p)-n)
		w.raw = append(w.raw, p[n:n+k]...)
		n += k
		if int64(len(w.raw)) == w.set.blockSize {
			w.submit()
		}
	}
	return n, w.failure()
}

// room returns an empty slice for a block.
func (w *Writer) room() []byte {
	if k := len(w.spare); k > 0 {
		room := w.spare[k-1]
		w.spare = w.spare[:k-1]
		return room[:0]
	}
	if w.set.inputSize > 0 {
		return make([]byte, 0, min(w.set.inputSize, w.set.blockSize)+match.Tail)
	}
	return make([]byte, 0, min(w.set.blockSize, 1<<20)+match.Tail)
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
	w.collect(0)
	w.closed = true
	if w.failure() == nil {
		w.err = w.finish()
	}
	w.raw, w.spare, w.coders = nil, nil, nil
	return w.err
}

// failure is the reason the Writer cannot go on, or nil.
func (w *Writer) failure() error {
	if w.err == nil && w.ctx.Err() != nil {
		w.err = context.Cause(w.ctx)
	}
	return w.err
}

// submit starts to compress raw, once one block less is being compressed than
// may be.
func (w *Writer) submit() {
	w.collect(w.set.lanes - 1)
	if w.failure() != nil {
		return
	}
	raw := w.raw
	w.raw = nil
	coder := new(sliceCoder)
	if k := len(w.coders); k > 0 {
		coder, w.coders = w.coders[k-1], w.coders[:k-1]
	}
	result := make(chan codedBlock, 1)
	w.running = append(w.running, result)
	go func() { result <- w.compress(coder, raw) }()
	if !w.set.overlap() {
		w.collect(0)
	}
}

// collect waits for the oldest blocks being compressed, until only left of them
// are, and writes them.
func (w *Writer) collect(left int) {
	for len(w.running) > left {
		b := <-w.running[0]
		w.running = w.running[1:]
		w.coders = append(w.coders, b.coder)
		w.spare = append(w.spare, b.raw)
		switch {
		case w.failure() != nil:
		case b.err != nil:
			w.err = b.err
		default:
			if w.err = w.begin(); w.err == nil {
				w.err = w.emit(b.coded...)
			}
			w.blocks = append(w.blocks, b.sizes)
		}
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

func (w *Writer) emit(pieces ...[]byte) error {
	for _, b := range pieces {
		n, err := w.out.Write(b)
		if err == nil && n < len(b) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return fmt.Errorf("writing xz at offset %d: %w", w.offset+int64(n), err)
		}
		w.offset += int64(n)
	}
	return nil
}

// compress compresses raw into a block.
func (w *Writer) compress(coder *sliceCoder, raw []byte) codedBlock {
	set := w.set.lane()
	h := set.check.newHash()
	h.Write(raw)
	bcj, err := set.chooseFilter(w.ctx, raw)
	if err != nil {
		return codedBlock{raw: raw, coder: coder, err: err}
	}
	set.bcj = bcj
	filters, err := set.filters(raw)
	if err != nil {
		return codedBlock{raw: raw, coder: coder, err: err}
	}
	pieces, err := coder.encode(w.ctx, set, raw)
	if err != nil {
		return codedBlock{raw: raw, coder: coder, err: err}
	}
	size := uint64(0)
	for _, p := range pieces {
		size += uint64(len(p))
	}
	header := appendBlockHeader(nil, size, uint64(len(raw)), filters)
	sizes := blockSizes{
		unpadded: uint64(len(header)+set.check.size()) + size,
		raw:      uint64(len(raw)),
	}
	coded := append([][]byte{header}, pieces...)
	coded = append(coded, set.check.appendSum(make([]byte, padding(size)), h))
	return codedBlock{raw: raw, coder: coder, coded: coded, sizes: sizes}
}
