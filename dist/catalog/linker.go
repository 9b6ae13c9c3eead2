package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/manifests"
)

// The most bytes of an archive that is read for its build record: in the newest release
// of a channel, and in those before it, of which there may be many.
const (
	maxAsked    = 64 << 20
	maxAskedOld = 1 << 20
)

// readLinkers finds out how the toolchains of a release link: by the build records in its
// provenance, or by that in the smallest of its archives that is there, unless that has
// more than limit bytes.
func (r *reader) readLinkers(rel *release, limit int64) error {
	if err := r.readProvenance(rel); err != nil {
		return err
	}
	for _, host := range rel.hosts {
		if rel.linkers[host] != "" {
			continue
		}
		var have []offer
		for _, pkg := range manifests.Recorded() {
			if o := rel.parts[part{pkg, host}]; o.available && o.file != "" && o.size <= limit {
				have = append(have, o)
			}
		}
		if len(have) == 0 {
			continue
		}
		slices.SortFunc(have, func(a, b offer) int { return cmp.Or(cmp.Compare(a.size, b.size), cmp.Compare(a.file, b.file)) })
		record, ok, err := r.record(have[0].file)
		if err != nil {
			return err
		}
		if ok && record.Toolchain.Host == host {
			rel.linkers[host] = record.Linker()
		}
	}
	return nil
}

// readProvenance takes the linkers from the provenance beside a manifest, if that is about
// this very manifest.
func (r *reader) readProvenance(rel *release) error {
	name := strings.TrimSuffix(rel.at, ".toml") + manifests.ProvenanceExt
	if _, ok := r.sizes[path.Dir(name)][path.Base(name)]; !ok {
		return nil
	}
	f, err := r.files.Open(name)
	if err != nil {
		return fmt.Errorf("reading provenance %q: %w", name, dist.WithoutPath(err))
	}
	data, err := dist.ReadAll(f, name, manifests.MaxProvenance)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	p, err := manifests.ParseProvenance(data)
	if err != nil {
		return nil // what is none of x says nothing
	}
	about := func(s manifests.Resource) bool {
		h, ok := s.SHA256()
		return ok && s.Name == path.Base(rel.at) && h == rel.hash
	}
	if !slices.ContainsFunc(p.Subjects, about) {
		return nil
	}
	for _, b := range p.Predicate.Definition.Parameters.Builds {
		if slices.Contains(rel.hosts, b.Record.Toolchain.Host) {
			rel.linkers[b.Record.Toolchain.Host] = b.Record.Linker()
		}
	}
	return nil
}

// linkersText says in one line how the toolchains of a release link; "" if nobody knows.
func (rel *release) linkersText() string {
	by := map[string][]string{}
	for _, host := range rel.hosts {
		text := cmp.Or(rel.linkers[host], "unknown")
		by[text] = append(by[text], host)
	}
	if len(by) == 1 && len(rel.linkers) > 0 {
		return rel.linkers[rel.hosts[0]]
	}
	var parts []string
	for _, text := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, text+": "+strings.Join(by[text], ", "))
	}
	if len(rel.linkers) == 0 {
		return ""
	}
	return strings.Join(parts, "; ")
}

// record reads the build record of an archive, if it has one that makes sense.
func (r *reader) record(name string) (_ manifests.BuildRecord, ok bool, err error) {
	temp, err := os.MkdirTemp("", "x-page-")
	if err != nil {
		return manifests.BuildRecord{}, false, fmt.Errorf("creating a temporary directory: %w", err)
	}
	defer os.RemoveAll(temp)
	file := filepath.Join(temp, path.Base(name))
	if err := r.copy(name, file); err != nil {
		return manifests.BuildRecord{}, false, fmt.Errorf("reading archive %q: %w", name, dist.WithoutPath(err))
	}
	data, err := archive.ReadBuildRecord(r.ctx, file)
	if err != nil {
		return manifests.BuildRecord{}, false, context.Cause(r.ctx) // a broken archive says nothing, either
	}
	record, err := manifests.ParseBuildRecord(data)
	return record, err == nil, nil // what is no record of x says nothing
}

// copy copies a file of the server to a path.
func (r *reader) copy(name, to string) error {
	in, err := r.files.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, io.LimitReader(in, maxAsked))
	return errors.Join(err, out.Close(), context.Cause(r.ctx))
}
