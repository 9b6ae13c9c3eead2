package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/dist/channel"
	"x.go/dist/sign"
	"x.go/manifests"
)

// signature requires a signature of each keyring beside a file.
func (g channelGroup) signature(ctx context.Context, s *subject, at string, data []byte) {
	for _, ring := range g.opts.Keyrings {
		s.declare(channelSigned)
		text, err := channel.Fetch(ctx, at+ring.Ext(), sign.MaxSignature)
		if err == nil {
			_, err = ring.Check(data, text)
		}
		if err != nil {
			s.failf(channelSigned, "%q: %v", path.Base(filepath.ToSlash(at)), err)
		}
		g.in.check(at + ring.Ext())
	}
}

// provenance compares what says where the archives of a channel came from, if there is
// such a file, with the manifest and the archives.
func (g channelGroup) provenance(ctx context.Context, c *channelFile) {
	s, at := c.subject, strings.TrimSuffix(c.at, ".toml")+manifests.ProvenanceExt
	data, err := channel.Fetch(ctx, at, manifests.MaxProvenance)
	if errors.Is(err, fs.ErrNotExist) || err != nil && channel.IsURL(at) {
		return
	}
	s.declare(channelBuilt)
	if err != nil {
		s.failf(channelBuilt, "%v", err)
		return
	}
	g.signature(ctx, s, at, data)
	p, err := manifests.ParseProvenance(data)
	if err != nil {
		s.failf(channelBuilt, "%v", err)
		return
	}
	named := map[string]manifests.Hash{}
	for _, d := range c.channel.Downloads() {
		named[urlFile(d.URL)] = d.Hash
	}
	named[path.Base(filepath.ToSlash(c.at))] = sha256.Sum256(c.data)
	told := map[string]manifests.Hash{}
	for _, r := range p.Subjects {
		got, _ := r.SHA256() // every subject that was parsed has one
		told[r.Name] = got
		switch want := named[r.Name]; {
		case want.IsZero():
			s.failf(channelBuilt, "it names %.200q, which the channel does not have", r.Name)
		case got != want:
			s.failf(channelBuilt, "%.200q: got sha256 %s, want %s as in the channel", r.Name, got, want)
		}
	}
	if name := path.Base(filepath.ToSlash(c.at)); told[name].IsZero() {
		s.failf(channelBuilt, "it does not name %q", name)
	}
	g.builds(c, p, told)
}

// builds compares the build records in a provenance with those in the archives.
func (g channelGroup) builds(c *channelFile, p manifests.Provenance, told map[string]manifests.Hash) {
	records := map[string][]byte{}
	for _, b := range p.Predicate.Definition.Parameters.Builds {
		text, err := b.Record.Encode()
		if err != nil {
			continue
		}
		for _, name := range b.Archives {
			records[name] = text
		}
	}
	dir := filepath.Dir(c.at)
	for _, a := range g.packs {
		data, has := a.Texts[manifests.BuildRecordFile]
		if at := filepath.Dir(a.path); !has || at != dir && at != filepath.Join(dir, c.channel.Date) || !c.offers(a.file) {
			continue
		}
		r, err := manifests.ParseBuildRecord(data)
		if err != nil {
			continue // the static checks say so
		}
		text, err := r.Encode()
		switch {
		case err != nil:
			c.subject.failf(channelBuilt, "%s: %v", a.file, err)
		case told[a.file].IsZero():
			c.subject.failf(channelBuilt, "it does not name %s, which has a build record", a.file)
		case !bytes.Equal(text, records[a.file]):
			c.subject.failf(channelBuilt, "it has another build record than %s", a.file)
		}
	}
}

// offers reports whether the channel names a file.
func (c *channelFile) offers(file string) bool {
	for _, d := range c.channel.Downloads() {
		if urlFile(d.URL) == file {
			return true
		}
	}
	return false
}

// checksums compares SHA256SUMS, where there is one, with the files: that beside the
// manifests of a directory, or that of each manifest, as a store has it.
func (g channelGroup) checksums(ctx context.Context, read []channelFile) []*subject {
	of := map[string][]channelFile{} // by path
	for _, c := range read {
		if !channel.IsURL(c.at) {
			shared := filepath.Join(filepath.Dir(c.at), manifests.ChecksumsFile)
			of[shared] = append(of[shared], c)
			of[strings.TrimSuffix(c.at, ".toml")+manifests.ChecksumsSuffix] = []channelFile{c}
		}
	}
	var out []*subject
	for _, at := range slices.Sorted(maps.Keys(of)) {
		data, err := dist.ReadFile(at, manifests.MaxChecksums)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		s := newSubject(filepath.Base(at), channelSums)
		out = append(out, s)
		if err != nil {
			s.failf(channelSums, "%v", err)
			continue
		}
		g.in.check(at)
		g.signature(ctx, s, at, data)
		sums, err := manifests.ParseChecksums(data)
		if err != nil {
			s.failf(channelSums, "%v", err)
			continue
		}
		for _, c := range of[at] {
			if name := filepath.Base(c.at); sums[name].IsZero() {
				s.failf(channelSums, "it does not name %q", name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(sums)) {
			g.checksum(ctx, s, filepath.Join(filepath.Dir(at), name), sums[name])
		}
	}
	return out
}

// checksum compares one file with its digest in SHA256SUMS.
func (g channelGroup) checksum(ctx context.Context, s *subject, file string, want manifests.Hash) {
	var got manifests.Hash
	if a, ok := g.digest[file]; ok {
		got = a.Digest
	} else {
		var err error
		if got, err = dist.HashFile(ctx, file); err != nil {
			s.failf(channelSums, "%v", err)
			return
		}
		g.in.check(file)
	}
	if got != want {
		s.failf(channelSums, "%q has %s, want %s", filepath.Base(file), got, want)
	}
}
