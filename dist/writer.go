package dist

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
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
	// Jobs bounds how many goroutines compress xz, and how many packages are
	// written at a time; 0 means one for each processor. gz and zst are one
	// goroutine for each package, and are not counted: they take a seventh of the
	// processor time. The bytes of the archives do not depend on it.
	Jobs int
	// MaxMemory in bytes bounds the estimated memory of the compressors; 0 sets
	// no bound. Less is then searched at a time, which shows in a few bytes, and
	// fewer packages are written at a time, with fewer goroutines. Where that does
	// not do, blocks and then dictionaries get smaller; see [Writer.Plan]. What
	// does not fit even so is an error before anything is written.
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
	Done    int64 // bytes of the tar stream that all formats have taken; Total when the archives are in place
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
	// DecoderMemory is what unpacking needs, in bytes: the dictionary or window
	// and what a usual decoder has beside it.
	DecoderMemory int64
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
	works, err := newWorks(pkgs)
	if err != nil {
		return nil, err
	}
	return w.run(ctx, dir, works)
}

// newWorks lays out packages, and returns all that is wrong with them.
func newWorks(pkgs []Package) ([]work, error) {
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
	return works, errors.Join(errs...)
}

// WriteImage writes an archive that is not a package, such as a source tarball:
// the image alone, below a top folder called name.
func (w Writer) WriteImage(ctx context.Context, dir, name string, img Image) ([]Artifact, error) {
	if err := CheckElement(name); err != nil {
		return nil, fmt.Errorf("writing archive %q: %w", name, err)
	}
	img, err := img.Prefix(name)
	if err != nil {
		return nil, fmt.Errorf("writing archive %q: %w", name, err)
	}
	return w.run(ctx, dir, []work{{name: name, img: img}})
}

// work is a tar stream that becomes an archive in each of some formats.
type work struct {
	name string // of the archives, without extension
	dir  string // where they are put
	task string // for errors: what is being done
	img  Image  // of a package, where that is what the stream is made of

	size   int64                                        // bytes of the stream
	stream func(ctx context.Context, w io.Writer) error // writes it
	// reserve is what stream takes of memory, in bytes, and extra what it takes
	// beyond that because of what it reads. What becomes of dictionaries under a
	// limit depends on reserve alone, so that it is a matter of the content.
	reserve, extra int64
	formats        []Format
	// place gives the finished outputs their names; sum is the digest of the
	// stream that went into them.
	place func(ctx context.Context, k *work, outs []*output, sum manifests.Hash) error

	level level
	plan  Plan
	out   []Artifact
	err   error
}

// setup is a Writer with its defaults filled in and its values checked.
type setup struct {
	Writer
	level     level
	keepGoing bool       // past works that fail
	mu        sync.Mutex // serialises Progress
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
	if w.Order > KindOrder {
		return nil, fmt.Errorf("got file order %d, want ReversedPath, PathOrder or KindOrder", w.Order)
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

// prepare checks w and plans the works, which are images so far.
func (w Writer) prepare(works []work) (*setup, error) {
	s, err := w.setup()
	if err != nil {
		return nil, fmt.Errorf("writing archives: %w", err)
	}
	for i := range works {
		k := &works[i]
		t, err := planTarball(k.img, s.Order, s.ModTime.Unix())
		if err != nil {
			return nil, fmt.Errorf("writing archives: %w", err)
		}
		k.size, k.stream, k.formats, k.place = t.size, t.write, s.Formats, placeNew
	}
	if s.Profile == NoOp {
		return s, nil
	}
	return s, s.plan(works)
}

func (w Writer) run(ctx context.Context, dir string, works []work) ([]Artifact, error) {
	s, err := w.prepare(works)
	if err != nil || s.Profile == NoOp {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("writing archives: %w", err)
	}
	for i := range works {
		works[i].dir, works[i].task = dir, fmt.Sprintf("writing package %q to %q", works[i].name, dir)
	}
	if err := s.writeAll(ctx, works); err != nil {
		return nil, err
	}
	var out []Artifact
	for _, k := range works {
		out = append(out, k.out...)
	}
	return out, nil
}

// write makes all archives of one stream from one pass over it.
func (s *setup) write(ctx context.Context, k *work) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", k.task, err)
		}
	}()
	var outs []*output
	defer func() {
		for _, o := range outs {
			o.discard()
		}
	}()
	for _, f := range k.formats {
		o, err := newOutput(k.dir, k.name+f.Ext())
		if err != nil {
			return err
		}
		outs = append(outs, o)
	}
	m := &meter{&s.mu, s.Progress, Progress{Package: k.name, Total: k.size}}
	m.add(0) // it has begun
	sum, err := s.compress(ctx, k, outs, m)
	if err != nil {
		return err
	}
	if !s.SkipReadBack {
		if err := s.readBack(ctx, k, outs, sum); err != nil {
			return err
		}
	}
	if err := k.place(ctx, k, outs, sum); err != nil {
		return err
	}
	m.done()
	for i, o := range outs {
		k.out = append(k.out, Artifact{
			Name: o.name, Path: o.path(), Package: k.name, Format: k.formats[i],
			Size: o.size, SHA256: o.sum(), DecoderMemory: k.plan.Archives[i].DecoderMemory,
		})
	}
	return nil
}

// compress runs the tar stream of k through a compressor for each output, and
// returns the stream's digest.
func (s *setup) compress(ctx context.Context, k *work, outs []*output, m *meter) (manifests.Hash, error) {
	sum := sha256.New()
	g, ctx := errgroup.WithContext(ctx)
	fan := newFanout(ctx, len(outs), m.add)
	for i, o := range outs {
		g.Go(func() error {
			if err := compressOne(fan, i, o, k); err != nil {
				return fmt.Errorf("writing %q: %w", o.name, err)
			}
			return nil
		})
	}
	g.Go(func() error {
		if err := k.stream(ctx, io.MultiWriter(fan, sum)); err != nil {
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

func compressOne(fan *fanout, i int, o *output, k *work) error {
	c, err := newCompressor(fan.ctx, k.formats[i], k.level, k.plan.Workers, o)
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

// placeNew gives the archives of a package their names. If a step fails, what it
// has put in place is removed again.
func placeNew(_ context.Context, k *work, outs []*output, _ manifests.Hash) (err error) {
	defer func() {
		if err != nil {
			for _, o := range outs {
				if o.placed {
					os.Remove(o.path())
					os.Remove(o.path() + sumExt)
				}
			}
		}
	}()
	for _, o := range outs {
		if err := o.publish(); err != nil {
			return err
		}
	}
	return syncDir(k.dir)
}
