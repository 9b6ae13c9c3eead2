package catalog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/dist/channel"
	"x.go/manifests"
)

// Catalog is what a distribution server offers and has offered.
type Catalog struct {
	channels []*history
	server   string // its public URL, or ""
}

// history is a channel: its releases, the oldest first.
type history struct {
	name     string
	releases []*release
}

// publicURL returns the URL above dist that the list of manifests has; "" if there is
// none, or if it is that of Rust's own server, which the list of a mirror has.
func publicURL(files fs.FS) (string, error) {
	f, err := files.Open(channel.ListingFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading %q: %w", channel.ListingFile, dist.WithoutPath(err))
	}
	defer f.Close()
	text, err := dist.ReadAll(f, channel.ListingFile, manifests.MaxListing)
	if err != nil {
		return "", err
	}
	server := "https://" + channel.PublicName(string(text))
	if server == "https://" || server == manifests.OfficialServer {
		return "", nil
	}
	return server, nil
}

// PublicURL is the URL above dist by which readers know the server, as far as its own
// files say it; else "".
func (c *Catalog) PublicURL() string { return c.server }

func (h *history) newest() *release { return h.releases[len(h.releases)-1] }

// release is a manifest that was read.
type release struct {
	hash    manifests.Hash
	at      string // its manifest, below the server
	date    string
	version string
	names   []string // of its manifests: "stable", "1.95.0"
	dated   bool     // its own directory has its manifest, so that rustup can name its day
	parts   map[part]offer
	// profile are the parts that an installation has, by host: those of the profile
	// default, of minimal, or all without one.
	profile map[string][]part
	hosts   []string
	renames map[string]string // what people say, by package
	linkers map[string]string // how the toolchain of a host links, as far as it is known
}

// part is a package for a target.
type part struct{ pkg, target string }

// offer is what a release offers of a part.
type offer struct {
	available bool
	version   string
	file      string // the archive that rustup takes, below the server; "" if it is not there
	size      int64  // of the archive; -1 if it is not there
}

// reader reads a catalog.
type reader struct {
	ctx    context.Context
	files  fs.FS
	newest int
	sizes  map[string]map[string]int64 // of the files, by directory
	seen   map[manifests.Hash]*release
	by     map[string][]*release // by channel, the newest first
}

