package install

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// installedSample installs three components and returns their prefix.
func installedSample(t *testing.T) (string, []dist.Component) {
	t.Helper()
	components := []dist.Component{
		{Name: "rustc", Image: image(t, "bin/rustc*", "lib/librustc_driver.so", "lib/rustlib/etc/gdb.py")},
		{Name: "rust-std-x86_64-unknown-linux-gnu", Image: image(t, "lib/rustlib/x86_64-unknown-linux-gnu/lib/libstd.rlib", "lib/rustlib/x86_64-unknown-linux-gnu/lib/libcore.rlib")},
		{Name: "rust-docs", Image: image(t, "share/doc/rust/html/a.html", "share/doc/rust/html/sub/b.html"), BulkDirs: []string{"share/doc/rust/html"}},
	}
	prefix := filepath.Join(t.TempDir(), "prefix")
	_, err := Run(t.Context(), Options{Prefix: prefix, Uninstaller: uninstaller(t)}, components)
	testenv.Must(t, err)
	return prefix, components
}

// summary writes problems as lines: kind, path below the prefix, detail.
func summary(prefix string, s State) []string {
	out := []string{}
	for _, p := range s.Problems {
		line := string(p.Kind)
		if p.Component != "" {
			line += " [" + p.Component + "]"
		}
		if p.Path != "" {
			line += " " + relativeTo(prefix, p.Path)
		}
		out = append(out, strings.ReplaceAll(line+": "+p.Detail, prefix, "PREFIX"))
	}
	return out
}

