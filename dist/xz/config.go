package xz

import (
	"cmp"
	"fmt"
	"math"
	"runtime"
	"slices"

	"x.go/dist/match"
)

// Profile names a balance of size, time and memory. The names are those of
// rust-installer's compression profiles; the empty Profile is Balanced.
type Profile string

// The profiles. Sizes are of one block with its dictionary.
const (
	Fast     Profile = "fast"     // for builds that are thrown away
	Balanced Profile = "balanced" // for daily builds
	Best     Profile = "best"     // for releases
)

// preset is what a Profile stands for.
type preset struct {
	optimal   bool // optimal parser
	dictSize  int64
	blockSize int64
	niceLen   int
	depth     int
	leaf      int
	choose    bool // the properties of each slice
}

var presets = map[Profile]preset{
	Fast:     {false, 8 << 20, 8 << 20, 32, match.Cap, 0, false},
	Balanced: {true, 32 << 20, 64 << 20, 24, 24, 12, false},
	Best:     {true, 128 << 20, 512 << 20, 64, match.Cap, 12, true},
}

// Limits of a WriterConfig.
const (
	minDictSize  = 4 << 10
	maxDictSize  = 1 << 30
	minBlockSize = 4 << 10
	maxBlockSize = 1 << 30
	maxWorkers   = 1 << 10
)

// WriterConfig says how a [Writer] compresses. The zero value is the Balanced
// profile with CRC64 on all cores. The compressed bytes are a function of the
// content and of every field but Workers. Size matters only together with
// MaxMemory.
type WriterConfig struct {
	// Profile sets the default of each field below that is zero.
	Profile Profile

	// DictSize is the greatest distance of a match in bytes, 4 KiB to 1 GiB.
	// A decoder needs this much memory. It is rounded up to 2^n or
	// 2^n + 2^(n-1), and never larger than a block needs.
	DictSize int64

	// BlockSize is the uncompressed size of a block in bytes, 4 KiB to 1 GiB.
	// Blocks are compressed independently of each other. A Writer holds a
	// whole block in memory.
	BlockSize int64

	// Size is the size of the input in bytes, if it is known. It lowers the
	// memory that is planned for.
	Size int64

	// LC, LP and PB are LZMA's literal context, literal position and position
	// bits, at most 4 each and LC+LP at most 4. Zero means the default (3, 0
	// and 2), a negative value means zero. If all are zero, Best chooses them as the
	// content goes.
	LC, LP, PB int

	// NiceLen is the length from which only the start and the end of a match are
	// searched for anything better, 5 to 273; Fast takes such a match at once.
	// Depth is the length up to which the longest match is searched for, 5 to 65;
	// among longer ones the nearest is taken. Fast does not use Depth.
	NiceLen, Depth int

	// Check is the integrity check of each block.
	Check Check

	// BCJ is the branch filter to apply to all of the input, or [BCJAuto]. Some
	// decoders cannot read a filter, ulikunitz/xz among them; rustup and xz can, but ARM64 only
	// from liblzma 5.4 on, and rustup 1.29 has 5.2.
	BCJ BCJ

	// Workers is the number of goroutines that compress; zero means
	// GOMAXPROCS.
	Workers int

	// MaxMemory bounds the encoder's memory in bytes; zero means no limit. To fit,
	// the Writer first searches less of a block at a time, which costs time and a
	// few bytes, and lowers Workers; then BlockSize, down to the dictionary, then
	// both, down to 1 MiB. If that does not fit either, NewWriter returns an error.
	MaxMemory int64
}

// bcjNames are the words for the branch filters.
var bcjNames = [...]string{BCJNone: "none", BCJX86: "x86", BCJARM64: "arm64", BCJAuto: "auto"}

// ParseBCJ reads the name of a branch filter: "none", "x86", "arm64" or "auto".
func ParseBCJ(s string) (BCJ, error) {
	if i := slices.Index(bcjNames[:], s); i >= 0 {
		return BCJ(i), nil
	}
	return BCJNone, fmt.Errorf("parsing branch filter: got %.20q, want none, x86, arm64 or auto", s)
}

// String returns what [ParseBCJ] reads.
func (b BCJ) String() string {
	if int(b) >= len(bcjNames) {
		return fmt.Sprintf("BCJ(%d)", uint8(b))
	}
	return bcjNames[b]
}