// Read reads the manifests of a distribution server's files: the undated ones, and of
// each channel the newest ones of dated directories. Those files are as a
// [channel.Dir] has them.
func Read(ctx context.Context, files fs.FS, newest int) (*Catalog, error) {
	r := &reader{ctx, files, newest, map[string]map[string]int64{}, map[manifests.Hash]*release{}, map[string][]*release{}}
	entries, err := fs.ReadDir(files, "dist")
	if err != nil {
		return nil, fmt.Errorf("reading directory dist: %w", dist.WithoutPath(err))
	}
	var dirs []string
	for _, e := range entries {
		if e.IsDir() && channel.IsDated(e.Name()) {
			dirs = append(dirs, "dist/"+e.Name())
		}
	}
	slices.Sort(dirs)
	slices.Reverse(dirs)
	for _, dir := range append([]string{"dist"}, dirs...) {
		if err := r.directory(dir); err != nil {
			return nil, err
		}
	}
	if len(r.by) == 0 {
		return nil, errors.New("reading directory dist: it has no manifest channel-rust-NAME.toml")
	}
	c := &Catalog{channels: r.channels()}
	if c.server, err = publicURL(files); err != nil {
		return nil, err
	}
	for _, h := range c.channels {
		for _, rel := range h.releases {
			limit := int64(maxAskedOld)
			if rel == h.newest() {
				limit = maxAsked
			}
			if err := r.readLinkers(rel, limit); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// directory reads the manifests of a directory.
func (r *reader) directory(dir string) error {
	for _, file := range r.names(dir) {
		name, ok := strings.CutPrefix(file, "channel-rust-")
		if name, ok2 := strings.CutSuffix(name, ".toml"); ok && ok2 && name != "" {
			if len(r.by[name]) > r.newest && dir != "dist" {
				continue
			}
			if err := r.manifest(dir, file, name); err != nil {
				return err
			}
		}
	}
	return context.Cause(r.ctx)
}

// names returns the names of the files of a directory, sorted, and keeps their sizes.
func (r *reader) names(dir string) []string {
	sizes, ok := r.sizes[dir]
	if !ok {
		sizes = map[string]int64{}
		r.sizes[dir] = sizes
		entries, _ := fs.ReadDir(r.files, dir) // a directory that is not there has no files
		for _, e := range entries {
			if info, err := e.Info(); err == nil && !e.IsDir() {
				sizes[e.Name()] = info.Size()
			}
		}
	}
	var names []string
	for name := range sizes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// manifest reads a manifest of a channel. One that cannot be read is an error: a page
// without it would not tell the truth.
func (r *reader) manifest(dir, file, name string) error {
	at := path.Join(dir, file)
	f, err := r.files.Open(at)
	if err != nil {
		return fmt.Errorf("reading manifest %q: %w", at, dist.WithoutPath(err))
	}
	data, err := dist.ReadAll(f, at, manifests.MaxChannel)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	hash := manifests.HashOf(data)
	rel := r.seen[hash]
	if rel == nil {
		m, findings, _ := manifests.CheckChannel(data)
		if m == nil {
			return fmt.Errorf("reading manifest %q: %w", at, findings)
		}
		rel = r.release(m, dir)
		rel.hash, rel.at = hash, at
		r.seen[hash] = rel
	}
	rel.dated = rel.dated || path.Base(dir) == rel.date
	if !slices.Contains(rel.names, name) {
		rel.names = append(rel.names, name)
	}
	if !slices.Contains(r.by[name], rel) {
		r.by[name] = append(r.by[name], rel)
	}
	return nil
}

// release takes from a manifest what the pages show.
func (r *reader) release(m *manifests.Channel, dir string) *release {
	rel := &release{
		date: m.Date, version: m.Packages["rust"].Version, parts: map[part]offer{}, profile: map[string][]part{},
		renames: map[string]string{}, linkers: map[string]string{},
	}
	for said, pkg := range m.Renames {
		if before, ok := rel.renames[pkg]; !ok || said < before {
			rel.renames[pkg] = said
		}
	}
	for name, p := range m.Packages {
		for target, t := range p.Targets {
			if name == "rust" {
				continue
			}
			o := offer{available: t.Available, version: p.Version, size: -1}
			o.file, o.size = r.archive(dir, t)
			rel.parts[part{name, target}] = o
		}
	}
	profile := m.Profiles["default"]
	if profile == nil {
		profile = m.Profiles["minimal"]
	}
	for host, t := range m.Packages["rust"].Targets {
		if len(t.Components) == 0 {
			continue
		}
		rel.hosts = append(rel.hosts, host)
		for _, ref := range slices.Concat(t.Components, t.Extensions) {
			if ref.Package == "rust-std" && ref.Target != host {
				continue
			}
			if _, err := m.Lookup(ref); err == nil && (slices.Contains(profile, ref.Package) || len(m.Profiles) == 0 && slices.Contains(t.Components, ref)) {
				rel.profile[host] = append(rel.profile[host], rel.partOf(ref))
			}
		}
	}
	slices.Sort(rel.hosts)
	return rel
}

// partOf finds a part by rustup's rule: a package for "*" serves every target.
func (rel *release) partOf(ref manifests.ComponentRef) part {
	if any := (part{ref.Package, manifests.AnyTarget}); rel.has(any) {
		return any
	}
	return part{ref.Package, ref.Target}
}

func (rel *release) has(p part) bool { _, ok := rel.parts[p]; return ok }

// archive finds the archive that rustup takes, and its size: -1 if it is not there.
func (r *reader) archive(dir string, t manifests.PackageTarget) (string, int64) {
	for _, f := range manifests.Preferred() {
		d := t.Download(f)
		if d.URL == "" {
			continue
		}
		places := channel.BelowDist(d.URL)
		for i := range places {
			places[i] = "dist" + places[i]
		}
		for _, at := range append(places, path.Join(dir, path.Base(d.URL)), "dist/"+path.Base(d.URL)) {
			r.names(path.Dir(at))
			if size, ok := r.sizes[path.Dir(at)][path.Base(at)]; ok {
				return at, size
			}
		}
		break // rustup tries no other
	}
	return "", -1
}

// numbered matches the names of channels that never move.
var numbered = regexp.MustCompile(`^\d`)

// channels puts the releases in order. A number is another name of a release, unless no
// moving channel has that.
func (r *reader) channels() []*history {
	moving := map[*release]bool{}
	for name, releases := range r.by {
		for _, rel := range releases {
			moving[rel] = moving[rel] || !numbered.MatchString(name)
		}
	}
	byHash := map[manifests.Hash]bool{}
	var out []*history
	for name, releases := range r.by {
		h := &history{name: name, releases: slices.Clone(releases)}
		if numbered.MatchString(name) {
			h.releases = slices.DeleteFunc(h.releases, func(rel *release) bool { return moving[rel] })
		}
		slices.SortStableFunc(h.releases, func(a, b *release) int { return strings.Compare(a.date, b.date) })
		if n := len(h.releases); n > r.newest {
			h.releases = h.releases[n-r.newest:]
		}
		if len(h.releases) > 0 {
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b *history) int { return compareChannels(a.name, b.name) })
	// 1.95 and 1.95.0 are one release: the longest name has the page.
	return slices.DeleteFunc(out, func(h *history) bool {
		hash := h.newest().hash
		again := numbered.MatchString(h.name) && byHash[hash]
		byHash[hash] = true
		return again
	})
}

// compareChannels orders channels: those that move as rustup's users know them, others,
// then numbers, the newest first.
func compareChannels(a, b string) int {
	rank := func(s string) int {
		if i := slices.Index([]string{"stable", "beta", "nightly"}, s); i >= 0 {
			return i
		}
		if numbered.MatchString(s) {
			return 4
		}
		return 3
	}
	if x, y := rank(a), rank(b); x != y {
		return x - y
	}
	if rank(a) == 4 {
		return compareNumbers(b, a)
	}
	return strings.Compare(a, b)
}

// compareNumbers orders 1.9 before 1.10.
func compareNumbers(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		if len(as[i]) != len(bs[i]) {
			return len(as[i]) - len(bs[i])
		}
		if c := strings.Compare(as[i], bs[i]); c != 0 {
			return c
		}
	}
	return len(as) - len(bs)
}
