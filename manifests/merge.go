package manifests

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"x.go/bootstrap/toml"
)

// MergeOptions say what [Channel.Merge] tolerates. The zero value tolerates
// nothing.
type MergeOptions struct {
	// AnyRelease merges channels of different releases or days, such as a
	// vendor's target into Rust's channel. The date, and the version of a package
	// that both have, are those of the receiver.
	AnyRelease bool
}

// Merge returns a channel with all that c and other have, such as two from two
// build machines. The channels must be of the same day, and of the same release by
// the version and the commit of the package "rust" where both have it. If they are
// not, the error says only that.
//
// What both have must be equal. An archive in one format and the same archive in
// another complete each other, and "not available" yields to an archive. The error
// joins all differences, with the values of both sides. Merge replaces nothing: to
// replace a package, first drop it from c with [Channel.Subset].
//
// Each host also lists the packages and targets that only the other channel has,
// in the order of `src/tools/build-manifest`. What the channel of a host has and
// does not list stays unlisted. Unlike [ChannelPlan.Channel], Merge gives no host
// the documentation of a similar one. Lists keep their order.
//
// Neither c nor other changes, and the result shares no memory with them.
func (c *Channel) Merge(other *Channel, o MergeOptions) (*Channel, error) {
	m := merger{options: o, a: c, b: other, out: c.clone()}
	if m.release(); len(m.problems) == 0 {
		m.rest()
	}
	if err := m.problems.join(); err != nil {
		return nil, fmt.Errorf("merging channels of %s and %s: %w", c.Date, other.Date, err)
	}
	return m.out, nil
}

// merger holds the state of one [Channel.Merge]: out starts as a copy of a.
type merger struct {
	options  MergeOptions
	a, b     *Channel
	out      *Channel
	problems problems
}

// release demands the same day, release and commit. Where they differ, nearly
// everything else would, too.
func (m *merger) release() {
	m.out.Date = m.fact("date", m.a.Date, m.b.Date)
	m.facts(rustPackage)
}

// rest merges all else.
func (m *merger) rest() {
	for _, name := range slices.Sorted(maps.Keys(m.b.Packages)) {
		m.pkg(name)
	}
	m.artifacts()
	for _, from := range slices.Sorted(maps.Keys(m.b.Renames)) {
		to, ok := m.a.Renames[from]
		if ok {
			m.same(toml.Path("renames", from, "to"), to, m.b.Renames[from])
		} else {
			set(&m.out.Renames, from, m.b.Renames[from])
		}
	}
	for name, list := range m.b.Profiles {
		set(&m.out.Profiles, name, mergeLists(m.a.Profiles[name], list, byProfile))
	}
	m.crossList()
}

// same collects a difference.
func (m *merger) same(path, a, b string) {
	if a != b {
		m.problems.add("%s: got %s in one channel and %s in the other, want them equal", path, quote(a), quote(b))
	}
}

// fact merges a value of a release or a package: "" yields, and with AnyRelease
// the first wins.
func (m *merger) fact(path, a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	if !m.options.AnyRelease {
		m.same(path, a, b)
	}
	return a
}

// facts merges what a package says of itself.
func (m *merger) facts(name string) Package {
	a, b := m.out.Packages[name], m.b.Packages[name]
	a.Version = m.fact(toml.Path("pkg", name, "version"), a.Version, b.Version)
	a.CommitHash = m.fact(toml.Path("pkg", name, "git_commit_hash"), a.CommitHash, b.CommitHash)
	return a
}

func (m *merger) pkg(name string) {
	p := m.facts(name)
	for _, target := range slices.Sorted(maps.Keys(m.b.Packages[name].Targets)) {
		t := m.b.Packages[name].Targets[target]
		set(&p.Targets, target, m.target(toml.Path("pkg", name, "target", target), p.Targets[target], t))
	}
	if _, any := p.Targets[AnyTarget]; any && len(p.Targets) > 1 {
		m.problems.add("%s: got %q in one channel and triples in the other, want the one or the others", toml.Path("pkg", name), AnyTarget)
	}
	set(&m.out.Packages, name, p)
}

// target merges a package for one target. The zero value, not available, yields.
func (m *merger) target(at string, a, b PackageTarget) PackageTarget {
	for f, d := range b.Downloads() {
		switch old := a.Download(f); {
		case old.IsZero():
			a.setDownload(f, d)
		case old != d:
			keys := downloadKeys[f]
			m.same(at+"."+keys[0], old.URL, d.URL)
			m.same(at+"."+keys[1], old.Hash.String(), d.Hash.String())
		}
	}
	a.Available = a.Available || b.Available
	a.Components = mergeLists(a.Components, b.Components, byComponent)
	a.Extensions = mergeLists(a.Extensions, b.Extensions, byComponent)
	for _, ref := range a.Extensions {
		if slices.Contains(a.Components, ref) {
			m.problems.add("%s: got %s as component in one channel and as extension in the other, want the same", at, ref)
		}
	}
	return a
}

