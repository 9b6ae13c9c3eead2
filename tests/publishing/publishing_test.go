package publishing

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/publish"
	"x.go/dist/store"
	"x.go/manifests"
	"x.go/tests/runx"
	"x.go/tests/storetest"
	"x.go/tests/testenv"
)

// answer is what x publish --json prints.
type answer struct {
	publish.Plan
	Result publish.Result
}

func parse(t testing.TB, r runx.Result) answer {
	t.Helper()
	var a answer
	if err := json.Unmarshal([]byte(r.Stdout), &a); err != nil {
		t.Fatalf("%v\n%s\n%s", err, r.Stdout, r.Stderr)
	}
	return a
}

// stores are the kinds of stores on this machine; each call of a function is a new one.
var stores = map[string]func(t *testing.T) place{
	"directory": func(t *testing.T) place {
		return place{url: "file://" + filepath.ToSlash(filepath.Join(t.TempDir(), "srv", "rust"))}
	},
	"s3": bucket,
}

// onEach runs a test on each kind of store.
func onEach(t *testing.T, test func(t *testing.T, p place)) {
	for name, create := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, create(t))
		})
	}
}

// sound requires a store in which all that a reader finds is whole: each manifest has the
// digest of its .sha256, and each file of a manifest is there.
func sound(t testing.TB, s *store.Store) {
	t.Helper()
	for _, name := range storetest.Names(t, s, "dist/") {
		if sum, ok := strings.CutSuffix(name, ".sha256"); ok && !strings.HasSuffix(sum, ".txt") {
			got, err := s.Hash(t.Context(), sum)
			if errors.Is(err, fs.ErrNotExist) {
				continue // put first
			}
			want, _, perr := manifests.ParseChecksum([]byte(storetest.Read(t, s, name, 0)))
			if err != nil || perr != nil || got != want {
				t.Errorf("%s: got %s, %v, %v; want %s", sum, got, err, perr, want)
			}
		}
		if !strings.HasSuffix(name, ".toml") {
			continue
		}
		c, err := manifests.ParseChannel([]byte(storetest.Read(t, s, name, 0)))
		testenv.Must(t, err)
		for _, d := range c.Downloads() {
			if got, err := s.Hash(t.Context(), strings.TrimPrefix(d.URL, manifests.OfficialServer+"/")); err != nil || got != d.Hash {
				t.Errorf("%s: %s: got %s, %v", name, d.URL, got, err)
			}
		}
	}
}

// offered returns the day of a channel in a store.
func offered(t testing.TB, s *store.Store, name string) string {
	t.Helper()
	c, err := manifests.ParseChannel([]byte(storetest.Read(t, s, "dist/channel-rust-"+name+".toml", 0)))
	if err != nil {
		t.Fatal(err)
	}
	return c.Date
}

// One release after the other is published, once each.
func TestPublish(t *testing.T) {
	t.Parallel()
	first := release{version: "1.95.0", date: "2026-04-16"}.write(t)
	second := release{version: "1.96.0", date: "2026-05-28"}.write(t)
	onEach(t, func(t *testing.T, p place) {
		dry := p.must(t, first, "--dry-run")
		s := p.open(t)
		if got := storetest.Names(t, s, ""); got != nil {
			t.Errorf("a dry run wrote %q", got)
		}
		a := p.must(t, first, "--public-url", "https://rust.example.org/")
		names := storetest.Names(t, s, "")
		for _, step := range dry.Steps {
			if !slices.Contains(names, step.Name) {
				t.Errorf("the dry run has %s, the store has not", step.Name)
			}
		}
		for _, name := range names {
			if !slices.ContainsFunc(a.Steps, func(s publish.Step) bool { return s.Name == name }) {
				t.Errorf("the store has %s, the plan has not", name)
			}
		}
		sound(t, s)
		if again := p.must(t, first); again.Result.Put+again.Result.Copied+again.Result.Replaced != 0 || again.Result.ReadBack != 8 {
			t.Errorf("again: got %+v, want nothing but 8 files read", again.Result)
		}
		p.must(t, second)
		sound(t, s)
		if got := offered(t, s, "stable"); got != "2026-05-28" {
			t.Errorf("stable is of %s", got)
		}
		want := []string{
			"rust.example.org/dist/2026-04-16/channel-rust-1.95.0.toml", "rust.example.org/dist/2026-04-16/channel-rust-1.95.toml",
			"rust.example.org/dist/2026-04-16/channel-rust-stable.toml", "rust.example.org/dist/2026-05-28/channel-rust-1.96.0.toml",
			"rust.example.org/dist/2026-05-28/channel-rust-1.96.toml", "rust.example.org/dist/2026-05-28/channel-rust-stable.toml",
		}
		if diff := cmp.Diff(want, strings.Fields(storetest.Read(t, s, "manifests.txt", 0))); diff != "" {
			t.Errorf("manifests.txt: (-want +got)\n%s", diff)
		}
	})
}

