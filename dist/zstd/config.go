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
	return s, nil
}

// spanMax is the most bytes that are searched at a time. With each span the window
// before it is sorted once more.
const spanMax = 160 << 20

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

// Memory is what compression and decompression with a [WriterConfig] need.
type Memory struct {
	WindowSize int64 // bytes
	Encoder    int64 // bytes the Writer holds at most, without the garbage collector's share
}

// Memory reports the sizes that NewWriter would choose. It is an error if the
// configuration is not valid.
func (c WriterConfig) Memory() (Memory, error) {
	s, err := c.resolve()
	if err != nil {
		return Memory{}, err
	}
	const perWorker = 12 << 20 // as measured
	room := s.room()
	return Memory{
		WindowSize: s.window,
		Encoder:    room + match.Memory(room, s.finder()) + int64(s.spanSize)/2 + int64(s.workers)*perWorker,
	}, nil
}

// room is the size of the buffer for window and span.
func (s *settings) room() int64 {
	n := s.window + int64(s.spanSize)
	if s.size > 0 {
		n = min(n, s.size)
	}
	return n
}
