package mirror

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"x.go/manifests"
	"x.go/targets"
)

// Selection says what of each channel is mirrored. A nil list selects all; the zero value
// is a whole mirror.
type Selection struct {
	// Hosts are the machines that can install from the mirror, Targets what they can
	// compile for. Each host is a target, too.
	Hosts, Targets []targets.Triple
	// Components and Profiles are what can be installed. The profile minimal is always a
	// part of it. What is the same for all machines, such as rust-src, stays whatever the
	// hosts and targets are, if it is one of these components.
	Components, Profiles []string
	// Sources says whether the archives of source code belong to it. Without a value they
	// do unless there are Components or Profiles.
	Sources *bool
}

// The names of the package and of artifacts that [Selection] is about.
const (
	rustPackage    = "rust"
	sourceCode     = "source-code"
	profileMinimal = "minimal"
	profileDefault = "default"
)

// chosen says whether components are selected by name.
func (s Selection) chosen() bool { return len(s.Components) > 0 || len(s.Profiles) > 0 }

// part is what a selection leaves of a channel.
type part struct {
	channel *manifests.Channel
	// whole says that the selection leaves out nothing.
	whole bool
	notes []string
	found map[string]bool // hosts, targets, components that the channel has
}

// apply selects from a channel. What the channel lacks is a note: not every target is in
// every channel. To have none of the hosts is an error.
func (s Selection) apply(c *manifests.Channel) (part, error) {
	p := part{channel: c, found: map[string]bool{}}
	var sel manifests.Selection
	rust := c.Packages[rustPackage]
	if s.Hosts != nil {
		sel.Hosts = keep(&p, "host", s.Hosts, func(t targets.Triple) bool { return len(rust.Targets[t.String()].Components) > 0 })
		if len(sel.Hosts) == 0 {
			return p, fmt.Errorf("selecting hosts: the channel of %s has none of %s", c.Date, list(s.Hosts))
		}
	}
	if s.Targets != nil {
		sel.Targets = keep(&p, "target", s.Targets, func(t targets.Triple) bool { return hasTarget(c, t.String()) })
	}
	if s.chosen() {
		sel.Packages = s.packages(&p)
	}
	sel.Artifacts = s.artifacts(c)
	out, err := c.Subset(sel)
	if err != nil {
		return p, err
	}
	if s.chosen() && !slices.Contains(s.Components, rustPackage) {
		withoutCombined(out)
	}
	p.channel = out
	p.whole = bytes.Equal(out.Encode(manifests.DialectDist), c.Encode(manifests.DialectDist))
	return p, nil
}

// keep returns those of the wanted that the channel has, and notes the others. The list
// is not nil: to select nothing is not to select all.
func keep[T fmt.Stringer](p *part, what string, wanted []T, has func(T) bool) []T {
	out := []T{}
	for _, w := range wanted {
		if !has(w) {
			p.notes = append(p.notes, fmt.Sprintf("%s %s is not in the channel of %s", what, w, p.channel.Date))
			continue
		}
		p.found[what+" "+w.String()] = true
		out = append(out, w)
	}
	return out
}

func hasTarget(c *manifests.Channel, target string) bool {
	for _, pkg := range c.Packages {
		if _, ok := pkg.Targets[target]; ok {
			return true
		}
	}
	return false
}

// list writes triples for a message.
func list(all []targets.Triple) string {
	var names []string
	for _, t := range all {
		names = append(names, t.String())
	}
	return strings.Join(names, ", ")
}

// text is a name as [keep] takes it.
type text string

// String returns the name.
func (t text) String() string { return string(t) }

