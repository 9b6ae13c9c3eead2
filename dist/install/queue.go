package install

import (
	"bytes"
	"errors"
	"io"
)

// chunksAhead bounds what of a large file is decoded, but not written yet, in number of
// [buffers]: 8 MiB.
const chunksAhead = 32

// Errors of a [queue]. Neither is the cause of a failure.
var (
	errCut     = errors.New("the content ends early")
	errStopped = errors.New("nobody reads the content any more")
)

// queue passes the content of a large file to the goroutine that writes it. Unlike
// [io.Pipe] it lets decoding run ahead.
type queue struct {
	chunks chan chunk
	stop   chan struct{} // closed when the reader ends
	buf    chunk
	left   int64 // bytes that are still to come
}

func newQueue(size int64) *queue {
	return &queue{chunks: make(chan chunk, chunksAhead), stop: make(chan struct{}), left: size}
}

// inMemory is content of the size that its file is said to have, in memory. Other content
// is copied through one of our [buffers].
type inMemory interface {
	io.ReadCloser
	writeTo(w io.Writer) error
}

// chunk is the first n bytes of one of our [buffers].
type chunk struct {
	data *[]byte
	n    int
}

// Write implements [io.Writer].
func (q *queue) Write(p []byte) (int, error) {
	n, err := q.ReadFrom(bytes.NewReader(p))
	return int(n), err
}

// ReadFrom implements [io.ReaderFrom].
func (q *queue) ReadFrom(r io.Reader) (int64, error) {
	var total int64
	for {
		if q.buf.data == nil {
			q.buf.data = buffers.Get().(*[]byte)
		}
		n, err := r.Read((*q.buf.data)[q.buf.n:])
		q.buf.n += n
		q.left -= int64(n)
		total += int64(n)
		if q.buf.n == len(*q.buf.data) {
			if err := q.flush(); err != nil {
				return total, err
			}
		}
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

func (q *queue) flush() error {
	if q.buf.n == 0 {
		return nil
	}
	select {
	case q.chunks <- q.buf:
		q.buf = chunk{}
		return nil
	case <-q.stop:
		return errStopped
	}
}

// Close implements [io.Closer].
func (q *queue) Close() error {
	err := q.flush()
	close(q.chunks)
	return err
}

// queueReader is the other end of a queue.
type queueReader struct {
	queue *queue
	cur   chunk
	rest  []byte
}

// Read implements [io.Reader].
func (r *queueReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// writeTo implements [inMemory].
func (r *queueReader) writeTo(w io.Writer) error {
	for {
		if err := r.next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if _, err := w.Write(r.rest); err != nil {
			return err
		}
	}
}

// next moves to the next chunk.
func (r *queueReader) next() error {
	r.release()
	cur, ok := <-r.queue.chunks
	if !ok && r.queue.left > 0 {
		return errCut
	}
	if !ok {
		return io.EOF
	}
	r.cur, r.rest = cur, (*cur.data)[:cur.n]
	return nil
}

func (r *queueReader) release() {
	if r.cur.data != nil {
		buffers.Put(r.cur.data)
		r.cur, r.rest = chunk{}, nil
	}
}

// Close implements [io.Closer].
func (r *queueReader) Close() error {
	r.release()
	close(r.queue.stop)
	return nil
}

// smallReader reads the content of a small file.
type smallReader struct{ *bytes.Reader }

// writeTo implements [inMemory].
func (r smallReader) writeTo(w io.Writer) error {
	_, err := r.WriteTo(w)
	return err
}

// Close implements [io.Closer].
func (r smallReader) Close() error { return nil }
