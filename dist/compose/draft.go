package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"

	"x.go/dist"
	"x.go/dist/channel"
	"x.go/manifests"
)

// Draft is a channel that is not written yet.
type Draft struct {
	Channel *manifests.Channel
	// Names are those by which rustup asks for it.
	Names []string
	// Commit is the hash of the release's commit, or "".
	Commit string
	// Files are the archives to write beside it.
	Files []File
	// Redirects are rules for what the channel names and is not among Files.
	Redirects []channel.Redirect
	// Notes say what its owner should know.
	Notes []string
}

// File is an archive of a channel.
type File struct {
	Name  string
	Place string // path or URL
	Size  int64  // bytes; 0 if it is not known
	Hash  manifests.Hash
}

func (d *Draft) note(format string, args ...any) {
	d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
}

// DateURLs gives all archives the URLs of the channel's day on Rust's own server, at which
// package publish puts them.
func (d *Draft) DateURLs() {
	d.Channel = d.Channel.WithURLs(func(url string) string { return DefaultURL + "/" + d.Channel.Date + "/" + fileOf(url) })
}

// fileOf returns the name of the file at a URL.
func fileOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return path.Base(u.Path)
}

// ChannelFiles returns the files by which clients find the channel.
func (d *Draft) ChannelFiles() []manifests.File {
	return manifests.ChannelFiles(d.Names, d.Commit, d.Channel, manifests.DialectDist)
}

// Written says what [Draft.Write] did.
type Written struct {
	Copied, Kept int      // archives
	Bytes        int64    // of the archives
	Other        []string // archives in the directory that are not of the channel
	Unsigned     []string // signatures of the earlier channel, and digests, that were removed
}

// Write writes the channel and its archives into the directory out, which the caller has
// locked. Archives that are there already stay. A file of the same name with other
// content is an error, unless the channel that this one replaces has it; all else in
// the directory stays as it is.
//
// All files are complete before the first one gets its name, and each archive has the
// digest that the channel says. See [Publish] for the order.
func (d *Draft) Write(ctx context.Context, out *os.Root, progress func(Event)) (w Written, err error) {
	if progress == nil {
		progress = func(Event) {}
	}
	files := d.ChannelFiles()
	old := replaced(out, files)
	var news []*dist.NewFile
	defer func() {
		for _, f := range news {
			f.Discard()
		}
	}()
	for _, file := range d.Files {
		copied, err := d.copyFile(ctx, out, file, old, progress)
		if err != nil {
			return w, err
		}
		if copied != nil {
			news = append(news, copied)
			w.Copied++
			w.Bytes += copied.Size()
		} else if info, err := out.Lstat(file.Name); err == nil {
			w.Kept++
			w.Bytes += info.Size()
		}
		sum, err := dist.NewSmallFile(out, file.Name+manifests.ChecksumExt, manifests.FormatChecksum(file.Hash, file.Name))
		if err != nil {
			return w, err
		}
		news = append(news, sum)
	}
	if w.Other, err = d.others(out); err != nil {
		return w, err
	}
	if len(d.Redirects) > 0 {
		rules, err := d.redirects(out)
		if err != nil {
			return w, err
		}
		news = append(news, rules)
	}
	w.Unsigned, err = Publish(out, files, func() error { return dist.CommitAll(out, news) }, "")
	return w, err
}

// redirects returns the file with the rules of the channel, and with those of others in
// the directory for other paths.
func (d *Draft) redirects(out *os.Root) (*dist.NewFile, error) {
	rules := slices.Clone(d.Redirects)
	data, err := dist.ReadOwn(out, channel.RedirectsFile, manifests.MaxChannel)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		old, err := channel.ParseRedirects(data)
		if err != nil {
			return nil, fmt.Errorf("reading %q: %w: remove it, or choose another directory", filepath.Join(out.Name(), channel.RedirectsFile), err)
		}
		for _, r := range old {
			if !slices.ContainsFunc(rules, func(n channel.Redirect) bool { return n.Prefix() == r.Prefix() }) {
				rules = append(rules, r)
			}
		}
	}
	return dist.NewSmallFile(out, channel.RedirectsFile, channel.FormatRedirects(rules))
}

