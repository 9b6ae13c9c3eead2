package archive

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
)

// The chunks of a fanout bound its memory, and how far a fast compressor may run
// ahead of a slow one.
const (
	chunkSize  = 256 << 10
	chunkCount = 16
)

// chunk is a piece of the tar stream, shared by all compressors.
type chunk struct {
	data  []byte
	users atomic.Int32
}

// fanout hands one byte stream to several writers, each in its own goroutine. A
// chunk is free again when the last of them is done with it.
type fanout struct {
	free chan *chunk
	outs []chan *chunk
	cur  *chunk
	ctx  context.Context // of the one write that the fanout serves
	done func(n int)     // called when all writers are done with n more bytes
}

func newFanout(ctx context.Context, outs int, done func(n int)) *fanout {
	f := &fanout{free: make(chan *chunk, chunkCount), ctx: ctx, done: done}
	for range chunkCount {
		f.free <- &chunk{data: make([]byte, 0, chunkSize)}
	}
	for range outs {
		// Room for all chunks, so that sending never waits for a slow writer.
		f.outs = append(f.outs, make(chan *chunk, chunkCount))
	}
	return f
}

// Write copies p into chunks. It fails only when the context ends.
func (f *fanout) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if f.cur == nil {
			select {
			case f.cur = <-f.free:
				f.cur.data = f.cur.data[:0]
			case <-f.ctx.Done():
				return n - len(p), context.Cause(f.ctx)
			}
		}
		room := min(len(p), chunkSize-len(f.cur.data))
		f.cur.data = append(f.cur.data, p[:room]...)
		p = p[room:]
		if len(f.cur.data) == chunkSize {
			f.send()
		}
	}
	return n, nil
}

func (f *fanout) send() {
	f.cur.users.Store(int32(len(f.outs)))
	for _, out := range f.outs {
		out <- f.cur
	}
	f.cur = nil
}

// close sends what is left and ends the streams.
func (f *fanout) close() {
	if f.cur != nil {
		f.send()
	}
	for _, out := range f.outs {
		close(out)
	}
}

// drain writes stream i to w until it ends or the context does.
func (f *fanout) drain(i int, w io.Writer) error {
	for {
		select {
		case <-f.ctx.Done():
			return context.Cause(f.ctx)
		case c, ok := <-f.outs[i]:
			if !ok {
				return context.Cause(f.ctx)
			}
			if _, err := w.Write(c.data); err != nil {
				return err
			}
			if n := len(c.data); c.users.Add(-1) == 0 {
				f.free <- c
				f.done(n)
			}
		}
	}
}

// meter sums up progress from several goroutines and reports it in order.
type meter struct {
	mu     *sync.Mutex // of all meters of one run, so that calls do not overlap
	report func(Progress)
	state  Progress
}

// add reports n more bytes. It leaves the last byte for done: a compressor that has
// taken all of its input may still have most of its work ahead.
func (m *meter) add(n int) {
	if m.report == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state.Done += int64(n)
	shown := m.state
	shown.Done = min(shown.Done, max(shown.Total-1, 0))
	m.report(shown)
}

// done reports that the archives are in place.
func (m *meter) done() {
	if m.report == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state.Done = m.state.Total
	m.report(m.state)
}
