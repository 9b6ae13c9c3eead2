package archive

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"slices"

	"golang.org/x/sync/errgroup"

	"x.go/dist"
	"x.go/manifests"
)

// Keeper has archives that were written before, by what their bytes depend on: the
// tar stream, the [Settings] and the [Coder]. Its methods are called from several
// goroutines.
type Keeper interface {
	// May reports whether it may have an archive. If not, the files are not read
	// beforehand. byFiles says that [Keeper.Tar] may know its content.
	May(p FormatPlan) (may, byFiles bool)
	// Tar returns the digest of the tar stream of [Content.Files] that it was told of.
	Tar(files manifests.Hash) (tar manifests.Hash, ok bool)
	// InPlace returns the archive of a tar stream if it lies in root under its name,
	// proven by its digest.
	InPlace(ctx context.Context, root *os.Root, tar manifests.Hash, p FormatPlan) (c Complete, ok bool, err error)
	// Fetch copies the archive of a tar stream to w, and reports whether there is one. If
	// not, w may have got something else.
	Fetch(ctx context.Context, tar manifests.Hash, p FormatPlan, w io.Writer) (bool, error)
	// Keep is told of each archive that is complete: whatever was not fetched was read
	// back.
	Keep(ctx context.Context, content Content, p FormatPlan, c Complete) error
}

// Content is a tar stream.
type Content struct {
	Tar  manifests.Hash
	Size int64 // bytes
	// Files is a digest of the headers and of the digests of all files, so that equal
	// Files have equal Tar. It is zero if the stream was not made of files.
	Files manifests.Hash
}

// Complete is an archive whose bytes are on the disk.
type Complete struct {
	Size int64 // bytes
	Sum  manifests.Hash
	Open func() (*os.File, error)
}

// complete describes a finished file.
func complete(f *dist.NewFile) Complete { return Complete{f.Size(), f.Sum(), f.Open} }

// kept is what the keeper has of a task.
type kept struct {
	tar, files manifests.Hash // of [Content]; zero if there was no reason to look
	// inPlace are the archives that have their names already, fetched the copies of
	// others, both in the order of the plan.
	inPlace []*Complete
	fetched []*dist.NewFile
}

// found reports whether there is the archive i.
func (k kept) found(i int) bool {
	return k.inPlace != nil && (k.inPlace[i] != nil || k.fetched[i] != nil)
}

// discard removes the copies, unless they have their names.
func (k kept) discard() {
	for _, f := range k.fetched {
		if f != nil {
			f.Discard()
		}
	}
}

