package install

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist"
	distro "x.go/dist/layout"
)

// Staging says where [Stage] writes.
type Staging struct {
	DestDir string // root of the staged tree, absolute
	// ListDir is the directory of the lists of files. A list that is there and was not
	// written by Stage is an error.
	ListDir string
	// StateDir has what Stage knows of its earlier runs: the records are not in the
	// staged tree, because distributions delete them.
	StateDir string
	// Waiting and Progress are those of [Options].
	Waiting  func(holder string)
	Progress func(done, total int64)
}

// stagedName is the component that all staged files belong to.
const stagedName = "staged"

// maxList bounds a list of files, in bytes.
const maxList = 64 << 20

// Stage installs what a distribution's layout has arranged into a staging directory,
// all of it or nothing, and writes the lists of files. It writes no records into the
// tree. A second call for the same directory replaces what the first one wrote, and
// removes what is no longer needed, lists included. A file that somebody else put in the
// way is kept as FILE.old, as [Run] does.
func Stage(ctx context.Context, s Staging, staged distro.Staged) (Installed, error) {
	all := dist.Component{Name: stagedName}
	var errs []error
	for _, p := range staged.Packages {
		for e := range p.Image.Entries() {
			if strings.HasPrefix(e.Name, "lib/") {
				errs = append(errs, fmt.Errorf("package %q has %q: stage libraries below /usr/lib, where /lib leads", p.Name, "/"+e.Name))
			}
		}
		errs = append(errs, all.Image.Merge(p.Image))
	}
	stale, err := s.lists(staged)
	if err := errors.Join(append(errs, err)...); err != nil {
		return Installed{}, fmt.Errorf("staging in %q: %w", s.DestDir, err)
	}
	done, err := Run(ctx, s.options(), []dist.Component{all})
	if err != nil {
		return done, err
	}
	return done, s.writeLists(staged.Lists, stale)
}

// options have the records outside the tree: whatever is in Libdir goes to Libdir, but
// the layout has nothing there.
func (s Staging) options() Options {
	sum := sha256.Sum256([]byte(filepath.Clean(s.DestDir)))
	return Options{
		Prefix: s.DestDir, Libdir: filepath.Join(s.StateDir, hex.EncodeToString(sum[:8])), Links: true,
		Waiting: s.Waiting, Progress: s.Progress,
	}
}

// lists checks that the lists may be written, and returns the names of those of an
// earlier run that are to be removed.
func (s Staging) lists(staged distro.Staged) (stale []string, err error) {
	entries, err := os.ReadDir(s.ListDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the directory of lists: %w", err)
	}
	var errs []error
	for _, e := range entries {
		at := slices.IndexFunc(staged.Lists, func(l distro.List) bool { return l.Name == e.Name() })
		if at < 0 && !e.Type().IsRegular() {
			continue
		}
		var data []byte
		if e.Type().IsRegular() {
			if data, err = dist.ReadFile(filepath.Join(s.ListDir, e.Name()), maxList); err != nil {
				errs = append(errs, fmt.Errorf("reading list: %w", err))
				continue
			}
		}
		switch ours := distro.IsOurs(data); {
		case at >= 0 && !ours && !bytes.Equal(data, staged.Lists[at].Data):
			errs = append(errs, fmt.Errorf("%q was not written by x: remove or rename it, or choose another directory for the lists", filepath.Join(s.ListDir, e.Name())))
		case at < 0 && ours:
			stale = append(stale, e.Name())
		}
	}
	return stale, errors.Join(errs...)
}

// writeLists writes the lists and removes stale ones.
func (s Staging) writeLists(lists []distro.List, stale []string) error {
	if err := os.MkdirAll(s.ListDir, 0o755); err != nil {
		return fmt.Errorf("creating the directory of lists: %w", err)
	}
	for _, l := range lists {
		if err := dist.WriteFile(filepath.Join(s.ListDir, l.Name), l.Data); err != nil {
			return fmt.Errorf("writing list %q: %w", l.Name, err)
		}
	}
	for _, name := range stale {
		if err := os.Remove(filepath.Join(s.ListDir, name)); err != nil {
			return fmt.Errorf("removing the list of a package that has no files any more: %w", err)
		}
	}
	return nil
}
