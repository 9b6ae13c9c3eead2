package inspect

import (
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"x.go/dist/linkage"
	"x.go/dist/loader"
)

// system is where libraries are looked for. Several goroutines may ask it.
type system struct {
	root  string // what stands for /; "" for / itself
	glibc []string
	known sync.Map // name to func() *library
}

// library is a file that a name leads to.
type library struct {
	path string // on disk
	info linkage.Info
	ok   bool // it is an ELF file

	once    sync.Once
	defined []string // versions
	failed  bool

	reading sync.Once
	symbols map[string]providedSymbol
}

func newSystem(root string) *system {
	if root != "" {
		if real, err := filepath.EvalSymlinks(root); err == nil {
			root = real
		}
		if abs, err := filepath.Abs(root); err == nil {
			root = abs
		}
	}
	if root == "/" {
		root = ""
	}
	s := &system{root: root}
	s.glibc = s.glibcDirs()
	return s
}

// disk returns where a name below / is.
func (s *system) disk(name string) string {
	if s.root == "" {
		return "/" + name
	}
	return loader.InRoot(s.root, name)
}

// glibcDirs are the directories that glibc's loader searches: those of ld.so.conf, then
// those that are built in, which depend on the distribution.
func (s *system) glibcDirs() []string {
	dirs := loader.ConfDirs(s.disk, "etc/ld.so.conf")
	dirs = append(dirs, "lib64", "usr/lib64", "lib", "usr/lib", "lib32", "usr/lib32", "libx32", "usr/libx32")
	for _, parent := range []string{"lib", "usr/lib"} {
		entries, _ := os.ReadDir(s.disk(parent))
		for _, e := range entries {
			if strings.Contains(e.Name(), "-linux-") && !strings.Contains(e.Name(), "-musl") {
				dirs = append(dirs, path.Join(parent, e.Name()))
			}
		}
	}
	return unique(dirs)
}

// unique keeps the first of equal strings.
func unique(list []string) []string {
	var out []string
	for _, v := range list {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// dirs are the directories that the loader of a file searches.
func (s *system) dirs(f *File) []string {
	arch, ok := muslArch(f)
	if !ok {
		return s.glibc
	}
	if dirs := loader.ConfDirs(s.disk, "etc/ld-musl-"+arch+".path"); len(dirs) > 0 {
		return dirs
	}
	return []string{"lib", "usr/local/lib", "usr/lib"}
}

// muslArch is musl's name of the machine of a file that needs musl.
func muslArch(f *File) (string, bool) {
	name := path.Base(f.Interpreter)
	for _, l := range f.Needed {
		if rest, ok := strings.CutPrefix(l.Name, "libc.musl-"); ok {
			name = "ld-musl-" + rest
		}
	}
	name, ok := strings.CutPrefix(name, "ld-musl-")
	return strings.TrimSuffix(name, ".so.1"), ok
}

// look returns what a name below / leads to.
func (s *system) look(name string) *library {
	read, _ := s.known.LoadOrStore(name, sync.OnceValue(func() *library {
		l := &library{path: s.disk(name)}
		f, _, err := open(l.path)
		if err != nil {
			return l
		}
		defer f.Close()
		if l.info, err = linkage.ReadLoaded(f); err == nil {
			l.ok = true
		}
		return l
	}))
	return read.(func() *library)()
}

// resolve finds the libraries of a linked file, and those that they need.
func (s *system) resolve(f *File) {
	if len(f.Needed) == 0 {
		return
	}
	name, ok := s.nameOf(f.Path)
	if !ok {
		return
	}
	tree := loader.Tree{Root: "/", SystemDirs: s.dirs(f), ELF: func(at string) (linkage.Info, bool) {
		if at == name { // it may lie outside of the root
			return f.info, true
		}
		l := s.look(at)
		return l.info, l.ok
	}}
	direct := map[string]*library{}
	var needed []Library
	for _, n := range tree.Needs(name) {
		how, at := s.place(f, n)
		l := Library{Name: n.Library, How: how}
		if at != "" {
			l.Path = s.disk(at)
		}
		if n.File != name {
			l.By = path.Base(n.File)
		} else if at != "" {
			direct[n.Library] = s.look(at)
		}
		if at == "" || l.By == "" {
			needed = append(needed, l)
		}
	}
	f.Needed = needed
	f.compareVersions(direct)
}

// place says by what the loader of f finds a library, and its name below /.
func (s *system) place(f *File, n loader.Need) (How, string) {
	switch {
	case n.How == loader.Moves:
		return ByOrigin, n.At
	case n.How == loader.Fixed && n.Entry != "":
		return ByRunPath, n.At
	case n.How == loader.Fixed:
		return BySystem, n.At
	}
	how, at := ByPath, n.Library
	if _, musl := muslArch(f); musl && isMuslLibrary(n.Library) {
		how, at = BySystem, f.Interpreter
	}
	if rest, ok := strings.CutPrefix(path.Clean(at), "/"); ok && s.look(rest).ok {
		return how, rest
	}
	if !s.runs(f) {
		return Unknown, ""
	}
	return Missing, ""
}

// isMuslLibrary reports whether musl's loader is the library itself.
func isMuslLibrary(name string) bool {
	base, _, _ := strings.Cut(name, ".")
	return strings.HasPrefix(name, "libc.musl-") ||
		slices.Contains([]string{"libc", "libpthread", "librt", "libm", "libdl", "libutil", "libxnet"}, base) && strings.HasSuffix(name, ".so")
}

// nameOf is the name below the root of a file on disk. One outside is taken as if it lay
// at the same place inside.
func (s *system) nameOf(file string) (string, bool) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return "", false
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	if s.root != "" {
		if rel, err := filepath.Rel(s.root, abs); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel), true
		}
	}
	return strings.TrimPrefix(filepath.ToSlash(abs), "/"), true
}

// hostMachines are the machines whose programs a system runs, by Go's name of it.
var hostMachines = map[string]string{
	"386": "i386", "amd64": "x86_64", "arm": "arm", "arm64": "aarch64", "loong64": "loongarch64", "ppc64": "powerpc64",
	"ppc64le": "powerpc64le", "riscv64": "riscv64", "s390x": "s390x", "mips64": "mips64", "mips64le": "mips64el",
}

// runs reports whether the file is for the system that is searched: a library that is
// not there is missing, then. A root that was named is the right one.
func (s *system) runs(f *File) bool {
	if s.root != "" {
		return true
	}
	if runtime.GOOS != "linux" || hostMachines[runtime.GOARCH] != f.Machine {
		return false
	}
	return f.Interpreter == "" || s.look(strings.TrimPrefix(f.Interpreter, "/")).ok
}
