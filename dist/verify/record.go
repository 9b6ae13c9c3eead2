package verify

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"x.go/manifests"
)

// checkRecord compares the build record of an archive, if it has one, with what
// the archive holds: a record that tells another story than the files is worse
// than none.
func checkRecord(a *scanned, l *layout) {
	data, ok := a.texts[manifests.BuildRecordFile]
	if !ok {
		return
	}
	s := a.subject
	s.declare(archiveRecord)
	r, err := manifests.ParseBuildRecord(data)
	if err != nil {
		s.failf(archiveRecord, "%v", err)
		return
	}
	if commit, ok := a.texts["git-commit-hash"]; ok && strings.TrimSpace(string(commit)) != r.Toolchain.Commit {
		s.failf(archiveRecord, "got commit %.80q, want %.80q as in git-commit-hash", r.Toolchain.Commit, bytes.TrimSpace(commit))
	}
	for name, m := range l.files {
		if installed, ok := strings.CutSuffix(name, "/"+manifests.BuildRecordInstalled); ok && m.digest != l.files[manifests.BuildRecordFile].digest {
			s.failf(archiveRecord, "the record installed by %s differs from that of the archive", installed)
		}
	}
	if slices.Contains(l.components, "rustc") {
		compareCompiler(r, s, l)
	}
	sortFindings(s, archiveRecord)
}

// compareCompiler compares what the record says of LLD with the files of
// component rustc.
func compareCompiler(r manifests.BuildRecord, s *subject, l *layout) {
	bin := path.Join("rustc/lib/rustlib", r.Toolchain.Host, "bin")
	if _, ok := l.files["rustc/bin/rustc"]; !ok {
		return // with an .exe, neither LLD nor these programs are like here
	}
	_, lld := l.files[bin+"/rust-lld"]
	wrapper, gccLD := l.files[bin+"/gcc-ld/ld.lld"]
	launcher := l.files["rustc/bin/rustc"]
	_, launched := l.files["rustc/libexec/rustc"]
	for _, c := range []struct {
		what          string
		says, archive bool
	}{
		{"rust-lld", r.LLD.Shipped, lld},
		{"gcc-ld/ld.lld", r.LLD.Wrapper != "none", gccLD},
		{"a launcher before rustc", r.LLD.Launcher != "none", launched},
	} {
		if c.says != c.archive {
			s.failf(archiveRecord, "%s: got %t in the record, want %t as in the archive", c.what, c.says, c.archive)
		}
	}
	for _, p := range r.Programs {
		found := map[string]member{"lldwrapper": wrapper, "launcher": launcher}
		if m, ok := found[p.Package]; ok && m.digest != p.SHA256 {
			s.failf(archiveRecord, "%s has another digest than the record gives: got %s, want %s", p.Package, m.digest, p.SHA256)
		}
	}
}