// lookUp asks the keeper for the archives of all tasks. Each file is read once to know
// what the tar streams are, however many of them it is in, if they were made before.
func (j *Job) lookUp(ctx context.Context, root *os.Root) (_ []kept, err error) {
	all := make([]kept, len(j.tasks))
	if j.writer.Keeper == nil {
		return all, nil
	}
	defer func() {
		for _, k := range all {
			if err != nil {
				k.discard()
			}
		}
	}()
	may, byFiles := make([]bool, len(j.tasks)), make([]bool, len(j.tasks))
	var members []dist.Entry
	for i, t := range j.tasks {
		for _, a := range t.plan.Archives {
			m, b := j.writer.Keeper.May(a)
			may[i], byFiles[i] = may[i] || m, byFiles[i] || b && t.tarball != nil
		}
		if byFiles[i] {
			members = append(members, t.tarball.members...)
		}
	}
	if err := j.sums.read(ctx, members, j.writer.Jobs); err != nil {
		return nil, err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(j.writer.Jobs)
	for _, i := range j.largestFirst() {
		if !may[i] {
			continue
		}
		g.Go(func() error {
			if err := j.find(gctx, j.tasks[i], byFiles[i], root, &all[i]); err != nil {
				return fmt.Errorf("looking for archives of %q: %w", j.tasks[i].Name, err)
			}
			return nil
		})
	}
	return all, g.Wait()
}

// find fills k with what the keeper has of a task.
func (j *Job) find(ctx context.Context, t *task, byFiles bool, root *os.Root, k *kept) error {
	ok := false
	if byFiles {
		var err error
		if k.files, err = t.tarball.files(ctx); err != nil {
			return err
		}
		k.tar, ok = j.writer.Keeper.Tar(k.files)
	}
	if !ok {
		h := sha256.New()
		if err := t.Write(ctx, h); err != nil {
			return err
		}
		k.tar = manifests.Hash(h.Sum(nil))
	}
	k.inPlace, k.fetched = make([]*Complete, len(t.plan.Archives)), make([]*dist.NewFile, len(t.plan.Archives))
	for i, a := range t.plan.Archives {
		c, ok, err := j.writer.Keeper.InPlace(ctx, root, k.tar, a)
		if ok {
			k.inPlace[i] = &c
		} else if err == nil {
			k.fetched[i], err = j.fetch(ctx, k.tar, a, root)
		}
		if err != nil {
			return fmt.Errorf("looking for %q: %w", a.Name, err)
		}
	}
	return nil
}

// fetch returns a copy of an archive, or nil if the keeper does not have it.
func (j *Job) fetch(ctx context.Context, tar manifests.Hash, a FormatPlan, root *os.Root) (*dist.NewFile, error) {
	f, err := dist.CreateFile(root, a.Name)
	if err != nil {
		return nil, err
	}
	ok, err := j.writer.Keeper.Fetch(ctx, tar, a, f)
	if ok {
		err = f.Finish()
	}
	if err != nil || !ok {
		f.Discard()
		return nil, err
	}
	return f, nil
}

// writeMissing is [Job.writeAll] of what the keeper does not have, into files that it
// creates. It tells the keeper of all archives, and returns them in the order of the plan.
func (j *Job) writeMissing(ctx context.Context, t *task, root *os.Root, k kept, m *meter) (_ manifests.Hash, all []Complete, made []*dist.NewFile, err error) {
	rest := *t
	rest.plan.Archives = nil
	for i, a := range t.plan.Archives {
		if k.found(i) {
			continue
		}
		f, err := dist.CreateFile(root, a.Name)
		if err != nil {
			return k.tar, nil, made, err
		}
		rest.plan.Archives, made = append(rest.plan.Archives, a), append(made, f)
	}
	if len(made) > 0 {
		sum, err := j.writeAll(ctx, &rest, made, m)
		if err == nil && !k.tar.IsZero() && sum != k.tar {
			err = fmt.Errorf("got a tar stream of sha256 %s, want %s: the files changed meanwhile", sum, k.tar)
		}
		if err != nil {
			return sum, nil, made, err
		}
		k.tar = sum
	}
	next := made
	for i := range t.plan.Archives {
		switch {
		case !k.found(i):
			all, next = append(all, complete(next[0])), next[1:]
		case k.inPlace[i] != nil:
			all = append(all, *k.inPlace[i])
		default:
			all, made = append(all, complete(k.fetched[i])), append(made, k.fetched[i])
		}
	}
	return k.tar, all, made, j.keep(ctx, t, k, all)
}

// keep tells the keeper of all archives of a task.
func (j *Job) keep(ctx context.Context, t *task, k kept, all []Complete) error {
	if j.writer.Keeper == nil {
		return nil
	}
	content := Content{Tar: k.tar, Size: t.Size, Files: k.files}
	if t.tarball != nil && content.Files.IsZero() {
		var err error
		if content.Files, err = t.tarball.files(ctx); err != nil {
			return err
		}
	}
	for i, a := range t.plan.Archives {
		if err := j.writer.Keeper.Keep(ctx, content, a, all[i]); err != nil {
			return fmt.Errorf("keeping %q: %w", a.Name, err)
		}
	}
	return nil
}

// largestFirst returns the indices of the tasks, so that the longest does not start
// last.
func (j *Job) largestFirst() []int {
	order := make([]int, len(j.tasks))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return largerFirst(j.tasks[a].Size, j.tasks[b].Size) })
	return order
}
