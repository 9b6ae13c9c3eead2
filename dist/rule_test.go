package dist

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
	"x.go/targets"
	"x.go/tests/testenv"
)

func TestGlob(t *testing.T) {
	tests := []struct {
		glob   string
		match  []string
		differ []string
	}{
		{"bin/rustc", []string{"bin/rustc"}, []string{"bin", "bin/rustc/x", "xbin/rustc", "bin/rustcc"}},
		{"bin/*", []string{"bin/a", "bin/.b"}, []string{"bin", "bin/a/b"}},
		{"lib/rustlib/*/bin/rust-?l[a-d]", []string{"lib/rustlib/x86/bin/rust-lld"}, []string{"lib/rustlib/bin/rust-lld", "lib/rustlib/a/b/bin/rust-lld"}},
		{"**", []string{"a", "a/b/c"}, nil},
		{"**/*.rs", []string{"a.rs", "a/b.rs", "a/b/c.rs"}, []string{"a.rs/b"}},
		{"a/**", []string{"a/b", "a/b/c", "a"}, []string{"b", "ab"}},
		{"a/**/z", []string{"a/z", "a/b/z", "a/b/c/z"}, []string{"a/b", "z", "a/zz"}},
		{"bin/rustc{,.exe}", []string{"bin/rustc", "bin/rustc.exe"}, []string{"bin/rustc.dll"}},
		{"{a,b}/{c,d}", []string{"a/c", "a/d", "b/c", "b/d"}, []string{"a/b"}},
		{"{a,b/**}", []string{"a", "b/c"}, []string{"a/c"}},
	}
	for _, tt := range tests {
		match, err := compileGlobs([]string{tt.glob})
		if err != nil {
			t.Errorf("%q: %v", tt.glob, err)
			continue
		}
		for _, name := range tt.match {
			if !match(name) {
				t.Errorf("%q does not match %q", tt.glob, name)
			}
		}
		for _, name := range tt.differ {
			if match(name) {
				t.Errorf("%q matches %q", tt.glob, name)
			}
		}
	}
	for _, bad := range []string{"", "a//b", "/a", "a[", "a/", `a\`, "odd{", "odd}"} {
		if _, err := compileGlobs([]string{bad}); err == nil {
			t.Errorf("compiling %q: got no error", bad)
		}
	}
}

func texts(errs []error) []string {
	var out []string
	for _, err := range errs {
		out = append(out, err.Error())
	}
	return out
}

func TestCheck(t *testing.T) {
	const host = "x86_64-unknown-linux-gnu"
	lld := []string{"lib/rustlib/" + host + "/bin/rust-lld*"}
	for _, w := range manifests.GCCLDPrograms() {
		lld = append(lld, "lib/rustlib/"+host+"/bin/gcc-ld/"+w+"*")
	}
	withLink := image(t, "bin/rustc*")
	testenv.Must(t, withLink.AddSymlink("lib/a.so", "b.so"))

	tests := []struct {
		name  string
		img   Image
		rules []Rule
		want  []string
	}{
		{"LLD is there", image(t, lld...), RequireLLD(host, ""), nil},
		{"LLD is missing", image(t, lld[1:4]...), RequireLLD(host, ""), []string{
			`"lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld" is missing: rust.lld = true ships LLD`,
			`"lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld/wasm-ld" is missing: the compiler makes the C compiler look for its linker in gcc-ld`,
		}},
		{"LLD of another host", image(t, lld...), RequireLLD("aarch64-apple-darwin", "")[:1], []string{
			`"lib/rustlib/aarch64-apple-darwin/bin/rust-lld" is missing: rust.lld = true ships LLD`,
		}},
		{"LLD is plain", image(t, "lib/rustlib/h/bin/rust-lld.exe"), RequireLLD("h", ".exe")[:2], []string{
			`"lib/rustlib/h/bin/rust-lld.exe" is not executable: got mode -rw-r--r--, want -rwxr-xr-x`,
		}},
		{"no LLD", image(t, "bin/rustc*", "lib/rustlib/"+host+"/bin/gcc-ld/ld.lld*"), ForbidLLD(host, ""), nil},
		{"LLD where none may be", image(t, lld...), ForbidLLD(host, ""), []string{
			`"lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld" must not be there: rust.lld = false ships no LLD`,
		}},
		{"wrappers where none may be", image(t, lld[1]), ForbidWrappers(host), []string{
			`"lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld" must not be there: without rust-lld its wrappers cannot run`,
			`"lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld/ld.lld" must not be there: without rust-lld its wrappers cannot run`,
		}},
		{"links", withLink, NoSymlinks(), []string{
			`"lib/a.so" is a symbolic link to "b.so": rustup cannot install links; ship the file it leads to`,
		}},
		{"modes", image(t, "bin/rustc", "bin/ok*", "share/doc/a*", "lib/rustlib/t/bin/gcc-ld/ld.lld"), executables(), []string{
			`"bin/rustc" is not executable: got mode -rw-r--r--, want -rwxr-xr-x: rustup installs it with the mode it has in the archive`,
			`"lib/rustlib/t/bin/gcc-ld/ld.lld" is not executable: got mode -rw-r--r--, want -rwxr-xr-x: rustup installs it with the mode it has in the archive`,
			`"share/doc/a" is executable: got mode -rwxr-xr-x, want -rw-r--r--: documentation is not a program`,
		}},
		{"bad glob", image(t, "a"), []Rule{{Glob: "["}, {Glob: "b", Demand: Present}}, []string{
			`compiling glob "[": bad pattern`, `"b" is missing`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, texts(Check(tt.img, tt.rules))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckOwners(t *testing.T) {
	got := texts(CheckOwners([]Component{
		{Name: "rustc", Image: image(t, "bin/rustc", "lib/a", "share/doc/x")},
		{Name: "cargo", Image: image(t, "bin/cargo", "lib/a", "share/doc/")},
		{Name: "odd", Image: image(t, "bin/rustc/x", "share/doc")},
	}))
	want := []string{
		`"lib/a" belongs to component "rustc" and to component "cargo"`,
		`"bin/rustc" is a file of component "rustc" and a directory of component "odd"`,
		`"share/doc" belongs to component "cargo" and to component "odd"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCheckComponent(t *testing.T) {
	tests := []struct {
		c    Component
		want []string
	}{
		{Component{Name: "cargo", Image: image(t, "bin/cargo*")}, nil},
		{Component{Name: "cargo", Image: image(t, "bin/cargo.exe*")}, nil},
		{Component{Name: "rust-std-wasm32-wasip1", Image: image(t, "lib/rustlib/wasm32-wasip1/lib/libstd.rlib")}, nil},
		{Component{Name: "unheard-of", Image: image(t, "some/file")}, nil},
		{Component{Name: "cargo", Image: image(t, "bin/rustc*"), BulkDirs: []string{"share"}}, []string{
			`checking component "cargo": bulk directory "share" is not in the image`,
			`checking component "cargo": "bin/cargo{,.exe}" is missing: component cargo is of no use without it`,
		}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, texts(CheckComponent(tt.c))); diff != "" {
			t.Errorf("component %q with %q (-want +got):\n%s", tt.c.Name, names(tt.c.Image), diff)
		}
	}
}

// TestRuleSetsCompile is for the globs of all tables.
func TestRuleSetsCompile(t *testing.T) {
	var globs []string
	for _, row := range componentFiles {
		globs = append(globs, row.glob)
	}
	for _, r := range slices.Concat(NoSymlinks(), executables(), RequireLLD("h", ""), ForbidLLD("h", ""), ForbidWrappers("h")) {
		globs = append(globs, r.Glob)
	}
	if _, err := compileGlobs(globs); err != nil {
		t.Error(err)
	}
}

// TestComponentFilesAreOwned holds the files that a component must have against
// the table of who owns a file.
func TestComponentFilesAreOwned(t *testing.T) {
	const host = "x86_64-unknown-linux-gnu"
	triple, err := targets.ParseTriple(host)
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.NewReplacer("{,.exe}", "", "/**", "/x", "/*/", "/"+host+"/", "*.json", "x.json", "rustc*", "rustc-docs")
	for _, row := range componentFiles {
		archive, _, ok := manifests.OwnerOf(plain.Replace(row.glob), triple)
		spec, known := manifests.LookupComponent(archive)
		if name := strings.TrimSuffix(row.component, "-"); !ok || !known || spec.Package != name {
			t.Errorf("%s: got owner %q, want %q", row.glob, spec.Package, name)
		}
	}
}
