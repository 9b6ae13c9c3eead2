package dist

import (
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/testenv"
)

func TestImageAdd(t *testing.T) {
	tests := []struct {
		name string
		have []string
		add  string
		want string // part of the error, or ""
	}{
		{"first", nil, "bin/rustc", ""},
		{"sibling", []string{"bin/rustc"}, "bin/rustdoc", ""},
		{"name that starts like a directory", []string{"lib/a/b"}, "lib/a.so", ""},
		{"directory again", []string{"lib/"}, "lib/", ""},
		{"directory of a file", []string{"lib/a"}, "lib/", ""},
		{"twice", []string{"bin/rustc"}, "bin/rustc", `adding "bin/rustc" (from generated content): the name is taken (from generated content)`},
		{"file inside a file", []string{"lib"}, "lib/a/b", `"lib" is not a directory`},
		{"directory inside a file", []string{"lib"}, "lib/a/", `"lib" is not a directory`},
		{"file over implied directory", []string{"lib/a/b"}, "lib/a", `the name is a directory, because of "lib/a/b"`},
		{"file over directory", []string{"lib/"}, "lib", "the name is taken"},
		{"directory over file", []string{"lib"}, "lib/", "the name is taken"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			img := image(t, tt.have...)
			before := names(img)
			var err error
			if dir, ok := strings.CutSuffix(tt.add, "/"); ok {
				err = img.AddDir(dir)
			} else {
				err = img.AddBytes(tt.add, nil, ModeFile)
			}
			if tt.want == "" {
				testenv.Must(t, err)
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got error %v, want one with %q", err, tt.want)
			}
			if diff := cmp.Diff(before, names(img)); diff != "" {
				t.Errorf("image after the error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestImageAddBadEntries(t *testing.T) {
	for _, e := range []Entry{
		{Name: "f", Mode: ModeFile},
		{Name: "f", Mode: 0o666, src: bytesOpener(nil)},
		{Name: "f", Mode: ModeFile | fs.ModeSetuid, src: bytesOpener(nil)},
		{Name: "d", Mode: ModeDir, Size: 1},
		{Name: "l", Mode: ModeSymlink},
		{Name: "p", Mode: fs.ModeNamedPipe | 0o644},
	} {
		var img Image
		if err := img.Add(e); err == nil {
			t.Errorf("Add(%+v): got no error", e)
		}
	}
}

func TestImageOperations(t *testing.T) {
	base := image(t, "bin/rustc*", "bin/rustdoc*", "lib/a", "lib/d/x", "lib/d/y", "lib.d", "share/")
	removed := base.Clone()
	n, err := removed.Remove("bin/rustdoc", "lib/d")
	testenv.Must(t, err)
	if n != 3 {
		t.Errorf("Remove: got %d, want 3", n)
	}
	prefixed, err := image(t, "a", "b/").Prefix("top/sub")
	testenv.Must(t, err)
	merged := image(t, "bin/cargo*", "lib/b", "lib/d/z", "z", "share/")
	testenv.Must(t, merged.Merge(base))

	tests := []struct {
		name      string
		got, want []string
	}{
		{"sorted bytewise", names(base), []string{"bin/rustc*", "bin/rustdoc*", "lib.d", "lib/a", "lib/d/x", "lib/d/y", "share/"}},
		{"dirs", base.Dirs(), []string{"bin", "lib", "lib/d", "share"}},
		{"remove", names(removed), []string{"bin/rustc*", "lib.d", "lib/a", "share/"}},
		{"prefix", names(prefixed), []string{"top/sub/a", "top/sub/b/"}},
		{"filter", names(base.Filter(Entry.IsExec)), []string{"bin/rustc*", "bin/rustdoc*"}},
		{"merge", names(merged), []string{"bin/cargo*", "bin/rustc*", "bin/rustdoc*", "lib.d", "lib/a", "lib/b", "lib/d/x", "lib/d/y", "lib/d/z", "share/", "z"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	if base.Len() != 7 || base.Size() != int64(len("bin/rustc\nbin/rustdoc\nlib/a\nlib/d/x\nlib/d/y\nlib.d\n")) {
		t.Errorf("got %d entries of %d bytes after operations on copies", base.Len(), base.Size())
	}
	if !base.HasDir("lib/d") || !base.HasDir("share") || base.HasDir("lib/a") || base.HasDir("li") {
		t.Error("HasDir is wrong about lib/d, share, lib/a or li")
	}
	if _, err := base.Prefix("../x"); err == nil {
		t.Error("Prefix(../x): got no error")
	}
}

func TestImageMergeReportsAllConflicts(t *testing.T) {
	img := image(t, "a", "b/c", "d")
	before := names(img)
	err := img.Merge(image(t, "a/x", "b", "c", "d"))
	if err == nil {
		t.Fatal("got no error")
	}
	if got := strings.Count(err.Error(), "adding"); got != 3 {
		t.Errorf("got %d conflicts, want 3: %v", got, err)
	}
	if diff := cmp.Diff(before, names(img)); diff != "" {
		t.Errorf("image after the error (-want +got):\n%s", diff)
	}
}

func TestAddTree(t *testing.T) {
	root := testenv.WriteTree(t, "bin/rustc*", "lib/a", "lib/empty/", "lib/.git/config", "skip/all/x", "lib.so")
	var img Image
	testenv.Must(t, img.AddTree("", root, func(name string, d fs.DirEntry) bool {
		return d.Name() != ".git" && name != "skip"
	}))
	want := []string{"bin/rustc*", "lib.so", "lib/a", "lib/empty/"}
	if diff := cmp.Diff(want, names(img)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	testenv.Must(t, img.AddTree("lib/rustlib", root, func(name string, _ fs.DirEntry) bool { return strings.HasPrefix(name, "lib") }))
	want = []string{"bin/rustc*", "lib.so", "lib/a", "lib/empty/",
		"lib/rustlib/lib.so", "lib/rustlib/lib/.git/config", "lib/rustlib/lib/a", "lib/rustlib/lib/empty/"}
	if diff := cmp.Diff(want, names(img)); diff != "" {
		t.Errorf("with a prefix (-want +got):\n%s", diff)
	}
}

func TestAddTreeRefuses(t *testing.T) {
	tests := []struct {
		name  string
		tree  []string
		wants []string
	}{
		{"links, all of them", []string{"a -> b", "b", "c/d -> ../b"}, []string{`a" is a symbolic link to "b"`, `c/d" is a symbolic link to "../b"`}},
		{"loop", []string{"a/b -> ../a"}, []string{"symbolic link"}},
		{"bad name", []string{`a\b`, "new\nline"}, []string{`"\"`, "control character"}},
		{"not there", nil, []string{"no such file"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := filepath.Join(t.TempDir(), "missing")
			if tt.tree != nil {
				root = testenv.WriteTree(t, tt.tree...)
			}
			var img Image
			err := img.AddTree("", root, nil)
			if err == nil {
				t.Fatal("got no error")
			}
			for _, want := range tt.wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q in it", err, want)
				}
			}
			if img.Len() != 0 {
				t.Errorf("got entries %q after the error", names(img))
			}
		})
	}
}

func TestAddFileFollowsLinks(t *testing.T) {
	root := testenv.WriteTree(t, "real*", "link -> real", "loop -> loop", "dir/", "dangling -> nowhere")
	var img Image
	testenv.Must(t, img.AddFile("bin/tool", filepath.Join(root, "link")))
	e, _ := img.Lookup("bin/tool")
	r, err := e.Open()
	testenv.Must(t, err)
	defer r.Close()
	data, err := io.ReadAll(r)
	testenv.Must(t, err)
	if string(data) != "real\n" || !e.IsExec() {
		t.Errorf("got %q with mode %v", data, e.Mode)
	}
	for name, want := range map[string]string{"loop": "too many levels", "dir": "not a regular file", "dangling": "no such file"} {
		if err := img.AddFile("x", filepath.Join(root, name)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("AddFile of %s: got %v, want an error with %q", name, err, want)
		}
	}
}
