package manifests

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"x.go/bootstrap/toml"
	"x.go/targets"
)

// Selection says what [Channel.Subset] keeps. A nil list keeps all; an empty
// list that is not nil keeps nothing.
type Selection struct {
	// Packages are names of packages ("rustfmt-preview"), or what the channel
	// renames to one ("rustfmt"). The package "rust" is always kept.
	Packages []string
	// Hosts are the machines that can install the channel.
	Hosts []targets.Triple
	// Targets are what hosts can compile for. Each host is a target, too: no
	// program links without the host's own rust-std.
	Targets []targets.Triple
	// Artifacts are kinds of artifacts, such as "source-code".
	Artifacts []string
}

// Subset returns a channel with the part of c that s selects. It drops what refers
// to the rest: components and extensions of the package "rust", renames, and
// entries of profiles. rustup calls a manifest broken in which a component or a
// rename names no package (`Manifest::validate` in its src/dist/manifest.rs).
// Profiles keep their names, since rustup asks for them.
//
// [ComponentSpec.Scope] says whether Hosts or Targets select a component; both do
// if it is unknown. A component for "*" stays.
//
// If [Channel.Validate] finds nothing in c, it finds nothing in the result, as
// long as each host keeps a component. Without any, the result is a part for
// [Channel.Merge] and cannot be installed. The error joins everything in s that c
// does not have. c does not change and shares no memory with the result.
func (c *Channel) Subset(s Selection) (*Channel, error) {
	f, err := newSubset(c, s)
	if err != nil {
		return nil, fmt.Errorf("selecting from the channel of %s: %w", c.Date, err)
	}
	out := c.clone()
	for name, p := range out.Packages {
		maps.DeleteFunc(p.Targets, func(target string, _ PackageTarget) bool { return !f.keeps(name, target) })
	}
	maps.DeleteFunc(out.Packages, func(name string, p Package) bool {
		return !has(f.packages, name) || len(p.Targets) == 0 && len(c.Packages[name].Targets) > 0
	})
	for kind, files := range out.Artifacts {
		maps.DeleteFunc(files, func(target string, _ []Download) bool { return !f.keepsArtifact(kind, target) })
	}
	maps.DeleteFunc(out.Artifacts, func(_ string, files map[string][]Download) bool { return len(files) == 0 })
	out.prune()
	return out, nil
}

// prune drops all references to packages, and to targets of packages, that the
// channel does not have.
func (c *Channel) prune() {
	for _, p := range c.Packages {
		for target, t := range p.Targets {
			t.Components, t.Extensions = c.resolving(t.Components), c.resolving(t.Extensions)
			p.Targets[target] = t
		}
	}
	unknown := func(name string) bool {
		_, ok := c.Packages[name]
		return !ok
	}
	maps.DeleteFunc(c.Renames, func(_, to string) bool { return unknown(to) })
	for name, list := range c.Profiles {
		c.Profiles[name] = slices.DeleteFunc(list, unknown)
	}
}

// resolving returns the references that rustup can look up in c.
func (c *Channel) resolving(refs []ComponentRef) []ComponentRef {
	var out []ComponentRef
	for _, ref := range refs {
		if _, err := c.Lookup(ref); err == nil {
			out = append(out, ref)
		}
	}
	return out
}

// subset is a [Selection] in the words of a channel's keys. A nil set has
// everything.
type subset struct {
	packages, hosts, targets, kinds map[string]bool
}

// newSubset resolves s and collects what c does not have.
func newSubset(c *Channel, s Selection) (subset, error) {
	var p problems
	f := subset{
		packages: selectNames(s.Packages, c.packageName, func(name string) {
			p.add("got package %q, want one that the channel has", name)
		}),
		hosts: selectNames(s.Hosts, c.hostName, func(host targets.Triple) {
			p.add("got host %q, want one that the channel can be installed on", host)
		}),
		targets: selectNames(s.Targets, c.targetName, func(target targets.Triple) {
			p.add("got target %q, want one that a package of the channel has", target)
		}),
		kinds: selectNames(s.Artifacts, c.artifactKind, func(kind string) {
			p.add("got artifacts %q, want a kind that the channel has", kind)
		}),
	}
	if f.packages != nil {
		f.packages[rustPackage] = true
	}
	if f.targets != nil {
		for host := range c.Packages[rustPackage].Targets {
			if has(f.hosts, host) {
				f.targets[host] = true
			}
		}
	}
	return f, p.join()
}

// selectNames returns the keys for asked, nil for all, and calls missing for each
// name without a key.
func selectNames[T any](asked []T, key func(T) (string, bool), missing func(T)) map[string]bool {
	if asked == nil {
		return nil
	}
	set := map[string]bool{}
	for _, name := range asked {
		k, ok := key(name)
		if !ok {
			missing(name)
		}
		set[k] = true
	}
	return set
}

func (c *Channel) packageName(name string) (string, bool) {
	if to, ok := c.Renames[name]; ok {
		name = to
	}
	_, ok := c.Packages[name]
	return name, ok
}

func (c *Channel) hostName(host targets.Triple) (string, bool) {
	return host.String(), len(c.Packages[rustPackage].Targets[host.String()].Components) > 0
}

func (c *Channel) targetName(target targets.Triple) (string, bool) {
	for _, p := range c.Packages {
		if _, ok := p.Targets[target.String()]; ok {
			return target.String(), true
		}
	}
	return target.String(), false
}

func (c *Channel) artifactKind(kind string) (string, bool) {
	_, ok := c.Artifacts[kind]
	return kind, ok
}

func has(set map[string]bool, key string) bool { return set == nil || set[key] }

