package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"x.go/bootstrap/toolchain"
	"x.go/dist"
	"x.go/manifests"
	"x.go/targets"
	"x.go/targets/nearest"
)

// combinedArchive is the name of the archive that holds all components.
const combinedArchive = "rust"

// Selection names the archives of a run. The zero Selection is everything that
// the configuration allows.
type Selection struct {
	// Comma separated archive names, each perhaps with a target behind it, sorted.
	names   string // "" for all
	without string // of those
}

// String returns what names the selection behind the name of a step: "" for all
// that the configuration allows, else "(cargo,rustc)".
func (s Selection) String() string {
	text := s.names
	if s.without != "" {
		text += " without " + s.without
	}
	if text == "" {
		return ""
	}
	return "(" + text + ")"
}

// Select parses the names of archives as a user gives them: archive names
// ("rustfmt"), names of a channel ("rustfmt-preview"), those of installed components
// ("rust-std-x86_64-unknown-linux-gnu"), and x.py's name "extended" for the combined
// archive. All wrong names are reported at once.
//
// The error is an [OptionError].
func (b *Builder) Select(names ...string) (Selection, error) {
	selected, err := b.archiveNames(names)
	return Selection{names: selected}, err
}

// Without returns the selection without the archives of those names.
func (b *Builder) Without(s Selection, names ...string) (Selection, error) {
	var err error
	s.without, err = b.archiveNames(names)
	return s, err
}

