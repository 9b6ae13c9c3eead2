package compose

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/manifests"
)

// stored is an archive that was read.
type stored struct {
	manifests.ListedArchive
	path   string
	size   int64
	commit string          // content of git-commit-hash, or ""
	layout *archive.Layout // nil for an archive of sources
}

// decoding is the memory of one archive's decoder with what it has ahead, and memory
// that of all, in bytes.
const (
	decoding = 256 << 20
	memory   = 1 << 30
)

// maxArchives bounds the files of a channel: Rust's own have 2000.
const maxArchives = 100_000

// findArchives returns the archives among files and directly in directories, or in the
// directory dist of one, by name: the same name may be there twice.
func findArchives(places []string) (map[string][]string, error) {
	found, count := map[string][]string{}, 0
	add := func(path string) {
		if _, _, ok := manifests.CutFormat(filepath.Base(path)); ok {
			found[filepath.Base(path)] = append(found[filepath.Base(path)], path)
			count++
		}
	}
	for _, place := range places {
		info, err := os.Stat(place)
		if err != nil {
			return nil, fmt.Errorf("reading archives of %q: %w", place, dist.WithoutPath(err))
		}
		before := count
		if !info.IsDir() {
			add(place)
		} else if err := archivesIn(place, add); err != nil {
			return nil, err
		}
		if below := filepath.Join(place, "dist"); before == count && isDir(below) {
			if err := archivesIn(below, add); err != nil {
				return nil, err
			}
		}
		if before == count {
			return nil, fmt.Errorf("reading archives of %q: it has no .tar.gz, .tar.xz or .tar.zst", place)
		}
	}
	if count > maxArchives {
		return nil, fmt.Errorf("reading archives: got %d, the limit is %d", count, maxArchives)
	}
	return found, nil
}

func archivesIn(dir string, add func(path string)) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading archives of %q: %w", dir, dist.WithoutPath(err))
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() { // also behind a link
			add(path)
		}
	}
	return nil
}

// scan reads all archives. Files of one name are one if their bytes are equal.
func scan(ctx context.Context, places []string, progress func(Event)) ([]stored, error) {
	found, err := findArchives(places)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(found))
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	all, errs := make([]stored, len(names)), make([]error, len(names))
	var g errgroup.Group
	g.SetLimit(max(1, min(runtime.GOMAXPROCS(0), memory/decoding)))
	for i, name := range names {
		g.Go(func() error {
			all[i], errs[i] = readArchive(ctx, found[name][0], progress)
			for _, other := range found[name][1:] {
				if errs[i] == nil {
					errs[i] = all[i].same(ctx, other)
				}
			}
			return nil
		})
	}
	_ = g.Wait() // errs has the errors
	if err := cmp.Or(ctx.Err(), errors.Join(errs...)); err != nil {
		return nil, err
	}
	return all, nil
}

// same requires another file of the same name to have the same bytes.
func (s *stored) same(ctx context.Context, other string) error {
	sum, err := dist.HashFile(ctx, other)
	if err == nil && sum != s.Hash {
		err = fmt.Errorf("comparing %q with %q: got sha256 %s and %s, want one file for one name: leave one out", s.path, other, s.Hash, sum)
	}
	return err
}

// readArchive reads an archive, as strictly as rustup installs it.
func readArchive(ctx context.Context, path string, progress func(Event)) (stored, error) {
	base := filepath.Base(path)
	progress(Event{Doing: "reading", Name: base})
	defer progress(Event{Doing: "reading", Name: base, Done: true})
	opts := archive.ScanOptions{NoDigests: true, Progress: func(n, size int64) {
		progress(Event{Doing: "reading", Name: base, Bytes: n, Size: size})
	}}
	s := stored{path: path}
	if name, err := manifests.ParseArchiveName(base); err == nil && name.Source != "" {
		facts, err := archive.Scan(ctx, path, opts)
		if err == nil {
			err = facts.First()
		}
		if err != nil {
			return s, fmt.Errorf("reading archive %q: %w", path, err)
		}
		s.ArchiveName, s.Hash, s.size = name, facts.Digest, facts.Size
		return s, s.checksum()
	}
	facts, layout, err := archive.Read(ctx, path, opts)
	if err != nil {
		return s, err
	}
	s.layout, s.Hash, s.size = layout, facts.Digest, facts.Size
	s.VersionText = strings.TrimSpace(string(facts.Texts["version"]))
	s.commit = strings.TrimSpace(string(facts.Texts["git-commit-hash"]))
	if err := s.identify(facts.Format); err != nil {
		return s, fmt.Errorf("reading archive %q: %w", path, err)
	}
	return s, s.checksum()
}

// identify finds out which component the archive has.
func (s *stored) identify(format manifests.Format) error {
	var err error
	if s.ArchiveName, err = manifests.FindName(filepath.Base(s.path), s.layout.Components); err != nil {
		// A download may have lost its name: the archive has it, too.
		var ierr error
		if s.ArchiveName, ierr = manifests.FindName(s.layout.Top+format.Ext(), s.layout.Components); ierr != nil {
			return err
		}
	}
	if s.Format != format {
		return fmt.Errorf("got a name of format %s and content of format %s, want the same", s.Format, format)
	}
	if s.layout.Top != s.Stem() {
		if inside, err := manifests.FindName(s.layout.Top+format.Ext(), s.layout.Components); err == nil && inside.Stem() != s.Stem() {
			return fmt.Errorf("it is %q by its content: it was renamed", inside.Stem())
		}
	}
	combined := s.Component.Package == "rust"
	if s.Component.Package != "" && !combined && !s.Holds(s.layout.Components) {
		return fmt.Errorf("it has the components %q, and rustup looks for %q in it", s.layout.Components, s.Component.Package)
	}
	return nil
}

// checksum compares the archive with the .sha256 beside it, if there is one.
func (s *stored) checksum() error {
	data, err := dist.ReadFile(s.path+manifests.ChecksumExt, maxChecksum)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading checksum of %q: %w", s.path, dist.WithoutPath(err))
	}
	want, _, err := manifests.ParseChecksum(data)
	if err != nil {
		return fmt.Errorf("reading checksum of %q: %w", s.path, err)
	}
	if want != s.Hash {
		return fmt.Errorf("reading archive %q: got sha256 %s, its %s says %s", s.path, s.Hash, manifests.ChecksumExt, want)
	}
	return nil
}
