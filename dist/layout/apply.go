package layout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/targets"
)

// Staged is a toolchain as a distribution has it.
type Staged struct {
	// Packages are those with files, in the order of the layout. Names in their images
	// are below the root of the file system: "usr/bin/rustc". Symbolic links are
	// relative and stay below the root.
	Packages []dist.Component
	// Lists are the files for the distribution's tools, one for each package.
	Lists []List
	// Empty are the packages without a file, and Unmatched the rows whose glob matches
	// nothing: "drop: \"lib/*.old\"".
	Empty, Unmatched []string
	// Differ are pairs of libraries of one name that are not equal, so that none
	// became a link.
	Differ []string
}

// List is one file for the tools of the distribution.
type List struct {
	Name string // such as "rustc.install"
	Data []byte
}

// staged is a file at its place.
type staged struct {
	entry     dist.Entry // with the name that it has in the archives
	component string     // "" for a link of the layout
}

// arrangement is a toolchain while a layout is applied to it.
type arrangement struct {
	plan
	files map[string]staged // by place
	errs  []error
	out   Staged
}

// Apply arranges the files of components. Two files at one place, a file that no
// package takes and a path that leaves the root are errors, all of them reported. It
// reads files only to compare those of a duplicate row. Empty directories are left out.
func (l Layout) Apply(ctx context.Context, f Facts, components []dist.Component) (Staged, error) {
	p, err := l.bind(f, otherTargets(f.Host, components))
	if err != nil {
		return Staged{}, fmt.Errorf("applying layout %q: %w", l.Name, err)
	}
	a := &arrangement{plan: p, files: map[string]staged{}}
	for _, c := range components {
		for e := range c.Image.Entries() {
			if !e.IsDir() {
				a.add(c.Name, e)
			}
		}
	}
	a.addLinks(components)
	owners := a.split()
	err = errors.Join(a.errs...)
	if err == nil {
		err = a.linkDuplicates(ctx)
	}
	if err == nil {
		err = a.write(l, owners, a.bulkDirs(components))
	}
	if err != nil {
		return Staged{}, fmt.Errorf("applying layout %q: %w", l.Name, err)
	}
	a.out.Unmatched = p.unmatched()
	return a.out, nil
}

