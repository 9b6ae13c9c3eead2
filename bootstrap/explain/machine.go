package explain

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"x.go/bootstrap/marks"
	"x.go/dist"
	"x.go/targets"
	"x.go/targets/link"
)

// machine is the working directory and environment of a question.
type machine struct {
	dir string // absolute
	env []string
}

func newMachine(o Options) (machine, error) {
	m := machine{dir: o.Dir, env: o.Env}
	if m.env == nil {
		m.env = os.Environ()
	}
	if m.dir == "" {
		dir, err := os.Getwd()
		if err != nil {
			return m, fmt.Errorf("finding the working directory: %w", err)
		}
		m.dir = dir
	}
	return m, nil
}

// path returns p as an absolute path; "" stays "".
func (m machine) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(m.dir, p)
}

// lookupenv finds the last setting of key, as a started program would.
func (m machine) lookupenv(key string) (string, bool) {
	for _, setting := range slices.Backward(m.env) {
		if k, v, _ := strings.Cut(setting, "="); k == key {
			return v, true
		}
	}
	return "", false
}

func (m machine) getenv(key string) string {
	v, _ := m.lookupenv(key)
	return v
}

func (m machine) searchPath() []string { return filepath.SplitList(m.getenv("PATH")) }

// lookPath finds a program in directories. [exec.LookPath] is not used: it
// knows no PATH but the process's.
func (m machine) lookPath(name string, dirs []string) (string, bool) {
	windows := runtime.GOOS == "windows"
	if windows && filepath.Ext(name) == "" {
		name += ".exe"
	}
	for _, dir := range dirs {
		path := filepath.Join(m.dir, dir, name)
		if filepath.IsAbs(dir) {
			path = filepath.Join(dir, name)
		}
		if fi, err := os.Stat(path); err == nil && fi.Mode().IsRegular() && (windows || fi.Mode()&0o111 != 0) {
			return path, true
		}
	}
	return "", false
}

// world looks at the file system as the compiler of a sysroot would.
func (m machine) world(sysroot string, host targets.Triple) link.World {
	bin := filepath.Join(marks.Rustlib(sysroot), host.String(), "bin")
	dirs := append([]string{bin, filepath.Join(bin, "self-contained")}, m.searchPath()...)
	return link.World{
		Sysroot: sysroot,
		Exists: func(path string) bool {
			_, err := os.Stat(m.path(path))
			return err == nil
		},
		OnPath: func(name string) bool {
			_, ok := m.lookPath(name, dirs)
			return ok
		},
	}
}

// maxArgFile bounds an @PATH file. Command lines of the kernel end at 2 MiB.
const maxArgFile = 16 << 20

// readArgFile reads an @PATH file of rustc's arguments. Its error is worded as
// Rust's standard library does, since it becomes part of rustc's message.
func (m machine) readArgFile(path string) ([]byte, error) {
	data, err := dist.ReadFile(m.path(path), maxArgFile)
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		text := errno.Error()
		err = fmt.Errorf("%s%s (os error %d)", strings.ToUpper(text[:1]), text[1:], int(errno))
	}
	return data, err
}
