package manifests_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
	"x.go/tests/testenv"
)

func TestParseFileList(t *testing.T) {
	tests := []struct {
		name, in string
		want     manifests.FileList
	}{
		{"empty", "", nil},
		{"both kinds", "dir:share/doc/rust/html\nfile:bin/rustc\n", manifests.FileList{
			{manifests.DirDirective, "share/doc/rust/html"}, {manifests.FileDirective, "bin/rustc"}}},
		{"colon in a path", "file:a:b\n", manifests.FileList{{manifests.FileDirective, "a:b"}}},
		{"any order", "file:b\nfile:a\n", manifests.FileList{{manifests.FileDirective, "b"}, {manifests.FileDirective, "a"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := manifests.ParseFileList([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestParseFileListErrors(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty line", "file:a\n\nfile:b\n", "line 2: got an empty line"},
		{"only a line feed", "\n", "line 1: got an empty line"},
		{"no line feed", "file:a", "line 1: want a line feed at the end"},
		{"no colon", "file\n", `line 1: got "file", want file:PATH or dir:PATH`},
		{"unknown word", "link:a\n", `line 1: got "link:a"`},
		{"absolute", "file:/etc/passwd\n", `got path "/etc/passwd": name is absolute`},
		{"escape", "file:../evil5\n", `got path "../evil5"`},
		{"inner escape", "file:a/../../b\n", `got path "a/../../b"`},
		{"dot", "file:.\n", `got path "."`},
		{"leading dot", "file:./a\n", `got path "./a"`},
		{"trailing slash", "dir:a/\n", `got path "a/"`},
		{"no path", "file:\n", `got path ""`},
		{"backslash", "file:a\\b\n", `which rust-installer does not support`},
		{"carriage return", "file:a\r\n", "got a carriage return"},
		{"invalid UTF-8", "file:\xff\n", `got path "\xff"`},
		{"twice", "file:a\nfile:b\nfile:a\n", `line 3: got "a" again, which line 1 has`},
		{"two kinds", "dir:a\nfile:a\n", `line 2: got "a" again`},
		{"inside a bulk dir", "file:a/b/c\ndir:a\n", `line 1: got "a/b/c", which is inside of line 2`},
		{"inside a file", "file:a\nfile:a/b\n", `line 2: got "a/b", which is inside of line 1`},
		{"long", "file:" + strings.Repeat("a", 5000) + "\n", "name has 5000 bytes, the limit is 4096"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := manifests.ParseFileList([]byte(tt.in))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestParseFileListReportsAllLines(t *testing.T) {
	_, err := manifests.ParseFileList([]byte("file:/a\nfile:b\nnope\nfile:b\n"))
	if err == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{"line 1:", "line 3:", "line 4:"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error for %s", err, want)
		}
	}
}

// TestReadFileList asks for all problems and for what can be used all the same.
func TestReadFileList(t *testing.T) {
	const in = "file:b\r\ndir:a\nfile:a/c\nfile:../x\nfile:b\nlink:d\nfile:e"
	kinds := map[manifests.ListProblemKind][]int{} // lines
	got := manifests.ReadFileList([]byte(in), func(p manifests.ListProblem) { kinds[p.Kind] = append(kinds[p.Kind], p.Line) })
	want := manifests.FileList{{manifests.FileDirective, "b"}, {manifests.DirDirective, "a"}, {manifests.FileDirective, "a/c"}, {manifests.FileDirective, "e"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	wantKinds := map[manifests.ListProblemKind][]int{
		manifests.ListSyntax: {1, 6, 7}, manifests.ListPath: {4}, manifests.ListDuplicate: {5, 3}, manifests.ListOrder: {2},
	}
	if diff := cmp.Diff(wantKinds, kinds); diff != "" {
		t.Errorf("lines by kind (-want +got)\n%s", diff)
	}
	manifests.ReadFileList(nil, func(p manifests.ListProblem) {
		if p.Kind != manifests.ListEmpty {
			t.Errorf("nothing: got %+v", p)
		}
	})
}

func TestCheckMemberName(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"lib/rustlib/x y/é:z", ""}, {"...", ""}, {"a/..b", ""}, {"..a/b..", ""}, {".hidden", ""}, {"a\x00b", "control"},
		{"", "empty"}, {".", `starts with "."`}, {"./a", `starts with "."`}, {"..", `has ".."`}, {"../a", `has ".."`}, {"a/../b", `has ".."`},
		{"/a", "absolute"}, {"a//b", "not a clean"}, {"a/", "not a clean"}, {"a/./b", "not a clean"},
		{"a\xffb", "UTF-8"}, {`a\b`, `"\"`}, {"a\nb", "control character at byte 1"}, {"a\u0085b", "control character"},
		{strings.Repeat("x", 4096), ""}, {strings.Repeat("x", 4097), "the limit is 4096"},
	} {
		err := manifests.CheckMemberName(tt.name)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.40q: got %v, want an error with %q", tt.name, err, tt.want)
		}
	}
}

func TestFileListEncodeSortsLines(t *testing.T) {
	c := manifests.FileList{
		{manifests.FileDirective, "bin/rustc"}, {manifests.FileDirective, "bin/rust-gdb"}, {manifests.DirDirective, "z"},
		{manifests.FileDirective, "bin/rustc"},
	}
	if got, want := string(c.Encode()), "dir:z\nfile:bin/rust-gdb\nfile:bin/rustc\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// installedLists returns the file lists that rustup keeps of Rust's own
// archives: verbatim manifest.in files.
func installedLists(t testing.TB) []string {
	names, err := filepath.Glob(filepath.Join(os.Getenv("RUSTUP_HOME"), "toolchains/*/lib/rustlib/manifest-*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		testenv.Missing(t, "toolchain installed by rustup in %s", os.Getenv("RUSTUP_HOME"))
	}
	return names
}

func TestOfficialFileLists(t *testing.T) {
	for _, name := range installedLists(t) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := manifests.ParseFileList(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Equal(c.Encode(), data) {
			t.Errorf("%s: encoding gives other bytes", name)
		}
	}
}

func TestParseInstalledFileList(t *testing.T) {
	want := manifests.FileList{{manifests.FileDirective, "bin/rustc"}}
	for _, in := range []string{"file:/opt/rust/bin/rustc\n", "file:bin/rustc\n"} {
		got, err := manifests.ParseInstalledFileList([]byte(in), "/opt/rust/")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: (-want +got)\n%s", in, diff)
		}
	}
	for _, in := range []string{"file:/opt/rusty/bin/rustc\n", "file:/opt/rust/../x\n", "file:/opt/rust//bin\n"} {
		if _, err := manifests.ParseInstalledFileList([]byte(in), "/opt/rust"); err == nil {
			t.Errorf("%q: got no error", in)
		}
	}
	if _, err := manifests.ParseInstalledFileList(nil, "opt"); err == nil {
		t.Error("relative prefix: got no error")
	}
}

func TestComponentNames(t *testing.T) {
	names := []string{"rustc", "rust-std-thumbv8m.base-none-eabi"}
	data := manifests.EncodeComponentNames(names...)
	got, err := manifests.ParseComponentNames(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, tt := range []struct{ in, want string }{
		{"rustc", "line 1: want a line feed"},
		{"rustc\n\n", "line 2: got \"\""},
		{"rustc\nrustc\n", "line 2: got \"rustc\" again"},
		{"../rustc\n", "line 1: got \"../rustc\""},
		{"..\n", "line 1: got \"..\""},
		{"rust c\n", "line 1: got \"rust c\""},
	} {
		if _, err := manifests.ParseComponentNames([]byte(tt.in)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got error %v, want one with %q", tt.in, err, tt.want)
		}
	}
}

func TestParseInstallerVersion(t *testing.T) {
	for in, ok := range map[string]bool{"3": true, "3\n": true, "2\n": false, "": false, "3\n\n": false, "33": false} {
		if err := manifests.ParseInstallerVersion([]byte(in)); (err == nil) != ok {
			t.Errorf("%q: got error %v", in, err)
		}
	}
}

func FuzzParseFileList(f *testing.F) {
	f.Add([]byte("dir:share/doc\nfile:bin/rustc\n"))
	f.Add([]byte("file:a:b\r\n"))
	f.Add([]byte("file:../x\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := manifests.ParseFileList(data)
		if err != nil {
			return
		}
		for _, d := range c {
			if !filepath.IsLocal(d.Path) {
				t.Errorf("got path %q, which leaves the root", d.Path)
			}
		}
		again, err := manifests.ParseFileList(c.Encode())
		if err != nil {
			t.Fatalf("%q does not parse after encoding: %v", data, err)
		}
		if len(again) != len(c) || !bytes.Equal(again.Encode(), c.Encode()) {
			t.Errorf("%q is another list after encoding: %q", data, again.Encode())
		}
	})
}
