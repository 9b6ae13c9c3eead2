package recompress

import (
	"archive/tar"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/manifests"
)

// input is a file to recompress: a tar stream, compressed or not.
type input struct {
	path   string
	stem   string
	format archive.Format // "" for .tar
	info   fs.FileInfo
	memory int64 // bytes that reading it takes
	// stored opens a file that lies in a store; nil for one on disk, which has info.
	stored func(ctx context.Context) (io.ReadCloser, error)
	size   int64 // bytes of a stored file, once it is known

	// What is known of it so far.
	sum     manifests.Hash // of the file; zero if not known
	tar     manifests.Hash // of its tar stream; zero if not known
	tarSize int64          // bytes; -1 if not known
}

// splitArchiveName splits the name of an archive into stem and format, which is
// "" for .tar.
func splitArchiveName(name string) (stem string, f archive.Format, ok bool) {
	if stem, f, ok := manifests.CutFormat(name); ok {
		return stem, f, true
	}
	stem, ok = strings.CutSuffix(name, ".tar")
	return stem, "", ok && stem != ""
}

// inputs are the files to recompress, and those that cannot be.
type inputs struct {
	good     []*input
	bad      []string // paths
	problems []error
}

// collectInputs opens the files, and the archives in the directories among them.
func collectInputs(files []string) inputs {
	var in inputs
	for _, path := range files {
		paths, err := expandDir(path)
		if err != nil {
			in.problems = append(in.problems, err)
			continue
		}
		for _, path := range paths {
			s, err := newInput(path)
			if err != nil {
				in.problems = append(in.problems, fmt.Errorf("reading input %q: %w", path, err))
				in.bad = append(in.bad, path)
				continue
			}
			in.good = append(in.good, s)
		}
	}
	return in
}

// expandDir returns the archives directly in a directory, sorted, and any other
// path as it is.
func expandDir(path string) ([]string, error) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return []string{path}, nil // newInput reports what is wrong
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("reading input: %w", err)
	}
	var paths []string
	for _, e := range entries {
		if _, _, ok := splitArchiveName(e.Name()); ok && !e.IsDir() {
			paths = append(paths, filepath.Join(path, e.Name()))
		}
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("reading input %q: no .tar, .tar.gz, .tar.xz or .tar.zst in the directory", path)
	}
	return paths, nil
}

// newInput looks at the name of a file, its first bytes and the headers of its
// container.
func newInput(path string) (*input, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, dist.WithoutPath(err)
	}
	s := &input{path: path, info: info, tarSize: -1}
	var ok bool
	s.stem, s.format, ok = splitArchiveName(filepath.Base(path))
	switch {
	case info.Mode().Type() == fs.ModeSymlink:
		return nil, errors.New("it is a symbolic link: name the file that it leads to")
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("got file type %v, want a regular file", info.Mode().Type())
	case !ok:
		return nil, errors.New("its name does not end in .tar, .tar.gz, .tar.xz or .tar.zst")
	case info.Size() == 0:
		return nil, errors.New("the file is empty")
	}
	if err := manifests.CheckMemberName(s.stem); err != nil {
		return nil, err
	}
	f, err := s.open()
	if err != nil {
		return nil, dist.WithoutPath(err)
	}
	defer f.Close()
	return s, s.inspect(f)
}

