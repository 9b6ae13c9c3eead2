package toolchain

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/dist/linkage"
	"x.go/dist/loader"
	"x.go/targets"
)

// libraries adds the toolchain's own libraries that its programs find in other places
// than those of the table of owners: lib/x86_64-linux-gnu of Debian, lib64 of Fedora,
// the directory that a search path names.
func (r *inputReader) libraries() {
	files := r.elfFiles()
	tree := loader.Tree{Root: r.tc.Sysroot, ELF: files.describe, SystemDirs: files.systemDirs(r.tc.Sysroot)}
	needed := map[string][]int{} // components, by the library's name in the tree
	reached := map[string]bool{}
	for i, c := range r.in.Components {
		if !forHost(c, r.tc.Host) {
			continue
		}
		for e := range c.Image.Entries() {
			if !mayNeed(e.Name, r.tc.Host) {
				continue
			}
			for _, n := range tree.Needs(r.inTree(e.Name)) {
				reached[n.At] = true
				if at := r.placed(e.Name, n); r.owned[at] == "" && r.takes(n) && !slices.Contains(needed[at], i) {
					needed[at] = append(needed[at], i)
				}
			}
		}
	}
	for name, by := range needed {
		r.addLibrary(name, by)
	}
	r.dropOtherReleases(reached)
}

// inTree returns where the sysroot has a file of an archive, as a slash path.
func (r *inputReader) inTree(name string) string {
	rel, err := filepath.Rel(r.tc.Sysroot, r.path(name))
	if err != nil {
		return name
	}
	return filepath.ToSlash(rel)
}

// placed returns where a library must be in an archive for a program of it. One that a
// program in rustlib finds from its own place moves with rustlib.
func (r *inputReader) placed(program string, n loader.Need) string {
	if at := r.tc.archived(n.At); at != n.At || n.How != loader.Moves || r.inTree(program) == program {
		return at
	}
	if rest, ok := strings.CutPrefix(n.At, r.tc.libdir+"/"); ok {
		return "lib/" + rest
	}
	return n.At
}

// takes reports whether a library that is needed belongs to the toolchain. In a sysroot of its own that is every library that a search
// path leads to; what only the system's directories lead to may be the system's.
func (r *inputReader) takes(n loader.Need) bool {
	if n.How != loader.Fixed && n.How != loader.Moves {
		return false
	}
	if loader.Own(n.Library) {
		return true
	}
	return !r.shared && (n.How == loader.Moves || !loader.IsSystemDir(path.Dir(n.At))) && !loader.Common(n.Library)
}

// addLibrary gives a library to the one component that needs it. If several do, it is
// rustc's, which they all need.
func (r *inputReader) addLibrary(name string, by []int) {
	i := by[0]
	if len(by) > 1 {
		if k := slices.IndexFunc(r.in.Components, func(c InputComponent) bool { return c.Spec.Archive == "rustc" }); k >= 0 {
			i = k
		}
	}
	c := &r.in.Components[i]
	if !r.claim(name, c.Spec.Archive) {
		return
	}
	r.in.Unowned = slices.DeleteFunc(r.in.Unowned, func(u string) bool { return u == name })
	if err := r.addFile(&c.Image, name); err != nil {
		c.Broken = append(c.Broken, Broken{name, err})
	}
}

// dropOtherReleases takes out the libraries in lib of a shared sysroot that belong to
// another release of Rust than this one.
func (r *inputReader) dropOtherReleases(reached map[string]bool) {
	if !r.shared {
		return
	}
	for i := range r.in.Components {
		c := &r.in.Components[i]
		driver := false
		for e := range c.Image.Entries() {
			driver = driver || reached[e.Name] && strings.HasPrefix(e.Name, "lib/librustc_driver-")
		}
		if !driver {
			continue
		}
		for e := range c.Image.Clone().Entries() {
			if path.Dir(e.Name) == "lib" && loader.Own(path.Base(e.Name)) && !reached[e.Name] {
				c.Image = c.Image.Filter(func(f dist.Entry) bool { return f.Name != e.Name })
			}
		}
	}
}

// elfFiles describes ELF files of the sysroot, each once.
type elfFiles struct {
	path func(name string) (string, bool)
	seen map[string]*linkage.Info
}

// elfFiles returns the files of the sysroot.
func (r *inputReader) elfFiles() elfFiles {
	return elfFiles{seen: map[string]*linkage.Info{}, path: func(name string) (string, bool) {
		p := r.path(name)
		fi, err := os.Stat(p)
		return p, err == nil && fi.Mode().IsRegular()
	}}
}

// describe returns what the ELF file of a name says of itself.
func (f elfFiles) describe(name string) (linkage.Info, bool) {
	info, known := f.seen[name]
	if !known {
		if p, ok := f.path(name); ok {
			if read, err := linkage.ReadFile(p); err == nil {
				info = &read
			}
		}
		f.seen[name] = info
	}
	if info == nil {
		return linkage.Info{}, false
	}
	return *info, true
}

