//go:build unix

package process

import "syscall"

// Become replaces this process by the program at path. args[0] is the program's name,
// and label is what messages call it. It returns only if that fails.
func Become(path string, args []string, label string) error {
	err := syscall.Exec(path, args, syscall.Environ())
	return Problem("could not exec " + Show(label) + ": " + Describe(err))
}
