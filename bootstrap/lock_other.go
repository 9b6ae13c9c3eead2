//go:build !unix || solaris || illumos || aix

package bootstrap

import "os"

// tryLock does nothing where whole-file locks of the flock kind are missing:
// two runs in one build folder are then the user's care.
func tryLock(*os.File) error { return nil }
