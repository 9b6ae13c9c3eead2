package recompress

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"x.go/dist/archive"
	"x.go/dist/xz"
	"x.go/manifests"
)

// Recompressor compresses archives once more, harder than a build has time for:
// the step of rust-lang/promote-release between CI and the public server
// (src/recompress.rs there). It reads .tar, .tar.gz, .tar.xz and .tar.zst and
// leaves the tar stream as it is, to the byte. The zero value makes gz and xz
// with the profile best, beside the inputs and in their place.
type Recompressor struct {
	// Formats to write of each archive; none means gz and xz, which are those of
	// promote-release.
	Formats []archive.Format
	Profile archive.Profile // empty means Best
	// Dir is the folder of the outputs, "" the folder of each input. An output
	// that has an input's name replaces it.
	Dir string
	// Shard is the part of the archives to work on. All machines must have the
	// same archives, recompressed already or not: what counts are their names and
	// the sizes of their tar streams.
	Shard Shard
	// Jobs, MaxMemory, BCJ, SkipReadBack and Progress are as those of [archive.Writer].
	// SkipReadBack is refused where an output replaces an input.
	Jobs         int
	MaxMemory    int64
	BCJ          xz.BCJ
	SkipReadBack bool
	Progress     func(archive.Progress)
}

// Recompression is what a [Recompressor] has found to do.
type Recompression struct {
	// Plans are of the archives to write, sorted by name.
	Plans []RecompressPlan
	// Done are archives that an earlier run has made of the same content with the
	// same settings, and that are still as it made them.
	Done []string
	// Problems are the inputs that cannot be recompressed, each an error.
	Problems []error

	writer archive.Writer // of the outputs, with its defaults
	sets   []*tarSet
	memory *semaphore.Weighted // of decoders while planning

	job  *archive.Job // what is to be written
	todo []*tarSet    // the sets of job, in its order
}

// RecompressPlan is how one tar stream is going to be compressed.
type RecompressPlan struct {
	archive.Plan
	Dir    string   `json:"dir"`    // of the outputs
	Inputs []string `json:"inputs"` // paths; the first one is read
}

// Recompressed are the archives of one tar stream.
type Recompressed struct {
	Name     string   // of the archives, without extension
	Inputs   []string // paths
	TarSize  int64    // bytes of the tar stream
	Tar      manifests.Hash
	Archives []RecompressedArchive // in the order of Formats
}

// RecompressedArchive is a file that is there when all is done.
type RecompressedArchive struct {
	archive.Artifact
	Before int64 // bytes of the input in the same format; 0 if there was none
	Done   bool  // by an earlier run
}

// Plan looks at the files and decides what is to be done. A folder stands for
// the archives in it. Nothing is written. Files that are no archives, or that
// cannot be read, are among the Problems of the result and hinder no others; the
// error is for what hinders all: wrong settings, a record that cannot be read, a
// MaxMemory that is too small.
//
// gz files, and zst files that do not state the size of their content, are
// decoded once to learn it. Where a record says that archives are done, the
// digests of inputs and outputs are compared with it.
func (r Recompressor) Plan(ctx context.Context, files []string) (*Recompression, error) {
	w, err := r.writer()
	if err != nil {
		return nil, fmt.Errorf("recompressing: %w", err)
	}
	c := &Recompression{Plans: []RecompressPlan{}, Done: []string{}, writer: w, memory: semaphore.NewWeighted(cmp.Or(w.MaxMemory, math.MaxInt64))}
	sources, problems := collectSources(files)
	var more []error
	c.sets, more = groupSources(sources, r.Dir)
	c.Problems = append(problems, more...)
	if err := r.checkReplaced(c.sets, w.Formats); err != nil {
		return nil, err
	}
	c.each(func(s *tarSet) error { return c.measure(ctx, s) })
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("recompressing: %w", err)
	}
	c.takeShard(r.Shard)
	c.dropFailed()
	if err := c.readRecords(); err != nil {
		return nil, err
	}
	// What a limit of memory makes of an archive depends on all formats, so
	// that it is the same whichever of them are done already.
	if err := c.plan(); err != nil {
		return nil, err
	}
	c.each(func(s *tarSet) error { return c.skipDone(ctx, s) })
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("recompressing: %w", err)
	}
	c.dropFailed()
	if err := c.plan(); err != nil {
		return nil, err
	}
	c.summarize()
	return c, nil
}

