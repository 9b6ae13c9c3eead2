package xz

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"x.go/tests/corpus"
	"x.go/tests/testenv"
)

// decompress reads all of stream.
func decompress(stream []byte, c ReaderConfig) ([]byte, error) {
	r, err := NewReader(bytes.NewReader(stream), c)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// runXZ compresses data with the xz program.
func runXZ(t testing.TB, data []byte, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(testenv.Need(t, "xz"), append([]string{"-c"}, args...)...)
	cmd.Stdin = bytes.NewReader(data)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("xz %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out
}

// branchy is content full of what the branch filters convert.
func branchy(n int) []byte {
	b := corpus.Mixed(n)
	for i := 0; i+8 < n; i += 3 + int(b[i])%13 {
		b[i] = 0xE8 | b[i+1]&1
		if b[i+2]&3 != 0 {
			b[i+4] = -(b[i+3] & 1)
		}
	}
	for i := n / 2 &^ 3; i+8 < n; i += 8 {
		b[i+3] = [4]byte{0x94, 0x97, 0x90, 0xF0}[b[i]&3]
	}
	return b
}

func TestReaderOfXZ(t *testing.T) {
	t.Parallel()
	data := branchy(300_000)
	for _, args := range []string{
		"-0", "-1", "-2", "-3", "-4", "-5", "-6", "-7", "-8", "-9", "-0e", "-9e",
		"-1 -T2 --block-size=100000",
		"-6 -T1 --block-size=100000", // several blocks without sizes
		"--check=none", "--check=crc32", "--check=sha256",
		"--lzma2=preset=6,lc=0,lp=2,pb=0", "--lzma2=preset=6,lc=1,lp=3,pb=4",
		"--lzma2=preset=3,dict=4KiB", "--lzma2=preset=3,dict=5000", "--lzma2=preset=3,dict=300000",
		"--x86 --lzma2=preset=3", "--arm64 --lzma2=preset=3", "--delta=dist=3 --lzma2=preset=3",
		"--x86=start=4096 --lzma2=preset=3", "--delta=dist=256 --x86 --lzma2=preset=3",
		"--x86 --lzma2=preset=1 -T2 --block-size=90001",
		"--arm64 --lzma2=preset=1 -T2 --block-size=90001",
		"--delta=dist=4 --x86 --lzma2=preset=1 -T2 --block-size=90001 --check=crc32",
		"--delta=dist=1 --delta=dist=2 --x86 --lzma2=preset=1",
		"--lzma2=preset=1,mf=hc3,mode=fast,nice=2", "--lzma2=preset=6,nice=273",
	} {
		t.Run(args, func(t *testing.T) {
			stream := runXZ(t, data, strings.Fields(args)...)
			for _, workers := range []int{1, 3} {
				got, err := decompress(stream, ReaderConfig{Workers: workers})
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, data) {
					t.Fatalf("%d workers: content differs", workers)
				}
			}
		})
	}
}

func TestReaderOfWriter(t *testing.T) {
	t.Parallel()
	data := corpus.Mixed(400_000)
	for _, c := range []WriterConfig{
		{Profile: Fast},
		{Profile: Fast, BlockSize: 64 << 10},
		{Profile: Fast, DictSize: 8 << 10, BlockSize: 1 << 20},
	} {
		stream := compress(t, data, c)
		for _, workers := range []int{1, 2, 5} {
			got, err := decompress(stream, ReaderConfig{Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, data) {
				t.Fatalf("%+v, %d workers: content differs", c, workers)
			}
		}
	}
}

func TestReaderStreams(t *testing.T) {
	a, b := corpus.Mixed(1000), corpus.Mixed(2000)[1000:]
	one, two := compress(t, a, WriterConfig{}), compress(t, b, WriterConfig{Check: CheckSHA256})
	empty := compress(t, nil, WriterConfig{})
	for _, tc := range []struct {
		name   string
		stream []byte
		want   string // error without MultiStream, and with
		multi  string
	}{
		{"one", one, "", ""},
		{"two", append(bytes.Clone(one), two...), "bytes follow the end of the stream", ""},
		{"empty between", bytes.Join([][]byte{one, empty, two}, nil), "bytes follow the end of the stream", ""},
		{"padding", append(bytes.Clone(one), make([]byte, 8)...), "", ""},
		{"padding between", bytes.Join([][]byte{one, make([]byte, 4), two}, nil), "bytes follow the end of the stream", ""},
		{"odd padding", append(bytes.Clone(one), 0, 0, 0), "bytes follow", "not a multiple of four"},
		{"rubbish", append(bytes.Clone(one), "some more rubbish"...), "bytes follow", "no magic bytes"},
	} {
		for _, multi := range []bool{false, true} {
			want := tc.want
			if multi {
				want = tc.multi
			}
			_, err := decompress(tc.stream, ReaderConfig{MultiStream: multi})
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s, MultiStream %v: got error %v, want %q", tc.name, multi, err, want)
			}
		}
	}
	got, err := decompress(append(bytes.Clone(one), two...), ReaderConfig{MultiStream: true})
	if err != nil || !bytes.Equal(got, append(bytes.Clone(a), b...)) {
		t.Errorf("two streams: got %d bytes, error %v", len(got), err)
	}
}

// Every cut and every changed byte must be noticed.
func TestReaderDamage(t *testing.T) {
	t.Parallel()
	data := corpus.Mixed(5000)[3000:]
	for _, workers := range []int{1, 2} {
		c := ReaderConfig{Workers: workers}
		stream := compress(t, data, WriterConfig{Profile: Fast, BlockSize: 4096})
		for n := range stream {
			_, err := decompress(stream[:n], c)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("first %d of %d bytes: got error %v, want %v", n, len(stream), err, io.ErrUnexpectedEOF)
			}
			var e *Error
			if !errors.As(err, &e) || e.Offset > int64(n) {
				t.Fatalf("first %d bytes: got error %#v, want an Error with an offset up to there", n, err)
			}
		}
		for i := range stream {
			bad := bytes.Clone(stream)
			bad[i] ^= 1 << (i % 8)
			if got, err := decompress(bad, c); err == nil {
				t.Fatalf("byte %d changed: no error, content equal: %v", i, bytes.Equal(got, data))
			}
		}
	}
}

