package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"x.go/dist/measure"
)

// Run compares x's coders with each other and with other programs, on each source by
// itself. A program that failed or wrote a wrong output is in the report; see
// [Report.Errors]. Run itself fails if an option is wrong, with an [*measure.OptionError],
// if an input cannot be read, and if ctx ends.
//
// Temporary files, as large as the inputs and their compressed forms, are in
// [os.TempDir]. Run removes them at the end.
func Run(ctx context.Context, o Options) (Report, error) {
	s, err := newSession(o)
	if err != nil {
		return Report{}, err
	}
	if s.dir, err = os.MkdirTemp("", "x-bench-"); err != nil {
		return Report{}, fmt.Errorf("creating a directory for outputs: %w", err)
	}
	defer os.RemoveAll(s.dir)
	return s.report(ctx, s.prepare, s.compare)
}

// Plan returns the report of [Run] without running anything: a row for each program,
// with its command, and no digests of the inputs. It writes no file.
func Plan(ctx context.Context, o Options) (Report, error) {
	s, err := newSession(o)
	if err != nil {
		return Report{}, err
	}
	return s.report(ctx, s.describe, func(_ context.Context, in input) (Result, error) {
		return s.comparison(in).plan(in.Input), nil
	})
}

// report prepares all inputs and then compares on each.
func (s *session) report(
	ctx context.Context, ready func(context.Context, Source) (input, error), compare func(context.Context, input) (Result, error),
) (Report, error) {
	for _, tool := range s.missing {
		s.notef("note: %s is not installed: leaving it out", tool)
	}
	r := Report{Schema: schemaVersion, Machine: measure.ThisMachine(), Jobs: s.Jobs, Rounds: s.Rounds, Results: []Result{}}
	var inputs []input
	for _, src := range s.Sources {
		in, err := ready(ctx, src)
		if err != nil {
			return Report{}, err
		}
		inputs = append(inputs, in)
	}
	r.Programs = append([]Program{{Tool: "x", Version: s.Version}}, programsOf(ctx, s.kept(s.peers), s.Env)...)
	for _, in := range inputs {
		if s.Filter && in.filter == noFilter {
			s.notef("note: no machine code of x86 or ARM64 at the start of files in %q: leaving out the branch filter", in.Name)
		}
		result, err := compare(ctx, in)
		if err != nil {
			return Report{}, err
		}
		r.Results = append(r.Results, result)
	}
	r.Rate(s.baseline)
	return r, nil
}

// comparison sets up the comparison on one input.
func (s *session) comparison(in input) comparison {
	filter := noFilter
	if s.Filter {
		filter = in.filter
	}
	b := comparison{Encoders: s.kept(s.encoders(filter)), Rounds: s.Rounds, Timeout: s.Timeout, Env: s.Env, Notify: s.Notify}
	// Checks have one thread where they can, as most who unpack: their memory
	// is shown.
	b.Checks = slices.Clone(s.decoders)
	slices.Reverse(b.Checks)
	for _, format := range ourFormats {
		b.Checks = append(b.Checks, s.decoder(format))
	}
	if s.Decode {
		b.Decoders = slices.DeleteFunc(slices.Clone(s.decoders), func(c coder) bool { return c.Format != "xz" })
		b.Decoders = append(b.Decoders, s.decoder("xz"))
	}
	return b
}

// compare compares on one input.
func (s *session) compare(ctx context.Context, in input) (result Result, err error) {
	b := s.comparison(in)
	if b.Dir, err = os.MkdirTemp(s.dir, "run-"); err != nil {
		return Result{}, fmt.Errorf("creating a directory for outputs: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.Dir)) }()
	return b.compare(ctx, in.Input)
}
