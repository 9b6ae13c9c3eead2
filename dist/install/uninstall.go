package install

import (
	"context"
	"fmt"
	"slices"

	"x.go/manifests"
)

// Uninstall removes the components of those names, which may be shorter than in the
// records: see [manifests.ParseComponentID]. It removes them from the directories of opts, or all
// that are installed if there are no names. It removes the files that the records name,
// and the directories that x has created for them, as far as they are empty. A file that
// the user has changed since it was installed becomes X.old. Files of others stay, also
// those in a bulk directory, such as that of the documentation. Without the digests that
// [Run] writes, as after install.sh or rustup, the user's are those in bulk directories
// that are newer than the component's manifest, as for uninstall.sh.
//
// A component that has a list of files is installed, even if the list of components does
// not name it. Components that are not installed are in the result. What a killed call leaves, the
// next one removes.
func Uninstall(ctx context.Context, opts Options, names ...string) (Installed, error) {
	var absent, selected []string
	opts.unlisted = true
	t, err := begin(ctx, opts, func(installed []string) []string {
		selected = installed
		if len(names) > 0 {
			selected = nil
			for _, name := range names {
				meant := meaning(name, installed)
				if len(meant) == 0 {
					absent = append(absent, name)
				}
				selected = append(selected, meant...)
			}
		}
		slices.Sort(selected)
		selected = slices.Compact(selected)
		return selected
	})
	if err != nil {
		return Installed{}, fmt.Errorf("uninstalling from %q: %w", opts.place(), err)
	}
	if len(selected) == 0 && len(t.replaced) == 0 {
		t.made = append(t.made, t.at) // a killed run may have left it empty
		t.done.NotInstalled = absent
		return t.done, t.rollback()
	}
	done, err := t.commit(ctx)
	if err != nil {
		return done, fmt.Errorf("uninstalling from %q: %w", opts.place(), err)
	}
	done.Components, done.NotInstalled = selected, absent
	return done, nil
}

// meaning returns the installed components that somebody may mean who says name.
func meaning(name string, installed []string) []string {
	if slices.Contains(installed, name) {
		return []string{name}
	}
	id := manifests.ParseComponentID(name)
	var out []string
	for _, have := range installed {
		if id.Means(manifests.ParseComponentID(have)) {
			out = append(out, have)
		}
	}
	return out
}