// systemDirs returns the directories of a sysroot that the loader would search if it
// were /usr. One that is a link to another is that other.
func (f elfFiles) systemDirs(sysroot string) []string {
	var dirs []string
	for _, pattern := range []string{"lib/*-linux-*", "lib64", "lib", "lib32", "libx32"} {
		found, err := fs.Glob(os.DirFS(sysroot), pattern)
		if err != nil {
			continue
		}
		for _, dir := range found {
			real, err := filepath.EvalSymlinks(filepath.Join(sysroot, filepath.FromSlash(dir)))
			if err != nil {
				continue
			}
			if rel, err := filepath.Rel(sysroot, real); err == nil && filepath.IsLocal(rel) {
				dir = filepath.ToSlash(rel)
			}
			if !slices.Contains(dirs, dir) {
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs
}

// forHost reports whether a component holds programs of the host.
func forHost(c InputComponent, host targets.Triple) bool {
	return c.Target == host || c.Target.IsZero()
}

// mayNeed reports whether a file of a component can need libraries that the toolchain
// has to bring: programs, and what they load. Libraries for linked programs, and
// those of other targets, are none.
func mayNeed(name string, host targets.Triple) bool {
	if rest, ok := strings.CutPrefix(name, "lib/rustlib/"); ok {
		target, rest, _ := strings.Cut(rest, "/")
		return target == host.String() && (strings.HasPrefix(rest, "bin/") || strings.HasPrefix(rest, "codegen-backends/"))
	}
	top, _, _ := strings.Cut(name, "/")
	return top == "bin" || top == "libexec" || strings.HasPrefix(top, "lib") && strings.Contains(path.Base(name), ".so")
}

// Libraries are what the programs of a toolchain need beside its own files.
type Libraries struct {
	// System holds the libraries that the machine has to bring, beside those of
	// [loader.Common], with the files that need them, sorted.
	System map[string][]string
	// Fixed holds the programs that find their own libraries, or run at all, only
	// where the toolchain was installed, with the reason.
	Fixed map[string]string
	// missing are own libraries that are nowhere, by the file that needs them.
	missing map[string][]loader.Need
}

// ReadLibraries finds out what the components need that they do not hold themselves.
// It looks at them as they are going to be packaged.
func (tc Toolchain) ReadLibraries(components []InputComponent) Libraries {
	paths := map[string]string{}
	for _, c := range components {
		for e := range c.Image.Entries() {
			if p := e.Path(); p != "" && !e.IsDir() {
				paths[e.Name] = p
			}
		}
	}
	files := elfFiles{seen: map[string]*linkage.Info{}, path: func(name string) (string, bool) { p, ok := paths[name]; return p, ok }}
	l := librarian{tc: tc, files: files, out: Libraries{System: map[string][]string{}, Fixed: map[string]string{}, missing: map[string][]loader.Need{}}}
	l.tree = loader.Tree{Root: tc.Sysroot, ELF: files.describe}
	for name := range paths {
		if dir := path.Dir(name); loader.IsSystemDir(dir) && !slices.Contains(l.tree.SystemDirs, dir) {
			l.tree.SystemDirs = append(l.tree.SystemDirs, dir)
		}
	}
	slices.Sort(l.tree.SystemDirs)
	for _, c := range components {
		if !forHost(c, tc.Host) {
			continue
		}
		for e := range c.Image.Entries() {
			if mayNeed(e.Name, tc.Host) {
				l.program(e.Name)
			}
		}
	}
	for _, by := range l.out.System {
		slices.Sort(by)
	}
	return l.out
}

// librarian collects Libraries.
type librarian struct {
	tc    Toolchain
	files elfFiles
	tree  loader.Tree
	out   Libraries
}

// program adds what one ELF file needs. What it loads is judged with it, and once
// more by itself, since other programs may load that, too; only a program is fixed to
// a place.
func (l *librarian) program(name string) {
	info, ok := l.files.describe(name)
	if !ok {
		return
	}
	program := info.Interpreter != "" && info.Kind != linkage.Shared
	if program && !loader.StandardInterpreter(info.Interpreter) {
		l.out.Fixed[name] = fmt.Sprintf("its interpreter is %q", info.Interpreter)
	}
	for _, n := range l.tree.Needs(name) {
		switch {
		case loader.OfficialDefect(n) != "":
		case n.How == loader.Moves:
		case n.How == loader.Fixed && program:
			if l.out.Fixed[name] == "" {
				l.out.Fixed[name] = l.fixed(name, n)
			}
		case n.How == loader.Fixed:
		case loader.Own(n.Library):
			if program && !slices.Contains(l.out.missing[name], n) {
				l.out.missing[name] = append(l.out.missing[name], n)
			}
		case !loader.Common(n.Library) && !slices.Contains(l.out.System[n.Library], n.File):
			l.out.System[n.Library] = append(l.out.System[n.Library], n.File)
		}
	}
}

// fixed says why a library of a program is found only at one place.
func (l *librarian) fixed(program string, n loader.Need) string {
	info, _ := l.files.describe(n.File)
	who := "it"
	if n.File != program {
		who = fmt.Sprintf("%q, which it loads,", n.File)
	}
	return fmt.Sprintf("%s needs %q, which is in %q, and has %s", who, n.Library, path.Dir(n.At), loader.SearchText(info))
}
