package zstd

import (
	"fmt"
	"io"
	"os"
	"testing"

	"x.go/tests/corpus"
)

// BenchmarkWorkers compresses the file named by ZST_BENCH_FILE, or generated content,
// with more and more workers. With -blockprofile and -mutexprofile it shows what
// workers wait for.
func BenchmarkWorkers(b *testing.B) {
	data := corpus.Mixed(8 << 20)
	if name := os.Getenv("ZST_BENCH_FILE"); name != "" {
		var err error
		if data, err = os.ReadFile(name); err != nil {
			b.Fatal(err)
		}
	}
	for _, workers := range []int{1, 2, 4, 8} {
		b.Run(fmt.Sprint(workers), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				w, err := NewWriter(b.Context(), io.Discard, WriterConfig{Size: int64(len(data)), Workers: workers})
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
