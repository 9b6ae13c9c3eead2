package match

import "context"

// Settings say how a [Finder] looks for matches.
type Settings struct {
	DictSize int64 // greatest distance of a match, in bytes
	Depth    int   // length up to which the longest match is looked for, at most Cap
	Leaf     int   // buckets of up to this many positions are compared one by one
	SpanMax  int   // the most bytes that one call of Find is for
	Workers  int   // goroutines
}

// Finder finds the matches of a block of input, span by span.
type Finder struct {
	repeats repeatFinder
	radix   radixFinder
}

// Reset prepares for a block of n bytes.
func (f *Finder) Reset(n int) {
	f.repeats.reset(n)
	f.radix.block = n
}

// Find finds the matches of data[start:end], the window before it included. Spans of
// a block must be given in order. data must go on for [Tail] bytes after end, whose
// values do not matter. It stops with the cause of ctx when that ends.
func (f *Finder) Find(ctx context.Context, set Settings, data []byte, start, end int) error {
	f.repeats.find(ctx, set, data, end)
	return f.radix.find(ctx, set, data, f.repeats.repeats, start, end)
}

// Result returns what the last Find found, for each position from its start on. A
// match may pass the end of the span. It is valid until the next Find.
func (f *Finder) Result() []Found { return f.radix.result }
