package archive

import (
	"archive/tar"
	"iter"
	"maps"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/manifests"
)

// Layout is what an archive holds and what its descriptive files say. All names are
// below the top directory.
type Layout struct {
	Top   string            // the top directory, of the first member
	Files map[string]Member // regular files
	Dirs  map[string]bool   // directories, also those without an entry
	// Links are the targets of symbolic links, if [Facts.Symlinks] allows any.
	Links map[string]string
	// Copies are the links that lines of manifest.in name, each with the file that it
	// leads to, which install.sh installs in its place. A link in a directory that is
	// installed as a whole is no copy: it stays a link, wherever it leads.
	Copies map[string]string
	// Components are the usable names in the file components, in its order.
	Components []string
	// Lists are the usable lines of each component's manifest.in, in its order.
	Lists map[string]manifests.FileList
	// Problems of the top directory and of rust-installer's descriptive files;
	// [Facts] have those of the members.
	Problems
	found   collector
	targets map[string]target // of links that were followed
}

// Layout indexes the members and compares the descriptive files with them. A file
// that rustup would silently leave out, because no line of manifest.in names it,
// is a problem, too.
func (f *Facts) Layout() *Layout {
	l := &Layout{
		Files: map[string]Member{}, Dirs: map[string]bool{}, Links: map[string]string{}, Copies: map[string]string{}, targets: map[string]target{},
		Lists: map[string]manifests.FileList{},
	}
	l.index(f.Members, f.Symlinks)
	l.installerVersion(f.Texts)
	l.components(f.Texts)
	payload := l.payload()
	for _, c := range l.Components {
		l.list(c, payload[c], f.Texts)
	}
	l.conflicts()
	l.Problems = l.found.Problems
	return l
}

// problem notes a problem. The collector is not strict, so it returns no error.
func (l *Layout) problem(kind ProblemKind, format string, args ...any) {
	_ = l.found.add(kind, format, args...)
}

func (l *Layout) index(members []Member, links bool) {
	tops := map[string]bool{}
	for i, m := range members {
		top, rel, nested := strings.Cut(m.Name, "/")
		if i == 0 {
			l.Top = top
		}
		if !nested && !m.IsDir() {
			l.problem(ProblemTop, "%q lies outside a top directory", m.Name)
		} else if !tops[top] && top != l.Top {
			l.problem(ProblemTop, "got a second top directory %q, the first is %q", top, l.Top)
		}
		tops[top] = true
		if rel == "" {
			continue
		}
		switch {
		case m.IsFile():
			l.Files[rel] = m
		case m.IsDir():
			l.Dirs[rel] = true
		case links && m.Type == tar.TypeSymlink:
			l.Links[rel] = m.Link
		}
		// Where one is known, so are those above it.
		for i := strings.LastIndexByte(rel, '/'); i >= 0 && !l.Dirs[rel[:i]]; i = strings.LastIndexByte(rel[:i], '/') {
			l.Dirs[rel[:i]] = true
		}
	}
	if len(members) == 0 {
		l.problem(ProblemTop, "the archive is empty")
	}
}

func (l *Layout) installerVersion(texts map[string][]byte) {
	b, ok := texts[manifests.VersionFile]
	if !ok {
		l.problem(ProblemInstaller, "%s is missing", manifests.VersionFile)
	} else if err := manifests.ParseInstallerVersion(b); err != nil {
		l.problem(ProblemInstaller, "%w", err)
	} else if want := manifests.InstallerVersion + "\n"; string(b) != want {
		l.found.tolerate(ProblemInstaller, "got %q, want %q", b, want)
	}
}

// components reads the file components and compares it with the directories.
func (l *Layout) components(texts map[string][]byte) {
	b, ok := texts[manifests.ComponentsFile]
	if !ok {
		l.problem(ProblemComponents, "the file %s is missing", manifests.ComponentsFile)
	} else {
		l.Components = manifests.ReadComponentNames(b, func(p manifests.ListProblem) {
			l.problem(ProblemComponents, "%s:%d: %s", manifests.ComponentsFile, p.Line, p.Text)
		})
	}
	for _, name := range l.Components {
		if !l.Dirs[name] {
			l.problem(ProblemComponents, "component %q is listed, but has no directory", name)
		}
	}
	var unlisted []string
	for name := range l.Files {
		dir, ok := strings.CutSuffix(name, "/"+manifests.ManifestFile)
		if ok && !strings.Contains(dir, "/") && !slices.Contains(l.Components, dir) {
			unlisted = append(unlisted, dir)
		}
	}
	slices.Sort(unlisted)
	for _, dir := range unlisted {
		l.problem(ProblemComponents, "directory %q has a %s, but is not a listed component", dir, manifests.ManifestFile)
	}
}