func (m *merger) artifacts() {
	for kind, byTarget := range m.b.Artifacts {
		for target, files := range byTarget {
			at := toml.Path("artifacts", kind, "target", target)
			old := m.a.Artifacts[kind][target]
			for _, d := range files {
				if i := slices.IndexFunc(old, func(o Download) bool { return o.URL == d.URL }); i >= 0 {
					m.same(toml.Element(at, i)+".hash-sha256", old[i].Hash.String(), d.Hash.String())
				}
			}
			all := m.out.Artifacts[kind]
			set(&all, target, mergeLists(old, files, byFormat))
			set(&m.out.Artifacts, kind, all)
		}
	}
}

// crossList lets hosts list what their own channel could not know of, because
// the package or its target is only in the other.
func (m *merger) crossList() {
	specs, hosts := m.out.specs(), m.out.Hosts()
	for host, t := range m.out.Packages[rustPackage].Targets {
		if len(t.Components) == 0 {
			continue
		}
		var all PackageTarget
		for i := range specs {
			m.out.list(&all, &specs[i], host, hosts)
		}
		unknown := func(ref ComponentRef) bool { return !m.a.lists(host, ref) && !m.b.lists(host, ref) }
		for _, l := range []struct{ to, from *[]ComponentRef }{{&t.Components, &all.Components}, {&t.Extensions, &all.Extensions}} {
			added := slices.DeleteFunc(*l.from, func(ref ComponentRef) bool {
				return !unknown(ref) || slices.Contains(t.Components, ref) || slices.Contains(t.Extensions, ref)
			})
			*l.to = mergeLists(*l.to, added, byComponent)
		}
		m.out.Packages[rustPackage].Targets[host] = t
	}
}

// specs returns Rust's components, then the others of the channel, as far as the lists
// of its hosts tell what those are.
func (c *Channel) specs() []ComponentSpec {
	specs := slices.Clone(componentTable[:])
	for _, name := range slices.Sorted(maps.Keys(c.Packages)) {
		if _, known := lookupPackage(name); known {
			continue
		}
		spec := ComponentSpec{Archive: name, Package: name, listing: optional, own: true}
		if _, any := c.Packages[name].Targets[AnyTarget]; any {
			spec.Scope = ScopeNone
		}
		for host, t := range c.Packages[rustPackage].Targets {
			if slices.ContainsFunc(t.Components, func(ref ComponentRef) bool { return ref.Package == name }) {
				spec.listing = required
			}
			for _, ref := range t.Extensions {
				_, isHost := c.Packages[rustPackage].Targets[ref.Target]
				spec.everyTarget = spec.everyTarget || ref.Package == name && ref.Target != host && isHost
			}
		}
		specs = append(specs, spec)
	}
	return specs
}

// lists reports whether the channel could list ref for host, listed or not.
func (c *Channel) lists(host string, ref ComponentRef) bool {
	_, ok := c.Packages[ref.Package].Targets[ref.Target]
	return ok && len(c.Packages[rustPackage].Targets[host].Components) > 0
}

// set stores a value in a map that may be nil.
func set[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
}

// mergeLists returns what is in a or b, each once, so that both keep their
// order. What both orders leave open, rank decides, and then a comes first.
func mergeLists[T comparable](a, b []T, rank func(x, y T) int) []T {
	var out []T
	a, b = slices.Clone(a), slices.Clone(b)
	for len(a) > 0 && len(b) > 0 {
		var next T
		switch {
		case a[0] == b[0]:
			next = a[0]
		case slices.Contains(b, a[0]) && !slices.Contains(a, b[0]):
			next = b[0]
		case slices.Contains(a, b[0]) || rank(a[0], b[0]) <= 0:
			next = a[0]
		default:
			next = b[0]
		}
		out = append(out, next)
		same := func(x T) bool { return x == next }
		a, b = slices.DeleteFunc(a, same), slices.DeleteFunc(b, same)
	}
	return slices.Clip(append(append(out, a...), b...))
}

// byComponent is the order in which a host lists components: that of the table,
// then of the targets.
func byComponent(x, y ComponentRef) int {
	return cmp.Or(cmp.Compare(componentRank(x.Package), componentRank(y.Package)), strings.Compare(x.Package, y.Package), strings.Compare(x.Target, y.Target))
}

// componentRank is the place of a package in the table, behind it if unknown.
func componentRank(pkg string) int {
	i := slices.IndexFunc(componentTable[:], func(c ComponentSpec) bool { return c.Package == pkg })
	if i < 0 {
		return len(componentTable)
	}
	return i
}

// byProfile is the order in which profiles list packages.
func byProfile(x, y string) int { return cmp.Compare(packageRank(x), packageRank(y)) }

// packageRank is the place of a package in the profiles, behind them if none has it.
func packageRank(pkg string) int {
	n := 0
	for _, row := range profileTable {
		for _, archive := range row.archives {
			if c, _ := LookupComponent(archive); c.Package == pkg {
				return n
			}
			n++
		}
	}
	return n
}

// byFormat is the order of source archives: that of the formats.
func byFormat(x, y Download) int {
	rank := func(d Download) int {
		return slices.IndexFunc(Formats(), func(f Format) bool { return strings.HasSuffix(d.URL, f.Ext()) })
	}
	return cmp.Compare(rank(x), rank(y))
}
