package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"x.go/dist"
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
	// not do, blocks and then dictionaries get smaller; see [Job.Plans]. What
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
	Path    string // Name in the directory that it was written to
	Package string // name of the package or stream
	Format  Format
	Size    int64 // bytes
	SHA256  manifests.Hash
	// DecoderMemory is what unpacking needs, in bytes: the dictionary or window
	// and what a usual decoder has beside it.
	DecoderMemory int64
}

// WithDefaults returns w with its empty fields filled in, or what is wrong with
// it.
func (w Writer) WithDefaults() (Writer, error) {
	if len(w.Formats) == 0 {
		w.Formats = []Format{GZ, XZ}
	}
	if len(slices.Compact(slices.Sorted(slices.Values(w.Formats)))) != len(w.Formats) {
		return Writer{}, fmt.Errorf("got formats %q, want each once", w.Formats)
	}
	for _, f := range w.Formats {
		if _, err := manifests.ParseFormat(string(f)); err != nil {
			return Writer{}, err
		}
	}
	w.Profile = cmp.Or(w.Profile, Fast)
	if _, err := ParseProfile(string(w.Profile)); err != nil {
		return Writer{}, err
	}
	if w.Order > KindOrder {
		return Writer{}, fmt.Errorf("got file order %d, want ReversedPath, PathOrder or KindOrder", w.Order)
	}
	if w.ModTime.IsZero() {
		w.ModTime = time.Unix(firstCommit, 0)
	}
	if w.Jobs < 0 || w.MaxMemory < 0 {
		return Writer{}, fmt.Errorf("got %d jobs and a memory limit of %d bytes, want neither negative", w.Jobs, w.MaxMemory)
	}
	w.Jobs = cmp.Or(w.Jobs, runtime.GOMAXPROCS(0))
	return w, nil
}

// Plan lays out the archives of packages and decides how they are compressed.
// All that is wrong with the packages is reported at once, and so is a MaxMemory
// that is too small, before anything is written.
func (w Writer) Plan(pkgs []dist.Package) (*Job, error) {
	images := make([]namedImage, 0, len(pkgs))
	var errs []error
	for _, p := range pkgs {
		img, err := p.Image()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if slices.ContainsFunc(images, func(n namedImage) bool { return n.name == p.Name }) {
			errs = append(errs, fmt.Errorf("writing package %q: it is there twice", p.Name))
			continue
		}
		images = append(images, namedImage{p.Name, img})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return w.planImages(images)
}

// Write plans and writes the archives of packages in one step; see [Job.Write].
func (w Writer) Write(ctx context.Context, dir string, pkgs ...dist.Package) ([]Artifact, error) {
	j, err := w.Plan(pkgs)
	if err != nil {
		return nil, err
	}
	return j.Write(ctx, dir)
}

// WriteImage writes an archive that is not a package, such as a source tarball:
// the image alone, below a top directory called name.
func (w Writer) WriteImage(ctx context.Context, dir, name string, img dist.Image) ([]Artifact, error) {
	if err := dist.CheckElement(name); err != nil {
		return nil, fmt.Errorf("writing archive %q: %w", name, err)
	}
	img, err := img.Prefix(name)
	if err != nil {
		return nil, fmt.Errorf("writing archive %q: %w", name, err)
	}
	j, err := w.planImages([]namedImage{{name, img}})
	if err != nil {
		return nil, err
	}
	return j.Write(ctx, dir)
}

// namedImage is an image with the name of its archives.
type namedImage struct {
	name string
	img  dist.Image
}

func (w Writer) planImages(images []namedImage) (*Job, error) {
	w, err := w.WithDefaults()
	if err != nil {
		return nil, fmt.Errorf("writing archives: %w", err)
	}
	streams := make([]Stream, 0, len(images))
	for _, n := range images {
		t, err := planTarball(n.img, w.Order, w.ModTime.Unix())
		if err != nil {
			return nil, fmt.Errorf("writing archives: %w", err)
		}
		streams = append(streams, Stream{Name: n.name, Size: t.size, Write: t.write})
	}
	return w.PlanStreams(streams)
}

// PlanStreams decides how streams are compressed that are tar streams already.
func (w Writer) PlanStreams(streams []Stream) (*Job, error) {
	w, err := w.WithDefaults()
	if err != nil {
		return nil, fmt.Errorf("writing archives: %w", err)
	}
	j := &Job{writer: w}
	if w.Profile == NoOp {
		return j, nil
	}
	var total int64
	for _, s := range streams {
		total += s.Size
	}
	for _, s := range streams {
		t, err := w.planStream(s, float64(s.Size)/float64(max(total, 1)))
		if err != nil {
			return nil, fmt.Errorf("planning archives of %q: %w", s.Name, err)
		}
		j.tasks = append(j.tasks, t)
	}
	return j, nil
}
