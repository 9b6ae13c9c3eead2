package manifests_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
)

// channelOf returns a channel that says of its release what r does.
func channelOf(r manifests.Release) *manifests.Channel {
	return &manifests.Channel{Date: r.Date, Packages: map[string]manifests.Package{
		"rust": {Version: r.VersionText(), CommitHash: r.CommitHash},
	}}
}

func TestChannelRelease(t *testing.T) {
	for _, change := range []func(*manifests.Release){
		func(*manifests.Release) {},
		func(r *manifests.Release) { r.Channel, r.Version = "beta", "1.96.0-beta.3" },
		func(r *manifests.Release) { r.Channel, r.Version = "nightly", "1.97.0-nightly" },
		func(r *manifests.Release) { r.Channel, r.Version = "dev", "1.98.0-dev" },
		func(r *manifests.Release) { r.Description = "Debian 13 (trixie)" },
		func(r *manifests.Release) { r.CommitHash, r.CommitDate = "", "" },
		func(r *manifests.Release) { r.CommitHash, r.CommitDate, r.Description = "", "", "59807616e 2026" },
	} {
		want := stable
		change(&want)
		got, err := channelOf(want).Release()
		if err != nil {
			t.Errorf("%+v: %v", want, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

// TestInstalledChannelRelease reads a channel that has lost the commit hash.
func TestInstalledChannelRelease(t *testing.T) {
	c := channelOf(stable)
	editPackage("rust", func(p *manifests.Package) { p.CommitHash = "" })(c)
	got, err := c.Release()
	want := stable
	want.CommitHash = ""
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

func TestChannelReleaseErrors(t *testing.T) {
	with := func(version, commit string) *manifests.Channel {
		return &manifests.Channel{Date: "2026-04-16", Packages: map[string]manifests.Package{"rust": {Version: version, CommitHash: commit}}}
	}
	day := with("1.95.0", "")
	day.Date = "today"
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
		{day, `got date "today"`},
	} {
		if _, err := tt.c.Release(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %s in it", err, tt.want)
		}
	}
}

// FuzzChannelRelease holds that a release that is read writes the version it was
// read from.
func FuzzChannelRelease(f *testing.F) {
	for _, version := range []string{"1.95.0", "1.95.0 (59807616e 2026-04-14)", "1.96.0-beta.3 (59807616e 2026-04-14) (a) b)", "1.97.0-nightly (()"} {
		f.Add(version)
	}
	f.Fuzz(func(t *testing.T, version string) {
		c := channelOf(stable)
		editPackage("rust", func(p *manifests.Package) { p.Version = version })(c)
		r, err := c.Release()
		if err != nil {
			return
		}
		if err := r.Check(); err != nil {
			t.Fatal(err)
		}
		if r.VersionText() != version {
			t.Fatalf("got %q, want %q", r.VersionText(), version)
		}
	})
}
