//go:build unix

package dist

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"x.go/tests/testenv"
)

// plant puts things that are no regular files into dir, and returns what each is
// called in an error.
func plant(t *testing.T, dir string) map[string]string {
	t.Helper()
	testenv.Must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644))
	testenv.Must(t, os.Mkdir(filepath.Join(dir, "dir"), 0o755))
	testenv.Must(t, os.Symlink("/dev/zero", filepath.Join(dir, "to-device")))
	testenv.Must(t, os.Symlink("fifo", filepath.Join(dir, "to-fifo")))
	testenv.Must(t, os.Symlink("file", filepath.Join(dir, "to-file")))
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "file"), []byte("text"), 0o644))
	t.Chdir(dir) // the name of a socket may have 100 bytes
	l, err := net.Listen("unix", "socket")
	testenv.Must(t, err)
	t.Cleanup(func() { l.Close() })
	return map[string]string{
		"fifo": "a FIFO", "dir": "a directory", "socket": "a socket",
		"to-device": "a symbolic link", "to-fifo": "a symbolic link", "to-file": "a symbolic link",
	}
}

// TestReadOwn has something else in the place of a file that x wrote.
func TestReadOwn(t *testing.T) {
	root := openTemp(t)
	for name, kind := range plant(t, root.Name()) {
		_, err := ReadOwn(root, name, 10)
		if want := filepath.Join(root.Name(), name) + ": it is " + kind + ", want a regular file"; err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: got error %v, want %q", name, err, want)
		}
	}
	if got, err := ReadOwn(root, "file", 4); string(got) != "text" || err != nil {
		t.Errorf("got %q and error %v", got, err)
	}
	if _, err := ReadOwn(root, "file", 3); err == nil || !strings.HasSuffix(err.Error(), "file\": more than 3 bytes") {
		t.Errorf("a limit of 3 bytes: got error %v", err)
	}
}

// TestReadFile follows links to regular files only.
func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	kinds := plant(t, dir)
	kinds["to-device"], kinds["to-fifo"] = "a device", "a FIFO"
	delete(kinds, "to-file")
	for name, kind := range kinds {
		path := filepath.Join(dir, name)
		want := path + ": it is " + kind + ", want a regular file"
		if _, err := ReadFile(path, 10); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: got error %v, want %q", name, err, want)
		}
		if _, err := HashFile(t.Context(), path); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("hash of %s: got error %v, want %q", name, err, want)
		}
	}
	if got, err := ReadFile(filepath.Join(dir, "to-file"), 4); string(got) != "text" || err != nil {
		t.Errorf("got %q and error %v", got, err)
	}
}

// TestOpenDir creates one directory, however its path is written.
func TestOpenDir(t *testing.T) {
	for _, path := range []string{"a", "a/b", "a/", "a/b//", "a/.", "a/../b", "a/b/.."} {
		top := t.TempDir()
		root, err := OpenDir(top + "/new/" + path)
		testenv.Must(t, err)
		want := filepath.Join(top, "new", path)
		got, err := root.Stat(".")
		testenv.Must(t, errors.Join(err, root.Close()))
		if info, err := os.Stat(want); err != nil || !os.SameFile(got, info) {
			t.Errorf("%s: got %q, want %q", path, root.Name(), want)
		}
		if left, err := os.ReadDir(want); err != nil || len(left) > 0 {
			t.Errorf("%s: got %v in it, error %v", path, left, err)
		}
	}
}

// TestOpenSubdir has links in the place of directories that x creates.
func TestOpenSubdir(t *testing.T) {
	root, outside := openTemp(t), t.TempDir()
	testenv.Must(t, os.Symlink(outside, filepath.Join(root.Name(), "out")))
	testenv.Must(t, root.Mkdir("real", 0o755))
	testenv.Must(t, os.Symlink("real", filepath.Join(root.Name(), "in")))
	testenv.Must(t, os.WriteFile(filepath.Join(root.Name(), "file"), nil, 0o644))
	for _, dir := range []string{"out", "out/a/b", "in", "in/a", "file", "file/a", "../a"} {
		if sub, err := OpenSubdir(root, dir); err == nil {
			t.Errorf("%s: got %q and no error", dir, sub.Name())
		}
	}
	sub, err := OpenSubdir(root, "real/a/b")
	testenv.Must(t, err)
	defer sub.Close()
	testenv.Must(t, WriteOwn(sub, "f", []byte("text"), ModeFile))
	if got, err := os.ReadFile(filepath.Join(root.Name(), "real/a/b/f")); string(got) != "text" || err != nil {
		t.Errorf("got %q and error %v", got, err)
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("outside: got %v", left)
	}
}