// packages returns the packages of the wanted components and profiles.
func (s Selection) packages(p *part) []string {
	c := p.channel
	out := profilePackages(c, profileMinimal)
	for _, name := range s.Profiles {
		out = append(out, profilePackages(c, name)...)
	}
	var wanted []text
	for _, name := range s.Components {
		wanted = append(wanted, text(name))
	}
	for _, name := range keep(p, "component", wanted, func(t text) bool { return packageOf(c, string(t)) != "" }) {
		out = append(out, packageOf(c, string(name)))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// packageOf returns the package that a user means by a name, "" if the channel has none.
func packageOf(c *manifests.Channel, name string) string {
	if to, ok := c.Renames[name]; ok {
		name = to
	}
	if _, ok := c.Packages[name]; ok {
		return name
	}
	want := manifests.ParseComponentID(name)
	for _, pkg := range slices.Sorted(maps.Keys(c.Packages)) {
		if manifests.ParseComponentID(pkg).Archive == want.Archive {
			return pkg
		}
	}
	return ""
}

// profilePackages returns the packages of a profile that the channel has. An old channel
// has no profiles: its hosts' components are what everybody installs.
func profilePackages(c *manifests.Channel, profile string) []string {
	names := c.Profiles[profile]
	if len(c.Profiles) == 0 {
		for _, t := range c.Packages[rustPackage].Targets {
			for _, ref := range t.Components {
				names = append(names, ref.Package)
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, ok := c.Packages[name]
		return !ok
	})
}

// artifacts returns the kinds of artifacts to keep; nil for all.
func (s Selection) artifacts(c *manifests.Channel) []string {
	sources := !s.chosen()
	if s.Sources != nil {
		sources = *s.Sources
	}
	if sources && !s.chosen() {
		return nil
	}
	kinds := []string{}
	for kind := range c.Artifacts {
		if kind == sourceCode && sources || kind != sourceCode && !s.chosen() {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// withoutCombined takes the combined archive out of a channel, as large as all others
// together, and never fetched by rustup.
func withoutCombined(c *manifests.Channel) {
	rust := c.Packages[rustPackage]
	for host, t := range rust.Targets {
		rust.Targets[host] = manifests.PackageTarget{Components: t.Components, Extensions: t.Extensions}
	}
}

// lacks returns what of the wanted components a channel does not have available, for
// each wanted host: rustup passes such a nightly over. Without a selection it is what
// the profile default has, on the hosts that have a compiler.
func (s Selection) lacks(c *manifests.Channel) []string {
	var missing []string
	for _, host := range s.hosts(c) {
		profiles := s.Profiles
		if len(profiles) == 0 && len(s.Components) == 0 {
			profiles = []string{profileDefault}
		}
		if len(profiles) == 0 || len(c.Profiles) == 0 {
			profiles = []string{""} // all that is no extension
			if len(c.Profiles) > 0 {
				profiles = []string{profileMinimal}
			}
		}
		for _, profile := range profiles {
			missing = append(missing, lacksProfile(c, host, profile, s)...)
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

// lacksProfile is [Selection.lacks] for one host and one profile.
func lacksProfile(c *manifests.Channel, host, profile string, s Selection) []string {
	w := manifests.Wanted{Host: host, Profile: profile, Components: s.Components}
	for _, t := range s.Targets {
		w.Targets = append(w.Targets, t.String())
	}
	refs, err := c.Choose(w)
	if err != nil {
		return []string{err.Error()}
	}
	var missing []string
	for _, ref := range refs {
		if t, err := c.Lookup(ref); err != nil || !t.Available {
			missing = append(missing, ref.String())
		}
	}
	return missing
}

// hosts returns the hosts that count in a channel: those that were asked for, or those
// with a compiler.
func (s Selection) hosts(c *manifests.Channel) []string {
	var out []string
	for _, h := range s.Hosts {
		out = append(out, h.String())
	}
	if len(out) == 0 {
		for _, host := range slices.Sorted(maps.Keys(c.Packages[rustPackage].Targets)) {
			if t, err := c.Lookup(manifests.ComponentRef{Package: "rustc", Target: host}); err == nil && t.Available {
				out = append(out, host)
			}
		}
	}
	return out
}
