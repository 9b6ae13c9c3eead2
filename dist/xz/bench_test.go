package xz

import (
	"io"
	"os"
	"testing"
)

// benchInput is the file named by XZ_BENCH_FILE, or generated content.
func benchInput(b *testing.B) []byte {
	name := os.Getenv("XZ_BENCH_FILE")
	if name == "" {
		return corpus(8 << 20)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	return data
}

func BenchmarkWriter(b *testing.B) {
	data := benchInput(b)
	for _, p := range profiles {
		b.Run(string(p), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			var size int64
			for b.Loop() {
				w, err := NewWriter(io.Discard, WriterConfig{Profile: p})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := w.Write(data); err != nil {
					b.Fatal(err)
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
				_, size = w.Progress()
			}
			b.ReportMetric(float64(size), "coded-bytes")
		})
	}
}
