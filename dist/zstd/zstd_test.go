package zstd

import (
	"bytes"
	"os"
	"testing"
	"time"

	klauspost "github.com/klauspost/compress/zstd"

	"x.go/tests/corpus"
)

func compress(t testing.TB, data []byte, c WriterConfig) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func judge(t testing.TB, stream, want []byte) {
	t.Helper()
	d, err := klauspost.NewReader(nil, klauspost.WithDecoderMaxWindow(128<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	got, err := d.DecodeAll(stream, nil)
	if err != nil {
		t.Fatalf("klauspost/compress: %v", err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("klauspost/compress decodes to other content")
	}
}

func TestRoundTrip(t *testing.T) {
	data := corpus.Mixed(3_000_000)
	for _, n := range []int{0, 1, 2, 3, 5, 100, 255, 256, 1000, 65_791, 65_792, 100_000, 1_000_000, 3_000_000} {
		judge(t, compress(t, data[:n], WriterConfig{}), data[:n])
		judge(t, compress(t, data[:n], WriterConfig{Size: int64(n)}), data[:n])
	}
}

func TestMeasure(t *testing.T) {
	name := os.Getenv("ZST_FILE")
	if name == "" {
		t.SkipNow()
	}
	data, _ := os.ReadFile(name)
	start := time.Now()
	b := compress(t, data, WriterConfig{Size: int64(len(data))})
	t.Logf("%s %d -> %d in %v", name, len(data), len(b), time.Since(start))
	os.WriteFile(name+".ours.zst", b, 0o644)
	if len(data) < 50<<20 {
		judge(t, b, data)
	}
}
