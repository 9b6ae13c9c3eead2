package manifests

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"x.go/bootstrap/toml"
)

// listed checks that rustup can get at each package: it reads the lists of the
// host in the package "rust", and nothing else.
func (v *validator) listed() {
	rust := v.channel.Packages[rustPackage]
	hosts := map[string]map[ComponentRef]bool{}
	anyHost := map[ComponentRef]bool{}
	named := map[string]bool{} // packages, for whatever target
	for host, t := range rust.Targets {
		if len(t.Components) == 0 {
			continue
		}
		hosts[host] = map[ComponentRef]bool{}
		for _, ref := range slices.Concat(t.Components, t.Extensions) {
			hosts[host][ref], anyHost[ref], named[ref.Package] = true, true, true
		}
	}
	if len(hosts) == 0 {
		return // found already
	}
	for _, name := range slices.Sorted(maps.Keys(v.channel.Packages)) {
		p := v.channel.Packages[name]
		spec, known := lookupPackage(name)
		if name == rustPackage || known && spec.listing == unlisted || spec.NightlyOnly && !strings.Contains(rust.Version, channelNightly) {
			continue
		}
		for _, target := range slices.Sorted(maps.Keys(p.Targets)) {
			if !p.Targets[target].Available {
				continue
			}
			want, ok := "a host that lists it", named[name]
			if target != AnyTarget {
				want, ok = listedFor(ComponentRef{name, target}, spec, hosts, anyHost)
			}
			if !ok {
				v.add(FindingComponentUnlisted, toml.Path("pkg", name, "target", target), "in no list that rustup reads for it", want)
			}
		}
	}
}

// listedFor reports whether rustup can add a package for a target. want is what it
// would take.
func listedFor(ref ComponentRef, spec ComponentSpec, hosts map[string]map[ComponentRef]bool, anyHost map[ComponentRef]bool) (want string, ok bool) {
	if own, isHost := hosts[ref.Target]; isHost && !own[ref] {
		return "it among the components or extensions of " + toml.Path("pkg", rustPackage, "target", ref.Target), false
	}
	if spec.DocsFallback || spec.Scope == ScopeMinGW || spec.Scope == ScopeTarget && !spec.everyTarget {
		return "", true // there are some for targets that are no hosts, listed by nobody
	}
	return "a host that lists it", anyHost[ref]
}

// renamed checks that a package whose name ends in -preview can be called without
// that, as users and rustup's own hints do.
func (v *validator) renamed() {
	for _, name := range slices.Sorted(maps.Keys(v.channel.Packages)) {
		short, ok := strings.CutSuffix(name, "-preview")
		if !ok || !isAvailable(v.channel.Packages[name]) {
			continue
		}
		if to, has := v.channel.Renames[short]; !has || to != name {
			got := "nothing"
			if has {
				got = "to = " + quote(to)
			}
			v.add(FindingRenameMissing, toml.Path("renames", short), got, "to = "+strconv.Quote(name)+", since that is a package")
		}
	}
}

// isAvailable reports whether a package can be installed for some target.
func isAvailable(p Package) bool {
	for _, t := range p.Targets {
		if t.Available {
			return true
		}
	}
	return false
}
