package install

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/tests/testenv"
)

// linkPackage are the members of a package with the file bin/tool, the directory doc,
// which is installed as a whole, and more: lines of manifest.in, then links.
func linkPackage(lists string, links ...string) []string {
	members := []string{
		"tool-1/rust-installer-version", "3\n", "tool-1/components", "tool\n",
		"tool-1/tool/manifest.in", "dir:doc\nfile:bin/tool\n" + lists,
		"tool-1/tool/bin/tool", "#!/bin/sh\n", "tool-1/tool/doc/page", "page\n", "tool-1/README", "readme\n",
	}
	for _, link := range links {
		members = append(members, "tool-1/"+link, "")
	}
	return members
}

// TestRefusedLinks has links in a package that would lead out of it, or to no file.
func TestRefusedLinks(t *testing.T) {
	var chain []string
	for i := range 41 {
		chain = append(chain, fmt.Sprintf("tool/doc/l%02d -> l%02d", i, i+1))
	}
	chain = append(chain, "tool/doc/l41 -> page", "tool/lib/l -> ../doc/l00")
	const is = `/tool/lib/l": the symbolic link to %q %s`
	for _, tt := range []struct {
		name, want string
		lists      string
		links      []string
		tarOnly    bool // no directory can be so
	}{
		{"absolute", fmt.Sprintf(is, "/etc/passwd", "leads out of the package"), "file:lib/l\n", []string{"tool/lib/l -> /etc/passwd"}, false},
		{"out", fmt.Sprintf(is, "../../../outside/canary", "leads out of the package"), "file:lib/l\n", []string{"tool/lib/l -> ../../../outside/canary"}, false},
		{"out and back", fmt.Sprintf(is, "../../../tool-1/README", "leads out of the package"), "file:lib/l\n", []string{"tool/lib/l -> ../../../tool-1/README"}, false},
		{"out by a link", fmt.Sprintf(is, "../doc/root/../outside/canary", "leads out of the package"), "file:lib/l\n",
			[]string{"tool/lib/l -> ../doc/root/../outside/canary", "tool/doc/root -> ../.."}, false},
		{"out by an absolute link", fmt.Sprintf(is, "../doc/etc/passwd", "leads out of the package"), "file:lib/l\n",
			[]string{"tool/lib/l -> ../doc/etc/passwd", "tool/doc/etc -> /etc"}, false},
		{"dangling", fmt.Sprintf(is, "gone", "leads to nothing in the package"), "file:lib/l\n", []string{"tool/lib/l -> gone"}, false},
		{"by way of nothing", fmt.Sprintf(is, "gone/../../bin/tool", "leads to nothing in the package"), "file:lib/l\n", []string{"tool/lib/l -> gone/../../bin/tool"}, false},
		{"below a file", fmt.Sprintf(is, "../bin/tool/..", "leads to nothing in the package"), "file:lib/l\n", []string{"tool/lib/l -> ../bin/tool/.."}, false},
		{"a file as a directory", fmt.Sprintf(is, "../bin/tool/", "leads to nothing in the package"), "file:lib/l\n", []string{"tool/lib/l -> ../bin/tool/"}, false},
		{"itself", fmt.Sprintf(is, "l", "leads to itself, or over too many links"), "file:lib/l\n", []string{"tool/lib/l -> l"}, false},
		{"each other", fmt.Sprintf(is, "../doc/a", "leads to itself, or over too many links"), "file:lib/l\n",
			[]string{"tool/doc/a -> b", "tool/doc/b -> ../doc/a", "tool/lib/l -> ../doc/a"}, false},
		{"a long way", fmt.Sprintf(is, "../doc/l00", "leads to itself, or over too many links"), "file:lib/l\n", chain, false},
		{"a directory", fmt.Sprintf(is, "../doc", "leads to a directory"), "file:lib/l\n", []string{"tool/lib/l -> ../doc"}, false},
		{"the package", fmt.Sprintf(is, "../..", "leads to a directory"), "file:lib/l\n", []string{"tool/lib/l -> ../.."}, false},
		{"in no list", `tool: no line of manifest.in names "lib/l"`, "", []string{"tool/lib/l -> ../bin/tool"}, false},
		{"in the place of a bulk directory", `dir:html names a symbolic link`, "dir:html\n", []string{"tool/html -> doc"}, false},
		{"in the place of a component", `component "other" is listed, but has no directory`, "", []string{"other -> tool"}, false},
		{"a member below", `"tool-1/tool/doc/etc" is a file of this archive`, "", []string{"tool/doc/etc -> /etc", "tool/doc/etc/passwd"}, true},
		{"over a directory", `member "tool-1/tool/doc" is also the directory of another member`, "", []string{"tool/doc -> /etc"}, true},
		{"twice", `member "tool-1/tool/doc/l" occurs twice`, "", []string{"tool/doc/l -> /etc", "tool/doc/l -> page"}, true},
		{"without a target", `is a symbolic link to ""`, "", []string{"tool/doc/l -> "}, true},
	} {
		members := linkPackage(tt.lists, tt.links...)
		if strings.Contains(tt.want, `"other"`) {
			members[3] += "other\n"
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			b.archive(packed(t, members...))
			b.fails(tt.want)
			if tt.tarOnly {
				return
			}
			b.tree(members)
			b.fails(tt.want)
		})
	}
}

