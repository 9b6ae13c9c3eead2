package mirror_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/mirror"
	"x.go/dist/store"
	"x.go/manifests"
	"x.go/targets"
	"x.go/tests/testenv"
)

// fifty publishes 40 nightlies, 7 stable releases and 3 beta ones.
func fifty(t testing.TB) *server {
	s := newServer(t)
	for i := range 40 {
		s.publish(t, release{version: "1.98.0-nightly", date: day(i)})
	}
	for i := range 7 {
		s.publish(t, release{version: fmt.Sprintf("1.%d.0", 90+i), date: day(i * 6)})
	}
	for i := range 3 {
		s.publish(t, release{version: fmt.Sprintf("1.97.0-beta.%d", i+1), date: day(30 + i)})
	}
	return s
}

// A whole mirror has the bytes of its source: checksums, signatures and the manifests of
// versions, in the directories of days, too (panamax#146). The next run transfers nothing
// but what is new.
func TestFiftyReleases(t *testing.T) {
	t.Parallel()
	up := fifty(t)
	s, dir := openStore(t)
	all := mirror.Options{Source: up.url, Channels: []string{"stable", "beta", "1.90", "1.95.0", "1.93.0"}, Nightlies: 5}
	first := run(t, s, all)
	for name, text := range tree(t, dir) {
		want, err := os.ReadFile(filepath.Join(up.dir, filepath.FromSlash(name)))
		if name == "manifests.txt" {
			continue
		}
		if err != nil || text != string(want) {
			t.Errorf("%s: got %.80q, want %.80q (%v)", name, text, want, err)
		}
	}
	for _, c := range first.Channels {
		if !c.Whole || !c.Changed || c.Files != 16 {
			t.Errorf("%s: got whole %t, changed %t, %d files; want true, true, 16", c.Name, c.Whole, c.Changed, c.Files)
		}
	}
	wantNames(t, dir, true, "dist/channel-rust-1.96.0.toml", "dist/channel-rust-1.96.toml", "dist/channel-rust-nightly.toml", "dist/channel-rust-stable-date.txt",
		"dist/"+day(36)+"/channel-rust-stable.toml.asc", "dist/"+day(39)+"/rustc-nightly-"+gnu+".tar.xz.sha256", "dist/"+day(36)+"/channel-rust-1.96.0.toml", "dist/"+day(39)+"/rustc-nightly-"+gnu+".tar.xz.asc",
		"dist/"+day(32)+"/channel-rust-1.97.0-beta.3.toml", "dist/"+day(18)+"/channel-rust-1.93.0.toml")
	wantNames(t, dir, false, "dist/"+day(34)+"/channel-rust-nightly.toml", "dist/channel-rust-1.92.0.toml")
	intact(t, s)

	up.archives()
	before := tree(t, dir)
	if again := run(t, s, all); len(again.Files) > 0 || again.Bytes > 0 {
		t.Errorf("second run: got %v, want nothing transferred", again.Files)
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Errorf("the second run changed the store (-before +after):\n%s", diff)
	}
	if got := up.archives(); len(got) > 0 {
		t.Errorf("second run: it asked for %q", got)
	}
	up.publish(t, release{version: "1.98.0-nightly", date: day(40)})
	third := run(t, s, all)
	for _, f := range third.Files {
		if !strings.HasPrefix(f.Name, "dist/"+day(40)+"/") && !strings.HasPrefix(f.Name, "dist/channel-rust-nightly") {
			t.Errorf("after a new nightly: it transferred %q", f.Name)
		}
	}
	if got := up.archives(); len(got) != 16 {
		t.Errorf("after a new nightly: it asked for %q, want the 16 archives of it", got)
	}
	intact(t, s)
}

