package xz

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/corpus"
)

// blockFilters returns the ids of the first filter of each block of a stream.
func blockFilters(t *testing.T, stream []byte) (ids []uint64) {
	t.Helper()
	src := newSource(bytes.NewReader(stream))
	if err := src.full(make([]byte, streamHeaderSize)); err != nil {
		t.Fatal(err)
	}
	for {
		size, err := src.byte()
		if err != nil {
			t.Fatal(err)
		}
		if size == 0 { // the index
			return ids
		}
		bh, err := readBlockHeader(src, size)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, bh.filters[0].id)
		if err := src.full(make([]byte, bh.coded+int64(padding(uint64(bh.coded)))+int64(CheckCRC64.size()))); err != nil {
			t.Fatal(err)
		}
	}
}

// calls are n bytes of x86 code: calls of a few functions from many places.
func calls(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 0, n+16)
	for len(b) < n {
		for range 2 + random.IntN(6) {
			b = append(b, byte(0x48+random.IntN(12)))
		}
		b = append(b, 0xE8)
		target := uint32(random.IntN(40)) * 5000
		b = binary.LittleEndian.AppendUint32(b, target-uint32(len(b)+4))
	}
	return b[:n]
}

// TestBCJAuto has machine code in one block, text in the next and zeros in the last.
func TestBCJAuto(t *testing.T) {
	t.Parallel()
	const block = 700_000 // more than a sample has
	data := calls(block)
	data = append(data, corpus.Mixed(block)...)
	data = append(data, make([]byte, block/2)...)
	for _, p := range profiles {
		var first []byte
		for _, workers := range []int{1, 3} {
			stream := compress(t, data, WriterConfig{Profile: p, BCJ: BCJAuto, BlockSize: block, Workers: workers})
			if first == nil {
				first = stream
			}
			if !bytes.Equal(stream, first) {
				t.Errorf("%s: %d workers write other bytes than one", p, workers)
			}
		}
		judgeXZ(t, first, data)
		if diff := cmp.Diff([]uint64{filterX86, filterLZMA2, filterLZMA2}, blockFilters(t, first)); diff != "" {
			t.Errorf("%s: first filters of the blocks (-want +got):\n%s", p, diff)
		}
	}
}

func TestBCJAutoSmall(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 4, 5, 6, 100, samplePiece, sampleMin, sampleMin + 1} {
		data := branchy(n)
		judgeXZ(t, compress(t, data, WriterConfig{Profile: Fast, BCJ: BCJAuto}), data)
	}
}
