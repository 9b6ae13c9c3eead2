package install

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// TestLikeScript installs the same package with install.sh and with Run and
// compares the trees: names, modes, content, records.
func TestLikeScript(t *testing.T) {
	tests := []struct {
		name string
		opts Options // directories are below the test's directory
		args []string
	}{
		{"prefix", Options{Prefix: "/p"}, []string{"--prefix=/p"}},
		{"staged", Options{DestDir: "/d", RecordDestDir: true, Prefix: "/usr"}, []string{"--destdir=/d", "--prefix=/usr"}},
		{"all directories", Options{Prefix: "/p", Bindir: "/b/in", Libdir: "/p/lib64", Sysconfdir: "/etc", Datadir: "/data", Mandir: "/man", Docdir: "/doc/x"},
			[]string{"--prefix=/p", "--bindir=/b/in", "--libdir=/p/lib64", "--sysconfdir=/etc", "--datadir=/data", "--mandir=/man", "--docdir=/doc/x"}},
		{"staged, all directories", Options{DestDir: "/d", RecordDestDir: true, Prefix: "/usr", Bindir: "/usr/sbin", Libdir: "/lib", Sysconfdir: "/etc", Docdir: "/usr/doc"},
			[]string{"--destdir=/d", "--prefix=/usr", "--bindir=/usr/sbin", "--libdir=/lib", "--sysconfdir=/etc", "--docdir=/usr/doc"}},
	}
	p := samplePackage(t)
	artifacts, err := archive.Writer{Formats: []archive.Format{archive.GZ}}.Write(t.Context(), t.TempDir(), p)
	testenv.Must(t, err)
	unpacked := t.TempDir()
	testenv.Must(t, archive.Unpack(t.Context(), artifacts[0].Path, unpacked, archive.UnpackOptions{StripTop: true}))
	script, err := p.Script()
	testenv.Must(t, err)

	for _, tt := range tests {
		for _, shell := range []string{"dash", "bash"} {
			t.Run(tt.name+" "+shell, func(t *testing.T) {
				t.Parallel()
				// Both write to the same place, so that recorded paths are comparable.
				base := filepath.Join(t.TempDir(), "base")
				staged := tt.opts.DestDir != ""
				args := []string{filepath.Join(unpacked, "install.sh"), "--disable-ldconfig"}
				for _, a := range tt.args {
					if name, path, _ := strings.Cut(a, "="); !staged || name == "--destdir" {
						a = name + "=" + base + path
					}
					args = append(args, a)
				}
				if out, err := exec.Command(testenv.Need(t, shell), args...).CombinedOutput(); err != nil {
					t.Fatalf("install.sh: %v\n%s", err, out)
				}
				want := testenv.Tree(t, base)
				if len(want) < 20 {
					t.Fatalf("install.sh wrote only %q", slices.Sorted(maps.Keys(want)))
				}
				testenv.Must(t, os.RemoveAll(base))

				opts := tt.opts
				opts.Uninstaller = script
				dirs := []*string{&opts.DestDir}
				if !staged {
					dirs = []*string{&opts.Prefix, &opts.Bindir, &opts.Libdir, &opts.Sysconfdir, &opts.Datadir, &opts.Mandir, &opts.Docdir}
				}
				for _, dir := range dirs {
					if *dir != "" {
						*dir = base + *dir
					}
				}
				_, err := Run(t.Context(), opts, p.Components)
				testenv.Must(t, err)
				got := testenv.Tree(t, base)
				for _, tree := range []map[string]string{want, got} {
					maps.DeleteFunc(tree, func(name, _ string) bool { return more(name) })
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-install.sh +Run):\n%s", diff)
				}
				// Either may be uninstalled by the script that lies there now.
				for name := range got {
					if strings.HasSuffix(name, "/uninstall.sh") {
						if out, err := exec.Command(testenv.Need(t, shell), filepath.Join(base, name)).CombinedOutput(); err != nil {
							t.Errorf("uninstall.sh: %v\n%s", err, out)
						}
					}
				}
				for name := range testenv.Tree(t, base) {
					if !strings.HasSuffix(name, "/") {
						t.Errorf("%q is left after uninstall.sh", name)
					}
				}
			})
		}
	}
}

