package installer

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/manifests"
)

// Combiner makes a package of all components of other archives. [NewCombiner] has the
// defaults.
type Combiner struct {
	Package
	// Inputs are archives, each called NAME.tar.gz (.xz, .zst) with the one top
	// directory NAME. Their components are installed in this order. Without inputs
	// the package is empty.
	Inputs []string
}

// NewCombiner returns a combiner with the defaults of rust-installer.
func NewCombiner() Combiner { return Combiner{Package: newPackage()} }

// maxRecord bounds the small text files of an archive, in bytes.
const maxRecord = 1 << 20

// input is an archive to combine.
type input struct {
	path string
	name string // of its top directory
	dir  string // where it is unpacked, as messages show it
}

// Run unpacks the inputs into WorkDir, lays the package out in WorkDir/Name and writes
// its archives.
func (c Combiner) Run(ctx context.Context) (err error) {
	w, err := c.prepare()
	if err != nil {
		return err
	}
	inputs, err := c.inputs(w)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, w.close()) }()
	if err := w.begin(); err != nil {
		return err
	}
	var components []string
	for _, in := range inputs {
		if err := w.unpack(ctx, in); err != nil {
			return err
		}
		names, err := w.add(ctx, in)
		if err != nil {
			return err
		}
		components = append(components, names...)
	}
	return w.finish(ctx, components...)
}

// inputs returns the archives, all of which are there.
func (c Combiner) inputs(w *workspace) ([]input, error) {
	var out []input
	for _, path := range c.Inputs {
		file := filepath.Base(path)
		format, err := manifests.ParseFormat(strings.TrimPrefix(filepath.Ext(file), "."))
		if err != nil {
			return nil, fmt.Errorf("couldn't figure out the format of %s", path)
		}
		name := file
		for strings.HasSuffix(name, format.Ext()) {
			name = strings.TrimSuffix(name, format.Ext())
		}
		if err := manifests.CheckMemberName(name); err != nil {
			return nil, fmt.Errorf("archive name '%s': %w", path, err)
		}
		in := input{path, name, under(c.WorkDir, name)}
		if _, err := os.Stat(w.real(path)); err != nil {
			return nil, because(err, "failed to open file '%s'", path)
		}
		if err := w.free(in); err != nil {
			return nil, err
		}
		out = append(out, in)
	}
	return out, nil
}

// free returns an error if unpacking an archive would remove something else that is
// needed.
func (w *workspace) free(in input) error {
	for _, needed := range []string{in.path, w.Overlay, w.name} {
		if needed == "" {
			continue
		}
		if err := w.apart(in.dir, needed); err != nil {
			return because(err, "unable to extract '%s' into '%s'", in.path, w.WorkDir)
		}
	}
	return because(w.apart(w.name, in.path), "unable to extract '%s' into '%s'", in.path, w.WorkDir)
}

// unpack unpacks an archive below WorkDir.
func (w *workspace) unpack(ctx context.Context, in input) error {
	if err := w.remove(in.dir); err != nil {
		return err
	}
	err := archive.Unpack(ctx, w.real(in.path), w.real(w.WorkDir), archive.UnpackOptions{
		Symlinks: true,
		// Nothing but its own directory: others may be in use.
		Keep: func(name string) bool { return name == in.name || strings.HasPrefix(name, in.name+"/") },
	})
	if ctx.Err() != nil {
		return err
	}
	return because(because(err, "failed to iterate over archive"), "unable to extract '%s' into '%s'", in.path, w.WorkDir)
}

// add copies the components of an unpacked archive into the package, and returns their
// names.
func (w *workspace) add(ctx context.Context, in input) ([]string, error) {
	version, err := w.record(in, manifests.VersionFile)
	if err != nil {
		return nil, because(err, "failed to read version in '%s'", in.path)
	}
	if manifests.ParseInstallerVersion([]byte(strings.TrimSpace(version))) != nil {
		return nil, fmt.Errorf("incorrect installer version in %s", in.path)
	}
	text, err := w.record(in, manifests.ComponentsFile)
	if err != nil {
		return nil, because(err, "failed to read components in '%s'", in.path)
	}
	names := strings.Fields(text)
	for _, name := range names {
		if err := w.addComponent(ctx, in, name); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// record reads a text file of an unpacked archive.
func (w *workspace) record(in input, file string) (string, error) {
	root, err := w.unpacked(in)
	if err == nil {
		defer root.Close()
		var text []byte
		if text, err = dist.ReadOwn(root, file, maxRecord); err == nil {
			return string(text), nil
		}
	}
	return "", because(err, "failed to open file '%s'", under(in.dir, file))
}

// unpacked opens the directory of an unpacked archive, which may have made a link of it.
func (w *workspace) unpacked(in input) (*os.Root, error) {
	work, err := os.OpenRoot(w.real(w.WorkDir))
	if err != nil {
		return nil, err
	}
	defer work.Close()
	if err := dist.CheckDir(work, in.name); err != nil {
		return nil, err
	}
	return work.OpenRoot(in.name)
}

// addComponent copies one component.
func (w *workspace) addComponent(ctx context.Context, in input, name string) error {
	if err := dist.CheckElement(name); err != nil {
		return because(fmt.Errorf("component name %q: %w", name, err), "failed to read components in '%s'", in.path)
	}
	if err := w.mkdir(name); err != nil {
		return err
	}
	from := under(in.dir, name)
	root, err := w.unpacked(in)
	if err == nil {
		err = cmp.Or(dist.CheckDir(root, name), root.Close())
	}
	if err != nil {
		return unreadable(inner(err), from)
	}
	img, err := w.read(from, nil)
	if err != nil {
		return err
	}
	return w.copyImage(ctx, name, from, img)
}
