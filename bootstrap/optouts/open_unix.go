//go:build unix

package optouts

import "syscall"

// noFollow makes opening a link an error: the entry was a file when the directory was
// read.
const noFollow = syscall.O_NOFOLLOW
