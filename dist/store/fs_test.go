package store_test

import (
	"io"
	"io/fs"
	"testing"
	"testing/fstest"

	"x.go/dist/store"
	"x.go/tests/testenv"
)

// TestFS holds a store as a tree to the rules of package fs, and seeks in it.
func TestFS(t *testing.T) {
	t.Parallel()
	dir := testenv.WriteTree(t, "dist/channel-rust-stable.toml", "dist/2026-04-16/cargo.tar.xz", "dist/2026-04-16-x/a", "top.txt")
	s, err := store.Open(t.Context(), dir)
	testenv.Must(t, err)
	files := s.FS(t.Context())
	if err := fstest.TestFS(files, "dist/channel-rust-stable.toml", "dist/2026-04-16/cargo.tar.xz", "dist/2026-04-16-x/a", "top.txt"); err != nil {
		t.Error(err)
	}
	if _, err := fs.Stat(files, "dist/none"); err == nil {
		t.Error("dist/none: got no error")
	}
	f, err := files.Open("top.txt")
	testenv.Must(t, err)
	defer f.Close()
	for _, tt := range []struct {
		offset int64
		whence int
		want   string
	}{{4, io.SeekStart, "txt\n"}, {-4, io.SeekEnd, "txt\n"}, {0, io.SeekStart, "top.txt\n"}, {-8, io.SeekCurrent, "top.txt\n"}, {9, io.SeekStart, ""}} {
		_, err := f.(io.Seeker).Seek(tt.offset, tt.whence)
		testenv.Must(t, err)
		if got, err := io.ReadAll(f); err != nil || string(got) != tt.want {
			t.Errorf("from %d of %d: got %q, %v; want %q", tt.offset, tt.whence, got, err, tt.want)
		}
	}
	if _, err := f.(io.Seeker).Seek(-1, io.SeekStart); err == nil {
		t.Error("seeking before the start: got no error")
	}
}
