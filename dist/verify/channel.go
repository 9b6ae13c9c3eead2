package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"x.go/manifests"
)

const (
	maxManifest = 64 << 20 // bytes; the nightly manifest has 1 MB
	maxSideFile = 1 << 10
)

// channelFile is a channel manifest that was read.
type channelFile struct {
	at      string // path or URL
	data    []byte
	channel *manifests.Channel
	subject *subject
}

// channels checks the manifests: each by itself and against the files that it
// names, then those of one folder against each other.
func (r *run) channels(ctx context.Context) error {
	var read []channelFile
	for _, at := range r.in.manifests {
		r.progress(Event{Group: Channel, Subject: path.Base(at)})
		c := channelFile{at: at, subject: newSubject(path.Base(at), channelReadable, channelValid, channelChecksum)}
		if err := r.readChannel(ctx, &c); err != nil {
			return err
		}
		if c.channel != nil {
			if err := r.downloads(ctx, &c); err != nil {
				return err
			}
			r.sideFiles(ctx, &c)
			r.offered(&c)
			read = append(read, c)
		}
		r.add(c.subject)
		r.progress(Event{Group: Channel, Subject: path.Base(at), Done: true})
	}
	r.add(aliases(read)...)
	return ctx.Err()
}

// readChannel reads and judges one manifest and its .sha256.
func (r *run) readChannel(ctx context.Context, c *channelFile) error {
	s := c.subject
	var err error
	if c.data, err = fetch(ctx, c.at, maxManifest); err != nil {
		s.failf(channelReadable, "%v", err)
		return ctx.Err()
	}
	sum, err := fetch(ctx, c.at+".sha256", maxChecksum)
	if err != nil {
		s.failf(channelChecksum, "%v", err)
	} else {
		for _, why := range badChecksum(sum, path.Base(c.at), sha256.Sum256(c.data)) {
			s.failf(channelChecksum, "%s", why)
		}
	}
	r.in.check(c.at + ".sha256")
	channel, findings := manifests.CheckChannel(c.data)
	c.channel = channel
	check := channelValid
	if channel == nil {
		check = channelReadable
	}
	for _, f := range findings {
		s.failf(check, "%v", f)
	}
	return ctx.Err()
}

// downloads demands each offered file with its hash, and the version inside.
func (r *run) downloads(ctx context.Context, c *channelFile) error {
	s := c.subject
	s.declare(channelPresent)
	s.declare(channelHash)
	s.declare(channelVersion)
	count := 0
	seen := map[string]bool{}
	for _, name := range sortedKeys(c.channel.Packages) {
		pkg := c.channel.Packages[name]
		for _, target := range sortedKeys(pkg.Targets) {
			if !pkg.Targets[target].Available {
				continue
			}
			for _, d := range pkg.Targets[target].Downloads() {
				if seen[d.URL] {
					continue // a documentation archive may serve several targets
				}
				seen[d.URL] = true
				count++
				if err := r.download(ctx, c, pkg, d); err != nil {
					return err
				}
			}
		}
	}
	s.notef(channelPresent, "%d files", count)
	return nil
}

// download checks one file.
func (r *run) download(ctx context.Context, c *channelFile, pkg manifests.Package, d manifests.Download) error {
	s := c.subject
	where, local, why := locate(c.at, d.URL)
	if why != "" {
		s.skipf(channelPresent, "%s", why)
		return nil
	}
	var sum manifests.Hash
	if a, ok := r.digest[where]; ok && local {
		sum = a.Digest
		if v, ok := a.Texts["version"]; ok && strings.TrimSpace(string(v)) != pkg.Version {
			s.failf(channelVersion, "%s holds version %.80q, the manifest says %q", a.file, strings.TrimSpace(string(v)), pkg.Version)
		}
	} else {
		var err error
		if sum, err = hashOf(ctx, where); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			s.failf(channelPresent, "%v", err)
			return nil
		}
	}
	if sum != d.Hash {
		s.failf(channelHash, "%s has %s, the manifest says %s", path.Base(d.URL), sum, d.Hash)
	}
	return nil
}

// locate says where the file behind a URL of the manifest at can be read. A
// file beside a manifest on disk is taken before one on the network: before
// publication the URLs do not answer yet. rustup does likewise rewrite
// [manifests.OfficialServer] to the server that it is told.
func locate(at, target string) (where string, local bool, why string) {
	if p, ok := filePath(target); ok {
		return p, true, ""
	}
	if isURL(at) {
		base, ok := filePath(at)
		if !ok {
			return rewrite(at, target), false, ""
		}
		at = base
	}
	beside := filepath.Join(filepath.Dir(at), path.Base(target))
	if _, err := os.Stat(beside); err == nil {
		return beside, true, ""
	}
	return "", false, fmt.Sprintf("%s is not beside the manifest, and other servers are asked only for a manifest given by URL", path.Base(target))
}

// rewrite does what rustup does with a URL of a manifest from another server.
func rewrite(at, target string) string {
	rest, ok := strings.CutPrefix(target, manifests.OfficialServer)
	if !ok || strings.HasPrefix(at, manifests.OfficialServer) {
		return target
	}
	server, _, ok := strings.Cut(at, "/dist/")
	if !ok {
		return target
	}
	return server + rest
}

