package xz

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Error is a failure to read an .xz file. Offset is the position in the
// compressed input, in bytes, up to which input had been taken.
type Error struct {
	Offset int64
	Err    error
}

// Error says what is wrong and where.
func (e *Error) Error() string {
	return fmt.Sprintf("reading xz at offset %d: %v", e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// source is compressed input that knows its offset.
type source struct {
	r      *bufio.Reader
	offset int64
}

func newSource(r io.Reader) *source {
	return &source{r: bufio.NewReaderSize(r, 64<<10)}
}

// memorySource is a source of bytes that were read ahead from offset.
func memorySource(b []byte, offset int64) *source {
	return &source{r: bufio.NewReader(bytes.NewReader(b)), offset: offset}
}

// byte reads one byte that must be there.
func (s *source) byte() (byte, error) {
	b, err := s.r.ReadByte()
	if err != nil {
		return 0, unexpected(err)
	}
	s.offset++
	return b, nil
}

// full fills p.
func (s *source) full(p []byte) error {
	n, err := io.ReadFull(s.r, p)
	s.offset += int64(n)
	return unexpected(err)
}

// take reads n bytes. Memory grows with what is there, not with n.
func (s *source) take(n int64) ([]byte, error) {
	b := make([]byte, min(n, 1<<20))
	for done := 0; ; {
		if err := s.full(b[done:]); err != nil {
			return nil, err
		}
		if done = len(b); int64(done) == n {
			return b, nil
		}
		b = append(b, make([]byte, min(n-int64(done), 15*int64(done)))...)
	}
}

// unexpected makes an end of input an error.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// wrap adds the offset to an error.
func (s *source) wrap(err error) error {
	var e *Error
	if err == nil || err == io.EOF || errors.As(err, &e) {
		return err
	}
	return &Error{Offset: s.offset, Err: err}
}