// keeps reports whether a package stays for a target.
func (f subset) keeps(name, target string) bool {
	if target == AnyTarget {
		return true
	}
	spec, known := lookupPackage(name)
	switch {
	case !known:
		return has(f.hosts, target) || has(f.targets, target)
	case spec.Scope == ScopeTarget:
		return has(f.targets, target)
	}
	return has(f.hosts, target)
}

// keepsArtifact reports whether an artifact stays; those with a target, such as
// installers, are for hosts.
func (f subset) keepsArtifact(kind, target string) bool {
	return has(f.kinds, kind) && (target == AnyTarget || has(f.hosts, target))
}

// Rebase returns the channel with all its files in another place. In every URL,
// those of artifacts too, it replaces the prefix from by to, such as
// "https://static.rust-lang.org/dist" by "https://mirror.example.org/rust/dist".
// Both are URLs of directories; a slash at the end does not matter.
//
// The error joins all URLs that are not below from. So rebase channels before
// [Channel.Merge] joins them. c does not change.
//
// A mirror that rustup knows as RUSTUP_DIST_SERVER can do without: rustup itself
// replaces https://static.rust-lang.org in URLs (src/dist/download.rs).
func (c *Channel) Rebase(from, to string) (*Channel, error) {
	from, to = strings.TrimSuffix(from, "/"), strings.TrimSuffix(to, "/")
	var p problems
	for _, base := range []string{from, to} {
		if want := urlProblem(base); want != "" {
			p.add("got URL base %q, want %s", base, want)
		}
	}
	for path, d := range c.Downloads() {
		if !strings.HasPrefix(d.URL, from+"/") {
			p.add("%s: got %q, want it below %q", path, d.URL, from)
		}
	}
	if err := p.join(); err != nil {
		return nil, fmt.Errorf("rebasing the channel of %s: %w", c.Date, err)
	}
	return c.WithURLs(func(url string) string { return to + strings.TrimPrefix(url, from) }), nil
}

// WithURLs returns the channel with each URL replaced, those of artifacts too. A hash
// without URL stays. c does not change.
func (c *Channel) WithURLs(replace func(url string) string) *Channel {
	out := c.clone()
	moved := func(d Download) Download {
		if d.URL != "" {
			d.URL = replace(d.URL)
		}
		return d
	}
	for _, pkg := range out.Packages {
		for target, t := range pkg.Targets {
			for f, d := range t.Downloads() {
				t.setDownload(f, moved(d))
			}
			pkg.Targets[target] = t
		}
	}
	for _, byTarget := range out.Artifacts {
		for _, files := range byTarget {
			for i, d := range files {
				files[i] = moved(d)
			}
		}
	}
	return out
}

// WithoutArchives returns the channel without the archives of some components: they are
// not available in it, and stay in its lists. A package without any archive loses its
// version. c does not change.
func (c *Channel) WithoutArchives(refs []ComponentRef) *Channel {
	out := c.clone()
	for _, ref := range refs {
		p, ok := out.Packages[ref.Package]
		t, has := p.Targets[ref.Target]
		if !ok || !has {
			continue
		}
		p.Targets[ref.Target] = PackageTarget{Components: t.Components, Extensions: t.Extensions}
		if ref.Package != rustPackage && !isAvailable(p) {
			p.Version, p.CommitHash = "", ""
		}
		out.Packages[ref.Package] = p
	}
	return out
}

// Downloads yields every file that the channel points to, with its key in the
// manifest, such as "pkg.cargo.target.x86_64-unknown-linux-gnu.xz_url": packages
// first, sorted, then artifacts. A file for several targets appears once for each
// of them.
func (c *Channel) Downloads() iter.Seq2[string, Download] {
	return func(yield func(string, Download) bool) {
		for _, name := range slices.Sorted(maps.Keys(c.Packages)) {
			for _, target := range slices.Sorted(maps.Keys(c.Packages[name].Targets)) {
				for f, d := range c.Packages[name].Targets[target].Downloads() {
					if d.URL != "" && !yield(toml.Path("pkg", name, "target", target, downloadKeys[f][0]), d) {
						return
					}
				}
			}
		}
		for _, kind := range slices.Sorted(maps.Keys(c.Artifacts)) {
			for _, target := range slices.Sorted(maps.Keys(c.Artifacts[kind])) {
				for i, d := range c.Artifacts[kind][target] {
					if d.URL != "" && !yield(toml.Element(toml.Path("artifacts", kind, "target", target), i)+".url", d) {
						return
					}
				}
			}
		}
	}
}

// clone returns a channel that shares no memory with c.
func (c *Channel) clone() *Channel {
	out := &Channel{
		Date: c.Date, Packages: make(map[string]Package, len(c.Packages)),
		Renames: maps.Clone(c.Renames), Profiles: maps.Clone(c.Profiles), Artifacts: maps.Clone(c.Artifacts),
	}
	for name, p := range c.Packages {
		p.Targets = maps.Clone(p.Targets)
		for target, t := range p.Targets {
			t.Components, t.Extensions = slices.Clone(t.Components), slices.Clone(t.Extensions)
			p.Targets[target] = t
		}
		out.Packages[name] = p
	}
	for name, list := range out.Profiles {
		out.Profiles[name] = slices.Clone(list)
	}
	for kind, files := range out.Artifacts {
		files = maps.Clone(files)
		for target, list := range files {
			files[target] = slices.Clone(list)
		}
		out.Artifacts[kind] = files
	}
	return out
}

// problems collects errors, so that a caller learns all at once.
type problems []error

func (p *problems) add(format string, args ...any) {
	if len(*p) < maxFindings {
		*p = append(*p, fmt.Errorf(format, args...))
	}
}

// join returns all problems as one error, nil if there are none.
func (p problems) join() error { return errors.Join(p...) }
