package toolchain

import (
	"fmt"
	"os"
	"slices"

	"x.go/bootstrap/config"
	"x.go/dist"
	"x.go/manifests"
)

// Apart arranges the file lists of the components that go out together so that none lists
// a directory as a whole that another has something in. wanted says of a component whether the configuration
// wants it and whether somebody asked for it. Each finding is a note on a pair.
//
// Upstream lists share/doc/rust/html for rust-docs, and the documentation of the compiler
// is inside. rustup and install.sh remove such a directory with all that is in it, so that
// the other component has lost its files, and its own removal fails. A component that goes
// out without the other has upstream's list, to be equal to upstream's.
func Apart(tc Toolchain, components []InputComponent, wanted func(InputComponent) (wanted, asked bool)) ([]InputComponent, []config.Finding) {
	components = slices.Clone(components)
	laid := make([]dist.Component, len(components))
	for i, c := range components {
		laid[i] = c.Component()
	}
	packed := func(c InputComponent) bool {
		wanted, asked := wanted(c)
		return c.Judge(tc, wanted, asked).Packed
	}
	var found []config.Finding
	for i := range components {
		outer := &components[i]
		for k, inner := range components {
			if k == i || len(outer.bulkDirs()) == 0 {
				continue
			}
			now, apart := outer.Component().Apart(laid[k])
			if !apart || !packed(*outer) || !packed(inner) {
				continue
			}
			outer.apart, outer.bulk = true, now.BulkDirs
			f := note(config.Note, tc.Sysroot, "%s", nestedText(laid[i].BulkDirs, now.BulkDirs, outer.Spec.Archive, inner.Spec.Archive))
			f.Remedy = "leave " + inner.Spec.Archive + " out to keep upstream's list"
			found = append(found, *f)
		}
	}
	return components, found
}

// nestedText says what is done about a component inside another's directory.
func nestedText(was, now []string, outer, inner string) string {
	gone := slices.DeleteFunc(slices.Clone(was), func(dir string) bool { return slices.Contains(now, dir) })
	return fmt.Sprintf("%s has files in %q, which upstream lists as a whole for %s, so that removing %s would delete those of %s: "+
		"the archive of %s lists what it has there one by one instead", inner, gone, outer, outer, inner, outer)
}

// shallow notes a component that lists directories as a whole, with the first level of
// them. What cannot be read is left out: it is only asked which components are there.
func (r *inputReader) shallow(c InputComponent) {
	dirs := c.Spec.BulkDirs
	if len(dirs) == 0 {
		return
	}
	if c.Manifest != nil {
		dirs = nil
	}
	for _, d := range c.Manifest {
		if d.Kind == manifests.DirDirective {
			dirs = append(dirs, d.Path)
		} else {
			_ = c.Image.AddFile(d.Path, r.path(d.Path))
		}
	}
	for _, dir := range dirs {
		entries, _ := os.ReadDir(r.path(dir))
		for _, e := range entries {
			if name := dir + "/" + e.Name(); e.IsDir() {
				_ = c.Image.AddDir(name)
			} else {
				_ = c.Image.AddFile(name, r.path(name))
			}
		}
	}
	if c.Image.Len() > 0 {
		r.in.Texts = append(r.in.Texts, c)
	}
}
