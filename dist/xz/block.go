package xz

import "context"

// blockCoder compresses blocks one after the other and keeps its memory.
type blockCoder struct {
	chunks chunkEncoder
	lazy   lazyParser
	ops    []op
}

// parseSpan is how much input is parsed before it is encoded, in bytes.
const parseSpan = 64 << 10

// memory is the most bytes a Writer with n workers holds.
func (s *settings) memory(n int) int64 {
	const tables = 4<<hash3Bits + 4<<hash4Bits + 1<<20
	perJob := s.blockSize + s.blockSize + s.blockSize>>10 // input and output
	perCoder := 4*s.blockSize + tables
	return int64(n+1)*perJob + int64(n)*perCoder
}

// encode appends the LZMA2 chunks of raw, with the end marker, to out.
func (b *blockCoder) encode(ctx context.Context, set settings, raw, out []byte) ([]byte, error) {
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
