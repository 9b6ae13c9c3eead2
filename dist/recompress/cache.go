package recompress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/store"
	"x.go/manifests"
)

// Cache has the archives that were written to a directory before, by its record, and
// those of a store, under the keys of [Tasks]. It is an [archive.Keeper].
type Cache struct {
	record *openRecord
	store  *kept // nil without one

	mu      sync.Mutex
	damaged []string
	replace map[string]bool // keys in the store
}

// OpenCache opens the record of a directory, which need not exist. s may be nil. A
// record that cannot be read counts as damaged, and is begun anew.
func OpenCache(dir string, s *store.Store) *Cache {
	c := &Cache{replace: map[string]bool{}}
	var err error
	if c.record, err = loadRecord(dir); err != nil {
		c.noteDamage(err)
		c.record = &openRecord{dir: dir, recordFile: recordFile{Version: recordVersion}}
	}
	if s != nil {
		c.store = &kept{s}
	}
	return c
}

// Damaged returns errors about what is not what was kept. It is made again.
func (c *Cache) Damaged() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(slices.Values(c.damaged))
}

func (c *Cache) noteDamage(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.damaged = append(c.damaged, err.Error())
}

// Outdated returns the digest of an archive of the directory, as it was written, if the
// record says that it has another tar stream than the archive newer there.
func (c *Cache) Outdated(name, newer string) (manifests.Hash, bool) {
	c.record.mu.Lock()
	defer c.record.mu.Unlock()
	a, ok := c.record.Archives[name]
	b, known := c.record.Archives[newer]
	return a.SHA256, ok && known && a.Tar != b.Tar
}

// May implements [archive.Keeper].
func (c *Cache) May(p archive.FormatPlan) (may, byFiles bool) {
	a, ok := c.record.written(p)
	return ok || c.store != nil, ok && !a.Files.IsZero()
}

// MayHave tells without reading anything whether the directory has an archive of that
// name from before at the same level, whatever is in it, and whether a store will be
// asked.
func (c *Cache) MayHave(p archive.FormatPlan) (here, inStore bool) {
	c.record.mu.Lock()
	defer c.record.mu.Unlock()
	a, ok := c.record.Archives[p.Name]
	if ok && a.Settings.Level == p.Settings.Level && a.Settings.Filter == p.Settings.Filter {
		info, err := os.Lstat(filepath.Join(c.record.dir, p.Name))
		here = err == nil && info.Mode().IsRegular() && info.Size() == a.Size
	}
	return here, c.store != nil
}

// Tar implements [archive.Keeper].
func (c *Cache) Tar(files manifests.Hash) (manifests.Hash, bool) {
	c.record.mu.Lock()
	defer c.record.mu.Unlock()
	for _, a := range c.record.Archives {
		if a.Files == files {
			return a.Tar, true
		}
	}
	return manifests.Hash{}, false
}

// InPlace implements [archive.Keeper].
func (c *Cache) InPlace(ctx context.Context, root *os.Root, tar manifests.Hash, p archive.FormatPlan) (archive.Complete, bool, error) {
	entry, ok := c.record.written(p)
	if !ok || entry.Tar != tar {
		return archive.Complete{}, false, nil
	}
	const size = 256 << 10
	got, err := dist.HashOwn(ctx, root, p.Name, make([]byte, size))
	if errors.Is(err, fs.ErrNotExist) {
		return archive.Complete{}, false, nil
	}
	if err == nil && got != entry.SHA256 {
		c.noteDamage(fmt.Errorf("archive %q is damaged: got sha256 %s, want %s", filepath.Join(root.Name(), p.Name), got, entry.SHA256))
		return archive.Complete{}, false, nil
	}
	open := func() (*os.File, error) { return dist.OpenOwn(root, p.Name) }
	return archive.Complete{Size: entry.Size, Sum: got, Open: open}, err == nil, err
}

// Fetch implements [archive.Keeper].
func (c *Cache) Fetch(ctx context.Context, tar manifests.Hash, p archive.FormatPlan, w io.Writer) (bool, error) {
	if c.store == nil {
		return false, nil
	}
	return c.fetchStored(ctx, tar, keyOf(tar, p.Format, settingsDigest(p.Settings), nil), w)
}

// fetchStored copies an archive of the store.
func (c *Cache) fetchStored(ctx context.Context, tar manifests.Hash, key string, w io.Writer) (bool, error) {
	_, err := c.store.store.Stat(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = c.fetchProven(ctx, tar, key, w)
	}
	if damage := (*damageError)(nil); errors.As(err, &damage) {
		c.noteDamage(err)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.replace[key] = true
		return false, nil
	}
	return err == nil, err
}

// fetchProven copies an archive of the store, and decodes it if nobody has done that: the
// tasks leave it to those who take what they made.
func (c *Cache) fetchProven(ctx context.Context, tar manifests.Hash, key string, w io.Writer) error {
	want, err := c.store.digest(ctx, key)
	if err != nil {
		return err
	}
	proven, err := c.store.isProven(ctx, key, want)
	if err != nil {
		return err
	}
	if proven {
		_, err := c.store.fetch(ctx, key, w)
		return err
	}
	r, pipe := io.Pipe()
	var g errgroup.Group
	g.Go(func() error {
		err := proveTar(ctx, r, key, math.MaxInt64, tar)
		r.CloseWithError(err)
		return err
	})
	got, err := c.store.fetch(ctx, key, io.MultiWriter(w, pipe))
	pipe.CloseWithError(err)
	if damage := g.Wait(); damage != nil && (err == nil || errors.Is(err, damage)) {
		return inKept(key, damage)
	}
	if err == nil {
		err = c.store.setNote(ctx, key, provenExt, got)
	}
	return err
}

// inKept names the output that is damaged.
func inKept(key string, err error) error {
	if d := (*damageError)(nil); errors.As(err, &d) {
		return &damageError{key, d.Err}
	}
	return err
}

// Keep implements [archive.Keeper].
func (c *Cache) Keep(ctx context.Context, content archive.Content, p archive.FormatPlan, a archive.Complete) error {
	if c.store != nil {
		if err := c.putStored(ctx, keyOf(content.Tar, p.Format, settingsDigest(p.Settings), nil), a); err != nil {
			return err
		}
	}
	entry := entryOf(recordedFile{a.Size, a.Sum, content.Size, content.Tar}, p)
	entry.Files = content.Files
	if old, ok := c.record.written(p); ok && old == entry {
		return nil
	}
	return c.record.add(nil, map[string]recordedArchive{p.Name: entry})
}

// putStored puts an archive into the store, unless it is there and not damaged.
func (c *Cache) putStored(ctx context.Context, key string, a archive.Complete) error {
	c.mu.Lock()
	replace := c.replace[key]
	c.mu.Unlock()
	if !replace {
		_, err := c.store.store.Stat(ctx, key) // asked first: a put that comes too late sends all
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	body := store.Body{Open: func() (io.ReadCloser, error) { return a.Open() }, Size: a.Size, Hash: a.Sum}
	damage, err := c.store.keep(ctx, key, body, replace)
	if damage != nil {
		c.noteDamage(damage)
	}
	if err == nil {
		err = c.store.setNote(ctx, key, provenExt, a.Sum) // it was read back
	}
	return err
}
