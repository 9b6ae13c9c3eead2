package bench

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"x.go/dist"
	"x.go/dist/measure"
)

// comparison compares coders.
type comparison struct {
	Encoders []coder // in the order of their turns
	// Checks decode the outputs of the encoders, to check them. The first with the
	// format of an output is used; an output without one is an error.
	Checks []coder
	// Decoders are compared on the files that our encoders wrote in their format.
	// There may be none.
	Decoders []coder
	Rounds   int           // runs of each coder; 0 means 1
	Timeout  time.Duration // for one run; 0 means none
	Dir      string        // an empty directory for outputs; the caller removes it
	Env      []string      // environment of the programs, "KEY=value"
	// Notify, if not nil, is called before and after each run.
	Notify func(measure.Event)
}

// newInput describes the file at path, called name in the report.
func newInput(ctx context.Context, name, path string) (Input, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Input{}, fmt.Errorf("reading input %q: %w", path, errors.Unwrap(err))
	}
	sum, err := dist.HashFile(ctx, path)
	if err != nil {
		return Input{}, fmt.Errorf("reading input %q: %w", path, err)
	}
	return Input{Name: name, Path: path, Bytes: info.Size(), SHA256: sum.String()}, nil
}

// plan returns the rows of a comparison without running it. Decoders get no rows, as
// the files that encoders would write are not known.
func (b comparison) plan(in Input) Result {
	res := Result{Input: in}
	for _, c := range b.Encoders {
		res.Encode = append(res.Encode, c.row(filepath.Base(in.Path), "out."+c.Format))
	}
	return res
}

// row describes c to the reader of a report, without the directories of the run.
func (c coder) row(in, out string) Row {
	c.Program = filepath.Base(c.Program)
	if c.Ours {
		c.Program = "x"
	}
	return Row{Name: c.Name(), Tool: c.Tool, Level: c.Level, Format: c.Format, Ours: c.Ours, Command: c.Command(in, out), Runs: []measure.Figures{}}
}

// compare runs the coders on in. That one of them fails is told in its row;
// compare itself fails if ctx ends.
func (b comparison) compare(ctx context.Context, in Input) (Result, error) {
	b.Rounds = max(b.Rounds, 1)
	res := b.plan(in)
	archives, tasks := b.encodeTasks(in, res.Encode)
	rows, decoding := b.decodeTasks(in, archives)
	res.Decode = rows
	steps := (len(tasks) + len(decoding)) * b.Rounds
	if err := b.rounds(ctx, in.Name, tasks, 0, steps); err != nil {
		return res, err
	}
	return res, b.rounds(ctx, in.Name, decoding, len(tasks)*b.Rounds, steps)
}

// task is a coder that takes its turn in each round.
type task struct {
	row    *Row
	coder  coder
	in     string
	out    string // fresh for each run
	keep   bool   // leave the output of the last run there
	accept func(ctx context.Context, row *Row, out string) error
}

// archive is a file that a task leaves behind.
type archive struct {
	path, format string
	row          Row
}

func (b comparison) encodeTasks(in Input, rows []Row) (archives []archive, tasks []task) {
	for i, c := range b.Encoders {
		t := task{row: &rows[i], coder: c, in: in.Path, out: filepath.Join(b.Dir, strconv.Itoa(i)+"."+c.Format)}
		checked := "" // digest of an output that was found right
		t.accept = func(ctx context.Context, row *Row, out string) error {
			sum, err := dist.HashFile(ctx, out)
			if err != nil || sum.String() == checked {
				return err
			}
			checked = sum.String()
			return b.check(ctx, in, row, out)
		}
		for _, d := range b.Decoders {
			if c.Ours && d.Format == c.Format && !t.keep {
				t.keep = true
				archives = append(archives, archive{t.out, c.Format, rows[i]})
			}
		}
		tasks = append(tasks, t)
	}
	return archives, tasks
}

