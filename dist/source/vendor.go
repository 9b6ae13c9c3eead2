package source

import (
	"maps"
	"path"
	"slices"
	"strings"

	"x.go/bootstrap/toml"
	"x.go/manifests"
)

// vendor compares the vendored crates with the Cargo.lock files and with their own
// checksums.
func (j *judge) vendor() {
	if !j.Dirs[vendorDirs[0]] {
		if _, ok := j.Files[cargoConfig]; ok && strings.Contains(string(j.Texts[cargoConfig]), "directory") {
			j.failf(Vendor, "%s takes crates from a directory, but %q is missing", cargoConfig, vendorDirs[0])
		}
		return
	}
	crates := j.crates()
	have := map[crate][]*vendored{}
	for _, dir := range slices.Sorted(maps.Keys(crates)) {
		v := crates[dir]
		if v.err != nil {
			j.failf(vendorSums, "%q: %v", dir, v.err)
			if v.name == "" {
				continue
			}
		}
		have[v.crate] = append(have[v.crate], v)
	}
	for _, c := range slices.SortedFunc(maps.Keys(have), func(a, b crate) int { return strings.Compare(a.String(), b.String()) }) {
		j.once(have[c])
	}
	j.locks(have)
	j.config()
	j.sums(crates)
}

// once finds a crate that is twice in one directory.
func (j *judge) once(same []*vendored) {
	dirs := map[string]string{}
	for _, v := range same {
		at := path.Dir(v.dir)
		if first, ok := dirs[at]; ok {
			j.failf(Vendor, "crate %s is vendored twice, in %q and %q", v.crate, first, v.dir)
		}
		dirs[at] = v.dir
	}
}

// locks looks for the crates of the Cargo.lock files.
func (j *judge) locks(have map[crate][]*vendored) {
	told := map[crate]bool{}
	for _, dir := range lockDirs {
		name := path.Join(dir, "Cargo.lock")
		text, ok := j.Texts[name]
		if !ok {
			continue
		}
		packages, err := parseLock(name, text)
		if err != nil {
			j.failf(Vendor, "%v", err)
			continue
		}
		for _, p := range packages {
			found := have[p.crate]
			if len(found) == 0 && !told[p.crate] {
				told[p.crate] = true
				j.lack(Vendor, p.crate.String(), "%s wants crate %s, which is not vendored", name, p.crate)
			}
			for _, v := range found {
				if v.err == nil && v.sums.Package != nil && p.checksum != "" && *v.sums.Package != p.checksum {
					j.failf(vendorSums, "%q is of the crate with checksum %.64q, %s wants %.64q", v.dir, *v.sums.Package, name, p.checksum)
				}
			}
		}
	}
}

// config wants cargo to take crates from the directory vendor.
func (j *judge) config() {
	text, ok := j.Texts[cargoConfig]
	if !ok {
		j.failf(Vendor, "%q is missing: cargo would not take the vendored crates", cargoConfig)
		return
	}
	doc := toml.Parse(cargoConfig, text)
	sources := doc.Root.Child("source")
	if doc.Err() != nil || sources == nil {
		j.failf(Vendor, "%s replaces no source by %q", cargoConfig, vendorDirs[0])
		return
	}
	replaced := false
	for _, s := range sources.Children {
		if with := s.Child("replace-with"); with != nil && s.Key == "crates-io" {
			to := sources.Child(with.Text)
			replaced = to != nil && to.Child("directory") != nil
		}
		if dir := s.Child("directory"); dir != nil && !absolute.MatchString(dir.Text) && !j.Dirs[path.Clean(dir.Text)] {
			j.failf(Vendor, "%s: directory %.200q is not in the archive", doc.Position(dir.At), dir.Text)
		}
	}
	if !replaced {
		j.failf(Vendor, "%s does not replace crates-io by a directory", cargoConfig)
	}
}

// lack is failf for something that vendored crates lack.
func (j *judge) lack(k Kind, what, format string, args ...any) {
	j.failf(k, format, args...)
	j.found[len(j.found)-1].Lacks = what
}

// sums compares the files of each crate with its checksums.
func (j *judge) sums(crates map[string]*vendored) {
	for _, dir := range slices.Sorted(maps.Keys(crates)) {
		if v := crates[dir]; v.err == nil {
			for _, rel := range slices.Sorted(maps.Keys(v.sums.Files)) {
				j.sum(dir, rel, v.sums.Files[rel])
			}
		}
	}
	for _, name := range j.names() {
		dir := vendorCrate(name)
		v := crates[dir]
		rel := strings.TrimPrefix(name, dir+"/")
		if v == nil || v.err != nil || len(v.sums.Files) == 0 || rel == checksumFile {
			continue
		}
		if _, ok := v.sums.Files[rel]; !ok {
			j.failf(vendorSums, "%q is in no checksum of %q", name, dir+"/"+checksumFile)
		}
	}
}

func (j *judge) sum(dir, rel, want string) {
	name := path.Join(dir, rel)
	f, ok := j.Files[name]
	digest, err := manifests.ParseHash(want)
	switch {
	case err != nil:
		j.failf(vendorSums, "%q: got checksum %.80q of %q, want a sha256", dir+"/"+checksumFile, want, rel)
	case !ok:
		j.lack(vendorSums, name, "%q is missing, of which %q has a checksum", name, dir+"/"+checksumFile)
	case f.Digest != digest:
		j.failf(vendorSums, "%q has digest %s, its checksum is %s", name, f.Digest, want)
	}
}
