package zstd

import (
	"cmp"
	"fmt"
	"math"
	"runtime"

	"x.go/dist/match"
)

// Limits of a WriterConfig.
const (
	minWindow  = 1 << 10
	maxWindow  = 128 << 20 // what zstd and rustup decode without being asked to
	maxWorkers = 1 << 10
)

// WriterConfig says how a [Writer] compresses. The compressed bytes are a function of
// the content and of every field but Workers.
type WriterConfig struct {
	// WindowSize is the greatest distance of a match in bytes, a power of two from
	// 1 KiB to 128 MiB; 0 means 128 MiB. A decoder needs this much memory. It is
	// never larger than the content needs, if that is known or at most as large.
	WindowSize int64

	// Size is the size of the content in bytes, if it is known. The frame then
	// states it, and other content is an error.
	Size int64

	// Workers is the number of goroutines that compress; zero means GOMAXPROCS.
	Workers int

	// MaxMemory bounds the encoder's memory in bytes; zero means no limit. To fit,
	// the Writer first searches less of the content at a time, which costs time and a
	// few bytes, and lowers Workers; then WindowSize, down to 1 MiB. If that does not
	// fit either, NewWriter returns an error.
	MaxMemory int64
}

// settings is a WriterConfig with every default filled in.
type settings struct {
	window    int64
	size      int64 // 0 if not known
	workers   int
	spanSize  int // bytes searched at a time
	sliceSize int
	niceLen   int
}

// resolve fills in the defaults and checks the ranges.
func (c WriterConfig) resolve() (settings, error) {
	s := settings{
		window: cmp.Or(c.WindowSize, maxWindow), size: c.Size,
		workers:   cmp.Or(c.Workers, runtime.GOMAXPROCS(0)),
		sliceSize: sliceSize, niceLen: 64,
	}
	for _, f := range []struct {
		name             string
		value, low, high int64
	}{
		{"window size", s.window, minWindow, maxWindow},
		{"workers", int64(s.workers), 1, maxWorkers},
		{"size", s.size, 0, math.MaxInt64},
	} {
		if f.value < f.low || f.value > f.high {
			return settings{}, fmt.Errorf("configuring zstd: %s is %d, want %d to %d", f.name, f.value, f.low, f.high)
		}
	}
	if s.window&(s.window-1) != 0 {
		return settings{}, fmt.Errorf("configuring zstd: window size is %d, want a power of two", s.window)
	}
	if s.size > 0 {
		s.window = fitWindow(s.window, s.size)
	}
	s.setSpan(spanMax)
	return s, s.fit(c.MaxMemory)
}

// Bounds of the bytes that are searched at a time. With each span the window before
// it is sorted once more.
const (
	spanMax = 64 << 20
	spanFit = 16 << 20 // the smallest that MaxMemory forces before all else
	spanMin = sliceSize
)

// fitWorkers is the number of workers that a span is made to fit for: the output must
// not depend on the actual number.
const fitWorkers = 4

// fitWindowMin is the smallest window that MaxMemory may force. Below that the output
// grows so much that an error serves the user better.
const fitWindowMin = 1 << 20

// fit lowers what costs memory until the encoder needs at most limit bytes.
func (s *settings) fit(limit int64) error {
	if limit <= 0 {
		return nil
	}
	span := int64(spanMax)
	for span > spanFit && s.memory(fitWorkers) > limit {
		span = max(spanFit, span/2)
		s.setSpan(span)
	}
	for s.memory(s.workers) > limit {
		switch {
		case s.workers > 1:
			s.workers--
		case s.window > fitWindowMin:
			s.window /= 2
		case span > spanMin:
			span /= 2
			s.setSpan(span)
		default:
			return fmt.Errorf("configuring zstd: one worker needs %d bytes of memory, the limit is %d: raise the limit", s.memory(1), limit)
		}
	}
	return nil
}

// memory is about the most bytes a Writer with a number of workers holds.
func (s *settings) memory(workers int) int64 {
	const perWorker = 12 << 20
	set := s.finder()
	set.Workers = workers
	room := s.room()
	return room + match.Memory(room, set) + min(room, int64(s.spanSize)) + int64(workers)*perWorker
}

// setSpan cuts content of known size into as few spans as can be, which are about
// equal.
func (s *settings) setSpan(most int64) {
	n := int64(s.sliceSize)
	s.spanSize = int(most)
	if s.size > 0 {
		spans := (s.size + most - 1) / most
		s.spanSize = int(max(1, ((s.size+n-1)/n+spans-1)/spans) * n)
	}
}

// fitWindow returns the smallest window that is as good as w for content of size
// bytes.
func fitWindow(w, size int64) int64 {
	for w > minWindow && w/2 >= size {
		w /= 2
	}
	return w
}

// blockSize is the most bytes of a block.
func (s *settings) blockSize() int { return int(min(s.window, blockMax)) }

// finder returns what the match finders need of s.
func (s *settings) finder() match.Settings {
	return match.Settings{DictSize: s.window, Depth: match.Cap, Leaf: 12, SpanMax: s.spanSize, Workers: s.workers}
}

// Memory is what compression with a [WriterConfig] needs.
type Memory struct {
	Workers    int   // goroutines that compress, after MaxMemory
	WindowSize int64 // bytes, after MaxMemory and for a known Size
	SpanSize   int64 // bytes that are searched at a time, after MaxMemory
	Encoder    int64 // bytes the Writer holds at most, without the garbage collector's share
}

// Memory reports the sizes that NewWriter would choose. It is an error if the
// configuration is not valid or cannot fit MaxMemory.
func (c WriterConfig) Memory() (Memory, error) {
	s, err := c.resolve()
	if err != nil {
		return Memory{}, err
	}
	return Memory{Workers: s.workers, WindowSize: s.window, SpanSize: int64(s.spanSize), Encoder: s.memory(s.workers)}, nil
}

// room is the size of the buffer for window and span.
func (s *settings) room() int64 {
	n := s.window + int64(s.spanSize)
	if s.size > 0 {
		n = min(n, s.size)
	}
	return n
}
