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
// Its input is cut into blocks that are written in order. The Fast profile
// compresses Workers blocks at a time; the others hold one block, on which all
// workers work. Write blocks while there is no room for its bytes. A Writer
// that is not needed any more must be closed, or its context be cancelled;
// otherwise its goroutines stay.
type Writer struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	out     io.Writer
	set     settings
	current *blockJob         // being filled, nil before the first byte
	idle    chan *blockJob    // ready to be filled
	made    int               // jobs that exist
	coders  chan blockEncoder // one for each worker; taking one is leave to work
	ordered chan *blockJob    // in the order of the output
	written chan struct{}     // closed when all of ordered is written
	blocks  []blockSizes      // owned by the output goroutine until written
	offset  int64             // likewise: bytes written to out
	closed  bool
	stats   struct{ in, out atomic.Int64 }
}

// blockJob is one block on its way from Write to the output.
type blockJob struct {
	raw   []byte
	coded []byte // the whole block: header, data, padding, check
	sizes blockSizes
	err   error
	done  chan struct{}
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
	x := &Writer{
		out:     w,
		set:     set,
		idle:    make(chan *blockJob, set.blocksHeld()),
		ordered: make(chan *blockJob, set.blocksHeld()),
		coders:  make(chan blockEncoder, set.encoders()),
		written: make(chan struct{}),
	}
	for range set.encoders() {
		x.coders <- set.newEncoder()
	}
	x.ctx, x.cancel = context.WithCancelCause(ctx)
	go x.writeBlocks()
	return x, nil
}

// Write compresses p. It returns an error of the output or the context as soon
// as one is known; the output is then not usable.
func (w *Writer) Write(p []byte) (int, error) {
	if w.closed {
		return 0, errClosed
	}
	n := 0
	for n < len(p) {
		if err := w.need(); err != nil {
			return n, err
		}
		k := min(int(w.set.blockSize)-len(w.current.raw), len(p)-n)
		w.current.raw = append(w.current.raw, p[n:n+k]...)
		n += k
		if int64(len(w.current.raw)) == w.set.blockSize {
			w.submit()
		}
	}
	w.stats.in.Add(int64(n))
	return n, w.failure()
}

// Close compresses what is left and ends the stream. It does not close the
// underlying writer. Closing twice is harmless.
func (w *Writer) Close() error {
	if w.closed {
		return w.failure()
	}
	w.closed = true
	if w.current != nil {
		w.submit()
	}
	close(w.ordered)
	<-w.written
	err := w.failure()
	if err == nil {
		err = w.finish()
	}
	if err == nil {
		err = errClosed // so that the context is released, see failure
	}
	w.cancel(err)
	return w.failure()
}

// Progress reports the bytes accepted by Write and the bytes passed on so far.
// It may be called from any goroutine.
func (w *Writer) Progress() (in, out int64) {
	return w.stats.in.Load(), w.stats.out.Load()
}

// failure is the reason the Writer cannot go on, or nil.
func (w *Writer) failure() error {
	if w.ctx.Err() == nil {
		return nil
	}
	err := context.Cause(w.ctx)
	if err == errClosed {
		return nil
	}
	return err
}

// need makes current a job that can be filled.
func (w *Writer) need() error {
	if w.current != nil {
		return w.failure()
	}
	if w.made < w.set.blocksHeld() && len(w.idle) == 0 {
		w.made++
		w.idle <- &blockJob{}
	}
	select {
	case w.current = <-w.idle:
		return w.failure()
	case <-w.ctx.Done():
		return w.failure()
	}
}

// submit hands current to a goroutine of its own. There is always room in
// ordered, as it holds as many jobs as exist.
func (w *Writer) submit() {
	j := w.current
	w.current = nil
	j.done = make(chan struct{})
	w.ordered <- j
	go func() {
		defer close(j.done)
		coder := <-w.coders
		j.err = j.compress(w.ctx, w.set, coder)
		w.coders <- coder
	}()
}

// writeBlocks writes finished blocks in order until ordered is closed.
func (w *Writer) writeBlocks() {
	defer close(w.written)
	for j := range w.ordered {
		<-j.done
		if w.ctx.Err() != nil {
			continue
		}
		if err := w.writeBlock(j); err != nil {
			w.cancel(err)
			continue
		}
		w.blocks = append(w.blocks, j.sizes)
		j.raw = j.raw[:0]
		w.idle <- j
	}
}

func (w *Writer) writeBlock(j *blockJob) error {
	if j.err != nil {
		return j.err
	}
	if err := w.begin(); err != nil {
		return err
	}
	return w.emit(j.coded)
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
	w.stats.out.Store(w.offset)
	return nil
}

// compress makes coded from raw.
func (j *blockJob) compress(ctx context.Context, set settings, coder blockEncoder) error {
	dictCode := dictSizeCode(min(set.dictSize, int64(len(j.raw))))
	filters := []filter{{id: filterLZMA2, props: []byte{dictCode}}}
	h := set.check.newHash()
	h.Write(j.raw)
	j.raw = slices.Grow(j.raw, radixTail)
	// The header comes first but states the coded size, so leave it room.
	j.coded = append(j.coded[:0], make([]byte, blockHeaderRoom)...)
	var err error
	if j.coded, err = coder.encode(ctx, set, j.raw, j.coded); err != nil {
		return err
	}
	coded := uint64(len(j.coded) - blockHeaderRoom)
	header := appendBlockHeader(nil, coded, uint64(len(j.raw)), filters)
	j.coded = j.coded[blockHeaderRoom-len(header):]
	copy(j.coded, header)
	j.sizes = blockSizes{
		unpadded: uint64(len(j.coded) + set.check.size()),
		raw:      uint64(len(j.raw)),
	}
	j.coded = append(j.coded, make([]byte, padding(coded))...)
	j.coded = set.check.appendSum(j.coded, h)
	return nil
}

// blockHeaderRoom is at least the size of any header the Writer makes.
const blockHeaderRoom = 64