// Every byte of small files of each kind, changed in several ways. Without a
// check other content is possible, anything else is not.
func TestReaderDamagedBytes(t *testing.T) {
	t.Parallel()
	data := branchy(3000)[1200:2000]
	for _, args := range []string{
		"--check=crc32", "--check=crc64", "--check=sha256", "--check=none", "-T2 --block-size=500 --check=none",
		"--x86 --lzma2=preset=0", "--delta=dist=2 --arm64 --lzma2=preset=0 --check=none",
	} {
		stream := runXZ(t, data, strings.Fields("-0 "+args)...)
		for i := range stream {
			for _, mask := range []byte{0x01, 0xC0} {
				bad := bytes.Clone(stream)
				bad[i] ^= mask
				for _, workers := range []int{1, 2} {
					got, err := decompress(bad, ReaderConfig{Workers: workers, MaxMemory: fuzzMemory})
					var e *Error
					switch {
					case err == nil && !strings.Contains(args, "none"):
						t.Fatalf("%s: byte %d changed by %#x: no error", args, i, mask)
					case err == nil && (bytes.Equal(got, data) || len(got) != len(data)):
						t.Fatalf("%s: byte %d changed by %#x: got %d bytes, which equal the content or have another size", args, i, mask, len(got))
					case err != nil && (!errors.As(err, &e) || e.Offset > int64(len(bad))):
						t.Fatalf("%s: byte %d changed by %#x: got error %#v, want an Error with an offset in the file", args, i, mask, err)
					}
				}
			}
		}
	}
}

func TestReaderErrors(t *testing.T) {
	data := corpus.Mixed(200_000)
	whole := compress(t, data, WriterConfig{Profile: Fast, BlockSize: 64 << 10})
	big := runXZ(t, []byte("tiny"), "--lzma2=preset=0,dict=1536MiB")
	for _, tc := range []struct {
		name   string
		stream []byte
		config ReaderConfig
		want   string
		is     error
	}{
		{"not xz", []byte("PK\x03\x04 and some more bytes"), ReaderConfig{}, "reading xz at offset 12: not an .xz file: no magic bytes", nil},
		{"nothing", nil, ReaderConfig{}, "reading xz at offset 0: unexpected EOF", io.ErrUnexpectedEOF},
		{"dictionary bomb", big, ReaderConfig{MaxMemory: 64 << 20}, "the limit is 67108864", ErrMemory},
		{"small limit", whole, ReaderConfig{MaxMemory: 10_000}, "block needs", ErrMemory},
		{"check", flip(whole, 12+int(whole[12])*4+4+20000), ReaderConfig{Workers: 1}, "reading xz at offset", nil},
	} {
		_, err := decompress(tc.stream, tc.config)
		if err == nil || !strings.Contains(err.Error(), tc.want) || tc.is != nil && !errors.Is(err, tc.is) {
			t.Errorf("%s: got error %v, want %q", tc.name, err, tc.want)
		}
	}
}

func flip(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 0x10
	return b
}
