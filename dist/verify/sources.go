package verify

import (
	"cmp"
	"io"

	"x.go/dist/archive"
	"x.go/dist/source"
	"x.go/manifests"
)

// sourcePrefix stands before the names of the checks of archives of sources, which are
// called like the kinds of findings of package source.
const sourcePrefix = "source/"

// sourceTable are the checks of archives of sources.
func sourceTable() []CheckInfo {
	var all []CheckInfo
	for _, k := range source.Kinds() {
		all = append(all, CheckInfo{sourcePrefix + k[0], Static, "in rustc-VERSION-src: " + k[1]})
	}
	return all
}

// isSource reports whether a file is, by its name, an archive of Rust's sources.
func isSource(file string) bool {
	name, err := manifests.ParseArchiveName(file)
	return err == nil && name.Source != ""
}

// sourceLimits are the limits for an archive of sources: with LLVM and the vendored
// crates it has more members than all others.
func sourceLimits(l archive.Limits) archive.Limits {
	l.Members = cmp.Or(l.Members, 1_000_000)
	l.Names = cmp.Or(l.Names, 128<<20)
	return l
}

// sourceSink returns a sink that takes down what an archive of sources holds.
func sourceSink(l *source.Listing) archive.Sink {
	return func(m archive.Member) (io.WriteCloser, error) {
		if rel := archive.Below(m.Name); m.IsFile() && rel != "" {
			return l.Take(rel, m.Size), nil
		}
		return nil, nil
	}
}

// checkSource judges an archive of sources.
func checkSource(a *scanned, l *archive.Layout, version, kind string) {
	for _, c := range sourceTable() {
		a.subject.declare(c.Name)
	}
	if !a.Complete {
		return // all is skipped
	}
	a.source.GPL = kind != manifests.SourcePlain
	a.source.Version, a.source.Links, a.source.Dirs = version, l.Links, l.Dirs
	for name, m := range l.Files {
		a.source.Files[name] = source.File{Size: m.Size, Digest: m.Digest}
	}
	found, recorded := source.Judge(a.source)
	for _, f := range found {
		a.subject.failf(sourcePrefix+string(f.Kind), "%s", f.Text)
	}
	if recorded > 0 {
		a.subject.notef(sourcePrefix+string(source.Vendor), "%s records %d crates and files that it was packed without", source.LacksFile, recorded)
	}
}
