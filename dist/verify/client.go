package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/dist/channel"
	"x.go/manifests"
	"x.go/targets"
)

// client tests one channel with the real rustup, in homes of its own and with a
// server of its own.
type client struct {
	r       *run
	rustup  string
	host    targets.Triple
	server  *channel.Server
	name    string // of the toolchain, "stable"
	channel *manifests.Channel
	label   string
	homes   int
}

// clientGroup runs the real client against the channels.
type clientGroup struct{ *run }

// verify tests each directory's channel once: aliases of one release are the same
// text.
func (g clientGroup) verify(ctx context.Context) error {
	done := map[string]bool{}
	for _, at := range g.in.manifests {
		c := &client{r: g.run, rustup: g.opts.Rustup, name: nameOfChannel(at), label: path.Base(filepath.ToSlash(at))}
		if !manifests.IsChannelName(c.name) {
			c.skip(fmt.Sprintf("rustup asks for no channel %q", c.name))
			continue
		}
		data, err := g.text(ctx, at, manifests.MaxChannel)
		if err != nil {
			c.fail(err)
			continue
		}
		m, findings, _ := manifests.CheckChannel(data)
		if m == nil {
			c.fail(findings)
			continue
		}
		release := path.Dir(filepath.ToSlash(at)) + " " + m.Packages["rust"].Version
		if done[release] {
			continue
		}
		done[release] = true
		c.channel = m
		if err := c.verify(ctx, at); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// fail notes that rustup cannot install from a manifest that cannot be read.
func (c *client) fail(err error) {
	s := newSubject(c.label)
	s.failf(clientInstall, "%v", err)
	c.r.add(s)
}

// verify tests the channel whose manifest is at a place.
func (c *client) verify(ctx context.Context, at string) error {
	if c.rustup == "" {
		c.skip("no rustup on this machine")
		return nil
	}
	if err := c.r.needWorkspace(); err != nil {
		return err
	}
	if why := c.askHost(ctx); why != "" {
		c.skip(why)
		return nil
	}
	server, err := channel.Serve(at, c.r.opts.Public)
	if err != nil {
		return fmt.Errorf("testing rustup: %w", err)
	}
	c.server = server
	err = errors.Join(c.profiles(ctx), c.parts(ctx), c.update(ctx, c.label))
	return errors.Join(err, server.Close())
}

// skip leaves out all of a channel's checks.
func (c *client) skip(why string) {
	s := newSubject(c.label)
	s.skipf(clientInstall, "%s", why)
	c.r.add(s)
}

// home is a pair of empty homes for one rustup.
type home struct {
	c   *client
	dir string
}

func (c *client) newHome() (*home, error) {
	c.homes++
	dir := filepath.Join(c.r.work.dir, fmt.Sprintf("client-%s-%d", c.name, c.homes))
	if err := os.MkdirAll(filepath.Join(dir, "home"), 0o755); err != nil {
		return nil, fmt.Errorf("creating a home for rustup: %w", err)
	}
	return &home{c, dir}, nil
}

// run runs rustup with nothing of the caller's environment.
func (h *home) run(ctx context.Context, args ...string) result {
	env := []string{
		"PATH=" + h.c.r.opts.SearchPath, "HOME=" + filepath.Join(h.dir, "home"), "LC_ALL=C", "TZ=UTC",
		"RUSTUP_HOME=" + filepath.Join(h.dir, "rustup"), "CARGO_HOME=" + filepath.Join(h.dir, "cargo"),
		"RUSTUP_TERM_COLOR=never", "TMPDIR=" + filepath.Join(h.dir, "home"),
	}
	if h.c.server != nil {
		env = append(env, "RUSTUP_DIST_SERVER="+h.c.server.URL())
		env = append(env, proxyEnv(os.Environ())...)
	}
	return command{path: h.c.rustup, args: args, dir: h.dir, env: env}.run(ctx)
}

// proxyEnv returns the variables that lead rustup to the servers that a manifest
// names, but not to the one of this process.
func proxyEnv(environ []string) []string {
	var out []string
	without := "127.0.0.1"
	for _, v := range environ {
		key, value, _ := strings.Cut(v, "=")
		switch strings.ToLower(key) {
		case "http_proxy", "https_proxy", "all_proxy":
			out = append(out, v)
		case "no_proxy":
			without += "," + value
		}
	}
	if len(out) > 0 {
		out = append(out, "NO_PROXY="+without, "no_proxy="+without)
	}
	return out
}

// install installs the toolchain by a profile.
func (h *home) install(ctx context.Context, profile string) result {
	return h.run(ctx, "toolchain", "install", h.c.name, "--no-self-update", "--profile", profile)
}

// prefix is where rustup installed the toolchain.
func (h *home) prefix() string {
	return filepath.Join(h.dir, "rustup", "toolchains", h.c.name+"-"+h.c.host.String())
}

func (h *home) close() error { return removeTree(h.dir) }

// askHost asks rustup for its host. why is the reason to skip the channel: it has
// no toolchain for that host.
func (c *client) askHost(ctx context.Context) (why string) {
	h, err := c.newHome()
	if err != nil {
		return err.Error()
	}
	r := h.run(ctx, "show")
	for line := range strings.Lines(r.output) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "Default host: "); ok {
			if c.host, err = targets.ParseTriple(text); err != nil {
				return err.Error()
			}
		}
	}
	if c.host.IsZero() {
		return "asking rustup for its host: " + r.why()
	}
	if _, ok := c.channel.Packages["rust"].Targets[c.host.String()]; !ok {
		return fmt.Sprintf("the channel has no toolchain for this machine, %s", c.host)
	}
	if err := h.close(); err != nil {
		return err.Error()
	}
	return ""
}

