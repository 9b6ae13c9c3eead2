package manifests

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Declaration is what the owner of a channel says of a component that Rust does not
// have. Archives tell the rest.
type Declaration struct {
	// Name is that of the package in the channel.
	Name string
	// Origin is where it is declared, for errors, such as x.toml:3:1.
	Origin string
	// Targets are the triples for which there are archives, or "*" alone.
	Targets []string
	// Profiles are those that install it: minimal, default, complete.
	Profiles []string
	// Rename is another name by which users may call it, or "".
	Rename string
	// Required says that hosts consist of it, rather than can be extended by it.
	Required bool
}

// Check returns an error if no channel can have such a component beside Rust's own.
func (d Declaration) Check() error {
	if err := checkOwnName("name", d.Name); err != nil || d.Rename == "" {
		return err
	}
	if d.Rename == d.Name {
		return errors.New("got its own name as rename: leave it out")
	}
	return checkOwnName("rename", d.Rename)
}

// checkOwnName checks a name that Rust must not have.
func checkOwnName(what, s string) error {
	_, archive := LookupComponent(s)
	_, pkg := lookupPackage(s)
	switch {
	case !isPackageName(s):
		return fmt.Errorf("got %s %.200q, want letters, digits, '-' and '_'", what, s)
	case archive || pkg:
		return fmt.Errorf("got %s %q, which is one of Rust's own: choose another", what, s)
	}
	return nil
}

// errorf says of which declaration an error is.
func (d Declaration) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: component %.200q: "+format, append([]any{d.Origin, d.Name}, args...)...)
}

// Declare returns the channel with the profiles, renames and requirements of components
// that its owner declares. It takes nothing away. An archive that is declared and not
// there, or there for a target that is not declared, is an error, as is a rename that
// means something else. c does not change.
func (c *Channel) Declare(all []Declaration) (*Channel, error) {
	out := c.clone()
	var errs []error
	for _, d := range all {
		if err := d.Check(); err != nil {
			errs = append(errs, d.errorf("%w", err))
			continue
		}
		errs = append(errs, d.found(c), out.declare(d))
	}
	return out, errors.Join(errs...)
}

// found compares the targets of a declaration with those of its package.
func (d Declaration) found(c *Channel) error {
	p, ok := c.Packages[d.Name]
	if pkg := d.Name + previewSuffix; !ok && len(c.Packages[pkg].Targets) > 0 {
		return d.errorf("it is %q in the channel: declare that", pkg)
	}
	const remedy = "add the archive, or change the declaration"
	var errs []error
	for _, target := range d.Targets {
		if !p.Targets[target].Available {
			errs = append(errs, d.errorf("there is no archive %s: %s", d.archive(target), remedy))
		}
	}
	for _, target := range slices.Sorted(maps.Keys(p.Targets)) {
		if p.Targets[target].Available && !slices.Contains(d.Targets, target) {
			errs = append(errs, d.errorf("got an archive for target %q, want one for %q alone: leave it out, or declare it", target, d.Targets))
		}
	}
	return errors.Join(errs...)
}

// archive is the name of an archive of the component for a target.
func (d Declaration) archive(target string) string {
	name := strings.TrimSuffix(d.Name, previewSuffix) + "-VERSION"
	if target != AnyTarget {
		name += "-" + target
	}
	return name
}

// declare enters what a declaration says into c.
func (c *Channel) declare(d Declaration) error {
	if to, ok := c.Renames[d.Rename]; ok && to != d.Name {
		return d.errorf("got rename %q, which stands for %q in the channel: choose another", d.Rename, to)
	}
	if _, ok := c.Packages[d.Rename]; ok {
		return d.errorf("got rename %q, which is a package of the channel: choose another", d.Rename)
	}
	if d.Rename != "" {
		set(&c.Renames, d.Rename, d.Name)
	}
	for _, profile := range d.Profiles {
		if list := c.Profiles[profile]; !slices.Contains(list, d.Name) {
			set(&c.Profiles, profile, append(list, d.Name))
		}
	}
	if !c.require(d) && (d.Required || len(d.Profiles) > 0) {
		return d.errorf("it is for no host, so no profile installs it and no host consists of it: leave out profiles and required")
	}
	return nil
}

// require moves a required component from what hosts can be extended by to what they
// consist of. It reports whether a host has the component at all.
func (c *Channel) require(d Declaration) (onHost bool) {
	hosts := c.Packages[rustPackage].Targets
	for host, t := range hosts {
		own := func(ref ComponentRef) bool {
			return ref.Package == d.Name && (ref.Target == host || ref.Target == AnyTarget)
		}
		i := slices.IndexFunc(t.Extensions, own)
		onHost = onHost || i >= 0 || slices.ContainsFunc(t.Components, own)
		if d.Required && i >= 0 {
			t.Components = append(t.Components, t.Extensions[i])
			t.Extensions = slices.Delete(t.Extensions, i, i+1)
			hosts[host] = t
		}
	}
	return onHost
}
