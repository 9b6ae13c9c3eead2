package xz

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"x.go/tests/corpus"
)

// Spans and slices far smaller than the real ones, so that there are many
// borders: the chunks must decode, and be equal for any number of workers.
func TestSliceCoderBorders(t *testing.T) {
	t.Parallel()
	data := append(corpus.Mixed(400_000), make([]byte, 90_000)...)
	for _, p := range profiles {
		var first []byte
		for _, workers := range []int{1, 2, 3, 8} {
			set, err := WriterConfig{Profile: p, DictSize: 64 << 10, Workers: workers}.resolve()
			if err != nil {
				t.Fatal(err)
			}
			set.spanMax, set.sliceSize = 110_000, 30_000
			var c sliceCoder
			pieces, err := c.encode(t.Context(), set, data)
			if err != nil {
				t.Fatal(err)
			}
			coded := bytes.Join(pieces, nil)
			if first == nil {
				first = coded
				checkChunks(t, coded, data, set.dictSize)
			} else if !bytes.Equal(coded, first) {
				t.Errorf("%s: %d workers write other bytes than one", p, workers)
			}
		}
	}
}

// checkChunks decodes LZMA2 chunks and compares.
func checkChunks(t *testing.T, coded, want []byte, dictSize int64) {
	t.Helper()
	d := newChunkPieces(newSource(bytes.NewReader(coded)), &blockHeader{dictSize: dictSize, coded: -1, raw: -1}, 0, nil)
	var got []byte
	for {
		b, err := d.piece()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b...)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("chunks decode to other content")
	}
}

func TestSliceCoderStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	set, err := WriterConfig{Profile: Best}.resolve()
	if err != nil {
		t.Fatal(err)
	}
	var c sliceCoder
	if _, err := c.encode(ctx, set, make([]byte, 1000)); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
}
