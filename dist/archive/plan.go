package archive

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
)

// Plan says how the archives of a package will be compressed.
type Plan struct {
	Package string `json:"package"`
	Size    int64  `json:"size"` // bytes of the tar stream
	// Workers is the number of goroutines that compress xz, and zst of Best.
	Workers int `json:"workers"`
	// Memory is about what the compressors hold, in bytes, without the share of the
	// garbage collector.
	Memory   int64        `json:"memory"`
	Archives []FormatPlan `json:"archives"`
}

// Artifacts returns the archives of p as they will be in dir, in the order of
// p.Archives, without sizes and digests.
func (p Plan) Artifacts(dir string) []Artifact {
	out := make([]Artifact, 0, len(p.Archives))
	for _, a := range p.Archives {
		out = append(out, Artifact{
			Name: a.Name, Path: filepath.Join(dir, a.Name), Package: p.Package, Format: a.Format, DecoderMemory: a.DecoderMemory,
		})
	}
	return out
}

// FormatPlan is the part of a [Plan] for one format.
type FormatPlan struct {
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
	// Lowered says that Dictionary or Block is smaller than the profile's, to keep
	// to MaxMemory. That makes the archive larger.
	Lowered bool `json:"lowered,omitempty"`
	// Settings, with the content, decide the bytes of the archive.
	Settings Settings `json:"-"`
}

// Settings are all that the bytes of an archive depend on besides its content:
// archives of equal content and equal Settings are equal.
type Settings struct {
	Level      string `json:"level"`            // of the compressor, in its own words
	Dictionary int64  `json:"dictionary"`       // bytes
	Block      int64  `json:"block,omitempty"`  // bytes; xz only
	Span       int64  `json:"span,omitempty"`   // bytes searched at a time; xz, and zst of Best
	Filter     string `json:"filter,omitempty"` // xz only; "none" is one
}

// PeakMemory estimates the peak memory of writing plans, in bytes: the largest run
// first, as many at a time as there are jobs for.
func (w Writer) PeakMemory(plans []Plan) int64 {
	w, err := w.WithDefaults()
	if err != nil {
		return 0
	}
	largest := slices.SortedStableFunc(slices.Values(plans), func(a, b Plan) int { return largerFirst(a.Size, b.Size) })
	var memory int64
	jobs := w.Jobs
	for _, p := range largest {
		if jobs -= p.Workers; jobs < 0 || w.MaxMemory > 0 && memory+p.Memory > w.MaxMemory {
			break
		}
		memory += p.Memory
	}
	return memory
}

// ErrMemoryLimit is in the chain of an error about a [Writer.MaxMemory] that is too
// small for its formats and its profile.
var ErrMemoryLimit = errors.New("the limit is too low")

// planStream plans a stream that has the given part of all bytes. How far MaxMemory
// lowers window and dictionary does not depend on the number of workers, so neither
// do the bytes.
func (w Writer) planStream(s Stream, part float64) (*task, error) {
	full := w.compression(s.Size)
	t := &task{Stream: s, compression: full}
	t.plan = Plan{Package: s.Name, Size: s.Size, Workers: 1, Memory: chunkSize*chunkCount + s.Reserve}
	if slices.Contains(w.Formats, GZ) {
		t.plan.Memory += gzEncoder
	}
	if slices.Contains(w.Formats, Zst) {
		if err := w.planZst(t, part); err != nil {
			return nil, err
		}
	}
	if slices.Contains(w.Formats, XZ) {
		if err := w.planXZ(t, part); err != nil {
			return nil, err
		}
	}
	t.plan.Memory += s.Extra
	if w.MaxMemory > 0 && t.plan.Memory > w.MaxMemory {
		return nil, fmt.Errorf("compressing within %d bytes of memory: %w: want %d at least: raise the limit or leave out a format",
			w.MaxMemory, ErrMemoryLimit, t.plan.Memory)
	}
	for _, f := range w.Formats {
		if slices.Contains(s.Skip, f) {
			continue
		}
		a, err := t.compression.formatPlan(f, full)
		if err != nil {
			return nil, err
		}
		a.Name = s.Name + f.Ext()
		t.plan.Archives = append(t.plan.Archives, a)
	}
	return t, nil
}

