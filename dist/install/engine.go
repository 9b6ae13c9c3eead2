package install

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"x.go/manifests"
)

// Backup is a file of the user's that was in the way, and where it is now.
type Backup struct {
	Path string // where it was, absolute
	Old  string // where it is: Path.old, or Path.old.1 and so on where that is taken
}

// file is a file of a transaction.
type file struct {
	component string
	to        place       // see [layout.destination] for a name in an image
	mode      fs.FileMode // [dist.ModeFile], ModeExec or ModeSymlink
	size      int64       // bytes, of a regular file
	link      string      // target of a symbolic link
}

// part is a component that a transaction leaves installed, with its records.
type part struct {
	name string
	list []record // lines of manifest-NAME
}

// parts: see [layout.records] for the list of a component's manifest.in.
func (l layout) records(list manifests.FileList) []record {
	var out []record
	for _, d := range list {
		out = append(out, record{d.Kind, l.destination(d.Path)})
	}
	return out
}

// transaction changes an installation as a whole or not at all. Files are added in any
// order, from several goroutines; nothing has its final name before commit.
type transaction struct {
	layout layout
	done   Installed
}

var errLater = errors.New("not implemented yet")

// begin locks the installation, completes what a killed run left, and reads the records.
// names are the components that the transaction replaces; files of other installed
// components are not its to change. The caller must call commit or rollback.
func begin(ctx context.Context, opts Options, names ...string) (*transaction, error) {
	return nil, errLater
}

// add writes a file under a temporary name and hashes it; r may be nil for a link. It
// does not read r to its end if the content has more than f.size bytes: that is an
// error, as are fewer.
func (t *transaction) add(ctx context.Context, f file, r io.Reader) error { return errLater }

// addDir creates an empty directory.
func (t *transaction) addDir(to place) error { return errLater }

// commit gives all files their names, writes the records of the parts, and removes
// what the earlier installation of the replaced components had and this one has not.
// If it fails, everything is as before begin.
func (t *transaction) commit(ctx context.Context, uninstaller []byte, parts ...part) (Installed, error) {
	return Installed{}, errLater
}

// rollback ends a transaction without a change. It does nothing after commit.
func (t *transaction) rollback() error { return errLater }

// Uninstall removes the components of those names from the directories of opts, or all
// that are installed if there are no names.
func Uninstall(ctx context.Context, opts Options, names ...string) (Installed, error) {
	return Installed{}, errLater
}
