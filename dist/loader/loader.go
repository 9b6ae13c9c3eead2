// Package loader finds the libraries that the ELF files of a tree need, as the
// dynamic loader does: by the search path of the file, by that of what loaded it,
// then in the directories of the system (ld.so(8)).
//
// A tree is judged for two places at once. Found by "$ORIGIN", a library is found
// wherever the tree lies. Found by an absolute path, or because the tree is meant to
// be the system's /usr, it is found only where the tree was installed.
package loader

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist/linkage"
)

// Tree is a tree of files. Names in it are slash paths below its root.
type Tree struct {
	// Root is the absolute path of the tree; "" if it does not lie on a disk. An
	// absolute search path counts as inside if it is below Root, or if it would be
	// once a staged tree, as /build/staging/usr, is at its place.
	Root string
	// ELF describes the ELF file of that name, links followed. ok is false if the
	// tree has none.
	ELF func(name string) (info linkage.Info, ok bool)
	// SystemDirs are the directories of the tree that the loader would search if the
	// tree were /usr, in order; see [IsSystemDir].
	SystemDirs []string
}

// How says where a library is.
type How int

// The places of libraries.
const (
	Absent  How = iota // not in the tree: the system has to bring it
	Outside            // an absolute search path leads to it, outside of the tree
	Fixed              // in the tree, but found only where the tree is installed
	Moves              // in the tree, found wherever that is
)

// Need is a library that an ELF file needs.
type Need struct {
	File    string // that needs it
	Library string // as DT_NEEDED has it
	How     How
	At      string // its name in the tree; the absolute path if How is Outside
	// Entry is the entry of the search path that led there; "" where a directory of the
	// system did.
	Entry string
}

// IsSystemDir reports whether the loader of some system searches a directory of /usr:
// lib64 of Fedora, openSUSE and Arch, lib/x86_64-linux-gnu of Debian.
func IsSystemDir(dir string) bool {
	if parent, name := path.Split(dir); parent == "lib/" {
		return strings.Contains(name, "-linux-")
	}
	return slices.Contains([]string{"lib", "lib64", "lib32", "libx32"}, dir)
}

// Own reports whether a library is by its name a part of one build of Rust, which no
// other software brings: the compiler, the dynamic standard library, and the LLVM
// built for them.
func Own(library string) bool {
	if strings.HasPrefix(library, "libLLVM") {
		return strings.Contains(library, "-rust-")
	}
	return strings.Contains(library, ".so") && slices.ContainsFunc([]string{"librustc_driver-", "librustc-", "libstd-", "libtest-", "libproc_macro-"},
		func(prefix string) bool { return strings.HasPrefix(library, prefix) })
}

// commonLibraries are the libraries that hosts of Rust have: those of the C library,
// of the unwinder that each dynamic Rust program needs, and zlib, which the official
// rust-lld needs. One that ends in "." is a prefix.
var commonLibraries = []string{
	"libc.", "libm.", "libdl.", "librt.", "libpthread.", "libutil.", "libresolv.", "libthr.", "libgcc_s.", "libatomic.", "libz.so.1", "libexecinfo.",
	"ld.", "ld-linux.", "ld64.", "linux-vdso.",
}

// Common reports whether every host of a Rust toolchain has the library.
func Common(library string) bool {
	return strings.HasPrefix(library, "ld-linux") || strings.HasPrefix(library, "ld-musl") ||
		slices.ContainsFunc(commonLibraries, func(c string) bool {
			return library == c || strings.HasSuffix(c, ".") && strings.HasPrefix(library, c)
		})
}

// officialDefects are faults of the official toolchains, which nobody who packages
// them can repair.
var officialDefects = []struct{ program, library, why string }{
	// Its RUNPATH is $ORIGIN/../lib, where only the component llvm-tools puts
	// libLLVM: seen in 1.95.0 and 1.97.0-nightly, rust-objcopy does not start
	// without it. rustc runs it only to strip for Apple and AIX targets.
	{"rust-objcopy", "libLLVM", "rust-objcopy does not find libLLVM without llvm-tools: official builds are so"},
}

// OfficialDefect says why a need that does not hold is no fault of who packaged the
// toolchain, or returns "".
func OfficialDefect(n Need) string {
	for _, d := range officialDefects {
		if path.Base(n.File) == d.program && strings.HasPrefix(n.Library, d.library) {
			return d.why
		}
	}
	return ""
}

// Search returns the search path of a file of the tree. dirs are its directories
// below the root, relative to "$ORIGIN"; bad are the entries that are not, or that
// lead outside.
func Search(name string, info linkage.Info) (dirs, bad []string) {
	for _, e := range entries(info) {
		if dir, ok := originDir(name, e); ok {
			dirs = append(dirs, dir)
		} else {
			bad = append(bad, e)
		}
	}
	return dirs, bad
}

// entries returns the search path that counts: DT_RPATH does only without a
// DT_RUNPATH.
func entries(info linkage.Info) []string {
	if len(info.RunPath) > 0 {
		return info.RunPath
	}
	return info.RPath
}

// SearchText says in words which search path a file has that does not lead to a library:
// "no RUNPATH", or its entries.
func SearchText(info linkage.Info) string {
	tag := "RUNPATH"
	if len(info.RunPath) == 0 {
		tag = "RPATH"
	}
	if e := entries(info); len(e) > 0 {
		return fmt.Sprintf("the %s %q, which does not lead there", tag, strings.Join(e, ":"))
	}
	return "no RUNPATH"
}