// The manifest that rustup looks at is the last to change, with its checksum after it.
func TestOrder(t *testing.T) {
	t.Parallel()
	dir := newKeys(t).sign(t, release{version: "1.95.0", date: "2026-04-16"}.write(t))
	p := place{url: t.TempDir()}
	var got []string
	for _, s := range p.must(t, dir, "--dry-run", "--public-url", "https://h").Steps {
		if strings.Contains(s.Name, "rustc-1.95.0-"+host+".tar.xz") || strings.Contains(s.Name, "rust-stable") && !strings.HasSuffix(s.Name, ".minisig") && !strings.Contains(s.Name, "date.txt") || s.Name == "manifests.txt" {
			got = append(got, string(s.Phase)+" "+s.Name)
		}
	}
	want := strings.Fields(`
checksums dist/2026-04-16/rustc-1.95.0-x86_64-unknown-linux-gnu.tar.xz.sha256
archives dist/2026-04-16/rustc-1.95.0-x86_64-unknown-linux-gnu.tar.xz
read-back dist/2026-04-16/rustc-1.95.0-x86_64-unknown-linux-gnu.tar.xz
dated-manifest dist/2026-04-16/channel-rust-stable-SHA256SUMS
dated-manifest dist/2026-04-16/channel-rust-stable-SHA256SUMS.asc
dated-manifest dist/2026-04-16/channel-rust-stable-provenance.json
dated-manifest dist/2026-04-16/channel-rust-stable-provenance.json.asc
dated-manifest dist/2026-04-16/channel-rust-stable-provenance.json.sha256
dated-manifest dist/2026-04-16/channel-rust-stable.toml
dated-manifest dist/2026-04-16/channel-rust-stable.toml.asc
dated-manifest dist/2026-04-16/channel-rust-stable.toml.sha256
undated-copies dist/rustc-1.95.0-x86_64-unknown-linux-gnu.tar.xz
undated-copies dist/rustc-1.95.0-x86_64-unknown-linux-gnu.tar.xz.sha256
channel dist/channel-rust-stable.toml
channel dist/channel-rust-stable.toml.asc
channel dist/channel-rust-stable.toml.sha256
manifests.txt manifests.txt`)
	if diff := cmp.Diff(want, strings.Fields(strings.Join(got, "\n"))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// What is offered does not get worse by accident.
func TestCompared(t *testing.T) {
	t.Parallel()
	full := release{version: "1.95.0", date: "2026-04-16", components: append(slices.Clone(usual), "clippy")}.write(t)
	less := release{version: "1.96.0", date: "2026-05-28"}.write(t)
	older := release{version: "1.94.1", date: "2026-06-01"}.write(t)
	p := place{url: t.TempDir()}
	half := release{version: "1.95.0", date: "2026-04-16"}.write(t)
	for _, ext := range []string{".tar.gz", ".tar.xz"} {
		testenv.Must(t, os.Remove(filepath.Join(half, "cargo-1.95.0-"+host+ext)))
	}
	if r := p.publish(t, half); r.Code != 1 || strings.Count(r.Stderr, "is neither in the directory nor in the store") != 2 || len(storetest.Names(t, p.open(t), "")) > 0 {
		t.Errorf("half a channel: got %d, %s", r.Code, r.Stderr)
	}
	p.must(t, full)
	if r := p.publish(t, less); r.Code != 1 || !strings.Contains(r.Stderr, "clippy-preview-"+host) {
		t.Errorf("got %d, %s; want a word on clippy", r.Code, r.Stderr)
	}
	s := p.open(t)
	if got := storetest.Names(t, s, "dist/2026-05-28/"); got != nil {
		t.Errorf("refused, and yet the store has %q", got)
	}
	a := p.must(t, less, "--allow-gone", "clippy-preview")
	if diff := cmp.Diff([]string{"clippy-preview-" + host}, a.Gone); diff != "" {
		t.Error(diff)
	}
	a = p.must(t, older)
	if got := []string{offered(t, s, "stable"), offered(t, s, "1.94"), offered(t, s, "1.94.1")}; !slices.Equal(got, []string{"2026-05-28", "2026-06-01", "2026-06-01"}) || len(a.Held) != 1 {
		t.Errorf("got stable, 1.94, 1.94.1 of %q, held %v", got, a.Held)
	}
	p.must(t, older, "--move-back")
	if got := offered(t, s, "stable"); got != "2026-06-01" {
		t.Errorf("--move-back: stable is of %s", got)
	}
}

// A second release of a day changes nothing that has a date.
func TestSecondOfDay(t *testing.T) {
	t.Parallel()
	first := release{version: "1.97.0-nightly", date: "2026-04-16"}.write(t)
	second := release{version: "1.97.0-nightly", date: "2026-04-16", salt: "other"}.write(t)
	beta := release{version: "1.96.0-beta.3", date: "2026-04-16"}.write(t)
	onEach(t, func(t *testing.T, p place) {
		p.must(t, first)
		s := p.open(t)
		before := storetest.Names(t, s, "")
		if r := p.publish(t, second); r.Code != 1 || !strings.Contains(r.Stderr, "a dated name never changes") {
			t.Errorf("got %d, %s", r.Code, r.Stderr)
		}
		if diff := cmp.Diff(before, storetest.Names(t, s, "")); diff != "" {
			t.Error(diff)
		}
		p.must(t, beta) // another channel of the day
		sound(t, s)
	})
}

// Read-back finds what is damaged in the store, and repairs it if that is wanted.
func TestDamaged(t *testing.T) {
	t.Parallel()
	dir := release{version: "1.95.0", date: "2026-04-16"}.write(t)
	onEach(t, func(t *testing.T, p place) {
		p.must(t, dir)
		s := p.open(t)
		const name = "dist/2026-04-16/cargo-1.95.0-" + host + ".tar.xz"
		good := storetest.Read(t, s, name, 0)
		storetest.Put(t, s, name, strings.Repeat("x", len(good)))
		if r := p.publish(t, dir); r.Code != 1 || !strings.Contains(r.Stderr, "is damaged in the store") || !strings.Contains(r.Stderr, "--repair") {
			t.Errorf("got %d, %s", r.Code, r.Stderr)
		}
		if a := p.must(t, dir, "--repair"); a.Result.Repaired != 1 {
			t.Errorf("got %+v", a.Result)
		}
		sound(t, s)
	})
}

// Of two publishers of one day one wins, and of two days the later.
func TestTwoPublishers(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p place) {
		p.must(t, release{version: "1.97.0-nightly", date: "2026-04-15"}.write(t))
		dirs := []string{
			release{version: "1.97.0-nightly", date: "2026-04-16", salt: "a"}.write(t),
			release{version: "1.97.0-nightly", date: "2026-04-16", salt: "b"}.write(t),
		}
		results := make([]runx.Result, len(dirs))
		var wg sync.WaitGroup
		for i, dir := range dirs {
			wg.Go(func() { results[i] = p.publish(t, dir) })
		}
		wg.Wait()
		s := p.open(t)
		sound(t, s)
		won := 0
		for _, r := range results {
			if r.Code == 0 {
				won++
			} else if !strings.Contains(r.Stderr, "another") {
				t.Errorf("got %s, want a word on the other", r.Stderr)
			}
		}
		if won != 1 || offered(t, s, "nightly") != "2026-04-16" {
			t.Errorf("%d won, nightly is of %s", won, offered(t, s, "nightly"))
		}
	})
}

