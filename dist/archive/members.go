package archive

import (
	"archive/tar"
	"strings"
	"time"

	"x.go/manifests"
)

// memberJudge judges each member by itself and against those before it. rustup
// refuses links and devices ("tar entry kind 'Symlink' is not supported") and
// names that leave the top directory ("tar path '../x' is not supported"). It
// warns about a directory without an entry and panics at one that comes late.
type memberJudge struct {
	found *collector
	links bool // symbolic links are members like others
	seen  map[string]seenAs
	times map[bool]time.Time // of the first directory, and of the first file
}

// maxTarget bounds the target of a symbolic link, in bytes: PATH_MAX of Linux counts a
// zero byte behind it.
const maxTarget = 4095

// seenAs is a set of bits: how a name has occurred in an archive so far.
type seenAs byte

const (
	seenFile  seenAs = 1 << iota // as a member that is not a directory
	seenDir                      // as a directory
	seenAbove                    // as the directory of another member
)

// member judges m. The error is nil unless the collector is strict.
func (j *memberJudge) member(m Member) error {
	for _, check := range []func(Member) error{j.name, j.kind, j.place} {
		if err := check(m); err != nil {
			return err
		}
	}
	j.customs(m)
	return nil
}

func (j *memberJudge) name(m Member) error {
	if err := manifests.CheckMemberName(m.Name); err != nil {
		return j.found.add(ProblemName, "member %.200q: %w", m.Name, err)
	}
	return nil
}

func (j *memberJudge) kind(m Member) error {
	switch {
	case j.links && m.Type == tar.TypeSymlink && m.Size == 0:
		if m.Link == "" || len(m.Link) > maxTarget || strings.ContainsRune(m.Link, 0) {
			return j.found.add(ProblemType, "member %q is a symbolic link to %.200q, want 1 to %d bytes, none of them zero", m.Name, m.Link, maxTarget)
		}
	case !m.IsFile() && !m.IsDir():
		return j.found.add(ProblemType, "member %q is %s, want a regular file or a directory", m.Name, m.Kind())
	case m.IsDir() && m.Size != 0:
		return j.found.add(ProblemType, "member %q is a directory of %d bytes", m.Name, m.Size)
	}
	return nil
}

// place judges the place of m in the order: directories come once each, before
// their content and after their parents.
func (j *memberJudge) place(m Member) error {
	before, as := j.seen[m.Name], seenFile
	if m.IsDir() {
		as = seenDir
	}
	j.seen[m.Name] |= as
	if before&(seenFile|seenDir) != 0 {
		if err := j.found.add(ProblemDuplicate, "member %q occurs twice", m.Name); err != nil {
			return err
		}
	}
	if before&seenAbove != 0 {
		if as == seenFile {
			return j.found.add(ProblemDirOrder, "member %q is also the directory of another member", m.Name)
		}
		if err := j.found.add(ProblemDirOrder, "directory %q comes after a member inside it", m.Name); err != nil {
			return err
		}
	}
	return j.parents(m.Name)
}

// parents judges the directories above name that hold no earlier member.
func (j *memberJudge) parents(name string) error {
	for i := len(name) - 1; i > 0; i-- {
		if name[i] != '/' {
			continue
		}
		parent := name[:i]
		before := j.seen[parent]
		if before&seenFile != 0 {
			return j.found.add(ProblemDirOrder, "member %q: %q is a file of this archive", name, parent)
		}
		if before&seenAbove != 0 {
			return nil // the directories above it have been judged, too
		}
		j.seen[parent] |= seenAbove
		if before == 0 {
			j.found.tolerate(ProblemDirOrder, "member %q comes before its directory %q", name, parent)
		}
	}
	return nil
}

// customs judges what all of Rust's own archives have in common.
func (j *memberJudge) customs(m Member) {
	if first, ok := j.times[m.IsDir()]; !ok {
		j.times[m.IsDir()] = m.ModTime
	} else if !m.ModTime.Equal(first) {
		j.found.tolerate(ProblemTime, "member %q has time %s, others have %s", m.Name, m.ModTime.UTC().Format(time.RFC3339), first.UTC().Format(time.RFC3339))
	}
	if m.IsDir() && m.Mode != 0o755 || m.IsFile() && m.Mode != 0o755 && m.Mode != 0o644 {
		j.found.tolerate(ProblemMode, "member %q has mode %04o", m.Name, m.Mode)
	}
	if m.UID != 0 || m.GID != 0 || m.Owner != "" {
		j.found.tolerate(ProblemOwner, "member %q belongs to %d:%d %s", m.Name, m.UID, m.GID, m.Owner)
	}
}
