package xz

import (
	"bytes"
	"errors"
	"io"
	"testing"

	ulikunitz "github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"x.go/tests/corpus"
)

// What a decoder may hold, and what is read of it, while fuzzing, in bytes.
const (
	fuzzMemory  = 16 << 20
	fuzzContent = 1 << 20
)

// FuzzRoundTrip compresses arbitrary content with arbitrary options and expects
// it back.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte(nil), uint8(0), uint16(0), uint8(0))
	f.Add([]byte("abcabcabcabc"), uint8(1), uint16(4096), uint8(1))
	f.Add(make([]byte, 5000), uint8(2), uint16(5000), uint8(2))
	f.Add(corpus.Mixed(20_000), uint8(2), uint16(0), uint8(5))
	f.Fuzz(func(t *testing.T, data []byte, profile uint8, block uint16, options uint8) {
		c := WriterConfig{
			Profile: profiles[int(profile)%len(profiles)],
			Workers: 1 + int(options%3),
			BCJ:     BCJ(options / 3 % 3),
			Check:   Check(options / 9 % 4),
		}
		if block >= minBlockSize {
			c.BlockSize = int64(block)
			c.DictSize = minDictSize + int64(block%5000)
		}
		stream := compress(t, data, c)
		got, err := decompress(stream, ReaderConfig{Workers: 1 + int(profile%2)})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, data) {
			t.Fatal("content differs")
		}
	})
}

// fuzzStreams are sound files of many kinds.
func fuzzStreams(f *testing.F) {
	data := corpus.Mixed(3000)
	for _, c := range []WriterConfig{
		{}, {Check: CheckSHA256}, {BCJ: BCJX86}, {BlockSize: 4096, DictSize: 4096}, {LC: -1, LP: 2, PB: -1, Check: CheckNone},
	} {
		f.Add(compress(f, data[:c.BlockSize/4+2000], c))
	}
	f.Add(compress(f, nil, WriterConfig{}))
	f.Add(append(compress(f, data[:10], WriterConfig{}), compress(f, data[:20], WriterConfig{})...))
}

// FuzzReader decodes arbitrary bytes: without a panic, in little memory, and
// with the same result for one worker and several.
func FuzzReader(f *testing.F) {
	fuzzStreams(f)
	f.Fuzz(func(t *testing.T, stream []byte) { checkReader(t, stream) })
}

// checkReader decodes stream with one worker and several and expects the same
// content, or errors that say where.
func checkReader(t *testing.T, stream []byte) {
	var first []byte
	var firstErr error
	for i, workers := range []int{1, 3} {
		got, err := readLimited(stream, ReaderConfig{Workers: workers, MaxMemory: fuzzMemory, MultiStream: true})
		var e *Error
		if err != nil && (!errors.As(err, &e) || e.Offset > int64(len(stream))) {
			t.Fatalf("error %#v, want an Error with an offset in the input", err)
		}
		if i == 0 {
			first, firstErr = got, err
		} else if (err == nil) != (firstErr == nil) || err == nil && !bytes.Equal(got, first) {
			t.Fatalf("%d workers: %d bytes, error %v; one worker: %d bytes, error %v", workers, len(got), err, len(first), firstErr)
		}
	}
}

// FuzzReaderAgainstUlikunitz expects that what both decoders accept is equal.
func FuzzReaderAgainstUlikunitz(f *testing.F) {
	fuzzStreams(f)
	f.Fuzz(func(t *testing.T, stream []byte) {
		got, err := readLimited(stream, ReaderConfig{MaxMemory: fuzzMemory})
		if err != nil {
			return
		}
		r, err := ulikunitz.ReaderConfig{SingleStream: true, DictCap: lzma.MinDictCap}.NewReader(bytes.NewReader(stream))
		if err != nil {
			return // it knows no branch filters
		}
		want, err := io.ReadAll(io.LimitReader(r, fuzzContent))
		if err == nil && !bytes.Equal(got, want) {
			t.Fatalf("got %d bytes, want the %d bytes of ulikunitz/xz", len(got), len(want))
		}
	})
}

// readLimited is decompress, but gives up after fuzzContent bytes.
func readLimited(stream []byte, c ReaderConfig) ([]byte, error) {
	r, err := NewReader(bytes.NewReader(stream), c)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, fuzzContent))
}
