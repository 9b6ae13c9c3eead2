package manifests

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"x.go/targets"
)

// ListedArchive is what a channel needs to know of one archive file.
type ListedArchive struct {
	ArchiveName
	// Hash is of the file.
	Hash Hash
	// VersionText is the content of the archive's `version` file. It matters
	// for components with a version of their own; "" stands for the release's.
	VersionText string
}

// ChannelPlan is the input of a channel: the archives of all its hosts and
// targets, and where they are.
type ChannelPlan struct {
	Version Version
	// Date is the day of publication, YYYY-MM-DD, the channel's "date".
	Date string
	// URLBase is the URL of the directory that holds the archives, such as
	// https://static.rust-lang.org/dist/2026-04-16 or file:///srv/dist.
	URLBase  string
	Archives []ListedArchive
	// Named is the version in the names of the archives; "" for that of Version. It
	// differs in a number that rustc does not have, such as 1.88.0.0. Text is then the
	// version of the packages; "" for that of Version.
	Named, Text string
	// AnyRelease takes archives of other releases, too. Each package then has the
	// version that its archives say.
	AnyRelease bool
	// Hosts and Targets are not available in the channel where there is no
	// archive, as in Rust's own channels. Mostly both are empty, and the channel
	// names only those with an archive.
	Hosts, Targets []targets.Triple
}

// Channel builds the channel by the rules of `src/tools/build-manifest`. It leaves
// out archives that no channel offers (rust-dev), or no stable and beta channel
// (miri). The error joins all problems: a wrong version, date or URL, an archive
// of another version, two archives for one place, two versions of one package.
//
// It deviates once. build-manifest offers a host only if there is the combined
// archive "rust"; here rustc's archive is enough, since rustup never fetches the
// combined one. The host's "rust" is then not available and still lists its
// components.
func (p ChannelPlan) Channel() (*Channel, error) {
	b := builder{plan: p, channel: &Channel{
		Date: p.Date, Packages: map[string]Package{}, Renames: map[string]string{}, Profiles: map[string][]string{},
	}}
	b.index()
	if len(b.errs) > 0 {
		return nil, fmt.Errorf("building channel %q: %w", p.Version.Channel(), errors.Join(b.errs...))
	}
	for i := range b.specs {
		if c := &b.specs[i]; b.known(c) {
			b.addPackage(c)
		}
	}
	b.addRust()
	b.addSources()
	b.addRenames()
	b.addProfiles()
	return b.channel, nil
}

// builder holds the state of one [ChannelPlan.Channel].
type builder struct {
	plan    ChannelPlan
	channel *Channel
	base    string
	specs   []ComponentSpec // Rust's components, then those of the archives' owner
	places  map[place]PackageTarget
	version map[string]string // version text by archive name
	sources []ListedArchive
	errs    []error
}

// place is where an archive belongs: a component and "*" or a triple.
type place struct{ archive, target string }

func (b *builder) fail(format string, args ...any) {
	b.errs = append(b.errs, fmt.Errorf(format, args...))
}

// index checks the plan and sorts the archives into places.
func (b *builder) index() {
	if err := b.plan.Version.Check(); err != nil {
		b.errs = append(b.errs, err)
	}
	if !isDate(b.plan.Date) {
		b.fail("got date %q, want YYYY-MM-DD", b.plan.Date)
	}
	b.base = strings.TrimSuffix(b.plan.URLBase, "/")
	if want := urlProblem(b.base); want != "" {
		b.fail("got URL base %q, want %s", b.plan.URLBase, want)
	}
	b.specs = slices.Clone(componentTable[:])
	b.places = map[place]PackageTarget{}
	b.version = map[string]string{}
	for _, a := range b.plan.Archives {
		b.indexArchive(a)
	}
}

func (b *builder) indexArchive(a ListedArchive) {
	if want := cmp.Or(b.plan.Named, b.plan.Version.PackageVersion()); a.Version != want && !a.Component.own && !b.plan.AnyRelease {
		b.fail("archive %q: got version %q, want %q", a, a.Version, want)
	}
	if a.Hash.IsZero() {
		b.fail("archive %q: got no hash, want its sha256", a)
	}
	if a.Source != "" {
		b.sources = append(b.sources, a)
		return
	}
	if a.Component.own && !slices.ContainsFunc(b.specs, func(c ComponentSpec) bool { return c.Archive == a.Component.Archive }) {
		b.specs = append(b.specs, a.Component)
	}
	if (a.Component.OwnVersion || b.plan.AnyRelease) && a.VersionText != "" {
		if old := b.version[a.Component.Archive]; old != "" && old != a.VersionText {
			b.fail("archive %q: got version %q, want %q as another archive of %s says", a, a.VersionText, old, a.Component.Archive)
		}
		b.version[a.Component.Archive] = a.VersionText
	}
	at := place{a.Component.Archive, targetKey(a.Target)}
	t := b.places[at]
	if !t.Download(a.Format).IsZero() {
		b.fail("archive %q: got it twice, want each archive once", a)
	}
	t.Available = true
	t.setDownload(a.Format, b.download(a))
	b.places[at] = t
}

