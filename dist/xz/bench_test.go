package xz

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"x.go/tests/corpus"
	"x.go/tests/testenv"
)

// benchInput is the file named by XZ_BENCH_FILE, or generated content.
func benchInput(b *testing.B) []byte {
	name := os.Getenv("XZ_BENCH_FILE")
	if name == "" {
		return corpus.Mixed(8 << 20)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	return data
}

// countWriter counts bytes.
type countWriter struct{ n int64 }

func (w *countWriter) Write(p []byte) (int, error) {
	w.n += int64(len(p))
	return len(p), nil
}

// timeXZ runs the xz program and returns its time and the size of its output.
func timeXZ(b *testing.B, data []byte, args ...string) (time.Duration, int64) {
	cmd := exec.Command(testenv.Need(b, "xz"), args...)
	cmd.Stdin = bytes.NewReader(data)
	var out countWriter
	cmd.Stdout = &out
	start := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start), out.n
}

// BenchmarkWriter compares each profile with the preset of the xz program that
// rust-installer uses for it. The runs alternate; size/xz and time/xz are
// ratios of their sums, below 1 where this package is better.
func BenchmarkWriter(b *testing.B) {
	data := benchInput(b)
	for p, preset := range map[Profile]string{Fast: "-1", Balanced: "-6", Best: "-9"} {
		b.Run(string(p), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			var ours, theirs time.Duration
			var size, theirSize int64
			for b.Loop() {
				start := time.Now()
				var out countWriter
				w, err := NewWriter(&out, WriterConfig{Profile: p, Size: int64(len(data))})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := w.Write(data); err != nil {
					b.Fatal(err)
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
				ours += time.Since(start)
				b.StopTimer()
				took, n := timeXZ(b, data, preset, "-T2", "-c")
				theirs, theirSize, size = theirs+took, n, out.n
				b.StartTimer()
			}
			b.ReportMetric(float64(size), "coded-bytes")
			b.ReportMetric(float64(size)/float64(theirSize), "size/xz")
			b.ReportMetric(ours.Seconds()/theirs.Seconds(), "time/xz")
		})
	}
}

// BenchmarkWorkers compresses with more and more workers. With -blockprofile and
// -mutexprofile it shows what they wait for.
func BenchmarkWorkers(b *testing.B) {
	data := benchInput(b)
	for _, workers := range []int{1, 2, 4, 8} {
		b.Run(fmt.Sprint(workers), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				w, err := NewWriter(io.Discard, WriterConfig{Profile: Best, Size: int64(len(data)), Workers: workers})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := w.Write(data); err != nil {
					b.Fatal(err)
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReader does the same for decoding: a single block of the xz program,
// and blocks of ours.
func BenchmarkReader(b *testing.B) {
	data := benchInput(b)
	cmd := exec.Command(testenv.Need(b, "xz"), "-6", "-c")
	cmd.Stdin = bytes.NewReader(data)
	single, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	for name, stream := range map[string][]byte{
		"one block": single,
		"blocks":    compress(b, data, WriterConfig{Profile: Fast}),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			var ours, theirs time.Duration
			for b.Loop() {
				start := time.Now()
				r, err := NewReader(bytes.NewReader(stream), ReaderConfig{})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, r); err != nil {
					b.Fatal(err)
				}
				ours += time.Since(start)
				b.StopTimer()
				took, _ := timeXZ(b, stream, "-dc", "-T2")
				theirs += took
				b.StartTimer()
			}
			b.ReportMetric(ours.Seconds()/theirs.Seconds(), "time/xz")
		})
	}
}
