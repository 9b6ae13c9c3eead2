package compose

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist/channel"
	"x.go/manifests"
)

// MergeOptions say how to put channels together.
type MergeOptions struct {
	// Name is the one by which rustup asks for the result; "" for all those of its
	// release.
	Name string
	// URL is as in [MakeOptions].
	URL string
	// AnyRelease takes channels of different releases or days.
	AnyRelease bool
	// Declared is as in [MakeOptions]; [Subset] ignores it.
	Declared []manifests.Declaration
	// Progress is as in [MakeOptions].
	Progress func(Event)
}

// Merge puts channels together, such as those of several build machines: see
// [manifests.Channel.Merge]. Their archives are found as rustup finds them, and are all
// to lie in one directory; all URLs then lead there, whatever server they named.
func Merge(ctx context.Context, sources []*Source, o MergeOptions) (*Draft, error) {
	var merged *manifests.Channel
	files := map[string]File{}
	for _, s := range sources {
		c, err := s.gather(ctx, o, files)
		if err != nil {
			return nil, err
		}
		if merged == nil {
			merged = c
			continue
		}
		if merged, err = merged.Merge(c, manifests.MergeOptions{AnyRelease: o.AnyRelease}); err != nil {
			return nil, fmt.Errorf("%q: %w", manifests.Redact(s.Place), err)
		}
	}
	merged, err := merged.Declare(o.Declared)
	if err != nil {
		return nil, fmt.Errorf("merging channels: %w", err)
	}
	note, err := disjoint(ctx, merged, nil, files, o.progress())
	if err != nil {
		return nil, fmt.Errorf("merging channels: %w", err)
	}
	d, err := draft(merged, sources[0].Names, files, o)
	if err == nil && note != "" {
		d.Notes = append(d.Notes, note)
	}
	return d, err
}

// progress is Progress, or does nothing.
func (o MergeOptions) progress() func(Event) {
	if o.Progress == nil {
		return func(Event) {}
	}
	return o.Progress
}

// Subset takes the part of a channel that is selected.
func Subset(ctx context.Context, s *Source, part manifests.Selection, o MergeOptions) (*Draft, error) {
	files := map[string]File{}
	c, err := s.Channel.Subset(part)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", manifests.Redact(s.Place), err)
	}
	c, err = (&Source{Place: s.Place, Channel: c}).gather(ctx, o, files)
	if err != nil {
		return nil, err
	}
	return draft(c, s.Names, files, o)
}

// gather finds the archives of a channel, adds them to files by name, and returns the
// channel with their URLs in one directory.
func (s *Source) gather(ctx context.Context, o MergeOptions, files map[string]File) (*manifests.Channel, error) {
	var errs []error
	for key, d := range s.Channel.Downloads() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		name := fileOf(d.URL)
		if !isFileName(name) {
			errs = append(errs, fmt.Errorf("%s: got %.200q, want the URL of a file", key, manifests.Redact(d.URL)))
			continue
		}
		place, err := channel.Locate(s.Place, d.URL)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
			continue
		}
		if old, ok := files[name]; ok && old.Hash != d.Hash {
			errs = append(errs, fmt.Errorf("%q has sha256 %s and %q has %s: want one file for one name", manifests.Redact(old.Place), old.Hash, manifests.Redact(place), d.Hash))
		} else if !ok {
			files[name] = File{Name: name, Place: place, Hash: d.Hash}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("finding the archives of channel %q: %w", manifests.Redact(s.Place), err)
	}
	return s.Channel.WithURLs(func(url string) string { return o.base() + url[strings.LastIndexByte(url, '/'):] }), nil
}

// base is the URL of the directory of the archives, without a slash at its end.
func (o MergeOptions) base() string { return strings.TrimSuffix(cmp.Or(o.URL, DefaultURL), "/") }

// isFileName reports whether a stranger's name is that of a file in a directory: no
// path, and nothing that a channel's own files are called.
func isFileName(name string) bool {
	_, _, isArchive := manifests.CutFormat(name)
	printable := !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' || r == ':' })
	return filepath.IsLocal(name) && printable && len(name) < 200 && name[0] != '.' &&
		(isArchive || !strings.HasPrefix(name, manifestPrefix) && !strings.HasSuffix(name, manifests.ChecksumExt))
}

// draft returns the draft of a channel that was put together, unless rustup would trip
// over it. had are the names of the first part.
func draft(c *manifests.Channel, had []string, files map[string]File, o MergeOptions) (*Draft, error) {
	if err := judge(c, o.AnyRelease); err != nil {
		return nil, err
	}
	d := &Draft{Channel: c, Commit: c.Packages["rust"].CommitHash}
	if err := d.name(o.Name, had); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		d.Files = append(d.Files, files[name])
	}
	return d, nil
}
