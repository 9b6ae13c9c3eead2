package install

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"x.go/manifests"
)

// Options say where to install. Empty fields have the defaults of install.sh, which
// are named beside them. A relative directory is below Prefix, as in the install
// section of bootstrap.toml.
type Options struct {
	// DestDir, if set, is the root of a staged installation: it goes before all
	// other directories. It must be absolute.
	DestDir    string
	Prefix     string // must be absolute; default /usr/local
	Bindir     string // for bin/*; default bin
	Libdir     string // for lib/*, with the records in Libdir/rustlib; default lib
	Sysconfdir string // for etc/*; default etc
	Datadir    string // for share/*; default share
	Mandir     string // for share/man/*; default DATADIR/man
	Docdir     string // for share/doc/NAME/*; default DATADIR/doc/NAME
	// RecordDestDir has the lists of installed files name them with DestDir before
	// them, as install.sh does. Without it they name the places where the files are
	// going to be.
	RecordDestDir bool
	// Uninstaller is the content of Libdir/rustlib/uninstall.sh; see
	// [dist.Package.Script]. If it is empty, there is no uninstaller.
	Uninstaller []byte
	// Waiting, if not nil, is called once if another process, holder, is installing to
	// the same place.
	Waiting func(holder string)
	// Progress, if not nil, is called now and then with the bytes written so far and
	// those to write in all, from any goroutine.
	Progress func(done, total int64)
	// Links allows symbolic links in components, as layouts of distributions have them.
	Links bool
	// Repair has [Run] restore what is installed: see there.
	Repair bool
	// LegacyManifestDirs are directories below Libdir, one path component each, in which
	// installers before version 2 left a file named manifest. What it lists is removed.
	// Default rustlib and cargo.
	LegacyManifestDirs []string

	// DryRun has nothing changed: the result says what would be, as if it had been done.
	DryRun bool

	// unlisted has components that have a list of files count as installed, even if the
	// list of components, damaged, does not name them.
	unlisted bool

	// fault, if not nil, is called before each change of the disk. If it returns an
	// error, the change fails with it.
	fault func(op, path string) error
}

// layout has the directories of [Options], absolute and with DestDir before them.
type layout struct {
	dest                                                        string // "" if not staged
	recordDest                                                  bool   // records have dest, too
	prefix, bindir, libdir, sysconfdir, datadir, mandir, docdir string
}

func (o Options) layout() (layout, error) {
	var errs []error
	for _, dir := range []string{o.DestDir, o.Prefix} {
		if dir != "" && !filepath.IsAbs(dir) {
			errs = append(errs, fmt.Errorf("got directory %q for the whole installation, want an absolute path", dir))
		}
	}
	prefix := cmp.Or(o.Prefix, "/usr/local")
	if o.DestDir == "" && filepath.Clean(prefix) == string(filepath.Separator) {
		errs = append(errs, errors.New("the prefix is the root directory: name a directory such as /usr/local, or stage below a directory"))
	}
	stage := func(dir, base, def string) string {
		dir = cmp.Or(dir, def)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(base, dir)
		}
		return dir
	}
	l := layout{
		prefix:     prefix,
		recordDest: o.RecordDestDir,
		bindir:     stage(o.Bindir, prefix, "bin"),
		libdir:     stage(o.Libdir, prefix, "lib"),
		sysconfdir: stage(o.Sysconfdir, prefix, "etc"),
		datadir:    stage(o.Datadir, prefix, "share"),
	}
	l.mandir = stage(o.Mandir, prefix, filepath.Join(l.datadir, "man"))
	if o.Docdir != "" {
		l.docdir = stage(o.Docdir, prefix, "")
	}
	if o.DestDir != "" {
		l.dest = filepath.Clean(o.DestDir)
	}
	for _, dir := range []*string{&l.prefix, &l.bindir, &l.libdir, &l.sysconfdir, &l.datadir, &l.mandir, &l.docdir} {
		if strings.ContainsAny(*dir, "\n\r") {
			errs = append(errs, fmt.Errorf("directory %q has a line break", *dir))
		}
		if *dir != "" {
			// Joining to the root first keeps a ".." from leaving the staging area.
			*dir = filepath.Join(l.dest, filepath.Join(string(filepath.Separator), *dir))
		}
	}
	return l, errors.Join(errs...)
}

