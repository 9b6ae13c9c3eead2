package dist

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

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
	Formats []Format
	Profile Profile // empty means Best
	// Dir is the folder of the outputs, "" the folder of each input. An output
	// that has an input's name replaces it.
	Dir string
	// Shard is the part of the archives to work on. All machines must have the
	// same archives, recompressed already or not: what counts are their names and
	// the sizes of their tar streams.
	Shard Shard
	// Jobs, MaxMemory, BCJ, SkipReadBack and Progress are as those of [Writer].
	// SkipReadBack is refused where an output replaces an input.
	Jobs         int
	MaxMemory    int64
	BCJ          xz.BCJ
	SkipReadBack bool
	Progress     func(Progress)
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

	setup  *setup
	jobs   []*recompressJob
	memory *semaphore.Weighted // of decoders while planning
}

// RecompressPlan is how one tar stream is going to be compressed.
type RecompressPlan struct {
	Plan
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
	Artifact
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
	s, err := r.setup()
	if err != nil {
		return nil, fmt.Errorf("recompressing: %w", err)
	}
	c := &Recompression{Plans: []RecompressPlan{}, Done: []string{}, setup: s, memory: semaphore.NewWeighted(cmp.Or(s.MaxMemory, math.MaxInt64))}
	sources, problems := collectSources(files)
	var more []error
	c.jobs, more = groupSources(sources, r.Dir)
	c.Problems = append(problems, more...)
	if err := r.checkReplaced(c.jobs, s.Formats); err != nil {
		return nil, err
	}
	c.each(func(j *recompressJob) error { return c.measure(ctx, j) })
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
	if err := c.plan(s.Formats); err != nil {
		return nil, err
	}
	c.each(func(j *recompressJob) error { return c.skipDone(ctx, j) })
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("recompressing: %w", err)
	}
	c.dropFailed()
	if err := c.plan(s.Formats); err != nil {
		return nil, err
	}
	c.summarize()
	return c, nil
}

// setup returns the Writer for the outputs.
func (r Recompressor) setup() (*setup, error) {
	r.Profile = cmp.Or(r.Profile, Best)
	if r.Profile == NoOp {
		return nil, fmt.Errorf("got profile %q, want fast, balanced or best", NoOp)
	}
	if err := r.Shard.check(); err != nil {
		return nil, err
	}
	w := Writer{
		Formats: r.Formats, Profile: r.Profile, Jobs: r.Jobs, MaxMemory: r.MaxMemory, BCJ: r.BCJ,
		SkipReadBack: r.SkipReadBack, Progress: r.Progress,
	}
	s, err := w.setup()
	if err != nil {
		return nil, err
	}
	s.keepGoing = true
	return s, nil
}

// checkReplaced refuses to replace an input by something that nobody has read.
func (r Recompressor) checkReplaced(jobs []*recompressJob, formats []Format) error {
	if !r.SkipReadBack {
		return nil
	}
	for _, j := range jobs {
		for _, src := range j.sources {
			if slices.Contains(formats, src.format) && filepath.Dir(src.path) == j.dir {
				return fmt.Errorf("recompressing %q: an input is not replaced by an archive that was not read back: read back, or write to another folder", src.path)
			}
		}
	}
	return nil
}

// each runs a step of planning on all jobs, several at a time. What fails is kept
// with the job.
func (c *Recompression) each(step func(*recompressJob) error) {
	var g errgroup.Group
	g.SetLimit(c.setup.Jobs)
	for _, j := range c.jobs {
		g.Go(func() error {
			if err := step(j); err != nil {
				j.err = fmt.Errorf("recompressing %q: %w", j.stem, err)
			}
			return nil
		})
	}
	_ = g.Wait() // the steps' errors are the jobs'
}

// dropFailed makes problems of the jobs that have failed.
func (c *Recompression) dropFailed() {
	c.jobs = slices.DeleteFunc(c.jobs, func(j *recompressJob) bool {
		if j.err != nil {
			c.Problems = append(c.Problems, j.err)
		}
		return j.err != nil
	})
}

// takeShard keeps the jobs of one shard. An archive whose size could not be
// learned counts as empty: it is one shard's problem, and the same one's on all
// machines.
func (c *Recompression) takeShard(p Shard) {
	if p.Count <= 1 {
		return
	}
	items := make([]sized, 0, len(c.jobs))
	for _, j := range c.jobs {
		items = append(items, sized{j.stem + "\x00" + j.dir, j.work.size})
	}
	var mine []*recompressJob
	for i, shard := range assignShards(items, p.Count) {
		if shard == p.Index {
			mine = append(mine, c.jobs[i])
		}
	}
	c.jobs = mine
}

func (c *Recompression) readRecords() error {
	records := map[string]*openRecord{}
	for _, j := range c.jobs {
		if records[j.dir] == nil {
			r, err := readRecord(j.dir)
			if err != nil {
				return err
			}
			records[j.dir] = r
		}
		j.record = records[j.dir]
	}
	return nil
}

// plan plans the compression of all jobs that have something to do, and then
// leaves out of each what is done.
func (c *Recompression) plan(formats []Format) error {
	var todo []*recompressJob
	var works []work
	for _, j := range c.jobs {
		if len(j.done) == len(formats) {
			continue
		}
		w := work{
			name: j.stem, dir: j.dir, task: fmt.Sprintf("recompressing %q", j.stem), size: j.work.size, formats: formats,
			stream: j.stream, reserve: usualReserve(j.work.size), place: j.place,
		}
		w.extra = max(0, j.sources[0].memory-w.reserve)
		todo, works = append(todo, j), append(works, w)
	}
	if err := c.setup.plan(works); err != nil {
		return err
	}
	for i, j := range todo {
		j.work = works[i]
		j.work.leaveOut(j.done)
	}
	return nil
}

// leaveOut takes the formats of finished archives out of a planned work.
func (k *work) leaveOut(done []Artifact) {
	isDone := func(f Format) bool {
		return slices.ContainsFunc(done, func(a Artifact) bool { return a.Format == f })
	}
	k.formats = slices.DeleteFunc(slices.Clone(k.formats), isDone)
	k.plan.Archives = slices.DeleteFunc(k.plan.Archives, func(a ArchivePlan) bool { return isDone(a.Format) })
}

// summarize fills in what the user of a Recompression sees.
func (c *Recompression) summarize() {
	for _, j := range c.jobs {
		if len(j.done) < len(c.setup.Formats) {
			c.Plans = append(c.Plans, RecompressPlan{j.work.plan, j.dir, j.inputs()})
		}
		for _, a := range j.done {
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
	works := make([]work, 0, len(c.jobs))
	var jobs []*recompressJob
	for _, j := range c.jobs {
		if err := j.repairSums(); err != nil {
			errs = append(errs, err)
		}
		if len(j.done) == len(c.setup.Formats) {
			continue
		}
		if err := os.MkdirAll(j.dir, 0o755); err != nil {
			errs = append(errs, fmt.Errorf("recompressing %q: %w", j.stem, err))
			continue
		}
		works = append(works, j.work)
		jobs = append(jobs, j)
	}
	if err := c.setup.writeAll(ctx, works); err != nil {
		errs = []error{err} // ctx has ended, and that is all there is to say
	} else {
		for _, k := range works {
			errs = append(errs, k.err)
		}
	}
	var out []Recompressed
	for i := range works {
		jobs[i].work = works[i]
	}
	for _, j := range c.jobs {
		if len(j.done)+len(j.work.out) == len(c.setup.Formats) {
			out = append(out, j.result(c.setup.Formats))
		}
	}
	return out, errors.Join(errs...)
}
