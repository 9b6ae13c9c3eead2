package xz

import "context"

// blockEncoder appends the LZMA2 chunks of raw, with the end marker, to out. raw
// has a capacity of radixTail more bytes.
type blockEncoder interface {
	encode(ctx context.Context, set settings, raw, out []byte) ([]byte, error)
}

// newEncoder makes an encoder, which can be used for one block after the other.
func (s *settings) newEncoder() blockEncoder {
	if s.optimal {
		return new(sliceCoder)
	}
	return new(lazyCoder)
}

// encoders is how many blocks are compressed at a time.
func (s *settings) encoders() int {
	if s.optimal {
		return 1
	}
	return s.workers
}

// blocksHeld is how many blocks exist at a time: while fast encoders work, the
// next block is filled.
func (s *settings) blocksHeld() int {
	if s.optimal {
		return 1
	}
	return s.workers + 1
}

// memory is the most bytes a Writer with s.workers holds.
func (s *settings) memory() int64 {
	block := s.blockSize
	if s.inputSize > 0 {
		block = min(block, s.inputSize)
	}
	perBlock := 2*block + block>>10 // input and output
	total := int64(s.blocksHeld()) * perBlock
	if s.optimal {
		return total + radixMemory(block, s.dictSize, s.workers)
	}
	const tables = 4<<hash3Bits + 4<<hash4Bits + 1<<20
	return total + int64(s.workers)*(4*block+tables)
}

// lazyCoder compresses blocks by hash chains and a lazy parse, each in one
// goroutine.
type lazyCoder struct {
	chunks chunkEncoder
	lazy   lazyParser
	ops    []op
}

// parseSpan is how much input is parsed before it is encoded, in bytes.
const parseSpan = 64 << 10

// encode appends the LZMA2 chunks of raw, with the end marker, to out.
func (b *lazyCoder) encode(ctx context.Context, set settings, raw, out []byte) ([]byte, error) {
	b.chunks.reset(set.props, raw, 0, true, out)
	b.lazy.reset(raw, int(set.dictSize), set.depth, set.niceLen)
	for pos := 0; pos < len(raw); {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		b.ops, pos = b.lazy.parse(pos, min(pos+parseSpan, len(raw)), b.ops[:0])
		b.chunks.encode(b.ops)
	}
	b.chunks.closeChunk()
	return append(b.chunks.out, controlEnd), nil
}