func relativeTo(prefix, path string) string {
	rel, err := filepath.Rel(prefix, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(rel)
}

func inspect(t *testing.T, prefix string, components []dist.Component) State {
	t.Helper()
	s, err := Inspect(t.Context(), Options{Prefix: prefix}, components, nil)
	testenv.Must(t, err)
	if s.Prefix != prefix {
		t.Errorf("got prefix %q, want %q", s.Prefix, prefix)
	}
	return s
}

// damages are what may become of the sample, and what is to be said of it.
var damages = []struct {
	name   string
	change func(t *testing.T, p func(string) string)
	want   []string // lines of summary, without what follows " …"
}{
	{"nothing", func(*testing.T, func(string) string) {}, nil},
	{"changed, same size", func(t *testing.T, p func(string) string) {
		rewrite(t, p("lib/librustc_driver.so"), func(b []byte) { b[0] ^= 1 })
	},
		[]string{"changed [rustc] lib/librustc_driver.so: got sha256 …"}},
	{"changed, longer", func(t *testing.T, p func(string) string) {
		write(t, p("bin/rustc"), "something else altogether", 0o755)
	},
		[]string{"changed [rustc] bin/rustc: got 25 bytes, want …"}},
	{"missing", func(t *testing.T, p func(string) string) { testenv.Must(t, os.Remove(p("bin/rustc"))) },
		[]string{"missing [rustc] bin/rustc: want a file of …"}},
	{"missing directory", func(t *testing.T, p func(string) string) { testenv.Must(t, os.RemoveAll(p("share"))) },
		[]string{"missing [rust-docs] share/doc/rust/html/a.html: …", "missing [rust-docs] share/doc/rust/html/sub/b.html: …"}},
	{"mode", func(t *testing.T, p func(string) string) { testenv.Must(t, os.Chmod(p("bin/rustc"), 0o644)) },
		[]string{"mode [rustc] bin/rustc: got mode 0644, want 0755"}},
	{"set-user-id", func(t *testing.T, p func(string) string) {
		testenv.Must(t, os.Chmod(p("bin/rustc"), fs.ModeSetuid|0o755))
	}, []string{"mode [rustc] bin/rustc: got mode 4755, want 0755"}},
	{"link to the same", func(t *testing.T, p func(string) string) {
		testenv.Must(t, os.Rename(p("bin/rustc"), p("rustc")))
		testenv.Must(t, os.Symlink("../rustc", p("bin/rustc")))
	}, []string{"kind [rustc] bin/rustc: got a symbolic link, want a file of …"}},
	{"directory for a file", func(t *testing.T, p func(string) string) {
		testenv.Must(t, os.Remove(p("bin/rustc")))
		testenv.Must(t, os.Mkdir(p("bin/rustc"), 0o755))
	}, []string{"kind [rustc] bin/rustc: got a directory, want a file of …"}},
	{"link for a directory", func(t *testing.T, p func(string) string) {
		testenv.Must(t, os.Rename(p("lib/rustlib/x86_64-unknown-linux-gnu"), p("elsewhere")))
		testenv.Must(t, os.Symlink("../../elsewhere", p("lib/rustlib/x86_64-unknown-linux-gnu")))
	}, []string{"kind [rust-std-x86_64-unknown-linux-gnu] lib/rustlib/x86_64-unknown-linux-gnu: got a symbolic link, want a directory"}},
	{"link out, for a directory given", func(t *testing.T, p func(string) string) {
		other := t.TempDir()
		testenv.Must(t, os.CopyFS(filepath.Join(other, "share"), os.DirFS(p("share"))))
		testenv.Must(t, os.RemoveAll(p("share")))
		testenv.Must(t, os.Symlink(filepath.Join(other, "share"), p("share")))
	}, []string{`unreadable [rust-docs] share/doc/rust/html: the link "PREFIX/share" leads out of "PREFIX", to …`,
		`unreadable [rust-docs] share/doc/rust/html/a.html: the link "PREFIX/share" …`, "unreadable [rust-docs] share/doc/rust/html/sub/b.html: …"}},
	{"file for a directory", func(t *testing.T, p func(string) string) {
		testenv.Must(t, os.RemoveAll(p("share/doc/rust/html/sub")))
		write(t, p("share/doc/rust/html/sub"), "", 0o644)
	}, []string{"kind [rust-docs] share/doc/rust/html/sub: got a regular file, want a directory"}},
	{"extra", func(t *testing.T, p func(string) string) {
		write(t, p("share/doc/rust/html/sub/note"), "", 0o644)
		write(t, p("share/doc/rust/beside"), "", 0o644)
		write(t, p("bin/mine"), "", 0o755)
		write(t, p("lib/rustlib/x86_64-unknown-linux-gnu/lib/libforeign.rlib"), "", 0o644)
		testenv.Must(t, os.Symlink("/", p("lib/rustlib/root")))
	}, []string{
		"extra lib/rustlib/root: nothing that is installed has a symbolic link there",
		"extra lib/rustlib/x86_64-unknown-linux-gnu/lib/libforeign.rlib: nothing that is installed has a regular file there",
		"extra [rust-docs] share/doc/rust/html/sub/note: …",
	}},
	{"backups", func(t *testing.T, p func(string) string) {
		write(t, p("share/doc/rust/html/a.html.old"), "", 0o644)
		write(t, p("lib/rustlib/x86_64-unknown-linux-gnu/lib/libstd.rlib.old.2"), "", 0o644)
		write(t, p("share/doc/rust/html/c.html.old"), "", 0o644)
	}, []string{"extra [rust-docs] share/doc/rust/html/c.html.old: …"}},
	{"no line in components", func(t *testing.T, p func(string) string) {
		write(t, p("lib/rustlib/components"), "rustc\nrust-std-x86_64-unknown-linux-gnu\n", 0o644)
	}, []string{`records [rust-docs] lib/rustlib/manifest-rust-docs: no line of "components" names its component: …`}},
	{"empty line in components", func(t *testing.T, p func(string) string) {
		write(t, p("lib/rustlib/components"), "rustc\n\nrust-std-x86_64-unknown-linux-gnu\nrust-docs\n", 0o644)
	}, nil},
	{"no list", func(t *testing.T, p func(string) string) { testenv.Must(t, os.Remove(p("lib/rustlib/manifest-rustc"))) },
		[]string{"records [rustc] lib/rustlib/manifest-rustc: no such file or directory"}},
	{"no version", func(t *testing.T, p func(string) string) {
		testenv.Must(t, os.Remove(p("lib/rustlib/rust-installer-version")))
	}, []string{"records lib/rustlib/rust-installer-version: no such file or directory"}},
	{"no uninstaller", func(t *testing.T, p func(string) string) { testenv.Must(t, os.Remove(p("lib/rustlib/uninstall.sh"))) },
		[]string{"records lib/rustlib/uninstall.sh: it is missing"}},
	{"changed uninstaller", func(t *testing.T, p func(string) string) { write(t, p("lib/rustlib/uninstall.sh"), "", 0o755) },
		[]string{"records lib/rustlib/uninstall.sh: it is not the script that was installed: …"}},
	{"mode of the uninstaller", func(t *testing.T, p func(string) string) {
		testenv.Must(t, os.Chmod(p("lib/rustlib/uninstall.sh"), 0o644))
	}, []string{"records lib/rustlib/uninstall.sh: got mode 0644, want 0755"}},
	{"unfinished", func(t *testing.T, p func(string) string) { write(t, p("lib/rustlib/components.new"), "", 0o644) },
		[]string{"records lib/rustlib/components.new: a run of install.sh that has not ended left it: …"}},
	{"list is shorter", func(t *testing.T, p func(string) string) {
		write(t, p("lib/rustlib/manifest-rustc"), "file:"+p("bin/rustc")+"\n", 0o644)
	}, []string{`records [rustc] lib/rustlib/manifest-rustc: 2 of its lines are missing, such as that of "PREFIX/lib/librustc_driver.so": …`}},
	{"list is longer", func(t *testing.T, p func(string) string) {
		list, err := os.ReadFile(p("lib/rustlib/manifest-rustc"))
		testenv.Must(t, err)
		write(t, p("lib/rustlib/manifest-rustc"), string(list)+"file:"+p("bin/mine")+"\n", 0o644)
	}, []string{"extra [rustc] bin/mine: the list names it, but the component does not have it"}},
	{"list leads out", func(t *testing.T, p func(string) string) {
		list, err := os.ReadFile(p("lib/rustlib/manifest-rustc"))
		testenv.Must(t, err)
		write(t, p("lib/rustlib/manifest-rustc"), string(list)+"file:/etc/passwd\nfile:../x\nfifo:y\n", 0o644)
	}, []string{
		`records [rustc] lib/rustlib/manifest-rustc: line 5: "../x" leads out of the prefix`,
		`records [rustc] lib/rustlib/manifest-rustc: line 6: got "fifo:y", want file:PATH or dir:PATH`,
		`records [rustc] lib/rustlib/manifest-rustc: line 4: "/etc/passwd" is in none of the directories given`,
	}},
}

func write(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	testenv.Must(t, os.WriteFile(path, []byte(text), mode))
	testenv.Must(t, os.Chmod(path, mode))
}

// rewrite changes the bytes of a file in place.
func rewrite(t *testing.T, path string, change func([]byte)) {
	t.Helper()
	data, err := os.ReadFile(path)
	testenv.Must(t, err)
	change(data)
	testenv.Must(t, os.WriteFile(path, data, 0o644))
}

// TestInspectComponents damages an installation and compares it with the components.
func TestInspectComponents(t *testing.T) {
	for _, tt := range damages {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			prefix, components := installedSample(t)
			tt.change(t, func(name string) string { return filepath.Join(prefix, name) })
			got := summary(prefix, inspect(t, prefix, components))
			wantLines(t, tt.want, got)
		})
	}
}

