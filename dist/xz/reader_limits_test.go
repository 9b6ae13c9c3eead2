package xz

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"
	"testing/synctest"

	"x.go/tests/corpus"
	"x.go/tests/testenv"
)

// allocated runs f and returns how many bytes were allocated meanwhile. Only
// tests that are not parallel may use it.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// What a header promises is not allocated before content fills it.
func TestReaderAllocation(t *testing.T) {
	tiny := []byte("tiny")
	for _, tc := range []struct {
		args  string
		limit int64
		want  error
	}{
		{"--lzma2=preset=0,dict=1536MiB", 64 << 20, ErrMemory},
		{"--lzma2=preset=0,dict=1536MiB", 2 << 30, nil},
		{"--lzma2=preset=0,dict=8MiB", 8 << 20, ErrMemory},
		{"--lzma2=preset=0,dict=8MiB", 9 << 20, nil},
		{"--lzma2=preset=0,dict=4KiB", 3 << 20, nil},
	} {
		stream := runXZ(t, tiny, tc.args)
		var got []byte
		var err error
		n := allocated(func() { got, err = decompress(stream, ReaderConfig{MaxMemory: tc.limit, Workers: 2}) })
		if !errors.Is(err, tc.want) || err == nil && !bytes.Equal(got, tiny) {
			t.Errorf("%s, limit %d: got %q, error %v, want %v", tc.args, tc.limit, got, err, tc.want)
		}
		if n > 2<<20 {
			t.Errorf("%s, limit %d: %d bytes were allocated", tc.args, tc.limit, n)
		}
	}
}

// zeros is content of so many zero bytes.
type zeros int64

func (z *zeros) Read(p []byte) (int, error) {
	if *z == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), int64(*z))
	clear(p[:n])
	*z -= zeros(n)
	return int(n), nil
}

// zeroCounter counts what is written and refuses other bytes than zero.
type zeroCounter int64

func (c *zeroCounter) Write(p []byte) (int, error) {
	for i, b := range p {
		if b != 0 {
			return i, fmt.Errorf("byte %d is %d", int64(*c)+int64(i), b)
		}
	}
	*c += zeroCounter(len(p))
	return len(p), nil
}

// Memory does not grow with the content: windows and buffers are used again.
func TestReaderLongContent(t *testing.T) {
	testenv.Long(t, "minutes with -race; shorter tests use as many goroutines")
	const size = 32 << 20
	for name, c := range map[string]WriterConfig{
		"blocks":    {Profile: Fast, BlockSize: 1 << 20},
		"one block": {Profile: Fast, BlockSize: size, DictSize: 1 << 20},
	} {
		var stream bytes.Buffer
		w, err := NewWriter(&stream, c)
		if err != nil {
			t.Fatal(err)
		}
		in := zeros(size)
		if _, err := io.Copy(w, &in); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for _, workers := range []int{1, 2} {
			var out zeroCounter
			n := allocated(func() {
				r, err := NewReader(bytes.NewReader(stream.Bytes()), ReaderConfig{Workers: workers, MaxMemory: 64 << 20})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := r.WriteTo(&out); err != nil {
					t.Fatal(err)
				}
			})
			if out != size || n > size/2 {
				t.Errorf("%s, %d workers: got %d bytes of content and %d allocated, want %d and at most half of that", name, workers, out, n, size)
			}
		}
	}
}

// watchedInput notices when it is read while nobody asked for content.
type watchedInput struct {
	io.Reader
	t      *testing.T
	active bool
}

func (w *watchedInput) Read(p []byte) (int, error) {
	if !w.active {
		w.t.Error("the input is read in the background")
	}
	return w.Reader.Read(p)
}

// A Reader that is given up reads nothing more, and its goroutines end: the
// bubble ends only with them.
func TestReaderGivenUp(t *testing.T) {
	data := corpus.Mixed(3 << 20)
	for name, stream := range map[string][]byte{
		"blocks":    compress(t, data, WriterConfig{Profile: Fast, BlockSize: 128 << 10}),
		"one block": compress(t, data, WriterConfig{Profile: Fast}),
	} {
		for _, n := range []int{0, 1, 100_000, 1_500_000} {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					in := &watchedInput{bytes.NewReader(stream), t, true}
					r, err := NewReader(in, ReaderConfig{Workers: 3})
					if err != nil {
						t.Fatal(err)
					}
					for got := 0; got < n; {
						in.active = true
						k, err := r.Read(make([]byte, min(10_000, n-got)))
						in.active = false
						if err != nil {
							t.Fatal(err)
						}
						synctest.Wait()
						got += k
					}
				})
			})
		}
	}
}
