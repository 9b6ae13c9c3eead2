package manifests_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
)

func TestVersionNames(t *testing.T) {
	tests := []struct {
		version, pkg string
		names        []string
	}{
		{"1.95.0", "1.95.0", []string{"stable", "1.95.0", "1.95"}},
		{"1.100.12", "1.100.12", []string{"stable", "1.100.12", "1.100"}},
		{"1.96.0-beta.3", "beta", []string{"beta", "1.96.0-beta.3", "1.96.0-beta", "1.96-beta"}},
		{"1.96.0-beta", "beta", []string{"beta", "1.96.0-beta", "1.96-beta"}},
		{"1.97.0-nightly", "nightly", []string{"nightly"}},
		{"1.98.0-dev", "1.98.0-dev", []string{"dev"}},
	}
	for _, tt := range tests {
		v := manifests.Version{Release: release(tt.version)}
		if diff := cmp.Diff(tt.names, v.Names()); diff != "" {
			t.Errorf("%s: names (-want +got)\n%s", tt.version, diff)
		}
		if got := v.PackageVersion(); got != tt.pkg {
			t.Errorf("%s: got package version %q, want %q", tt.version, got, tt.pkg)
		}
	}
}

func TestVersionString(t *testing.T) {
	r := stable
	for _, tt := range []struct {
		change func(*manifests.Version)
		want   string
	}{
		{func(*manifests.Version) {}, "1.95.0 (59807616e 2026-04-14)"},
		{func(r *manifests.Version) { r.Description = "Debian 13" }, "1.95.0 (59807616e 2026-04-14) (Debian 13)"},
		{func(r *manifests.Version) { r.CommitHash = "" }, "1.95.0"},
		{func(r *manifests.Version) { r.CommitDate = "" }, "1.95.0"},
	} {
		r := r
		tt.change(&r)
		if got := r.String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestVersionCheck(t *testing.T) {
	if err := stable.Check(); err != nil {
		t.Errorf("got %v for a sound release", err)
	}
	bad := manifests.Version{CommitHash: "5980", CommitDate: "today", Description: "a\nb"}
	err := bad.Check()
	if err == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{"got no release", `commit date "today"`, `commit hash "5980"`, `description "a\nb"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s in it", err, want)
		}
	}
}
