package dist

import (
	"archive/zip"
	"bytes"
	"embed"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
	"x.go/tests/testenv"
)

//go:embed doc.go source.go
var embedded embed.FS

// zipFS is a zip archive with the given files.
func zipFS(t testing.TB, names ...string) fs.FS {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, name := range names {
		f, err := w.Create(name)
		testenv.Must(t, err)
		_, err = io.WriteString(f, name+"\n")
		testenv.Must(t, err)
	}
	testenv.Must(t, w.Close())
	r, err := zip.NewReader(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	testenv.Must(t, err)
	return r
}

func TestAddFS(t *testing.T) {
	memory := fstest.MapFS{
		"bin/tool": {Data: []byte("#!"), Mode: 0o755}, "lib/a": {Data: []byte("a"), Mode: 0o600}, "lib/empty": {Mode: fs.ModeDir | 0o755},
	}
	tests := []struct {
		name string
		fsys fs.FS
		keep func(string, fs.DirEntry) bool
		want []string
	}{
		{"memory", memory, nil, []string{"top/bin/tool*", "top/lib/a", "top/lib/empty/"}},
		{"part of it", memory, func(name string, _ fs.DirEntry) bool { return name != "lib" }, []string{"top/bin/tool*"}},
		{"embedded", embedded, nil, []string{"top/doc.go", "top/source.go"}},
		{"zip", zipFS(t, "b/c", "a"), nil, []string{"top/a", "top/b/c"}},
	}
	for _, tt := range tests {
		var img Image
		testenv.Must(t, img.AddFS("top", tt.fsys, tt.keep))
		if diff := cmp.Diff(tt.want, names(img)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		for e := range img.Entries() {
			if e.IsDir() {
				continue
			}
			want, err := fs.ReadFile(tt.fsys, strings.TrimPrefix(e.Name, "top/"))
			testenv.Must(t, err)
			if got := readEntry(t, img, e.Name); got != string(want) || e.Path() != "" {
				t.Errorf("%s: %s: got content %q and path %q, want %q and no path", tt.name, e.Name, got, e.Path(), want)
			}
			if sum, err := e.Hash(t.Context()); err != nil || sum != manifests.HashOf(want) {
				t.Errorf("%s: %s: got digest %s and error %v", tt.name, e.Name, sum, err)
			}
		}
	}
}

func TestAddFSRefuses(t *testing.T) {
	changed := fstest.MapFS{"a": {Data: []byte("a"), ModTime: time.Unix(1, 0)}}
	var img Image
	testenv.Must(t, img.AddFS("", changed, nil))
	changed["a"] = &fstest.MapFile{Data: []byte("b"), ModTime: time.Unix(2, 0)}
	if _, err := img.entries[0].Open(); err == nil || !strings.Contains(err.Error(), "file changed since it was added") {
		t.Errorf("got error %v", err)
	}
	bad := fstest.MapFS{"link": {Data: []byte("a"), Mode: fs.ModeSymlink}, "new\nline": {}}
	err := img.AddFS("", bad, nil)
	for _, want := range []string{`adding file system: "link" is a symbolic link to "a"`, "control character"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %q", err, want)
		}
	}
	if diff := cmp.Diff([]string{"a"}, names(img)); diff != "" {
		t.Errorf("entries after the error (-want +got):\n%s", diff)
	}
}

func TestAddOpener(t *testing.T) {
	opened := 0
	open := func() (io.ReadCloser, error) {
		opened++
		return io.NopCloser(strings.NewReader("content")), nil
	}
	var img Image
	testenv.Must(t, img.AddOpener("bin/x", 0o700, 7, open))
	testenv.Must(t, img.AddOpener("gone", ModeFile, 1, func() (io.ReadCloser, error) { return nil, errors.New("it is gone") }))
	testenv.Must(t, img.AddOpener("long", ModeFile, 3, open))
	if diff := cmp.Diff([]string{"bin/x*", "gone", "long"}, names(img)); diff != "" || opened > 0 {
		t.Errorf("opened %d times, want none before it is read (-want +got):\n%s", opened, diff)
	}
	for range 2 {
		if got := readEntry(t, img, "bin/x"); got != "content" {
			t.Errorf("got %q", got)
		}
	}
	for name, want := range map[string]string{"gone": "it is gone", "long": `reading "long": file grew while it was read: got more than 3 bytes`} {
		e, _ := img.Lookup(name)
		if _, err := e.Hash(t.Context()); err == nil || err.Error() != want {
			t.Errorf("%s: got error %v, want %q", name, err, want)
		}
	}
	if err := img.AddOpener("none", ModeFile, 1, nil); err == nil {
		t.Error("no opener: got no error")
	}
}