// TestStagedLists stages a package whose lists name the final places, and uninstalls it
// there, and where it was staged: then the files at the final places are another
// package's.
func TestStagedLists(t *testing.T) {
	p := samplePackage(t)
	script, err := p.Script()
	testenv.Must(t, err)
	for _, place := range []string{"its place", "another"} {
		for _, bindir := range []string{"", "/elsewhere"} {
			t.Run(place+" "+bindir, func(t *testing.T) {
				root := t.TempDir()
				stage, prefix := filepath.Join(root, "stage"), filepath.Join(root, "usr")
				opts := Options{DestDir: stage, Prefix: prefix, Uninstaller: script}
				if bindir != "" {
					opts.Bindir = root + bindir
				}
				done, err := Run(t.Context(), opts, p.Components)
				testenv.Must(t, err)
				for _, file := range done.Files {
					if !strings.HasPrefix(file, stage) {
						t.Errorf("got file %q, want it below %q", file, stage)
					}
				}
				lists, err := filepath.Glob(filepath.Join(stage+prefix, "lib/rustlib/manifest-*"))
				testenv.Must(t, err)
				for _, list := range lists {
					text, err := os.ReadFile(list)
					testenv.Must(t, err)
					if strings.Contains(string(text), "stage") || !strings.Contains(string(text), ":"+prefix+"/") {
						t.Errorf("%s: got %q, want paths below %q", filepath.Base(list), text, prefix)
					}
				}
				// Once more: the lists are those of what is staged.
				_, err = Run(t.Context(), opts, p.Components)
				testenv.Must(t, err)
				if out, err := exec.Command(testenv.Need(t, "cp"), "-a", stage+root+"/.", root).CombinedOutput(); err != nil { // the package is installed
					t.Fatalf("%v: %s", err, out)
				}
				at, left := prefix, stage
				if place == "another" {
					at, left = stage+prefix, root
				}
				before := files(t, left)
				before = slices.DeleteFunc(before, func(name string) bool { return place == "another" && strings.HasPrefix(name, "stage/") })
				if out, err := exec.Command(testenv.Need(t, "sh"), filepath.Join(at, "lib/rustlib/uninstall.sh")).CombinedOutput(); err != nil {
					t.Fatalf("uninstall.sh: %v\n%s", err, out)
				}
				after := slices.DeleteFunc(files(t, left), func(name string) bool { return place == "another" && strings.HasPrefix(name, "stage/") })
				if diff := cmp.Diff(before, after); diff != "" {
					t.Errorf("files of the other place (-before +after):\n%s", diff)
				}
				if gone := files(t, at); len(gone) > 0 {
					t.Errorf("left after uninstall.sh: %q", gone)
				}
			})
		}
	}
}

// more reports whether a file is one that differs from install.sh's, or that it does not
// write.
func more(name string) bool {
	base := path.Base(name)
	return base == logName || strings.HasPrefix(base, manifests.DigestsPrefix)
}

