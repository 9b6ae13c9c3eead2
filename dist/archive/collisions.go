package archive

import (
	"fmt"
	"slices"

	"x.go/dist"
	"x.go/manifests"
)

// Claimant is an archive whose files lie beside those of others in a toolchain.
type Claimant struct {
	*Layout
	Name manifests.ArchiveName
	// AnyHost says that toolchains of all hosts may have it, whatever its target.
	AnyHost bool
}

// forAnyHost reports whether every toolchain may have the archive.
func (c *Claimant) forAnyHost() bool {
	return c.AnyHost || c.Name.Target.IsZero() || c.Name.Component.Scope == manifests.ScopeTarget
}

// together reports whether one toolchain can have both archives: those of one host,
// those that are the same for all, and libraries of every target.
func (c *Claimant) together(o *Claimant) bool {
	if c.Name.Component.Archive == o.Name.Component.Archive && c.Name.Version != o.Name.Version {
		return false
	}
	return c.Name.Target == o.Name.Target || c.forAnyHost() || o.forAnyHost()
}

// Collisions finds what rustup refuses as a "detected conflict": paths that two
// archives install into one toolchain. Each is a sentence.
//
// A path inside a directory of another component is none by itself: upstream's
// rust-docs and rustc-docs are so, and rustup installs both. It is one if the outer has
// something at that path, too. But a removal of the outer takes the directory as a whole,
// with the inner's files, and the removal of the inner then fails. nested has a sentence
// for each such pair.
func Collisions(all []Claimant) (collisions, nested []string) {
	o := owners{at: map[string][]claim{}, told: map[string]bool{}}
	for i := range all {
		for _, name := range all[i].Components {
			for _, d := range all[i].Lists[name] {
				o.at[d.Path] = append(o.at[d.Path], claim{&all[i], name, d.Kind})
			}
		}
	}
	for i := range all {
		o.compare(&all[i])
	}
	return o.found, o.nested
}

// OwnRecords returns the paths, sorted, that an archive installs where rustup and
// install.sh keep their own records: rustup refuses them as a "detected conflict", too.
func OwnRecords(l *Layout) []string {
	var found []string
	for _, name := range l.Components {
		for _, d := range l.Lists[name] {
			own := manifests.IsInstallerFile(d.Path) || d.Path == "lib" || d.Path == "lib/rustlib"
			for above := range dist.Parents(d.Path) {
				own = own || manifests.IsInstallerFile(above)
			}
			if own {
				found = append(found, d.Path)
			}
		}
	}
	slices.Sort(found)
	return found
}

// owners says which archives install a path.
type owners struct {
	at            map[string][]claim
	found, nested []string
	told          map[string]bool // of nested, by its pair
}

// claim is a line of a component's list.
type claim struct {
	by        *Claimant
	component string // its directory in the archive
	kind      manifests.DirectiveKind
}

func (o *owners) add(format string, args ...any) {
	o.found = append(o.found, fmt.Sprintf(format, args...))
}

// compare compares the lines of c with those of archives that come before it, and
// with the directories of all others.
func (o *owners) compare(c *Claimant) {
	for _, name := range c.Components {
		for _, d := range c.Lists[name] {
			for _, other := range o.at[d.Path] {
				if other.by == c {
					break
				}
				if c.together(other.by) {
					o.add("%q belongs to %s and to %s", d.Path, other.by.Name.Stem(), c.Name.Stem())
				}
			}
			for dir := range dist.Parents(d.Path) {
				o.inside(c, d, dir)
			}
		}
	}
}

// inside compares a line with those of others for a directory above it.
func (o *owners) inside(c *Claimant, d manifests.Directive, dir string) {
	for _, other := range o.at[dir] {
		if other.by == c || !c.together(other.by) {
			continue
		}
		in := other.component + "/" + d.Path
		_, isFile := other.by.Files[in]
		switch {
		case other.kind == manifests.FileDirective:
			o.add("%q of %s lies below %q, which is a file of %s", d.Path, c.Name.Stem(), dir, other.by.Name.Stem())
		case isFile || other.by.Dirs[in]:
			o.add("%q belongs to %s and, in its directory %q, to %s", d.Path, c.Name.Stem(), dir, other.by.Name.Stem())
		default:
			o.nest(c, d, other, dir)
		}
	}
}

// nest notes that a line lies in a directory of another archive, once for each pair.
func (o *owners) nest(c *Claimant, d manifests.Directive, other claim, dir string) {
	inner, outer := c.Name.Stem(), other.by.Name.Stem()
	if pair := inner + " " + outer + " " + dir; !o.told[pair] {
		o.told[pair] = true
		o.nested = append(o.nested, fmt.Sprintf("%q of %s lies in %q, which %s lists as a whole: removing %s deletes it, and removing %s then fails",
			d.Path, inner, dir, outer, outer, inner))
	}
}
