package zstd

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	klauspost "github.com/klauspost/compress/zstd"

	"x.go/tests/corpus"
	"x.go/tests/testenv"
)

// compress compresses data with spans and slices as small as most says, unless that
// is 0.
func compressIn(t testing.TB, data []byte, c WriterConfig, most int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(t.Context(), &out, c)
	if err != nil {
		t.Fatal(err)
	}
	if most > 0 {
		w.set.sliceSize = most / 3
		w.set.setSpan(int64(most))
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func compress(t testing.TB, data []byte, c WriterConfig) []byte {
	t.Helper()
	return compressIn(t, data, c, 0)
}

// judge decodes stream with an independent decoder and compares.
func judge(t testing.TB, stream, want []byte) {
	t.Helper()
	d, err := klauspost.NewReader(nil, klauspost.WithDecoderMaxWindow(maxWindow), klauspost.WithDecoderConcurrency(1))
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

// judgeZstd is judge by the zstd program.
func judgeZstd(t testing.TB, stream, want []byte) {
	t.Helper()
	cmd := exec.Command(testenv.Need(t, "zstd"), "-dc")
	cmd.Stdin = bytes.NewReader(stream)
	got, err := cmd.Output()
	if err != nil {
		t.Fatalf("zstd -d: %v", err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("zstd -d decodes to other content")
	}
}

// noise is n bytes that cannot be compressed.
func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	skewed := noise(400_000) // literals without matches
	for i, b := range skewed {
		skewed[i] = b & (b >> 3)
	}
	inputs := map[string][]byte{
		"zeros":  make([]byte, 700_001),
		"noise":  noise(300_000),
		"skewed": skewed,
		"pages":  corpus.RepeatedPages(),
		"runs":   append(bytes.Repeat([]byte{7}, blockMax), noise(blockMax)...),
	}
	mixed := corpus.Mixed(1_000_000)
	for _, n := range []int{0, 1, 2, 3, 4, 7, 31, 255, 256, 257, 1000, 1 << 10, 4095, 65_791, 65_792, blockMax - 1, blockMax, blockMax + 1, len(mixed)} {
		inputs[fmt.Sprint(n, " bytes")] = mixed[:n]
	}
	for name, data := range inputs {
		t.Run(name, func(t *testing.T) {
			for _, c := range []WriterConfig{{}, {Size: int64(len(data))}, {WindowSize: 1 << 14}} {
				stream := compress(t, data, c)
				judge(t, stream, data)
				judgeZstd(t, stream, data)
				if most := len(data) + len(data)>>10 + 32; len(stream) > most {
					t.Errorf("%+v: got %d bytes of %d, want at most %d", c, len(stream), len(data), most)
				}
			}
		})
	}
}

// Spans and slices far smaller than the real ones, so that there are many borders: the
// frames must decode, and be equal for any number of workers and any writes.
func TestWorkers(t *testing.T) {
	t.Parallel()
	data := append(corpus.Mixed(300_000), make([]byte, 90_000)...)
	for _, window := range []int64{minWindow, 1 << 16, maxWindow} {
		var first []byte
		for _, workers := range []int{1, 2, 3, 8} {
			got := compressIn(t, data, WriterConfig{WindowSize: window, Workers: workers}, 90_000)
			if first == nil {
				first = got
				judge(t, got, data)
				judgeZstd(t, got, data)
			} else if !bytes.Equal(got, first) {
				t.Errorf("window %d: %d workers write other bytes than one", window, workers)
			}
		}
	}
}

// The bytes are pinned, so that another output is a decision. To renew:
// X_UPDATE=1 go test -run GoldenBytes ./dist/zstd
func TestGoldenBytes(t *testing.T) {
	t.Parallel()
	const golden = "testdata/golden.json"
	data := append(corpus.Mixed(600_000), corpus.RepeatedPages()...)
	got := map[string]string{}
	for name, c := range map[string]WriterConfig{"default": {}, "size": {Size: int64(len(data))}, "window": {WindowSize: 1 << 15}} {
		stream := compress(t, data, c)
		got[name] = fmt.Sprintf("%d %x", len(stream), sha256.Sum256(stream))
	}
	if os.Getenv("X_UPDATE") != "" {
		text, err := json.MarshalIndent(got, "", "\t")
		testenv.Must(t, err)
		testenv.Must(t, os.WriteFile(golden, append(text, '\n'), 0o644))
	}
	text, err := os.ReadFile(golden)
	testenv.Must(t, err)
	want := map[string]string{}
	testenv.Must(t, json.Unmarshal(text, &want))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("size and SHA-256 of the output (-want +got):\n%s", diff)
	}
}

func TestWriterContext(t *testing.T) {
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	w, err := NewWriter(ctx, io.Discard, WriterConfig{})
	testenv.Must(t, err)
	data := corpus.Mixed(100_000)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	cancel(reason)
	if _, err := w.Write(data); !errors.Is(err, reason) {
		t.Errorf("Write after cancel returns %v, want %v", err, reason)
	}
	if err := w.Close(); !errors.Is(err, reason) {
		t.Errorf("Close after cancel returns %v, want %v", err, reason)
	}
}

// failingWriter fails after some bytes.
type failingWriter struct {
	left int
	err  error
}

func (w *failingWriter) Write(p []byte) (int, error) {
	if n := min(len(p), w.left); n < len(p) {
		w.left = 0
		return n, w.err
	}
	w.left -= len(p)
	return len(p), nil
}

func TestWriterErrors(t *testing.T) {
	data := corpus.Mixed(50_000)
	reason := errors.New("disk full")
	for _, left := range []int{0, 3, 20, 1000} {
		w, err := NewWriter(t.Context(), &failingWriter{left, reason}, WriterConfig{})
		testenv.Must(t, err)
		_, err = w.Write(data)
		testenv.Must(t, err)
		for range 2 {
			if err := w.Close(); !errors.Is(err, reason) || !strings.Contains(err.Error(), fmt.Sprintf("writing zstd at offset %d: ", left)) {
				t.Errorf("an output that fails at %d: Close returns %v", left, err)
			}
		}
		if _, err := w.Write(data); !errors.Is(err, errClosed) {
			t.Errorf("Write after Close returns %v", err)
		}
	}
}

// A stated size must be the true one.
func TestWriterSize(t *testing.T) {
	for _, tt := range []struct {
		size, writes int
		want         string
	}{
		{11, 1, "got 10 bytes, want the 11 that were stated"},
		{15, 2, "got more than the 15 bytes that were stated"},
	} {
		w, err := NewWriter(t.Context(), io.Discard, WriterConfig{Size: int64(tt.size)})
		testenv.Must(t, err)
		for range tt.writes {
			_, _ = w.Write(make([]byte, 10))
		}
		if err := w.Close(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%d writes of 10 bytes, stated %d: got %v, want %q", tt.writes, tt.size, err, tt.want)
		}
	}
}

func TestConfig(t *testing.T) {
	for _, tt := range []struct {
		config WriterConfig
		want   string
	}{
		{WriterConfig{WindowSize: 1000}, "window size is 1000, want 1024 to 134217728"},
		{WriterConfig{WindowSize: 3 << 20}, "window size is 3145728, want a power of two"},
		{WriterConfig{Workers: -1}, "workers is -1, want 1 to 1024"},
		{WriterConfig{Size: -1}, "size is -1, want 0 to "},
		{WriterConfig{MaxMemory: 1 << 20}, "the limit is 1048576: raise the limit"},
	} {
		if _, err := NewWriter(t.Context(), io.Discard, tt.config); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: got %v, want %q", tt.config, err, tt.want)
		}
	}
	for limit := int64(4 << 30); limit > 100<<20; limit = limit * 3 / 4 {
		var first Memory
		for _, workers := range []int{1, 2, 8, 64} {
			m, err := WriterConfig{Workers: workers, MaxMemory: limit, Size: 1 << 30}.Memory()
			if err != nil || m.Encoder > limit {
				t.Fatalf("%d workers within %d bytes: got %+v, error %v", workers, limit, m, err)
			}
			if workers == 1 {
				first = m
			}
			if diff := cmp.Diff([]int64{first.WindowSize, first.SpanSize}, []int64{m.WindowSize, m.SpanSize}); diff != "" {
				t.Errorf("%d workers within %d bytes: window and span (-one worker +more):\n%s", workers, limit, diff)
			}
		}
	}
}

// zeros is content of so many zero bytes.
type zeros int64

func (z *zeros) Read(p []byte) (int, error) {
	if *z == 0 {
		return 0, io.EOF
	}
	n := min(len(p), int(*z))
	clear(p[:n])
	*z -= zeros(n)
	return n, nil
}

// TestLargeInput writes many spans as large as real ones may be.
func TestLargeInput(t *testing.T) {
	in := zeros(200<<20 + 1)
	want := int64(in)
	r, pipe := io.Pipe()
	go func() {
		w, err := NewWriter(t.Context(), pipe, WriterConfig{Size: want, MaxMemory: 200 << 20})
		if err == nil {
			if _, err = io.Copy(w, &in); err == nil {
				err = w.Close()
			}
		}
		pipe.CloseWithError(err)
	}()
	d, err := klauspost.NewReader(r, klauspost.WithDecoderMaxWindow(maxWindow), klauspost.WithDecoderConcurrency(1))
	testenv.Must(t, err)
	defer d.Close()
	n, err := io.Copy(io.Discard, d)
	if err != nil || n != want {
		t.Errorf("got %d bytes, error %v, want %d", n, err, want)
	}
}

// FuzzRoundTrip compresses arbitrary content with arbitrary borders.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte(nil), uint8(0), uint16(0))
	f.Add([]byte("abcabcabcabc"), uint8(1), uint16(4096))
	f.Add(make([]byte, 5000), uint8(2), uint16(5000))
	f.Add(corpus.Mixed(20_000), uint8(5), uint16(7000))
	f.Fuzz(func(t *testing.T, data []byte, options uint8, most uint16) {
		c := WriterConfig{WindowSize: minWindow << (options % 8), Workers: 1 + int(options>>3%3)}
		if options&128 != 0 {
			c.Size = int64(len(data))
		}
		stream := compressIn(t, data, c, int(most))
		judge(t, stream, data)
	})
}
