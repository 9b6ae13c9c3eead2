package install

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"x.go/dist"
)

// Installed says what [Run] or [Uninstall] has done, or would do. Paths are absolute.
type Installed struct {
	Components []string `json:"components"` // installed or uninstalled
	Files      []string `json:"files"`      // of the components, sorted: those of Created, Replaced and Unchanged
	Created    []string `json:"created"`    // where there was nothing, or what is now a backup
	Replaced   []string `json:"replaced"`   // over those of an earlier installation
	Unchanged  int      `json:"unchanged"`  // files that were there already, which nobody has written
	Removed    []string `json:"removed"`    // of an earlier installation of the components
	Backups    []Backup `json:"backups"`    // files of the user's that were in the way
	// Records are the lists and scripts in Libdir/rustlib that were written or removed.
	Records Records  `json:"records"`
	Missing []string `json:"missing"` // recorded files of an earlier installation that were not there
	// Repaired is, for a repair, what was wrong.
	Repaired []Problem `json:"repaired"`
	Extra    []string  `json:"extra"` // for a repair: files in the components' directories that nothing installed owns
	// NotInstalled are components that were to be uninstalled and are not there.
	NotInstalled []string `json:"not_installed"`
	// NotRepaired are installed components that a repair had no source for.
	NotRepaired []string `json:"not_repaired"`
	// Unfinished says that a killed run had left something to complete, which comes first.
	Unfinished bool `json:"unfinished"`
}

// Records are paths of files in Libdir/rustlib, sorted.
type Records struct {
	Written []string `json:"written"`
	Removed []string `json:"removed"`
}

// MarshalJSON writes lists that are empty as such, and not as null.
func (i Installed) MarshalJSON() ([]byte, error) {
	for _, list := range []*[]string{&i.Components, &i.Files, &i.Created, &i.Replaced, &i.Removed, &i.Records.Written, &i.Records.Removed, &i.Extra, &i.Missing, &i.NotInstalled, &i.NotRepaired} {
		if *list == nil {
			*list = []string{}
		}
	}
	if i.Backups == nil {
		i.Backups = []Backup{}
	}
	if i.Repaired == nil {
		i.Repaired = []Problem{}
	}
	type plain Installed
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // as whoever prints it chooses
	err := enc.Encode(plain(i))
	return b.Bytes(), err
}

// Run installs components as the install.sh of their package would, without a
// shell: files go to the directories of opts, and the records
// rustlib/{components,manifest-*,rust-installer-version} below libdir. So either can
// uninstall or upgrade what the other installed. Beside the records it writes digests,
// see [manifests.Digests].
//
// What is in the way and no installed component owns is moved to X.old, as install.sh
// does. So is a file of an earlier installation that the user has changed. Files of the
// user's in a bulk directory DIR, which uninstall.sh would remove, are moved to DIR.old.
// Without digests, as after install.sh or rustup, the files of a bulk directory that are
// newer than the component's manifest are the user's; if all are, those that the new
// components do not have. A file that another installed component owns is an error.
//
// Run removes files of an earlier installation of the same components that are no
// longer needed, and leaves alone those that are as they should be. Nothing
// outside DestDir, the prefix and the directories of opts that are not below it is
// written, even if symbolic links in them lead out.
//
// With Repair it only restores components that are installed, by whatever names, and of
// those only what is not as it should be. It leaves alone what else is in their
// directories. A changed file, or what is in the place of a file or directory, is moved
// to X.old. Records keep their form; a toolchain that rustup installed stays one. If the
// digests, or else the lists of files, show that components are of another build than
// what is installed, that is an error.
//
// All files are complete, under temporary names, before the first one gets its final
// name, so the disk must hold an old installation and the new one. A call that is
// cancelled or fails leaves everything as it was. If it is killed, the next call of Run
// or [Uninstall] for the same directories completes what has begun, or removes it. Two
// calls for one prefix wait for each other.
func Run(ctx context.Context, opts Options, components []dist.Component) (Installed, error) {
	done, err := run(ctx, opts, components)
	if err != nil {
		return done, fmt.Errorf("installing to %q: %w", opts.place(), err)
	}
	return done, nil
}

