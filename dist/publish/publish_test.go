package publish

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/store"
	"x.go/manifests"
	"x.go/tests/testenv"
)

const host = "x86_64-unknown-linux-gnu"

// channelOf is a channel of packages for one host, "NAME" or "NAME@TARGET"; those that
// begin with "-" are not available. Its archives are texts.
func channelOf(version, date string, packages ...string) *manifests.Channel {
	c := &manifests.Channel{Date: date, Packages: map[string]manifests.Package{}, Renames: map[string]string{}, Profiles: map[string][]string{}}
	rust := manifests.PackageTarget{Available: true}
	for _, text := range packages {
		text, gone := strings.CutPrefix(text, "-")
		name, target, _ := strings.Cut(text, "@")
		if target == "" {
			target = host
		}
		d := manifests.Download{URL: manifests.OfficialServer + "/dist/" + date + "/" + name + "-" + target + ".tar.xz", Hash: manifests.HashOf([]byte(version + name))}
		t := manifests.PackageTarget{Available: !gone}
		if !gone {
			t.XZ = d
		}
		if c.Packages[name].Targets == nil {
			c.Packages[name] = manifests.Package{Version: version, Targets: map[string]manifests.PackageTarget{}}
		}
		c.Packages[name].Targets[target] = t
		rust.Components = append(rust.Components, manifests.ComponentRef{Package: name, Target: target})
	}
	c.Packages["rust"] = manifests.Package{Version: version, Targets: map[string]manifests.PackageTarget{host: rust}}
	c.Profiles["minimal"], c.Profiles["default"], c.Profiles["complete"] = []string{"rustc"}, []string{"rustc"}, []string{"rustc"}
	return c
}

func TestLost(t *testing.T) {
	t.Parallel()
	renamed := channelOf("1.96.0", "2026-05-28", "rustc", "miri")
	renamed.Renames["miri-preview"] = "miri"
	unlisted := channelOf("1.96.0", "2026-05-28", "rustc", "cargo")
	rust := unlisted.Packages["rust"].Targets[host]
	rust.Components = rust.Components[:1]
	unlisted.Packages["rust"].Targets[host] = rust
	for _, tt := range []struct {
		name     string
		old, new *manifests.Channel
		want     []string
	}{
		{"the same", channelOf("1", "d", "rustc", "cargo"), channelOf("2", "e", "rustc", "cargo"), nil},
		{"more", channelOf("1", "d", "rustc"), channelOf("2", "e", "rustc", "cargo"), nil},
		{"one is gone", channelOf("1", "d", "rustc", "rls", "cargo"), channelOf("2", "e", "rustc", "cargo"), []string{"rls-" + host}},
		{"one is not available", channelOf("1", "d", "rustc", "rls"), channelOf("2", "e", "rustc", "-rls"), []string{"rls-" + host}},
		{"it was not available", channelOf("1", "d", "rustc", "-rls"), channelOf("2", "e", "rustc"), nil},
		{"a target is gone", channelOf("1", "d", "rustc", "rust-std@wasm32-wasip1"), channelOf("2", "e", "rustc"), []string{"rust-std-wasm32-wasip1"}},
		{"for all targets", channelOf("1", "d", "rustc", "rust-src@*"), channelOf("2", "e", "rustc"), []string{"rust-src"}},
		{"renamed", channelOf("1", "d", "rustc", "miri-preview"), renamed, nil},
		{"no host lists it", channelOf("1", "d", "rustc", "cargo"), unlisted, []string{"cargo-" + host}},
	} {
		var got []string
		for _, c := range lost(tt.old, tt.new) {
			got = append(got, c.String())
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.name, diff)
		}
	}
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		glob string
		want bool
	}{
		{"rls-preview", true}, {"rls-preview-" + host, true}, {host, true}, {"rls-*", true}, {"rls", true}, {"*", true}, {"x86_64-*", true},
		{"rl", false}, {"preview", false}, {"aarch64-unknown-linux-gnu", false}, {"", false}, {"[", false},
	} {
		if got := (component{"rls-preview", host}).allowed([]string{"none", tt.glob}); got != tt.want {
			t.Errorf("%q: got %v, want %v", tt.glob, got, tt.want)
		}
	}
}

