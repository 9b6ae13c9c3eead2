package verify

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist/archive"
	"x.go/manifests"
)

// checkFormats compares the members of the formats of one archive.
func checkFormats(group []*scanned) []*subject {
	if len(group) < 2 {
		return nil
	}
	s := newSubject(group[0].stem, setFormats)
	first := group[0]
	for _, other := range group[1:] {
		if !first.Complete || !other.Complete {
			s.skipf(setFormats, "an archive could not be read to its end")
			continue
		}
		for i := range max(len(first.Members), len(other.Members)) {
			switch {
			case i >= len(other.Members):
				s.failf(setFormats, "%q is in %s only", first.Members[i].Name, first.format)
			case i >= len(first.Members):
				s.failf(setFormats, "%q is in %s only", other.Members[i].Name, other.format)
			default:
				if why := memberDiff(first.Members[i], other.Members[i]); why != "" {
					s.failf(setFormats, "member %d, %s against %s: %s", i, first.format, other.format, why)
				}
			}
		}
	}
	return []*subject{s}
}

// memberDiff names the first field in which two members differ.
func memberDiff(a, b archive.Member) string {
	switch {
	case a.Name != b.Name:
		return fmt.Sprintf("name %q, %q", a.Name, b.Name)
	case a.Type != b.Type:
		return fmt.Sprintf("%q: type %q, %q", a.Name, a.Type, b.Type)
	case a.Mode != b.Mode:
		return fmt.Sprintf("%q: mode %04o, %04o", a.Name, a.Mode, b.Mode)
	case a.Size != b.Size:
		return fmt.Sprintf("%q: size %d, %d", a.Name, a.Size, b.Size)
	case a.Digest != b.Digest:
		return fmt.Sprintf("%q: content", a.Name)
	case !a.ModTime.Equal(b.ModTime):
		return fmt.Sprintf("%q: time %d, %d", a.Name, a.ModTime.Unix(), b.ModTime.Unix())
	}
	return ""
}

// pack is one archive in whichever formats it has, with its layout.
type pack struct {
	*scanned
	*archive.Layout
	name    manifests.ArchiveName
	known   bool // name could be parsed
	foreign bool // its component is none of Rust's
}

// isCombined reports whether p is the archive "rust", which joins the others.
func (p pack) isCombined() bool { return p.known && p.name.Component.Archive == "rust" }

// release identifies the archives that belong together.
func (p pack) release() string { return p.name.Version }

// byRelease groups the archives of each release, in the order of releases. It leaves
// out the combined archives, which repeat the others, those of unknown name, and
// releases of one archive. Components of others belong to every release.
func byRelease(packs []pack) [][]pack {
	groups := map[string][]pack{}
	var foreign []pack
	for _, p := range packs {
		switch {
		case !p.known || p.isCombined():
		case p.foreign:
			foreign = append(foreign, p)
		default:
			groups[p.place()] = append(groups[p.place()], p)
		}
	}
	if len(groups) == 0 && len(foreign) > 0 {
		groups[foreign[0].place()] = nil
	}
	var out [][]pack
	for _, r := range slices.Sorted(maps.Keys(groups)) {
		group := groups[r]
		for _, p := range foreign {
			if filepath.Dir(r) == filepath.Dir(p.path) {
				group = append(group, p)
			}
		}
		if len(group) > 1 {
			out = append(out, group)
		}
	}
	return out
}

// place is the directory and release of p: a mirror has a directory for each day.
func (p pack) place() string { return filepath.Join(filepath.Dir(p.path), p.release()) }

// checkVersions compares the overlays of the archives of one release. All have the
// commit of rust-lang/rust, and all but the tools with their own version share one.
func checkVersions(packs []pack) []*subject {
	var out []*subject
	for _, group := range byRelease(packs) {
		s := newSubject(group[0].release(), setVersion)
		commit, version := map[string][]string{}, map[string][]string{}
		for _, p := range group {
			if b, ok := p.Texts["git-commit-hash"]; ok && !p.foreign {
				commit[string(b)] = append(commit[string(b)], p.stem)
			}
			if b, ok := p.Texts["version"]; ok && !p.name.Component.OwnVersion {
				version[string(b)] = append(version[string(b)], p.stem)
			}
		}
		for what, values := range map[string]map[string][]string{"commit": commit, "version": version} {
			if len(values) > 1 {
				s.failf(setVersion, "several values of %s: %s", what, quoteValues(values))
			}
		}
		sortFindings(s, setVersion)
		out = append(out, s)
	}
	return out
}

func quoteValues(values map[string][]string) string {
	var parts []string
	for _, v := range slices.Sorted(maps.Keys(values)) {
		parts = append(parts, fmt.Sprintf("%.80q in %s", strings.TrimSpace(v), strings.Join(values[v], ", ")))
	}
	return strings.Join(parts, "; ")
}

// checkCombined compares the archive "rust" with the archives that it joins.
func checkCombined(packs []pack) []*subject {
	var out []*subject
	for _, whole := range packs {
		if !whole.isCombined() {
			continue
		}
		s := newSubject(whole.stem, setCombined)
		for _, c := range whole.Components {
			part, ok := findPart(packs, whole, c)
			if !ok {
				s.notef(setCombined, "some parts have no archive of their own here")
				continue
			}
			compareParts(s, whole, part, c)
		}
		out = append(out, s)
	}
	return out
}

// findPart returns the archive that holds component c by itself.
func findPart(packs []pack, whole pack, c string) (pack, bool) {
	for _, p := range packs {
		if p.known && !p.isCombined() && p.place() == whole.place() && slices.Contains(p.Components, c) &&
			(p.name.Target == whole.name.Target || strings.HasSuffix(c, p.name.Target.String())) {
			return p, true
		}
	}
	return pack{}, false
}

// compareParts compares one component's files in two archives.
func compareParts(s *subject, whole, part pack, component string) {
	prefix := component + "/"
	var names []string
	for n := range whole.Files {
		if strings.HasPrefix(n, prefix) {
			names = append(names, n)
		}
	}
	for n := range part.Files {
		if _, ok := whole.Files[n]; !ok && strings.HasPrefix(n, prefix) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		w, inWhole := whole.Files[n]
		p, inPart := part.Files[n]
		switch {
		case !inWhole:
			s.failf(setCombined, "%q is missing, %s has it", n, part.stem)
		case !inPart:
			s.failf(setCombined, "%q is not in %s", n, part.stem)
		case w.Digest != p.Digest:
			s.failf(setCombined, "%q differs from that of %s", n, part.stem)
		case w.Mode != p.Mode:
			s.failf(setCombined, "%q has mode %04o, %04o in %s", n, w.Mode, p.Mode, part.stem)
		}
	}
}
