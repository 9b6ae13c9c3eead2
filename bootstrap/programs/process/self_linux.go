package process

import (
	"strconv"
	"strings"
	"syscall"
)

// This file replaces package os, which would add a seventh to the program's size.

// Parts of file names on this system: the suffix of programs, the separators of
// directories, and the separator of the directories in PATH.
const (
	ExeSuffix     = ""
	Separators    = "/"
	ListSeparator = ":"
)

// Executable returns the path of this program with symlinks resolved: gcc-ld/wasm-ld
// as a link to ld.lld is ld.lld.
func Executable() (string, error) { return readlink("/proc/self/exe") }

func readlink(name string) (string, error) {
	for size := 1024; ; size *= 2 {
		buf := make([]byte, size)
		n, err := syscall.Readlink(name, buf)
		if err != nil {
			return "", err
		}
		if n < size {
			return string(buf[:n]), nil
		}
	}
}

// Arguments returns what the program was called with, without its own name.
func Arguments() ([]string, error) {
	text, err := ReadFile("/proc/self/cmdline")
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(text, "\x00")
	if rest == "" {
		return nil, nil
	}
	return strings.Split(strings.TrimSuffix(rest, "\x00"), "\x00"), nil
}

// ReadFile returns what a file of any kind holds.
func ReadFile(path string) (string, error) {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer syscall.Close(fd)
	text := make([]byte, 0, 32<<10)
	for {
		if len(text) == cap(text) {
			text = append(text, make([]byte, cap(text))...)[:len(text)]
		}
		n, err := syscall.Read(fd, text[len(text):cap(text)])
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return "", err
		}
		if n == 0 {
			return string(text), nil
		}
		text = text[:len(text)+n]
	}
}

// IsRegular reports whether path is a regular file, which can be read twice.
func IsRegular(path string) bool {
	var st syscall.Stat_t
	return syscall.Stat(path, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFREG
}

// Complain writes a message to the standard error.
func Complain(message string) {
	for data := []byte(message); len(data) > 0; {
		n, err := syscall.Write(2, data)
		if err != nil && err != syscall.EINTR {
			return
		}
		data = data[max(n, 0):]
	}
}

// errno returns the number of an error. Nothing here wraps one.
func errno(err error) (syscall.Errno, bool) {
	number, ok := err.(syscall.Errno)
	return number, ok
}

// Exit ends this program.
func Exit(code int) { syscall.Exit(code) }

// Program reports whether path is a regular file with an execute bit, and where it
// really is.
func Program(path string) (resolved string, ok bool) {
	const openPath = 0x200000 // O_PATH
	fd, err := syscall.Open(path, openPath|syscall.O_CLOEXEC, 0)
	if err != nil {
		return "", false
	}
	defer syscall.Close(fd)
	var st syscall.Stat_t
	// O_PATH needs no permission to read, and fstat of it works since Linux 3.6.
	if syscall.Fstat(fd, &st) != nil || st.Mode&syscall.S_IFMT != syscall.S_IFREG || st.Mode&0o111 == 0 {
		return "", false
	}
	resolved, err = readlink("/proc/self/fd/" + strconv.Itoa(fd))
	return resolved, err == nil
}

// SameFile reports whether two paths are one file, or hard links of one.
func SameFile(a, b string) bool {
	var s, t syscall.Stat_t
	return syscall.Stat(a, &s) == nil && syscall.Stat(b, &t) == nil && s.Dev == t.Dev && s.Ino == t.Ino
}
