package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"x.go/dist"
	"x.go/dist/channel"
	"x.go/manifests"
)

// maxSideFile bounds a date or a commit, in bytes.
const maxSideFile = 1 << 10

// channelFile is a channel manifest that was read.
type channelFile struct {
	at      string // path or URL
	data    []byte
	channel *manifests.Channel
	subject *subject
	rules   []channel.Redirect // of the files that other servers have
	away    []string           // the places of such files
}

// channelGroup checks the manifests: each by itself and against the files that it
// names, then those of one directory against each other.
type channelGroup struct{ *run }

func (g channelGroup) verify(ctx context.Context) error {
	var read []channelFile
	for _, at := range g.in.manifests {
		g.progress(Event{Group: Channel, Subject: path.Base(at)})
		c := channelFile{at: at, subject: newSubject(path.Base(at), channelReadable, channelValid, channelChecksum)}
		if err := g.readChannel(ctx, &c); err != nil {
			return err
		}
		if c.channel != nil {
			read = append(read, c)
			continue
		}
		g.add(c.subject)
		g.progress(Event{Group: Channel, Subject: path.Base(at), Done: true})
	}
	offered := offeredFiles(read)
	for i := range read {
		c := &read[i]
		if err := g.downloads(ctx, c); err != nil {
			return err
		}
		g.sideFiles(ctx, c)
		g.provenance(ctx, c)
		g.offered(c, offered)
		c.named()
		g.add(c.subject)
		g.progress(Event{Group: Channel, Subject: path.Base(c.at), Done: true})
	}
	g.add(aliases(read)...)
	g.add(g.checksums(ctx, read)...)
	return ctx.Err()
}

// text reads a small file of a channel, as it will be public.
func (r *run) text(ctx context.Context, at string, limit int64) ([]byte, error) {
	if text, ok := r.opts.Public[path.Base(filepath.ToSlash(at))]; ok {
		return text, nil
	}
	return channel.Fetch(ctx, at, limit)
}

// readChannel reads and judges one manifest and its .sha256.
func (g channelGroup) readChannel(ctx context.Context, c *channelFile) error {
	s := c.subject
	var err error
	if c.data, err = g.text(ctx, c.at, manifests.MaxChannel); err != nil {
		s.failf(channelReadable, "%v", err)
		return ctx.Err()
	}
	sum, err := g.text(ctx, c.at+".sha256", maxChecksum)
	if err != nil {
		s.failf(channelChecksum, "%v", err)
	} else {
		for _, why := range badChecksum(sum, path.Base(c.at), sha256.Sum256(c.data)) {
			s.failf(channelChecksum, "%s", why)
		}
	}
	g.in.check(c.at + ".sha256")
	g.signature(ctx, s, c.at, c.data)
	m, findings, ignored := manifests.CheckChannel(c.data)
	c.channel = m
	check := channelValid
	if m == nil {
		check = channelReadable
	}
	for _, f := range findings {
		s.failf(check, "%v", f)
	}
	if len(ignored) > 0 {
		s.notef(check, "%s", ignoredNote(ignored))
	}
	return ctx.Err()
}

// maxIgnored is how many unknown keys a note names.
const maxIgnored = 5

// ignoredNote names the keys that no reader knows.
func ignoredNote(ignored manifests.Findings) string {
	var names []string
	for _, f := range ignored[:min(len(ignored), maxIgnored)] {
		names = append(names, fmt.Sprintf("%s (line %d)", f.Path, f.Line))
	}
	note := "unknown keys, which rustup ignores: " + strings.Join(names, ", ")
	if more := len(ignored) - len(names); more > 0 {
		note += fmt.Sprintf(" and %d more", more)
	}
	return note
}

// downloads requires each offered file to be there, with the hash and the version
// that the manifest gives.
func (g channelGroup) downloads(ctx context.Context, c *channelFile) error {
	s := c.subject
	s.declare(channelPresent)
	s.declare(channelHash)
	s.declare(channelVersion)
	here := c.places()
	if err := c.redirects(); err != nil {
		s.failf(channelPresent, "%v", err)
	}
	count := 0
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.channel.Packages)) {
		pkg := c.channel.Packages[name]
		for _, target := range slices.Sorted(maps.Keys(pkg.Targets)) {
			if !pkg.Targets[target].Available {
				continue
			}
			for _, d := range pkg.Targets[target].Downloads() {
				if seen[d.URL] {
					continue // a documentation archive may serve several targets
				}
				seen[d.URL] = true
				count++
				if err := g.download(ctx, c, pkg, d, here); err != nil {
					return err
				}
			}
		}
	}
	s.notef(channelPresent, "%d files", count)
	if g.opts.AskElsewhere && len(c.away) > 0 {
		return g.askElsewhere(ctx, c)
	}
	return nil
}