// tree installs from a directory with these members.
func (b *box) tree(members []string) {
	for i := 0; i < len(members); i += 2 {
		if name, target, ok := strings.Cut(members[i], " -> "); ok {
			b.link("src/"+name, target)
		} else {
			put(b.t, b.path("src/"+name), members[i+1])
		}
	}
	b.from.Sources = []string{"tool-1"}
}

// TestLinks installs, verifies, repairs and uninstalls a package with links, from each
// kind of source.
func TestLinks(t *testing.T) {
	large := strings.Repeat("many words ", 50_000)
	c := dist.Component{Name: "tool", Image: image(t, "bin/tool*", "lib/data", "doc/sub/page"), BulkDirs: []string{"doc"}}
	testenv.Must(t, c.Image.AddBytes("lib/large", []byte(large), 0o644))
	for _, link := range []string{
		"bin/alias tool", "bin/data ../lib/data", "lib/a-large large", "lib/z-large ./a-large", "lib/over ../doc/dir/page", "lib/program ../bin/alias", "lib/other ../../rest/lib/rest",
		"doc/dir sub", "doc/gone nothing", "doc/loop loop", "doc/out /etc/passwd", "doc/up ../../../..", "doc/name dir/page",
	} {
		name, target, _ := strings.Cut(link, " ")
		testenv.Must(t, c.Image.AddSymlink(name, target))
	}
	rest := dist.Component{Name: "rest", Image: image(t, "lib/rest")}
	dir := t.TempDir()
	_, err := archive.Writer{Formats: []archive.Format{archive.GZ, archive.XZ, archive.Zst}, SkipReadBack: true}.Write(t.Context(), dir, dist.Package{Name: "tool-1", Components: []dist.Component{c, rest}})
	testenv.Must(t, err)
	testenv.Must(t, archive.Unpack(t.Context(), dir+"/tool-1.tar.gz", dir, archive.UnpackOptions{Symlinks: true}))
	want := map[string]string{
		"bin/": "drwxr-xr-x", "bin/tool": "-rwxr-xr-x bin/tool\n", "bin/alias": "-rwxr-xr-x bin/tool\n", "bin/data": "-rwxr-xr-x lib/data\n",
		"lib/": "drwxr-xr-x", "lib/data": "-rw-r--r-- lib/data\n", "lib/large": "-rw-r--r-- " + large, "lib/a-large": "-rw-r--r-- " + large, "lib/z-large": "-rw-r--r-- " + large,
		"lib/over": "-rw-r--r-- doc/sub/page\n", "lib/program": "-rwxr-xr-x bin/tool\n", "lib/other": "-rw-r--r-- lib/rest\n",
		"doc/": "drwxr-xr-x", "doc/sub/": "drwxr-xr-x", "doc/sub/page": "-rw-r--r-- doc/sub/page\n",
		"doc/dir": "Lrwxrwxrwx sub", "doc/gone": "Lrwxrwxrwx nothing", "doc/loop": "Lrwxrwxrwx loop", "doc/out": "Lrwxrwxrwx /etc/passwd", "doc/up": "Lrwxrwxrwx ../../../..", "doc/name": "Lrwxrwxrwx dir/page",
	}
	for _, source := range []string{"tool-1.tar.gz", "tool-1.tar.xz", "tool-1.tar.zst", "tool-1"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			l := &linkTest{T: t, prefix: filepath.Join(t.TempDir(), "p"), from: From{Sources: []string{filepath.Join(dir, source)}, Components: []string{"tool"}}}
			planned := l.run(Options{DryRun: true})
			if _, err := os.Lstat(l.prefix); err == nil {
				t.Error("a dry run has created the prefix")
			}
			done := l.run(Options{})
			if diff := cmp.Diff(done, planned); diff != "" {
				t.Errorf("a dry run says something else (-run +dry run):\n%s", diff)
			}
			if diff := cmp.Diff(want, l.tree()); diff != "" {
				t.Errorf("installed (-want +got):\n%s", diff)
			}
			l.sound()
			if again := l.run(Options{}); again.Unchanged != len(again.Files) {
				t.Errorf("got %d of %d files unchanged", again.Unchanged, len(again.Files))
			}
			l.damage()
			l.sound()
			l.changeUsers()
		})
	}
}

