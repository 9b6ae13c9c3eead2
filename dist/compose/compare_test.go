package compose_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"x.go/dist/compose"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// linked are archives of a build that links with LLD or does not.
func linked(lld bool, all ...made) []made {
	for i := range all {
		all[i].record = &manifests.BuildRecord{
			Format: 1, Toolchain: manifests.RecordedCompiler{Release: "1.95.0", Host: host},
			LLD: manifests.RecordedLLD{Shipped: lld, Default: lld, Wrapper: "none", Launcher: "none"},
		}
	}
	return all
}

// TestCompare has the sizes of archives that are at hand, and how toolchains link.
func TestCompare(t *testing.T) {
	open := func(all ...made) (dir string, s *compose.Source) {
		dir, _ = makeChannel(t, compose.MakeOptions{}, write(t, all...))
		s, err := compose.Open(t.Context(), filepath.Join(dir, "channel-rust-stable.toml"))
		testenv.Must(t, err)
		return dir, s
	}
	oldDir, older := open(linked(true, rustc(host), std(host), tool("cargo", "cargo"))...)
	newDir, newer := open(linked(false, rustc(host), std(host), tool("rustfmt", "rustfmt-preview"))...)
	size := func(dir, name string) int64 {
		info, err := os.Stat(filepath.Join(dir, name+"-1.95.0-"+host+".tar.gz"))
		testenv.Must(t, err)
		return info.Size()
	}
	want := compose.Comparison{Differences: []manifests.Difference{
		{Kind: "lost", Package: "cargo", Target: host, OldSize: size(oldDir, "cargo")},
		{Kind: "content", Package: "rust-std", Target: host, What: "gz", OldSize: size(oldDir, "rust-std"), NewSize: size(newDir, "rust-std")},
		{Kind: "content", Package: "rustc", Target: host, What: "gz", OldSize: size(oldDir, "rustc"), NewSize: size(newDir, "rustc")},
		{Kind: "gained", Package: "rustfmt-preview", Target: host, NewSize: size(newDir, "rustfmt")},
		{Kind: "linker", Target: host, Old: "LLD, its own", New: "system linker"},
	}}
	relevant := cmpopts.IgnoreSliceElements(func(d manifests.Difference) bool {
		return d.Kind == "version" || d.Package == "" && d.Target == "" // components and profiles, which the manifests' own test has
	})
	hashes := cmp.Transformer("NoHash", func(d manifests.Difference) manifests.Difference {
		if d.Kind == "content" {
			d.Old, d.New = "", ""
		}
		return d
	})
	got, err := older.Compare(t.Context(), newer)
	testenv.Must(t, err)
	if diff := cmp.Diff(want, got, relevant, cmp.FilterPath(func(p cmp.Path) bool {
		_, in := p.Last().(cmp.SliceIndex)
		return in
	}, hashes)); diff != "" {
		t.Errorf("comparison (-want +got):\n%s", diff)
	}

	// A channel whose archives are elsewhere has neither.
	testenv.Must(t, os.Remove(filepath.Join(newDir, "rustc-1.95.0-"+host+".tar.gz")))
	testenv.Must(t, os.Remove(filepath.Join(newDir, "rust-std-1.95.0-"+host+".tar.gz")))
	testenv.Must(t, os.Remove(filepath.Join(newDir, "rustfmt-1.95.0-"+host+".tar.gz")))
	got, err = older.Compare(t.Context(), newer)
	testenv.Must(t, err)
	for _, d := range got.Differences {
		if d.NewSize != 0 || d.Kind == manifests.DiffLinker {
			t.Errorf("got %+v without its archive", d)
		}
	}
	if diff := cmp.Diff([]string{host}, got.Unknown); diff != "" {
		t.Errorf("unknown (-want +got):\n%s", diff)
	}
}
