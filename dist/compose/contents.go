package compose

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"x.go/dist"
	"x.go/dist/channel"
	"x.go/manifests"
)

// contents reads what the archives of channels install, one format of each, as far as
// they are on this machine. elsewhere is the number of the others.
func contents(ctx context.Context, files map[string]File, progress func(Event)) (all []stored, elsewhere int, err error) {
	seen := map[string]bool{}
	var local []File
	for _, name := range slices.Sorted(maps.Keys(files)) {
		stem, _, ok := manifests.CutFormat(name)
		if !ok || seen[stem] {
			continue // an installer or another file, or another format of the same
		}
		seen[stem] = true
		if _, ok := channel.LocalPath(files[name].Place); ok {
			local = append(local, files[name])
		} else {
			elsewhere++
		}
	}
	all, errs := make([]stored, len(local)), make([]error, len(local))
	var g errgroup.Group
	g.SetLimit(max(1, min(runtime.GOMAXPROCS(0), memory/decoding)))
	for i, file := range local {
		g.Go(func() error {
			all[i], errs[i] = readContents(ctx, file, progress)
			return nil
		})
	}
	_ = g.Wait() // errs has the errors
	return all, elsewhere, cmp.Or(ctx.Err(), errors.Join(errs...))
}

// readContents reads an archive of a known digest.
func readContents(ctx context.Context, file File, progress func(Event)) (stored, error) {
	path, _ := channel.LocalPath(file.Place)
	s, err := readArchive(ctx, path, progress)
	got := s.Hash
	if err != nil && ctx.Err() == nil { // perhaps since it is another file
		var herr error
		if got, herr = dist.HashFile(ctx, path); herr != nil {
			return s, herr
		}
	}
	if ctx.Err() == nil && got != file.Hash {
		return s, fmt.Errorf("reading archive %q: got sha256 %s, want %s as its channel says", path, got, file.Hash)
	}
	return s, err
}

// atHand returns the archives of a channel on disk that are there, too.
func (s *Source) atHand() map[string]File {
	files := map[string]File{}
	if _, local := channel.LocalPath(s.Place); !local {
		return files
	}
	for _, d := range s.Channel.Downloads() {
		name := fileOf(d.URL)
		if place, err := channel.Locate(s.Place, d.URL); err == nil && isFileName(name) {
			files[name] = File{Name: name, Place: place, Hash: d.Hash}
		}
	}
	return files
}

// disjoint requires that no two components of a channel collide in one toolchain, by the
// contents of the archives that were read or are in files. The note says how many are
// neither.
func disjoint(ctx context.Context, c *manifests.Channel, read []stored, files map[string]File, progress func(Event)) (note string, err error) {
	rest := maps.Clone(files)
	for i := range read {
		delete(rest, read[i].String())
	}
	more, elsewhere, err := contents(ctx, rest, progress)
	if err != nil {
		return "", err
	}
	if elsewhere > 0 {
		note = fmt.Sprintf("whether components collide was not looked for in %d archives of other servers", elsewhere)
	}
	return note, collisions(append(slices.Clone(read), more...), c)
}
