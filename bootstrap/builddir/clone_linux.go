package builddir

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// cloneFile creates the file to, which shares the blocks of from (a reflink): Btrfs,
// XFS and bcachefs can do that. On error there is no new file.
func cloneFile(from, to string, mode os.FileMode) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if err := unix.IoctlFileClone(int(dst.Fd()), int(src.Fd())); err != nil {
		return errors.Join(err, dst.Close(), os.Remove(to))
	}
	return errors.Join(dst.Chmod(mode), dst.Close())
}
