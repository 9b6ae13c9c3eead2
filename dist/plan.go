package dist

import (
	"fmt"
	"math"
	"slices"
)

// Plan is how the archives of a package are going to be compressed.
type Plan struct {
	Package string `json:"package"`
	Size    int64  `json:"size"` // bytes of the tar stream
	// Workers is the number of goroutines that compress xz blocks.
	Workers int `json:"workers"`
	// Memory is about what the compressors hold, in bytes, without the garbage
	// collector's share.
	Memory   int64         `json:"memory"`
	Archives []ArchivePlan `json:"archives"`
}

// ArchivePlan is the part of a [Plan] for one format.
type ArchivePlan struct {
	Name   string `json:"name"` // file name
	Format Format `json:"format"`
	// Dictionary is how far back a match may reach, in bytes: the dictionary of
	// xz, the window of zst and gz.
	Dictionary int64 `json:"dictionary"`
	// Block is the size of a block of xz, in bytes, 0 for other formats. The
	// last block may be smaller.
	Block int64 `json:"block,omitempty"`
	// DecoderMemory is what unpacking needs, in bytes.
	DecoderMemory int64 `json:"decoder_memory"`
	// Lowered says that Dictionary or Block is smaller than the profile has it,
	// to keep to MaxMemory. The archive gets larger by it.
	Lowered bool `json:"lowered,omitempty"`
}

// Plan returns how [Writer.WriteAll] is going to compress pkgs, in their order.
// Like WriteAll it returns an error, before any work, for packages that cannot
// be written and for a MaxMemory that is too small.
func (w Writer) Plan(pkgs []Package) ([]Plan, error) {
	works, err := newWorks(pkgs)
	if err != nil {
		return nil, err
	}
	s, err := w.prepare(works)
	if err != nil {
		return nil, err
	}
	plans := make([]Plan, 0, len(works))
	if s.Profile == NoOp {
		return plans, nil
	}
	for _, k := range works {
		plans = append(plans, k.plan)
	}
	return plans, nil
}

// PeakMemory estimates what compression takes at most while plans are carried
// out, in bytes: the large ones come first, as many as there are jobs for.
func (w Writer) PeakMemory(plans []Plan) int64 {
	s, err := w.setup()
	if err != nil {
		return 0
	}
	largest := slices.SortedStableFunc(slices.Values(plans), func(a, b Plan) int { return largerFirst(a.Size, b.Size) })
	var memory int64
	jobs := s.Jobs
	for _, p := range largest {
		if jobs -= p.Workers; jobs < 0 || s.MaxMemory > 0 && memory+p.Memory > s.MaxMemory {
			break
		}
		memory += p.Memory
	}
	return memory
}

// plan decides for each work how it is compressed.
func (s *setup) plan(works []work) error {
	var total int64
	for _, k := range works {
		total += k.size
	}
	for i := range works {
		k := &works[i]
		if err := s.planOne(k, float64(k.size)/float64(max(total, 1))); err != nil {
			return fmt.Errorf("planning archives of %q: %w", k.name, err)
		}
	}
	return nil
}

// planOne plans a work that has the given part of all bytes. What MaxMemory
// lowers of window and dictionary does not depend on the number of workers, so
// that the bytes do not either.
func (s *setup) planOne(k *work, part float64) error {
	k.level = s.level
	k.level.size = k.size
	k.plan = Plan{Package: k.name, Size: k.size, Workers: 1, Memory: chunkSize*chunkCount + k.reserve}
	hasXZ := slices.Contains(k.formats, XZ)
	if slices.Contains(k.formats, GZ) {
		k.plan.Memory += gzEncoder
	}
	full := k.level
	if slices.Contains(k.formats, Zst) {
		room := s.MaxMemory - k.plan.Memory
		if hasXZ {
			room /= 4 // the dictionary of xz makes more of it
		}
		for s.MaxMemory > 0 && k.level.zstMemory() > room && k.level.window() > minLowered {
			k.level.zstWindow = k.level.window() / 2
		}
		k.plan.Memory += k.level.zstMemory()
	}
	if hasXZ {
		if s.MaxMemory > 0 {
			k.level.xzMemory = max(s.MaxMemory-k.plan.Memory, 1)
		}
		m, err := k.level.xzConfig(s.workers(part)).Memory()
		if err != nil && s.MaxMemory > 0 {
			return fmt.Errorf("in what is left of %d bytes: %w", s.MaxMemory, err)
		}
		if err != nil {
			return err
		}
		k.plan.Workers = m.Workers
		k.plan.Memory += m.Encoder
	}
	k.plan.Memory += k.extra
	if s.MaxMemory > 0 && k.plan.Memory > s.MaxMemory {
		return fmt.Errorf("compressing takes %d bytes of memory at least, the limit is %d: raise the limit or leave out a format", k.plan.Memory, s.MaxMemory)
	}
	for _, f := range k.formats {
		a, err := k.level.archivePlan(f, full)
		if err != nil {
			return err
		}
		a.Name = k.name + f.Ext()
		k.plan.Archives = append(k.plan.Archives, a)
	}
	return nil
}

// minLowered is the smallest zst window that MaxMemory leads to, as it is for
// the dictionary of xz.
const minLowered = 1 << 20

// workers returns how many jobs a package with the given part of all bytes has:
// half more than its share, since the largest are started first and what waits
// behind them fills the gaps, while one left alone at the end could not.
func (s *setup) workers(part float64) int {
	return min(max(int(math.Ceil(1.5*float64(s.Jobs)*part)), 1), s.Jobs)
}

// archivePlan says what l means for one format; full is l without a bound of
// memory.
func (l level) archivePlan(f Format, full level) (ArchivePlan, error) {
	switch f {
	case XZ:
		m, err := l.xzConfig(1).Memory()
		if err != nil {
			return ArchivePlan{}, err
		}
		most, err := full.xzConfig(1).Memory()
		if err != nil {
			return ArchivePlan{}, err
		}
		block := min(m.BlockSize, max(l.size, 1))
		return ArchivePlan{
			Format: f, Dictionary: m.DictSize, Block: block, DecoderMemory: m.Decoder,
			Lowered: m.DictSize < most.DictSize || block < min(most.BlockSize, l.size),
		}, nil
	case Zst:
		return ArchivePlan{Format: f, Dictionary: l.window(), DecoderMemory: l.window() + zstDecoder, Lowered: l.window() < full.window()}, nil
	}
	return ArchivePlan{Format: f, Dictionary: gzWindow, DecoderMemory: gzDecoder}, nil
}