// refusal is rustup's own words about a failure.
func refusal(r result) string {
	for line := range strings.Lines(r.output) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "error:") || strings.Contains(line, "panicked") {
			return "rustup refuses: " + manifests.Redact(line)
		}
	}
	return "rustup failed: " + manifests.Redact(r.why())
}

// profiles installs each profile into an empty home and, if that brings a
// compiler, links a program with it.
func (c *client) profiles(ctx context.Context) error {
	names := slices.Sorted(maps.Keys(c.channel.Profiles))
	if len(names) == 0 {
		names = []string{"default"}
	}
	for _, profile := range names {
		s := newSubject(c.label+" "+profile, clientInstall)
		c.r.progress(Event{Group: Client, Subject: "install " + profile})
		h, err := c.newHome()
		if err != nil {
			return err
		}
		if r := h.install(ctx, profile); !r.ok() {
			s.failf(clientInstall, "%s", refusal(r))
		} else if why := c.links(ctx, h); why != "" {
			s.failf(clientInstall, "%s", why)
		}
		c.r.add(s)
		c.r.progress(Event{Group: Client, Subject: "install " + profile, Done: true})
		if err := errors.Join(h.close(), ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

// links compiles and runs a program with what rustup installed.
func (c *client) links(ctx context.Context, h *home) string {
	t := &toolchain{prefix: h.prefix(), home: filepath.Join(h.dir, "home"), search: c.r.opts.SearchPath}
	t.box = c.r.newBox(t.prefix, t.home)
	if !isExecutable(t.path("bin", "rustc")) {
		return "" // the checks of the tree say so
	}
	s := newSubject("")
	if err := t.probe(ctx, s); err != nil {
		return "the installed compiler does not run: " + err.Error()
	}
	if t.ccError != nil {
		return ""
	}
	b := &bench{toolchain: t, dir: t.home}
	linked := b.linkProgram(ctx, t, helloProgram)
	if linked.failure != "" {
		return "the installed compiler does not link: " + linked.failure
	}
	for _, p := range linked.products {
		if r := (command{path: p.path, dir: t.home, env: t.env(), box: t.box}).run(ctx); !r.ok() || r.output != p.want {
			return "a program of the installed compiler does not run: " + r.why()
		}
	}
	return ""
}

// smallest is the profile with the fewest packages.
func (c *client) smallest() string {
	if _, ok := c.channel.Profiles["minimal"]; ok || len(c.channel.Profiles) == 0 {
		return "minimal"
	}
	return slices.Sorted(maps.Keys(c.channel.Profiles))[0]
}

// parts adds and removes every component for the host, and one target.
func (c *client) parts(ctx context.Context) error {
	add := newSubject(c.label, clientAdd)
	remove := newSubject(c.label, clientRemove)
	target := newSubject(c.label) // its check is declared when there is a target
	h, err := c.newHome()
	if err != nil {
		return err
	}
	if r := h.install(ctx, c.smallest()); !r.ok() {
		return errors.Join(h.close(), ctx.Err()) // reported by profiles
	}
	offered := c.channel.Packages["rust"].Targets[c.host.String()]
	tried := 0
	for _, ref := range slices.Concat(offered.Components, offered.Extensions) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if t, err := c.channel.Lookup(manifests.ComponentRef(ref)); err != nil || !t.Available {
			continue
		}
		if ref.Package == "rust-std" && ref.Target != c.host.String() {
			if target.names == nil {
				c.target(ctx, h, target, ref.Target)
			}
			continue
		}
		if h.has(ref) {
			continue
		}
		tried++
		c.r.progress(Event{Group: Client, Subject: "component " + ref.Package})
		c.part(ctx, h, add, remove, ref)
	}
	if tried > 0 {
		add.notef(clientAdd, "%d components", tried)
		c.r.add(add, remove)
	}
	c.r.add(target)
	return errors.Join(h.close(), ctx.Err())
}

// list is the file in which rustup records a component.
func (h *home) list(ref manifests.ComponentRef) string {
	name := ref.Package
	if ref.Target != manifests.AnyTarget {
		name += "-" + ref.Target
	}
	return filepath.Join(h.prefix(), "lib", "rustlib", "manifest-"+name)
}

func (h *home) has(ref manifests.ComponentRef) bool {
	_, err := os.Stat(h.list(ref))
	return err == nil
}

// part adds one component, looks for its files, and removes it again.
func (c *client) part(ctx context.Context, h *home, add, remove *subject, ref manifests.ComponentRef) {
	name := ref.Package
	if r := h.run(ctx, "component", "add", "--toolchain", c.name, name); !r.ok() {
		add.failf(clientAdd, "%s: %s", name, refusal(r))
		return
	}
	b, err := dist.ReadFile(h.list(ref), maxInventory)
	if err != nil {
		add.failf(clientAdd, "%s: rustup succeeded, but %v", name, err)
		return
	}
	if r := h.run(ctx, "component", "remove", "--toolchain", c.name, name); !r.ok() {
		remove.failf(clientRemove, "%s: %s", name, refusal(r))
		return
	}
	for line := range strings.Lines(string(b)) {
		_, rel, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		if _, err := os.Lstat(filepath.Join(h.prefix(), filepath.FromSlash(rel))); ok && err == nil {
			remove.failf(clientRemove, "%s: %s is still there", name, rel)
		}
	}
}

// target adds and removes one more target.
func (c *client) target(ctx context.Context, h *home, s *subject, triple string) {
	s.declare(clientTarget)
	for _, verb := range []string{"add", "remove"} {
		if r := h.run(ctx, "target", verb, "--toolchain", c.name, triple); !r.ok() {
			s.failf(clientTarget, "%s %s: %s", verb, triple, refusal(r))
			return
		}
	}
	if _, err := os.Stat(filepath.Join(h.prefix(), "lib", "rustlib", triple)); !errors.Is(err, fs.ErrNotExist) {
		s.failf(clientTarget, "rustup left lib/rustlib/%s behind", triple)
	}
	s.notef(clientTarget, "%s", triple)
}

// update installs what is offered now, or else from a manifest of an earlier date, and
// then offers the real one.
func (c *client) update(ctx context.Context, file string) error {
	s := newSubject(c.label, clientUpdate)
	defer func() { c.r.add(s) }()
	c.r.progress(Event{Group: Client, Subject: "update"})
	h, err := c.newHome()
	if err != nil {
		return err
	}
	r, err := c.before(ctx, h, file)
	if err != nil {
		return errors.Join(err, h.close())
	}
	if !r.ok() {
		s.skipf(clientUpdate, "the first install failed: %s", refusal(r))
		return errors.Join(h.close(), ctx.Err())
	}
	if r := h.run(ctx, "update", "--no-self-update", c.name); !r.ok() {
		s.failf(clientUpdate, "%s", refusal(r))
	} else if got, err := dist.ReadFile(filepath.Join(h.prefix(), "lib", "rustlib", "multirust-channel-manifest.toml"), manifests.MaxChannel); err != nil {
		s.failf(clientUpdate, "%v", err)
	} else if installed, err := manifests.ParseChannel(got); err != nil || installed.Date != c.channel.Date {
		s.failf(clientUpdate, "rustup kept the manifest of the earlier date")
	}
	c.r.progress(Event{Group: Client, Subject: "update", Done: true})
	return errors.Join(h.close(), ctx.Err())
}

// before installs what users have before this channel.
func (c *client) before(ctx context.Context, h *home, file string) (result, error) {
	name := "dist/channel-rust-" + c.name + ".toml"
	if files := c.r.opts.Offered; files != nil {
		if _, err := fs.Stat(files(ctx), name); err == nil {
			return c.offered(ctx, h)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return result{}, err
		}
	}
	earlier := *c.channel
	earlier.Date = "2000-01-01"
	c.server.Override(file, earlier.Encode(manifests.DialectDist))
	defer c.server.Override(file, c.r.opts.Public[file])
	return h.install(ctx, c.smallest()), nil
}

// offered installs what is offered now, from a server of its own.
func (c *client) offered(ctx context.Context, h *home) (result, error) {
	rules, err := channel.ReadRedirects(c.r.opts.Offered(ctx))
	if err != nil {
		return result{}, err
	}
	server, err := channel.Listen(channel.Options{Listen: "127.0.0.1:0", Files: c.r.opts.Offered, Redirects: rules})
	if err != nil {
		return result{}, err
	}
	defer func(s *channel.Server) { c.server = s }(c.server)
	c.server = server
	return h.install(ctx, c.smallest()), server.Close()
}
