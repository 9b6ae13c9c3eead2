package verify

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
	"unicode"

	"x.go/manifests"
)

// layout is what the checks of one archive learn of its tree, by names below
// the top folder.
type layout struct {
	files      map[string]member
	dirs       map[string]bool
	components []string
	// listed are the manifest lines of each component, in order.
	listed map[string][]directive
}

// directive is one line of a manifest.in.
type directive struct {
	kind string // "file" or "dir"
	path string
}

// bareChecks are the checks of an archive without components: of sources. It
// may hold symbolic links and any permissions of its tree.
var bareChecks = []string{archiveTarEnd, archiveTop, archiveName, archiveOwner, archiveDuplicate, archiveOrder}

// checkArchive judges the members of a. Every finding is reported, whatever
// else is wrong. bare says that it is an archive of sources.
func checkArchive(a *scanned, bare bool) *layout {
	s := a.subject
	for _, c := range staticTable {
		if strings.HasPrefix(c.Name, "archive/") && c.Name != archiveChecksum && c.Name != archiveRecord && (!bare || slices.Contains(bareChecks, c.Name)) {
			s.declare(c.Name)
		}
	}
	checkMembers(a, bare)
	l := a.layout()
	checkTop(a)
	if !bare {
		checkInstaller(a, l)
		checkComponents(a, l)
		checkRecord(a, l)
		for _, c := range l.components {
			checkManifest(a, l, c)
		}
		checkConflicts(a, l)
		checkExecutables(a, l)
	}
	if !a.complete {
		// What was not read cannot be judged: only findings stand.
		for _, name := range s.names {
			if strings.HasPrefix(name, "archive/") && !s.failed(name) && name != archiveFormat {
				s.skipf(name, "the archive could not be read to its end")
			}
		}
	}
	return l
}

// checkMembers judges each member by itself and its place in the order.
func checkMembers(a *scanned, bare bool) {
	s := a.subject
	seen := map[string]bool{}
	dirs := map[string]bool{}
	filled := map[string]bool{} // folders that a member was seen in
	var dirTime, fileTime *time.Time
	for _, m := range a.members {
		if why := badMemberName(m.name); why != "" {
			s.failf(archiveName, "%q: %s", m.name, why)
		}
		switch {
		case bare:
		case !m.isFile() && !m.isDir():
			s.failf(archiveKind, "%q is %s", m.name, kindName(m.typ))
		case m.isDir() && m.mode != 0o755, m.isFile() && m.mode != 0o755 && m.mode != 0o644:
			s.failf(archiveMode, "%q has mode %04o", m.name, m.mode)
		}
		if m.uid != 0 || m.gid != 0 || m.owner != "" {
			s.failf(archiveOwner, "%q belongs to %d:%d %s", m.name, m.uid, m.gid, m.owner)
		}
		first := &fileTime
		if m.isDir() {
			first = &dirTime
		}
		if *first == nil {
			*first = &m.modTime
		} else if !bare && !m.modTime.Equal(**first) {
			s.failf(archiveTime, "%q has time %s, others have %s", m.name, m.modTime.UTC().Format(time.RFC3339), (*first).UTC().Format(time.RFC3339))
		}
		if seen[m.name] {
			s.failf(archiveDuplicate, "%q comes twice", m.name)
		}
		seen[m.name] = true
		checkOrder(a, m, dirs, filled)
	}
}

// checkOrder demands each folder once, before its content and after its
// parent: rustup warns of a missing one and panics at a late one.
func checkOrder(a *scanned, m member, dirs, filled map[string]bool) {
	if m.isDir() {
		if filled[m.name] {
			a.subject.failf(archiveOrder, "folder %q comes after something inside it", m.name)
		}
		dirs[m.name] = true
	}
	for i := len(m.name) - 1; i > 0; i-- {
		if m.name[i] != '/' {
			continue
		}
		parent := m.name[:i]
		if filled[parent] {
			break // reported before
		}
		filled[parent] = true
		if !dirs[parent] {
			a.subject.failf(archiveOrder, "%q comes before its folder %q", m.name, parent)
		}
	}
}

// badMemberName says why rustup, tar or a file system would misread the name.
func badMemberName(name string) string {
	switch {
	case name == "":
		return "empty"
	case strings.HasPrefix(name, "/"):
		return "absolute"
	case strings.HasPrefix(name, "./") || name == ".":
		return `begins with "./", which rustup counts as the top folder`
	case slices.Contains(strings.Split(name, "/"), ".."):
		return `has ".."`
	case strings.ContainsRune(name, '\\'):
		return "has a backslash"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "has a control character"
	case len(name) > maxNameLen:
		return "too long"
	case !fs.ValidPath(name):
		return "not a clean UTF-8 path"
	}
	return ""
}

func kindName(typ byte) string {
	names := map[byte]string{
		'1': "a hard link", '2': "a symbolic link", '3': "a character device", '4': "a block device",
		'6': "a fifo", 'g': "a global PAX header", 'S': "a sparse file",
	}
	if n, ok := names[typ]; ok {
		return n
	}
	return fmt.Sprintf("of tar type %q", typ)
}

