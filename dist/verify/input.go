package verify

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/dist/channel"
	"x.go/dist/recompress"
	"x.go/manifests"
)

// input holds the operands, sorted by kind.
type input struct {
	archives []archiveFile
	// manifests are channel manifests: paths, or URLs.
	manifests []string
	trees     []string // installed trees and assembled sysroots
	programs  []programFile
	// others are the paths of the other files of a directory. checked has those
	// that a check looked at.
	others  []string
	checked map[string]bool
	subject *subject
}

// archiveFile is an archive by its name.
type archiveFile struct {
	path   string
	file   string // base name
	stem   string // file without extension: the top directory it must have
	format manifests.Format
}

// resolve sorts the operands by kind. What cannot be read becomes a finding.
func resolve(operands []string) *input {
	in := &input{checked: map[string]bool{}, subject: newSubject("", inputReadable)}
	for _, op := range operands {
		if err := in.add(op); err != nil {
			in.subject.failf(inputReadable, "%v", err)
		}
	}
	if len(operands) == 0 {
		in.subject.failf(inputReadable, "nothing to verify was given")
	}
	return in
}

// add sorts one operand.
func (in *input) add(op string) error {
	if channel.IsURL(op) {
		if !strings.HasSuffix(op, ".toml") {
			shown := manifests.Redact(op)
			return fmt.Errorf("reading operand %q: name the manifest itself, such as %s/channel-rust-stable.toml", shown, strings.TrimSuffix(shown, "/"))
		}
		in.manifests = append(in.manifests, op)
		return nil
	}
	info, err := os.Stat(op)
	if err != nil {
		return fmt.Errorf("reading operand %q: %w", op, dist.WithoutPath(err))
	}
	switch {
	case info.IsDir() && isTree(op):
		in.trees = append(in.trees, op)
		return nil
	case info.IsDir():
		return in.addDir(op)
	case in.addFile(op):
		return nil
	case isELF(op):
		in.programs = append(in.programs, programFile{op, op})
		return nil
	}
	return fmt.Errorf("reading operand %q: neither a directory, nor a .tar.gz, .tar.xz or .tar.zst archive, nor a channel manifest (channel-rust-*.toml), nor an ELF file", op)
}

// addDir takes the files of a dist directory, and of a mirror's.
func (in *input) addDir(dir string) error {
	before := len(in.others)
	found, err := in.addFiles(dir, 0)
	if err != nil {
		return fmt.Errorf("reading operand %q: %w", dir, dist.WithoutPath(err))
	}
	if found {
		return nil
	}
	in.others = in.others[:before]
	if found, err = in.addPrograms(dir); err == nil && !found {
		err = fmt.Errorf("reading operand %q: no archive, channel manifest, lib/rustlib or ELF file in the directory", dir)
	}
	return err
}

// maxMirrorDepth is how many directories a mirror may have inside each other: in
// dist/dist/2026-04-16 there are three.
const maxMirrorDepth = 4

// addFiles takes the files of a directory and of its dated directories, as
// static.rust-lang.org has them, and of a directory dist. Any other subdirectory is
// an input of its own: [input.unchecked] reports it.
func (in *input) addFiles(dir string, depth int) (found bool, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if e.Type().IsRegular() && in.addFile(path) {
			found = true
			continue
		}
		if e.IsDir() && depth < maxMirrorDepth && (channel.IsDated(e.Name()) || e.Name() == "dist") {
			below, err := in.addFiles(path, depth+1)
			if err != nil {
				return found, err
			}
			if below {
				found = true
				continue
			}
		}
		in.others = append(in.others, path)
	}
	return found, nil
}

// addFile takes path if it is an archive or a manifest, and reports whether it is.
func (in *input) addFile(path string) bool {
	name := filepath.Base(path)
	if strings.HasPrefix(name, "channel-rust-") && strings.HasSuffix(name, ".toml") {
		in.manifests = append(in.manifests, path)
		return true
	}
	if stem, f, ok := manifests.CutFormat(name); ok {
		in.archives = append(in.archives, archiveFile{path, name, stem, f})
		return true
	}
	return false
}

// isTree reports whether dir is an installed tree or a sysroot.
func isTree(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "lib", "rustlib"))
	return err == nil && info.IsDir()
}

// check notes that a check looked at a file.
func (in *input) check(path string) { in.checked[path] = true }

// ownFiles are the files that x keeps in a directory of archives: the lock of a
// running command, the channel that `x dist` takes away while it replaces archives,
// the record of `x recompress` and the redirects of an overlay, which the channel
// group reads.
var ownFiles = []string{".x-lock", ".x-channel.toml", recompress.RecordName, channel.RedirectsFile}

// unchecked fails each file that no check looked at.
func (in *input) unchecked(opts Options) *subject {
	s := newSubject("", inputUnchecked)
	for _, path := range in.others {
		if in.checked[path] || slices.Contains(ownFiles, filepath.Base(path)) || in.side(s, path, opts) {
			continue
		}
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue // a temporary file of a run that has ended since
		}
		if info, err := os.Lstat(path); err == nil && info.IsDir() {
			s.failf(inputUnchecked, "no check looks at directory %q: name it as an input of its own", filepath.Base(path))
			continue
		}
		s.failf(inputUnchecked, "no check looks at %q", filepath.Base(path))
	}
	return s
}

// leftOut says which operands the chosen groups do not look at: what was not checked
// has not passed.
func (in *input) leftOut(opts Options) {
	for _, kind := range []struct {
		what   string
		given  bool
		groups []Group
	}{
		{"ELF files", len(in.programs) > 0, []Group{Static}},
		{"trees", len(in.trees) > 0, []Group{Sysroot, Link}},
		{"keys for signatures", len(opts.Keyrings) > 0 && len(in.manifests) > 0, []Group{Channel}},
	} {
		if kind.given && !slices.ContainsFunc(kind.groups, opts.has) {
			in.subject.skipf(inputReadable, "%s were given, but only %v was chosen to run: choose %v, too", kind.what, opts.Groups, kind.groups)
		}
	}
}

// leaveManifests marks the files that belong to manifests as checked. The channel
// group does so, unless it was not chosen.
func (in *input) leaveManifests() {
	for _, m := range in.manifests {
		stem := strings.TrimSuffix(m, ".toml")
		for _, other := range in.others {
			if strings.HasPrefix(other, stem) || strings.HasPrefix(other, filepath.Join(filepath.Dir(m), manifests.ChecksumsFile)) {
				in.check(other)
			}
		}
	}
}

// byStem groups the archives that differ only in format, in order of name.
func byStem(all []*scanned) [][]*scanned {
	groups := map[string][]*scanned{}
	for _, a := range all {
		key := filepath.Join(filepath.Dir(a.path), a.stem)
		groups[key] = append(groups[key], a)
	}
	var stems []string
	for s := range groups {
		stems = append(stems, s)
	}
	slices.Sort(stems)
	var out [][]*scanned
	for _, s := range stems {
		out = append(out, groups[s])
	}
	return out
}
