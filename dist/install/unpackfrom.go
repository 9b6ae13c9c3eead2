package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"x.go/dist"
	"x.go/dist/archive"
	distro "x.go/dist/layout"
	"x.go/manifests"
	"x.go/targets"
)

// StageFrom is [Stage] for the components of archives: arrange makes of them what is
// to be staged. Archives cannot be read from the middle, so their files wait in
// nameless files in the directory tempDir, "" for [os.TempDir], which needs as much room
// as the unpacked archives. All archives are read to their ends, digests included,
// before arrange is called. If it returns false, nothing is staged.
func StageFrom(ctx context.Context, s Staging, from From, tempDir string, arrange func(distro.Facts, []dist.Component) (staged distro.Staged, goOn bool, err error)) (done Installed, err error) {
	r := newResolver(from, s.Waiting)
	staged := false
	defer func() {
		var used []input
		if staged && err == nil {
			used = r.inputs // others need not fetch them again
		}
		r.cache.close(used)
	}()
	if err := r.resolve(ctx); err != nil {
		return Installed{}, fmt.Errorf("staging: %w", err)
	}
	u := &unpacker{loader: &loader{resolver: r, names: r.names, from: map[string]string{}}, tempDir: tempDir}
	defer func() { err = errors.Join(err, u.close()) }()
	components, err := u.unpack(ctx)
	if err != nil {
		return Installed{}, fmt.Errorf("staging: %w", err)
	}
	facts, err := u.facts()
	if err != nil {
		return Installed{}, fmt.Errorf("staging: %w", err)
	}
	arranged, goOn, err := arrange(facts, components)
	if err != nil || !goOn {
		return Installed{}, err
	}
	staged = true
	return Stage(ctx, s, arranged)
}

// unpacker reads whole inputs.
type unpacker struct {
	*loader
	tempDir string
	units   []unpackedUnit // one for each input
}

// unpackedUnit is what an input has.
type unpackedUnit struct {
	stored     *archive.StoredPackage // nil for a directory
	components []dist.Component       // those that are wanted
	name       string                 // such as rustc-1.95.0-x86_64-unknown-linux-gnu
	version    string                 // such as "1.95.0 (59807616e 2026-04-14)"; may be empty
}

// unpack returns the wanted components of all inputs.
func (u *unpacker) unpack(ctx context.Context) ([]dist.Component, error) {
	u.units = make([]unpackedUnit, len(u.inputs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce())
	for i, in := range u.inputs {
		g.Go(func() error { return u.input(ctx, in, &u.units[i]) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err := u.names.check(); err != nil {
		return nil, err
	}
	var components []dist.Component
	for _, unit := range u.units {
		components = append(components, unit.components...)
	}
	if len(components) == 0 {
		return nil, errors.New("the sources have nothing to install")
	}
	return components, nil
}

func (u *unpacker) close() error {
	var errs []error
	for _, unit := range u.units {
		if unit.stored != nil {
			errs = append(errs, unit.stored.Close())
		}
	}
	return errors.Join(errs...)
}

// input reads one input.
func (u *unpacker) input(ctx context.Context, in input, to *unpackedUnit) error {
	var all []dist.Component
	if in.unpacked {
		var err error
		if all, to.version, err = readDirectory(in.path); err != nil {
			return fmt.Errorf("reading directory %q: %w", in.path, err)
		}
		to.name = filepath.Base(in.path)
	} else {
		p, err := archive.ReadPackage(ctx, in.path, archive.ReadOptions{TempDir: u.tempDir, Symlinks: true})
		if err != nil {
			return err
		}
		to.stored, to.name, to.version, all = p, p.Name, p.Version, p.Components
		if err := in.check(p.Digest); err != nil {
			return err
		}
	}
	for _, c := range all {
		if !u.wants(in, c.Name) {
			continue
		}
		if err := u.claim(in, c.Name); err != nil {
			return fmt.Errorf("reading %q: %w", in.path, err)
		}
		var img dist.Image
		for e := range c.Image.Entries() {
			if !e.IsDir() {
				e.Mode = installedMode(e.Name, e.Mode)
			}
			if err := img.Add(e); err != nil {
				return fmt.Errorf("reading %q: %w", in.path, err)
			}
		}
		c.Image = img
		to.components = append(to.components, c)
	}
	return nil
}

// readDirectory reads the components of an unpacked archive, and its version.
func readDirectory(dir string) (components []dist.Component, version string, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, "", err
	}
	defer root.Close()
	facts, err := readTree(root)
	if err != nil {
		return nil, "", err
	}
	l := facts.Layout()
	if err := l.First(); err != nil {
		return nil, "", err
	}
	images := map[string]*dist.Image{}
	for _, name := range l.Components {
		images[name] = &dist.Image{}
	}
	for _, m := range facts.Members {
		component, name, ok := strings.Cut(archive.Below(m.Name), "/")
		if !ok || !m.IsFile() || name == manifests.ManifestFile || images[component] == nil {
			continue
		}
		if err := images[component].AddFile(name, filepath.Join(dir, component, filepath.FromSlash(name))); err != nil {
			return nil, "", err
		}
	}
	for _, link := range packageLinks(l) {
		if images[link.component] == nil {
			continue
		}
		if link.file == "" {
			err = images[link.component].AddSymlink(link.name, link.target)
		} else {
			err = images[link.component].AddFile(link.name, filepath.Join(dir, filepath.FromSlash(link.file)))
		}
		if err != nil {
			return nil, "", err
		}
	}
	for _, name := range l.Components {
		c := dist.Component{Name: name, Image: *images[name]}
		for _, d := range l.Lists[name] {
			if d.Kind == manifests.DirDirective {
				c.BulkDirs = append(c.BulkDirs, d.Path)
			}
		}
		components = append(components, c)
	}
	text, err := dist.ReadOwn(root, "version", maxText)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, "", err
	}
	return components, strings.TrimSpace(string(text)), nil
}

// facts are those of the toolchain that the components make up: the host that the
// programs are for, and the release of the compiler, or what an archive's name says.
func (u *unpacker) facts() (distro.Facts, error) {
	hosts := map[string]bool{}
	var f distro.Facts
	sure := false
	for i, unit := range u.units {
		name, named := parseName(unit.name + manifests.GZ.Ext())
		target := u.inputs[i].target
		if named && target == "" {
			target = name.Target.String()
		}
		for _, c := range unit.components {
			id := componentID(c.Name, target)
			spec, ours := manifests.LookupComponent(id.Archive)
			if id.Target != "" && (!ours || spec.Scope == manifests.ScopeHost) {
				hosts[id.Target] = true
			}
			release, _, _ := strings.Cut(unit.version, " ")
			if ours && !spec.OwnVersion && release != "" && (!sure || spec.Archive == "rustc") {
				f.Release, sure = release, true
			}
		}
		if len(unit.components) > 0 && f.Release == "" && named && name.Version[0] <= '9' {
			f.Release = name.Version
		}
	}
	host := u.Host
	if names := slices.Sorted(maps.Keys(hosts)); len(names) == 1 {
		host = names[0]
	} else if len(names) > 1 && !hosts[host] {
		return f, fmt.Errorf("the archives are for the hosts %s: name one of them with --host", strings.Join(names, ", "))
	}
	var err error
	f.Host, err = targets.ParseTriple(host)
	return f, err
}