// TestWriteOwnPlanted replaces a link, never the file that it leads to.
func TestWriteOwnPlanted(t *testing.T) {
	root := openTemp(t)
	victim := filepath.Join(t.TempDir(), "victim")
	testenv.Must(t, os.WriteFile(victim, []byte("keep"), 0o644))
	testenv.Must(t, os.Symlink(victim, filepath.Join(root.Name(), "a")))
	testenv.Must(t, os.Link(victim, filepath.Join(root.Name(), "b")))
	testenv.Must(t, syscall.Mkfifo(filepath.Join(root.Name(), "c"), 0o644))
	for _, name := range []string{"a", "b", "c"} {
		testenv.Must(t, WriteOwn(root, name, []byte("new"), ModeFile))
		if got, err := ReadOwn(root, name, 10); string(got) != "new" || err != nil {
			t.Errorf("%s: got %q and error %v", name, got, err)
		}
	}
	if got, err := os.ReadFile(victim); string(got) != "keep" || err != nil {
		t.Errorf("victim: got %q and error %v", got, err)
	}
}

// TestWriteOutput writes where the user says: into a pipe, through a link.
func TestWriteOutput(t *testing.T) {
	dir := t.TempDir()
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "file"), []byte("old"), 0o600))
	testenv.Must(t, os.Symlink("file", filepath.Join(dir, "link")))
	testenv.Must(t, WriteOutput(filepath.Join(dir, "link"), []byte("new")))
	info, err := os.Lstat(filepath.Join(dir, "link"))
	testenv.Must(t, err)
	if got, err := os.ReadFile(filepath.Join(dir, "file")); string(got) != "new" || err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("a link: got %q, error %v, mode %v", got, err, info.Mode())
	}
	fifo := filepath.Join(dir, "fifo")
	testenv.Must(t, syscall.Mkfifo(fifo, 0o644))
	read := make(chan string)
	go func() {
		data, _ := os.ReadFile(fifo)
		read <- string(data)
	}()
	testenv.Must(t, WriteOutput(fifo, []byte("text")))
	if got := <-read; got != "text" {
		t.Errorf("a FIFO: got %q", got)
	}
	testenv.Must(t, WriteOutput("/dev/null", []byte("text")))
	if info, err := os.Stat("/dev/null"); err != nil || info.Mode().IsRegular() {
		t.Fatalf("/dev/null: got mode %v, error %v", info.Mode(), err)
	}
	if err := WriteOutput(dir, nil); err == nil || !strings.Contains(err.Error(), "it is a directory") {
		t.Errorf("a directory: got error %v", err)
	}
}

// TestLockPlanted has something else in the place of the lock's file.
func TestLockPlanted(t *testing.T) {
	victim := filepath.Join(t.TempDir(), "victim")
	testenv.Must(t, os.WriteFile(victim, []byte("keep"), 0o644))
	refused := map[string]func(path string) error{
		"link":          func(p string) error { return os.Symlink(victim, p) },
		"dangling link": func(p string) error { return os.Symlink(victim+"-new", p) },
		"FIFO":          func(p string) error { return syscall.Mkfifo(p, 0o644) },
		"directory":     func(p string) error { return os.Mkdir(p, 0o755) },
	}
	for name, plant := range refused {
		root := openTemp(t)
		testenv.Must(t, plant(filepath.Join(root.Name(), lockName)))
		if l, err := Lock(t.Context(), root, func(string) {}); err == nil || !strings.Contains(err.Error(), "want a regular file") {
			t.Errorf("%s: got lock %v and error %v", name, l, err)
		}
	}
	root := openTemp(t)
	testenv.Must(t, os.Link(victim, filepath.Join(root.Name(), lockName)))
	l, err := Lock(t.Context(), root, func(string) {})
	testenv.Must(t, err)
	l.Release()
	if got, err := os.ReadFile(victim); string(got) != "keep" || err != nil {
		t.Errorf("victim: got %q and error %v", got, err)
	}
	if _, err := os.Lstat(victim + "-new"); err == nil {
		t.Error("the lock followed a dangling link")
	}
}
