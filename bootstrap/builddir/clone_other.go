//go:build !linux

package builddir

import (
	"errors"
	"os"
)

// cloneFile is for Linux; elsewhere a hard link serves.
func cloneFile(string, string, os.FileMode) error { return errors.ErrUnsupported }
