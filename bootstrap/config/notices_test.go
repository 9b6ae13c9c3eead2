package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// texts renders findings as "severity place: reason; remedy".
func texts(list []Finding) []string {
	var out []string
	for _, f := range list {
		out = append(out, string(f.Severity)+" "+f.Place+": "+f.Text())
	}
	return out
}

func TestNotices(t *testing.T) {
	for _, row := range []struct {
		name, text, release string
		want                []string
	}{
		{name: "legacy name", text: "rust.use-lld = true", want: []string{
			"note bootstrap.toml:1:6: renamed in 1.92 (rust-lang/rust#147046); write rust.bootstrap-override-lld"}},
		{name: "legacy name, before the new one", text: "rust.use-lld = true\nrust.jemalloc = true\nrust.profile-use = 'x'", release: "1.91.0"},
	} {
		src := source(bootstrapToml(row.text))
		src.Release = release(t, row.release)
		if diff := cmp.Diff(row.want, texts(load(t, src).Notices())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

func TestWithoutEffect(t *testing.T) {
	c := load(t, source(bootstrapToml("[build]\nverbose = 1\ndocs = false\n[target.x86_64-unknown-linux-gnu]\ncc = 'cc'\n"), "rust.debug=true"))
	want := []string{
		"note bootstrap.toml:2:1: it is accepted and has no effect on packaging",
		"note --set rust.debug=true: it is accepted and has no effect on packaging",
		"note bootstrap.toml:5:1: it is accepted and has no effect on packaging",
	}
	if diff := cmp.Diff(want, texts(c.WithoutEffect())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