// layout indexes the members by their names below the top folder.
func (a *scanned) layout() *layout {
	l := &layout{files: map[string]member{}, dirs: map[string]bool{}, listed: map[string][]directive{}}
	for _, m := range a.members {
		rel := a.below(m.name)
		if rel == "" {
			continue
		}
		if m.isFile() {
			l.files[rel] = m
		} else if m.isDir() {
			l.dirs[rel] = true
		}
		for i, c := range rel {
			if c == '/' {
				l.dirs[rel[:i]] = true
			}
		}
	}
	return l
}

// checkTop judges the top folder.
func checkTop(a *scanned) {
	s := a.subject
	tops := map[string]bool{}
	for _, m := range a.members {
		top, _, nested := strings.Cut(m.name, "/")
		if !nested && !m.isDir() {
			s.failf(archiveTop, "%q lies outside a top folder", m.name)
			continue
		}
		if !tops[top] && top != a.stem {
			s.failf(archiveTop, "got top folder %q, want %q", top, a.stem)
		}
		tops[top] = true
	}
	if len(a.members) == 0 {
		s.failf(archiveTop, "the archive is empty")
	}
}

// checkInstaller judges rust-installer's own files in the top folder.
func checkInstaller(a *scanned, l *layout) {
	s := a.subject
	if b, ok := a.texts["rust-installer-version"]; !ok {
		s.failf(archiveInstaller, "rust-installer-version is missing")
	} else if string(b) != "3\n" {
		s.failf(archiveInstaller, `got %.40q, want "3\n"`, b)
	}
	if m, ok := l.files["install.sh"]; !ok {
		s.failf(archiveScript, "install.sh is missing")
	} else if m.mode&0o100 == 0 {
		s.failf(archiveScript, "install.sh has mode %04o, want 0755", m.mode)
	}
	if b, ok := a.texts["version"]; !ok {
		s.failf(archiveVersion, "the file version is missing")
	} else if text := strings.TrimSuffix(string(b), "\n"); text == "" || strings.ContainsFunc(text, unicode.IsControl) {
		s.failf(archiveVersion, "got %.80q in the file version, want one line", b)
	}
}

// overlayFiles are the files beside the components that are not documents.
var overlayFiles = []string{"components", "rust-installer-version", "install.sh", "version", "git-commit-hash", "git-commit-info", "builder-config"}

// checkComponents reads the file components and compares it with the folders.
func checkComponents(a *scanned, l *layout) {
	s := a.subject
	b, ok := a.texts["components"]
	if !ok {
		s.failf(archiveComponents, "the file components is missing")
	}
	text := string(b)
	if ok && !strings.HasSuffix(text, "\n") {
		s.failf(archiveComponents, "the file components does not end with a newline")
	}
	for _, name := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		switch {
		case !ok:
		case name == "":
			s.failf(archiveComponents, "the file components has an empty line")
		case badMemberName(name) != "" || strings.ContainsAny(name, "/ \t"):
			s.failf(archiveComponents, "got component %q, want a plain name", name)
		case slices.Contains(l.components, name):
			s.failf(archiveComponents, "component %q is listed twice", name)
		default:
			l.components = append(l.components, name)
			if !l.dirs[name] {
				s.failf(archiveComponents, "component %q is listed, but has no folder", name)
			}
		}
	}
	for dir := range l.dirs {
		if !strings.Contains(dir, "/") && !slices.Contains(l.components, dir) {
			check := archiveStray
			if _, ok := l.files[dir+"/manifest.in"]; ok {
				check = archiveComponents
			}
			s.failf(check, "folder %q is no listed component", dir)
		}
	}
	for name := range l.files {
		if !strings.Contains(name, "/") && !slices.Contains(overlayFiles, name) && !isDocument(name) {
			s.failf(archiveStray, "file %q is none of rust-installer's and no document", name)
		}
	}
	sortFindings(s, archiveStray, archiveComponents)
}

// isDocument reports whether name is a legal or introductory document as the
// overlays of `src/bootstrap/src/utils/tarball.rs` hold, or a build record.
func isDocument(name string) bool {
	upper := strings.ToUpper(name)
	return strings.HasPrefix(upper, "LICENSE") || strings.HasPrefix(upper, "COPYRIGHT") || strings.HasPrefix(upper, "COPYING") ||
		strings.HasPrefix(upper, "README") || name == manifests.BuildRecordFile
}

// sortFindings makes findings that came in map order deterministic.
func sortFindings(s *subject, checks ...string) {
	for _, c := range checks {
		if o := s.out[c]; o != nil {
			slices.Sort(o.findings)
		}
	}
}

