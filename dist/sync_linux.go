package dist

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// SyncEach says that each file of a large tree must be flushed by itself, since the
// system has no way to flush them all at once.
const SyncEach = false

// SyncAll flushes all files and directories of the file system of root: what
// thousands of calls of fsync would do in minutes, it does in one.
func SyncAll(root *os.Root) error {
	d, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(d.Fd())), d.Close())
}

// linkInto gives a file a name in root, where neither follows a link.
func linkInto(root *os.Root, name, file string) error {
	d, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(unix.Linkat(unix.AT_FDCWD, file, int(d.Fd()), name, 0), d.Close())
}

// StartSync starts to bring what was written to f to the disk, and does not wait for it.
// A large tree is then on the disk soon after its last file is written.
func StartSync(f *os.File) { _ = unix.SyncFileRange(int(f.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WRITE) }
