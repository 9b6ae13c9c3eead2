package verify

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/manifests"
)

// recordName is the build record of x in the top folder of an archive.
const recordName = "x-build.json"

// buildRecord is what is checked of a build record; package bootstrap writes
// it, and its type Record describes the fields.
type buildRecord struct {
	Format    int `json:"format"`
	Toolchain struct {
		Commit string `json:"commit"`
		Host   string `json:"host"`
	} `json:"toolchain"`
	LLD struct {
		Shipped  bool   `json:"shipped"`
		Wrapper  string `json:"wrapper"`
		Launcher string `json:"launcher"`
	} `json:"lld"`
	Programs []struct {
		Package string         `json:"package"`
		SHA256  manifests.Hash `json:"sha256"`
	} `json:"programs"`
}

// checkRecord compares the build record of an archive, if it has one, with what
// the archive holds: a record that tells another story than the files is worse
// than none.
func checkRecord(a *scanned, l *dist.Layout) {
	data, ok := a.Texts[recordName]
	if !ok {
		return
	}
	s := a.subject
	s.declare(archiveRecord)
	var r buildRecord
	if err := json.Unmarshal(data, &r); err != nil {
		s.failf(archiveRecord, "parsing %s: %v", recordName, err)
		return
	}
	if r.Format != 1 {
		s.failf(archiveRecord, "got format %d, want 1", r.Format)
		return
	}
	if commit, ok := a.Texts["git-commit-hash"]; ok && strings.TrimSpace(string(commit)) != r.Toolchain.Commit {
		s.failf(archiveRecord, "got commit %.80q, want %.80q as in git-commit-hash", r.Toolchain.Commit, bytes.TrimSpace(commit))
	}
	for name, m := range l.Files {
		if installed, ok := strings.CutSuffix(name, "/share/doc/rust/"+recordName); ok && m.Digest != l.Files[recordName].Digest {
			s.failf(archiveRecord, "the record installed by %s differs from that of the archive", installed)
		}
	}
	if slices.Contains(l.Components, "rustc") {
		r.compareCompiler(s, l)
	}
	sortFindings(s, archiveRecord)
}

// compareCompiler compares what the record says of LLD with the files of
// component rustc.
func (r buildRecord) compareCompiler(s *subject, l *dist.Layout) {
	bin := path.Join("rustc/lib/rustlib", r.Toolchain.Host, "bin")
	if _, ok := l.Files["rustc/bin/rustc"]; !ok {
		return // with an .exe, neither LLD nor these programs are like here
	}
	_, lld := l.Files[bin+"/rust-lld"]
	wrapper, gccLD := l.Files[bin+"/gcc-ld/ld.lld"]
	launcher := l.Files["rustc/bin/rustc"]
	_, launched := l.Files["rustc/libexec/rustc"]
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
		found := map[string]dist.Member{"lldwrapper": wrapper, "launcher": launcher}
		if m, ok := found[p.Package]; ok && m.Digest != p.SHA256 {
			s.failf(archiveRecord, "%s has another digest than the record gives: got %s, want %s", p.Package, m.Digest, p.SHA256)
		}
	}
}
