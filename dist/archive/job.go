package archive

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"x.go/dist"
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
	// Skip are formats to plan but not to write, because their archives exist. They
	// are planned since under MaxMemory a dictionary depends on all formats.
	Skip []Format
	// Reserve and Extra are the memory that Write takes, in bytes. Reserve follows
	// from the content; Extra is more because of the file that Write reads. Under
	// MaxMemory, dictionaries depend on Reserve alone, so that equal content gives
	// equal archives.
	Reserve, Extra int64
	// Ready, if not nil, is called when all archives are complete and read back,
	// before they get their names. After an error they get none. tar is the digest
	// of the stream that went into them.
	Ready func(ctx context.Context, tar manifests.Hash, archives []Artifact) error
}

// Job is a set of planned archives: what to write and how to compress it.
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

// Written is what [Job.WriteEach] wrote of a stream.
type Written struct {
	Archives []Artifact // in the order of the formats, without those skipped
	Err      error      // if not nil, there are no Archives
}

// Plans returns how the archives will be compressed, in the order of the packages
// or streams. With the profile no-op there are none.
func (j *Job) Plans() []Plan {
	plans := make([]Plan, 0, len(j.tasks))
	for _, t := range j.tasks {
		plans = append(plans, t.plan)
	}
	return plans
}

// Write writes the archives to dir, large packages first, each with a file
// NAME.sha256 beside it. It creates dir if needed. The artifacts have the order of
// the archives in [Job.Plans]. With the profile no-op it writes nothing.
//
// A file gets its final name only when it is complete and on the disk. On error,
// or when ctx ends, finished packages stay and the others leave no file. A killed
// process may leave temporary files; see [dist.RemoveStale]. Archives of an earlier run
// are replaced.
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

// WriteEach is [Job.Write] to the directory of each stream. It returns the result of
// each, in the order of the streams. A failed stream does not stop the others; the
// error only says that ctx has ended. If an archive cannot get its name, the other
// archives of its stream keep theirs: they may have replaced the stream's input.
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
func (j *Job) write(ctx context.Context, t *task, dir string, place func(dir string, outs []*dist.NewFile) error) ([]Artifact, error) {
	outs, err := t.outputs(dir)
	defer func() {
		for _, o := range outs {
			o.Discard()
		}
	}()
	if err != nil {
		return nil, err
	}
	m := &meter{&j.mu, j.writer.Progress, Progress{Package: t.Name, Total: t.Size}}
	m.add(0) // reports the start
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
		archives[i].Size, archives[i].SHA256 = o.Size(), o.Sum()
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
func (t *task) outputs(dir string) ([]*dist.NewFile, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var outs []*dist.NewFile
	for _, a := range t.plan.Archives {
		o, err := dist.CreateFile(dir, a.Name)
		if err != nil {
			return outs, err
		}
		outs = append(outs, o)
	}
	return outs, nil
}

// compress runs the stream through a compressor for each output, and returns the
// stream's digest.
func (t *task) compress(ctx context.Context, outs []*dist.NewFile, m *meter) (manifests.Hash, error) {
	sum := sha256.New()
	g, ctx := errgroup.WithContext(ctx)
	fan := newFanout(ctx, len(outs), m.add)
	for i, o := range outs {
		g.Go(func() error {
			if err := t.compressOne(fan, i, o); err != nil {
				return fmt.Errorf("writing %q: %w", filepath.Base(o.Path()), err)
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

func (t *task) compressOne(fan *fanout, i int, o *dist.NewFile) error {
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
	return o.Finish()
}

// placeEach gives archives their names, one after the other.
func placeEach(dir string, outs []*dist.NewFile) error {
	for _, o := range outs {
		if err := publish(o); err != nil {
			return err
		}
	}
	return dist.SyncDir(dir)
}

// placeNew is placeEach, but after a failure it removes what it has put in place.
func placeNew(dir string, outs []*dist.NewFile) error {
	err := placeEach(dir, outs)
	if err != nil {
		for _, o := range outs {
			if o.Committed() {
				os.Remove(o.Path())
				os.Remove(o.Path() + manifests.ChecksumExt)
			}
		}
	}
	return err
}

// publish gives a finished file its name, and puts its checksum file beside it. It
// removes an old one first, so that no checksum ever lies beside another archive than its own.
func publish(o *dist.NewFile) error {
	if err := os.Remove(o.Path() + manifests.ChecksumExt); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := o.Commit(); err != nil {
		return err
	}
	return dist.WriteFile(o.Path()+manifests.ChecksumExt, manifests.FormatChecksum(o.Sum(), filepath.Base(o.Path())))
}
