package mirror

import (
	"context"
	"path"
	"slices"
	"strings"

	"x.go/manifests"
	"x.go/targets"
)

// deleteUnselected removes, from the days that were mirrored and from rustup's tree, what
// the selection does not have, and no manifest names.
func (m *mirror) deleteUnselected(ctx context.Context, releases []*release) error {
	named := map[string]bool{}
	days := map[string]bool{}
	for _, r := range releases {
		for _, f := range r.files {
			named[f.name] = true
			if day := path.Base(path.Dir(f.name)); isDay(day) {
				days[day] = true
			}
		}
	}
	var names []string
	for o, err := range m.store.List(ctx, distDir) {
		if err != nil {
			return err
		}
		if _, _, ok := parseManifestName(o.Name); ok && o.Type == 0 {
			stored, err := readStored(ctx, m.store, o.Name)
			if err != nil {
				return err
			}
			// Of those that this run writes, the new files count. In a dry run, the store
			// has the old ones.
			if !slices.ContainsFunc(releases, func(r *release) bool { return slices.Contains(r.names, o.Name) }) {
				for _, f := range stored.files {
					named[f.name] = true
				}
			}
		}
		if !days[path.Base(path.Dir(o.Name))] {
			continue
		}
		of, isOfOther := cutSide(path.Base(o.Name))
		switch {
		case isStatement(of) && !isOfOther && !strings.HasSuffix(of, manifests.ProvenanceExt):
			stated, err := statedFiles(ctx, m.store, o.Name)
			if err != nil {
				return err
			}
			for name := range stated {
				named[name] = true
			}
		case isLayout(of) && !isManifestFile(of) && !isStatement(of):
			names = append(names, o.Name)
		}
	}
	for _, name := range names {
		if of, _ := cutSide(name); !named[of] && path.Ext(of) != ".json" {
			if err := m.delete(ctx, name); err != nil {
				return err
			}
		}
	}
	if !m.Rustup {
		return nil
	}
	return m.deleteRustup(ctx, releases)
}

// deleteRustup removes programs of hosts and versions that are not selected.
func (m *mirror) deleteRustup(ctx context.Context, releases []*release) error {
	hosts := m.rustupHosts(releases)
	versions := append(slices.Clone(m.RustupVersions), m.result.Rustup)
	var names []string
	for o, err := range m.store.List(ctx, rustupDir) {
		if err != nil {
			return err
		}
		parts := strings.Split(strings.TrimPrefix(o.Name, rustupDir), "/")
		version := m.result.Rustup
		if len(parts) > 2 && parts[0] == "archive" {
			version, parts = parts[1], parts[1:]
		} else if parts[0] != "dist" {
			continue
		}
		if len(parts) != 3 || !strings.HasPrefix(parts[2], "rustup-init") {
			continue
		}
		if _, err := targets.ParseTriple(parts[1]); err == nil && (!slices.Contains(hosts, parts[1]) || !slices.Contains(versions, version)) {
			names = append(names, o.Name)
		}
	}
	for _, name := range names {
		if err := m.delete(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (m *mirror) delete(ctx context.Context, name string) error {
	m.result.Deleted = append(m.result.Deleted, name)
	if m.DryRun {
		return nil
	}
	return m.store.Delete(ctx, name)
}
