//go:build !linux

package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

const listSeparator = string(os.PathListSeparator)

var (
	exeSuffix  = map[bool]string{true: ".exe"}[runtime.GOOS == "windows"]
	separators = map[bool]string{true: `\/`, false: "/"}[runtime.GOOS == "windows"]
)

// executable returns the path of this program with symlinks resolved.
func executable() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// arguments returns what the program was called with, without its own name.
func arguments() ([]string, error) { return os.Args[min(1, len(os.Args)):], nil }

func complain(message string) { os.Stderr.WriteString(message) }

// errno returns the number of an error of the system.
func errno(err error) (number syscall.Errno, ok bool) {
	ok = errors.As(err, &number)
	return number, ok
}

func exit(code int) { os.Exit(code) }

// program reports whether path is a program, and where it really is.
func program(path string) (resolved string, ok bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || runtime.GOOS != "windows" && info.Mode()&0o111 == 0 {
		return "", false
	}
	resolved, err = filepath.EvalSymlinks(path)
	return resolved, err == nil
}

// sameFile reports whether two paths are one file, or hard links of one.
func sameFile(a, b string) bool {
	s, err := os.Stat(a)
	if err != nil {
		return false
	}
	t, err := os.Stat(b)
	return err == nil && os.SameFile(s, t)
}
