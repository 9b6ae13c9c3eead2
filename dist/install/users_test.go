package install

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/tests/testenv"
)

func uninstaller(t *testing.T) []byte {
	t.Helper()
	script, err := dist.Package{}.Script()
	testenv.Must(t, err)
	return script
}

// docs is a component with a bulk directory.
func docs(t *testing.T, pages ...string) dist.Component {
	t.Helper()
	return dist.Component{Name: "rust-docs", Image: image(t, pages...), BulkDirs: []string{"share/doc/rust/html"}}
}

// TestFailedInstallThenUninstall has an installation fail, at a link that leads out, and
// then runs what uninstall.sh there is: it removes nothing that the failed run has not
// written.
func TestFailedInstallThenUninstall(t *testing.T) {
	top := testenv.WriteTree(t, "outside/x", "p/bin/rustfmt")
	prefix := filepath.Join(top, "p")
	opts := Options{Prefix: prefix, Uninstaller: uninstaller(t)}
	_, err := Run(t.Context(), opts, []dist.Component{{Name: "cargo", Image: image(t, "bin/cargo*")}})
	testenv.Must(t, err)
	testenv.Must(t, os.Symlink(filepath.Join(top, "outside"), prefix+"/share"))
	_, err = Run(t.Context(), opts, []dist.Component{{Name: "rustfmt", Image: image(t, "bin/rustfmt*", "share/doc/x")}})
	if err == nil || !strings.Contains(err.Error(), "leads out of") {
		t.Fatalf("got error %v", err)
	}
	if out, err := exec.Command(testenv.Need(t, "sh"), prefix+"/lib/rustlib/uninstall.sh").CombinedOutput(); err != nil {
		t.Fatalf("uninstall.sh: %v\n%s", err, out)
	}
	if diff := cmp.Diff([]string{"rustfmt"}, testenv.List(t, prefix+"/bin")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestBackups has all kinds of things in the way.
func TestBackups(t *testing.T) {
	top := testenv.WriteTree(t, "outside/canary", "p/bin/file", "p/bin/file.old", "p/bin/dir/deep/note", "p/bin/link -> ../../outside/canary",
		"p/share/doc/rust/html/my-notes", "p/share/doc/rust/html/index.html", "p/share/doc/rust/html.old/older", "p/lib/unrelated")
	prefix := filepath.Join(top, "p")
	testenv.Must(t, exec.Command(testenv.Need(t, "mkfifo"), prefix+"/bin/fifo").Run())
	components := []dist.Component{
		{Name: "tools", Image: image(t, "bin/file*", "bin/dir*", "bin/link*", "bin/fifo*", "bin/free*")},
		docs(t, "share/doc/rust/html/index.html"),
	}
	done, err := Run(t.Context(), Options{Prefix: prefix}, components)
	testenv.Must(t, err)
	at := func(name, old string) Backup { return Backup{filepath.Join(prefix, name), filepath.Join(prefix, old)} }
	want := []Backup{
		at("bin/dir", "bin/dir.old"), at("bin/fifo", "bin/fifo.old"), at("bin/file", "bin/file.old.1"), at("bin/link", "bin/link.old"),
		at("share/doc/rust/html/index.html", "share/doc/rust/html.old.1/index.html"), at("share/doc/rust/html/my-notes", "share/doc/rust/html.old.1/my-notes"),
	}
	if diff := cmp.Diff(want, done.Backups); diff != "" {
		t.Errorf("backups (-want +got)\n%s", diff)
	}
	if info, err := os.Lstat(prefix + "/bin/fifo.old"); err != nil || info.Mode().Type() != os.ModeNamedPipe {
		t.Errorf("the FIFO: got %v, %v", info, err)
	}
	if text, err := os.ReadFile(top + "/outside/canary"); err != nil || string(text) != "outside/canary\n" {
		t.Errorf("a link was written through: got %q, %v", text, err)
	}
	if text, err := os.ReadFile(prefix + "/bin/dir.old/deep/note"); err != nil || string(text) != "p/bin/dir/deep/note\n" {
		t.Errorf("the directory: got %q, %v", text, err)
	}

	// The same once more: nothing is in the way now, and nothing changes.
	before := testenv.List(t, prefix+"/bin")
	info, err := os.Stat(prefix + "/bin/file")
	testenv.Must(t, err)
	done, err = Run(t.Context(), Options{Prefix: prefix}, components)
	testenv.Must(t, err)
	after, err := os.Stat(prefix + "/bin/file")
	testenv.Must(t, err)
	if len(done.Backups)+len(done.Removed)+len(done.Missing) > 0 || done.Unchanged != len(done.Files) || !os.SameFile(info, after) {
		t.Errorf("the second run: got %+v", done)
	}
	if diff := cmp.Diff(before, testenv.List(t, prefix+"/bin")); diff != "" {
		t.Errorf("the second run (-before +after)\n%s", diff)
	}
}

// TestForeignFiles has files of the user's in a bulk directory of an installation, and
// changed files, and upgrades or uninstalls it: with digests, and as install.sh leaves it.
func TestForeignFiles(t *testing.T) {
	const html = "share/doc/rust/html/"
	for _, tt := range []struct {
		name    string
		digests bool
		run     func(opts Options) (Installed, error)
		want    []string // below share
	}{
		{"the same again", true, func(opts Options) (Installed, error) {
			return Run(t.Context(), opts, []dist.Component{docs(t, html+"a", html+"old/b")})
		}, []string{"share/doc/rust/html.old/a", "share/doc/rust/html.old/notes", html + "a", html + "old/b"}},
		{"upgrade", true, func(opts Options) (Installed, error) {
			return Run(t.Context(), opts, []dist.Component{docs(t, html+"a", html+"c")})
		}, []string{"share/doc/rust/html.old/a", "share/doc/rust/html.old/notes", html + "a", html + "c"}},
		{"uninstall", true, func(opts Options) (Installed, error) { return Uninstall(t.Context(), opts) },
			[]string{html + "a.old", html + "notes"}},
		{"upgrade without digests", false, func(opts Options) (Installed, error) {
			return Run(t.Context(), opts, []dist.Component{docs(t, html+"a", html+"c")})
		}, []string{"share/doc/rust/html.old/a", "share/doc/rust/html.old/notes", html + "a", html + "c"}},
		{"uninstall without digests", false, func(opts Options) (Installed, error) { return Uninstall(t.Context(), opts) },
			[]string{html + "a", html + "notes"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			prefix := t.TempDir()
			opts := Options{Prefix: prefix}
			_, err := Run(t.Context(), opts, []dist.Component{docs(t, html+"a", html+"old/b")})
			testenv.Must(t, err)
			if !tt.digests {
				testenv.Must(t, os.Remove(prefix+"/lib/rustlib/digests-rust-docs"))
			}
			put(t, filepath.Join(prefix, html, "notes"), "mine")
			put(t, filepath.Join(prefix, html, "a"), "changed")
			_, err = tt.run(opts)
			testenv.Must(t, err)
			var got []string
			for _, name := range files(t, prefix) {
				if strings.HasPrefix(name, "share/") {
					got = append(got, name)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestUninstall removes one component, then what is left, then nothing.
func TestUninstall(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "p")
	opts := Options{Prefix: prefix, Uninstaller: uninstaller(t)}
	_, err := Run(t.Context(), opts, samplePackage(t).Components)
	testenv.Must(t, err)
	put(t, prefix+"/bin/mine", "mine")
	testenv.Must(t, os.Remove(prefix+"/etc/schema.json"))

	done, err := Uninstall(t.Context(), opts, "rust-docs", "clippy")
	testenv.Must(t, err)
	if diff := cmp.Diff([][]string{{"rust-docs"}, {"clippy"}}, [][]string{done.Components, done.NotInstalled}); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err := os.Lstat(prefix + "/share/doc/rust/html"); err == nil {
		t.Error("the bulk directory is left")
	}
	components, err := os.ReadFile(prefix + "/lib/rustlib/components")
	testenv.Must(t, err)
	if got := string(components); got != "rustc\nrust-std-x86_64-unknown-linux-gnu\n" {
		t.Errorf("got components %q", got)
	}
	done, err = Uninstall(t.Context(), opts)
	testenv.Must(t, err)
	if diff := cmp.Diff([]string{prefix + "/etc/schema.json"}, done.Missing); diff != "" {
		t.Errorf("missing (-want +got)\n%s", diff)
	}
	want := map[string]string{"bin/": "drwxr-xr-x", "bin/mine": "-rw-r--r-- mine"}
	if diff := cmp.Diff(want, testenv.Tree(t, prefix)); diff != "" {
		t.Errorf("left (-want +got)\n%s", diff)
	}
	for range 2 {
		done, err = Uninstall(t.Context(), opts)
		testenv.Must(t, err)
		if len(done.Removed)+len(done.Components) > 0 {
			t.Errorf("nothing is installed, but got %+v", done)
		}
		if diff := cmp.Diff(want, testenv.Tree(t, prefix)); diff != "" {
			t.Errorf("left (-want +got)\n%s", diff)
		}
	}
}

// TestUninstallLikeScript uninstalls what install.sh has installed, which has no digests,
// also if somebody has damaged the list of components.
func TestUninstallLikeScript(t *testing.T) {
	for _, components := range []string{"cargo\n", ""} {
		prefix := testenv.WriteTree(t, "bin/cargo", "bin/mine", "lib/old", "share/doc/x/deep/page")
		for name, text := range map[string]string{
			"components": components, "rust-installer-version": "2\n", "install.log": "log\n",
			"manifest-cargo": "dir:" + prefix + "/share/doc/x\nfile:" + prefix + "/bin/cargo\nfile:lib/old\nfile:lib/gone\n",
		} {
			put(t, prefix+"/lib/rustlib/"+name, text)
		}
		done, err := Uninstall(t.Context(), Options{Prefix: prefix})
		testenv.Must(t, err)
		if diff := cmp.Diff([]string{"bin/mine"}, files(t, prefix)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if len(done.Removed) != 3 || len(done.Missing) != 1 || len(done.Records.Removed) != 4 {
			t.Errorf("got %+v", done)
		}
	}
}

// TestLegacy takes over from an installer before version 2, which had one list.
func TestLegacy(t *testing.T) {
	for _, dir := range []string{"rustlib", "cargo"} {
		prefix := testenv.WriteTree(t, "bin/old", "bin/mine")
		put(t, prefix+"/lib/"+dir+"/manifest", prefix+"/bin/old\nnot absolute\n")
		_, err := Run(t.Context(), Options{Prefix: prefix}, []dist.Component{{Name: "cargo", Image: image(t, "bin/cargo*")}})
		testenv.Must(t, err)
		want := []string{"bin/cargo", "bin/mine", "lib/rustlib/components", "lib/rustlib/manifest-cargo", "lib/rustlib/rust-installer-version"}
		if diff := cmp.Diff(want, files(t, prefix)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

// TestRefused has places to install to that are none: nothing changes.
func TestRefused(t *testing.T) {
	cargo := []dist.Component{{Name: "cargo", Image: image(t, "bin/cargo*")}}
	source := testenv.WriteTree(t, "bin/cargo*")
	var same dist.Image
	testenv.Must(t, same.AddTree("", source, nil))
	for _, tt := range []struct {
		name, want string
		prefix     string
		components []dist.Component
	}{
		{"the source", "the toolchain itself", source, []dist.Component{{Name: "cargo", Image: same}}},
		{"the root", "the prefix is the root directory", "/", cargo},
		{"a file in the way of a directory", "is not a directory", testenv.WriteTree(t, "bin"), cargo},
		{"a link in the place of a record", "it is a symbolic link", testenv.WriteTree(t, "secret", "lib/rustlib/components -> ../../secret"), cargo},
		{"a link in the place of the journal", "it is a symbolic link", testenv.WriteTree(t, "secret", "lib/rustlib/.x-install -> ../../secret"), cargo},
		{"a journal of others", "remove the file", func() string {
			prefix := testenv.WriteTree(t, "precious")
			put(t, prefix+"/lib/rustlib/.x-install", "x-install-1 \"ABCDEFGHIJKLMNOPQRSTUVWXYZ\"\nplace \"/etc/passwd\"\nend\n")
			return prefix
		}(), cargo},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var before map[string]string
			if tt.prefix != "/" {
				before = testenv.Tree(t, tt.prefix)
			}
			_, err := Run(t.Context(), Options{Prefix: tt.prefix}, tt.components)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
			if tt.prefix == "/" {
				return
			}
			if diff := cmp.Diff(before, testenv.Tree(t, tt.prefix)); diff != "" {
				t.Errorf("(-before +after)\n%s", diff)
			}
		})
	}
	testenv.AsNobody(t, func() {
		prefix := "/usr/lib/x-test-of-a-prefix"
		if _, err := Run(t.Context(), Options{Prefix: prefix}, cargo); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("unwritable: got error %v", err)
		}
	})
}
