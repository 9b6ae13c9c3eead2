package recompress

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"

	"golang.org/x/sync/errgroup"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/store"
	"x.go/dist/xz"
	"x.go/manifests"
)

// CollectOptions say how [Tasks.Collect] gathers.
type CollectOptions struct {
	Store *store.Store
	// Dir is where the archives go. It is created if needed.
	Dir string
	// Jobs is how many archives are fetched and proven at a time; 0 means one. Each takes
	// the memory of a decoder.
	Jobs int
}

// Collected is an archive of a finished plan.
type Collected struct {
	Name   string         `json:"name"`
	Size   int64          `json:"size"` // bytes
	SHA256 manifests.Hash `json:"sha256"`
	Tar    manifests.Hash `json:"tar_sha256"`
	// Parts is the number of parts that it was joined from; 1 if it is whole.
	Parts int `json:"parts"`
}

// Collect gathers the archives of a plan in a directory, each with its .sha256. If
// one is missing, the error names it and its task, and nothing is written. Each archive is
// decoded and compared with the tar stream of the plan before it gets its name. One that
// is damaged is named, and removed from the store, so that its task does it again;
// the others are there.
func (t *Tasks) Collect(ctx context.Context, o CollectOptions) ([]Collected, error) {
	k := kept{o.Store}
	outputs := t.outputs()
	for n, task := range t.Tasks {
		if err := t.checkSettings(task); err != nil {
			return nil, fmt.Errorf("collecting task %d: %w", n, err)
		}
	}
	if err := t.findAll(ctx, k, outputs); err != nil {
		return nil, err
	}
	root, err := dist.OpenDir(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("opening directory %q: %w", o.Dir, dist.WithoutPath(err))
	}
	defer root.Close()
	lock, err := dist.Lock(ctx, root, func(string) {})
	if err != nil {
		return nil, fmt.Errorf("collecting: %w", err)
	}
	defer lock.Remove()
	if _, err := dist.RemoveStale(root); err != nil {
		return nil, fmt.Errorf("collecting: %w", err)
	}
	all := make([]Collected, len(outputs))
	errs := make([]error, len(outputs))
	var g errgroup.Group
	g.SetLimit(max(1, o.Jobs))
	for i, out := range outputs {
		g.Go(func() error {
			if errs[i] = context.Cause(ctx); errs[i] == nil {
				all[i], errs[i] = t.collect(ctx, k, root, out)
			}
			if errs[i] != nil {
				errs[i] = fmt.Errorf("collecting %q: %w", out.name, errs[i])
			}
			return nil
		})
	}
	_ = g.Wait() // the errors are in errs
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("collecting: %w", err)
	}
	var good []Collected
	for i, c := range all {
		if errs[i] == nil {
			good = append(good, c)
		}
	}
	return good, errors.Join(errs...)
}

// lookUps is how many requests a store gets at a time: they wait rather than work.
const lookUps = 16