// files are the regular files below dir, sorted.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	for name := range testenv.Tree(t, dir) {
		if !strings.HasSuffix(name, "/") && !more(name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func TestUpgrade(t *testing.T) {
	prefix := t.TempDir()
	opts := Options{Prefix: prefix}
	docs := func(pages ...string) dist.Component {
		return dist.Component{Name: "rust-docs", Image: image(t, pages...), BulkDirs: []string{"share/doc/rust/html"}}
	}
	_, err := Run(t.Context(), opts, []dist.Component{
		{Name: "rustc", Image: image(t, "bin/rustc*", "lib/librustc-old.so", "lib/moved")},
		{Name: "rust-std-t", Image: image(t, "lib/rustlib/t/lib/a.rlib")},
		docs("share/doc/rust/html/a.html", "share/doc/rust/html/old/b.html"),
	})
	testenv.Must(t, err)
	testenv.Must(t, os.WriteFile(filepath.Join(prefix, "bin/foreign"), nil, 0o644))

	done, err := Run(t.Context(), opts, []dist.Component{
		{Name: "rustc", Image: image(t, "bin/rustc*", "lib/librustc-new.so")},
		{Name: "extra", Image: image(t, "lib/moved")},
		docs("share/doc/rust/html/a.html", "share/doc/rust/html/new.html"),
	})
	testenv.Must(t, err)
	want := []string{
		"bin/foreign", "bin/rustc", "lib/librustc-new.so", "lib/moved",
		"lib/rustlib/components", "lib/rustlib/manifest-extra", "lib/rustlib/manifest-rust-docs", "lib/rustlib/manifest-rust-std-t", "lib/rustlib/manifest-rustc",
		"lib/rustlib/rust-installer-version", "lib/rustlib/t/lib/a.rlib",
		"share/doc/rust/html/a.html", "share/doc/rust/html/new.html",
	}
	if diff := cmp.Diff(want, files(t, prefix)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	removed := []string{prefix + "/lib/librustc-old.so", prefix + "/share/doc/rust/html/old/b.html"}
	if diff := cmp.Diff(removed, done.Removed); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	if got := len(done.Files); got != 5 {
		t.Errorf("got %d files written, want 5: %q", got, done.Files)
	}
	records := testenv.Tree(t, filepath.Join(prefix, "lib/rustlib"))
	for name, want := range map[string]string{
		"components":     "rust-std-t\nrustc\nextra\nrust-docs\n",
		"manifest-rustc": "file:" + prefix + "/bin/rustc\nfile:" + prefix + "/lib/librustc-new.so\n",
	} {
		if got := strings.TrimPrefix(records[name], "-rw-r--r-- "); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// TestAfterEarlyKill installs where a run was killed before it could write its journal, so
// that nothing but its lock says who has created the directories. They go with the last
// component, and with a run that finds nothing to uninstall; directories of the user's stay.
func TestAfterEarlyKill(t *testing.T) {
	for name, c := range map[string]struct{ there, want []string }{
		"nothing of the user's":    {nil, nil},
		"a file in lib":            {[]string{"lib/mine"}, []string{"lib/mine"}},
		"a directory beside it":    {[]string{"lib/rustlib/mine/"}, []string{"lib/rustlib/mine/"}},
		"a directory in the way":   {[]string{"lib/more/"}, []string{"lib/more/"}},
		"killed before it had one": {[]string{"lib/rustlib/"}, []string{"lib/"}},
	} {
		t.Run(name, func(t *testing.T) {
			prefix := t.TempDir()
			opts := Options{Prefix: prefix}
			again := func() {
				for _, f := range c.there {
					at := filepath.Join(prefix, f)
					testenv.Must(t, os.MkdirAll(filepath.Dir(at), 0o755))
					if strings.HasSuffix(f, "/") {
						testenv.Must(t, os.MkdirAll(at, 0o755))
					} else {
						testenv.Must(t, os.WriteFile(at, nil, 0o644))
					}
				}
				if !slices.Contains(c.there, "lib/rustlib/") {
					testenv.Must(t, os.MkdirAll(prefix+"/lib/rustlib", 0o755))
					testenv.Must(t, os.WriteFile(prefix+"/lib/rustlib/.x-lock", []byte("process 12\n"), 0o644))
				}
			}
			left := func(after string) {
				t.Helper()
				tree := testenv.Tree(t, prefix)
				for _, f := range c.want {
					delete(tree, f)
					for dir := filepath.Dir(filepath.Clean(f)); dir != "."; dir = filepath.Dir(dir) {
						delete(tree, dir+"/")
					}
				}
				if len(tree) > 0 {
					t.Errorf("after %s: left %q", after, slices.Sorted(maps.Keys(tree)))
				}
			}
			again()
			_, err := Uninstall(t.Context(), opts)
			testenv.Must(t, err)
			left("uninstalling nothing")
			again()
			_, err = Run(t.Context(), opts, []dist.Component{{Name: "a", Image: image(t, "bin/a*", "lib/a.so")}})
			testenv.Must(t, err)
			_, err = Uninstall(t.Context(), opts)
			testenv.Must(t, err)
			left("installing and uninstalling")
		})
	}
}

// TestLinkedRecordsStay uninstalls where nothing is installed and the directory of the
// records, or one above it, is a link of the user's.
func TestLinkedRecordsStay(t *testing.T) {
	for _, link := range []string{"lib", "lib/rustlib"} {
		prefix := t.TempDir()
		testenv.Must(t, os.MkdirAll(filepath.Join(prefix, "elsewhere/rustlib"), 0o755))
		testenv.Must(t, os.MkdirAll(filepath.Dir(filepath.Join(prefix, link)), 0o755))
		target := map[string]string{"lib": "elsewhere", "lib/rustlib": "../elsewhere/rustlib"}[link]
		testenv.Must(t, os.Symlink(target, filepath.Join(prefix, link)))
		testenv.Must(t, os.WriteFile(filepath.Join(prefix, "elsewhere/rustlib/.x-lock"), nil, 0o644))
		_, err := Uninstall(t.Context(), Options{Prefix: prefix})
		testenv.Must(t, err)
		if got, err := os.Readlink(filepath.Join(prefix, link)); err != nil || got != target {
			t.Errorf("%s after uninstalling nothing: got a link to %q, %v", link, got, err)
		}
		_, err = Run(t.Context(), Options{Prefix: prefix}, []dist.Component{{Name: "a", Image: image(t, "bin/a*", "lib/a.so")}})
		testenv.Must(t, err)
		_, err = Uninstall(t.Context(), Options{Prefix: prefix})
		testenv.Must(t, err)
		if got, err := os.Readlink(filepath.Join(prefix, link)); err != nil || got != target {
			t.Errorf("%s after installing and uninstalling: got a link to %q, %v", link, got, err)
		}
	}
}

// TestOverRustup takes over what rustup has recorded with relative paths.
func TestOverRustup(t *testing.T) {
	prefix := testenv.WriteTree(t, "bin/cargo", "lib/old")
	testenv.Must(t, os.MkdirAll(filepath.Join(prefix, "lib/rustlib"), 0o755))
	for name, text := range map[string]string{
		"components": "cargo\n", "rust-installer-version": "3", "manifest-cargo": "file:bin/cargo\nfile:lib/old\n",
	} {
		testenv.Must(t, os.WriteFile(filepath.Join(prefix, "lib/rustlib", name), []byte(text), 0o644))
	}
	done, err := Run(t.Context(), Options{Prefix: prefix}, []dist.Component{{Name: "cargo", Image: image(t, "bin/cargo*")}})
	testenv.Must(t, err)
	if diff := cmp.Diff([]string{prefix + "/lib/old"}, done.Removed); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
}

func TestErrors(t *testing.T) {
	cargo := dist.Component{Name: "cargo", Image: image(t, "bin/cargo*")}
	linked := image(t, "bin/x*")
	testenv.Must(t, linked.AddSymlink("lib/l", "x"))
	records := func(files map[string]string) string {
		prefix := t.TempDir()
		testenv.Must(t, os.MkdirAll(filepath.Join(prefix, "lib/rustlib"), 0o755))
		for name, text := range files {
			testenv.Must(t, os.WriteFile(filepath.Join(prefix, "lib/rustlib", name), []byte(text), 0o644))
		}
		return prefix
	}
	tests := []struct {
		name       string
		opts       Options
		components []dist.Component
		want       string
	}{
		{"nothing", Options{Prefix: t.TempDir()}, nil, "no components given"},
		{"twice", Options{Prefix: t.TempDir()}, []dist.Component{cargo, cargo}, `component "cargo" is given twice`},
		{"two owners", Options{Prefix: t.TempDir()}, []dist.Component{cargo, {Name: "b", Image: cargo.Image}}, `"bin/cargo" belongs to`},
		{"link", Options{Prefix: t.TempDir()}, []dist.Component{{Name: "c", Image: linked}}, "symbolic link"},
		{"relative prefix", Options{Prefix: "usr"}, []dist.Component{cargo}, "want an absolute path"},
		{"relative destination", Options{DestDir: "d"}, []dist.Component{cargo}, "want an absolute path"},
		{"line break", Options{Prefix: "/a\nb"}, []dist.Component{cargo}, "line break"},
		{"prefix is a file", Options{Prefix: filepath.Join(testenv.WriteTree(t, "f"), "f")}, []dist.Component{cargo}, "not a directory"},
		{"other version", Options{Prefix: records(map[string]string{"rust-installer-version": "4\n"})}, []dist.Component{cargo}, `got installed version "4"`},
		{"foreign owner", Options{Prefix: records(map[string]string{"components": "other\n", "manifest-other": "file:bin/cargo\n"})}, []dist.Component{cargo},
			`belongs to installed component "other"`},
		{"record leads out", Options{Prefix: records(map[string]string{"components": "cargo\n", "manifest-cargo": "file:/etc/passwd\n"})}, []dist.Component{cargo},
			`"/etc/passwd" is in none of the directories given`},
		{"record climbs out", Options{Prefix: records(map[string]string{"components": "cargo\n", "manifest-cargo": "file:../x\n"})}, []dist.Component{cargo},
			`is in none of the directories given`},
		{"bad record", Options{Prefix: records(map[string]string{"components": "cargo\n", "manifest-cargo": "link:x\n"})}, []dist.Component{cargo}, "want file:PATH or dir:PATH"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Run(t.Context(), tt.opts, tt.components)
			if err == nil || !strings.Contains(err.Error(), tt.want) || len(got.Files) > 0 {
				t.Errorf("got %v and error %v, want an error with %q", got, err, tt.want)
			}
		})
	}
}

// TestStaysInDestDir has a staging area with links that lead out of it, as
// the root of a system image has.
func TestStaysInDestDir(t *testing.T) {
	outer := testenv.WriteTree(t, "outside/canary", "dest/usr/lib/", "dest/bin -> usr/bin", "dest/usr/bin/", "dest/abs -> /", "dest/up -> ../outside")
	dest := filepath.Join(outer, "dest")
	cargo := []dist.Component{{Name: "cargo", Image: image(t, "bin/cargo*")}}

	_, err := Run(t.Context(), Options{DestDir: dest, Prefix: "/usr", Bindir: "/bin"}, cargo)
	testenv.Must(t, err)
	if _, err := os.Stat(filepath.Join(dest, "usr/bin/cargo")); err != nil {
		t.Errorf("a link that stays inside was not followed: %v", err)
	}
	for _, prefix := range []string{"/abs/usr", "/up"} {
		if _, err := Run(t.Context(), Options{DestDir: dest, Prefix: prefix}, cargo); err == nil || !strings.Contains(err.Error(), "leads out of") {
			t.Errorf("prefix %q: got %v, want an error", prefix, err)
		}
	}
	if _, err := Run(t.Context(), Options{DestDir: dest, Prefix: "/../../outside"}, cargo); err != nil {
		t.Errorf("prefix that climbs: got %v", err)
	}
	if diff := cmp.Diff([]string{"canary"}, testenv.List(t, filepath.Join(outer, "outside"))); diff != "" {
		t.Errorf("outside (-want +got):\n%s", diff)
	}
}

// TestCancelled says that a cancelled run leaves an earlier installation as it was,
// and nothing where there was none.
func TestCancelled(t *testing.T) {
	c := []dist.Component{{Name: "rustc", Image: image(t, "bin/a*", "bin/b*", "lib/c")}}
	old := []dist.Component{{Name: "rustc", Image: image(t, "bin/a", "lib/old")}}
	for name, before := range map[string][]dist.Component{"empty": nil, "installed": old} {
		prefix := filepath.Join(t.TempDir(), "prefix")
		testenv.Must(t, os.Mkdir(prefix, 0o755))
		if before != nil {
			_, err := Run(t.Context(), Options{Prefix: prefix}, before)
			testenv.Must(t, err)
		}
		want := testenv.Tree(t, prefix)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := Run(ctx, Options{Prefix: prefix}, c); !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: got %v, want context canceled", name, err)
		}
		if diff := cmp.Diff(want, testenv.Tree(t, prefix)); diff != "" {
			t.Errorf("%s (-before +after):\n%s", name, diff)
		}
		_, err := Run(t.Context(), Options{Prefix: prefix}, c)
		testenv.Must(t, err)
	}
}

// TestTwoInstalls has several runs in one prefix at a time: the list of components
// loses none.
func TestTwoInstalls(t *testing.T) {
	prefix := t.TempDir()
	var g sync.WaitGroup
	var want []string
	for _, name := range []string{"a", "b", "c", "d"} {
		want = append(want, name)
		c := []dist.Component{{Name: name, Image: image(t, "bin/"+name+"*", "lib/"+name)}}
		g.Go(func() {
			if _, err := Run(t.Context(), Options{Prefix: prefix}, c); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
	data, err := os.ReadFile(filepath.Join(prefix, "lib/rustlib/components"))
	testenv.Must(t, err)
	got := strings.Fields(string(data))
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("components (-want +got):\n%s", diff)
	}
}

// TestStaysInPrefix has links in a prefix that lead out of it.
func TestStaysInPrefix(t *testing.T) {
	for _, link := range []string{"lib", "lib/rustlib", "bin", "share/doc"} {
		top := testenv.WriteTree(t, "outside/canary", "p/x")
		prefix := filepath.Join(top, "p")
		testenv.Must(t, os.MkdirAll(filepath.Dir(filepath.Join(prefix, link)), 0o755))
		testenv.Must(t, os.Symlink(filepath.Join(top, "outside"), filepath.Join(prefix, link)))
		_, err := Run(t.Context(), Options{Prefix: prefix}, samplePackage(t).Components)
		if err == nil || !strings.Contains(err.Error(), "leads out of") {
			t.Errorf("%s: got error %v", link, err)
		}
		if diff := cmp.Diff([]string{"canary"}, testenv.List(t, filepath.Join(top, "outside"))); diff != "" {
			t.Errorf("%s: outside (-want +got):\n%s", link, diff)
		}
	}
}

// image is an image of files with their names as content; a name that ends
// in "*" is executable, one that ends in "/" a directory.
func image(t testing.TB, names ...string) dist.Image {
	t.Helper()
	var img dist.Image
	for _, name := range names {
		if dir, ok := strings.CutSuffix(name, "/"); ok {
			testenv.Must(t, img.AddDir(dir))
			continue
		}
		name, exec := strings.CutSuffix(name, "*")
		mode := dist.ModeFile
		if exec {
			mode = dist.ModeExec
		}
		testenv.Must(t, img.AddBytes(name, []byte(name+"\n"), mode))
	}
	return img
}

// samplePackage has files for every directory of an installation, and a
// bulk directory.
func samplePackage(t testing.TB) dist.Package {
	t.Helper()
	return dist.Package{
		Name:    "rust-1.95.0-x86_64-unknown-linux-gnu",
		Product: "Rust", SuccessMessage: "rust installed.",
		Components: []dist.Component{
			{Name: "rustc", Image: image(t, "bin/rustc*", "bin/rust-gdb*", "lib/librustc_driver.so", "lib/rustlib/etc/lldb_commands",
				"libexec/helper*", "share/man/man1/rustc.1", "share/doc/rust/README.md", "etc/schema.json")},
			{Name: "rust-std-x86_64-unknown-linux-gnu", Image: image(t, "lib/rustlib/x86_64-unknown-linux-gnu/lib/libstd.rlib",
				"lib/rustlib/x86_64-unknown-linux-gnu/lib/self-contained/")},
			{Name: "rust-docs", BulkDirs: []string{"share/doc/rust/html"},
				Image: image(t, "share/doc/rust/html/index.html", "share/doc/rust/html/std/index.html", "share/doc/rust/html/empty/")},
		},
		Overlay: image(t, "version", "git-commit-hash", "LICENSE-MIT", "README.md"),
	}
}