// Memory is what compression and decompression with a [WriterConfig] need.
type Memory struct {
	Workers   int   // goroutines that compress, after MaxMemory
	DictSize  int64 // bytes, after MaxMemory; of a known Size no more than that needs
	BlockSize int64 // bytes, after MaxMemory
	SpanSize  int64 // bytes of a block that are searched at a time, after MaxMemory
	Encoder   int64 // bytes the Writer holds at most, without the garbage collector's share
	Decoder   int64 // bytes a decoder of the output needs at most
}

// Memory reports the sizes that NewWriter would choose. It is an error if the
// configuration is not valid or cannot fit MaxMemory.
func (c WriterConfig) Memory() (Memory, error) {
	s, err := c.resolve()
	if err != nil {
		return Memory{}, err
	}
	dict := s.dictSize
	if s.inputSize > 0 {
		dict = min(dict, dictSizeOf(dictSizeCode(s.inputSize)))
	}
	return Memory{
		Workers:   min(s.workers, s.lanes*s.lane().workers),
		DictSize:  dict,
		BlockSize: s.blockSize,
		SpanSize:  int64(s.spanMax),
		Encoder:   s.memory(),
		Decoder:   decoderMemory(dict),
	}, nil
}

// decoderBase is the memory of a decoder beside its dictionary, rounded up as
// liblzma's own figure is.
const decoderBase = 64 << 10

func decoderMemory(dictSize int64) int64 { return dictSize + decoderBase }

// settings is a WriterConfig with every default filled in.
type settings struct {
	optimal   bool
	dictSize  int64
	blockSize int64
	niceLen   int
	depth     int
	leaf      int // see match.Settings
	props     props

	chooseProps bool // from propChoices, slice by slice

	bcj       BCJ
	check     Check
	workers   int   // of all lanes together
	lanes     int   // blocks compressed at a time
	inputSize int64 // 0 if not known
	spanMax   int   // see sliceCoder
	sliceSize int
}

// resolve fills in the defaults and checks the ranges.
func (c WriterConfig) resolve() (settings, error) {
	if c.Profile == "" {
		c.Profile = Balanced
	}
	p, ok := presets[c.Profile]
	if !ok {
		return settings{}, fmt.Errorf("configuring xz: unknown profile %q, want %q, %q or %q", c.Profile, Fast, Balanced, Best)
	}
	if c.Workers == 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	lc, lp, pb := orDefault(c.LC, 3), orDefault(c.LP, 0), orDefault(c.PB, 2)
	s := settings{
		optimal:   p.optimal,
		dictSize:  cmp.Or(c.DictSize, p.dictSize),
		blockSize: cmp.Or(c.BlockSize, p.blockSize),
		niceLen:   cmp.Or(c.NiceLen, p.niceLen),
		depth:     cmp.Or(c.Depth, p.depth),
		leaf:      p.leaf,

		chooseProps: p.choose && c.LC == 0 && c.LP == 0 && c.PB == 0,

		check:     c.Check,
		bcj:       c.BCJ,
		workers:   c.Workers,
		inputSize: c.Size,
		spanMax:   spanMax,
		sliceSize: sliceSize,
	}
	for _, f := range []struct {
		name             string
		value, low, high int64
	}{
		{"dictionary size", s.dictSize, minDictSize, maxDictSize},
		{"block size", s.blockSize, minBlockSize, maxBlockSize},
		{"nice length", int64(s.niceLen), 5, maxMatch},
		{"depth", int64(s.depth), 5, match.Cap},
		{"lc", int64(lc), 0, maxLCLP},
		{"lp", int64(lp), 0, maxLCLP},
		{"lc + lp", int64(lc + lp), 0, maxLCLP},
		{"pb", int64(pb), 0, maxPB},
		{"check", int64(s.check), 0, int64(len(checks) - 1)},
		{"branch filter", int64(s.bcj), 0, int64(len(branches) - 1)},
		{"workers", int64(s.workers), 1, maxWorkers},
		{"size", s.inputSize, 0, math.MaxInt64},
	} {
		if f.value < f.low || f.value > f.high {
			return settings{}, fmt.Errorf("configuring xz: %s is %d, want %d to %d", f.name, f.value, f.low, f.high)
		}
	}
	s.props = props{uint8(lc), uint8(lp), uint8(pb)}
	s.dictSize = dictSizeOf(dictSizeCode(min(s.dictSize, s.blockSize)))
	s.setLanes()
	return s, s.fit(c.MaxMemory)
}

// finder returns what the match finders need of s.
func (s *settings) finder() match.Settings {
	return match.Settings{DictSize: s.dictSize, Depth: s.depth, Leaf: s.leaf, SpanMax: s.spanMax, Workers: s.workers}
}

