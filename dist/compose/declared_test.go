package compose_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/compose"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// declare returns a declaration of a test.
func declare(name string, targets ...string) manifests.Declaration {
	return manifests.Declaration{Name: name, Origin: "x.toml:1:1", Targets: targets}
}

// The real rustup installs by profile what is declared so, adds the rest by the names
// that are declared, for "*" and for a target of one's own, and keeps all over an update to a
// merged and an overlaid channel.
func TestDeclaredForRustup(t *testing.T) {
	t.Parallel()
	tables, rules, sdk := declare("acme-tables", "*"), declare("acme-rules", "*"), declare("acme-sdk", board, host)
	tables.Profiles = []string{"default", "complete"}
	rules.Rename = "rules"
	sdk.Rename, sdk.Required, sdk.Profiles = "sdk", true, []string{"minimal", "default"}
	all := []manifests.Declaration{tables, rules, sdk}
	own := write(t, own("acme-tables-1.0", "acme-tables", "share/acme/tables"), own("acme-rules-7", "acme-rules", "share/acme/rules"),
		own("acme-sdk-2.3-"+host, "acme-sdk", "bin/sdk"), own("acme-sdk-2.3-"+board, "acme-sdk-"+board, "lib/rustlib/"+board+"/acme/x.ld"))
	out, d := makeChannel(t, compose.MakeOptions{Declared: all}, write(t, rustc(host), std(host)), own)
	r := newRustup(t, out)
	r.install("stable", "default")
	tc := "stable-" + host
	base := []string{"acme-sdk-" + host, "acme-tables", "rust-std-" + host, "rustc-" + host}
	if diff := cmp.Diff(base, r.has("stable")); diff != "" {
		t.Errorf("profile default (-want +got):\n%s", diff)
	}
	r.run("component", "add", "--toolchain", tc, "rules")
	r.run("component", "add", "--toolchain", tc, "--target", board, "sdk")
	if !slices.Contains(d.Channel.Packages["rust"].Targets[host].Components, manifests.ComponentRef{Package: "acme-sdk", Target: host}) {
		t.Error("the host does not consist of acme-sdk")
	}

	const arm = "aarch64-unknown-linux-gnu"
	other, _ := makeChannel(t, compose.MakeOptions{}, write(t, rustc(arm), std(arm)))
	merged, err := compose.Merge(t.Context(), []*compose.Source{open(t, other), open(t, out)}, compose.MergeOptions{Declared: all})
	testenv.Must(t, err)
	plain, _ := makeChannel(t, compose.MakeOptions{}, write(t, rustc(host), std(host)))
	over, err := compose.Overlay(t.Context(), open(t, plain), []string{own}, compose.OverlayOptions{MergeOptions: compose.MergeOptions{Declared: all}})
	testenv.Must(t, err)
	want := append([]string{"acme-rules", "acme-sdk-" + board}, base...)
	for _, d := range []*compose.Draft{merged, over} {
		writeDraft(t, d, out)
		r.run("update", "--no-self-update", "--force-non-host", tc)
		if diff := cmp.Diff(want, r.has("stable")); diff != "" {
			t.Errorf("after an update (-want +got):\n%s", diff)
		}
	}
	small := newRustup(t, writeDraft(t, over, filepath.Join(t.TempDir(), "dist")))
	small.install("stable", "minimal")
	if diff := cmp.Diff([]string{base[0], base[2], base[3]}, small.has("stable")); diff != "" {
		t.Errorf("profile minimal of the overlay (-want +got):\n%s", diff)
	}
}

// A merge without declarations keeps what a part says of components of its own.
func TestMergeKeepsDeclared(t *testing.T) {
	t.Parallel()
	const arm = "aarch64-unknown-linux-gnu"
	sdk := declare("acme-sdk", "*")
	sdk.Required, sdk.Profiles, sdk.Rename = true, []string{"default"}, "sdk"
	a, _ := makeChannel(t, compose.MakeOptions{}, write(t, rustc(host), std(host)))
	b, _ := makeChannel(t, compose.MakeOptions{Declared: []manifests.Declaration{sdk}}, write(t, rustc(arm), std(arm), own("acme-sdk-1", "acme-sdk", "share/sdk")))
	d, err := compose.Merge(t.Context(), []*compose.Source{open(t, a), open(t, b)}, compose.MergeOptions{})
	testenv.Must(t, err)
	for _, host := range []string{host, arm} {
		if got := d.Channel.Packages["rust"].Targets[host].Components; !slices.Contains(got, manifests.ComponentRef{Package: "acme-sdk", Target: "*"}) {
			t.Errorf("%s: got components %v, want acme-sdk among them", host, got)
		}
	}
	if got := d.Channel.Profiles["default"]; !slices.Contains(got, "acme-sdk") || d.Channel.Renames["sdk"] != "acme-sdk" {
		t.Errorf("got profile %q and renames %q", got, d.Channel.Renames)
	}
}

