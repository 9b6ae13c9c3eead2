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

// Options say what to write. The zero value writes gz and xz with the profile
// best, beside the inputs, and replaces those of the same name.
type Options struct {
	// Formats to write of each archive; none means gz and xz, which are those of
	// promote-release.
	Formats []archive.Format
	Profile archive.Profile // empty means Best
	// Dir is the directory of the outputs; "" means that of each input. An
	// output replaces an input of the same name there.
	Dir string
	// Shard is the part of the archives to work on. All machines need the same
	// archives, recompressed or not: only names and the sizes of tar streams count.
	Shard Shard
	// Jobs, MaxMemory, BCJ, BlockSize, SkipReadBack and Progress are as those of [archive.Writer].
	// SkipReadBack is refused where an output replaces an input.
	Jobs         int
	MaxMemory    int64
	BCJ          xz.BCJ
	BlockSize    int64
	SkipReadBack bool
	Progress     func(archive.Progress)
}

// Job is what [Plan] found to do.
type Job struct {
	// Plans are of the archives to write, sorted by name.
	Plans []StreamPlan
	// Done are the paths of archives that an earlier run wrote, of the same content
	// with the same settings, and that have not changed since.
	Done []string
	// Problems are the inputs that cannot be recompressed, each an error.
	Problems []error

	writer archive.Writer // of the outputs, with its defaults
	sets   []*tarSet
	memory *semaphore.Weighted // of decoders while planning

	job  *archive.Job // what is to be written
	todo []*tarSet    // the sets of job, in its order
}

// StreamPlan says how one tar stream will be compressed.
type StreamPlan struct {
	archive.Plan
	Dir    string   `json:"dir"`    // of the outputs
	Inputs []string `json:"inputs"` // paths; the first one is read
}

// Result are the archives of one tar stream.
type Result struct {
	Name     string   // of the archives, without extension
	Inputs   []string // paths
	TarSize  int64    // bytes of the tar stream
	Tar      manifests.Hash
	Archives []Output // in the order of Formats
}

// Output is an archive that this run or an earlier one wrote.
type Output struct {
	archive.Artifact
	Before int64 // bytes of the input in the same format; 0 if there was none
	Done   bool  // written by an earlier run
}

// Plan looks at the files and decides what there is to do. It writes nothing. A
// directory stands for the archives directly in it. A file that is no archive, or
// cannot be read, is one of the Problems of the job and does not stop the others.
// The error is for what stops all: wrong options, a record that cannot be read, a
// MaxMemory that is too small.
//
// Plan decodes gz files, and zst files that do not state the size of their
// content, once to learn it. Where a record says that archives are done, Plan
// compares the digests of inputs and outputs with it.
func Plan(ctx context.Context, files []string, opts Options) (*Job, error) {
	w, err := opts.writer()
	if err != nil {
		return nil, fmt.Errorf("recompressing: %w", err)
	}
	j := &Job{Plans: []StreamPlan{}, Done: []string{}, writer: w, memory: semaphore.NewWeighted(cmp.Or(w.MaxMemory, math.MaxInt64))}
	found := collectInputs(files)
	var more []error
	j.sets, more = groupInputs(found, opts.Dir)
	j.Problems = append(found.problems, more...)
	if err := opts.checkReplaced(j.sets, w.Formats); err != nil {
		return nil, err
	}
	j.each(func(s *tarSet) error { return j.measure(ctx, s) })
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("recompressing: %w", err)
	}
	j.takeShard(opts.Shard)
	j.dropFailed()
	if err := j.readRecords(); err != nil {
		return nil, err
	}
	// Under MaxMemory, an archive depends on all formats: plan those that are
	// done, too, so that the result is the same whichever they are.
	if err := j.plan(); err != nil {
		return nil, err
	}
	j.each(func(s *tarSet) error { return j.skipDone(ctx, s) })
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("recompressing: %w", err)
	}
	j.dropFailed()
	if err := j.plan(); err != nil {
		return nil, err
	}
	j.summarize()
	return j, nil
}

