package xz

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/corpus"
	"x.go/tests/testenv"
)

func TestConfigErrors(t *testing.T) {
	for _, tc := range []struct {
		c    WriterConfig
		want string
	}{
		{WriterConfig{Profile: "max"}, `configuring xz: unknown profile "max", want "fast", "balanced" or "best"`},
		{WriterConfig{DictSize: 100}, "configuring xz: dictionary size is 100, want 4096 to 1073741824"},
		{WriterConfig{BlockSize: 2 << 30}, "configuring xz: block size is 2147483648, want 4096 to 1073741824"},
		{WriterConfig{LC: 3, LP: 2}, "configuring xz: lc + lp is 5, want 0 to 4"},
		{WriterConfig{NiceLen: 300}, "configuring xz: nice length is 300, want 5 to 273"},
		{WriterConfig{Check: 9}, "configuring xz: check is 9, want 0 to 3"},
		{WriterConfig{Workers: -1}, "configuring xz: workers is -1, want 1 to 1024"},
	} {
		_, err := NewWriter(nil, tc.c)
		if err == nil {
			t.Errorf("%+v: got no error, want %q", tc.c, tc.want)
			continue
		}
		if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tc.c, diff)
		}
	}
}

func TestConfigMemoryLimit(t *testing.T) {
	full, err := WriterConfig{Profile: Fast, Workers: 8}.Memory()
	if err != nil {
		t.Fatal(err)
	}
	limited, err := WriterConfig{Profile: Fast, Workers: 8, MaxMemory: full.Encoder - 64<<20}.Memory()
	if err != nil {
		t.Fatal(err)
	}
	if limited.Encoder > full.Encoder-64<<20 || limited.Workers >= 8 || limited.Workers < 1 {
		t.Errorf("64 MiB less than %+v gives %+v", full, limited)
	}
	if _, err := (WriterConfig{Profile: Fast, MaxMemory: 1 << 20}).Memory(); err == nil || !strings.Contains(err.Error(), "one worker needs") {
		t.Errorf("1 MiB of memory: got error %v", err)
	}
}

// leastMemory is what c needs with the shortest spans.
func leastMemory(t *testing.T, c WriterConfig) int64 {
	t.Helper()
	s, err := c.resolve()
	if err != nil {
		t.Fatal(err)
	}
	s.spanMax = fitSpan
	return s.memory()
}

// TestConfigFit gives up the length of spans first, then workers, then the size
// of blocks, then the dictionary.
func TestConfigFit(t *testing.T) {
	best := WriterConfig{Profile: Best, Workers: 4}
	known := best
	known.Size = 40 << 20
	blocks := WriterConfig{Profile: Fast, BlockSize: 24 << 20, Workers: 4}
	for _, tc := range []struct {
		name  string
		c     WriterConfig
		limit int64
		want  Memory // without the encoder's memory
	}{
		{"no limit", best, 0, Memory{Workers: 4, DictSize: 128 << 20, BlockSize: 512 << 20}},
		{"all that it needs", best, encoderMemory(t, best), Memory{Workers: 4, DictSize: 128 << 20, BlockSize: 512 << 20}},
		{"a byte less", best, encoderMemory(t, best) - 1, Memory{Workers: 4, DictSize: 128 << 20, BlockSize: 512 << 20}},
		{"fewer workers", best, leastMemory(t, WriterConfig{Profile: Best, Workers: 3}), Memory{Workers: 3, DictSize: 128 << 20, BlockSize: 512 << 20}},
		{"smaller blocks", best, leastMemory(t, WriterConfig{Profile: Best, Workers: 1, BlockSize: 128 << 20}), Memory{Workers: 1, DictSize: 128 << 20, BlockSize: 128 << 20}},
		{"a smaller dictionary", best, leastMemory(t, WriterConfig{Profile: Best, Workers: 1, BlockSize: 32 << 20}), Memory{Workers: 1, DictSize: 32 << 20, BlockSize: 32 << 20}},
		{"the smallest", best, leastMemory(t, WriterConfig{Profile: Best, Workers: 1, BlockSize: 1 << 20}), Memory{Workers: 1, DictSize: 1 << 20, BlockSize: 1 << 20}},
		{"a known size", known, 0, Memory{Workers: 4, DictSize: 48 << 20, BlockSize: 512 << 20}},
		{"a known size, less at a time", known, encoderMemory(t, known) - 1, Memory{Workers: 4, DictSize: 48 << 20, BlockSize: 512 << 20}},
		{"blocks as given", blocks, 0, Memory{Workers: 4, DictSize: 8 << 20, BlockSize: 24 << 20}},
		{"blocks lowered to the dictionary", blocks, leastMemory(t, WriterConfig{Profile: Fast, BlockSize: 8 << 20, Workers: 1}), Memory{Workers: 1, DictSize: 8 << 20, BlockSize: 8 << 20}},
	} {
		tc.c.MaxMemory = tc.limit
		got, err := tc.c.Memory()
		if err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		if tc.limit > 0 && got.Encoder > tc.limit {
			t.Errorf("%s: got %d bytes, the limit is %d", tc.name, got.Encoder, tc.limit)
		}
		tc.want.Encoder, tc.want.Decoder, tc.want.SpanSize = got.Encoder, decoderMemory(tc.want.DictSize), got.SpanSize
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

func encoderMemory(t *testing.T, c WriterConfig) int64 {
	t.Helper()
	m, err := c.Memory()
	if err != nil {
		t.Fatal(err)
	}
	return m.Encoder
}

// TestFitBytes says that the number of workers does not show in the bytes where
// a limit lowers the dictionary either.
func TestFitBytes(t *testing.T) {
	testenv.Long(t, "minutes with -race; shorter tests use as many goroutines")
	data := corpus.Mixed(3_000_000)
	limit := encoderMemory(t, WriterConfig{Profile: Best, BlockSize: 1 << 20, Workers: 1})
	var want []byte
	for _, workers := range []int{1, 3} {
		got := compress(t, data, WriterConfig{Profile: Best, Workers: workers, MaxMemory: limit})
		judgeXZ(t, got, data)
		if want == nil {
			want = got
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%d workers: bytes differ", workers)
		}
	}
	if free := compress(t, data, WriterConfig{Profile: Best}); bytes.Equal(free, want) {
		t.Error("the limit lowered nothing")
	}
}

func TestParseBCJ(t *testing.T) {
	for i, name := range []string{"none", "x86", "arm64"} {
		got, err := ParseBCJ(name)
		if err != nil || got != BCJ(i) || got.String() != name {
			t.Errorf("%q: got %v and error %v", name, got, err)
		}
	}
	if _, err := ParseBCJ("ARM64"); err == nil || err.Error() != `parsing branch filter: got "ARM64", want none, x86, arm64 or auto` {
		t.Errorf("ARM64: got error %v", err)
	}
	if got := BCJ(9).String(); got != "BCJ(9)" {
		t.Errorf("got %q", got)
	}
}
