package install

import (
	"errors"
	"io"
)

const (
	// chunkSize and chunksAhead bound what of a large file is decoded, but not
	// written yet, in bytes and in number.
	chunkSize   = 256 << 10
	chunksAhead = 8
)

// Errors of a [queue]. Neither is the cause of a failure.
var (
	errCut     = errors.New("the content ends early")
	errStopped = errors.New("nobody reads the content any more")
)

// queue passes the content of a large file to the goroutine that writes it. Unlike
// [io.Pipe] it lets decoding run ahead.
type queue struct {
	chunks chan []byte
	stop   chan struct{} // closed when the reader ends
	buf    []byte
	left   int64 // bytes that are still to come
}

// Write implements [io.Writer].
func (q *queue) Write(p []byte) (int, error) {
	n := len(p)
	q.left -= int64(n)
	for len(p) > 0 {
		if q.buf == nil {
			q.buf = make([]byte, 0, chunkSize)
		}
		k := min(len(p), chunkSize-len(q.buf))
		q.buf, p = append(q.buf, p[:k]...), p[k:]
		if len(q.buf) == chunkSize {
			if err := q.flush(); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

func (q *queue) flush() error {
	if len(q.buf) == 0 {
		return nil
	}
	select {
	case q.chunks <- q.buf:
		q.buf = nil
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
	rest  []byte
}

// Read implements [io.Reader].
func (r *queueReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		chunk, ok := <-r.queue.chunks
		if !ok && r.queue.left > 0 {
			return 0, errCut
		}
		if !ok {
			return 0, io.EOF
		}
		r.rest = chunk
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Close implements [io.Closer].
func (r *queueReader) Close() error {
	close(r.queue.stop)
	return nil
}