// planZst lowers the window of zst until it fits.
func (w Writer) planZst(t *task, part float64) error {
	c := &t.compression
	room := w.MaxMemory - t.plan.Memory
	if slices.Contains(w.Formats, XZ) {
		room = min(room, max(room/4, zstLeast)) // xz gains more from a large dictionary
	}
	if c.zstOurs {
		if w.MaxMemory > 0 {
			c.zstLimit = max(room, 1)
		}
		m, err := c.zstConfig(w.workers(part)).Memory()
		if err != nil {
			return w.planError(err)
		}
		t.plan.Workers = m.Workers
		t.plan.Memory += m.Encoder
		return nil
	}
	for w.MaxMemory > 0 && c.zstMemory() > room && c.window() > minLowered {
		c.zstWindow = c.window() / 2
	}
	t.plan.Memory += c.zstMemory()
	return nil
}

// zstLeast is what our zst encoder needs at least, in bytes, and a bit more.
const zstLeast = 80 << 20

// planError is err, which may be due to MaxMemory.
func (w Writer) planError(err error) error {
	if w.MaxMemory > 0 {
		return fmt.Errorf("compressing within %d bytes of memory: %w: %w", w.MaxMemory, ErrMemoryLimit, err)
	}
	return err
}

// planXZ gives xz the workers for the given part of all bytes, within the memory
// that the other formats leave.
func (w Writer) planXZ(t *task, part float64) error {
	c := &t.compression
	if w.MaxMemory > 0 {
		c.xzMemory = max(w.MaxMemory-t.plan.Memory, 1)
	}
	m, err := c.xzConfig(w.workers(part)).Memory()
	if err != nil {
		return w.planError(err)
	}
	t.plan.Workers = max(t.plan.Workers, m.Workers)
	t.plan.Memory += m.Encoder
	return nil
}

// minLowered is the smallest zst window that MaxMemory may force, as for the
// dictionary of xz.
const minLowered = 1 << 20

// workers returns the number of jobs for a package with the given part of all
// bytes: half more than its share. The largest start first, and the small ones
// behind them fill the gaps; a large one alone at the end would leave jobs idle.
func (w Writer) workers(part float64) int {
	return min(max(int(math.Ceil(1.5*float64(w.Jobs)*part)), 1), w.Jobs)
}

// formatPlan returns the plan for one format; full is c without a memory limit.
func (c compression) formatPlan(f Format, full compression) (FormatPlan, error) {
	switch f {
	case XZ:
		m, err := c.xzConfig(1).Memory()
		if err != nil {
			return FormatPlan{}, err
		}
		most, err := full.xzConfig(1).Memory()
		if err != nil {
			return FormatPlan{}, err
		}
		block := min(m.BlockSize, max(c.size, 1))
		return FormatPlan{
			Format: f, Dictionary: m.DictSize, Block: block, DecoderMemory: m.Decoder,
			Lowered:  m.DictSize < most.DictSize || block < min(most.BlockSize, c.size),
			Settings: Settings{Level: string(c.xz), Dictionary: m.DictSize, Block: block, Span: min(m.SpanSize, block), Filter: c.bcj.String()},
		}, nil
	case Zst:
		if c.zstOurs {
			return c.zstPlan(full)
		}
		return FormatPlan{
			Format: f, Dictionary: c.window(), DecoderMemory: c.window() + zstDecoder, Lowered: c.window() < full.window(),
			Settings: Settings{Level: c.zst.String(), Dictionary: c.window()},
		}, nil
	}
	return FormatPlan{
		Format: f, Dictionary: gzWindow, DecoderMemory: gzDecoder,
		Settings: Settings{Level: strconv.Itoa(c.gz), Dictionary: gzWindow},
	}, nil
}

// zstPlan is [compression.formatPlan] for our zst encoder.
func (c compression) zstPlan(full compression) (FormatPlan, error) {
	m, err := c.zstConfig(1).Memory()
	if err != nil {
		return FormatPlan{}, err
	}
	most, err := full.zstConfig(1).Memory()
	if err != nil {
		return FormatPlan{}, err
	}
	return FormatPlan{
		Format: Zst, Dictionary: m.WindowSize, DecoderMemory: m.WindowSize + zstDecoder, Lowered: m.WindowSize < most.WindowSize,
		Settings: Settings{Level: string(Best), Dictionary: m.WindowSize, Span: m.SpanSize},
	}, nil
}