func (b comparison) decodeTasks(in Input, archives []archive) (rows []Row, tasks []task) {
	for _, a := range archives {
		for _, d := range b.Decoders {
			if d.Format != a.format {
				continue
			}
			row := d.row("out."+a.format, filepath.Base(in.Path))
			row.Of = a.row.Name
			rows = append(rows, row)
			tasks = append(tasks, task{
				coder: d, in: a.path, out: filepath.Join(b.Dir, "decoded"),
				accept: func(ctx context.Context, _ *Row, out string) error {
					sum, err := dist.HashFile(ctx, out)
					if err == nil && sum.String() != in.SHA256 {
						err = errors.New("the result is not the input")
					}
					return err
				},
			})
		}
	}
	for i := range tasks {
		tasks[i].row = &rows[i] // now that rows has its final place
	}
	return rows, tasks
}

// rounds gives each task its turn in each round. A task that fails is out, and
// its figures with it.
func (b comparison) rounds(ctx context.Context, input string, tasks []task, done, steps int) error {
	var turns []measure.Turn
	for _, t := range tasks {
		turns = append(turns, measure.Turn{
			Name: t.row.title(),
			Run: func(ctx context.Context, last bool) (measure.Figures, error) {
				run, err := b.turn(ctx, t, last)
				if err == nil {
					t.row.Runs = append(t.row.Runs, run)
				}
				return run, err
			},
			Fail: func(err error) { t.row.Error, t.row.Runs = err.Error(), []measure.Figures{} },
		})
	}
	return measure.Rounds{Count: b.Rounds, Before: done, Steps: steps, Input: input, Notify: b.Notify}.Take(ctx, turns)
}

// turn runs a task once and judges its output.
func (b comparison) turn(ctx context.Context, t task, last bool) (measure.Figures, error) {
	if !t.keep || !last {
		defer os.Remove(t.out)
	}
	if _, err := os.Stat(t.in); err != nil && t.row.Of != "" {
		return measure.Figures{}, fmt.Errorf("%s made no file to decode", t.row.Of)
	}
	run, err := b.measure(ctx, t.coder, t.in, t.out)
	if err != nil {
		return measure.Figures{}, err
	}
	info, err := os.Stat(t.out)
	if err != nil {
		return measure.Figures{}, err
	}
	run.Bytes = info.Size()
	return run, t.accept(ctx, t.row, t.out)
}

// check decodes out and compares it with the input.
func (b comparison) check(ctx context.Context, in Input, row *Row, out string) error {
	for _, d := range b.Checks {
		if d.Format != row.Format {
			continue
		}
		sum := newDigest(in.Bytes)
		run, err := b.run(ctx, d, out, "", sum)
		switch {
		case sum.n > in.Bytes: // the decoder ends for that with an error of its own
			return fmt.Errorf("decoding the output with %q: got more than the %d bytes of the input", d.Name(), in.Bytes)
		case err != nil:
			return fmt.Errorf("decoding the output with %q: %w", d.Name(), err)
		case sum.String() != in.SHA256:
			return fmt.Errorf("decoding the output with %q: the result is not the input", d.Name())
		}
		row.CheckedBy, row.DecoderPeak = d.Name(), run.Peak
		return nil
	}
	return fmt.Errorf("checking the output: no decoder for %s", row.Format)
}

// digest hashes what is written to it.
type digest struct {
	h interface {
		io.Writer
		Sum([]byte) []byte
	}
	n, limit int64 // bytes
}

func newDigest(limit int64) *digest { return &digest{h: sha256.New(), limit: limit} }

// Write implements [io.Writer]. It fails behind the limit.
func (d *digest) Write(p []byte) (int, error) {
	if d.n += int64(len(p)); d.n > d.limit {
		return 0, io.ErrShortWrite
	}
	return d.h.Write(p)
}

func (d *digest) String() string { return hex.EncodeToString(d.h.Sum(nil)) }