// place returns the directory to name in messages.
func (o Options) place() string { return o.DestDir + cmp.Or(o.Prefix, "/usr/local") }

// base is the directory that most lies below.
func (l layout) base() string { return cmp.Or(l.dest, l.prefix) }

// final returns where a path is going to be, without the staging directory.
func (l layout) final(p string) string {
	if l.dest == "" {
		return p
	}
	if rel, ok := inside(l.dest, p); ok {
		return filepath.Join(string(filepath.Separator), rel)
	}
	return p
}

// inside returns file as seen from dir, if it is dir or below it. Both are clean.
func inside(dir, file string) (rel string, ok bool) {
	if rest, ok := strings.CutPrefix(file, dir); ok && len(rest) > 1 && rest[0] == filepath.Separator {
		return rest[1:], true // what Rel would say, which is slow for thousands of files
	}
	rel, err := filepath.Rel(dir, file)
	return rel, err == nil && filepath.IsLocal(rel)
}

// place is a clean path in two parts: a directory to open as an [os.Root], and the rest,
// with slashes, which is "." for the directory itself.
type place struct{ base, rel string }

// path returns the absolute path.
func (p place) path() string {
	const sep = string(filepath.Separator)
	switch {
	case p.rel == ".":
		return p.base
	case strings.HasSuffix(p.base, sep): // a root directory
		return p.base + filepath.FromSlash(p.rel)
	}
	return p.base + sep + filepath.FromSlash(p.rel)
}

// records returns the lines of an installed manifest for those of a component.
func (l layout) records(list manifests.FileList) []record {
	var out []record
	for _, d := range list {
		out = append(out, record{d.Kind, l.destination(d.Path)})
	}
	return out
}

// at returns the place of rel below dir. A staged installation has one root, and what
// is below the prefix has the prefix, so that no symbolic link in it can lead out.
func (l layout) at(dir, rel string) place {
	base := l.base()
	inBase, ok := inside(base, dir)
	if !ok {
		return place{dir, path.Clean(rel)}
	}
	return place{base, path.Join(filepath.ToSlash(inBase), rel)}
}

// destination returns the place of an image's entry called name.
func (l layout) destination(name string) place {
	dirs := []struct{ top, dir string }{
		{"bin", l.bindir}, {"lib", l.libdir}, {"etc", l.sysconfdir}, {"share/man", l.mandir}, {"share", l.datadir},
	}
	if rest, ok := strings.CutPrefix(name, "share/doc/"); ok && l.docdir != "" {
		if _, inside, ok := strings.Cut(rest, "/"); ok {
			return l.at(l.docdir, inside)
		}
	}
	for _, d := range dirs {
		if rest, ok := strings.CutPrefix(name, d.top+"/"); ok {
			return l.at(d.dir, rest)
		}
	}
	return l.at(l.prefix, name)
}

// recorded returns the path of p in the list of its component.
func (l layout) recorded(p place) string {
	if l.recordDest {
		return p.path()
	}
	return l.final(p.path())
}

// locate returns the place of an absolute path in the records of an earlier
// installation, or false if it is in none of the directories of l. In a staged one it
// may have the staging directory before it, as install.sh writes it.
func (l layout) locate(file string) (place, bool) {
	if l.dest != "" && !below(l.dest, file) {
		file = filepath.Join(l.dest, file)
	}
	bases := []string{l.prefix, l.bindir, l.libdir, l.sysconfdir, l.datadir, l.mandir, l.docdir}
	if l.dest != "" {
		bases = []string{l.dest}
	}
	for _, base := range bases {
		if base == "" {
			continue
		}
		if rel, ok := inside(base, filepath.Clean(file)); ok && rel != "." {
			return place{base, filepath.ToSlash(rel)}, true
		}
	}
	return place{}, false
}

// below reports whether a path lies below a directory.
func below(dir, file string) bool {
	rel, ok := inside(dir, filepath.Clean(file))
	return ok && rel != "."
}
