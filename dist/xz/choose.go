package xz

import "context"

// Sizes in bytes of the sample that decides about the branch filter of a block.
const (
	samplePart  = 16 // of the block, but
	sampleMin   = 512 << 10
	sampleMax   = 4 << 20
	samplePiece = 128 << 10
)

// sampleMemory is about what the choice of a filter takes, in bytes.
const sampleMemory = 3*sampleMax + recentMemory

// filterGain is the part of its size that a sample must lose for a filter to be used:
// many decoders cannot read filters, and a sample may err.
const filterGain = 256

// chooseFilter returns the branch filter for raw: the one that is set, or, if that is
// [BCJAuto], what compresses a sample of raw best as [Fast] does. It tries no filter
// that a reader of liblzma 5.2 lacks.
func (s *settings) chooseFilter(ctx context.Context, raw []byte) (BCJ, error) {
	if s.bcj != BCJAuto {
		return s.bcj, nil
	}
	plain, filtered := sample(raw)
	set := *s
	set.optimal, set.chooseProps, set.niceLen = false, false, presets[Fast].niceLen
	set.dictSize = presets[Fast].dictSize
	var coder sliceCoder
	without, err := coder.size(ctx, set, plain)
	if err != nil {
		return BCJNone, err
	}
	with, err := coder.size(ctx, set, filtered)
	if err != nil {
		return BCJNone, err
	}
	if with+without/filterGain < without {
		return BCJX86, nil
	}
	return BCJNone, nil
}

// sample returns pieces of raw from all over it, as they are and as the x86 filter
// makes them.
func sample(raw []byte) (plain, filtered []byte) {
	n := min(max(len(raw)/samplePart, sampleMin), sampleMax)
	pieces, piece := n/samplePiece, samplePiece
	if len(raw) <= n {
		pieces, piece = 1, len(raw)
	}
	for i := range pieces {
		at := 0
		if pieces > 1 {
			at = int(int64(len(raw)-piece) * int64(i) / int64(pieces-1))
		}
		from := len(filtered)
		plain = append(plain, raw[at:at+piece]...)
		filtered = append(filtered, raw[at:at+piece]...)
		newX86(uint32(at), true).apply(filtered[from:])
	}
	return plain, filtered
}

// size returns the bytes that b has when it is compressed.
func (c *sliceCoder) size(ctx context.Context, set settings, b []byte) (int, error) {
	pieces, err := c.encode(ctx, set, b)
	n := 0
	for _, p := range pieces {
		n += len(p)
	}
	return n, err
}