// findAll returns an error that names all that the store does not have.
func (t *Tasks) findAll(ctx context.Context, k kept, outputs []output) error {
	missing := make([]error, len(outputs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(lookUps)
	for i, out := range outputs {
		g.Go(func() (err error) {
			missing[i], err = t.find(ctx, k, out)
			return err
		})
	}
	if err := g.Wait(); err != nil { // of the store, rather than of an archive
		return fmt.Errorf("collecting: %w", err)
	}
	return errors.Join(missing...)
}

// find returns what is missing of an archive, which is no error of the store.
func (t *Tasks) find(ctx context.Context, k kept, out output) (missing, err error) {
	var all []error
	for _, n := range out.tasks {
		_, err := k.store.Stat(ctx, t.keyOf(n, out.format))
		if errors.Is(err, fs.ErrNotExist) {
			all = append(all, fmt.Errorf("collecting %q: task %d is not done: it is not in store %q", out.name, n, k.store))
		} else if err != nil {
			return nil, err
		}
	}
	return errors.Join(all...), nil
}

// keyOf returns the key of a task's output.
func (t *Tasks) keyOf(n int, f archive.Format) string {
	for _, o := range t.Tasks[n].Outputs {
		if o.Format == f {
			return o.Key
		}
	}
	return ""
}

// collect gathers one archive.
func (t *Tasks) collect(ctx context.Context, k kept, root *os.Root, out output) (Collected, error) {
	task := t.Tasks[out.tasks[0]]
	f, err := dist.CreateFile(root, out.name)
	if err != nil {
		return Collected{}, err
	}
	defer f.Discard()
	if len(out.tasks) == 1 {
		_, err = k.fetch(ctx, t.keyOf(out.tasks[0], out.format), f)
	} else {
		err = t.join(ctx, k, root, out, f)
	}
	if err == nil {
		err = f.Finish()
	}
	if err == nil {
		err = prove(ctx, f, task)
	}
	if damage := (*damageError)(nil); errors.As(err, &damage) {
		err = t.removeDamaged(ctx, k, out, err)
	}
	if err != nil {
		return Collected{}, err
	}
	sum, err := dist.NewSmallFile(root, out.name+manifests.ChecksumExt, manifests.FormatChecksum(f.Sum(), out.name))
	if err != nil {
		return Collected{}, err
	}
	defer sum.Discard()
	if err := dist.RemoveAll(root, out.name+manifests.ChecksumExt); err != nil {
		return Collected{}, err
	}
	if err := dist.CommitAll(root, []*dist.NewFile{f}, []*dist.NewFile{sum}); err != nil {
		return Collected{}, err
	}
	return Collected{out.name, f.Size(), f.Sum(), task.Tar, len(out.tasks)}, nil
}

// removeDamaged removes the outputs of an archive that are damaged from the store: the
// one that err names, or all parts if only the whole is wrong.
func (t *Tasks) removeDamaged(ctx context.Context, k kept, out output, err error) error {
	var damage *damageError
	errors.As(err, &damage)
	for _, n := range out.tasks {
		key := t.keyOf(n, out.format)
		if damage.Key != "" && damage.Key != key {
			continue
		}
		if rerr := k.remove(ctx, key); rerr != nil {
			return errors.Join(err, rerr)
		}
		err = fmt.Errorf("%w: it was removed: do task %d again", err, n)
	}
	return err
}

// prove compares the tar stream in a finished file with that of the task.
func prove(ctx context.Context, f *dist.NewFile, task Task) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	return proveTar(ctx, r, f.Path(), task.TarSize, task.Tar)
}

// proveTar compares the tar stream in an archive with one of a size and a digest. Whatever
// is wrong with it is a [*damageError].
func proveTar(ctx context.Context, r io.Reader, name string, size int64, tar manifests.Hash) error {
	h := sha256.New()
	limits := archive.Limits{Unpacked: size, Memory: math.MaxInt32}
	if _, err := archive.Decompress(ctx, h, r, name, limits); err != nil {
		if context.Cause(ctx) != nil {
			return err
		}
		return &damageError{Err: err}
	}
	if got := manifests.Hash(h.Sum(nil)); got != tar {
		return &damageError{Err: fmt.Errorf("got a tar stream of sha256 %s, want %s", got, tar)}
	}
	return nil
}

// join fetches the parts of an archive and writes the one stream of them.
func (t *Tasks) join(ctx context.Context, k kept, root *os.Root, out output, w io.Writer) error {
	var parts []xz.Part
	for i, n := range out.tasks {
		f, err := dist.CreateFile(root, fmt.Sprintf("%s.part-%d", out.name, i))
		if err != nil {
			return err
		}
		defer f.Discard()
		if _, err := k.fetch(ctx, t.keyOf(n, out.format), f); err != nil {
			return err
		}
		if err := f.Finish(); err != nil {
			return err
		}
		r, err := f.Open()
		if err != nil {
			return err
		}
		defer r.Close()
		parts = append(parts, xz.Part{ReaderAt: r, Size: f.Size()})
	}
	return xz.Join(w, parts...)
}