// Blocks are compressed several at a time where they are small and there are
// many workers.
const (
	laneWorkers = 4        // that share a block with little waiting
	largeLane   = 64 << 20 // larger blocks are compressed one by one
)

// setLanes decides how many blocks to compress at a time.
func (s *settings) setLanes() {
	s.lanes = 1
	if !s.overlap() || s.workers == 1 {
		return
	}
	s.lanes = (s.workers + laneWorkers - 1) / laneWorkers
	if !s.optimal {
		s.lanes = s.workers + 1 // so that no processor waits for the last block
	}
	if s.inputSize > 0 {
		s.lanes = int(min(int64(s.lanes), (s.inputSize+s.blockSize-1)/s.blockSize))
	}
}

// lane returns the settings for one of the blocks compressed at a time.
func (s settings) lane() settings {
	switch {
	case !s.optimal:
		s.workers = 1
	case s.lanes > 1:
		s.workers = min(s.workers, laneWorkers)
	}
	return s
}

// fitDictSize is the smallest dictionary MaxMemory may force. Below 1 MiB the output
// grows so much that an error serves the user better.
const fitDictSize = 1 << 20

// fitSpan is the smallest span MaxMemory may force. It is found for fitWorkers, not
// for the actual number of workers: the output must not depend on that.
const (
	fitSpan    = 16 << 20
	fitWorkers = 4
)

// fit lowers what costs memory until the encoder needs at most limit bytes: first the
// size of spans, which costs time alone, then the number of blocks at a time and of
// workers, the size of blocks, and the dictionary. Blocks come before the dictionary:
// a shorter window costs every match that reaches beyond it, a border between blocks
// only those across it.
func (s *settings) fit(limit int64) error {
	if limit <= 0 {
		return nil
	}
	for s.spanMax > fitSpan && s.memoryOf(1, fitWorkers) > limit {
		s.spanMax = max(fitSpan, s.spanMax/2)
	}
	for s.memory() > limit {
		switch {
		case s.lanes > 1:
			s.lanes--
		case s.workers > 1:
			s.workers--
		case s.blockSize > s.dictSize:
			s.blockSize = max(s.dictSize, smallerDictSize(s.blockSize))
		case s.dictSize > fitDictSize:
			s.dictSize = max(fitDictSize, smallerDictSize(s.dictSize))
		default:
			return fmt.Errorf("configuring xz: one worker needs %d bytes of memory, the limit is %d: raise the limit", s.memory(), limit)
		}
	}
	return nil
}

// smallerDictSize is the next size below size of the form 2^n or 2^n + 2^(n-1).
func smallerDictSize(size int64) int64 { return dictSizeOf(dictSizeCode(size) - 1) }

// orDefault is v, but def for zero and zero for anything negative.
func orDefault(v, def int) int {
	if v == 0 {
		return def
	}
	return max(v, 0)
}

// overlap reports whether a block is filled while another is compressed.
func (s *settings) overlap() bool { return s.blockSize <= largeLane }

// memory is about the most bytes a Writer with these settings holds.
func (s *settings) memory() int64 { return s.memoryOf(s.lanes, s.lane().workers) }

// memoryOf is memory with another number of lanes, and of workers for each.
func (s *settings) memoryOf(lanes, workers int) int64 {
	block := s.blockSize
	if s.inputSize > 0 {
		block = min(block, s.inputSize)
	}
	filling := int64(0)
	if s.overlap() && s.inputSize != block {
		filling = block
	}
	output := block + block>>10
	parsing := int64(recentMemory + 4*sliceSize)
	if s.optimal {
		set := s.finder()
		set.Workers = workers
		const perParser = 16*sliceSize + 2<<20
		parsing = match.Memory(block, set) + int64(workers)*perParser
	}
	if s.bcj == BCJAuto {
		parsing += sampleMemory
	}
	return filling + int64(lanes)*(block+output+parsing)
}

// filters applies the filters before LZMA2 to raw, in place, and returns the
// whole chain for a block header.
func (s *settings) filters(raw []byte) ([]filter, error) {
	var chain []filter
	if id := branches[s.bcj]; id != 0 {
		f := filter{id: id}
		apply, err := newByteFilter(f, true)
		if err != nil {
			return nil, err
		}
		apply.apply(raw)
		chain = append(chain, f)
	}
	code := dictSizeCode(min(s.dictSize, int64(len(raw))))
	return append(chain, filter{id: filterLZMA2, props: []byte{code}}), nil
}
