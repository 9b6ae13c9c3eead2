package attest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/manifests"
)

// maxChecksum bounds a .sha256 file, in bytes.
const maxChecksum = 4 << 10

// manifest is a manifest of the directory.
type manifest struct {
	name    string
	data    []byte
	channel *manifests.Channel
}

// directory is what a channel directory holds.
type directory struct {
	root      *os.Root
	manifests []manifest
	// sums are the digests of the files to stand for, by name.
	sums map[string]manifests.Hash

	mu      sync.Mutex
	records map[string]*manifests.BuildRecord // by the name of an archive without its format
}

// readDir reads the manifests, and all files that they name or that have a .sha256.
func readDir(ctx context.Context, root *os.Root, opts Options) (*directory, error) {
	d := &directory{root: root, sums: map[string]manifests.Hash{}, records: map[string]*manifests.BuildRecord{}}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, dist.WithoutPath(err)
	}
	here := map[string]bool{}
	for _, e := range entries {
		here[e.Name()] = true
	}
	if err := d.readManifests(here); err != nil {
		return nil, err
	}
	want, err := d.wanted(here)
	if err != nil {
		return nil, err
	}
	digests, digesting := errgroup.WithContext(ctx)
	digests.SetLimit(opts.Jobs)
	for name, sums := range want {
		digests.Go(func() error { return d.digest(digesting, name, sums) })
	}
	if err := digests.Wait(); err != nil {
		return nil, err
	}
	records, reading := errgroup.WithContext(ctx) // of archives that are what they should be
	records.SetLimit(opts.Jobs)
	for _, name := range fastest(want) {
		records.Go(func() error { return d.record(reading, name) })
	}
	return d, records.Wait()
}

// readManifests reads the manifests, which must be of one date.
func (d *directory) readManifests(here map[string]bool) error {
	for name := range here {
		if !strings.HasPrefix(name, "channel-rust-") || path.Ext(name) != ".toml" {
			continue
		}
		data, err := dist.ReadOwn(d.root, name, manifests.MaxChannel)
		if err != nil {
			return err
		}
		c, err := manifests.ParseChannel(data)
		if err != nil {
			return fmt.Errorf("reading %q: %w", name, err)
		}
		d.manifests = append(d.manifests, manifest{name, data, c})
	}
	slices.SortFunc(d.manifests, func(a, b manifest) int { return strings.Compare(a.name, b.name) })
	if len(d.manifests) == 0 {
		return errors.New("it has no channel manifest (channel-rust-*.toml): name the directory that `x dist` or `x channel make` wrote")
	}
	first := d.manifests[0]
	for _, m := range d.manifests {
		if m.channel.Date != first.channel.Date {
			return fmt.Errorf("%q is of %s, and %q of %s: %s lists the files of one date, so each date needs a directory of its own",
				first.name, first.channel.Date, m.name, m.channel.Date, manifests.ChecksumsFile)
		}
	}
	return nil
}

// claim is what a file says of the digest of another.
type claim struct {
	by   string
	hash manifests.Hash
}

// wanted returns the files to stand for, with what others say of their digests: those
// with a .sha256 beside them, and those that a manifest names. What a manifest names
// and is not here lies elsewhere.
func (d *directory) wanted(here map[string]bool) (map[string][]claim, error) {
	want := map[string][]claim{}
	for _, m := range d.manifests {
		if !here[m.name+manifests.ChecksumExt] {
			return nil, fmt.Errorf("%q has no %s beside it, without which rustup does not take it", m.name, manifests.ChecksumExt)
		}
		for _, d := range m.channel.Downloads() {
			if name := fileName(d.URL); here[name] {
				want[name] = append(want[name], claim{m.name, d.Hash})
			}
		}
	}
	for name := range here {
		of, ok := strings.CutSuffix(name, manifests.ChecksumExt)
		if !ok || !here[of] || strings.HasSuffix(of, manifests.ProvenanceExt) || of == manifests.ChecksumsFile {
			continue
		}
		text, err := dist.ReadOwn(d.root, name, maxChecksum)
		if err != nil {
			return nil, err
		}
		sum, _, err := manifests.ParseChecksum(text)
		if err != nil {
			return nil, fmt.Errorf("reading %q: %w", name, err)
		}
		want[of] = append(want[of], claim{name, sum})
	}
	return want, nil
}

// fileName is the name of the file at a URL.
func fileName(address string) string {
	address, _, _ = strings.Cut(address, "?")
	name := path.Base(address)
	if plain, err := url.PathUnescape(name); err == nil {
		return plain
	}
	return name
}

// digest computes the digest of a file, and compares it with what others say.
func (d *directory) digest(ctx context.Context, name string, claims []claim) error {
	sum, err := dist.HashOwn(ctx, d.root, name, make([]byte, 256<<10))
	if err != nil {
		return err
	}
	for _, c := range claims {
		if c.hash != sum {
			return fmt.Errorf("%q has sha256 %s, but %q says %s: make the channel anew", name, sum, c.by, c.hash)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sums[name] = sum
	return nil
}

// speed orders the formats by the time that decoding takes.
var speed = []manifests.Format{manifests.Zst, manifests.GZ, manifests.XZ}

// fastest returns one archive of each name: formats of one archive have the same
// members.
func fastest(files map[string][]claim) []string {
	best := map[string]string{}
	for name := range files {
		stem, f, ok := manifests.CutFormat(name)
		if !ok {
			continue
		}
		if old, taken := best[stem]; taken {
			_, of, _ := manifests.CutFormat(old)
			if slices.Index(speed, of) <= slices.Index(speed, f) {
				continue
			}
		}
		best[stem] = name
	}
	var out []string
	for _, name := range best {
		out = append(out, name)
	}
	return out
}

// record looks for the build record of an archive.
func (d *directory) record(ctx context.Context, name string) error {
	data, err := archive.ReadBuildRecord(ctx, filepath.Join(d.root.Name(), name))
	if err != nil || data == nil {
		return err
	}
	record, err := manifests.ParseBuildRecord(data)
	if err != nil {
		return fmt.Errorf("archive %q: %w", name, err)
	}
	stem, _, _ := manifests.CutFormat(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.records[stem] = &record
	return nil
}

// built returns the archives that a channel offers, each once, with their records.
func (d *directory) built(c *manifests.Channel) []manifests.BuiltArchive {
	var out []manifests.BuiltArchive
	seen := map[string]bool{}
	for _, f := range c.Downloads() {
		name := fileName(f.URL)
		if seen[name] {
			continue // documentation of one host may serve several
		}
		seen[name] = true
		stem, _, _ := manifests.CutFormat(name)
		a := manifests.BuiltArchive{Name: name, Hash: f.Hash}
		if _, here := d.sums[name]; here {
			a.Record = d.records[stem]
		}
		out = append(out, a)
	}
	return out
}
