package compose

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/dist/channel"
	"x.go/manifests"
)

// maxChecksum bounds a .sha256 file, in bytes.
const maxChecksum = 1 << 10

// Parts of the names of a channel's files.
const (
	manifestPrefix = "channel-rust-"
	manifestExt    = ".toml"
)

// Source is a channel that was read.
type Source struct {
	// Place is the path or the URL of its manifest.
	Place string
	// Names are those by which rustup asks for it, as far as they are known: stable,
	// 1.95.0 and 1.95 of a directory, or the one of the manifest's file.
	Names []string
	// Text is the manifest, and Channel what it says.
	Text    []byte
	Channel *manifests.Channel
	// Findings are what is wrong with it.
	Findings manifests.Findings
	// Unchecked says that no .sha256 beside the manifest tells whether it is whole.
	Unchecked bool
}

// Open reads the channel at a place: the path or the URL of a manifest, or a directory
// with the manifests of one release, such as x dist leaves it. A manifest that does
// not have the digest of its .sha256 is an error, as is one that cannot be read; what
// it says wrong is not.
func Open(ctx context.Context, place string) (*Source, error) {
	shown := manifests.Redact(place)
	if local, ok := channel.LocalPath(place); ok {
		if info, err := os.Stat(local); err != nil {
			return nil, fmt.Errorf("reading channel %q: %w", shown, dist.WithoutPath(err))
		} else if info.IsDir() {
			return openDir(ctx, local)
		}
	} else if !strings.HasSuffix(place, manifestExt) {
		return nil, fmt.Errorf("reading channel %q: name the manifest itself, such as %s/%sstable%s", shown, strings.TrimSuffix(shown, "/"), manifestPrefix, manifestExt)
	}
	text, err := channel.Fetch(ctx, place, manifests.MaxChannel)
	if err != nil {
		return nil, fmt.Errorf("reading channel %q: %w", shown, dist.WithoutPath(err))
	}
	s := &Source{Place: place, Text: text}
	if name, ok := channelName(place); ok {
		s.Names = []string{name}
	}
	if err := s.check(ctx); err != nil {
		return nil, fmt.Errorf("reading channel %q: %w", shown, err)
	}
	if s.Channel, s.Findings, _ = manifests.CheckChannel(text); s.Channel == nil {
		return nil, fmt.Errorf("reading channel %q: %w", shown, s.Findings)
	}
	return s, nil
}

// check compares the manifest with its .sha256.
func (s *Source) check(ctx context.Context) error {
	sum, err := channel.Fetch(ctx, s.Place+manifests.ChecksumExt, maxChecksum)
	if errors.Is(err, fs.ErrNotExist) {
		s.Unchecked = true
		return nil
	}
	if err != nil { // what cannot be read could be right or wrong
		return fmt.Errorf("reading its %s: %w", manifests.ChecksumExt, err)
	}
	want, _, err := manifests.ParseChecksum(sum)
	if err != nil {
		return fmt.Errorf("its %s: %w", manifests.ChecksumExt, err)
	}
	if got := manifests.HashOf(s.Text); got != want {
		return fmt.Errorf("got sha256 %s, its %s says %s: it is changed, cut short or just being published", got, manifests.ChecksumExt, want)
	}
	return nil
}

// channelName returns the name by which rustup asks for the manifest at a place.
func channelName(place string) (string, bool) {
	file, ok := strings.CutSuffix(path.Base(filepath.ToSlash(place)), manifestExt)
	if !ok {
		return "", false
	}
	return strings.CutPrefix(file, manifestPrefix)
}

// openDir reads the one channel of a directory, or of the directory dist in it. It may
// have several names.
func openDir(ctx context.Context, dir string) (*Source, error) {
	files, err := filepath.Glob(filepath.Join(escapeGlob(dir), manifestPrefix+"*"+manifestExt))
	if below := filepath.Join(dir, "dist"); err == nil && len(files) == 0 && isDir(below) {
		return openDir(ctx, below)
	}
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("it has no %s*%s", manifestPrefix, manifestExt)
	}
	if err != nil {
		return nil, fmt.Errorf("reading channel %q: %w", dir, err)
	}
	var first *Source
	var others []string
	var errs []error
	for _, file := range files {
		s, err := Open(ctx, file)
		switch {
		case err != nil:
			errs = append(errs, err)
		case first == nil:
			first = s
		case bytes.Equal(s.Text, first.Text):
			first.Names = append(first.Names, s.Names...)
		default:
			others = append(others, filepath.Base(file))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(others) > 0 {
		all := append([]string{filepath.Base(first.Place)}, others...)
		return nil, fmt.Errorf("reading channel %q: the directory has several: name one, such as %q, of %q", dir, filepath.Join(dir, all[0]), all)
	}
	if names := first.publicName(); slices.Contains(first.Names, names) {
		first.Place = filepath.Join(dir, manifestPrefix+names+manifestExt)
	}
	return first, nil
}

// publicName is the first name of the channel's release, such as stable.
func (s *Source) publicName() string {
	v, err := s.Channel.Version()
	if err != nil {
		return ""
	}
	return v.Names()[0]
}

// escapeGlob has a pattern mean the path itself.
func escapeGlob(p string) string {
	if os.PathSeparator == '\\' {
		return p // no escapes there, and no such characters in names
	}
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(p)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
