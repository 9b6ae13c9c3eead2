package manifests

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"x.go/targets"
	"x.go/targets/nearest"
)

// ComponentID is what the name of a component says.
type ComponentID struct {
	// Archive is the first part of the archive's name, such as "clippy"; the whole
	// name of a component that Rust does not have.
	Archive string
	// Target is the triple in the name, "" if it has none.
	Target string
}

// ParseComponentID splits the name of a component, in the words of an archive
// ("clippy"), a channel ("clippy-preview"), install.sh
// ("rust-std-x86_64-unknown-linux-gnu") or rustup's records
// ("clippy-preview-x86_64-unknown-linux-gnu").
func ParseComponentID(name string) ComponentID {
	id, longest := ComponentID{Archive: name}, 0
	for i := range componentTable {
		c := &componentTable[i]
		for _, word := range []string{c.Archive, c.Package, c.dir} {
			rest, ok := strings.CutPrefix(name, word)
			if !ok || len(word) <= longest {
				continue
			}
			if rest == "" {
				id, longest = ComponentID{Archive: c.Archive}, len(word)
			} else if t, err := targets.ParseTriple(strings.TrimPrefix(rest, "-")); err == nil && rest[0] == '-' {
				id, longest = ComponentID{c.Archive, t.String()}, len(word)
			}
		}
	}
	return id
}

// Means reports whether somebody who says id may mean the component other: only one
// of them needs a target in its name.
func (id ComponentID) Means(other ComponentID) bool {
	return id.Archive == other.Archive && (id.Target == "" || other.Target == "" || id.Target == other.Target)
}

// Wanted says what of a channel is to be installed on a machine.
type Wanted struct {
	Host    string   // triple of the machine
	Targets []string // more triples to compile for
	// Profile is minimal, default, complete or another one of the channel. "" is
	// default, or none if there are Components.
	Profile string
	// Components and Without are names that [ParseComponentID] takes: what is
	// installed besides, and what is not.
	Components, Without []string
}

// Choose returns what rustup would install of a channel, in the channel's order. The
// error joins everything that the channel does not have.
func (c *Channel) Choose(w Wanted) ([]ComponentRef, error) {
	rust, ok := c.Packages[rustPackage].Targets[w.Host]
	if !ok {
		hosts := slices.Sorted(maps.Keys(c.Packages[rustPackage].Targets))
		return nil, fmt.Errorf("choosing components: the channel is not for host %q; it is for %s", w.Host, strings.Join(hosts, ", "))
	}
	ch := chooser{channel: c, host: w.Host}
	for _, ref := range slices.Concat(rust.Components, rust.Extensions) {
		if !slices.Contains(ch.offered, ref) {
			ch.offered = append(ch.offered, ref)
		}
	}
	chosen := map[ComponentRef]bool{}
	if w.Profile != "" || len(w.Components) == 0 {
		ch.profile(w.Profile, rust.Components, chosen)
	}
	for _, name := range w.Components {
		for _, ref := range ch.find(name) {
			chosen[ref] = true
		}
	}
	for _, target := range w.Targets {
		ref := ComponentRef{"rust-std", target}
		if !slices.Contains(ch.offered, ref) {
			ch.problems.add("choosing target %q: the channel has no rust-std for it%s", target, nearest.Hint(target, ch.stdTargets()))
		}
		chosen[ref] = true
	}
	for _, name := range w.Without {
		for _, ref := range ch.find(name) {
			delete(chosen, ref)
		}
	}
	if err := ch.problems.join(); err != nil {
		return nil, err
	}
	out := slices.DeleteFunc(ch.offered, func(ref ComponentRef) bool { return !chosen[ref] })
	if len(out) == 0 {
		return nil, fmt.Errorf("choosing components: nothing of the channel is left to install")
	}
	return out, nil
}

// chooser is the state of [Channel.Choose].
type chooser struct {
	channel  *Channel
	host     string
	offered  []ComponentRef // to the host
	problems problems
}

// isFor reports whether a component is for the host itself.
func (ch *chooser) isFor(ref ComponentRef) bool {
	return ref.Target == ch.host || ref.Target == AnyTarget
}

// profile adds what rustup installs for a profile: of a channel without profiles,
// all that is no extension.
func (ch *chooser) profile(name string, components []ComponentRef, chosen map[ComponentRef]bool) {
	all := ch.channel.Profiles
	if len(all) == 0 && name == "" {
		for _, ref := range components {
			chosen[ref] = true
		}
		return
	}
	if name == "" {
		name = profileDefault
	}
	list, ok := all[name]
	if !ok {
		ch.problems.add("choosing profile %q: the channel has %s", name, strings.Join(slices.Sorted(maps.Keys(all)), ", "))
	}
	for _, ref := range ch.offered {
		if slices.Contains(list, ref.Package) && ch.isFor(ref) {
			chosen[ref] = true
		}
	}
}

// find returns what a name means: for the host, unless it has a target in it.
func (ch *chooser) find(name string) []ComponentRef {
	if to, ok := ch.channel.Renames[name]; ok {
		name = to
	}
	id := ParseComponentID(name)
	var found []ComponentRef
	var names []string
	for _, ref := range ch.offered {
		have := ParseComponentID(ref.Package)
		names = append(names, have.Archive)
		if have.Archive == id.Archive && (ref.Target == id.Target || id.Target == "" && ch.isFor(ref)) || name == ref.Package+"-"+ref.Target {
			found = append(found, ref)
		}
	}
	if len(found) == 0 {
		slices.Sort(names)
		ch.problems.add("choosing component %q: the channel has none of that name for %s%s", name, ch.host, nearest.Hint(name, slices.Compact(names)))
	}
	return found
}

// stdTargets returns the targets that the host can compile for.
func (ch *chooser) stdTargets() []string {
	var out []string
	for _, ref := range ch.offered {
		if ref.Package == "rust-std" {
			out = append(out, ref.Target)
		}
	}
	return out
}
