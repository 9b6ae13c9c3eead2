package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/manifests"
)

// installed is what the records of an installation say, as far as they can be read.
type installed struct {
	layout     layout
	at         place    // of the records
	root       *os.Root // of the records
	components []installedComponent
	problems   []Problem
	notes      []string
	digests    map[string]manifests.Digests // those that were read, by component
}

// installedComponent is a component with its list, manifest-NAME.
type installedComponent struct {
	name     string
	text     manifests.Hash // of the list
	data     []byte         // the list itself
	listed   bool           // the list could be read
	sound    bool           // and so could all of its lines
	relative bool           // it has relative paths, as rustup writes them
	records  []record
}

// readInstalled reads the records. What is wrong with them is in the result; the error
// is for those that cannot be looked at.
func readInstalled(l layout) (*installed, error) {
	in := newInstalled(l, nil)
	base, err := os.OpenRoot(in.at.base)
	if err == nil {
		in.root, err = base.OpenRoot(in.at.rel)
		base.Close()
	}
	if errors.Is(err, fs.ErrNotExist) {
		in.problem("", in.at.path(), "nothing is installed here: it is missing; if libdir is not %q, name it", l.libdir)
		return in, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening %q: %w", in.at.path(), dist.WithoutPath(err))
	}
	if err := in.read(); err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

// newInstalled has read nothing yet. root is the directory of the records, if it is open.
func newInstalled(l layout, root *os.Root) *installed {
	return &installed{layout: l, at: l.at(l.libdir, dist.RecordsDir), root: root, digests: map[string]manifests.Digests{}}
}

func (in *installed) close() {
	if in.root != nil {
		in.root.Close()
	}
}

func (in *installed) problem(component, path, format string, args ...any) {
	in.problems = append(in.problems, Problem{WrongRecords, component, path, fmt.Sprintf(format, args...)})
}

// file returns the path of a record.
func (in *installed) file(name string) string { return filepath.Join(in.at.path(), name) }

func (in *installed) read() error {
	entries, err := fs.ReadDir(in.root.FS(), ".")
	if err != nil {
		return fmt.Errorf("reading %q: %w", in.at.path(), dist.WithoutPath(err))
	}
	in.version()
	names := in.names()
	for _, e := range entries {
		name := e.Name()
		if component, ok := strings.CutPrefix(name, manifests.InstalledPrefix); ok && !slices.Contains(names, component) {
			in.problem(component, in.file(name), "no line of %q names its component: repair or uninstall it", manifests.ComponentsFile)
			if manifests.CheckComponentName(component) == nil {
				names = append(names, component)
			}
		}
		if what := unfinished[name]; what != "" {
			in.problem("", in.file(name), "%s left it: run it again, or repair", what)
		}
	}
	for _, name := range names {
		in.components = append(in.components, in.list(name))
	}
	return nil
}

// unfinished names files that only a run that has not ended leaves.
var unfinished = map[string]string{
	journalName:      "a run of x install that has not ended",
	"components.new": "a run of install.sh that has not ended",
	"uninstall.new":  "a run of install.sh that has not ended",
}

func (in *installed) version() {
	data, err := dist.ReadOwn(in.root, manifests.VersionFile, maxText)
	if err != nil {
		in.problem("", in.file(manifests.VersionFile), "%v", dist.WithoutPath(err))
	} else if v := strings.TrimSpace(string(data)); v != "2" && v != manifests.InstallerVersion {
		in.problem("", in.file(manifests.VersionFile), "got version %.20q, want %s", v, manifests.InstallerVersion)
	}
}

// names reads the file components. rust-installer may leave empty lines in it.
func (in *installed) names() []string {
	file := in.file(manifests.ComponentsFile)
	data, err := dist.ReadOwn(in.root, manifests.ComponentsFile, maxText)
	if err != nil {
		in.problem("", file, "%v", dist.WithoutPath(err))
		return nil
	}
	text := regexp.MustCompile(`\n+`).ReplaceAll(data, []byte("\n"))
	return manifests.ReadComponentNames(text, func(p manifests.ListProblem) {
		in.problem("", file, "line %d: %s", p.Line, p.Text)
	})
}

// list reads the list of a component.
func (in *installed) list(name string) installedComponent {
	c := installedComponent{name: name}
	file := in.file(manifests.InstalledPrefix + name)
	data, err := dist.ReadOwn(in.root, manifests.InstalledPrefix+name, maxManifest)
	if err != nil {
		in.problem(name, file, "%v", dist.WithoutPath(err))
		return c
	}
	problems := len(in.problems)
	c.text, c.data, c.listed = manifests.HashOf(data), data, true
	c.relative = regexp.MustCompile(`^(file|dir):[^/]`).Match(data)
	lines := in.lines(name, file, string(data))
	moved := ""
	for _, line := range lines {
		if _, ok := in.locate(line.path, ""); !ok && moved == "" {
			moved = in.movedFrom(line.path)
		}
	}
	if moved != "" {
		in.notes = append(in.notes, fmt.Sprintf("%s was installed below %q, and has been moved", name, moved))
	}
	for _, line := range lines {
		at, ok := in.locate(line.path, moved)
		if !ok {
			in.problem(name, file, "line %d: %.200q is in none of the directories given", line.number, line.path)
			continue
		}
		c.records = append(c.records, record{line.kind, at})
	}
	c.sound = len(in.problems) == problems && moved == ""
	return c
}

// listLine is a line of a list: a path, absolute or below the prefix.
type listLine struct {
	number int
	kind   manifests.DirectiveKind
	path   string
}

// lines reads the lines of a list.
func (in *installed) lines(component, file, text string) []listLine {
	var out []listLine
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		word, listed, ok := strings.Cut(line, ":")
		kind := manifests.FileDirective
		if word == manifests.DirDirective.String() {
			kind = manifests.DirDirective
		}
		if !ok || word != kind.String() || listed == "" {
			in.problem(component, file, "line %d: got %.200q, want file:PATH or dir:PATH", number, line)
			continue
		}
		listed = filepath.FromSlash(listed)
		if !filepath.IsAbs(listed) {
			if !filepath.IsLocal(listed) {
				in.problem(component, file, "line %d: %.200q leads out of the prefix", number, listed)
				continue
			}
			listed = filepath.Join(in.layout.prefix, listed)
		}
		out = append(out, listLine{number, kind, listed})
	}
	return out
}

