package publishing

import (
	"path/filepath"
	"strings"
	"testing"

	"x.go/tests/runx"
	"x.go/tests/storetest"
	"x.go/tests/testenv"
)

// What x dist has written is published as it is: the manifests in the store have the URLs
// of their day. A second release of the day takes another one.
func TestUndated(t *testing.T) {
	t.Parallel()
	dir := release{version: "1.95.0", date: "2026-04-16", undated: true}.write(t)
	rebuilt := release{version: "1.95.0", date: "2026-04-16", undated: true, salt: "other"}.write(t)
	onEach(t, func(t *testing.T, p place) {
		if a := p.must(t, dir); len(a.Notes) == 0 || !strings.Contains(a.Notes[0], "of 2026-04-16, with URLs below https://static.rust-lang.org/dist/2026-04-16") {
			t.Errorf("got notes %q, want a word on the URLs", a.Notes)
		}
		s := p.open(t)
		sound(t, s)
		for _, name := range []string{"dist/channel-rust-1.95.toml", "dist/2026-04-16/channel-rust-stable.toml"} {
			text := storetest.Read(t, s, name, 0)
			if urls := strings.Count(text, "static.rust-lang.org/dist/"); urls == 0 || urls != strings.Count(text, "static.rust-lang.org/dist/2026-04-16/") {
				t.Errorf("%s has URLs without a day:\n%s", name, text)
			}
		}
		if a := p.must(t, dir); a.Result.Put+a.Result.Copied+a.Result.Replaced != 0 {
			t.Errorf("again: got %+v", a.Result)
		}
		if r := p.publish(t, rebuilt); r.Code != 1 || !strings.Contains(r.Stderr, "a dated name never changes") || !strings.Contains(r.Stderr, "--date") {
			t.Errorf("got %d, %s; want a word on --date", r.Code, r.Stderr)
		}
		p.must(t, rebuilt, "--date", "2026-04-17")
		sound(t, s)
		if got := offered(t, s, "stable") + storetest.Read(t, s, "dist/2026-04-17/channel-rust-stable-date.txt", 0); got != "2026-04-172026-04-17" {
			t.Errorf("got days %s, want that of --date", got)
		}
	})
}

// The URLs of a signed manifest stay. x channel make writes those to sign.
func TestUndatedSigned(t *testing.T) {
	t.Parallel()
	k := newKeys(t)
	dir := release{version: "1.95.0", date: "2026-04-16", undated: true}.write(t)
	made := filepath.Join(t.TempDir(), "release")
	runx.Must(t, t.TempDir(), nil, "channel", "make", "--dated", "--date", "2026-04-16", "--out", made, dir)
	k.sign(t, dir)
	p := place{url: t.TempDir()}
	for _, args := range [][]string{nil, {"--date", "2026-04-17"}} {
		if r := p.publish(t, dir, args...); r.Code != 1 || !strings.Contains(r.Stderr, "x channel make --dated") {
			t.Errorf("got %d, %s; want a word on x channel make", r.Code, r.Stderr)
		}
	}
	if r := p.publish(t, k.sign(t, made), "--date", "2026-04-17"); r.Code != 1 || !strings.Contains(r.Stderr, "can no longer be changed") {
		t.Errorf("got %d, %s", r.Code, r.Stderr)
	}
	if got := testenv.List(t, p.url); len(got) > 0 {
		t.Errorf("refused, and yet the store has %q", got)
	}
	p.must(t, made, "--keyring", k.public)
	sound(t, p.open(t))
	if r := runx.X(t, t.TempDir(), nil, "channel", "make", "--dated", "--url", "https://h", dir); r.Code != 2 {
		t.Errorf("--dated with --url: got %d, %s", r.Code, r.Stderr)
	}
}
