package dist

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"x.go/dist/xz"
	"x.go/manifests"
)

// Writer writes archives. Its zero value is ready to use: gz and xz with the
// fast profile, on all processors. A Writer holds no state; one value may serve
// several goroutines.
type Writer struct {
	// Formats to write of each package; none means gz and xz.
	Formats []Format
	Profile Profile
	// Order of the files in an archive.
	Order Order
	// ModTime is the modification time of files, in whole seconds. The zero
	// Time is rust-installer's default, the first commit of Rust in July 2006,
	// which directories always have.
	ModTime time.Time
	// Jobs bounds how many xz blocks are compressed at a time, and how many
	// packages; 0 means one for each processor. gz and zst are one goroutine for
	// each package, and are not counted: they take a tenth of the time. The
	// bytes of the archives do not depend on it.
	Jobs int
	// MaxMemory in bytes lowers the number of blocks and packages at a time until
	// the estimated memory of the compressors is below it, but to no less than
	// one; 0 sets no bound.
	MaxMemory int64
	// BCJ is the branch filter of xz archives, none by default. It makes
	// machine code smaller, and some decoders cannot read it; see package xz.
	BCJ xz.BCJ
	// SkipReadBack leaves out that each archive is decoded once more before it
	// gets its name.
	SkipReadBack bool
	// Progress, if not nil, is called as the tar streams are consumed, from
	// several goroutines but never from two at once.
	Progress func(Progress)
}

// Progress says how far the archives of a package are.
type Progress struct {
	Package string
	Done    int64 // bytes of the tar stream that all formats have taken
	Total   int64 // bytes of the whole tar stream
}

// Artifact is a finished archive.
type Artifact struct {
	Name    string // base name, such as "cargo-1.95.0-x86_64-unknown-linux-gnu.tar.xz"
	Path    string // Name in the folder that it was written to
	Package string // Package.Name
	Format  Format
	Size    int64 // bytes
	SHA256  manifests.Hash
}

// Write writes the archives of p to dir, one for each format, each with a file
// NAME.sha256 beside it. It makes dir if need be. The result has the order of
// w.Formats; the profile no-op writes nothing and returns none.
//
// A file appears under its final name only when it is complete and on the disk.
// On error, or when ctx ends, none of the new files is left; a killed process may
// leave temporary files, see [RemoveStale]. Archives of an earlier run are
// replaced.
func (w Writer) Write(ctx context.Context, dir string, p Package) ([]Artifact, error) {
	return w.WriteAll(ctx, dir, []Package{p})
}

