package archive

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// target is what a symbolic link of a package leads to.
type target struct {
	name string // of a file or directory; "" is the top directory
	hops int    // links on the way to it
	err  error
}

// maxHops is how many links Linux follows on the way to a file.
const maxHops = 40

// Errors of links. They stand behind what names the link.
var (
	errLinkOut     = errors.New("leads out of the package")
	errLinkNowhere = errors.New("leads to nothing in the package")
	errLinkLoop    = errors.New("leads to itself, or over too many links")
	errLinkDir     = errors.New("leads to a directory: only in a directory that is installed as a whole may links do so")
)

// copied notes that the symbolic link called name is installed as the file that it
// leads to: install.sh runs `cp` for each line "file:". A link in a directory that is
// installed as a whole stays a link, wherever it leads, as `cp -R` has it.
func (l *Layout) copied(name string) {
	to := l.follow(name)
	if _, isFile := l.Files[to.name]; !isFile && to.err == nil {
		to.err = errLinkDir
	}
	if to.err != nil {
		l.problem(ProblemType, "member %q: the symbolic link to %.200q %w", path.Join(l.Top, name), l.Links[name], to.err)
		return
	}
	l.Copies[name] = to.name
}

// follow returns what the symbolic link called name leads to. Each link is followed
// once.
func (l *Layout) follow(name string) target {
	if to, ok := l.targets[name]; ok {
		return to
	}
	l.targets[name] = target{err: errLinkLoop} // for links that lead back to it
	to := l.walk(path.Dir(name), l.Links[name])
	if to.hops++; to.hops > maxHops && to.err == nil {
		to.err = errLinkLoop
	}
	l.targets[name] = to
	return to
}

// walk goes from a directory along the elements of a link's target, as a kernel does:
// an element may be a link itself, and ".." leads out of the directory that a link leads
// to.
func (l *Layout) walk(dir, along string) target {
	if strings.HasPrefix(along, "/") {
		return target{err: errLinkOut}
	}
	at := target{name: trimDot(dir)}
	for element := range strings.SplitSeq(along, "/") {
		if at.name != "" && !l.Dirs[at.name] {
			return target{err: errLinkNowhere} // a file, or nothing
		}
		switch {
		case element == "" || element == ".":
			continue
		case element == ".." && at.name == "":
			return target{err: errLinkOut}
		case element == "..":
			at.name = trimDot(path.Dir(at.name))
			continue
		}
		at.name = path.Join(at.name, element)
		if _, isLink := l.Links[at.name]; isLink {
			to := l.follow(at.name)
			if to.err != nil {
				return to
			}
			at.name, at.hops = to.name, at.hops+to.hops
		}
	}
	if _, isFile := l.Files[at.name]; !isFile && !l.Dirs[at.name] && at.name != "" {
		return target{err: errLinkNowhere}
	}
	return at
}

// trimDot returns the name of a directory, "" for the top one.
func trimDot(dir string) string {
	if dir == "." {
		return ""
	}
	return dir
}

// checkCopies returns an error if the files that links are installed as are too large:
// many links may lead to one file.
func (l *Layout) checkCopies(unpacked int64, limits Limits) error {
	for _, to := range l.Copies {
		if unpacked += l.Files[to].Size; unpacked > limits.Unpacked {
			return fmt.Errorf("the files unpack to more than %d bytes, with those that symbolic links lead to", limits.Unpacked)
		}
	}
	return nil
}
