package doctor

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"unicode/utf16"
)

const (
	blockSize = 256 << 10
	maxLine   = 4 << 20 // bytes of a line that are read as one; the rest is read as more lines
)

// blocks are kept from one log to the next: most logs are shorter than a block.
var blocks = sync.Pool{New: func() any { return new([blockSize]byte) }}

// scan calls do with each line of r that holds a word of a. Lines are numbered from 1
// and end at a line feed; do must not keep the text.
func scan(ctx context.Context, r io.Reader, a *automaton, do func(no int, text []byte)) error {
	s := scanner{a: a, do: do, no: 1}
	block := blocks.Get().(*[blockSize]byte)
	defer blocks.Put(block)
	buf := block[:]
	r = decoded(r)
	filled := 0
	for {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n, err := io.ReadFull(r, buf[filled:])
		filled += n
		end := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !end {
			return err
		}
		rest := s.block(buf[:filled], end)
		if end {
			return nil
		}
		filled = copy(buf, buf[filled-rest:filled])
		if filled == len(buf) {
			if len(buf) < maxLine {
				buf = append(buf, make([]byte, len(buf))...)
			} else { // a line without an end: take what is there as one
				s.line(buf)
				filled = 0
			}
		}
	}
}

// scanner splits blocks into lines.
type scanner struct {
	a  *automaton
	do func(no int, text []byte)
	no int // of the line that starts the next block
}

// block takes the whole lines at the start of b, all of b at the end of the log, and
// returns the number of bytes left.
func (s *scanner) block(b []byte, end bool) int {
	whole := len(b)
	if !end {
		whole = bytes.LastIndexByte(b, '\n') + 1
	}
	lines := b[:whole]
	for len(lines) > 0 {
		hit := s.a.first(lines)
		if hit < 0 {
			s.no += bytes.Count(lines, newline)
			break
		}
		start := bytes.LastIndexByte(lines[:hit], '\n') + 1
		s.no += bytes.Count(lines[:start], newline)
		lines = lines[start:]
		stop := bytes.IndexByte(lines, '\n')
		if stop < 0 {
			s.line(lines)
			break
		}
		s.line(lines[:stop])
		lines = lines[stop+1:]
		s.no++
	}
	return len(b) - whole
}

var newline = []byte{'\n'}

func (s *scanner) line(text []byte) { s.do(s.no, text) }

// decoded turns UTF-16 with a byte order mark, which PowerShell redirects output to,
// into UTF-8.
func decoded(r io.Reader) io.Reader {
	head := make([]byte, 2)
	n, err := io.ReadFull(r, head)
	head = head[:n]
	if err != nil {
		return io.MultiReader(bytes.NewReader(head), errReader{err})
	}
	big := head[0] == 0xfe && head[1] == 0xff
	if big || head[0] == 0xff && head[1] == 0xfe {
		return &utf16Reader{r: r, big: big}
	}
	return io.MultiReader(bytes.NewReader(head), r)
}

// errReader has nothing left but an error.
type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) {
	if errors.Is(e.err, io.ErrUnexpectedEOF) {
		return 0, io.EOF
	}
	return 0, e.err
}

// utf16Reader reads UTF-16 as UTF-8.
type utf16Reader struct {
	r    io.Reader
	big  bool
	in   []byte // bytes not yet decoded, at most 3
	out  []byte // decoded, not yet read
	done error
}

// Read implements [io.Reader].
func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.out) == 0 {
		if u.done != nil {
			return 0, u.done
		}
		buf := make([]byte, 32<<10)
		n, err := u.r.Read(buf)
		u.done = err
		u.decode(append(u.in, buf[:n]...))
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}

// decode decodes whole characters and keeps the rest.
func (u *utf16Reader) decode(b []byte) {
	units := make([]uint16, 0, len(b)/2)
	for i := 0; i+1 < len(b); i += 2 {
		low, high := b[i], b[i+1]
		if u.big {
			low, high = high, low
		}
		units = append(units, uint16(high)<<8|uint16(low))
	}
	keep := len(b) % 2
	if len(units) > 0 && u.done == nil && utf16.IsSurrogate(rune(units[len(units)-1])) && units[len(units)-1] < 0xdc00 {
		units = units[:len(units)-1] // its other half is still to come
		keep += 2
	}
	u.in = append([]byte(nil), b[len(b)-keep:]...)
	u.out = []byte(string(utf16.Decode(units)))
}