// otherTargets returns the targets beside the host that have a standard library.
func otherTargets(host targets.Triple, components []dist.Component) []string {
	seen := map[string]bool{}
	for _, c := range components {
		for e := range c.Image.Entries() {
			rest, ok := strings.CutPrefix(e.Name, "lib/rustlib/")
			name, below, _ := strings.Cut(rest, "/")
			if !ok || !strings.HasPrefix(below, "lib/") || name == host.String() {
				continue
			}
			if _, err := targets.ParseTriple(name); err == nil {
				seen[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// add puts a file of the archives at its place.
func (a *arrangement) add(component string, e dist.Entry) {
	for _, d := range a.drops {
		if d.match(e.Name) {
			return
		}
	}
	if !e.IsRegular() {
		a.fail("%q of component %q is a symbolic link, and a layout moves what it leads to: add the file itself", e.Name, component)
		return
	}
	place := a.placeOf(e.Name)
	if err := checkPlace(place); err != nil {
		a.fail("%q of component %q would go to %q: %w", e.Name, component, place, err)
		return
	}
	if other, taken := a.files[place]; taken {
		a.fail("two files at one place: %q of component %q and %q of component %q both go to %q; drop or move one", other.entry.Name, other.component, e.Name, component, place)
		return
	}
	if a.executable.match(place) {
		e.Mode = dist.ModeExec
	}
	a.files[place] = staged{e, component}
}

func (a *arrangement) fail(format string, args ...any) {
	a.errs = append(a.errs, fmt.Errorf(format, args...))
}

// placeOf returns where a file of the archives goes.
func (p plan) placeOf(name string) string {
	for _, m := range p.moves {
		if !m.from.match(name) {
			continue
		}
		to := strings.NewReplacer("{file}", path.Base(name), "{parent}", path.Base(path.Dir(name))).Replace(m.to)
		if !strings.HasSuffix(m.to, "/") {
			return to
		}
		if m.base != "." {
			name = strings.TrimPrefix(name, m.base+"/")
		}
		return to + name
	}
	return strings.TrimSuffix(p.prefix, "/") + "/" + name
}

// addLinks puts the links of the layout, over files of the archives that are there.
func (a *arrangement) addLinks(components []dist.Component) {
	seen := map[string]string{}
	for _, row := range a.links {
		if row.with != nil && !anyMatch(components, row.with) {
			continue
		}
		if to, twice := seen[row.path]; twice {
			a.fail("two links at one place: %q leads to %q and to %q", row.path, to, row.to)
			continue
		}
		seen[row.path] = row.to
		if row.path == row.to {
			a.fail("link %q leads to itself", row.path)
			continue
		}
		a.files[row.path] = staged{entry: linkTo(row.path, row.to)}
	}
}

func anyMatch(components []dist.Component, g *glob) bool {
	found := false
	for _, c := range components {
		for e := range c.Image.Entries() {
			found = found || !e.IsDir() && g.match(e.Name)
		}
	}
	return found
}

// linkTo returns a relative link from one place to another.
func linkTo(from, to string) dist.Entry {
	rel, err := filepath.Rel(filepath.FromSlash(path.Dir(from)), filepath.FromSlash(to))
	if err != nil {
		panic(err) // both are absolute and clean
	}
	return dist.Entry{Name: strings.TrimPrefix(from, "/"), Mode: dist.ModeSymlink, Link: filepath.ToSlash(rel)}
}

// linkDuplicates makes links of the files that are equal to others.
func (a *arrangement) linkDuplicates(ctx context.Context) error {
	places := slices.Sorted(maps.Keys(a.files))
	for _, row := range a.duplicates {
		kept := map[string]string{} // place by the last element
		for _, place := range places {
			if a.files[place].entry.IsRegular() && row.keep.match(place) {
				kept[path.Base(place)] = place
			}
		}
		for _, place := range places {
			keep, ok := kept[path.Base(place)]
			if !ok || keep == place || !a.files[place].entry.IsRegular() || !row.link.match(place) {
				continue
			}
			equal, err := sameContent(ctx, a.files[keep].entry, a.files[place].entry)
			if err != nil {
				return fmt.Errorf("comparing %q with %q: %w", place, keep, err)
			}
			if equal {
				a.files[place] = staged{linkTo(place, keep), a.files[place].component}
			} else {
				a.out.Differ = append(a.out.Differ, fmt.Sprintf("%q and %q", keep, place))
			}
		}
	}
	return nil
}

// sameContent reports whether two files have the same bytes.
func sameContent(ctx context.Context, x, y dist.Entry) (bool, error) {
	if x.Size != y.Size {
		return false, nil
	}
	rx, err := x.Open()
	if err != nil {
		return false, err
	}
	defer rx.Close()
	ry, err := y.Open()
	if err != nil {
		return false, err
	}
	defer ry.Close()
	var bx, by [64 << 10]byte
	for left := x.Size; left > 0; {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n := min(left, int64(len(bx)))
		if _, err := io.ReadFull(rx, bx[:n]); err != nil {
			return false, err
		}
		if _, err := io.ReadFull(ry, by[:n]); err != nil {
			return false, err
		}
		if !bytes.Equal(bx[:n], by[:n]) {
			return false, nil
		}
		left -= n
	}
	return true, nil
}

// split returns the index of the package that takes each place.
func (a *arrangement) split() map[string]int {
	owners := map[string]int{}
	var orphans []string
	for _, place := range slices.Sorted(maps.Keys(a.files)) {
		for dir := range dist.Parents(place[1:]) {
			if _, isFile := a.files["/"+dir]; isFile {
				a.fail("%q is a file, and %q needs a directory there", "/"+dir, place)
			}
		}
		i := slices.IndexFunc(a.packages, func(p planPackage) bool { return p.files.match(place) })
		if i < 0 {
			orphans = append(orphans, place)
		}
		owners[place] = i
	}
	const show = 10
	for i, place := range orphans {
		if i == show {
			a.fail("and %d more files that no package takes", len(orphans)-show)
			break
		}
		a.fail("no package takes %q: name it in a row [[package]], or drop it", place)
	}
	return owners
}

// write makes the packages and their lists.
func (a *arrangement) write(l Layout, owners map[string]int, bulk []string) error {
	images := make([]dist.Image, len(a.packages))
	places := make([][]string, len(a.packages))
	for _, place := range slices.Sorted(maps.Keys(a.files)) {
		i, e := owners[place], a.files[place].entry
		e.Name = place[1:]
		if err := images[i].Add(e); err != nil {
			return err
		}
		places[i] = append(places[i], place)
	}
	for i, p := range a.packages {
		if images[i].Len() == 0 {
			a.out.Empty = append(a.out.Empty, p.name)
			continue
		}
		a.out.Packages = append(a.out.Packages, dist.Component{Name: p.name, Image: images[i]})
		var dirs []string
		if l.format == debhelper || l.format == rpm { // whose lines may be directories
			dirs = whole(bulk, owners, i)
		}
		lines := a.lines(p, places[i], dirs)
		list, err := l.format.list(l, a.plan, p.name, lines)
		if err != nil {
			return fmt.Errorf("writing the list of package %q: %w", p.name, err)
		}
		a.out.Lists = append(a.out.Lists, list)
	}
	return nil
}

// bulkDirs returns the places of the components' bulk directories that are still one
// directory.
func (a *arrangement) bulkDirs(components []dist.Component) []string {
	var out []string
	for _, c := range components {
		for _, dir := range c.BulkDirs {
			at := ""
			for e := range c.Image.Entries() {
				rel, in := strings.CutPrefix(e.Name, dir+"/")
				if !in || e.IsDir() {
					continue
				}
				base, ok := strings.CutSuffix(a.placeOf(e.Name), "/"+rel)
				if !ok || at != "" && at != base {
					at = ""
					break
				}
				at = base
			}
			if at != "" {
				out = append(out, at)
			}
		}
	}
	return out
}

// whole returns those of the directories of which a package has every file.
func whole(dirs []string, owners map[string]int, pkg int) []string {
	return slices.DeleteFunc(slices.Clone(dirs), func(dir string) bool {
		for place, owner := range owners {
			if owner != pkg && strings.HasPrefix(place, dir+"/") {
				return true
			}
		}
		return false
	})
}
