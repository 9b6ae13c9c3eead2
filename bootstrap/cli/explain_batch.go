package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"x.go/targets"
)

const (
	// maxBatchLine bounds one line of a batch. Lines of recorded command lines
	// have some KB.
	maxBatchLine = 1 << 20
	// batchBuffer is what is read and written at once.
	batchBuffer = 256 << 10
)

// explainBatch answers JSON lines until the input ends. Each line has its
// answer, in order; a wrong line does not end the run but makes it fail.
func (a *app) explainBatch(ctx context.Context, c askedCompiler) error {
	batch, err := targets.NewBatch(c.registry, c.compiler)
	if err != nil {
		return usage(err)
	}
	batch.ReadFile = a.readArgFile
	done := make(chan error, 1)
	go func() { done <- answerLines(ctx, batch, a.Stdin, a.Stdout) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		// A read from a terminal or a pipe cannot be ended from outside; the
		// process ends instead.
		return fmt.Errorf("answering the batch: %w", ctx.Err())
	}
}

// answerLines answers every line of r on w.
func answerLines(ctx context.Context, batch *targets.Batch, r io.Reader, w io.Writer) error {
	in := bufio.NewReaderSize(r, batchBuffer)
	out := make([]byte, 0, batchBuffer+maxBatchLine)
	flush := func() error {
		if len(out) == 0 {
			return nil
		}
		_, err := w.Write(out)
		out = out[:0]
		return err
	}
	problems := false
	var long []byte
	for n := 1; ctx.Err() == nil; n++ {
		if len(out) >= batchBuffer || in.Buffered() == 0 {
			// Whoever asks line by line and waits gets each answer at once.
			if err := flush(); err != nil {
				return fmt.Errorf("writing answers: %w", err)
			}
		}
		line, tooLong, err := readLine(in, &long)
		if err != nil && !errors.Is(err, io.EOF) {
			return errors.Join(fmt.Errorf("reading line %d: %w", n, err), flush())
		}
		if err != nil && len(line) == 0 && !tooLong {
			break
		}
		answer := targets.Result{Problem: fmt.Sprintf("line %d has more than %d bytes", n, maxBatchLine)}
		if !tooLong {
			answer = batch.Decide(line)
		}
		out = answer.AppendJSON(out)
		problems = problems || answer.Problem != ""
	}
	if err := flush(); err != nil {
		return fmt.Errorf("writing answers: %w", err)
	}
	if problems {
		return errBatchProblems
	}
	return ctx.Err()
}

// errBatchProblems ends a batch in which every line was answered, some of them
// with a problem.
var errBatchProblems = errors.New("answering the batch: some lines could not be decided: see \"problem\" in their answers")

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