// writer returns the Writer of the outputs.
func (o Options) writer() (archive.Writer, error) {
	o.Profile = cmp.Or(o.Profile, archive.Best)
	if o.Profile == archive.NoOp {
		return archive.Writer{}, fmt.Errorf("got profile %q, want fast, balanced or best", archive.NoOp)
	}
	if err := o.Shard.check(); err != nil {
		return archive.Writer{}, err
	}
	return archive.Writer{
		Formats: o.Formats, Profile: o.Profile, Jobs: o.Jobs, MaxMemory: o.MaxMemory, BCJ: o.BCJ, BlockSize: o.BlockSize,
		SkipReadBack: o.SkipReadBack, Progress: o.Progress,
	}.WithDefaults()
}

// checkReplaced refuses to replace an input by an archive that was not read back.
func (o Options) checkReplaced(sets []*tarSet, formats []archive.Format) error {
	if !o.SkipReadBack {
		return nil
	}
	for _, s := range sets {
		for _, in := range s.inputs {
			if slices.Contains(formats, in.format) && filepath.Dir(in.path) == s.dir {
				return fmt.Errorf("recompressing %q: an input is not replaced by an archive that was not read back: read back, or write to another directory", in.path)
			}
		}
	}
	return nil
}

// each runs a step of planning on all sets, several at a time. A set keeps its
// error.
func (j *Job) each(step func(*tarSet) error) {
	var g errgroup.Group
	g.SetLimit(j.writer.Jobs)
	for _, s := range j.sets {
		g.Go(func() error {
			if err := step(s); err != nil {
				s.err = s.failed(err)
			}
			return nil
		})
	}
	_ = g.Wait() // the steps' errors are the sets'
}

// dropFailed moves failed sets from sets to Problems.
func (j *Job) dropFailed() {
	j.sets = slices.DeleteFunc(j.sets, func(s *tarSet) bool {
		if s.err != nil {
			j.Problems = append(j.Problems, s.err)
		}
		return s.err != nil
	})
}

// takeShard keeps the sets of one shard. An archive of unknown size counts as
// empty, so that all machines give it, and its error, to the same shard.
func (j *Job) takeShard(p Shard) {
	if p.Count <= 1 {
		return
	}
	items := make([]sized, 0, len(j.sets))
	for _, s := range j.sets {
		items = append(items, sized{s.stem + "\x00" + s.dir, s.size})
	}
	var mine []*tarSet
	for i, shard := range assignShards(items, p.Count) {
		if shard == p.Index {
			mine = append(mine, j.sets[i])
		}
	}
	j.sets = mine
}

func (j *Job) readRecords() error {
	records := map[string]*openRecord{}
	for _, s := range j.sets {
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

// plan plans the archives that are not done yet.
func (j *Job) plan() error {
	j.todo = nil
	var streams []archive.Stream
	for _, s := range j.sets {
		if len(s.done) < len(j.writer.Formats) {
			j.todo, streams = append(j.todo, s), append(streams, s.stream())
		}
	}
	var err error
	if j.job, err = j.writer.PlanStreams(streams); err != nil {
		return err
	}
	for i, p := range j.job.Plans() {
		j.todo[i].plan = p
	}
	return nil
}

// summarize fills in the exported fields.
func (j *Job) summarize() {
	for _, s := range j.todo {
		j.Plans = append(j.Plans, StreamPlan{s.plan, s.dir, s.inputPaths()})
	}
	for _, s := range j.sets {
		for _, a := range s.done {
			j.Done = append(j.Done, a.Path)
		}
	}
}

// Run writes what is planned and returns all archives, those of earlier runs
// included. A failure does not stop the others: the error holds all failures and
// Problems. When ctx ends, what is finished stays, and the next run continues
// from there.
//
// A file gets its name only when it is proven: its decoded content has the digest
// of the tar stream that was read, and so has that of every input of its name. An
// input is replaced in one step, and only if it has not changed since Plan.
func (j *Job) Run(ctx context.Context) ([]Result, error) {
	errs := slices.Clone(j.Problems)
	for _, s := range j.sets {
		errs = append(errs, s.repairSums())
	}
	written, err := j.job.WriteEach(ctx)
	for i, w := range written {
		j.todo[i].written = w.Archives
		errs = append(errs, j.todo[i].failed(w.Err))
	}
	if err != nil {
		errs = []error{err} // ctx has ended: the failures follow from it
	}
	var out []Result
	for _, s := range j.sets {
		if len(s.done)+len(s.written) == len(j.writer.Formats) {
			out = append(out, s.result(j.writer.Formats))
		}
	}
	return out, errors.Join(errs...)
}
