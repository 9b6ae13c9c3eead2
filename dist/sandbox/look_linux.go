package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// maxPath is the longest name that the kernel takes.
const maxPath = 4096

// lookOpen notes a file that the program tries to open and may not. It only notes it:
// what the program has in memory may change until the kernel looks, and it is Landlock
// that refuses.
func (s *supervisor) lookOpen(q notification, c openCall) {
	if s.Landlock == 0 {
		return // then it may be read
	}
	path := s.openedPath(q, c)
	if path == "" || under(path, s.Write) {
		return
	}
	writes := c.flags < 0 && c.number != unix.SYS_OPENAT2
	if c.flags >= 0 {
		writes = q.args[c.flags]&(unix.O_ACCMODE|unix.O_CREAT|unix.O_TRUNC) != 0
	} else if b := peek(q.pid, q.args[2], 8); len(b) == 8 { // struct open_how starts with the flags
		writes = b[0]&unix.O_ACCMODE != 0 || b[0]&unix.O_CREAT != 0
	}
	switch {
	case writes && !isDevice(path) && hasDir(path):
		s.broke("it tried to write to %q", path)
	case !writes && !under(path, s.Read) && isPrivate(path):
		s.broke("it tried to read %q", path)
	}
}

// openedPath is the absolute name of what a call opens, or "".
func (s *supervisor) openedPath(q notification, c openCall) string {
	name := s.calledPath(q, c.name, c.name > 0)
	if name == "" {
		return ""
	}
	if strings.HasPrefix(name, "/proc/self/") || strings.HasPrefix(name, "/proc/thread-self/") || strings.HasPrefix(name, "/dev/fd/") {
		return "" // its own
	}
	if real, err := filepath.EvalSymlinks(name); err == nil {
		return real
	}
	dir, base := filepath.Split(filepath.Clean(name))
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return filepath.Join(real, base)
	}
	return ""
}

// calledPath is the absolute name that an argument of a call holds, or "". at says that
// a relative one starts from the directory of the argument before it.
func (s *supervisor) calledPath(q notification, argument int, at bool) string {
	name := peekString(q.pid, q.args[argument])
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	base := fmt.Sprintf("/proc/%d/cwd", q.pid)
	if at && int32(q.args[argument-1]) != unix.AT_FDCWD {
		base = fmt.Sprintf("/proc/%d/fd/%d", q.pid, int32(q.args[argument-1]))
	}
	dir, err := os.Readlink(base)
	if err != nil {
		return ""
	}
	return filepath.Join(dir, name)
}

// peekString reads a string of a process, page by page: the next may not be there.
func peekString(pid uint32, address uint64) string {
	var out []byte
	for len(out) < maxPath {
		size := maxPath - int(address%maxPath)
		b := peek(pid, address, size)
		if len(b) == 0 {
			return ""
		}
		out = append(out, b...)
		if text := cString(b); len(text) < len(b) {
			return cString(out)
		}
		address += uint64(size)
	}
	return ""
}

// isDevice reports whether a file is a device or a file of a process, which are
// nobody's data.
func isDevice(path string) bool {
	return strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/proc/")
}

// hasDir reports whether a file could be created: its directory is there.
func hasDir(path string) bool {
	info, err := os.Stat(filepath.Dir(path))
	return err == nil && info.IsDir()
}

// isPrivate reports whether a file is there that is no business of others: in a home
// or a directory of temporary files, or not for all to read. Other files outside of the
// policy are refused, too, but programs look for many.
func isPrivate(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	return info.Mode().Perm()&0o004 == 0 || under(path, []string{"/root", "/home", "/tmp", "/var/tmp", "/srv", "/mnt"})
}
