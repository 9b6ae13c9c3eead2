package dist

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/testenv"
)

func TestManifest(t *testing.T) {
	tests := []struct {
		name string
		c    Component
		want string
	}{
		{"files", Component{Image: image(t, "lib/a/b", "bin/rustc*", "lib.x", "lib/empty/")}, "file:bin/rustc\nfile:lib.x\nfile:lib/a/b\n"},
		{"bulk", Component{Image: image(t, "share/doc/rust/html/a", "share/doc/rust/html/b/c", "share/doc/rust/html.css", "bin/x"),
			BulkDirs: []string{"share/doc/rust/html"}}, "dir:share/doc/rust/html\nfile:bin/x\nfile:share/doc/rust/html.css\n"},
		{"bulk that is not there", Component{Image: image(t, "bin/x"), BulkDirs: []string{"share"}}, "file:bin/x\n"},
		{"empty bulk", Component{Image: image(t, "share/"), BulkDirs: []string{"share", "share"}}, "dir:share\n"},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, string(tt.c.Manifest().Encode())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestPackageImage(t *testing.T) {
	p := combinedPackage(t)
	img, err := p.Image()
	testenv.Must(t, err)
	const std = "rust-std-x86_64-unknown-linux-gnu"
	want := []string{
		"LICENSE-MIT", "README.md", "components", "git-commit-hash", "install.sh*",
		"rust-docs/manifest.in", "rust-docs/share/doc/rust/html/empty/", "rust-docs/share/doc/rust/html/index.html", "rust-docs/share/doc/rust/html/std/index.html",
		"rust-installer-version",
		std + "/lib/rustlib/x86_64-unknown-linux-gnu/lib/libstd.rlib", std + "/lib/rustlib/x86_64-unknown-linux-gnu/lib/self-contained/", std + "/manifest.in",
		"rustc/bin/rust-gdb*", "rustc/bin/rustc*", "rustc/etc/schema.json", "rustc/lib/librustc_driver.so", "rustc/lib/rustlib/etc/lldb_commands",
		"rustc/libexec/helper*", "rustc/manifest.in", "rustc/share/doc/rust/README.md", "rustc/share/man/man1/rustc.1",
		"version",
	}
	for i := range want {
		want[i] = p.Name + "/" + want[i]
	}
	if diff := cmp.Diff(want, names(img)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"components":             "rustc\n" + std + "\nrust-docs\n",
		"rust-installer-version": "3\n",
		"rust-docs/manifest.in":  "dir:share/doc/rust/html\n",
		std + "/manifest.in":     "file:lib/rustlib/x86_64-unknown-linux-gnu/lib/libstd.rlib\n",
	} {
		if got := readEntry(t, img, p.Name+"/"+name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got := readEntry(t, img, p.Name+"/install.sh"); !strings.Contains(got, "rust installed.") {
		t.Error("install.sh lacks the success message")
	}
}

func TestPackageErrors(t *testing.T) {
	ok := Component{Name: "cargo", Image: image(t, "bin/cargo*")}
	tests := []struct {
		name  string
		p     Package
		wants []string
	}{
		{"empty", Package{}, []string{`assembling package ""`, "name is empty", "no components"}},
		{"name is a path", Package{Name: "a/b", Components: []Component{ok}}, []string{"single path element"}},
		{"name has a space", Package{Name: "a b", Components: []Component{ok}}, []string{"single path element"}},
		{"component name", Package{Name: "p", Components: []Component{{Name: "../x", Image: ok.Image}}}, []string{`component "../x"`, "want letters, digits"}},
		{"component twice", Package{Name: "p", Components: []Component{ok, ok}}, []string{`component "cargo": the name is taken`, `"bin/cargo" belongs to component "cargo"`}},
		{"two owners", Package{Name: "p", Components: []Component{ok, {Name: "b", Image: ok.Image}}}, []string{`"bin/cargo" belongs to component "cargo" and to component "b"`}},
		{"empty component", Package{Name: "p", Components: []Component{{Name: "c"}}}, []string{"component has no files"}},
		{"bulk directories", Package{Name: "p", Components: []Component{{Name: "c", Image: image(t, "a/b/c"), BulkDirs: []string{"a", "a/b", "z"}}}},
			[]string{`"a/b" is inside another`, `"z" is not in the image`}},
		{"reserved name", Package{Name: "p", Components: []Component{{Name: "components", Image: ok.Image}}}, []string{`adding "components"`}},
		{"manifest.in in the image", Package{Name: "p", Components: []Component{{Name: "c", Image: image(t, "manifest.in")}}}, []string{`adding "c/manifest.in"`}},
		{"overlay file of ours", Package{Name: "p", Components: []Component{ok}, Overlay: image(t, "install.sh")}, []string{`adding "install.sh"`}},
		{"overlay in a component", Package{Name: "p", Components: []Component{ok}, Overlay: image(t, "cargo/x")}, []string{`component "cargo": the name is taken`}},
		{"bad word for install.sh", Package{Name: "p", Components: []Component{ok}, Product: "a\nb"}, []string{"install.sh"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.p.Image()
			if err == nil {
				t.Fatal("got no error")
			}
			for _, want := range tt.wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q in it", err, want)
				}
			}
		})
	}
}

// combinedPackage is a small combined package with a bulk directory.
func combinedPackage(t testing.TB) Package {
	t.Helper()
	return Package{
		Name:    "rust-1.95.0-x86_64-unknown-linux-gnu",
		Product: "Rust", SuccessMessage: "rust installed.",
		Components: []Component{
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
