package zstd

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"sync"
	"sync/atomic"

	"x.go/dist/match"
)

// Writer compresses what is written to it into one zstd frame. To give up a Writer
// before Close, cancel its context.
type Writer struct {
	ctx    context.Context
	out    io.Writer
	set    settings
	buf    []byte // window, and from start on what is not yet compressed
	start  int
	sum    *checksum
	finder match.Finder
	coders []*sliceCoder
	offset int64 // bytes written
	err    error // sticks
	closed bool
}

// errClosed is the error of a Write after Close.
var errClosed = errors.New("writing zstd: writer is closed")

// NewWriter returns a Writer of one frame to w. Nothing is written before a good part
// of the content is known or Close is called. When ctx ends, compression stops and the
// Writer returns the cause of ctx.
func NewWriter(ctx context.Context, w io.Writer, c WriterConfig) (*Writer, error) {
	set, err := c.resolve()
	if err != nil {
		return nil, err
	}
	return &Writer{ctx: ctx, out: w, set: set, sum: newChecksum()}, nil
}

// Write compresses p. It returns an error of the output or the context as soon as one
// is known; the output is then of no use.
func (w *Writer) Write(p []byte) (int, error) {
	if w.closed {
		return 0, errClosed
	}
	if w.set.size > 0 && w.sum.total+uint64(len(p)) > uint64(w.set.size) {
		w.fail(fmt.Errorf("writing zstd: got more than the %d bytes that were stated", w.set.size))
	}
	n := 0
	for n < len(p) {
		if err := w.failure(); err != nil {
			return n, err
		}
		if len(w.buf)-w.start == w.set.spanSize {
			w.compress(false)
			continue
		}
		k := min(w.set.spanSize-(len(w.buf)-w.start), len(p)-n)
		w.grow(k)
		w.buf = append(w.buf, p[n:n+k]...)
		w.sum.add(p[n : n+k])
		n += k
	}
	return n, w.failure()
}

// grow makes room for n more bytes.
func (w *Writer) grow(n int) {
	need := len(w.buf) + n + match.Tail
	if need <= cap(w.buf) {
		return
	}
	room := int(w.set.room()) + match.Tail
	if w.set.size == 0 {
		room = min(room, max(2*need, 1<<20))
	}
	w.buf = append(make([]byte, 0, max(need, room)), w.buf...)
}

// Close compresses what is left and ends the frame. It does not close the underlying
// writer. Closing twice is harmless.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	if w.set.size > 0 && w.sum.total != uint64(w.set.size) {
		w.fail(fmt.Errorf("writing zstd: got %d bytes, want the %d that were stated", w.sum.total, w.set.size))
	}
	if w.failure() == nil {
		w.compress(true)
	}
	if w.failure() == nil {
		w.emit(binary.LittleEndian.AppendUint32(nil, uint32(w.sum.sum())))
	}
	w.buf, w.coders, w.finder = nil, nil, match.Finder{}
	return w.err
}

// failure is the reason the Writer cannot go on, or nil.
func (w *Writer) failure() error {
	if w.ctx.Err() != nil {
		w.fail(context.Cause(w.ctx))
	}
	return w.err
}

// fail makes err the reason, if there is none yet.
func (w *Writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *Writer) emit(b []byte) {
	if w.err != nil {
		return
	}
	n, err := w.out.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		w.fail(fmt.Errorf("writing zstd at offset %d: %w", w.offset+int64(n), err))
	}
	w.offset += int64(n)
}

// compress writes a span: what is not yet compressed. last says that nothing follows.
func (w *Writer) compress(last bool) {
	w.grow(0)
	first := w.offset == 0
	if first {
		if last {
			w.set.size = int64(w.sum.total)
			w.set.window = fitWindow(w.set.window, w.set.size)
		}
		w.emit(w.set.header(last || w.set.size > 0))
	}
	end := len(w.buf)
	if w.start == end {
		if last {
			w.emit([]byte{1, 0, 0}) // an empty raw block
		}
		return
	}
	data := w.buf[:end+match.Tail]
	w.finder.Reset(max(end, w.known()))
	if err := w.finder.Find(w.ctx, w.set.finder(), data, w.start, end); err != nil {
		w.fail(err)
		return
	}
	w.slices(data, first, last)
	w.slide()
}

// known is how many bytes the buffer will have at most if the content's size is known,
// else 0.
func (w *Writer) known() int {
	if w.set.size == 0 {
		return 0
	}
	return int(w.set.room())
}

// slices compresses the slices of the span and writes them in order.
func (w *Writer) slices(data []byte, first, last bool) {
	end := len(data) - match.Tail
	n := (end - w.start + w.set.sliceSize - 1) / w.set.sliceSize
	for len(w.coders) < w.set.workers {
		w.coders = append(w.coders, new(sliceCoder))
	}
	coded := make([][]byte, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	for _, c := range w.coders {
		wg.Go(func() {
			for w.ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				from := w.start + i*w.set.sliceSize
				s := slice{
					data: data, found: w.finder.Result(), origin: w.start,
					start: from, end: min(from+w.set.sliceSize, end),
					first: first && i == 0, last: last && i == n-1,
				}
				coded[i] = bytes.Clone(c.encode(w.ctx, w.set, s))
			}
		})
	}
	wg.Wait()
	for _, b := range coded {
		if w.failure() != nil {
			return
		}
		w.emit(b)
	}
}

// slide keeps only the window of what was compressed.
func (w *Writer) slide() {
	if drop := len(w.buf) - int(w.set.window); drop > 0 {
		w.buf = w.buf[:copy(w.buf, w.buf[drop:])]
	}
	w.start = len(w.buf)
}

// header returns the frame header (RFC 8878, section 3.1.1.1), with the size if sized.
func (s *settings) header(sized bool) []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0xFD2FB528)
	flags := byte(1 << 2) // checksum
	window := byte(bits.Len64(uint64(s.window))-11) << 3
	switch size := uint64(s.size); {
	case !sized || size < 256: // only a single segment has a size of one byte
		if !sized {
			return append(b, flags, window)
		}
		return append(b, flags|1<<5, byte(size))
	case size < 1<<16+256:
		return binary.LittleEndian.AppendUint16(append(b, flags|1<<6, window), uint16(size-256))
	case size < 1<<32:
		return binary.LittleEndian.AppendUint32(append(b, flags|2<<6, window), uint32(size))
	}
	return binary.LittleEndian.AppendUint64(append(b, flags|3<<6, window), uint64(s.size))
}