func (b *builder) download(a ListedArchive) Download {
	return Download{URL: b.base + "/" + url.PathEscape(a.String()), Hash: a.Hash}
}

// known reports whether the channel knows the component: whether it is a
// package at all, and one of this release.
func (b *builder) known(c *ComponentSpec) bool {
	if c.Package == "" || c.Package == rustPackage {
		return false
	}
	if c.Since == "" {
		return true
	}
	since, err := targets.ParseRelease(c.Since)
	if err != nil {
		panic("manifests: component table: " + err.Error())
	}
	return b.plan.Version.Release.Compare(since) >= 0
}

// offered reports whether this channel may offer the component.
func (b *builder) offered(c *ComponentSpec) bool {
	ch := b.plan.Version.Channel()
	return !c.NightlyOnly || ch != channelStable && ch != channelBeta
}

// archive returns what there is of a component for a target.
func (b *builder) archive(c *ComponentSpec, target string) (PackageTarget, bool) {
	t, ok := b.places[place{c.Archive, target}]
	return t, ok && b.offered(c)
}

// addPackage adds the package of a component, unless neither the plan nor an
// archive names a target for it.
func (b *builder) addPackage(c *ComponentSpec) {
	p := Package{Targets: map[string]PackageTarget{}}
	for _, target := range b.targetsOf(c) {
		t, ok := b.archive(c, target)
		if !ok && c.DocsFallback {
			t, ok = b.fallback(c, target)
		}
		p.Targets[target] = t
		// A package without archives has no version, unless it is rustc's.
		if ok || !c.OwnVersion {
			p.Version = b.versionOf(c)
			p.CommitHash = b.plan.Version.CommitHash
		}
	}
	if len(p.Targets) > 0 {
		b.channel.Packages[c.Package] = p
	}
}

// versionOf returns the version text of a package.
func (b *builder) versionOf(c *ComponentSpec) string {
	if v := b.version[c.Archive]; v != "" {
		return v
	}
	return b.text()
}

// text returns the version of what has none of its own.
func (b *builder) text() string { return cmp.Or(b.plan.Text, b.plan.Version.String()) }

