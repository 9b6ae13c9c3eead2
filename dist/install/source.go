package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/dist/channel"
	"x.go/dist/sign"
	"x.go/manifests"
	"x.go/targets/nearest"
)

// From says what to install, and where it comes from.
type From struct {
	// Sources are paths or URLs, each of
	//   - an archive of components; the .sha256 beside it is checked, if there is one;
	//   - an unpacked archive, from which its install.sh would install;
	//   - a directory of archives, from which those for Host and Targets are taken;
	//   - a channel manifest, or a directory with one, of which a profile is installed.
	Sources []string
	Dir     string // of relative paths
	// Components, if there are any, are the only ones to install. Without are not
	// installed. Both are names that [manifests.ParseComponentID] takes.
	Components, Without []string
	Host                string   // triple of the machine that is going to run them
	Targets             []string // more triples to compile for
	Profile             string   // of a channel, such as minimal; "" is rustup's default
	// CacheDir keeps archives of servers until they are installed.
	CacheDir string
	// Keyring, if not nil, must hold the key of a signature beside each manifest: then
	// only channels are sources.
	Keyring *sign.Keyring
	// Fetching, if not nil, is called with the progress of a download; total is -1
	// if the server does not tell.
	Fetching func(name string, done, total int64)
}

// IsSource reports whether an argument names a source and not a component: it is a
// URL or a path, ends as an archive or a manifest does, or is the name of something
// in the directory dir that no component has.
func IsSource(dir, arg string) bool {
	if _, _, ok := manifests.CutFormat(arg); ok || channel.IsURL(arg) || strings.ContainsAny(arg, `/\`) || strings.HasSuffix(arg, ".toml") || arg == "." || arg == ".." {
		return true
	}
	if _, known := manifests.LookupComponent(manifests.ParseComponentID(arg).Archive); known {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, arg))
	return err == nil
}

// input is one archive, or one unpacked one.
type input struct {
	path     string
	unpacked bool
	want     *manifests.Hash // nil if nobody tells
	target   string          // of its components without one in their names, or ""
	chosen   bool            // all of its components are wanted, by the archive's name
	guess    []string        // the components that its name promises; empty if none does
	fetched  bool            // it lies in the cache, and is removed in the end
}

// check compares the digest of an archive with what is told of it.
func (in input) check(got manifests.Hash) error {
	if in.want != nil && got != *in.want {
		return fmt.Errorf("reading archive %q: got sha256 %s, want %s: it is damaged, or not the file that was meant", in.path, got, *in.want)
	}
	return nil
}

// resolver finds the inputs of a [From].
type resolver struct {
	From
	names  *selection
	inputs []input
	seen   map[string]bool // paths of inputs
	cache  *cache
	// restored are the components that are installed, if only they are wanted, by the
	// names that they have there. implied says that the caller has named none of them.
	restored []string
	implied  bool
	// profiled says that there was a channel, which has profiles; stdFor has the targets
	// that directories and channels have rust-std for.
	profiled bool
	stdFor   map[string]bool
}

func newResolver(from From, waiting func(holder string)) *resolver {
	return &resolver{From: from, names: newSelection(from.Components, from.Without), seen: map[string]bool{}, stdFor: map[string]bool{}, cache: &cache{dir: from.CacheDir, waiting: waiting}}
}

// resolve finds all inputs, and fetches those on servers.
func (r *resolver) resolve(ctx context.Context) error {
	for _, source := range r.Sources {
		if err := r.source(ctx, source); err != nil {
			return fmt.Errorf("reading source %q: %w", manifests.Redact(source), err)
		}
	}
	return r.unused()
}

// unused returns an error for what no source has been able to choose by.
func (r *resolver) unused() error {
	if r.Profile != "" && !r.profiled {
		return fmt.Errorf("choosing profile %q: only a channel has profiles: name its manifest, or components instead", r.Profile)
	}
	for _, target := range r.Targets {
		if len(r.stdFor) == 0 {
			return fmt.Errorf("choosing target %q: the sources are single archives: name that of its rust-std, too", target)
		}
		if !r.stdFor[target] {
			return fmt.Errorf("choosing target %q: the sources have no rust-std for it%s", target, nearest.Hint(target, slices.Sorted(maps.Keys(r.stdFor))))
		}
	}
	return nil
}

// errUnsigned is what a keyring makes of sources without a signed manifest.
var errUnsigned = errors.New("no signature covers it: with a keyring, name a channel manifest, or the directory of one")

// signed requires a manifest to have a signature of the keyring, if there is one.
func (r *resolver) signed(ctx context.Context, place string, data []byte) error {
	if r.Keyring == nil {
		return nil
	}
	signature, err := channel.Fetch(ctx, place+r.Keyring.Ext(), sign.MaxSignature)
	if err != nil {
		return fmt.Errorf("looking for its signature: %w", err)
	}
	_, err = r.Keyring.Check(data, signature)
	return err
}

func (r *resolver) add(in input) {
	if key := filepath.Clean(in.path); !r.seen[key] {
		r.seen[key] = true
		r.inputs = append(r.inputs, in)
	}
}

func (r *resolver) source(ctx context.Context, source string) error {
	if source == "" {
		return errors.New("it is empty: name a file, a directory or a URL")
	}
	if file, ok := strings.CutSuffix(source, manifests.ChecksumExt); ok {
		if slices.Contains(r.Sources, file) {
			return nil // a pattern named it, too; it is read with its archive
		}
		return fmt.Errorf("it is a digest: name the archive %q", manifests.Redact(file))
	}
	local, ok := channel.LocalPath(source)
	if !ok {
		return r.remote(ctx, source)
	}
	if !filepath.IsAbs(local) {
		local = filepath.Join(r.Dir, local)
	}
	info, err := os.Stat(local)
	if err != nil {
		return fmt.Errorf("%w%s", dist.WithoutPath(err), nearFiles(local))
	}
	switch {
	case info.IsDir():
		return r.directory(ctx, local)
	case strings.HasSuffix(local, ".toml"):
		return r.manifest(ctx, local)
	}
	return r.archive(ctx, local)
}

// nearFiles hints at files beside one that is not there.
func nearFiles(file string) string {
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return nearest.Hint(filepath.Base(file), names)
}

// remote takes what a server has.
func (r *resolver) remote(ctx context.Context, source string) error {
	u, err := url.Parse(source)
	if err != nil {
		return errors.New("the URL is malformed")
	}
	if strings.HasSuffix(u.Path, ".toml") {
		return r.manifest(ctx, source)
	}
	if r.Keyring != nil {
		return errUnsigned
	}
	if _, _, ok := manifests.CutFormat(u.Path); !ok {
		return fmt.Errorf("want the URL of a channel manifest or an archive, such as %s/channel-rust-stable.toml", strings.TrimSuffix(manifests.Redact(source), "/"))
	}
	want, err := checksumBeside(ctx, source)
	if err == nil && want == nil {
		err = fmt.Errorf("the server has no %s beside it, which tells its digest: download the archive yourself and name the file", path.Base(u.Path)+manifests.ChecksumExt)
	}
	if err != nil {
		return err
	}
	return r.fetch(ctx, source, *want, input{})
}

// fetch adds an archive of a server.
func (r *resolver) fetch(ctx context.Context, place string, want manifests.Hash, in input) error {
	file, err := r.cache.fetch(ctx, place, want, r.Fetching)
	in.path, in.want, in.fetched = file, &want, true
	r.add(in)
	return err
}

// maxChecksum bounds a .sha256 file, in bytes.
const maxChecksum = 4 << 10

// checksumBeside returns the digest that the .sha256 file beside a place tells, nil if
// there is none.
func checksumBeside(ctx context.Context, place string) (*manifests.Hash, error) {
	data, err := channel.Fetch(ctx, place+manifests.ChecksumExt, maxChecksum)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	want, _, err := manifests.ParseChecksum(data)
	return &want, err
}

// archive takes the archive at a path.
func (r *resolver) archive(ctx context.Context, file string) error {
	if r.Keyring != nil {
		return errUnsigned
	}
	want, err := checksumBeside(ctx, file)
	if err != nil {
		return err
	}
	in := input{path: file, want: want}
	if name, ok := parseName(filepath.Base(file)); ok {
		if name.Source != "" {
			return errors.New("an archive of sources has no component to install")
		}
		in.target, in.guess = name.Target.String(), guess(name)
	}
	r.add(in)
	return nil
}

// guess returns the names that Rust's archives give to their components.
func guess(name manifests.ArchiveName) []string {
	if _, ours := manifests.LookupComponent(name.Component.Archive); !ours {
		return nil
	}
	if name.Component.Archive != combined {
		return []string{name.Component.Dir(name.Target)}
	}
	var names []string
	for _, c := range manifests.CombinedComponents() {
		names = append(names, c.Dir(name.Target))
	}
	return names
}

// directory takes what lies in a directory: an unpacked archive, archives, a channel,
// or those of them in a directory dist.
func (r *resolver) directory(ctx context.Context, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return dist.WithoutPath(err)
	}
	var archives, channels []string
	has := map[string]bool{}
	for _, e := range entries {
		name := e.Name()
		has[name] = true
		if _, _, ok := manifests.CutFormat(name); ok {
			archives = append(archives, name)
		} else if strings.HasPrefix(name, "channel-rust-") && strings.HasSuffix(name, ".toml") {
			channels = append(channels, filepath.Join(dir, name))
		}
	}
	switch {
	case has[manifests.ComponentsFile] && has[manifests.VersionFile]:
		if r.Keyring != nil {
			return errUnsigned
		}
		r.add(input{path: dir, unpacked: true})
		return nil
	case len(archives) > 0 && (r.Profile == "" && r.Keyring == nil || len(channels) == 0):
		return r.choose(ctx, dir, archives)
	case len(channels) > 0:
		one, err := sameChannel(ctx, channels)
		if err != nil {
			return err
		}
		return r.manifest(ctx, one)
	case has["dist"]:
		return r.directory(ctx, filepath.Join(dir, "dist"))
	}
	if _, err := os.Stat(filepath.Join(dir, "lib", dist.RecordsDir)); err == nil {
		return errors.New("it is an installed toolchain: `x install --sysroot DIRECTORY` installs from one")
	}
	return errors.New("the directory has neither archives (.tar.gz, .tar.xz, .tar.zst), nor a channel manifest (channel-rust-*.toml), nor components as an unpacked archive has them")
}

// sameChannel returns the one channel that manifests are of: one manifest lies under
// several names.
func sameChannel(ctx context.Context, paths []string) (string, error) {
	var first []byte
	for i, p := range paths {
		data, err := channel.Fetch(ctx, p, manifests.MaxChannel)
		if err != nil {
			return "", err
		}
		if i == 0 {
			first = data
		} else if string(data) != string(first) {
			return "", fmt.Errorf("the directory has several channels: name the manifest of one, such as %q", p)
		}
	}
	return paths[0], nil
}

// manifest takes of a channel what rustup would.
func (r *resolver) manifest(ctx context.Context, place string) error {
	data, err := channel.Fetch(ctx, place, manifests.MaxChannel)
	if err != nil {
		return err
	}
	want, err := checksumBeside(ctx, place)
	if err != nil {
		return err
	}
	if got := manifests.HashOf(data); want != nil && got != *want {
		return fmt.Errorf("got sha256 %s, want %s: it is damaged, or not the file that was meant", got, *want)
	}
	if err := r.signed(ctx, place, data); err != nil {
		return err
	}
	c, err := manifests.ParseChannel(data)
	if err != nil {
		return err
	}
	refs, err := c.Choose(manifests.Wanted{Host: r.Host, Targets: r.Targets, Profile: r.Profile, Components: r.Components, Without: r.Without})
	if err != nil {
		return err
	}
	r.names.chose()
	r.profiled = true
	for _, target := range r.Targets {
		r.stdFor[target] = true // or it had been an error
	}
	for _, ref := range refs {
		if err := r.offered(ctx, place, c, ref); err != nil {
			return fmt.Errorf("component %s: %w", ref, err)
		}
	}
	return nil
}

// formatSpeed orders formats by the time that decoding takes.
var formatSpeed = []manifests.Format{manifests.Zst, manifests.GZ, manifests.XZ}

// offered takes a component of a channel: the first format that can be had.
func (r *resolver) offered(ctx context.Context, place string, c *manifests.Channel, ref manifests.ComponentRef) error {
	pkg, err := c.Lookup(ref)
	if err != nil {
		return err
	}
	if !pkg.Available {
		return errors.New("the channel does not have it at present")
	}
	in := input{chosen: true}
	if ref.Target != manifests.AnyTarget {
		in.target = ref.Target
	}
	formats := manifests.Preferred()
	if _, local := channel.LocalPath(place); local {
		formats = formatSpeed
	}
	err = errors.New("the channel names no archive of it")
	for _, f := range formats {
		d := pkg.Download(f)
		if d.URL == "" {
			continue
		}
		if name, ok := parseName(path.Base(d.URL)); ok {
			in.guess = guess(name)
		}
		var at string
		if at, err = channel.Locate(place, d.URL); err != nil {
			continue
		}
		if local, ok := channel.LocalPath(at); ok {
			in.path, in.want = local, &d.Hash
			r.add(in)
			return nil
		}
		return r.fetch(ctx, at, d.Hash, in)
	}
	return err
}

// parseName splits the name of an archive.
func parseName(file string) (manifests.ArchiveName, bool) {
	name, err := manifests.ParseArchiveName(file)
	if err != nil {
		name, err = manifests.FindName(file, nil)
	}
	return name, err == nil
}

// cache is where archives of servers lie until they are installed.
type cache struct {
	dir     string
	root    *os.Root // nil until it is needed
	lock    *dist.DirLock
	waiting func(string)
}

func (c *cache) fetch(ctx context.Context, place string, want manifests.Hash, tell func(string, int64, int64)) (string, error) {
	if c.root == nil {
		if err := c.open(ctx); err != nil {
			return "", err
		}
	}
	var progress func(done, total int64)
	if tell != nil {
		progress = func(done, total int64) { tell(path.Base(place), done, total) }
	}
	return channel.Download(ctx, place, want, c.root, progress)
}

func (c *cache) open(ctx context.Context) error {
	root, err := dist.OpenDir(c.dir)
	if err != nil {
		return err
	}
	waiting := c.waiting
	if waiting == nil {
		waiting = func(string) {}
	}
	if c.lock, err = dist.Lock(ctx, root, waiting); err != nil {
		root.Close()
		return err
	}
	c.root = root
	return nil
}

// close gives the cache back. The files that were installed are removed.
func (c *cache) close(done []input) {
	if c.root == nil {
		return
	}
	for _, in := range done {
		if in.fetched {
			_ = c.root.Remove(filepath.Base(in.path))
		}
	}
	c.lock.Remove()
	c.root.Close()
}