// originDir resolves an entry of the search path of name.
func originDir(name, entry string) (dir string, ok bool) {
	rest, ok := strings.CutPrefix(entry, "$ORIGIN")
	if !ok {
		rest, ok = strings.CutPrefix(entry, "${ORIGIN}")
	}
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	dir = path.Join(path.Dir(name), rest)
	return dir, dir != ".." && !strings.HasPrefix(dir, "../")
}

// loaded is a file that a program has loaded.
type loaded struct {
	name  string
	info  linkage.Info
	rpath []rpath // of what loaded it, the nearest first
}

// rpath is the DT_RPATH of a file, which also counts for what that file loads.
type rpath struct {
	name    string
	entries []string
}

// Needs returns what an ELF file and the libraries that it loads need, in the order
// in which the loader looks. A library that is found is in the result once: the loader
// does not look again for what it has loaded.
func (t Tree) Needs(program string) []Need {
	info, ok := t.ELF(program)
	if !ok {
		return nil
	}
	var needs []Need
	known := map[string]bool{info.SOName: true} // names that were asked for and found
	seen := map[string]bool{program: true}
	queue := []loaded{{program, info, nil}}
	for len(queue) > 0 {
		f := queue[0]
		queue = queue[1:]
		for _, library := range f.info.Needed {
			if known[library] {
				continue
			}
			how, at, entry, found := t.find(f, library)
			needs = append(needs, Need{f.name, library, how, at, entry})
			if how != Fixed && how != Moves {
				continue
			}
			known[library] = true
			if !seen[at] {
				seen[at] = true
				queue = append(queue, loaded{at, found, f.passes()})
			}
		}
	}
	return needs
}

// passes returns the DT_RPATHs that count for what f loads.
func (f loaded) passes() []rpath {
	if len(f.info.RunPath) > 0 || len(f.info.RPath) == 0 {
		return f.rpath
	}
	return append([]rpath{{f.name, f.info.RPath}}, f.rpath...)
}

// find looks for a library that f needs. entry is the entry of the search path that
// leads to it.
func (t Tree) find(f loaded, library string) (how How, at, entry string, info linkage.Info) {
	if strings.Contains(library, "/") {
		return Absent, "", "", linkage.Info{}
	}
	paths := []rpath{{f.name, entries(f.info)}}
	if len(f.info.RunPath) == 0 {
		paths = append(paths, f.rpath...)
	}
	for _, p := range paths {
		for _, entry := range p.entries {
			if how, at, info := t.inEntry(f, p.name, entry, library); how != Absent {
				return how, at, entry, info
			}
		}
	}
	for _, dir := range t.SystemDirs {
		if info, ok := t.fits(f, dir, library); ok {
			return Fixed, path.Join(dir, library), "", info
		}
	}
	return Absent, "", "", linkage.Info{}
}

// inEntry looks for a library in one entry of the search path of the file name.
func (t Tree) inEntry(f loaded, name, entry, library string) (How, string, linkage.Info) {
	if dir, ok := originDir(name, entry); ok {
		if info, ok := t.fits(f, dir, library); ok {
			return Moves, path.Join(dir, library), info
		}
		return Absent, "", linkage.Info{}
	}
	for _, dir := range t.inside(entry) {
		if info, ok := t.fits(f, dir, library); ok {
			return Fixed, path.Join(dir, library), info
		}
	}
	if filepath.IsAbs(entry) && t.Root != "" {
		outside := filepath.Join(entry, library)
		if fi, err := os.Stat(outside); err == nil && fi.Mode().IsRegular() {
			return Outside, outside, linkage.Info{}
		}
	}
	return Absent, "", linkage.Info{}
}

// fits looks for a library that f can load: one for another machine is passed over.
func (t Tree) fits(f loaded, dir, library string) (linkage.Info, bool) {
	info, ok := t.ELF(path.Join(dir, library))
	return info, ok && info.Machine == f.info.Machine && info.Class == f.info.Class && info.Data == f.info.Data
}

// inside returns the directories of the tree that an absolute entry may stand for:
// one below the root, and those where it leads once the tree is at its place.
func (t Tree) inside(entry string) []string {
	if t.Root == "" || !filepath.IsAbs(entry) {
		return nil
	}
	entry = filepath.Clean(entry)
	var dirs []string
	for _, p := range []string{entry, resolved(entry)} {
		if rel, err := filepath.Rel(t.Root, p); err == nil && filepath.IsLocal(rel) {
			dirs = append(dirs, filepath.ToSlash(rel))
		}
	}
	for prefix := filepath.Dir(entry); len(prefix) > 1; prefix = filepath.Dir(prefix) {
		if strings.HasSuffix(t.Root, prefix) {
			rel, err := filepath.Rel(prefix, entry)
			if err == nil {
				dirs = append(dirs, filepath.ToSlash(rel))
			}
		}
	}
	return slices.Compact(dirs)
}

// resolved follows the links of a path; one that leads nowhere stays as it is.
func resolved(p string) string {
	if real, err := filepath.EvalSymlinks(p); err == nil {
		return real
	}
	return p
}

// StandardInterpreter reports whether a program's interpreter is where systems have
// it. Nix and Guix have it in their store: the program runs only where that is.
func StandardInterpreter(p string) bool {
	dir := path.Dir(p)
	return p == "" || slices.Contains([]string{"/lib", "/lib64", "/lib32", "/libx32", "/usr/lib", "/usr/lib64", "/libexec", "/usr/libexec"}, dir) ||
		strings.HasPrefix(dir, "/lib/") || strings.HasPrefix(dir, "/usr/lib/")
}