// filePath is the path of a file:// URL.
func filePath(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "file" || u.Host != "" && u.Host != "localhost" {
		return "", false
	}
	return filepath.FromSlash(u.Path), true
}

// sideFiles compares the texts beside a manifest, if they are there.
func (r *run) sideFiles(ctx context.Context, c *channelFile) {
	s := c.subject
	s.declare(channelSide)
	stem := strings.TrimSuffix(c.at, ".toml")
	for _, f := range []struct{ suffix, want string }{
		{"-date.txt", c.channel.Date},
		{"-git-commit-hash.txt", c.channel.Packages["rust"].CommitHash},
	} {
		b, err := fetch(ctx, stem+f.suffix, maxSideFile)
		if err != nil {
			continue // promote-release's, not rustup's
		}
		name := path.Base(stem + f.suffix)
		if got := strings.TrimSuffix(string(b), "\n"); got != f.want && f.want != "" {
			s.failf(channelSide, "%s says %.80q, the manifest %q", name, got, f.want)
		}
		sum, err := fetch(ctx, stem+f.suffix+".sha256", maxChecksum)
		if err == nil {
			for _, why := range badChecksum(sum, name, sha256.Sum256(b)) {
				s.failf(channelSide, "%s.sha256: %s", name, why)
			}
		}
		r.in.check(stem + f.suffix)
		r.in.check(stem + f.suffix + ".sha256")
	}
}

// offered demands that an archive beside the manifest be reachable through it.
func (r *run) offered(c *channelFile) {
	s := c.subject
	if isURL(c.at) {
		return
	}
	s.declare(channelUnlisted)
	names := map[string]bool{}
	for _, pkg := range c.channel.Packages {
		for _, t := range pkg.Targets {
			for _, d := range t.Downloads() {
				names[path.Base(d.URL)] = true
			}
		}
	}
	for _, kinds := range c.channel.Artifacts {
		for _, files := range kinds {
			for _, d := range files {
				names[path.Base(d.URL)] = true
			}
		}
	}
	for _, p := range r.packs {
		spec := p.name.Component
		if !p.known || names[p.file] || filepath.Dir(p.Path) != filepath.Dir(c.at) || spec.Package == "" || spec.NightlyOnly || p.isCombined() {
			continue
		}
		if v, ok := p.Texts["version"]; ok && !spec.OwnVersion && strings.TrimSpace(string(v)) != c.channel.Packages["rust"].Version {
			continue // of another release
		}
		s.failf(channelUnlisted, "%s is not offered", p.file)
	}
}

// aliases compares the manifests of one release: stable, 1.95.0 and 1.95 are
// names for the same text.
func aliases(read []channelFile) []*subject {
	groups := map[string][]channelFile{}
	for _, c := range read {
		key := path.Dir(filepath.ToSlash(c.at)) + " " + c.channel.Packages["rust"].Version
		groups[key] = append(groups[key], c)
	}
	var out []*subject
	for _, key := range sortedKeys(groups) {
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

// directHTTP goes to the address given: the default client would ask the
// environment for a proxy.
var directHTTP = &http.Client{Transport: &http.Transport{ResponseHeaderTimeout: time.Minute}}

// open opens a path, a file:// or an http(s) URL.
func open(ctx context.Context, at string) (io.ReadCloser, error) {
	if p, ok := filePath(at); ok {
		at = p
	}
	if !isURL(at) {
		return os.Open(at)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, fmt.Errorf("fetching %q: %w", at, err)
	}
	// Archives are wanted as they are, not unpacked by the transport.
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := directHTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetching: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("fetching %q: got status %s, want 200", at, resp.Status)
	}
	return resp.Body, nil
}

// fetch reads a small file from a path or URL.
func fetch(ctx context.Context, at string, limit int64) ([]byte, error) {
	f, err := open(ctx, at)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", at, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("reading %q: more than %s", at, byteCount(limit))
	}
	return b, nil
}

// hashOf reads a whole file or download for its digest.
func hashOf(ctx context.Context, at string) (manifests.Hash, error) {
	f, err := open(ctx, at)
	if err != nil {
		return manifests.Hash{}, err
	}
	defer f.Close()
	h := sha256.New()
	in := readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return f.Read(p)
	})
	if _, err := io.Copy(h, in); err != nil {
		return manifests.Hash{}, fmt.Errorf("reading %q: %w", at, err)
	}
	return manifests.Hash(h.Sum(nil)), nil
}

// readerFunc is an [io.Reader] made of a function.
type readerFunc func([]byte) (int, error)

// Read implements [io.Reader].
func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// leaveManifests marks what belongs to manifests as looked at where the group
// that would do so was not chosen.
func (in *input) leaveManifests() {
	for _, m := range in.manifests {
		stem := strings.TrimSuffix(m, ".toml")
		for _, other := range in.others {
			if strings.HasPrefix(other, stem) {
				in.check(other)
			}
		}
	}
}