// payload returns the sorted paths of the files and links of each top-level directory.
func (l *Layout) payload() map[string][]string {
	out := map[string][]string{}
	for _, names := range []iter.Seq[string]{maps.Keys(l.Files), maps.Keys(l.Links)} {
		for name := range names {
			if dir, path, ok := strings.Cut(name, "/"); ok && path != manifests.ManifestFile {
				out[dir] = append(out[dir], path)
			}
		}
	}
	for _, paths := range out {
		slices.Sort(paths)
	}
	return out
}

// listKinds maps the problems of a file list to those of an archive.
var listKinds = map[manifests.ListProblemKind]ProblemKind{
	manifests.ListSyntax:    ProblemManifest,
	manifests.ListEmpty:     ProblemManifest,
	manifests.ListPath:      ProblemManifestPath,
	manifests.ListDuplicate: ProblemManifestDuplicate,
	manifests.ListOrder:     ProblemManifestOrder,
}

// list reads the manifest.in of a component and compares it with its files.
func (l *Layout) list(component string, payload []string, texts map[string][]byte) {
	name := component + "/" + manifests.ManifestFile
	b, ok := texts[name]
	if !ok {
		if l.Dirs[component] {
			l.problem(ProblemManifest, "component %q has no %q", component, manifests.ManifestFile)
		}
		return
	}
	lines := manifests.ReadFileList(b, func(p manifests.ListProblem) {
		if p.Kind == manifests.ListOrder {
			l.found.tolerate(ProblemManifestOrder, "%s:%d: %s", name, p.Line, p.Text)
			return
		}
		l.problem(listKinds[p.Kind], "%s:%d: %s", name, p.Line, p.Text)
	})
	l.Lists[component] = lines
	listed, bulk := map[string]bool{}, map[string]bool{}
	for _, d := range lines {
		listed[d.Path] = true
		bulk[d.Path] = d.Kind == manifests.DirDirective
		l.directive(component, d)
	}
	for _, path := range payload {
		if !listed[path] && !inside(bulk, path) {
			l.problem(ProblemUnlisted, "%s: no line of %s names %q", component, manifests.ManifestFile, path)
		}
	}
}

// inside reports whether path lies below one of the directories.
func inside(dirs map[string]bool, path string) bool {
	for dir := range dist.Parents(path) {
		if dirs[dir] {
			return true
		}
	}
	return false
}

// directive compares a line with the member that it names.
func (l *Layout) directive(component string, d manifests.Directive) {
	name := component + "/" + d.Path
	_, isFile := l.Files[name]
	_, isLink := l.Links[name]
	switch isDir := l.Dirs[name]; {
	case isLink && d.Kind == manifests.DirDirective:
		l.problem(ProblemManifestKind, "%s: %s names a symbolic link", component, d)
	case isLink:
		l.copied(name)
	case isFile && d.Kind == manifests.DirDirective:
		l.problem(ProblemManifestKind, "%s: %s names a file", component, d)
	case isDir && d.Kind == manifests.FileDirective:
		l.problem(ProblemManifestKind, "%s: %s names a directory", component, d)
	case !isFile && !isDir:
		l.problem(ProblemAbsent, "%s: %s names no member", component, d)
	}
}

// conflicts finds paths that two components install.
func (l *Layout) conflicts() {
	owner := map[string]string{}
	for _, c := range l.Components {
		for _, d := range l.Lists[c] {
			if first, ok := owner[d.Path]; ok {
				l.problem(ProblemConflict, "%q belongs to %s and to %s", d.Path, first, c)
			}
			owner[d.Path] = c
		}
	}
}