// targetsOf returns the sorted keys that a component's package has.
func (b *builder) targetsOf(c *ComponentSpec) []string {
	set := map[string]bool{}
	if b.offered(c) {
		for at := range b.places {
			if at.archive == c.Archive {
				set[at.target] = true
			}
		}
		if c.DocsFallback {
			for _, host := range b.hosts() {
				if _, ok := b.fallback(c, host); ok {
					set[host] = true
				}
			}
		}
	}
	var declared []targets.Triple
	switch c.Scope {
	case ScopeHost:
		declared = b.plan.Hosts
	case ScopeTarget:
		declared = b.plan.Targets
	case ScopeNone:
		if len(b.plan.Hosts) > 0 {
			set[AnyTarget] = true
		}
	}
	for _, t := range declared {
		set[t.String()] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// hosts returns the sorted hosts of the channel: those that are declared, and
// those that rustc was built for.
func (b *builder) hosts() []string {
	set := map[string]bool{}
	for at := range b.places {
		if at.archive == rustcPackage || at.archive == rustPackage {
			set[at.target] = true
		}
	}
	for _, t := range b.plan.Hosts {
		set[t.String()] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// docsFallbacks say whose documentation a host without its own gets. As in
// build-manifest, only the parts of the host's name count.
var docsFallbacks = [...]struct{ part, from string }{
	{"apple", "aarch64-apple-darwin"},
	{"aarch64", "aarch64-unknown-linux-gnu"},
	{"arm", "aarch64-unknown-linux-gnu"},
	{"", "x86_64-unknown-linux-gnu"},
}

// fallback returns the first archive that exists of those that replace target's.
func (b *builder) fallback(c *ComponentSpec, target string) (PackageTarget, bool) {
	parts := strings.Split(target, "-")
	for _, f := range docsFallbacks {
		if f.part != "" && !slices.Contains(parts, f.part) {
			continue
		}
		if t, ok := b.archive(c, f.from); ok {
			return t, true
		}
	}
	return PackageTarget{}, false
}

// Packages that the rules name.
const (
	rustPackage  = "rust"
	rustcPackage = "rustc"
)

// addRust adds the package that says what each host consists of.
func (b *builder) addRust() {
	p := Package{
		Version: b.text(), CommitHash: b.plan.Version.CommitHash, Targets: map[string]PackageTarget{},
	}
	for _, host := range b.hosts() {
		t, combined := b.places[place{rustPackage, host}]
		if _, rustc := b.places[place{rustcPackage, host}]; combined || rustc {
			for i := range b.specs {
				b.channel.list(&t, &b.specs[i], host, b.hosts())
			}
		}
		p.Targets[host] = t
	}
	if len(p.Targets) > 0 {
		b.channel.Packages[rustPackage] = p
	}
}

// list adds one component to what a host consists of or can be extended by. The
// channel must know it for the target; it need not be available.
func (c *Channel) list(t *PackageTarget, spec *ComponentSpec, host string, hosts []string) {
	if spec.listing == unlisted {
		return
	}
	known := c.Packages[spec.Package].Targets
	own := host
	if spec.Scope == ScopeNone {
		own = AnyTarget
	}
	_, has := known[own]
	switch {
	case has && spec.listing == required:
		t.Components = append(t.Components, ComponentRef{spec.Package, own})
	case has && !spec.everyTarget:
		t.Extensions = append(t.Extensions, ComponentRef{spec.Package, own})
	}
	if spec.own && !spec.everyTarget {
		for _, target := range slices.Sorted(maps.Keys(known)) {
			if target != own && target != AnyTarget && !slices.Contains(hosts, target) {
				t.Extensions = append(t.Extensions, ComponentRef{spec.Package, target})
			}
		}
	}
	if !spec.everyTarget || spec.Scope == ScopeMinGW && !has {
		return
	}
	for _, target := range slices.Sorted(maps.Keys(known)) {
		if target != own || spec.listing == optional {
			t.Extensions = append(t.Extensions, ComponentRef{spec.Package, target})
		}
	}
}

// addSources lists the source archives, which no component installs.
func (b *builder) addSources() {
	var files []Download
	for _, f := range Formats() {
		for _, a := range b.sources {
			if a.Format == f && a.Source == SourcePlain {
				files = append(files, b.download(a))
			}
		}
	}
	if files != nil {
		b.channel.Artifacts = map[string]map[string][]Download{"source-code": {AnyTarget: files}}
	}
}

// addRenames lets users say "rustfmt" for every package that is there.
func (b *builder) addRenames() {
	for _, c := range b.specs {
		if _, ok := b.channel.Packages[c.Package]; !ok {
			continue
		}
		if short, ok := strings.CutSuffix(c.Package, previewSuffix); c.own && ok {
			b.channel.Renames[short] = c.Package
		} else if !c.own && c.preview() {
			b.channel.Renames[c.Archive] = c.Package
		}
	}
}

// addProfiles lists what each profile has, less the packages that the channel
// does not know at all.
func (b *builder) addProfiles() {
	var list []string
	add := func(archive string) {
		c, _ := LookupComponent(archive)
		if _, ok := b.channel.Packages[c.Package]; ok {
			list = append(list, c.Package)
		}
	}
	for _, row := range profileTable {
		for _, archive := range row.archives {
			add(archive)
		}
		if row.name == profileComplete && b.plan.Version.Channel() == channelNightly {
			add("rustc-dev")
		}
		b.channel.Profiles[row.name] = slices.Clone(list)
	}
}

// targetKey returns the key of a target in a channel: "*" for none.
func targetKey(t targets.Triple) string {
	if t.IsZero() {
		return AnyTarget
	}
	return t.String()
}

// urlProblem returns what rustup wants a URL to be, or "" if it is that.
func urlProblem(s string) string {
	const want = "an absolute http, https or file URL"
	u, err := url.Parse(s)
	if err != nil || u.Opaque != "" || u.Fragment != "" || hasControl(s) {
		return want
	}
	switch u.Scheme {
	case "http", "https":
		if u.Host == "" {
			return want
		}
	case "file":
		if u.Host != "" && u.Host != "localhost" || !strings.HasPrefix(u.Path, "/") {
			return want
		}
	default:
		return want
	}
	return ""
}