// wantLines compares lines; what follows "…" in a wanted one does not matter.
func wantLines(t *testing.T, want, got []string) {
	t.Helper()
	same := slices.EqualFunc(want, got, func(want, got string) bool {
		head, _, cut := strings.Cut(want, "…")
		return want == got || cut && strings.HasPrefix(got, head)
	})
	if !same {
		t.Errorf("(-want +got):\n%s", cmp.Diff(want, got))
	}
}

// TestInspectRustup compares a toolchain with rustup's records: relative lists, names
// with targets, a version without line feed.
func TestInspectRustup(t *testing.T) {
	prefix, components := installedSample(t)
	names := likeRustup(t, prefix, components)
	wantLines(t, nil, summary(prefix, inspect(t, prefix, components)))
	var want []string
	for _, name := range slices.Sorted(slices.Values(names)) {
		want = append(want, fmt.Sprintf("unknown [%s]: there is no record of digests: give the archives that it was installed from", name))
	}
	wantLines(t, want, summary(prefix, inspect(t, prefix, nil)))
	// Nothing moves with the prefix: the lists are relative.
	moved := prefix + "2"
	testenv.Must(t, os.Rename(prefix, moved))
	s := inspect(t, moved, components)
	wantLines(t, nil, summary(moved, s))
	if len(s.Notes) > 0 {
		t.Errorf("got notes %q, want none", s.Notes)
	}
}

// TestInspectMoved moves a prefix whose lists are absolute.
func TestInspectMoved(t *testing.T) {
	prefix, components := installedSample(t)
	moved := filepath.Join(t.TempDir(), "a/b")
	testenv.Must(t, os.MkdirAll(filepath.Dir(moved), 0o755))
	testenv.Must(t, os.Rename(prefix, moved))
	s := inspect(t, moved, components)
	wantLines(t, nil, summary(moved, s))
	if len(s.Notes) != len(components) || !strings.Contains(s.Notes[0], fmt.Sprintf("was installed below %q", prefix)) {
		t.Errorf("got notes %q, want one for each component", s.Notes)
	}
}

func TestInspectNothing(t *testing.T) {
	prefix := t.TempDir()
	wantLines(t, []string{`records lib/rustlib: nothing is installed here: …`}, summary(prefix, inspect(t, prefix, nil)))
	missing := filepath.Join(prefix, "none")
	wantLines(t, []string{`records lib/rustlib: nothing is installed here: …`}, summary(missing, inspect(t, missing, nil)))
}

// likeRustup gives an installation the records of rustup, and returns the names of its
// components.
func likeRustup(t *testing.T, prefix string, components []dist.Component) []string {
	t.Helper()
	for _, name := range []string{"install.log", "uninstall.sh"} {
		testenv.Must(t, os.RemoveAll(filepath.Join(prefix, "lib/rustlib", name)))
	}
	var names []string
	for _, c := range components {
		old := filepath.Join(prefix, "lib/rustlib", manifests.InstalledPrefix+c.Name)
		list, err := os.ReadFile(old)
		testenv.Must(t, err)
		testenv.Must(t, os.Remove(old))
		_ = os.Remove(filepath.Join(prefix, "lib/rustlib", manifests.DigestsPrefix+c.Name))
		name := c.Name
		if !strings.HasPrefix(name, "rust-std") {
			name += "-x86_64-unknown-linux-gnu"
		}
		names = append(names, name)
		write(t, filepath.Join(prefix, "lib/rustlib", manifests.InstalledPrefix+name), strings.ReplaceAll(string(list), prefix+"/", ""), 0o644)
	}
	write(t, filepath.Join(prefix, "lib/rustlib/components"), strings.Join(names, "\n")+"\n", 0o644)
	write(t, filepath.Join(prefix, "lib/rustlib/rust-installer-version"), "3", 0o644)
	write(t, filepath.Join(prefix, "lib/rustlib/multirust-channel-manifest.toml"), "", 0o644)
	return names
}