type linkTest struct {
	*testing.T
	prefix string
	from   From
}

func (l *linkTest) at(name string) string { return filepath.Join(l.prefix, name) }

func (l *linkTest) run(opts Options) Installed {
	l.Helper()
	opts.Prefix = l.prefix
	done, err := RunFrom(l.Context(), opts, l.from)
	testenv.Must(l, err)
	return done
}

// tree is what is installed, without the records.
func (l *linkTest) tree() map[string]string {
	tree := testenv.Tree(l, l.prefix)
	for name := range tree {
		if strings.HasPrefix(name, "lib/rustlib/") {
			delete(tree, name)
		}
	}
	return tree
}

// inspect compares what is installed with the records, and with the source.
func (l *linkTest) inspect() []State {
	l.Helper()
	recorded, err := Inspect(l.Context(), Options{Prefix: l.prefix}, nil, nil)
	testenv.Must(l, err)
	against, err := InspectFrom(l.Context(), Options{Prefix: l.prefix}, From{Sources: l.from.Sources}, nil)
	testenv.Must(l, err)
	return []State{recorded, against}
}

// sound holds that nothing is wrong.
func (l *linkTest) sound() {
	l.Helper()
	for _, s := range l.inspect() {
		if len(s.Problems) > 0 {
			l.Errorf("got problems %+v", s.Problems)
		}
	}
}

// damage changes links and the files in the place of links, and has them repaired.
func (l *linkTest) damage() {
	l.Helper()
	whole := l.tree()
	for _, name := range []string{"doc/dir", "doc/gone", "doc/out", "doc/up", "bin/alias", "lib/a-large"} {
		testenv.Must(l, os.Remove(l.at(name)))
	}
	testenv.Must(l, os.Symlink("../lib", l.at("doc/dir")))
	testenv.Must(l, os.WriteFile(l.at("doc/out"), []byte("mine"), 0o644))
	testenv.Must(l, os.MkdirAll(l.at("doc/up/mine"), 0o755))
	testenv.Must(l, os.Symlink("tool", l.at("bin/alias")))
	testenv.Must(l, os.WriteFile(l.at("lib/data"), []byte("changed\n"), 0o644))
	wrong := []string{"kind bin/alias", "kind doc/out", "kind doc/up", "changed doc/dir", "changed lib/data", "missing doc/gone", "missing lib/a-large"}
	slices.Sort(wrong)
	for _, s := range l.inspect() {
		if diff := cmp.Diff(wrong, l.lines(s.Of(Changed, Missing, WrongMode, WrongKind, WrongRecords))); diff != "" {
			l.Errorf("problems (-want +got):\n%s", diff)
		}
	}
	planned := l.run(Options{Repair: true, DryRun: true})
	done := l.run(Options{Repair: true})
	if diff := cmp.Diff(done, planned); diff != "" {
		l.Errorf("a dry run of a repair says something else (-run +dry run):\n%s", diff)
	}
	if diff := cmp.Diff(wrong, l.lines(done.Repaired)); diff != "" {
		l.Errorf("repaired (-want +got):\n%s", diff)
	}
	mended := l.tree()
	for name, text := range whole {
		if mended[name] != text {
			l.Errorf("%s: got %.100q, want %.100q", name, mended[name], text)
		}
	}
	for _, b := range done.Backups {
		testenv.Must(l, os.RemoveAll(b.Old))
	}
	testenv.Must(l, os.RemoveAll(l.at("doc.old")))
}