// What somebody else has put or broken is found by its digest, and replaced.
func TestMirrorRepairs(t *testing.T) {
	t.Parallel()
	up := newServer(t)
	up.publish(t, release{version: "1.96.0", date: day(1)})
	s, dir := openStore(t)
	o := mirror.Options{Source: up.url, Channels: []string{"stable"}}
	run(t, s, o)
	name := "dist/" + day(1) + "/cargo-1.96.0-" + gnu + ".tar.xz"
	testenv.Must(t, os.WriteFile(filepath.Join(dir, name), []byte("damaged"), 0o644))
	if r := run(t, s, o); len(r.Files) > 0 {
		t.Errorf("without reading back: got %v transferred", r.Files)
	}
	report := val(mirror.Verify(t.Context(), s, mirror.VerifyOptions{}))(t)
	if report.Passed || len(report.Problems) != 1 || report.Problems[0].Name != name || report.Problems[0].Kind != "digest" {
		t.Errorf("verifying a damaged file: got %+v", report.Problems)
	}
	o.Check = true
	if r := run(t, s, o); len(r.Files) != 1 || r.Files[0].Name != name {
		t.Errorf("reading back: got %v transferred, want the damaged file", r.Files)
	}
	intact(t, s)
	testenv.Must(t, os.Remove(filepath.Join(dir, name)))
	report = val(mirror.Verify(t.Context(), s, mirror.VerifyOptions{Listing: true}))(t)
	if len(report.Problems) != 1 || report.Problems[0].Kind != "missing" || report.Read != 0 {
		t.Errorf("listing without a file: got %+v", report)
	}
	o.Check = false
	run(t, s, o)
	intact(t, s)
}

// Nightlies without a component that a host wants are passed over (panamax#13).
func TestNewestNightlies(t *testing.T) {
	t.Parallel()
	up := newServer(t)
	for i := range 8 {
		r := release{version: "1.98.0-nightly", date: day(i)}
		switch i {
		case 7:
			r.without = map[string]string{"rustfmt": gnu}
		case 5:
			r.without = map[string]string{"cargo": arm}
		case 3:
			continue
		}
		up.publish(t, r)
	}
	hosts := func(names ...string) mirror.Selection {
		var s mirror.Selection
		for _, n := range names {
			s.Hosts = append(s.Hosts, triple(t, n))
		}
		return s
	}
	rustc := hosts(gnu)
	rustc.Profiles = []string{"minimal"}
	tests := map[string]struct {
		o    mirror.Options
		want []string
	}{
		"one host":          {mirror.Options{Nightlies: 3, Select: hosts(gnu)}, []string{day(6), day(5), day(4)}},
		"both hosts":        {mirror.Options{Nightlies: 3, Select: hosts(gnu, arm)}, []string{day(6), day(4), day(2)}},
		"all hosts":         {mirror.Options{Nightlies: 3}, []string{day(6), day(4), day(2)}},
		"minimal":           {mirror.Options{Nightlies: 2, Select: rustc}, []string{day(7), day(6)}},
		"range":             {mirror.Options{Since: day(1), Until: day(5), Select: hosts(gnu)}, []string{day(5), day(4), day(2), day(1)}},
		"newest of a range": {mirror.Options{Nightlies: 1, Until: day(3), Select: hosts(gnu)}, []string{day(2)}},
		"more than any":     {mirror.Options{Nightlies: 100, Since: day(4), Select: hosts(arm)}, []string{day(7), day(6), day(4)}},
	}
	for _, list := range []bool{false, true} {
		if list {
			var lines strings.Builder
			for i := range 8 { // with a day that is gone, as the list of a mirror may have
				fmt.Fprintf(&lines, "static.rust-lang.org/dist/%s/channel-rust-nightly.toml\n", day(i))
			}
			up.write(t, "manifests.txt", lines.String())
		}
		for name, tt := range tests {
			s, dir := openStore(t)
			tt.o.Source, tt.o.Select.Sources = up.url, new(bool)
			r := run(t, s, tt.o)
			var got []string
			for _, c := range r.Channels {
				got = append(got, c.Date)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s, list %t: days (-want +got):\n%s", name, list, diff)
			}
			// The channel is the newest of them, so that rustup finds one at once.
			if tt.o.Until == "" {
				data, err := os.ReadFile(filepath.Join(dir, "dist/channel-rust-nightly.toml"))
				if err != nil || !strings.Contains(string(data), "date = \""+tt.want[0]+"\"") {
					t.Errorf("%s: channel nightly: got %.60q, %v; want that of %s", name, data, err, tt.want[0])
				}
			}
			intact(t, s)
		}
	}
	s, _ := openStore(t)
	impossible := hosts(gnu)
	impossible.Components = []string{"miri"}
	if _, err := mirror.Run(t.Context(), s, mirror.Options{Source: up.url, Nightlies: 1, Select: impossible}); err == nil || !strings.Contains(err.Error(), "no nightly has what is wanted") {
		t.Errorf("a component that no nightly has: got %v", err)
	}
}

