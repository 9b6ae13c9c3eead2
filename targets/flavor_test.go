package targets

import "testing"

func TestFlavorNames(t *testing.T) {
	seen := map[LinkerFlavor]bool{}
	for _, row := range modernFlavors {
		f, err := ParseLinkerFlavor(row.name)
		if err != nil {
			t.Fatal(err)
		}
		if f.String() != row.name || seen[f] || f.IsZero() {
			t.Errorf("%s: got %q, seen before: %v", row.name, f, seen[f])
		}
		seen[f] = true
		kind := flavorKinds[f.kind]
		if !kind.hasCC && f.cc != kind.fixedCC || !kind.hasLLD && f.lld != kind.fixedLLD {
			t.Errorf("%s has a bit that its kind does not", row.name)
		}
	}
	for _, bad := range []string{"", "gcc", "ld.lld", "gnu-cc-lld", "GNU"} {
		if f, err := ParseLinkerFlavor(bad); err == nil {
			t.Errorf("%q: got %s, want an error", bad, f)
		}
	}
}
