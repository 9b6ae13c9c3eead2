package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"x.go/dist/store"
	"x.go/manifests"
)

// tally collects what several goroutines do.
type tally struct {
	mu    sync.Mutex
	files map[string]int64 // size by name
	kept  int
	bytes int64
	fresh []file                         // are there, without a checksum file yet
	busy  map[manifests.Hash]*sync.Mutex // in the cache, where a digest is a name
	// signed counts the optional files that were there, asked the signatures of files that were
	// looked for.
	signed, asked atomic.Int64
}

// transferred notes a file that came from the source.
func (m *mirror) transferred(name string, size int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files == nil {
		m.files = map[string]int64{}
	}
	m.files[name] = size
	m.bytes += max(size, 0)
}

// finish puts what was tallied into the result.
func (m *mirror) finish() {
	for name, size := range m.files {
		m.result.Files = append(m.result.Files, File{name, size})
	}
	slices.SortFunc(m.result.Files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	slices.Sort(m.result.Deleted)
	m.result.Kept, m.result.Bytes = m.kept, m.bytes
}

const (
	defaultJobs = 8
	// maxFailures is how many files of a channel may fail before the others are left.
	maxFailures = 20
	// resumable is the size from which a file is completed in the cache, in bytes: what
	// is smaller is quickly fetched again.
	resumable = 16 << 20
)

// release brings the files of a manifest, and then the manifest.
func (m *mirror) release(ctx context.Context, r *release) error {
	done := Channel{Name: r.asked, Date: r.facts.date, Version: r.facts.version, Manifests: r.names, Whole: r.whole, Files: len(r.files)}
	if s, ok := m.proofs[r.source]; ok {
		done.Signature = &s.Signature
	}
	there, err := m.listDirs(ctx, r.files)
	if err != nil {
		return err
	}
	trusted := !m.Check && m.holds(ctx, r.names[len(r.names)-1], r.data) && m.holds(ctx, r.names[0], r.data)
	if err := m.bring(ctx, r, there, trusted); err != nil {
		return err
	}
	if done.Changed, err = m.moveManifests(ctx, r); err != nil {
		return err
	}
	m.result.Channels = append(m.result.Channels, done)
	if m.DryRun {
		return nil
	}
	return editList(ctx, m.store, nil, r.names)
}

// bring brings the files of a manifest. All are on the disk before the first checksum file
// is written, which says so.
func (m *mirror) bring(ctx context.Context, r *release, there map[string]bool, trusted bool) error {
	failed := m.each(ctx, r.files, func(ctx context.Context, f file) error {
		err := m.file(ctx, f, there, trusted)
		if err != nil && r.extra[f.name] && ctx.Err() == nil {
			m.mu.Lock()
			defer m.mu.Unlock()
			r.lost[f.name] = err
			return nil
		}
		return err
	})
	m.lose(r)
	if err := m.store.Flush(ctx); err != nil {
		return errors.Join(failed, err)
	}
	m.mu.Lock()
	fresh := m.fresh
	m.fresh = nil
	m.mu.Unlock()
	if err := errors.Join(failed, m.each(ctx, fresh, m.sides)); err != nil {
		return err
	}
	if !m.Undated {
		return nil
	}
	return m.each(ctx, r.files, m.undated)
}

// each does something for files, several at a time. The error joins the failures.
func (m *mirror) each(ctx context.Context, files []file, do func(context.Context, file) error) error {
	var mu sync.Mutex
	var errs []error
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(cmp.Or(m.Jobs, defaultJobs))
	for _, f := range files {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error {
			err := do(ctx, f)
			if err == nil {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			if ctx.Err() == nil {
				errs = append(errs, err)
			}
			if len(errs) >= maxFailures {
				return errors.New("too many files failed")
			}
			return context.Cause(ctx)
		})
	}
	err := g.Wait()
	if len(errs) > 0 && len(errs) < maxFailures {
		err = nil // they say it
	}
	return errors.Join(append(errs, err)...)
}

// listDirs lists the directories of days that files are in: one request for many.
func (m *mirror) listDirs(ctx context.Context, files []file) (map[string]bool, error) {
	there := map[string]bool{}
	listed := map[string]bool{}
	for _, f := range files {
		dir := path.Dir(f.name) + "/"
		if listed[dir] || dir == distDir {
			continue
		}
		listed[dir] = true
		for o, err := range m.store.List(ctx, dir) {
			if err != nil {
				return nil, err
			}
			there[o.Name] = true
		}
	}
	for _, f := range files {
		if path.Dir(f.name)+"/" != distDir {
			continue
		}
		for _, name := range []string{f.name, f.name + manifests.ChecksumExt} {
			_, err := m.store.Stat(ctx, name)
			if there[name] = err == nil; err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
	}
	return there, nil
}

// holds reports whether the store has a small file with that content.
func (m *mirror) holds(ctx context.Context, name string, data []byte) bool {
	got, _, err := m.store.Load(ctx, name, manifests.MaxChannel)
	return err == nil && string(got) == string(data)
}

// sum returns the digest that the checksum file of a name has in the store, zero if there
// is none.
func (m *mirror) sum(ctx context.Context, name string) manifests.Hash {
	text, _, err := m.store.Load(ctx, name+manifests.ChecksumExt, maxSide)
	if err != nil {
		return manifests.Hash{}
	}
	h, err := leadingHash(text)
	if err != nil {
		return manifests.Hash{}
	}
	return h
}

// file brings a file, unless it is there. Its checksum file is written last: where that
// has the digest, all of it is there.
func (m *mirror) file(ctx context.Context, f file, there map[string]bool, trusted bool) error {
	sumName := f.name + manifests.ChecksumExt
	if there[f.name] {
		if there[sumName] && (trusted || !m.Check && m.sum(ctx, f.name) == f.hash) {
			m.keep()
			return nil
		}
		if got, err := m.store.Hash(ctx, f.name); err == nil && got == f.hash {
			m.keep()
			m.lacksSides(f)
			return nil
		} else if ctx.Err() != nil {
			return err
		}
		if !m.DryRun {
			if err := m.store.Delete(ctx, sumName); err != nil {
				return err
			}
		}
	}
	if m.DryRun {
		m.transferred(f.name, -1)
		return nil
	}
	size, err := m.transfer(ctx, f.name, f.hash)
	if err != nil {
		return err
	}
	m.transferred(f.name, size)
	m.lacksSides(f)
	return nil
}

// lacksSides notes a file whose checksum file is to be written.
func (m *mirror) lacksSides(f file) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fresh = append(m.fresh, f)
}

func (m *mirror) keep() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept++
}