// A selection keeps what is the same for all machines (panamax#27, #150), and what each
// installation needs.
func TestSelection(t *testing.T) {
	t.Parallel()
	up := newServer(t)
	up.publish(t, release{version: "1.96.0", date: day(1), targets: []string{wasm, board}})
	up.publish(t, release{version: "1.98.0-nightly", date: day(2), targets: []string{wasm}})
	stable, nightly := "dist/"+day(1)+"/", "dist/"+day(2)+"/"
	s, dir := openStore(t)
	o := mirror.Options{Source: up.url, Channels: []string{"stable", "nightly"},
		Select: mirror.Selection{Hosts: []targets.Triple{triple(t, gnu)}, Targets: []targets.Triple{triple(t, wasm), triple(t, board)}}}
	r := run(t, s, o)
	wantNames(t, dir, true, stable+"rustc-1.96.0-"+gnu+".tar.xz", stable+"rust-std-1.96.0-"+board+".tar.xz", stable+"rust-src-1.96.0.tar.xz", stable+"rustc-1.96.0-src.tar.xz",
		nightly+"rust-std-nightly-"+wasm+".tar.xz", stable+"channel-rust-stable.toml.sha256", "dist/channel-rust-1.96.toml")
	wantNames(t, dir, false, stable+"rustc-1.96.0-"+arm+".tar.xz", stable+"rust-std-1.96.0-"+arm+".tar.xz", "dist/channel-rust-stable.toml.asc", stable+"channel-rust-stable.toml.asc")
	if want := []string{"channel nightly: target " + board + " is not in the channel of " + day(2)}; !cmp.Equal(want, r.Notes) {
		t.Errorf("notes (-want +got):\n%s", cmp.Diff(want, r.Notes))
	}
	for _, c := range r.Channels {
		if c.Whole {
			t.Errorf("%s: it says that it is whole", c.Name)
		}
	}
	data := val(os.ReadFile(filepath.Join(dir, "dist/channel-rust-stable.toml")))(t)
	c := val(manifests.ParseChannel(data))(t)
	if fs := c.Validate(); len(fs) > 0 || !strings.HasPrefix(string(data), "# A part") {
		t.Errorf("the manifest: got %v, %.50q", fs, data)
	}
	intact(t, s)
	if again := run(t, s, o); len(again.Files) > 0 {
		t.Errorf("second run: got %v transferred", again.Files)
	}

	// Components: the combined archive and the sources are not among them.
	s, dir = openStore(t)
	o.Channels, o.Select = []string{"1.96.0"}, mirror.Selection{Hosts: []targets.Triple{triple(t, gnu)}, Targets: []targets.Triple{}, Components: []string{"rust-src"}}
	run(t, s, o)
	wantNames(t, dir, true, stable+"rustc-1.96.0-"+gnu+".tar.xz", stable+"cargo-1.96.0-"+gnu+".tar.xz", stable+"rust-src-1.96.0.tar.xz")
	wantNames(t, dir, false, stable+"rustfmt-1.96.0-"+gnu+".tar.xz", stable+"rust-1.96.0-"+gnu+".tar.xz", stable+"rustc-1.96.0-src.tar.xz")
	intact(t, s)

	o.Select.Targets = []targets.Triple{triple(t, "riscv64gc-unknown-linux-gnu")}
	if _, err := mirror.Run(t.Context(), s, o); err == nil || !strings.Contains(err.Error(), `no channel has the target riscv64gc-unknown-linux-gnu`) {
		t.Errorf("a target that no channel has: got %v", err)
	}
}