// maxAsked is how many files are asked for at once.
const maxAsked = 8

// askElsewhere asks other servers for the files that clients are sent to them for.
func (g channelGroup) askElsewhere(ctx context.Context, c *channelFile) error {
	errs := make([]error, len(c.away))
	var asking errgroup.Group
	asking.SetLimit(maxAsked)
	for i, place := range c.away {
		asking.Go(func() error {
			errs[i] = channel.Ask(ctx, place)
			return ctx.Err()
		})
	}
	if err := asking.Wait(); err != nil {
		return err
	}
	for _, err := range errs {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			c.subject.failf(channelPresent, "%v", err)
		case err != nil:
			c.subject.skipf(channelPresent, "%v", err)
		}
	}
	c.subject.notef(channelPresent, "%d of them are on other servers, which have them: their digests were not checked", len(c.away))
	return nil
}

// redirects reads the rules beside a manifest on disk.
func (c *channelFile) redirects() error {
	local, ok := channel.LocalPath(c.at)
	if !ok {
		return nil
	}
	data, err := dist.ReadFile(filepath.Join(filepath.Dir(local), channel.RedirectsFile), manifests.MaxChannel)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		c.rules, err = channel.ParseRedirects(data)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", channel.RedirectsFile, dist.WithoutPath(err))
	}
	return nil
}

// places returns the directories of URLs of which some file is there: the others
// are missing, and not elsewhere.
func (c *channelFile) places() map[string]bool {
	here := map[string]bool{}
	for _, pkg := range c.channel.Packages {
		for _, t := range pkg.Targets {
			for _, d := range t.Downloads() {
				if _, err := channel.Locate(c.at, d.URL); err == nil {
					here[path.Dir(d.URL)] = true
				}
			}
		}
	}
	return here
}

// urlFile is the name of the file at a URL.
func urlFile(url string) string {
	file, _, _ := strings.Cut(path.Base(url), "?")
	return file
}

// download checks one file. here are the directories of URLs that are on disk.
func (g channelGroup) download(ctx context.Context, c *channelFile, pkg manifests.Package, d manifests.Download, here map[string]bool) error {
	s := c.subject
	where, err := channel.Locate(c.at, d.URL)
	if to, ok := channel.RedirectFor(c.rules, strings.TrimPrefix(d.URL, manifests.OfficialServer+"/")); err != nil && ok {
		if c.away = append(c.away, to); !g.opts.AskElsewhere {
			s.skipf(channelPresent, "%s is at %q, which is not asked", urlFile(d.URL), to)
		}
		return nil
	}
	if absent, ok := errors.AsType[*channel.AbsentError](err); ok && !absent.Missing && !here[path.Dir(d.URL)] {
		s.skipf(channelPresent, "%v", err)
		return nil
	} else if ok {
		s.failf(channelPresent, "%v", &channel.AbsentError{Name: absent.Name, Missing: true})
		return nil
	}
	if err != nil {
		s.failf(channelPresent, "%v", err)
		return nil
	}
	var sum manifests.Hash
	if a, ok := g.digest[where]; ok {
		sum = a.Digest
		if v, ok := a.Texts["version"]; ok && strings.TrimSpace(string(v)) != pkg.Version {
			s.failf(channelVersion, "%s holds version %.80q, the manifest says %q", a.file, strings.TrimSpace(string(v)), pkg.Version)
		}
	} else if sum, err = channel.Hash(ctx, where); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.failf(channelPresent, "%v", err)
		return nil
	}
	if sum != d.Hash {
		s.failf(channelHash, "%s has %s, the manifest says %s", urlFile(d.URL), sum, d.Hash)
	}
	return nil
}

