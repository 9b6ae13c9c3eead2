package inventory

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"x.go/bootstrap/marks"
	"x.go/dist"
	"x.go/dist/archive"
	"x.go/manifests"
	"x.go/targets"
)

// archives reads archives. Their programs are unpacked into a temporary directory, under
// names of ours.
func (s *set) archives(ctx context.Context, places []string, given marks.Given) error {
	var err error
	if s.temp, err = os.MkdirTemp("", "x-inventory-"); err != nil {
		return fmt.Errorf("creating a temporary directory: %w", err)
	}
	var record []byte
	for _, place := range places {
		a := &archiveReader{set: s, disk: map[string]string{}, ids: map[string]*idScanner{}}
		facts, layout, err := archive.Read(ctx, place, archive.ScanOptions{Sink: a.sink, Symlinks: true, Texts: []string{manifests.BuildRecordFile}})
		if err != nil {
			return err
		}
		if err := a.take(place, layout); err != nil {
			return err
		}
		if a.compiler {
			if err := s.archiveFacts(place, layout.Top, facts.Texts, given); err != nil {
				return err
			}
			record = facts.Texts[manifests.BuildRecordFile]
		}
	}
	if s.host.IsZero() {
		return fmt.Errorf("taking stock of %q: %w", places, errNoCompiler)
	}
	bin := "lib/rustlib/" + s.host.String() + "/bin/"
	var known []marks.Known
	s.spec, known, err = marks.Describe(s.host, s.version.Release, s.has(bin+"rust-lld", bin+"rust-lld.exe", bin+"gcc-ld/ld.lld", bin+"gcc-ld/ld.lld.exe"))
	s.known = append(s.known, known...)
	if err != nil || record == nil {
		return err
	}
	return s.parseRecord(record, nil)
}

// archiveFacts reads host and release of the archive with the compiler.
func (s *set) archiveFacts(place, top string, texts map[string][]byte, given marks.Given) error {
	name, err := manifests.FindName(top+manifests.GZ.Ext(), nil)
	if err != nil {
		name, err = manifests.FindName(filepath.Base(place), nil)
	}
	how := "the name of the archive with rustc"
	switch {
	case !given.Host.IsZero():
		s.host, how = given.Host, "--host"
	case err != nil:
		return fmt.Errorf("finding the host of %q: %w: give it with --host", place, err)
	default:
		s.host = name.Target
	}
	s.known = append(s.known, marks.Known{Fact: "host", Value: s.host.String(), How: how})
	how = "the file version of the archive with rustc"
	if s.version, err = manifests.ParseVersion(firstLine(texts["version"]), strings.TrimSpace(string(texts["git-commit-hash"]))); err != nil {
		if given.Release.IsZero() {
			return fmt.Errorf("finding the release of %q: %w: give it with --release", place, err)
		}
		s.version, how = manifests.Version{Release: given.Release}, "--release"
	}
	s.known = append(s.known, marks.Known{Fact: "release", Value: s.version.Release.String(), How: how})
	if s.version.CommitHash != "" {
		s.known = append(s.known, marks.Known{Fact: "commit", Value: s.version.CommitHash + " " + s.version.CommitDate, How: "the file git-commit-hash of the archive with rustc"})
	}
	return nil
}

// archiveReader reads one archive.
type archiveReader struct {
	set      *set
	disk     map[string]string // where members were unpacked to
	ids      map[string]*idScanner
	compiler bool
}

// sink unpacks programs and reads the metadata of crates.
func (a *archiveReader) sink(m archive.Member) (io.WriteCloser, error) {
	rel := archive.Below(m.Name)
	_, name, _ := strings.Cut(rel, "/")
	switch {
	case !m.IsFile():
	case crateFile.MatchString(path.Base(name)):
		scan := &idScanner{ids: map[string]bool{}}
		a.ids[rel] = scan
		return unclosed{scan}, nil
	case isProgram(name):
		to := filepath.Join(a.set.temp, strconv.Itoa(a.set.unpackedFiles))
		f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, fmt.Errorf("unpacking %q: %w", name, dist.WithoutPath(err))
		}
		a.set.unpackedFiles++
		a.disk[rel] = to
		return f, nil
	}
	return nil, nil
}

// unclosed is a writer with nothing to close.
type unclosed struct{ io.Writer }

// Close implements [io.Closer].
func (unclosed) Close() error { return nil }

// take adds the files of an archive to the set.
func (a *archiveReader) take(place string, l *archive.Layout) error {
	for _, component := range l.Components {
		prefix := component + "/"
		add := func(rel, content string) error {
			name, ok := strings.CutPrefix(rel, prefix)
			if !ok || name == manifests.ManifestFile {
				return nil
			}
			m := l.Files[content]
			f := &file{component: componentOf(component), exec: m.Mode&0o100 != 0, size: m.Size, digest: m.Digest, disk: a.disk[content], ids: map[string]bool{}}
			if scan := a.ids[content]; scan != nil {
				f.ids = scan.ids
			}
			if old := a.set.files[name]; old != nil && old.digest != f.digest {
				return fmt.Errorf("taking stock of %q: its %q is another than that of the archives before it: name archives of one release and host", place, name)
			}
			a.set.files[name] = f
			a.compiler = a.compiler || name == "bin/rustc" || name == "bin/rustc.exe"
			return nil
		}
		for rel := range l.Files {
			if err := add(rel, rel); err != nil {
				return err
			}
		}
		for rel, content := range l.Copies {
			if err := add(rel, content); err != nil {
				return err
			}
		}
	}
	return nil
}

// componentOf returns the archive name of a component's directory: "rust-std" of
// rust-std-x86_64-unknown-linux-gnu.
func componentOf(dir string) string {
	best := manifests.ComponentSpec{Archive: dir}
	for _, c := range manifests.Components() {
		rest, ok := strings.CutPrefix(dir, c.Package)
		if !ok || c.Package == "" || len(c.Package) < len(best.Package) {
			continue
		}
		if _, err := targets.ParseTriple(strings.TrimPrefix(rest, "-")); rest == "" || err == nil {
			best = c
		}
	}
	return best.Archive
}

func firstLine(text []byte) string {
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}
