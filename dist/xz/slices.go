package xz

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"x.go/dist/match"
)

// sliceCoder compresses a block with several workers. The matches of a span of
// the block are found by all workers together; then the span is parsed in
// slices at fixed borders, each by one worker; then the slices are encoded one
// after the other, by whichever worker has parsed the next one.
//
// A parser needs the probabilities at its slice's start, which only the encoder
// will know. It takes those that it reaches itself at the end of a first try at
// the slice's beginning.
type sliceCoder struct {
	finder  match.Finder
	chunks  chunkEncoder
	parsers []sliceParser
	trials  []*propTrial // of each parser
	chooser propChooser
	slices  []parsedSlice
	pieces  [][]byte // of the output, in order
}

// pieceSize is the least size of a piece of the output but the last, in bytes: one
// buffer that grew to the whole would leave several times as much behind.
const pieceSize = 1 << 20

// cut makes a piece of what the chunks are so far, if it is worth one.
func (c *sliceCoder) cut(least int) {
	if out := c.chunks.out; len(out) >= least {
		c.pieces = append(c.pieces, bytes.Clone(out))
		c.chunks.out = out[:0]
	}
}

// sliceParser parses data[start:end] and appends the ops to out. result holds
// the matches of data from origin on. If ctx ends the ops are not complete.
type sliceParser interface {
	slice(ctx context.Context, set settings, data []byte, result []match.Found, origin, start, end int, out []op) []op
}

// parsedSlice is a slice on its way from parser to encoder.
type parsedSlice struct {
	ops    []op
	sizes  propSizes // if properties are chosen
	parsed bool
}

// Sizes in bytes. A border between spans costs sorting the dictionary once
// more, one between slices the warm-up and a few badly chosen symbols.
const (
	spanMax    = 64 << 20
	sliceSize  = 2 << 20
	warmUpSize = 96 << 10
)

// spanSize cuts a block of n bytes into as few spans as can be, which are about
// equal.
func (s *settings) spanSize(n int) int {
	spans := max(1, (n+s.spanMax-1)/s.spanMax)
	slices := (n + s.sliceSize - 1) / s.sliceSize
	return max(1, (slices+spans-1)/spans) * s.sliceSize
}

// encode returns the LZMA2 chunks of raw, with the end marker, in pieces.
func (c *sliceCoder) encode(ctx context.Context, set settings, raw []byte) ([][]byte, error) {
	if !set.optimal {
		set.workers = 1 // the lazy parser wants slices in order
	}
	for len(c.parsers) < set.workers {
		if set.optimal {
			c.parsers = append(c.parsers, new(optimalParser))
		} else {
			c.parsers = append(c.parsers, new(lazyParser))
		}
	}
	for len(c.trials) < len(c.parsers) {
		c.trials = append(c.trials, new(propTrial))
	}
	c.pieces, c.chooser = nil, propChooser{}
	raw = slices.Grow(raw, match.Tail)
	c.chunks.reset(set.props, raw, 0, true, c.chunks.out[:0])
	c.finder.Reset(len(raw))
	span := set.spanSize(len(raw))
	for start := 0; start < len(raw); start += span {
		end := min(start+span, len(raw))
		if set.optimal {
			if err := c.finder.Find(ctx, set.finder(), raw, start, end); err != nil {
				return nil, err
			}
		}
		if err := c.span(ctx, set, raw, start, end); err != nil {
			return nil, err
		}
	}
	c.chunks.closeChunk()
	c.chunks.out = append(c.chunks.out, controlEnd)
	c.cut(1)
	return c.pieces, nil
}

// span encodes raw[start:end], of which the finder has the matches.
func (c *sliceCoder) span(ctx context.Context, set settings, raw []byte, start, end int) error {
	n := (end - start + set.sliceSize - 1) / set.sliceSize
	c.slices = append(c.slices[:0], make([]parsedSlice, n)...)
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex // guards the following
		next    int        // slice to be parsed
		encoded int        // slices encoded
		busy    bool       // a worker is encoding
		spare   [][]op
	)
	for k, p := range c.parsers {
		wg.Go(func() {
			mu.Lock()
			defer mu.Unlock()
			for next < n && ctx.Err() == nil {
				i := next
				next++
				var ops []op
				if k := len(spare); k > 0 {
					ops, spare = spare[k-1][:0], spare[:k-1]
				}
				mu.Unlock()
				from := start + i*set.sliceSize
				ops = p.slice(ctx, set, raw, c.finder.Result(), start, from, min(from+set.sliceSize, end), ops)
				var sizes propSizes
				if set.chooseProps {
					sizes = c.trials[k].sizes(raw, from, ops)
				}
				mu.Lock()
				if ctx.Err() != nil {
					return
				}
				c.slices[i] = parsedSlice{ops, sizes, true}
				for !busy && encoded < n && c.slices[encoded].parsed {
					busy = true
					ops, sizes := c.slices[encoded].ops, c.slices[encoded].sizes
					mu.Unlock()
					if set.chooseProps {
						c.chunks.use(c.chooser.next(sizes, c.chunks.isNew()))
					}
					c.chunks.encode(ops)
					c.cut(pieceSize)
					mu.Lock()
					busy = false
					spare = append(spare, ops)
					c.slices[encoded].ops = nil
					encoded++
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}
