package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"x.go/dist"
	"x.go/manifests"
)

// wanted is what a file of a component should be.
type wanted struct {
	component string
	at        place
	mode      fs.FileMode // 0 if only its name is known
	size      int64
	hash      manifests.Hash
	link      string
}

// expectation is what a component should be.
type expectation struct {
	component string // by its installed name
	against   string // what tells it; "" if that is only its list
	files     []wanted
	dirs      []place // bulk directories
	list      []record
}

// recordedDigests returns what the record of digests tells of a component. The error
// says why it tells nothing.
func (in *installed) recordedDigests(c installedComponent) (expectation, error) {
	e := expectation{component: c.name, against: in.file(manifests.DigestsPrefix + c.name), list: c.records}
	d, err := in.readDigests(c)
	if err != nil {
		return e, err
	}
	for _, f := range d.Files {
		at, ok := in.layout.digestPlace(f.Path)
		if !ok {
			return e, fmt.Errorf("reading %q: %q is in none of the directories given", e.against, f.Path)
		}
		e.files = append(e.files, wanted{c.name, at, f.Mode, f.Size, f.Hash, f.Link})
	}
	for _, r := range c.records {
		if r.kind == manifests.DirDirective {
			e.dirs = append(e.dirs, r.place)
		}
	}
	if differ := e.differs(); differ != "" {
		return e, fmt.Errorf("%q and %s%s disagree about %q: give the archives", e.against, manifests.InstalledPrefix, c.name, differ)
	}
	return e, nil
}

// readDigests reads the record of digests of a component.
func (in *installed) readDigests(c installedComponent) (manifests.Digests, error) {
	if d, ok := in.digests[c.name]; ok {
		return d, nil
	}
	file := in.file(manifests.DigestsPrefix + c.name)
	data, err := dist.ReadOwn(in.root, manifests.DigestsPrefix+c.name, manifests.MaxDigests)
	if errors.Is(err, fs.ErrNotExist) {
		return manifests.Digests{}, errors.New("there is no record of digests: give the archives that it was installed from")
	}
	if err != nil {
		return manifests.Digests{}, fmt.Errorf("reading %q: %w", file, dist.WithoutPath(err))
	}
	d, err := manifests.ParseDigests(data)
	switch {
	case err != nil:
		return d, fmt.Errorf("reading %q: %w: give the archives", file, err)
	case d.Component != c.name:
		return d, fmt.Errorf("reading %q: got component %q, want %q: give the archives", file, d.Component, c.name)
	case d.Manifest != c.text:
		return d, fmt.Errorf("%q is of another %s%s: something else has installed the component since; give the archives", file, manifests.InstalledPrefix, c.name)
	}
	in.digests[c.name] = d
	return d, nil
}

// digestPlace returns the place of a path in a record of digests.
func (l layout) digestPlace(file string) (place, bool) {
	file = filepath.FromSlash(file)
	if !filepath.IsAbs(file) {
		file = filepath.Join(l.prefix, file)
	}
	return l.locate(file)
}

// differs returns a path that only one of the files and the list have, or "".
func (e expectation) differs() string {
	have, listed := map[string]bool{}, map[string]bool{}
	for _, f := range e.files {
		have[f.at.path()] = true
	}
	for _, r := range e.list {
		file := r.path()
		listed[file] = true
		if r.kind == manifests.FileDirective && !have[file] {
			return file
		}
	}
	for _, f := range e.files {
		if file := f.at.path(); !f.mode.IsDir() && !listed[file] && !slices.ContainsFunc(e.dirs, func(d place) bool { return below(d.path(), file) || d == f.at }) {
			return file
		}
	}
	return ""
}

// namesOnly returns what a component's list tells.
func namesOnly(c installedComponent) expectation {
	e := expectation{component: c.name, list: c.records}
	for _, r := range c.records {
		if r.kind == manifests.DirDirective {
			e.dirs = append(e.dirs, r.place)
		} else {
			e.files = append(e.files, wanted{component: c.name, at: r.place})
		}
	}
	return e
}

// ofImage returns what an image tells of a component that is installed as name.
func ofImage(ctx context.Context, l layout, name string, c dist.Component) (expectation, error) {
	e := expectation{component: name, against: "the toolchain", list: l.records(c.Manifest())}
	for _, dir := range c.BulkDirs {
		e.dirs = append(e.dirs, l.destination(dir))
	}
	entries := slices.Collect(c.Image.Entries())
	entries = slices.DeleteFunc(entries, func(f dist.Entry) bool { return f.IsDir() && !c.InBulkDir(f.Name) })
	e.files = make([]wanted, len(entries))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, f := range entries {
		e.files[i] = wanted{component: name, at: l.destination(f.Name), mode: f.Mode, size: f.Size, link: f.Link}
		if f.IsRegular() {
			e.files[i].mode = installedMode(f.Name, f.Mode)
			g.Go(func() (err error) {
				e.files[i].hash, err = f.Hash(ctx)
				return err
			})
		}
	}
	return e, g.Wait()
}
