package recompress

import (
	"math"

	"x.go/dist/archive"
	"x.go/dist/xz"
	"x.go/manifests"
)

// speeds are the bytes of a tar stream that one processor compresses in a second: those
// of cargo 1.95.0 in dist/bench/result.json, of 42 MB, rounded down. Other content
// differs by a third, other processors by more; plans need the proportions.
var speeds = map[archive.Format]map[archive.Profile]float64{
	archive.GZ:  {archive.Fast: 90e6, archive.Balanced: 51e6, archive.Best: 11e6},
	archive.XZ:  {archive.Fast: 12e6, archive.Balanced: 2.5e6, archive.Best: 2.1e6},
	archive.Zst: {archive.Fast: 140e6, archive.Balanced: 32e6, archive.Best: 10e6},
}

// readSpeeds are the same for reading with a decoder of x, and for the
// SHA-256 of the stream.
var readSpeeds = map[archive.Format]float64{"": 400e6, archive.GZ: 150e6, archive.XZ: 60e6, archive.Zst: 250e6}

// bcjCost is how much longer xz takes with a branch filter.
const bcjCost = 1.04

// estimate returns the time of one processor for a task, in seconds: to read the input,
// to compress size bytes of its stream in each format, and to read that back.
func estimate(s Settings, input archive.Format, tarSize, size int64, outputs []TaskOutput) int64 {
	t := float64(tarSize) / readSpeeds[input]
	for _, o := range outputs {
		cost := float64(size) / speeds[o.Format][s.Profile]
		if o.Format == manifests.XZ && s.BCJ != xz.BCJNone.String() {
			cost *= bcjCost
		}
		t += cost + float64(size)/readSpeeds[o.Format]
	}
	return max(1, int64(math.Ceil(t)))
}

// peakMemory returns about the most memory of a process that compresses by a plan, in
// bytes: the garbage collector's share, and the program itself.
func peakMemory(p archive.Plan) int64 { return p.Memory + p.Memory/4 + 64<<20 }