func run(ctx context.Context, opts Options, components []dist.Component) (Installed, error) {
	if err := check(opts, components); err != nil {
		return Installed{}, err
	}
	t, err := begin(ctx, opts, func(installed []string) []string {
		if opts.Repair {
			components = renamed(components, installed)
		}
		names := make([]string, len(components))
		for i, c := range components {
			names[i] = c.Name
		}
		return names
	})
	if err != nil {
		return Installed{}, err
	}
	if len(components) == 0 {
		return Installed{}, errors.Join(errNoneInstalled, t.rollback())
	}
	parts := make([]part, len(components))
	for i, c := range components {
		parts[i] = part{c.Name, t.layout.records(c.Manifest())}
		t.total += c.Image.Size()
	}
	if err := t.addAll(ctx, components); err != nil {
		return Installed{}, errors.Join(err, t.rollback())
	}
	return t.commit(ctx, parts...)
}

var errNoneInstalled = errors.New("none of the components is installed here: install them without repairing")

// renamed returns those of components that are installed, by the names of the
// installation, which are rustup's or those of archives.
func renamed(components []dist.Component, installed []string) []dist.Component {
	var out []dist.Component
	for _, c := range components {
		if name, ok := installedName(installed, c.Name, ""); ok {
			c.Name = name
			out = append(out, c)
		}
	}
	return out
}

// check returns all reasons why components cannot be installed.
func check(opts Options, components []dist.Component) error {
	var errs []error
	if len(components) == 0 {
		errs = append(errs, errors.New("no components given"))
	}
	selected := map[string]bool{}
	var rules []dist.Rule
	if !opts.Links {
		rules = dist.NoSymlinks()
	}
	for _, c := range components {
		if selected[c.Name] {
			errs = append(errs, fmt.Errorf("component %q is given twice", c.Name))
		}
		selected[c.Name] = true
		for _, err := range append([]error{c.Validate()}, dist.Check(c.Image, rules)...) {
			if err != nil {
				errs = append(errs, fmt.Errorf("component %q: %w", c.Name, err))
			}
		}
	}
	errs = append(errs, dist.CheckOwners(components)...)
	return errors.Join(errs...)
}

// addAll adds the files of components, those of several directories at a time.
func (t *transaction) addAll(ctx context.Context, components []dist.Component) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(min(2*runtime.GOMAXPROCS(0), 16))
	for _, c := range components {
		entries := slices.Collect(c.Image.Entries())
		for len(entries) > 0 && context.Cause(gctx) == nil {
			n := sameDir(entries)
			batch := entries[:n]
			entries = entries[n:]
			g.Go(func() error {
				for _, e := range batch {
					if err := t.addEntry(gctx, c, e); err != nil {
						return fmt.Errorf("component %q: %w", c.Name, err)
					}
				}
				return nil
			})
		}
	}
	return errors.Join(g.Wait(), context.Cause(ctx))
}

// sameDir returns the number of entries at the beginning that are in one directory, but
// not too many for one goroutine.
func sameDir(entries []dist.Entry) int {
	const most = 64
	dir := path.Dir(entries[0].Name)
	n := 1
	for n < min(len(entries), most) && path.Dir(entries[n].Name) == dir {
		n++
	}
	return n
}

func (t *transaction) addEntry(ctx context.Context, c dist.Component, e dist.Entry) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	f := file{component: c.Name, to: t.layout.destination(e.Name), mode: e.Mode, size: e.Size, link: e.Link}
	switch {
	case e.IsDir():
		// install.sh goes by the manifest, which only lists bulk directories.
		if c.InBulkDir(e.Name) || slices.Contains(c.BulkDirs, e.Name) {
			return t.addDir(f.to)
		}
		return nil
	case e.Mode&fs.ModeSymlink != 0:
		return t.add(ctx, f, nil)
	}
	f.mode = installedMode(e.Name, e.Mode)
	r, err := e.Open()
	if err != nil {
		return err
	}
	return errors.Join(t.add(ctx, f, io.Reader(r)), r.Close())
}

// installedMode returns the mode of a file of an image once it is installed: all in bin
// is executable, as install.sh has it.
func installedMode(name string, mode fs.FileMode) fs.FileMode {
	if strings.HasPrefix(name, "bin/") {
		return dist.ModeExec
	}
	return mode
}
