package xz

import (
	"bytes"
	"io"
	"testing"

	"github.com/ulikunitz/xz/lzma"

	"x.go/tests/corpus"
)

// parts are the pieces of a stream with one block, without CRC32s.
type parts struct {
	check               Check
	header, data, index []byte
}

// seal makes a stream of them, so that a fuzzer need not guess the CRC32s.
func (p parts) seal() []byte {
	b := appendStreamHeader(nil, p.check)
	b = append(b, appendCRC32(aligned(p.header), 0)...)
	b = append(b, p.data...)
	index := appendCRC32(aligned(append([]byte{0}, p.index...)), 0)
	return appendStreamFooter(append(b, index...), p.check, len(index))
}

// aligned is b and zeros up to a multiple of four.
func aligned(b []byte) []byte {
	return append(bytes.Clone(b), make([]byte, padding(uint64(len(b))))...)
}

// unseal takes a sound stream with one block apart.
func unseal(t testing.TB, stream []byte) parts {
	t.Helper()
	check, ok := checkByID(stream[len(headerMagic)+1])
	src := memorySource(stream[streamHeaderSize+1:], 0)
	bh, err := readBlockHeader(src, stream[streamHeaderSize])
	if err != nil || !ok {
		t.Fatalf("taking a stream apart: check known: %v, block header: %v", ok, err)
	}
	rest := stream[streamHeaderSize+bh.size:]
	end := int(bh.coded) + padding(uint64(bh.coded)) + check.size()
	return parts{
		check:  check,
		header: stream[streamHeaderSize : streamHeaderSize+bh.size-4],
		data:   rest[:end],
		index:  rest[end+1 : len(rest)-streamFooterSize-4],
	}
}

// oneBlock are options for streams with one block.
var oneBlock = []WriterConfig{
	{}, {Profile: Fast, Check: CheckSHA256}, {BCJ: BCJX86, Check: CheckCRC32}, {BCJ: BCJARM64, Check: CheckNone},
	{LC: -1, LP: 2, PB: -1, Check: CheckNone, DictSize: 4096},
}

func TestSeal(t *testing.T) {
	for _, c := range oneBlock {
		stream := compress(t, corpus.Mixed(2000), c)
		if got := unseal(t, stream).seal(); !bytes.Equal(got, stream) {
			t.Errorf("%+v: a stream taken apart and made again differs", c)
		}
	}
}

// FuzzBlock decodes arbitrary block headers, blocks and indexes, for the same
// properties as FuzzReader.
func FuzzBlock(f *testing.F) {
	for _, c := range oneBlock {
		p := unseal(f, compress(f, branchy(3000)[1000:], c))
		f.Add(uint8(p.check), p.header, p.data, p.index)
	}
	f.Fuzz(func(t *testing.T, check uint8, header, data, index []byte) {
		header = append(header, make([]byte, max(0, 8-len(header)))...)[:max(8, min(len(header), blockHeaderMax-4))]
		header[0] = byte((len(header) + 3) / 4)
		checkReader(t, parts{Check(check % uint8(len(checks))), header, data, index}.seal())
	})
}

// FuzzChunks decodes arbitrary LZMA2 data: with and without reading ahead, and
// by ulikunitz/xz.
func FuzzChunks(f *testing.F) {
	for _, c := range oneBlock {
		f.Add(unseal(f, compress(f, corpus.Mixed(5000)[2000:], c)).data, uint8(0))
	}
	big := compress(f, corpus.Mixed(120_000), WriterConfig{Profile: Fast})
	f.Add(unseal(f, big).data, uint8(dictSizeCode(64<<10)))
	f.Fuzz(func(t *testing.T, data []byte, code uint8) {
		dict := dictSizeOf(code % (dictSizeCode(fuzzContent) + 1))
		got, err := readChunks(data, dict, 0)
		again, errAgain := readChunks(data, dict, chunksAhead)
		if !bytes.Equal(got, again) || (err == nil) != (errAgain == nil) {
			t.Fatalf("got %d bytes, error %v; ahead %d bytes, error %v", len(got), err, len(again), errAgain)
		}
		if err != nil {
			return
		}
		r, err := lzma.Reader2Config{DictCap: int(dict)}.NewReader2(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		want, err := io.ReadAll(io.LimitReader(r, fuzzContent))
		if err == nil && !bytes.Equal(got, want) {
			t.Fatalf("got %d bytes, want the %d bytes of ulikunitz/xz", len(got), len(want))
		}
	})
}

// readChunks decodes LZMA2 data up to its end, but at most fuzzContent bytes.
func readChunks(data []byte, dict int64, ahead int) (got []byte, err error) {
	p := newChunkPieces(memorySource(data, 0), &blockHeader{dictSize: dict, coded: -1, raw: -1}, ahead, nil)
	for len(got) < fuzzContent {
		b, err := p.piece()
		if err == io.EOF {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		got = append(got, b...)
	}
	return got[:fuzzContent], nil
}
