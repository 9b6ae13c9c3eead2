package tests

import (
	"bytes"
	"io"
	"testing"
	"time"

	"x.go/tests/runx"
)

// BenchmarkProcess measures whole processes, start included. x is the test
// binary under another name here: somewhat more to start than the program.
func BenchmarkProcess(b *testing.B) {
	for _, bb := range []struct {
		name string
		args []string
	}{
		{"version", []string{"version"}},
		{"explain", []string{"explain", "--target", "aarch64-unknown-linux-gnu", "--", "-Clinker=gcc"}},
		{"explain-rustflags", []string{"explain", "--rustflags"}},
		{"targets", []string{"targets"}},
		{"targets-show", []string{"targets", "show", "riscv64gc-unknown-linux-gnu"}},
		{"targets-show-nightly", []string{"targets", "show", "x86_64-unknown-linux-gnu", "--release", "nightly", "--json"}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			dir := b.TempDir()
			for b.Loop() {
				cmd := runx.Command(b, dir, nil, bb.args...)
				cmd.Stdout = io.Discard
				if err := cmd.Run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBatch measures one process with one processor, from its start to its
// end: cases a second, and cases a second of processor time, which is the same
// on a machine that does nothing else.
func BenchmarkBatch(b *testing.B) {
	cases := recordings(b)
	const rounds = 25
	in := bytes.Repeat(questions(cases), rounds)
	dir := b.TempDir()
	var busy time.Duration
	for b.Loop() {
		cmd := runx.Command(b, dir, []string{"GOMAXPROCS=1"}, "explain", "--batch")
		cmd.Stdin, cmd.Stdout = bytes.NewReader(in), io.Discard
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		busy += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	n := float64(rounds * len(cases) * b.N)
	b.ReportMetric(n/b.Elapsed().Seconds(), "cases/s")
	b.ReportMetric(n/busy.Seconds(), "cases/cpu-s")
	b.SetBytes(int64(len(in)))
}
