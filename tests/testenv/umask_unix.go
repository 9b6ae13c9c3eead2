//go:build unix

package testenv

import "syscall"

// plainUmask sets the umask that most systems have.
func plainUmask() { syscall.Umask(0o022) }