func TestOlder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                        string
		version, date, has, hasDate string
		want                        bool
	}{
		{"stable", "1.95.0", "2026-04-16", "1.94.0", "2026-03-05", false},
		{"stable", "1.94.1", "2026-06-01", "1.95.0", "2026-04-16", true}, // of an old release, later
		{"stable", "1.95.0", "2026-04-15", "1.95.0", "2026-04-16", true},
		{"stable", "1.95.0", "2026-04-16", "1.95.0", "2026-04-16", false},
		{"nightly", "1.97.0-nightly", "2026-04-17", "1.97.0-nightly", "2026-04-16", false},
		{"nightly", "1.98.0-nightly", "2026-04-15", "1.97.0-nightly", "2026-04-16", true},
		{"beta", "1.96.0-beta.2", "2026-04-17", "1.96.0-beta.3", "2026-04-16", false}, // the day counts
	} {
		if got := older(tt.name, channelOf(tt.version, tt.date), channelOf(tt.has, tt.hasDate)); got != tt.want {
			t.Errorf("%s: %s of %s after %s of %s: got %v, want %v", tt.name, tt.version, tt.date, tt.has, tt.hasDate, got, tt.want)
		}
	}
}

// write creates the directory of a channel under names.
func write(t *testing.T, c *manifests.Channel, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range manifests.ChannelFiles(names, "", c, manifests.DialectDist) {
		testenv.Must(t, os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644))
	}
	for _, d := range c.Downloads() {
		base := d.URL[strings.LastIndexByte(d.URL, '/')+1:]
		name := strings.TrimSuffix(strings.TrimSuffix(base, ".tar.xz"), "-"+host)
		testenv.Must(t, os.WriteFile(filepath.Join(dir, base), []byte(c.Packages["rust"].Version+name), 0o644))
	}
	return dir
}

func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir())
	testenv.Must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func newPlan(t *testing.T, s *store.Store, o Options) *Plan {
	t.Helper()
	p, err := New(t.Context(), s, o)
	testenv.Must(t, err)
	return p
}

// left returns the steps that a plan has still to do, "ACTION NAME".
func left(p *Plan) []string {
	var out []string
	for _, s := range p.Steps {
		if !s.Present && s.Action != Check {
			out = append(out, string(s.Action)+" "+s.Name)
		}
	}
	return out
}

