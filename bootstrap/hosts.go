package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"x.go/bootstrap/toolchain"
	"x.go/dist"
	"x.go/dist/xz"
	"x.go/manifests"
	"x.go/targets"
)

// Hosts returns the Builders of all hosts, b among them, sorted by host. They share the
// build directory: only b is closed.
func (b *Builder) Hosts() []*Builder { return b.hosts }

// join has b, the first of hosts, work for all.
func (b *Builder) join(hosts []*Builder) {
	filters := map[string]bool{}
	for _, h := range hosts {
		h.hosts, h.plan, h.told = hosts, b.plan, b.told
		filters[h.writer.BCJ.String()] = true
	}
	if len(filters) > 1 {
		b.writer.BCJ = xz.BCJNone
		b.note("dist.bcj has no effect: the hosts have different machine code")
	}
}

// hostPrefix begins what is told about one of several hosts.
func (b *Builder) hostPrefix() string {
	if len(b.hosts) == 1 {
		return ""
	}
	return b.tc.Host.String() + ": "
}

// components returns those of all hosts.
func (b *Builder) components() []toolchain.InputComponent {
	var out []toolchain.InputComponent
	for _, h := range b.hosts {
		out = append(out, h.input.Components...)
	}
	return out
}

// lendStd gives toolchains the standard libraries that they should have and that only
// others have: of the host, and of what build.target names. x.py has all of them in the
// toolchain that it builds with.
func lendStd(all []inputs) {
	own := make([]toolchain.Input, len(all))
	for i := range all {
		own[i] = all[i].input
	}
	for i := range all {
		in := &all[i]
		wanted := []targets.Triple{in.tc.Host}
		if in.cfg.IsSet("build.target") {
			wanted = append(wanted, in.cfg.Build.Target...)
		}
		for _, t := range wanted {
			is := func(c toolchain.InputComponent) bool { return c.Spec.Archive == "rust-std" && c.Target == t }
			if slices.ContainsFunc(in.input.Components, is) {
				continue
			}
			for k := range own {
				if at := slices.IndexFunc(own[k].Components, is); at >= 0 {
					in.input.Components = append(slices.Clip(in.input.Components), own[k].Components[at])
					break
				}
			}
		}
	}
}

// allParts lays out the archives of a selection for all hosts. Those for a target, or for
// none, that several toolchains have are one.
func (b *Builder) allParts(ctx context.Context, s Selection) ([]part, error) {
	var out []part
	var errs []error
	from := map[string][]held{} // by archive
	var names []string
	for _, h := range b.hosts {
		parts, err := ensure(ctx, h, packagesStep{s})
		errs = append(errs, err)
		for _, p := range parts {
			name := p.name.Stem()
			if from[name] == nil {
				names = append(names, name)
			}
			from[name] = append(from[name], held{h, p})
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, name := range names {
		p, err := b.choose(ctx, from[name])
		out, errs = append(out, p), append(errs, err)
	}
	return out, errors.Join(append(errs, anyOf(out))...)
}

// held is an archive, as one of several toolchains has it.
type held struct {
	of   *Builder
	part part
}

// choose returns the archive that goes out: that of the toolchain for such a host, or the
// one that all have. Where they differ, it is that of build.build, by whose compiler x.py
// builds all libraries.
func (b *Builder) choose(ctx context.Context, all []held) (part, error) {
	for _, s := range all {
		if s.of.tc.Host == s.part.name.Target {
			return s.part, nil
		}
	}
	first := all[0]
	for _, s := range all[1:] {
		differs, err := differing(ctx, first.part.pkg.Components, s.part.pkg.Components)
		if err != nil {
			return part{}, err
		}
		if differs == "" {
			continue
		}
		for _, s := range all {
			if b.cfg.IsSet("build.build") && s.of.tc.Host == b.cfg.Build.Build {
				b.notify(Event{Warn: true, Note: fmt.Sprintf("%s is that of %q, as build.build has it: others differ in %q", s.part.name.Stem(), s.of.tc.Sysroot, differs)})
				return s.part, nil
			}
		}
		return part{}, fmt.Errorf("packaging %s: %q and %q differ in %q: remove one, or name the host whose files count with build.build", first.part.name.Stem(), first.of.tc.Sysroot, s.of.tc.Sysroot, differs)
	}
	return first.part, nil
}

// differing returns the first file in which components differ; "" if they are the same.
func differing(ctx context.Context, a, b []dist.Component) (string, error) {
	for i := range a { // of one archive, so as many
		if name, err := differingFile(ctx, a[i].Image, b[i].Image); name != "" || err != nil {
			return name, err
		}
	}
	return "", nil
}

func differingFile(ctx context.Context, a, b dist.Image) (string, error) {
	for e := range b.Entries() {
		if _, ok := a.Lookup(e.Name); !ok {
			return e.Name, nil
		}
	}
	for e := range a.Entries() {
		o, ok := b.Lookup(e.Name)
		if !ok || o.Size != e.Size || o.Mode != e.Mode || o.Link != e.Link {
			return e.Name, nil
		}
		if !e.IsRegular() || e.Path() == o.Path() && e.Path() != "" {
			continue
		}
		x, err := e.Hash(ctx)
		if err != nil {
			return "", err
		}
		y, err := o.Hash(ctx)
		if err != nil {
			return "", err
		}
		if x != y {
			return e.Name, nil
		}
	}
	return "", nil
}

// componentVersion returns the version text of a component, which is that of all hosts. A
// tool that runs here tells more than the files of one that does not.
func (b *Builder) componentVersion(ctx context.Context, spec manifests.ComponentSpec) (string, error) {
	best, err := b.tc.ComponentVersion(ctx, spec)
	if err != nil || b.tc.Unrun == nil {
		return best, err
	}
	for _, h := range b.hosts {
		if h == b || !slices.ContainsFunc(h.input.Components, func(c toolchain.InputComponent) bool { return c.Spec.Archive == spec.Archive }) {
			continue
		}
		text, err := h.tc.ComponentVersion(ctx, spec)
		switch {
		case err != nil: // its own archive says so
		case h.tc.Unrun == nil:
			return text, nil
		case text == b.tc.Version.String(): // its files do not tell
		case best == b.tc.Version.String(), len(text) > len(best), len(text) == len(best) && text < best:
			best = text
		}
	}
	return best, nil
}