// sides brings the signature of a file, if the source has one, and writes its checksum
// file, as the source has it.
func (m *mirror) sides(ctx context.Context, f file) error {
	if m.DryRun || m.Check && m.sum(ctx, f.name) == f.hash {
		return nil
	}
	if !m.unsigned() {
		m.asked.Add(1)
		if err := m.optional(ctx, f.name+".asc"); err != nil {
			return err
		}
	}
	return m.writeLazily(ctx, f.name+manifests.ChecksumExt, manifests.FormatChecksum(f.hash, path.Base(f.name)))
}

// optional brings a small file as it is, if the source has it.
func (m *mirror) optional(ctx context.Context, name string) error {
	data, err := readOptional(ctx, m.up, name)
	if data == nil || err != nil {
		return err
	}
	m.signed.Add(1)
	if m.holds(ctx, name, data) {
		return nil
	}
	m.transferred(name, int64(len(data)))
	return m.writeLazily(ctx, name, data)
}

// enough is how many files without a signature say that the source has none.
const enough = 50

// unsigned reports whether the source has no signatures of files: to ask for each would
// take as long as the files.
func (m *mirror) unsigned() bool { return m.signed.Load() == 0 && m.asked.Load() >= enough }

// write puts a small file. One of a day is flushed later, with others.
func (m *mirror) write(ctx context.Context, name string, data []byte) error {
	if m.DryRun {
		return nil
	}
	return m.store.Put(ctx, name, store.Bytes(data), store.Options{Lazy: isDay(path.Base(path.Dir(name)))})
}

// writeLazily puts a small file that is flushed later.
func (m *mirror) writeLazily(ctx context.Context, name string, data []byte) error {
	return m.store.Put(ctx, name, store.Bytes(data), store.Options{Lazy: true})
}

// transfer brings a file of the source, and returns its size. It is checked while it
// streams.
func (m *mirror) transfer(ctx context.Context, name string, want manifests.Hash) (int64, error) {
	m.tell(Event{Name: name, Total: -1})
	defer m.tell(Event{Name: name, End: true})
	body, size, err := m.up.open(ctx, name)
	if err != nil {
		return 0, err
	}
	if m.Cache != nil && (size < 0 || size >= resumable) {
		if _, ok := m.up.(*web); ok {
			body.Close()
			return m.transferCached(ctx, name, want)
		}
	}
	if size < 0 {
		body.Close()
		return 0, fmt.Errorf("fetching %q: the server does not tell the size: it needs a cache directory to find out", name)
	}
	first := body
	err = m.store.Put(ctx, name, store.Body{Size: size, Hash: want, Open: func() (io.ReadCloser, error) {
		r := first
		if first = nil; r == nil {
			var now int64
			var err error
			if r, now, err = m.up.open(ctx, name); err != nil {
				return nil, err
			}
			if now != size {
				return nil, errors.Join(fmt.Errorf("got %d bytes of %q, then %d", size, name, now), r.Close())
			}
		}
		return &watched{ReadCloser: r, tell: func(done int64) { m.tell(Event{Name: name, Done: done, Total: size}) }}, nil
	}}, store.Options{Lazy: true})
	if first != nil {
		first.Close()
	}
	return size, err
}

