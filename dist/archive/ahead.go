package archive

import (
	"errors"
	"hash"
	"io"
)

// ahead reads a file ahead of its decoder, in a goroutine of its own, and hashes it
// there.
type ahead struct {
	chunks, free chan []byte
	stop         chan struct{}
	cur, rest    []byte
	err          error // after the last chunk
}

// readAhead starts to read r. The caller must call close before it uses r or h, which
// may be nil, for anything else.
func readAhead(r io.Reader, h hash.Hash) *ahead {
	const size, count = 256 << 10, 4
	a := &ahead{chunks: make(chan []byte, count), free: make(chan []byte, count), stop: make(chan struct{})}
	for range count {
		a.free <- make([]byte, size)
	}
	go a.run(r, h)
	return a
}

func (a *ahead) run(r io.Reader, h hash.Hash) {
	defer close(a.chunks)
	for {
		var buf []byte
		select {
		case buf = <-a.free:
		case <-a.stop:
			return
		}
		n, err := io.ReadFull(r, buf)
		if h != nil {
			h.Write(buf[:n])
		}
		a.chunks <- buf[:n] // there is room for all
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		if err != nil {
			a.err = err
			return
		}
	}
}

// Read implements [io.Reader].
func (a *ahead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.cur != nil {
			a.free <- a.cur[:cap(a.cur)]
		}
		var ok bool
		if a.cur, ok = <-a.chunks; !ok {
			return 0, a.err
		}
		a.rest = a.cur
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// close ends the reading.
func (a *ahead) close() {
	close(a.stop)
	for range a.chunks {
	}
}
