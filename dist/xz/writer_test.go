package xz

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"testing"

	ulikunitz "github.com/ulikunitz/xz"
	"x.go/tests/corpus"
	"x.go/tests/testenv"
)

// compress returns data as an .xz stream.
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

// judge decodes stream with independent decoders and compares.
func judge(t testing.TB, stream, want []byte) {
	t.Helper()
	r, err := ulikunitz.ReaderConfig{SingleStream: true}.NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatalf("ulikunitz/xz: %v", err)
	}
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("ulikunitz/xz: %v", err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("ulikunitz/xz decodes to other content")
	}
	judgeXZ(t, stream, want)
}

// judgeXZ is judge by the xz program alone.
func judgeXZ(t testing.TB, stream, want []byte) {
	t.Helper()
	cmd := exec.Command(testenv.Need(t, "xz"), "-dc", "--single-stream")
	cmd.Stdin = bytes.NewReader(stream)
	got, err := cmd.Output()
	if err != nil {
		t.Fatalf("xz -d: %v", err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("xz -d decodes to other content")
	}
}

var profiles = []Profile{Fast, Balanced, Best}

func TestWriterRoundTrip(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 300_000)
	rng := rand.NewChaCha8([32]byte{1})
	rng.Read(noise)
	inputs := map[string][]byte{
		"empty":         nil,
		"one byte":      {0},
		"two bytes":     {1, 1},
		"short":         []byte("abcabcabcabcd"),
		"zeros":         make([]byte, 5<<20),
		"noise":         noise,
		"corpus":        corpus.Mixed(1_100_000),
		"noise, corpus": append(bytes.Clone(noise), corpus.Mixed(200_000)...),
	}
	for name, data := range inputs {
		for _, p := range profiles {
			t.Run(fmt.Sprintf("%s/%s", name, p), func(t *testing.T) {
				stream := compress(t, data, WriterConfig{Profile: p})
				judge(t, stream, data)
				if limit := len(data) + len(data)/5000 + 128; len(stream) > limit {
					t.Errorf("%d bytes became %d, want at most %d", len(data), len(stream), limit)
				}
			})
		}
	}
}

func TestWriterOptions(t *testing.T) {
	t.Parallel()
	data := corpus.Mixed(150_000)
	for name, c := range map[string]WriterConfig{
		"small dictionary":  {DictSize: 4 << 10},
		"small blocks":      {BlockSize: 50_000},
		"tiny blocks":       {BlockSize: 4 << 10, Workers: 3},
		"dictionary, block": {DictSize: 64 << 10, BlockSize: 100_000},
		"lc4 pb0":           {LC: 4, PB: -1},
		"lc0 lp2":           {LC: -1, LP: 2},
		"lp4 pb4":           {LC: -1, LP: 4, PB: 4},
		"crc32":             {Check: CheckCRC32},
		"sha256":            {Check: CheckSHA256},
		"no check":          {Check: CheckNone},
		"nice 5 depth 5":    {NiceLen: 5, Depth: 5},
		"nice 273":          {NiceLen: 273, Depth: 65},
	} {
		for _, p := range profiles {
			t.Run(name+"/"+string(p), func(t *testing.T) {
				c.Profile = p
				judge(t, compress(t, data, c), data)
			})
		}
	}
}

// The edges of blocks and of the two sizes of LZMA2 chunks.
func TestWriterEdges(t *testing.T) {
	t.Parallel()
	const block = 300_000
	zeros := make([]byte, chunkRawMax+2)
	for _, edge := range []int{4, maxMatch, chunkCodedMax, block, 2 * block, chunkRawMax} {
		for n := edge - 1; n <= edge+1; n++ {
			judge(t, compress(t, zeros[:n], WriterConfig{Profile: Fast, BlockSize: block}), zeros[:n])
		}
	}
}

func TestWriterSameBytesForAnyWorkers(t *testing.T) {
	t.Parallel()
	data := corpus.Mixed(300_000)
	for _, p := range profiles {
		want := compress(t, data, WriterConfig{Profile: p, BlockSize: 130_000, Workers: 1})
		for _, n := range []int{2, 3, 8} {
			got := compress(t, data, WriterConfig{Profile: p, BlockSize: 130_000, Workers: n})
			if !bytes.Equal(got, want) {
				t.Errorf("%s: bytes of %d workers differ from those of one", p, n)
			}
		}
	}
}

func TestWriterPiecewise(t *testing.T) {
	t.Parallel()
	data := corpus.Mixed(300_000)
	c := WriterConfig{Profile: Fast, BlockSize: 64 << 10}
	var out bytes.Buffer
	w, err := NewWriter(&out, c)
	if err != nil {
		t.Fatal(err)
	}
	for i, step := 0, 1; i < len(data); step = step*2%7001 + 1 {
		n := min(step, len(data)-i)
		if k, err := w.Write(data[i : i+n]); k != n || err != nil {
			t.Fatalf("Write of %d bytes at %d: got %d, %v", n, i, k, err)
		}
		i += n
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Write([]byte{1}); err == nil {
		t.Error("Write after Close succeeded")
	}
	if !bytes.Equal(out.Bytes(), compress(t, data, c)) {
		t.Error("bytes depend on the sizes of the writes")
	}
}

// failAfter is a writer that takes n bytes.
type failAfter struct{ n int }

var errFull = errors.New("disk full")

func (f *failAfter) Write(p []byte) (int, error) {
	n := min(f.n, len(p))
	f.n -= n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func TestWriterReturnsErrorOfOutput(t *testing.T) {
	t.Parallel()
	data := corpus.Mixed(300_000)
	for _, room := range []int{0, 5, 100, 50_000} {
		w, err := NewWriter(&failAfter{room}, WriterConfig{Profile: Fast, BlockSize: 64 << 10})
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			if _, err = w.Write(data); err != nil {
				break
			}
		}
		if !errors.Is(err, errFull) {
			t.Errorf("room for %d bytes: Write returns %v, want %v", room, err, errFull)
		}
		if err := w.Close(); !errors.Is(err, errFull) {
			t.Errorf("room for %d bytes: Close returns %v, want %v", room, err, errFull)
		}
	}
}

// The last four bytes of these blocks were there before and are cut short by
// the end, so that no search may look past it.
func TestWriterMatchAtEnd(t *testing.T) {
	for cut := range 12 {
		data := []byte("abcdefghijkl--------abcdxfgh........abcdefghijkl")
		data = data[:len(data)-cut]
		for _, p := range profiles {
			judge(t, compress(t, data, WriterConfig{Profile: p}), data)
		}
	}
}