// What is declared and not so is refused by name, and all of it at once.
func TestDeclaredRefused(t *testing.T) {
	t.Parallel()
	dir := write(t, rustc(host), std(host), tool("clippy", "clippy-preview"), own("acme-sdk-2.3-"+host, "acme-sdk", "bin/sdk"),
		own("acme-board-1-"+board, "acme-board", "share/board"), own("acme-lint-1-"+host, "acme-lint-preview", "bin/lint"), own("acme-data-1", "acme-data", "share/data"))
	with := func(d manifests.Declaration, change func(*manifests.Declaration)) manifests.Declaration {
		change(&d)
		return d
	}
	named := func(name string) func(*manifests.Declaration) {
		return func(d *manifests.Declaration) { d.Rename = name }
	}
	data := declare("acme-data", "*")
	for name, test := range map[string]struct {
		declared []manifests.Declaration
		want     []string
	}{
		"absent":           {[]manifests.Declaration{declare("acme-x", "*"), declare("acme-y-preview", board)}, []string{`component "acme-x": there is no archive acme-x-VERSION:`, "no archive acme-y-VERSION-" + board}},
		"preview":          {[]manifests.Declaration{declare("acme-lint", host)}, []string{`it is "acme-lint-preview" in the channel: declare that`}},
		"absent target":    {[]manifests.Declaration{declare("acme-sdk", host, board)}, []string{"no archive acme-sdk-VERSION-" + board}},
		"other target":     {[]manifests.Declaration{declare("acme-sdk", "*")}, []string{"no archive acme-sdk-VERSION:", `got an archive for target "` + host + `"`}},
		"data for a host":  {[]manifests.Declaration{declare("acme-data", host)}, []string{`got an archive for target "*"`}},
		"Rust's":           {[]manifests.Declaration{declare("clippy", host), declare("rust-src", "*"), declare("rust", host)}, []string{`name "clippy", which is one of Rust's own`, `"rust-src"`, `"rust"`}},
		"Rust's package":   {[]manifests.Declaration{declare("clippy-preview", host)}, []string{"one of Rust's own"}},
		"Rust's rename":    {[]manifests.Declaration{with(data, named("clippy"))}, []string{`rename "clippy", which is one of Rust's own`}},
		"no name":          {[]manifests.Declaration{declare("a/b", "*"), with(data, named("../x"))}, []string{`got name "a/b", want letters`, `got rename "../x"`}},
		"itself":           {[]manifests.Declaration{with(data, named("acme-data"))}, []string{"its own name"}},
		"another package":  {[]manifests.Declaration{with(data, named("acme-sdk"))}, []string{"a package of the channel"}},
		"twice":            {[]manifests.Declaration{with(data, named("acme")), with(declare("acme-sdk", host), named("acme"))}, []string{`rename "acme", which stands for "acme-data"`}},
		"profile of none":  {[]manifests.Declaration{with(declare("acme-board", board), func(d *manifests.Declaration) { d.Profiles = []string{"default"} })}, []string{"it is for no host"}},
		"required by none": {[]manifests.Declaration{with(declare("acme-board", board), func(d *manifests.Declaration) { d.Required = true })}, []string{"it is for no host"}},
	} {
		_, err := compose.Make(t.Context(), []string{dir}, compose.MakeOptions{Declared: test.declared})
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "x.toml:1:1: ") {
				t.Errorf("%s: got %v, want %q", name, err, want)
			}
		}
	}
	base, _ := makeChannel(t, compose.MakeOptions{}, write(t, rustc(host), std(host)))
	o := compose.MergeOptions{Declared: []manifests.Declaration{declare("acme-x", "*")}}
	if _, err := compose.Merge(t.Context(), []*compose.Source{open(t, base), open(t, base)}, o); err == nil || !strings.Contains(err.Error(), "no archive acme-x") {
		t.Errorf("merge: got %v, want an error for acme-x", err)
	}
	if _, err := compose.Overlay(t.Context(), open(t, base), []string{write(t, std(board))}, compose.OverlayOptions{MergeOptions: o}); err == nil || !strings.Contains(err.Error(), "no archive acme-x") {
		t.Errorf("overlay: got %v, want an error for acme-x", err)
	}
}
