package doctor

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"

	"x.go/dist"
	"x.go/dist/archive"
)

// readSize is what a log is read by, in bytes.
const readSize = 64 << 10

// corpusWorker reads logs one after the other.
type corpusWorker struct {
	*corpusReader
	raw *bufio.Reader // of the log before: most logs are smaller than its buffer
}

// read reads one log.
func (c *corpusWorker) read(ctx context.Context, l *corpusLog) {
	problem := func(kind ProblemKind, detail string) { l.problem = &Problem{l.name, kind, detail} }
	f, err := dist.OpenIn(c.root, l.name)
	if err != nil {
		problem(Unreadable, withoutPath(err))
		return
	}
	defer f.Close()
	raw := c.raw
	if raw == nil {
		raw = bufio.NewReaderSize(f, readSize)
	}
	raw.Reset(f)
	c.raw = raw
	head, err := raw.Peek(sniffLen)
	if err != nil && !errors.Is(err, io.EOF) {
		problem(Unreadable, withoutPath(err))
		return
	}
	var in io.Reader = raw
	if format, ok := archive.SniffFormat(head); ok {
		dec, err := archive.NewDecoder(raw, format, decoderMemory)
		if err != nil {
			problem(Unreadable, err.Error())
			return
		}
		defer dec.Close()
		in = dec
		if format != archive.GZ {
			c.raw = nil // after an error, goroutines of a decoder may still read
		}
	}
	text := &logText{r: in, left: c.maxLog}
	report, err := Diagnose(ctx, l.name, text, c.o.Options)
	if err != nil {
		problem(Unreadable, err.Error())
		return
	}
	l.read, l.bytes, l.findings = true, text.n, report.Findings
	switch {
	case text.err != nil && text.n == 0:
		l.read = false
		problem(Unreadable, withoutPath(text.err))
	case text.err != nil:
		problem(Cut, withoutPath(text.err))
	case text.more:
		problem(Huge, "the part after the first "+dist.FormatBytes(c.maxLog)+" was not read")
	case text.n == 0:
		problem(Cut, "it is empty")
	case text.truncated():
		problem(Cut, "the program that wrote it says that it left out the rest")
	}
}

// sniffLen is how many bytes tell the compression of a file.
const sniffLen = 6

// logText is the text of a log. An error ends it as the end of the file would, so that
// what stands before it counts.
type logText struct {
	r    io.Reader
	left int64
	n    int64
	err  error  // what ended the text before its end
	more bool   // there is more than may be read
	tail []byte // the last bytes
}

// tailLen holds the last line of crater, with its time and level.
const tailLen = 160

// Read implements [io.Reader].
func (t *logText) Read(p []byte) (int, error) {
	if t.left <= 0 {
		n, _ := t.r.Read(make([]byte, 1))
		t.more = t.more || n > 0
		return 0, io.EOF
	}
	n, err := t.r.Read(p[:min(int64(len(p)), t.left)])
	t.n += int64(n)
	t.left -= int64(n)
	t.tail = append(t.tail, p[max(0, n-tailLen):n]...)
	t.tail = t.tail[max(0, len(t.tail)-tailLen):]
	if err != nil && !errors.Is(err, io.EOF) {
		t.err, err = err, io.EOF
	}
	return n, err
}

// truncated reports whether crater has cut the log: rustwide's log storage says "too
// much data in the log, truncating it", or "too many lines".
func (t *logText) truncated() bool {
	return bytes.Contains(t.tail, []byte("in the log, truncating it"))
}