// WriteAll writes the archives of several packages, large ones first, and
// returns them in the order of pkgs and, for each, of w.Formats. All packages
// are checked before the first is written. On error, packages that were
// finished before it stay.
func (w Writer) WriteAll(ctx context.Context, dir string, pkgs []Package) ([]Artifact, error) {
	works := make([]work, 0, len(pkgs))
	var errs []error
	for _, p := range pkgs {
		img, err := p.Image()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if slices.ContainsFunc(works, func(k work) bool { return k.name == p.Name }) {
			errs = append(errs, fmt.Errorf("writing package %q: it is there twice", p.Name))
			continue
		}
		works = append(works, work{name: p.Name, img: img})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return w.run(ctx, dir, works)
}

// WriteImage writes an archive that is not a package, such as a source tarball:
// the image alone, below a top folder called name.
func (w Writer) WriteImage(ctx context.Context, dir, name string, img Image) ([]Artifact, error) {
	if err := checkElement(name); err != nil {
		return nil, fmt.Errorf("writing archive %q: %w", name, err)
	}
	img, err := img.Prefix(name)
	if err != nil {
		return nil, fmt.Errorf("writing archive %q: %w", name, err)
	}
	return w.run(ctx, dir, []work{{name: name, img: img}})
}

// work is a tree that becomes an archive in each format.
type work struct {
	name string
	img  Image
	tar  tarball
	out  []Artifact
}

// setup is a Writer with its defaults filled in and its values checked.
type setup struct {
	Writer
	level level
	mu    sync.Mutex // serialises Progress
}

func (w Writer) setup() (*setup, error) {
	if len(w.Formats) == 0 {
		w.Formats = []Format{GZ, XZ}
	}
	if len(slices.Compact(slices.Sorted(slices.Values(w.Formats)))) != len(w.Formats) {
		return nil, fmt.Errorf("got formats %q, want each once", w.Formats)
	}
	for _, f := range w.Formats {
		if _, err := manifests.ParseFormat(string(f)); err != nil {
			return nil, err
		}
	}
	w.Profile = cmp.Or(w.Profile, Fast)
	if _, err := ParseProfile(string(w.Profile)); err != nil {
		return nil, err
	}
	if w.Order > PathOrder {
		return nil, fmt.Errorf("got file order %d, want ReversedPath or PathOrder", w.Order)
	}
	if w.ModTime.IsZero() {
		w.ModTime = time.Unix(firstCommit, 0)
	}
	if w.Jobs < 0 || w.MaxMemory < 0 {
		return nil, fmt.Errorf("got %d jobs and a memory limit of %d bytes, want neither negative", w.Jobs, w.MaxMemory)
	}
	w.Jobs = cmp.Or(w.Jobs, runtime.GOMAXPROCS(0))
	level := levels[w.Profile]
	level.bcj = w.BCJ
	return &setup{Writer: w, level: level}, nil
}

func (w Writer) run(ctx context.Context, dir string, works []work) ([]Artifact, error) {
	s, err := w.setup()
	if err != nil {
		return nil, fmt.Errorf("writing archives: %w", err)
	}
	for i := range works {
		if works[i].tar, err = planTarball(works[i].img, s.Order, s.ModTime.Unix()); err != nil {
			return nil, fmt.Errorf("writing archives: %w", err)
		}
	}
	if s.Profile == NoOp {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("writing archives: %w", err)
	}
	if err := s.writeAll(ctx, dir, works); err != nil {
		return nil, err
	}
	var out []Artifact
	for _, k := range works {
		out = append(out, k.out...)
	}
	return out, nil
}

// write makes all archives of one tree from one pass over its files.
func (s *setup) write(ctx context.Context, dir string, k *work, workers int) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("writing package %q to %q: %w", k.name, dir, err)
		}
	}()
	var outs []*output
	defer func() {
		for _, o := range outs {
			o.discard()
		}
	}()
	for _, f := range s.Formats {
		o, err := newOutput(dir, k.name+f.Ext())
		if err != nil {
			return err
		}
		outs = append(outs, o)
	}
	sum, err := s.compress(ctx, k, outs, workers)
	if err != nil {
		return err
	}
	if !s.SkipReadBack {
		if err := s.readBack(ctx, outs, sum); err != nil {
			return err
		}
	}
	if err := commitAll(dir, outs); err != nil {
		return err
	}
	for i, o := range outs {
		k.out = append(k.out, Artifact{
			Name: o.name, Path: o.path(), Package: k.name,
			Format: s.Formats[i], Size: o.size, SHA256: o.sum(),
		})
	}
	return nil
}

// compress runs the tar stream of k through a compressor for each output, and
// returns the stream's digest.
func (s *setup) compress(ctx context.Context, k *work, outs []*output, workers int) (manifests.Hash, error) {
	sum := sha256.New()
	g, ctx := errgroup.WithContext(ctx)
	m := &meter{&s.mu, s.Progress, Progress{Package: k.name, Total: k.tar.size}}
	fan := newFanout(ctx, len(outs), m.add)
	for i, o := range outs {
		g.Go(func() error {
			if err := s.compressOne(fan, i, o, k.tar.size, workers); err != nil {
				return fmt.Errorf("writing %q: %w", o.name, err)
			}
			return nil
		})
	}
	g.Go(func() error {
		if err := k.tar.write(ctx, io.MultiWriter(fan, sum)); err != nil {
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

func (s *setup) compressOne(fan *fanout, i int, o *output, size int64, workers int) error {
	level := s.level
	level.size = size
	c, err := newCompressor(fan.ctx, s.Formats[i], level, workers, o)
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

// commitAll gives the finished outputs their names. An old .sha256 goes first,
// so that no checksum ever lies beside an archive it does not belong to. If a
// step fails, what this call has put in place is removed again.
func commitAll(dir string, outs []*output) (err error) {
	var placed []string
	defer func() {
		if err != nil {
			for _, path := range placed {
				os.Remove(path)
			}
		}
	}()
	for _, o := range outs {
		sumName := o.name + ".sha256"
		if err := os.Remove(filepath.Join(dir, sumName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := o.commit(); err != nil {
			return err
		}
		placed = append(placed, o.path())
		if err := writeFile(dir, sumName, manifests.FormatChecksum(o.sum(), o.name)); err != nil {
			return err
		}
		placed = append(placed, filepath.Join(dir, sumName))
	}
	return syncDir(dir)
}