// inspect reads the headers of f.
func (s *input) inspect(f *os.File) error {
	var head [6]byte
	n, err := f.ReadAt(head[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return dist.WithoutPath(err)
	}
	actual, packed := archive.SniffFormat(head[:n])
	if s.format == "" && !packed {
		return s.inspectTar(f)
	}
	if !packed {
		return fmt.Errorf("the file starts with %x, which is not %s", head[:n], s.format)
	}
	if actual != s.format {
		return fmt.Errorf("got %s data, want %s as its name says: rename it", actual, cmp.Or(string(s.format), "tar"))
	}
	c, err := archive.InspectContainer(f, s.info.Size(), s.format)
	switch {
	case err != nil:
		return fmt.Errorf("%w: it is cut short, or something follows the end", err)
	case c.Streams > 1 && s.format != archive.Zst:
		return fmt.Errorf("got %d %s streams, want one: rustup reads no more", c.Streams, s.format)
	case c.Trailing > 0:
		return fmt.Errorf("got %d bytes after the end of the %s stream", c.Trailing, s.format)
	case c.Memory > inputLimits.Memory:
		return fmt.Errorf("unpacking takes %d bytes of memory, the limit is %d", c.Memory, inputLimits.Memory)
	case s.format == archive.Zst && c.Memory > archive.MaxZstWindow:
		return fmt.Errorf("got a window of %d bytes, want at most %d, which is what rustup takes", c.Memory, archive.MaxZstWindow)
	case c.Size == 0:
		return errors.New("it holds nothing, not even a tar archive")
	}
	s.memory, s.tarSize = c.Memory+readBuffers, c.Size
	return nil
}

// inputLimits leave room for source archives, with several times the files of any
// dist archive, and for the dictionaries of other programs.
var inputLimits = archive.Limits{Members: 1 << 20, Names: 256 << 20, Unpacked: 32 << 30, Memory: 1 << 30}

// readBuffers is more than a [archive.Reader] holds beside a dictionary, in bytes.
const readBuffers = 16 << 20

// inspectTar looks at the first header of a .tar.
func (s *input) inspectTar(f *os.File) error {
	if _, err := tar.NewReader(io.NewSectionReader(f, 0, s.info.Size())).Next(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	s.memory, s.tarSize = readBuffers, s.info.Size()
	return nil
}

// usualReserve is the memory, in bytes, that usual archives of a tar stream of size
// bytes take at most to read: the dictionary is rounded up from the size, and no
// larger than in promote-release.
func usualReserve(size int64) int64 { return min(2*size, archive.MaxZstWindow) + readBuffers }

// copyTar copies the tar stream to w and learns the digest of the file. It checks
// all of the file, as [archive.CopyTar] does.
func (s *input) copyTar(ctx context.Context, w io.Writer) (n int64, err error) {
	f, err := s.openReader(ctx)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	sum := sha256.New()
	limits := inputLimits
	limits.Memory = s.memory
	n, err = archive.CopyTar(ctx, w, io.TeeReader(f, sum), s.path, s.format, limits)
	if err == nil {
		s.sum = manifests.Hash(sum.Sum(nil))
	}
	return n, err
}

// learn decodes the file to learn digest and size of the tar stream, unless they
// are known.
func (s *input) learn(ctx context.Context) error {
	if !s.tar.IsZero() && s.tarSize >= 0 {
		return nil
	}
	h := sha256.New()
	n, err := s.copyTar(ctx, h)
	if err != nil {
		return err
	}
	if s.tarSize >= 0 && n != s.tarSize {
		return fmt.Errorf("reading %q: got a tar stream of %d bytes, want %d as its headers say", s.path, n, s.tarSize)
	}
	s.tar, s.tarSize = manifests.Hash(h.Sum(nil)), n
	return nil
}

// recall takes both from the record of an earlier run, if that has them.
func (s *input) recall(ctx context.Context, r *openRecord) error {
	f, ok, err := r.find(s.info.Size(), func() (manifests.Hash, error) {
		var err error
		if s.sum.IsZero() {
			s.sum, err = dist.HashFile(ctx, s.path)
		}
		return s.sum, err
	})
	if ok && err == nil {
		s.tar, s.tarSize = f.Tar, f.TarSize
	}
	return err
}

func (s *input) openReader(ctx context.Context) (io.ReadCloser, error) {
	if s.stored != nil {
		return s.stored(ctx)
	}
	return s.open()
}

// open opens the file that newInput saw.
func (s *input) open() (*os.File, error) {
	f, err := dist.OpenFile(s.path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = s.same(info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// unchanged returns an error if the file is no longer the one that newInput saw.
func (s *input) unchanged() error {
	info, err := os.Lstat(s.path)
	if err != nil {
		return err
	}
	return s.same(info)
}

func (s *input) same(info fs.FileInfo) error {
	if !os.SameFile(info, s.info) || info.Size() != s.info.Size() || !info.ModTime().Equal(s.info.ModTime()) {
		return fmt.Errorf("reading %q: the file changed meanwhile", s.path)
	}
	return nil
}

// decodeOrder has the formats by how long decoding takes, shortest first.
var decodeOrder = []archive.Format{"", archive.Zst, archive.GZ, archive.XZ}

// groupInputs groups files that are one archive in several formats: their outputs
// would have the same names. outDir is "" for the directory of each file. If one of
// them cannot be read, nothing says that it holds the same as the others, and nothing
// may take its place: the group is left out.
func groupInputs(found inputs, outDir string) (sets []*tarSet, problems []error) {
	type place struct{ dir, stem string }
	byPlace := map[place]*tarSet{}
	for _, in := range found.good {
		at := place{cmp.Or(outDir, filepath.Dir(in.path)), in.stem}
		s := byPlace[at]
		if s == nil {
			s = &tarSet{dir: at.dir, stem: at.stem}
			byPlace[at] = s
			sets = append(sets, s)
		}
		if i := slices.IndexFunc(s.inputs, func(o *input) bool { return o.format == in.format }); i >= 0 {
			if other := s.inputs[i].path; other == in.path {
				problems = append(problems, fmt.Errorf("reading input %q: it is named twice", in.path))
			} else {
				problems = append(problems, fmt.Errorf("reading inputs %q and %q: both would become %q", other, in.path, filepath.Join(s.dir, s.stem)))
				s.ambiguous = true
			}
			continue
		}
		s.inputs = append(s.inputs, in)
	}
	for _, path := range found.bad {
		stem, _, _ := splitArchiveName(filepath.Base(path))
		if s := byPlace[place{cmp.Or(outDir, filepath.Dir(path)), stem}]; s != nil && !s.ambiguous {
			s.ambiguous = true
			problems = append(problems, fmt.Errorf("recompressing %q: left as it is, since %q cannot be read", s.stem, path))
		}
	}
	sets = slices.DeleteFunc(sets, func(s *tarSet) bool { return s.ambiguous })
	for _, s := range sets {
		slices.SortFunc(s.inputs, func(a, b *input) int {
			return cmp.Compare(slices.Index(decodeOrder, a.format), slices.Index(decodeOrder, b.format))
		})
	}
	slices.SortFunc(sets, func(a, b *tarSet) int {
		return cmp.Or(strings.Compare(a.stem, b.stem), strings.Compare(a.dir, b.dir))
	})
	return sets, problems
}