func (l *linkTest) lines(problems []Problem) []string {
	var out []string
	for _, p := range problems {
		rel, err := filepath.Rel(l.prefix, p.Path)
		testenv.Must(l, err)
		out = append(out, fmt.Sprintf("%s %s", p.Kind, filepath.ToSlash(rel)))
	}
	slices.Sort(out)
	return out
}

// changeUsers has the user change a link, and all uninstalled: what is the user's stays.
func (l *linkTest) changeUsers() {
	l.Helper()
	testenv.Must(l, os.Remove(l.at("doc/dir")))
	testenv.Must(l, os.Symlink("elsewhere", l.at("doc/dir")))
	_, err := Uninstall(l.Context(), Options{Prefix: l.prefix})
	testenv.Must(l, err)
	want := map[string]string{"doc/": "drwxr-xr-x", "doc/dir.old": "Lrwxrwxrwx elsewhere"}
	if diff := cmp.Diff(want, testenv.Tree(l, l.prefix)); diff != "" {
		l.Errorf("uninstalled (-want +got):\n%s", diff)
	}
}

// TestComponentsWithLinks has archives and their directories be the same components.
func TestComponentsWithLinks(t *testing.T) {
	b := newBox(t)
	members := linkPackage("file:lib/l\nfile:bin/l\n", "tool/lib/l -> ../doc/d/tool", "tool/bin/l -> ../lib/l", "tool/doc/d -> ../bin", "tool/doc/out -> /etc")
	put(t, b.path("made.tar.gz"), packed(t, members...))
	b.tree(members)
	p, err := archive.ReadPackage(t.Context(), b.path("made.tar.gz"), archive.ReadOptions{Symlinks: true})
	testenv.Must(t, err)
	defer p.Close()
	fromTree, _, err := readDirectory(b.path("src/tool-1"))
	testenv.Must(t, err)
	want := []string{
		"bin/l -rw-r--r-- #!/bin/sh\n", "bin/tool -rw-r--r-- #!/bin/sh\n", "doc/d Lrwxrwxrwx ../bin", "doc/out Lrwxrwxrwx /etc", "doc/page -rw-r--r-- page\n", "lib/l -rw-r--r-- #!/bin/sh\n",
	}
	for _, components := range [][]dist.Component{p.Components, fromTree} {
		var got []string
		for e := range components[0].Image.Entries() {
			text := []byte(e.Link)
			if e.IsRegular() {
				r, err := e.Open()
				testenv.Must(t, err)
				text, err = io.ReadAll(r)
				testenv.Must(t, err)
				r.Close()
			}
			got = append(got, fmt.Sprintf("%s %v %s", e.Name, e.Mode, text))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if _, err := archive.ReadPackage(t.Context(), b.path("made.tar.gz"), archive.ReadOptions{}); err == nil || !strings.Contains(err.Error(), "is a symbolic link") {
		t.Errorf("for rustup: got error %v, want one about a symbolic link", err)
	}
	small := archive.ScanOptions{Symlinks: true, Limits: archive.Limits{Unpacked: 80}}
	if _, _, err := archive.Read(t.Context(), b.path("made.tar.gz"), small); err == nil || !strings.Contains(err.Error(), "unpack to more than 80 bytes, with those that symbolic links lead to") {
		t.Errorf("got error %v, want one about the size", err)
	}
}