// sideFiles compares the texts beside a manifest with it. They may be missing:
// promote-release writes them, and rustup does not read them.
func (g channelGroup) sideFiles(ctx context.Context, c *channelFile) {
	s := c.subject
	s.declare(channelSide)
	stem := strings.TrimSuffix(c.at, ".toml")
	for _, f := range []struct{ suffix, want string }{
		{"-date.txt", c.channel.Date},
		{"-git-commit-hash.txt", c.channel.Packages["rust"].CommitHash},
	} {
		b, err := g.text(ctx, stem+f.suffix, maxSideFile)
		if err != nil {
			continue
		}
		name := path.Base(stem + f.suffix)
		if got := strings.TrimSuffix(string(b), "\n"); got != f.want && f.want != "" {
			s.failf(channelSide, "%s says %.80q, the manifest %q", name, got, f.want)
		}
		sum, err := g.text(ctx, stem+f.suffix+".sha256", maxChecksum)
		if err == nil {
			for _, why := range badChecksum(sum, name, sha256.Sum256(b)) {
				s.failf(channelSide, "%s.sha256: %s", name, why)
			}
		}
		g.in.check(stem + f.suffix)
		g.in.check(stem + f.suffix + ".sha256")
	}
}

// offeredFiles returns the names of the files that manifests offer, by the directory of
// the manifest.
func offeredFiles(read []channelFile) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for _, c := range read {
		dir := filepath.Dir(c.at)
		if all[dir] == nil {
			all[dir] = map[string]bool{}
		}
		for _, d := range c.channel.Downloads() {
			all[dir][urlFile(d.URL)] = true
		}
	}
	return all
}

// offered requires a manifest of the directory to offer each archive beside this one, of
// its release: rustup finds no other. A day has channels of several releases.
func (g channelGroup) offered(c *channelFile, offered map[string]map[string]bool) {
	s := c.subject
	if channel.IsURL(c.at) {
		return
	}
	s.declare(channelUnlisted)
	dir := filepath.Dir(c.at)
	dated := filepath.Join(dir, c.channel.Date)
	names := offered[dir]
	for _, p := range g.packs {
		spec := p.name.Component
		if !p.known || names[p.file] || filepath.Dir(p.path) != dir && filepath.Dir(p.path) != dated || spec.Package == "" || spec.NightlyOnly || p.isCombined() {
			continue
		}
		if v, ok := p.Texts["version"]; ok && !spec.OwnVersion && strings.TrimSpace(string(v)) != c.channel.Packages["rust"].Version {
			continue // of another release
		}
		s.failf(channelUnlisted, "%s is not offered", p.file)
	}
}

// nameOfChannel is the name by which rustup asks for the manifest at a place.
func nameOfChannel(at string) string {
	return strings.TrimSuffix(strings.TrimPrefix(path.Base(filepath.ToSlash(at)), "channel-rust-"), ".toml")
}

// named requires a channel to hold what its name promises.
func (c *channelFile) named() {
	s := c.subject
	s.declare(channelName)
	name := nameOfChannel(c.at)
	version := c.channel.Packages["rust"].Version
	release, _, _ := strings.Cut(version, " ")
	if !manifests.IsChannelName(name) || release == "" {
		return
	}
	base, pre, _ := strings.Cut(release, "-")
	pre, _, _ = strings.Cut(pre, ".")
	ok := true
	switch name {
	case "stable":
		ok = pre == ""
	case "beta", "nightly":
		ok = pre == name
	default:
		wanted, wantedPre, isPre := strings.Cut(name, "-")
		ok = (base == wanted || strings.HasPrefix(base, wanted+".")) && isPre == (pre != "") &&
			(wantedPre == pre || base+"-"+wantedPre == release)
	}
	if names, named, _, err := c.channel.PublicNames(); !ok && err == nil && !manifests.IsChannelName(named) {
		ok = slices.Contains(names, name) // rustup cannot ask for its own: dev, 1.88.0.0
	}
	if !ok {
		s.failf(channelName, "the manifest of %q is of release %.80q", name, version)
	}
}

// aliases compares the manifests of one release: stable, 1.95.0 and 1.95 name the
// same text.
func aliases(read []channelFile) []*subject {
	groups := map[string][]channelFile{}
	for _, c := range read {
		key := path.Dir(filepath.ToSlash(c.at)) + " " + c.channel.Packages["rust"].Version
		groups[key] = append(groups[key], c)
	}
	var out []*subject
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		group := groups[key]
		if len(group) < 2 {
			continue
		}
		s := newSubject(path.Base(group[0].at), channelAliases)
		for _, c := range group[1:] {
			if !bytes.Equal(c.data, group[0].data) {
				s.failf(channelAliases, "%s differs from %s, which is of the same release", path.Base(c.at), path.Base(group[0].at))
			}
		}
		out = append(out, s)
	}
	return out
}