// others returns the archives in the directory that the channel does not have.
func (d *Draft) others(out *os.Root) ([]string, error) {
	entries, err := fs.ReadDir(out.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("reading directory %q: %w", out.Name(), dist.WithoutPath(err))
	}
	var others []string
	for _, e := range entries {
		_, _, ok := manifests.CutFormat(e.Name())
		if ok && !slices.ContainsFunc(d.Files, func(f File) bool { return f.Name == e.Name() }) {
			others = append(others, e.Name())
		}
	}
	return others, nil
}

// replaced returns the digests of the archives that the channels have which files
// replace.
func replaced(out *os.Root, files []manifests.File) map[string]manifests.Hash {
	had := map[string]manifests.Hash{}
	for _, f := range files {
		if path.Ext(f.Name) != manifestExt {
			continue
		}
		data, err := dist.ReadOwn(out, f.Name, manifests.MaxChannel)
		if err != nil {
			continue
		}
		if c, err := manifests.ParseChannel(data); err == nil {
			for _, d := range c.Downloads() {
				had[fileOf(d.URL)] = d.Hash
			}
		}
	}
	return had
}

// copyFile copies an archive to out without its name; nil if it is there already.
func (d *Draft) copyFile(ctx context.Context, out *os.Root, file File, old map[string]manifests.Hash, progress func(Event)) (_ *dist.NewFile, err error) {
	at := filepath.Join(out.Name(), file.Name)
	info, err := out.Lstat(file.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("looking at %q: %w", at, dist.WithoutPath(err))
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("writing %q: something else is there: remove it, or choose another directory", at)
	default:
		got, err := dist.HashFile(ctx, at)
		if err != nil {
			return nil, err
		}
		if got == file.Hash {
			return nil, nil
		}
		if got != old[file.Name] {
			return nil, fmt.Errorf("writing %q: another file is there, of sha256 %s, which is not of the channel that this one replaces: remove it, or choose another directory", at, got)
		}
	}
	return fetchInto(ctx, out, file, progress)
}

// fetchInto copies an archive to out without its name, and checks its digest.
func fetchInto(ctx context.Context, out *os.Root, file File, progress func(Event)) (_ *dist.NewFile, err error) {
	progress(Event{Doing: "copying", Name: file.Name, Size: file.Size})
	defer progress(Event{Doing: "copying", Name: file.Name, Done: true})
	shown := manifests.Redact(file.Place)
	in, err := channel.Open(ctx, file.Place)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	f, err := dist.CreateFile(out, file.Name)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Discard()
		}
	}()
	limit := file.Size
	if limit <= 0 {
		limit = maxArchive
	}
	n, err := io.Copy(f, &counted{io.LimitReader(in, limit+1), func(n int64) {
		progress(Event{Doing: "copying", Name: file.Name, Bytes: n, Size: file.Size})
	}})
	if err == nil && n > limit {
		err = fmt.Errorf("got more than %d bytes", limit)
	}
	if err == nil {
		err = f.Finish()
	}
	if err == nil && f.Sum() != file.Hash {
		err = fmt.Errorf("got sha256 %s, want %s", f.Sum(), file.Hash)
	}
	if err != nil {
		return nil, fmt.Errorf("copying %q: %w", shown, dist.WithoutPath(err))
	}
	return f, nil
}

// maxArchive bounds an archive of unknown size, in bytes. The largest has 1 GB.
const maxArchive = 16 << 30

// counted reports the bytes that pass.
type counted struct {
	r    io.Reader
	tell func(n int64)
}

// Read implements [io.Reader].
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if n > 0 {
		c.tell(int64(n))
	}
	return n, err
}
