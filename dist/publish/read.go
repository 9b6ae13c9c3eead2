package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/dist/channel"
	"x.go/dist/compose"
	"x.go/dist/store"
	"x.go/manifests"
)

// file is a file of a publication.
type file struct {
	name string // in the store
	path string // on disk; "" if x makes it, or if only the store has it
	body store.Body
	// elsewhere says that the file is not in the directory: the store must have it.
	elsewhere bool
}

// files are those of a publication, each list sorted by name.
type files struct {
	sums     []file // of archives
	archives []file // and all else that is not of the channel
	channel  map[string]file
	// redirected are those that other servers have.
	redirected []file
}

// datedFile matches the names that a manifest may refer to.
var datedFile = regexp.MustCompile(`^dist/\d{4}-\d\d-\d\d/[^/]+$`)

// channelPrefix begins the names of the files by which rustup finds a channel.
const channelPrefix = "channel-rust-"

// reader collects the files of a directory.
type reader struct {
	src  *compose.Source
	anew bool // the manifests are not those of the directory
	dir  string
	all  map[string]file // by name in the store
	seen map[string]bool // by path
	// redirected is [Plan.redirected], of which away are the files.
	redirected func(url string) (name string, ok bool)
	away       []file
}

// readFiles finds the files of a channel: those that its manifest refers to, with their
// checksums and signatures, then all others beside it.
func readFiles(ctx context.Context, src *compose.Source, anew bool, redirected func(url string) (name string, ok bool)) (files, error) {
	local, ok := channel.LocalPath(src.Place)
	if !ok {
		return files{}, errors.New("the channel is on a server: name a directory")
	}
	r := reader{src: src, anew: anew, dir: filepath.Dir(local), all: map[string]file{}, seen: map[string]bool{}, redirected: redirected}
	var errs []error
	for key, d := range src.Channel.Downloads() {
		if err := r.download(d); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	if len(errs) > maxShown {
		errs = append(errs[:maxShown], fmt.Errorf("and %d more", len(errs)-maxShown))
	}
	if err := errors.Join(errs...); err != nil {
		return files{}, err
	}
	if err := r.others(ctx); err != nil {
		return files{}, err
	}
	if f, ok := r.all[r.name(channelPrefix+src.Names[0]+manifests.ChecksumsSuffix)]; ok {
		data, err := content(f.body)
		if err == nil {
			err = r.fits(data)
		}
		if err != nil {
			return files{}, err
		}
	}
	return r.sort(), nil
}

// download adds a file that the manifest refers to.
func (r *reader) download(d manifests.Download) error {
	name, ok := strings.CutPrefix(d.URL, manifests.OfficialServer+"/")
	if !ok {
		return fmt.Errorf("got URL %q, want it below %s, which rustup replaces by its server: rebase the channel", manifests.Redact(d.URL), manifests.OfficialServer)
	}
	if name, ok := r.redirected(d.URL); ok {
		r.away = append(r.away, file{name: name, body: store.Body{Hash: d.Hash}, elsewhere: true})
		return nil
	}
	if err := store.CheckName(name); err != nil || !datedFile.MatchString(name) {
		return fmt.Errorf("got URL %q, want one of a day, such as %s/dist/%s/FILE", manifests.Redact(d.URL), manifests.OfficialServer, r.src.Channel.Date)
	}
	f := file{name: name, body: store.Body{Hash: d.Hash}}
	at, err := channel.Locate(r.src.Place, d.URL)
	if _, absent := errors.AsType[*channel.AbsentError](err); absent {
		f.elsewhere = true
		return r.add(f)
	}
	if err != nil {
		return err
	}
	if f, err = onDisk(f.name, at, d.Hash); err != nil {
		return err
	}
	if err := r.add(f); err != nil {
		return err
	}
	return r.sum(f)
}

// onDisk describes a file of a known digest.
func onDisk(name, at string, h manifests.Hash) (file, error) {
	info, err := os.Stat(at)
	if err != nil {
		return file{}, err
	}
	open := func() (io.ReadCloser, error) { return dist.OpenFile(at) }
	return file{name: name, path: at, body: store.Body{Open: open, Size: info.Size(), Hash: h}}, nil
}

// add notes a file. One name has one content.
func (r *reader) add(f file) error {
	if old, ok := r.all[f.name]; ok && old.body.Hash != f.body.Hash {
		return fmt.Errorf("got two digests of %q, %s and %s", f.name, old.body.Hash, f.body.Hash)
	}
	r.all[f.name] = f
	r.seen[f.path] = true
	return nil
}

// sum adds the .sha256 of a file: that beside it, which must fit, or a new one.
func (r *reader) sum(f file) error {
	base := path.Base(f.name)
	data, err := dist.ReadFile(f.path+manifests.ChecksumExt, maxSmall)
	if errors.Is(err, os.ErrNotExist) {
		data = manifests.FormatChecksum(f.body.Hash, base)
		return r.add(file{name: f.name + manifests.ChecksumExt, body: store.Bytes(data)})
	}
	if err != nil {
		return err
	}
	got, of, err := manifests.ParseChecksum(data)
	if err != nil {
		return fmt.Errorf("reading %q: %w", f.path+manifests.ChecksumExt, err)
	}
	if got != f.body.Hash || of != "" && of != base {
		return fmt.Errorf("%q says %s of %q, want %s of %q", f.path+manifests.ChecksumExt, got, of, f.body.Hash, base)
	}
	return r.add(file{name: f.name + manifests.ChecksumExt, path: f.path + manifests.ChecksumExt, body: store.Bytes(data)})
}

// others adds the files of the directory that the manifest does not refer to: those of
// the channel itself, signatures, archives that no component installs.
func (r *reader) others(ctx context.Context) error {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return fmt.Errorf("reading directory %q: %w", r.dir, dist.WithoutPath(err))
	}
	var later []string // .sha256 files, which those of archives have been by then
	for _, e := range entries {
		at := filepath.Join(r.dir, e.Name())
		if strings.HasPrefix(e.Name(), ".") || r.seen[at] || e.IsDir() || e.Name() == channel.RedirectsFile {
			continue // x's own records, what lies deeper, and the rules
		}
		if strings.HasSuffix(e.Name(), manifests.ChecksumExt) {
			later = append(later, at)
			continue
		}
		if err := r.other(ctx, at); err != nil {
			return err
		}
	}
	for _, at := range later {
		if !r.seen[at] {
			if err := r.other(ctx, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// other adds one such file.
func (r *reader) other(ctx context.Context, at string) error {
	base := filepath.Base(at)
	name := r.name(base)
	if err := dist.CheckElement(base); err != nil {
		return fmt.Errorf("reading %q: %w", at, err)
	}
	if names := r.sumsOf(base); names != nil {
		return r.small(at, names...)
	}
	if strings.HasPrefix(base, channelPrefix) {
		if !r.ofChannel(base) {
			return nil
		}
		return r.small(at, base)
	}
	h, err := dist.HashFile(ctx, at)
	if err != nil {
		return fmt.Errorf("reading %q: %w", at, dist.WithoutPath(err))
	}
	f, err := onDisk(name, at, h)
	if err != nil {
		return err
	}
	if err := r.add(f); err != nil {
		return err
	}
	if _, _, ok := manifests.CutFormat(base); ok {
		return r.sum(f)
	}
	return nil
}

// name is that of a file of the day in the store.
func (r *reader) name(base string) string { return "dist/" + r.src.Channel.Date + "/" + base }

// ofChannel reports whether a file of some channel is of this one. A directory may have
// several channels, of which one is published.
func (r *reader) ofChannel(base string) bool {
	return slices.ContainsFunc(r.src.Names, func(name string) bool { return isOf(base, name, channelSuffixes) })
}

// small adds a small file of the channel under names.
func (r *reader) small(at string, names ...string) error {
	data, made := r.remade(filepath.Base(at))
	if !made {
		var err error
		if data, err = dist.ReadFile(at, manifests.MaxChannel); err != nil {
			return err
		}
	}
	for _, base := range names {
		if err := r.add(file{name: r.name(base), path: at, body: store.Bytes(data)}); err != nil {
			return err
		}
	}
	return nil
}

// sort returns the files by their part in a publication. A manifest without .sha256 gets
// one.
func (r *reader) sort() files {
	out := files{channel: map[string]file{}, redirected: r.away}
	for _, name := range slices.Sorted(maps.Keys(r.all)) {
		f := r.all[name]
		base := path.Base(name)
		archive, isSum := strings.CutSuffix(name, manifests.ChecksumExt)
		_, ofArchive := r.all[archive]
		switch {
		case strings.HasPrefix(base, channelPrefix):
			out.channel[base] = f
		case isSum && ofArchive:
			out.sums = append(out.sums, f)
		default:
			out.archives = append(out.archives, f)
		}
	}
	for _, name := range r.src.Names {
		base := path.Base(channelFile(name))
		if _, ok := out.channel[base+manifests.ChecksumExt]; !ok {
			at := out.channel[base].name + manifests.ChecksumExt
			out.channel[base+manifests.ChecksumExt] = file{name: at, body: store.Bytes(manifests.FormatChecksum(manifests.HashOf(r.src.Text), base))}
		}
	}
	return out
}
