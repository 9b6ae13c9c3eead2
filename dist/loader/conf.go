package loader

import (
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

const (
	maxConf    = 1 << 20 // bytes of a file
	maxConfs   = 256     // files
	maxConfDir = 1 << 10 // directories
	maxLinks   = 40      // links on the way to a file
)

// ConfDirs reads the directories of a file such as etc/ld.so.conf (ldconfig(8)), or
// of musl's etc/ld-musl-x86_64.path: absolute paths, set apart by white space, colons
// or commas, with comments after "#" and, in the former, "include GLOB". Names are slash
// paths below the root, which disk turns into paths on disk. A file that is not there
// has no directories.
func ConfDirs(disk func(name string) string, name string) []string {
	c := confReader{disk: disk, seen: map[string]bool{}}
	c.read(name)
	return c.dirs
}

type confReader struct {
	disk func(name string) string
	seen map[string]bool
	dirs []string
}

func (c *confReader) read(name string) {
	if c.seen[name] || len(c.seen) == maxConfs {
		return
	}
	c.seen[name] = true
	info, err := os.Stat(c.disk(name))
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	f, err := os.Open(c.disk(name))
	if err != nil {
		return
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConf))
	if err != nil {
		return
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\r\n:,", r) })
		if len(fields) > 1 && fields[0] == "include" {
			c.include(path.Dir(name), fields[1:])
			continue
		}
		if len(fields) > 0 && fields[0] == "hwcap" {
			continue
		}
		for _, dir := range fields {
			if strings.HasPrefix(dir, "/") && len(c.dirs) < maxConfDir {
				c.dirs = append(c.dirs, strings.TrimPrefix(path.Clean(dir), "/"))
			}
		}
	}
}

// include reads the files that match patterns, relative ones to the directory dir.
func (c *confReader) include(dir string, patterns []string) {
	for _, p := range patterns {
		if !path.IsAbs(p) {
			p = path.Join("/", dir, p)
		}
		parent, base := path.Split(strings.TrimPrefix(path.Clean(p), "/"))
		entries, err := os.ReadDir(c.disk(path.Clean(parent)))
		if err != nil {
			continue
		}
		for _, e := range entries { // sorted, as glob(3) has them
			if ok, err := path.Match(base, e.Name()); ok && err == nil {
				c.read(path.Join(parent, e.Name()))
			}
		}
	}
}

// InRoot returns where the slash path name leads below the directory root if root
// is taken for /: a symbolic link, an absolute one too, does not lead out of it.
func InRoot(root, name string) string {
	at := ""
	rest := strings.Split(name, "/")
	for links := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			at = path.Dir(at)
			continue
		}
		next := path.Join(at, part)
		target, err := os.Readlink(filepath.Join(root, filepath.FromSlash(next)))
		if err != nil || links == maxLinks {
			at = next // no link, or nothing at all
			continue
		}
		links++
		if target = filepath.ToSlash(target); path.IsAbs(target) {
			at = ""
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return filepath.Join(root, filepath.FromSlash(at))
}