// A bad release is taken back; its own files stay.
func TestWithdraw(t *testing.T) {
	t.Parallel()
	dirs := []string{
		release{version: "1.95.0", date: "2026-04-16"}.write(t),
		release{version: "1.95.1", date: "2026-05-01", components: append(slices.Clone(usual), "clippy")}.write(t),
	}
	onEach(t, func(t *testing.T, p place) {
		s := p.open(t)
		if r := runx.X(t, t.TempDir(), p.env, "channel", "withdraw", p.url, "stable"); r.Code != 1 {
			t.Errorf("of an empty store: got %d, %s", r.Code, r.Stderr)
		}
		for _, dir := range dirs {
			p.must(t, dir)
		}
		dated := storetest.Names(t, s, "dist/2026-05-01/")
		before := storetest.Names(t, s, "")
		runx.Must(t, t.TempDir(), p.env, "channel", "withdraw", "--dry-run", p.url, "stable")
		if diff := cmp.Diff(before, storetest.Names(t, s, "")); diff != "" {
			t.Errorf("a dry run: %s", diff)
		}
		r := runx.Must(t, t.TempDir(), p.env, "channel", "withdraw", p.url, "stable")
		if !strings.Contains(r.Stderr, "clippy-preview-"+host) || !strings.Contains(r.Stdout, "removed 1.95.1") {
			t.Errorf("got %s%s", r.Stdout, r.Stderr)
		}
		sound(t, s)
		if got := offered(t, s, "stable") + offered(t, s, "1.95"); got != "2026-04-162026-04-16" {
			t.Errorf("stable and 1.95 are of %s", got)
		}
		if diff := cmp.Diff(dated, storetest.Names(t, s, "dist/2026-05-01/")); diff != "" {
			t.Error(diff)
		}
		if got := storetest.Names(t, s, "dist/channel-rust-1.95.1"); got != nil {
			t.Errorf("the store has %q", got)
		}
		// Nothing is before the first.
		if r := runx.X(t, t.TempDir(), p.env, "channel", "withdraw", p.url, "stable"); r.Code != 1 || !strings.Contains(r.Stderr, "no release of it before") {
			t.Errorf("got %d, %s", r.Code, r.Stderr)
		}
	})
}
