//go:build unix

package verify

import "syscall"

const (
	errNotDir      = syscall.ENOTDIR
	errIsDir       = syscall.EISDIR
	errNameTooLong = syscall.ENAMETOOLONG
)