// Days of nightlies and betas are found in the directories of days (panamax#44).
func TestDatedNames(t *testing.T) {
	t.Parallel()
	up := newServer(t)
	for i, version := range []string{"1.92.0", "1.98.0-nightly", "1.97.0-beta.2", "1.93.0", "1.98.0-nightly"} {
		up.publish(t, release{version: version, date: []string{day(12), day(20), day(31), day(32), day(33)}[i]})
	}
	s, dir := openStore(t)
	run(t, s, mirror.Options{Source: up.url, Channels: []string{"nightly-" + day(20), "beta-" + day(31), "stable-" + day(12)}, Undated: true})
	wantNames(t, dir, true, "dist/"+day(20)+"/channel-rust-nightly.toml", "dist/"+day(31)+"/channel-rust-beta.toml", "dist/"+day(31)+"/channel-rust-1.97.0-beta.2.toml",
		"dist/"+day(12)+"/channel-rust-1.92.0.toml", "dist/rustc-1.92.0-"+gnu+".tar.xz", "dist/rustc-1.92.0-"+gnu+".tar.xz.sha256", "dist/rustc-nightly-"+gnu+".tar.xz.asc")
	wantNames(t, dir, false, "dist/channel-rust-nightly.toml", "dist/channel-rust-stable.toml")
	intact(t, s)
	for _, name := range []string{"nigthly", "nightly-26-1-1", "../x", "1.96.0/../../x"} {
		if _, err := mirror.Run(t.Context(), s, mirror.Options{Source: up.url, Channels: []string{name}}); err == nil || !strings.Contains(err.Error(), "reading channel") {
			t.Errorf("%q: got %v, want an error of the name", name, err)
		}
	}
	if _, err := mirror.Run(t.Context(), s, mirror.Options{Source: up.url, Channels: []string{"1.2.3"}}); err == nil || !strings.Contains(err.Error(), "none of that name") {
		t.Errorf("a version that is not there: got %v", err)
	}
}

// rustup's own tree: release, archive, dist, and .exe where the host has it (tuna#1254,
// tuna#1893). A host that is removed goes from it, too (panamax#56).
func TestRustupTree(t *testing.T) {
	t.Parallel()
	up := newServer(t)
	up.publish(t, release{version: "1.96.0", date: day(1), hosts: []string{gnu, arm, win}})
	up.rustup(t, "1.28.2", gnu, arm, win)
	up.rustup(t, "1.29.0", gnu, arm, win)
	s, dir := openStore(t)
	o := mirror.Options{Source: up.url, Channels: []string{"stable"}, Rustup: true, RustupVersions: []string{"1.28.2"}}
	if r := run(t, s, o); r.Rustup != "1.29.0" {
		t.Errorf("got rustup %q", r.Rustup)
	}
	init := func(v, host string) string { return "rustup/archive/" + v + "/" + host + "/rustup-init" }
	wantNames(t, dir, true, "rustup/release-stable.toml", init("1.29.0", gnu), init("1.28.2", arm)+".sha256", init("1.29.0", win)+".exe", "rustup/dist/"+win+"/rustup-init.exe.sha256", "rustup/dist/"+gnu+"/rustup-init")
	intact(t, s)
	if r := run(t, s, o); len(r.Files) > 0 {
		t.Errorf("second run: got %v transferred", r.Files)
	}
	// A host that is no longer wanted goes from both trees.
	o.Select.Hosts, o.Delete, o.RustupVersions = []targets.Triple{triple(t, gnu)}, true, nil
	r := run(t, s, o)
	wantNames(t, dir, true, init("1.29.0", gnu), "rustup/dist/"+gnu+"/rustup-init", "dist/"+day(1)+"/rustc-1.96.0-"+gnu+".tar.xz")
	wantNames(t, dir, false, init("1.29.0", arm), init("1.28.2", gnu), "rustup/dist/"+win, "dist/"+day(1)+"/rustc-1.96.0-"+arm+".tar.xz", "dist/"+day(1)+"/rustc-1.96.0-"+win+".tar.xz.asc")
	if len(r.Deleted) == 0 {
		t.Error("the result names nothing that was deleted")
	}
	intact(t, s)
}

