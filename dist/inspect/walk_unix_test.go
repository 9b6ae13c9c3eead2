//go:build unix

package inspect_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/inspect"
	"x.go/tests/testenv"
)

func TestWalk(t *testing.T) {
	t.Parallel()
	root := testenv.WriteTree(t, "note.txt", "sub/other", "sub/link -> ../../outside", "dir -> sub")
	fixture, err := os.ReadFile("../linkage/testdata/lld.so")
	testenv.Must(t, err)
	for _, name := range []string{"b.so", "sub/a.so", "sub/z.so"} {
		testenv.Must(t, os.WriteFile(filepath.Join(root, name), fixture, 0o644))
	}
	testenv.Must(t, os.WriteFile(filepath.Join(root, "sub", "cut.so"), fixture[:100], 0o644))
	testenv.Must(t, os.Symlink("b.so", filepath.Join(root, "link.so")))
	testenv.Must(t, syscall.Mkfifo(filepath.Join(root, "fifo"), 0o644))
	var got []string
	testenv.Must(t, inspect.Walk(t.Context(), []string{root, filepath.Join(root, "note.txt"), filepath.Join(root, "fifo"), filepath.Join(root, "none"), filepath.Join(root, "link.so")}, inspect.Options{}, func(r inspect.Result) error {
		text := strings.TrimPrefix(r.File.Path, root+"/")
		if r.Err != nil {
			text = strings.ReplaceAll(r.Err.Error(), root+"/", "")
		}
		got = append(got, text)
		return nil
	}))
	want := []string{
		"b.so", "sub/a.so",
		`inspecting "sub/cut.so": reading ELF at offset 0x3a0: file ends within the section headers`,
		"sub/z.so",
		`inspecting "note.txt": want an ELF file, LLVM bitcode or an ar archive`,
		`inspecting "fifo": it is a FIFO, want a regular file`,
		`inspecting "none": no such file or directory`,
		"link.so",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	stop := errors.New("stop")
	if err := inspect.Walk(t.Context(), []string{root}, inspect.Options{}, func(inspect.Result) error { return stop }); err != stop {
		t.Errorf("got %v, want the error of the function", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := inspect.Walk(ctx, []string{root}, inspect.Options{}, func(inspect.Result) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that the walk was cancelled", err)
	}
}

// TestRoot looks for libraries in a root whose links are absolute.
func TestRoot(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"f.c": "int f(void) { return 1; }\n", "g.c": "int f(void);\nint g(void) { return f(); }\n"})
	testenv.Must(t, os.MkdirAll(b.path("root/opt/lib"), 0o755))
	testenv.Must(t, os.MkdirAll(b.path("root/usr/bin"), 0o755))
	testenv.Must(t, os.MkdirAll(b.path("root/etc/ld.so.conf.d"), 0o755))
	testenv.Must(t, os.WriteFile(b.path("root/etc/ld.so.conf"), []byte("# first\ninclude ld.so.conf.d/*.conf\n"), 0o644))
	testenv.Must(t, os.WriteFile(b.path("root/etc/ld.so.conf.d/opt.conf"), []byte("/opt/link # where it is\n"), 0o644))
	testenv.Must(t, os.Symlink("/opt/lib", b.path("root/opt/link")))
	testenv.Must(t, os.Symlink("/opt/lib/libf.so.1.0", b.path("root/opt/lib/libf.so")))
	b.run("gcc", "-nostdlib", "-shared", "-fPIC", "-o", "root/opt/lib/libf.so.1.0", "f.c", "-Wl,-soname,libf.so")
	b.run("gcc", "-nostdlib", "-shared", "-fPIC", "-o", "root/usr/bin/g.so", "g.c", "root/opt/lib/libf.so.1.0")
	for root, want := range map[string]inspect.Library{
		b.path("root"):     {Name: "libf.so", Path: "root/opt/lib/libf.so.1.0", How: inspect.BySystem},
		b.path("root/usr"): {Name: "libf.so", How: inspect.Missing},
	} {
		f, err := inspect.Read(b.path("root/usr/bin/g.so"), inspect.Options{Root: root})
		testenv.Must(t, err)
		real, err := filepath.EvalSymlinks(b.dir)
		testenv.Must(t, err)
		for i := range f.Needed {
			f.Needed[i].Path = strings.TrimPrefix(f.Needed[i].Path, real+"/")
		}
		if !slices.Equal(f.Needed, []inspect.Library{want}) {
			t.Errorf("%s: got %+v, want %+v", root, f.Needed, want)
		}
	}
}

func TestSelect(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		"ctor":           "did you mean ctors?",
		"ctors,,lto":     `got ""`,
		"glibc=x":        `got glibc version "x"`,
		"glibc":          "glibc=VERSION",
		"lost-versions":  "did you mean lost-version?",
		"foreign_machin": "did you mean foreign-machine?",
	} {
		if _, err := inspect.Select(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", list, err, want)
		}
	}
	f := inspect.File{Glibc: "2.34", RELRO: inspect.FullRELRO}
	for list, want := range map[string]int{"glibc=2.33": 1, "glibc=2.34": 0, "glibc=2.4,not-lld": 2, "ctors": 0} {
		s, err := inspect.Select(list)
		testenv.Must(t, err)
		if got := s.Find(&f); len(got) != want {
			t.Errorf("%q: got %v, want %d", list, got, want)
		}
	}
}
