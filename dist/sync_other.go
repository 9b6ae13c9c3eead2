//go:build !linux

package dist

import (
	"errors"
	"os"
)

// SyncEach says that each file of a large tree must be flushed by itself, since the
// system has no way to flush them all at once.
const SyncEach = true

// SyncAll flushes all files and directories of the file system of root, where the
// system can do that.
func SyncAll(*os.Root) error { return nil }

func linkInto(*os.Root, string, string) error { return errors.ErrUnsupported }

// StartSync starts to bring what was written to f to the disk, where the system can do
// that.
func StartSync(*os.File) {}
