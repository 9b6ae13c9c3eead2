package inventory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"x.go/bootstrap/marks"
	"x.go/dist"
	"x.go/manifests"
	"x.go/targets"
)

// set is the files of a toolchain, and the facts of its compiler.
type set struct {
	root    string // of a sysroot; "" for others
	host    targets.Triple
	version manifests.Version
	spec    *targets.Spec
	known   []marks.Known
	record  manifests.BuildRecord // zero if x did not build it

	files map[string]*file // by the names that archives have for them
	names []string         // of files, sorted
	temp  string           // directory of what was unpacked; "" if nothing was
	// unpackedFiles is how many files that directory has.
	unpackedFiles int
}

// file is a file of a toolchain.
type file struct {
	component string
	exec      bool
	size      int64
	digest    manifests.Hash // of an archive's
	disk      string         // where its content is; "" for what was not unpacked
	place     string         // in the tree, if that is not its name: rustlib may be in lib64
	link      string         // as [File.Link]
	leadsTo   string         // the file of the toolchain that a link leads to
	ids       map[string]bool
}

// open opens the content.
func (f *file) open() (io.ReadCloser, error) {
	if f.disk == "" {
		return nil, errors.New("its content was not unpacked")
	}
	return dist.OpenFile(f.disk)
}

func (s *set) close() {
	if s.temp != "" {
		os.RemoveAll(s.temp)
	}
}

// index is called when all files are known.
func (s *set) index() {
	s.names = s.names[:0]
	for name := range s.files {
		s.names = append(s.names, name)
	}
	slices.Sort(s.names)
}

// below returns the files whose names begin with a directory, "lib/", in order.
func (s *set) below(dir string) []string {
	i, _ := slices.BinarySearch(s.names, dir)
	j := i
	for j < len(s.names) && strings.HasPrefix(s.names[j], dir) {
		j++
	}
	return s.names[i:j]
}

// has reports whether there is one of some files.
func (s *set) has(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return s.files[name] != nil })
}

// place returns where the input has a file.
func (s *set) place(name string) string {
	if f := s.files[name]; f != nil && f.place != "" {
		return f.place
	}
	return name
}

// describe returns a file as the inventory has it.
func (s *set) describe(ctx context.Context, name string) (File, error) {
	f := s.files[name]
	out := File{Path: s.place(name), Size: f.size, Executable: f.exec, SHA256: f.digest, Component: f.component, Link: f.link}
	if !f.digest.IsZero() {
		return out, ctx.Err()
	}
	var err error
	if out.SHA256, err = dist.HashFile(ctx, f.disk); err != nil {
		return out, fmt.Errorf("hashing %q: %w", name, err)
	}
	return out, nil
}

// read reads the toolchain in the places.
func read(ctx context.Context, places []string, given marks.Given) (*set, error) {
	s := &set{files: map[string]*file{}}
	info, err := os.Stat(places[0])
	switch {
	case err != nil:
		return nil, fmt.Errorf("taking stock of %q: %w", places[0], dist.WithoutPath(err))
	case info.IsDir() && len(places) > 1:
		return nil, fmt.Errorf("taking stock of %q: got %d more places, want one tree, or archives", places[0], len(places)-1)
	case info.IsDir():
		err = s.tree(ctx, places[0], given)
	default:
		err = s.archives(ctx, places, given)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	s.index()
	return s, nil
}

// isProgram reports whether a file of a toolchain may be a program, or what one loads.
func isProgram(name string) bool {
	parts := strings.Split(name, "/")
	if len(parts) > 3 && parts[0] == "lib" && parts[1] == "rustlib" {
		return parts[3] == "bin" || parts[3] == "codegen-backends"
	}
	base := path.Base(name)
	return parts[0] == "bin" || parts[0] == "libexec" ||
		strings.HasPrefix(parts[0], "lib") && (strings.Contains(base, ".so") || strings.HasSuffix(base, ".dylib") || strings.HasSuffix(base, ".dll"))
}
