package verify

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"x.go/bootstrap/lld"
	"x.go/dist/archive"
	"x.go/manifests"
)

// checkRecord compares the build record of an archive, if it has one, with the
// archive's files: a record that contradicts them is worse than none.
func checkRecord(a *scanned, l *archive.Layout) {
	data, ok := a.Texts[manifests.BuildRecordFile]
	s := a.subject
	if m, there := l.Files[manifests.BuildRecordFile]; there && !ok {
		s.failf(archiveRecord, "%s has %d bytes, which is too much to be read", manifests.BuildRecordFile, m.Size)
	}
	if !ok {
		return
	}
	s.declare(archiveRecord)
	r, err := manifests.ParseBuildRecord(data)
	if err != nil {
		s.failf(archiveRecord, "%v", err)
		return
	}
	if commit, ok := a.Texts["git-commit-hash"]; ok && strings.TrimSpace(string(commit)) != r.Toolchain.Commit {
		s.failf(archiveRecord, "got commit %.80q, want %.80q as in git-commit-hash", r.Toolchain.Commit, bytes.TrimSpace(commit))
	}
	for name, m := range l.Files {
		if installed, ok := strings.CutSuffix(name, "/"+manifests.BuildRecordInstalled); ok && m.Digest != l.Files[manifests.BuildRecordFile].Digest {
			s.failf(archiveRecord, "the record installed by %s differs from that of the archive", installed)
		}
	}
	if slices.Contains(l.Components, "rustc") {
		compareCompiler(r, s, l)
	}
	sortFindings(s, archiveRecord)
}

// compareCompiler compares what the record says of LLD with the files of
// component rustc.
func compareCompiler(r manifests.BuildRecord, s *subject, l *archive.Layout) {
	bin := path.Join("rustc/lib/rustlib", r.Toolchain.Host, "bin")
	if _, ok := l.Files["rustc/bin/rustc"]; !ok {
		return // with an .exe, neither LLD nor these programs are like here
	}
	_, shipped := l.Files[bin+"/rust-lld"]
	wrapper, gccLD := l.Files[bin+"/gcc-ld/ld.lld"]
	launcher := l.Files["rustc/bin/rustc"]
	_, launched := l.Files["rustc/libexec/rustc"]
	says := lld.Recorded(r)
	for _, c := range []struct {
		what          string
		says, archive bool
	}{
		{"rust-lld", says.Shipped, shipped},
		{"gcc-ld/ld.lld", says.Wrapper != lld.WrapperNone, gccLD},
		{"a launcher before rustc", says.Launcher != lld.LauncherNone, launched},
	} {
		if c.says != c.archive {
			s.failf(archiveRecord, "%s: got %t in the record, want %t as in the archive", c.what, c.says, c.archive)
		}
	}
	for _, p := range r.Programs {
		found := map[string]archive.Member{"lldwrapper": wrapper, "launcher": launcher}
		if m, ok := found[p.Package]; ok && m.Digest != p.SHA256 {
			s.failf(archiveRecord, "%s has another digest than the record gives: got %s, want %s", p.Package, m.Digest, p.SHA256)
		}
	}
}
