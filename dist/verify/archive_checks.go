package verify

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"x.go/dist/archive"
	"x.go/manifests"
)

// bareChecks are the checks of an archive of sources, which has no components. It may
// hold symbolic links, and files of any mode.
var bareChecks = []string{archiveHeader, archiveTarEnd, archiveTop, archiveName, archiveOwner, archiveDuplicate, archiveOrder}

// checkArchive judges the members of a. It reports every finding, whatever else is
// wrong. name tells archives of sources.
func checkArchive(a *scanned, name manifests.ArchiveName) *archive.Layout {
	s, bare := a.subject, name.Source != ""
	for _, c := range staticTable {
		if strings.HasPrefix(c.Name, archivePrefix) && c.Name != archiveChecksum && c.Name != archiveRecord && (!bare || slices.Contains(bareChecks, c.Name)) {
			s.declare(c.Name)
		}
	}
	holds := func(check string) bool { return s.out[check] != nil }
	s.report(a.Problems, holds)
	l := a.Layout()
	if len(a.Members) > 0 && l.Top != a.stem {
		s.failf(archiveTop, "got top directory %q, want %q", l.Top, a.stem)
	}
	if a.Complete { // else what is missing may be in what was not read
		s.report(l.Problems, holds)
	}
	if bare {
		l.Components, l.Lists = nil, nil // if it has such files, they are no installer's
		checkSource(a, l, name.Version, name.Source)
	} else if a.Complete {
		checkInstaller(a, l)
		checkStray(s, l)
		checkRecord(a, l)
		checkExecutables(a, l)
	}
	if !a.Complete {
		// Nothing is known of what was not read: only findings stand.
		for _, name := range s.names {
			if (strings.HasPrefix(name, archivePrefix) || strings.HasPrefix(name, sourcePrefix)) && !s.failed(name) && name != archiveFormat {
				s.skipf(name, "the archive could not be read to its end")
			}
		}
	}
	return l
}

// checkInstaller judges rust-installer's own files in the top directory.
func checkInstaller(a *scanned, l *archive.Layout) {
	s := a.subject
	if m, ok := l.Files["install.sh"]; !ok {
		s.failf(archiveScript, "install.sh is missing")
	} else if m.Mode&0o100 == 0 {
		s.failf(archiveScript, "install.sh has mode %04o, want 0755", m.Mode)
	}
	if b, ok := a.Texts["version"]; !ok {
		s.failf(archiveVersion, "the file version is missing")
	} else if text := strings.TrimSuffix(string(b), "\n"); text == "" || strings.ContainsFunc(text, unicode.IsControl) {
		s.failf(archiveVersion, "got %.80q in the file version, want one line", b)
	}
}

// overlayFiles are the files beside the components that are not documents.
var overlayFiles = []string{"components", "rust-installer-version", "install.sh", "version", "git-commit-hash", "git-commit-info", "builder-config"}

// checkStray finds members that belong neither to rust-installer nor to a component.
func checkStray(s *subject, l *archive.Layout) {
	for _, dir := range slices.Sorted(maps.Keys(l.Dirs)) {
		_, component := l.Files[dir+"/"+manifests.ManifestFile] // the file components should list it
		if !strings.Contains(dir, "/") && !slices.Contains(l.Components, dir) && !component {
			s.failf(archiveStray, "directory %q is no listed component", dir)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.Files)) {
		if !strings.Contains(name, "/") && !slices.Contains(overlayFiles, name) && !isDocument(name) {
			s.failf(archiveStray, "file %q is none of rust-installer's and no document", name)
		}
	}
}

// isDocument reports whether name is a legal or introductory document as the
// overlays of `src/bootstrap/src/utils/tarball.rs` hold, or a build record.
func isDocument(name string) bool {
	upper := strings.ToUpper(name)
	return strings.HasPrefix(upper, "LICENSE") || strings.HasPrefix(upper, "COPYRIGHT") || strings.HasPrefix(upper, "COPYING") ||
		strings.HasPrefix(upper, "README") || name == manifests.BuildRecordFile
}

// sortFindings sorts findings that came in the order of a map.
func sortFindings(s *subject, checks ...string) {
	for _, c := range checks {
		if o := s.out[c]; o != nil {
			slices.Sort(o.findings)
		}
	}
}

// checkExecutables requires the execute bit of programs. rustup installs a bin/rustc
// of mode 0644 and says nothing.
func checkExecutables(a *scanned, l *archive.Layout) {
	for _, c := range l.Components {
		for _, d := range l.Lists[c] {
			m, ok := l.Files[c+"/"+d.Path]
			if ok && isProgram(d.Path) && m.Mode&0o100 == 0 {
				a.subject.failf(archiveExecutable, "%s: %q has mode %04o, want 0755", c, d.Path, m.Mode)
			}
		}
	}
}

// isProgram reports whether a path below the prefix must be executable:
// bin/*, libexec/*, lib/rustlib/<target>/bin/** but for libraries and texts.
func isProgram(path string) bool {
	parts := strings.Split(path, "/")
	base := parts[len(parts)-1]
	if strings.Contains(base, ".so") || strings.HasSuffix(base, ".dll") || strings.HasSuffix(base, ".txt") {
		return false
	}
	switch {
	case len(parts) == 2:
		return parts[0] == "bin" || parts[0] == "libexec"
	case len(parts) >= 5:
		return parts[0] == "lib" && parts[1] == "rustlib" && parts[3] == "bin"
	}
	return false
}