// A plan lists all that a run does; of what is done, nothing is left.
func TestPlan(t *testing.T) {
	t.Parallel()
	s := open(t)
	dir := write(t, channelOf("1.95.0", "2026-04-16", "rustc"), "stable", "1.95.0")
	o := Options{Dir: dir, PublicURL: "https://rust.example.org"}
	const rustc, day = "rustc-" + host + ".tar.xz", "dist/2026-04-16/"
	want := []string{"put-if-absent " + day + rustc + ".sha256", "put-if-absent " + day + rustc}
	texts := []string{
		"channel-rust-1.95.0-date.txt", "channel-rust-1.95.0-date.txt.sha256", "channel-rust-stable-date.txt", "channel-rust-stable-date.txt.sha256",
	}
	for _, name := range append(texts, "channel-rust-1.95.0.toml", "channel-rust-stable.toml", "channel-rust-1.95.0.toml.sha256", "channel-rust-stable.toml.sha256") {
		want = append(want, "put-if-absent "+day+name)
	}
	want = append(want, "copy dist/"+rustc, "copy dist/"+rustc+".sha256")
	for _, name := range []string{"1.95.0", "stable"} { // each manifest just before its checksum, what users follow last
		for _, suffix := range []string{"-date.txt", "-date.txt.sha256", ".toml", ".toml.sha256"} {
			want = append(want, "replace dist/channel-rust-"+name+suffix)
		}
	}
	want = append(want, "append manifests.txt")
	p := newPlan(t, s, o)
	if diff := cmp.Diff(want, left(p)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for o, err := range s.List(t.Context(), "") {
		t.Errorf("planning has put %s, %v", o.Name, err)
	}
	_, err := p.Run(t.Context())
	testenv.Must(t, err)
	if got := left(newPlan(t, s, o)); got != nil {
		t.Errorf("after a run: left %q", got)
	}
}

// A run that ends at one of its steps is finished by the next one, and repeats nothing.
func TestResume(t *testing.T) {
	t.Parallel()
	dir := write(t, channelOf("1.95.0", "2026-04-16", "rustc", "cargo"), "stable", "1.95.0")
	whole, err := newPlan(t, open(t), Options{Dir: dir}).Run(t.Context())
	testenv.Must(t, err)
	stop := errors.New("stopped")
	for at := 1; ; at += 5 {
		s := open(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		seen := 0
		o := Options{Dir: dir, Jobs: 1, Progress: func(e Event) {
			if seen++; seen == at {
				cancel(stop)
			}
		}}
		first, err := newPlan(t, s, o).Run(ctx)
		if err == nil {
			break // beyond the last step
		}
		if !errors.Is(err, stop) && !errors.Is(err, context.Canceled) {
			t.Errorf("step %d: got %v", at, err)
		}
		p := newPlan(t, s, Options{Dir: dir})
		second, err := p.Run(t.Context())
		if err != nil || first.Put+second.Put != whole.Put || first.Replaced+second.Replaced != whole.Replaced || first.Sent+second.Sent != whole.Sent {
			t.Errorf("stopped at event %d: got %+v, then %+v, %v; want in all %+v", at, first, second, err, whole)
		}
		if rest := left(newPlan(t, s, Options{Dir: dir})); rest != nil {
			t.Errorf("stopped at event %d: left %q", at, rest)
		}
	}
}

// What cannot be published is refused while it is planned.
func TestRefused(t *testing.T) {
	t.Parallel()
	good := channelOf("1.95.0", "2026-04-16", "rustc")
	for _, tt := range []struct {
		name   string
		change func(dir string) error
		o      Options
		want   string
	}{
		{"an archive's checksum", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "rustc-"+host+".tar.xz.sha256"), manifests.FormatChecksum(manifests.HashOf(nil), "rustc-"+host+".tar.xz"), 0o644)
		}, Options{}, "want " + good.Packages["rustc"].Targets[host].XZ.Hash.String()},
		{"SHA256SUMS of something else", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, manifests.ChecksumsFile), manifests.FormatChecksums(map[string]manifests.Hash{"x": manifests.HashOf(nil)}), 0o644)
		}, Options{}, `SHA256SUMS names "x", which is not published`},
		{"no date", nil, Options{Date: "today"}, "want YYYY-MM-DD"},
		{"another day of what is signed", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "channel-rust-stable.toml.asc"), nil, 0o644)
		}, Options{Date: "2026-04-17"}, `with "channel-rust-stable.toml.asc" it can no longer be changed`},
		{"another server", func(dir string) error {
			c := good.WithURLs(func(url string) string { return strings.Replace(url, "static.rust-lang.org", "rust.example.org", 1) })
			for _, f := range manifests.ChannelFiles([]string{"stable"}, "", c, manifests.DialectDist) {
				if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
					return err
				}
			}
			return nil
		}, Options{}, "which rustup replaces by its server"},
	} {
		dir := write(t, good, "stable")
		if tt.change != nil {
			testenv.Must(t, tt.change(dir))
		}
		tt.o.Dir = dir
		if _, err := New(t.Context(), open(t), tt.o); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q in it", tt.name, err, tt.want)
		}
	}
}

// What has a day may be kept for ever, and what the next release replaces a minute.
func TestCached(t *testing.T) {
	t.Parallel()
	dir := write(t, channelOf("1.95.0", "2026-04-16", "rustc"), "stable")
	for _, s := range newPlan(t, open(t), Options{Dir: dir, PublicURL: "https://h"}).Steps {
		dated := slices.Contains([]Phase{Sums, Archives, ReadBack, Dated}, s.Phase)
		if forever := strings.Contains(store.CacheControl(s.Name), "immutable"); forever != dated {
			t.Errorf("%s: got %q", s.Name, store.CacheControl(s.Name))
		}
	}
}
