package verify_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/verify"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// writeChannel writes a channel for the archives of dir, which are at base.
func writeChannel(t testing.TB, dir, base string, c compiler) {
	t.Helper()
	plan := manifests.ChannelPlan{Version: c.version, Date: "2026-04-16", URLBase: base}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name, err := manifests.ParseArchiveName(e.Name())
		if err != nil {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		plan.Archives = append(plan.Archives, manifests.ListedArchive{ArchiveName: name, Hash: manifests.HashOf(b), VersionText: c.version.String()})
	}
	channel, err := plan.Channel()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range manifests.ChannelFiles(c.version.Names(), c.version.CommitHash, channel, manifests.DialectDist) {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// channelDir is a copy of the small dist with a channel.
func channelDir(t testing.TB, base string) (string, compiler) {
	t.Helper()
	testenv.Need(t, "rustc")
	from, err := smallDist()
	if err != nil {
		t.Fatal(err)
	}
	c, err := thisCompiler()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "dist")
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if base == "" {
		base = "file://" + dir
	}
	if err := addTarget(t.Context(), dir, c); err != nil {
		t.Fatal(err)
	}
	writeChannel(t, dir, base, c)
	return dir, c
}

// otherTarget is a target with a standard library of one text file.
const otherTarget = "aarch64-unknown-linux-gnu"

// addTarget writes the archive of another target's standard library.
func addTarget(ctx context.Context, dir string, c compiler) error {
	p, err := c.pack("rust-std")
	if err != nil {
		return err
	}
	comp := dist.Component{Name: "rust-std-" + otherTarget}
	if err := comp.Image.AddBytes("lib/rustlib/"+otherTarget+"/lib/libstd.rlib", []byte("!<arch>\n"), dist.ModeFile); err != nil {
		return err
	}
	p.Name, p.Components = strings.Replace(p.Name, c.host.String(), otherTarget, 1), []dist.Component{comp}
	_, err = archive.Writer{Formats: []archive.Format{manifests.GZ}}.Write(ctx, dir, p)
	return err
}

// A sound channel passes, from a directory and from a server.
func TestGoodChannel(t *testing.T) {
	t.Parallel()
	dir, _ := channelDir(t, "")
	report := verifyAll(t, verify.Options{Inputs: []string{dir}, Groups: []verify.Group{verify.Static, verify.Channel}})
	if got := report.Status(); got != verify.Pass {
		t.Errorf("directory: got %s, failures %q", got, failedNames(report))
	}
	report = verifyAll(t, verify.Options{Inputs: []string{"file://" + dir + "/channel-rust-stable.toml"}, Groups: []verify.Group{verify.Channel}})
	if got := report.Status(); got != verify.Pass {
		t.Errorf("file URL: got %s, failures %q", got, failedNames(report))
	}
	// Before publication the URLs do not answer: the files lie beside it.
	dir, _ = channelDir(t, "https://static.rust-lang.org/dist/2026-04-16")
	report = verifyAll(t, verify.Options{Inputs: []string{filepath.Join(dir, "channel-rust-stable.toml")}, Groups: []verify.Group{verify.Channel}})
	if got := report.Status(); got != verify.Pass {
		t.Errorf("unpublished: got %s, failures %q", got, failedNames(report))
	}
}

// A mirror serves official-looking URLs under its own address, as rustup
// reads them.
func TestChannelServer(t *testing.T) {
	t.Parallel()
	dir, c := channelDir(t, "https://static.rust-lang.org/dist")
	server := httptest.NewServer(http.StripPrefix("/dist/", http.FileServer(http.Dir(dir))))
	defer server.Close()
	at := server.URL + "/dist/channel-rust-" + c.version.Channel() + ".toml"
	report := verifyAll(t, verify.Options{Inputs: []string{at}, Groups: []verify.Group{verify.Channel}})
	if got := report.Status(); got != verify.Pass {
		t.Errorf("got %s, failures %q", got, failedNames(report))
	}
	gone := filepath.Join(dir, "cargo-"+c.version.PackageVersion()+"-"+c.host.String()+".tar.xz")
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	report = verifyAll(t, verify.Options{Inputs: []string{at}, Groups: []verify.Group{verify.Channel}})
	if got := failedNames(report); !slices.Contains(got, "channel/file-present") {
		t.Errorf("got failures %q, want channel/file-present", got)
	}
}

// Each fault of a channel is named by its check.
func TestChannelMutants(t *testing.T) {
	tests := []struct {
		name   string
		mutate func(t *testing.T, dir string, edit func(name, from, to string))
		want   string
	}{
		{"not TOML", func(t *testing.T, dir string, edit func(name, from, to string)) {
			edit("channel-rust-NAME.toml", "manifest-version", "manifest version")
		}, "channel/readable"},
		{"manifest of version 1", func(t *testing.T, dir string, edit func(name, from, to string)) {
			edit("channel-rust-NAME.toml", `manifest-version = "2"`, `manifest-version = "1"`)
		}, "channel/readable"},
		{"profile of an unknown package", func(t *testing.T, dir string, edit func(name, from, to string)) {
			edit("channel-rust-NAME.toml", `minimal = ["`, `minimal = ["nope", "`)
		}, "channel/valid"},
		{"rename to nothing", func(t *testing.T, dir string, edit func(name, from, to string)) {
			edit("channel-rust-NAME.toml", `to = "rustfmt-preview"`, `to = "nope"`)
		}, "channel/valid"},
		{"checksum of another text", func(t *testing.T, dir string, edit func(name, from, to string)) {
			edit("channel-rust-NAME.toml", "2026-04-16", "2026-04-17")
		}, "channel/checksum-file"},
		{"no checksum", func(t *testing.T, dir string, edit func(name, from, to string)) {
			names, err := filepath.Glob(filepath.Join(dir, "channel-rust-*.toml.sha256"))
			if err != nil || len(names) == 0 || os.Remove(names[0]) != nil {
				t.Fatal("no checksum to remove")
			}
		}, "channel/checksum-file"},
		{"missing archive", func(t *testing.T, dir string, edit func(name, from, to string)) {
			names, err := filepath.Glob(filepath.Join(dir, "cargo-*.tar.zst"))
			if err != nil || len(names) != 1 || os.Remove(names[0]) != nil {
				t.Fatal("no archive to remove")
			}
		}, "channel/file-present"},
		{"archive of another hash", func(t *testing.T, dir string, edit func(name, from, to string)) {
			edit("cargo-*.tar.zst", "\x28\xb5", "\x28\xb6")
		}, "channel/file-hash"},
		{"version of another release", func(t *testing.T, dir string, edit func(name, from, to string)) {
			edit("channel-rust-NAME.toml", "[pkg.rustc]\nversion = \"1", "[pkg.rustc]\nversion = \"2")
		}, "channel/version"},
		{"date file of another day", func(t *testing.T, dir string, edit func(name, from, to string)) {
			edit("channel-rust-NAME-date.txt", "2026-04-16", "2026-04-17")
		}, "channel/side-files"},
		{"aliases differ", func(t *testing.T, dir string, edit func(name, from, to string)) {
			edit("channel-rust-NAME.toml", "2026-04-16", "2026-04-18")
		}, "channel/aliases-agree"},
		{"archive that is not offered", func(t *testing.T, dir string, edit func(name, from, to string)) {
			names, err := filepath.Glob(filepath.Join(dir, "cargo-*.tar.gz"))
			if err != nil || len(names) != 1 {
				t.Fatal("no archive to copy")
			}
			b, err := os.ReadFile(names[0])
			if err != nil {
				t.Fatal(err)
			}
			other := strings.Replace(names[0], "x86_64", "riscv64gc", 1)
			if err := os.WriteFile(other, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}, "channel/unlisted-archive"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, c := channelDir(t, "")
			edit := func(name, from, to string) {
				names, err := filepath.Glob(filepath.Join(dir, strings.Replace(name, "NAME", c.version.Channel(), 1)))
				if err != nil || len(names) != 1 {
					t.Fatalf("got files %q, %v for %s; want one", names, err, name)
				}
				b, err := os.ReadFile(names[0])
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(string(b), from) {
					t.Fatalf("%s has no %q", names[0], from)
				}
				if err := os.WriteFile(names[0], []byte(strings.Replace(string(b), from, to, 1)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			tt.mutate(t, dir, edit)
			report := verifyAll(t, verify.Options{Inputs: []string{dir}, Groups: []verify.Group{verify.Static, verify.Channel}})
			if failed := failedNames(report); !slices.Contains(failed, tt.want) {
				t.Errorf("got failures %q, want %s among them", failed, tt.want)
			}
		})
	}
}
