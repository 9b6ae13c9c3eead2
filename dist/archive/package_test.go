package archive

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
)

func TestReadPackage(t *testing.T) {
	p := samplePackage(t)
	artifacts, err := Writer{Formats: []Format{XZ}}.Write(t.Context(), t.TempDir(), p)
	must(t, err)
	got, err := ReadPackage(t.Context(), artifacts[0].Path, ReadOptions{TempDir: t.TempDir()})
	must(t, err)
	defer got.Close()
	if diff := cmp.Diff([]string{p.Name, p.Product, p.SuccessMessage, "version", "git-commit-hash"},
		[]string{got.Name, got.Product, got.SuccessMessage, got.Version, got.Commit}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(names(p.Overlay), names(got.Overlay)); diff != "" {
		t.Errorf("overlay (-want +got):\n%s", diff)
	}
	for i, c := range p.Components {
		back := got.Components[i]
		if diff := cmp.Diff(append(names(c.Image), c.BulkDirs...), append(names(back.Image), back.BulkDirs...)); diff != "" || back.Name != c.Name {
			t.Errorf("component %q, want %q (-want +got):\n%s", back.Name, c.Name, diff)
		}
		if diff := cmp.Diff(c.Manifest(), back.Manifest()); diff != "" {
			t.Errorf("manifest of %q (-want +got):\n%s", c.Name, diff)
		}
	}
	if got, want := content(t, got.Components[0].Image, "bin/rustc"), "bin/rustc\n"; got != want {
		t.Errorf("got content %q, want %q", got, want)
	}
}

func TestReadPackageErrors(t *testing.T) {
	build := func(files map[string]string) string {
		var img dist.Image
		for name, text := range files {
			must(t, img.AddBytes(name, []byte(text), dist.ModeFile))
		}
		plan, err := planTarball(img, PathOrder, 0)
		must(t, err)
		var out strings.Builder
		must(t, plan.write(t.Context(), &out))
		return writeTemp(t, gz(t, []byte(out.String())))
	}
	with := func(files ...string) map[string]string {
		out := map[string]string{"p/rust-installer-version": "3\n"}
		for i := 0; i < len(files); i += 2 {
			out[files[i]] = files[i+1]
		}
		return out
	}
	tests := []struct {
		name  string
		files map[string]string
		kind  ProblemKind
		want  string
	}{
		{"nothing", map[string]string{"p/x": ""}, ProblemInstaller, "rust-installer-version is missing"},
		{"version", map[string]string{"p/rust-installer-version": "2\n"}, ProblemInstaller, `got "2", want "3"`},
		{"no components", with("p/components", ""), ProblemComponents, "it names no component"},
		{"no manifest", with("p/components", "a\n", "p/a/x", ""), ProblemManifest, `component "a" has no "manifest.in"`},
		{"no directory", with("p/components", "a\n"), ProblemComponents, "has no directory"},
		{"bad manifest", with("p/components", "a\n", "p/a/manifest.in", "file:../x\n"), ProblemManifestPath, `a/manifest.in:1: got path "../x"`},
		{"absent file", with("p/components", "a\n", "p/a/manifest.in", "file:x\n"), ProblemAbsent, "file:x names no member"},
		{"unlisted file", with("p/components", "a\n", "p/a/manifest.in", "file:x\n", "p/a/x", "", "p/a/y", ""), ProblemUnlisted, `names "y"`},
		{"unlisted component", with("p/components", "a\n", "p/a/manifest.in", "file:x\n", "p/a/x", "", "p/b/manifest.in", ""), ProblemComponents, `directory "b"`},
		{"two owners", with("p/components", "a\nb\n", "p/a/manifest.in", "file:x\n", "p/a/x", "", "p/b/manifest.in", "file:x\n", "p/b/x", ""), ProblemConflict, "belongs to a and to b"},
		{"two top directories", map[string]string{"p/x": "", "q/y": ""}, ProblemTop, `got a second top directory "q", the first is "p"`},
	}
	for _, tt := range tests {
		path := build(tt.files)
		_, err := ReadPackage(t.Context(), path, ReadOptions{})
		p, _ := errors.AsType[Problem](err)
		if err == nil || p.Kind != tt.kind || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %q, %v, want %q and an error with %q", tt.name, p.Kind, err, tt.kind, tt.want)
		}
	}
}
