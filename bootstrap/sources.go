package bootstrap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"x.go/bootstrap/config"
	"x.go/bootstrap/toolchain"
	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/source"
	"x.go/manifests"
	"x.go/targets"
)

// sourceArchives are the archives that are made of a source tree, by the names that x.py
// has for them.
var sourceArchives = []string{"rust-src", "rustc-src", "rustc-src-gpl"}

// IsSourceArchive reports whether x.py makes the archive of that name from a source tree
// alone: rust-src, which a toolchain may have too, rustc-src or rustc-src-gpl.
func IsSourceArchive(name string) bool { return slices.Contains(sourceArchives, name) }

// CheckSource returns what would stop `x dist rustc-src` of a source tree, and the release
// by whose rules its configuration counts.
func CheckSource(ctx context.Context, o Options, dir string) (targets.Release, []config.Finding, error) {
	if err := o.fill(); err != nil {
		return targets.Release{}, nil, err
	}
	_, tree, err := o.loadSource(dir)
	if _, refused := errors.AsType[config.Errors](err); err != nil && !refused { // who asks loads the configuration, too
		return targets.Release{}, nil, err
	}
	release := tree.Version.Release
	found := func(s config.Severity, reason, remedy string) config.Finding {
		return config.Finding{Severity: s, Place: dir, Reason: reason, Remedy: remedy}
	}
	img, err := tree.Plain(false)
	if err != nil {
		return release, []config.Finding{found(config.Failure, err.Error(), "")}, nil
	}
	var out []config.Finding
	if !tree.Vendored() {
		out = append(out, found(config.Warning, "the tree has no vendored crates: who builds from its archive needs the network", "run x.py vendor"))
	}
	listing, err := source.List(ctx, img)
	if err != nil {
		return release, nil, err
	}
	all, _ := source.Judge(listing)
	lacking := 0
	for _, f := range all {
		if f.Lacks != "" {
			lacking++
			continue
		}
		out = append(out, found(config.Failure, fmt.Sprintf("%s: %s", f.Kind, f.Text), ""))
	}
	if lacking > 0 {
		out = append(out, found(config.Warning, fmt.Sprintf("the vendored crates lack %d crates and files that Cargo.lock or checksums name", lacking), "run x.py vendor, unless you left them out"))
	}
	return release, out, nil
}

// loadSource reads a source tree, and the configuration by the rules of its release. The
// tree's own bootstrap.toml counts where there is none in the current directory.
func (o *Options) loadSource(dir string) (config.Config, source.Tree, error) {
	dir = o.path(dir)
	tree, err := source.Open(dir, source.Options{OmitGitHash: true})
	if err != nil {
		return config.Config{}, tree, &OptionError{"--source", err}
	}
	src := o.Config
	src.SrcDir, src.Release, src.Host = dir, tree.Version.Release, targets.HostOf(runtime.GOOS, runtime.GOARCH)
	cfg, err := config.Load(src)
	if err != nil {
		return cfg, tree, err
	}
	opts := source.Options{Description: cfg.Build.Description, OmitGitHash: cfg.IsSet("rust.omit-git-hash") && cfg.Rust.OmitGitHash == targets.Yes}
	if cfg.IsSet("rust.channel") {
		opts.Channel = cfg.Rust.Channel
		if opts.Channel == "auto-detect" {
			opts.Channel = ""
		}
	}
	opts.NoVendor = cfg.IsSet("dist.vendor") && cfg.Dist.Vendor == targets.No
	if tree, err = source.Open(dir, opts); err != nil {
		return cfg, tree, &OptionError{"--source", err}
	}
	return cfg, tree, nil
}

// OpenSource is [Open] for a source tree: it needs no toolchain, and [Builder.DistSources]
// is what the Builder can do.
func OpenSource(ctx context.Context, o Options, dir string) (*Builder, error) {
	modTime, err := o.begin()
	if err != nil {
		return nil, err
	}
	cfg, tree, err := o.loadSource(dir)
	if err != nil {
		return nil, err
	}
	tc := toolchain.Toolchain{Version: tree.Version, Host: targets.HostOf(runtime.GOOS, runtime.GOARCH)}
	return o.builder(ctx, modTime, inputs{cfg: cfg, tc: tc, tree: tree})
}

// DistSources writes archives of the source tree to [Builder.DistDir]: those that names
// has of rust-src, rustc-src and rustc-src-gpl; none stands for the first two. A channel
// of the same version that is there lists them, too.
func (b *Builder) DistSources(ctx context.Context, names []string) (Dist, error) {
	if err := b.checkWriter(); err != nil {
		return Dist{}, err
	}
	if len(names) == 0 {
		names = sourceArchives[:2]
	}
	names = slices.Sorted(slices.Values(names))
	return ensure(ctx, b, sourcesStep{strings.Join(slices.Compact(names), ",")})
}

