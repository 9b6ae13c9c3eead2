package explain

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"x.go/targets/link"
)

const (
	// maxBatchLine bounds one line of a batch. Lines of recorded command lines
	// have some KB.
	maxBatchLine = 1 << 20
	// batchBuffer is what is read and written at once.
	batchBuffer = 256 << 10
)

// errBatchProblems ends a batch in which every line was answered, some of them
// with a problem.
var errBatchProblems = errors.New("answering the batch: some lines have no answer: see \"problem\" in their answers")

// Batch answers JSON lines from r with JSON lines on w until the input ends:
// see [link.Batch] and [link.Result]. Each line has its answer, in order
// and as soon as r has no more to give; a line may have 1 MiB. A wrong line
// does not end the run, but Batch then returns an error. The questions are about
// rustc itself: what x changed in the toolchain does not count.
func (a *Asked) Batch(ctx context.Context, r io.Reader, w io.Writer) error {
	batch, err := link.NewBatch(a.registry, a.Compiler)
	if err != nil {
		return err
	}
	batch.ReadFile = a.machine.readArgFile
	in := bufio.NewReaderSize(r, batchBuffer)
	out := make([]byte, 0, batchBuffer+maxBatchLine)
	flush := func() error {
		if len(out) == 0 {
			return nil
		}
		_, err := w.Write(out)
		out = out[:0]
		if err != nil {
			return fmt.Errorf("writing answers: %w", err)
		}
		return nil
	}
	problems := false
	var long []byte
	for n := 1; ctx.Err() == nil; n++ {
		if len(out) >= batchBuffer || in.Buffered() == 0 {
			// Whoever asks line by line and waits gets each answer at once.
			if err := flush(); err != nil {
				return err
			}
		}
		line, tooLong, err := readLine(in, &long)
		if err != nil && !errors.Is(err, io.EOF) {
			return errors.Join(fmt.Errorf("reading line %d: %w", n, err), flush())
		}
		if err != nil && len(line) == 0 && !tooLong {
			break
		}
		answer := link.Result{Problem: fmt.Sprintf("line %d has more than %d bytes", n, maxBatchLine)}
		if !tooLong {
			answer = batch.Decide(line)
		}
		out = answer.AppendJSON(out)
		problems = problems || answer.Problem != ""
	}
	if err := flush(); err != nil {
		return err
	}
	if problems {
		return errBatchProblems
	}
	return ctx.Err()
}

// readLine returns the next line without its end. It is valid until the next
// call. A line longer than maxBatchLine is skipped.
func readLine(in *bufio.Reader, long *[]byte) (line []byte, tooLong bool, err error) {
	line, err = in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		*long = append((*long)[:0], line...)
		for errors.Is(err, bufio.ErrBufferFull) {
			line, err = in.ReadSlice('\n')
			if len(*long) <= maxBatchLine { // else it is too long already
				*long = append(*long, line...)
			}
		}
		line = *long
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	if len(line) > maxBatchLine {
		return nil, true, err
	}
	return line, false, err
}
