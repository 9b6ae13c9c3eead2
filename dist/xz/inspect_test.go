package xz

import (
	"bytes"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func inspect(b []byte) (Info, error) { return Inspect(bytes.NewReader(b), int64(len(b))) }

// packed is data in blocks of 64 KiB.
func packed(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, WriterConfig{BlockSize: 64 << 10, DictSize: 1 << 20})
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

func TestInspect(t *testing.T) {
	whole := packed(t, make([]byte, 200<<10))
	flipped := func(at int) []byte {
		b := bytes.Clone(whole)
		b[at] ^= 1
		return b
	}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	dict, blocks := func() (int64, int) {
		info, err := inspect(whole)
		if err != nil {
			t.Fatal(err)
		}
		return info.DictSize, info.Blocks
	}()
	pad := make([]byte, 8)
	end := len(whole)
	tests := []struct {
		name string
		file []byte
		want Info
		err  bool
	}{
		{"one stream", whole, Info{Streams: 1, Blocks: blocks, DictSize: dict, Size: 200 << 10}, false},
		{"two streams", join(whole, pad, whole), Info{Streams: 2, Blocks: 2 * blocks, DictSize: dict, Size: 400 << 10}, false},
		{"padding", join(whole, pad), Info{Streams: 1, Blocks: blocks, DictSize: dict, Size: 200 << 10}, false},
		{"odd padding", join(whole, pad[:7]), Info{Streams: 1, Blocks: blocks, DictSize: dict, Size: 200 << 10, Trailing: 7}, false},
		{"bytes that look like a footer", join(whole, []byte("some YZ")), Info{Streams: 1, Blocks: blocks, DictSize: dict, Size: 200 << 10, Trailing: 7}, false},
		{"nothing", nil, Info{Size: -1}, true},
		{"cut short", whole[:end-1], Info{Size: -1, DictSize: dict}, true},
		{"cut at the front", whole[12:], Info{Size: -1, Streams: 1}, true},
		{"footer", flipped(end - 5), Info{Size: -1, DictSize: dict}, true},
		{"index", flipped(end - 20), Info{Size: -1, Streams: 1}, true},
		{"block header", flipped(streamHeaderSize + 3), Info{Size: -1, Streams: 1}, true},
	}
	for _, tt := range tests {
		got, err := inspect(tt.file)
		if diff := cmp.Diff(tt.want, got); diff != "" || (err != nil) != tt.err {
			t.Errorf("%s: got error %v (-want +got):\n%s", tt.name, err, diff)
		}
	}
}

// FuzzInspect holds Inspect against the decoder: what that reads to the end is as
// Inspect says.
func FuzzInspect(f *testing.F) {
	whole := packed(f, []byte("some text, some text"))
	f.Add(whole)
	f.Add(append(bytes.Clone(whole), whole...))
	f.Add(append(bytes.Clone(whole), 0, 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > maxTrailing {
			return // padding of any length may follow a stream, but is not looked through
		}
		info, err := inspect(b)
		r, rerr := NewReader(bytes.NewReader(b), ReaderConfig{MultiStream: true, MaxMemory: 64 << 20})
		if rerr != nil {
			return
		}
		n, rerr := io.Copy(io.Discard, io.LimitReader(r, 64<<20))
		if rerr == nil && n < 64<<20 && (err != nil || info.Size != n) {
			t.Errorf("got %+v, %v, and %d bytes decoded", info, err, n)
		}
	})
}