// A mirror of a mirror that has written its own address into its manifests is one of the
// original (tuna#816).
func TestMirrorOfMirror(t *testing.T) {
	t.Parallel()
	up := newServer(t)
	up.publish(t, release{version: "1.96.0", date: day(1)})
	original := tree(t, up.dir)
	for name, text := range original {
		if strings.HasSuffix(name, ".toml") {
			text = strings.ReplaceAll(text, manifests.OfficialServer, up.url)
			up.write(t, name, text)
			up.write(t, name+".sha256", manifests.HashOf([]byte(text)).String())
		}
	}
	s, dir := openStore(t)
	r := run(t, s, mirror.Options{Source: up.url + "/", Channels: []string{"stable"}})
	if c := r.Channels[0]; c.Whole || len(r.Notes) == 0 {
		t.Errorf("got whole %t and notes %q, want a note of the addresses", c.Whole, r.Notes)
	}
	if got := tree(t, dir)["dist/channel-rust-stable.toml"]; got != original["dist/channel-rust-stable.toml"] {
		t.Errorf("the manifest is not the original one: got %.300q", got)
	}
	intact(t, s)

	// From a directory, and of a store.
	second, dir2 := openStore(t)
	run(t, second, mirror.Options{Source: dir, Channels: []string{"stable"}})
	third, dir3 := openStore(t)
	run(t, third, mirror.Options{Source: "file://" + filepath.ToSlash(dir2) + "/dist", Channels: []string{"1.96.0"}})
	wantNames(t, dir3, true, "dist/"+day(1)+"/channel-rust-stable.toml", "dist/channel-rust-1.96.0.toml")
	intact(t, third)
	// The mirror itself, on disk, with its addresses.
	there := val(store.Open(t.Context(), up.dir))(t)
	defer there.Close()
	intact(t, there)
}

// A directory as x dist leaves it has all files beside the manifests.
func TestFlatSource(t *testing.T) {
	t.Parallel()
	up := newServer(t)
	up.publish(t, release{version: "1.96.0", date: day(1)})
	flat := t.TempDir()
	testenv.Must(t, os.Rename(filepath.Join(up.dir, "dist", day(1)), filepath.Join(flat, "dist")))
	s, dir := openStore(t)
	run(t, s, mirror.Options{Source: flat, Channels: []string{"stable"}})
	wantNames(t, dir, true, "dist/"+day(1)+"/channel-rust-stable.toml", "dist/"+day(1)+"/rustc-1.96.0-"+gnu+".tar.xz", "dist/channel-rust-stable.toml")
	intact(t, s)
	there := val(store.Open(t.Context(), flat))(t)
	defer there.Close()
	if r := intact(t, there); r.Read != 16 {
		t.Errorf("verifying a flat directory: got %d files read, want 16", r.Read)
	}
}

// A dry run says what it would do, and does nothing.
func TestMirrorDryRun(t *testing.T) {
	t.Parallel()
	up := newServer(t)
	up.publish(t, release{version: "1.96.0", date: day(1)})
	s, dir := openStore(t)
	r := run(t, s, mirror.Options{Source: up.url, Channels: []string{"stable"}, DryRun: true, Undated: true})
	if len(r.Files) != 16+6 || has(t, dir, "") {
		t.Errorf("got %d files, store there %t; want 22 and none", len(r.Files), has(t, dir, ""))
	}
	if got := up.archives(); len(got) > 0 {
		t.Errorf("it asked for %q", got)
	}
}