func (b *Builder) archiveNames(names []string) (string, error) {
	var archives []string
	var errs []error
	for _, name := range names {
		archive, err := b.archiveName(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		archives = append(archives, archive)
	}
	if err := errors.Join(errs...); err != nil {
		return "", &OptionError{"component", err}
	}
	slices.Sort(archives)
	return strings.Join(slices.Compact(archives), ","), nil
}

func (b *Builder) archiveName(name string) (string, error) {
	archives := toolchain.Input{Components: b.components()}.Archives()
	if name == combinedArchive || name == "extended" {
		return combinedArchive, nil
	}
	id := manifests.ParseComponentID(name)
	spec, ok := manifests.LookupComponent(id.Archive)
	if ok && id.Target == "" && slices.Contains(archives, spec.Archive) {
		return spec.Archive, nil
	}
	for _, c := range b.components() {
		if triple := c.Target.String(); ok && c.Spec.Archive == spec.Archive && triple != "" && triple == id.Target {
			return spec.Archive + "-" + triple, nil
		}
	}
	for _, h := range b.hosts {
		if id.Archive == combinedArchive && id.Target == h.tc.Host.String() {
			return combinedArchive + "-" + id.Target, nil
		}
	}
	names := append(archives, combinedArchive)
	have := strings.Join(names, ", ")
	if ok {
		return "", fmt.Errorf("selecting component %q: the toolchain does not have it; it has %s", name, have)
	}
	return "", fmt.Errorf("selecting component %q: no such component; the toolchain has %s%s", name, have, nearest.Hint(name, names))
}

// has reports whether the selection names the archive of a component.
func (s Selection) has(archive string, target targets.Triple) bool {
	return isNamed(s.names, archive, target)
}

// leavesOut reports whether the selection names it as unwanted.
func (s Selection) leavesOut(archive string, target targets.Triple) bool {
	return isNamed(s.without, archive, target)
}

func isNamed(names, archive string, target targets.Triple) bool {
	list := strings.Split(names, ",")
	return slices.Contains(list, archive) || slices.Contains(list, archive+"-"+target.String())
}

// wantsCombined reports whether to write the combined archive.
func (b *Builder) wantsCombined(s Selection) bool {
	if s.names != "" {
		return s.has(combinedArchive, b.tc.Host)
	}
	return b.cfg.Build.Extended || !b.cfg.IsSet("build.extended")
}

// part is one archive to write.
type part struct {
	name    manifests.ArchiveName // without format
	version string                // text of the `version` file
	pkg     dist.Package
	bare    dist.Image // of an archive of sources, which is no package
}

// packagesStep is the step that lays out the archives of a selection.
type packagesStep struct{ Selection Selection }

// String names the step in plans and errors.
func (p packagesStep) String() string { return "Packages" + p.Selection.String() }

// Run implements [step]. Every image has been checked by the rules of its
// component when it returns.
func (p packagesStep) Run(ctx context.Context, b *Builder) ([]part, error) {
	components, err := ensure(ctx, b, assembleStep{})
	if err != nil {
		return nil, err
	}
	if err := b.checkTargets(); err != nil {
		return nil, err
	}
	components = b.apart(components, p.Selection)
	var combined []int
	if b.wantsCombined(p.Selection) {
		combined = b.combinedComponents(components)
	}
	var parts []part
	var errs []error
	laid := make([]dist.Component, len(components)) // as they are in archives
	for i, c := range components {
		wanted, asked := c.Wanted(b.cfg, b.tc.Host), p.Selection.has(c.Spec.Archive, c.Target)
		own := (asked || p.Selection.names == "" && wanted) && !p.Selection.leavesOut(c.Spec.Archive, c.Target)
		packed, err := b.judge(c, own || slices.Contains(combined, i), asked)
		if errs = append(errs, err); !packed {
			combined = slices.DeleteFunc(combined, func(k int) bool { return k == i })
			continue
		}
		laid[i] = c.Component()
		if own {
			part, err := b.part(ctx, c, laid[i])
			parts, errs = append(parts, part), append(errs, err)
		}
	}
	if b.wantsCombined(p.Selection) {
		part, err := b.combined(ctx, laid, combined)
		parts, errs = append(parts, part), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return parts, nil
}

// apart arranges the lists of components that lie in each other. It is the configuration
// that counts, and what s names beside it, but not what s leaves to another run: the
// archives of several runs are for one channel, and each has one content.
func (b *Builder) apart(components []toolchain.InputComponent, s Selection) []toolchain.InputComponent {
	components, nested := toolchain.Apart(b.tc, components, func(c toolchain.InputComponent) (wanted, asked bool) {
		if s.leavesOut(c.Spec.Archive, c.Target) {
			return false, false
		}
		return c.Wanted(b.cfg, b.tc.Host), s.has(c.Spec.Archive, c.Target)
	})
	for _, f := range nested {
		b.tellOnce(f)
	}
	return components
}

// anyOf returns an error for a selection that leaves nothing.
func anyOf(parts []part) error {
	if len(parts) == 0 {
		return errors.New("selecting components: the configuration leaves none of the toolchain's")
	}
	return nil
}

// checkTargets reports the triples of build.target that the input has no
// standard library for, once for all hosts.
func (b *Builder) checkTargets() error {
	if !b.cfg.IsSet("build.target") || b != b.hosts[0] {
		return nil
	}
	var errs []error
	for _, t := range b.cfg.Build.Target {
		if !slices.ContainsFunc(b.components(), func(c toolchain.InputComponent) bool { return c.Spec.Archive == "rust-std" && c.Target == t }) {
			errs = append(errs, fmt.Errorf("%s: build.target names %s, but the toolchain has no rust-std for it", b.cfg.Origin("build.target"), t))
		}
	}
	return errors.Join(errs...)
}

// part lays out the archive of one component, which is component in it.
func (b *Builder) part(ctx context.Context, c toolchain.InputComponent, component dist.Component) (part, error) {
	version, err := b.componentVersion(ctx, c.Spec)
	if err != nil {
		return part{}, err
	}
	overlay, err := b.overlay(ctx, c.Spec.Archive, version)
	if err != nil {
		return part{}, err
	}
	name := manifests.ArchiveName{Component: c.Spec, Version: b.tc.Version.PackageVersion(), Target: c.Target}
	return part{name: name, version: version, pkg: dist.Package{
		Name: name.Stem(), Components: []dist.Component{component}, Overlay: overlay,
		Product: c.Spec.Product, SuccessMessage: c.Spec.SuccessMessage(),
	}}, nil
}

// combinedComponents returns which of the components the combined archive holds,
// in upstream's order.
func (b *Builder) combinedComponents(components []toolchain.InputComponent) []int {
	host := b.tc.Host
	var picked []int
	for _, row := range manifests.CombinedComponents() {
		i := slices.IndexFunc(components, func(c toolchain.InputComponent) bool {
			return c.Spec.Archive == row.Archive && (c.Target == host || c.Target == targets.Triple{})
		})
		if i >= 0 && components[i].Wanted(b.cfg, host) {
			picked = append(picked, i)
		}
	}
	return picked
}

// combined lays out the archive that holds the picked components, from the same
// images as their own archives.
func (b *Builder) combined(ctx context.Context, components []dist.Component, picked []int) (part, error) {
	spec, _ := manifests.LookupComponent(combinedArchive)
	var held []dist.Component
	for _, i := range picked {
		held = append(held, components[i])
	}
	version := b.tc.Version.String()
	overlay, err := b.overlay(ctx, combinedArchive, version)
	if err != nil {
		return part{}, err
	}
	name := manifests.ArchiveName{Component: spec, Version: b.tc.Version.PackageVersion(), Target: b.tc.Host}
	return part{name: name, version: version, pkg: dist.Package{
		Name: name.Stem(), Components: held, Overlay: overlay,
		Product: spec.Product, SuccessMessage: spec.SuccessMessage(),
	}}, nil
}

// overlay returns the files at the top of an archive that are not installed.
func (b *Builder) overlay(ctx context.Context, archive, version string) (dist.Image, error) {
	var img dist.Image
	record, err := b.encodedRecord(ctx)
	if err != nil {
		return img, err
	}
	errs := []error{b.addVersion(&img, version), img.AddBytes(manifests.BuildRecordFile, record, dist.ModeFile)}
	for _, doc := range toolchain.OverlayDocs(archive) {
		for _, from := range doc.From {
			if e, ok := b.inputEntry(from); ok {
				errs = append(errs, img.AddFile(doc.Name, e.Path()))
				break
			}
		}
	}
	return img, errors.Join(errs...)
}

// addVersion adds the files at the top of an archive that say what it is of.
func (b *Builder) addVersion(img *dist.Image, version string) error {
	add := func(name, text string) error { return img.AddBytes(name, []byte(text), dist.ModeFile) }
	errs := []error{add("version", version)}
	if v := b.tc.Version; v.CommitHash != "" {
		errs = append(errs, add("git-commit-hash", v.CommitHash), add("git-commit-info", v.CommitInfo()))
	}
	if text := b.cfg.MainText(); text != nil {
		errs = append(errs, img.AddBytes("builder-config", text, dist.ModeFile))
	}
	return errors.Join(errs...)
}

// inputEntry finds a file of the input by its name.
func (b *Builder) inputEntry(name string) (dist.Entry, bool) {
	for _, c := range b.input.Components {
		if e, ok := c.Image.Lookup(name); ok {
			return e, true
		}
	}
	return dist.Entry{}, false
}
