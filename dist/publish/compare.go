package publish

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"x.go/manifests"
)

// component is a package for a target.
type component struct{ pkg, target string }

// String returns "PACKAGE-TARGET", or the package alone if it is the same for all.
func (c component) String() string {
	if c.target == manifests.AnyTarget {
		return c.pkg
	}
	return c.pkg + "-" + c.target
}

// lost returns what users of the old channel may have and the new one does not offer.
// rustup keeps all of a toolchain at the old release if one component of it is gone.
func lost(old, new *manifests.Channel) []component {
	var out []component
	for host, t := range old.Packages["rust"].Targets {
		for _, ref := range slices.Concat(t.Components, t.Extensions) {
			had, err := old.Lookup(ref)
			if c := (component{ref.Package, ref.Target}); err == nil && had.Available && !offers(new, host, ref) && !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	slices.SortFunc(out, func(a, b component) int {
		return cmp.Or(strings.Compare(a.pkg, b.pkg), strings.Compare(a.target, b.target))
	})
	return out
}

// offers reports whether rustup finds a component for a host, under its name or under
// the one that it has now.
func offers(c *manifests.Channel, host string, ref manifests.ComponentRef) bool {
	listed := c.Packages["rust"].Targets[host]
	for _, name := range []string{ref.Package, c.Renames[ref.Package]} {
		now := manifests.ComponentRef{Package: name, Target: ref.Target}
		t, err := c.Lookup(now)
		if err != nil || !t.Available {
			continue
		}
		same := func(r manifests.ComponentRef) bool {
			return r.Package == name && (r.Target == ref.Target || r.Target == manifests.AnyTarget)
		}
		if slices.ContainsFunc(listed.Components, same) || slices.ContainsFunc(listed.Extensions, same) {
			return true
		}
	}
	return false
}

// allowed reports whether globs say that a component may go: by its package, as in the
// manifest or as users call it, by its target, or by both.
func (c component) allowed(globs []string) bool {
	return slices.ContainsFunc(globs, func(glob string) bool {
		for _, name := range []string{c.String(), c.pkg, strings.TrimSuffix(c.pkg, "-preview"), c.target} {
			if ok, err := path.Match(glob, name); ok && err == nil {
				return true
			}
		}
		return false
	})
}
