//go:build unix

package main

import "syscall"

// become replaces this process by the command.
func become(c command) {
	err := syscall.Exec(c.path, c.args, syscall.Environ())
	fail("could not exec " + c.label + ": " + describe(err))
}