// transferCached completes a file in the cache first.
func (m *mirror) transferCached(ctx context.Context, name string, want manifests.Hash) (int64, error) {
	m.mu.Lock()
	if m.busy == nil {
		m.busy = map[manifests.Hash]*sync.Mutex{}
	}
	if m.busy[want] == nil {
		m.busy[want] = &sync.Mutex{}
	}
	busy := m.busy[want]
	m.mu.Unlock()
	busy.Lock()
	defer busy.Unlock()
	file, err := m.up.download(ctx, name, want, m.Cache, func(done, total int64) { m.tell(Event{Name: name, Done: done, Total: total}) })
	if err != nil {
		return 0, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	body := store.Body{Size: info.Size(), Hash: want, File: file, Open: func() (io.ReadCloser, error) { return os.Open(file) }}
	if err := m.store.Put(ctx, name, body, store.Options{Lazy: true}); err != nil {
		return 0, err
	}
	return info.Size(), m.Cache.Remove(want.String())
}

// tell passes an event on.
func (m *mirror) tell(e Event) {
	if m.Progress != nil {
		m.Progress(e)
	}
}

// watched tells how far it was read.
type watched struct {
	io.ReadCloser
	done int64
	tell func(done int64)
}

// Read implements [io.Reader].
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.done += int64(n)
	w.tell(w.done)
	return n, err
}

// undated puts a copy of a file of a day into dist. The latest release of that name has
// the name there.
func (m *mirror) undated(ctx context.Context, f file) error {
	name := beside(f.name)
	if name == f.name || isManifestFile(path.Base(name)) || m.DryRun || !m.Check && m.sum(ctx, name) == f.hash {
		return nil
	}
	if err := m.store.Delete(ctx, name+manifests.ChecksumExt); err != nil {
		return err
	}
	if err := m.store.Copy(ctx, name, f.name); err != nil {
		return err
	}
	err := m.store.Copy(ctx, name+".asc", f.name+".asc")
	if errors.Is(err, fs.ErrNotExist) {
		err = m.store.Delete(ctx, name+".asc")
	}
	if err != nil {
		return err
	}
	return m.writeLazily(ctx, name+manifests.ChecksumExt, manifests.FormatChecksum(f.hash, path.Base(name)))
}

// moveManifests writes a manifest under all its names. What the day has is on the disk
// before the channel moves.
func (m *mirror) moveManifests(ctx context.Context, r *release) (changed bool, err error) {
	for _, ofDay := range []bool{true, false} {
		for _, name := range r.names {
			if day, _, _ := parseManifestName(name); (day != "") != ofDay {
				continue
			}
			moved, err := m.moveManifest(ctx, r, name)
			if err != nil {
				return changed, err
			}
			changed = changed || moved
		}
		if ofDay {
			if err := m.store.Flush(ctx); err != nil {
				return changed, err
			}
		}
	}
	return changed, nil
}

// moveManifest writes a manifest and what belongs to it, if it is not what the store has.
// The .toml and then the .sha256 come last: rustup compares the second first.
func (m *mirror) moveManifest(ctx context.Context, r *release, name string) (changed bool, err error) {
	sum := manifests.FormatChecksum(manifests.HashOf(r.data), path.Base(name))
	if m.holds(ctx, name, r.data) && m.sum(ctx, name) == manifests.HashOf(r.data) {
		if err := m.moveStatements(ctx, r, name, false); m.Keyring == nil || m.DryRun || err != nil {
			return false, err
		}
		return false, m.moveSignatures(ctx, r, name) // keys are renewed
	}
	if err := m.moveStatements(ctx, r, name, true); err != nil {
		return false, err
	}
	if m.DryRun {
		m.transferred(name, int64(len(r.data)))
		return true, nil
	}
	stem := strings.TrimSuffix(name, manifestExt)
	for i, want := range []string{r.facts.date, r.facts.commit} {
		if err := m.sideText(ctx, stem+sideTexts[i], want); err != nil {
			return false, err
		}
	}
	if err := m.moveSignatures(ctx, r, name); err != nil {
		return false, err
	}
	m.transferred(name, int64(len(r.data)))
	if err := m.write(ctx, name, r.data); err != nil {
		return false, err
	}
	if text, err := readOptional(ctx, m.up, name+manifests.ChecksumExt); err == nil && text != nil {
		if got, err := leadingHash(text); err == nil && got == manifests.HashOf(r.data) {
			sum = text
		}
	}
	return true, m.write(ctx, name+manifests.ChecksumExt, sum)
}

// sideText brings a text beside a manifest, if it is the manifest's.
func (m *mirror) sideText(ctx context.Context, name, want string) error {
	data, err := readOptional(ctx, m.up, name)
	if data == nil || err != nil || want == "" {
		return err
	}
	if strings.TrimSpace(string(data)) != want {
		m.note("%s is not mirrored: it is not of the same release as the manifest beside it", name)
		return nil
	}
	if err := m.writeChanged(ctx, name, data); err != nil {
		return err
	}
	if err := m.optional(ctx, name+".asc"); err != nil {
		return err
	}
	return m.write(ctx, name+manifests.ChecksumExt, manifests.FormatChecksum(manifests.HashOf(data), path.Base(name)))
}