// checkManifest judges one component's manifest.in against its files.
func checkManifest(a *scanned, l *layout, component string) {
	s := a.subject
	b, ok := a.texts[component+"/manifest.in"]
	if !ok {
		if l.dirs[component] {
			s.failf(archiveManifest, "%s/manifest.in is missing", component)
		}
		return
	}
	lines := parseManifest(s, component, b)
	l.listed[component] = lines
	owned := map[string]bool{} // paths that lines name
	for _, d := range lines {
		checkDirective(s, l, component, d, owned)
	}
	underDir := func(path string) string {
		for i := range len(path) {
			if path[i] == '/' && owned["dir:"+path[:i]] {
				return path[:i]
			}
		}
		return ""
	}
	for _, d := range lines {
		if dir := underDir(d.path); dir != "" {
			s.failf(archiveManifestDup, "%s: %s:%s lies inside dir:%s", component, d.kind, d.path, dir)
		}
	}
	var unlisted []string
	for name := range l.files {
		path, in := strings.CutPrefix(name, component+"/")
		if in && path != "manifest.in" && !owned["file:"+path] && !owned["dir:"+path] && underDir(path) == "" {
			unlisted = append(unlisted, path)
		}
	}
	slices.Sort(unlisted)
	for _, path := range unlisted {
		s.failf(archiveUnlisted, "%s: no line of manifest.in names %q", component, path)
	}
}

// parseManifest splits manifest.in into its lines. rustup calls an empty line,
// an unknown directive and a line without a colon corrupt.
func parseManifest(s *subject, component string, b []byte) []directive {
	if len(b) == 0 {
		s.failf(archiveManifest, "%s/manifest.in is empty", component)
		return nil
	}
	if b[len(b)-1] != '\n' {
		s.failf(archiveManifest, "%s/manifest.in does not end with a newline", component)
	}
	if bytes.ContainsRune(b, '\r') {
		s.failf(archiveManifest, "%s/manifest.in has carriage returns", component)
	}
	var out []directive
	var last string
	seen := map[string]bool{}
	for i, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		line = strings.TrimSuffix(line, "\r")
		kind, path, ok := strings.Cut(line, ":")
		if !ok || kind != "file" && kind != "dir" {
			s.failf(archiveManifest, `%s/manifest.in:%d: got %.80q, want "file:" or "dir:" and a path`, component, i+1, line)
			continue
		}
		if seen[line] {
			s.failf(archiveManifestDup, "%s: %q is listed twice", component, line)
			continue
		}
		if line < last {
			s.failf(archiveManifestOrd, "%s/manifest.in:%d: %q comes after %q", component, i+1, line, last)
		}
		seen[line], last = true, line
		out = append(out, directive{kind, path})
	}
	return out
}

// checkDirective judges one line and notes in owned what it names.
func checkDirective(s *subject, l *layout, component string, d directive, owned map[string]bool) {
	if why := badMemberName(d.path); why != "" {
		s.failf(archivePath, "%s: %s:%s: %s", component, d.kind, d.path, why)
		return
	}
	if owned["file:"+d.path] || owned["dir:"+d.path] {
		s.failf(archiveManifestDup, "%s: %q is listed as file and as folder", component, d.path)
	}
	owned[d.kind+":"+d.path] = true
	name := component + "/" + d.path
	_, isFile := l.files[name]
	switch {
	case isFile && d.kind == "dir":
		s.failf(archiveEntryKind, "%s: dir:%s names a file", component, d.path)
	case l.dirs[name] && d.kind == "file":
		s.failf(archiveEntryKind, "%s: file:%s names a folder", component, d.path)
	case !isFile && !l.dirs[name]:
		s.failf(archiveAbsent, "%s: %s:%s names no member", component, d.kind, d.path)
	}
}

// checkConflicts finds files that two components of one archive install.
func checkConflicts(a *scanned, l *layout) {
	owner := map[string]string{}
	for _, c := range l.components {
		for _, d := range l.listed[c] {
			if first, ok := owner[d.path]; ok && first != c {
				a.subject.failf(archiveConflict, "%q belongs to %s and to %s", d.path, first, c)
			}
			owner[d.path] = c
		}
	}
}

// checkExecutables demands the execute bit of programs. rustup installs a
// bin/rustc of mode 0644 without a word.
func checkExecutables(a *scanned, l *layout) {
	for _, c := range l.components {
		for _, d := range l.listed[c] {
			m, ok := l.files[c+"/"+d.path]
			if ok && isProgram(d.path) && m.mode&0o100 == 0 {
				a.subject.failf(archiveExecutable, "%s: %q has mode %04o, want 0755", c, d.path, m.mode)
			}
		}
	}
}

// isProgram reports whether a path below the prefix must be executable:
// bin/*, libexec/*, lib/rustlib/<target>/bin/** but for libraries and texts.
func isProgram(path string) bool {
	parts := strings.Split(path, "/")
	base := parts[len(parts)-1]
	if strings.Contains(base, ".so") || strings.HasSuffix(base, ".dll") || strings.HasSuffix(base, ".txt") {
		return false
	}
	switch {
	case len(parts) == 2:
		return parts[0] == "bin" || parts[0] == "libexec"
	case len(parts) >= 5:
		return parts[0] == "lib" && parts[1] == "rustlib" && parts[3] == "bin"
	}
	return false
}
