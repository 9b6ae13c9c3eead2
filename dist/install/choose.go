package install

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"x.go/manifests"
	"x.go/targets"
	"x.go/targets/nearest"
)

// selection decides which components of archives are wanted, and remembers which of
// the names that it was given meant something.
type selection struct {
	only, without []string
	met           map[string]bool // of those names
	have          []string        // components met, by their shortest names
}

func newSelection(only, without []string) *selection {
	return &selection{only: only, without: without, met: map[string]bool{}}
}

// wants reports whether a component, called dir in its archive, is to be installed.
// target is the archive's, "" if it has none; chosen says that its name was chosen.
func (s *selection) wants(dir, target string, chosen bool) bool {
	id := componentID(dir, target)
	if !slices.Contains(s.have, id.Archive) {
		s.have = append(s.have, id.Archive)
	}
	only := s.names(s.only, dir, id)
	without := s.names(s.without, dir, id)
	return (chosen || only || len(s.only) == 0) && !without
}

// names reports whether one of the names said means a component.
func (s *selection) names(said []string, dir string, id manifests.ComponentID) bool {
	found := false
	for _, name := range said {
		if name == dir || manifests.ParseComponentID(name).Means(id) {
			found, s.met[name] = true, true
		}
	}
	return found
}

// chose notes that somebody else, who knows all names, has chosen.
func (s *selection) chose() {
	for _, name := range slices.Concat(s.only, s.without) {
		s.met[name] = true
	}
}

// check returns an error for the names that meant nothing.
func (s *selection) check() error {
	var errs []error
	slices.Sort(s.have)
	said := slices.Concat(s.only, s.without)
	for i, name := range said {
		if !s.met[name] && !slices.Contains(said[:i], name) {
			errs = append(errs, fmt.Errorf("choosing component %q: no such component; the sources have %s%s", name, strings.Join(s.have, ", "), nearest.Hint(name, s.have)))
		}
	}
	return errors.Join(errs...)
}

// componentID is what the name of a component says, with the target of its archive.
func componentID(dir, target string) manifests.ComponentID {
	id := manifests.ParseComponentID(dir)
	if id.Target == "" {
		id.Target = target
	}
	return id
}

// offer is an archive of a directory.
type offer struct {
	file string
	name manifests.ArchiveName
}

// choose takes archives of a directory by their names: those for the host and the
// targets, each in the format that is decoded soonest, and the combined archive only
// for what has no archive of its own.
func (r *resolver) choose(ctx context.Context, dir string, files []string) error {
	best := map[string]offer{} // by name without format
	for _, file := range files {
		name, ok := parseName(file)
		if !ok || name.Source != "" {
			continue
		}
		old, taken := best[name.Stem()]
		if !taken || slices.Index(formatSpeed, name.Format) < slices.Index(formatSpeed, old.name.Format) {
			best[name.Stem()] = offer{file, name}
		}
	}
	var offers []offer
	for _, stem := range slices.Sorted(maps.Keys(best)) {
		offers = append(offers, best[stem])
	}
	slices.SortStableFunc(offers, func(a, b offer) int { return rank(a.name) - rank(b.name) })
	for _, o := range offers {
		target := o.name.Target.String()
		if o.name.Component.Archive == std || o.name.Component.Archive == combined && target == r.Host {
			r.stdFor[target] = true
		}
	}
	chosen := slices.DeleteFunc(slices.Clone(offers), func(o offer) bool { return !r.fits(o.name) })
	if chosen = r.parts(chosen); len(chosen) == 0 {
		return r.noOffer(offers)
	}
	versions := map[string]bool{}
	for _, o := range chosen {
		if !o.name.Component.OwnVersion || rank(o.name) < len(manifests.Components()) {
			versions[o.name.Version] = true
		}
	}
	if len(versions) > 1 {
		return fmt.Errorf("the directory has archives of %s: name the archives of one", strings.Join(slices.Sorted(maps.Keys(versions)), " and of "))
	}
	for _, o := range chosen {
		if err := r.archive(ctx, filepath.Join(dir, o.file)); err != nil {
			return fmt.Errorf("archive %q: %w", o.file, err)
		}
		r.inputs[len(r.inputs)-1].chosen = o.name.Component.Archive != combined && len(r.Components) > 0
	}
	return nil
}

// combined is the archive that holds all components, and std that of the standard
// library of a target.
const (
	combined = "rust"
	std      = "rust-std"
)

// rank orders archives as the combined one holds its components: rustc precedes
// rust-std.
func rank(name manifests.ArchiveName) int {
	specs := slices.Concat(manifests.CombinedComponents(), manifests.Components())
	i := slices.IndexFunc(specs, func(c manifests.ComponentSpec) bool { return c.Archive == name.Component.Archive })
	if i < 0 {
		return len(specs) // not one of Rust's
	}
	return i
}

// fits reports whether an archive is for the host or one of the targets. Names say for
// whom they want a component.
func (r *resolver) fits(name manifests.ArchiveName) bool {
	target := name.Target.String()
	id := manifests.ComponentID{Archive: name.Component.Archive, Target: target}
	for _, said := range r.Components {
		if said := manifests.ParseComponentID(said); said.Target != "" && said.Means(id) {
			return true
		}
	}
	return name.Target == (targets.Triple{}) || target == r.Host ||
		name.Component.Scope == manifests.ScopeTarget && slices.Contains(r.Targets, target)
}

// parts returns the wanted ones of the archives that fit.
func (r *resolver) parts(offers []offer) []offer {
	whole := slices.IndexFunc(offers, func(o offer) bool { return o.name.Component.Archive == combined })
	var out []offer
	missing := len(r.Components) == 0 && !slices.ContainsFunc(offers, func(o offer) bool { return o.name.Component.Archive == "rustc" })
	names := newSelection(r.Components, r.Without)
	for _, o := range offers {
		c, target := o.name.Component, o.name.Target.String()
		if c.Archive == combined {
			continue
		}
		wanted := names.wants(c.Archive, target, c.Archive == std && slices.Contains(r.Targets, target))
		if wanted && (c.Package != "" && c.Archive != "reproducible-artifacts" || len(r.Components) > 0) {
			out = append(out, o)
		}
	}
	for _, name := range r.Components {
		missing = missing || !names.met[name]
	}
	if missing && whole >= 0 {
		return slices.Concat(offers[whole:whole+1], slices.DeleteFunc(out, func(o offer) bool {
			return o.name.Component.Archive != std || o.name.Target == offers[whole].name.Target
		}))
	}
	maps.Copy(r.names.met, names.met)
	for _, name := range names.have {
		if !slices.Contains(r.names.have, name) {
			r.names.have = append(r.names.have, name)
		}
	}
	return out
}

// noOffer says why no archive of a directory is chosen.
func (r *resolver) noOffer(offers []offer) error {
	hosts := map[string]bool{}
	for _, o := range offers {
		if o.name.Target != (targets.Triple{}) {
			hosts[o.name.Target.String()] = true
		}
	}
	if err := r.names.check(); err != nil {
		return err
	}
	if len(hosts) > 0 && !hosts[r.Host] {
		return fmt.Errorf("the directory has no archives for host %q, only for %s: name one of them with --host", r.Host, strings.Join(slices.Sorted(maps.Keys(hosts)), ", "))
	}
	return errors.New("none of the archives has a name such as rustc-1.95.0-x86_64-unknown-linux-gnu.tar.xz that is wanted: name the archives themselves")
}
