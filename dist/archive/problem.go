package archive

import (
	"errors"
	"fmt"
)

// ProblemKind says which rule an archive breaks. The values are stable: package
// verify names its checks after them.
type ProblemKind string

// Problems of the compressed file and the tar stream in it.
const (
	ProblemReadable ProblemKind = "readable"       // it cannot be decoded to the end of its tar stream
	ProblemStream   ProblemKind = "single-stream"  // more than one xz stream, gzip member or zstd frame
	ProblemTrailing ProblemKind = "trailing-bytes" // bytes after the compressed stream
	ProblemMemory   ProblemKind = "decoder-memory" // a dictionary or window beyond [Limits]
	ProblemLimits   ProblemKind = "limits"         // more or longer members than [Limits] allow
	ProblemTarEnd   ProblemKind = "tar-end"        // no two zero blocks at the end, or bytes after them
	ProblemHeader   ProblemKind = "tar-header"     // a header that readers of tar take in different ways
	ProblemFilter   ProblemKind = "filter"         // a filter that rustup's decoder does not know
)

// Problems of the members.
const (
	ProblemName      ProblemKind = "member-name"      // see [manifests.CheckMemberName]
	ProblemType      ProblemKind = "member-kind"      // neither a regular file nor a directory
	ProblemMode      ProblemKind = "member-mode"      // not 0755, nor 0644 for a file
	ProblemOwner     ProblemKind = "member-owner"     // an owner other than 0 without a name
	ProblemTime      ProblemKind = "member-time"      // another time than the files, or directories, before
	ProblemDuplicate ProblemKind = "duplicate-member" // a second member of the name
	ProblemDirOrder  ProblemKind = "folder-order"     // a directory after its content, missing, or hidden by a file
	ProblemTop       ProblemKind = "top-folder"       // no top directory, or a second one
)

// Problems of rust-installer's descriptive files.
const (
	ProblemInstaller         ProblemKind = "installer-version"
	ProblemComponents        ProblemKind = "components"
	ProblemManifest          ProblemKind = "manifest"
	ProblemManifestDuplicate ProblemKind = "manifest-duplicate"
	ProblemManifestOrder     ProblemKind = "manifest-order"
	ProblemManifestPath      ProblemKind = "manifest-path"
	ProblemManifestKind      ProblemKind = "manifest-kind"
	ProblemAbsent            ProblemKind = "manifest-absent-file"
	ProblemUnlisted          ProblemKind = "unlisted-file"
	ProblemConflict          ProblemKind = "owner-conflict"
)

// Problem is one thing that is wrong with an archive.
type Problem struct {
	Kind   ProblemKind
	Detail string // one line, such as `member "../x": name has ".."`
	// Tolerated says that rustup still installs the archive correctly. Strict
	// readers ignore the problem.
	Tolerated bool
	cause     error
}

// Error returns Detail. Strict readers return the first problem as their error.
func (p Problem) Error() string { return p.Detail }

// Unwrap returns the error of the underlying reader, if there was one.
func (p Problem) Unwrap() error { return p.cause }

// maxProblems is how many problems of a kind are kept.
const maxProblems = 100

// Problems are what is wrong with an archive, in the order found. List has the
// first 100 of each kind, More the number of the others.
type Problems struct {
	List []Problem
	More map[ProblemKind]int
}

// has reports whether there is a problem of one of the kinds.
func (p *Problems) has(kinds ...ProblemKind) bool {
	for _, q := range p.List {
		for _, k := range kinds {
			if q.Kind == k {
				return true
			}
		}
	}
	return false
}

// First returns the first problem that is not tolerated, or nil.
func (p *Problems) First() error {
	for _, q := range p.List {
		if !q.Tolerated {
			return q
		}
	}
	return nil
}

// collector gathers problems. A strict one returns the first that is not
// tolerated as an error, which ends the reading.
type collector struct {
	Problems
	strict  bool
	refused int // problems that are not tolerated
	counts  map[ProblemKind]int
}

// add notes a problem that does not end the reading. The error is nil unless the
// collector is strict.
func (c *collector) add(kind ProblemKind, format string, args ...any) error {
	err := c.end(kind, format, args...)
	if c.strict {
		return err
	}
	return nil
}

// tolerate notes a problem that rustup accepts.
func (c *collector) tolerate(kind ProblemKind, format string, args ...any) {
	if !c.full(kind) {
		c.List = append(c.List, Problem{Kind: kind, Detail: fmt.Sprintf(format, args...), Tolerated: true})
	}
}

// end notes a problem and returns it as the error that ends the reading.
func (c *collector) end(kind ProblemKind, format string, args ...any) error {
	c.refused++
	if c.full(kind) {
		return Problem{Kind: kind}
	}
	err := fmt.Errorf(format, args...)
	p := Problem{Kind: kind, Detail: err.Error(), cause: errors.Unwrap(err)}
	c.List = append(c.List, p)
	return p
}

// full counts a problem and reports whether there are enough of its kind.
func (c *collector) full(kind ProblemKind) bool {
	if c.counts == nil {
		c.counts, c.More = map[ProblemKind]int{}, map[ProblemKind]int{}
	}
	if c.counts[kind]++; c.counts[kind] > maxProblems {
		c.More[kind]++
		return true
	}
	return false
}
