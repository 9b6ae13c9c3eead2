package verify

import (
	"slices"

	"x.go/dist"
	"x.go/manifests"
)

// checkOwners finds what rustup refuses as a "detected conflict": paths that two
// archives of one release install into one toolchain, and its own records.
//
// A directory inside a directory of another component is none by itself: today's
// rust-docs and rustc-docs are so. It is one if the outer has something at that
// path, too.
func checkOwners(packs []pack) []*subject {
	var out []*subject
	for _, group := range byRelease(packs) {
		s := newSubject(group[0].release(), setOwner)
		o := owners{s: s, at: map[string][]claim{}}
		for i := range group {
			o.claim(&group[i])
		}
		for i := range group {
			o.compare(&group[i])
		}
		out = append(out, s)
	}
	for i := range packs {
		out = append(out, ownRecords(&packs[i])...)
	}
	return out
}

// owners says which archives install a path.
type owners struct {
	s  *subject
	at map[string][]claim
}

// claim is a line of a component's list.
type claim struct {
	by        *pack
	component string // its directory in the archive
	kind      manifests.DirectiveKind
}

// claim notes all lines of p.
func (o *owners) claim(p *pack) {
	for _, c := range p.Components {
		for _, d := range p.Lists[c] {
			o.at[d.Path] = append(o.at[d.Path], claim{p, c, d.Kind})
		}
	}
}

// compare compares the lines of p with those of archives that come before it, and
// with the directories of all others.
func (o *owners) compare(p *pack) {
	for _, c := range p.Components {
		for _, d := range p.Lists[c] {
			for _, other := range o.at[d.Path] {
				if other.by == p {
					break
				}
				if together(p, other.by) {
					o.s.failf(setOwner, "%q belongs to %s and to %s", d.Path, other.by.stem, p.stem)
				}
			}
			for dir := range dist.Parents(d.Path) {
				o.inside(p, d, dir)
			}
		}
	}
}

// inside compares a line with those of others for a directory above it.
func (o *owners) inside(p *pack, d manifests.Directive, dir string) {
	for _, other := range o.at[dir] {
		if other.by == p || !together(p, other.by) {
			continue
		}
		in := other.component + "/" + d.Path
		_, isFile := other.by.Files[in]
		switch {
		case other.kind == manifests.FileDirective:
			o.s.failf(setOwner, "%q of %s lies below %q, which is a file of %s", d.Path, p.stem, dir, other.by.stem)
		case isFile || other.by.Dirs[in]:
			o.s.failf(setOwner, "%q belongs to %s and, in its directory %q, to %s", d.Path, p.stem, dir, other.by.stem)
		}
	}
}

// together reports whether one toolchain can have both archives: those of one host,
// those that are the same for all, and libraries of every target.
func together(a, b *pack) bool {
	if a.name.Component.Archive == b.name.Component.Archive && a.name.Version != b.name.Version {
		return false
	}
	return a.name.Target == b.name.Target || forAnyHost(a) || forAnyHost(b)
}

func forAnyHost(p *pack) bool {
	return p.name.Target.IsZero() || p.name.Component.Scope == manifests.ScopeTarget
}

// ownRecords finds files that rustup and install.sh write themselves.
func ownRecords(p *pack) []*subject {
	var found []string
	for _, c := range p.Components {
		for _, d := range p.Lists[c] {
			if manifests.IsInstallerFile(d.Path) || slices.Contains([]string{"lib", "lib/rustlib"}, d.Path) {
				found = append(found, d.Path)
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	s := newSubject(p.stem, setOwner)
	slices.Sort(found)
	for _, path := range found {
		s.failf(setOwner, "%q is where rustup and install.sh keep their own records", path)
	}
	return []*subject{s}
}
