package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"x.go/dist"
)

// journalName is the file in Libdir/rustlib that lists, one absolute path a line, the
// temporary files of a run. A killed run leaves it, and the next one removes them.
const journalName = ".x-install"

// newFile is a file that is complete, under a temporary name beside its place.
type newFile struct {
	to   place
	temp string // file name
}

// locked runs the work while this process has the records for itself. If the work
// fails before files get their names, nothing of it stays.
func (in *installation) locked(ctx context.Context, waiting func(holder string), work func() error) error {
	if waiting == nil {
		waiting = func(string) {}
	}
	at := in.layout.at(in.layout.libdir, dist.RecordsDir)
	dir, err := in.dir(at.base, at.rel)
	if err != nil {
		return err
	}
	if in.records, err = dir.OpenRoot("."); err != nil {
		return err
	}
	lock, err := dist.Lock(ctx, in.records, waiting)
	if err == nil {
		if err = in.removeLeft(); err == nil {
			err = errors.Join(work(), in.removeTemps())
		}
		lock.Remove()
	}
	err = errors.Join(err, in.records.Close())
	if err != nil && !in.named {
		in.removeCreated()
	}
	return err
}

// removeLeft removes the temporary files of a killed run.
func (in *installation) removeLeft() error {
	// Those of records are in no journal: they lie beside it.
	if _, err := dist.RemoveStale(in.records); err != nil {
		return err
	}
	data, err := dist.ReadOwn(in.records, journalName, maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		at, ok := in.layout.locate(strings.TrimSuffix(line, "\n"))
		if !ok || !isTemp(path.Base(at.rel)) {
			return fmt.Errorf("reading %q, which a killed installation left: got line %.200q, want a temporary file below the directories given: remove the file",
				in.records.Name()+"/"+journalName, line)
		}
		root, err := in.roots.open(at.base)
		if err != nil {
			return err
		}
		if err := root.Remove(at.rel); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing what a killed installation left: %w", err)
		}
	}
	return dist.RemoveAll(in.records, journalName)
}

// removeTemps removes the files that have no name yet, and the journal.
func (in *installation) removeTemps() error {
	for _, f := range in.fresh {
		if dir, err := in.dir(f.to.base, path.Dir(f.to.rel)); err == nil {
			_ = dir.Remove(f.temp)
		}
	}
	return dist.RemoveAll(in.records, journalName)
}

// removeCreated removes the directories that this run created, as far as they are
// empty.
func (in *installation) removeCreated() {
	for _, at := range slices.Backward(in.created) {
		if root, err := in.roots.open(at.base); err == nil {
			_ = root.Remove(at.rel)
		}
	}
}

// writeFiles writes the files of all components under temporary names.
func (in *installation) writeFiles(ctx context.Context, components []dist.Component) error {
	var journal strings.Builder
	for _, c := range components {
		for e := range c.Image.Entries() {
			if !e.IsDir() {
				to := in.layout.destination(e.Name)
				fmt.Fprintln(&journal, place{to.base, path.Join(path.Dir(to.rel), tempName(path.Base(to.rel)))}.path())
			}
		}
	}
	if err := dist.WriteOwn(in.records, journalName, []byte(journal.String()), dist.ModeFile); err != nil {
		return err
	}
	buf := make([]byte, 128<<10)
	for _, c := range components {
		if err := in.writeComponent(ctx, c, buf); err != nil {
			return fmt.Errorf("component %q: %w", c.Name, err)
		}
	}
	return in.roots.sync()
}

func (in *installation) writeComponent(ctx context.Context, c dist.Component, buf []byte) error {
	for e := range c.Image.Entries() {
		to := in.layout.destination(e.Name)
		if e.IsDir() {
			// install.sh goes by the manifest, which only lists bulk directories.
			if c.InBulkDir(e.Name) || slices.Contains(c.BulkDirs, e.Name) {
				if _, err := in.dir(to.base, to.rel); err != nil {
					return fmt.Errorf("creating %q: %w", to.path(), err)
				}
			}
			continue
		}
		if strings.HasPrefix(e.Name, "bin/") {
			e.Mode = dist.ModeExec
		}
		if err := in.writeEntry(ctx, to, e, buf); err != nil {
			return fmt.Errorf("writing %q: %w", to.path(), err)
		}
	}
	return nil
}

// writeEntry writes a file under its temporary name.
func (in *installation) writeEntry(ctx context.Context, to place, e dist.Entry, buf []byte) error {
	src, err := e.Open()
	if err != nil {
		return err
	}
	defer src.Close()
	dir, err := in.dir(to.base, path.Dir(to.rel))
	if err != nil {
		return err
	}
	name := path.Base(to.rel)
	// Said at once: a rename would say it when other files have their names.
	if info, err := dir.Lstat(name); err == nil && info.IsDir() {
		return errors.New("there is a directory of that name")
	}
	temp := tempName(name)
	f, err := createAnew(dir, temp, e.Mode.Perm())
	if err != nil {
		return err
	}
	in.fresh = append(in.fresh, newFile{to, temp})
	err = dist.CopyExactly(ctx, f, src, e.Size, buf)
	if err == nil {
		err = f.Chmod(e.Mode.Perm())
	}
	if err == nil && dist.SyncEach {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// nameFiles gives the files their final names.
func (in *installation) nameFiles() error {
	for len(in.fresh) > 0 {
		f := in.fresh[0]
		dir, err := in.dir(f.to.base, path.Dir(f.to.rel))
		if err == nil {
			err = dir.Rename(f.temp, path.Base(f.to.rel))
		}
		if err != nil {
			return fmt.Errorf("writing %q: %w", f.to.path(), dist.WithoutPath(err))
		}
		in.fresh = in.fresh[1:]
		in.done.Files = append(in.done.Files, f.to.path())
	}
	return in.roots.sync()
}

// Ends of a temporary name.
const (
	tempPrefix = ".x-"
	tempSuffix = ".tmp"
)

// tempName returns the name of a file until it is complete. It is the same in every
// run, so that a run replaces what a killed one left, and not too long for any file
// system.
func tempName(name string) string {
	const longest = 200 // bytes of name
	if len(name) > longest {
		name = strings.ToValidUTF8(name[:longest], "")
	}
	return tempPrefix + name + tempSuffix
}

func isTemp(name string) bool {
	return strings.HasPrefix(name, tempPrefix) && strings.HasSuffix(name, tempSuffix)
}

// createAnew creates a file. It first removes an existing one, which may be a link
// that somebody has put there.
func createAnew(dir *os.Root, name string, mode fs.FileMode) (*os.File, error) {
	f, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if !errors.Is(err, fs.ErrExist) {
		return f, err
	}
	if err := dir.Remove(name); err != nil {
		return nil, err
	}
	return dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}
