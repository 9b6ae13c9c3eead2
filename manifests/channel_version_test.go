package manifests_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"x.go/manifests"
	"x.go/targets"
)

// equalReleases lets go-cmp compare releases, whose fields are not exported.
var equalReleases = cmpopts.EquateComparable(targets.Release{})

// channelOf returns a channel that says of its version what v does.
func channelOf(v manifests.Version) *manifests.Channel {
	return &manifests.Channel{Date: "2026-04-16", Packages: map[string]manifests.Package{
		"rust": {Version: v.String(), CommitHash: v.CommitHash},
	}}
}

func TestChannelVersion(t *testing.T) {
	for _, change := range []func(*manifests.Version){
		func(*manifests.Version) {},
		func(v *manifests.Version) { v.Release = release("1.96.0-beta.3") },
		func(v *manifests.Version) { v.Release = release("1.97.0-nightly") },
		func(v *manifests.Version) { v.Release = release("1.98.0-dev") },
		func(v *manifests.Version) { v.Description = "Debian 13 (trixie)" },
		func(v *manifests.Version) { v.CommitHash, v.CommitDate = "", "" },
		func(v *manifests.Version) { v.CommitHash, v.CommitDate, v.Description = "", "", "59807616e 2026" },
	} {
		want := stable
		change(&want)
		got, err := channelOf(want).Version()
		if err != nil {
			t.Errorf("%+v: %v", want, err)
		}
		if diff := cmp.Diff(want, got, equalReleases); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

// TestInstalledChannelVersion reads a channel that has lost the commit hash.
func TestInstalledChannelVersion(t *testing.T) {
	c := channelOf(stable)
	editPackage("rust", func(p *manifests.Package) { p.CommitHash = "" })(c)
	got, err := c.Version()
	want := stable
	want.CommitHash = ""
	if diff := cmp.Diff(want, got, equalReleases); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

func TestChannelVersionErrors(t *testing.T) {
	with := func(version, commit string) *manifests.Channel {
		return &manifests.Channel{Date: "2026-04-16", Packages: map[string]manifests.Package{"rust": {Version: version, CommitHash: commit}}}
	}
	for _, tt := range []struct {
		c    *manifests.Channel
		want string
	}{
		{&manifests.Channel{}, `got no package "rust", want its version`},
		{with("", ""), `got version ""`},
		{with("newest", ""), `parsing release "newest"`},
		{with("1.95", ""), `"1.95"`},
		{with("1.95.0 (59807616e 2026-04-14)", strings.Repeat("0", 40)), "want the same commit"},
		{with("1.95.0 of today", ""), "want VERSION (COMMIT DATE) (DESCRIPTION)"},
		{with("1.95.0 ()", ""), "want VERSION (COMMIT DATE) (DESCRIPTION)"},
		{with("1.95.0 (59807616e 2026-04-14) x", ""), "want VERSION (COMMIT DATE) (DESCRIPTION)"},
		{with("1.95.0", "59807616e"), `got commit hash "59807616e"`},
	} {
		if _, err := tt.c.Version(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %s in it", err, tt.want)
		}
	}
}

// FuzzChannelVersion holds that a release that is read writes the version it was
// read from.
func FuzzChannelVersion(f *testing.F) {
	for _, version := range []string{"1.95.0", "1.95.0 (59807616e 2026-04-14)", "1.96.0-beta.3 (59807616e 2026-04-14) (a) b)", "1.97.0-nightly (()"} {
		f.Add(version)
	}
	f.Fuzz(func(t *testing.T, version string) {
		c := channelOf(stable)
		editPackage("rust", func(p *manifests.Package) { p.Version = version })(c)
		v, err := c.Version()
		if err != nil {
			return
		}
		if err := v.Check(); err != nil {
			t.Fatal(err)
		}
		if v.String() != version {
			t.Fatalf("got %q, want %q", v.String(), version)
		}
	})
}