// writer returns the Writer of the outputs.
func (r Recompressor) writer() (archive.Writer, error) {
	r.Profile = cmp.Or(r.Profile, archive.Best)
	if r.Profile == archive.NoOp {
		return archive.Writer{}, fmt.Errorf("got profile %q, want fast, balanced or best", archive.NoOp)
	}
	if err := r.Shard.check(); err != nil {
		return archive.Writer{}, err
	}
	return archive.Writer{
		Formats: r.Formats, Profile: r.Profile, Jobs: r.Jobs, MaxMemory: r.MaxMemory, BCJ: r.BCJ,
		SkipReadBack: r.SkipReadBack, Progress: r.Progress,
	}.WithDefaults()
}

// checkReplaced refuses to replace an input by something that nobody has read.
func (r Recompressor) checkReplaced(sets []*tarSet, formats []archive.Format) error {
	if !r.SkipReadBack {
		return nil
	}
	for _, s := range sets {
		for _, src := range s.sources {
			if slices.Contains(formats, src.format) && filepath.Dir(src.path) == s.dir {
				return fmt.Errorf("recompressing %q: an input is not replaced by an archive that was not read back: read back, or write to another folder", src.path)
			}
		}
	}
	return nil
}

// each runs a step of planning on all sets, several at a time. What fails is kept
// with the set.
func (c *Recompression) each(step func(*tarSet) error) {
	var g errgroup.Group
	g.SetLimit(c.writer.Jobs)
	for _, s := range c.sets {
		g.Go(func() error {
			if err := step(s); err != nil {
				s.err = s.failed(err)
			}
			return nil
		})
	}
	_ = g.Wait() // the steps' errors are the sets'
}

// dropFailed makes problems of the sets that have failed.
func (c *Recompression) dropFailed() {
	c.sets = slices.DeleteFunc(c.sets, func(s *tarSet) bool {
		if s.err != nil {
			c.Problems = append(c.Problems, s.err)
		}
		return s.err != nil
	})
}

// takeShard keeps the sets of one shard. An archive whose size could not be
// learned counts as empty: it is one shard's problem, and the same one's on all
// machines.
func (c *Recompression) takeShard(p Shard) {
	if p.Count <= 1 {
		return
	}
	items := make([]sized, 0, len(c.sets))
	for _, s := range c.sets {
		items = append(items, sized{s.stem + "\x00" + s.dir, s.size})
	}
	var mine []*tarSet
	for i, shard := range assignShards(items, p.Count) {
		if shard == p.Index {
			mine = append(mine, c.sets[i])
		}
	}
	c.sets = mine
}

func (c *Recompression) readRecords() error {
	records := map[string]*openRecord{}
	for _, s := range c.sets {
		if records[s.dir] == nil {
			r, err := readRecord(s.dir)
			if err != nil {
				return err
			}
			records[s.dir] = r
		}
		s.record = records[s.dir]
	}
	return nil
}

// plan plans the compression of all sets that have something to do, without what
// is done.
func (c *Recompression) plan() error {
	c.todo = nil
	var streams []archive.Stream
	for _, s := range c.sets {
		if len(s.done) < len(c.writer.Formats) {
			c.todo, streams = append(c.todo, s), append(streams, s.stream())
		}
	}
	var err error
	if c.job, err = c.writer.PlanStreams(streams); err != nil {
		return err
	}
	for i, p := range c.job.Plans() {
		c.todo[i].plan = p
	}
	return nil
}

// summarize fills in what the user of a Recompression sees.
func (c *Recompression) summarize() {
	for _, s := range c.todo {
		c.Plans = append(c.Plans, RecompressPlan{s.plan, s.dir, s.inputs()})
	}
	for _, s := range c.sets {
		for _, a := range s.done {
			c.Done = append(c.Done, a.Path)
		}
	}
}

// Run does what is planned, and returns all archives, with those that were done
// before. An archive that fails, or has failed to be planned, hinders no other:
// the error holds all failures and Problems. When ctx ends, what is finished
// stays, and a further run goes on from there.
//
// Files get their names when they are proven: their decoded content has the
// digest of the tar stream that was read, and so has that of all inputs of the
// same name. An input is replaced in one step, and only if it has not changed
// since it was looked at.
func (c *Recompression) Run(ctx context.Context) ([]Recompressed, error) {
	errs := slices.Clone(c.Problems)
	for _, s := range c.sets {
		errs = append(errs, s.repairSums())
	}
	written, err := c.job.WriteEach(ctx)
	for i, w := range written {
		c.todo[i].written = w.Archives
		errs = append(errs, c.todo[i].failed(w.Err))
	}
	if err != nil {
		errs = []error{err} // ctx has ended, and that is all there is to say
	}
	var out []Recompressed
	for _, s := range c.sets {
		if len(s.done)+len(s.written) == len(c.writer.Formats) {
			out = append(out, s.result(c.writer.Formats))
		}
	}
	return out, errors.Join(errs...)
}
