package verify

import "x.go/dist/archive"

// checkOwners finds paths that two archives of one release install into one
// toolchain, and rustup's own records. That the directory of one lies in that of another
// is a warning only: upstream's documentation is so.
func checkOwners(packs []pack) []*subject {
	var out []*subject
	for _, group := range byRelease(packs) {
		s := newSubject(group[0].release(), setOwner, setNested)
		claimants := make([]archive.Claimant, len(group))
		for i, p := range group {
			claimants[i] = archive.Claimant{Layout: p.Layout, Name: p.name}
		}
		collisions, nested := archive.Collisions(claimants)
		for _, what := range collisions {
			s.failf(setOwner, "%s", what)
		}
		for _, what := range nested {
			s.warnf(setNested, "%s", what)
		}
		out = append(out, s)
	}
	for i := range packs {
		out = append(out, ownRecords(&packs[i])...)
	}
	return out
}

// ownRecords finds files that rustup and install.sh write themselves.
func ownRecords(p *pack) []*subject {
	found := archive.OwnRecords(p.Layout)
	if len(found) == 0 {
		return nil
	}
	s := newSubject(p.stem, setOwner)
	for _, path := range found {
		s.failf(setOwner, "%q is where rustup and install.sh keep their own records", path)
	}
	return []*subject{s}
}
