package archive

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"x.go/manifests"
)

// Stream is a tar stream that becomes an archive in each format of a [Writer].
type Stream struct {
	Name string // of the archives, without extension
	Size int64  // bytes of the stream
	// Write writes the stream.
	Write func(ctx context.Context, w io.Writer) error
	// Dir is where [Job.WriteEach] puts the archives.
	Dir string
	// Skip are the formats that are planned like the others but not written,
	// because their archives are there. What a limit of memory makes of a
	// dictionary depends on all formats, so that it must not change with Skip.
	Skip []Format
	// Reserve is what Write takes of memory, in bytes, and Extra what it takes
	// beyond that because of what it reads. What becomes of dictionaries under a
	// limit depends on Reserve alone, so that it is a matter of the content.
	Reserve, Extra int64
	// Ready, if not nil, is called when all archives are complete and proven, and
	// before they get their names, which an error keeps them from. tar is the
	// digest of the stream that went into them.
	Ready func(ctx context.Context, tar manifests.Hash, archives []Artifact) error
}

// Job is archives that are planned: what is written, and how it is compressed, is
// decided.
type Job struct {
	writer Writer // with its defaults
	tasks  []*task
	mu     sync.Mutex // serialises Progress
}

// task is a stream with its plan.
type task struct {
	Stream
	compression compression
	plan        Plan
}

// Written is what [Job.WriteEach] made of a stream.
type Written struct {
	Archives []Artifact // in the order of the formats, without those skipped
	Err      error      // then there are no Archives
}

// Plans returns how the archives are going to be compressed, in the order of the
// packages or streams. With the profile no-op there are none.
func (j *Job) Plans() []Plan {
	plans := make([]Plan, 0, len(j.tasks))
	for _, t := range j.tasks {
		plans = append(plans, t.plan)
	}
	return plans
}

// Write writes the archives to dir, large packages first, each with a file
// NAME.sha256 beside it. It creates dir if need be. The artifacts have the order
// of the archives in [Job.Plans]; the profile no-op writes nothing.
//
// A file appears under its final name only when it is complete and on the disk.
// On error, or when ctx ends, packages that were finished before it stay, and of
// the others no file is left; a killed process may leave temporary files, see
// [RemoveStale]. Archives of an earlier run are replaced.
func (j *Job) Write(ctx context.Context, dir string) ([]Artifact, error) {
	if len(j.tasks) == 0 {
		return nil, nil
	}
	archives := make([][]Artifact, len(j.tasks))
	err := j.eachTask(ctx, func(ctx context.Context, i int) error {
		var err error
		if archives[i], err = j.write(ctx, j.tasks[i], dir, placeNew); err != nil {
			return fmt.Errorf("writing package %q to %q: %w", j.tasks[i].Name, dir, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return slices.Concat(archives...), nil
}

// WriteEach is [Job.Write] to the directory of each stream. It returns what became
// of each, in the order of the streams. One that fails does not stop the others:
// the error says that ctx has ended. An archive that has its name keeps it when
// the next one of the stream fails to get its own: it may have replaced what the
// stream was read from.
func (j *Job) WriteEach(ctx context.Context) ([]Written, error) {
	out := make([]Written, len(j.tasks))
	err := j.eachTask(ctx, func(ctx context.Context, i int) error {
		w := &out[i]
		w.Archives, w.Err = j.write(ctx, j.tasks[i], j.tasks[i].Dir, placeEach)
		if ctx.Err() != nil {
			return w.Err
		}
		return nil
	})
	return out, err
}

// write writes all archives of one stream from one pass over it. place gives the
// complete files their names.
func (j *Job) write(ctx context.Context, t *task, dir string, place func(dir string, outs []*output) error) ([]Artifact, error) {
	outs, err := t.outputs(dir)
	defer func() {
		for _, o := range outs {
			o.discard()
		}
	}()
	if err != nil {
		return nil, err
	}
	m := &meter{&j.mu, j.writer.Progress, Progress{Package: t.Name, Total: t.Size}}
	m.add(0) // it has begun
	sum, err := t.compress(ctx, outs, m)
	if err != nil {
		return nil, err
	}
	if !j.writer.SkipReadBack {
		if err := j.readBack(ctx, t, outs, sum); err != nil {
			return nil, err
		}
	}
	archives := t.plan.Artifacts(dir)
	for i, o := range outs {
		archives[i].Size, archives[i].SHA256 = o.size, o.sum()
	}
	if t.Ready != nil {
		if err := t.Ready(ctx, sum, archives); err != nil {
			return nil, err
		}
	}
	if err := place(dir, outs); err != nil {
		return nil, err
	}
	m.done()
	return archives, nil
}

// outputs opens a file for each archive of t. With an error it returns those that
// are open.
func (t *task) outputs(dir string) ([]*output, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var outs []*output
	for _, a := range t.plan.Archives {
		o, err := newOutput(dir, a.Name)
		if err != nil {
			return outs, err
		}
		outs = append(outs, o)
	}
	return outs, nil
}

// compress runs the stream through a compressor for each output, and returns the
// stream's digest.
func (t *task) compress(ctx context.Context, outs []*output, m *meter) (manifests.Hash, error) {
	sum := sha256.New()
	g, ctx := errgroup.WithContext(ctx)
	fan := newFanout(ctx, len(outs), m.add)
	for i, o := range outs {
		g.Go(func() error {
			if err := t.compressOne(fan, i, o); err != nil {
				return fmt.Errorf("writing %q: %w", o.name, err)
			}
			return nil
		})
	}
	g.Go(func() error {
		if err := t.Write(ctx, io.MultiWriter(fan, sum)); err != nil {
			return err
		}
		fan.close()
		return nil
	})
	if err := g.Wait(); err != nil {
		return manifests.Hash{}, err
	}
	return manifests.Hash(sum.Sum(nil)), nil
}

func (t *task) compressOne(fan *fanout, i int, o *output) error {
	c, err := t.compression.compressor(fan.ctx, t.plan.Archives[i].Format, t.plan.Workers, o)
	if err != nil {
		return err
	}
	if err := fan.drain(i, c); err != nil {
		return err
	}
	if err := c.Close(); err != nil {
		return err
	}
	return o.finish()
}

// placeEach gives archives their names, one after the other.
func placeEach(dir string, outs []*output) error {
	for _, o := range outs {
		if err := o.publish(); err != nil {
			return err
		}
	}
	return syncDir(dir)
}

// placeNew is placeEach, but if a step fails, what it has put in place is removed
// again.
func placeNew(dir string, outs []*output) error {
	err := placeEach(dir, outs)
	if err != nil {
		for _, o := range outs {
			if o.placed {
				os.Remove(o.path())
				os.Remove(o.path() + manifests.ChecksumExt)
			}
		}
	}
	return err
}