// sourcesStep is the step that writes archives of the source tree, and the channel.
type sourcesStep struct{ names string }

// String names the step in plans and errors.
func (s sourcesStep) String() string { return "Sources(" + s.names + ")" }

// Run implements [step].
func (s sourcesStep) Run(ctx context.Context, b *Builder) (Dist, error) {
	if b.tree.Guessed {
		b.note("the sources are of the channel dev, since nothing says otherwise: rust.channel = \"auto-detect\" takes that of src/ci/channel")
	}
	var parts []part
	var bare []archive.Bare
	for name := range strings.SplitSeq(s.names, ",") {
		p, err := b.sourcePart(ctx, name)
		if err != nil {
			return Dist{}, err
		}
		parts = append(parts, p)
	}
	slices.SortStableFunc(parts, func(p, q part) int { return cmp.Compare(p.name.Source, q.name.Source) }) // packages first
	var pkgs []dist.Package
	for _, p := range parts {
		if p.name.Source == "" {
			pkgs = append(pkgs, p.pkg)
		} else {
			bare = append(bare, archive.Bare{Name: p.name.Stem(), Image: p.bare})
		}
	}
	set, err := b.prepare(ctx, parts, pkgs, bare)
	if err != nil {
		return Dist{}, err
	}
	return b.publishSet(set, Dist{Archives: set.archives})
}

// sourcePart lays out one archive of the source tree.
func (b *Builder) sourcePart(ctx context.Context, name string) (part, error) {
	version := b.tc.Version.String()
	if name == "rust-src" {
		spec, _ := manifests.LookupComponent(name)
		img, err := b.tree.Component()
		if err != nil {
			return part{}, err
		}
		c := dist.Component{Name: spec.Dir(targets.Triple{}), Image: img}
		if err := errors.Join(dist.CheckComponent(c)...); err != nil {
			return part{}, err
		}
		overlay, err := b.sourceOverlay()
		id := manifests.ArchiveName{Component: spec, Version: b.tc.Version.PackageVersion()}
		return part{name: id, version: version, pkg: dist.Package{
			Name: id.Stem(), Components: []dist.Component{c}, Overlay: overlay, Product: spec.Product, SuccessMessage: spec.SuccessMessage(),
		}}, err
	}
	spec, _ := manifests.LookupComponent("rustc")
	id := manifests.ArchiveName{Component: spec, Version: b.tc.Version.PackageVersion(), Source: strings.TrimPrefix(name, "rustc-")}
	img, err := b.plainSource(ctx, id)
	return part{name: id, version: version, bare: img}, err
}

// sourceOverlay returns the files at the top of the archive of rust-src.
func (b *Builder) sourceOverlay() (dist.Image, error) {
	var img dist.Image
	errs := []error{b.addVersion(&img, b.tc.Version.String())}
	for _, doc := range toolchain.OverlayDocs("rust-src") {
		from := filepath.Join(b.tree.Dir, doc.Name)
		if info, err := os.Lstat(from); err == nil && info.Mode().IsRegular() {
			errs = append(errs, img.AddFile(doc.Name, from))
		}
	}
	return img, errors.Join(errs...)
}

// plainSource lays out the archive of all sources, and judges it.
func (b *Builder) plainSource(ctx context.Context, id manifests.ArchiveName) (dist.Image, error) {
	img, err := b.tree.Plain(id.Source == manifests.SourceGPL)
	if err != nil {
		return img, err
	}
	if !b.tree.Vendored() {
		b.note("%s has no vendored crates: building it needs the network", id.Stem())
	}
	listing, err := source.List(ctx, img)
	if err != nil {
		return img, err
	}
	listing.Version, listing.GPL = id.Version, id.Source == manifests.SourceGPL
	all, _ := source.Judge(listing)
	wrong, err := source.Record(&img, all)
	if err != nil {
		return img, err
	}
	if n := len(all) - len(wrong); n > 0 {
		b.notify(Event{Warn: true, Note: fmt.Sprintf("the vendored crates lack %d crates and files that Cargo.lock or checksums name: the archive says so in %s", n, source.LacksFile)})
	}
	const most = 20
	var errs []error
	for i, f := range wrong {
		if i == most {
			errs = append(errs, fmt.Errorf("and %d more", len(wrong)-most))
			break
		}
		errs = append(errs, fmt.Errorf("checking source tree %q: %s: %w", b.tree.Dir, f.Kind, f))
	}
	return img, errors.Join(errs...)
}
