package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
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

	tarball *tarball // what Write writes, if it is made of files
}

// Job is a set of planned archives: what to write and how to compress it.
type Job struct {
	writer Writer // with its defaults
	tasks  []*task
	sums   *fileSums  // of all tasks, if there is a keeper
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

// writeTo is [Job.Prepare] with final names. It creates dir if needed.
func (j *Job) writeTo(ctx context.Context, dir string) ([]Artifact, error) {
	if len(j.tasks) == 0 {
		return nil, nil
	}
	root, err := dist.OpenDir(dir)
	if err != nil {
		return nil, fmt.Errorf("writing packages to %q: %w", dir, dist.WithoutPath(err))
	}
	defer root.Close()
	p, err := j.Prepare(ctx, root)
	if err != nil {
		return nil, err
	}
	return p.finish()
}

// Prepare writes the archives to root, large packages first, each with a file
// NAME.sha256 beside it unless [Writer.SkipChecksums], under temporary names. [Prepared.Commit] gives all of them
// their final ones; root must stay open until then. The artifacts have the order of the
// archives in [Job.Plans].
//
// On error, or when ctx ends, no file is left and archives of an earlier run stay. A
// killed process may leave temporary files; see [dist.RemoveStale].
func (j *Job) Prepare(ctx context.Context, root *os.Root) (*Prepared, error) {
	have, err := j.lookUp(ctx, root)
	if err != nil {
		return nil, err
	}
	each := make([]*Prepared, len(j.tasks))
	err = j.eachTask(ctx, func(ctx context.Context, i int) error {
		var err error
		if each[i], err = j.prepare(ctx, j.tasks[i], root, have[i]); err != nil {
			return fmt.Errorf("writing package %q to %q: %w", j.tasks[i].Name, root.Name(), err)
		}
		return nil
	})
	all := &Prepared{root: root}
	for _, p := range each {
		if p != nil {
			all.Artifacts = append(all.Artifacts, p.Artifacts...)
			all.archives, all.sums = append(all.archives, p.archives...), append(all.sums, p.sums...)
		}
	}
	if err != nil {
		all.Discard()
		for _, k := range have {
			k.discard()
		}
		return nil, err
	}
	return all, nil
}

// Prepared are archives that are complete and on the disk, and only lack their names,
// unless a [Keeper] had them there.
type Prepared struct {
	Artifacts []Artifact

	root           *os.Root
	archives, sums []*dist.NewFile
}

// Commit gives archives and checksum files their names. Whenever it is stopped, even
// by a loss of power, each archive is whole, an old one or a new one, and no checksum
// lies beside another archive than its own. After an error, some have their names.
func (p *Prepared) Commit() error {
	var sums []string
	for _, o := range p.sums {
		sums = append(sums, filepath.Base(o.Path()))
	}
	if err := dist.RemoveAll(p.root, sums...); err != nil {
		return err
	}
	return dist.CommitAll(p.root, p.archives, p.sums)
}

// Discard removes the files that have no names yet.
func (p *Prepared) Discard() {
	for _, o := range slices.Concat(p.archives, p.sums) {
		o.Discard()
	}
}

// WriteEach is [Job.Prepare] and [Prepared.Commit] for each stream by itself, in its
// directory. It returns the result of each, in the order of the streams. A failed stream does not stop the others; the
// error only says that ctx has ended. If an archive cannot get its name, the other
// archives of its stream keep theirs: they may have replaced the stream's input.
func (j *Job) WriteEach(ctx context.Context) ([]Written, error) {
	out := make([]Written, len(j.tasks))
	err := j.eachTask(ctx, func(ctx context.Context, i int) error {
		w := &out[i]
		w.Archives, w.Err = j.write(ctx, j.tasks[i])
		if ctx.Err() != nil {
			return w.Err
		}
		return nil
	})
	return out, err
}

// write writes all archives of one stream to its directory.
func (j *Job) write(ctx context.Context, t *task) ([]Artifact, error) {
	root, err := dist.OpenDir(t.Dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	p, err := j.prepare(ctx, t, root, kept{})
	if err != nil {
		return nil, err
	}
	return p.finish()
}

// finish commits what was prepared.
func (p *Prepared) finish() ([]Artifact, error) {
	defer p.Discard()
	if err := p.Commit(); err != nil {
		return nil, err
	}
	return p.Artifacts, nil
}

// prepare writes all archives of one stream that are not kept from one pass over it,
// without names.
func (j *Job) prepare(ctx context.Context, t *task, root *os.Root, k kept) (_ *Prepared, err error) {
	p := &Prepared{root: root}
	defer func() {
		if err != nil {
			p.Discard()
		}
	}()
	m := &meter{&j.mu, j.writer.Progress, Progress{Package: t.Name, Total: t.Size}}
	m.add(0) // reports the start
	sum, all, made, err := j.writeMissing(ctx, t, root, k, m)
	p.archives = made
	if err != nil {
		return nil, err
	}
	p.Artifacts = t.plan.Artifacts(root.Name())
	for i, c := range all {
		p.Artifacts[i].Size, p.Artifacts[i].SHA256, p.Artifacts[i].Kept = c.Size, c.Sum, k.found(i)
		if err := p.addSum(p.Artifacts[i], k.found(i) && k.inPlace[i] != nil, j.writer.SkipChecksums); err != nil {
			return nil, err
		}
	}
	if t.Ready != nil {
		if err := t.Ready(ctx, sum, p.Artifacts); err != nil {
			return nil, err
		}
	}
	m.done()
	return p, nil
}

// addSum prepares the checksum file of an archive, unless it is skipped. That of an
// archive in its place may be there, too.
func (p *Prepared) addSum(a Artifact, inPlace, skip bool) error {
	name, text := a.Name+manifests.ChecksumExt, manifests.FormatChecksum(a.SHA256, a.Name)
	if inPlace && !skip {
		old, err := dist.ReadOwn(p.root, name, int64(len(text)))
		skip = err == nil && bytes.Equal(old, text)
	}
	if skip {
		return nil
	}
	f, err := dist.NewSmallFile(p.root, name, text)
	if err == nil {
		p.sums = append(p.sums, f)
	}
	return err
}

// writeAll compresses the stream into each file, reads them back, and returns the
// stream's digest.
func (j *Job) writeAll(ctx context.Context, t *task, files []*dist.NewFile, m *meter) (manifests.Hash, error) {
	sum, err := t.compress(ctx, files, m)
	if err == nil && !j.writer.SkipReadBack {
		err = j.readBack(ctx, t, files, sum)
	}
	return sum, err
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
