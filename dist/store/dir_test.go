package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/dist/store"
	"x.go/tests/storetest"
	"x.go/tests/testenv"
)

func openStore(t *testing.T, place string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "srv", "rust")
	storetest.Suite(t, func(t *testing.T) *store.Store { return openStore(t, "file://"+filepath.ToSlash(root)) })
	for _, dir := range []string{root, filepath.Join(root, "dist", "damaged")} {
		for _, name := range testenv.List(t, dir) {
			if strings.HasPrefix(name, ".") {
				t.Errorf("%s: %s was left behind", dir, name)
			}
		}
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	testenv.Must(t, os.WriteFile(file, nil, 0o644))
	for _, tt := range []struct{ place, want string }{
		{"ftp://user:secret@host/a", `opening store "ftp://xxxxx@host/a": got scheme "ftp": want a path, file:// or s3://`},
		{"https://static.rust-lang.org", "can only be read"},
		{"gs://bucket", `got scheme "gs": this x was built without it: build it with ` + "`go build -tags cloud`"},
		{"azblob://container", "-tags cloud"},
		{"file://host/srv", "want file:///PATH"},
		{"", "want the path of a directory"},
		{"s3:bucket", `opening store "s3:bucket": it is no path: want s3://, or ./ before a path`},
		{"S3://bucket", "want s3://"},
		{"s3:/bucket", "want s3://"},
		{"https:host", "want https://"},
		{file, "it is a regular file, want a directory"},
		{filepath.Join(file, "below"), "not a directory"},
	} {
		if _, err := store.Open(t.Context(), tt.place); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %q", tt.place, err, tt.want)
		}
	}
}

// What reads a store does not create it, and what writes leaves no files of its own.
func TestReadingCreatesNothing(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "rust")
	s := openStore(t, root)
	if _, err := s.Stat(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if got := storetest.Names(t, s, ""); got != nil {
		t.Errorf("got %q", got)
	}
	if _, err := os.Lstat(root); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want no directory", err)
	}
}

// Links that somebody planted lead nowhere; other files are listed and stay.
func TestPlanted(t *testing.T) {
	t.Parallel()
	outside := testenv.WriteTree(t, "secret", "dir/file")
	root := testenv.WriteTree(t, "dist/a", "foreign/file", "dist/link -> "+filepath.Join(outside, "secret"), "dist/inside -> a",
		"dist/2026-04-16 -> "+filepath.Join(outside, "dir"), "dist/dangling -> none", "dist/sub/")
	before := testenv.Tree(t, outside)
	s := openStore(t, root)
	for _, name := range []string{"dist/link", "dist/inside", "dist/2026-04-16/file", "dist/dangling", "dist/sub"} {
		_, _, gerr := s.Get(t.Context(), name, 0)
		_, serr := s.Stat(t.Context(), name)
		perr := s.Put(t.Context(), name, store.Bytes([]byte("x")), store.Options{IfAbsent: true})
		for i, err := range []error{gerr, serr, perr, s.Copy(t.Context(), "dist/b", name), s.Delete(t.Context(), name), s.Swap(t.Context(), name, "", nil)} {
			if err == nil || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s, method %d: got %v, want what is there", name, i, err)
			}
		}
	}
	if err := s.Put(t.Context(), "dist/2026-04-16/new", store.Bytes(nil), store.Options{}); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("got %v, want a word on the link", err)
	}
	storetest.Put(t, s, "dist/link", "replaces the link itself")
	want := []string{"dist/2026-04-16 L", "dist/a -", "dist/dangling L", "dist/inside L", "dist/link -", "foreign/file -"}
	var got []string
	for o, err := range s.List(t.Context(), "") {
		testenv.Must(t, err)
		got = append(got, o.Name+" "+strings.ToUpper(o.Type.String()[:1]))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(before, testenv.Tree(t, outside)); diff != "" {
		t.Error(diff)
	}
}

// What killed writers left goes when nobody else writes, and not before.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	root := testenv.WriteTree(t, "dist/.x-OLD.tmp")
	old := time.Now().Add(-time.Minute)
	left := filepath.Join(root, "dist", ".x-OLD.tmp")
	testenv.Must(t, os.Chtimes(left, old, old))
	dir, err := os.OpenRoot(root)
	testenv.Must(t, err)
	defer dir.Close()
	other, _, err := dist.Share(dir)
	testenv.Must(t, err)
	storetest.Put(t, openStore(t, root), "dist/a", "a")
	if _, err := os.Lstat(left); err != nil {
		t.Errorf("got %v, want the file of one who may be writing", err)
	}
	other.Release()
	last := openStore(t, root)
	storetest.Put(t, openStore(t, root), "dist/c", "c") // not alone, if the first has not left
	testenv.Must(t, last.Close())
	alone := filepath.Join(root, "alone")
	testenv.Must(t, os.Mkdir(alone, 0o755))
	testenv.Must(t, os.Rename(left, filepath.Join(alone, ".x-OLD.tmp")))
	s := openStore(t, alone)
	storetest.Put(t, s, "a", "a")
	if diff := cmp.Diff([]string{".x-users", "a"}, testenv.List(t, alone)); diff != "" {
		t.Error(diff)
	}
}

// A file that the caller has anyway becomes that of the store, where that can be; the
// caller's name of it may go.
func TestPutFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), filepath.Join(dir, "store"))
	testenv.Must(t, err)
	defer s.Close()
	file := filepath.Join(dir, "file")
	testenv.Must(t, os.WriteFile(file, []byte("text"), 0o600))
	body := store.Bytes([]byte("text"))
	body.File = file
	for _, lazy := range []bool{true, false} {
		for range 2 { // it replaces what is there
			testenv.Must(t, s.Put(t.Context(), "dist/a", body, store.Options{Lazy: lazy}))
		}
		got, err := os.Stat(filepath.Join(dir, "store/dist/a"))
		testenv.Must(t, err)
		if text, _, err := s.Load(t.Context(), "dist/a", 100); err != nil || string(text) != "text" || got.Mode() != 0o644 {
			t.Errorf("lazy %t: got %q, %v, %v", lazy, text, got.Mode(), err)
		}
		given, err := os.Stat(file)
		testenv.Must(t, err)
		if os.SameFile(got, given) != (lazy && runtime.GOOS == "linux") {
			t.Errorf("lazy %t: got the same file %t", lazy, !lazy)
		}
	}
	testenv.Must(t, os.Remove(file))
	body.File = filepath.Join(dir, "missing")
	testenv.Must(t, s.Put(t.Context(), "dist/b", body, store.Options{Lazy: true}))
	for o, err := range s.List(t.Context(), "") {
		if err != nil || o.Size != 4 {
			t.Errorf("got %+v, %v", o, err)
		}
	}
}