// locate returns the place of a listed path. moved is the prefix that it was recorded
// for, if that is another one.
func (in *installed) locate(file, moved string) (place, bool) {
	l := in.layout
	if moved != "" && below(moved, file) {
		file = filepath.Join(l.prefix, strings.TrimPrefix(file, moved))
	}
	at, ok := l.locate(file)
	return at, ok && (l.dest == "" || moved != "" || l.isGiven(at.path()))
}

// isGiven reports whether a path is in one of the directories given.
func (l layout) isGiven(file string) bool {
	for _, dir := range l.dirs() {
		if below(dir, file) {
			return true
		}
	}
	return false
}

// dirs returns the directories given.
func (l layout) dirs() []string {
	return slices.DeleteFunc([]string{l.prefix, l.bindir, l.libdir, l.sysconfdir, l.datadir, l.mandir, l.docdir}, func(dir string) bool { return dir == "" })
}

// movedFrom guesses the prefix that a path was recorded for: what remains without it is
// below the prefix of today, in a directory of its own.
func (in *installed) movedFrom(file string) string {
	for i := 1; i < len(file); i++ {
		if file[i] != filepath.Separator || !strings.ContainsRune(file[i+1:], filepath.Separator) {
			continue
		}
		if at, ok := in.layout.locate(filepath.Join(in.layout.prefix, file[i:])); ok && exists(at) {
			return file[:i]
		}
	}
	return ""
}

// exists reports whether there is something at a place.
func exists(at place) bool {
	root, err := os.OpenRoot(at.base)
	if err != nil {
		return false
	}
	defer root.Close()
	_, err = root.Lstat(at.rel)
	return err == nil
}

// isRecord reports whether a name in the directory of records belongs to an installer.
func isRecord(name string) bool {
	switch name {
	case manifests.ComponentsFile, manifests.VersionFile, "uninstall.sh", "install.log", ".":
		return true
	}
	for _, prefix := range []string{manifests.InstalledPrefix, manifests.DigestsPrefix, "multirust-", ownPrefix} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return unfinished[name] != ""
}

// backupName matches what installers call a file that was in their way.
var backupName = regexp.MustCompile(`^(.+)\.old(\.[0-9]+)?$`)

// backupOf returns the path that a file is a backup of, or "".
func backupOf(file string) string {
	if m := backupName.FindStringSubmatch(path.Base(filepath.ToSlash(file))); m != nil {
		return filepath.Join(filepath.Dir(file), m[1])
	}
	return ""
}
