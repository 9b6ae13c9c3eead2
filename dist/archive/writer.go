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

// Writer writes archives. Its zero value is ready to use: gz and xz with the fast
// profile, on all processors. A Writer holds no state, so one value may serve
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
	// Jobs bounds how many goroutines compress xz, and zst of the profile Best, and
	// how many packages are written at a time; 0 means one for each processor. gz and
	// other zst take one goroutine each per package; these do not count, since they
	// take a seventh of the processor time. Archives do not depend on Jobs.
	Jobs int
	// MaxMemory bounds the estimated memory of the compressors, in bytes; 0 sets no
	// limit. To fit, Writer first searches less at once, which costs a few bytes,
	// and runs fewer packages and goroutines; then it shrinks blocks, then
	// dictionaries: see [Job.Plans]. What still does not fit is an error before
	// anything is written.
	MaxMemory int64
	// BCJ is the branch filter of xz archives, none by default. Machine code gets
	// smaller with it, but some decoders cannot read it; see package xz.
	BCJ xz.BCJ
	// BlockSize is the size of the blocks of xz archives in bytes, 4 KiB to 1 GiB; 0
	// means that of the profile. Smaller blocks cost size.
	BlockSize int64
	// SkipChecksums leaves out the files NAME.sha256.
	SkipChecksums bool
	// SkipReadBack skips the check that decodes each archive before it gets its
	// name.
	SkipReadBack bool
	// Keeper, if not nil, has archives of earlier runs: [Job.Prepare] does not compress
	// what it has.
	Keeper Keeper
	// Progress, if not nil, is called as the tar streams are compressed: from
	// several goroutines, but one call at a time.
	Progress func(Progress)
}

// Progress says how far the archives of a package are.
type Progress struct {
	Package string
	// Done is how many bytes of the tar stream all formats have taken. It is Total
	// only when the archives are in place.
	Done  int64
	Total int64 // bytes of the whole tar stream
}

// Artifact is a finished archive.
type Artifact struct {
	Name    string // base name, such as "cargo-1.95.0-x86_64-unknown-linux-gnu.tar.xz"
	Path    string // of the file, in the directory that it was written to
	Package string // name of the package or stream
	Format  Format
	Size    int64 // bytes
	SHA256  manifests.Hash
	// Kept says that it was not compressed: the [Keeper] had it.
	Kept bool
	// DecoderMemory is the memory for unpacking, in bytes: the dictionary or
	// window, and what a usual decoder needs besides.
	DecoderMemory int64
}

// WithDefaults returns w with its empty fields filled in, or an error if a field is
// wrong.
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

// Bare is an archive that is no package, such as that of sources: the image alone,
// below a top directory of that name.
type Bare struct {
	Name  string
	Image dist.Image
}

// Plan lays out the archives of packages, and of images that are none, and decides how
// to compress them. It writes nothing. It reports everything that is wrong with the
// packages at once, or that MaxMemory is too small.
func (w Writer) Plan(pkgs []dist.Package, bare ...Bare) (*Job, error) {
	images := make([]namedImage, 0, len(pkgs)+len(bare))
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
	for _, b := range bare {
		img, err := b.prefixed()
		errs = append(errs, err)
		images = append(images, namedImage{b.Name, img})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return w.planImages(images)
}

// prefixed returns the image with the top directory.
func (b Bare) prefixed() (dist.Image, error) {
	if err := dist.CheckElement(b.Name); err != nil {
		return dist.Image{}, fmt.Errorf("writing archive %q: %w", b.Name, err)
	}
	img, err := b.Image.Prefix(b.Name)
	if err != nil {
		return dist.Image{}, fmt.Errorf("writing archive %q: %w", b.Name, err)
	}
	return img, nil
}

// Write plans and writes the archives of packages; see [Writer.Plan] and
// [Job.Prepare].
func (w Writer) Write(ctx context.Context, dir string, pkgs ...dist.Package) ([]Artifact, error) {
	j, err := w.Plan(pkgs)
	if err != nil {
		return nil, err
	}
	return j.writeTo(ctx, dir)
}

// WriteImage writes archives that are not packages, such as source tarballs: the
// image alone, below a top directory called name.
func (w Writer) WriteImage(ctx context.Context, dir, name string, img dist.Image) ([]Artifact, error) {
	img, err := Bare{name, img}.prefixed()
	if err != nil {
		return nil, err
	}
	return w.WriteTree(ctx, dir, name, img)
}

// WriteTree writes archives called name, of img as it is: its names are those of
// the members.
func (w Writer) WriteTree(ctx context.Context, dir, name string, img dist.Image) ([]Artifact, error) {
	j, err := w.planImages([]namedImage{{name, img}})
	if err != nil {
		return nil, err
	}
	return j.writeTo(ctx, dir)
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
	var sums *fileSums
	if w.Keeper != nil {
		sums = &fileSums{sums: map[string]manifests.Hash{}}
	}
	streams := make([]Stream, 0, len(images))
	for _, n := range images {
		t, err := planTarball(n.img, w.Order, w.ModTime.Unix())
		if err != nil {
			return nil, fmt.Errorf("writing archives: %w", err)
		}
		t.sums = sums
		streams = append(streams, Stream{Name: n.name, Size: t.size, Write: t.write, tarball: &t})
	}
	j, err := w.PlanStreams(streams)
	if err != nil {
		return nil, err
	}
	j.sums = sums
	return j, nil
}

// PlanStreams decides how to compress finished tar streams.
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
