package manifests

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDeclare compares what a declaration changes in a channel, and that it is a copy.
func TestDeclare(t *testing.T) {
	t.Parallel()
	const host, other = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"
	sdk := ComponentRef{"sdk", host}
	there := map[string]PackageTarget{host: {Available: true}}
	channel := func() *Channel {
		return &Channel{Packages: map[string]Package{
			"rust": {Targets: map[string]PackageTarget{
				host:  {Components: []ComponentRef{{"rustc", host}}, Extensions: []ComponentRef{sdk, {"board", other}}},
				other: {Components: []ComponentRef{{"rustc", other}}},
			}},
			"sdk": {Targets: there},
		}, Profiles: map[string][]string{"default": {"rustc"}}}
	}
	c := channel()
	d := Declaration{Name: "sdk", Targets: []string{host}, Profiles: []string{"default"}, Rename: "kit", Required: true}
	got, err := c.Declare([]Declaration{d, d}) // twice is once
	if err != nil {
		t.Fatal(err)
	}
	want := channel()
	rust := want.Packages["rust"].Targets
	rust[host] = PackageTarget{Components: []ComponentRef{{"rustc", host}, sdk}, Extensions: []ComponentRef{{"board", other}}}
	want.Profiles["default"], want.Renames = []string{"rustc", "sdk"}, map[string]string{"kit": "sdk"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(channel(), c); diff != "" {
		t.Errorf("the channel itself changed (-want +got):\n%s", diff)
	}
}
