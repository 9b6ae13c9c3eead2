package process

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// ListSeparator separates the directories in PATH.
const ListSeparator = string(os.PathListSeparator)

// Parts of file names on this system: the suffix of programs, and the separators of
// directories.
var (
	ExeSuffix  = map[bool]string{true: ".exe"}[runtime.GOOS == "windows"]
	Separators = map[bool]string{true: `\/`, false: "/"}[runtime.GOOS == "windows"]
)

// Executable returns the path of this program with symlinks resolved.
func Executable() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// Arguments returns what the program was called with, without its own name.
func Arguments() []string { return os.Args[min(1, len(os.Args)):] }

// ReadFile returns what a file of any kind holds.
func ReadFile(path string) (string, error) {
	data, err := os.ReadFile(path)
	return string(data), err
}

// IsRegular reports whether path is a regular file, which can be read twice.
func IsRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// Complain writes a message to the standard error.
func Complain(message string) { os.Stderr.WriteString(message) }

// errno returns the number of an error of the system.
func errno(err error) (number syscall.Errno, ok bool) {
	ok = errors.As(err, &number)
	return number, ok
}

// Exit ends this program.
func Exit(code int) { os.Exit(code) }

// Program reports whether path is a program, and where it really is.
func Program(path string) (resolved string, ok bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || runtime.GOOS != "windows" && info.Mode()&0o111 == 0 {
		return "", false
	}
	resolved, err = filepath.EvalSymlinks(path)
	return resolved, err == nil
}

// SameFile reports whether two paths are one file, or hard links of one.
func SameFile(a, b string) bool {
	s, err := os.Stat(a)
	if err != nil {
		return false
	}
	t, err := os.Stat(b)
	return err == nil && os.SameFile(s, t)
}

// ReadRegular returns what a regular file of at most limit bytes holds.
func ReadRegular(path string, limit int64) (string, bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > limit {
		return "", false
	}
	text, err := ReadFile(path)
	return text, err == nil
}
